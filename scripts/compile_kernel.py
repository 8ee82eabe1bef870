"""Compile the matcher's loops and the writer's, once, so that the first night or `huiqi match` need not; says how long it took."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from engine.kernel import Matcher, available
from engine.kernel_facts import firm_digests, taken
from engine.matching import live
from jobs.bench import work
from store.block_pairs import comings, tally
from store.pairs import pair_columns, pairs_of, write_pairs


def main() -> None:
    """A little work of every kind makes numba compile and keep every loop."""
    begun = time.perf_counter()
    if not available():
        print("这台机器装不上编译器（numba）：比对照普通列式算，慢几十倍，答案相同")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work.write_library(folder / "library", 30, 1, 100)
        library = work.load(folder / "library")
        columns = work.make_columns(1000, 1, library.dictionary)
        matcher = Matcher(live(library.programs, work.AS_OF))
        for every in (False, True):
            found = [pairs_of(h) for h in matcher.match(columns, work.AS_OF, every=every)]
            write_pairs(folder / "pairs.parquet", pair_columns(pa.array(list(columns.codes))), found)
        rows = len(columns)
        taken(columns, np.arange(rows))
        tally(found, firm_digests(columns), np.zeros(rows, np.int32), 1)
        comings(found, found)
    print(f"比对的内核编译好了，用时 {time.perf_counter() - begun:.1f} 秒；以后直接装载")


if __name__ == "__main__":
    main()
