"""承诺的兑现时限: it begins when the firm has done its part, is late by itself, and is what the quarter is measured by."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from engine.grantmoves import APPLIED, AUTOMATIC
from jobs.fulfil import deadlines
from store import calendars, caseload, grants
from store.calendars import office_calendar
from store.caseload import Caseload
from store.grants import Actor, NewGrant
from store.kpi import kpi

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)
ACCOUNT = {"户名": "甲", "账号": "62220200", "开户行": "银行", "确认人": "张"}
CODE = "91110000600037341L"


def opened(engine, variant: str, deadline: str, code: str = CODE) -> grants.GrantCase:
    new = NewGrant(code, "甲", "d/i", "2026", "奖励", "经发局", variant, 100_00, 100_00, deadline=deadline)
    grants.open_grants(engine, [new], date(2026, 4, 1), AT, office_calendar(engine))
    return grants.find(engine, code=code)[0]


def go(engine, case: grants.GrantCase, *steps: tuple[str, str, date, dict]) -> grants.GrantCase:
    calendar = office_calendar(engine)
    for action, role, on, facts in steps:
        case = grants.act(engine, case.id or 0, action, Actor("某", role), on, AT, calendar, facts)
    return case


TO_MONEY = (
    ("通过名单", "经办", date(2026, 4, 3), {"核定金额": 100_00}),
    ("信用通过", "经办", date(2026, 4, 3), {"信用查询日期": "x", "公示地址": "y"}),
    ("公示期满", "系统", date(2026, 4, 20), {}),
)


def test_an_application_begins_the_days_and_a_return_begins_them_anew(engine) -> None:
    calendar = office_calendar(engine)
    case = opened(engine, APPLIED, "20个工作日")
    assert case.promised is None and case.promised_from is None
    case = go(engine, case, ("提交", "企业", date(2026, 4, 2), ACCOUNT))
    assert case.promised == calendar.add(date(2026, 4, 2), 20)
    back = ("退回补正", "经办", date(2026, 4, 3), {"缺项": ["合同"]})
    case = go(engine, case, back, ("补正", "企业", date(2026, 4, 10), {"已补": ["合同"]}))
    assert case.promised == calendar.add(date(2026, 4, 10), 20)


@pytest.mark.parametrize("deadline", ["", "按季集中兑现"])
def test_nothing_is_promised_where_the_rule_names_no_days(engine, deadline: str) -> None:
    case = go(engine, opened(engine, APPLIED, deadline), ("提交", "企业", date(2026, 4, 2), ACCOUNT))
    assert case.promised is None
    assert deadlines(engine, date(2026, 4, 3), within=20)[0].broken is None


def test_money_that_comes_without_applying_is_promised_from_the_confirmation(engine) -> None:
    calendar = office_calendar(engine)
    case = go(engine, opened(engine, AUTOMATIC, "10个工作日"), *TO_MONEY)
    assert case.promised is None, "the firm has not confirmed"
    case = go(
        engine,
        case,
        ("确认", "企业", date(2026, 4, 21), ACCOUNT),
        ("财政通过", "财政", date(2026, 4, 22), {}),
    )
    assert case.promised == calendar.add(date(2026, 4, 21), 10)
    day = date(2026, 5, 20)
    (late,) = deadlines(engine, day)
    assert late.broken == calendar.between(case.promised, day) > 3
    assert {"复核", "管理员"} & set(late.tell), "a broken promise is escalated"
    load = Caseload().on(day, calendar)
    assert [c.id for c in caseload.page(engine, load, "超承诺", 0, 10)] == [case.id]
    assert sum(p.count for p in caseload.parts(engine, load) if p.within("超承诺", frozenset())) == 1
    early = Caseload().on(case.promised, calendar)
    assert caseload.page(engine, early, "超承诺", 0, 10) == []


def test_the_quarter_tells_how_many_promises_were_kept(engine) -> None:
    for n, (code, paid) in enumerate(((CODE, date(2026, 4, 28)), ("91120118MA0725753R", date(2026, 6, 12)))):
        case = go(engine, opened(engine, AUTOMATIC, "10个工作日", code), *TO_MONEY)
        go(
            engine, case, ("确认", "企业", date(2026, 4, 21), ACCOUNT), ("财政通过", "财政", date(2026, 4, 22), {}),
            ("下达", "财政", date(2026, 4, 23), {"支付金额": 100_00, "流水号": f"S{n}"}),
            ("到账", "财政", paid, {"支付金额": 100_00, "流水号": f"S{n}"}),
        )  # fmt: skip
    sheet = kpi(engine, "2026Q2", office_calendar(engine))
    assert (sheet.promises, sheet.kept, sheet.on_time) == (2, 0.5, 1.0)


def test_a_year_entered_later_sets_the_promised_day(engine) -> None:
    calendar = office_calendar(engine)
    late = date(max(calendar.years), 12, 28)
    case = go(engine, opened(engine, APPLIED, "20个工作日"), ("提交", "企业", late, ACCOUNT))
    assert case.promised is None and case.promised_from == late
    year = late.year + 1
    rest = frozenset({next(d for d in (date(year, 1, n) for n in range(1, 8)) if d.isoweekday() <= 5)})
    calendars.enter_year(engine, year, rest, frozenset(), "林", AT)
    grants.redate(engine, office_calendar(engine), AT)
    assert grants.find(engine, code=CODE)[0].promised == office_calendar(engine).add(late, 20)
