"""企业申报: a firm hands in its own application once, with its form filled in; reductions it takes itself open nothing."""

from __future__ import annotations

import pytest
from clients import Desk, csrf_of
from fastapi.testclient import TestClient
from test_firm_page import ACCOUNT, CODE, enter

from store import audit, grants, openings, outbox, pushes

APPLIED, TAX = "bs-2025-06/first-set", "cn-2023-12/small-profit"


def fitting(desk: Desk, item: str, verdict: str = "符合") -> str:
    office = desk.app.state.office
    hits = office.hits(office.night(), item)
    return str(hits[hits["verdict"] == verdict].iloc[0][CODE])


def hand_in(client: TestClient, item: str, **fields: str):  # type: ignore[no-untyped-def]
    form = {"csrf": csrf_of(client.get(f"/my/items/{item}").text), **fields}
    return client.post(f"/my/items/{item}/apply", data=form)


def test_a_firm_applies_once_and_the_list_check_begins(fresh: Desk) -> None:
    code = fitting(fresh, APPLIED, "待核实")
    client = enter(fresh, code)
    page = client.get(f"/my/items/{APPLIED}").text
    assert "申报这一项" in page and "form.pdf" in page
    assert client.get(f"/my/items/{APPLIED}/form.pdf").content.startswith(b"%PDF")
    wrong = hand_in(client, APPLIED, 户名="某公司", **ACCOUNT | {"账号": "12ab"})
    assert wrong.status_code == 409 and "账号要是 8 到 32 位数字" in wrong.text and "12ab" in wrong.text
    assert grants.find(fresh.engine, code=code, item=APPLIED) == [], "nothing is opened by a wrong form"
    name = fresh.app.state.office.name(fresh.app.state.office.night(), code)
    assert hand_in(client, APPLIED, 户名=name, **ACCOUNT).status_code == 303
    (case,) = grants.find(fresh.engine, code=code, item=APPLIED)
    assert (case.state, case.variant) == ("名单核查", "申报兑现")
    steps = grants.history(fresh.engine, case.id)
    assert [(s.action, s.role) for s in steps] == [("立项", "系统"), ("提交", "企业")]
    again = hand_in(client, APPLIED, 户名=name, **ACCOUNT)
    assert again.status_code == 409 and "不用再申报" in again.text
    assert len(grants.find(fresh.engine, code=code, item=APPLIED)) == 1
    page = client.get(f"/my/items/{APPLIED}").text
    assert "已经在办：核查中" in page and "申报这一项" not in page
    assert audit.entries(fresh.engine, what="企业申报")[1] == 1


def test_a_form_of_elsewhere_or_without_its_token_applies_for_nothing(fresh: Desk) -> None:
    code = fitting(fresh, APPLIED, "待核实")
    client = enter(fresh, code)
    assert client.post(f"/my/items/{APPLIED}/apply", data={**ACCOUNT, "户名": "x"}).status_code == 403
    assert fresh.anyone().post(f"/my/items/{APPLIED}/apply", data={}).status_code in (303, 403)
    assert hand_in(client, APPLIED, 户名="x").status_code == 409
    assert grants.find(fresh.engine, code=code, item=APPLIED) == []


def test_a_tax_reduction_opens_no_grant_and_asks_for_no_account(fresh: Desk) -> None:
    office = fresh.app.state.office
    night, code = office.night(), fitting(fresh, TAX)
    pushes.queue_pushes(fresh.engine, night, office.today(), office.now())
    assert grants.find(fresh.engine, item=TAX) == []
    told = [p for p in outbox.list_pushes(fresh.engine, firm=code, channel="inbox") if p.item == TAX]
    assert [p.kind for p in told] == ["inform"]
    assert "电子税务局" in told[0].body and "账户" not in told[0].body
    client = enter(fresh, code)
    page = client.get(f"/my/items/{TAX}").text
    assert "不用在这里申报" in page and "申报这一项" not in page
    with pytest.raises(ValueError, match="自行享受"):
        openings.apply_for(fresh.engine, night, code, TAX, office.today(), office.now(), "林", {})
