"""导出与导入: one file and a whole store, out and in again, without loss."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from files import DICTIONARY, MARCH, REGISTER, TAX, code, put, source
from hypothesis import given, settings
from hypothesis import strategies as st

from store.batches import take_back
from store.claims import pending
from store.corrections import file_correction
from store.exchange import export_firm, export_store, import_firm, import_store
from store.firms import provenance
from tests.databases import drop_below, new_database

DAY = date(2026, 6, 1)
LISTS = source("项目库", "投资: {indicator: 项目投资额, unit: 万元}", "members: {indicator: 项目, key: 编号}")
MARKS = source(
    "标记",
    "失信: {indicator: 严重违法失信名单}, 曾用: {indicator: 曾用名}, 占比: {indicator: 外资比例}, 范围: {indicator: 经营范围}",
)
HEAD = "代码,名称,资本,状态\n"


@pytest.fixture
def filled(engine, tmp_path):
    put(
        engine,
        tmp_path,
        REGISTER,
        f"{HEAD}{code(1)},甲“公司”: #1,1.25,存续\n{code(2)},乙,,\n,只有名称,1,存续\n{code(3)},丙,约1,\n",
        accept=True,
    )
    put(
        engine,
        tmp_path,
        TAX,
        f"代码,名称,年度,营收,人数\n{code(1)},甲,2023,1.55,3\n{code(1)},甲,2024,,4\n",
        day="2026-01-31",
    )
    put(engine, tmp_path, LISTS, f"代码,名称,编号,投资\n{code(1)},甲,P-01,3\n")
    gone = put(engine, tmp_path, REGISTER, f"{HEAD}{code(1)},甲,9,存续\n", day="2026-02-02")
    take_back(engine, gone.batch, by="张", at=datetime(2026, 5, 1, tzinfo=UTC))
    file_correction(
        engine, code(1), "注册资本", dictionary=DICTIONARY, at=MARCH, claimed="2", reason="增资", by="甲"
    )
    return engine


def test_one_file_out_and_in_is_the_same_file(filled, tmp_path):
    text = export_firm(filled, code(1), DAY, DICTIONARY)
    assert "注册资本: 12500.00元" in text
    other = new_database(tmp_path, "other.db")
    for _ in range(2):
        assert import_firm(other, text, DICTIONARY) == code(1)
        assert export_firm(other, code(1), DAY, DICTIONARY) == text
    then = date(2026, 4, 1)
    for day, known in ((DAY, None), (then, then)):
        ours, theirs = (
            {
                k: (f.value, f.state, f.day)
                for k, f in provenance(e, code(1), day, DICTIONARY, known_on=known).items()
            }
            for e in (filled, other)
        )
        assert ours == theirs


def test_a_whole_store_out_and_in_is_the_same_store(filled, tmp_path):
    count = export_store(filled, tmp_path / "out", DAY, DICTIONARY)
    other = new_database(tmp_path, "other.db")
    assert import_store(other, tmp_path / "out", DICTIONARY) == count
    export_store(other, tmp_path / "again", DAY, DICTIONARY)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (tmp_path / "out" / name).read_text() == (tmp_path / "again" / name).read_text(), name
    assert [w.name for w in pending(other)] == ["只有名称"]
    assert import_store(other, tmp_path / "out", DICTIONARY) == count
    assert len(pending(other)) == 1


def test_a_changed_record_is_refused(filled, tmp_path):
    text = export_firm(filled, code(1), DAY, DICTIONARY)
    other = new_database(tmp_path, "other.db")
    with pytest.raises(ValueError, match="与摘要不符"):
        import_firm(other, text.replace("12500.00元", "99900.00元"), DICTIONARY)
    with pytest.raises(ValueError, match="没有"):
        export_firm(other, code(1), DAY, DICTIONARY)
    with pytest.raises(ValueError, match="不是本系统导出"):
        import_firm(other, "a: 1\n", DICTIONARY)
    with pytest.raises(ValueError, match="不是可读的 YAML"):
        import_firm(other, "a: [", DICTIONARY, file="x.yaml")


words = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Co"), exclude_characters="\ufffd\ufeff\u2028\u2029\x85,\"'"
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["是", "否", ""]), words, st.floats(0, 1).map(lambda x: f"{x:.12f}"), words),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_random_files_survive_the_round_trip(tmp_path_factory, database, found):
    folder = tmp_path_factory.mktemp("trip")
    ours, theirs = new_database(folder, "a.db"), new_database(folder, "b.db")
    for day, (mark, former, share, scope) in enumerate(found, 1):
        text = f"代码,名称,失信,曾用,占比,范围\n{code(1)},甲,{mark},{former},{share},{scope}\n"
        put(ours, folder, MARKS, text, day=f"2026-01-0{day}", accept=True)
    try:
        text = export_firm(ours, code(1), DAY, DICTIONARY)
    except ValueError:
        return  # every row was refused
    import_firm(theirs, text, DICTIONARY)
    assert export_firm(theirs, code(1), DAY, DICTIONARY) == text
    facts = [{k: f.shown for k, f in provenance(e, code(1), DAY, DICTIONARY).items()} for e in (ours, theirs)]
    assert facts[0] == facts[1]
    ours.dispose()
    theirs.dispose()
    drop_below(folder)
