"""今日里轮到我的兑现: each role finds the steps of grants that wait for it, with the working days left, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

from clients import Desk
from world import AS_OF, NOW

from desk.access import rights_of
from desk.pages.fulfil import load_of
from desk.turn import SENT, parts_of, tasks, urgent
from desk.web import Visit
from store import accounts, caseload, drafts, grants
from store.calendars import office_calendar
from store.grants import Actor, NewGrant

ITEM = "bs-2025-04/steady-growth"
FEN = 10_000_000
TO_FINANCE = (
    ("通过名单", "经办", {"核定金额": FEN}), ("信用通过", "经办", {"信用查询日期": "x", "公示地址": "y"}),
    ("公示期满", "系统", {}), ("确认", "企业", {"户名": "甲", "户名说明": "样例", "账号": "1", "开户行": "b", "确认人": "c"}),
)  # fmt: skip
PASSED = (*TO_FINANCE, ("财政通过", "财政", {}))
SENT_OUT = (*PASSED, ("下达", "财政", {"支付金额": FEN, "流水号": "P1"}))
BOUNCED = (*SENT_OUT, ("退票", "财政", {"支付金额": FEN, "流水号": "P1", "理由": "账户已销"}))


def grant(desk: Desk, code: str, steps: tuple, began: int) -> grants.GrantCase:
    """One grant brought as far as the steps go, begun so many days before today."""
    calendar, day = office_calendar(desk.engine), AS_OF - timedelta(days=began)
    made = NewGrant(code, f"{code}公司", ITEM, "2026", "稳增长奖励", "经济发展局", "免申即享", FEN, FEN)
    grants.open_grants(desk.engine, [made], day, NOW, calendar)
    case = grants.find(desk.engine, code=code)[0]
    for action, role, facts in steps:
        day = day + timedelta(days=12) if action == "公示期满" else day
        case = grants.act(desk.engine, case.id or 0, action, Actor("某", role), day, NOW, calendar, facts)
    return case


def section(desk: Desk, who: str) -> str:
    page = desk.client(who).get("/desk/today").text
    found = re.search(r'aria-labelledby="h-turn".*?</section>', page, re.S)
    return found[0] if found else ""


def visit_of(desk: Desk, login: str) -> Visit:
    person = accounts.find_person(desk.engine, login)
    assert person is not None
    return Visit(desk.app.state.office, accounts.LoggedIn(person, 0, ""), rights_of(person))


def test_finance_finds_its_money_by_step_and_day(fresh: Desk) -> None:
    grant(fresh, "A", TO_FINANCE, 12)  # came to finance today: three working days are left
    grant(fresh, "B", TO_FINANCE, 30)
    grant(fresh, "C", PASSED, 12)
    grant(fresh, "D", SENT_OUT, 12)
    bounced = grant(fresh, "E", BOUNCED, 12)
    grant(fresh, "F", (), 1)  # on the list: an officer's
    words = section(fresh, "cai")
    cells = re.findall(
        r'<a href="[^"]*">([^<]+)</a></td><td class="num">(\d+)</td>.*?<td class="num">([\d.]+)</td>', words
    )
    assert {name: (count, wan) for name, count, wan in cells} == {
        "财政审核": ("2", "20.00"), "拨付": ("2", "20.00"), SENT: ("1", "10.00"),
    }  # fmt: skip
    assert "名单核查" not in words and "财政审核3个工作日" in words and "逾期" in words
    assert f"/desk/fulfil/{bounced.id}" in words and "账户已销" in words and "银行退回 1 笔" in words
    assert "还没有导入过支付日志" in words


def test_each_role_finds_its_own(fresh: Desk) -> None:
    grant(fresh, "A", TO_FINANCE, 12)
    grant(fresh, "F", (), 1)
    assert "名单核查" in section(fresh, "lin") and "财政审核" not in section(fresh, "lin")
    assert "没有轮到您的兑现" in section(fresh, "shen")
    assert section(fresh, "kan") == "" == section(fresh, "fen")
    page = fresh.client("zhuan").get("/desk/today").text
    assert "还没有给您定企业" in page and "等我处理" not in page and "等处理的名单" in page


def test_the_numbers_are_the_ledgers_own(fresh: Desk) -> None:
    for n, code in enumerate("ABCDEFGH"):
        grant(fresh, code, (TO_FINANCE, PASSED, SENT_OUT, ())[n % 4], 12 + 3 * n)
    office = fresh.app.state.office
    load = load_of(office, visit_of(fresh, "cai"))
    found = tasks(office, load)
    mine = [p for p in parts_of(office, load) if p.within("轮到我", load.turns)]
    assert sum(t.count for t in found) == sum(p.count for p in mine) == 6
    assert sum(t.late for t in found) == sum(p.count for p in mine if p.late)
    assert [t.left for t in found] == sorted(t.left for t in found)
    page = fresh.client("cai").get(found[0].href).text
    assert f"只看 <b>{'拨付' if found[0].words == SENT else found[0].words}</b>" in page
    assert "名单核查</td><td>" not in page.split('class="t3 dense stick ledger"')[1]


def test_what_is_late_elsewhere_keeps_its_room(fresh: Desk) -> None:
    for n in range(9):
        grant(fresh, f"L{n}", (), 1)
    late = grant(fresh, "Z", TO_FINANCE, 60)
    office = fresh.app.state.office
    shown = urgent(office, load_of(office, visit_of(fresh, "lin")), 8)
    assert len(shown) == 8 and late.id in {c.id for c in shown} and shown[0].state == "名单核查"


def test_money_paid_anew_is_bounced_no_more(fresh: Desk) -> None:
    case = grant(fresh, "E", BOUNCED, 12)
    load = load_of(fresh.app.state.office, visit_of(fresh, "cai"))
    assert [c.id for c, _ in caseload.bounced(fresh.engine, load)] == [case.id]
    facts = {"支付金额": FEN, "流水号": "P2"}
    grants.act(
        fresh.engine,
        case.id or 0,
        "下达",
        Actor("某", "财政"),
        AS_OF,
        NOW,
        office_calendar(fresh.engine),
        facts,
    )
    assert caseload.bounced(fresh.engine, load) == []


def test_a_rule_handed_in_waits_for_who_signs(fresh: Desk) -> None:
    path = fresh.post("lin", f"/desk/items/{ITEM}/edit").headers["location"]
    made = drafts.drafts(fresh.engine, ITEM)[0]
    form = {
        "text": made.text + "\n# 复核过\n",
        "cases": made.cases,
        "note": "样例",
        "seen": drafts.fingerprint(made.text),
    }
    assert fresh.post("lin", path, do="提交签发", **form).status_code == 303
    assert "1 份规则等您签发" in fresh.client("shen").get("/desk/today").text
    assert "等您签发" not in fresh.client("lin").get("/desk/today").text
