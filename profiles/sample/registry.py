"""样例登记信息: dates, places, legal forms, capital and scope of invented firms."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from profiles import tables
from profiles.sample import codes, names

# The fictional zone lies in 滨海新区; the other districts of the city get the rest.
ZONE = "120116"
ZONE_SHARE = 0.78
OTHER_DISTRICTS = (
    "120110",
    "120111",
    "120112",
    "120113",
    "120114",
    "120118",
    "120102",
    "120103",
    "120104",
    "120117",
)
# Free-trade firms of the zone carry the code of another office (see the trap in the standard's table).
FREE_TRADE_OFFICE = "120118"
STREETS = tuple(
    [
        "临港一街",
        "临港二街",
        "临港三街",
        "保航东路",
        "海澜道",
        "望港路",
        "通关大道",
        "卸云路",
        "综保环路",
        "观澜大街",
        "启航道",
        "北堤路",
        "灯塔街",
        "汐月路",
        "铭港道",
        "示范一路",
    ]
)
BUILDINGS = ("科创中心", "智造园", "物流大厦", "孵化楼", "保税仓储中心", "海澜大厦", "启航广场")
TYPES = {
    0: (
        "有限责任公司(自然人投资或控股)",
        "有限责任公司(自然人独资)",
        "有限责任公司(法人独资)",
        "其他有限责任公司",
    ),
    2: ("股份有限公司(非上市)", "其他股份有限公司(非上市)"),
    4: ("有限合伙企业",),
}
FOREIGN_TYPES = (
    "有限责任公司(外商投资企业法人独资)",
    "有限责任公司(港澳台法人独资)",
    "有限责任公司(中外合资)",
)
STATES = ("存续", "注销", "吊销", "迁出", "歇业")


@dataclass(frozen=True)
class Industries:
    """行业库: the industries of the sample, one row each."""

    code: np.ndarray
    kind: np.ndarray
    weight: np.ndarray
    words: tuple[tuple[str, ...], ...]
    clauses: tuple[tuple[str, ...], ...]


@cache
def industries() -> Industries:
    """行业库: code with section letter, kind of business, share, words for names, clauses of scope."""
    with (Path(__file__).resolve().parent / "industries.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    weight = np.array([float(r["weight"]) for r in rows])
    return Industries(
        code=np.array([tables.full_code(r["code"]) for r in rows]),
        kind=np.array([r["kind"] for r in rows]),
        weight=weight / weight.sum(),
        words=tuple(tuple(r["words"].split()) for r in rows),
        clauses=tuple(tuple(r["scope"].split("；")) for r in rows),
    )


def founding_dates(rng: np.random.Generator, count: int, today: np.datetime64) -> np.ndarray:
    """成立日期: more young firms than old ones, from 1992 on, on working days only."""
    years_old = np.minimum(rng.gamma(1.7, 5.2, count), 33.5)
    days = today - np.maximum(20, years_old * 365.25).astype("timedelta64[D]")
    return np.busday_offset(days.astype("datetime64[D]"), 0, roll="backward")


def places(rng: np.random.Generator, count: int) -> np.ndarray:
    """登记地区划: 6-digit code of the district."""
    outside = np.array(OTHER_DISTRICTS)[rng.integers(len(OTHER_DISTRICTS), size=count)]
    return np.where(rng.random(count) < ZONE_SHARE, ZONE, outside)


def addresses(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """注册地址: streets and buildings that do not exist."""
    count = len(place)
    # The district is part of the address: free-trade areas lie across districts in reality.
    heads = {code: f"天津市{tables.division_names()[code]}" for code in {ZONE, *OTHER_DISTRICTS}}
    heads[ZONE] = "天津市滨海新区滨海示范保税区"
    head = np.array([heads[p] for p in place])
    street = np.array(STREETS)[rng.integers(len(STREETS), size=count)]
    number = np.char.add(rng.integers(1, 199, count).astype(str), "号")
    room = np.char.add(
        np.array(BUILDINGS)[rng.integers(len(BUILDINGS), size=count)],
        np.char.add(rng.integers(101, 2699, count).astype(str), "室"),
    )
    room = np.where(rng.random(count) < 0.7, room, "")
    return np.char.add(np.char.add(np.char.add(head, street), number), room)


def scopes(rng: np.random.Generator, industry: np.ndarray, table: Industries) -> np.ndarray:
    """经营范围: the clauses of the firm's industry, the first always, and now and then of a second one."""
    second = rng.choice(len(table.code), size=len(industry), p=table.weight)
    order = rng.random((len(industry), 8))
    joined = []
    for row, (own, other, keys) in enumerate(
        zip(industry.tolist(), second.tolist(), order.tolist(), strict=True)
    ):
        clauses = list(table.clauses[own])
        kept = [clauses[0]] + [c for c, key in zip(clauses[1:], keys, strict=False) if key < 0.8]
        if keys[7] < 0.25:
            kept.append(table.clauses[other][row % len(table.clauses[other])])
        text = "；".join(dict.fromkeys(kept))
        joined.append(
            f"一般项目：{text}。（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）"
            if keys[6] < 0.5
            else text + "。"
        )
    return np.array(joined, dtype=object)


def former_names(rng: np.random.Generator, firm: np.ndarray, founded_years: np.ndarray) -> np.ndarray:
    """曾用名: one earlier name for some firms older than three years."""
    renamed = (rng.random(len(firm)) < 0.07) & (founded_years < 2023)
    found = np.empty(len(firm), dtype=object)
    for row in np.flatnonzero(renamed):
        name = str(firm[row]).replace("股份有限公司", "有限公司")
        found[row] = [name[:2] + names.THIRD[row % len(names.THIRD)] + name[2:]]
    return found


def registration(
    rng: np.random.Generator,
    count: int,
    today: np.datetime64,
    kinds: np.ndarray,
    industry: np.ndarray,
    size: np.ndarray,
) -> dict[str, np.ndarray]:
    """登记: every registered fact of each firm, one value each."""
    table = industries()
    founded = founding_dates(rng, count, today)
    place = places(rng, count)
    office = np.where((place == ZONE) & (rng.random(count) < 0.3), FREE_TRADE_OFFICE, place)
    forms = names.forms_of(rng, kinds, size)
    words = np.array(
        [
            table.words[i][j % len(table.words[i])]
            for i, j in zip(industry, rng.integers(6, size=count), strict=True)
        ]
    )
    firm = names.firm_names(rng, words, forms)
    foreign = rng.random(count) < np.where(
        np.isin(kinds, ("电子信息", "汽车", "航空航天", "货代", "租赁", "生物医药")), 0.14, 0.05
    )
    foreign &= forms != 4
    capital = np.exp(0.75 * size + rng.normal(13.4, 0.9, count))
    capital = np.round(capital, -5) + 1e5
    found = {
        "统一社会信用代码": codes.credit_codes(rng, office, founded >= np.datetime64("2015-10-01")),
        "企业名称": firm,
        "曾用名": former_names(rng, firm, founded.astype("datetime64[Y]").astype(int) + 1970),
        "企业类型": _types(rng, forms, foreign),
        "法人资格": forms != 4,
        "成立日期": founded,
        "登记地区划": place,
        "注册地址": addresses(rng, place),
        "经营范围": scopes(rng, industry, table),
        "行业代码": table.code[industry],
        "行业门类": np.array([c[0] for c in table.code])[industry],
        "注册资本": capital,
        "实缴资本": np.round(capital * np.where(rng.random(count) < 0.45, 1.0, rng.beta(1.2, 2, count)), 2),
        "外商投资企业": foreign,
        "外资比例": np.where(
            foreign, np.round(np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0.25, 0.9, count)), 4), 0.0
        ),
        "国有控股": ~foreign & (rng.random(count) < np.clip(0.01 + 0.015 * (size - 2), 0.005, 0.2)),
        "分支机构数": rng.poisson(np.clip(np.exp(size - 5), 0, 20)).astype(float),
        "对外投资企业数": rng.poisson(np.clip(np.exp(size - 5.2), 0, 20)).astype(float),
    }
    wrong_code = (
        rng.random(count) < 0.12
    )  # what firms tick at registration differs from the statistical register
    other = rng.choice(len(table.code), size=count, p=table.weight)
    found["登记行业代码"] = np.where(wrong_code, table.code[other], found["行业代码"])
    found.update(_states(rng, count, founded, today, place))
    return found


def _types(rng: np.random.Generator, forms: np.ndarray, foreign: np.ndarray) -> np.ndarray:
    found = np.empty(len(forms), dtype=object)
    for form, options in TYPES.items():
        rows = (forms == form) | ((form == 0) & np.isin(forms, (1, 3)))
        found[rows] = np.array(options, dtype=object)[rng.integers(len(options), size=int(rows.sum()))]
    found[foreign] = np.array(FOREIGN_TYPES, dtype=object)[
        rng.integers(len(FOREIGN_TYPES), size=int(foreign.sum()))
    ]
    return found


def _states(
    rng: np.random.Generator, count: int, founded: np.ndarray, today: np.datetime64, place: np.ndarray
) -> dict[str, np.ndarray]:
    state = np.array(STATES, dtype=object)[rng.choice(5, size=count, p=(0.955, 0.022, 0.008, 0.010, 0.005))]
    span = (today - founded).astype(int)
    gone = founded + (span * rng.uniform(0.5, 0.98, count)).astype("timedelta64[D]")
    nat = np.datetime64("NaT", "D")
    moved = (place == ZONE) & (rng.random(count) < 0.04) & (span > 800)
    changed = founded + (span * rng.uniform(0.1, 0.99, count)).astype("timedelta64[D]")
    return {
        "登记状态": state,
        "注销日期": np.where(state == "注销", gone, nat),
        "核准日期": changed,
        "营业期限至": np.where(rng.random(count) < 0.4, founded + np.timedelta64(30 * 365 + 7, "D"), nat),
        "迁入日期": np.where(
            moved, founded + (span * rng.uniform(0.4, 0.98, count)).astype("timedelta64[D]"), nat
        ),
        "税务登记地区划": np.where(
            rng.random(count) < 0.03,
            np.array(OTHER_DISTRICTS)[rng.integers(len(OTHER_DISTRICTS), size=count)],
            place,
        ),
    }
