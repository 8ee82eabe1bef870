"""办理的告知: what a step of a firm's own case tells it, put into the outbox in the step's own transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from engine.grantmoves import State
from store.messages import money_words, template
from store.outbox import DUE, Push, push_key
from store.settings import read_setting

if TYPE_CHECKING:
    from store.grants import GrantCase

ALWAYS = ("webhook", "inbox")
TOLD = {"退回补正": "return", "到账": "paid", "不予兑现": "refused", "异议成立": "refused", "追回": "recover"}
UNDATED = "规定期限"


def tell(
    opened: Session, case: GrantCase, action: str, no: int, facts: Mapping[str, object], at: datetime
) -> None:
    """告知这一步: one push a channel, named after the step; held back or let go when it is sent like any other."""
    word = TOLD.get(action)
    if word is None:
        return
    form, kind = template(word), f"{word}-{no}"
    fields = _fields(case, facts)
    subject, text = form.render(fields)
    chosen = (read_setting(opened, "push", {}) or {}).get("channels", [])
    for channel in dict.fromkeys((*ALWAYS, *chosen)):
        key = push_key(case.code, case.item, case.batch, channel, kind, form.version)
        body = text
        if channel == "webhook":
            said = {
                "key": key, "kind": word, "firm": case.code, "firm_name": case.firm, "item": case.item, "title": case.title,
                "batch": case.batch, "grant": case.id, "until": fields["until"], "subject": subject, "text": text,
            }  # fmt: skip
            body = json.dumps(said, ensure_ascii=False, sort_keys=True)
        opened.add(
            Push(key=key, firm=case.code, item=case.item, batch=case.batch, channel=channel, kind=kind,
                 version=form.version, state=DUE, next_at=at, created=at, subject=subject[:300], body=body, run_no=case.run_no)
        )  # fmt: skip


def _fields(case: GrantCase, facts: Mapping[str, object]) -> dict[str, str]:
    fen = facts.get("追回金额") or facts.get("支付金额")
    yuan = fen / 100 if isinstance(fen, int) else None
    left = case.reserved + case.ordered
    why = "；".join(str(facts[k]) for k in ("理由", "依据", "答复") if facts.get(k))
    return {
        "firm": case.firm or case.code, "title": case.title or case.item, "contact": case.department or "政策办",
        "until": case.due.isoformat() if case.due is not None else UNDATED, "why": why or "见办理记录",
        "asked": "\n".join(f"· {a}" for a in case.asked), "amount": money_words(yuan, yuan),
        "ref": str(facts.get("流水号", "")),
        "rest": f"，还有 {left / 100:,.2f} 元分期拨付" if case.state == State.PAYING.value and left else "",
    }  # fmt: skip
