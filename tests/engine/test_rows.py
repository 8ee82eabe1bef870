"""明细事项: items of projects, products and people over the rows of a firm's list (rule language, section 8)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tests.oracle.compare import engine_rows, oracle_rows
from tests.oracle.generate import BATCHES, Sample, dump, firm_code
from tests.oracle.interpreter import FIRM

CLAUSE = {"cite": "第一条", "quote": "全文"}
FACTS = {"资本": {"kind": "金额"}, "净资产": {"kind": "金额"}, "投资额": {"kind": "金额"}}


def decided(
    root: Path,
    conditions: list[dict[str, Any]],
    benefit: dict[str, Any],
    firm: dict[str, Any],
    *answers: dict,
) -> dict[str, Any]:
    """The engine's row of one firm, which is the oracle's too."""
    dump(root / "library/indicators.yaml", FACTS)
    dump(root / "library/d/document.yaml", {"title": "甲", "issued": "2023-01-01"})
    raw = {
        "item": "d/a",
        "title": "甲",
        "department": "甲",
        "category": "奖补",
        "subject": "项目",
        "batches": BATCHES,
    }
    whole = {"conditions": {"all": [CLAUSE | c for c in conditions]}, "benefit": CLAUSE | benefit}
    dump(root / "library/d/items/a.yaml", raw | whole)
    code = firm_code(1)
    said = [{FIRM: code, "item": "d/a", "batch": "2025"} | a for a in answers]
    given = Sample(root / "library", [{FIRM: code} | firm], said, date(2025, 4, 1), {})
    got = engine_rows(given, root)[0]
    assert got == oracle_rows(given)
    return got[code, "d/a"]


def test_an_answer_is_of_every_row_of_its_project(tmp_path: Path) -> None:
    """A register that lists a project twice (two payments of one) has the reviewer's answer on both lines."""
    rows = [
        {"项目编号": "P1", "投资额": 100},
        {"项目编号": "P1", "投资额": 30},
        {"项目编号": "P2", "投资额": 7},
    ]
    yes = {"id": "real", "answer": True, "row": "P1"}
    got = decided(tmp_path, [{"id": "real", "ask": "是否属实？"}], {"amount": "投资额"}, {"项目": rows}, yes)
    assert (got["verdict"], got["amount_low"], got["amount_high"]) == ("符合", 130, 137)


def test_an_unknown_cap_among_others_leaves_the_low_end_at_zero(tmp_path: Path) -> None:
    """Of several caps of the enterprise each binds by itself: one that is unknown may be anything from 0."""
    benefit = {"words": "一事一议", "cap_per_enterprise": ["净资产 * 50%", "200万元"]}
    got = decided(
        tmp_path, [{"id": "c", "when": "资本 > 0元"}], benefit, {"资本": 1, "项目": [{"项目编号": "P1"}]}
    )
    assert (got["verdict"], got["amount_low"], got["amount_high"]) == ("符合", 0, None)
