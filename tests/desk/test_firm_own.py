"""企业端·我的档案、已到账、消息与意愿、预填表: its own data alone, objected to but never overwritten from here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import unquote

import pypdfium2
import pytest
import world
from clients import Desk, csrf_of
from fastapi.testclient import TestClient
from test_firm_file import MAY, land
from test_firm_page import CODE, enter, form, free_pair, grant

from desk import firmown
from engine.grantmoves import State
from store import audit, corrections, grants
from store.calendars import office_calendar
from store.firms import provenance
from store.reach import change_reach, reach
from store.suppress import Asked, Held, _quiet, load_facts

FILES = "/my/file/corrections"


@pytest.fixture
def two(fresh: Desk) -> tuple[Desk, str, str]:
    """Two firms with stored files of their own."""
    mine, theirs = (str(c) for c in fresh.app.state.office.night().columns().codes[:2])
    land(fresh, mine, "微澜集成电路有限公司", "350(万元人民币)", MAY, "2026-05-01", "lin")
    land(fresh, theirs, "别家集成电路有限公司", "777(万元人民币)", MAY, "2026-05-02", "lin")
    return fresh, mine, theirs


def test_the_file_holds_the_firms_own_values_with_source_and_day(two: tuple[Desk, str, str]) -> None:
    desk, mine, theirs = two
    page = enter(desk, mine).get("/my/file").text
    assert "350" in page and "2026-05-01" in page and "指出错误" in page and mine in page
    assert "777" not in page and theirs not in page and "别家" not in page
    assert "<script" not in page


def test_the_file_is_folded_by_section_and_opens_where_something_is_to_be_typed_again(
    two: tuple[Desk, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a script: the first section stands open, the rest say how much is in them; `?all=1` opens all, as for paper."""
    fresh, mine, _ = two
    whole = firmown.fact_groups

    def parted(facts: object, one: object, contacts: bool) -> list[tuple[str, list[dict[str, object]]]]:
        ((section, rows),) = whole(facts, one, contacts)
        return [(section, rows[:2]), ("经营", rows[2:])]

    monkeypatch.setattr(firmown, "fact_groups", parted)
    client = enter(fresh, mine)
    page = client.get("/my/file").text
    shown, folded = '<details class="fold" open>', '<details class="fold">'
    assert (page.count(shown), page.count(folded)) == (1, 1) and "2 项 · " in page
    assert client.get("/my/file?all=1").text.count(shown) == 2
    of = page.split(folded)[1].split('name="of" value="')[1].split('"')[0]
    answer = client.post(FILES, data=form(client, of=of, claimed="1", reason=" "))
    assert answer.status_code == 409 and answer.text.count(shown) == 2
    assert '<details class="wrong" open>' in answer.text.split(shown)[2]


def test_an_objection_waits_for_its_department_and_changes_no_value(two: tuple[Desk, str, str]) -> None:
    desk, mine, theirs = two
    client, other = enter(desk, mine), enter(desk, theirs)
    said = {"of": "注册资本", "claimed": "500 万元", "reason": "<b>验资报告</b>"}
    before = provenance(desk.engine, mine, world.AS_OF)
    assert client.post(FILES, data=said).status_code == 403
    assert client.post(FILES, data={**said, "csrf": csrf_of(other.get("/my").text)}).status_code == 403
    crossed = client.post(FILES, data=form(client, **said), headers={"Origin": "http://elsewhere"})
    assert crossed.status_code == 403
    assert client.post(FILES, data=form(client, **{**said, "of": "没有这个"})).status_code == 404
    lacking = client.post(FILES, data=form(client, **{**said, "reason": " "}))
    assert lacking.status_code == 409 and 'value="500 万元"' in lacking.text, "what was typed is kept"
    assert corrections.corrections(desk.engine) == []
    assert client.post(FILES, data=form(client, **said, code=theirs)).status_code == 303
    (made,) = corrections.corrections(desk.engine, code=mine)
    assert (made.indicator, made.claimed, made.by) == ("注册资本", "500 万元", mine) and "350" in made.shown
    assert made.department and corrections.corrections(desk.engine, code=theirs) == []
    assert client.post(FILES, data=form(client, **said)).status_code == 409, "one open request a value"
    assert provenance(desk.engine, mine, world.AS_OF) == before
    assert audit.entries(desk.engine, what="企业指出错误")[1] == 1 and not audit.verify(desk.engine).broken
    corrections.answer_correction(
        desk.engine, made.id or 0, adopted=False, answer="以登记为准", by="市监", at=world.NOW
    )
    shown = client.get("/my/file").text
    assert "以登记为准" in shown and "&lt;b&gt;验资报告" in shown
    assert "验资报告" not in other.get("/my/file").text


def test_a_file_without_sources_is_shown_without_the_form(fresh: Desk) -> None:
    code, _ = free_pair(fresh)
    client = enter(fresh, code)
    page = client.get("/my/file").text
    assert "逐项的来源" in page and "指出错误" not in page
    assert client.post(FILES, data=form(client, of="注册资本", claimed="1", reason="1")).status_code == 404


def test_wishes_are_the_firms_own_and_leave_the_rest_of_its_record(fresh: Desk) -> None:
    code, item = free_pair(fresh)
    other, _ = free_pair(fresh, skip=code)
    change_reach(fresh.engine, code, world.NOW, email="a@b.cn", hold="名单")
    client = enter(fresh, code)
    assert "还没有问过您" in client.get("/my/wishes").text
    for path, said in (
        ("/my/wishes", {"consent": "愿意"}),
        ("/my/wishes/items", {"item": item, "do": "不要"}),
    ):
        assert client.post(path, data=said).status_code == 403
    assert client.post("/my/wishes", data=form(client, consent="也许")).status_code == 400
    assert (
        client.post("/my/wishes", data=form(client, consent="不愿意", stopped="是", code=other)).status_code
        == 303
    )
    kept = reach(fresh.engine, code)
    assert kept is not None and (kept.consent, kept.stopped, kept.email, kept.hold) == (
        False,
        True,
        "a@b.cn",
        "名单",
    )
    assert client.post("/my/wishes/items", data=form(client, item="x/y", do="不要")).status_code == 404
    for _ in range(2):
        assert client.post("/my/wishes/items", data=form(client, item=item, do="不要")).status_code == 303
    kept = reach(fresh.engine, code)
    assert kept is not None and kept.refused == [item]
    assert "有关它的消息已停发" in client.get(f"/my/items/{item}").text
    assert client.post("/my/wishes/items", data=form(client, item=item, do="恢复")).status_code == 303
    kept = reach(fresh.engine, code)
    assert kept is not None and kept.refused == [] and reach(fresh.engine, other) is None
    assert audit.entries(fresh.engine, what="企业改意愿")[1] == 3


def test_money_that_came_is_listed_by_payment_for_its_firm_alone(fresh: Desk) -> None:
    code, item = free_pair(fresh)
    case = grant(fresh, code, item)
    at, calendar = datetime(2026, 6, 16, tzinfo=UTC), office_calendar(fresh.engine)
    name = fresh.app.state.office.name(fresh.app.state.office.night(), code)
    account = {"户名": name, "账号": "6222000000000000", "开户行": "示范银行", "确认人": "财务"}
    for action, role, facts in (
        ("确认", "企业", account),
        ("财政通过", "财政", {}),
        ("下达", "财政", {"支付金额": 100_000_00, "流水号": "PAY-7"}),
        ("到账", "财政", {"支付金额": 100_000_00, "流水号": "PAY-7"}),
    ):
        grants.act(
            fresh.engine, case, action, grants.Actor("甲", role), date(2026, 6, 16), at, calendar, facts
        )
    assert next(c.state for c in grants.find(fresh.engine) if c.id == case) == State.ARRIVED.value
    page = enter(fresh, code).get("/my/money").text
    assert "100,000.00" in page and "PAY-7" in page and "2026-06-16" in page
    assert "6222" not in page
    other = enter(fresh, free_pair(fresh, skip=code)[0]).get("/my/money").text
    assert "还没有到账的" in other and "PAY-7" not in other


def ready_pair(desk: Desk) -> tuple[str, str, TestClient]:
    """A firm and an item whose form comes filled in."""
    office = desk.app.state.office
    night = office.night()
    frame = office.items(night)
    for item in frame[frame["delivery"] == "即申即享"]["item"]:
        hits = office.hits(night, item)
        for code in hits[CODE][:1] if len(hits) else ():
            return str(code), str(item), enter(desk, str(code))
    raise AssertionError("no item of 即申即享 found anybody")


def test_the_form_comes_filled_in_without_hidden_conditions(desk: Desk) -> None:
    code, item, client = ready_pair(desk)
    assert f"/my/items/{item}/form.pdf" in client.get(f"/my/items/{item}").text
    answer = client.get(f"/my/items/{item}/form.pdf")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
    read = pypdfium2.PdfDocument(answer.content)
    text = "".join(page.get_textpage().get_text_range() for page in read)
    flat = "".join(text.split())
    office = desk.app.state.office
    bound = office.bound(office.night(), item)
    assert code in flat and "企业盖章" in flat and "".join(bound.program.item.title.split()) in flat
    seen = sum(not c.condition.hidden for c in bound.program.conditions)
    assert f"{seen}." in flat and f"{seen + 1}." not in flat.split("三、金额")[0].split("二、条件")[1]
    for one in bound.program.conditions:
        assert not one.condition.hidden or "".join(one.condition.quote.split()) not in flat
    free, automatic = free_pair(desk)
    assert enter(desk, free).get(f"/my/items/{automatic}/form.pdf").status_code == 404
    assert desk.anyone().get(f"/my/items/{item}/form.pdf").headers["location"] == "/my/login"


def test_the_new_pages_want_a_login(desk: Desk) -> None:
    for path in ("/my/file", "/my/money", "/my/wishes"):
        answer = desk.anyone().get(path)
        assert answer.status_code == 303 and answer.headers["location"] == "/my/login", path
        assert desk.client("lin").get(path).status_code == 303, "an officer's session is no firm's"
    for path in (FILES, "/my/wishes", "/my/wishes/items"):
        assert desk.anyone().post(path, data={"csrf": "x"}).headers["location"] == "/my/login"


def test_a_firm_changes_its_own_contacts_and_no_record_holds_them(fresh: Desk) -> None:
    mine = str(fresh.app.state.office.night().columns().codes[0])
    client = enter(fresh, mine)
    assert "还没有。填了才能收到" in client.get("/my/wishes").text
    for bad in ({"email": "不是邮箱"}, {"phone": "12345"}):
        answer = client.post("/my/wishes/contacts", data=form(client, do="改", **bad))
        assert "没有改" in unquote(answer.headers["location"])
    given = {"email": "office@example.com", "phone": "022-12345678"}
    assert client.post("/my/wishes/contacts", data=form(client, do="改", **given)).status_code == 303
    assert (
        client.post("/my/wishes/contacts", data=form(client, do="改", phone="13800000000")).status_code == 303
    )
    kept = reach(fresh.engine, mine)
    assert kept is not None and (kept.email, kept.phone) == ("office@example.com", "13800000000")
    page = client.get("/my/wishes").text
    assert "office@example.com" not in page and "o＊" in page
    told = [e for e in audit.entries(fresh.engine, what="企业改联系方式")[0]]
    assert [e.detail for e in told] == [{"改了": ["电话"]}, {"改了": ["邮箱", "电话"]}]
    assert client.post("/my/wishes/contacts", data=form(client, do="删去")).status_code == 303
    kept = reach(fresh.engine, mine)
    assert kept is not None and (kept.email, kept.phone) == ("", "")


def test_a_firm_asks_for_fewer_messages_and_never_for_more(fresh: Desk) -> None:
    mine = str(fresh.app.state.office.night().columns().codes[0])
    client = enter(fresh, mine)
    assert client.post("/my/wishes", data=form(client, consent="愿意", pace="7")).status_code == 400
    assert client.post("/my/wishes", data=form(client, consent="愿意", pace="30")).status_code == 303
    kept = reach(fresh.engine, mine)
    assert kept is not None and kept.every_days == 30
    today = date(2026, 6, 16)
    facts = replace(load_facts(fresh.engine, today), last_sent={(mine, "sms"): date(2026, 6, 1)})
    asked = Asked(mine, "a/b", "2026", "sms", "inform")
    assert _quiet(asked, facts) == Held("企业要的间隔：30天内通知过一次，2026-07-01 再发", date(2026, 7, 1))
    change_reach(fresh.engine, mine, fresh.moment, every_days=1)
    facts = replace(load_facts(fresh.engine, today), last_sent={(mine, "sms"): date(2026, 6, 12)})
    assert _quiet(asked, facts) == Held("静默期：7天内通知过一次，2026-06-19 再发", date(2026, 6, 19))


def test_the_office_can_keep_credit_data_off_the_firms_file(fresh: Desk) -> None:
    mine = str(fresh.app.state.office.night().columns().codes[0])
    client = enter(fresh, mine)
    assert ">信用</h2>" in client.get("/my/file").text
    assert fresh.post("admin", "/desk/settings", do="改公开", mask_sole_traders="1").status_code == 303
    page = client.get("/my/file").text
    assert ">信用</h2>" not in page and ">登记</h2>" in page
