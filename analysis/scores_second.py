"""第二总体: invented firms in the shapes of official statistics; shares neither code nor parameters with profiles/sample.

Where a shape is published, its figure is here with the publication; what is not published is marked so.

- Sectors: 第四次全国经济普查公报(第二号、第三号), 2018: of legal units 批发和零售业 29.8 %, 制造业 15.0 %, 租赁和商务服务业 11.7 %; of
  industrial firms 通用设备 9.7 %, 金属制品 9.5 %, 非金属矿物制品 7.6 %. The shares of the others are from memory of its table 2-1.
- Size: the same census, of firms with a size class 微型 85.3 %, 小型 13.2 %, 中型 1.3 %: a Lomax law with the tail of R. L.
  Axtell (2001), "Zipf distribution of U.S. firm sizes", exponent 1.06, and the scale that leaves 15 % above 20 people.
- Age: 国家工商总局 (2013), 全国内资企业生存时间分析报告: 49.4 % of firms are not yet five years old.
- Growth: Laplace, its spread falling with size to the power -0.2: M. H. R. Stanley et al. (1996), "Scaling behaviour in the
  growth of companies"; G. Bottazzi and A. Secchi (2003). The spread for one person, 0.35, is chosen.
- Margins: 规模以上工业企业利润 (国家统计局, 2023): 5.8 % of revenue, one firm in four or five at a loss; liabilities 57 % of
  assets. Margins of other sectors are chosen.
- Research: 中国科技统计年鉴: some 37 % of industrial firms above the threshold do research; intensity by industry in the order
  of 全国科技经费投入统计公报 (instruments, special equipment, medicine high; food, building materials low). The weights are chosen.

A firm's research shows in no single column: it depends on staff, margin and sector together.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.columns import Builder, Columns
from engine.indicators import Dictionary
from engine.literal import parse_number

# code, share of firms, revenue per head (万元), mean margin, weight of research, share that exports
SECTORS = (
    ("F5199", 0.298, 150, 0.02, 0.1, 0.05), ("L7221", 0.117, 45, 0.06, 0.2, 0.01), ("E4810", 0.056, 60, 0.03, 0.2, 0.01),
    ("M7320", 0.059, 50, 0.08, 1.5, 0.03), ("I6510", 0.042, 60, 0.10, 1.4, 0.03), ("K7010", 0.034, 110, 0.06, 0.05, 0.0),
    ("G5430", 0.026, 75, 0.03, 0.1, 0.01), ("H6210", 0.020, 20, 0.04, 0.02, 0.0), ("O8111", 0.022, 20, 0.05, 0.05, 0.0),
    ("C3484", 0.030, 85, 0.058, 0.9, 0.2), ("C3311", 0.029, 80, 0.045, 0.5, 0.2), ("C3021", 0.024, 90, 0.05, 0.3, 0.05),
    ("C3562", 0.018, 90, 0.08, 1.4, 0.25), ("C2770", 0.014, 90, 0.10, 1.3, 0.2), ("C3919", 0.016, 100, 0.05, 1.3, 0.3),
    ("C1431", 0.019, 80, 0.05, 0.3, 0.1),
)  # fmt: skip
TAIL, SCALE = 1.06, 3.9  # Lomax: 15 % above 20 people, 1 % above 300
AGE_MEDIAN_DAYS = 5.06 * 365.25  # 49.4 % younger than five years
LOSS_WIDTH = 1.36  # of a Laplace margin whose mean leaves 24 % below zero
GROWTH_WIDTH, GROWTH_FALLS = 0.35, 0.2
YEARS = (2022, 2023, 2024, 2025)


def second_population(n: int, seed: int, dictionary: Dictionary) -> Columns:
    """第二总体: n firms, all facts known, figures of 2022 to 2025."""
    rng = np.random.default_rng([seed, 20260615])
    sector = rng.choice(len(SECTORS), n, p=np.array([s[1] for s in SECTORS]) / sum(s[1] for s in SECTORS))
    records = [_firm(rng, SECTORS[k]) for k in sector]
    codes = [f"第二总体{i:08d}" for i in range(n)]
    faults: list[str] = []
    columns = Builder(dictionary, lambda r, c, m: faults.append(m), parse_number).build(codes, records)
    if faults:
        raise ValueError(f"第二总体：{faults[0]}")
    return columns


def _firm(rng: np.random.Generator, sector: tuple[str, float, int, float, float, float]) -> dict[str, object]:
    code, _, per_head, profits, research, abroad = sector
    founded = date.fromordinal(
        date(2025, 6, 1).toordinal() - int(rng.exponential(AGE_MEDIAN_DAYS / np.log(2))) - 30
    )
    staff = float(min(1 + SCALE * rng.pareto(TAIL), 4000))
    margin = float(np.clip(rng.laplace(profits, LOSS_WIDTH * max(profits, 0.03)), -0.6, 0.5))
    zeal = -2.4 + 1.5 * research + 14 * margin * (0.4 + research) + 0.6 * np.log(staff / 8)
    does_research = bool(rng.random() < 1 / (1 + np.exp(-zeal)))
    out: dict[str, object] = {
        "登记地区划": rng.choice(["120118", "120116", "120110"], p=[0.75, 0.2, 0.05]).item(),
        "登记状态": "存续" if rng.random() < 0.95 else "歇业",
        "成立日期": founded.isoformat(), "行业代码": code, "行业门类": code[0], "注册资本": float(round(staff * rng.lognormal(11, 0.8))),
        "依法纳统": bool(rng.random() < 0.97), "居民企业": True, "征收方式": "查账征收" if rng.random() < 0.93 else "核定征收",
        "从事限制禁止行业": code.startswith("K"),
    }  # fmt: skip
    out |= _years(rng, founded.year, staff, per_head, margin, does_research, research, abroad)
    bright = does_research and rng.random() < 0.55
    if does_research:
        out["一类知识产权数"] = float(rng.poisson(0.5 + 2.5 * research * bright))
        out["二类知识产权数"] = float(rng.poisson(2 + 7 * research))
    else:
        out["一类知识产权数"], out["二类知识产权数"] = 0.0, float(rng.poisson(0.4))
    if bright and founded.year < 2024:
        out["高新技术企业有效期至"] = f"{rng.integers(2025, 2029)}-11-{rng.integers(10, 28)}"
    return out


def _years(rng, born, staff, per_head, margin, research_done, research, abroad):
    names = ("营业收入", "销售收入", "主营业务收入", "研发费用", "从业人数", "参保人数", "资产总额", "资产负债率", "利润总额",
             "应纳税所得额", "从业人数季度平均", "资产总额季度平均", "四上企业", "裁员率", "科技人员数", "纳税总额",
             "出口额", "纳税信用等级", "企业规模", "新招用高校毕业生数", "高新技术产品收入", "境内研发费用")  # fmt: skip
    out: dict[str, dict[str, object]] = {name: {} for name in names}
    per = per_head * 1e4 * rng.lognormal(0, 0.5)
    debt, exports = rng.beta(4, 3), rng.random() < abroad
    trend = 0.03 + 0.05 * research_done
    size = staff  # carries growth from year to year
    for year in YEARS:
        if year < born:
            continue
        moved = float(
            np.clip(rng.laplace(trend, GROWTH_WIDTH * staff**-GROWTH_FALLS / np.sqrt(2)), -1.2, 1.2)
        )
        size *= np.exp(0.6 * moved)
        heads = max(1, round(size))
        revenue = round(heads * per * np.exp(0.4 * moved), 2)
        rd = round(revenue * (0.02 + 0.05 * research * rng.beta(2, 3)), 2) if research_done else 0.0
        assets, profit = round(revenue * rng.lognormal(0.1, 0.4), 2), round(revenue * margin, 2)
        hired = float(rng.poisson(heads * 0.03))
        values: tuple[object, ...] = (
            revenue, revenue, round(revenue * rng.beta(20, 2), 2), rd, float(heads), float(round(heads * rng.beta(14, 2))),
            assets, round(float(np.clip(debt + rng.normal(0, 0.05), 0.02, 1.2)), 4), profit, max(profit, 0.0),
            float(heads), assets, bool(revenue > 2e7 and rng.random() < 0.92), round(float(rng.beta(1, 30)), 4),
            float(round(heads * (rng.beta(3, 8) if research_done else 0.02))), round(revenue * 0.035, 2),
            round(revenue * rng.beta(2, 5), 2) if exports else 0.0, "A" if margin > 0.1 else "B" if margin > 0 else "M",
            "大型" if heads > 1000 and revenue > 4e8 else "中型" if heads > 300 and revenue > 2e7 else "小型" if heads > 20 else "微型",
            hired, round(revenue * rng.beta(6, 3), 2) if research_done else 0.0, rd,
        )  # fmt: skip
        for name, value in zip(names, values, strict=True):
            out[name][str(year)] = value
    sizes = out.pop("企业规模")
    last = max(sizes, default="")
    return out | ({"企业规模": sizes[last]} if last else {})
