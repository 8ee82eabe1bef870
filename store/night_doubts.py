"""一夜的不一致: what words and rules see differently, beside a night's hits and never in them; worked out once by the night."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FILE = "doubts.parquet"


def write_doubts(folder: Path, found: pd.DataFrame) -> int:
    """写不一致: all or none; how many."""
    part = folder / f".{FILE}-{os.getpid()}"
    pq.write_table(pa.Table.from_pandas(found, preserve_index=False), part, compression="zstd")
    part.replace(folder / FILE)
    return len(found)


def read_doubts(folder: Path) -> pd.DataFrame | None:
    """读不一致; None for a night that has not looked for them."""
    path = folder / FILE
    return pq.read_table(path).to_pandas() if path.is_file() else None
