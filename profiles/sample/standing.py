"""样例资质与信用: qualifications from the firm's own figures by their true thresholds, credit from discipline."""

from __future__ import annotations

import numpy as np

from profiles.sample.economy import KINDS

NAT = np.datetime64("NaT", "D")
Facts = dict[str, np.ndarray]


def _day(rng: np.random.Generator, year: np.ndarray, month: int, days: int) -> np.ndarray:
    """A working day of the given month or the weeks after it, in each row's year."""
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    day = start.astype("datetime64[D]") + rng.integers(0, days, len(year))
    return np.busday_offset(day, 0, roll="forward")


def _plus_years(day: np.ndarray, years: int) -> np.ndarray:
    """Calendar years later, 29 February becoming 28 February."""
    month = day.astype("datetime64[M]")
    inside = (day - month.astype("datetime64[D]")).astype(int)
    target = month + 12 * years
    last = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(int) - 1
    return target.astype("datetime64[D]") + np.minimum(inside, last)


def _where(mask: np.ndarray, day: np.ndarray) -> np.ndarray:
    return np.where(mask, day, NAT)


def high_tech(
    rng: np.random.Generator, kind: np.ndarray, founded: np.ndarray, levels: Facts, patents: np.ndarray
) -> Facts:
    """高新技术企业: thresholds of 国科发火〔2016〕32号 on three years; certificates last three years."""
    revenue, spend, heads = levels["营业收入"], levels["研发费用"], levels["从业人数"]
    ratio = np.nansum(spend[:3], axis=0) / np.maximum(np.nansum(revenue[:3], axis=0), 1)
    latest = np.nan_to_num(revenue[2])
    least = np.where(latest <= 5e7, 0.05, np.where(latest <= 2e8, 0.04, 0.03))
    staff = np.nan_to_num(levels["科技人员数"][2]) / np.maximum(np.nan_to_num(heads[2]), 1)
    product = np.nan_to_num(levels["高新技术产品收入"][2]) / np.maximum(latest, 1)
    field = np.array([KINDS[k].doing_rd for k in kind]) >= 0.4
    apt = (ratio >= least) & (staff >= 0.1) & (product >= 0.6) & (patents >= 1) & field & (latest > 0)
    year = founded.astype("datetime64[Y]").astype(int) + 1970
    holds = apt & (rng.random(len(kind)) < 0.85) & (year <= 2023)
    lapsed = ~holds & field & (year <= 2019) & (patents >= 1) & (rng.random(len(kind)) < 0.10)
    first = np.maximum(year + 1 + rng.integers(1, 4, len(kind)), 2012 + rng.integers(0, 12, len(kind)))
    first = np.clip(first, 2012, 2025)
    renewals = (2025 - first) // 3
    latest_year = np.where(lapsed, np.minimum(first, 2021), first + 3 * renewals)
    first = np.minimum(first, latest_year)
    ever = holds | lapsed
    issued = _day(rng, latest_year, 11, 45)
    first_day = np.where(first == latest_year, issued, _day(rng, first, 11, 45))
    return {
        "高新技术企业认定日期": _where(ever, issued),
        "高新技术企业有效期至": _where(ever, _plus_years(issued, 3)),
        "高新技术企业首次认定日期": _where(ever, first_day),
        "_apt": apt,
    }


def tech_sme(rng: np.random.Generator, levels: Facts, holder: np.ndarray) -> Facts:
    """科技型中小企业: yearly entry; ≤500人, revenue and assets ≤2亿元, and a score the sample takes from R&D."""
    revenue, heads, spend = levels["营业收入"], levels["从业人数"], levels["研发费用"]
    small = (heads <= 500) & (revenue <= 2e8) & (levels["资产总额"] <= 2e8)
    scored = (spend >= 0.03 * revenue) & (levels["科技人员数"] > 0)
    willing = rng.random(revenue.shape[1]) < 0.8
    entered = small & (scored | holder) & (revenue > 0) & willing & (rng.random(revenue.shape) < 0.92)
    entered[-1] &= (
        rng.random(revenue.shape[1]) < 0.5
    )  # the register of the running year is half filled by summer
    entered = np.where(np.isnan(revenue), np.nan, entered.astype(float))
    first = np.argmax(np.nan_to_num(entered) > 0, axis=0) + 2022.0
    ever = np.nan_to_num(entered).any(axis=0)
    return {"科技型中小企业": entered, "科技型中小企业首次入库年度": np.where(ever, first, np.nan)}


def ladder(
    rng: np.random.Generator,
    kind: np.ndarray,
    levels: Facts,
    patents: np.ndarray,
    age: np.ndarray,
    holder: np.ndarray,
) -> Facts:
    """优质中小企业梯度: 创新型 → 专精特新 → 小巨人, each within the former, certificates of three years."""
    revenue, spend = np.nan_to_num(levels["营业收入"]), np.nan_to_num(levels["研发费用"])
    count = revenue.shape[1]
    sme = np.nan_to_num(levels["从业人数"][2]) < 1000
    ratio = spend[2] / np.maximum(revenue[2], 1)
    one = sme & (holder | ((ratio >= 0.03) & (patents >= 1))) & (age >= 2) & (rng.random(count) < 0.55)
    two = (
        one
        & (revenue[2] >= 1e7)
        & (spend[1] >= 1e6)
        & (spend[2] >= 1e6)
        & (ratio >= 0.03)
        & (rng.random(count) < 0.6)
    )
    debt = np.nan_to_num(levels["资产负债率"][2])
    growth = (revenue[2] / np.maximum(revenue[0], 1)) ** 0.5 - 1
    three = (
        two
        & (revenue[2] >= 5e7)
        & (growth >= 0.05)
        & (debt <= 0.7)
        & (patents >= 2)
        & (age >= 3)
        & (rng.random(count) < 0.5)
    )
    champion = three & (revenue[2] >= 4e8) & (rng.random(count) < 0.15)
    got = {}
    years = 2023 + rng.integers(0, 3, (4, count))
    for row, (name, holds, month) in enumerate(
        (
            ("创新型中小企业", one, 5),
            ("专精特新中小企业", two, 6),
            ("专精特新小巨人", three, 7),
            ("单项冠军", champion, 4),
        )
    ):
        day = _day(rng, years[row], month, 60)
        got[f"{name}有效期至"] = _where(holds, _plus_years(day, 3))
        if row:
            got[f"{name}首次认定日期"] = _where(holds, day)
    renamed = one & (rng.random(count) < 0.15)
    fresh = _day(rng, np.full(count, 2026), 5, 30)
    got["科技和创新型中小企业有效期至"] = _where(renamed, _plus_years(fresh, 3))
    return got


def property_rights(rng: np.random.Generator, kind: np.ndarray, levels: Facts, age: np.ndarray) -> Facts:
    """知识产权: patents in force (older ones counted in), works and marks; counts on the day of the data."""
    granted = np.nan_to_num(levels["发明专利授权数"][:4]).sum(axis=0)
    older = rng.poisson(granted * np.clip(age - 4, 0, 8) / 12)
    patents = granted + older
    code = np.isin(kind, ("软件", "电子信息", "科研", "仪器仪表", "信息传输"))
    spends = np.nan_to_num(levels["研发费用"]).max(axis=0) > 0
    second = rng.poisson(np.where(spends, 2 + 1.8 * patents, 0.1))
    return {
        "有效发明专利数": patents.astype(float),
        "一类知识产权数": (patents + rng.poisson(np.where(kind == "生物医药", 0.3, 0.02))).astype(float),
        "二类知识产权数": second.astype(float),
        "软件著作权数": rng.poisson(np.where(code & spends, 7.0, 0.3)).astype(float),
        "商标注册数": rng.poisson(0.4 + np.minimum(age, 15) * 0.12).astype(float),
        "知识产权优势企业": (patents >= 10) & (rng.random(len(kind)) < 0.2),
        "知识产权质押融资额": np.where(
            (rng.random(levels["研发费用"].shape) < 0.02) & (patents >= 2), np.round(patents * 6e5, -4), 0.0
        ),
    }


def credit(
    rng: np.random.Generator, discipline: np.ndarray, state: np.ndarray, levels: Facts, today: np.datetime64
) -> Facts:
    """信用: tax grade a year, lists and offences; discipline and the state of the firm decide the odds."""
    shape = levels["营业收入"].shape
    mark = discipline + rng.normal(0, 0.35, shape)
    grade = np.full(shape, "B", dtype=object)
    for name, low, high in (
        ("A", 0.75, np.inf),
        ("M", -1.25, -0.55),
        ("C", -2.0, -1.25),
        ("D", -np.inf, -2.0),
    ):
        grade[(mark > low) & (mark <= high)] = name
    grade[np.isnan(levels["营业收入"])] = None
    young = np.isnan(np.vstack([np.full(shape[1], np.nan), levels["营业收入"][:-1]])) & ~np.isnan(
        levels["营业收入"]
    )
    grade[young] = "M"  # a firm in its first year is graded M
    odds = 1 / (1 + np.exp(3.4 + 1.1 * discipline))
    bad = state == "吊销"
    abnormal = bad | (rng.random(shape[1]) < 0.5 * odds)
    listed = today - rng.integers(20, 900, shape[1]).astype("timedelta64[D]")
    penalties = rng.poisson(odds * 1.4, shape).astype(float)
    level = np.select([discipline > 1, discipline > -0.6, discipline > -1.8], ["A", "B", "C"], "D").astype(
        object
    )
    return {
        "纳税信用等级": grade,
        "行政处罚次数": np.where(np.isnan(levels["营业收入"]), np.nan, penalties),
        "重大事故次数": np.where(
            np.isnan(levels["营业收入"]), np.nan, (rng.random(shape) < 0.003).astype(float)
        ),
        "环境违法": np.where(np.isnan(levels["营业收入"]), np.nan, (rng.random(shape) < 0.006).astype(float)),
        "严重违法失信名单": rng.random(shape[1]) < 0.18 * odds,
        "经营异常名录": abnormal,
        "列入经营异常日期": _where(abnormal, listed),
        "失信被执行人": rng.random(shape[1]) < 0.25 * odds,
        "重大税收违法": rng.random(shape[1]) < 0.05 * odds,
        "信用修复申请中": abnormal & (rng.random(shape[1]) < 0.15),
        "科研失信": rng.random(shape[1]) < 0.0005,
        "公共信用综合评价": level,
        "欠缴税款": np.where(
            rng.random(shape[1]) < 0.6 * odds, np.round(np.exp(rng.normal(10.5, 1.2, shape[1])), 2), 0.0
        ),
        "社会保险欠费": np.where(
            rng.random(shape[1]) < 0.4 * odds, np.round(np.exp(rng.normal(9.5, 1.0, shape[1])), 2), 0.0
        ),
    }
