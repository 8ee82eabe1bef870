"""待分配: what the rows of a project-level item are paid together, after 就高不重复, 补差 and budgets (sections 6 and 8)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.claims import Payable
from engine.errors import Place
from jobs.rules import open_library
from policies.allocation_cases import Sample, run_sample
from tests.oracle.generate import dump

CLAUSE = {"cite": "第一条", "quote": "全文"}
FACTS = {"投资额": {"kind": "金额"}, "上市": {"kind": "是否"}}
FITTING, ASKED = "投资额 > 0元", "上市 = 是"
GROUP = {"group": "组", **CLAUSE}


@pytest.fixture
def pays(tmp_path: Path) -> Any:
    """What each enterprise is paid of item d/a, by its projects' 投资额 in yuan."""

    def run(
        firms: dict[str, list[float]], when: str = FITTING, received: float = 0, budget: str = "", **item: Any
    ) -> dict[str, Payable]:
        dump(tmp_path / "indicators.yaml", FACTS)
        dump(tmp_path / "d/document.yaml", {"title": "甲", "issued": "2023-01-01"})
        batch = {"year": "2024", "opens": "2025-03-01", "closes": "2025-04-30"} | (
            {"budget": budget} if budget else {}
        )
        head = {
            "title": "甲",
            "department": "甲",
            "category": "奖补",
            "subject": "项目",
            "batches": {"2025": batch},
        }
        head["conditions"] = {"all": [{"id": "c", **CLAUSE, "when": when}]}
        dump(tmp_path / "d/items/a.yaml", {"item": "d/a", **head, **item})
        other = {"benefit": {"amount": "10元", **CLAUSE}, "exclusive": item.get("exclusive")}
        if other["exclusive"]:
            dump(tmp_path / "d/items/b.yaml", {"item": "d/b", **head, **other})
        facts: list[dict[str, object]] = [
            {"项目": [{"项目编号": f"P{i}", "投资额": yuan} for i, yuan in enumerate(rows)]}
            for rows in firms.values()
        ]
        sample = Sample(date(2025, 4, 1), list(firms), facts, {}, {(f, "组"): received for f in firms})
        faults: list[Any] = []
        found = run_sample(sample, open_library(tmp_path), Place("x"), faults.append)[1]
        assert not faults
        return {firm: paid for (firm, name), paid in found.items() if name == "d/a"}

    return run


def test_rows_that_share_a_group_are_paid_no_more_than_the_enterprises_cap(pays: Any) -> None:
    benefit = {"amount": "投资额", "cap_per_enterprise": "150元", **CLAUSE}
    paid = pays({"甲": [100, 100, 100]}, benefit=benefit, exclusive={"pick": "企业选择", **GROUP})
    assert paid["甲"] == Payable(150, 150, note="同组待定")


def test_a_budget_that_suffices_for_capped_enterprises_is_not_cut(pays: Any) -> None:
    benefit = {"amount": "投资额", "cap_per_enterprise": "150元", **CLAUSE}
    assert pays({"甲": [100, 100, 100], "乙": [100]}, "投资额 > 0元", 0, "250元", benefit=benefit) == {}
    cut = pays({"甲": [100, 100, 100], "乙": [100]}, "投资额 > 0元", 0, "125元", benefit=benefit)
    assert {firm: one.high for firm, one in cut.items()} == {"甲": 75, "乙": 50}


def test_the_difference_is_of_all_projects_together(pays: Any) -> None:
    benefit = {"amount": "投资额", **CLAUSE}
    paid = pays({"甲": [100, 30]}, received=40, benefit=benefit, exclusive={"pick": "补差", **GROUP})
    assert (paid["甲"].low, paid["甲"].high) == (90, 90)


def test_of_rows_that_may_all_fail_but_one_the_least_is_the_low_end(pays: Any) -> None:
    benefit = {"amount": "投资额", **CLAUSE}
    paid = pays({"甲": [100, 30]}, ASKED, benefit=benefit, exclusive={"pick": "企业选择", **GROUP})
    assert (paid["甲"].low, paid["甲"].high) == (30, 130)


def test_a_project_gives_way_alone(pays: Any) -> None:
    benefit = {"amount": "投资额", **CLAUSE}
    paid = pays({"甲": [100, 7]}, benefit=benefit, exclusive={"pick": "就高", **GROUP})
    assert paid["甲"] == Payable(100, 100, lost=7)
