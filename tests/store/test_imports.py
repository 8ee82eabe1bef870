"""导入: atomic, idempotent, accounted row by row, held when it looks wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from files import DICTIONARY, MARCH, REGISTER, TAX, code, numbers, put, source
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from profiles.reading import CHUNK
from profiles.source import SourceError
from store import imports
from store.batches import batches, import_inbox, take_back, troubles
from store.firms import firm_codes, has_file, history, loaded_indicators, provenance, relations
from store.imports import import_file
from store.observations import Content, Sighting
from tests.databases import drop_below, new_database

HEAD = "代码,名称,资本,状态\n"
SPRING = date(2026, 3, 1)
APRIL = datetime(2026, 4, 1, 2, tzinfo=UTC)


def rows(*lines: str) -> str:
    return HEAD + "".join(line + "\n" for line in lines)


def value(engine, firm: str, indicator: str, year=None, day=date(2026, 6, 1)):
    fact = provenance(engine, firm, day).get((indicator, year))
    return None if fact is None else (fact.value, fact.state)


def test_every_row_is_accounted_for(engine, tmp_path):
    text = rows(
        f"{code(1)},甲有限公司,100,存续",
        f"{code(2)},乙有限公司,,存续",
        f"{code(3)[:-1]}{'1' if code(3)[-1] != '1' else '2'},丙有限公司,1,存续",
        f"{code(40)[:8]}{code(40)[8:].replace('0', 'O')},丁有限公司,1,存续",
        ",戊有限公司,1,存续",
        f"{code(5)},己有限公司,约100,存续",
        f"{code(6)},庚有限公司,100万美元,存续",
        f"{code(7)},辛\ufffd公司,1,存续",
        f"{code(8)},壬有限公司,1",
        f"{code(1)},甲有限公司,100,存续",
        ",,,",
    )
    report = put(engine, tmp_path, REGISTER, text, accept=True)
    assert numbers(report) == (11, 2, 0, 1, 6, 2)
    assert [(p.line, p.column, p.code) for p in report.problems] == [
        (4, "代码", "code"), (5, "代码", "to-confirm"), (6, "代码", "to-confirm"), (7, "资本", "amount"),
        (8, "资本", "currency"), (9, "名称", "mojibake"), (10, "", "columns"), (12, "代码", "code"),
    ]  # fmt: skip
    assert troubles(engine, report.batch) == report.problems
    assert firm_codes(engine) == sorted([code(1), code(2)])
    assert value(engine, code(1), "注册资本") == (1_000_000.0, "已知")
    assert value(engine, code(2), "注册资本") is None


def test_the_same_file_again_changes_nothing(engine, tmp_path):
    text = rows(*(f"{code(n)},企业{n},{n},存续" for n in range(30)), ",只有名称,1,存续")
    first = put(engine, tmp_path, REGISTER, text)
    assert numbers(first) == (31, 30, 0, 0, 0, 1)
    for arrived in (MARCH, APRIL):
        again = put(engine, tmp_path, REGISTER, text, arrived=arrived)
        assert numbers(again) == (31, 0, 0, 30, 0, 1)
        assert again.batch is None
    assert len(batches(engine)) == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(Content)).scalar() == 30
        assert connection.execute(select(func.count()).select_from(Sighting)).scalar() == 30


def test_changes_are_counted_and_the_newest_date_speaks_in_any_order(engine, tmp_path):
    new = rows(f"{code(1)},甲,200,存续", f"{code(2)},乙,1,存续")
    old = rows(f"{code(1)},甲,100,存续", f"{code(2)},乙,1,存续")
    put(engine, tmp_path, REGISTER, new, day="2026-02-01")
    late = put(engine, tmp_path, REGISTER, old, day="2026-01-01", arrived=APRIL)
    assert numbers(late)[1:4] == (0, 1, 1)
    assert value(engine, code(1), "注册资本") == (2_000_000.0, "已知")
    third = put(
        engine, tmp_path, REGISTER, rows(f"{code(1)},甲,300,存续", f"{code(2)},乙,1,存续"), day="2026-03-01"
    )
    assert numbers(third)[1:4] == (0, 1, 1)
    assert [c.value for c in history(engine, code(1), "注册资本")] == [
        20000000000 // 100,
        30000000000 // 100,
        10000000000 // 100,
    ]


def test_two_rows_of_one_file_that_contradict_each_other_wait(engine, tmp_path):
    report = put(
        engine,
        tmp_path,
        REGISTER,
        rows(f"{code(1)},甲,1,存续", f"{code(2)},乙,1,存续", f"{code(1)},甲,2,存续"),
    )
    assert numbers(report) == (3, 1, 0, 0, 0, 2)
    assert firm_codes(engine) == [code(2)]
    assert numbers(put(engine, tmp_path, REGISTER, (tmp_path / "登记-0.csv").read_text("utf-8")))[-1] == 2


def test_a_file_half_as_long_is_held_and_lands_when_accepted(engine, tmp_path):
    put(engine, tmp_path, REGISTER, rows(*(f"{code(n)},企业{n},{n},存续" for n in range(20))))
    short = rows(*(f"{code(n)},企业{n},9,存续" for n in range(10)))
    held = put(engine, tmp_path, REGISTER, short, arrived=APRIL)
    assert "减半" in held.held and "--accept" in held.held and "expect_rows: 不定" in held.held
    assert numbers(held) == (10, 0, 0, 0, 0, 10)
    assert value(engine, code(3), "注册资本") == (30_000.0, "已知")
    assert [b.state for b in batches(engine)] == ["暂扣", "落库"]
    assert numbers(put(engine, tmp_path, REGISTER, short, arrived=APRIL, accept=True))[2] == 10 - 1


@pytest.mark.parametrize("head", ["代码,资本,名称,状态\n", "代码,名称,注册资本,状态\n", "代码,名称,资本\n"])
def test_a_file_whose_columns_moved_is_held(engine, tmp_path, head):
    put(engine, tmp_path, REGISTER, rows(f"{code(1)},甲,1,存续"))
    cells = {"代码": code(1), "名称": "甲", "资本": "1", "注册资本": "1", "状态": "存续"}
    held = put(engine, tmp_path, REGISTER, head + ",".join(cells[n] for n in head.strip().split(",")) + "\n")
    assert "--accept" in held.held or "改来源声明" in held.held
    assert numbers(held)[-1] == 1
    assert value(engine, code(1), "注册资本") == (10_000.0, "已知")


def test_a_file_most_of_which_is_refused_is_held(engine, tmp_path):
    held = put(engine, tmp_path, REGISTER, rows(*(f"{code(n)},甲{n},不是数,存续" for n in range(20))))
    assert "资本" in held.held and "--accept" in held.held
    assert numbers(held) == (20, 0, 0, 0, 20, 0)
    assert firm_codes(engine) == []


def test_a_file_all_of_which_is_refused_is_not_read_to_its_end(engine, tmp_path, monkeypatch):
    """Five million such lines took 1.7 GB: each is kept with its reason. An office that wants them all says so."""
    monkeypatch.setattr(imports, "HOPELESS", 20_000)
    held = put(engine, tmp_path, REGISTER, rows(*["x"] * (2 * CHUNK + 1)))
    assert held.held.startswith(f"前{CHUNK}行里退回{CHUNK}行") and held.rows == CHUNK
    assert numbers(held)[0] == CHUNK and firm_codes(engine) == []
    whole = put(engine, tmp_path, REGISTER, rows(*["x"] * (2 * CHUNK + 1)), accept=True)
    assert whole.rows == 2 * CHUNK + 1 and not whole.held


def test_a_batch_taken_back_no_longer_counts_but_old_views_keep_it(engine, tmp_path):
    put(engine, tmp_path, REGISTER, rows(f"{code(1)},甲,1,存续"), day="2026-01-01")
    second = put(
        engine,
        tmp_path,
        REGISTER,
        rows(f"{code(1)},甲,2,存续", f"{code(2)},乙,2,存续"),
        day="2026-02-01",
        arrived=APRIL,
    )
    take_back(engine, second.batch, by="张", at=datetime(2026, 5, 1, tzinfo=UTC))
    assert value(engine, code(1), "注册资本") == (10_000.0, "已知")
    assert not has_file(engine, code(2))
    then = provenance(engine, code(1), date(2026, 4, 15), known_on=date(2026, 4, 15))
    assert then["注册资本", None].value == 20_000.0
    with pytest.raises(ValueError, match="不能撤回"):
        take_back(engine, second.batch, by="张", at=APRIL)
    again = put(
        engine,
        tmp_path,
        REGISTER,
        (tmp_path / "登记-1.csv").read_text("utf-8"),
        day="2026-02-01",
        arrived=datetime(2026, 5, 2, tzinfo=UTC),
    )
    assert numbers(again)[1:4] == (1, 1, 0)


def test_a_failure_in_the_middle_leaves_nothing(engine, tmp_path, monkeypatch):
    from store import landing

    text = rows(*(f"{code(n)},企业{n},{n},存续" for n in range(5)))

    def fail(self, counts):
        raise RuntimeError("the machine went down")

    with monkeypatch.context() as patched:
        patched.setattr(landing.Landing, "finish", fail)
        with pytest.raises(RuntimeError):
            put(engine, tmp_path, REGISTER, text)
    assert batches(engine) == []
    assert firm_codes(engine) == []
    assert numbers(put(engine, tmp_path, REGISTER, text))[1] == 5


def test_rows_by_year_and_rows_of_a_list(engine, tmp_path):
    put(
        engine,
        tmp_path,
        TAX,
        f"代码,名称,年度,营收,人数\n{code(1)},甲,2023,1.5,3\n{code(1)},甲,2024,2,4\n{code(1)},甲,旧年,2,4\n",
        accept=True,
    )
    assert value(engine, code(1), "营业收入", 2023) == (15_000.0, "已知")
    assert value(engine, code(1), "营业收入", 2024) == (20_000.0, "已知")
    projects = source(
        "项目库", "投资: {indicator: 项目投资额, unit: 万元}", "members: {indicator: 项目, key: 编号}"
    )
    put(
        engine,
        tmp_path,
        projects,
        f"代码,名称,编号,投资\n{code(1)},甲,P1,3\n{code(1)},甲,P2,\n{code(1)},甲,,5\n",
        accept=True,
    )
    assert value(engine, code(1), "项目") == (
        [{"项目编号": "P1", "项目投资额": 30_000.0}, {"项目编号": "P2"}],
        "已知",
    )


def test_a_source_that_restates_everything_speaks_with_its_newest_batch_only(engine, tmp_path):
    blacklist = source(
        "失信",
        "失信: {indicator: 严重违法失信名单}",
        "restates: 是\nregistry: 信用\ncoverage: 全量\nexpect_rows: 不定",
    )
    put(engine, tmp_path, blacklist, f"代码,名称,失信\n{code(1)},甲,是\n{code(2)},乙,是\n", day="2026-01-01")
    assert value(engine, code(1), "严重违法失信名单", day=SPRING) == (True, "已知")
    put(engine, tmp_path, blacklist, f"代码,名称,失信\n{code(2)},乙,是\n", day="2026-02-01")
    assert value(engine, code(1), "严重违法失信名单", day=SPRING) is None
    assert value(engine, code(2), "严重违法失信名单", day=SPRING) == (True, "已知")
    assert loaded_indicators(engine, dictionary=DICTIONARY) == {"严重违法失信名单"}


def test_registers_count_as_loaded_only_when_theirs_arrived_whole(engine, tmp_path):
    assert loaded_indicators(engine) == set()
    put(engine, tmp_path, REGISTER, rows(f"{code(1)},甲,1,存续"))
    assert loaded_indicators(engine) == set()


def test_the_inbox_goes_on_past_a_bad_file_and_passes_over_known_ones(engine, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "登记_20260101.csv").write_text(rows(f"{code(1)},甲,1,存续"), "utf-8")
    (inbox / "税务.csv").write_bytes(b"")
    (inbox / "谁的.csv").write_text("a,b\n", "utf-8")
    (inbox / "说明.md").write_text("x", "utf-8")
    known = {one.source: one for one in (REGISTER, TAX)}
    first = import_inbox(engine, inbox, sources=known, dictionary=DICTIONARY, arrived_at=MARCH)
    assert [(r.file, r.new, bool(r.held)) for r in first.imported] == [
        ("登记_20260101.csv", 1, False),
        ("税务.csv", 0, True),
    ]
    assert [name for name, _ in first.passed] == ["谁的.csv"]
    second = import_inbox(engine, inbox, sources=known, dictionary=DICTIONARY, arrived_at=APRIL)
    assert ("登记_20260101.csv", "先前已导入") in second.passed


def test_a_missing_file_is_said(engine, tmp_path):
    with pytest.raises(SourceError, match="没有这个文件"):
        import_file(engine, tmp_path / "无.csv", REGISTER, dictionary=DICTIONARY, arrived_at=MARCH)


# One batch: which source, its date, its arrival, and what it says of some firms.
batch = st.tuples(
    st.sampled_from(["登记", "统计"]),
    st.integers(1, 4),
    st.dictionaries(
        st.integers(1, 3),
        st.tuples(st.integers(1, 3), st.sampled_from(["存续", "吊销", ""])),
        min_size=1,
        max_size=3,
    ),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(batch, min_size=1, max_size=5, unique_by=lambda b: (b[0], b[1])),
    st.randoms(use_true_random=False),
)
def test_any_order_of_the_same_batches_gives_the_same_file(tmp_path_factory, database, found, random):
    other = source("统计", "资本: {indicator: 注册资本, unit: 万元}, 状态: {indicator: 登记状态}")
    mixed = list(found)
    random.shuffle(mixed)
    seen = []
    for order in (found, mixed):
        folder = tmp_path_factory.mktemp("order")
        opened = new_database(folder)
        for name, day, says in order:
            text = rows(*(f"{code(firm)},企业{firm},{n},{state}" for firm, (n, state) in says.items()))
            put(
                opened,
                folder,
                REGISTER if name == "登记" else other,
                text,
                day=f"2026-01-0{day}",
                accept=True,
            )
        seen.append({
            (firm, key): (fact.value, fact.state, fact.day, fact.source)
            for firm in firm_codes(opened)
            for key, fact in provenance(opened, firm, date(2026, 6, 1)).items()
        })  # fmt: skip
        opened.dispose()
        drop_below(folder)
    assert seen[0] == seen[1]


def test_rows_that_contradict_each_other_leave_no_relation_either(engine, tmp_path):
    declared = source("登记", "名称: {indicator: 企业名称}", "relations: [{kind: 总公司, column: 总公司}]")
    text = f"代码,名称,总公司\n{code(1)},甲,{code(9)}\n{code(2)},乙,{code(9)}\n{code(1)},丙,{code(9)}\n"
    assert numbers(put(engine, tmp_path, declared, text)) == (3, 1, 0, 0, 0, 2)
    assert relations(engine, code(1)) == []
    assert [one["other"] for one in relations(engine, code(2))] == [code(9)]
