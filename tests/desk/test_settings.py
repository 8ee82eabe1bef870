"""设置: every act is kept and on record, a wrong one is told with its cure and keeps nothing."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import unquote_plus

import pytest
from clients import Desk

from store import accounts, audit, calendars, review, webhooks


def change(desk: Desk, **form: Any):  # type: ignore[no-untyped-def]
    return desk.client("admin").post("/desk/settings", data={"csrf": desk.csrf("admin"), **form})


def told(answer) -> str:  # type: ignore[no-untyped-def]
    assert answer.status_code == 303
    return unquote_plus(answer.headers["location"])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"do": "改限额", "limit": "很多"}, "限额要写成"),
        ({"do": "改限额", "limit": "0"}, "限额要写成"),
        ({"do": "改静默期", "quiet": "国庆", "every": "7"}, "2026-10-01 2026-10-07"),
        ({"do": "改静默期", "quiet": "2026-10-07 2026-10-01", "every": "7"}, "之前"),
        ({"do": "改静默期", "quiet": "", "every": "9999"}, "0 到 365"),
        ({"do": "录入一年", "year": "2027", "rest": "元旦"}, "要写成"),
        ({"do": "录入一年", "year": "2027", "rest": "2028-01-01"}, "2028-01-01"),
        ({"do": "新建人员", "login": "a", "name": "甲", "role": "经办"}, "要有密码"),
        ({"do": "新建回调", "url": "file:///etc/passwd", "event": "decision"}, "https"),
        ({"do": "没有的"}, "没有“没有的”"),
    ],
)
def test_what_is_wrong_is_told_and_not_kept(desk: Desk, form: dict[str, str], words: str) -> None:
    desk.client("admin")
    before = audit.verify(desk.engine).count
    assert words in told(change(desk, **form))
    assert audit.verify(desk.engine).count == before


def test_limits_quiet_days_and_the_calendar_are_kept(fresh: Desk) -> None:
    assert "20 万元" in told(change(fresh, do="改限额", limit="20"))
    assert review.second_limit(fresh.engine) == 200_000
    form = {"do": "改静默期", "quiet": "2026-10-01 2026-10-07\n2027-02-05 2027-02-11", "every": "14"}
    assert "2 段静默期" in told(change(fresh, **form))
    push = review.setting(fresh.engine, "push")
    assert push["quiet"][0] == ["2026-10-01", "2026-10-07"] and push["every_days"] == 14
    form = {"do": "录入一年", "year": "2027", "rest": "2027-01-01~2027-01-03", "work": ""}
    assert "平日放假 1 天" in told(change(fresh, **form))
    assert not calendars.office_calendar(fresh.engine).is_workday(date(2027, 1, 1))
    assert "2026-10-07" in fresh.client("admin").get("/desk/settings").text
    assert audit.entries(fresh.engine, what="录工作日历")[1] == 1


def test_a_person_may_come_by_single_sign_on_alone(fresh: Desk) -> None:
    form = {"do": "新建人员", "login": "sso", "name": "只用认证", "role": ["经办"], "subject": "emp-7"}
    assert "建好了" in told(change(fresh, **form))
    made = accounts.find_person(fresh.engine, "sso")
    assert made is not None and made.subject == "emp-7" and made.password == ""
    assert accounts.log_in(fresh.engine, "sso", "", fresh.moment) is None
    assert accounts.sign_on(fresh.engine, "emp-7", fresh.moment) is not None


def test_a_hook_and_a_token_show_their_secret_once(fresh: Desk) -> None:
    form = {"do": "新建回调", "url": "https://other.example/huiqi", "event": ["decision", "rule"]}
    page = change(fresh, **form).text
    (hook,) = webhooks.hooks(fresh.engine)
    assert hook.secret in page and hook.secret not in fresh.client("admin").get("/desk/settings").text
    assert "删掉了" in told(change(fresh, do="删回调", id=hook.id))


def reasons_form(desk, **changes):
    rows = review.all_reasons(desk.engine)
    form = {
        "do": "改理由", "code": [r.code for r in rows], "words": [r.words for r in rows],
        "overrides": [r.code for r in rows if r.overrides], "retired": [],
    }  # fmt: skip
    return desk.post("admin", "/desk/settings", **{**form, **changes})


def test_reasons_are_the_offices_own_and_a_used_one_keeps_its_words(fresh):
    def pair(code: str = "91120118MA0725753R") -> review.Pair:
        return review.Pair("a/b", "2026", code, "符合", 1e5, 1e5, "f1", 1)

    added = reasons_form(fresh, new_code="12", new_words="已由市级兑现", new_overrides="")
    assert "在用" in told(added)
    assert review.reason(fresh.engine, "12") == review.ReasonCode("12", "已由市级兑现", False)
    act = review.Act("不纳入", reason="12")
    (made,) = review.decide(fresh.engine, "lin", act, [pair()], fresh.moment)
    assert made.state == review.ACTIVE, "it is no override, so that nobody need second it"
    words = [r.words for r in review.all_reasons(fresh.engine)]
    reworded = reasons_form(fresh, words=[w.replace("市级", "区级") for w in words])
    assert "用过" in told(reworded)
    reasons_form(fresh, retired=["12"])
    assert "12" not in {r.code for r in review.reasons(fresh.engine)}
    with pytest.raises(review.ReviewError, match="请选不纳入的理由"):
        review.decide(fresh.engine, "lin", act, [pair(code="91120116MA00000002")], fresh.moment)
    shown = review.reason(fresh.engine, made.reason)
    assert shown is not None and shown.words == "已由市级兑现"


def test_a_reason_is_refused_where_it_would_confuse(fresh):
    for bad in ({"new_code": "1", "new_words": "重号"}, {"new_code": "x", "new_words": "不是数"}, {"retired": ["9"]}, {"new_code": "13", "new_words": ""}, {"new_words": "没有编号"}):  # fmt: skip
        assert "没有保存" in told(reasons_form(fresh, **bad))
    assert review.all_reasons(fresh.engine) == review.REASONS
