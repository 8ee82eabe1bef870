"""样例事实: the complete truth about every invented firm, before any department forgets some of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd

from profiles.sample import detail, economy, lists, other, registry, standing

YEARS = economy.YEARS
CODE = "统一社会信用代码"
# The day the departments' files were drawn; rules on the sample are meant to be asked about that summer.
DATA_DAY = datetime.date(2026, 6, 15)


@dataclass(frozen=True)
class Sample:
    """样例: `truth` has one row a firm and one column an indicator (`名称@年` where yearly); lists hold rows by firm.

    Amounts in yuan, ratios as fractions, dates as datetime64, flags as nullable booleans; a missing value is
    a fact that does not exist (no certificate, a year before founding).
    """

    truth: pd.DataFrame
    lists: dict[str, pd.DataFrame]
    seed: int
    data_day: datetime.date


def generate(firms: int, seed: int, data_day: datetime.date = DATA_DAY) -> Sample:
    """生成样例: `firms` invented enterprises, the same for the same arguments."""
    if firms < 1:
        raise ValueError("企业数应当至少为 1")
    rng = np.random.default_rng([seed, firms])
    today = np.datetime64(data_day, "D")
    table = registry.industries()
    industry = rng.choice(len(table.code), size=firms, p=table.weight)
    kind = table.kind[industry]
    trait = economy.traits(rng, kind)
    single = registry.registration(rng, firms, today, kind, industry, trait["size"])
    founded = single["成立日期"]
    first_day = founded.astype("datetime64[Y]").astype("datetime64[D]")
    when = founded.astype("datetime64[Y]").astype(int) + 1970 + (founded - first_day).astype(int) / 366
    yearly = economy.levels(rng, kind, trait, when)
    yearly.update(detail.all_details(rng, kind, trait, single["外商投资企业"], yearly))
    _mix_standing(rng, single, yearly, kind, trait, today)
    _stop_the_gone(single, yearly)
    truth = _frame(single, yearly)
    return Sample(truth, lists.all_lists(rng, truth, kind, today), seed, data_day)


def _mix_standing(rng, single, yearly, kind, trait, today) -> None:
    founded = single["成立日期"]
    age = (today - founded).astype(int) / 365.25
    rights = standing.property_rights(rng, kind, yearly, age)
    yearly["知识产权质押融资额"] = rights.pop("知识产权质押融资额")
    single.update(rights)
    certificate = standing.high_tech(rng, kind, founded, yearly, rights["有效发明专利数"])
    apt = certificate.pop("_apt")
    single.update(certificate)
    holder = certificate["高新技术企业有效期至"] >= today
    entered = standing.tech_sme(rng, yearly, holder)
    yearly["科技型中小企业"] = entered.pop("科技型中小企业")
    single.update(entered)
    single.update(standing.ladder(rng, kind, yearly, rights["有效发明专利数"], age, holder))
    marks = standing.credit(rng, trait["discipline"], single["登记状态"], yearly, today)
    for name in ("纳税信用等级", "行政处罚次数", "重大事故次数", "环境违法"):
        yearly[name] = marks.pop(name)
    single.update(marks)
    single.update(other.customs(rng, founded, yearly, trait["discipline"], today))
    single.update(other.tax_and_insurance(rng, single["法人资格"], yearly))
    single.update(other.innovation(rng, yearly, founded, apt))
    single.update(other.capital_market(rng, yearly, kind))
    single.update(other.premises(rng, kind, yearly, founded))
    single.update(other.statistical_register(rng, single["行业代码"], yearly))
    single.update(other.self_reported(rng, yearly, age))
    yearly.update(other.yearly_marks(rng, kind, yearly))


def _stop_the_gone(single: dict[str, np.ndarray], yearly: dict[str, np.ndarray]) -> None:
    """A firm struck off has no figures in the years after."""
    gone = single["注销日期"].astype("datetime64[Y]").astype("float64") + 1970
    gone[np.isnat(single["注销日期"])] = np.inf
    for name, value in yearly.items():
        for row, year in enumerate(YEARS):
            value[row, gone < year] = None if value.dtype == object else np.nan
        yearly[name] = value


FLAGS_YEARLY = ("科技型中小企业", "四上企业", "环境违法", "研发费用负面行业", "本区银行贷款")


def _frame(single: dict[str, np.ndarray], yearly: dict[str, np.ndarray]) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name, value in single.items():
        columns[name] = _column(value)
    for name in sorted(n for n in yearly if not n.startswith("_")):
        for row, year in enumerate(YEARS):
            value = yearly[name][row]
            columns[f"{name}@{year}"] = _flag(value) if name in FLAGS_YEARLY else _column(value)
    return pd.DataFrame(columns)


def _column(value: np.ndarray) -> object:
    if value.dtype.kind == "U":
        return value.astype(object)
    return pd.Series(value, dtype="boolean") if value.dtype == bool else value


def _flag(value: np.ndarray) -> pd.Series:
    flags = pd.Series(value == 1, dtype="boolean")
    flags[np.isnan(value)] = pd.NA
    return flags
