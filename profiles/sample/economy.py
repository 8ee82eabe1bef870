"""样例经营数据: staff, revenue, costs, assets, R&D and trade of invented firms, correlated and yearly.

Each firm has three latent traits: size, quality and discipline. Quality lifts growth, R&D and
patents; discipline lifts tax grade and lowers offences; size and quality pull discipline along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

YEARS = (2022, 2023, 2024, 2025, 2026)


@dataclass(frozen=True)
class Kind:
    """经营类型: medians of one kind of business; money in 万元 per head and year."""

    staff: float  # median headcount
    spread: float  # sigma of log headcount
    output: float  # revenue per head
    margin: float  # profit over revenue
    assets: float  # assets over revenue
    growth: float  # a year
    rd: float  # R&D over revenue, of firms that do any
    doing_rd: float  # share of firms with R&D
    trading: float  # share of firms with foreign trade
    export: float  # exports over revenue, of those
    energy: float  # kWh for each yuan of revenue


KINDS = {
    "农业": Kind(14, 1.0, 45, 0.05, 1.6, 0.02, 0.020, 0.10, 0.08, 0.20, 0.020),
    "食品": Kind(40, 1.2, 95, 0.05, 1.0, 0.04, 0.015, 0.30, 0.25, 0.25, 0.030),
    "制造": Kind(35, 1.2, 85, 0.05, 1.1, 0.03, 0.025, 0.40, 0.25, 0.25, 0.060),
    "化工": Kind(45, 1.2, 150, 0.06, 1.2, 0.03, 0.028, 0.50, 0.35, 0.25, 0.090),
    "新材料": Kind(50, 1.1, 110, 0.08, 1.5, 0.08, 0.045, 0.75, 0.35, 0.25, 0.080),
    "装备": Kind(48, 1.2, 95, 0.07, 1.3, 0.06, 0.042, 0.65, 0.35, 0.28, 0.030),
    "电气": Kind(50, 1.2, 100, 0.06, 1.2, 0.06, 0.040, 0.62, 0.30, 0.25, 0.030),
    "汽车": Kind(90, 1.3, 110, 0.05, 1.1, 0.05, 0.035, 0.55, 0.35, 0.22, 0.030),
    "航空航天": Kind(70, 1.2, 130, 0.08, 1.9, 0.10, 0.060, 0.75, 0.35, 0.25, 0.025),
    "电子信息": Kind(55, 1.3, 110, 0.08, 1.4, 0.11, 0.065, 0.80, 0.45, 0.35, 0.025),
    "仪器仪表": Kind(35, 1.0, 85, 0.09, 1.2, 0.09, 0.070, 0.82, 0.30, 0.22, 0.015),
    "生物医药": Kind(48, 1.2, 95, 0.10, 2.2, 0.10, 0.085, 0.82, 0.35, 0.22, 0.020),
    "新能源": Kind(45, 1.3, 150, 0.07, 2.0, 0.12, 0.045, 0.65, 0.25, 0.25, 0.040),
    "节能环保": Kind(30, 1.1, 75, 0.07, 1.6, 0.06, 0.042, 0.55, 0.10, 0.15, 0.030),
    "能源": Kind(60, 1.2, 160, 0.08, 2.5, 0.02, 0.020, 0.35, 0.10, 0.10, 0.120),
    "建筑": Kind(30, 1.2, 90, 0.03, 1.2, 0.00, 0.018, 0.18, 0.03, 0.10, 0.008),
    "批发": Kind(7, 1.0, 520, 0.015, 0.5, 0.02, 0.010, 0.05, 0.45, 0.35, 0.001),
    "零售": Kind(10, 1.1, 180, 0.02, 0.5, 0.02, 0.012, 0.06, 0.20, 0.15, 0.006),
    "运输": Kind(28, 1.2, 90, 0.04, 1.1, 0.02, 0.012, 0.08, 0.15, 0.20, 0.010),
    "货代": Kind(12, 1.0, 160, 0.03, 0.5, 0.03, 0.010, 0.06, 0.30, 0.20, 0.002),
    "仓储": Kind(18, 1.0, 110, 0.05, 1.9, 0.02, 0.012, 0.08, 0.15, 0.10, 0.015),
    "住宿餐饮": Kind(22, 1.0, 25, 0.02, 0.9, 0.00, 0.005, 0.02, 0.01, 0.05, 0.030),
    "信息传输": Kind(40, 1.3, 110, 0.08, 1.6, 0.05, 0.040, 0.45, 0.08, 0.10, 0.020),
    "软件": Kind(22, 1.2, 55, 0.09, 1.1, 0.12, 0.110, 0.75, 0.12, 0.18, 0.006),
    "租赁": Kind(6, 0.9, 900, 0.12, 6.0, 0.04, 0.005, 0.02, 0.10, 0.10, 0.001),
    "金融": Kind(7, 0.9, 260, 0.25, 5.0, 0.03, 0.005, 0.02, 0.01, 0.05, 0.001),
    "房地产": Kind(20, 1.1, 420, 0.06, 4.5, -0.06, 0.002, 0.01, 0.01, 0.02, 0.003),
    "物业": Kind(32, 1.2, 22, 0.04, 1.2, 0.02, 0.004, 0.02, 0.00, 0.02, 0.020),
    "商务": Kind(10, 1.2, 60, 0.05, 1.1, 0.03, 0.015, 0.06, 0.06, 0.12, 0.003),
    "科研": Kind(15, 1.1, 50, 0.08, 1.2, 0.09, 0.120, 0.62, 0.10, 0.15, 0.008),
    "居民服务": Kind(10, 0.9, 25, 0.03, 0.7, 0.01, 0.004, 0.02, 0.01, 0.05, 0.010),
    "教育": Kind(12, 0.9, 28, 0.04, 0.8, 0.02, 0.010, 0.06, 0.01, 0.05, 0.008),
    "文化": Kind(10, 1.0, 40, 0.05, 1.0, 0.05, 0.020, 0.12, 0.05, 0.12, 0.005),
}
# The turn of the economy in each year, shared by all firms.
TURN = {2022: -0.02, 2023: 0.04, 2024: 0.02, 2025: 0.03, 2026: 0.03}


def traits(rng: np.random.Generator, kind: np.ndarray) -> dict[str, np.ndarray]:
    """隐性特征: size (log staff), quality and discipline, the latter two standard normal."""
    count = len(kind)
    medians = np.array([KINDS[k].staff for k in kind])
    spread = np.array([KINDS[k].spread for k in kind])
    quality = rng.standard_normal(count)
    scale = rng.standard_normal(count)
    # The medians above are those of firms one hears of; a register is full of small ones.
    size = np.log(medians) - 0.55 + spread * (0.92 * scale + 0.25 * quality)
    discipline = 0.25 * scale + 0.35 * quality + 0.9 * rng.standard_normal(count)
    return {"size": size, "quality": quality, "discipline": discipline}


def per_firm(kind: np.ndarray, name: str) -> np.ndarray:
    """One figure of KINDS for each firm."""
    table = {k: getattr(v, name) for k, v in KINDS.items()}
    return np.array([table[k] for k in kind])


def growth_paths(
    rng: np.random.Generator, kind: np.ndarray, quality: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """增长路径: log growth of revenue into each of YEARS; shape (years, firms); persistent from year to year."""
    base = per_firm(kind, "growth") + 0.05 * quality + 0.10 * np.exp(-age / 4)
    shocks = rng.normal(0, 0.16, size=(len(YEARS), len(kind)))
    path = np.empty_like(shocks)
    carried = np.zeros(len(kind))
    for row, year in enumerate(YEARS):
        carried = 0.35 * carried + shocks[row]
        path[row] = base + TURN[year] + carried
    # A few firms collapse, a few leap: the tails that real registers show.
    jump = rng.random(path.shape)
    path[jump < 0.02] -= 0.9
    path[jump > 0.985] += 0.6
    return path


def levels(
    rng: np.random.Generator, kind: np.ndarray, trait: dict[str, np.ndarray], founded: np.ndarray
) -> dict[str, np.ndarray]:
    """经营水平: yearly arrays (years, firms), NaN before founding; `founded` is the year with its fraction."""
    age = np.maximum(0.0, 2022 - founded)
    growth = growth_paths(rng, kind, trait["quality"], age)
    heads = np.exp(trait["size"] + 0.45 * (np.cumsum(growth, axis=0) - growth.sum(axis=0)))
    heads = np.maximum(1, np.round(heads))
    output = per_firm(kind, "output") * np.exp(rng.normal(-0.25, 0.55, len(kind)) + 0.10 * trait["quality"])
    revenue = np.exp(np.log(heads[-1] * output * 1e4) + np.cumsum(growth, axis=0) - growth.sum(axis=0))
    running = _share_of_year(founded)
    revenue = _fen(revenue * np.where(running >= 1, 1.0, running * 0.6))
    heads = np.where(running < 1, np.maximum(1, np.round(heads * (0.5 + 0.4 * running))), heads)
    found = {"从业人数": heads, "营业收入": revenue, "_growth": growth}
    found.update(_profits(rng, kind, trait, revenue, growth))
    found.update(_research(rng, kind, trait, revenue, heads))
    found.update(_trade(rng, kind, trait, revenue))
    found["用电量"] = np.round(revenue * per_firm(kind, "energy") * np.exp(rng.normal(0, 0.4, revenue.shape)))
    before = running <= 0
    return {name: np.where(before, np.nan, value) for name, value in found.items()}


def _share_of_year(founded: np.ndarray) -> np.ndarray:
    return np.stack([np.clip(year + 1 - founded, 0, 1) for year in YEARS])


def _fen(value: np.ndarray) -> np.ndarray:
    return np.round(value, 2)


def _profits(rng, kind, trait, revenue, growth) -> dict[str, np.ndarray]:
    shape = revenue.shape
    margin = per_firm(kind, "margin") + 0.03 * trait["quality"] + 0.10 * growth + rng.normal(0, 0.05, shape)
    profit = _fen(revenue * np.clip(margin, -0.6, 0.5))
    turnover = per_firm(kind, "assets") * np.exp(rng.normal(0, 0.5, shape[1]))
    assets = _fen(
        np.maximum(revenue * 0.2, revenue.mean(axis=0) * turnover) * np.exp(rng.normal(0, 0.05, shape))
    )
    share = np.clip(
        rng.beta(3.2, 2.8, shape[1]) - 0.05 * trait["quality"] + rng.normal(0, 0.03, shape), 0.02, 1.3
    )
    vat = _fen(np.maximum(0, revenue * np.clip(rng.normal(0.022, 0.008, shape), 0.002, 0.08)))
    taxable = _fen(np.maximum(0, profit * rng.uniform(0.92, 1.05, shape)))
    income_tax = _fen(taxable * np.where(taxable <= 3e6, 0.05, 0.25))
    tax = _fen((vat + income_tax) * 1.12)
    debts = _fen(assets * share)
    fixed = rng.random(shape) < np.clip(0.06 + 0.05 * (trait["size"] - 3), 0.01, 0.5)
    invest = np.where(fixed, np.round(assets * rng.uniform(0.02, 0.3, shape), 2), 0.0)
    return {
        "利润总额": profit,
        "资产总额": assets,
        "净利润": _fen(profit - income_tax),
        "资产总额季度平均": _fen(assets * rng.uniform(0.93, 1.02, shape)),
        "负债总额": debts,
        "净资产": _fen(assets - debts),
        "资产负债率": np.round(debts / assets, 4),
        "固定资产原值": _fen(assets * np.clip(rng.beta(2, 4, shape[1]), 0.01, 0.9)),
        "应纳税所得额": taxable,
        "增值税额": vat,
        "企业所得税额": income_tax,
        "已减免税额": _fen(np.maximum(0, taxable * 0.25 - income_tax)),
        "纳税总额": tax,
        "营业成本": _fen(
            revenue * np.clip(0.92 - np.clip(margin, -0.3, 0.5) - rng.uniform(0.02, 0.12, shape), 0.1, 0.97)
        ),
        "成本费用总额": _fen(revenue - profit),
        "主营业务收入": _fen(revenue * np.clip(rng.beta(20, 1.2, shape), 0.3, 1)),
        "销售收入": _fen(revenue * rng.uniform(0.96, 1.0, shape)),
        "地方贡献": _fen(tax * 0.42),
        "固定资产投资": invest,
        "设备投资": _fen(invest * rng.uniform(0.3, 0.9, shape)),
    }


def _research(rng, kind, trait, revenue, heads) -> dict[str, np.ndarray]:
    shape = revenue.shape
    inclined = 1 / (1 + np.exp(-(trait["quality"] * 0.9 + 0.35 * (trait["size"] - 3))))
    does = rng.random(shape[1]) < np.clip(per_firm(kind, "doing_rd") * (0.35 + 1.3 * inclined), 0, 0.98)
    rate = per_firm(kind, "rd") * np.exp(0.35 * trait["quality"] + rng.normal(0, 0.45, shape[1]))
    rate = np.clip(rate * np.exp(rng.normal(0, 0.18, shape)), 0, 0.9)
    spend = np.where(does, _fen(revenue * rate), 0.0)
    share = np.clip(
        0.05 + 2.2 * rate.mean(axis=0) + 0.03 * trait["quality"] + rng.normal(0, 0.04, shape[1]), 0.02, 0.85
    )
    return {
        "研发费用": spend,
        "研发人员数": np.where(does, np.minimum(heads, np.maximum(1, np.round(heads * share))), 0.0),
        "境内研发费用": _fen(spend * np.clip(rng.normal(1.02, 0.05, shape), 0.4, 1)),
        "研发费用加计扣除额": spend,
        "高新技术产品收入": _fen(
            np.where(does, revenue * np.clip(rng.normal(0.72, 0.14, shape), 0.05, 1), 0.0)
        ),
    }


def _trade(rng, kind, trait, revenue) -> dict[str, np.ndarray]:
    shape = revenue.shape
    trades = rng.random(shape[1]) < np.clip(
        per_firm(kind, "trading") * (0.8 + 0.12 * (trait["size"] - 2.5)), 0, 0.95
    )
    share = np.clip(per_firm(kind, "export") * np.exp(rng.normal(0, 0.7, shape[1])), 0, 0.95)
    exports = revenue * np.clip(share * np.exp(rng.normal(0, 0.25, shape)), 0, 0.97)
    exports = np.where(trades & (rng.random(shape[1]) < 0.75), _fen(exports), 0.0)
    imports = np.where(
        trades & (rng.random(shape[1]) < 0.6), _fen(revenue * share * rng.uniform(0.2, 1.2, shape)), 0.0
    )
    return {"出口额": exports, "进口额": imports, "进出口总额": _fen(exports + imports)}
