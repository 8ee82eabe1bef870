"""作意见: decisions that stick, second persons, lost updates, undo, answers, bulk preview."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from world import AS_OF

from store import audit, review
from store.review import Act, LostUpdate, Pair, ReviewError, State, decide, forecast, second, undo

ITEM, BATCH, CODE = "a/b", "2026", "91120118MA0725753R"


def pair(**changes):
    given = {"verdict": "符合", "low": 1e5, "high": 1e5, "facts": "f1", "night": 1}
    return Pair(ITEM, BATCH, CODE, **{**given, **changes})


@pytest.mark.parametrize(
    ("act", "seen", "outcome"),
    [
        (Act("通过"), {}, "生效"),
        (Act("通过"), {"verdict": "待核实"}, "不行"),
        (Act("通过"), {"verdict": "不符合"}, "不行"),
        (Act("通过", text="依据会议纪要"), {"verdict": "不符合", "low": None, "high": None}, "待复核"),
        (Act("通过"), {"low": 499_999.99, "high": 499_999.99}, "生效"),
        (Act("通过"), {"low": 500_000.0, "high": 500_000.0}, "待复核"),
        (Act("通过"), {"low": 1.0, "high": 500_000.0}, "待复核"),
        (Act("通过"), {"low": None, "high": None}, "待复核"),
        (Act("不纳入"), {}, "不行"),
        (Act("不纳入", reason="1"), {}, "生效"),
        (Act("不纳入", reason="2"), {}, "待复核"),
        (Act("不纳入", reason="2"), {"verdict": "待核实"}, "生效"),
        (Act("不纳入", reason="9"), {}, "不行"),
        (Act("暂缓"), {}, "不行"),
        (Act("转交"), {}, "不行"),
        (Act("没有这种"), {}, "不行"),
    ],
)
def test_what_a_decision_would_do(act, seen, outcome):
    assert forecast(act, pair(**seen), 500_000).outcome == outcome


def test_nobody_is_the_second_person_of_their_own_decision(fresh):
    made = decide(fresh.engine, "lin", Act("通过"), [pair(low=6e5, high=6e5)], fresh.moment)[0]
    assert made.state == review.WAITING
    with pytest.raises(ReviewError, match="自己"):
        second(fresh.engine, made.id, "lin", True, "", fresh.moment)
    assert second(fresh.engine, made.id, "shen", True, "", fresh.moment).state == review.ACTIVE
    with pytest.raises(ReviewError, match="不在等复核"):
        second(fresh.engine, made.id, "shen", True, "", fresh.moment)
    with pytest.raises(ReviewError, match="复核"):
        undo(fresh.engine, made.id, "lin", fresh.moment)


def test_sending_back_needs_a_reason_and_reopens_the_match(fresh):
    made = decide(fresh.engine, "lin", Act("通过"), [pair(low=6e5, high=6e5)], fresh.moment)[0]
    with pytest.raises(ReviewError, match="理由"):
        second(fresh.engine, made.id, "shen", False, " ", fresh.moment)
    second(fresh.engine, made.id, "shen", False, "金额再核", fresh.moment)
    state = review.states(review.history(fresh.engine), {}, AS_OF)[(ITEM, BATCH, CODE)]
    assert state.word == "被退回" and "金额再核" in state.lapsed


def test_the_second_of_two_people_is_told_of_the_first(fresh):
    decide(fresh.engine, "lin", Act("不纳入", reason="1"), [pair()], fresh.moment)
    with pytest.raises(LostUpdate) as lost:
        decide(fresh.engine, "zhuan", Act("问企业"), [pair()], fresh.moment)
    assert lost.value.other.who == "lin"
    known = lost.value.other.id
    decide(fresh.engine, "zhuan", Act("问企业"), [pair(last_seen=known)], fresh.moment)


def test_bulk_is_all_or_none(fresh):
    with pytest.raises(ReviewError):
        decide(
            fresh.engine, "lin", Act("通过"), [pair(), Pair(ITEM, BATCH, "X" * 18, "待核实")], fresh.moment
        )
    assert review.history(fresh.engine) == []
    assert audit.entries(fresh.engine, what="通过")[1] == 0


def state_of(engine, facts, day=AS_OF) -> State:
    return review.states(review.history(engine), {(ITEM, BATCH, CODE): facts}, day)[(ITEM, BATCH, CODE)]


def test_a_decision_sticks_until_its_facts_change_or_its_day_passes(fresh):
    act = Act("不纳入", reason="1", until=date(2026, 9, 30))
    decide(fresh.engine, "lin", act, [pair()], fresh.moment)
    assert state_of(fresh.engine, "f1").word == "未纳入"
    assert "数据变了" in state_of(fresh.engine, "f2").lapsed
    assert state_of(fresh.engine, "f1", date(2026, 9, 30)).word == "未纳入"
    assert "过期" in state_of(fresh.engine, "f1", date(2026, 10, 1)).lapsed


def test_undo_is_for_oneself_and_before_anything_was_sent(fresh):
    made = decide(fresh.engine, "lin", Act("通过"), [pair()], fresh.moment)[0]
    with pytest.raises(ReviewError, match="本人"):
        undo(fresh.engine, made.id, "zhuan", fresh.moment)
    undo(fresh.engine, made.id, "lin", fresh.moment)
    assert state_of(fresh.engine, "f1").word == "待处理"
    from store.database import writing

    again = decide(fresh.engine, "lin", Act("通过"), [pair(last_seen=made.id)], fresh.moment)[0]
    with writing(fresh.engine) as opened:
        review.mark_sent(opened, [again.id])
    with pytest.raises(ReviewError, match="通知"):
        undo(fresh.engine, again.id, "lin", fresh.moment)
    assert len(review.history(fresh.engine)) == 2, "nothing is deleted"


def test_the_latest_answer_counts_and_can_be_taken_back(fresh):
    def answer(told, row=""):
        review.answer_question(
            fresh.engine, "lin", pair(), "frontier", told, "目录第 3 类", fresh.moment, row
        )

    key = (ITEM, BATCH, "frontier")
    answer(False)
    answer(True)
    assert review.answer_book(fresh.engine) == {key: {CODE: True}}
    answer(None)
    assert review.answer_book(fresh.engine) == {}
    answer(True, "P1")
    answer(False, "P2")
    assert review.answer_book(fresh.engine) == {key: {CODE: {"P1": True, "P2": False}}}
    with pytest.raises(ReviewError, match="依据"):
        review.answer_question(fresh.engine, "lin", pair(), "frontier", True, " ", fresh.moment)


def test_a_limit_set_by_the_office_counts(fresh):
    review.change_setting(fresh.engine, "second_limit", 50_000.0, by="admin", now=fresh.moment)
    assert decide(fresh.engine, "lin", Act("通过"), [pair()], fresh.moment)[0].state == review.WAITING


# ---------------------------------------------------------------- through the pages


def fitting(desk, least=0.0, most=4e5):
    """Some item's fitting firms with a known amount."""
    office = desk.app.state.office
    night = office.night()
    for row in office.items(night).sort_values("fits", ascending=False).to_dict("records"):
        hits = office.hits(night, row["item"])
        good = hits[(hits["verdict"] == "符合") & (hits["paid_high"] > least) & (hits["paid_high"] < most)]
        if len(good) >= 3:
            return row["item"], good["统一社会信用代码"].tolist()
    raise AssertionError("the sample has no such item")


def test_the_preview_changes_nothing_and_the_commit_does_what_it_said(fresh):
    item, codes = fitting(fresh)
    picks = [f"{c}:0" for c in codes[:3]]
    before = audit.verify(fresh.engine).count
    page = fresh.post("lin", "/desk/matches/preview", item=item, pick=picks, do="通过")
    assert page.status_code == 200 and page.text.count("当即生效") == 3
    assert audit.entries(fresh.engine, what="通过")[1] == 0 and review.history(fresh.engine) == []
    done = fresh.post("lin", "/desk/matches/decide", item=item, pick=picks, do="通过")
    assert done.status_code == 303
    assert {d.code for d in review.history(fresh.engine)} == set(codes[:3])
    assert audit.verify(fresh.engine).count >= before + 3
    again = fresh.post("lin", "/desk/matches/decide", item=item, pick=picks, do="通过")
    assert again.status_code == 409 and "已经“通过”了" in again.text
    listed = fresh.client("lin").get(f"/desk/items/{item}/matches?state=已通过").text
    assert all(c in listed for c in codes[:3])


def test_a_match_is_decided_and_taken_back_on_its_page(fresh):
    item, codes = fitting(fresh)
    path = f"/desk/matches/{codes[0]}/{item}"
    assert fresh.client("lin").get(path).status_code == 200
    done = fresh.post("lin", f"{path}/decide", do="通过", last="0", here=path, next=path)
    number = re.search(r"done=(\d+)", done.headers["location"])[1]
    page = fresh.client("lin").get(done.headers["location"]).text
    assert "撤回" in page and "已通过" in page
    fresh.post("lin", "/desk/undo", id=number, next=path)
    assert review.decision(fresh.engine, int(number)).state == review.UNDONE


def test_an_officer_of_firms_may_ask_but_not_approve(fresh):
    item, codes = fitting(fresh)
    path = f"/desk/matches/{codes[0]}/{item}/decide"
    assert fresh.post("zhuan", path, do="通过", last="0").status_code == 403
    assert fresh.post("zhuan", path, do="问企业", last="0").status_code == 303


def test_the_reviewers_page_lists_what_waits_and_agreeing_settles_it(fresh):
    item, codes = fitting(fresh)
    review.change_setting(fresh.engine, "second_limit", 1.0, by="admin", now=fresh.moment)
    fresh.post("lin", f"/desk/matches/{codes[0]}/{item}/decide", do="通过", last="0")
    made = review.waiting_second(fresh.engine)[0]
    assert codes[0] in fresh.client("shen").get("/desk/second").text
    fresh.post("shen", "/desk/second", id=made.id, do="同意")
    assert review.decision(fresh.engine, made.id).state == review.ACTIVE
    fresh.moment += timedelta(minutes=1)
    fresh.post("admin", f"/desk/matches/{codes[1]}/{item}/decide", do="通过", last="0")
    own = review.waiting_second(fresh.engine)[0]
    page = fresh.client("admin").get("/desk/second").text
    assert "由另一位复核" in page
    fresh.post("admin", "/desk/second", id=own.id, do="同意")
    assert review.decision(fresh.engine, own.id).state == review.WAITING


def test_a_second_person_is_asked_where_the_upper_end_is_unknown_and_not_where_there_is_no_money():
    act = Act("通过")
    assert forecast(act, pair(low=1e4, high=1e4), 5e5).outcome == "生效"
    assert forecast(act, pair(low=1e4, high=None), 5e5).why == "金额的上限待定"
    assert forecast(act, pair(low=1e4, high=None), 5e5).outcome == "待复核"
    assert forecast(act, pair(low=None, high=None), 5e5).outcome == "待复核"
    assert forecast(act, pair(low=None, high=None, money=False), 5e5).outcome == "生效"


def test_the_preview_tells_the_sums_of_the_bar_and_an_item_without_money_none(fresh):
    office = fresh.app.state.office
    night = office.night()
    for item, told in (("bs-2025-03/unemployment-refund", True), ("bs-2025-04/hnte-pipeline", False)):
        hits = office.hits(night, item)
        some = hits[(hits["verdict"] == "符合")].head(3)
        picks = [f"{code}:0" for code in some["统一社会信用代码"]]
        page = fresh.post("lin", "/desk/matches/preview", item=item, pick=picks, do="通过").text
        high, low = some["paid_high"].sum(), some["paid_low"].sum()
        assert (f"{high / 1e4:,.2f} 万元" in page and f"{low / 1e4:,.2f}" in page) == told
        assert ("没有奖补" in page) == (not told)
        assert "转复核" not in page


def test_a_saved_view_is_said_to_be_saved_and_where(fresh):
    answer = fresh.post("lin", "/desk/views", name="只看符合", url="/desk/matches?state=全部")
    page = fresh.client("lin").get(answer.headers["location"]).text
    assert "存好了“只看符合”" in page and page.count("只看符合") >= 2


def test_a_preview_without_a_reason_does_not_promise_what_the_reason_decides(fresh):
    office = fresh.app.state.office
    hits = office.hits(office.night(), "bs-2025-03/unemployment-refund")
    for verdict, told in (("符合", "看理由"), ("待核实", "当即生效")):
        picks = [f"{code}:0" for code in hits[hits["verdict"] == verdict]["统一社会信用代码"].head(2)]
        asked = {"item": "bs-2025-03/unemployment-refund", "pick": picks, "do": "不纳入"}
        page = fresh.post("lin", "/desk/matches/preview", **asked).text
        assert page.count(told) == 2, verdict
