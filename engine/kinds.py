"""类别: kinds of values, units and the arithmetic between them (rule language, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

MONEY, RATIO, COUNT, DATE, SPAN, TEXT, CODE, BOOL, LIST = (
    "金额",
    "比例",
    "数量",
    "日期",
    "时长",
    "文本",
    "代码",
    "是否",
    "列表",
)
KINDS = (MONEY, RATIO, COUNT, DATE, SPAN, TEXT, CODE, BOOL, LIST)
NUMERIC = (MONEY, RATIO, COUNT)

MONEY_UNITS = {"元": 1, "万元": 10**4, "亿元": 10**8}
FOREIGN_UNITS = {"美元": ("美元", 1), "万美元": ("美元", 10**4)}
RATIO_UNITS = {"%": 100, "‰": 1000}
SPAN_UNITS = {"天": (0, 1), "个月": (1, 0), "年": (12, 0)}
_COUNTED = """
人 户 名 家 个 次 件 项 台 套 辆 艘 架 座 栋 幢 层 间 亩 公顷 平方米 平方公里 立方米 米 公里 千米 吨 万吨 公斤
千克 克 升 千瓦 兆瓦 千瓦时 万千瓦时 度 岁 分 位 人次 人月 人天 课时 小时 届 场 期 批 笔 单 票 种 类 款 部 集 篇
册 份 枚 只 条 根 张 块 片 箱 标箱 班 班次 航次 航线 架次 列 标准箱 床 床位 席 席位 工位 机位 车位 泊位 机柜 机架
卡 节点 站 桩 枪 颗 株 头 羽 尾 匹 孔 口 处 所 校 村 镇 街 店 品 级 档 星 倍 轮 代 门 路 环 圈 点 步 周 页
字 词
"""
COUNT_UNITS = tuple(_COUNTED.split())
# 名, 位 and 人 count the same thing; so do 公斤 and 千克, 公里 and 千米, 标箱 and 标准箱.
SAME_UNIT = {"名": "人", "位": "人", "千克": "公斤", "千米": "公里", "标准箱": "标箱"}
ALL_UNITS = (*MONEY_UNITS, *FOREIGN_UNITS, *RATIO_UNITS, *SPAN_UNITS, *COUNT_UNITS)


@dataclass(frozen=True)
class Kind:
    """值的类别: its name, the unit of a count, whether it is a bare number, and whether a span has months in it."""

    name: str
    unit: str = ""
    bare: bool = False
    calendar: bool = False

    def __str__(self) -> str:
        return f"{self.name}（{self.unit}）" if self.unit else self.name


BARE = Kind(COUNT, bare=True)


def canonical_unit(unit: str) -> str:
    """计量单位: one word for units that count the same thing."""
    return SAME_UNIT.get(unit, unit)


def _same_unit(a: Kind, b: Kind) -> bool:
    return not a.unit or not b.unit or canonical_unit(a.unit) == canonical_unit(b.unit)


def added(a: Kind, b: Kind, minus: bool) -> Kind | None:
    """加减: the kind of a ± b, or None where it is refused."""
    if a.name == DATE and b.name == SPAN:
        return Kind(DATE)
    if a.name == SPAN and b.name == DATE and not minus:
        return Kind(DATE)
    if a.name == DATE and b.name == DATE and minus:
        return Kind(SPAN)
    if a.name == SPAN and b.name == SPAN:
        return Kind(SPAN, calendar=a.calendar or b.calendar)
    common = comparable(a, b)
    if common is not None and common.name in NUMERIC:
        return common
    return None


def comparable(a: Kind, b: Kind) -> Kind | None:
    """可比: the common kind of two sides, or None; a bare number may stand for a ratio."""
    if a.name == b.name:
        if a.name == COUNT and not _same_unit(a, b):
            return None
        return Kind(a.name, a.unit or b.unit, a.bare and b.bare, a.calendar or b.calendar)
    names = {a.name, b.name}
    bare = a.bare or b.bare
    if names == {RATIO, COUNT} and bare:
        return Kind(RATIO)
    return None


def multiplied(a: Kind, b: Kind) -> Kind | None:
    """乘: the kind of a * b, or None; products commute, a bare number keeps the other kind."""
    for x, y in ((a, b), (b, a)):
        if y.bare and x.name in (*NUMERIC, SPAN):
            return x
    for x, y in ((a, b), (b, a)):
        if x.name == MONEY and y.name in (RATIO, COUNT):
            return Kind(MONEY)
        if x.name == COUNT and y.name == RATIO:
            return replace(x, bare=False)
    if a.name == b.name == COUNT:
        return Kind(COUNT)
    if a.name == b.name == RATIO:
        return Kind(RATIO)
    return None


def divided(a: Kind, b: Kind) -> Kind | None:
    """除: the kind of a / b, or None."""
    if b.bare and a.name in (*NUMERIC, SPAN):
        return a
    if a.bare and b.name == RATIO:
        return Kind(RATIO)
    if a.name == b.name and a.name in NUMERIC:
        return Kind(RATIO)
    if a.name == MONEY and b.name in (RATIO, COUNT):
        return Kind(MONEY)
    if a.name == COUNT and b.name == RATIO:
        return replace(a, bare=False)
    return None
