"""Why a night jumped: the indicators that came otherwise, by which file, and the rules."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from engine.columns import Categories, Columns
from profiles.dictionary import builtin_dictionary
from store import guard_causes
from store.batches import take_back
from store.guard_causes import changes, teller
from tests.store.files import MARCH, TAX, code, put

YEAR, CODES = 2025, [f"F{i}" for i in range(100)]
INCOME, PEOPLE = "营业收入", "从业人数"


def columns(income: np.ndarray, grades: str = "甲", codes: list[str] = CODES) -> Columns:
    made = Columns(
        codes, builtin_dictionary(), {(INCOME, YEAR): income, (PEOPLE, YEAR): np.full(len(codes), 10.0)}
    )
    made.categories["纳税信用等级", YEAR] = Categories(np.zeros(len(codes), np.int32), (grades,))
    return made


BEFORE = columns(np.full(100, 5e6))


def test_a_unit_that_was_mistaken_is_told_with_its_file() -> None:
    found = changes(columns(np.full(100, 500.0)), BEFORE, 0.1, {INCOME: ["税务.csv"]})
    assert set(found) == {INCOME}
    words = found[INCOME].words
    assert "税务.csv" in words and "100 家2025年的值变了" in words and "原来的 0.0001 倍" in words


def test_who_is_new_or_gone_and_what_was_unknown_is_no_other_value() -> None:
    income = np.full(100, 5e6)
    income[:8] = np.nan
    moved = [*CODES[50:], *(f"G{i}" for i in range(50))]
    assert changes(columns(income, codes=moved), BEFORE, 0.1, {}) == {}


def test_texts_are_compared_by_their_words_and_not_by_their_numbers() -> None:
    other = columns(np.full(100, 5e6))
    other.categories["纳税信用等级", YEAR] = Categories(np.ones(100, np.int32), ("乙", "甲"))
    assert changes(other, BEFORE, 0.1, {}) == {}
    found = changes(columns(np.full(100, 5e6), grades="丁"), BEFORE, 0.1, {})
    assert "纳税信用等级（" in found["纳税信用等级"].words and "100 家" in found["纳税信用等级"].words


def test_a_month_in_which_everybody_grew_a_little_weighs_less_than_a_mistake() -> None:
    tonight = columns(np.full(100, 5e6) * 1.01)
    tonight.numbers[PEOPLE, YEAR] = np.where(np.arange(100) < 30, 1000.0, 10.0)
    found = changes(tonight, BEFORE, 0.1, {})
    assert found[PEOPLE].weight > found[INCOME].weight


@pytest.mark.parametrize("moved", [True, False])
def test_a_jump_that_no_datum_explains_is_the_rules_or_said_to_be_unclear(moved: bool) -> None:
    def night(digest: str) -> SimpleNamespace:
        library = SimpleNamespace(program=lambda item: None)
        return SimpleNamespace(
            columns=lambda: BEFORE, library=lambda: library, run=SimpleNamespace(library_hash=digest)
        )

    cause = teller(night("b" if moved else "a"), night("a"), 0.1, {})
    assert cause([]) == ("政策库也改过" if moved else "数据和规则都看不出大的变化")


def test_files_that_came_and_went_between_two_nights(engine, tmp_path) -> None:
    report = put(engine, tmp_path, TAX, f"代码,名称,年度,营收,人数\n{code(1)},甲,2025,5,3\n")
    hour = timedelta(hours=1)
    for said in (INCOME, PEOPLE):
        assert guard_causes.arrived(engine, MARCH - hour, MARCH + hour)[said] == ["税务-0.csv"]
    assert guard_causes.arrived(engine, MARCH + hour, MARCH + 2 * hour) == {}
    take_back(engine, report.batch, by="甲", at=MARCH + 2 * hour)
    assert guard_causes.arrived(engine, MARCH + hour, MARCH + 3 * hour)[INCOME] == ["税务-0.csv被撤回"]
