"""存着的内容: the sum over the pairs' content as a night's files hold it, read by Arrow, apart from what wrote them.

It is the sum that `store.block_pairs` takes of the matcher's own arrays, so that equal sums are an equal night in whatever
blocks and layers it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.matching import VERDICTS
from store.block_pairs import (
    CODE,
    FACTORS,
    LANES,
    NAME,
    NUMBERS,
    TEXTS,
    mixed,
    plain_bits,
    seed_of,
    text_sums,
)
from store.night_index import kept_of
from store.night_reads import REPEATED, files, layered

Words = NDArray[np.uint64]
STEP = 1 << 20  # pairs worked at once
_VERDICTS = {v.value: i for i, v in enumerate(VERDICTS)}


def stored_content(folder: Path) -> Mapping[tuple[str, str], tuple[int, int]]:
    """内容合计 by item and batch, of the pairs that count. Raises what Arrow raises of a file that can't be read."""
    kept = kept_of(folder)
    layers = layered(kept) if kept.index.layers else None
    total: dict[tuple[str, str], Words] = {}
    for path in files(folder):
        number = layers.number.get(path.stem, 0) if layers is not None and path.parent.name == "layers" else 0
        for batch in pq.ParquetFile(path, read_dictionary=REPEATED).iter_batches(STEP):
            table = pa.Table.from_batches([batch])
            if layers is not None:
                table = table.filter(pa.array(layers.counting(table, number)))
            for key, sums in _sums(table).items():
                with np.errstate(over="ignore"):
                    total[key] = total.get(key, np.zeros(LANES, np.uint64)) + sums
    return {key: (int(one), int(two)) for key, (one, two) in total.items() if one or two}


def _sums(table: pa.Table) -> dict[tuple[str, str], Words]:
    """Of a table's pairs."""
    if not len(table):
        return {}
    items, named = _numbered(table["item"])
    batches, of_batch = _numbered(table["batch"])
    both = items * len(of_batch) + batches
    keys, which = np.unique(both, return_inverse=True)
    pairs = [(named[k // len(of_batch)], of_batch[k % len(of_batch)]) for k in keys.tolist()]
    seeds = np.array([seed_of(f"{item}|{batch}") for item, batch in pairs], np.uint64)
    verdicts, words = _numbered(table["verdict"])
    fields = [
        seeds[which], *(plain_bits(_numbers(table[name])) for name in NUMBERS), _firms(table),
        np.array([_VERDICTS[word] for word in words], np.uint64)[verdicts],
        _lists(table["unknown"]), _lists(table["fails"]), *(_texts(table[name]) for name in TEXTS),
    ]  # fmt: skip
    out = np.zeros((len(pairs), LANES), np.uint64)
    with np.errstate(over="ignore"):
        for lane in range(LANES):
            each = mixed(sum(f * factor for f, factor in zip(fields, FACTORS[lane], strict=True)))
            np.add.at(out[:, lane], which, each)
    return dict(zip(pairs, out, strict=True))


def _numbered(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """A text column as numbers of its distinct texts."""
    whole = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    one = whole.unify_dictionaries().combine_chunks()
    if isinstance(one, pa.ChunkedArray):
        one = one.chunk(0)
    return one.indices.to_numpy().astype(np.int64), one.dictionary.to_pylist()


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), np.float64)


def _firms(table: pa.Table) -> Words:
    codes, code_texts = _numbered(table[CODE])
    names, name_texts = _numbered(table[NAME])
    one, two = (text_sums(pa.array(texts, pa.string())) for texts in (code_texts, name_texts))
    with np.errstate(over="ignore"):
        return mixed(one[codes] + mixed(two)[names])


def _texts(column: pa.ChunkedArray) -> Words:
    which, words = _numbered(column)
    return np.array([seed_of(word) for word in words], np.uint64)[which]


def _lists(column: pa.ChunkedArray) -> Words:
    """By pair, the sum over its list."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    lengths = whole.value_lengths().to_numpy()
    which, words = _numbered(pa.chunked_array([whole.flatten()]))
    seeds = np.array([*(seed_of(word) for word in words), 0], np.uint64)[which]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(seeds, dtype=np.uint64)])
    ends = np.cumsum(lengths)
    return sums[ends] - sums[ends - lengths]
