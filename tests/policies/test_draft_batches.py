"""草稿的批次: windows of several forms as batches of a rule file."""

from __future__ import annotations

import datetime as dt

from policies.draft_batches import batches_of

DAY = dt.date(2026, 6, 1)


def _days(window: dict[str, object], **facts: str) -> dict[int | str, tuple[str, str]]:
    return {k: (b["opens"], b["closes"]) for k, b in batches_of(window, facts, DAY).items()}


def test_a_window_is_one_batch() -> None:
    assert _days({"from": "2025-03-01", "to": "2025-04-30", "quote": "q"}) == {
        2025: ("2025-03-01", "2025-04-30")
    }
    assert _days({"to": "2025-04-30", "quote": "q"}, issued="2025-01-20") == {
        2025: ("2025-01-20", "2025-04-30")
    }
    assert _days({}, effective="2025-02-01") == {2025: ("2025-02-01", "2025-12-31")}


def test_days_that_no_text_told_say_so() -> None:
    assert batches_of({}, {}, DAY)[2026] == {
        "year": 2025,
        "opens": "2026-06-01",
        "closes": "2026-12-31",
        "note": "条文没有写受理期，这两天是暂填的，请定",
    }
    assert "note" not in batches_of({"to": "2025-04-30", "quote": "q"}, {}, DAY)[2025]


def test_several_batches_follow_each_other() -> None:
    parts = [
        {"name": "第一批", "to": "2025-05-20", "quote": "甲"},
        {"name": "第二批", "to": "2025-09-20", "quote": "乙"},
    ]
    window = {"to": "2025-09-20", "quote": "乙", "parts": parts}
    assert _days(window, issued="2025-04-01") == {
        "2025-1": ("2025-04-01", "2025-05-20"),
        "2025-2": ("2025-05-21", "2025-09-20"),
    }
    assert batches_of(window, {}, DAY)["2025-2"]["note"] == "第二批：乙"


def test_days_of_each_year_and_any_time_open_in_this_year() -> None:
    assert _days({"from": "03-01", "to": "04-30", "quote": "q"}) == {2026: ("2026-03-01", "2026-04-30")}
    always = {"kind": "常年", "quote": "常年受理"}
    assert _days(always, effective="2024-02-01") == {2026: ("2026-01-01", "2026-12-31")}
    assert _days(always, effective="2024-02-01", expires="2026-06-30") == {2026: ("2026-01-01", "2026-06-30")}
