"""推送: a transactional outbox; one effect per match, channel and template version, whatever crashes or repeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Index, Text, and_, bindparam, func, or_, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Column, Field, Session, SQLModel, col, select

from store.database import json_column, session, utc_column, writing
from store.faults import point
from store.forms import Filler, PushForm
from store.push_marks import take_marks

DUE, SENT, SUPPRESSED, DEAD = STATES = ("due", "sent", "suppressed", "dead")
CHANNELS = ("webhook", "inbox", "smtp", "apprise", "sms")
STATE_WORDS = {DUE: "待发", SENT: "已发", SUPPRESSED: "暂缓", DEAD: "退信"}
CHANNEL_WORDS = {
    "webhook": "系统接口",
    "inbox": "收件箱",
    "smtp": "邮件",
    "apprise": "企业微信等",
    "sms": "短信",
}
PERSONAL = frozenset(
    {"smtp", "apprise", "sms"}
)  # channels that interrupt a person: grouped, consent, quiet period
UNSURE = frozenset({"apprise"})  # a repeated message can't be told apart there: never sent again by itself
LEASE = timedelta(seconds=120)
MOST_ATTEMPTS = 10
BACKOFF_FIRST, BACKOFF_FACTOR, BACKOFF_MOST = 2.0, 3.0, 6 * 3600.0
FAR = timedelta(days=1)


class Push(SQLModel, table=True):
    """推送: one effect; `key` names it for ever. Its words are written once, so that a repeat is the same to the byte: as
    `subject` and `body`, or as a `form` (store.forms) with the firm's own in `body`; what is read of the outbox is filled."""

    __tablename__ = "push"
    __table_args__ = (
        Index("ix_push_pair", "item", "batch", "firm"),
        Index("ix_push_order", "state", "channel", "firm"),
    )

    key: str = Field(primary_key=True, max_length=40)
    firm: str = Field(max_length=18)
    item: str = Field(max_length=128)
    batch: str = Field(max_length=32)
    channel: str = Field(max_length=16)
    kind: str = Field(max_length=16)
    version: int = 1
    state: str = Field(max_length=12)
    reason: str = Field(default="", max_length=300)
    hold_until: date | None = None
    closes: date | None = None
    attempts: int = 0
    next_at: datetime = Field(sa_column=utc_column())
    lease: str = Field(default="", max_length=40)
    leased_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    parcel: str = Field(default="", max_length=40)
    form: str = Field(default="", max_length=40)
    subject: str = Field(default="", max_length=300)
    body: str = Field(default="", sa_column=Column(Text, nullable=False))
    fields: dict[str, str] | None = Field(default=None, sa_column=json_column(nullable=True))
    run_no: int | None = None
    created: datetime = Field(sa_column=utc_column())
    sent: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    receipt: str = Field(default="", max_length=200)
    read: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))

    @property
    def text(self) -> str:
        """话: what a person reads of it, on whatever channel."""
        return str(json.loads(self.body).get("text", "")) if self.channel == "webhook" else self.body


def push_key(firm: str, item: str, batch: str, channel: str, kind: str, version: int) -> str:
    """推送号: the effect's name; those of one item and channel begin alike, so that they are written beside each other."""
    return (
        _begin(item, batch, channel, kind, version)
        + _hash(f"{firm}|{item}|{batch}|{channel}|{kind}@{version}")[:28]
    )


def push_keys(
    firms: Iterable[str], item: str, batch: str, channel: str, kind: str, version: int
) -> list[str]:
    """推送号 of many firms: as `push_key` of each."""
    begin, end = _begin(item, batch, channel, kind, version), f"|{item}|{batch}|{channel}|{kind}@{version}"
    sha = hashlib.sha256
    return [begin + sha((firm + end).encode()).hexdigest()[:28] for firm in firms]


@lru_cache(maxsize=4096)
def _begin(item: str, batch: str, channel: str, kind: str, version: int) -> str:
    return _hash(f"{item}|{batch}|{channel}|{kind}@{version}")[:12]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def worded(opened: Session, pushes: Sequence[Push]) -> None:
    """填好样张: words in place of form and own, in these objects; the rows stay as they are."""
    named = sorted({p.form for p in pushes if p.form})
    forms: dict[str, PushForm] = {}
    for begin in range(0, len(named), 500):
        query = select(PushForm).where(PushForm.id.in_(named[begin : begin + 500]))  # type: ignore[attr-defined]
        forms |= {form.id: form for form in opened.exec(query)}
    fillers: dict[tuple[str, bool], Filler] = {}
    for push in pushes:
        if not push.form:
            continue
        form, quoted = forms[push.form], push.channel == "webhook"
        filler = fillers.get((form.id, quoted)) or Filler(form.subject, form.body, quoted)
        fillers[form.id, quoted] = filler
        subject, body = filler.words(push.key, push.firm, push.body)
        for name, value in (("subject", subject), ("body", body), ("form", "")):
            set_committed_value(push, name, value)


@dataclass(frozen=True)
class Parcel:
    """一次投递: the pushes that go out as one message of one channel to one firm, under one name."""

    name: str
    channel: str
    firm: str
    pushes: tuple[Push, ...]
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """投递结果: 送达 (ok), 再试 (retry, perhaps after so many seconds), 死信 (dead) or 未试 (skipped, not counted)."""

    parcel: Parcel
    state: str
    note: str = ""
    after: float | None = None


# ---------------------------------------------------------------- taking and recording


def take_turns(opened: Session) -> None:
    """轮流: whoever changes many pushes at once waits for the others; two that lock the same rows can't wait in a ring."""
    if opened.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        opened.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(4752)")


def let_fall(engine: Engine, is_dead: Callable[[str], bool], now: datetime) -> int:
    """收回: what workers held that are dead, or whose lease has run out, is free again; how many.

    On a channel that can't tell a repeat it becomes a dead letter: nobody knows whether it went out.
    """
    with writing(engine) as opened:
        take_turns(opened)
        held = (Push.state == DUE, Push.lease != "")
        workers = opened.exec(select(Push.lease).where(*held).distinct()).all()
        dead = [w for w in workers if is_dead(w)]
        over = or_(Push.lease.in_(dead), _lease_over(now))  # type: ignore[attr-defined]
        free = {"lease": "", "leased_until": None}
        unsure = update(Push).where(*held, over, Push.channel.in_(UNSURE))  # type: ignore[arg-type,attr-defined]
        lost = opened.execute(unsure.values(state=DEAD, reason=BROKEN_OFF, **free))
        rest = opened.execute(update(Push).where(*held, over).values(**free))  # type: ignore[arg-type]
        return lost.rowcount + rest.rowcount  # type: ignore[attr-defined]


BROKEN_OFF = "发送中断，不知道是否送达：请核实后再决定是否重发"


def _lease_over(now: datetime) -> Any:
    """A lease that ran out, or is dated so far ahead that the clock must have been set back."""
    return or_(Push.leased_until <= now, Push.leased_until > now + 2 * LEASE)  # type: ignore[operator,arg-type]


def claim(
    engine: Engine, channels: Sequence[str], worker: str, now: datetime, limit: int = 500
) -> list[Parcel]:
    """领取: what is due, leased to this worker; what another let fall comes again after its lease."""
    with writing(engine) as opened:
        take_turns(opened)
        rows = _due_rows(opened, channels, now, limit)
        fallen = [r for r in rows if r.channel in UNSURE and r.leased_until is not None]
        for row in fallen:
            row.state, row.reason = DEAD, BROKEN_OFF
            row.lease, row.leased_until = "", None
        kept = [r for r in rows if r not in fallen]
        worded(opened, kept)
        parcels = _parcels(_whole_groups(kept) if len(rows) == limit else kept)
        taken = [p for parcel in parcels for p in parcel.pushes]
        marks = [
            {"k": p.key, "parcel": p.parcel, "lease": worker, "until": now + LEASE, "n": p.attempts + 1}
            for p in taken
        ]
        if marks:
            opened.connection().execute(_CLAIM, marks)
        for push in taken:
            opened.expunge(push)
    point("pushes.claimed")
    return parcels


_TABLE = Push.__table__  # type: ignore[attr-defined]
_CLAIM = (
    update(_TABLE)
    .where(_TABLE.c.key == bindparam("k"), _TABLE.c.state == DUE)
    .values(
        parcel=bindparam("parcel"),
        lease=bindparam("lease"),
        leased_until=bindparam("until"),
        attempts=bindparam("n"),
    )
)
_SENT = (
    update(_TABLE)
    .where(_TABLE.c.key == bindparam("k"), _TABLE.c.state == DUE)
    .values(
        state=SENT, sent=bindparam("at"), receipt=bindparam("note"), reason="", lease="", leased_until=None
    )
)
_FAILED = (
    update(_TABLE)
    .where(_TABLE.c.key == bindparam("k"), _TABLE.c.state == DUE)
    .values(
        state=bindparam("to"), reason=bindparam("note"), next_at=bindparam("at"), lease="", leased_until=None,
        attempts=bindparam("n"),
    )
)  # fmt: skip


def _due_rows(opened: Session, channels: Sequence[str], now: datetime, limit: int) -> list[Push]:
    free = or_(Push.leased_until.is_(None), _lease_over(now))  # type: ignore[union-attr]
    due = or_(Push.next_at <= now, Push.next_at > now + FAR)  # type: ignore[arg-type]
    rows: list[Push] = []
    for channel in channels:  # one by one, so that the index gives the order
        query = select(Push).where(Push.state == DUE, Push.channel == channel, due, free)
        query = query.order_by(Push.firm, Push.key).limit(limit - len(rows))
        rows += opened.exec(query.with_for_update(skip_locked=True)).all()
        if len(rows) >= limit:
            break
    return rows


def _whole_groups(rows: list[Push]) -> list[Push]:
    """Rows without the last personal group, which the limit may have cut; all where it is the only one."""
    last = rows[-1] if rows else None
    if last is None or last.channel not in PERSONAL:
        return rows
    whole = [r for r in rows if (r.channel, r.firm) != (last.channel, last.firm)]
    return whole or rows


def _parcels(rows: list[Push]) -> list[Parcel]:
    """One message a push; on personal channels one a firm. A parcel once made stays together under its name."""
    groups: dict[tuple[str, str, str], list[Push]] = {}
    for row in rows:
        alone = row.parcel or (row.key if row.channel not in PERSONAL else "")
        groups.setdefault((row.channel, row.firm, alone), []).append(row)
    parcels = []
    for (channel, firm, name), members in groups.items():
        name = name or hashlib.sha256("|".join(m.key for m in members).encode()).hexdigest()[:40]
        for member in members:
            member.parcel = name
        parcels.append(Parcel(name, channel, firm, tuple(members), max(m.attempts for m in members) + 1))
    return parcels


def record(engine: Engine, outcomes: Sequence[Outcome], now: datetime) -> None:
    """记结果: sent, to be tried again later, or dead; one transaction."""
    point("pushes.delivered")
    sent, failed = [], []
    for outcome in outcomes:
        for push in outcome.parcel.pushes:
            if outcome.state == SENT:
                sent.append({"k": push.key, "at": now, "note": outcome.note[:200]})
            else:
                failed.append(_failure(push, outcome, now))
    with writing(engine) as opened:
        take_turns(opened)
        connection = opened.connection()
        for statement, marks in ((_SENT, sent), (_FAILED, failed)):
            if marks:
                connection.execute(statement, marks)
    point("pushes.recorded")


def _failure(push: Push, outcome: Outcome, now: datetime) -> dict[str, object]:
    tried = outcome.parcel.attempts
    if outcome.state == "skipped":
        return {"k": push.key, "to": DUE, "note": outcome.note[:300], "at": now, "n": push.attempts}
    dead = outcome.state == DEAD or tried >= MOST_ATTEMPTS
    wait = backoff(push.key, tried) if outcome.after is None else min(outcome.after, BACKOFF_MOST)
    return {
        "k": push.key, "to": DEAD if dead else DUE, "note": outcome.note[:300],
        "at": now + timedelta(seconds=wait), "n": tried,
    }  # fmt: skip


def backoff(key: str, attempts: int) -> float:
    """退避: seconds until the next attempt, growing, spread by the push's own name."""
    base = min(BACKOFF_FIRST * BACKOFF_FACTOR ** (attempts - 1), BACKOFF_MOST)
    return base * (0.8 + int(key[-4:], 16) / 0xFFFF * 0.4)


# ---------------------------------------------------------------- reading and settling


def list_pushes(
    engine: Engine, *, states: Iterable[str] | None = None, firm: str | None = None, channel: str | None = None,
    limit: int | None = None, reason: str | None = None, items: Sequence[str] | None = None,
) -> list[Push]:  # fmt: skip
    """推送清单, by firm, item and channel."""
    query = select(Push).order_by(Push.firm, Push.item, Push.channel, Push.key)
    if states is not None:
        query = query.where(Push.state.in_(list(states)))  # type: ignore[attr-defined]
    if firm is not None:
        # every state and channel is named, so that the one index by firm is used
        query = query.where(Push.firm == firm, col(Push.state).in_(STATES), col(Push.channel).in_(CHANNELS))
    if channel is not None:
        query = query.where(Push.channel == channel)
    if reason is not None:
        query = query.where(Push.reason == reason)
    if items is not None:
        query = query.where(Push.item.in_(items))  # type: ignore[attr-defined]
    with session(engine) as opened:
        found = list(opened.exec(query.limit(limit) if limit else query).all())
        worded(opened, found)
        return found


def pushes_after(
    engine: Engine, state: str, after: str, size: int, *, channels: Sequence[str] = CHANNELS, reason: str | None = None,
    items: Sequence[str] | None = None,
) -> tuple[list[Push], str]:  # fmt: skip
    """推送的一页, by firm, item and channel, of the firms whose codes come after `after`: `size` of them or so, since a
    firm's stand on one page; and the last firm of a page that is not the last, else "".

    Each channel is read off the index of states, channels and firms, so that a page costs the same wherever it lies.
    """

    def within(query: Any, channel: str) -> Any:
        query = query.where(Push.state == state, Push.channel == channel, Push.firm > after)
        query = query.where(Push.reason == reason) if reason is not None else query
        return query if items is None else query.where(col(Push.item).in_(items))

    with session(engine) as opened:
        firms: list[str] = []
        for channel in channels:
            query = within(select(Push.firm), channel).order_by(Push.firm).limit(size)
            firms += opened.exec(query).all()
        firms.sort()
        last = firms[size - 1] if len(firms) >= size else ""
        found: list[Push] = []
        for channel in channels:
            query = within(select(Push), channel)
            found += opened.exec(query.where(Push.firm <= last) if last else query).all()
        worded(opened, found)
    return sorted(found, key=lambda p: (p.firm, p.item, p.channel, p.key)), last


def counts(engine: Engine, items: Sequence[str] | None = None) -> dict[tuple[str, str], int]:
    """推送计数 by (channel, state), of all or of some items."""
    with session(engine) as opened:
        query: Any = select(Push.channel, Push.state, func.count()).group_by(Push.channel, Push.state)
        if items is not None:
            query = query.where(col(Push.item).in_(items))
        return {(channel, state): n for channel, state, n in opened.exec(query).all()}


def unopened_words(counted: Mapping[tuple[str, str], int]) -> str:
    """没通的渠道: where messages wait and nothing was ever sent while others send; whether it is set up only the sender knows."""
    going = {c for (c, state), n in counted.items() if state == SENT and n}
    never = [
        f"{CHANNEL_WORDS[c]} {n:,} 条"
        for (c, state), n in counted.items()
        if state == DUE and n and c not in going
    ]
    return f"{'、'.join(never)}从没发出过：渠道没接上，或对方没收下" if never and going else ""


def reasons(engine: Engine, items: Sequence[str] | None = None, state: str = SUPPRESSED) -> dict[str, int]:
    """暂缓（或退信）的原因 and how many pushes each holds, the most first."""
    with session(engine) as opened:
        query = select(Push.reason, func.count()).where(Push.state == state).group_by(Push.reason)
        if items is not None:
            query = query.where(Push.item.in_(items))  # type: ignore[attr-defined]
        return dict(sorted(opened.exec(query).all(), key=lambda r: (-r[1], r[0])))


def next_due(engine: Engine, channels: Sequence[str]) -> datetime | None:
    """下一次该发的时刻."""
    with session(engine) as opened:
        free = (Push.state == DUE, Push.lease == "", Push.channel.in_(channels))  # type: ignore[attr-defined]
        query = select(func.min(Push.next_at)).where(*free)
        return opened.exec(query).one()


def resend(engine: Engine, key: str, now: datetime, items: Sequence[str] | None = None) -> Push:
    """重发死信: due again under the same name; only of `items` where they are given. Raises ValueError."""
    with writing(engine) as opened:
        push = opened.exec(select(Push).where(Push.key == key).with_for_update()).one_or_none()
        if push is None or push.state != DEAD or (items is not None and push.item not in items):
            raise ValueError(f"{key} 不是死信，不能重发")
        push.state, push.attempts, push.next_at, push.reason = DUE, 0, now, "人工重发"
        take_marks(opened, [(push.item, push.batch)])
        worded(opened, [push])
        return push


def mark_read(engine: Engine, keys: Sequence[str], at: datetime) -> int:
    """已读: the first reading of pushes, in one transaction; how many were not read before."""
    if not keys:
        return 0
    with writing(engine) as opened:
        statement = update(Push).where(and_(Push.key.in_(keys), Push.read.is_(None))).values(read=at)  # type: ignore[union-attr,attr-defined]
        return int(opened.execute(statement).rowcount)  # type: ignore[attr-defined]


def inbox(engine: Engine, firm: str) -> list[Push]:
    """企业收件箱: what was put into a firm's inbox, newest first."""
    with session(engine) as opened:
        query = select(Push).where(Push.firm == firm, Push.channel == "inbox", Push.state == SENT)
        found = list(opened.exec(query.order_by(Push.sent.desc())).all())  # type: ignore[union-attr]
        worded(opened, found)
        return found
