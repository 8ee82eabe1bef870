"""每夜比对: inbox → files → columns → match → allocate → lists → pushes due; safe to kill and to run again."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.matching import live, resting
from engine.program import BoundItem
from jobs.inbox import InboxReport, import_inbox, sources_for
from jobs.lists_aside import begin_lists
from jobs.matching import allocation, matching
from jobs.readiness import fallen
from jobs.rules import parse_sets
from jobs.scoring import doubt_night, doubts_in_words, score_night
from policies.library import REFUSING, Library, load_library
from profiles.dictionary import builtin_dictionary
from profiles.inputs import from_table
from profiles.snapshot import Snapshot, reading_code
from store.database import Engine, upgrade
from store.grants import received_before
from store.guard import guard_night
from store.night_index import Made
from store.night_writing import NightInputs, same_night, write_night
from store.nights import FINISHED, UNGUARDED, Night, set_state
from store.pushes import looks_back, queue_pushes
from store.review import answer_book
from store.snapshots import build_snapshot

Tell = Callable[[str], None]
LOG = logging.getLogger("huiqi.night")


@dataclass
class NightReport:
    """一夜小结: the night, whether it is the same as the last one, seconds per step and what was refused."""

    night: Night | None = None
    repeated: bool = False
    inbox: InboxReport = field(default_factory=InboxReport)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    resting: dict[str, int] = field(default_factory=dict)
    lists: list[Path] = field(default_factory=list)
    jumps: list[str] = field(default_factory=list)
    pushes: dict[str, int] = field(default_factory=dict)
    scored: int = 0
    doubts: str = ""
    fallen: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, tell: Tell):
        """一步: timed and told."""
        tell(name)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def run_night(
    engine: Engine,
    home: Path,
    library: Path,
    as_of: date,
    now: Callable[[], datetime],
    *,
    sets: Sequence[str] = (),
    inbox: Path | None = None,
    cluster: str = "",
    tell: Tell = lambda text: None,
) -> NightReport:
    """比对一夜, by this process or by a `cluster` (see jobs.cluster). Raises LibraryError, SourceError or ValueError where there is nothing to work on."""
    report = NightReport()
    started = now()
    sweep(home, started)
    with report.step("准备", tell):
        upgrade(engine)
        words = parse_sets(sets)
        loaded = load_library(library, builtin_dictionary(), words)
        report.problems = [p for p in loaded.problems if p.level == "error" and p.code in REFUSING]
        report.refused = loaded.refused
    with report.step("导入", tell):
        report.inbox = import_inbox(
            engine,
            inbox or home / "inbox",
            sources_for(home),
            dictionary=loaded.dictionary,
            arrived_at=started,
            tell=tell,
        )
    with report.step("企业档案成列", tell):
        snapshot = build_snapshot(engine, home / "snapshot", as_of, dictionary=loaded.dictionary)
        table = snapshot.table()
        columns = from_table(table, loaded.dictionary, report.problems.append, snapshot.folder)
        columns.loaded = snapshot.loaded
    items = live(loaded.programs, as_of)
    report.resting = resting(loaded.programs, as_of)
    facts = f"{snapshot.digest} {sorted(snapshot.loaded)} {reading_code()}"
    digest = hashlib.sha256(f"{snapshot.digest} {as_of} {sorted(snapshot.loaded)}".encode()).hexdigest()
    received = received_before(engine, *paying_the_difference(loaded, items))
    inputs = NightInputs(
        as_of, loaded, items, columns, table, digest, answer_book(engine), words, received,
        hashlib.sha256(facts.encode()).hexdigest(), made_of(snapshot, len(columns)),
    )  # fmt: skip
    with report.step("与上次对照", tell):
        repeated = same_night(engine, inputs, home)
        if repeated is not None:
            report.night, report.repeated = repeated, True
            return finish_night(engine, repeated, report, now, tell)
    with report.step("分配", tell):
        paid = allocation(inputs)
    with report.step("比对", tell):
        counts = {"refused": len(report.refused), "inbox": report.inbox.totals()}
        report.night = write_night(
            engine,
            home,
            inputs,
            matching(inputs, home, cluster),
            paid,
            started=started,
            finished=now(),
            software=version("huiqi"),
            counts=counts,
            state=UNGUARDED,
        )
    return finish_night(engine, report.night, report, now, tell)


def made_of(snapshot: Snapshot, firms: int) -> Made | None:
    """企业数据的来历 of a night's columns; None where rows were left out, which then are not those of the snapshot."""
    if firms != snapshot.rows:
        return None
    return Made(f"{snapshot.standing} {reading_code()}", snapshot.newer_rows())


def paying_the_difference(
    library: Library, items: Sequence[BoundItem]
) -> tuple[dict[str, set[str]], set[tuple[str, str]]]:
    """补差的组: by item of the whole library, the groups that pay the difference; and the batches open tonight."""
    groups = {p.item.id: {e.group for e in p.exclusive if e.pick == "补差"} for p in library.programs}
    return {item: g for item, g in groups.items() if g}, {(b.program.item.id, b.batch.name) for b in items}


def sweep(home: Path, now: datetime) -> int:
    """清扫: what killed nights left half written, once it is an hour old; how many folders."""
    count = 0
    for part in [*home.glob("nights/.part-*"), *home.glob("nights/*/.lists-*")]:
        with suppress(OSError):
            if now.timestamp() - part.stat().st_mtime > 3600:
                shutil.rmtree(part)
                count += 1
    return count


def finish_night(
    engine: Engine, night: Night, report: NightReport, now: Callable[[], datetime], tell: Tell
) -> NightReport:
    """评分, 写名单, 把关, 排推送: all safe to repeat, so a night that was killed before them is finished by the next run."""
    with report.step("评分", tell):
        report.scored = score_night(night, night.home)
        kept = doubt_night(night, night.home)
        report.doubts = "" if kept is None else doubts_in_words(night, kept)
    with report.step("写名单", tell):
        lists = begin_lists(night)
    with report.step("把关", tell):
        if night.state == UNGUARDED and looks_back(engine, night, now()):
            set_state(
                engine, night.no, FINISHED
            )  # nothing is done on its strength: there is nothing to guard
            night.run.state = FINISHED
        elif night.state != FINISHED:
            report.jumps = [jump.words() for jump in guard_night(engine, night)]
    report.fallen = fallen(night)
    with report.step("排推送", tell):
        report.pushes = queue_pushes(engine, night, night.as_of, now())
    with report.step("写名单", lambda text: None):  # what is left of them; told when it began
        report.lists = lists()
    LOG.info("night", extra=_figures(night, report))
    return report


def _figures(night: Night, report: NightReport) -> dict[str, Any]:
    """What the log says of a night: its number, its inputs by hash, and counts."""
    run, counts = night.run, night.counts
    return {
        "run": night.no, "as_of": night.as_of.isoformat(), "state": run.state, "repeated": report.repeated,
        "library": run.library_hash[:12], "profiles": run.profiles_hash[:12], "hits": run.hits_hash[:12],
        "fits": counts.get("fits"), "rows": report.inbox.totals(), "pushes": report.pushes, "jumps": len(report.jumps),
        "refused_items": len(report.refused), "seconds": {k: round(v, 2) for k, v in report.seconds.items()},
    }  # fmt: skip
