"""第二总体: invented firms from the shapes of official statistics; shares neither code nor parameters with profiles/sample.

Only the kinds of shape are those of official statistics (many small firms, heavy-tailed revenue and staff, more research in
manufacturing and information services); every number here is chosen by hand and fitted to no published table. A firm's
research shows in no single column: it depends on staff, margin and sector together.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.columns import Builder, Columns
from engine.indicators import Dictionary
from engine.literal import parse_number

# code, share of firms, revenue per head (万元), weight of research
SECTORS = (
    ("C3919", 0.06, 95, 1.2), ("C3562", 0.05, 88, 1.3), ("C2770", 0.04, 80, 1.1), ("C1431", 0.05, 70, 0.3),
    ("E4810", 0.08, 60, 0.2), ("F5199", 0.30, 150, 0.1), ("I6510", 0.08, 55, 1.4), ("L7221", 0.12, 45, 0.2),
    ("M7320", 0.09, 50, 1.5), ("G5430", 0.08, 75, 0.1), ("K7010", 0.05, 110, 0.05),
)  # fmt: skip
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


def _firm(rng: np.random.Generator, sector: tuple[str, float, int, float]) -> dict[str, object]:
    code, _, per_head, research = sector
    founded = date.fromordinal(date(2025, 6, 1).toordinal() - int(rng.gamma(1.6, 2300)) - 30)
    staff = 3 + rng.pareto(1.05) * 9
    staff = float(min(staff, 4000))
    margin = rng.normal(0.07, 0.09) + 0.03 * research
    zeal = 1 / (
        1 + np.exp(-(1.6 * research + 18 * margin * (0.4 + research) - 2.2 + 0.5 * np.log(staff / 8)))
    )
    does_research = bool(rng.random() < zeal)
    trend = rng.normal(0.06, 0.13) + (0.05 if does_research else 0)
    out: dict[str, object] = {
        "登记地区划": rng.choice(["120118", "120116", "120110"], p=[0.75, 0.2, 0.05]).item(),
        "登记状态": "存续" if rng.random() < 0.95 else "歇业",
        "成立日期": founded.isoformat(), "行业代码": code, "行业门类": code[0], "注册资本": float(round(staff * rng.lognormal(11, 0.8))),
        "依法纳统": bool(rng.random() < 0.97), "居民企业": True, "征收方式": "查账征收" if rng.random() < 0.93 else "核定征收",
        "从事限制禁止行业": code.startswith("K"),
    }  # fmt: skip
    out |= _years(rng, founded.year, staff, per_head, margin, trend, does_research, research)
    bright = does_research and rng.random() < 0.55
    if does_research:
        out["一类知识产权数"] = float(rng.poisson(0.5 + 2.5 * research * bright))
        out["二类知识产权数"] = float(rng.poisson(2 + 7 * research))
    else:
        out["一类知识产权数"], out["二类知识产权数"] = 0.0, float(rng.poisson(0.4))
    if bright and founded.year < 2024:
        out["高新技术企业有效期至"] = f"{rng.integers(2025, 2029)}-11-{rng.integers(10, 28)}"
    return out


def _years(rng, born, staff, per_head, margin, trend, research_done, research):
    names = ("营业收入", "销售收入", "主营业务收入", "研发费用", "从业人数", "参保人数", "资产总额", "资产负债率", "利润总额",
             "应纳税所得额", "从业人数季度平均", "资产总额季度平均", "四上企业", "裁员率", "科技人员数", "纳税总额",
             "出口额", "纳税信用等级", "企业规模", "新招用高校毕业生数", "高新技术产品收入", "境内研发费用")  # fmt: skip
    out: dict[str, dict[str, object]] = {name: {} for name in names}
    per = per_head * 1e4 * rng.lognormal(0, 0.5)
    debt, exports = rng.beta(3, 3), rng.random() < 0.12
    for year in YEARS:
        if year < born:
            continue
        grown = (1 + trend) ** (year - 2022) * rng.lognormal(0, 0.07)
        heads = round(staff * (1 + trend) ** (0.6 * (year - 2022))) + 1
        revenue = round(heads * per * grown / (1 + trend) ** (0.6 * (year - 2022)), 2)
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
