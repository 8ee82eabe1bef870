"""画像确认: an officer's word about industry and themes lands as a batch of its own, like any other data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.engine import Engine

from engine.indicators import Dictionary
from profiles.reading import Chunk, Table
from profiles.source import load_sources
from store.firms import provenance
from store.imports import BatchReport, import_table

SOURCE = "officer_tags"


def confirm_tags(
    engine: Engine,
    code: str,
    industry: str,
    themes: Sequence[str],
    *,
    by: str,
    at: datetime,
    day: date,
    dictionary: Dictionary,
    note: str = "",
) -> BatchReport:
    """确认行业和主题: through the declared source `officer_tags`; may be taken back. Raises ValueError for what can't be said.

    It overwrites no department's code: both stand beside each other.
    """
    facts = provenance(engine, code, day, dictionary)
    if not facts:
        raise ValueError(f"没有 {code} 的档案")
    from profiles.portrait_firm import (
        confirmation,  # a second of scikit-learn, which who opens a store does not need
    )

    row = confirmation(code, industry, themes, by, day, facts, note)
    mark = hashlib.sha256(json.dumps(row, ensure_ascii=False).encode()).hexdigest()
    table = Table(list(row), iter([Chunk([1], [list(row.values())], done=1.0)]), "人工")
    report = import_table(
        engine, table, load_sources()[SOURCE], dictionary=dictionary, arrived_at=at, file_name=f"画像确认 {code}",
        file_digest=mark, by=by,
    )  # fmt: skip
    if report.rejected or report.to_confirm or report.held:
        raise ValueError(report.held or report.problems[0].message)
    return report
