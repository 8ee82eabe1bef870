"""规则写法: an item's benefit and the skeleton of its cases, as rule files hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .expressions import Proposal, Proposer
from .model import Item


def one_line(quote: str) -> str:
    """成一行: a quote without line breaks; the checker compares without white space."""
    return re.sub(r"\s*\n\s*", "", quote).strip()


def once(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """去重: entries, each quote once."""
    seen: set[str] = set()
    return [e for e in entries if not (e["quote"] in seen or seen.add(e["quote"]))]  # type: ignore[func-returns-value]


_KEYS = ("amount", "rate", "cap", "min", "max")


def benefit_form(item: Item, cite: Any, proposer: Proposer) -> dict[str, Any]:
    """奖补写法: the amount as far as the words fix it; an interval where they don't; words where nothing is computable."""
    told = [b for b in item.benefits if any(k in b for k in _KEYS)] or item.benefits
    first = told[0]
    out: dict[str, Any] = {"cite": cite(first), "quote": one_line(first["quote"])}
    fixed = [b["amount"] for b in told if b.get("kind") == "fixed"]
    caps = [b["cap"] for b in told if "cap" in b]
    rates = [b for b in told if "rate" in b]
    if fixed and not rates and all(b.get("kind") in ("fixed", "cap", "other") for b in told):
        if len(fixed) == 1:
            return (
                out
                | {"amount": yuan(fixed[0])}
                | ({"cap": yuan(max(caps))} if caps and max(caps) > fixed[0] else {})
            )
        return out | {"range": {"low": yuan(min(fixed)), "high": yuan(max(fixed))}}
    money = [b for b in told if b.get("kind") == "range" and b.get("max", 0) > 1]
    if len(told) == 1 and money:
        return out | {"range": {"low": yuan(money[0]["min"]), "high": yuan(money[0]["max"])}}
    if len(rates) == 1 and len(told) == 1 and not rates[0].get("up_to"):
        entry, sure = proposer._indicator(re.sub(r"^上一?年度?", "", rates[0].get("base", "")))
        if entry is not None and sure and entry.kind == "金额" and rates[0]["rate"] <= 1:
            name = f"{entry.name}[Y]" if entry.yearly else entry.name
            return (
                out
                | {"amount": f"{name} * {rates[0]['rate'] * 100:g}%"}
                | ({"cap": yuan(caps[0])} if caps else {})
            )
    if caps and all(b.get("kind") == "cap" for b in told):
        return out | {"upto": yuan(max(caps))}
    words = "；".join(dict.fromkeys(one_line(b["quote"]) for b in told))
    return out | {"words": words} | ({"cap": yuan(max(caps))} if caps else {})


def yuan(value: float) -> str:
    """金额字面: yuan as the rule files write it (30万元)."""
    if value >= 1e8 and value % 1e6 == 0:
        return f"{value / 1e8:g}亿元"
    return f"{value / 1e4:g}万元" if value >= 1e4 and value % 100 == 0 else f"{value:g}元"


def case_skeleton(
    data: Mapping[str, Any],
    nodes: Sequence[Mapping[str, Any]],
    samples: Mapping[str, Proposal],
    told: Sequence[str],
) -> dict[str, Any]:
    """样例骨架: one firm that holds, and beside it each condition failing alone, at both sides of each boundary.

    `told`: general conditions whose cases stand beside another item already.
    """
    batch = next(iter(data["batches"]))
    opens, year = str(data["batches"][batch]["opens"]), int(data["batches"][batch]["year"])
    given: dict[str, Any] = {}
    cases: list[dict[str, Any]] = []
    unknown = []
    for node in nodes:
        ident = node["id"]
        if "ask" in node:
            cases.append({"name": f"{ident} 不满足", "answers": {ident: "否"}, "expect": {"fails": [ident]}})
            continue
        parts = samples[ident].parts or (samples[ident],)
        if not all(p.sample[0] for p in parts):
            unknown.append(ident)
            continue
        for part in parts:
            name, holds, fails = part.sample
            _put(given, name, holds, year)
            bad: dict[str, Any] = {}
            _put(bad, name, opens if fails == "AFTER" else fails, year)
            shown = f"{ident} 差一点" + (f"：{name.removesuffix('[Y]')}" if len(parts) > 1 else "")
            cases.append({"name": shown, "with": bad, "expect": {"fails": [ident]}})
    cases = [c for c in cases if c["expect"]["fails"][0] not in told]
    base: dict[str, Any] = {
        "name": "基准：都满足，刚好在线上",
        "expect": {"verdict": "待核实" if unknown else "符合"},
    }
    for case in cases:
        case["expect"] = {"verdict": "不符合", **case["expect"]}
    for case in [base, *cases]:
        if unknown:
            case["expect"]["unknown"] = list(unknown)
    answers = {n["id"]: "是" for n in nodes if "ask" in n}
    return {"item": data["item"], "batch": batch, "given": given, "answers": answers, "cases": [base, *cases]}


def _put(into: dict[str, Any], name: str, value: str, year: int) -> None:
    value = value.strip('"')
    if name.endswith("[Y]"):
        into.setdefault(name[:-3], {})[year] = value
    else:
        into[name] = value
