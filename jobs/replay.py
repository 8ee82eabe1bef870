"""重演: a past night rebuilt from stored versions and compared byte for byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from engine.claims import allocate
from engine.matching import live, match
from store.database import Engine
from store.nights import NightInputs, get_night, write_hits_folder


def replay(engine: Engine, home: Path, no: int) -> list[str]:
    """重演: ids of the items whose files differ, empty where every byte is the same. Raises ValueError."""
    night = get_night(engine, no, home)
    if night is None:
        raise ValueError(f"没有第 {no} 次比对")
    library, columns, answers = night.library(), night.columns(), night.answers()
    items = live(library.programs, night.as_of)
    table = pq.read_table(home / "versions" / f"profiles-{night.run.profiles_hash}.parquet")
    inputs = NightInputs(night.as_of, library, items, columns, table, night.run.profiles_hash, answers, {})
    found = match(items, columns, night.as_of, answers)
    paid = allocate(inputs.programs, found, columns.codes, night.received())
    with tempfile.TemporaryDirectory(prefix="huiqi-replay-") as name:
        folder = Path(name)
        digest = write_hits_folder(inputs, found, paid, folder)
        names = {p.name for p in (folder / "hits").iterdir()} | {
            p.name for p in (night.folder / "hits").iterdir()
        }
        differing = [
            n for n in sorted(names) if _bytes(folder / "hits" / n) != _bytes(night.folder / "hits" / n)
        ]
    if not differing and digest != night.run.hits_hash:
        return [h.item for h in found]
    return [n.removesuffix(".parquet").replace("__", "/") for n in differing]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
