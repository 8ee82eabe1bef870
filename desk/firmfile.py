"""一企一档的页面: one firm's file as an officer reads it: values by section, portrait, text tags, what changed."""

from __future__ import annotations

import re
from typing import Any

from analysis.groups import group_title
from desk.evidence import source_title
from engine import kinds
from engine.columns import Columns
from engine.explain import value_at
from engine.indicators import Dictionary, Indicator
from engine.words import say_value
from profiles import tables
from profiles.exchange import SECTIONS, section_of
from profiles.file import Fact, split, to_value
from store.firm_changes import FileChange, ValueChange
from store.firms import Change

CONTACT = re.compile("电话|手机|联系人|邮箱|法定代表人|证件")
LEVEL_ORDER = ("门类", "大类", "中类", "小类", "主题")


def mask(name: str, text: str) -> str:
    """联系方式遮住: all but the first and the last two characters."""
    if not CONTACT.search(name) or text in ("缺", ""):
        return text
    return text[:1] + "＊" * max(len(text) - 3, 2) + (text[-2:] if len(text) > 4 else "")


def fact_groups(facts: Any, one: Columns, contacts: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """指标 by section: the newest year first, with earlier years as bars and rivals below."""
    groups: dict[str, list[dict[str, Any]]] = {}
    order = {name: i for i, name in enumerate(SECTIONS)}
    place = {name: i for i, name in enumerate(one.dictionary)}
    names = sorted(
        {key[0] for key in facts}, key=lambda n: (order.get(_section(one, n), 99), place.get(n, 9999), n)
    )
    for name in names:
        years = sorted((k[1] for k in facts if k[0] == name and k[1]), reverse=True)
        keys = [(name, y) for y in years] or [(name, None)]
        for i, key in enumerate(keys[:3]):
            fact = facts[key]
            if i and fact.state == "已知":
                continue
            groups.setdefault(_section(one, name), []).append(
                _fact_row(fact, one, facts, years if not i else [], contacts)
            )
            rivals = fact.others if fact.state == "冲突" else ()
            groups[_section(one, name)] += [
                {**_fact_row(r, one, facts, [], contacts), "sub": True, "name": ""} for r in rivals
            ]
    return list(groups.items())


def _section(one: Columns, name: str) -> str:
    return section_of(name, one.dictionary)


def _fact_row(fact: Fact, one: Columns, facts: Any, years: list[int], contacts: bool) -> dict[str, Any]:
    spec = one.dictionary.get(fact.indicator)
    shown = fact.shown if fact.shown is not None else fact.value
    text = in_words(shown, spec, one.dictionary, contacts)
    state = {"已知": "", "过期": "已过期", "冲突": "两个数值", "不可取用": "不可用"}.get(
        fact.state, fact.state
    )
    bars = (
        [_plain(facts.get((fact.indicator, y))) for y in range(max(years) - 4, max(years) + 1)]
        if years
        else None
    )
    numeric = spec is not None and spec.kind in ("金额", "数量", "比例")
    return {
        "name": fact.indicator, "of": fact.indicator + (f"@{fact.year}" if fact.year else ""), "year": fact.year or "", "value": text if contacts else mask(fact.indicator, text),
        "source": source_title(fact.source, fact.department), "authority": fact.authority, "state": state,
        "day": fact.day.isoformat() if fact.dated else f"{fact.day.isoformat()} 到", "sub": False,
        "numeric": spec is not None and spec.kind in ("金额", "数量", "比例"),
        "bars": bars if numeric and bars and sum(b is not None for b in bars) > 1 else None,
    }  # fmt: skip


def _plain(fact: Fact | None) -> float | None:
    return float(fact.value) if fact is not None and isinstance(fact.value, int | float) else None


def snapshot_groups(one: Columns, contacts: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """指标 of a firm that came from a file: values without origins."""
    groups: dict[str, list[dict[str, Any]]] = {}
    keys = sorted(
        {*one.numbers, *one.categories, *one.lists}, key=lambda k: (_section(one, k[0]), k[0], -(k[1] or 0))
    )
    for name, year in keys:
        value = value_at(one, 0, name, year)
        if value is None:
            continue
        spec = one.dictionary[name]
        text = in_words(value, spec, one.dictionary, contacts)
        groups.setdefault(_section(one, name), []).append({
            "name": name, "of": "", "year": year or "", "value": text if contacts else mask(name, text), "source": spec.source or "—",
            "authority": "", "state": "", "day": "—", "sub": False,
        "numeric": spec is not None and spec.kind in ("金额", "数量", "比例"), "bars": None,
        })  # fmt: skip
    return list(groups.items())


def in_sections(groups: list[tuple[str, list[dict[str, Any]]]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """七节: every section an officer thinks in, in order, also the empty ones; 其他 only where something is in it."""
    held = dict(groups)
    return [(name, held.get(name, [])) for name in SECTIONS if name != "其他" or held.get(name)]


def history_rows(
    changes: list[Change], name: str, year: int | None, dictionary: Dictionary, contacts: bool
) -> list[dict[str, Any]]:
    """沿革: what each batch said of one value, newest first."""
    return [
        {
            "arrived": one.arrived, "day": one.day, "source": source_title(one.source, one.department),
            "batch": one.batch, "source_name": one.source, "by": one.by, "taken_back": one.taken_back,
            "value": _say(name, one.value, dictionary, contacts),
        }
        for one in reversed(changes)
    ]  # fmt: skip


def change_rows(changes: list[FileChange], dictionary: Dictionary, contacts: bool) -> list[dict[str, Any]]:
    """变更: who changed what, newest first; values before and after in words."""
    return [
        {
            "kind": one.kind, "at": one.at, "by": one.by, "batch": one.batch, "source_name": one.source, "file": one.file,
            "day": one.day, "source": source_title(one.source, one.department),
            "values": [_value_change(value, dictionary, contacts) for value in one.values],
        }
        for one in changes
    ]  # fmt: skip


def text_tag_rows(portrait: Any) -> list[dict[str, Any]]:
    """文本标签 by level: proposals with scores and states, and whether the department's code says otherwise."""
    rows = []
    for level in LEVEL_ORDER:
        tags = [tag for tag in portrait.proposals.tags if tag.level == level]
        if tags:
            shown = [
                {
                    "code": "" if level == "主题" else tag.code, "name": tag.name, "score": tag.score,
                    "state": portrait.state(tag), "full": _full(tag.code) if level != "主题" else tag.code,
                }
                for tag in tags
                if tag.score >= 0.02
            ]  # fmt: skip
            rows.append({"level": level, "tags": shown, "agrees": portrait.proposals.agrees.get(level)})
    return rows


def themes() -> list[str]:
    """九个战略性新兴产业主题."""
    return sorted({row["level1"] for row in tables.read("strategic_emerging_2018")})


def _full(code: str) -> str:
    return tables.full_code(code) if code in tables.industry_names() else code


def _value_change(value: ValueChange, dictionary: Dictionary, contacts: bool) -> dict[str, str]:
    name, year = split(value.flat)
    about = value.key if ":" in value.key and not value.key.startswith("年:") else ""
    return {
        "name": name,
        "year": str(year or ""),
        "about": about,
        "before": _say(name, value.before, dictionary, contacts),
        "after": _say(name, value.after, dictionary, contacts),
    }


def _say(name: str, at_rest: Any, dictionary: Dictionary, contacts: bool) -> str:
    if at_rest is None:
        return "—"
    spec = dictionary.get(name)
    if isinstance(at_rest, str) and spec is not None and spec.kind not in ("文本", "代码", "日期", "列表"):
        return f"{at_rest}（不能取用）"
    value = to_value(at_rest, spec) if spec is not None and not _is_rows(at_rest) else at_rest
    text = in_words(value, spec, dictionary, contacts)
    return text if contacts else mask(name, text)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(row, dict) for row in value)


def in_words(value: Any, spec: Indicator | None, dictionary: Dictionary, contacts: bool = True) -> str:
    """取值的说法; of projects, products or persons each one's fields, and how many there are."""
    if _is_rows(value):
        rows = [in_words(row, None, dictionary, contacts) for row in value]
        return f"{len(rows)} 个：" + "；".join(rows)
    if isinstance(value, dict):
        fields = {k: in_words(v, dictionary.get(k), dictionary) for k, v in value.items()}
        return "，".join(f"{k} {text if contacts else mask(k, text)}" for k, text in fields.items())
    if spec is not None and spec.kind == kinds.CODE and isinstance(value, str):
        return group_title(spec.name, value)
    return say_value(value, spec.kind, spec.unit) if spec else str(value)
