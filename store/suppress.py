"""暂缓: why a firm that fits is not told now; each rule with its reason, the first that holds counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlalchemy.engine import Engine
from sqlmodel import select

from engine.grantmoves import FINAL, State
from store.database import session
from store.grants import Standing, standings
from store.messages import KINDS
from store.outbox import PERSONAL, SENT, Push
from store.reach import FirmReach
from store.review import ReviewDecision, setting, states


@dataclass(frozen=True)
class Facts:
    """暂缓所看的事实, loaded once a night."""

    today: date
    reach: Mapping[str, FirmReach]
    grants: Mapping[tuple[str, str, str], Standing]
    decided: Mapping[tuple[str, str, str], str]
    paid: frozenset[tuple[str, str]]
    last_sent: Mapping[tuple[str, str], date]
    quiet: tuple[tuple[date, date], ...]
    every: int


@dataclass(frozen=True)
class Asked:
    """要推的一条."""

    firm: str
    item: str
    batch: str
    channel: str
    kind: str
    closes: date | None = None


@dataclass(frozen=True)
class Held:
    """暂缓: the reason and the day it ends by itself (None: when its cause ends)."""

    reason: str
    until: date | None = None


Rule = Callable[[Asked, Facts], Held | None]


def _stopped(asked: Asked, facts: Facts) -> Held | None:
    row = facts.reach.get(asked.firm)
    if row is not None and row.stopped and asked.channel != "inbox":
        return Held("企业不再接收通知")
    return None


def _consent(asked: Asked, facts: Facts) -> Held | None:
    row = facts.reach.get(asked.firm)
    if row is not None and row.consent is False and asked.channel != "inbox":
        return Held("企业不同意接收通知")
    if asked.channel in PERSONAL and (row is None or row.consent is None):
        return Held("还没有取得企业同意")
    return None


def _refused(asked: Asked, facts: Facts) -> Held | None:
    row = facts.reach.get(asked.firm)
    return Held("企业表示不要这一项") if row is not None and asked.item in row.refused else None


def _contact(asked: Asked, facts: Facts) -> Held | None:
    needs = {"smtp": "email", "sms": "phone"}.get(asked.channel)
    if needs is None:
        return None
    row = facts.reach.get(asked.firm)
    if row is None or not getattr(row, needs):
        return Held("没有联系方式：缺邮箱" if needs == "email" else "没有联系方式：缺手机号")
    return None


def _credit(asked: Asked, facts: Facts) -> Held | None:
    row = facts.reach.get(asked.firm)
    if row is not None and row.hold and (row.hold_until is None or row.hold_until > facts.today):
        return Held(f"信用暂缓：{row.hold}", row.hold_until)
    grant = facts.grants.get((asked.firm, asked.item, asked.batch))
    return Held("信用暂缓：信用核查未过") if grant is not None and grant.state == State.HELD.value else None


def _progress(asked: Asked, facts: Facts) -> Held | None:
    grant = facts.grants.get((asked.firm, asked.item, asked.batch))
    if grant is None:
        return None
    if grant.arrived or State(grant.state) in (State.ARRIVED, State.PAYING):
        return Held("本批次已兑现")
    if State(grant.state) in FINAL:
        return Held(f"兑现事项已{grant.state}")
    if asked.kind == "inform" and grant.state != State.INVITED.value:
        return Held(f"企业已申报，{grant.state}中")
    ready = {"confirm": State.CONFIRM, "invite": State.INVITED}.get(asked.kind)
    return None if ready is None or grant.state == ready.value else Held(f"{grant.state}中")


def _closed(asked: Asked, facts: Facts) -> Held | None:
    """A batch that has closed takes nobody in: its invitations are pointless; a confirmation has its grant's own day."""
    if asked.kind == "confirm":
        grant = facts.grants.get((asked.firm, asked.item, asked.batch))
        over = grant is not None and grant.due is not None and grant.due < facts.today
        return Held(f"确认期限 {grant.due} 已过") if grant is not None and over else None
    late = asked.closes is not None and asked.closes < facts.today
    return Held(f"批次已于 {asked.closes} 截止") if late else None


def _automatic_without_grant(asked: Asked, facts: Facts) -> Held | None:
    known = (asked.firm, asked.item, asked.batch) in facts.grants
    return Held("比对中") if asked.kind == "confirm" and not known else None


def _paid_this_year(asked: Asked, facts: Facts) -> Held | None:
    return Held("本年已享受这一项") if (asked.firm, asked.item) in facts.paid else None


DECLINED = ("未纳入", "待复核", "暂缓", "被退回")


def _decided(asked: Asked, facts: Facts) -> Held | None:
    word = facts.decided.get((asked.item, asked.batch, asked.firm), "")
    return Held(f"名单复核：{word}") if word.startswith(DECLINED) else None


def _quiet(asked: Asked, facts: Facts) -> Held | None:
    if asked.channel == "inbox":
        return None
    for start, end in facts.quiet:
        if start <= facts.today <= end:
            return Held(f"静默期到 {end}", end + timedelta(days=1))
    last = facts.last_sent.get((asked.firm, asked.channel))
    if asked.channel in PERSONAL and asked.kind != "confirm" and last is not None:
        row = facts.reach.get(asked.firm)
        own = (row.every_days or 0) if row is not None else 0
        every = max(facts.every, own)  # a firm may ask for fewer messages, never for more
        free = last + timedelta(days=every)
        if free > facts.today:
            whose = "企业要的间隔：" if own > facts.every else "静默期："
            return Held(f"{whose}{every}天内通知过一次，{free} 再发", free)
    return None


RULES: tuple[Rule, ...] = (
    _stopped, _refused, _consent, _contact, _credit, _paid_this_year, _progress, _automatic_without_grant, _closed,
    _decided, _quiet,
)  # fmt: skip


OF_A_CASE: tuple[Rule, ...] = (_stopped, _consent, _contact)


def held(asked: Asked, facts: Facts) -> Held | None:
    """是否暂缓: the first rule that holds, or None: it may go. What is told of a firm's own case waits for no quiet period."""
    rules = RULES if asked.kind in KINDS else OF_A_CASE
    return next((found for rule in rules if (found := rule(asked, facts)) is not None), None)


class Holds:
    """一事项的暂缓: `held` for pairs of one item and batch; firms that no fact speaks of are all held alike, asked once."""

    def __init__(self, facts: Facts, item: str, batch: str, closes: date | None):
        self._facts, self._item, self._batch, self._closes = facts, item, batch, closes
        self._alike: dict[tuple[str, str], Held | None] = {}
        self._anybody = bool(facts.reach or facts.grants or facts.decided or facts.paid or facts.last_sent)

    def of(self, firm: str, channel: str, kind: str) -> Held | None:
        """是否暂缓 of one firm, channel and kind."""
        if self._spoken_of(firm, channel):
            return held(Asked(firm, self._item, self._batch, channel, kind, self._closes), self._facts)
        if (channel, kind) not in self._alike:
            asked = Asked(firm, self._item, self._batch, channel, kind, self._closes)
            self._alike[channel, kind] = held(asked, self._facts)
        return self._alike[channel, kind]

    def among(self, firms: Sequence[str], channel: str, kind: str) -> dict[Held | None, Sequence[int]]:
        """各种暂缓 of many firms: their places by what holds them."""
        if not firms:
            return {}
        if not self._anybody:
            return {self.of(firms[0], channel, kind): range(len(firms))}
        found: dict[Held | None, list[int]] = {}
        for place, firm in enumerate(firms):
            found.setdefault(self.of(firm, channel, kind), []).append(place)
        return dict(found)

    def _spoken_of(self, firm: str, channel: str) -> bool:
        facts, item, batch = self._facts, self._item, self._batch
        return self._anybody and (
            firm in facts.reach
            or (firm, item, batch) in facts.grants
            or (item, batch, firm) in facts.decided
            or (firm, item) in facts.paid
            or (firm, channel) in facts.last_sent
        )


def load_facts(engine: Engine, today: date) -> Facts:
    """读暂缓所看的事实."""
    settings = setting(engine, "push", {}) or {}
    quiet = tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in settings.get("quiet", []))
    with session(engine) as opened:
        reach = {r.code: r for r in opened.exec(select(FirmReach)).all()}
        decided = states(opened.exec(select(ReviewDecision)).all(), {}, today)
        sent = select(Push.firm, Push.channel, func.max(Push.sent)).where(
            Push.state == SENT, Push.channel.in_(PERSONAL)  # type: ignore[attr-defined]
        )  # fmt: skip
        last = {
            (f, c): at.date() for f, c, at in opened.exec(sent.group_by(Push.firm, Push.channel)).all() if at
        }
    grants = {(g.code, g.item, g.batch): g for g in standings(engine)}
    paid = frozenset((g.code, g.item) for g in grants.values() if g.arrived and g.since.year == today.year)
    words = {key: state.word for key, state in decided.items()}
    return Facts(today, reach, grants, words, paid, last, quiet, int(settings.get("every_days", 7)))
