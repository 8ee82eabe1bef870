"""快照的建造: columns from the store; only firms whose rows changed, or whose values time has changed, are redone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Engine

from engine.indicators import Dictionary
from profiles.dictionary import builtin_dictionary
from profiles.file import NEVER, current
from profiles.snapshot import (
    FIRM,
    GONE,
    UNTIL,
    FirmRow,
    Part,
    Snapshot,
    dictionary_digest,
    inside,
    joined,
    keep_snapshot,
    merged,
    read_snapshot,
    read_table,
    rows_table,
    write_part,
)
from store.firms import batch_sources, loaded_indicators, seen_of
from store.observations import BatchEvent, Content, Firm, Sighting, SourceBatch, columns, pieces

BLOCK = 1 << 16  # firms in a part
NEWER_MOST, NEWER_SHARE = 4_000, 32  # rows beside the parts before they are folded in, or one firm in so many
C, F, S, B, E = (columns(model) for model in (Content, Firm, Sighting, SourceBatch, BatchEvent))


def build_snapshot(
    engine: Engine,
    folder: Path,
    as_of: date,
    *,
    dictionary: Dictionary | None = None,
    known_on: date | None = None,
) -> Snapshot:
    """建快照: the values true for `as_of` by all batches that stand now (or stood on `known_on`), under `folder`.

    The folder's snapshot is brought up to date where it can be, else made anew; the result is the same.
    """
    words = dictionary or builtin_dictionary()
    with engine.connect() as connection:
        events = connection.execute(select(func.max(E.id))).scalar() or 0
        last = connection.execute(select(func.max(F.id))).scalar() or 0
        versions = _versions(connection, known_on)
        held = read_snapshot(folder)
        base = Snapshot(
            folder, as_of, known_on, events, dictionary_digest(words),
            frozenset(loaded_indicators(engine, known_on=known_on, dictionary=words)), (), "", "", versions,
        )  # fmt: skip
        if held is None or not _continues(held, base):
            parts = [_part(connection, folder, block, base, words) for block in _blocks(1, last)]
            return keep_snapshot(_with(base, parts, ""))
        return keep_snapshot(_update(connection, held, base, last, words))


def _update(connection: Connection, held: Snapshot, base: Snapshot, last: int, words: Dictionary) -> Snapshot:
    changed = _changed(connection, held.events, base.events) | _overdue(held, base.as_of)
    covered = max((part.last for part in held.parts), default=0)
    parts = list(held.parts)
    if last > covered:
        if parts and parts[-1].last - parts[-1].first + 1 < BLOCK:
            short = parts.pop()  # grown to a full block instead of beginning a tiny one
            covered = short.first - 1
        parts += [_part(connection, held.folder, block, base, words) for block in _blocks(covered + 1, last)]
    stale = sorted(firm for firm in changed if firm <= covered)
    if not stale and parts == list(held.parts):
        return _with(base, parts, held.newer)  # nothing moved: the files, and so the digest, stay as they are
    newer = read_table(held.folder / held.newer, None) if held.newer else None
    if newer is not None:
        newer = newer.filter(pc.less_equal(newer.column(FIRM), covered))
    if stale:
        fresh = rows_table(_rows(connection, stale, base, words), words)
        newer = fresh if newer is None else joined([_unless(newer, stale), fresh])
    if newer is None or not len(newer):
        return _with(base, parts, "")
    newer = newer.take(pc.sort_indices(newer.column(FIRM)))
    if len(newer) > max(NEWER_MOST, sum(part.rows for part in parts) // NEWER_SHARE):
        return _with(base, [_folded(held, part, newer) for part in parts], "")
    kept = [_recounted(held, part, newer) for part in parts]
    return _with(base, kept, write_part(held.folder, "newer", newer))


def _continues(held: Snapshot, base: Snapshot) -> bool:
    return (
        held.known_on is None
        and base.known_on is None
        and held.as_of <= base.as_of
        and held.events <= base.events
        and held.dictionary == base.dictionary
        and all(
            (held.folder / name).is_file() for name in (*(p.file for p in held.parts), held.newer) if name
        )
    )


def _changed(connection: Connection, since: int, until: int) -> set[int]:
    """Firms that a batch landed or taken back since then speaks of; of a restating source, all it ever spoke of."""
    rows = connection.execute(
        select(B.id, B.source).join(BatchEvent, E.batch_id == B.id).where(E.id > since, E.id <= until)
    ).all()
    sources = {batch: source for batch, (source, _) in batch_sources(connection, None).items()}
    restating = {source.source for source in sources.values() if source.restates}
    firms: set[int] = set()
    for part in pieces([batch for batch, _ in rows]):
        query = select(C.firm_id).join(Sighting, S.content_id == C.id).where(S.batch_id.in_(part)).distinct()
        firms.update(connection.execute(query).scalars())
    for name in {name for _, name in rows} & restating:
        firms.update(connection.execute(select(C.firm_id).where(C.source == name).distinct()).scalars())
    return firms


def _overdue(held: Snapshot, as_of: date) -> set[int]:
    """Firms of which a value turns stale, or a future-dated row begins to speak, by the new day."""
    if held.as_of == as_of:
        return set()
    names = [part.file for part in held.parts] + ([held.newer] if held.newer else [])
    firms: set[int] = set()
    for name in names:
        table = read_table(held.folder / name, set())
        due = table.filter(pc.less_equal(table.column(UNTIL), pa.scalar(as_of, pa.date32())))
        firms.update(due.column(FIRM).to_pylist())
    return firms


def _part(connection: Connection, folder: Path, block: range, base: Snapshot, words: Dictionary) -> Part:
    rows = [row for row in _rows(connection, block, base, words) if row.code is not None]
    file = write_part(folder, f"part-{block.start:09d}", rows_table(rows, words))
    return Part(block.start, block.stop - 1, len(rows), file)


def _rows(
    connection: Connection, firms: range | Sequence[int], base: Snapshot, words: Dictionary
) -> list[FirmRow]:
    """Rows in id order; a firm of a list that has no file any more gets a row that says so."""
    if isinstance(firms, range):
        inside = F.id.between(firms.start, firms.stop - 1)
        codes = _codes(connection, inside)
        return [
            FirmRow(firm, codes[firm], *current(seen, base.as_of, words))
            for firm, seen in seen_of(connection, firms, base.known_on)
        ]
    rows: list[FirmRow] = []
    for part in pieces(firms):
        codes = _codes(connection, F.id.in_(part))
        found = {
            firm: FirmRow(firm, codes[firm], *current(seen, base.as_of, words))
            for firm, seen in seen_of(connection, part, base.known_on)
        }
        rows += [found.get(firm) or FirmRow(firm, None, {}, NEVER) for firm in part]
    return rows


def _codes(connection: Connection, condition: Any) -> dict[int, str]:
    return {number: code for number, code in connection.execute(select(F.id, F.code).where(condition))}


def _folded(held: Snapshot, part: Part, newer: pa.Table) -> Part:
    mine = inside(newer, part)
    if not len(mine):
        return part
    table = merged(read_table(held.folder / part.file, None), mine)
    return Part(part.first, part.last, len(table), write_part(held.folder, f"part-{part.first:09d}", table))


def _recounted(held: Snapshot, part: Part, newer: pa.Table) -> Part:
    mine = inside(newer, part)
    if not len(mine):
        return part
    # The ids alone, by one column and one thread: this is most of what a single changed firm costs.
    ids = pq.read_table(held.folder / part.file, columns=[FIRM], use_threads=False).column(FIRM)
    replaced = pc.sum(pc.is_in(ids, mine.column(FIRM))).as_py() or 0
    rows = len(ids) - replaced + (pc.sum(pc.invert(mine.column(GONE))).as_py() or 0)
    return Part(part.first, part.last, rows, part.file)


def _unless(table: pa.Table, firms: Iterable[int]) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table.column(FIRM), pa.array(list(firms), pa.int64()))))


def _blocks(first: int, last: int) -> list[range]:
    return [range(start, min(start + BLOCK, last + 1)) for start in range(first, last + 1, BLOCK)]


def _with(base: Snapshot, parts: Sequence[Part], newer: str) -> Snapshot:
    return Snapshot(**{**base.__dict__, "parts": tuple(parts), "newer": newer})


def _versions(connection: Connection, known_on: date | None) -> dict[str, list[str]]:
    """What it was made of: source → declarations that its standing batches were read by."""
    found: dict[str, set[str]] = {}
    for source, _ in batch_sources(connection, known_on).values():
        found.setdefault(source.source, set()).add(source.digest)
    return {name: sorted(digests) for name, digests in sorted(found.items())}
