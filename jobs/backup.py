"""备份与恢复: the database and the data folder in one file, every member with its hash; a restore checks all of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from store.audit import verify
from store.database import Engine, open_database, revision_of, upgrade
from store.dumps import POSTGRES, SQLITE, DumpError, dump, restore
from store.ledger import verify_ledger

MANIFEST, FORMAT = "manifest.json", 1
# What zipfile raises of an archive that is broken, of another kind, or under a password.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
# A snapshot is made anew from the database; half-written folders and the live database file are not data.
LEFT_OUT = ("snapshot",)


SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Kept:
    """一份备份: its file, how many members and bytes, and the audit chain's head at that moment."""

    file: Path
    members: int
    bytes: int
    audit_head: str
    audit_count: int


def back_up(engine: Engine, home: Path, target: Path, at: datetime) -> Kept:
    """备份 to `target` (a .zip; anything else is a folder, made where it isn't, and gets a dated name). The database first: the files a night's row speaks of
    are written before the row, so all of them are there. Raises DumpError and OSError."""
    if target.suffix.lower() != ".zip":
        if target.is_file():
            raise DumpError(f"{target} 是文件；请给一个文件夹，或以 .zip 结尾的新文件名")
        target.mkdir(parents=True, exist_ok=True)
        target = target / f"huiqi-{at.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.zip"
    if target.exists():
        raise DumpError(f"{target} 已经有了，请换一个名字")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    chain = verify(engine)
    members: dict[str, dict[str, object]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="huiqi-backup-") as name, zipfile.ZipFile(part, "w") as box:
            kept = dump(engine, Path(name))
            for path, inside in [
                (kept, kept.name),
                *((p, f"home/{p.relative_to(home)}") for p in _files(home)),
            ]:
                packed = (
                    zipfile.ZIP_STORED
                    if path.suffix in (".parquet", ".zip", ".xlsx")
                    else zipfile.ZIP_DEFLATED
                )
                members[inside] = _put(box, path, inside, packed)
            about = {
                "format": FORMAT, "made": at.isoformat(), "software": version("huiqi"), "revision": revision_of(engine),
                "audit": {"count": chain.count, "head": chain.head}, "members": members,
            }  # fmt: skip
            box.writestr(MANIFEST, json.dumps(about, ensure_ascii=False, indent=1))
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return Kept(target, len(members), target.stat().st_size, chain.head, chain.count)


def _files(home: Path) -> Iterator[Path]:
    for path in sorted(home.rglob("*")):
        parts = path.relative_to(home).parts
        if path.is_symlink() or not path.is_file() or parts[0] in LEFT_OUT:
            continue
        if any(".part-" in p or p.startswith(".") for p in parts) or parts[-1].startswith("huiqi.db"):
            continue
        if (
            path.suffix == ".facts"
        ):  # which the next night reads in place of the profiles, where they are there
            continue
        yield path


def _put(box: zipfile.ZipFile, path: Path, inside: str, packed: int) -> dict[str, object]:
    digest, size = hashlib.sha256(), 0
    info = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))
    info.compress_type = packed
    with path.open("rb") as source, box.open(info, "w", force_zip64=True) as target:
        while block := source.read(1 << 20):
            digest.update(block)
            size += len(block)
            target.write(block)
    return {"sha256": digest.hexdigest(), "bytes": size}


def bring_back(backup: Path, home: Path, url: str) -> list[str]:
    """恢复 into an empty data folder and database; what is not whole after it, in words (empty: all is whole).

    Raises DumpError where the backup is damaged, foreign or of newer tables, or the place is not empty; then nothing
    has been put there.
    """
    if home.exists() and any(home.iterdir()):
        raise DumpError(f"{home} 不是空的；恢复只往空文件夹里放，请用 --home 指一个新的")
    with tempfile.TemporaryDirectory(prefix="huiqi-restore-") as name:
        trial = Path(name)
        _unpack(backup, trial)
        database = next((trial / n for n in (SQLITE, POSTGRES) if (trial / n).is_file()), None)
        if database is None:
            raise DumpError(f"{backup.name} 里没有数据库")
        restore(url, database)
        if (trial / "home").is_dir():
            home.mkdir(parents=True, exist_ok=True)
            for path in (trial / "home").iterdir():
                shutil.move(str(path), home / path.name)
    engine = open_database(url)
    try:
        upgrade(engine)
        return [*verify(engine).broken, *(f.text for f in verify_ledger(engine))]
    finally:
        engine.dispose()


def _unpack(backup: Path, trial: Path) -> None:
    if not backup.is_file():
        raise DumpError(f"没有这个备份文件：{backup}")
    try:
        box = zipfile.ZipFile(backup)
        about = json.loads(box.read(MANIFEST))
        members = {str(name): (int(m["bytes"]), str(m["sha256"])) for name, m in about["members"].items()}
    except UNREADABLE:
        raise DumpError(f"{backup.name} 不是 huiqi 的备份，或者坏了：打不开压缩包") from None
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise DumpError(f"{backup.name} 不是 huiqi 的备份，或者坏了：里面的清单读不懂") from None
    with box:
        if about.get("format") != FORMAT:
            raise DumpError(f"{backup.name} 是另一种格式（{about.get('format')}），请用做它的那一版恢复")
        strangers = sorted({i.filename for i in box.infolist()} ^ {*members, MANIFEST})
        if strangers:
            raise DumpError(f"{backup.name} 里的文件和清单对不上：{strangers[0]}")
        for inside, (size, digest) in members.items():
            path = (trial / inside).resolve()
            if not path.is_relative_to(trial.resolve()):
                raise DumpError(f"{backup.name} 里有跑到文件夹外面的名字：{inside}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if _take(box, inside, path, size) != digest:
                raise DumpError(f"{backup.name} 里的 {inside} 和清单不符，备份坏了，请用另一份")


def _take(box: zipfile.ZipFile, inside: str, path: Path, size: int) -> str:
    """Write one member out and return its hash; no more is read than the list says, whatever the archive claims."""
    digest, left = hashlib.sha256(), size
    try:
        with box.open(inside) as source, path.open("wb") as target:
            while block := source.read(min(1 << 20, left + 1)):
                left -= len(block)
                if left < 0:
                    return ""
                digest.update(block)
                target.write(block)
    except (*UNREADABLE, UnicodeError):
        return ""
    return digest.hexdigest()
