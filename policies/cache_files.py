"""缓存文件: what this user's processes keep for one another, by a hash of what it was made of.

Entries lie in the user's own cache folder, begin with the hash of their bytes, and are taken only where nobody else may
write: they are unpickled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """缓存文件夹: huiqi in XDG_CACHE_HOME, default ~/.cache."""
    base = env.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "huiqi"


def read_entry(path: Path) -> bytes | None:
    """读一项; None where there is none that can be trusted, or it was cut short or spoiled."""
    try:
        about = path.stat()
        if about.st_uid != os.getuid() or about.st_mode & 0o022:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return data[32:] if hashlib.sha256(data[32:]).digest() == data[:32] else None


def write_entry(folder: Path, name: str, data: bytes, most: int) -> None:
    """写一项, and put away the oldest of its kind (the name's first word and its ending) beyond `most`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / f"{name}.part-{os.getpid()}"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(hashlib.sha256(data).digest() + data)
    part.replace(folder / name)
    kind = f"{name.partition('-')[0]}-*{Path(name).suffix}"
    for old in sorted(folder.glob(kind), key=lambda p: p.stat().st_mtime)[:-most]:
        old.unlink(missing_ok=True)
