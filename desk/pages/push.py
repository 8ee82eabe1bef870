"""推送: what goes out, what is held back and why, what bounced; dead letters are sent again by a person."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from store import audit, outbox
from store.database import writing
from store.outbox import CHANNEL_WORDS as CHANNELS
from store.outbox import STATE_WORDS as WORDS

router = APIRouter()
KINDS = {"confirm": "确认收款", "invite": "邀请提交", "inform": "告知", "ask": "请补情况"}
PAGE = 200


@router.get("/desk/push")
def push_index(
    request: Request,
    state: str = "due",
    channel: str = "",
    reason: str = "",
    after: str = "",
    visit: Visit = need("push"),
) -> HTMLResponse:
    """推送."""
    office, night = visit.office, visit.office.night()
    state = state if state in WORDS else "due"
    channel = channel if channel in CHANNELS else ""
    mine = _mine(visit)
    counts = dict.fromkeys(WORDS, 0)
    by_channel = dict.fromkeys(CHANNELS, 0)
    told = outbox.counts(office.engine, mine)
    for (where, word), n in told.items():
        counts[word] += n
        by_channel[where] += n if word == state else 0
    after = after[:18]
    found, onward = outbox.pushes_after(
        office.engine, state, after, PAGE, channels=[channel] if channel else outbox.CHANNELS, reason=reason or None, items=mine
    )  # fmt: skip
    titles = {r["item"]: r["title"] for r in office.items(night).to_dict("records")} if night else {}
    return render(
        request, "push.html", rows=found, state=state, words=WORDS, titles=titles, channel=channel, channels=CHANNELS,
        kinds=KINDS, by_channel={c: n for c, n in by_channel.items() if n}, counts=counts, reason=reason,
        unopened=outbox.unopened_words(told),
        reasons=outbox.reasons(office.engine, mine, state) if state in ("suppressed", "dead") else {}, after=after, onward=onward,
        name=(lambda code: office.name(night, code)) if night else (lambda code: code),
    )  # fmt: skip


def _mine(visit: Visit) -> list[str] | None:
    """Items of the visitor's department; None for whoever sees all."""
    night = visit.office.night()
    if not visit.person.department:
        return None
    return list(visit.office.items(night, visit.person)["item"]) if night else []


@router.post("/desk/push")
def resend(request: Request, given: Posted = posted("decide")) -> Response:
    """重发死信: the picked ones are due again under the same numbers, so that a receiver that had them knows them."""
    visit: Visit = given.visit
    mine, done, faults = _mine(visit), 0, []
    for key in given.many("pick")[:PAGE]:
        try:
            outbox.resend(visit.office.engine, key, visit.office.now(), items=mine)
            done += 1
        except ValueError as error:
            faults.append(str(error))
    if done:
        detail: dict[str, Any] = {"条数": done, "推送": given.many("pick")[:PAGE]}
        with writing(visit.office.engine) as opened:
            audit.record(opened, visit.who, "重发推送", "退信", detail, visit.office.now())
    told = f"{done} 条已改为待发，下一轮推送就发" if done else "没有重发：请勾选要重发的"
    return see(url("push", state="dead", told=told + (f"；{faults[0]}" if faults else "")))
