"""两个人、期限、轮到谁: who may take money back, whose turn a grant is, and days that move with the calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from engine.fulfilment import Refused
from engine.grantmoves import AUTOMATIC, State
from jobs.fulfil import advance, deadlines
from store import accounts, arrears, grants, ledger
from store.calendars import enter_year, office_calendar
from store.grants import Actor, NewGrant
from store.turns import Turns

D, AT = date(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)
ACCOUNT = {"户名": "甲", "账号": "6222", "开户行": "银行", "确认人": "张"}
NEW = NewGrant("C1", "甲", "d/i", "2026", "奖", "经发局", AUTOMATIC, 100_00, 100_00)
SHEN = Actor("shen", "复核")


def person(engine, login: str, name: str, *roles: str, department: str = "") -> None:
    accounts.create_person(engine, login, name, list(roles), by="管", now=AT, department=department)


def act(engine, case, action: str, actor: Actor, day: date, at: datetime = AT, **facts):
    return grants.act(engine, case.id, action, actor, day, at, office_calendar(engine), facts)


def paying(engine, new: NewGrant = NEW):
    grants.open_grants(engine, [new], D, AT, office_calendar(engine))
    case = grants.find(engine)[-1]
    for action, role, day, facts in (
        ("通过名单", "经办", D, {"核定金额": new.high}), ("信用通过", "经办", D, {"信用查询日期": "x", "公示地址": "y"}),
        ("公示期满", "系统", date(2026, 6, 9), {}), ("确认", "企业", date(2026, 6, 9), ACCOUNT),
        ("财政通过", "财政", date(2026, 6, 10), {}),
    ):  # fmt: skip
        case = act(engine, case, action, Actor("某", role), day, **facts)
    return case


def test_only_two_real_people_take_a_grant_away(engine):
    case, day = paying(engine), date(2026, 6, 11)
    person(engine, "admin", "管", "管理员")
    ask = {"提请事项": "撤销", "依据": "第九条", "理由": "虚报"}
    act(engine, case, "提请", Actor("lin", "经办"), day, **ask)
    with pytest.raises(Refused, match="没有叫“lin”的在职人员"):
        act(engine, case, "撤销", SHEN, day)
    person(engine, "lin", "林知遥", "经办", "复核")
    with pytest.raises(Refused, match="没有叫“shen”的在职人员"):
        act(engine, case, "撤销", SHEN, day)
    person(engine, "shen", "沈既白", "经办")
    with pytest.raises(Refused, match="没有“复核”角色"):
        act(engine, case, "撤销", SHEN, day)
    with pytest.raises(Refused, match="自己提请的"):  # by name, where the request says the login
        act(engine, case, "撤销", Actor("林知遥", "复核"), day)
    accounts.change_person(engine, "shen", by="管", now=AT, roles=["复核"], department="", active=False)
    with pytest.raises(Refused, match="没有叫“shen”的在职人员"):
        act(engine, case, "撤销", SHEN, day)
    accounts.change_person(engine, "shen", by="管", now=AT, roles=["复核"], department="", active=True)
    assert grants.find(engine)[0].state == "拨付"
    done = act(engine, case, "撤销", SHEN, day)
    step = grants.history(engine, case.id)[-1]
    assert (done.state, done.reserved, step.facts["提请人"], step.who) == ("撤销", 0, "lin", "shen")
    assert ledger.verify_ledger(engine) == []


@pytest.mark.parametrize(
    "name", ["公示开始", "比对变化", "分期", "批次截止", "提请", "企业名称", "告知·名单核查", "比对上限"]
)
def test_nobody_writes_what_the_machine_keeps(engine, name: str):
    """A form could back-date the notice, or raise what the night allows, if it might say anything."""
    grants.open_grants(engine, [NEW], D, AT, office_calendar(engine))
    case = grants.find(engine)[0]
    with pytest.raises(Refused, match=f"不能写“{name}”"):
        act(engine, case, "通过名单", Actor("林", "经办"), D, 核定金额=100_00, **{name: "2026-01-01"})
    with pytest.raises(Refused, match="不能写“经办人”"):
        act(engine, case, "通过名单", Actor("林", "经办"), D, 核定金额=100_00, 经办人="别人")
    assert len(grants.history(engine, case.id)) == 2


def test_a_new_years_calendar_moves_the_days_that_stood_open(engine):
    late = date(2026, 12, 30)
    moment = datetime(2026, 12, 30, 1, tzinfo=UTC)
    grants.open_grants(engine, [NEW], late, moment, office_calendar(engine))
    case = grants.find(engine)[0]
    assert case.due is None and "2027" in case.due_note
    assert [(r.late, r.case.id) for r in deadlines(engine, late)] == [(None, case.id)]
    enter_year(engine, 2027, frozenset({date(2027, 1, 1)}), frozenset(), "管", moment)
    report = advance(engine, late, moment)
    case = grants.find(engine)[0]
    assert (case.due, case.due_note, report.moved) == (date(2027, 1, 7), "", {"改期": 1})
    assert advance(engine, late, moment).moved == {}
    assert len(grants.history(engine, case.id)) == 2  # no step was made


def test_only_the_part_whose_day_is_over_is_in_arrears(engine):
    rows = ({"share": "60%"}, {"share": "40%", "after": "3个月"})
    case = paying(engine, replace(NEW, instalments=rows))
    assert [(p["分"], p["起"]) for p in case.facts["分期"]] == [(60_00, "2026-06-10"), (40_00, "2026-09-10")]
    assert case.due == date(2026, 6, 17)
    found = arrears.arrears(engine, date(2026, 7, 1))
    assert [(a.fen, a.due_on) for a in found] == [(60_00, date(2026, 6, 17))]
    for action in ("下达", "到账"):
        case = act(engine, case, action, Actor("钱", "财政"), date(2026, 7, 1), 支付金额=60_00, 流水号="1")
    assert arrears.arrears(engine, date(2026, 7, 2)) == [] and case.due == date(2026, 9, 17)
    assert [(a.fen, a.due_on) for a in arrears.arrears(engine, date(2026, 10, 9))] == [
        (40_00, date(2026, 9, 17))
    ]
    assert ledger.verify_ledger(engine) == []


def test_a_turn_names_people_by_role_and_department_and_a_firms_own_officers(engine):
    for login, name, role, department in (("a", "甲", "经办", "经发局"), ("b", "乙", "经办", ""), ("c", "丙", "经办", "人社局"),
                                          ("f", "财", "财政", ""), ("z", "专", "专员", ""), ("y", "员", "专员", "")):  # fmt: skip
        person(engine, login, name, role, department=department)
    grants.open_grants(engine, [NEW, replace(NEW, code="C2")], D, AT, office_calendar(engine))
    case, other = grants.find(engine)
    assert Turns(engine).of(case).people == (("a", "甲"),)
    assert Turns(engine).of(case, ("复核",)).note == "经发局没有复核人员"
    accounts.set_officers(engine, "C1", "y", "z", by="管", now=AT)
    case.holder = "企业"
    assert Turns(engine).of(case).words() == "专、员"
    other.holder = "专员"
    assert Turns(engine).of(other).words() == "没有给这家企业定专员"
    z, b = (accounts.find_person(engine, login) for login in "zb")
    assert Turns(engine).firms_of(z) == {"C1"} and Turns(engine).firms_of(b) is None
    late = deadlines(engine, date(2026, 6, 10), who="a")
    assert [r.case.code for r in late] == ["C1", "C2"] and deadlines(engine, date(2026, 6, 10), who="c") == []
    assert State(late[0].case.state) == State.LISTED
