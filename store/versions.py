"""版本: libraries kept by their content, so that a past night can be opened and replayed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.indicators import Dictionary
from policies.library import Library

SUFFIXES = (".yaml", ".md")
SETTINGS = "sets.json"
STAMP = (2020, 1, 1, 0, 0, 0)


def library_files(root: Path) -> list[Path]:
    """政策库的文件, in a fixed order."""
    return sorted(p for p in root.rglob("*") if p.is_file() and p.suffix in SUFFIXES)


def keep_library(root: Path, sets: Mapping[str, Sequence[str]], home: Path) -> str:
    """存政策库: a zip named by the hash of its content (files and place words); returns the hash."""
    settings = json.dumps({k: list(v) for k, v in sorted(sets.items())}, ensure_ascii=False)
    digest = hashlib.sha256(settings.encode())
    files = [(p.relative_to(root).as_posix(), p.read_bytes()) for p in library_files(root)]
    for name, data in files:
        digest.update(f"{name} {len(data)}\n".encode() + data)
    target = home / "versions" / f"library-{digest.hexdigest()}.zip"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part-{os.getpid()}")
        packed = (
            io.BytesIO()
        )  # a full disk then is one plain failure of one write, not of an archive half closed
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in [*files, (SETTINGS, settings.encode())]:
                archive.writestr(zipfile.ZipInfo(name, STAMP), data)
        part.write_bytes(packed.getvalue())
        part.replace(target)
    return digest.hexdigest()


def open_kept_library(
    home: Path,
    digest: str,
    load: Callable[[Path, Dictionary, Mapping[str, Sequence[str]]], Library],
    dictionary: Dictionary,
) -> Library:
    """打开存下的政策库. Raises FileNotFoundError where that version is not kept."""
    archive_path = home / "versions" / f"library-{digest}.zip"
    with (
        tempfile.TemporaryDirectory(prefix="huiqi-library-") as folder,
        zipfile.ZipFile(archive_path) as archive,
    ):
        archive.extractall(folder)
        sets = json.loads((Path(folder) / SETTINGS).read_text(encoding="utf-8"))
        return load(Path(folder), dictionary, sets)
