"""匹配结果表: pairs as an Arrow table and as files (.jsonl, .csv, .parquet), in the order items then enterprises."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.matching import VERDICTS, ItemHits, identifiers
from profiles.firmcodes import arrow_codes

T = TypeVar("T")
CODE = "统一社会信用代码"
SCHEMA = pa.schema(
    [
        (CODE, pa.string()),
        ("item", pa.string()),
        ("batch", pa.string()),
        ("verdict", pa.string()),
        ("amount_low", pa.float64()),
        ("amount_high", pa.float64()),
        ("fails", pa.list_(pa.string())),
        ("unknown", pa.list_(pa.string())),
        ("score", pa.float64()),
    ]
)


def id_lists(ids: Sequence[str], masks: NDArray[np.bool_]) -> pa.Array:
    """编号列表: one list of ids a row; equal masks are written once and taken."""
    if not len(masks):
        return pa.array([], pa.list_(pa.string()))
    packed = np.packbits(masks, axis=1) if masks.shape[1] else np.zeros((len(masks), 1), np.uint8)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    lists = pa.array([identifiers(ids, masks[i]) for i in first], pa.list_(pa.string()))
    return lists.take(pa.array(inverse.reshape(-1)))


def _marked(ids: Sequence[str], marks: NDArray[Any]) -> pa.Array:
    """编号列表 of masks kept as bits of a number: each distinct mask is written once."""
    distinct, inverse = np.unique(marks, return_inverse=True)
    lists = pa.array(
        [[n for j, n in enumerate(ids) if int(m) >> j & 1] for m in distinct], pa.list_(pa.string())
    )
    return lists.take(pa.array(inverse.astype(np.int32)))


def _id_columns(hits: ItemHits) -> tuple[pa.Array, pa.Array]:
    """Failing and unknown conditions of the pairs; the compiled matcher's hits carry them as bits, and none fails."""
    marks = getattr(hits, "marks", None)
    if marks is None:
        return id_lists(hits.ids, hits.fails), id_lists(hits.ids, hits.unknown)
    return _marked(hits.ids, np.zeros(len(marks), np.uint8)), _marked(hits.ids, marks)


def hits_table(hits: ItemHits, codes: pa.Array) -> pa.Table:
    """匹配结果: one item's pairs; `codes` are the enterprises of the columns."""
    n = len(hits)
    words = pa.DictionaryArray.from_arrays(pa.array(hits.verdict), [v.value for v in VERDICTS]).cast(
        pa.string()
    )

    def same(text: str) -> pa.Array:
        return pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), [text]).cast(pa.string())

    return pa.table(
        [
            codes.take(pa.array(hits.rows)),
            same(hits.item),
            same(hits.batch),
            words,
            pa.array(hits.low, from_pandas=True),
            pa.array(hits.high, from_pandas=True),
            *_id_columns(hits),
            pa.nulls(n, pa.float64()),
        ],
        schema=SCHEMA,
    )


def tables(found: Sequence[ItemHits], codes: pa.Array) -> Iterator[pa.Table]:
    """匹配结果, a table an item."""
    for hits in found:
        yield hits_table(hits, codes)


FAST_FROM = 1_000_000  # pairs from which loading the compiled writer pays


def write_hits(found: Sequence[ItemHits], codes: Sequence[str], path: Path) -> int:
    """写匹配结果: to .jsonl, .csv or .parquet; returns the number of pairs. Raises ValueError for another suffix."""
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"不认识的输出格式：{path.name}（可以是 .jsonl .csv .parquet）")
    with _whole(path) as part:
        return writer(found, arrow_codes(codes), part)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside it that takes its place once it is written whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    yield part
    part.replace(path)


def write_hit_lots(lots: Iterator[Sequence[ItemHits]], codes: Sequence[str], path: Path) -> int:
    """写一批批的匹配结果 to .parquet, each while the next is matched, by the compiled writer, which has to be there; the table
    is the one that `write_hits` writes."""
    from store.pairs import pair_columns, pairs_of, write_lots

    threads = len(os.sched_getaffinity(0))
    pairs = ([pairs_of(h) for h in lot] for lot in lots)
    with _whole(path) as part, ThreadPoolExecutor(1) as beside:
        return write_lots(part, pair_columns(arrow_codes(codes)), _ahead(pairs, beside), threads)[0]


def _ahead(lots: Iterator[T], beside: ThreadPoolExecutor) -> Iterator[T]:
    """The same, each made while who asked for the one before works on it."""
    coming = beside.submit(next, lots, None)
    while (lot := coming.result()) is not None:
        coming = beside.submit(next, lots, None)
        held = [lot]
        del lot
        yield held.pop()


def _write_parquet(found: Sequence[ItemHits], codes: pa.Array, path: Path) -> int:
    """By the compiled writer where it is loaded already or worth loading; the table is the same."""
    if "numba" in sys.modules or sum(len(h) for h in found) >= FAST_FROM:
        from engine.kernel import available

        if available():
            from store.pairs import pair_columns, pairs_of, write_pairs

            threads = len(os.sched_getaffinity(0))
            return write_pairs(path, pair_columns(codes), [pairs_of(h) for h in found], threads)[0]
    return write_arrow(tables(found, codes), path)


def write_arrow(parts: Iterator[pa.Table], path: Path) -> int:
    """写 Parquet by Arrow: slower by far, and there where nothing can be compiled."""
    count = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part)
            count += len(part)
    return count


def _write_jsonl(found: Sequence[ItemHits], codes: pa.Array, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as handle:
        for part in tables(found, codes):
            for row in part.to_pylist():
                handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += len(part)
    return count


def _write_csv(found: Sequence[ItemHits], codes: pa.Array, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(SCHEMA.names)
        for part in tables(found, codes):
            for row in part.to_pylist():
                cells = [";".join(v) if isinstance(v, list) else "" if v is None else v for v in row.values()]
                writer.writerow(cells)
            count += len(part)
    return count
