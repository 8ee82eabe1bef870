"""The forms that `generate` never makes: rarely used spellings, shapes, facts and days of the rule language, seeded too.

A library of its own kind, so that the seeds of `generate` go on meaning what they meant when a fault was found by one.
"""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

from tests.oracle.generate import (
    ALL,
    BATCHES,
    CODES,
    COUNTS,
    INDICATORS,
    MONEY,
    OPS,
    TEXTS,
    Sample,
    Writer,
    dump,
    firm_code,
    random_answers,
    random_value,
)

OWN: dict[str, dict[str, str]] = {
    "利润": {"kind": "金额", "yearly": "是"},
    "净资产": {"kind": "金额"},
    "补贴率": {"kind": "比例", "absent_means": "0"},
    "税率": {"kind": "比例", "yearly": "是", "absent_means": "0"},
    "增速": {"kind": "比例", "yearly": "是"},
    "事故": {"kind": "数量", "unit": "次", "absent_means": "0"},
    "排放": {"kind": "数量", "unit": "吨", "yearly": "是"},
    "注册资本": {"kind": "数量", "unit": "件"},  # replaces the built-in one, an amount
    "许可年": {"kind": "代码", "yearly": "是", "absent_means": "无"},
    "备案码": {"kind": "代码"},
    "级别·甲_2": {"kind": "文本"},
    "标签": {"kind": "列表", "absent_means": "无"},
    "榜单": {"kind": "列表", "yearly": "是"},
    "违规": {"kind": "是否", "yearly": "是", "absent_means": "否"},
    "检定日": {"kind": "日期", "yearly": "是"},
}  # fmt: skip
EVERY = ALL | OWN
DAYS = ["2025-02-28", "2025-03-01", "2025-04-30", "2025-05-01", "2025-04-01", "2024-02-28", "2024-02-29"]
DAYS += ["2024-06-01", "2026-02-27", "2026-02-28", "2026-03-31", "2026-04-01", "2024-05-31"]
AGGREGATES = ("合计", "平均", "最大", "最小")
SPANS = ("Y-1..Y-1", "Y..Y", "Y-5..Y-3", "Y-6..Y", "Y-2..Y", "Y-3..Y-1")
NEAR = [0, 0, 3e-10, -3e-10, 4e-9, -4e-9]  # beside a ratio, of its size: equal but for the last two
FEN = [
    0.01,
    -0.01,
    0.04,
    -0.04,
    0.5,
]  # beside an amount: of 100 million yuan a few fen are within the tolerance


class RareWriter(Writer):
    """Half of what is written is of the common kind; the other half says it as nobody does."""

    indicators = EVERY

    def year(self) -> str:
        return self.one("Y", "Y", "Y-1", "Y-2", "Y-3", "Y-5", "Y-7")

    def span(self) -> str:
        return self.one(*SPANS) if self.chance(0.5) else super().span()

    def money(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(0.6):
            return super().money(depth)
        name, less = self.named("金额", True), depth - 1
        return self.one(
            lambda: f"{self.one(*AGGREGATES)}({self.money(less)}, {self.money(0)}, {self.money(0)})",
            lambda: (
                f"{self.one(*AGGREGATES)}({self.one(*AGGREGATES)}({name}[{self.span()}]), {self.money(0)})"
            ),
            lambda: f"0元 - {self.fact('金额')}",
            lambda: (
                f"({self.money(less)}) / {self.one('占比[Y]', '税率[Y]', '(1 - 负债率)', '取整(积分 / 2)')}"
            ),
            lambda: f"{self.money(0)} - ({self.money(0)} + {self.money(0)})",
            lambda: f"{self.one('积分', '(Y - 2020)', '取整(净资产 / 100万元)')} * {self.money(0)}",
            lambda: f"{self.money(0)} * {self.one('50%', '2')} / {self.one('3', '4%')}",
            lambda: f"{self.money(0)} * 增长率({name}[{self.year()}])",
            lambda: f"{self.money(0)} * ({self.money(0)} / {self.fact('金额')})",
        )()

    def ratio(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(0.5):
            return super().ratio(depth)
        return f"({self.rare_ratio(depth - 1)})"

    def rare_ratio(self, less: int) -> str:
        name = self.one("甲额", "利润", "人数", "排放")
        return self.one(
            lambda: f"1 / {self.one('50%', '占比[Y]', '负债率')}",
            lambda: f"{self.fact('比例')} {self.one('*', '/', '+', '-')} {self.fact('比例')}",
            lambda: f"1 {self.one('-', '+')} {self.fact('比例')}",
            lambda: f"{self.fact('比例')} * {self.one('2', '1.5')}",
            lambda: (
                f"合计({name}[{self.span()}]) / {self.one('甲额[Y]', '净资产')}"
                if name in ("甲额", "利润")
                else f"合计({name}[{self.span()}]) / {self.one('设备', '积分', '专利[Y]')}"
            ),
            lambda: (
                f"{self.one(*AGGREGATES)}({self.fact('比例')}, {self.one('0.5', '20%')}, {self.fact('比例')})"
            ),
            lambda: f"{self.one(*AGGREGATES)}({self.one('占比', '税率', '增速')}[{self.span()}])",
            lambda: f"{self.one(*AGGREGATES)}(增长率({name}[{self.span()}]))",
            lambda: f"增长率({name}[{self.year()}]) - 增长率({name}[Y-1])",
        )()

    def count(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(0.5):
            return super().count(depth)
        return self.one(
            lambda: f"取整({self.one('占比[Y]', '负债率', '增速[Y]')} {self.one('* 10', '/ 5%', '/ 2')})",
            lambda: (
                f"{self.one('最大', '最小', '合计', '平均')}(积分, {self.one('3', 'Y', '取整(积分 / 2)')})"
            ),
            lambda: f"(年度({self.day()}) - 年度({self.fact('日期')}))",
            lambda: f"年度({self.day()})",
            lambda: f"{self.one(*AGGREGATES)}(年度({self.fact('日期')}), 年度({self.fact('日期')}))",
            lambda: "积分 * 积分",
            lambda: f"2 * {self.one('积分', '(Y - 2023)')}",
        )()

    def counted(self) -> tuple[str, str]:
        if self.chance(0.5):
            return super().counted()
        bound = f"{self.rng.choice(COUNTS)}"
        return self.one(
            ("事故", f"{bound}次"), ("事故", "0次"), ("注册资本", f"{bound}件"), ("注册资本 + 专利[Y]", bound),
            (f"排放[{self.year()}]", "10.5吨"), (f"排放[{self.year()}] - 排放[Y-1]", "0吨"),
            (f"{self.one(*AGGREGATES)}(排放[{self.span()}])", f"{bound}吨"),
            (f"人数[Y] * {self.one('50%', '2')}", f"{bound}人"), (f"人数[Y] / {self.one('50%', '2')}", bound),
            (f"{self.one('最大', '合计')}(人数[Y], 人数[Y-1], 5人)", f"{bound}人"),
            (f"周岁({self.fact('日期')} {self.one('+', '-')} 18年)", self.one("18岁", "0岁", "3")),
        )  # fmt: skip

    def day(self, depth: int = 1) -> str:
        if depth == 0 or self.chance(0.6):
            return super().day(depth)
        return self.one(
            lambda: (
                f"{self.day(0)} {self.one('+', '-')} {self.one('36个月', '11个月', '5年', '100年', '1天', '0天')}"
            ),
            lambda: (
                f"{self.day(0)} - {self.one('1年', '1个月')} {self.one('+', '-')} {self.one('1个月', '30天')}"
            ),
            lambda: f"{self.day(0)} + ({self.day(0)} - {self.fact('日期')})",
        )()

    def other_leaf(self) -> str:
        return self.rare_leaf() if self.chance(0.6) else super().other_leaf()

    def rare_leaf(self) -> str:
        op, same = self.one(*OPS), self.one("=", "!=")
        left, literal = self.counted()
        member = self.rng.sample(['"C39*"', '"C3563"', '"44*"', '"*"', '"A级"', '"软件*"', '"120116"'], 3)
        listed = f"[{', '.join(member)}]"
        return self.one(
            lambda: f"{self.one(*MONEY)} {op} {self.fact('金额')}",
            lambda: f"{literal} {op} {left}",
            lambda: f'"{self.one(*TEXTS)}" {same} {self.fact("文本")}',
            lambda: f"{self.one('是', '否')} {same} {self.fact('是否')}",
            lambda: f"{self.fact('是否')} {same} {self.fact('是否')}",
            lambda: f"{self.fact('文本')} {same} {self.fact('文本')}",
            lambda: f"{self.fact('代码')} {same} {self.fact('代码')}",
            lambda: f'"{self.one(*CODES)}" {same} {self.fact("代码")}',
            lambda: f"{self.day(0)} - {self.day(0)} {op} {self.fact('日期')} - {self.day(0)}",
            lambda: (
                f"({self.day(0)} - {self.fact('日期')}) {self.one('+', '-')} 30天 {op} {self.one('60天', '0天')}"
            ),
            lambda: (
                f"{self.fact('代码')} in {self.one('本市', listed.split(',')[0].rstrip(']') + ']', '空集', listed)}"
            ),
            lambda: f"{self.fact('文本')} in {self.one('名词', listed)}",
            lambda: f'{self.fact("列表")} 含 "{self.one("高企", "小巨人", "高")}"',
            lambda: f"{self.fact('比例')} {op} {self.one('0%', '0', '0.1', '100%')}",
            lambda: f"{self.ratio()} {op} {self.ratio(1)}",
            lambda: f"{self.count()} {op} {self.count(1)}",
            lambda: f"{self.fact('金额')} {op} {self.fact('金额')}",
        )()

    def bands(self) -> dict[str, Any]:
        """Rates and amounts mixed, amounts of what exceeds a bound, bands by ratios, bounds that are worked out."""
        if self.chance(0.5):
            return super().bands()
        marginal = self.chance(0.4)
        by, bounds = self.one(
            (self.fact("金额"), ["0元", "50万元 * 2", "100万美元", "合计(500万元, 500万元)"]),
            (self.one("占比[Y]", "增速[Y]", "负债率", "增长率(甲额[Y])"), ["0", "5%", "0.1", "50%"]),
            (self.one("排放[Y]", "平均(排放[Y-2..Y])"), ["0吨", "1", "10吨", "10吨 / 50%"]),
        )
        rated = by in self.indicators or by.split("[")[0] in self.indicators
        rated = rated and self.indicators[by.split("[")[0]]["kind"] == "金额"
        bands: dict[str, Any] = {"by": by, "kind": "超额" if marginal else "全额"}
        if not marginal and (not rated or self.chance(0.3)):
            bands["of"], rated = self.money(1), True
        if self.chance(0.4):
            bands["from"] = bounds.pop(0)
        bounds = bounds[: self.rng.randint(1, len(bounds))]
        steps = [{self.one("upto", "below"): bound, **self.mixed(rated)} for bound in bounds]
        return bands | {"steps": [*steps, self.mixed(rated)] if self.chance(0.7) else steps}

    def mixed(self, rated: bool) -> dict[str, str]:
        if rated and self.chance(0.5):
            return {"rate": self.one("0.5%", "10%", "0.015", "税率[Y]", "负债率")}
        return {"amount": self.one(*MONEY, self.fact("金额"))}

    def bounds(self, project: bool) -> dict[str, Any]:
        out = super().bounds(project)
        for key in ("cap", "cap_per_enterprise"):
            if key in out and isinstance(out[key], str) and self.chance(0.3):
                out[key] = [out[key], self.bound(), self.one(*MONEY)]
        return out

    def cases(self) -> list[dict[str, Any]]:
        cases = super().cases()
        for case in cases:
            if "cap" in case and self.chance(0.5):
                case["cap"] = [case["cap"], self.one(*MONEY)]
            if self.chance(0.2):
                case.update(self.bounds(project=True))
                case.pop("cap_per_enterprise", None)
        return cases

    def conditions(self) -> dict[str, Any]:
        """Sometimes one condition alone, or a root that is no `all`."""
        if self.chance(0.3):
            node = {self.one("any", "all"): [self.node(1), self.node(1)]} if self.chance(0.7) else self.node()
            if "all" not in node:
                return {"id": self.fresh("c"), **node, "cite": "第一条", "quote": "全文"}
        return super().conditions()


def rare_item(writer: RareWriter, item: str, general: list[str]) -> dict[str, Any]:
    subject = writer.one("企业", "企业", "项目", "产品", "人才")
    statuses = ["有效"] * 12 + ["暂停", "额满", "失效", "草稿"]
    raw: dict[str, Any] = {
        "item": item, "title": item, "department": "科技局", "subject": subject, "status": writer.one(*statuses),
        "category": writer.one("奖补", "减免", "权益", "资质", "培育", "提醒"),
        "batches": dict(writer.rng.sample(sorted(BATCHES.items()), writer.rng.randint(1, 3))),
        "conditions": writer.conditions(),
    }  # fmt: skip
    if raw["status"] == "有效" and writer.chance(0.5):
        del raw["status"]
    if general and writer.chance(0.5):
        raw["without"] = writer.rng.sample(general, writer.rng.randint(1, len(general)))
    if writer.chance(0.85):
        raw["benefit"] = writer.benefit(project=subject != "企业")
    return raw


def rare_library(root: Path, rng: random.Random) -> list[tuple[str, str]]:
    dump(root / "indicators.yaml", INDICATORS | OWN)
    sets = {"先导": ["C39*", "C3563"], "本区": ["440305", "4403*"], "本市": ["44*"], "空集": []}
    for name, members in (sets | {"名词": ["A级", "软件*", "甲、乙"]}).items():
        dump(root / f"sets/{name}.yaml", members)
    asks = []
    for d in range(rng.randint(1, 2)):
        folder, writer = root / f"d{d}", RareWriter(rng)
        general = [writer.numbered("g") for _ in range(rng.choice([0, 1, 2, 3]))]
        document: dict[str, Any] = {"title": f"文件{d}", "issued": "2023-01-01", "effective": "2023-01-01"}
        if len(general) == 1 and "all" not in general[0] and rng.random() < 0.5:
            document["general"] = {"conditions": general[0]}  # the root itself is the condition
        elif general:
            document["general"] = {"conditions": {"all": general}}
        dump(folder / "document.yaml", document)
        (folder / "text.md").write_text("# 文件\n\n## 第一条\n\n全文。\n", encoding="utf-8")
        shared = list(writer.asks)
        for slug in ("a", "b-2", "c_3", "研发")[: rng.randint(1, 4)]:
            item, writer.asks = f"d{d}/{slug}", []
            dump(folder / f"items/{slug}.yaml", rare_item(writer, item, [node["id"] for node in general]))
            asks += [(item, ask) for ask in shared + writer.asks]
    return asks


def rare_value(rng: random.Random, name: str) -> Any:
    """A value: losses, fractions, what lies within the tolerance of a bound and just beyond it, 是 and 否 in words."""
    kind = EVERY[name]["kind"]
    value = random_value(rng, kind)
    if kind == "金额" and name in ("利润", "净资产", "资本") and rng.random() < 0.3:
        return -value
    if kind == "金额" and rng.random() < 0.2:
        value = round(value + rng.choice(FEN), 2)
    if kind == "比例" and rng.random() < 0.2:
        value = value * (1 + rng.choice(NEAR))
    if kind == "比例" and name in ("增速", "税率") and rng.random() < 0.3:
        return -value
    if kind == "数量" and EVERY[name].get("unit") == "吨" and rng.random() < 0.5:
        return round(value * 1.05, 3)
    if kind == "是否" and rng.random() < 0.3:
        return "是" if value else "否"
    return value


def rare_facts(rng: random.Random, gap: float, names: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in names:
        if rng.random() < gap:
            if rng.random() < 0.3:
                facts[name] = None if EVERY[name].get("yearly") != "是" or rng.random() < 0.5 else {}
        elif EVERY[name].get("yearly") == "是":
            years = {str(y): rare_value(rng, name) for y in range(2014, 2027) if rng.random() > gap / 2}
            if EVERY[name]["kind"] in ("金额", "数量") and "2023" in years and rng.random() < 0.4:
                years["2024"] = round(
                    years["2023"] * rng.choice([1.1, 1.05, 1, 1.1]) + rng.choice([0, 0, *FEN]), 2
                )
            if years and rng.random() < 0.2:
                years[rng.choice(sorted(years))] = None
            facts[name] = years
        else:
            facts[name] = rare_value(rng, name)
    return facts


def rare_firm(rng: random.Random, number: int) -> dict[str, Any]:
    firm = {"统一社会信用代码": firm_code(number)} | rare_facts(
        rng, rng.choice([0, 0.1, 0.3, 0.8]), list(EVERY)
    )
    for subject in ("项目", "产品", "人才"):
        shape = rng.random()
        if shape < 0.75:
            rows = []
            for i in range(rng.randint(1, 4)):
                names = rng.sample(list(EVERY), rng.randint(0, 12))
                name = {} if rng.random() < 0.1 else {"项目编号": f"P{0 if rng.random() < 0.1 else i}"}
                rows.append(name | rare_facts(rng, 0.2, names))
            firm[subject] = rows
        elif shape < 0.85:
            firm[subject] = []
        elif shape < 0.9:
            firm[subject] = None
    return firm


def rare_sample(seed: int, root: Path, firms: int = 60) -> Sample:
    """The rare library, firms, answers and day of one seed."""
    rng = random.Random(f"rare {seed}")
    asks = rare_library(root, rng)
    register = [rare_firm(rng, seed % 10**4 * 1000 + i) for i in range(firms)]
    numbered = [
        {k: [r for r in v if "项目编号" in r] if isinstance(v, list) and k in ("项目", "产品", "人才") else v for k, v in f.items()}
        for f in register
    ]  # fmt: skip
    answers = random_answers(rng, numbered, asks, root)
    unique = {
        tuple(line.get(k) for k in ("统一社会信用代码", "item", "batch", "id", "row")): line
        for line in answers
    }
    sets = {"本区": ["120116", "12*"]} if rng.random() < 0.5 else {}
    return Sample(root, register, list(unique.values()), date.fromisoformat(rng.choice(DAYS)), sets)
