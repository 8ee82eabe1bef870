"""公示与兑现, and each item as one picture: public, no login, no cookie, readable without script."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.office import Office
from desk.onepage import Sheet, as_png, as_svg, sheet_of, steps_of
from desk.public import card, said, shown
from desk.publicity import NOTE, masks, public_name, sole
from desk.web import office_of, render
from engine.grantmoves import State
from engine.program import Program
from engine.standard import further_quotes
from store import grants
from store.kpi import paid_by_item

router = APIRouter(prefix="/zone", tags=["公开"])


@router.get("/notices", response_class=HTMLResponse)
def notices(request: Request, office: Office = Depends(office_of)) -> HTMLResponse:
    """公示与兑现: who is on public notice, for what, how much and until when; what was paid, item by item."""
    open_now: dict[tuple[str, str], list[grants.GrantCase]] = {}
    for case in grants.find(office.engine, states=[State.NOTICE]):
        open_now.setdefault((case.title or case.item, case.department), []).append(case)
    mask = masks(office.engine)
    masked = mask and any(sole(c.code) for cases in open_now.values() for c in cases)
    return render(
        request, "notices.html", groups=open_now, paid=paid_by_item(office.engine), note=NOTE if masked else "",
        name=lambda c: public_name(c.code, c.firm, mask),
    )  # fmt: skip


def _program(office: Office, item: str) -> Program:
    found = next((p for p in shown(office) if p.item.id == item), None)
    if found is None:
        raise HTTPException(404, "没有这一项，或者已经停止")
    return found


def _sheet(office: Office, program: Program) -> Sheet:
    item, document, c = program.item, program.document, card(program, office.today())
    who = [
        (
            ("不适用：" if x.condition.kind == "not" else "") + (x.condition.quote or x.condition.label),
            x.condition.cite,
        )
        for x in program.conditions
        if not x.condition.hidden
    ]
    batch = c["batch"]
    when = (f"{batch.opens} 至 {batch.closes}　" if batch else "") + c["stands"]
    facts = f"{item.delivery}　{item.department}　依据 {document.number or document.title}"
    foot = f"{office.zone}　{office.today()}　以申兑指南和政策原文为准"
    steps = steps_of(item.delivery, said(dict(item.guide).get("channel")))
    pay = "；".join([c["pay"], *(quote for quote, _ in further_quotes(item.benefit))])
    return sheet_of(item.title, facts, who, pay, steps, when, foot)


@router.get("/items/{document}/{slug}/picture.svg")
def picture(document: str, slug: str, office: Office = Depends(office_of)) -> Response:
    """一图读懂 as SVG."""
    sheet = _sheet(office, _program(office, f"{document}/{slug}"))
    return Response(as_svg(sheet), media_type="image/svg+xml; charset=utf-8")


@router.get("/items/{document}/{slug}/picture.png")
def picture_png(document: str, slug: str, office: Office = Depends(office_of)) -> Response:
    """一图读懂 as PNG, drawn once for a day and a text."""
    sheet = _sheet(office, _program(office, f"{document}/{slug}"))
    body = office.memory.get(("picture", document, slug, as_svg(sheet)), lambda: as_png(sheet))
    return Response(body, media_type="image/png")
