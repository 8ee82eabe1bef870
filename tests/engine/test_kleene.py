"""Laws that hold whatever the rule says: three answers, and amounts as intervals, as properties of the engine."""

from __future__ import annotations

import copy
import random
import tempfile
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.truth import Truth, all_of, any_of
from tests.oracle.compare import engine_rows
from tests.oracle.generate import ALL, BATCHES, Sample, dump, firm_code, sample
from tests.oracle.interpreter import FIRM, to_fen

YES, NO, UNSURE = "符合", "不符合", "待核实"
FEW = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
three = st.lists(st.sampled_from([YES, NO, UNSURE]), min_size=6, max_size=6)


def column(answers: list[str]) -> Truth:
    return Truth(np.array([a == YES for a in answers]), np.array([a != NO for a in answers]))


def said(truth: Truth) -> list[str]:
    return [
        YES if sure else UNSURE if maybe else NO for sure, maybe in zip(truth.sure, truth.maybe, strict=True)
    ]


@given(three, three, three)
def test_kleene_laws(a: list[str], b: list[str], c: list[str]) -> None:
    x, y, z = column(a), column(b), column(c)
    assert said(x & y) == said(y & x) and said(x | y) == said(y | x)
    assert said((x & y) & z) == said(x & (y & z)) and said((x | y) | z) == said(x | (y | z))
    assert said(~(x & y)) == said(~x | ~y) and said(~(x | y)) == said(~x & ~y)
    assert said(~~x) == a
    assert said(x & (y | z)) == said((x & y) | (x & z)) and said(x | (x & y)) == a


@given(three, three)
def test_one_answer_decides_and_unknown_stays(a: list[str], b: list[str]) -> None:
    order = {NO: 0, UNSURE: 1, YES: 2}
    both, either = said(column(a) & column(b)), said(column(a) | column(b))
    assert both == [min(p, q, key=order.__getitem__) for p, q in zip(a, b, strict=True)]
    assert either == [max(p, q, key=order.__getitem__) for p, q in zip(a, b, strict=True)]
    assert said(~column(a)) == [{YES: NO, NO: YES, UNSURE: UNSURE}[p] for p in a]


def test_nothing_to_fulfil_holds_and_no_choice_fails() -> None:
    assert said(all_of([], 2)) == [YES, YES] and said(any_of([], 2)) == [NO, NO]


def forgetful(firm: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The same firm with some facts taken away, of which the dictionary says nothing when they are missing."""
    poor = copy.deepcopy(firm)
    founded = int(str(firm.get("成立日期") or "2000")[:4])
    for name, indicator in ALL.items():
        if "absent_means" in indicator or not firm.get(name) or rng.random() < 0.6:
            continue
        if indicator.get("yearly") == "是":
            for year in firm[name]:
                if int(year) >= founded and rng.random() < 0.5:
                    poor[name][year] = None
        else:
            poor[name] = None
    return poor


def contains(wide: dict[str, Any], narrow: dict[str, Any]) -> bool:
    """Whether the interval of less knowledge holds that of more; an unknown end bounds nothing.

    A certain add of unknown size leaves the low end unknown where an uncertain one adds nothing at least.
    """
    low, high = wide["amount_low"], wide["amount_high"]
    below = low is None or narrow["amount_low"] is None or low <= narrow["amount_low"] + 0.005
    above = high is None or (narrow["amount_high"] is not None and narrow["amount_high"] <= high + 0.005)
    return below and above


@FEW
@given(st.integers(0, 10**6))
def test_more_knowledge_never_flips_a_verdict_and_only_narrows_an_amount(seed: int) -> None:
    """成立日期 is never taken away with a year before it still missing: founding zeros are knowledge too."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        known = sample(seed, Path(folder) / "library", firms=20, sane=True)
        rich, _ = engine_rows(known, Path(folder))
        poor_firms = [forgetful(firm, rng) for firm in known.firms]
        less = Sample(known.library, poor_firms, known.answers, known.as_of, known.sets)
        poor, _ = engine_rows(less, Path(folder))
    assert rich.keys() == poor.keys()
    for key, before in poor.items():
        after = rich[key]
        if before["verdict"] != UNSURE:
            assert after["verdict"] == before["verdict"], (seed, key)
        if NO not in (before["verdict"], after["verdict"]):
            assert contains(before, after), (seed, key, before, after)


BENEFITS: dict[str, dict[str, Any]] = {
    "half": {"amount": "资本 * 0.5%"},
    "terms": {"amount": "资本 * 0.5% - 罚款 * 0.5%"},
    "third": {"amount": "资本 / 3"},
    "minus": {"amount": "资本 - 罚款"},
    "bounded": {"amount": "资本 - 罚款", "floor": "10元", "cap": "1000元"},
    "above": {"amount": "资本", "cap": "1000元", "adds": [{"amount": "罚款", "beyond_cap": "是"}]},
    "below": {"amount": "资本", "cap": "1000元", "adds": [{"amount": "罚款"}]},
    "sorted": {"range": {"low": "资本", "high": "罚款"}},
    "upto": {"upto": "资本"},
    "unsure": {"amount": "资本", "exceptions": [{"when": "上市 = 是", "amount": "罚款"}]},
    "steps": {"bands": {"by": "资本", "steps": [{"upto": "100元", "rate": "10%"}, {"rate": "20%"}]}},
    "sliced": {
        "bands": {"by": "资本", "kind": "超额", "steps": [{"upto": "100元", "rate": "10%"}, {"rate": "20%"}]}
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def grants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one item for each benefit, on two indicators that a firm always states."""
    root = tmp_path_factory.mktemp("grants")
    dump(root / "indicators.yaml", {k: {"kind": ALL[k]["kind"]} for k in ("资本", "罚款", "上市")})
    dump(root / "d/document.yaml", {"title": "甲", "issued": "2023-01-01"})
    clause = {"cite": "第一条", "quote": "全文"}
    for slug, benefit in BENEFITS.items():
        conditions = {"all": [{"id": "c", **clause, "when": "资本 >= 0元"}]}
        raw = {"item": f"d/{slug}", "title": slug, "department": "甲", "category": "奖补", "batches": BATCHES}
        raised = [{**clause, **e} for e in benefit.get("exceptions", [])]
        whole = {**clause, **benefit, **({"exceptions": raised} if raised else {})}
        dump(root / f"d/items/{slug}.yaml", raw | {"conditions": conditions, "benefit": whole})
    return root


def expected(slug: str, a: Fraction, b: Fraction) -> tuple[Fraction, Fraction]:
    """The amount of each benefit above, worked out from the words of the rule."""
    rest, zero = max(a - b, Fraction(0)), Fraction(0)
    one = {
        "half": a / 200,
        "terms": max((a - b) / 200, zero),
        "third": a / 3,
        "minus": rest,
        "bounded": min(max(rest, Fraction(10)), Fraction(1000)),
        "above": min(a, Fraction(1000)) + b,
        "below": min(a + b, Fraction(1000)),
        "steps": a / 10 if a <= 100 else a / 5,
        "sliced": min(a, Fraction(100)) / 10 + max(a - 100, zero) / 5,
    }
    pairs = {"sorted": (min(a, b), max(a, b)), "upto": (zero, a), "unsure": (min(a, b), max(a, b))}
    return pairs.get(slug) or (one[slug], one[slug])


def near(pair: tuple[int, int]) -> tuple[int, int]:
    """Two large amounts whose difference is small, and half a fen at 0.5 %."""
    return pair[0] + 100 * (2 * pair[1] + 1), pair[0]


fen = (
    st.integers(0, 10**12)
    | st.integers(0, 2 * 10**4)
    | st.sampled_from([0, 100, 9999, 10000, 10001, 99999, 100000])
)


@FEW
@given(
    st.lists(st.tuples(fen, fen) | st.tuples(fen, st.integers(0, 10**5)).map(near), min_size=1, max_size=40)
)
def test_amounts_are_rounded_once_half_up_and_bounded(grants: Path, values: list[tuple[int, int]]) -> None:
    firms = [{FIRM: firm_code(i), "资本": a / 100, "罚款": b / 100} for i, (a, b) in enumerate(values)]
    with tempfile.TemporaryDirectory() as folder:
        rows, refused = engine_rows(Sample(grants, firms, [], date(2025, 4, 1), {}), Path(folder))
    assert not refused
    for i, (a, b) in enumerate(values):
        for slug in BENEFITS:
            row = rows[firm_code(i), f"d/{slug}"]
            low, high = expected(slug, Fraction(a, 100), Fraction(b, 100))
            told = (row["amount_low"], row["amount_high"])
            assert told == (float(to_fen(low)), float(to_fen(high))), (slug, a, b)  # type: ignore[arg-type]
