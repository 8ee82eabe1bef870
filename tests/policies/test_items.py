"""事项清单: twenty fields, what is empty, and the publication clocks."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from engine.workdays import Calendar
from policies.calendar import builtin_calendar
from policies.items import FIELDS, ListRow, item_list, write_items
from policies.library import load_library
from profiles.dictionary import builtin_dictionary

DOCUMENT = (
    "title: 试行办法\nnumber: 试〔2025〕1号\nissued: 2025-09-26\neffective: 2025-10-01\nexpires: 2025-12-31\n"
)
ITEM = """\
item: d/a
title: 试行奖励
status: {status}
batches:
  2025: {{year: 2024, opens: 2025-10-01, closes: 2025-12-31}}
conditions:
  all:
    - {{id: rd, cite: 第一条, quote: 研发费用在500万元以上, when: "研发费用[Y] >= 500万元"}}
benefit: {{cite: 第一条, quote: 给予10万元奖励, amount: 10万元}}
contact: "=HYPERLINK(1)"
"""


def _rows(root: Path, status: str, day: dt.date, drafts: bool = False) -> list[ListRow]:
    (root / "d" / "items").mkdir(parents=True, exist_ok=True)
    (root / "d" / "document.yaml").write_text(DOCUMENT, encoding="utf-8")
    (root / "d" / "text.md").write_text(
        "# 试行办法\n\n## 第一条\n研发费用在500万元以上，给予10万元奖励。\n", encoding="utf-8"
    )
    (root / "d" / "items" / "a.yaml").write_text(ITEM.format(status=status), encoding="utf-8")
    return item_list(load_library(root, builtin_dictionary()), day, builtin_calendar(), drafts)


def test_the_list_has_the_twenty_official_fields() -> None:
    assert len(FIELDS) == len(set(FIELDS)) == 20


def test_fields_come_from_item_and_document(tmp_path: Path) -> None:
    (row,) = _rows(tmp_path, "有效", dt.date(2025, 10, 8))
    assert row.fields["政策依据"] == "试行办法，试〔2025〕1号，第一条"
    assert row.fields["数据来源"] == "研发费用（税务）"
    assert "办理流程" in row.empty
    assert row.filled + len(row.empty) == 20


def test_a_draft_is_due_seven_working_days_after_the_policy(tmp_path: Path) -> None:
    assert _rows(tmp_path, "草稿", dt.date(2025, 10, 8)) == []
    (row,) = _rows(tmp_path, "草稿", dt.date(2025, 10, 20), drafts=True)
    # From Friday 26 September: 28 and 29, 30 September and 9, 10, 11, 13 October are worked (28 and 11 by 调休).
    assert row.due == dt.date(2025, 10, 13)
    assert "已超期 7 天" in row.clock


def test_an_ended_item_is_taken_down_within_three_working_days(tmp_path: Path) -> None:
    (row,) = _rows(tmp_path, "有效", dt.date(2026, 1, 4))
    assert row.clock.startswith("下架已到期事项")
    (closed,) = _rows(tmp_path, "失效", dt.date(2026, 1, 4))
    assert closed.clock == ""


def test_a_year_without_calendar_says_so(tmp_path: Path) -> None:
    _rows(tmp_path, "草稿", dt.date(2025, 10, 20))
    library = load_library(tmp_path, builtin_dictionary())
    (row,) = item_list(library, dt.date(2025, 10, 20), Calendar(frozenset(), frozenset(), frozenset()), True)
    assert "放假安排" in row.clock
    assert row.due is None


def test_the_exports_hold_every_field_and_no_formula(tmp_path: Path) -> None:
    import openpyxl

    rows = _rows(tmp_path / "lib", "有效", dt.date(2025, 10, 8))
    write_items(rows, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert [c.value for c in sheet[1]][1:21] == list(FIELDS)
    assert all(c.data_type != "f" for line in sheet.iter_rows() for c in line)
    write_items(rows, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))[0]["事项名称"] == "试行奖励"
    with pytest.raises(ValueError, match="xlsx"):
        write_items(rows, tmp_path / "a.csv")
