"""样例其他事实: customs, tax status, insurance, premises, finance and size class; one value a firm."""

from __future__ import annotations

import numpy as np

from profiles import tables
from profiles.sample.detail import MAKING
from profiles.sample.standing import NAT, Facts, _day, _plus_years, _where

# The year whose figures a register of the summer 2026 shows: the last full one.
LAST = 3


def size_class(
    industry: np.ndarray, staff: np.ndarray, revenue: np.ndarray, assets: np.ndarray
) -> np.ndarray:
    """企业规模: 大型 中型 小型 微型 by 国统字〔2017〕213号; None where the standard does not apply or a figure is unknown.

    Money in yuan. Large, medium and small need every listed figure at or above its floor.
    """
    figures = {"从业人员": staff, "营业收入": revenue / 1e4, "资产总额": assets / 1e4}
    rank = np.full(len(industry), 3)
    known = np.ones(len(industry), dtype=bool)
    covered = np.zeros(len(industry), dtype=bool)
    for row in tables.read("sme_size_2017"):
        rows = np.zeros(len(industry), dtype=bool)
        for prefix in row["gb4754_prefixes"].split(";"):
            rows |= (
                np.char.startswith(industry, prefix)
                if prefix.isalpha()
                else np.char.startswith(_bare(industry), prefix)
            )
        if row["gb4754_excluded"]:
            for prefix in row["gb4754_excluded"].split(";"):
                rows &= ~np.char.startswith(_bare(industry), prefix)
        value = figures[row["indicator"]]
        floors = [float(row["small_min"]), float(row["medium_min"]), float(row["large_min"])]
        reached = sum((value >= floor).astype(int) for floor in floors)
        rank = np.where(rows, np.minimum(rank, reached), rank)
        known &= ~rows | ~np.isnan(value)
        covered |= rows
    names = np.array(["微型", "小型", "中型", "大型"], dtype=object)[rank]
    names[~covered | ~known] = None
    return names


def _bare(industry: np.ndarray) -> np.ndarray:
    return np.array([code[1:] for code in industry.tolist()])


def customs(
    rng: np.random.Generator, founded: np.ndarray, levels: Facts, discipline: np.ndarray, today: np.datetime64
) -> Facts:
    """海关: filing date of traders and the customs credit grade."""
    trades = np.nansum(levels["进出口总额"], axis=0) > 0
    span = (today - founded).astype(int)
    filed = founded + np.minimum(span - 1, rng.integers(20, 500, len(founded))).astype("timedelta64[D]")
    big = np.nanmax(levels["进出口总额"], axis=0, initial=0, where=~np.isnan(levels["进出口总额"])) > 5e7
    grade = np.where(
        big & (discipline > 0.6),
        "高级认证企业",
        np.where(discipline < -2.3, "失信企业", "注册登记和备案企业"),
    )
    found = grade.astype(object)
    found[~trades] = None
    return {"海关备案日期": _where(trades, filed), "海关信用等级": found}


def tax_and_insurance(rng: np.random.Generator, form_legal: np.ndarray, levels: Facts) -> Facts:
    """税务与社保现状: status facts of the day."""
    count = len(form_legal)
    revenue = np.nan_to_num(levels["营业收入"][LAST])
    insured = levels["参保人数"][4]
    return {
        "居民企业": form_legal.copy(),
        "征收方式": np.where(
            rng.random(count) < np.where(revenue < 1e6, 0.15, 0.02), "核定征收", "查账征收"
        ).astype(object),
        "一般纳税人": (revenue >= 5e6) | (rng.random(count) < 0.35),
        "从事限制禁止行业": rng.random(count) < 0.003,
        "在保人数": insured,
        "失业保险参保状态": np.nan_to_num(insured) > 0,
        "失业保险足额缴费月数": np.where(
            np.nan_to_num(insured) > 0,
            np.where(rng.random(count) < 0.9, 12.0, rng.integers(1, 12, count)),
            0.0,
        ),
    }


def innovation(rng: np.random.Generator, levels: Facts, founded: np.ndarray, apt: np.ndarray) -> Facts:
    """研发机构、奖励、成长称号: rare marks of firms that spend on R&D."""
    spend = np.nan_to_num(levels["研发费用"][2])
    count = len(spend)
    odds = np.clip(spend / 6e7, 0, 0.6)
    pick = rng.random(count)
    level = np.full(count, None, dtype=object)
    for name, share in (("区级", 1.0), ("市级", 0.6), ("省部级", 0.15), ("国家级", 0.03)):
        level[pick < odds * share] = name
    has = np.array([v is not None for v in level.tolist()])
    year = np.clip(founded.astype("datetime64[Y]").astype(int) + 1970 + 3, 2015, 2025)
    growth = np.nan_to_num((levels["营业收入"][3] / np.maximum(levels["营业收入"][1], 1)) ** 0.5 - 1)
    gazelle = apt & (growth > 0.25) & (np.nan_to_num(levels["营业收入"][3]) > 1e7)
    return {
        "研发机构级别": level,
        "研发机构认定日期": _where(has, _day(rng, np.minimum(year + rng.integers(0, 6, count), 2025), 9, 60)),
        "瞪羚企业有效期至": _where(gazelle, _plus_years(_day(rng, np.full(count, 2025), 10, 30), 2)),
        "技术先进型服务企业有效期至": _where(
            apt & (rng.random(count) < 0.01), _plus_years(_day(rng, np.full(count, 2024), 11, 30), 3)
        ),
        "高新技术产品数": rng.poisson(np.where(apt, 2.5, 0.05)).astype(float),
        "知识产权管理体系认证日期": _where(
            apt & (rng.random(count) < 0.12), _day(rng, 2021 + rng.integers(0, 5, count), 4, 120)
        ),
    }


def capital_market(rng: np.random.Generator, levels: Facts, kind: np.ndarray) -> Facts:
    """金融现状: listing, loans outstanding, funds."""
    revenue = np.nan_to_num(levels["营业收入"][LAST])
    count = len(revenue)
    listed = (revenue > 3e8) & (rng.random(count) < 0.05)
    board = np.where(
        rng.random(count) < 0.3, "北交所", np.where(rng.random(count) < 0.5, "创业板", "科创板")
    ).astype(object)
    board[~listed] = None
    tutored = ~listed & (revenue > 1e8) & (rng.random(count) < 0.03)
    quoted = ~listed & (revenue > 2e7) & (rng.random(count) < 0.03)
    loan = np.nan_to_num(levels["贷款发生额"][LAST])
    year = 2019 + rng.integers(0, 7, count)
    fund = kind == "金融"
    # A stream of its own, so that what is drawn after it stays what it was.
    purposes = np.array(["生产经营周转", "设备购置", "研发投入", "其他"], dtype=object)
    purpose = purposes[rng.spawn(1)[0].choice(4, count, p=(0.6, 0.2, 0.1, 0.1))]
    purpose[loan <= 0] = None
    return {
        "上市板块": board,
        "上市日期": _where(listed, _day(rng, year, 3, 200)),
        "上市辅导备案日期": _where(tutored, _day(rng, 2024 + rng.integers(0, 2, count), 2, 200)),
        "新三板挂牌日期": _where(quoted, _day(rng, year, 5, 200)),
        "贷款余额": np.round(loan * rng.uniform(0.3, 1.2, count), 2),
        "贷款年利率": np.where(
            loan > 0, np.round(np.clip(rng.normal(0.037, 0.006, count), 0.025, 0.065), 4), np.nan
        ),
        "贷款用途": purpose,
        "基金备案": fund & (rng.random(count) < 0.6),
        "基金实缴规模": np.where(fund, np.round(np.exp(rng.normal(17.5, 1.0, count)), -5), 0.0),
    }


def premises(rng: np.random.Generator, kind: np.ndarray, levels: Facts, founded: np.ndarray) -> Facts:
    """载体、安全与环保: rented floor, land, permits."""
    heads = np.nan_to_num(levels["从业人数"][LAST])
    count = len(heads)
    making = np.isin(kind, MAKING)
    rents = rng.random(count) < 0.6
    start = np.maximum(founded, np.datetime64("2021-01-01")) + rng.integers(0, 700, count).astype(
        "timedelta64[D]"
    )
    grade = np.array(["三级", "二级", "一级"], dtype=object)[rng.choice(3, size=count, p=(0.7, 0.25, 0.05))]
    grade[~(making & (rng.random(count) < 0.35))] = None
    permit = making & (rng.random(count) < 0.5)
    green = np.full(count, None, dtype=object)
    green[making & (heads > 150) & (rng.random(count) < 0.06)] = "市级"
    green[making & (heads > 300) & (rng.random(count) < 0.04)] = "国家级"
    return {
        "租用标准厂房面积": np.where(rents & making, np.round(heads * rng.uniform(15, 70, count)), 0.0),
        "每平方米月租金": np.where(rents, np.round(rng.uniform(18, 75, count), 2), np.nan),
        "租赁合同备案日期": _where(rents & (rng.random(count) < 0.6), start + 20),
        "租赁合同起始日期": _where(rents, start),
        "租赁合同终止日期": _where(rents, _plus_years(start, 5)),
        "自用办公面积": np.round(heads * rng.uniform(6, 18, count)),
        "用地面积": np.where(making & ~rents, np.round(heads * rng.uniform(0.2, 0.8, count), 1), 0.0),
        "自有仓储面积": np.where(
            np.isin(kind, ("仓储", "运输")), np.round(np.exp(rng.normal(8.4, 0.9, count))), 0.0
        ),
        "安全生产标准化等级": grade,
        "排污许可证有效期至": _where(
            permit, _plus_years(_day(rng, 2021 + rng.integers(0, 5, count), 3, 250), 5)
        ),
        "绿色工厂级别": green,
        "智能制造能力成熟度": np.where(
            making & (heads > 50), rng.integers(1, 4, count).astype(float), np.nan
        ),
        "总部企业认定日期": _where(
            (heads > 200) & (rng.random(count) < 0.04), _day(rng, 2021 + rng.integers(0, 5, count), 6, 100)
        ),
    }


def statistical_register(rng: np.random.Generator, industry: np.ndarray, levels: Facts) -> Facts:
    """统计名录: size class of the last full year, lawful reporting, first year above the line."""
    above = np.nan_to_num(levels["四上企业"])
    ever = above.any(axis=0)
    year = np.argmax(above > 0, axis=0) + 2022
    known_before = above[0] > 0
    return {
        "企业规模": size_class(
            industry.astype(str), levels["从业人数"][LAST], levels["营业收入"][LAST], levels["资产总额"][LAST]
        ),
        "依法纳统": rng.random(len(industry)) < np.where(ever, 0.985, 0.9),
        "首次升规日期": np.where(
            ever,
            np.where(
                known_before,
                _day(rng, 2014 + rng.integers(0, 8, len(industry)), 3, 5),
                _day(rng, year + 1, 3, 5),
            ),
            NAT,
        ),
    }


def self_reported(rng: np.random.Generator, levels: Facts, age: np.ndarray) -> Facts:
    """企业填报与零星登记: what firms say of themselves, and small registers."""
    spend = np.nan_to_num(levels["研发费用"][LAST])
    count = len(spend)
    does = spend > 0
    level = np.array(["1A", "2A", "3A", "4A", "5A"], dtype=object)[
        rng.choice(5, count, p=(0.1, 0.2, 0.5, 0.15, 0.05))
    ]
    level[rng.random(count) > 0.02] = None
    first_set = does & (spend > 3e6) & (rng.random(count) < 0.04)
    hatchery = np.full(count, None, dtype=object)
    hatchery[rng.random(count) < 0.004] = "市级"
    return {
        "从事细分市场年限": np.where(does, np.floor(np.minimum(age, rng.uniform(1, 18, count))), np.nan),
        "细分市场占有率": np.where(does, np.round(rng.beta(1.3, 12, count), 3), np.nan),
        "自评综合得分": np.where(does, np.round(np.clip(rng.normal(64, 12, count), 20, 98)), np.nan),
        "高新收入占比自报": np.where(
            does, np.round(np.clip(rng.normal(0.72, 0.14, count), 0.05, 1), 3), np.nan
        ),
        "安全生产承诺": rng.random(count) < 0.97,
        "物流企业等级": level,
        "首台套认定日期": _where(first_set, _day(rng, 2023 + rng.integers(0, 3, count), 9, 60)),
        "孵化器级别": hatchery,
        "直管公房承租": rng.random(count) < 0.03,
        "船舶管理业务": np.nan_to_num(levels["自管船舶数"][LAST]) > 0,
        "数字化转型诊断日期": _where(
            rng.random(count) < 0.06, _day(rng, 2024 + rng.integers(0, 2, count), 3, 200)
        ),
    }


def yearly_marks(rng: np.random.Generator, kind: np.ndarray, levels: Facts) -> Facts:
    """年度零星事实: standards led, land-use grade, complaints, payments received before."""
    revenue = levels["营业收入"]
    shape = revenue.shape
    grade = np.array(["A", "B", "C", "D"], dtype=object)[rng.choice(4, shape, p=(0.15, 0.5, 0.28, 0.07))]
    grade[np.isnan(revenue) | ~np.isin(kind, MAKING)] = None
    excluded = np.isin(kind, ("批发", "零售", "住宿餐饮", "房地产", "租赁")).astype(float)
    paid = np.where(rng.random(shape) < 0.08, np.round(np.exp(rng.normal(11.8, 1.0, shape)), -3), 0.0)
    found = {
        "国家标准主导数": (rng.random(shape) < 0.004).astype(float),
        "劳动用工投诉次数": rng.poisson(0.05, shape).astype(float),
        "已兑现金额": paid,
        "研发费用负面行业": np.broadcast_to(excluded, shape).copy(),
        "本区银行贷款": (levels["贷款发生额"] > 0).astype(float) * (rng.random(shape) < 0.7),
    }
    found = {name: np.where(np.isnan(revenue), np.nan, value) for name, value in found.items()}
    found["亩均评价等级"] = grade
    return found
