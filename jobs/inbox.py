"""收件箱: what a night took in of the files that lie there, sorted for telling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engine.indicators import Dictionary
from profiles.source import BUILT_IN, Source, load_sources
from store import batches
from store.database import Engine
from store.imports import BatchReport

IGNORED = ("manifest.json", "说明.md")


@dataclass
class InboxReport:
    """收件箱小结: a report a file taken in, files that no source claims, files that could not be read, files seen before."""

    batches: list[BatchReport] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seen: int = 0

    def totals(self) -> dict[str, int]:
        """合计: rows by what became of them."""
        names = ("rows", "new", "changed", "unchanged", "rejected", "to_confirm")
        return {n: sum(getattr(b, n) for b in self.batches) for n in names}


def sources_for(home: Path) -> dict[str, Source]:
    """来源声明: the built-in ones and the office's own (sources/ in its home). Raises SourceError."""
    return load_sources(BUILT_IN, home / "sources")


def import_inbox(
    engine: Engine,
    folder: Path,
    sources: dict[str, Source],
    *,
    dictionary: Dictionary,
    arrived_at: datetime,
    tell: Callable[[str], None] = lambda text: None,
) -> InboxReport:
    """导入收件箱: every file that a source claims and that has not been seen; a faulty file is told, the rest goes on."""
    if not folder.is_dir():
        return InboxReport()
    found = batches.import_inbox(
        engine,
        folder,
        sources=sources,
        dictionary=dictionary,
        arrived_at=arrived_at,
        told=lambda one: tell(one.file),
    )
    out = InboxReport()
    for report in found.imported:
        unreadable = [p.message for p in report.problems if p.code == "unreadable"]
        out.failures += unreadable
        if not unreadable:
            out.batches.append(report)
    for name, why in found.passed:
        if name in IGNORED:
            continue
        if why.startswith("没有来源"):
            out.strangers.append(name)
        else:
            out.seen += 1
    return out
