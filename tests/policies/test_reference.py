"""速查: the page in docs is what the engine's tables say."""

from __future__ import annotations

from pathlib import Path

from engine.expression import FUNCTIONS
from engine.tokens import COMPARATORS
from engine.words import OPERATORS
from policies import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rule-language.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.reference()


def test_nothing_of_the_language_is_left_out() -> None:
    assert set(reference.FUNCTIONS) == set(FUNCTIONS)
    assert set(OPERATORS) == {*COMPARATORS, "in", "含"}
    assert set(reference.CODES) == set(range(13))
