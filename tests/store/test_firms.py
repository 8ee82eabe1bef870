"""一企一档: authority, conflicts, staleness, both times, relations, corrections."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from files import DICTIONARY, MARCH, REGISTER, code, put, source
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.file import CONFLICT, KNOWN, STALE, UNUSED
from store.batches import take_back
from store.corrections import answer_correction, corrections, file_correction
from store.firms import firm_codes, missing_file, provenance, relations, without_file
from tests.databases import drop_below, new_database

LATER = datetime(2026, 4, 1, 2, tzinfo=UTC)
COLUMNS = "资本: {indicator: 注册资本, unit: 万元}, 状态: {indicator: 登记状态}"
HEAD = "代码,名称,资本,状态\n"
OWN = source("自报", COLUMNS, "").model_copy(update={"authority": 1})
OTHER = source("统计", COLUMNS)
ABOVE = source("总局", COLUMNS).model_copy(update={"authority": 3})
DAY = date(2026, 6, 1)


def says(engine, folder, declared, capital, state="存续", day="", arrived=MARCH, firm=1):
    return put(
        engine, folder, declared, f"{HEAD}{code(firm)},甲,{capital},{state}\n", day=day, arrived=arrived
    )


def fact(engine, indicator="注册资本", day=DAY, **more):
    return provenance(engine, code(1), day, DICTIONARY, **more).get((indicator, None))


def test_the_higher_authority_speaks_whatever_its_date(engine, tmp_path):
    says(engine, tmp_path, ABOVE, 1, day="2025-01-01")
    says(engine, tmp_path, OTHER, 2, day="2026-01-01")
    says(engine, tmp_path, OWN, 3, day="2026-02-01")
    found = fact(engine)
    assert (found.value, found.state, found.source, found.day) == (10_000.0, KNOWN, "总局", date(2025, 1, 1))
    assert sorted(other.shown for other in found.others) == [20_000.0, 30_000.0]


def test_a_day_before_anything_came_says_when_it_came(engine, tmp_path):
    assert missing_file(engine, code(1), DAY) == f"没有 {code(1)} 的档案"
    says(engine, tmp_path, REGISTER, 1, arrived=LATER)
    says(engine, tmp_path, OTHER, 1, arrived=datetime(2026, 3, 9, 17, tzinfo=UTC))  # the tenth in Shanghai
    assert "最早一批 2026-03-10 到" in missing_file(engine, code(1), date(2026, 3, 1))


def test_equal_authority_that_differs_is_a_conflict_and_agreement_is_none(engine, tmp_path):
    says(engine, tmp_path, REGISTER, 1, day="2026-01-01")
    says(engine, tmp_path, OTHER, 1, day="2026-02-01")
    assert (fact(engine).value, fact(engine).day) == (10_000.0, date(2026, 2, 1))
    says(engine, tmp_path, OTHER, 2, day="2026-03-01", arrived=LATER)
    found = fact(engine)
    assert (found.value, found.state, found.shown) == (None, CONFLICT, 20_000.0)
    assert [other.shown for other in found.others] == [10_000.0]


def test_a_blank_in_the_newest_row_is_a_blank(engine, tmp_path):
    says(engine, tmp_path, REGISTER, 1, day="2026-01-01")
    says(engine, tmp_path, REGISTER, "", day="2026-02-01")
    assert fact(engine) is None
    assert fact(engine, day=date(2026, 1, 15)).value == 10_000.0


def test_stale_values_are_unknown_and_do_not_contest_fresh_ones(engine, tmp_path):
    says(engine, tmp_path, REGISTER, 1, state="吊销", day="2024-01-01")
    assert fact(engine, "登记状态", day=date(2025, 2, 4)).state == KNOWN
    found = fact(engine, "登记状态", day=date(2025, 2, 5))
    assert (found.state, found.value, found.shown) == (STALE, None, "吊销")
    says(engine, tmp_path, OTHER, 1, state="存续", day="2026-01-01")
    assert (fact(engine, "登记状态").state, fact(engine, "登记状态").value) == (KNOWN, "存续")


def test_a_value_that_cannot_be_used_hides_older_ones(engine, tmp_path):
    loose = source("外币", "资本: {indicator: 注册资本, unit: 万元, unusable: 本格}")
    put(engine, tmp_path, loose, f"代码,名称,资本\n{code(1)},甲,5\n", day="2026-01-01")
    report = put(engine, tmp_path, loose, f"代码,名称,资本\n{code(1)},甲,5万美元\n", day="2026-02-01")
    assert (report.changed, [p.code for p in report.problems]) == (1, ["currency"])
    assert (fact(engine).state, fact(engine).value, fact(engine).shown) == (UNUSED, None, "5万美元")


def test_what_was_known_and_what_was_true(engine, tmp_path):
    says(engine, tmp_path, REGISTER, 1, day="2026-01-01", arrived=MARCH)
    says(engine, tmp_path, REGISTER, 2, day="2026-02-01", arrived=LATER)
    middle = date(2026, 3, 15)
    assert fact(engine, day=middle, known_on=middle).value == 10_000.0
    assert fact(engine, day=middle).value == 20_000.0
    assert fact(engine, day=date(2026, 1, 15)).value == 10_000.0
    assert fact(engine, day=date(2025, 12, 31)) is None
    assert fact(engine, day=middle, known_on=date(2026, 2, 1)) is None


def test_relations_and_enterprises_without_a_file(engine, tmp_path):
    linked = source(
        "注册", "名称: {indicator: 企业名称}",
        "relations: [{kind: 原注册号, column: 旧号}, {kind: 总公司, column: 总公司代码}, {kind: 曾用名, column: 旧名}]",
    )  # fmt: skip
    head = "代码,名称,旧号,总公司代码,旧名\n"
    put(
        engine,
        tmp_path,
        linked,
        f"{head}{code(1)},甲分公司,120116000012345,{code(9)},乙；丙\n{code(2)},丁,,,\n",
    )
    found = [(r["kind"], r["other"], r["has_file"]) for r in relations(engine, code(1))]
    assert Counter(found) == Counter(
        [
            ("原注册号", "120116000012345", None),
            ("总公司", code(9), False),
            ("曾用名", "乙", None),
            ("曾用名", "丙", None),
        ]
    )
    assert [(r["other"], r["code"]) for r in without_file(engine)] == [(code(9), code(1))]
    put(engine, tmp_path, REGISTER, f"{HEAD}{code(9)},总公司,1,存续\n")
    assert without_file(engine) == []
    back = [(r["kind"], r["other"], r["back"], r["has_file"]) for r in relations(engine, code(9))]
    assert back == [("分支机构", code(1), True, True)]
    assert relations(engine, code(9), known_on=date(2026, 1, 1)) == []


def test_corrections_reach_the_owner_and_change_no_value(engine, tmp_path):
    says(engine, tmp_path, REGISTER, 1)
    number = file_correction(
        engine,
        code(1),
        "注册资本",
        dictionary=DICTIONARY,
        at=MARCH,
        claimed="200万元",
        reason="已增资",
        by="甲",
        shown="10000",
    )
    found = corrections(engine, department="市场监管局")
    assert [(one.id, one.claimed, one.state) for one in found] == [(number, "200万元", "待处理")]
    answer_correction(engine, number, adopted=False, answer="登记无变更", by="李", at=LATER)
    assert corrections(engine, code=code(1))[0].state == "不予更正"
    assert fact(engine).value == 10_000.0
    with pytest.raises(ValueError, match="不能再答复"):
        answer_correction(engine, number, adopted=True, answer="", by="李", at=LATER)
    with pytest.raises(ValueError, match="没有“注册资木”"):
        file_correction(engine, code(1), "注册资木", dictionary=DICTIONARY, at=MARCH, claimed="", reason="")
    with pytest.raises(ValueError, match="要写明年度"):
        file_correction(engine, code(1), "营业收入", dictionary=DICTIONARY, at=MARCH, claimed="", reason="")


step = st.tuples(
    st.sampled_from(["import", "take back"]), st.integers(1, 5), st.sampled_from([REGISTER, OTHER, ABOVE])
)


@settings(max_examples=20, deadline=None)
@given(st.lists(step, min_size=2, max_size=6))
def test_views_of_past_days_never_change(tmp_path_factory, database, steps):
    folder = tmp_path_factory.mktemp("views")
    engine = new_database(folder)
    views, landed = {}, []
    for month, (what, number, declared) in enumerate(steps, 1):
        at = datetime(2026, month, 10, tzinfo=UTC)
        if what == "import":
            report = says(engine, folder, declared, number, day=f"2025-{number:02d}-01", arrived=at)
            landed += [report.batch] if report.batch else []
        elif landed:
            take_back(engine, landed.pop(number % len(landed)), by="", at=at)
        day = date(2026, month, 20)
        views[day] = provenance(engine, code(1), day, DICTIONARY, known_on=day)
        for past, view in views.items():
            assert provenance(engine, code(1), past, DICTIONARY, known_on=past) == view
    assert firm_codes(engine) in ([], [code(1)])
    engine.dispose()
    drop_below(folder)
