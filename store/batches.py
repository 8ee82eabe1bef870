"""批次: what came in, from where, what became of it; taking one back; the inbox."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from engine.indicators import Dictionary
from profiles.ingest import Trouble
from profiles.patterns import TooSlow
from profiles.reading import FORMATS
from profiles.source import Source, SourceError
from store import audit
from store.database import session, writing
from store.identity import DISMISSED, WAITING, PendingRow
from store.imports import BatchReport, file_digest, import_file
from store.observations import (
    LANDED,
    TAKEN_BACK,
    BatchEvent,
    BatchTrouble,
    SourceBatch,
    columns,
    lock_imports,
)

INBOX_IGNORED = re.compile(r"^[.~]|\.(part|tmp|md|json|yaml)$|^manifest")


@dataclass(frozen=True)
class InboxReport:
    """收件箱报告: one report a file imported now; files passed over with the reason."""

    imported: tuple[BatchReport, ...]
    passed: tuple[tuple[str, str], ...]


def batches(engine: Engine, *, source: str = "", limit: int | None = None) -> list[SourceBatch]:
    """批次清单: newest first."""
    query = select(SourceBatch).order_by(col(SourceBatch.id).desc())
    if source:
        query = query.where(SourceBatch.source == source)
    with session(engine) as opened:
        return list(opened.exec(query.limit(limit) if limit else query))


def troubles(engine: Engine, batch: int) -> list[Trouble]:
    """一批的退回清单: in the file's order. Raises ValueError where there is no such batch."""
    query = select(BatchTrouble).where(BatchTrouble.batch_id == batch).order_by(col(BatchTrouble.id))
    with session(engine) as opened:
        if opened.get(SourceBatch, batch) is None:
            raise ValueError(f"没有第{batch}批")
        return [Trouble(one.line, one.column, one.code, one.message) for one in opened.exec(query)]


def take_back(engine: Engine, batch: int, *, by: str, at: datetime) -> int:
    """撤回一批: nothing it said counts from `at` on; views of earlier days keep it. Returns firms touched.

    Raises ValueError where the batch did not land or was taken back already.
    """
    with writing(engine) as opened:
        lock_imports(opened.connection())
        found = opened.get(SourceBatch, batch)
        if found is None:
            raise ValueError(f"没有第{batch}批")
        if found.state != LANDED:
            raise ValueError(f"第{batch}批现在是“{found.state}”，不能撤回")
        confirmed = opened.exec(
            select(SourceBatch).where(SourceBatch.part_of == batch, SourceBatch.state == LANDED)
        )
        for one in (found, *confirmed):
            one.state, one.taken_back_at, one.taken_back_by = TAKEN_BACK, at, by
            opened.add(one)
            opened.add(BatchEvent(batch_id=int(one.id or 0), kind=TAKEN_BACK, at=at))
        waiting = columns(PendingRow)
        opened.connection().execute(
            update(PendingRow)
            .where(waiting.batch_id == batch, waiting.state == WAITING)
            .values(state=DISMISSED, by=by, answered_at=at, answer="")
        )
        rows = found.new + found.changed + found.unchanged
        detail = {"来源": found.source, "文件": found.file_name, "行": rows}
        audit.record(opened, by or audit.UNNAMED, "撤回批次", f"第{batch}批", detail, at)
        return rows


def import_inbox(
    engine: Engine,
    folder: Path,
    *,
    sources: Mapping[str, Source],
    dictionary: Dictionary,
    arrived_at: datetime,
    by: str = "收件箱",
    told: Callable[[BatchReport], None] | None = None,
) -> InboxReport:
    """导入收件箱: every file that belongs to a source and has not been imported, in the order of sources and names.

    A file that can't be read is reported and the rest goes on. A file seen before in any state is passed over.
    """
    imported: list[BatchReport] = []
    passed: list[tuple[str, str]] = []
    for path, source in _with_sources(folder, sources):
        if source is None:
            passed.append((path.name, "没有来源认领这个文件名（来源声明的 inbox）"))
            continue
        state = _state_of(engine, path, source)
        if state:
            passed.append((path.name, state))
            continue
        try:
            report = import_file(engine, path, source, dictionary=dictionary, arrived_at=arrived_at, by=by)
        except (SourceError, TooSlow) as error:
            report = BatchReport(source.source, path.name, held=str(error))
            report.problems.append(Trouble(0, "", "unreadable", str(error)))
        imported.append(report)
        if told:
            told(report)
    return InboxReport(tuple(imported), tuple(passed))


def source_of(name: str, sources: Iterable[Source]) -> Source | None:
    """认领文件: by the declaration's `inbox` pattern, else by the source's name at the beginning of the file's."""
    found = [one for one in sources if one.inbox and fnmatch.fnmatch(name, one.inbox)]
    if not found:
        stem = name.rsplit(".", 1)[0]
        found = [one for one in sources if re.fullmatch(re.escape(one.source) + r"([_.-].*)?", stem)]
    return max(found, key=lambda one: (len(one.inbox), len(one.source)), default=None)


def _with_sources(folder: Path, sources: Mapping[str, Source]) -> list[tuple[Path, Source | None]]:
    files = [
        path for path in sorted(folder.iterdir()) if path.is_file() and not INBOX_IGNORED.search(path.name)
    ]
    files = [path for path in files if path.suffix.lower() in FORMATS]
    order = list(sources)
    pairs = [(path, source_of(path.name, sources.values())) for path in files]
    return sorted(
        pairs, key=lambda pair: (order.index(pair[1].source) if pair[1] else len(order), pair[0].name)
    )


def _state_of(engine: Engine, path: Path, source: Source) -> str:
    query = select(SourceBatch).where(
        SourceBatch.source == source.source,
        SourceBatch.file_digest == file_digest(path),
        SourceBatch.declaration == source.digest,
    )
    with session(engine) as opened:
        found = opened.exec(query.order_by(col(SourceBatch.id).desc())).first()
    if found is None:
        return ""
    return {LANDED: "先前已导入", TAKEN_BACK: "先前导入后撤回了"}.get(found.state, f"暂扣着：{found.note}")
