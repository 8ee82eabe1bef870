"""规则语言速查: operators, functions, units, kinds and checks as one page, made from the tables the engine itself uses."""

from __future__ import annotations

from collections.abc import Sequence

from engine import kinds, policy, rulefile
from engine.indicators import ABSENT
from engine.words import OPERATORS

FUNCTIONS = {
    "合计": ("合计(营业收入[Y-2..Y])，合计(a, b)", "各年或各数之和"),
    "平均": ("平均(营业收入[Y-2..Y])", "各年的平均；成立之前的年份不计"),
    "最大": ("最大(营业收入[Y-2..Y-1])", "各年或各数中最大的；也可用于日期"),
    "最小": ("最小(a[Y], b[Y])", "各年或各数中最小的；也可用于日期"),
    "增长率": ("增长率(研发费用[Y])", "比上一年增长的比例；上一年不大于零时为待核实"),
    "取整": ("取整(出口额[Y] / 1亿元)", "每满一个整数，往零的方向"),
    "年度": ("年度(成立日期)", "日期的年份"),
    "周岁": ("周岁(出生日期)", "申报开始那天的周岁"),
}
CODES = {
    0: "读不成 YAML",
    1: "不认识的键、指标、集合、函数、单位（附最相近的名字）",
    2: "类别不合；年度缺了或多了；写法不对",
    3: "引文不在原文里，或者 cite 没有这个标题",
    4: "编号重复，或者和文件位置不符",
    5: "免申即享却有人工判断、没有自动来源的指标、材料，或者数额算不出",
    6: "批次的年度和开始日都不在文件有效期内，或者批次重叠",
    7: "分档有空档，或者有永远用不到的档、情形",
    8: "永远不成立或者总是成立的条件",
    9: "没有样例只差这一条；没有样例用到的 any 分支、除外情形",
    10: "两个事项的条件和数额完全相同",
    11: "（提醒）引文的用词、单位、数字和表达式不一致",
    12: "样例的答案和算得的不同",
}


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """表: a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def reference() -> str:
    """速查页: the whole page as Markdown."""
    operators = [(f"`{sign}`", number, when, words) for sign, (number, when, words) in OPERATORS.items()]
    functions = [(name, f"`{example}`", words) for name, (example, words) in FUNCTIONS.items()]
    units = [
        ("金额", " ".join([*kinds.MONEY_UNITS, *kinds.FOREIGN_UNITS])),
        ("比例", " ".join(kinds.RATIO_UNITS)),
        ("时长", " ".join(kinds.SPAN_UNITS)),
        ("数量", " ".join(kinds.COUNT_UNITS)),
    ]
    absent = [(f"`{value}`", "、".join(names)) for value, names in ABSENT.items()]
    keys = [
        ("规则文件", " ".join(rulefile.ITEM_KEYS)),
        ("条件", " ".join(rulefile.NODE_KEYS)),
        ("benefit", " ".join(rulefile.BENEFIT_KEYS)),
        ("bands", " ".join(rulefile.BAND_KEYS)),
        ("批次", " ".join(rulefile.BATCH_KEYS)),
        ("document.yaml", " ".join(rulefile.DOCUMENT_KEYS)),
    ]
    choices = [
        ("category 类别", " ".join(policy.CATEGORIES)),
        ("subject 对象", " ".join(policy.SUBJECTS)),
        ("delivery 兑现方式", " ".join(policy.DELIVERIES)),
        ("status 状态", " ".join(policy.STATUSES)),
        ("pick 不重复", " ".join(policy.PICKS)),
        ("when_short 预算不足", " ".join(policy.SHORTAGES)),
    ]
    same = "，".join(f"{a} 即 {b}" for a, b in kinds.SAME_UNIT.items())
    return (
        "\n\n".join(
            [
                "# 规则语言速查",
                "由 `policies/reference.py` 从引擎自己的表生成，测试保证它是最新的。一个条件一行比较，几个条件用 `all` `any` `not` 组合；"
                "机器判不了的写 `ask:`。每个条件带条款 `cite` 和原文 `quote`。缺数据永远是待核实，不当成是、否或零。",
                "## 比较",
                table(("写法", "对数说", "对日期说", "条文常用词"), operators),
                "## 函数",
                table(("函数", "例", "意思"), functions),
                "## 单位",
                table(("类别", "单位"), units) + f"\n\n{same}；其余不同的计量单位不能比较。",
                f"## 指标\n\n类别：{' '.join(kinds.KINDS)}。登记全量收到以后，缺失即：",
                table(("absent_means", "用于"), absent),
                "## 取值",
                table(("键", "可以是"), choices),
                "## 键",
                table(("在哪里", "键"), keys),
                "## 核对的编号",
                table(("编号", "拒绝什么"), [(str(code), words) for code, words in CODES.items()]),
            ]
        )
        + "\n"
    )
