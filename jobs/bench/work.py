"""测速的活: firms and rule files made from a seed (docs/performance.md says how they are spread)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Categories, Columns, Key
from engine.indicators import Dictionary
from policies.library import load_library
from profiles.dictionary import builtin_dictionary

AS_OF = date(2025, 6, 1)
YEAR = 2024
CODE = "统一社会信用代码"
MONEY = [
    "营业收入",
    "研发费用",
    "纳税总额",
    "地方贡献",
    "利润总额",
    "资产总额",
    "负债总额",
    "固定资产投资额",
    "高新收入",
    "进出口额",
    "技术合同额",
    "融资额",
]
COUNTS = ["从业人数", "研发人数", "发明专利数", "软著数"]
SINGLE = {"注册资本": "金额", "实缴资本": "金额", "办公面积": "数量", "得分": "数量"}
DATES = {"成立日期": "", "迁入日期": "", "高企有效期至": "无", "上市日期": "无"}
FLAGS = {
    "严重失信": "否",
    "异常名录": "否",
    "一般纳税人": "",
    "国有控股": "",
    "外资企业": "",
    "规上企业": "",
    "在孵企业": "否",
}
TEXTS = ("行业代码", "登记地区划", "登记状态", "企业类型", "信用等级", "注册园区")
INDUSTRIES = [f"{letter}{major}{minor:02d}" for letter, major in
              [("A", 1), *(("C", m) for m in range(13, 44)), *(("I", m) for m in (63, 64, 65)), ("K", 70), *(("M", m) for m in (73, 74, 75))]
              for minor in range(10, 100, 4)]  # fmt: skip
STATES = ["存续", "在业", "吊销", "注销"]
TYPES = [f"类型{i}" for i in range(12)]
GRADES = ["A级", "B级", "M级", "C级", "D级"]
PLACES = [f"12{i:02d}{j:02d}" for i in range(1, 12) for j in range(1, 18)]
PARKS = [f"园区{i}" for i in range(40)]


def indicators() -> str:
    """指标字典 of the work, as a library's indicators.yaml."""
    lines = [f"{n}: {{kind: 金额, yearly: 是, source: 税务}}" for n in MONEY]
    lines += [f"{n}: {{kind: 数量, yearly: 是, source: 统计}}" for n in COUNTS]
    lines += [f"{n}: {{kind: {k}, source: 登记}}" for n, k in SINGLE.items()]
    for kind, group in (("日期", DATES), ("是否", FLAGS)):
        lines += [
            f"{n}: {{kind: {kind}, source: 登记{f', absent_means: {a}' if a else ''}}}"
            for n, a in group.items()
        ]
    lines += [f"{n}: {{kind: 代码, source: 登记}}" for n in TEXTS]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- firms


def make_columns(rows: int, seed: int, dictionary: Dictionary) -> Columns:
    """企业数据: 69 columns a firm, 15 % of the cells missing; sums of money in yuan and fen, lognormal."""
    rng = np.random.default_rng(seed)
    columns = Columns([f"91{i:016d}" for i in range(rows)], dictionary)
    size = rng.normal(16, 1.5, rows)
    for name in MONEY:
        for year in (YEAR - 2, YEAR - 1, YEAR):
            _put(columns, (name, year), np.round(np.exp(size + rng.normal(0, 1.2, rows)), 2), rng)
    for name in COUNTS:
        for year in (YEAR - 2, YEAR - 1, YEAR):
            _put(columns, (name, year), np.floor(np.exp(rng.normal(3.5, 1.3, rows))), rng)
    for name in SINGLE:
        _put(columns, (name, None), np.floor(np.exp(rng.normal(9, 2, rows))), rng)
    for name in DATES:
        _put(columns, (name, None), np.floor(rng.uniform(7_300, 20_600, rows)), rng)
    for name in FLAGS:
        _put(columns, (name, None), (rng.random(rows) < 0.4).astype(np.float64), rng)
    for name, names in zip(TEXTS, (INDUSTRIES, PLACES, STATES, TYPES, GRADES, PARKS), strict=True):
        codes = rng.integers(0, len(names), rows).astype(np.int32)
        codes[rng.random(rows) < 0.14] = -1
        columns.categories[name, None] = Categories(codes, tuple(names))
    return columns


def _put(columns: Columns, key: Key, values: np.ndarray, rng: np.random.Generator) -> None:
    values[rng.random(len(values), np.float32) < _gap(key)] = np.nan
    columns.numbers[key] = values


def _gap(key: Key) -> float:
    """Share of missing cells: registers of the few are mostly empty; 15 % of all cells together."""
    rare = key[0] in SINGLE or DATES.get(key[0]) or FLAGS.get(key[0])
    return 0.5 if rare else 0.08 if key[1] is not None else 0.14


def column_name(key: Key) -> str:
    """列名: 名称 or 名称@年度, as in profiles files."""
    return key[0] if key[1] is None else f"{key[0]}@{key[1]}"


def to_arrow(columns: Columns) -> pa.Table:
    """企业数据表: the columns as a profiles table, missing as null."""
    out: dict[str, pa.Array] = {CODE: pa.array(columns.codes)}
    for key, values in columns.numbers.items():
        array = pa.array(values, from_pandas=True)
        kind = columns.dictionary[key[0]].kind
        if kind == "日期":
            array = array.cast(pa.int32()).cast(pa.date32())
        elif kind == "是否":
            array = array.cast(pa.bool_())
        out[column_name(key)] = array
    for key, cats in columns.categories.items():
        codes = pa.array(cats.codes, mask=cats.codes < 0)
        out[column_name(key)] = pa.DictionaryArray.from_arrays(codes, list(cats.names)).cast(pa.string())
    return pa.table(out)


def write_profiles(columns: Columns, path: Path) -> None:
    """写企业数据, Parquet."""
    pq.write_table(to_arrow(columns), path)


# ---------------------------------------------------------------- rules


class RuleWriter:
    """造规则: a pool of distinct comparisons and items that draw from it."""

    def __init__(self, rng: random.Random, predicates: int):
        self.rng = rng
        found: dict[str, None] = {}
        while len(found) < predicates:
            found[self.predicate()] = None
        self.pool = list(found)

    def predicate(self) -> str:
        """A comparison that about half of the firms pass."""
        shape = self.rng.random()
        rng = self.rng
        if shape < 0.48:
            threshold = rng.choice([300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 3000, 5000])
            return f"{rng.choice(MONEY)}[Y{rng.choice(['', '', '-1', '-2'])}] {rng.choice(['>=', '>=', '>=', '>=', '<'])} {threshold}万元"
        if shape < 0.58:
            return f"增长率({rng.choice(MONEY + COUNTS)}[Y]) >= {rng.choice([-1, 0, 5, 10, 15, 20, 25, 30])}%".replace(
                "-1%", "1%"
            )
        if shape < 0.64:
            a, b = rng.sample(MONEY, 2)
            return f"{a}[Y] / {b}[Y] >= {rng.choice([30, 40, 50, 60, 80, 100, 120, 150])}%"
        if shape < 0.74:
            return f"{rng.choice(COUNTS)}[Y] >= {rng.choice([15, 20, 25, 30, 40, 50, 60, 80])}"
        if shape < 0.80:
            return f"{rng.choice(list(DATES))} <= 申报开始 - {rng.choice([5, 10, 12, 15, 18, 20, 24])}年"
        if shape < 0.84:
            return f"{rng.choice(list(FLAGS))} = {rng.choice(['否', '否', '是'])}"
        return self.category()

    def category(self) -> str:
        rng = self.rng
        name, names, step = rng.choice(
            [
                ("行业代码", INDUSTRIES, 3),
                ("登记地区划", PLACES, 4),
                ("注册园区", PARKS, 9),
                ("企业类型", TYPES, 9),
            ]
        )
        stems = sorted({n[:step] for n in names})
        chosen = rng.sample(stems, max(1, round(len(stems) * rng.choice([0.3, 0.4, 0.5]))))
        members = ", ".join(f'"{m}*"' if step < 9 else f'"{m}"' for m in sorted(chosen))
        return f"{name} in [{members}]"

    def conditions(self) -> list[str]:
        """Numbered conditions of an item, 7.7 leaves on average: single comparisons and groups."""
        rng = self.rng
        picks = iter(rng.sample(self.pool, 30))
        lines = []
        for k in range(rng.choice([7, 7, 7, 7, 6])):
            head = f"    - {{id: c{k}, cite: 第一条, quote: 全文, "
            shape = rng.random()
            if shape < 0.93:
                lines.append(f"{head}when: {_quoted(next(picks))}}}")
            elif shape < 0.96:
                lines.append(
                    f"{head}any: [{{when: {_quoted(next(picks))}}}, {{all: [{{when: {_quoted(next(picks))}}}, {{when: {_quoted(next(picks))}}}]}}]}}"
                )
            elif shape < 0.98:
                lines.append(f"{head}any: [{{all: [{{when: {_quoted(next(picks))}}}, {{when: {_quoted(next(picks))}}}]}}, {{all: [{{when: {_quoted(next(picks))}}}, {{not: {{when: {_quoted(next(picks))}}}}}]}}]}}")  # fmt: skip
            else:
                lines.append(
                    f"{head}not: {{all: [{{when: {_quoted(next(picks))}}}, {{when: {_quoted(next(picks))}}}]}}}}"
                )
        return lines

    def benefit(self) -> list[str]:
        rng = self.rng
        money = rng.choice(MONEY)
        shape = rng.random()
        cap = f"  cap: {rng.choice([20, 50, 100, 200, 300, 500])}万元"
        if shape < 0.35:
            return [f"  amount: {rng.choice([1, 2, 5, 10, 20, 30, 50, 100])}万元"]
        if shape < 0.70:
            return [f"  amount: {money}[Y] * {rng.choice([1, 2, 3, 5, 10])}%", cap]
        if shape < 0.80:
            return [f"  amount: ({money}[Y] - {money}[Y-1]) * {rng.choice([2, 5, 10])}%", cap]
        if shape < 0.92:
            return [
                "  bands:", f"    by: {money}[Y]", "    steps:", "      - {below: 500万元, amount: 5万元}",
                f"      - {{below: 2000万元, amount: {rng.choice([10, 20, 30])}万元}}", "      - {amount: 50万元}",
            ]  # fmt: skip
        return [
            f"  amount: {money}[Y] * {rng.choice([1, 2, 5])}%", cap, "  exceptions:",
            f"    - {{cite: 第一条, quote: 全文, when: {_quoted(rng.choice(self.pool))}, cap: 800万元}}",
        ]  # fmt: skip

    def item(self, name: str) -> str:
        lines = [
            f"item: {name}", f"title: 事项{name}", "department: 科技局", "category: 奖补", "delivery: 申报兑现",
            "batches:", "  2025: {year: 2024, opens: 2025-03-01, closes: 2025-12-31}",
            "conditions:", "  all:", *self.conditions(),
            "benefit:", "  cite: 第一条", "  quote: 全文", *self.benefit(),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text + "'"


def write_library(root: Path, items: int, seed: int, predicates: int = 600) -> None:
    """写政策库: rule files, thirty items a document."""
    writer = RuleWriter(random.Random(seed), predicates)
    root.mkdir(parents=True, exist_ok=True)
    (root / "indicators.yaml").write_text(indicators(), encoding="utf-8")
    for number in range(items):
        folder = root / f"d{number // 30:04d}"
        if number % 30 == 0:
            (folder / "items").mkdir(parents=True, exist_ok=True)
            (folder / "document.yaml").write_text(
                f"title: 文件{number // 30}\nnumber: 测发〔2025〕{number // 30}号\nissuer: 测试局\nissued: 2025-01-01\n",
                encoding="utf-8",
            )
            (folder / "text.md").write_text("# 文件\n\n## 第一条\n\n全文\n", encoding="utf-8")
        slug = f"i{number:05d}"
        text = writer.item(f"{folder.name}/{slug}")
        (folder / "items" / f"{slug}.yaml").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Size:
    """活的大小."""

    firms: int
    items: int
    seed: int = 1


def load(root: Path):
    """读政策库 written by `write_library`."""
    return load_library(root, builtin_dictionary())
