"""企业端·申报: a firm applies for an item itself, with its form filled in as far as departments know it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.firm import ACCOUNT, FirmPosted, FirmRoute, FirmVisit, check_account, firm_posted, own_item
from desk.web import see
from engine.fulfilment import Refused
from engine.grantmoves import FIRM
from store import audit
from store.database import writing
from store.openings import apply_for

router = APIRouter(prefix="/my", route_class=FirmRoute)


@router.post("/items/{document}/{slug}/apply", response_class=HTMLResponse)
def apply(request: Request, document: str, slug: str, given: FirmPosted = Depends(firm_posted)) -> Response:
    """申报: opens the grant and hands it in to the account given; sent twice it is one application."""
    visit, item = given.visit, f"{document}/{slug}"
    facts: dict[str, Any] = {n: given.text(n) for n in (*ACCOUNT, "户名说明") if given.text(n)}
    missing = [n for n in ACCOUNT if n not in facts]
    try:
        if missing:
            raise Refused(f"请填写{'、'.join(missing)}")
        check_account(facts, given.text("本企业账户"))
        _hand_in(visit, item, facts)
    except (Refused, ValueError) as error:
        return own_item(request, visit, item, f"没有申报：{error}", facts)
    return see("/my?told=%E5%B7%B2%E6%8F%90%E4%BA%A4%E7%94%B3%E6%8A%A5")  # 已提交申报


def _hand_in(visit: FirmVisit, item: str, facts: dict[str, Any]) -> None:
    office, night = visit.office, visit.office.night()
    if night is None:
        raise HTTPException(404, "没有这一项，或者现在不受理")
    case = apply_for(
        office.engine, night, visit.code, item, office.today(), office.now(), visit.who, facts, FIRM
    )
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, "企业申报", case.key, {"编号": case.id}, office.now())
