"""The bundled sample library: large and varied enough, clean, listed in the docs, and its cases catch a changed rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import yamltext
from engine.errors import Problem
from engine.indicators import Dictionary, read_indicators
from engine.program import Compiler
from engine.rulefile import Reader
from engine.yamltext import Node
from policies.cases import CaseReader, difference, run_cases
from policies.check import check_library, read_cases
from policies.library import REFUSING, Library, load_library, read_yaml

REPO = Path(__file__).resolve().parents[2]
LIBRARY = REPO / "policies" / "library"
ITEM_FILES = sorted(p for p in LIBRARY.glob("*/items/*.yaml") if not p.name.endswith(".test.yaml"))
ZONE_SETS = ("工业", "制造业", "高技术服务业")

EXPRESSION = re.compile(
    r"\b(?:when|amount|low|high|by|upto|below|rate|cap|cap_per_enterprise): *(?P<text>.+)$"
)
STRICTER = {">=": ">", "<=": "<", ">": ">=", "<": "<=", "=": "!="}
OPERATOR = re.compile(r">=|<=|>|<|(?<![<>!])=")
NUMBER = re.compile(
    r"(?<![\w\-.\[\"])(\d+(?:\.\d+)?)(万元|亿元|万美元|元|%|人次|标箱|平方米|[人件项次艘级分岁])"
)
YEAR = re.compile(r"\[Y\]")
NAMED_SET = re.compile(r" in (?P<name>[^\[\s,}]+)")


def dictionary() -> Dictionary:
    problems: list = []
    found = read_indicators(
        (REPO / "profiles" / "indicators.yaml").read_text(), "indicators.yaml", problems.append
    )
    assert not problems
    return Dictionary(found)


@pytest.fixture(scope="module")
def words() -> Dictionary:
    return dictionary()


def test_library_is_clean_and_large_enough(words: Dictionary) -> None:
    library = load_library(LIBRARY, words)
    report = check_library(library)
    assert [p.render() for p in report.problems] == []
    assert report.documents >= 8 and report.items >= 45
    assert {i.item.category for i in library.items} == {"减免", "奖补", "权益", "资质", "培育", "提醒"}
    assert {i.item.subject for i in library.items} == {"企业", "项目", "产品", "人才"}
    assert sum(i.item.delivery == "免申即享" for i in library.items) >= 5
    for loaded in library.items:
        assert len(read_cases(loaded, library, lambda p: None).cases) >= 6, loaded.item.id


def test_national_documents_say_that_their_text_is_a_summary() -> None:
    for folder in LIBRARY.glob("cn-*"):
        assert "非原文" in (folder / "text.md").read_text().splitlines()[0], folder.name
        assert "须对照原文" in (folder / "document.yaml").read_text(), folder.name


def test_the_docs_list_every_item(words: Dictionary) -> None:
    page = (REPO / "docs" / "library.md").read_text()
    for loaded in load_library(LIBRARY, words).items:
        assert f"| {loaded.item.id.split('/')[1]} | {loaded.item.title}" in page, loaded.item.id


def test_a_synonym_means_one_indicator_only(words: Dictionary) -> None:
    said = Counter(s for name in words for s in words[name].synonyms)
    assert [s for s, times in said.items() if times > 1 or s in words] == []


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """What changed, and the item's text with one operator, threshold, year or set changed."""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        found = EXPRESSION.search(line)
        if found is None or re.match(r"\s*(?:-\s*)?(?:quote|cite|note|label|title):", line):
            continue
        start = found.start("text")
        for what, changed in changes(line[start:]):
            yield f"{at + 1}: {what}", "".join([*lines[:at], line[:start], changed, *lines[at + 1 :]])


def changes(expression: str) -> Iterator[tuple[str, str]]:
    for m in OPERATOR.finditer(expression):
        yield f"{m[0]} → {STRICTER[m[0]]}", replaced(expression, m, STRICTER[m[0]])
    for m in NUMBER.finditer(expression):
        for factor in (0.9, 1.1):
            number = moved(float(m[1]), m[2], factor)
            yield f"{m[0]} → {number}{m[2]}", replaced(expression, m, f"{number}{m[2]}")
    for m in YEAR.finditer(expression):
        yield "[Y] → [Y-1]", replaced(expression, m, "[Y-1]")
    for m in NAMED_SET.finditer(expression):
        other = next(name for name in ZONE_SETS if name != m["name"])
        yield f"{m['name']} → {other}", expression[: m.start("name")] + other + expression[m.end("name") :]


def replaced(text: str, found: re.Match[str], by: str) -> str:
    return text[: found.start()] + by + text[found.end() :]


def moved(number: float, unit: str, factor: float) -> str:
    """A tenth up or down; whole things by one."""
    counted = unit not in ("万元", "亿元", "万美元", "元", "%")
    value = number + (1 if factor > 1 else -1) if counted or number == 0 else number * factor
    return f"{value:.4f}".rstrip("0").rstrip(".")


@pytest.fixture(scope="module")
def whole(words: Dictionary) -> Library:
    """The library as it stands: of a changed item its document, sets and general conditions are those."""
    return load_library(LIBRARY, words)


def caught(text: str, path: Path, whole: Library, cases: Node) -> bool:
    """Whether the item with this text is refused or one of its cases differs."""
    problems: list[Problem] = []
    document = whole.documents[path.parents[1].name]
    root = yamltext.read(text, path.name, problems.append)
    item = Reader(problems.append).item(root) if root is not None else None
    assert item is not None, "a change of one expression leaves an item"
    program = Compiler(whole.dictionary, whole.sets, problems.append).item(
        item, document.document, document.general
    )
    if program is None or any(p.code in REFUSING and p.level == "error" for p in problems):
        return True
    read = CaseReader(whole.dictionary, lambda p: None).file(cases, program, path.name).cases
    outcomes = run_cases(program, read, whole.dictionary, lambda p: None)
    return any(difference(case, got) for case, got in zip(read, outcomes, strict=True))


@pytest.mark.parametrize("item", ITEM_FILES, ids=lambda p: f"{p.parents[1].name}/{p.stem}")
def test_a_changed_rule_is_caught_by_a_case(item: Path, whole: Library) -> None:
    text = item.read_text("utf-8")
    cases = read_yaml(item.with_name(f"{item.stem}.test.yaml"), item.name, lambda p: None)
    assert cases is not None
    assert not caught(text, item, whole, cases), "the unchanged item must pass"
    survivors = [what for what, changed in mutants(text) if not caught(changed, item, whole, cases)]
    assert survivors == []
