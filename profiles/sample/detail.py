"""样例细项: yearly figures that follow from the economy of a firm: people, statistics, trade, finance."""

from __future__ import annotations

import numpy as np

from profiles.sample.economy import KINDS, YEARS

Yearly = dict[str, np.ndarray]
MAKING = tuple(
    [
        "食品",
        "制造",
        "化工",
        "新材料",
        "装备",
        "电气",
        "汽车",
        "航空航天",
        "电子信息",
        "仪器仪表",
        "生物医药",
        "新能源",
        "节能环保",
        "能源",
    ]
)


def _among(kind: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return np.isin(kind, names)


def _some(rng: np.random.Generator, chance: np.ndarray | float, value: np.ndarray) -> np.ndarray:
    """`value` where chance has it, else 0, a fresh draw each year."""
    return np.where(rng.random(value.shape) < chance, value, 0.0)


def people(rng: np.random.Generator, levels: Yearly, quality: np.ndarray) -> Yearly:
    """社保就业: insured staff, hires and their groups, training; counts."""
    heads = levels["从业人数"]
    insured = np.round(
        heads * np.clip(rng.beta(14, 1.6, heads.shape[1]) + rng.normal(0, 0.02, heads.shape), 0.3, 1)
    )
    before = np.vstack([heads[:1] * 0.97, heads[:-1]])
    before = np.where(np.isnan(before), 0, before)
    leaving = np.round(before * np.clip(rng.normal(0.12, 0.06, heads.shape), 0, 0.5))
    hired = np.maximum(0, heads - before + leaving)
    hired = np.where(np.isnan(heads), np.nan, hired)
    shrunk = np.maximum(0, before - heads)
    graduates = rng.binomial(np.nan_to_num(hired).astype(int), np.clip(0.18 + 0.04 * quality, 0.02, 0.6))
    focus = rng.binomial(np.nan_to_num(hired).astype(int), 0.08)
    wages = insured * np.exp(rng.normal(np.log(95_000), 0.25, heads.shape[1]) + 0.08 * quality)
    trainees = _some(rng, 0.06, np.maximum(1, np.round(heads * 0.03)))
    trained = _some(rng, 0.12, np.round(heads * rng.uniform(0.05, 0.5, heads.shape)))
    return {
        "参保人数": insured,
        "月均参保人数": np.round(insured * rng.uniform(0.95, 1.0, heads.shape), 1),
        "从业人数季度平均": np.round(heads * rng.uniform(0.97, 1.04, heads.shape)),
        "失业保险费": np.round(wages * 0.01, 2),
        "社会保险费": np.round(wages * 0.245, 2),
        "裁员率": np.round(np.where(before > 0, np.clip(shrunk / np.maximum(before, 1), 0, 1), 0.0), 4),
        "新招用人数": hired,
        "新招用高校毕业生数": graduates.astype(float),
        "新招用重点群体人数": focus.astype(float),
        "新增岗位数": np.maximum(0.0, heads - before),
        "残疾人就业人数": _some(rng, 0.08, np.maximum(1, np.round(heads * 0.015))),
        "见习人员数": trainees,
        "见习期满留用率": np.round(np.where(trainees > 0, rng.beta(4, 3, heads.shape), 0.0), 4),
        "职工培训人数": trained,
        "技能等级证书人数": np.round(trained * rng.uniform(0.1, 0.8, heads.shape)),
    }


def science(rng: np.random.Generator, kind: np.ndarray, levels: Yearly) -> Yearly:
    """科技统计: science staff, technology contracts, patents of the year."""
    spend, heads = levels["研发费用"], levels["从业人数"]
    serving = _among(kind, ("软件", "科研", "生物医药", "电子信息"))
    contracts = np.round(levels["营业收入"] * rng.uniform(0.05, 0.5, spend.shape), 2)
    granted = rng.poisson(np.nan_to_num(spend) / 2.6e6 * np.exp(rng.normal(-0.3, 0.5, spend.shape[1])))
    abroad = rng.binomial(granted, 0.07)
    return {
        "科技人员数": np.minimum(heads, np.round(levels["研发人员数"] * rng.uniform(1.0, 1.3, spend.shape))),
        "委托境外研发费用": np.round(spend - levels["境内研发费用"], 2),
        "基础研究投入": _some(rng, 0.05, np.round(spend * 0.04, 2)),
        "技术合同成交额": _some(rng, np.where(serving, 0.30, 0.04) * (spend > 0), contracts),
        "技术吸纳合同额": _some(rng, 0.05 * (spend > 0), np.round(spend * 0.3, 2)),
        "发明专利授权数": granted.astype(float),
        "国际专利申请数": abroad.astype(float),
        "国家科技项目立项数": _some(rng, 0.02 * (spend > 5e6), np.ones(spend.shape)),
    }


def statistics(rng: np.random.Generator, kind: np.ndarray, levels: Yearly) -> Yearly:
    """统计: whether above the reporting threshold (四上), output and investment by kind of business."""
    revenue, heads = levels["营业收入"], levels["从业人数"]
    making, trade = _among(kind, MAKING), _among(kind, ("批发", "零售"))
    line = np.full(len(kind), 1e7)  # 服务业: a common line for the sample
    line[making] = 2e7
    line[kind == "批发"] = 2e7
    line[kind == "零售"] = 5e6
    line[kind == "住宿餐饮"] = 2e6
    above = (revenue >= line) & (heads >= np.where(making | trade, 1, 10))
    output = np.where(making & above, np.round(revenue * rng.uniform(0.95, 1.08, revenue.shape), 2), 0.0)
    service = ~making & ~trade & ~_among(kind, ("建筑", "农业", "房地产"))
    coal = np.round(revenue * np.array([KINDS[k].energy for k in kind]) * 1.5e-4, 1)
    sold = np.where(trade, np.round(revenue * 1.08, 2), 0.0)
    online = _some(
        rng, np.where(kind == "零售", 0.5, 0.04), np.round(sold * rng.uniform(0.1, 0.9, revenue.shape), 2)
    )
    renewal = _some(
        rng, 0.35 * making, np.round(levels["固定资产投资"] * rng.uniform(0.4, 1, revenue.shape), 2)
    )
    return {
        "四上企业": np.where(np.isnan(revenue), np.nan, above.astype(float)),
        "工业总产值": output,
        "工业增加值": np.round(output * rng.uniform(0.18, 0.32, revenue.shape), 2),
        "技术改造投资": renewal,
        "商品销售额": sold,
        "网络零售额": online,
        "服务业营业收入": np.where(service, revenue, 0.0),
        "建筑业总产值": np.where(kind == "建筑", np.round(revenue * 1.05, 2), 0.0),
        "综合能源消费量": coal,
        "单位产值能耗下降率": np.round(rng.normal(0.025, 0.03, revenue.shape), 4),
        "亩均税收": np.round(levels["纳税总额"] / np.maximum(1, np.exp(rng.normal(1.6, 0.8, len(kind)))), 2),
        "用水量": np.round(heads * rng.uniform(20, 90, revenue.shape)),
        "场地租金": _some(rng, 0.6, np.round(heads * rng.uniform(4000, 15000, len(kind)), 2)),
    }


def commerce(rng: np.random.Generator, kind: np.ndarray, foreign: np.ndarray, levels: Yearly) -> Yearly:
    """外经外贸: preferential imports (RCEP), export insurance, cross-border trade, foreign capital; yuan."""
    exports, imports = levels["出口额"], levels["进口额"]
    shape = exports.shape
    entitled = imports * rng.beta(2, 6, shape)
    used = entitled * rng.beta(3, 2, shape)
    insured = _some(rng, 0.25, np.round(exports * rng.uniform(0.2, 0.9, shape), 2))
    return {
        "享惠进口额": np.round(used, 2),
        "可享惠未享惠进口额": np.round(entitled - used, 2),
        "跨境电商进出口额": _some(
            rng, np.where(kind == "零售", 0.4, 0.03), np.round((exports + imports) * 0.5, 2)
        ),
        "出口信用保险投保额": insured,
        "出口信用保险保费": np.round(insured * 0.0035, 2),
        "境外展会数": _some(rng, 0.15 * (exports > 0), rng.integers(1, 5, shape).astype(float)),
        "服务贸易额": _some(
            rng, np.where(kind == "软件", 0.12, 0.01), np.round(levels["营业收入"] * 0.15, 2)
        ),
        "实际利用外资": _some(rng, 0.12 * foreign, np.round(levels["资产总额"] * 0.08, 2)),
        "境外投资额": _some(rng, 0.01, np.round(levels["资产总额"] * 0.04, 2)),
    }


def finance(rng: np.random.Generator, kind: np.ndarray, quality: np.ndarray, levels: Yearly) -> Yearly:
    """金融: loans, interest, guarantee fees, leasing and equity raised; yuan."""
    shape = levels["营业收入"].shape
    borrows = rng.random(shape[1]) < 0.38
    loan = np.round(_some(rng, 0.75 * borrows, levels["负债总额"] * rng.uniform(0.1, 0.6, shape)), -4)
    rate = np.clip(rng.normal(0.038, 0.006, shape[1]), 0.025, 0.065)
    equity = np.round(np.exp(rng.normal(16.2, 0.9, shape)), -4)
    return {
        "贷款发生额": loan,
        "贷款利息": np.round(loan * rate * rng.uniform(0.5, 1, shape), 2),
        "融资担保费": _some(rng, 0.12 * borrows, np.round(loan * 0.008, 2)),
        "融资租赁利息": _some(rng, 0.05, np.round(levels["资产总额"] * 0.004, 2)),
        "融资租赁业务投放额": np.where(
            kind == "租赁", np.round(levels["资产总额"] * rng.uniform(0.1, 0.5, shape), 2), 0.0
        ),
        "股权融资额": _some(
            rng, np.clip(0.02 + 0.03 * quality, 0.002, 0.2) * (levels["研发费用"] > 5e5), equity
        ),
        "投资本区企业额": np.where(kind == "金融", _some(rng, 0.4, equity * 2), 0.0),
        "贷款逾期次数": _some(rng, 0.02 * borrows, np.ones(shape)),
    }


def shipping(rng: np.random.Generator, kind: np.ndarray, levels: Yearly) -> Yearly:
    """航运: ships managed, seafarers abroad, boxes on international lines."""
    heads = levels["从业人数"]
    at_sea = _among(kind, ("运输",)) & (rng.random(len(kind)) < 0.25)
    return {
        "自管船舶数": np.where(at_sea, np.round(heads * rng.uniform(0.05, 0.3, heads.shape)), 0.0),
        "外派海员人次": np.where(at_sea, np.round(heads * rng.uniform(0.5, 4, heads.shape)), 0.0),
        "国际航线箱量": np.where(
            at_sea | (kind == "货代"), np.round(heads * rng.uniform(5, 120, heads.shape)), 0.0
        ),
    }


def all_details(
    rng: np.random.Generator, kind: np.ndarray, trait: Yearly, foreign: np.ndarray, levels: Yearly
) -> Yearly:
    """全部细项: every yearly figure of this module, NaN before founding; arrays (years, firms)."""
    found = people(rng, levels, trait["quality"])
    found.update(science(rng, kind, levels))
    found.update(statistics(rng, kind, levels))
    found.update(commerce(rng, kind, foreign, levels))
    found.update(finance(rng, kind, trait["quality"], levels))
    found.update(shipping(rng, kind, levels))
    before = np.isnan(levels["营业收入"])
    assert len(YEARS) == before.shape[0]
    return {name: np.where(before, np.nan, value) for name, value in found.items()}
