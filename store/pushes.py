"""推送: from a night's lists to the outbox: what is new, for whom it is held back and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from policies.library import without_collector
from store import budgets
from store.database import writing
from store.faults import point
from store.forms import Form
from store.night_grants import follow_night, open_wanted
from store.nights import UNRELEASED, later_night
from store.outbox import DUE, SENT, SUPPRESSED, take_turns
from store.push_asking import Asked, Asking, software
from store.push_index import built_at_end
from store.push_marks import stands
from store.push_rows import STATE, Alike, RowMaker, insert
from store.push_unchanged import Unchanged
from store.review import setting
from store.suppress import load_facts
from store.waiting import withdraw_items
from store.wanted import wanted_of
from store.words import Told

if TYPE_CHECKING:
    from store.nights import Night

ALWAYS = ("webhook", "inbox")
CHUNK = (
    60_000  # pairs of a transaction: indexes by firm are written through once each, not for every few pairs
)
SHANGHAI_HOURS = timedelta(hours=8)


def queue_pushes(engine: Engine, night: Night, as_of: date, now: datetime) -> dict[str, int]:
    """排队推送: grants opened, then pushes due and held back of a night; safe to repeat. A held night queues nothing."""
    if night.state in UNRELEASED:
        return {"扣下": 1}
    later = looks_back(engine, night, now)
    if later is not None:
        return {"已有更近的比对": later}
    # Budgets first: who confirms tomorrow must find them.
    known = {(b.item, b.batch) for b in budgets.list_budgets(engine)}
    changed, faults = budgets.take_over(
        engine, budgets.ruled_budgets(night.library(), as_of, known), on=(now + SHANGHAI_HOURS).date(), at=now
    )
    counts = {"立项": open_wanted(engine, night, as_of, now), "排队": 0, "暂缓": 0, "撤回": 0}
    counts |= {"额度": changed} if changed else {}
    counts |= {"额度没有照改": len(faults)} if faults else {}
    counts |= {"随比对变": n} if (n := follow_night(engine, night, as_of, now)) else {}
    channels = channels_of(engine)
    facts = load_facts(engine, as_of)
    unchanged = Unchanged(engine, night, as_of, channels, facts, software())
    spoken: set[tuple[str, str]] = set()
    stood: dict[tuple[str, str], str] = {}

    def spoken_of() -> Iterator[Asking]:
        for about, told in wanted_of(engine, night, as_of, which=unchanged.is_new):
            spoken.add((about.item.id, about.batch))
            asking = Asking(about, told, channels, facts, unchanged.quick(about))
            if not stands(engine, about.item.id, about.batch, asking.mark):
                yield asking
            else:
                stood[about.item.id, about.batch] = asking.mark

    coming = night.counts.get("fits", 0) * len(channels)
    with without_collector(freeze=False), built_at_end(engine, coming):
        for portions in _portions(spoken_of()):
            for name, n in _queue(engine, portions, night.no, now).items():
                counts[name] += n
    counts["撤回"] += withdraw_items(engine, spoken | unchanged.live)
    unchanged.close(stood, spoken)
    return counts


def looks_back(engine: Engine, night: Night, now: datetime) -> int | None:
    """回看: the number of a released night of a later day, up to today; on a look back nobody is told anything."""
    return later_night(engine, night, (now + SHANGHAI_HOURS).date())


def channels_of(engine: Engine) -> tuple[str, ...]:
    """启用的渠道: webhook and inbox, and those the office switched on."""
    chosen = (setting(engine, "push", {}) or {}).get("channels", [])
    return tuple(dict.fromkeys((*ALWAYS, *chosen)))


@dataclass(frozen=True)
class Portion:
    """一份: some pairs of an item; after the last ones it is seen which pairs are no longer among them."""

    asking: Asking
    part: list[Told]
    last: bool


def _portions(asked: Iterable[Asking]) -> Iterator[list[Portion]]:
    """About as many pairs at once as a transaction is worth: many small items together, a large one in several."""
    waiting: list[Portion] = []
    pairs = 0  # of those waiting and of the part at hand
    for asking in asked:
        cut = [g.between(at, at + CHUNK) for g in asking.told for at in range(0, len(g.firms), CHUNK)]
        part: list[Told] = []
        for i, group in enumerate(cut):
            part.append(group)
            pairs += len(group.firms)
            last = i + 1 == len(cut)
            if not last and pairs < CHUNK:
                continue
            waiting.append(Portion(asking, part, last))
            part = []
            if pairs >= CHUNK:
                yield waiting
                waiting, pairs = [], 0
    if waiting:
        yield waiting


def _queue(engine: Engine, portions: Sequence[Portion], run_no: int, now: datetime) -> dict[str, int]:
    counts = {"排队": 0, "暂缓": 0, "撤回": 0}
    with writing(engine) as opened:
        take_turns(opened)
        maker = RowMaker(opened, run_no, now)
        fresh: list[Alike] = []
        forms: list[Form] = []
        for portion in portions:
            asked = Asked(opened, portion.asking, portion.part)
            rows = asked.fresh(maker)
            fresh += rows
            for some in rows:
                counts["排队" if some.like[STATE] == DUE else "暂缓"] += len(some.own)
            if not asked.untold:
                asked.refresh(run_no, now)
                counts["撤回"] += portion.asking.withdraw(opened) if portion.last else 0
            forms += asked.used(rows)
            if portion.last:
                portion.asking.keep(opened)
        insert(opened, fresh, forms)
        point("pushes.queued")
    return counts


__all__ = ["DUE", "SENT", "SUPPRESSED", "queue_pushes"]
