"""The random rules make every form of the norm: one that they never made was where its faults were found."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from jobs.rules import open_library
from tests.oracle.forms import LIMITS, forms_of
from tests.oracle.generate import sample
from tests.oracle.rare import rare_sample

OPS = (">=", "<=", ">", "<", "=", "!=")
KINDS = ("金额", "比例", "数量", "日期", "文本", "代码", "是否", "列表")
TREES = ("when", "all", "any", "not", "ask")
SHAPES = ("amount", "range", "upto", "bands", "words")
SUMS = [f"{kind} {op} {kind}" for kind in ("金额", "比例", "数量") for op in "+-"]
PRODUCTS = [
    "金额 / 金额",
    "金额 * 比例",
    "比例 * 金额",
    "金额 / 比例",
    "金额 * 数量",
    "数量 * 金额",
    "金额 / 数量",
]
PRODUCTS += ["数量 * 数量", "数量 * 比例", "数量 / 比例", "数量 / 数量", "比例 * 比例", "比例 / 比例"]
PRODUCTS += [
    "金额 * 数",
    "数 * 金额",
    "金额 / 数",
    "数量 * 数",
    "数 * 数量",
    "数量 / 数",
    "比例 * 数",
    "比例 / 数",
]
SPANS = ["日期 + 时长", "日期 - 时长", "日期 - 日期", "时长 + 时长", "时长 - 时长"]


def norm() -> set[str]:
    """The forms of sections 2, 3 and 5, in the words of `forms_of`."""
    out = {
        *SUMS,
        *PRODUCTS,
        *SPANS,
        "数 + 比例",
        "比例 + 数",
        "数 - 比例",
        "数 / 比例",
        "no benefit",
        "literal Y",
    } - {"literal Y"}
    out |= {f"{kind} {op} {kind}" for kind, op in product(("金额", "比例", "数量", "日期", "时长"), OPS)}
    out |= {f"{kind} {op} {kind}" for kind, op in product(("文本", "代码", "是否"), ("=", "!="))}
    out |= {f"比例 {op} 数" for op in OPS} | {f"数量 {op} 数" for op in OPS}
    out |= {f"{kind} in {what}" for kind, what in product(("文本", "代码"), ("a set", "a list"))}
    out |= {"文本 含", "列表 含", "增长率", "取整", "年度", "周岁"}
    aggregates = ("合计", "平均", "最大", "最小")
    out |= {
        f"{name} {how}"
        for name, how in product(aggregates, ("of years", "of rates of years", "of 2", "of 3"))
    }
    out |= {f"fact {kind}{year}" for kind, year in product(KINDS, ("", " of a year"))}
    out |= {f"years {kind}{one}" for kind, one in product(("金额", "比例", "数量"), ("", " of one year"))}
    out |= {
        f"literal {what}"
        for what in ("金额 美元", "年月", "天", "申报开始", "申报截止", "日期", "文本", "是否", "数")
    }
    out |= {
        f"{tree} in {above}" for tree, above in product(TREES, ("numbered", "general", "all", "any", "not"))
    }
    out |= {f"{where} {shape}" for where, shape in product(("base", "case", "exception"), SHAPES)}
    out |= {"base cases", "exception cases", "exception of a form", "exception of limits"}
    out |= {
        f"{where} {key}{n}" for where, key, n in product(("base", "exception"), LIMITS, ("", " of several"))
    }
    out |= {"case cap", "case cap of several", "case floor"}
    out |= {f"{who} when {tree}" for who, tree in product(("case", "exception", "add"), TREES)}
    out |= {"case when always", "add when always"}
    out |= {f"add of {what}{cap}" for what, cap in product(("a rate", "an amount"), ("", " beyond the cap"))}
    bands = ("全额", "超额")
    out |= {f"{how} by {kind}" for how, kind in product(bands, ("金额", "数量", "比例"))}
    out |= {f"{how} {what}" for how, what in product(bands, ("from", "from nothing", "of itself"))} | {
        "全额 of another"
    }
    ends = ("upto", "below", "open")
    return out | {f"{how} {what} {end}" for how, what, end in product(bands, ("rate", "amount"), ends)}


def test_every_form_of_the_norm_is_made(tmp_path: Path) -> None:
    lacking = norm()
    for seed in range(150):
        for name, made in (("common", sample), ("rare", rare_sample)):
            library = open_library(made(seed, tmp_path / name / str(seed), 1).library)
            for program in library.programs:
                lacking.difference_update(forms_of(program))
        if not lacking:
            break
    assert not lacking
