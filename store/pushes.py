"""推送: from a night's lists to the outbox: what is new, for whom it is held back and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from store import budgets
from store.database import writing
from store.faults import point
from store.forms import Filler, Form
from store.messages import KINDS
from store.night_grants import follow_night, open_wanted
from store.nights import UNRELEASED, later_night
from store.outbox import DUE, SENT, SUPPRESSED, Push, take_turns
from store.push_rows import FORM, STATE, Row, RowMaker, insert
from store.review import setting
from store.suppress import Facts, Holds, load_facts
from store.waiting import (
    GONE,
    REPLACED,
    Moves,
    extend,
    move,
    move_of,
    reword,
    withdraw_items,
    withdrawn,
)
from store.wanted import wanted_of
from store.words import About, Wanted, Words, version_of

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
    live: set[tuple[str, str]] = set()

    def spoken_of() -> Iterator[tuple[About, list[Wanted]]]:
        for about, wanted in wanted_of(engine, night, as_of):
            live.add((about.item.id, about.batch))
            yield about, wanted

    for portions in _portions(spoken_of()):
        for name, n in _queue(engine, portions, channels, facts, night.no, now).items():
            counts[name] += n
    counts["撤回"] += withdraw_items(engine, live)
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
    """一份: some pairs of an item; with the last ones all its pairs, so that what is no longer among them is withdrawn."""

    about: About
    part: Sequence[Wanted]
    whole: Sequence[Wanted] | None


def _portions(wanted: Iterable[tuple[About, list[Wanted]]]) -> Iterator[list[Portion]]:
    """About as many pairs at once as a transaction is worth: many small items together, a large one in several."""
    waiting: list[Portion] = []
    for about, pairs in wanted:
        for begin in range(0, len(pairs), CHUNK):
            last = begin + CHUNK >= len(pairs)
            waiting.append(Portion(about, pairs[begin : begin + CHUNK], pairs if last else None))
            if sum(len(p.part) for p in waiting) >= CHUNK:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _queue(
    engine: Engine, portions: Sequence[Portion], channels: Sequence[str], facts: Facts, run_no: int, now: datetime
) -> dict[str, int]:  # fmt: skip
    counts = {"排队": 0, "暂缓": 0, "撤回": 0}
    with writing(engine) as opened:
        take_turns(opened)
        maker = RowMaker(opened, run_no, now)
        fresh: list[Row] = []
        forms: list[Form] = []
        for portion in portions:
            asked = _Asked(opened, portion, channels, facts)
            rows = asked.fresh(maker)
            fresh += rows
            due = sum(row[STATE] == DUE for row in rows)
            counts["排队"] += due
            counts["暂缓"] += len(rows) - due
            if not asked.untold:
                asked.refresh(run_no, now)
                if portion.whole is not None:
                    counts["撤回"] += _withdraw(
                        opened, portion.about, {(w.firm, w.kind) for w in portion.whole}
                    )
            forms += asked.used(rows)
        insert(opened, fresh, forms)
        point("pushes.queued")
    return counts


Known = dict[tuple[str, str, str], Any]  # rows of the push table by firm, channel and kind


class _Asked:
    """一份的推送: a portion against what was queued of its item before."""

    def __init__(self, opened: Session, portion: Portion, channels: Sequence[str], facts: Facts):
        self._opened, self._about, self._part, self._channels = opened, portion.about, portion.part, channels
        about = portion.about
        self._holds = Holds(facts, about.item.id, about.batch, about.closes)
        self._words = Words(about, facts)
        self._reworded: set[str] = set()
        self.untold = _untold(opened, about)
        self._known = {} if self.untold else _known(opened, portion)

    def fresh(self, maker: RowMaker) -> list[Row]:
        """Rows of what nobody was told yet, in any version that may still leave."""
        rows: list[Row] = []
        known, channels = self._known, self._channels
        for wanted in self._part:
            if known:
                channels = [c for c in self._channels if self._is_new(wanted, c)]
            if channels:
                rows += maker.rows(wanted, channels, self._holds, self._words, self._about.closes)
        return rows

    def used(self, rows: Sequence[Row]) -> list[Form]:
        """The forms that these rows and those reworded are in."""
        named = {row[FORM] for row in rows} | self._reworded
        return [form for form in self._words.forms if form.id in named]

    def _is_new(self, wanted: Wanted, channel: str) -> bool:
        before = self._known.get((wanted.firm, channel, wanted.kind))
        return before is None or _outdated(before)

    def refresh(self, run_no: int, now: datetime) -> None:
        """What waits is asked again: a reason that ended lets it go, a new one holds it; its words are tonight's."""
        moves: Moves = []
        words: Moves = []
        for wanted in self._part:
            for channel in self._channels:
                push = self._known.get((wanted.firm, channel, wanted.kind))
                if push is None or push.state not in (DUE, SUPPRESSED):
                    continue
                if _outdated(push):
                    moves += [
                        {"k": push.key, "to": SUPPRESSED, "why": REPLACED, "until": None, "at": push.next_at}
                    ]
                    continue
                moves += move_of(push, self._holds.of(push.firm, channel, push.kind), now)
                words += self._new_words(push, wanted, run_no)
        move(self._opened, moves)
        reword(self._opened, words)
        extend(self._opened, self._about.item.id, self._about.batch, self._about.closes)

    def _new_words(self, push: Any, wanted: Wanted, run_no: int) -> Moves:
        """改写 of a push that nobody was sent yet, where the night says something else than it does; its number stays else."""
        if push.attempts or push.parcel or push.version != version_of(push.kind):
            return []
        forms, own = self._words.of(wanted, [push.channel], push.run_no)
        same = forms[push.channel]
        if (push.form, push.body) == (same.id, own) or (
            not push.form and (push.subject, push.body) == _filled(push, same, own)
        ):
            return []
        forms, own = self._words.of(wanted, [push.channel], run_no)
        form, kept = forms[push.channel], self._words.kept(wanted)
        self._reworded.add(form.id)
        return [
            {"k": push.key, "new_form": form.id, "new_subject": "", "new_body": own, "new_run": run_no, "new_fields": kept}
        ]  # fmt: skip


def _filled(push: Any, form: Form, own: str) -> tuple[str, str]:
    return Filler(form.subject, form.body, push.channel == "webhook").words(push.key, push.firm, own)


def _untold(opened: Session, about: About) -> bool:
    """Whether nothing at all was queued yet of an item and batch, as on its first night."""
    query = select(Push.key).where(Push.item == about.item.id, Push.batch == about.batch).limit(1)
    return opened.exec(query).first() is None


_WORDS_MAY_CHANGE = and_(
    Push.state.in_([DUE, SUPPRESSED]), Push.attempts == 0, Push.parcel == ""  # type: ignore[attr-defined,arg-type]
)  # fmt: skip
_KNOWN = (
    Push.key, Push.firm, Push.channel, Push.kind, Push.version, Push.state, Push.reason, Push.attempts, Push.parcel,
    Push.next_at, Push.run_no, Push.form, Push.subject,
    case((_WORDS_MAY_CHANGE, Push.body), else_="").label("body"),  # the longest part, of those alone that are compared
)  # fmt: skip


def _known(opened: Session, portion: Portion) -> Known:
    """Pushes of this item and batch that exist in any version, by firm, channel and kind; the furthest counts."""
    found: Known = {}
    rank = {SUPPRESSED: 0, DUE: 1}
    about, firms = portion.about, [w.firm for w in portion.part]
    query: Any = select(*_KNOWN).where(Push.item == about.item.id, Push.batch == about.batch)  # type: ignore[call-overload]
    whole = portion.whole is not None and len(portion.whole) == len(firms)
    parts = (
        [query]
        if whole
        else [query.where(Push.firm.in_(firms[at : at + 500])) for at in range(0, len(firms), 500)]  # type: ignore[attr-defined]
    )
    for part in parts:
        for push in opened.execute(part):
            key = (push.firm, push.channel, push.kind)
            other = found.get(key)
            if other is None or (rank.get(push.state, 2), push.version) > (
                rank.get(other.state, 2), other.version,
            ):  # fmt: skip
                found[key] = push
    return found


def _outdated(push: Any) -> bool:
    """Whether a push waits in words of an older template that nobody was sent yet."""
    return (
        push.state in (DUE, SUPPRESSED)
        and push.attempts == 0
        and not push.parcel
        and push.version != version_of(push.kind)
    )


def _withdraw(opened: Session, about: About, still: set[tuple[str, str]]) -> int:
    """撤回: what waits for a pair that is no longer on the list."""
    query = select(Push.key, Push.firm, Push.kind, Push.next_at).where(
        Push.item == about.item.id, Push.batch == about.batch, Push.lease == "",
        Push.state.in_([DUE, SUPPRESSED]), Push.reason.not_in([GONE, REPLACED]), Push.kind.in_(KINDS),  # type: ignore[attr-defined]
    )  # fmt: skip
    rows: Sequence[Any] = opened.exec(query).all()
    gone = [r for r in rows if (r.firm, r.kind) not in still]
    move(opened, withdrawn(gone))
    return len(gone)


__all__ = ["DUE", "SENT", "SUPPRESSED", "queue_pushes"]
