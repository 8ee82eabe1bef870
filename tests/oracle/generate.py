"""Random libraries, firms and answers, seeded: every construct of the rule language, values at and beside bounds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
INDICATORS: dict[str, dict[str, str]] = {
    "甲额": {"kind": "金额", "yearly": "是"},
    "乙额": {"kind": "金额", "yearly": "是", "absent_means": "0"},
    "资本": {"kind": "金额"},
    "罚款": {"kind": "金额", "absent_means": "0"},
    "人数": {"kind": "数量", "yearly": "是", "unit": "人"},
    "专利": {"kind": "数量", "yearly": "是", "unit": "件", "absent_means": "0"},
    "设备": {"kind": "数量", "unit": "台"},
    "积分": {"kind": "数量"},
    "占比": {"kind": "比例", "yearly": "是"},
    "负债率": {"kind": "比例"},
    "证书至": {"kind": "日期", "absent_means": "无"},
    "入库日": {"kind": "日期"},
    "年检日": {"kind": "日期", "yearly": "是", "absent_means": "无"},
    "入库": {"kind": "是否", "yearly": "是"},
    "失信": {"kind": "是否", "absent_means": "否"},
    "上市": {"kind": "是否"},
    "区划": {"kind": "代码"},
    "许可码": {"kind": "代码", "absent_means": "无"},
    "范围": {"kind": "文本"},
    "等级": {"kind": "文本", "yearly": "是", "absent_means": "无"},
    "资质": {"kind": "列表"},
    "名录": {"kind": "列表", "yearly": "是", "absent_means": "无"},
    "投资额": {"kind": "金额"},
    "开工日": {"kind": "日期"},
    "分年额": {"kind": "金额", "yearly": "是"},
}  # fmt: skip
BUILT_IN = {"成立日期": {"kind": "日期"}, "行业代码": {"kind": "代码"}}
ALL = INDICATORS | BUILT_IN
MONEY = ["0元", "0.5元", "100元", "50万元", "80万元", "88万元", "100万元", "500万元", "800万元", "880万元"]
MONEY += ["1000万元", "1.1亿元", "2亿元", "100万美元"]
YUAN = [
    0,
    100,
    0.5,
    500000,
    800000,
    880000,
    1000000,
    5000000,
    8000000,
    8800000,
    10**7,
    110000000,
    2 * 10**8,
    7100000,
]
BESIDE = [0, 0, 0, 1, -1, 0.5]  # yuan beside a bound
RATIOS = ["0%", "5%", "10%", "1.5%", "0.5%", "110%", "50%", "3‰", "1", "0.1"]
FRACTIONS = [0, 0.05, 0.1, 0.015, 0.005, 1.1, 0.5, 0.003, 1, 0.10001, 0.09999, 0.3]
COUNTS = [0, 1, 5, 10, 11, 20, 100, 9.5]
CODES = ["C3563", "C3963", "C39", "K7010", "440305", "4403", "120116", "C1610"]
TEXTS = ["研发", "软件研发", "存续", "A级", "甲、乙", "B级"]
DATES = ["2024-02-29", "2023-02-28", "2020-02-29", "2025-03-01", "2024-03-01", "2024-03-31", "2022-12-31"]
DATES += ["2023-01-01", "2025-04-30", "2025-05-31", "2000-02-29", "2026-02-28"]
OPS = [">=", "<=", ">", "<", "=", "!="]
IME = [(">=", "≥"), ("<=", "≤"), ("(", "（"), (")", "）"), (", ", "，"), ("%", "％")]
SUBJECTS = ["企业", "企业", "企业", "项目", "产品", "人才"]


class Writer:
    """Random expressions, conditions and benefits, of the kinds asked for."""

    indicators = ALL

    def __init__(self, rng: random.Random, sane: bool = False) -> None:
        """`sane`: caps and floors are never below zero, and ranges as they are written."""
        self.rng, self.ids, self.sane = rng, 0, sane
        self.asks: list[str] = []

    def one(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def named(self, kind: str, yearly: bool, unit: str | None = None) -> str:
        fits = [
            name for name, i in self.indicators.items()
            if i["kind"] == kind and (i.get("yearly") == "是") == yearly and unit in (None, i.get("unit"))
        ]  # fmt: skip
        return self.rng.choice(fits)

    def year(self) -> str:
        return self.one("Y", "Y", "Y-1", "Y-2", "Y-3")

    def span(self) -> str:
        first = self.rng.randint(1, 3)
        last = self.rng.randint(0, first - 1)
        return f"Y-{first}..{'Y' if last == 0 else f'Y-{last}'}"

    def fact(self, kind: str) -> str:
        """One indicator of a kind, with its year where it has one."""
        name = self.rng.choice([name for name, i in self.indicators.items() if i["kind"] == kind])
        return f"{name}[{self.year()}]" if self.indicators[name].get("yearly") == "是" else name

    def money(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(0.3):
            return self.one(self.fact("金额"), self.fact("金额"), self.one(*MONEY))
        name, less = self.named("金额", True), depth - 1
        return self.one(
            lambda: f"{self.one('合计', '平均', '最大', '最小')}({name}[{self.span()}])",
            lambda: f"{self.one('合计', '平均', '最大', '最小')}({self.money(less)}, {self.money(less)})",
            lambda: f"{self.money(less)} {self.one('+', '-')} {self.money(less)}",
            lambda: f"({self.money(less)} - {self.money(less)}) * {self.ratio(0)}",
            lambda: f"({self.money(less)}) * {self.ratio(less)}",
            lambda: f"{self.ratio(0)} * {self.money(0)}",
            lambda: f"{self.money(0)} * {self.count(less)}",
            lambda: f"({self.money(less)}) / {self.one('2', '50%', '人数[Y]', '设备', '3')}",
            lambda: f"{name}[Y] - {name}[Y-1] * {self.one('110%', '1.1', '(1 + 10%)')}",
            lambda: f"{name}[Y] * 0.5% - {name}[Y-1] * {self.one('0.5%', '1.5%')}",
        )()

    def ratio(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(0.3):
            return self.one(self.fact("比例"), self.one(*RATIOS), self.one(*RATIOS))
        name, less = self.one("甲额", "乙额", "人数", "专利", "分年额"), depth - 1
        return self.one(
            lambda: f"增长率({name}[{self.year()}])",
            lambda: f"{self.one('最小', '最大', '平均', '合计')}(增长率({name}[{self.span()}]))",
            lambda: f"{self.one('最小', '平均')}(占比[{self.span()}])",
            lambda: f"(1 + 增长率({name}[Y]))",
            lambda: f"({self.money(0)} / {self.fact('金额')})",
            lambda: f"(({self.money(0)} - {self.money(0)}) / {self.fact('金额')})",
            lambda: f"({self.fact('数量')} / {self.fact('数量')})",
            lambda: f"最小({self.ratio(less)}, {self.one('20%', '0.5', '1')})",
            lambda: f"({self.fact('比例')} + {self.one('0.05', '5%', '1')})",
            lambda: f"({self.fact('比例')} / {self.one('50%', '2')})",
        )()

    def count(self, depth: int = 2) -> str:
        """A count without unit, or with a unit that nothing here contradicts."""
        if depth == 0 or self.chance(0.3):
            return self.one("积分", "Y", self.one("1", "2", "5", "10"), "3")
        return self.one(
            lambda: f"取整(({self.money(depth - 1)}) / {self.one('100万元', '1万元', '3元', '资本')})",
            lambda: f"取整({self.one('人数[Y]', '设备', '积分')} / {self.one('3', '10', '2.5')})",
            lambda: f"年度({self.fact('日期')})",
            lambda: f"(Y - 年度({self.fact('日期')}))",
            lambda: f"积分 * {self.one('2', '50%', '积分', '1.5')}",
            lambda: f"积分 / {self.one('2', '50%')}",
            lambda: f"(积分 {self.one('+', '-')} {self.count(0)})",
        )()

    def counted(self) -> tuple[str, str]:
        """A count with its unit, and a literal of that unit to hold it against."""
        name, unit = self.one(("人数", "人"), ("专利", "件"))
        literal = f"{self.rng.choice(COUNTS)}{self.one(unit, unit, '')}"
        shape = self.one(
            "{0}[{1}]", "合计({0}[{2}])", "平均({0}[{2}])", "最大({0}[{2}])", "{0}[{1}] - {0}[Y-1]"
        )
        side = shape.format(name, self.year(), self.span())
        return self.one(
            (side, literal), ("设备", f"{self.rng.choice(COUNTS)}台"), (f"周岁({self.day()})", "3岁")
        )

    def day(self, depth: int = 1) -> str:
        if depth == 0 or self.chance(0.5):
            return self.one(self.fact("日期"), self.fact("日期"), "申报开始", "申报截止", self.one(*DATES))
        amount = self.one("1年", "2年", "4年", "1个月", "13个月", "30天", "365天")
        return f"{self.day(depth - 1)} {self.one('+', '-')} {amount}"

    def comparison(self) -> str:
        """One leaf: any comparison of the language."""
        text = str(
            self.one(
                *[self.money_leaf] * 3, self.ratio_leaf, self.ratio_leaf, self.other_leaf, self.other_leaf
            )()
        )
        if self.chance(0.15):
            for plain, ime in IME:
                text = text.replace(plain, ime) if '"' not in text else text
        return text

    def money_leaf(self) -> str:
        left = self.money()
        right = self.one(self.one(*MONEY), self.one(*MONEY), self.money(1))
        if left.startswith("(") or self.chance(0.1):
            right = "0元"
        return f"{left} {self.one(*OPS[:4], *OPS)} {right}"

    def ratio_leaf(self) -> str:
        return f"{self.ratio()} {self.one(*OPS[:4], *OPS)} {self.one(*RATIOS)}"

    def other_leaf(self) -> str:
        members = self.rng.sample(['"C39*"', '"C3563"', '"4403*"', '"K*"', '"120116"', '"A级"', '"软件*"'], 2)
        left, literal = self.counted()
        return self.one(
            lambda: f"{left} {self.one(*OPS)} {literal}",
            lambda: f"{self.count()} {self.one(*OPS)} {self.one('2', '2023', '1.5', '积分')}",
            lambda: f"{self.day()} {self.one(*OPS)} {self.day()}",
            lambda: f"{self.day()} {self.one(*OPS)} {self.day()}",
            lambda: f"{self.day()} - {self.fact('日期')} {self.one(*OPS)} {self.one('365天', '30天', '0天')}",
            lambda: f"{self.fact('是否')} {self.one('=', '!=')} {self.one('是', '否')}",
            lambda: f"{self.fact('代码')} in {self.one('先导', '本区', f'[{members[0]}, {members[1]}]')}",
            lambda: f"{self.fact('文本')} in [{members[0]}, {members[1]}]",
            lambda: f'{self.fact("文本")} 含 "{self.one("研发", "A", "甲")}"',
            lambda: f'{self.fact("列表")} 含 "{self.one("高企", "小巨人")}"',
            lambda: f'{self.fact("文本")} {self.one("=", "!=")} "{self.one(*TEXTS)}"',
            lambda: f'{self.fact("代码")} {self.one("=", "!=")} "{self.one(*CODES)}"',
        )()

    def fresh(self, letter: str) -> str:
        self.ids += 1
        return f"{letter}{self.ids}"

    def node(self, depth: int = 2) -> dict[str, Any]:
        """A condition node, without the cite that a numbered one carries."""
        if depth == 0 or self.chance(0.6):
            if self.chance(0.12):
                self.asks.append(self.fresh("ask"))
                return {"id": self.asks[-1], "ask": "是否属实？"}
            return {"when": self.comparison()}
        kind = self.one("all", "any", "any", "not")
        if kind == "not":
            return {"not": self.node(depth - 1)}
        return {kind: [self.node(depth - 1) for _ in range(self.rng.randint(2, 3))]}

    def numbered(self, letter: str) -> dict[str, Any]:
        node = self.node()
        if "ask" not in node:
            node["id"] = self.fresh(letter)
        return {**node, "cite": "第一条", "quote": "全文"}

    def conditions(self) -> dict[str, Any]:
        if self.chance(0.15):
            node = self.numbered("c")
            if "all" not in node:
                return node
        return {"all": [self.numbered("c") for _ in range(self.rng.randint(1, 4))]}

    def sometimes(self) -> dict[str, Any]:
        """The condition of a case, an exception or an add."""
        return self.node(1) if self.chance(0.3) else {"when": self.comparison()}

    def grant(self) -> str:
        """An amount a policy might name."""
        return self.one(
            self.one(*MONEY), f"{self.fact('金额')} * {self.one('0.5%', '1.5%', '3‰', '33.3%')}", self.money()
        )

    def form(self, nested: bool = False) -> dict[str, Any]:
        shapes = ["amount", "amount", "range", "upto", "bands", "bands", "words"] + (
            [] if nested else ["cases"] * 2
        )
        shape = self.rng.choice(shapes)
        if shape in ("amount", "upto"):
            return {shape: self.grant()}
        if shape == "range" and self.sane:
            fact = self.fact("金额")
            return {"range": {"low": f"{fact} * 50%", "high": fact}}
        if shape == "range":
            return {"range": {"low": self.grant(), "high": self.grant()}}
        if shape == "words":
            return {"words": "一事一议"}
        return {"bands": self.bands()} if shape == "bands" else {"cases": self.cases()}

    def cases(self) -> list[dict[str, Any]]:
        cases = [{**self.sometimes(), **self.form(nested=True)} for _ in range(self.rng.randint(1, 3))]
        for case in cases:
            case.update({bound: self.bound() for bound in ("cap", "floor") if self.chance(0.1)})
        return [*cases, {"amount": self.grant()}] if self.chance(0.5) else cases

    def bands(self) -> dict[str, Any]:
        money = self.chance(0.7)
        marginal = money and self.chance(0.4)
        edges = sorted(self.rng.sample(range(1, 11) if money else range(1, 7), self.rng.randint(1, 3)))
        bounds = [MONEY[edge] if money else f"{COUNTS[edge]}人" for edge in edges]
        by = (
            self.one(self.fact("金额"), "甲额[Y]", self.money(1))
            if money
            else self.one("人数[Y]", "合计(人数[Y-2..Y])")
        )
        bands: dict[str, Any] = {"by": by}
        if not marginal and self.chance(0.4):
            bands["of"] = self.fact("金额")
        bands["kind"] = "超额" if marginal else "全额"
        if len(bounds) > 1 and self.chance(0.4):
            bands["from"] = bounds.pop(0)
        rated = (money or "of" in bands) and (marginal or self.chance(0.6))
        steps: list[dict[str, str]] = [
            {self.one("upto", "below"): bound, **self.step(rated)} for bound in bounds
        ]
        if marginal or self.chance(0.7):
            steps.append(self.step(rated))
        return bands | {"steps": steps}

    def step(self, rated: bool) -> dict[str, str]:
        return {"rate": self.one("0.5%", "1.5%", "10%", "3‰")} if rated else {"amount": self.one(*MONEY)}

    def bound(self) -> str:
        part = f"{self.fact('金额')} * {self.one('50%', '10%', '2')}"
        return self.one(self.one(*MONEY), self.one(*MONEY), part, part if self.sane else self.money(1))

    def bounds(self, project: bool) -> dict[str, Any]:
        """cap, floor and cap_per_enterprise, each sometimes."""
        out: dict[str, Any] = {}
        if self.chance(0.4):
            out["cap"] = self.bound() if self.chance(0.8) else [self.bound(), self.bound()]
        if self.chance(0.2):
            out["floor"] = self.bound() if self.chance(0.8) else [self.bound(), self.one(*MONEY)]
        if self.chance(0.25 if project else 0.15):
            out["cap_per_enterprise"] = self.bound()
        return out

    def exception(self, project: bool, banded: bool) -> dict[str, Any]:
        """An exception; under rates of bands a new form must have bands too."""
        replaced = self.bounds(project=False)
        if project:
            replaced.pop("cap_per_enterprise", None)
        form = {"bands": self.bands()} if banded else self.form()
        if not replaced or self.chance(0.4):
            replaced |= form
        return {"cite": "第一条", "quote": "全文", **self.sometimes(), **replaced}

    def benefit(self, project: bool) -> dict[str, Any]:
        benefit: dict[str, Any] = {"cite": "第一条", "quote": "全文", **self.form(), **self.bounds(project)}
        adds = []
        for _ in range(self.one(0, 0, 1, 2)):
            add = {} if self.chance(0.1) else self.sometimes()
            rated = "bands" in benefit and "rate" in str(benefit["bands"]["steps"]) and self.chance(0.4)
            add |= (
                {"rate": self.one("1%", "0.5%")}
                if rated
                else {"amount": self.one(self.one(*MONEY), "甲额[Y] * 1%")}
            )
            adds.append(add | ({"beyond_cap": "是"} if self.chance(0.4) else {}))
        if adds:
            benefit["adds"] = adds
        banded = any("rate" in add for add in adds)
        exceptions = [self.exception(project, banded) for _ in range(self.one(0, 0, 1, 2))]
        for exception in exceptions if banded else []:
            if "bands" in exception:
                exception["bands"] = self.money_bands()
        return benefit | ({"exceptions": exceptions} if exceptions else {})

    def money_bands(self) -> dict[str, Any]:
        """Bands whose `of` is an amount, so that an add's rate has something to be of."""
        return {
            "by": "甲额[Y]",
            "kind": "全额",
            "steps": [{"upto": "100万元", "rate": "1%"}, {"rate": "0.5%"}],
        }


@dataclass
class Sample:
    """One random library on disk, with the firms, answers and day to match it on."""

    library: Path
    firms: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    as_of: date
    sets: dict[str, list[str]]


BATCHES = {
    "2024": {"year": "2023", "opens": "2024-02-29", "closes": "2024-05-31", "rates": {"美元": "7.1"}},
    "2025": {"year": "2024", "opens": "2025-03-01", "closes": "2025-04-30", "rates": {"美元": "7.1"}},
    "2026": {"year": "2025", "opens": "2026-02-28", "closes": "2026-03-31", "rates": {"美元": "6.95"}},
}  # fmt: skip
DAYS = [
    "2025-03-01",
    "2025-04-30",
    "2025-04-01",
    "2025-03-15",
    "2024-02-29",
    "2024-05-31",
    "2026-02-28",
    "2026-03-31",
]


def dump(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump(data, Dumper=DUMPER, allow_unicode=True, sort_keys=False), encoding="utf-8")


def random_item(writer: Writer, item: str, general: list[str]) -> dict[str, Any]:
    subject = writer.one(*SUBJECTS)
    raw: dict[str, Any] = {
        "item": item, "title": item, "department": "科技局", "category": "奖补", "subject": subject,
        "delivery": "申报兑现", "status": writer.one(*["有效"] * 12, "暂停"), "batches": BATCHES,
        "conditions": writer.conditions(), "materials": ["申请表"], "deadline": "60个工作日", "contact": "科技局",
    }  # fmt: skip
    if general and writer.chance(0.4):
        raw["without"] = [writer.one(*general)]
    if writer.chance(0.9):
        raw["benefit"] = writer.benefit(project=subject != "企业")
    return raw


def random_library(root: Path, rng: random.Random, sane: bool = False) -> list[tuple[str, str]]:
    """Write a library of one to three documents; gives the (item, ask) pairs that may be answered."""
    dump(root / "indicators.yaml", INDICATORS)
    dump(root / "sets/先导.yaml", ["C39*", "C3563"])
    dump(root / "sets/本区.yaml", ["440305", "4403*"])
    asks = []
    for d in range(rng.randint(1, 3)):
        folder, writer = root / f"d{d}", Writer(rng, sane)
        document: dict[str, Any] = {
            "title": f"文件{d}", "number": f"甲发〔2023〕{d}号", "issuer": "甲市人民政府",
            "issued": "2023-01-01", "effective": "2023-01-01", "expires": "2027-12-31",
        }  # fmt: skip
        general = [writer.numbered("g") for _ in range(rng.choice([0, 0, 1, 2]))]
        if general:
            document["general"] = {"conditions": {"all": general}}
        dump(folder / "document.yaml", document)
        (folder / "text.md").write_text("# 文件\n\n## 第一条\n\n全文。\n", encoding="utf-8")
        shared = list(writer.asks)
        for slug in "abcd"[: rng.randint(1, 4)]:
            item, writer.asks = f"d{d}/{slug}", []
            dump(folder / f"items/{slug}.yaml", random_item(writer, item, [node["id"] for node in general]))
            asks += [(item, ask) for ask in shared + writer.asks]
    return asks


def random_value(rng: random.Random, kind: str) -> Any:
    if kind == "金额":
        value = rng.choice(YUAN)
        if rng.random() < 0.1:
            return round(rng.uniform(0, rng.choice([2e7, 2e7, 1e9, 1e10])), 2)
        return value + (rng.choice(BESIDE) if value < 10**8 else 0)
    if kind == "比例":
        return rng.choice(FRACTIONS)
    if kind == "数量":
        return rng.choice(COUNTS[:-1])
    if kind == "日期":
        return (
            date.fromisoformat(rng.choice(DATES)) + timedelta(days=rng.choice([0, 0, 0, 1, -1]))
        ).isoformat()
    if kind == "是否":
        return rng.choice([True, False])
    if kind == "列表":
        return rng.sample(["高企", "小巨人", "高企培育", "专精特新"], rng.randint(0, 2))
    return rng.choice(CODES if kind == "代码" else TEXTS)


def random_facts(rng: random.Random, gap: float, names: list[str]) -> dict[str, Any]:
    """Facts of a firm or a row, each left out (or null) with probability `gap`."""
    facts: dict[str, Any] = {}
    for name in names:
        kind = ALL[name]["kind"]
        if rng.random() < gap:
            if rng.random() < 0.3:
                facts[name] = None
        elif ALL[name].get("yearly") == "是":
            facts[name] = random_years(rng, gap, kind)
        else:
            facts[name] = random_value(rng, kind)
    return facts


def random_years(rng: random.Random, gap: float, kind: str) -> dict[str, Any]:
    years = {str(year): random_value(rng, kind) for year in range(2019, 2026) if rng.random() > gap / 2}
    if kind in ("金额", "数量") and "2023" in years and rng.random() < 0.4:
        years["2024"] = round(years["2023"] * rng.choice([1.1, 1.05, 1, 1.1]), 2)
    if years and rng.random() < 0.1:
        years[rng.choice(list(years))] = None
    return years


def firm_code(number: int) -> str:
    """A 统一社会信用代码 with its check character (GB 32100)."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91120116{number:09d}"
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + alphabet[-total % 31]


def random_firm(rng: random.Random, number: int) -> dict[str, Any]:
    firm = {"统一社会信用代码": firm_code(number)} | random_facts(rng, rng.choice([0, 0.1, 0.3]), list(ALL))
    for subject in ("项目", "产品", "人才"):
        shape = rng.random()
        if shape < 0.7:
            names = [*rng.sample(list(ALL), 6), "投资额", "开工日", "分年额"]
            rows = [random_facts(rng, 0.2, names) for _ in range(rng.randint(1, 3))]
            firm[subject] = [{"项目编号": f"P{i}"} | row for i, row in enumerate(rows)]
        elif shape < 0.85:
            firm[subject] = []
    return firm


def random_answers(
    rng: random.Random, firms: list[dict[str, Any]], asks: list[tuple[str, str]], root: Path
) -> list:
    """Some answers to asks; on project items by row."""
    subjects = {item: text.split("subject: ")[1].split("\n")[0] for item, text in item_texts(root)}
    out = []
    for firm in firms:
        for item, ask in asks:
            for batch in ("2025", "2024"):
                rows = (
                    [None]
                    if subjects[item] == "企业"
                    else [r["项目编号"] for r in firm.get(subjects[item]) or []]
                )
                for row in rows:
                    if rng.random() < 0.5:
                        line = {
                            "统一社会信用代码": firm["统一社会信用代码"],
                            "item": item,
                            "batch": batch,
                            "id": ask,
                        }
                        out.append(line | {"answer": rng.random() < 0.7} | ({"row": row} if row else {}))
    return out


def item_texts(root: Path) -> list[tuple[str, str]]:
    return [
        (f"{p.parents[1].name}/{p.stem}", p.read_text(encoding="utf-8")) for p in root.glob("*/items/*.yaml")
    ]


def sample(seed: int, root: Path, firms: int = 60, sane: bool = False) -> Sample:
    """The random library, firms, answers and day of one seed."""
    rng = random.Random(seed)
    asks = random_library(root, rng, sane)
    register = [random_firm(rng, seed % 10**4 * 1000 + i) for i in range(firms)]
    answers = random_answers(rng, register, asks, root)
    sets = {"本区": ["120116", "12*"]} if rng.random() < 0.5 else {}
    return Sample(root, register, answers, date.fromisoformat(rng.choice(DAYS)), sets)


class Fuzzer(Writer):
    """Expressions that obey the grammar but not the kinds: most are refused, and both readers must agree on which."""

    UNITS = (
        "元",
        "万元",
        "亿元",
        "万美元",
        "%",
        "‰",
        "天",
        "个月",
        "年",
        "人",
        "台",
        "岁",
        "件",
        "",
        "",
        "圆",
    )

    def atom(self, depth: int) -> str:
        kind = self.one("金额", "金额", "比例", "数量", "数量", "日期", "是否", "代码", "文本", "列表")
        return self.one(
            lambda: self.fact(kind),
            lambda: self.fact(kind),
            lambda: self.fact(kind),
            lambda: f"{self.one(1, 2, 10, 0.5)}{self.one(*self.UNITS)}",
            lambda: f"{self.one(1, 2, 10)}{self.one(*self.UNITS)}",
            lambda: self.one(
                "申报开始", "申报截止", "Y", "是", "2024-03-01", '"研发"', "没有的指标", "甲额", "资本[Y]"
            ),
            lambda: f"({self.anything(depth - 1)})",
            lambda: self.function(depth - 1),
        )()

    def function(self, depth: int) -> str:
        name = self.one("合计", "平均", "最大", "最小", "增长率", "取整", "年度", "周岁", "求和")
        series = f"{self.one('甲额', '乙额', '人数', '占比', '入库', '等级', '年检日')}[{self.span()}]"
        single = f"{self.one('甲额', '人数', '占比', '年检日')}[{self.year()}]"
        inner = self.one(series, single, f"增长率({series})", self.anything(depth))
        return (
            f"{name}({inner})"
            if self.chance(0.7)
            else f"{name}({self.anything(depth)}, {self.anything(depth)})"
        )

    def anything(self, depth: int = 2) -> str:
        if depth <= 0 or self.chance(0.4):
            return (
                self.atom(max(depth, 1))
                if self.chance(0.5) and depth > 0
                else self.fact(self.one("金额", "数量", "比例"))
            )
        return f"{self.anything(depth - 1)} {self.one('+', '-', '*', '/')} {self.anything(depth - 1)}"

    def condition(self) -> str:
        left, right = self.anything(), self.anything()
        members = self.one("先导", '["C39*"]', "没有的集合")
        return self.one(
            f"{left} {self.one(*OPS)} {right}",
            f"{left} {self.one(*OPS)} {self.atom(1)}",
            f"{self.atom(1)} {self.one(*OPS)} {self.atom(1)}",
            f"{self.atom(1)} in {members}",
            f'{self.atom(1)} 含 "研发"',
        )  # fmt: skip


def fuzzed(seed: int, root: Path, items: int = 60, firms: int = 20) -> Sample:
    """One library of many one-condition items, most of which no reader may accept."""
    rng = random.Random(seed)
    fuzzer = Fuzzer(rng)
    dump(root / "indicators.yaml", INDICATORS)
    dump(root / "sets/先导.yaml", ["C39*", "C3563"])
    dump(root / "d/document.yaml", {"title": "甲", "issued": "2023-01-01", "effective": "2023-01-01"})
    (root / "d/text.md").write_text("## 第一条\n\n全文。\n", encoding="utf-8")
    clause = {"cite": "第一条", "quote": "全文"}
    for number in range(items):
        raw: dict[str, Any] = {"item": f"d/f{number}", "title": "甲", "department": "甲", "category": "奖补"}
        raw |= {
            "batches": {"2025": BATCHES["2025"]},
            "conditions": {"id": "c", **clause, "when": fuzzer.condition()},
        }
        if rng.random() < 0.5:
            raw["conditions"]["when"] = "资本 >= 0元"
            raw["benefit"] = {**clause, "amount": fuzzer.anything()}
        dump(root / f"d/items/f{number}.yaml", raw)
    register = [random_firm(rng, seed % 10**4 * 1000 + i) for i in range(firms)]
    return Sample(root, register, [], date(2025, 4, 1), {})
