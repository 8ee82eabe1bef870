"""档案变更: which batch, of whom, changed what in one firm's file, and who took one back; from what is stored anyway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Engine

from profiles.ingest import UNUSABLE
from store.observations import (
    HELD,
    Content,
    Firm,
    Sighting,
    SourceBatch,
    SourceDeclaration,
    columns,
    declaration_of,
)

C, F, S, B, D = (columns(model) for model in (Content, Firm, Sighting, SourceBatch, SourceDeclaration))
LANDED_WORD, BACK_WORD = "入库", "撤回"


@dataclass(frozen=True)
class ValueChange:
    """一处变动: an indicator (flat, `研发费用@2024`) and what the source said before and says now, at rest; None: nothing."""

    key: str
    flat: str
    before: Any
    after: Any


@dataclass(frozen=True)
class FileChange:
    """一次变更: a batch that spoke of the firm, or its being taken back: who, when, dated when, what differs."""

    kind: str
    at: datetime
    by: str
    batch: int
    source: str
    department: str
    file: str
    day: date | None
    values: tuple[ValueChange, ...]


def firm_changes(engine: Engine, code: str) -> list[FileChange]:
    """档案变更清单: newest first. A batch that said the same again is in it with no values."""
    query = (
        select(
            C.key, C.body, S.day, B.id, B.by, B.arrived_at, B.taken_back_at, B.taken_back_by, B.file_name, B.source, D.text
        )
        .join(Firm, F.id == C.firm_id)
        .join(Sighting, S.content_id == C.id)
        .join(SourceBatch, B.id == S.batch_id)
        .join(SourceDeclaration, D.digest == B.declaration)
        .where(F.code == code, B.state != HELD)
        .order_by(B.arrived_at, B.id, C.key)
    )  # fmt: skip
    said: dict[tuple[str, str], Mapping[str, Any]] = {}
    found: dict[int, FileChange] = {}
    backs: list[FileChange] = []
    with engine.connect() as connection:
        for key, body, day, batch, by, at, back_at, back_by, file, source, text in connection.execute(query):
            content = json.loads(body)
            values = _differences(key, said.get((source, key), {}), content)
            said[source, key] = content
            department = declaration_of(text).department
            held = found.get(batch)
            if held is None and back_at is not None:
                backs.append(
                    FileChange(BACK_WORD, back_at, back_by, batch, source, department, file, day, ())
                )
            before = held.values if held else ()
            found[batch] = FileChange(
                LANDED_WORD, at, by, batch, source, department, file, day, (*before, *values)
            )
    return sorted([*found.values(), *backs], key=lambda one: (one.at, one.batch), reverse=True)


def _differences(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[ValueChange, ...]:
    flats = dict.fromkeys([*before, *after])
    return tuple(
        ValueChange(key, flat.removeprefix(UNUSABLE), before.get(flat), after.get(flat))
        for flat in flats
        if before.get(flat) != after.get(flat)
    )
