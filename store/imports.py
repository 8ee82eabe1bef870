"""导入: one file of one source as one batch: streamed, atomic, accounted row by row, held when it looks wrong."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from engine.indicators import Dictionary
from profiles.ahead import parsed_chunks
from profiles.ingest import Plan, Trouble, day_of_file
from profiles.reading import Table, open_table
from profiles.source import Source, SourceError
from store.database import writing
from store.landing import Landing
from store.observations import (
    HELD,
    LANDED,
    BatchEvent,
    BatchTrouble,
    SourceBatch,
    SourceDeclaration,
    bulk_insert,
    lock_imports,
)

ENOUGH_ROWS = 10  # a source's earlier batch must have had this many rows for its length to say anything
SHARE_REFUSED = 0.5
LOOK = "核对文件，没有错就加 --accept 再导入"
HOPELESS, HOPELESS_SHARE = 100_000, 0.95  # rows and share refused after which the rest of a file is not read
Progress = Callable[[float, int], None]


@dataclass
class BatchReport:
    """导入报告: what became of every row; rows = new + changed + unchanged + rejected + to_confirm.

    `problems` lists every finding (rows and single cells); `held` says why nothing landed; `batch` is None where the
    very same file had landed before and nothing was written.
    """

    source: str
    file: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    to_confirm: int = 0
    problems: list[Trouble] = field(default_factory=list)
    held: str = ""
    batch: int | None = None
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """机器可读: the record `huiqi import --json` prints."""
        counts = ("rows", "new", "changed", "unchanged", "rejected", "to_confirm")
        return {
            **{name: getattr(self, name) for name in counts},
            "problems": [problem.as_dict() for problem in self.problems],
            "source": self.source,
            "batch": self.batch,
            "held": self.held,
            "notes": self.notes,
        }


class _Held(Exception):
    """Rolls the batch back; carries the report."""


def import_file(
    engine: Engine,
    path: Path,
    source: Source,
    *,
    dictionary: Dictionary,
    arrived_at: datetime,
    by: str = "",
    day: date | None = None,
    accept: bool = False,
    ahead: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """导入一个文件: one batch, whole or not at all; importing the same file again changes nothing.

    `day` is the date of the data where the file does not say; `accept` lands a file that would be held.
    `ahead` parses a long file in a second process (for programs whose main module may be imported again).
    Raises SourceError for a file that can't be read by the declaration.
    """
    with open_table(path, source) as table:
        return import_table(
            engine, table, source, dictionary=dictionary, arrived_at=arrived_at, by=by, accept=accept,
            ahead=path if ahead and table.long else None,
            day=day.isoformat() if day else day_of_file(source, path), progress=progress,
            file_name=path.name, file_digest=file_digest(path),
        )  # fmt: skip


def import_table(
    engine: Engine,
    table: Table,
    source: Source,
    *,
    dictionary: Dictionary,
    arrived_at: datetime,
    file_name: str,
    file_digest: str,
    by: str = "",
    day: str | None = None,
    accept: bool = False,
    ahead: Path | None = None,
    progress: Progress | None = None,
) -> BatchReport:
    """导入一张表: as `import_file`, for rows that come from elsewhere (a database query)."""
    plan = Plan(source, table.header, dictionary, day)
    batch = SourceBatch(
        uid=uuid.uuid4().hex, source=source.source, declaration=source.digest, file_name=file_name,
        file_digest=file_digest, day=date.fromisoformat(day) if day else None, arrived_at=arrived_at, by=by,
        header=plan.header,
    )  # fmt: skip
    report = BatchReport(source.source, file_name)
    try:
        with writing(engine) as opened:
            lock_imports(opened.connection())
            _land(opened, table, plan, batch, report, accept, ahead, progress)
    except _Held:
        _keep_held(engine, source, batch, report)
    return report


def file_digest(path: Path) -> str:
    """文件摘要: SHA-256 of its bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_declaration(opened: Session, source: Source) -> None:
    """留存声明: so that what was read by it can always be explained."""
    if opened.get(SourceDeclaration, source.digest) is None:
        opened.add(SourceDeclaration(digest=source.digest, name=source.source, text=source.canonical))
        opened.flush()


def _land(
    opened: Session,
    table: Table,
    plan: Plan,
    batch: SourceBatch,
    report: BatchReport,
    accept: bool,
    ahead: Path | None,
    progress: Progress | None,
) -> None:
    if plan.lacking:
        report.rows = report.to_confirm = sum(len(chunk) for chunk in table.chunks)
        missing, extra = "、".join(plan.lacking), "、".join(plan.extra) or "无"
        report.held = f"文件缺少声明的列：{missing}（多出的列：{extra}）；核对文件，或改来源声明后再导入"
        raise _Held
    keep_declaration(opened, plan.source)
    before = _last_landed(opened, plan.source.source)
    opened.add(batch)
    opened.flush()
    landing = Landing(opened, plan.source, batch)
    again = _repeated(opened, batch)
    for done, parsed in parsed_chunks(plan, table, ahead):
        report.rows += parsed.rows
        report.rejected += parsed.rejected
        report.problems += parsed.troubles
        landing.land(parsed, report)
        if progress:
            progress(done, report.rows)
        if not accept and report.rows >= HOPELESS and report.rejected > report.rows * HOPELESS_SHARE:
            report.problems.sort(key=lambda trouble: trouble.line)
            report.held = (
                f"前{report.rows}行里退回{report.rejected}行，像是列错了位或换了格式，后面的没有再读"
            )
            raise _Held
    landing.finish(report)
    report.problems.sort(key=lambda trouble: trouble.line)
    if plan.extra and before is not None and set(plan.extra) - set(before.header):
        report.notes.append(f"文件多出声明里没有的列：{'、'.join(plan.extra)}，没有读")
    report.held = "" if accept else _suspicion(report, plan, before)
    if report.held:
        raise _Held
    _close(opened, batch, report, again and not (report.new or report.changed or landing.queued))


def _close(opened: Session, batch: SourceBatch, report: BatchReport, repeated: bool) -> None:
    if repeated:
        opened.rollback()
        report.notes.append("这个文件先前已经导入，没有变动")
        return
    _count(batch, report)
    report.batch = batch.id
    opened.add(batch)
    opened.add(BatchEvent(batch_id=int(batch.id or 0), kind=LANDED, at=batch.arrived_at))
    _list_troubles(opened, batch, report)


def _keep_held(engine: Engine, source: Source, batch: SourceBatch, report: BatchReport) -> None:
    """Nothing landed; the batch and its findings are kept so that a person can decide."""
    report.to_confirm = report.rows - report.rejected
    report.new = report.changed = report.unchanged = 0
    report.problems.insert(0, Trouble(1, "", "held", report.held))
    held = SourceBatch(**batch.model_dump(exclude={"id", "state", "note"}), state=HELD, note=report.held)
    with writing(engine) as opened:
        keep_declaration(opened, source)
        _count(held, report)
        opened.add(held)
        opened.flush()
        report.batch = held.id
        _list_troubles(opened, held, report)


def _count(batch: SourceBatch, report: BatchReport) -> None:
    batch.rows, batch.new, batch.changed = report.rows, report.new, report.changed
    batch.unchanged, batch.rejected, batch.to_confirm = report.unchanged, report.rejected, report.to_confirm


def _list_troubles(opened: Session, batch: SourceBatch, report: BatchReport) -> None:
    if not report.problems:
        return
    opened.flush()
    start = (opened.connection().exec_driver_sql("SELECT max(id) FROM batch_trouble").scalar() or 0) + 1
    rows = (
        (number, batch.id, one.line, one.column, one.code, one.message)
        for number, one in enumerate(report.problems, start)
    )
    columns = ("id", "batch_id", "line", "column", "code", "message")
    bulk_insert(opened.connection(), BatchTrouble.__tablename__, columns, rows)


def _last_landed(opened: Session, source: str) -> SourceBatch | None:
    query = (
        select(SourceBatch)
        .where(SourceBatch.source == source, SourceBatch.state == LANDED, col(SourceBatch.part_of).is_(None))
        .order_by(col(SourceBatch.id).desc())
        .limit(1)
    )
    return opened.exec(query).first()


def _repeated(opened: Session, batch: SourceBatch) -> bool:
    """Whether the very same bytes, read the same way and dated the same, stand in a landed batch.

    An undated file that arrives again tells nothing newer, so its day is that of its first arrival.
    """
    query = select(SourceBatch).where(
        SourceBatch.source == batch.source,
        SourceBatch.file_digest == batch.file_digest,
        SourceBatch.declaration == batch.declaration,
        SourceBatch.state == LANDED,
        SourceBatch.id != batch.id,
    )
    return any(other.day == batch.day for other in opened.exec(query))


def _suspicion(report: BatchReport, plan: Plan, before: SourceBatch | None) -> str:
    """Why a file is held before it lands, or "": half as long, columns moved, most rows refused."""
    if before is not None and before.header != plan.header:
        known = [name for name in before.header if name not in plan.extra]
        now = [name for name in plan.header if name not in plan.extra]
        if known != now:
            return f"列的次序或名称变了：上一批是 {'、'.join(known)}；这一批是 {'、'.join(now)}；{LOOK}"
    comparable = before is not None and before.rows >= ENOUGH_ROWS and plan.source.expect_rows == "相当"
    if comparable and before is not None and report.rows * 2 <= before.rows:
        return f"行数突然减半：上一批{before.rows}行，这一批{report.rows}行；{LOOK}；本来就每次只来一部分的，来源声明里写 expect_rows: 不定"
    if report.rows >= ENOUGH_ROWS and report.rejected > report.rows * SHARE_REFUSED:
        worst = Counter(one.column or "整行" for one in report.problems).most_common(1)[0]
        return f"{report.rows}行里退回{report.rejected}行，多在“{worst[0]}”，像是列错了位或换了格式；{LOOK}"
    return ""


def check_readable(path: Path, source: Source, dictionary: Dictionary) -> Plan:
    """试读: the plan for a file's header. Raises SourceError."""
    with open_table(path, source) as table:
        plan = Plan(source, table.header, dictionary)
        if plan.lacking:
            raise SourceError(f"{path.name}  文件缺少声明的列：{'、'.join(plan.lacking)}")
        return plan
