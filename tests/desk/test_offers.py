"""事项给多少: the most money of a rule, from the rule alone."""

from __future__ import annotations

from pathlib import Path

import policies
from desk.offers import BY_FACTS, money_of, most_of, sections_of
from policies.library import load_library
from profiles.dictionary import builtin_dictionary

LIBRARY = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary(), {})


def most(item: str) -> float | None:
    program = LIBRARY.program(item)
    assert program is not None and program.benefit is not None
    return most_of(program.benefit, program.item.subject == "企业")


def test_the_most_one_enterprise_gets_is_what_the_rule_says() -> None:
    said = {
        "bs-2025-04/champion-award": 1e6, "bs-2025-04/digital-scale": 5e5, "bs-2025-03/stable-jobs": 2e5,
        "bs-2025-06/rd-institution": 2e6, "bs-2025-08/digital-diagnosis": 8e4, "bs-2025-08/mu-priority": 0.0,
    }  # fmt: skip
    assert {item: most(item) for item in said} == said


def test_where_facts_decide_the_most_is_unknown_and_never_guessed() -> None:
    for item in ("bs-2025-03/unemployment-refund", "bs-2025-08/plant-rent", "cn-2023-07/rd-deduction"):
        program = LIBRARY.program(item)
        assert program is not None and most(item) is None and money_of(program) == BY_FACTS


def test_no_item_shows_an_industry_that_its_conditions_shut_out() -> None:
    found = sections_of(LIBRARY, LIBRARY.programs)
    assert found["bs-2025-04/champion-award"] == {"C"}
    assert found["bs-2025-04/steady-growth"] == {"B", "C", "D"}
    assert "K" not in found["bs-2025-06/rd-increment"], "K70* and nothing else of K is shut out by the list"
    assert len(found["bs-2025-03/stable-jobs"]) >= 19
