"""收件箱: files that lie in the inbox, each given to the source whose pattern it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from engine.indicators import Dictionary
from profiles.source import BUILT_IN, Source, SourceError, load_sources
from store.database import Engine
from store.imports import BatchReport, import_file

IGNORED = (".md", ".part", ".tmp")


@dataclass
class InboxReport:
    """收件箱小结: a report a file, files that fit no source, and files that could not be read."""

    batches: list[BatchReport] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        """合计: rows by what became of them."""
        names = ("rows", "new", "changed", "unchanged", "rejected", "to_confirm")
        return {n: sum(getattr(b, n) for b in self.batches) for n in names}


def sources_for(home: Path) -> dict[str, Source]:
    """来源声明: the built-in ones and the office's own (sources/ in its home). Raises SourceError."""
    return load_sources(BUILT_IN, home / "sources")


def source_of(path: Path, sources: Mapping[str, Source]) -> Source | None:
    """文件的来源: the source whose inbox pattern the file's name fits; the longest pattern goes first."""
    fits = [s for s in sources.values() if s.inbox and fnmatch(path.name, s.inbox)]
    return max(fits, key=lambda s: len(s.inbox), default=None)


def inbox_files(folder: Path) -> list[Path]:
    """收件箱里的文件, in the order of their names."""
    if not folder.is_dir():
        return []
    files = (p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    return sorted(p for p in files if p.suffix.lower() not in IGNORED and p.name != "manifest.json")


def import_inbox(
    engine: Engine,
    folder: Path,
    sources: Mapping[str, Source],
    *,
    dictionary: Dictionary,
    arrived_at: datetime,
    tell: Callable[[str], None] = lambda text: None,
) -> InboxReport:
    """导入收件箱: every file that fits a source; a faulty file is told and the rest goes on."""
    out = InboxReport()
    for path in inbox_files(folder):
        source = source_of(path, sources)
        if source is None:
            out.strangers.append(path.name)
            continue
        tell(path.name)
        try:
            report = import_file(
                engine, path, source, dictionary=dictionary, arrived_at=arrived_at, by="收件箱"
            )
        except (SourceError, OSError) as error:
            out.failures.append(str(error))
            continue
        out.batches.append(report)
    return out
