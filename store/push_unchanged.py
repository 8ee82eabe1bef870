"""没有变的事项: of whose pairs, words and reasons to hold back all is as when its pushes were last asked, known without reading a pair.

The second half of a mark (see push_marks). It hangs on the content sums of the night, so that an item of which nothing
changed costs a night what its words cost, and not what its pairs do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Engine

from store.approved import approved_against
from store.messages import KINDS
from store.night_index import content_sums
from store.outbox import PERSONAL
from store.push_marks import HALF, all_marks, keep_quick
from store.review import setting
from store.suppress import Facts
from store.words import About, terms

if TYPE_CHECKING:
    from store.nights import Night

Pair = tuple[str, str]


class Unchanged:
    """没有变的事项 of a night; `live` gathers those of them that somebody is to be told of."""

    def __init__(
        self, engine: Engine, night: Night, as_of: date, channels: Sequence[str], facts: Facts, software: str
    ):
        self._engine, self._facts, self._as_of = engine, facts, as_of
        self._sums = content_sums(night.folder)
        self._approved = approved_against(engine, as_of)
        asks = bool((setting(engine, "push", {}) or {}).get("ask_firms", True))
        self._all = repr((software, list(channels), asks, sorted(KINDS), _of_firms(facts)))
        self._of_item, self._paid = _by_item(facts), _paid_of(facts)
        self._marks = all_marks(engine)
        self._asked: dict[Pair, str] = {}
        self.live: set[Pair] = set()

    def key(self, about: About) -> str:
        """没有变的钥匙, "" where the pairs would have to be read to know."""
        pair = about.item.id, about.batch
        if self._sums is None or self._approved.get(pair):
            return ""
        late = about.closes < self._as_of
        known = (self._of_item.get(pair, ()), self._paid.get(about.item.id, ()), self._sums.get(pair, ""))
        said = (self._all, terms(about, sorted(KINDS)), late, known)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:HALF]

    def is_new(self, about: About) -> bool:
        """要不要看它的对子."""
        pair, key = (about.item.id, about.batch), self.key(about)
        mark = self._marks.get(pair)
        if key and mark is not None and mark.quick == key:
            if not mark.silent:
                self.live.add(pair)
            return False
        self._asked[pair] = key
        return True

    def quick(self, about: About) -> str:
        """The key of an item that was asked for."""
        return self._asked.get((about.item.id, about.batch), "")

    def close(self, stood: Mapping[Pair, str], spoken: Collection[Pair]) -> None:
        """记下 of the items that were looked at: those that turned out unchanged (`stood`, with what their pairs were read as), and
        those of which nobody is to be told."""
        asked = {pair: key for pair, key in self._asked.items() if key}
        still = {pair: (pairs, asked[pair]) for pair, pairs in stood.items() if pair in asked}
        keep_quick(self._engine, still, {pair: key for pair, key in asked.items() if pair not in spoken})


def _of_firms(facts: Facts) -> str:
    """What of all items holds firms back today, told so that another day alone changes nothing."""
    today, digest = facts.today, hashlib.sha256()

    def put(value: Any) -> None:
        digest.update(repr(value).encode() + b"\n")

    for code in sorted(facts.reach):
        row = facts.reach[code]
        put((code, sorted(row.model_dump().items()), row.hold_until is not None and row.hold_until > today))
    for (firm, channel), last in sorted(facts.last_sent.items()):
        row_ = facts.reach.get(firm)
        free = last + timedelta(days=max(facts.every, (row_.every_days or 0) if row_ is not None else 0))
        if channel in PERSONAL and free > today:
            put((firm, channel, free))
    put(([(a, b) for a, b in facts.quiet if a <= today <= b], facts.every))
    put(bool(facts.reach or facts.grants or facts.decided or facts.paid or facts.last_sent))
    return digest.hexdigest()


def _by_item(facts: Facts) -> dict[Pair, list[str]]:
    """What is known of grants and decisions, by item and batch."""
    found: dict[Pair, list[str]] = defaultdict(list)
    for (firm, item, batch), grant in facts.grants.items():
        late = grant.due is not None and grant.due < facts.today
        found[item, batch].append(repr((firm, grant, late)))
    for (item, batch, firm), word in facts.decided.items():
        found[item, batch].append(repr((firm, word)))
    return {pair: sorted(texts) for pair, texts in found.items()}


def _paid_of(facts: Facts) -> dict[str, list[str]]:
    """Who was paid this year, by item, whatever the batch."""
    found: dict[str, list[str]] = defaultdict(list)
    for firm, item in sorted(facts.paid):
        found[item].append(firm)
    return dict(found)
