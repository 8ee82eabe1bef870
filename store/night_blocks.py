"""结果块: a night's hits by blocks of firms, one Parquet a block, with the key of all that decides what stands in it.

A block whose key the night before had already is that night's file again. Of a block of which little changed the file
stays too, and what changed stands in a layer over it (store.night_patch); only the other blocks are matched and written.
What differs is found by content, not kept as a list of changes, so an incremental night is a full one by construction.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import engine
from engine.columns import Columns
from engine.indicators import Dictionary
from engine.kernel_facts import firm_digests
from engine.kernel_meaning import meaning
from engine.kernel_room import Room
from engine.matching import AnswerBook, ItemHits
from engine.program import BoundItem
from profiles.firmcodes import arrow_codes, text_marks
from store import faults
from store.block_pairs import (
    CODE,
    NAME,
    Paid,
    Tally,
    firm_marks,
    firm_names,
    night_columns,
    paid_pairs,
    payments_of,
    rows_of,
    sliced,
    tally,
    text_sums,
)  # fmt: skip
from store.night_facts import write_facts
from store.night_index import (
    DIGESTS,
    FACTS,
    FIRMS,
    LAYERS,
    MANIFEST,
    NOTHING,
    Block,
    Index,
    ItemKey,
    Kept,
    Made,
    content_digest,
    keep,
    keep_firms,
    keep_paid,
    kept_of,
    read_paid,
)
from store.night_patch import Earlier, Now, Patch, Some, changed_items, patched_block, write_patch
from store.pairs import Pairs, pairs_of, write_pairs
from store.straight_file import file_hash

__all__ = [
    "CODE",
    "MANIFEST",
    "NAME",
    "file_hash",
    "firm_names",
    "night_columns",
    "rows_of",
]  # what was here first

LEAST, CHANCE, MOST = (
    8192,
    8192,
    32768,
)  # firms of a block: the least, one cut in so many after them, the most
MANY_ITEMS = 1500
TOGETHER = 1 << 17  # firms matched at once
WORTH_PATCHING = 1 << 18  # pairs of a night from which layers pay
WORTH_FIRMS = 1 << 18  # and from which it pays to match again what changed firms were
WORTH_FACTS = 1 << 25  # firms by items from which that is kept in records
SHARE = 0.125  # of a block's firms, or of the items, that layers may hold before its file is written anew
LAYERS_MOST = 8  # over a block; each is one more file to look into
PATCH_PAIRS = 1 << 23  # pairs of a layer, about: they are in memory at once
Range = tuple[int, int]
# hits of all items for ranges of the columns' rows, each range's counted from its first row
Matching = Callable[[Sequence[Range]], Iterable[tuple[Range, list[ItemHits]]]]


@dataclass
class Written:
    """写好的结果: the blocks in the order of the firms, figures by item, which blocks were made anew and which were patched,
    those of the night before that live on, and of patched blocks 新符合 and 不再符合 by item."""

    blocks: list[Block] = field(default_factory=list)
    tally: Tally = field(default_factory=lambda: Tally.of(0, 0))
    keys: Sequence[ItemKey] = ()
    fresh: list[int] = field(default_factory=list)
    patched: list[int] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    coming: Mapping[str, int] = field(default_factory=dict)
    going: Mapping[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> NDArray[np.int64]:
        """数字 by block and item."""
        return self.tally.figures

    @property
    def digest(self) -> str:
        """结果哈希 over the content of all pairs."""
        return content_digest(self.keys, self.tally.content)


# ---------------------------------------------------------------- blocks and their keys


def cut(codes: pa.Array, items: int = 0) -> list[Range]:
    """分块: rows of each block. A cut hangs on the code it follows, so firms that come or go move the cuts near them only.

    With many items blocks are larger: each item costs each block some Python.
    """
    n = len(codes)
    times = 4 if items > MANY_ITEMS else 1
    places = np.flatnonzero(text_marks(codes) % np.uint64(CHANCE * times) == 0) + 1
    out: list[Range] = []
    start = 0
    while start < n:
        at = int(np.searchsorted(places, start + LEAST * times))
        stop = min(int(places[at]) if at < len(places) else n, start + MOST * times, n)
        out.append((start, stop))
        start = stop
    return out


OWN = ("blocks", "facts", "index", "patch")


@lru_cache(maxsize=1)
def software_digest() -> str:
    """程序指纹: of the code that decides and writes hits; after an upgrade no old block is taken for a new one."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    files = [
        *Path(engine.__file__).parent.glob("*.py"),
        *here.glob("pa*.py"),
        *(here / f"{name}.py" for name in ("block_pairs", "listed_pairs", *(f"night_{n}" for n in OWN))),
    ]
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def item_keys(items: Sequence[BoundItem], columns: Columns, as_of: date) -> list[ItemKey]:
    """事项的钥匙, in their order."""
    spoken: dict[str, str] = {}
    return [ItemKey(i.program.item.id, i.batch.name, meaning(i, columns, as_of, spoken)) for i in items]


def _reading(dictionary: Dictionary, loaded: Collection[str] | None) -> str:
    """How columns are read; where it differs, what an item meant the night before can't be asked of tonight's."""
    plain = repr((sorted(dictionary.items()), None if loaded is None else sorted(loaded)))
    return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True)
class RowDigests:
    """企业的指纹 of all that decides a firm's pairs but the items: its code and name, what was said of it, and its facts."""

    columns: Columns
    base: NDArray[np.uint64]

    @classmethod
    def of(cls, columns: Columns, marks: NDArray[np.uint64], answers: AnswerBook, paid: Paid) -> RowDigests:
        """By the firms' marks, the answers and what is payable."""
        base = marks.copy()
        texts = _said(answers, paid)
        rows = rows_of(columns, [code for code, _ in texts])
        sums = text_sums(pa.array([text for _, text in texts], pa.string()))
        np.add.at(base, rows[rows >= 0], sums[rows >= 0])
        return cls(columns, base)

    def by(self, names: Collection[str]) -> NDArray[np.uint64]:
        """By the facts of some indicators."""
        return firm_digests(self.columns, frozenset(names)) ^ (self.base * np.uint64(0x9E3779B97F4A7C15))


def _said(answers: AnswerBook, paid: Paid) -> list[tuple[str, str]]:
    """What is said of single firms: code and text."""
    texts: list[tuple[str, str]] = []
    for about, given in answers.items():
        for code, answer in given.items():
            plain = sorted(answer.items()) if isinstance(answer, Mapping) else answer
            texts.append((code, f"答 {about} {plain!r}"))
    return texts + [(code, f"付 {item} {payable!r}") for (code, item), payable in paid.items()]


def _differently_said(answers: AnswerBook, paid: Paid, now: Now) -> list[str]:
    """Codes of the firms of which something else is said than was."""
    same = (answers is now.answers or answers == now.answers) and dict(paid) == dict(now.paid)
    different = () if same else set(_said(answers, paid)) ^ set(_said(now.answers, now.paid))
    return sorted({code for code, _ in different})


# ---------------------------------------------------------------- writing


@dataclass
class _Job:
    """一夜要写的: what it is made of, its blocks, and the night before."""

    folder: Path
    now: Now
    index: Index
    before: Kept
    earlier: Earlier | None
    same: bool  # firms, facts and all that is said of them are those of the night before
    keys: list[str] = field(default_factory=list)
    done: dict[int, Block] = field(default_factory=dict)
    keeping: bool = True
    taken: Some | None = None
    out: Written = field(default_factory=Written)

    @cached_property
    def firms_stay(self) -> bool:
        """Whether the firms are those of the night before, in its order and its blocks."""
        known, many = self.before.index, len(self.now.items) > MANY_ITEMS
        if not self.before.blocks or known.head != self.index.head or many != (len(known.items) > MANY_ITEMS):
            return False
        return self.same or arrow_codes(self.now.columns.codes).equals(self.before.codes)

    @cached_property
    def ranges(self) -> list[Range]:
        """各块的行."""
        if self.firms_stay:
            return list(pairwise(self.before.starts.tolist()))
        return cut(arrow_codes(self.now.columns.codes), len(self.now.items))

    @cached_property
    def codes(self) -> list[str]:
        """A hash of each block's codes."""
        if self.firms_stay:
            return [block.codes for block in self.before.blocks]
        own = text_marks(arrow_codes(self.now.columns.codes))
        return [hashlib.sha256(np.ascontiguousarray(own[a:b]).data).hexdigest()[:32] for a, b in self.ranges]

    @cached_property
    def names(self) -> pa.Array:
        """企业名称."""
        return firm_names(self.now.columns)

    @cached_property
    def marks(self) -> NDArray[np.uint64]:
        """企业的数 (see firm_marks)."""
        return firm_marks(arrow_codes(self.now.columns.codes), self.names)

    @cached_property
    def said(self) -> RowDigests:
        """企业的指纹, to be asked by some indicators."""
        return RowDigests.of(self.now.columns, self.marks, self.now.answers, self.now.paid)

    @cached_property
    def digests(self) -> NDArray[np.uint64]:
        """企业的指纹 by the indicators that are read."""
        return self.before.digests if self.same else self.digests_by(self.index.names)

    def digests_by(self, names: Sequence[str]) -> NDArray[np.uint64]:
        """企业的指纹 by some indicators; of rows that are known to be as they were, those of the night before."""
        rows = self.may_differ if tuple(names) == self.before.index.names else None
        if rows is None:
            return self.said.by(names)
        now, out = self.now, self.before.digests.copy()
        part = now.some(rows, names)
        out[rows] = RowDigests.of(part.columns, part.marks, now.answers, now.paid).by(names)
        self.taken = part if tuple(names) == self.index.names else self.taken
        return out

    @cached_property
    def may_differ(self) -> NDArray[np.int64] | None:
        """Rows of which more or other may be known than the night before, or said; None where it may be any."""
        made, before = self.now.made, self.before
        if made is None or not made.base or made.base != before.index.base or self.earlier is None:
            return None
        if before.index.setting != self.index.setting or not self.firms_stay:
            return None
        codes = _differently_said(self.earlier.answers(), read_paid(before.folder), self.now)
        spoken = rows_of(self.now.columns, codes)
        return np.unique(np.concatenate([made.rows, before.newer, spoken[spoken >= 0]]))

    @property
    def hits(self) -> Path:
        return self.folder / "hits"


def write_blocks(
    folder: Path, items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook, paid: Paid,
    matching: Matching, before: Path | Earlier | None = None, scoring: str = "", made: Made | None = None,
    keeping: bool = True,
) -> Written:  # fmt: skip
    """写结果: into folder/hits, blocks of `before` (an earlier night's folder, or that night with what it was made of) taken
    over where their key is the same, and patched where little changed and it is known what the night was made of. `made`
    tells what the columns rest on; `keeping` keeps what the next night asks of this one."""
    earlier = before if isinstance(before, Earlier) else None
    kept = NOTHING if before is None else kept_of(earlier.folder if earlier else before)  # type: ignore[arg-type]
    job = _begun(
        folder,
        Now(items, item_keys(items, columns, as_of), columns, as_of, answers, paid, made),
        kept,
        earlier,
        scoring,
    )
    job.keeping = keeping
    for name in ("hits", FACTS):
        (job.folder / name).mkdir(parents=True, exist_ok=True)
    _take_over(job)
    if earlier is not None:
        _patch(job, earlier)
    _write_fresh(job, matching)
    return _closed(job)


def _begun(folder: Path, now: Now, before: Kept, earlier: Earlier | None, scoring: str) -> _Job:
    read = tuple(sorted(set().union(*(item.reads for item in now.items))))
    setting = _reading(now.columns.dictionary, now.columns.loaded)
    base = now.made.base if now.made is not None else ""
    index = Index(f"{software_digest()} {scoring}", setting, read, tuple(now.keys), base=base)
    known = before.index
    same = (
        earlier is not None
        and earlier.same
        and (known.head, known.setting, known.names) == (index.head, setting, read)
    )
    same = same and (len(now.items) > MANY_ITEMS) == (len(known.items) > MANY_ITEMS)
    job = _Job(folder, now, index, before, earlier, same and dict(read_paid(before.folder)) == dict(now.paid))
    head = hashlib.sha256(repr((index.head, [(k.item, k.batch, k.meaning) for k in now.keys])).encode())
    for begin, end in job.ranges:
        digest = head.copy()
        digest.update(np.ascontiguousarray(job.digests[begin:end]).data)
        job.keys.append(digest.hexdigest())
    job.out = Written(tally=Tally.of(len(job.ranges), len(now.items)), keys=now.keys)
    return job


def _take_over(job: _Job) -> None:
    """Blocks of the night before that are tonight's as they are."""
    known = {
        block.key: at for at, block in enumerate(job.before.blocks) if block.base
    }  # since there are layers
    for i, key in enumerate(job.keys):
        at = known.get(key)
        if at is None:
            continue
        _share_block(job, i, at)
        block = job.before.blocks[at]
        job.done[i] = replace(block, file=_file(i))
        job.out.tally.figures[i] = job.before.tally.figures[at]
        job.out.tally.content[i] = job.before.tally.content[at]
        job.out.kept.add(at)


def _share_block(job: _Job, i: int, at: int) -> None:
    file = job.before.blocks[at].file
    share(job.before.folder / "hits" / file, job.hits / _file(i))
    facts = job.before.facts_file(_stem(file))
    if facts.is_file():
        share(facts, job.folder / FACTS / f"{_stem(_file(i))}.facts")
    faults.point("nights.block_shared")


# ---------------------------------------------------------------- layers


def _patch(job: _Job, earlier: Earlier) -> None:
    """Blocks of which little changed."""
    before, index = job.before, job.before.index
    if (index.head, index.setting) != (job.index.head, job.index.setting):
        return
    had = sum(block.pairs for block in before.blocks)
    if had < WORTH_PATCHING:
        return
    digests = job.digests if index.names == job.index.names else job.digests_by(index.names)
    gone = changed_items(job.now.keys, index.items)
    chosen, volume = _little_changed(job, digests, len(gone))
    if any(len(rows) for _, _, rows in chosen) and had < WORTH_FIRMS:
        return
    if not chosen or volume + _pairs_of(before, gone) > PATCH_PAIRS:
        return
    blocks = [i for i, _, _ in chosen]
    patch = Patch(
        job.now, earlier, before, blocks, [job.ranges[i] for i in blocks], [at for _, at, _ in chosen],
        [rows for _, _, rows in chosen], [job.keys[i] for i in blocks], gone, job.index.names, _worth_facts(job), job.taken,
    )  # fmt: skip
    total, layer = write_patch(job.folder, patch)
    for place, (i, at) in enumerate(zip(patch.blocks, patch.was, strict=True)):
        _share_block(job, i, at)
        job.out.tally.figures[i], job.out.tally.content[i] = total.figures[place], total.content[place]
        pairs = int(total.figures[place, :, :2].sum())
        job.done[i] = patched_block(before.blocks[at], _file(i), job.keys[i], layer.name, pairs)
        job.out.kept.add(at)
    job.out.patched = list(patch.blocks)
    job.out.coming, job.out.going = patch.coming, patch.going


Chosen = tuple[
    int, int, NDArray[np.int32]
]  # a block, which one it was the night before, its rows that changed


def _little_changed(job: _Job, digests: NDArray[np.uint64], items: int) -> tuple[list[Chosen], int]:
    """Blocks of the same firms as the night before of which few firms and `items` changed, and about how many pairs that is."""
    before, many = job.before, max(len(job.now.items), 1)
    there = {block.codes: at for at, block in enumerate(before.blocks)}
    layers = {layer.name: layer for layer in before.layers}
    chosen: list[Chosen] = []
    volume = 0
    for i, (begin, end) in enumerate(job.ranges):
        at = None if i in job.done else there.get(job.codes[i])
        if at is None:
            continue
        block = before.blocks[at]
        over = [layers[name] for name in block.layers]
        changed = np.flatnonzero(
            before.digests[before.starts[at] : before.starts[at + 1]] != digests[begin:end]
        )
        firms = len(changed) + sum(len(layer.rows.get(block.base, ())) for layer in over)
        touched = items + sum(len(layer.items) for layer in over)
        share = max(firms / (end - begin), touched / many)
        if share <= SHARE and len(over) < LAYERS_MOST:
            chosen.append((i, at, changed.astype(np.int32)))
            volume += block.pairs * len(changed) // (end - begin)
    return chosen, volume


def _pairs_of(before: Kept, names: Collection[str]) -> int:
    """About how many pairs items have, as many as they had; a new one as many as the others."""
    figures = before.tally.figures[:, :, :2].sum(axis=(0, 2))
    mean = float(figures.mean()) if len(figures) else 0.0
    had = {key.item: float(n) for key, n in zip(before.index.items, figures, strict=True)}
    return int(sum(had.get(name, mean) for name in names))


# ---------------------------------------------------------------- blocks made anew


def _write_fresh(job: _Job, matching: Matching) -> None:
    job.out.fresh = [i for i in range(len(job.ranges)) if i not in job.done]
    if not job.out.fresh:
        return
    ranges, marks, names = job.ranges, job.marks, job.names
    members = {(ranges[g[0]][0], ranges[g[-1]][1]): g for g in together(job.out.fresh, ranges)}
    payments = payments_of(job.now.columns, job.now.paid)
    codes = arrow_codes(job.now.columns.codes)
    room = Room()  # of one block after another

    def write(i: int, where: Range, found: Sequence[Pairs]) -> None:
        begin, end = ranges[i]
        first = where[0]
        if where != (begin, end):
            edges = np.array([begin - first, end - first], np.int32)
            found = [sliced(p, edges) for p in found]
        mine = [paid_pairs(p, payments.get(p.item), first) for p in found]
        shown = night_columns(codes.slice(begin, end - begin), names.slice(begin, end - begin), begin - first)
        # what is payable is kept once where it is the amount: such items stand together
        paid_low = next(c for c in shown if c.field.name == "paid_low")
        ordered = sorted(mine, key=lambda p: not paid_low.is_copy(p))
        count, _ = write_pairs(job.hits / _file(i), shown, ordered, room=room)
        faults.point("nights.block_written")
        if _worth_facts(job):
            part = job.now.columns.between(begin, end)
            write_facts(
                job.folder / FACTS / f"{_stem(_file(i))}.facts", part, job.index.names, marks[begin:end]
            )
            faults.point("nights.facts_written")
        one = tally(mine, marks[first:end], np.zeros(end - first, np.int32), 1)
        job.out.tally.figures[i], job.out.tally.content[i] = one.figures[0], one.content[0]
        job.done[i] = Block(_file(i), job.keys[i], "", end - begin, count, job.keys[i], job.codes[i])

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        writing: list[Future[None]] = []  # of the firms before, while the next are matched
        for where, found in matching(list(members)) if members else ():
            pairs = [pairs_of(h) for h in found]
            for done in writing:  # two lots at once, no more
                done.result()
            writing = [pool.submit(write, i, where, pairs) for i in members[where]]
        for done in writing:
            done.result()


def _worth_facts(job: _Job) -> bool:
    """Whether the next night may ask what some firms were (see WORTH_FIRMS, of which this is about a third)."""
    return job.keeping and len(job.now.columns) * len(job.now.items) >= WORTH_FACTS


def together(fresh: Sequence[int], ranges: Sequence[Range]) -> list[list[int]]:
    """一起比对的块: neighbours among the blocks to write, so many firms at once that memory stays bounded."""
    out: list[list[int]] = []
    for i in fresh:
        last = out[-1] if out else None
        if last and last[-1] == i - 1 and ranges[i][1] - ranges[last[0]][0] <= TOGETHER:
            last.append(i)
        else:
            out.append([i])
    return out


def _stem(file: str) -> str:
    return file.removesuffix(".parquet")


def _file(number: int) -> str:
    return f"block-{number:05d}.parquet"


def share(source: Path, target: Path) -> None:
    """共用: one file under two names where the disk can, a copy where it can't."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _closed(job: _Job) -> Written:
    """The night's index, what the next night compares with, and the layers that still say something."""
    out, folder = job.out, job.folder
    out.blocks = [job.done[i] for i in range(len(job.ranges))]
    used = [name for block in out.blocks for name in block.layers]
    names = [name for name in dict.fromkeys([*job.before.index.layers, *used]) if name in used]
    for name in names:
        (folder / LAYERS).mkdir(exist_ok=True)
        if name in job.before.index.layers:
            for file in (f"{name}.parquet", f"{name}.npz", f"{name}.facts"):
                if (job.before.folder / LAYERS / file).is_file():
                    share(job.before.folder / LAYERS / file, folder / LAYERS / file)
    if job.before.blocks and job.codes == [block.codes for block in job.before.blocks]:
        share(job.before.folder / FIRMS, folder / FIRMS)
    else:
        (folder / FIRMS).unlink(missing_ok=True)
        keep_firms(folder, arrow_codes(job.now.columns.codes))
    (folder / DIGESTS).unlink(missing_ok=True)  # which may be another night's too
    if job.same:
        share(job.before.folder / DIGESTS, folder / DIGESTS)
    else:
        np.save(folder / DIGESTS, job.digests)
    keep_paid(folder, job.now.paid)
    newer = job.now.made.rows if job.now.made is not None else None
    keep(folder, out.blocks, replace(job.index, layers=tuple(names)), out.tally, newer)
    faults.point("nights.index_kept")
    return out


def read_blocks(folder: Path) -> list[tuple[Block, NDArray[np.int64]]]:
    """读块单: the blocks of a night with their figures by item; empty where the night was kept in another form."""
    kept = kept_of(folder)
    return list(zip(kept.blocks, kept.tally.figures, strict=True)) if kept.blocks else []
