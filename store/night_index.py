"""一夜的目录: which blocks and layers hold a night's hits, and what the next night compares itself with.

A block is one Parquet file of firms that stand together; a layer is one file for the whole night, of pairs that replace
some of the blocks': all pairs of some firms, and all of some items. A pair stands in the newest layer that speaks of its
firm or item, else in its block's file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.claims import Payable
from store.block_pairs import LANES, Paid, Tally

MANIFEST = "blocks.json"
INDEX = "index.json"
FIRMS, DIGESTS, PAID, NEWER = "firms.arrow", "digests.npy", "paid.parquet", "newer.npy"
LAYERS, FACTS = "layers", "facts"


@dataclass(frozen=True)
class Block:
    """一块: its file in the night's hits/, the key of what its pairs are made of, its firms and pairs (those that layers
    replaced counted as they stand now), the key the file was written under, a hash of its firms' codes, and its layers.

    `sha256` is of the file's bytes, of nights older than layers."""

    file: str
    key: str
    sha256: str
    firms: int
    pairs: int
    base: str = ""
    codes: str = ""
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """一层: items all of whose pairs it holds, and by the key of a block's file the firms (rows in the block) of which it
    holds all pairs."""

    name: str
    items: frozenset[str]
    rows: Mapping[str, NDArray[np.int32]]

    def places(self, base: str, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """位置 of a block's rows among all the firms it holds, in the order of `rows`; -1 for those it does not."""
        out = np.full(len(rows), -1, np.int64)
        own = self.rows.get(base)
        if own is None or not len(own):
            return out
        first = 0
        for key, held in self.rows.items():
            if key == base:
                break
            first += len(held)
        at = np.searchsorted(own, rows)
        at[at == len(own)] = 0
        there = own[at] == rows
        out[there] = first + at[there]
        return out


class ItemKey(NamedTuple):
    """一事项的钥匙: its id, batch and a digest of its meaning."""

    item: str
    batch: str
    meaning: str


@dataclass(frozen=True)
class Made:
    """企业数据的来历: the content it rests on (a hash of files, and of the code that reads them), and the rows, ascending, in
    which newer ones stand. Two nights of one base and of the same firms know the same of all other rows."""

    base: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Index:
    """目录 of a night: the program that made it (`head`), how its columns were read (`setting`), the indicators that were
    read, items in order, its layers from the oldest on, and what its firms' facts rest on (see Made)."""

    head: str = ""
    setting: str = ""
    names: tuple[str, ...] = ()
    items: tuple[ItemKey, ...] = ()
    layers: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True)
class Kept:
    """一夜所存: its folder, blocks and index; the rest is read when asked for."""

    folder: Path
    blocks: Sequence[Block]
    index: Index = field(default_factory=Index)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """起行 of each block, and the number of firms after the last."""
        return np.cumsum([0, *(block.firms for block in self.blocks)])

    @cached_property
    def tally(self) -> Tally:
        """合计 by block and item."""
        figures = np.load(self.folder / "figures.npy")
        path = self.folder / "content.npy"
        none = np.zeros((*figures.shape[:2], LANES), np.uint64)
        return Tally(figures, np.load(path) if path.is_file() else none)

    @cached_property
    def digests(self) -> NDArray[np.uint64]:
        """企业的指纹 by row."""
        return np.load(self.folder / DIGESTS)

    @cached_property
    def newer(self) -> NDArray[np.int64]:
        """新近的行 (see Made)."""
        return np.load(self.folder / NEWER)

    @cached_property
    def codes(self) -> pa.Array:
        """企业代码 by row."""
        return open_firms(self.folder / FIRMS)

    @cached_property
    def layers(self) -> list[Layer]:
        """各层 from the oldest on."""
        return [read_layer(self.folder, name) for name in self.index.layers]

    def layer_file(self, name: str) -> Path:
        """一层的文件."""
        return self.folder / LAYERS / f"{name}.parquet"

    def facts_file(self, name: str, layer: bool = False) -> Path:
        """事实的文件 (see night_facts) of a block or a layer."""
        return self.folder / (LAYERS if layer else FACTS) / f"{name}.facts"


NOTHING = Kept(Path(), ())


def kept_of(folder: Path) -> Kept:
    """读一夜的目录; no blocks where the night was kept in another form."""
    path = folder / MANIFEST
    try:
        about = path.stat()
    except OSError:
        return NOTHING
    return _kept(folder, about.st_mtime_ns, about.st_size, about.st_ino)


@lru_cache(maxsize=8)
def _kept(folder: Path, changed: int, size: int, number: int) -> Kept:
    plain = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    blocks = [Block(**{**one, "layers": tuple(one.get("layers", ()))}) for one in plain]
    path = folder / INDEX
    if not path.is_file():
        return Kept(folder, blocks)
    found = json.loads(path.read_text(encoding="utf-8"))
    index = Index(
        found["head"], found["setting"], tuple(found["names"]), tuple(ItemKey(*one) for one in found["items"]),
        tuple(found["layers"]), found.get("base", ""),
    )  # fmt: skip
    return Kept(folder, blocks, index)


def keep(
    folder: Path, blocks: Sequence[Block], index: Index, tally: Tally, newer: NDArray[np.int64] | None = None
) -> None:
    """存一夜的目录; `newer` are the rows of its Made, where it is known."""
    if newer is not None:
        np.save(folder / NEWER, newer)
    np.save(folder / "figures.npy", tally.figures)
    np.save(folder / "content.npy", tally.content)
    plain = {
        "head": index.head, "setting": index.setting, "names": index.names,
        "items": [[one.item, one.batch, one.meaning] for one in index.items], "layers": index.layers,
        "base": index.base,
    }  # fmt: skip
    (folder / INDEX).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
    (folder / MANIFEST).write_text(json.dumps([asdict(b) for b in blocks], indent=1), encoding="utf-8")


def keep_firms(folder: Path, codes: pa.Array) -> None:
    """存企业代码, in a form that is opened without being read."""
    table = pa.table({"code": codes})
    with pa.OSFile(str(folder / FIRMS), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def open_firms(path: Path) -> pa.Array:
    """打开企业代码."""
    with pa.memory_map(str(path)) as source:
        column = pa.ipc.open_file(source).read_all().column(0)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def content_digest(items: Sequence[ItemKey], content: NDArray[np.uint64]) -> str:
    """结果哈希: of the pairs' content, whatever files they stand in; `content` by block, item and lane."""
    sums = content.sum(axis=0, dtype=np.uint64)
    lines = [
        f"{key.item}|{key.batch}|{one:016x}{two:016x}"
        for key, (one, two) in zip(items, sums.tolist(), strict=True)
        if one or two
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def content_sums(folder: Path) -> dict[tuple[str, str], str] | None:
    """内容 of each item's pairs; None where the night has no sums of them. Items of no pairs are left out."""
    kept = kept_of(folder)
    if not kept.index.head or not (folder / "content.npy").is_file():
        return None
    sums = kept.tally.content.sum(axis=0, dtype=np.uint64).tolist()
    pairs = zip(kept.index.items, sums, strict=True)
    return {(key.item, key.batch): f"{one:016x}{two:016x}" for key, (one, two) in pairs if one or two}


# ---------------------------------------------------------------- layers and what is payable


def keep_layer(folder: Path, layer: Layer) -> None:
    """存一层的范围, beside its pairs."""
    arrays = {f"rows {base}": rows for base, rows in layer.rows.items()}
    items = np.array(sorted(layer.items), dtype=np.str_)
    np.savez(folder / LAYERS / f"{layer.name}.npz", items=items, **arrays)  # type: ignore[arg-type]


def read_layer(folder: Path, name: str) -> Layer:
    """读一层的范围."""
    with np.load(folder / LAYERS / f"{name}.npz") as found:
        rows = {key.removeprefix("rows "): found[key] for key in found.files if key != "items"}
        return Layer(name, frozenset(found["items"].tolist()), rows)


def keep_paid(folder: Path, paid: Paid) -> None:
    """存应付, for the next night to take it from its figures."""
    if not paid:
        return
    columns: dict[str, list[object]] = {"code": [c for c, _ in paid], "item": [i for _, i in paid]}
    for name in ("low", "high", "gave_way_to", "lost", "note"):
        columns[name] = [getattr(one, name) for one in paid.values()]
    kinds = [(n, pa.float64() if n in ("low", "high", "lost") else pa.string()) for n in columns]
    pq.write_table(pa.table(columns, schema=pa.schema(kinds)), folder / PAID, compression="zstd")


def read_paid(folder: Path) -> Paid:
    """读应付."""
    path = folder / PAID
    if not path.is_file():
        return {}
    rows = pq.read_table(path).to_pylist()
    return {
        (r["code"], r["item"]): Payable(r["low"], r["high"], r["gave_way_to"], r["lost"], r["note"])
        for r in rows
    }
