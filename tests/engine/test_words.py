"""人读的数: one form of money, numbers and signs everywhere."""

from __future__ import annotations

from engine.words import say_money, say_number, say_value


def test_a_negative_number_has_one_minus_sign() -> None:
    assert (say_money(-1234.5), say_money(-5e6), say_number(-2.5)) == ("−1,234.50 元", "−500 万元", "−2.5")
    assert say_value(-0.035, "比例") == "−3.5%" and say_value(-12.0, "数量", "人") == "−12 人"
