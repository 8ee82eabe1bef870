"""就绪度: the three tests on the bundled library, and items that fall when their data go stale."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import policies
from engine.columns import Categories, Columns
from jobs.readiness import as_dict, write_excel
from policies.library import load_library
from policies.readiness import DATA, SCOPE, STANDARD, Readiness, readiness, requests
from profiles.dictionary import builtin_dictionary

D = date(2026, 4, 1)
N = 100


@pytest.fixture(scope="module")
def library():
    return load_library(Path(policies.__file__).with_name("library"), builtin_dictionary(), {})


def columns(missing: dict[str, int]) -> Columns:
    """Everything known of everybody, but for `missing` firms per indicator."""
    dictionary = builtin_dictionary()
    out = Columns([str(i) for i in range(N)], dictionary)
    for name, spec in dictionary.items():
        gone = np.arange(N) < missing.get(name, 0)
        for year in range(2019, 2028) if spec.yearly else [None]:
            if spec.kind in ("文本", "代码"):
                out.categories[name, year] = Categories(np.where(gone, -1, 0).astype(np.int32), ("x",))
            elif spec.kind != "列表":
                out.numbers[name, year] = np.where(gone, np.nan, 1.0)
    return out


def live(library, word: str) -> list:
    return [p for p in library.programs if p.item.delivery == word and p.item.live_batch(D)]


def of(program, missing: dict[str, int] | None = None) -> Readiness:
    return readiness(program, program.item.live_batch(D).name, columns(missing or {}))


def test_declared_items_pass_while_their_data_are_whole(library):
    found = [of(p) for p in live(library, "免申即享")]
    assert len(found) >= 3
    for one in found:
        assert one.ready and not one.falls and one.works_as == "免申即享", (one.item, one.blocks)


def test_an_item_falls_back_by_itself_and_names_condition_and_department(library):
    program, key = next(
        (p, name)
        for p in live(library, "免申即享")
        for name in ("首次升规日期", "登记地区划", "依法纳统", "成立日期")
        if any(b.indicator == name for b in of(p, {name: 40}).blocks)
    )
    one = of(program, {key: 40})
    block = next(b for b in one.blocks if b.indicator == key)
    assert one.falls and one.works_as == "即申即享" and "要降级" in one.word
    assert block.test == DATA and "60%" in block.what and block.condition and block.cite
    assert block.department == builtin_dictionary()[key].department
    assert of(program, {key: 1}).ready  # 99 % is enough


def test_judgement_papers_and_open_amounts_block(library):
    one = of(next(p for p in library.programs if p.item.id == "bs-2025-06/rd-increment"))
    words = [b.what for b in one.blocks if b.test == STANDARD]
    assert any("人工判断" in w for w in words) and any("要交材料：研发费用专项审计报告" in w for w in words)
    assert one.passes(SCOPE) and not one.passes(STANDARD) and not one.rises
    spread = [
        of(p) for p in library.programs if p.item.live_batch(D) and p.item.benefit and p.item.benefit.form
    ]
    kinds = {
        p.item.id: p.item.benefit.form.kind
        for p in library.programs
        if p.item.benefit and p.item.benefit.form
    }
    for one in spread:
        if kinds[one.item] in ("upto", "words", "range") and library.program(one.item).item.category in (
            "奖补",
            "减免",
        ):
            assert not one.passes(SCOPE), one.item


def test_the_list_of_data_to_ask_for_and_the_excel(library, tmp_path):
    found = [of(p, {"依法纳统": 50}) for p in library.programs if p.item.live_batch(D)]
    asked = requests(found)
    assert asked[0][2] == max(a[2] for a in asked)
    assert any(i == "依法纳统" and d == "统计局" for d, i, _, _ in asked)
    path = tmp_path / "就绪度.xlsx"
    write_excel(found, "第 1 次比对", path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["就绪度", "卡点", "数据需求清单"]
    assert book["就绪度"].max_row == len(found) + 2
    assert {c.data_type for row in book["卡点"].iter_rows(min_row=3) for c in row} <= {"s", "n"}
    assert set(as_dict(found[0])) >= {"tests", "blocks", "works_as"}
