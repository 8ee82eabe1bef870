"""拟设指标: indicators that conditions need and the dictionary lacks, as an office would add them to its own indicators.yaml.

An indicator is proposed only under the words of the text itself, so that what a rule compares is what the policy says; who holds it
is for the office to say, therefore none has a source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from engine import kinds
from engine.indicators import Indicator
from engine.tokens import NAME

# What a noun of money, of a number or of a share ends in; anything else is no name for a figure.
_MONEY = re.compile(
    r"(?:额|额度|收入|费用?|投入|投资|资本|资金|规模|产值|增加值|销售|成本|租金|税收|税金|贡献|利润|工资|价格?|单价|支出|强度|余额|款|保费|出资|采购|产出|营收|薪酬|年薪|奖金|补贴)$"
)
_COUNT = re.compile(
    r"(?:数|数量|人数|人员|员工|职工|团队|面积|场次|批次|人次|床位|家数|总数|总量|量|规模|件数|点击量|工位|席位|机柜|泊位|车位|展位|学员|岗位|种类|品种|里程|长度|吨位|产能|存栏|出栏|户|成员|专家|教师|门店|网点|会员|房间|客房|剧目|文艺团体|演出|展览|课程|项目|企业|专利|标准|论文|订单|次数|得分|评分|分数)$"
)
_SHARE = re.compile(r"(?:率|比例|占比|比重|份额|股份|股权|持股|程度)$")
# Nouns that say of nothing what they measure.
_TOO_PLAIN = re.compile(
    r"(?:总|实际|累计|年度?|全年|其中|采购)?(?:金额|总额|投入|投资|费用|面积|规模|数量|总数|人数|场次|次数|比例|收入|支出|投资额|销售额|采购额|购置额|合同额|合同金额|交易额|租金|保费|培训经费|经费)(?:数)?"
)
# Words of a clause, of a single thing out of many, or of something to be looked up elsewhere: not part of a name.
_NO_NAME = re.compile(
    r"^占|^使|^让|^但|^仅|^原则上|不|未|或|且|各|该|上述|下列|以下|以上|前款|其|每|单[个家户笔台件次品项体位张批场]|同一|任一|对于|应|须|由|将|按|给予|奖励|所称|符合|其中|另|再|超|分别|部分|首轮|首次|首年|最高|最低|当期|本次|增长|增幅|增速|同比|新增|净增|连续"
)


def wanted(name: str, kind: str, unit: str = "", yearly: bool = False, note: str = "") -> Indicator | None:
    """拟设: a proposed indicator; None where the rule language takes no such name."""
    if not NAME.fullmatch(name) or not 2 <= len(name) <= 24:
        return None
    return Indicator(name, kind, yearly=yearly, unit=unit, note=f"拟设，{note or '条文原话'}；数据来源待定")


def figure(words: str, kind: str, unit: str, yearly: bool) -> Indicator | None:
    """拟设数值指标: an indicator for the noun a threshold is said of; None where the words are no plain name of a figure.

    `kind` money, percent or count; what stands in brackets defines the figure and goes into its note.
    """
    said = re.sub(r"^(?:申[报请](?:单位|企业|人)?|企业|单位|项目单位|的|在|为|对)+(?=.{2})", "", words)
    brackets = "".join(re.findall(r"（[^）]*）", said))
    if re.search(r"[下同]同|见附|以下", brackets):
        return None
    bare = re.sub(r"[“”\"《》]|（[^）]*）", "", said)
    ends = {"money": _MONEY, "count": _COUNT, "percent": _SHARE}[kind]
    if not re.fullmatch(r"[\u4e00-\u9fa5A-Za-z0-9·、和及与]{2,22}", bare) or _NO_NAME.search(bare):
        return None
    if not ends.search(bare) or bare.count("的") > 1:
        return None
    name = re.sub(r"[、和及与]|(?<!标)的", "", bare)
    if kind == "count":
        if kinds.canonical_unit(unit) not in map(kinds.canonical_unit, kinds.COUNT_UNITS):
            return None
        name = _counted(name, unit)
    if len(name) < 3 or _TOO_PLAIN.fullmatch(name):
        return None
    note = f"条文写作“{said}”" if brackets or name != said else ""
    return wanted(
        name, {"money": "金额", "count": "数量", "percent": "比例"}[kind], _unit(kind, unit), yearly, note
    )


def _unit(kind: str, unit: str) -> str:
    return "元" if kind == "money" else kinds.canonical_unit(unit) if kind == "count" else ""


def _counted(name: str, unit: str) -> str:
    """床位 → 床位数, 员工 → 员工数; what already names a size stays."""
    if re.search(r"(?:数|量|面积|次|规模|里程|长度|吨位|产能|得分|评分|龄)$", name):
        return name
    return name + ("数" if len(name) < 22 else "")


def entry_of(indicator: Indicator) -> dict[str, Any]:
    """词条: a proposed indicator as indicators.yaml writes it."""
    out: dict[str, Any] = {"kind": indicator.kind}
    if indicator.yearly:
        out["yearly"] = "是"
    if indicator.unit and indicator.kind in ("数量", "金额"):
        out["unit"] = indicator.unit
    return out | {"note": indicator.note}


def with_proposed(text: str, document: str, proposed: Mapping[str, Indicator]) -> str:
    """并入拟设: an indicators.yaml with proposed indicators behind what it has; names it has already stay as they are."""
    known = set(re.findall(r"^[\"']?([^\s#:\"'][^:\"']*)[\"']?\s*:", text, re.MULTILINE))
    lines = []
    for name, entry in sorted(proposed.items()):
        if name not in known:
            told = ", ".join(
                f"{k}: {json.dumps(v, ensure_ascii=False) if k == 'note' else v}"
                for k, v in entry_of(entry).items()
            )
            lines.append(f"{name}: {{{told}}}")
    if not lines:
        return text
    head = f"# 拟设指标（起草 {document} 时）：请定数据来源 source、权威等级 authority，或改用已有的指标\n"
    return (text.rstrip("\n") + "\n\n" if text.strip() else "") + head + "\n".join(lines) + "\n"
