"""推送: from a night's lists to the outbox: what is new, for whom it is held back and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from engine.grantmoves import AUTOMATIC, ONCE, State, variant_of
from engine.indicators import SELF_REPORTED
from engine.policy import PolicyItem
from policies.readiness import readiness
from store import grants
from store.calendars import office_calendar
from store.database import to_fen, writing
from store.faults import point
from store.messages import money_words, template
from store.outbox import DUE, SENT, SUPPRESSED, Push, push_key
from store.review import setting
from store.suppress import Asked, Facts, held, load_facts

if TYPE_CHECKING:
    from engine.program import Program
    from store.nights import Night

ALWAYS = ("webhook", "inbox")
CODE, NAME = "统一社会信用代码", "企业名称"
MOST_QUESTIONS = 2
CHUNK = 2000


@dataclass(frozen=True)
class Wanted:
    """要告知的一条: a pair of the night with its words; amounts in yuan, None unknown."""

    firm: str
    name: str
    item: str
    batch: str
    kind: str
    verdict: str
    low: float | None
    high: float | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """事项的话: what every message of one item and batch says."""

    item: PolicyItem
    batch: str
    delivery: str
    fields: Mapping[str, str]
    why: tuple[str, ...]
    questions: Mapping[str, str]
    opens: date
    closes: date


def queue_pushes(engine: Engine, night: Night, as_of: date, now: datetime) -> dict[str, int]:
    """排队推送: grants opened, then pushes due and held back of a night; safe to repeat. A held night queues nothing."""
    if night.state == "扣下":
        return {"扣下": 1}
    counts = {"立项": _open_grants(engine, night, as_of, now), "排队": 0, "暂缓": 0, "撤回": 0}
    channels = channels_of(engine)
    facts = load_facts(engine, as_of)
    for about, wanted in wanted_of(engine, night, as_of):
        for name, n in _queue_item(engine, about, wanted, channels, facts, night.no, now).items():
            counts[name] += n
    return counts


def channels_of(engine: Engine) -> tuple[str, ...]:
    """启用的渠道: webhook and inbox, and those the office switched on."""
    chosen = (setting(engine, "push", {}) or {}).get("channels", [])
    return tuple(dict.fromkeys((*ALWAYS, *chosen)))


# ---------------------------------------------------------------- what a night wants to say


def wanted_of(engine: Engine, night: Night, as_of: date) -> Iterator[tuple[About, list[Wanted]]]:
    """要告知的: per item of a night, the pairs that are to hear of it."""
    library = night.library()
    ask_firms = bool((setting(engine, "push", {}) or {}).get("ask_firms", True))
    for row in night.items().itertuples():
        program = library.program(str(row.item))
        if program is None or program.item.category == "资质":
            continue
        about = about_item(program, str(row.batch), works_as(night, program, str(row.batch)))
        begun = {g.code: g.variant for g in grants.find(engine, item=about.item.id, batch=about.batch)}
        wanted = list(_pairs(night, about, ask_firms, begun))
        if wanted:
            yield about, wanted


def works_as(night: Night, program: Program, batch: str) -> str:
    """实际按什么办: an item declared 免申即享 falls back by itself on a night whose data are not whole."""
    if program.item.delivery != AUTOMATIC:
        return program.item.delivery
    return readiness(program, batch, night.columns()).works_as


def _pairs(night: Night, about: About, ask_firms: bool, begun: Mapping[str, str]) -> Iterator[Wanted]:
    """The pairs to tell; a grant that has begun goes on as it began, whatever its item is today."""
    usual = variant_of(about.delivery)
    frame = night.hits(about.item.id)
    if not len(frame):
        return
    names = [CODE, NAME, "verdict", "paid_low", "paid_high", "gave_way", "unknown"]
    for code, name, verdict, low, high, gave, unknown in frame[names].itertuples(index=False, name=None):
        if gave:
            continue
        open_ids = tuple(unknown) if verdict == "待核实" else ()
        askable = (
            ask_firms and 0 < len(open_ids) <= MOST_QUESTIONS and all(u in about.questions for u in open_ids)
        )
        kind = {AUTOMATIC: "confirm", ONCE: "invite"}.get(begun.get(code, usual), "inform")
        if verdict == "符合" or askable:
            yield Wanted(
                code, name or code, about.item.id, about.batch, kind if verdict == "符合" else "ask", verdict,
                _number(low), _number(high), open_ids,
            )  # fmt: skip


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def about_item(program: Program, batch: str, delivery: str) -> About:
    """事项的话: title, document, why, questions a firm can answer, by when, whom to ask."""
    item, document = program.item, program.document
    window = item.batch(batch)
    if window is None:
        raise ValueError(f"{item.id} 没有 {batch} 这个批次")
    guide = {k: str(v) for k, v in item.guide}
    shown = [c.condition for c in program.conditions if not c.condition.hidden]
    fields = {
        "title": item.title,
        "document": f"《{document.title}》",
        "number": document.number or "文号未录",
        "materials": f"，另交{'、'.join(item.materials)}" if item.materials else "",
        "deadline": f"，{item.deadline}内到账" if item.deadline else "",
        "channel": guide.get("channel") or item.department or "政策办",
        "contact": "，".join(filter(None, (guide.get("contact") or item.department, guide.get("phone"))))
        or "政策办",
        "complaint": guide.get("complaint") or "12345",
    }
    why = tuple(f"{c.quote}（{c.cite}）" for c in shown if c.quote)
    return About(item, batch, delivery, fields, why, _questions(program), window.opens, window.closes)


def _questions(program: Program) -> dict[str, str]:
    """Numbered conditions that a firm itself can clear up: every leaf reads what firms report, none is hidden."""
    from engine.expression import references, walk
    from engine.program import tree_expressions
    from profiles.dictionary import builtin_dictionary

    dictionary = builtin_dictionary()
    found = {}
    for one in program.conditions:
        nodes = list(one.condition.walk())
        if any(n.hidden or n.kind == "ask" for n in nodes):
            continue
        names = {name for e in tree_expressions(one.tree) for part in walk(e) for name, _ in references(part)}
        own = [n for n in names if n in dictionary and dictionary[n].source == SELF_REPORTED]
        if own:
            found[one.id] = f"{'、'.join(sorted(own))}：{one.condition.quote}"
    return found


# ---------------------------------------------------------------- grants


def _open_grants(engine: Engine, night: Night, as_of: date, now: datetime) -> int:
    """免申即享 goes on the list, 即申即享 gets its prefilled form; the rest waits for an application."""
    opened = 0
    calendar = office_calendar(engine)
    for about, wanted in wanted_of(engine, night, as_of):
        variant = variant_of(about.delivery)
        if variant not in (AUTOMATIC, ONCE) or about.item.category not in ("奖补", "减免"):
            continue
        found = [new_grant(about, w, variant, night.no) for w in wanted if w.verdict == "符合"]
        opened += grants.open_grants(engine, found, as_of, now, calendar)
    return opened


def new_grant(about: About, wanted: Wanted, variant: str, run_no: int | None) -> grants.NewGrant:
    """待立项: of a pair that fits."""
    high = None if wanted.high is None else to_fen(wanted.high)
    exact = wanted.high is not None and wanted.low == wanted.high
    days = dict(about.item.guide).get("publicity")
    digits = "".join(ch for ch in str(days or "") if ch.isdigit())
    return grants.NewGrant(
        wanted.firm, wanted.name, wanted.item, wanted.batch, about.item.title, about.item.department, variant,
        high if exact else None, high, int(digits) if digits else 5, run_no,
    )  # fmt: skip


# ---------------------------------------------------------------- into the outbox


def _queue_item(
    engine: Engine, about: About, wanted: Sequence[Wanted], channels: Sequence[str], facts: Facts, run_no: int,
    now: datetime,
) -> dict[str, int]:  # fmt: skip
    counts = {"排队": 0, "暂缓": 0, "撤回": 0}
    for begin in range(0, len(wanted), CHUNK):
        part = wanted[begin : begin + CHUNK]
        with writing(engine) as opened:
            known = _known(opened, about, [w.firm for w in part])
            rows = [
                row
                for w in part
                for channel in channels
                if (row := _row(about, w, channel, facts, run_no, now, known)) is not None
            ]
            counts["排队"] += sum(r["state"] == DUE for r in rows)
            counts["暂缓"] += sum(r["state"] == SUPPRESSED for r in rows)
            _insert(opened, rows)
            _refresh(opened, part, channels, facts, known, now)
            point("pushes.queued")
    counts["撤回"] = _withdraw(engine, about, {(w.firm, w.kind) for w in wanted})
    return counts


Known = dict[tuple[str, str, str], Push]


def _known(opened: Session, about: About, firms: Sequence[str]) -> Known:
    """Pushes of this item and batch that exist in any version, by firm, channel and kind; the furthest counts."""
    found: Known = {}
    rank = {SUPPRESSED: 0, DUE: 1}
    for begin in range(0, len(firms), 500):
        query = select(Push).where(
            Push.item == about.item.id, Push.batch == about.batch, Push.firm.in_(firms[begin : begin + 500])  # type: ignore[attr-defined]
        )  # fmt: skip
        for push in opened.exec(query).all():
            key = (push.firm, push.channel, push.kind)
            other = found.get(key)
            if other is None or rank.get(push.state, 2) > rank.get(other.state, 2):
                found[key] = push
    return found


def _row(
    about: About, wanted: Wanted, channel: str, facts: Facts, run_no: int, now: datetime, known: Known
) -> dict[str, Any] | None:
    if (wanted.firm, channel, wanted.kind) in known:
        return None
    form = template(wanted.kind)
    asked = Asked(wanted.firm, wanted.item, wanted.batch, channel, wanted.kind)
    stop = held(asked, facts)
    subject, body = _words(about, wanted, facts)
    key = push_key(wanted.firm, wanted.item, wanted.batch, channel, wanted.kind, form.version)
    if channel == "webhook":
        body = webhook_body(key, about, wanted, subject, body, run_no)
    return {
        "key": key, "firm": wanted.firm, "item": wanted.item, "batch": wanted.batch, "channel": channel,
        "kind": wanted.kind, "version": form.version, "state": SUPPRESSED if stop else DUE,
        "reason": stop.reason if stop else "", "hold_until": stop.until if stop else None, "attempts": 0,
        "next_at": now, "lease": "", "leased_until": None, "parcel": "", "subject": subject, "body": body,
        "run_no": run_no, "created": now, "sent": None, "receipt": "", "read": None,
    }  # fmt: skip


def _words(about: About, wanted: Wanted, facts: Facts) -> tuple[str, str]:
    grant = facts.grants.get((wanted.firm, wanted.item, wanted.batch))
    until = (
        grant.due
        if wanted.kind == "confirm" and grant is not None and grant.state == State.CONFIRM.value
        else None
    )
    fields = {
        **about.fields,
        "firm": wanted.name,
        "amount": money_words(wanted.low, wanted.high),
        "until": (until or about.closes).isoformat(),
        "why": "\n".join(f"· {w}" for w in about.why) or "· 见政策原文",
        "questions": "\n".join(f"· {about.questions[u]}" for u in wanted.unknown if u in about.questions),
    }
    return template(wanted.kind).render(fields)


def webhook_body(key: str, about: About, wanted: Wanted, subject: str, text: str, run_no: int) -> str:
    """网络回调的内容: canonical JSON, the same to the byte whenever it is sent."""
    body = {
        "key": key, "kind": wanted.kind, "firm": wanted.firm, "firm_name": wanted.name, "item": wanted.item,
        "title": about.item.title, "batch": wanted.batch, "verdict": wanted.verdict, "amount_low": wanted.low,
        "amount_high": wanted.high, "until": about.closes.isoformat(), "why": list(about.why),
        "questions": [about.questions[u] for u in wanted.unknown if u in about.questions],
        "subject": subject, "text": text, "run": run_no,
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _insert(opened: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    make = sqlite.insert if opened.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = make(Push.__table__).on_conflict_do_nothing(index_elements=["key"])  # type: ignore[attr-defined]
    opened.connection().execute(statement, rows)


_TABLE = Push.__table__  # type: ignore[attr-defined]
_MOVE = (
    update(_TABLE)
    .where(
        _TABLE.c.key == bindparam("k"),
        or_(_TABLE.c.state == DUE, _TABLE.c.state == SUPPRESSED),
        _TABLE.c.lease == "",
    )
    .values(
        state=bindparam("to"), reason=bindparam("why"), hold_until=bindparam("until"), next_at=bindparam("at")
    )
)


def _refresh(
    opened: Session,
    part: Sequence[Wanted],
    channels: Sequence[str],
    facts: Facts,
    known: Known,
    now: datetime,
) -> None:
    """What waits is asked again: a reason that ended lets it go, a new one holds it."""
    moves = []
    for wanted in part:
        for channel in channels:
            push = known.get((wanted.firm, channel, wanted.kind))
            if push is not None and push.state in (DUE, SUPPRESSED):
                moves += _move_of(
                    push, held(Asked(push.firm, push.item, push.batch, channel, push.kind), facts), now
                )
    if moves:
        opened.connection().execute(_MOVE, moves)


def _move_of(push: Push, stop: Any, now: datetime) -> list[dict[str, Any]]:
    state, why = (SUPPRESSED, stop.reason) if stop else (DUE, "")
    if (push.state, push.reason if push.state == SUPPRESSED else "") == (state, why):
        return []
    at = push.next_at if push.state == DUE else now
    return [{"k": push.key, "to": state, "why": why, "until": stop.until if stop else None, "at": at}]


def _withdraw(engine: Engine, about: About, still: set[tuple[str, str]]) -> int:
    """撤回: what waits for a pair that is no longer on the list."""
    with writing(engine) as opened:
        query = select(Push).where(Push.item == about.item.id, Push.batch == about.batch, Push.state == DUE)
        gone = [p for p in opened.exec(query).all() if (p.firm, p.kind) not in still and not p.lease]
        moves = [
            {"k": p.key, "to": SUPPRESSED, "why": "不再在名单上", "until": None, "at": p.next_at}
            for p in gone
        ]
        if moves:
            opened.connection().execute(_MOVE, moves)
        return len(moves)


def release_confirmations(engine: Engine, today: date, now: datetime) -> int:
    """公示期满的告知: pushes that waited for their grant to reach 企业确认 are due; how many."""
    facts = load_facts(engine, today)
    ready = [g.key for g in facts.grants.values() if g.state == State.CONFIRM.value]
    moved = 0
    with writing(engine) as opened:
        for key in ready:
            firm, item, batch = key.split("|")
            query = select(Push).where(
                Push.firm == firm,
                Push.item == item,
                Push.batch == batch,
                Push.state == SUPPRESSED,
                Push.kind == "confirm",
            )
            for push in opened.exec(query).all():
                moves = _move_of(push, held(Asked(firm, item, batch, push.channel, push.kind), facts), now)
                moved += sum(m["to"] == DUE for m in moves)
                if moves:
                    opened.connection().execute(_MOVE, moves)
    return moved


__all__ = ["DUE", "SENT", "SUPPRESSED", "Wanted", "queue_pushes", "release_confirmations", "wanted_of"]
