"""声明里的正则: those that would run for ever end in a sentence, the others are what `re` says, at its speed."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, date, datetime

import pytest

from profiles import patterns
from profiles.patterns import ENDLESS, Pattern, TooSlow, degree, pattern
from profiles.source import SourceError, load_sources, parse_source

EXPLODE = (
    "(a+)+b",
    "(a|aa)+b",
    "(a*)*b",
    "(?:a?b?)+c",
    "(.*a){25}",
    "((a{1,9}){1,9}){1,9}b",
    "(?=(a+)+b)a",
    "(a|a)*c",
)
SOUND = (
    ("a+b", 1), (".*省.*市", 2), ("[一-鿿]{2,7}(?:市|州)?", 0), (r"_(\d{8})", 0), (r"(?!.*\d[\d,.]*\s*x).*", 4), ("(?:北京|天津)(?:省|市)?", 0),
    ("(ab)+", 1),
)  # fmt: skip


@pytest.mark.parametrize("text", EXPLODE)
def test_what_may_explode_is_known_beforehand(text: str) -> None:
    assert degree(patterns.parser.parse(text)) == ENDLESS


@pytest.mark.parametrize(("text", "steps"), SOUND)
def test_the_degree_of_sound_ones(text: str, steps: int) -> None:
    assert degree(patterns.parser.parse(text)) == steps


def test_every_bundled_pattern_runs_at_the_ordinary_speed_on_ordinary_cells(monkeypatch) -> None:
    monkeypatch.setattr(Pattern, "_against_the_clock", lambda *_: pytest.fail("against the clock"))
    cell = "天津市滨海新区保税区某路1号"
    for source in load_sources().values():
        for _, column in [*source.mapped(), *source.checked()]:
            for text in (column.pattern, *column.patterns):
                if text:
                    found = bool(pattern(text).fullmatch(cell))
                    assert found is bool(re.compile(text).fullmatch(cell))


@pytest.mark.parametrize(
    "text",
    [
        r"_(\d{800010101})",
        "(?:a{1000}){1000}",
        "(?:(?:a|b){300}){300}",
        "(?:(a)?(?(1)b{200}|c)){100}",
        "(?>a{200}){200}",
        "(?=a{20000})a",
    ],
)
def test_what_fills_the_memory_by_being_written_out_is_refused(text: str) -> None:
    """The first one took 16 GB to compile: found by fuzzing source declarations."""
    with pytest.raises(ValueError, match="重复的次数乘起来不能超过"):
        Pattern(text)


@pytest.mark.parametrize("text", [r"\d{0,800010101}", r"\d{18}", "(?:a{90}){90}", "(a|b){3000}"])
def test_what_is_short_enough_written_out_is_taken(text: str) -> None:
    assert Pattern(text).text == text


@pytest.mark.parametrize("text", [*EXPLODE, ".*.*.*.*.*b"])
def test_a_text_ends_without_a_match_or_is_stopped(text: str, monkeypatch) -> None:
    """Left alone most of these would go on for longer than anybody waits."""
    monkeypatch.setattr(patterns, "SECONDS", 0.2)
    with contextlib.suppress(TooSlow):
        assert Pattern(text + "(?<!x)z").search("a" * 3000 + "d") is None


@pytest.mark.parametrize("text", ["(a+)+b", "(a|aa)+b"])
def test_where_the_clock_runs_out_it_is_said_how_to_mend_it(text: str, monkeypatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.2)
    with pytest.raises(TooSlow, match="套在重复里的重复"):
        Pattern(text + "(?<!x)z").search("a" * 3000 + "d")


def test_an_import_with_such_a_declaration_ends_in_one_line(tmp_path, database, monkeypatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.2)
    declared = """source: s
department: 局
firm: {code: 代码, name: 名称}
columns:
  规模: {indicator: 企业类型, pattern: '(a|aa)+(?<!x)c'}
"""
    source = parse_source(declared, "s.yaml")
    path = tmp_path / "s.csv"
    path.write_text(f"代码,名称,规模\n91120116MA0700001X,甲,{'a' * 3000}d\n", encoding="utf-8")
    from profiles.dictionary import builtin_dictionary
    from store.imports import import_file
    from tests.databases import new_database

    opened = new_database(tmp_path)
    with pytest.raises(TooSlow, match=r"套在重复里的重复"):
        import_file(
            opened, path, source, dictionary=builtin_dictionary(), arrived_at=datetime(2026, 1, 1, tzinfo=UTC), day=date(2026, 1, 1)
        )  # fmt: skip
    opened.dispose()


def test_an_unreadable_one_is_told_with_its_column() -> None:
    with pytest.raises(SourceError, match="columns › 规模 的正则"):
        parse_source(
            "source: s\ndepartment: 局\nfirm: {code: 代码}\ncolumns:\n  规模: {indicator: 企业类型, pattern: '(a'}\n", "s.yaml"
        )  # fmt: skip
