"""立项: pairs approved against the rule get their grant and message; a firm's application opens one, once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from test_pushes import FakeNight, delivery, library  # noqa: F401

from engine.fulfilment import Refused
from profiles.codes import is_code
from store import grants, openings, outbox, pushes, review
from store.calendars import office_calendar
from store.grants import Actor
from store.review import APPROVE, Act, Pair

D, AT = date(2026, 4, 1), datetime(2026, 4, 1, 1, tzinfo=UTC)
CODE, OTHER = "91110000600037341L", "91120118MA0725753R"
ACCOUNT = {"户名": "x", "账号": "62220200", "开户行": "银行", "确认人": "张"}


class Night(FakeNight):
    """A night that also knows firms by their real codes."""

    def columns(self):
        found = super().columns()
        found.codes = [CODE, OTHER, *found.codes[2:]]
        return found


def approve(engine, item: str, batch: str) -> review.ReviewDecision:
    pair = Pair(item, batch, CODE, "不符合", None, None)
    (made,) = review.decide(engine, "林", Act(APPROVE, text="登记有误，已核实"), [pair], AT)
    return made


@pytest.mark.parametrize("word", ["免申即享", "即申即享"])
def test_what_people_approved_against_the_rule_gets_its_grant_and_its_message(engine, library, word: str):  # noqa: F811
    item = delivery(library, word)
    batch = library.program(item).item.live_batch(D).name
    night = Night(library, [(item, OTHER, "符合", "")])
    pushes.queue_pushes(engine, night, D, AT)
    made = approve(engine, item, batch)
    assert openings.open_approved(engine, night, D, AT) == 0  # the second person has not agreed yet
    review.second(engine, made.id, "沈", True, "", AT)
    assert [openings.open_approved(engine, night, D, AT) for _ in range(2)] == [1, 0]
    (case,) = grants.find(engine, code=CODE)
    assert (case.state, case.amount, case.high) == (
        ("名单核查" if word == "免申即享" else "待提交"),
        None,
        None,
    )
    pushes.queue_pushes(engine, Night(library, [(item, OTHER, "符合", "")], no=2), D, AT)
    (case,) = grants.find(engine, code=CODE)
    assert not case.facts.get("比对变化")  # the night that still says no is not news
    told = {p.channel: p for p in outbox.list_pushes(engine, firm=CODE)}
    assert set(told) == {"webhook", "inbox"} and "金额待定" in told["inbox"].body
    act = grants.act(
        engine, case.id, "通过名单", Actor("林", "经办"), D, AT, office_calendar(engine), {"核定金额": 50_00}
    ) if word == "免申即享" else case  # fmt: skip
    assert act.state == ("信用核查" if word == "免申即享" else "待提交")


def test_a_decision_that_was_taken_back_or_ran_out_opens_nothing(engine, library):  # noqa: F811
    item = delivery(library, "即申即享")
    batch = library.program(item).item.live_batch(D).name
    night = Night(library, [(item, OTHER, "符合", "")])
    made = approve(engine, item, batch)
    review.second(engine, made.id, "沈", True, "", AT)
    later = Pair(item, batch, CODE, "不符合", None, None, last_seen=made.id)
    review.decide(engine, "林", Act("不纳入", reason="1"), [later], AT)
    assert openings.open_approved(engine, night, D, AT) == 0


def applied(engine, library, rows, code: str = CODE, day: date = D, **account: str):  # noqa: F811
    item = delivery(library, "申报兑现")
    return openings.apply_for(
        engine, Night(library, [(item, *r) for r in rows]), code, item, day, AT, "林", account
    )


def test_an_application_opens_a_grant_once_and_is_handed_in_with_its_account(engine, library):  # noqa: F811
    assert is_code(CODE) and is_code(OTHER)
    fits = [(CODE, "符合", "")]
    first = applied(engine, library, fits)
    assert (first.state, first.amount, first.variant) == (
        "待提交",
        1000_00,
        "申报兑现",
    ) and "批次截止" in first.facts
    assert applied(engine, library, fits).id == first.id
    done = applied(engine, library, fits, **ACCOUNT)
    assert (done.id, done.state) == (first.id, "名单核查")
    with pytest.raises(ValueError, match="已经办到“名单核查”"):
        applied(engine, library, fits, **ACCOUNT)


def test_an_application_that_the_night_does_not_support_has_to_be_answered_for(engine, library):  # noqa: F811
    case = applied(engine, library, [(OTHER, "符合", "")], **ACCOUNT)
    assert case.facts["比对变化"] == "第 1 次比对不符合" and case.amount is None
    office, calendar = Actor("林", "经办"), office_calendar(engine)
    with pytest.raises(Refused, match="第 1 次比对不符合"):
        grants.act(engine, case.id, "通过名单", office, D, AT, calendar, {"核定金额": 1})
    gave = applied(engine, library, [(OTHER, "符合", "d/x")], OTHER)
    assert gave.facts["比对变化"] == "第 1 次比对让位于 d/x"


def test_an_application_that_cannot_be_taken_says_why(engine, library, tmp_path):  # noqa: F811
    closes = library.program(delivery(library, "申报兑现")).item.live_batch(D).closes
    for code, day, told in (("91", D, "不是有效的统一社会信用代码"), ("91110105MA00000000", D, "不是有效的|没有"),
                            (CODE, closes + timedelta(days=1), "今天不受理")):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            applied(engine, library, [], code, day)
    auto = delivery(library, "免申即享")
    with pytest.raises(ValueError, match="不用申报"):
        openings.apply_for(engine, Night(library, [(auto, CODE, "符合", "")]), CODE, auto, D, AT, "林", {})
    item = delivery(library, "申报兑现")
    path = tmp_path / "申报.csv"
    rows = [
        f"{item},{CODE},x,62220200,银行,张",
        f"{item},{OTHER},别人公司,62220200,银行,张",
        f"no/thing,{CODE},,,,",
    ]
    path.write_text(
        "事项,统一社会信用代码,户名,账号,开户行,确认人\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    night = Night(library, [(item, c, "符合", "") for c in (CODE, OTHER)])
    for opened, left in ((1, 2), (0, 3)):
        report = openings.apply_from_file(engine, night, path, D, AT, "林")
        assert report.opened == opened and len(report.rejected) == left
    assert (
        "申报.csv:3" in report.rejected[1]
        and "不一致" in report.rejected[1]
        and "没有 no/thing" in report.rejected[2]
    )
