"""Random case files (section 7) whose expectations the oracle has worked out: `huiqi check` must find none wrong."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.oracle.generate import ALL, dump, random_facts, sample
from tests.oracle.interpreter import FIRM, Answers, decide
from tests.oracle.library import Item, RuleError, read_library

Facts = dict[str, Any]
UNITS = {"人数": "人", "专利": "件", "设备": "台"}


def literal(name: str, value: Any) -> Any:
    """A fact as a case writes it."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "是" if value else "否"
    kind = ALL[name]["kind"]
    if kind == "金额":
        return f"{value / 10000:.10g}万元" if value % 100 == 0 else f"{value}元"
    if kind == "比例":
        return f"{value}"
    return f"{value}{UNITS.get(name, '')}" if kind == "数量" else value


def written(facts: Facts) -> Facts:
    """Facts, rows included, as a case writes them."""
    out: Facts = {}
    for name, value in facts.items():
        if name in ("项目", "产品", "人才"):
            out[name] = "~" if value is None else [written(row) for row in value]
        elif name in (FIRM, "项目编号"):
            out[name] = value
        elif isinstance(value, dict):
            out[name] = {year: literal(name, one) for year, one in value.items()}
        else:
            out[name] = literal(name, value)
    out.pop(FIRM, None)
    return out


def merged(given: Facts, differs: Facts) -> Facts:
    """`with` over `given`: yearly indicators year by year, lists whole, a missing one taken away."""
    out = dict(given)
    for name, value in differs.items():
        before = out.get(name)
        out[name] = {**before, **value} if isinstance(value, dict) and isinstance(before, dict) else value
    return out


def asks(node: Any) -> list[str]:
    if isinstance(node, list):
        return [ask for child in node for ask in asks(child)]
    if not isinstance(node, dict):
        return []
    own = [node["id"]] if "ask" in node else []
    return own + [ask for child in node.values() for ask in asks(child)]


def random_answers(rng: random.Random, item: Item, facts: Facts) -> dict[str, Any]:
    """Answers by ask; by 项目编号 on project rows."""
    subject, out = item.raw.get("subject", "企业"), {}
    for ask in asks(item.numbered) + asks(item.raw.get("benefit")):
        if subject == "企业":
            out[ask] = rng.random() < 0.7
        elif facts.get(subject):
            out[ask] = {row["项目编号"]: rng.random() < 0.7 for row in facts[subject] if rng.random() < 0.7}
    return {ask: said for ask, said in out.items() if said != {} and rng.random() < 0.6}


def lines(item: Item, batch: str, answers: dict[str, Any]) -> list[dict[str, Any]]:
    out = []
    for ask, said in answers.items():
        rows = said if isinstance(said, dict) else {None: said}
        for row, answer in rows.items():
            line = {FIRM: "甲", "item": item.id, "batch": batch, "id": ask, "answer": answer}
            out.append(line if row is None else line | {"row": row})
    return out


def spoken(answers: dict[str, Any]) -> dict[str, Any]:
    word = {True: "是", False: "否"}
    return {
        a: {r: word[v] for r, v in s.items()} if isinstance(s, dict) else word[s] for a, s in answers.items()
    }


def random_case(rng: random.Random, item: Item, given: Facts, number: int) -> dict[str, Any]:
    differs = random_facts(rng, 0.3, rng.sample(list(ALL), 6))
    facts = merged(given, differs)
    batch = rng.choice(item.batches)
    answers = random_answers(rng, item, facts)
    item.prepare(batch)
    out = decide(item, batch, {**facts, FIRM: "甲"}, Answers(lines(item, batch.id, answers)))
    low, high = (None if end is None else f"{float(end):.2f}元" for end in out["amount"])
    amount = "~" if low is None and high is None else [low or "~", high or "~"] if low != high else low
    expect = {"verdict": out["verdict"], "fails": out["fails"], "unknown": out["unknown"], "amount": amount}
    case = {"name": f"第{number}", "batch": batch.id, "with": written(differs), "answers": spoken(answers)}
    return {key: value for key, value in case.items() if value} | {"expect": expect}


def write_cases(seed: int, root: Path, cases: int = 8) -> int:
    """A random library with a case file beside every item; gives the number of cases."""
    given = sample(seed, root, firms=4)
    rng, count = random.Random(seed), 0
    for item in read_library(given.library):
        try:
            item.prepare(item.batches[0])
        except RuleError:
            continue
        facts = {name: value for name, value in rng.choice(given.firms).items() if name != FIRM}
        made = [random_case(rng, item, facts, number) for number in range(cases)]
        count += len(made)
        folder, slug = item.id.split("/")
        path = root / folder / f"items/{slug}.test.yaml"
        dump(path, {"item": item.id, "batch": "2025", "given": written(facts), "cases": made})
        path.write_text(path.read_text(encoding="utf-8").replace("'~'", "~"), encoding="utf-8")
    return count
