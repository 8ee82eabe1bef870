"""一企一档: a firm's file from what was seen: as it stands, as it stood, where every value comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection, Engine

from engine.indicators import Dictionary
from profiles.codes import why_not
from profiles.dictionary import builtin_dictionary
from profiles.file import SHANGHAI, Fact, Key, Seen, resolve
from profiles.source import Source
from store.observations import (
    HELD,
    Content,
    Firm,
    FirmRelation,
    Sighting,
    SourceBatch,
    SourceDeclaration,
    columns,
    declaration_of,
)

C, F, S, B, D, R = (
    columns(model) for model in (Content, Firm, Sighting, SourceBatch, SourceDeclaration, FirmRelation)
)
# How a relation reads in the other enterprise's file.
SEEN_FROM_THERE = {
    "总公司": "分支机构", "分支机构": "总公司", "合并入": "吸收合并", "分立自": "分立出", "投资方": "对外投资",
}  # fmt: skip
OWN_WRITINGS = ("原注册号", "组织机构代码", "曾用名")


@dataclass(frozen=True)
class Change:
    """一次变动: what a source said of an indicator, when it arrived, for which day; `taken_back` when it was withdrawn."""

    source: str
    department: str
    batch: int
    by: str
    day: date | None
    arrived: datetime
    value: Any
    taken_back: datetime | None


def end_of(day: date) -> datetime:
    """当日终了: the first moment after the day at Asia/Shanghai."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def standing(known_on: date | None) -> Any:
    """在库批次: condition for batches that stood at the end of `known_on` (None: that stand now)."""
    if known_on is None:
        return and_(B.state != HELD, B.taken_back_at.is_(None))
    moment = end_of(known_on)
    return and_(
        B.state != HELD,
        B.arrived_at < moment,
        or_(B.taken_back_at.is_(None), B.taken_back_at >= moment),
    )


def has_file(engine: Engine, code: str) -> bool:
    """有无档案: whether anything that stands was seen of the code."""
    query = (
        select(S.content_id)
        .join(Content, C.id == S.content_id)
        .join(Firm, F.id == C.firm_id)
        .join(SourceBatch, B.id == S.batch_id)
        .where(F.code == code, standing(None))
        .limit(1)
    )
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def missing_file(engine: Engine, code: str, day: date) -> str:
    """没有档案: why nothing is shown of a code for a day, and from which day on there is something."""
    query = (
        select(func.min(B.arrived_at))
        .join(Sighting, S.batch_id == B.id)
        .join(Content, C.id == S.content_id)
        .join(Firm, F.id == C.firm_id)
        .where(F.code == code, standing(None))
    )
    with engine.connect() as connection:
        first = connection.execute(query).scalar()
    if first is None:
        wrong = why_not(code)
        return f"没有 {code} 的档案" + (f"（{wrong}；要写统一社会信用代码）" if wrong else "")
    arrived = first.astimezone(SHANGHAI).date()
    return f"截至 {day} 还没有 {code} 的数据，最早一批 {arrived} 到；要看 {day} 的情况按今天所知，用 file show --true-for {day}"


def firm_codes(engine: Engine, *, known_on: date | None = None) -> list[str]:
    """所有企业: codes with a file, ascending."""
    query = (
        select(F.code)
        .join(Content, C.firm_id == F.id)
        .join(Sighting, S.content_id == C.id)
        .join(SourceBatch, B.id == S.batch_id)
        .where(standing(known_on))
        .distinct()
        .order_by(F.code)
    )
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def seen_of(
    connection: Connection, firms: Sequence[int] | tuple[int, int] | range, known_on: date | None = None
) -> Iterator[tuple[int, list[Seen]]]:
    """所见: (firm id, rows seen of it) for ids of a list or a range, in id order; the batches standing on `known_on`."""
    inside = (
        C.firm_id.between(firms.start, firms.stop - 1)
        if isinstance(firms, range)
        else C.firm_id.in_(list(firms))
    )
    sources = batch_sources(connection, known_on)
    query = (
        select(C.firm_id, C.key, C.digest, C.body, S.batch_id, S.day)
        .join(Sighting, S.content_id == C.id)
        .where(inside)
        .order_by(C.firm_id, C.id, S.batch_id)
    )
    held: int | None = None
    rows: list[Seen] = []
    last_body, content = "", {}
    for firm, key, mark, body, batch, day in connection.execute(query):
        origin = sources.get(batch)
        if origin is None:
            continue
        if firm != held:
            if held is not None:
                yield held, rows
            held, rows = firm, []
        if body is not last_body:
            last_body, content = body, json.loads(body)
        rows.append(Seen(origin[0], key, batch, day, origin[1], content, mark))
    if held is not None:
        yield held, rows


def batch_sources(connection: Connection, known_on: date | None) -> dict[int, tuple[Source, datetime]]:
    """在库批次的来源: batch → (declaration, arrival). Of a source that restates everything only the newest batch."""
    query = (
        select(B.id, B.source, B.day, B.arrived_at, B.part_of, D.text)
        .join(SourceDeclaration, D.digest == B.declaration)
        .where(standing(known_on))
    )
    rows = [(*row[:5], declaration_of(row[5])) for row in connection.execute(query)]
    newest: dict[str, tuple[tuple[date, datetime, int], int]] = {}
    for number, name, day, arrived, part_of, source in rows:
        if source.restates and part_of is None:
            rank = (day or arrived.astimezone(SHANGHAI).date(), arrived, number)
            if name not in newest or rank > newest[name][0]:
                newest[name] = (rank, number)
    return {
        number: (source, arrived)
        for number, name, _day, arrived, part_of, source in rows
        if not source.restates or (part_of or number) == newest[name][1]
    }


def firm_seen(engine: Engine, code: str, known_on: date | None = None) -> list[Seen]:
    """一家企业的所见."""
    with engine.connect() as connection:
        firm = connection.execute(select(F.id).where(F.code == code)).scalar()
        if firm is None:
            return []
        for _, rows in seen_of(connection, [firm], known_on):
            return rows
    return []


def provenance(
    engine: Engine,
    code: str,
    as_of: date,
    dictionary: Dictionary | None = None,
    *,
    known_on: date | None = None,
) -> dict[Key, Fact]:
    """出处: (indicator, year or None) → Fact of one firm, true for `as_of` by what stands now (or stood on `known_on`).

    An empty mapping: no file.
    """
    return resolve(firm_seen(engine, code, known_on), as_of, dictionary or builtin_dictionary())


def history(engine: Engine, code: str, indicator: str, year: int | None = None) -> list[Change]:
    """沿革: every row that said something of an indicator, oldest arrival first, taken-back batches included."""
    flat = indicator if year is None else f"{indicator}@{year}"
    query = (
        select(C.body, S.day, B.id, B.by, B.arrived_at, B.taken_back_at, D.text)
        .join(Firm, F.id == C.firm_id)
        .join(Sighting, S.content_id == C.id)
        .join(SourceBatch, B.id == S.batch_id)
        .join(SourceDeclaration, D.digest == B.declaration)
        .where(F.code == code, B.state != HELD)
        .order_by(B.arrived_at, B.id)
    )
    changes = []
    with engine.connect() as connection:
        for body, day, batch, by, arrived, back, text in connection.execute(query):
            content = json.loads(body)
            if flat in content or "!" + flat in content:
                source = declaration_of(text)
                value = content.get(flat, content.get("!" + flat))
                changes.append(Change(source.source, source.department, batch, by, day, arrived, value, back))
    return changes


def relations(engine: Engine, code: str, *, known_on: date | None = None) -> list[dict[str, Any]]:
    """企业关系: what batches that stand (or stood on `known_on`) say of other numbers, names and enterprises, from both sides.

    `has_file` of the other one, None where it is a number or a name; `back` where the other one's row says it
    (its 总公司 is this firm: it is a 分支机构 of this firm).
    """
    mine = (
        select(R.kind, R.other, B.source, B.id)
        .join(Firm, F.id == R.firm_id)
        .join(SourceBatch, B.id == R.batch_id)
        .where(F.code == code, standing(known_on))
        .order_by(R.kind, R.other, B.id)
    )
    theirs = (
        select(R.kind, F.code, B.source, B.id)
        .join(Firm, F.id == R.firm_id)
        .join(SourceBatch, B.id == R.batch_id)
        .where(R.other == code, R.kind.in_(list(SEEN_FROM_THERE)), standing(known_on))
        .order_by(R.kind, F.code, B.id)
    )
    found: dict[tuple[str, str], tuple[str, int, bool]] = {}
    with engine.connect() as connection:
        for kind, other, source, batch in connection.execute(mine):
            found[kind, other] = (source, batch, False)
        for kind, other, source, batch in connection.execute(theirs):
            found.setdefault((SEEN_FROM_THERE[kind], other), (source, batch, True))
        known = set(connection.execute(select(F.code).where(F.code.in_([o for _, o in found]))).scalars())
    return [
        {
            "kind": kind, "other": other, "source": source, "batch": batch, "back": back,
            "has_file": other in known if kind not in OWN_WRITINGS else None,
        }
        for (kind, other), (source, batch, back) in found.items()
    ]  # fmt: skip


def without_file(engine: Engine) -> list[dict[str, Any]]:
    """有所指而无档: codes that other firms' rows refer to and that have no file; a person decides what to do."""
    query = (
        select(R.other, R.kind, F.code, B.source)
        .join(Firm, F.id == R.firm_id)
        .join(SourceBatch, B.id == R.batch_id)
        .where(standing(None), R.kind.in_(("总公司", "分支机构", "合并入", "分立自", "投资方")))
        .where(~R.other.in_(select(F.code)))
        .order_by(R.other, F.code)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        {"other": other, "kind": kind, "code": code, "source": source} for other, kind, code, source in rows
    ]


def loaded_indicators(
    engine: Engine, *, known_on: date | None = None, dictionary: Dictionary | None = None
) -> set[str]:
    """已到登记: indicators whose own register has been received whole; only for these `absent_means` speaks.

    A source counts where it declares `coverage: 全量` and its `registry` is the indicator's `source`.
    """
    words = dictionary or builtin_dictionary()
    with engine.connect() as connection:
        sources = {one.digest: one for one, _ in batch_sources(connection, known_on).values()}.values()
    return {
        name
        for source in sources
        if source.coverage == "全量"
        for name in source.indicators()
        if name in words and words[name].source == source.registry
    }


def received_sources(engine: Engine) -> Mapping[str, datetime]:
    """到过的来源: source → newest arrival of a batch that stands."""
    query = select(B.source, B.arrived_at).where(standing(None)).order_by(B.arrived_at)
    with engine.connect() as connection:
        return {name: arrived for name, arrived in connection.execute(query)}
