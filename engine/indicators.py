"""指标字典: what every enterprise file may hold (profiles/indicators.yaml and a library's own)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from engine import kinds, yamltext
from engine.errors import Problem
from engine.tokens import NAME, nearest, nearest_indicator
from engine.yamltext import Node, Report

T = TypeVar("T")

KEYS = ("kind", "yearly", "unit", "source", "authority", "absent_means", "fresh_for", "column", "department", "synonyms",
        "label", "note", "sensitive", "section")  # fmt: skip
ABSENT = {
    "否": (kinds.BOOL,),
    "0": kinds.NUMERIC,
    "无": (kinds.DATE, kinds.TEXT, kinds.CODE, kinds.LIST),
}
YEARED = re.compile(
    r"(?P<first>(?:19|20)\d\d)年?度?(?P<after>.+)|(?P<before>.+?)(?P<last>(?:19|20)\d\d)年?度?[\])]?"
)
SELF_REPORTED = "企业填报"


@dataclass(frozen=True)
class Indicator:
    """指标: name, kind, whether it has a value a year, unit of a count, owning source and what absence means."""

    name: str
    kind: str
    yearly: bool = False
    unit: str = ""
    source: str = ""
    authority: int = 0
    absent_means: str = ""
    fresh_for: int | None = None
    column: str = ""
    department: str = ""
    synonyms: tuple[str, ...] = ()
    label: str = ""
    note: str = ""
    section: str = ""

    @property
    def automatic(self) -> bool:
        """可自动取得: whether a department's source holds it."""
        return bool(self.source) and self.source != SELF_REPORTED


class Dictionary(Mapping[str, Indicator]):
    """指标字典: name → Indicator; a library's entry replaces a built-in one of the same name."""

    def __init__(self, entries: Mapping[str, Indicator]):
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Indicator:
        return self._entries[name]

    @overload
    def get(self, name: str, /) -> Indicator | None: ...
    @overload
    def get(self, name: str, default: Indicator | T, /) -> Indicator | T: ...
    def get(self, name: str, default: Any = None, /) -> Any:
        """找指标: asked for every value of every comparison, where Mapping's own way through an exception is slow."""
        return self._entries.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def with_entries(self, more: Mapping[str, Indicator]) -> Dictionary:
        """合并: a dictionary in which `more` goes before the present entries."""
        return Dictionary({**self._entries, **more})


def column_meant(name: str, dictionary: Dictionary) -> str:
    """想写的列: "请写成 营业收入@2025。" for 营业收入2025 or 2025年营业收入, else the nearest indicator, or ""."""
    found = YEARED.fullmatch(name)
    base = (found["before"] or found["after"] or "").strip("_-@[] ") if found else ""
    spec = dictionary.get(base)
    if found and spec is not None and spec.yearly:
        return f"请写成 {base}@{found['first'] or found['last']}"
    return nearest_indicator(name.partition("@")[0], dictionary)


def read_indicators(text: str, file: str, report: Report) -> dict[str, Indicator]:
    """读指标字典: entries of an indicators.yaml; faults are reported (codes 0, 1, 2) and left out."""
    root = yamltext.read(text, file, report)
    if root is None:
        return {}
    if not root.is_map:
        report(Problem(1, "指标字典应当是“名称: {kind: …}”", root.place))
        return {}
    found = {}
    for name, node in root.items():
        entry = _entry(name, node, report)
        if entry is not None:
            found[name] = entry
    return found


def _entry(name: str, node: Node, report: Report) -> Indicator | None:
    place = node.place
    if not NAME.fullmatch(name):
        report(Problem(1, f"指标名“{name}”只能用文字、数字、_ 和 ·，且不以数字开头", place))
        return None
    if not node.is_map:
        report(Problem(1, f"“{name}”要写成 {{kind: …}}", place))
        return None
    sound = True
    for key, _ in node.items():
        if key not in KEYS:
            report(Problem(1, f"没有“{key}”这个键。{nearest(key, KEYS)}", node.key_place(key)))
            sound = False
    kind = _text(node, "kind")
    if kind not in kinds.KINDS:
        report(Problem(2, f"“{name}”的 kind 应当是：{' '.join(kinds.KINDS)}", place))
        return None
    absent = _text(node, "absent_means")
    if absent and kind not in ABSENT.get(absent, ()):
        report(
            Problem(
                2, f"“{name}”是{kind}，absent_means 不能是“{absent}”（是否用 否，数用 0，其余用 无）", place
            )
        )
        sound = False
    unit = _text(node, "unit")
    if (
        unit
        and kind == kinds.COUNT
        and kinds.canonical_unit(unit) not in map(kinds.canonical_unit, kinds.COUNT_UNITS)
    ):
        report(Problem(1, f"没有“{unit}”这个计量单位。{nearest(unit, kinds.COUNT_UNITS)}", place))
        sound = False
    fresh = _text(node, "fresh_for")
    days = re.fullmatch(r"(\d{1,5}) *(天|个月|年)?", fresh)
    if fresh and not days:
        report(Problem(2, f"“{name}”的 fresh_for 要写成天数，例如 400天", place))
        sound = False
    authority = _text(node, "authority")
    synonyms = node.get("synonyms")
    if not sound:
        return None
    return Indicator(
        name,
        kind,
        yearly=_text(node, "yearly") in ("是", "true", "True"),
        unit=unit if kind == kinds.COUNT else "",
        source=_text(node, "source"),
        authority=int(authority) if authority.isdecimal() and len(authority) < 6 else 0,
        absent_means=absent,
        fresh_for=int(days[1]) * {"天": 1, "个月": 30, "年": 365}.get(days[2] or "天", 1) if days else None,
        column=_text(node, "column"),
        department=_text(node, "department"),
        synonyms=tuple(n.text or "" for n in synonyms.list()) if synonyms else (),
        label=_text(node, "label"),
        note=_text(node, "note"),
        section=_text(node, "section"),
    )


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return (found.text or "") if found else ""
