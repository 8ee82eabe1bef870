"""问一事项的推送: what a night says of an item, against what was queued of it before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import and_, bindparam, case
from sqlmodel import Session, select

from store.forms import Filler, Form
from store.messages import KINDS
from store.outbox import DUE, SUPPRESSED, Push
from store.push_marks import Mark, keep_mark, take_marks
from store.push_rows import FORM, Alike, RowMaker
from store.suppress import Facts, Holds
from store.waiting import OVER, REPLACED, Moves, extend, move, move_of, reword, withdrawn
from store.words import About, Told, Wanted, Words, terms, version_of

_PUSH = Push.__table__.c  # type: ignore[attr-defined]
Known = dict[tuple[str, str, str], Any]  # rows of the push table by firm, channel and kind


@dataclass(frozen=True)
class Asking:
    """一事项要告知的: all its pairs, on which channels, and what may hold them back."""

    about: About
    told: list[Told]
    channels: Sequence[str]
    facts: Facts
    quick: str = ""  # see push_unchanged

    @cached_property
    def holds(self) -> Holds:
        return Holds(self.facts, self.about.item.id, self.about.batch, self.about.closes)

    @cached_property
    def words(self) -> Words:
        return Words(self.about, self.facts)

    @cached_property
    def mark(self) -> str:
        """记号: the same as long as queueing would change nothing: a hash of the pairs with their sums, of the words, and of
        what holds each firm back."""
        digest = hashlib.sha256(software().encode())

        def put(value: Any) -> None:
            digest.update(repr(value).encode() + b"\n")

        put((terms(self.about, sorted({group.kind for group in self.told})), list(self.channels)))
        for group in self.told:
            put(tuple(group))
            for channel in self.channels:
                for stop, places in self.holds.among(group.firms, channel, group.kind).items():
                    put((channel, stop, places))
            if group.kind == "confirm":
                grants, item, batch = self.facts.grants, self.about.item.id, self.about.batch
                put([grants.get((firm, item, batch)) for firm in group.firms])
        return digest.hexdigest()

    def keep(self, opened: Session) -> None:
        """留记号; none where something of the item is just being sent, since that could not be changed."""
        item, batch = self.about.item.id, self.about.batch
        if opened.connection().execute(_SENDING, {"i": item, "b": batch}).first() is None:
            keep_mark(opened, item, batch, Mark(self.mark, self.quick))
        else:
            take_marks(opened, [(item, batch)])

    def withdraw(self, opened: Session) -> int:
        """撤回: what waits for a pair that is no longer on the list; how many."""
        still = {(firm, group.kind) for group in self.told for firm in group.firms}
        query = select(Push.key, Push.firm, Push.kind, Push.next_at).where(
            Push.item == self.about.item.id, Push.batch == self.about.batch, Push.lease == "",
            Push.state.in_([DUE, SUPPRESSED]), Push.reason.not_in(OVER), Push.kind.in_(KINDS),  # type: ignore[attr-defined]
        )  # fmt: skip
        rows: Sequence[Any] = opened.exec(query).all()
        gone = [r for r in rows if (r.firm, r.kind) not in still]
        move(opened, withdrawn(gone, {firm for firm, _ in still}))
        return len(gone)


@cache
def software() -> str:
    """The code that decides what is queued: after an upgrade everything is asked once again."""
    digest = hashlib.sha256()
    for path in sorted([*Path(__file__).parent.glob("*.py"), *Path(__file__).parent.glob("messages/*.txt")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class Asked:
    """一份的推送: some pairs of an item against what was queued of them before."""

    def __init__(self, opened: Session, asking: Asking, part: Sequence[Told]):
        self._opened, self._part = opened, part
        self._about, self._channels = asking.about, asking.channels
        self._holds, self._words = asking.holds, asking.words
        self._reworded: set[str] = set()
        self.untold = _untold(opened, asking.about)
        whole = sum(len(g.firms) for g in part) == sum(len(g.firms) for g in asking.told)
        self._known = {} if self.untold else _known(opened, asking.about, part, whole)

    def fresh(self, maker: RowMaker) -> list[Alike]:
        """Rows of what nobody was told yet, in any version that may still leave."""
        rows: list[Alike] = []
        for group in self._part:
            if not self._known and group.kind != "confirm":
                rows += maker.alike(self._about, group, self._channels, self._holds, self._words)
                continue
            for wanted in group.wanted(self._about):
                channels = [c for c in self._channels if self._is_new(wanted, c)]
                if channels:
                    rows += maker.one(wanted, channels, self._holds, self._words, self._about.closes)
        return rows

    def used(self, rows: Sequence[Alike]) -> list[Form]:
        """The forms that these rows and those reworded are in."""
        named = {some.like[FORM] for some in rows} | self._reworded
        return [form for form in self._words.forms if form.id in named]

    def _is_new(self, wanted: Wanted, channel: str) -> bool:
        before = self._known.get((wanted.firm, channel, wanted.kind))
        return before is None or _outdated(before)

    def _each(self) -> Iterator[tuple[Wanted, Any]]:
        """The pairs with what was queued of them, channel by channel."""
        for group in self._part:
            for wanted in group.wanted(self._about):
                for channel in self._channels:
                    push = self._known.get((wanted.firm, channel, wanted.kind))
                    if push is not None:
                        yield wanted, push

    def refresh(self, run_no: int, now: datetime) -> None:
        """What waits is asked again: a reason that ended lets it go, a new one holds it; its words are tonight's."""
        moves: Moves = []
        words: Moves = []
        for wanted, push in self._each():
            if push.state not in (DUE, SUPPRESSED):
                continue
            if _outdated(push):
                moves += [
                    {"k": push.key, "to": SUPPRESSED, "why": REPLACED, "until": None, "at": push.next_at}
                ]
                continue
            moves += move_of(push, self._holds.of(push.firm, push.channel, push.kind), now)
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
    return opened.connection().execute(_TOLD, {"i": about.item.id, "b": about.batch}).first() is None


# put together once: a night asks each of a thousand items
_OF = and_(_PUSH.item == bindparam("i"), _PUSH.batch == bindparam("b"))
_TOLD = select(_PUSH.key).where(_OF).limit(1)
_SENDING = select(_PUSH.key).where(_OF, _PUSH.state.in_([DUE, SUPPRESSED]), _PUSH.lease != "").limit(1)

_WORDS_MAY_CHANGE = and_(
    Push.state.in_([DUE, SUPPRESSED]), Push.attempts == 0, Push.parcel == ""  # type: ignore[attr-defined,arg-type]
)  # fmt: skip
_KNOWN = (
    Push.key, Push.firm, Push.channel, Push.kind, Push.version, Push.state, Push.reason, Push.attempts, Push.parcel,
    Push.next_at, Push.run_no, Push.form, Push.subject,
    case((_WORDS_MAY_CHANGE, Push.body), else_="").label("body"),  # the longest part, of those alone that are compared
)  # fmt: skip


def _known(opened: Session, about: About, part: Sequence[Told], whole: bool) -> Known:
    """Pushes of this item and batch that exist in any version, by firm, channel and kind; the furthest counts."""
    found: Known = {}
    rank = {SUPPRESSED: 0, DUE: 1}
    firms = [firm for group in part for firm in group.firms]
    query: Any = select(*_KNOWN).where(Push.item == about.item.id, Push.batch == about.batch)  # type: ignore[call-overload]
    parts = (
        [query]
        if whole
        else [query.where(Push.firm.in_(firms[at : at + 500])) for at in range(0, len(firms), 500)]  # type: ignore[attr-defined]
    )
    for one in parts:
        for push in opened.execute(one):
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
