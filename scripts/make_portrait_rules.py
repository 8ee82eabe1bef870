"""画像规则: write the rules that follow official tables (size class, industry families) from these tables.

python scripts/make_portrait_rules.py
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from profiles import tables  # noqa: E402
from profiles.portrait_sets import FAMILIES, categories, set_name  # noqa: E402

FOLDER = ROOT / "profiles" / "portrait"
MADE = "# 由 scripts/make_portrait_rules.py 按 profiles/tables/ 的官方表写出；改表后重写，不要手改。\n"
INDICATORS = {"从业人员": "从业人数[Y]", "营业收入": "营业收入[Y]", "资产总额": "资产总额[Y]"}


def prefixes(row: dict[str, str]) -> str:
    """行业范围: prefixes of codes with their section letter, as a list of the rule language."""
    codes = (tables.full_code(p) + "*" for p in row["gb4754_prefixes"].split(";"))
    return "[" + ", ".join(f'"{c}"' for c in codes) + "]"


def floor(row: dict[str, str], column: str) -> str:
    """一项下限: `营业收入[Y] >= 4亿元`."""
    number = int(row[column])
    unit = "人" if row["unit"] == "人" else "亿元" if number >= 10000 and number % 10000 == 0 else "万元"
    return f"{INDICATORS[row['indicator']]} >= {number // 10000 if unit == '亿元' else number}{unit}"


def size_rules() -> str:
    """规模: large, medium and small need every figure of the industry at its floor; micro is what is left."""
    rows = tables.read("sme_size_2017")
    blocks = [(name, list(part)) for name, part in groupby(rows, key=lambda r: r["industry"])]
    every = ", ".join(dict.fromkeys(prefixes(part[0])[1:-1] for _, part in blocks))
    lines = [
        MADE + "规模:",
        "  title: 企业规模（统计上大中小微型企业划分办法2017）",
        "  section: 规模",
        "  source: 国统字〔2017〕213号 统计上大中小微型企业划分办法（2017）",
        "  note: 大、中、小型须同时满足所列指标的下限，否则下划一档；微型只须满足一项。金融、教育、卫生、铁路运输等不适用本办法",
        "  compare: 企业规模",
        "  cases:",
        "    - tag: 不适用",
        f"      not: {{when: '行业代码 in [{every}]', label: 行业在本办法所列范围内}}",
    ]
    for tag, column in (("大型", "large_min"), ("中型", "medium_min"), ("小型", "small_min")):
        lines += [f"    - tag: {tag}", "      any:"]
        for name, part in blocks:
            lines += [
                f"        - label: {name}",
                "          all:",
                f"            - {{when: '行业代码 in {prefixes(part[0])}', label: 行业属于{name}}}",
            ]
            lines += [f"            - when: {floor(row, column)}" for row in part]
    lines.append("    - tag: 微型")
    return "\n".join(lines) + "\n"


def family_rules() -> str:
    """产业分类: a tag a category; whole classes by code, parts of a class only with the listed products."""
    lines = [MADE.rstrip()]
    for family in FAMILIES:
        lines += [
            f"{family.name}:",
            f"  title: {family.title}",
            "  section: 产业",
            f"  source: {family.source}",
        ]
        lines += [f"  note: {family.note}"] if family.note else []
        lines.append("  tags:")
        for category, kinds in categories(family).items():
            lines += [f"    - tag: {category}"]
            whole = f"when: 行业代码 in {set_name(family, category, '整类')}"
            part = [
                f"when: 行业代码 in {set_name(family, category, '部分')}",
                f"ask: 主要产品或服务是否属于“{category}”在该行业中所列的部分？",
            ]
            if "部分" not in kinds:
                lines.append(f"      {whole}")
            elif "整类" not in kinds:
                lines += ["      all:", *(f"        - {p}" for p in part)]
            else:
                lines += [
                    "      any:",
                    f"        - {whole}",
                    "        - all:",
                    *(f"            - {p}" for p in part),
                ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """写出."""
    (FOLDER / "size.yaml").write_text(size_rules(), encoding="utf-8")
    (FOLDER / "industries.yaml").write_text(family_rules(), encoding="utf-8")


if __name__ == "__main__":
    main()
