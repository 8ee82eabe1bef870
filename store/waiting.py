"""等着的推送: what is due or held back is asked again until it leaves; what is no longer true never leaves."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.engine import Engine
from sqlmodel import Session

from engine.grantmoves import State
from store.database import from_fen, session, writing
from store.faults import point
from store.grants import GrantCase, Standing
from store.messages import KINDS, money_words, template
from store.outbox import DUE, SUPPRESSED, Push, take_turns, worded
from store.push_marks import take_marks
from store.suppress import Asked, Facts, Held, held, load_facts

GONE = "不再在名单上"
REPLACED = "换了新版模板，由新的一条代替"
OTHERWISE = "改了告知方式，由新的一条代替"  # the pair is listed still: an item came to invite that informed, or the other way
OVER = (GONE, REPLACED, OTHERWISE)
CHUNK = 2000

_TABLE = Push.__table__  # type: ignore[attr-defined]
_WAITS = (or_(_TABLE.c.state == DUE, _TABLE.c.state == SUPPRESSED), _TABLE.c.lease == "")
_MOVE = (
    update(_TABLE)
    .where(_TABLE.c.key == bindparam("k"), *_WAITS)
    .values(
        state=bindparam("to"), reason=bindparam("why"), hold_until=bindparam("until"), next_at=bindparam("at")
    )
)
# Words are only changed while nobody can have seen them: a push once tried is the same to the byte for ever.
_REWORD = (
    update(_TABLE)
    .where(_TABLE.c.key == bindparam("k"), *_WAITS, _TABLE.c.attempts == 0, _TABLE.c.parcel == "")
    .values(
        form=bindparam("new_form"), subject=bindparam("new_subject"), body=bindparam("new_body"), run_no=bindparam("new_run"),
        fields=bindparam("new_fields"),
    )
)  # fmt: skip

Moves = list[dict[str, Any]]


def move(opened: Session, moves: Moves) -> None:
    """挪动: waiting pushes to due or held back; those that are being sent stay."""
    if moves:
        take_turns(opened)
        opened.connection().execute(_MOVE, moves)


def reword(opened: Session, words: Moves) -> None:
    """改写: the words of pushes that nobody was sent yet."""
    if words:
        take_turns(opened)
        opened.connection().execute(_REWORD, words)


def move_of(push: Any, stop: Held | None, now: datetime) -> Moves:
    """怎么挪 a push (its row will do) on the strength of what holds it; nothing where it stands right already."""
    state, why = (SUPPRESSED, stop.reason) if stop else (DUE, "")
    if (push.state, push.reason if push.state == SUPPRESSED else "") == (state, why):
        return []
    at = push.next_at if push.state == DUE else now
    return [{"k": push.key, "to": state, "why": why, "until": stop.until if stop else None, "at": at}]


def extend(opened: Session, item: str, batch: str, closes: date) -> None:
    """改期: what waits goes by the last day that the batch has now, whatever its words say already."""
    other = or_(_TABLE.c.closes.is_(None), _TABLE.c.closes != closes)
    here = (_TABLE.c.item == item, _TABLE.c.batch == batch, _TABLE.c.kind.in_(KINDS), other)
    opened.connection().execute(update(_TABLE).where(*here, *_WAITS).values(closes=closes))


def withdrawn(rows: Iterable[Any], listed: Collection[str] = ()) -> Moves:
    """撤回: pairs that are no longer on the list, or (firms `listed`) told in another way now; whatever held them, they do not
    wake by themselves."""
    return [
        {
            "k": r.key,
            "to": SUPPRESSED,
            "why": OTHERWISE if listed and r.firm in listed else GONE,
            "until": None,
            "at": r.next_at,
        }
        for r in rows
    ]


def withdraw_items(engine: Engine, live: set[tuple[str, str]]) -> int:
    """撤回整项: waiting pushes of items and batches that the night does not speak of any more; how many."""
    pair = (_TABLE.c.item, _TABLE.c.batch)
    count = 0
    with writing(engine) as opened:
        told = opened.connection().execute(select(*pair).distinct()).all()  # out of an index: no row is read
        over = [(item, batch) for item, batch in told if (item, batch) not in live]
        take_marks(opened, over)
        for item, batch in over:
            query = select(_TABLE.c.key, _TABLE.c.next_at).where(
                pair[0] == item, pair[1] == batch, *_WAITS, _TABLE.c.reason.not_in(OVER),
                _TABLE.c.kind.in_(KINDS),
            )  # fmt: skip
            rows = opened.connection().execute(query).all()
            move(opened, withdrawn(rows))
            count += len(rows)
    return count


def recheck(engine: Engine, today: date, now: datetime) -> int:
    """发前复查: everything that waits is asked again by today's facts; how many changed.

    A reason that ended lets a push go, with the words of today; a new one (stopped, refused, paid, objected) holds it.
    """
    facts = load_facts(engine, today)
    names = ("key", "firm", "item", "batch", "channel", "kind", "state", "reason", "next_at", "closes")
    query = select(*(_TABLE.c[n] for n in names)).where(*_WAITS, _TABLE.c.reason.not_in(OVER))
    with session(engine) as opened:
        rows = opened.connection().execute(query).all()
    asked = ((r, held(Asked(r.firm, r.item, r.batch, r.channel, r.kind, r.closes), facts)) for r in rows)
    moves = [m for r, stop in asked for m in move_of(r, stop, now)]
    of = {r.key: (r.item, r.batch) for r in rows}
    for begin in range(0, len(moves), CHUNK):
        with writing(engine) as opened:
            part = moves[begin : begin + CHUNK]
            take_turns(opened)
            take_marks(opened, (of[m["k"]] for m in part))
            move(opened, part)
            reword(opened, _confirmations(opened, [m["k"] for m in part if m["to"] == DUE], facts))
            point("pushes.rechecked")
    return len(moves)


def _confirmations(opened: Session, keys: Sequence[str], facts: Facts) -> Moves:
    """What a confirmation says once its grant waits for the firm: the day and the sum that the grant has now."""
    words: Moves = []
    for begin in range(0, len(keys), 500):
        query = select(Push).where(
            Push.key.in_(keys[begin : begin + 500]),  # type: ignore[attr-defined]
            Push.kind == "confirm",  # type: ignore[arg-type]
        )
        found = list(opened.execute(query).scalars())
        worded(opened, found)
        for push in found:
            case = facts.grants.get((push.firm, push.item, push.batch))
            if case is not None and push.fields:
                words.append(confirmed(push, case))
    return words


def confirmed(push: Push, case: GrantCase | Standing) -> dict[str, Any]:
    """确认的告知: the words of a confirmation by its grant's day and sum."""
    low, high, until = said_of(case)
    fields = {
        **(push.fields or {}),
        "amount": money_words(low, high) + (push.fields or {}).get("short", ""),
        "until": until,
    }
    subject, text = template("confirm").render(fields)
    body = text
    if push.channel == "webhook":
        told = {"amount_low": low, "amount_high": high, "until": until, "subject": subject, "text": text}
        body = json.dumps({**json.loads(push.body), **told}, ensure_ascii=False, sort_keys=True)
    return {
        "k": push.key, "new_form": "", "new_subject": subject, "new_body": body, "new_run": push.run_no,
        "new_fields": push.fields,
    }  # fmt: skip


def said_of(case: GrantCase | Standing) -> tuple[float | None, float | None, str]:
    """事项现在的数: amounts in yuan and the last day to confirm, as a grant in 企业确认 has them."""
    exact = None if case.amount is None else float(from_fen(case.amount))
    high = exact if exact is not None else None if case.high is None else float(from_fen(case.high))
    day = case.due.isoformat() if case.due is not None else "收到通知后 5 个工作日"
    return (exact, high, day) if case.state == State.CONFIRM.value else (exact, high, "")
