"""分配: 就高不重复, 补差 and budgets (rule language, section 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from engine.allocate import Claim, settle, share_budget

DAY = date(2025, 1, 1)


def claim(
    item: str, low: float | None, high: float | None, verdict: str = "符合", pick: str = "就高"
) -> Claim:
    return Claim("A", item, "2026", verdict, low, high, (("组", pick),), DAY)


def test_the_lower_gives_way_and_says_to_what_and_how_much() -> None:
    big, small = settle([claim("d/a", 30.0, 30.0), claim("d/b", 20.0, 20.0)])
    assert (big.low, big.gave_way_to) == (30.0, "")
    assert (small.low, small.high, small.gave_way_to, small.lost) == (0.0, 0.0, "d/a", 20.0)


def test_overlapping_intervals_both_stay_marked() -> None:
    one, other = settle([claim("d/a", 0.0, 30.0), claim("d/b", 20.0, 20.0)])
    assert one.marked and other.marked and not one.gave_way_to and not other.gave_way_to


def test_unknown_ends_neither_drop_nor_give_way() -> None:
    for a, b in (
        (claim("d/a", None, 90.0), claim("d/b", 5.0, 5.0)),
        (claim("d/a", 90.0, 90.0), claim("d/b", 0.0, None)),
    ):
        assert not any(s.gave_way_to for s in settle([a, b]))


def test_an_undetermined_item_may_give_way_but_never_drops() -> None:
    found = settle([claim("d/a", 90.0, 90.0, "待核实"), claim("d/b", 5.0, 5.0)])
    assert [s.gave_way_to for s in found] == ["", ""]
    found = settle([claim("d/a", 3.0, 5.0, "待核实"), claim("d/b", 5.0, 5.0)])
    assert [s.gave_way_to for s in found] == ["d/b", ""]


def test_ties_go_to_the_earlier_document_then_the_id() -> None:
    found = settle([claim("d/b", 5.0, 5.0), claim("d/a", 5.0, 5.0)])
    assert [s.gave_way_to for s in found] == ["d/a", ""]
    older = replace(claim("d/b", 5.0, 5.0), issued=date(2020, 1, 1))
    assert [s.gave_way_to for s in settle([older, claim("d/a", 5.0, 5.0)])] == ["", "d/b"]


def test_the_difference_to_what_was_received_is_paid() -> None:
    found = settle([claim("d/a", 30.0, 50.0, pick="补差")], {("A", "组"): 40.0})
    assert (found[0].low, found[0].high) == (0.0, 10.0)


def test_the_firms_choice_drops_nothing() -> None:
    found = settle([claim("d/a", 30.0, 30.0, pick="企业选择"), claim("d/b", 1.0, 1.0, pick="企业选择")])
    assert [(s.high, s.marked) for s in found] == [(30.0, True), (1.0, True)]


amounts = st.integers(0, 10**9).map(lambda fen: fen / 100)


@given(st.lists(amounts, min_size=1, max_size=30), amounts)
def test_a_budget_is_never_overspent(values: list[float], budget: float) -> None:
    settled = settle([Claim(str(i), "d/a", "2026", "符合", v, v) for i, v in enumerate(values)])
    for how in ("按比例核减", "先到先得", "按评分"):
        shared = share_budget(settled, budget, how)
        total = sum(round((s.high or 0) * 100) for s in shared)
        assert total <= round(max(budget, 0) * 100) or sum(values) <= budget + 1e-6
        assert all(
            0 <= (s.high or 0) <= (before.high or 0) for s, before in zip(shared, settled, strict=True)
        )
        assert len(shared) == len(settled)


@given(st.lists(st.tuples(amounts, amounts, st.sampled_from(["符合", "待核实"])), min_size=2, max_size=8))
def test_someone_certain_always_stays(rows: list[tuple[float, float, str]]) -> None:
    claims = [claim(f"d/{i}", min(a, b), max(a, b), v) for i, (a, b, v) in enumerate(rows)]
    settled = settle(claims)
    assert any(not s.gave_way_to for s in settled)
    kept = {s.claim.item for s in settled if not s.gave_way_to}
    assert all(s.gave_way_to in kept for s in settled if s.gave_way_to)
    best = (
        max(s.claim.low for s in settled if s.claim.verdict == "符合")
        if any(v == "符合" for *_, v in rows)
        else 0
    )
    assert max(s.high for s in settled) >= best
