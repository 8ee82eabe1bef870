"""Files written past the cache: the same bytes and hash as any other, also where the disk takes no such writes."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from store import straight_file
from store.straight_file import LARGE, ROOM, StraightFile

PIECES = {
    "nothing": [],
    "less than a page": [7, 0, 100],
    "exactly the room": [ROOM],
    "over the room": [13, ROOM, 5, 3 * ROOM + 1, 4096],
}


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("expected", [0, LARGE])
def test_bytes_and_hash(name: str, expected: int, tmp_path: Path) -> None:
    pieces = [os.urandom(size) for size in PIECES[name]]
    with StraightFile(tmp_path / "x", expected) as file:
        for piece in pieces:
            file.put(memoryview(piece))
    wanted = b"".join(pieces)
    assert (tmp_path / "x").read_bytes() == wanted
    assert file.digest == hashlib.sha256(wanted).hexdigest()


def test_a_disk_that_takes_no_straight_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = os.pwrite, []

    def pwrite(file: int, data: memoryview, at: int) -> int:
        if not refused:
            refused.append(at)
            raise OSError(errno.EINVAL, "no")
        return real(file, data[: ROOM // 2 + 3], at)  # and only a part at once

    monkeypatch.setattr(straight_file.os, "pwrite", pwrite)
    data = os.urandom(2 * ROOM + 9)
    with StraightFile(tmp_path / "x", LARGE) as file:
        file.put(data)
    assert refused and (tmp_path / "x").read_bytes() == data


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: memoryview, at: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(straight_file.os, "pwrite", full)
    with pytest.raises(OSError, match="full"), StraightFile(tmp_path / "x", LARGE) as file:
        file.put(bytes(2 * ROOM))
