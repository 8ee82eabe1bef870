"""认领的办理: candidates for waiting rows, and a person's answer, which lands the row and is kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select as pick
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.functions import count
from sqlmodel import Session, col, select

from profiles.codes import is_code, proposals, tidy_code
from profiles.ingest import Parsed, Row
from store import audit
from store.database import session, writing
from store.firms import standing
from store.identity import CONFIRMED, DISMISSED, WAITING, IdentityAnswer, PendingRow
from store.imports import BatchReport
from store.landing import Landing
from store.observations import (
    LANDED,
    BatchEvent,
    Content,
    Firm,
    FirmRelation,
    Sighting,
    SourceBatch,
    SourceDeclaration,
    columns,
    declaration_of,
    lock_imports,
)

C, F, S, B, R = (columns(model) for model in (Content, Firm, Sighting, SourceBatch, FirmRelation))
NAME_KEY, FORMER = "企业名称", "曾用名"
MOST = 5


def pending(
    engine: Engine,
    *,
    state: str = WAITING,
    source: str = "",
    batch: int | None = None,
    limit: int | None = 200,
    skip: int = 0,
) -> list[PendingRow]:
    """待认领清单: rows that wait for a person, oldest first, with their candidates found when first asked for."""
    propose(engine)
    query = _waiting(select(PendingRow), state, source, batch).order_by(col(PendingRow.id))
    with session(engine) as opened:
        return list(opened.exec(query.offset(skip).limit(limit)))


def count_pending(engine: Engine, *, state: str = WAITING, source: str = "", batch: int | None = None) -> int:
    """待认领有几行."""
    query = _waiting(select(count()).select_from(PendingRow), state, source, batch)
    with session(engine) as opened:
        return int(opened.exec(query).one())


def _waiting(query: Any, state: str, source: str, batch: int | None) -> Any:
    query = query.where(PendingRow.state == state)
    if source:
        query = query.where(PendingRow.source == source)
    return query if batch is None else query.where(PendingRow.batch_id == batch)


def propose(engine: Engine) -> int:
    """找候选: candidates of waiting rows that have none yet; returns how many rows were looked at. Changes no file."""
    # Here, because scikit-learn takes seconds to load and most calls find nothing to do.
    from profiles.identify import NameIndex

    with writing(engine) as opened:
        rows = opened.exec(
            select(PendingRow).where(PendingRow.state == WAITING, col(PendingRow.candidates).is_(None))
        ).all()
        if not rows:
            return 0
        connection = opened.connection()
        names = known_names(connection)
        index = NameIndex([name for name, _ in names]) if names and any(row.name for row in rows) else None
        likely = index.candidates([row.name or "" for row in rows], MOST) if index else [[] for _ in rows]
        called: dict[str, str] = {}
        for name, code in names:
            called.setdefault(code, name)
        for row, found in zip(rows, likely, strict=True):
            by_code = [{**one, "name": called.get(one["code"], "")} for one in _by_code(connection, row)]
            by_name = [
                {"code": names[at][1], "name": names[at][0], "score": round(score, 3), "by": "名称"}
                for at, score in found
            ]
            row.candidates = _best([*by_code, *by_name])
            opened.add(row)
        return len(rows)


def answer(
    engine: Engine, number: int, code: str, *, by: str, at: datetime, keep: bool = True
) -> BatchReport | None:
    """答复认领: the row is firm `code`'s and lands as a batch of its own; "" dismisses it. `keep` for the next time.

    Raises ValueError for a row that is not waiting or a code that is none.
    """
    tidy = tidy_code(code)
    if tidy and not is_code(tidy):
        raise ValueError(f"“{code}”不是有效的统一社会信用代码")
    with writing(engine) as opened:
        lock_imports(opened.connection())
        row = opened.get(PendingRow, number)
        if row is None or row.state != WAITING:
            raise ValueError(f"第{number}号不在待认领之列")
        row.state, row.answer, row.by, row.answered_at = (CONFIRMED if tidy else DISMISSED), tidy, by, at
        opened.add(row)
        written = row.code or row.name
        if keep and written and not is_code(written):
            opened.add(IdentityAnswer(source=row.source, written=written, code=tidy, by=by, at=at))
        landed = _land_one(opened, row, tidy, by, at) if tidy else None
        audit.record(
            opened, by or audit.UNNAMED, "认企业", tidy or "都不是", {"行": number, "写法": written}, at
        )
        return landed


def withdraw_answer(engine: Engine, source: str, written: str, *, by: str, at: datetime) -> int:
    """收回答案: from now on the same writing waits for a person again; returns how many answers ended."""
    with writing(engine) as opened:
        query = select(IdentityAnswer).where(
            IdentityAnswer.source == source, IdentityAnswer.written == written,
            col(IdentityAnswer.withdrawn_at).is_(None),
        )  # fmt: skip
        found = opened.exec(query).all()
        for one in found:
            one.withdrawn_at = at
            opened.add(one)
        if found:
            detail = {"来源": source, "曾认作": [one.code or "都不是" for one in found]}
            audit.record(opened, by or audit.UNNAMED, "收回认定", written, detail, at)
        return len(found)


def known_names(connection: Connection) -> list[tuple[str, str]]:
    """已知名称: (name, code) of every firm with a file, its earlier names too."""
    query = (
        pick(C.body, F.code)
        .join(Firm, F.id == C.firm_id)
        .where(C.body.like(f'%"{NAME_KEY}":%'))
        .where(C.id.in_(pick(S.content_id).join(SourceBatch, B.id == S.batch_id).where(standing(None))))
    )
    found: dict[tuple[str, str], None] = {}

    for body, code in connection.execute(query):
        content = json.loads(body)
        for name in (content.get(NAME_KEY), *content.get(FORMER, [])):
            if name:
                found[name, code] = None
    earlier = (
        pick(R.other, F.code)
        .join(Firm, F.id == R.firm_id)
        .join(SourceBatch, B.id == R.batch_id)
        .where(R.kind == FORMER, standing(None))
    )
    found.update(((name, code), None) for name, code in connection.execute(earlier))
    return list(found)


def _by_code(connection: Connection, row: PendingRow) -> list[dict[str, Any]]:
    """Firms that the written code, old number or organisation code points at; scores only order them."""
    wanted: dict[str, float] = {one: 0.9 for one in proposals(row.code)} if row.code else {}
    number, body = (
        row.number or (row.code if len(row.code) == 15 else ""),
        row.organisation or (row.code if len(row.code) == 9 else ""),
    )
    if number:
        query = (
            pick(F.code).join(FirmRelation, R.firm_id == F.id).where(R.kind == "原注册号", R.other == number)
        )
        wanted.update((code, 0.95) for code in connection.execute(query).scalars())
    if body:
        query = pick(F.code).where(F.code.like("________" + body + "_"))
        wanted.update((code, 0.95) for code in connection.execute(query).scalars())
    if row.why.startswith("同一企业"):
        wanted[row.code] = 1.0
    known = set(connection.execute(pick(F.code).where(F.code.in_(list(wanted)))).scalars())
    return [
        {"code": code, "name": "", "score": score if code in known else round(score / 2, 3), "by": "代码"}
        for code, score in wanted.items()
    ]


def _best(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    best: dict[str, dict[str, Any]] = {}
    for one in found:
        held = best.get(one["code"])
        if held is None or one["score"] > held["score"]:
            best[one["code"]] = {**one, "name": one["name"] or (held or {}).get("name", "")}
    return sorted(best.values(), key=lambda one: (-one["score"], one["code"]))[:MOST]


def _land_one(opened: Session, row: PendingRow, code: str, by: str, at: datetime) -> BatchReport:
    origin = opened.get_one(SourceBatch, row.batch_id)
    declaration = opened.get_one(SourceDeclaration, origin.declaration)
    batch = SourceBatch(
        uid=uuid.uuid4().hex, source=row.source, declaration=origin.declaration, file_name=f"人工认领 第{row.id}号",
        day=row.day, arrived_at=at, by=by, rows=1, header=origin.header, part_of=origin.id,
    )  # fmt: skip
    opened.add(batch)
    opened.flush()
    report = BatchReport(row.source, batch.file_name, rows=1, batch=batch.id)
    landing = Landing(opened, declaration_of(declaration.text), batch)
    day, refs = row.day.isoformat() if row.day else None, tuple((kind, other) for kind, other in row.refs)
    parsed = Parsed(rows=1)
    parsed.add(Row(row.line, code, row.name, "", "", row.key, day, row.content, refs))
    landing.land(parsed, report)
    landing.finish(report)
    batch.new, batch.changed, batch.unchanged = report.new, report.changed, report.unchanged
    row.landed_batch = batch.id
    opened.add_all([batch, row, BatchEvent(batch_id=int(batch.id or 0), kind=LANDED, at=at)])
    return report
