"""直写文件: a large file written in order from its beginning, past the system's cache where the disk lets it.

Results of a night are written once and seldom read at once: through the cache each megabyte takes a fresh page of memory
(on a virtual machine fetched from its host, dearer than the writing), pushes out what is read often, and is lost with the
power for half a minute. A small file goes through the cache, where who reads it next finds it.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows, where no file is written straight
    fcntl = None  # type: ignore[assignment]

LARGE = 32 << 20  # bytes from which a file is worth it
ROOM = 4 << 20  # bytes of a write, in memory that begins at a page
_STRAIGHT = getattr(os, "O_DIRECT", 0) if fcntl is not None else 0
Bytes = bytes | memoryview


class StraightFile:
    """直写文件: `put` its bytes one after another; `digest` is their SHA-256 once it is closed."""

    def __init__(self, path: Path, expected: int, hashed: bool = True):
        self._file, self._straight = _opened(path, expected >= LARGE)
        self._room = mmap.mmap(-1, ROOM) if self._straight else None
        self._filled = self._at = 0
        self._hash = hashlib.sha256() if hashed else None

    @property
    def digest(self) -> str:
        return self._hash.hexdigest() if self._hash is not None else ""

    def put(self, data: Bytes) -> None:
        """接着写."""
        left = memoryview(data).cast("B")
        if self._hash is not None:
            self._hash.update(left)
        if self._room is None:
            self._write(left)
            return
        while left:
            part = left[: ROOM - self._filled]
            self._room[self._filled : self._filled + len(part)] = part
            self._filled, left = self._filled + len(part), left[len(part) :]
            if self._filled == ROOM:
                self._write(memoryview(self._room))
                self._filled = 0

    def _write(self, left: memoryview) -> None:
        """The whole of it, where one call may write only a part."""
        while left:
            try:
                done = os.pwrite(self._file, left, self._at)
            except OSError:
                if not self._straight:
                    raise
                self._plainly()  # a disk that takes no such writes, or one that is full: said by the next try
                continue
            left, self._at = left[done:], self._at + done
            if left and self._straight and done % mmap.PAGESIZE:
                self._plainly()

    def _plainly(self) -> None:
        """From here on through the cache: the last bytes fill no page, and some disks take no straight writes."""
        fcntl.fcntl(self._file, fcntl.F_SETFL, fcntl.fcntl(self._file, fcntl.F_GETFL) & ~_STRAIGHT)
        self._straight = False

    def close(self) -> None:
        """写完."""
        try:
            if self._room is not None:
                if self._straight:
                    self._plainly()
                self._write(memoryview(self._room)[: self._filled])
                os.fdatasync(self._file)
        finally:
            os.close(self._file)

    def __enter__(self) -> StraightFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            os.close(self._file)


def _opened(path: Path, large: bool) -> tuple[int, bool]:
    """The file, and whether it is written past the cache."""
    plain = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    if large and _STRAIGHT:
        try:
            return os.open(path, plain | _STRAIGHT, 0o666), True
        except OSError:
            pass  # a file system in memory, say: if it is anything else, the next line says so
    return os.open(path, plain, 0o666), False


def file_hash(path: Path) -> str:
    """文件哈希: SHA-256 of its bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
