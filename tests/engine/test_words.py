"""人读的数: one form of money, numbers and signs everywhere."""

from __future__ import annotations

from engine.words import say_money, say_number, say_value


def test_a_negative_number_has_one_minus_sign() -> None:
    assert (say_money(-1234.5), say_money(-5e6), say_number(-2.5)) == ("−1,234.50 元", "−500 万元", "−2.5")
    assert say_value(-0.035, "比例") == "−3.5%" and say_value(-12.0, "数量", "人") == "−12 人"


def test_thousands_stand_apart_but_not_in_a_year() -> None:
    said = [say_number(n) for n in (1899.0, 1900.0, 2026.0, 2200.0, 2201.0, 2026.5, 12345.0, 0.5)]
    assert said == ["1,899", "1900", "2026", "2200", "2,201", "2,026.5", "12,345", "0.5"]
