"""Random libraries for section 6, with an allocation.test.yaml whose answers the oracle has worked out."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.oracle.allocate import Claim, Received, allocate
from tests.oracle.generate import dump
from tests.oracle.interpreter import FIRM, End

DAY = date(2025, 4, 1)
CLAUSE = {"cite": "第一条", "quote": "全文"}
PROJECTS = ["P1", "P2", "P3"]
AMOUNTS = ["10万元", "20万元", "20万元", "30万元", "资本 * 1.5%", "资本 * 33.3%"]
PICKS = {"甲组": "就高", "乙组": "就高", "丙组": "补差", "丁组": "企业选择"}
RECEIVED = ["0元", "5万元", "12.5万元", "100万元"]


def benefit(rng: random.Random) -> dict[str, Any]:
    shapes: list[dict[str, Any]] = [{"amount": rng.choice(AMOUNTS)}] * 4
    shapes += [
        {"range": {"low": "10万元", "high": "20万元"}},
        {"upto": rng.choice(AMOUNTS)},
        {"words": "一事一议"},
    ]
    cases = [{"when": "上市 = 是", "amount": "20万元"}, {"amount": "10万元"}]
    return {**CLAUSE, **rng.choice([*shapes, {"cases": cases}, {"amount": "罚款 * 2"}])}


def random_items(root: Path, rng: random.Random) -> None:
    dump(
        root / "indicators.yaml",
        {"资本": {"kind": "金额"}, "罚款": {"kind": "金额"}, "上市": {"kind": "是否"}},
    )
    for d, issued in (("d0", "2023-01-01"), ("d1", rng.choice(["2022-01-01", "2023-01-01", "2024-01-01"]))):
        document: dict[str, Any] = {"title": d, "issued": issued, "effective": "2022-01-01"}
        if rng.random() < 0.3:
            document["general"] = {"exclusive": {"group": "甲组", "pick": "就高", **CLAUSE}}
        dump(root / d / "document.yaml", document)
        for slug in "abc"[: rng.randint(1, 3)]:
            group = rng.choice(list(PICKS))
            batch: dict[str, Any] = {"year": "2024", "opens": "2025-03-01", "closes": "2025-04-30"}
            raw: dict[str, Any] = {
                "item": f"{d}/{slug}", "title": slug, "department": "甲", "category": "奖补",
                "conditions": {"all": [{"id": "c", **CLAUSE, **rng.choice(
                    [{"when": "资本 >= 0元"}] * 3 + [{"when": "上市 = 是"}, {"ask": "是否属实？"}])}]},
                "benefit": benefit(rng),
            }  # fmt: skip
            if rng.random() < 0.4:
                raw["subject"] = rng.choice(["项目", "项目", "产品"])
            if rng.random() < 0.4:
                raw["benefit"]["cap_per_enterprise"] = rng.choice(["25万元", "15万元", "资本 * 20%"])
            if rng.random() < 0.8:
                raw["exclusive"] = {"group": group, "pick": PICKS[group], **CLAUSE}
            if rng.random() < 0.5:
                raw["budget"] = {"when_short": "按比例核减", **CLAUSE}
                batch["budget"] = rng.choice(["7万元", "30万元", "33.33万元", "1亿元"])
            dump(root / d / f"items/{slug}.yaml", raw | {"batches": {"2025": batch}})


def say(claim: Claim) -> Any:
    """What the claim's expectation says."""
    if claim.gave_way_to:
        return ["让位", claim.gave_way_to, yuan(claim.lost)]
    if claim.low == claim.high:
        return yuan(claim.low)
    return [yuan(claim.low), yuan(claim.high)]


def yuan(end: End) -> str | None:
    return None if end is None else f"{float(end):.2f}元"


def rows(rng: random.Random) -> dict[str, Any]:
    """Projects and products of a firm, some under one number, each with facts of its own."""
    out = {}
    for subject in ("项目", "产品"):
        if rng.random() < 0.8:
            numbers = rng.sample(PROJECTS, rng.randint(0, 3))
            own = [{"资本": rng.choice([200000, 500000.5, 1000000])}, {"上市": rng.choice([True, False])}, {}]
            out[subject] = [{"项目编号": number, **rng.choice(own)} for number in numbers]
    return out


def write_allocation(seed: int, root: Path) -> list[Claim]:
    """A library with an allocation.test.yaml that must hold; the claims it was made from."""
    rng = random.Random(seed)
    random_items(root, rng)
    firms: list[dict[str, Any]] = []
    for name in "甲乙丙丁"[: rng.randint(1, 4)]:
        capital = rng.choice([600000, 200000, 1333333.33, 2000000, None])
        facts = {
            "资本": capital,
            "罚款": rng.choice([50000, 100000, None]),
            "上市": rng.choice([True, False, None]),
        }
        firms.append(
            {FIRM: name, **{key: value for key, value in facts.items() if value is not None}} | rows(rng)
        )
    answers = []
    for firm in firms:
        for p in sorted(root.glob("*/items/*.yaml")):
            text = p.read_text(encoding="utf-8")
            line = {
                FIRM: firm[FIRM],
                "item": f"{p.parents[1].name}/{p.stem}",
                "batch": "2025",
                "id": "c",
                "answer": True,
            }
            subject = next((s for s in ("项目", "产品") if f"subject: {s}" in text), None)
            numbers = [{}] if subject is None else [{"row": row["项目编号"]} for row in firm.get(subject, [])]
            answers += [line | number for number in numbers if "ask:" in text and rng.random() < 0.5]
    paid = {firm[FIRM]: {"丙组": rng.choice(RECEIVED)} for firm in firms if rng.random() < 0.7}
    worth = {"0元": 0, "5万元": 50000, "12.5万元": 125000, "100万元": 10**6}
    received: Received = {f: {g: Fraction(worth[v]) for g, v in groups.items()} for f, groups in paid.items()}
    claims = allocate(root, firms, DAY, answers, received)
    dump(root / "d0/allocation.test.yaml", allocation_file(firms, answers, paid, claims))
    return claims


def allocation_file(
    firms: list[dict[str, Any]], answers: list[dict[str, Any]], paid: dict[str, Any], claims: list[Claim]
) -> dict[str, Any]:
    enterprises: dict[str, Any] = {}
    for firm in firms:
        given = {k: case_value(v) for k, v in firm.items() if k != FIRM}
        said: dict[str, Any] = {}
        for line in answers:
            if line[FIRM] == firm[FIRM] and "row" in line:
                said.setdefault(line["item"], {}).setdefault("c", {})[line["row"]] = "是"
            elif line[FIRM] == firm[FIRM]:
                said[line["item"]] = {"c": "是"}
        enterprises[firm[FIRM]] = {"given": given, **({"answers": said} if said else {})}
    expect: dict[str, Any] = {}
    for claim in claims:
        expect.setdefault(claim.firm, {})[claim.item.id] = say(claim)
    cases = [{"name": "全部", "expect": expect}]
    return {"as_of": DAY.isoformat(), "enterprises": enterprises, "received": paid, "cases": cases}


def case_value(value: Any) -> Any:
    if isinstance(value, list):
        return [{k: v if k == "项目编号" else case_value(v) for k, v in row.items()} for row in value]
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else f"{value}元"
