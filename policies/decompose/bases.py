"""计算基数: what an amount is reckoned from, where the dictionary has no such figure: shares of a base the text names, sums per piece
or person, interest, taxes spared; each under an indicator proposed in the words of the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import kinds
from engine.indicators import Indicator

from .expressions import Proposer
from .variants import Entry
from .wanted import figure, wanted


@dataclass(slots=True)
class Reckoned:
    """算式: an amount's form, the indicators it proposes, and the base that further shares of it would take."""

    form: dict[str, Any]
    new: dict[str, Indicator] = field(default_factory=dict)
    base: str = ""


def yuan(value: float) -> str:
    """金额字面: yuan as the rule files write it (30万元)."""
    if value >= 1e8 and value % 1e6 == 0:
        return f"{value / 1e8:g}亿元"
    return f"{value / 1e4:g}万元" if value >= 1e4 and value % 100 == 0 else f"{value:g}元"


_LEAD = re.compile(
    r"^(?:按照?|参照|依据|根据|对|将|给予|予以|其|企业|单位|个人|用人单位|申报单位|经?(?:认定|核定|审定|审核)(?:后)?的?|实际发生的?|当年|上述|该|项目审定)+(?=.{2})"
)
_TAIL = re.compile(r"(?:的|给予单个项目|给予企业|给予|最高|不超过|不高于|比例|部分|一次性)+$")
_ODD = re.compile(
    r"本办法|规定|减缴|[\d%、]|的.*的|不超过|分别|超出|新增|增量|贷款(?:实际)?利率|最低工资|平均工资|标准"
)
_OTHER_LEVEL = re.compile(
    r"^(?:其)?(?:获)?(?:国家|中央|省|市|上级|区)(?:级)?(?:或|和|、|及)?(?:国家|省|市|区)?(?:级)?(?:财政)?(?P<n>扶持|资助|奖励|支持|补助|专项)(?:支持)?(?:资金|经费|金额|总额)$"
)
_UNITS = {"人每月": "人月", "人/月": "人月", "人月": "人月", "人每年": "人", "人/年": "人"}


def core_of(title: str) -> str:
    """事项词: what an item's own indicators are told apart by; "" where its title is no plain name."""
    bare = re.sub(r"（[^）]*）|[“”\"、和与及]", "", title)
    bare = re.sub(r"^(?:关于|对|支持|鼓励|给予|实施|开展)+", "", bare)
    plain = re.fullmatch(r"[\u4e00-\u9fa5A-Za-z]{2,14}", bare)
    return bare if plain and not re.search(r"的|按|可以|应当|不|元|第|条件", bare) else ""


def reckoned(
    entry: Entry, sentence: str, title: str, proposer: Proposer, each: bool = False
) -> Reckoned | None:
    """算得: the form of one benefit; None where the words name no base. `each`: a row of the item is one person."""
    said = re.sub(r"\s+", "", str(entry["quote"])).replace("(", "（").replace(")", "）")
    core = core_of(title)
    if re.search(r"拨付|首期|第[一二三]期|加计|摊销|扣除|计入|优惠价", said):
        return None  # when it is paid, or what the tax office counts: not what is given
    if entry.get("kind") == "per_unit":
        return _per_unit(entry, core, each)
    if entry.get("kind") == "waiver":
        return _spared(said, 1.0)
    if "rate" not in entry and not (entry.get("kind") == "range" and 0 < entry.get("max", 0) <= 1):
        return None
    for reader in (_interest, _tax, _whole, _level, _grown, _share):
        if (found := reader(entry, said, sentence, core, proposer)) is not None:
            return found
    return None


def _form(name: str, entry: Entry, new: Mapping[str, Indicator], upto: bool = False) -> Reckoned:
    if "rate" not in entry:
        low, high = (f"{name} * {float(entry[k]) * 100:g}%" for k in ("min", "max"))
        return Reckoned({"range": {"low": low, "high": high}}, dict(new), name)
    key = "upto" if entry.get("up_to") or upto else "amount"
    share = name if entry["rate"] == 1 else f"{name} * {entry['rate'] * 100:g}%"
    return Reckoned({key: share}, dict(new), name)


# ---------------------------------------------------------------- shares


def _share(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """A share of the base the words name (按机器人购置额的10%)."""
    m = re.search(r"(?:按照?|参照|占|给予)(?P<b>[^，。；]{2,30}?)(?:的)?(?:最高)?(?:不超过)?\d", said)
    told = re.sub(r"\s+", "", str(entry.get("base") or "")) or (m["b"] if m else "")
    if not told:
        bare = re.match(r"(?P<b>[^，。；]{2,24}?)(?:的)?(?:最高)?(?:不超过)?\d+(?:\.\d+)?%", said)
        told = bare["b"] if bare else ""
    if not told or _ODD.search(told):
        return None
    upto = bool(re.search(r"(?:不超过|最高|不高于)(?:[^，。；\d%]{0,8})?\d+(?:\.\d+)?%", said))
    return _of_base(_TAIL.sub("", _LEAD.sub("", told)), entry, upto, core, sentence, proposer)


# What a figure has grown by against the year before (研发费用增量, 营业收入较上年增长部分).
_GROWTH = re.compile(
    r"(?:企业|其|的|对)*(?:上一?年度?|本年度|当年度?|年度)?(?:的|企业|实际发生的)*(?P<n>[^，。；\d%的较比]{2,12}?)(?:(?:较|比)(?:上一?|前一)年度?)?(?:同期|同比|实际)?的?"
    r"(?:增量|增长|新增|增加)(?:部分|额|量)?(?:的|给予)*$"
)
_BARE_GROWTH = re.compile(r"(?:其|该)?(?:增量|增长|新增|增加)(?:部分|额)?")


def _grown(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """增量: a share of what a known yearly figure has grown by; below zero the amount is none (rules.md, section 6)."""
    base = _LEAD.sub("", re.sub(r"\s+", "", str(entry.get("base") or "")))
    if _BARE_GROWTH.fullmatch(base):  # 对研发费用增量部分，按增量的10%
        parts = (re.sub(r"^[^，]*?(?:对于?|按照?)", "", x) for x in re.split(r"[，。；：\s]+", sentence))
        told = iter([_GROWTH.fullmatch(_LEAD.sub("", x)) for x in parts])
    else:
        told = iter((_GROWTH.fullmatch(base),))
    m = next((x for x in told if x), None)
    known = proposer.measure(m["n"]) if m else ""
    if "rate" not in entry or not known.endswith("[Y]"):
        return None
    key = "upto" if entry.get("up_to") else "amount"
    before = known.replace("[Y]", "[Y-1]")
    return Reckoned({key: f"({known} - {before}) * {float(entry['rate']) * 100:g}%"})


def _of_base(
    base: str, entry: Entry, upto: bool, core: str, sentence: str, proposer: Proposer
) -> Reckoned | None:
    yearly = bool(re.match(r"(?:上一?)?年度|上年", base))
    bare = re.sub(r"^(?:上一?年度|年度|上年|本年度)", "", base)
    untaxed = "不含税" in bare
    noun = re.sub(r"（[^）]*）|不含税的?", "", bare)
    known = proposer.measure(noun)
    dated = not known.endswith("[Y]") or yearly or re.search(r"上一?年度", sentence)
    if known and dated and not untaxed and "（" not in bare:
        return _form(known, entry, {}, upto)
    new = figure(noun, "money", "元", yearly)
    if new is None or (known and known.endswith("[Y]") and not untaxed):
        # Nothing tells whose figure it is but the item itself: 投资额 of what it supports.
        if not core or not re.fullmatch(
            r"(?:总|实际|项目)?(?:投资|投入|费用|支出|采购|购置|合同|销售|交易|保费|租金|经费|订单)(?:总?额|金额|总费用|费用|款)?",
            noun,
        ):
            return None
        new = wanted(f"{core}·{noun}", "金额", "元", yearly, f"条文写作“{base}”")
    elif untaxed:
        new = wanted(f"{new.name}·不含税", "金额", "元", yearly, f"条文写作“{base}”")
    if new is None or new.name in proposer.dictionary:
        return None
    return _form(f"{new.name}[Y]" if yearly else new.name, entry, {new.name: new}, upto)


def _level(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """配套: a share of what another level of government paid."""
    base = _TAIL.sub("", re.sub(r"^(?:另)?(?:按照?|给予)?(?:其)?", "", str(entry.get("base") or "")))
    m = _OTHER_LEVEL.match(base)
    if m is None:
        return None
    new = wanted(
        f"{core + '·' if core else ''}获上级{m['n']}资金", "金额", "元", note=f"条文写作“{base}”，按实际到账"
    )
    return _form(new.name, entry, {new.name: new}) if new else None


def _whole(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """全额: the whole of a cost (保险费全额补贴)."""
    m = re.search(
        r"(?P<b>[\u4e00-\u9fa5]{3,16}?(?:费|费用|租金|利息|款))(?:给予|予以)?全额(?:补贴|补助|资助|奖励)",
        said,
    )
    if m is None or entry.get("rate") != 1:
        return None
    return _of_base(_LEAD.sub("", m["b"]), entry, False, core, sentence, proposer)


# ---------------------------------------------------------------- interest and taxes


def _interest(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """贴息: points are reckoned from the mean balance of the loan in the year, shares from the interest paid."""
    if (
        "贴息" not in said + sentence
        or "rate" not in entry
        or not core
        or re.search(r"LPR|基准利率|票面", said)
    ):
        return None
    upto = bool(re.search(r"不超过|最高", said))
    if "百分点" in said:
        new = wanted(f"{core}·贷款日均余额", "金额", "元", True, "贴息的贷款一年内按日平均的余额")
    elif re.search(r"(?:利率|利息|贴息)", said):
        new = wanted(f"{core}·实付利息", "金额", "元", True, "贴息的贷款一年内实际支付的利息")
    else:
        return None
    return _form(f"{new.name}[Y]", entry, {new.name: new}, upto) if new else None


_REDUCED = re.compile(
    r"减按(?P<r>15|20|10)%(?:的)?税率征收企业所得税|企业所得税减按(?P<r2>15|20|10)%(?:的)?税率?征收"
)
_TAXES = re.compile(
    r"(?P<n>企业所得税|个人所得税|增值税|房产税|城镇土地使用税|印花税|契税|土地增值税|车船税|水利建设基金|城市维护建设税|教育费附加)"
)


def _tax(entry: Entry, said: str, sentence: str, core: str, proposer: Proposer) -> Reckoned | None:
    """减税: what a lower rate or half of the tax spares."""
    if m := _REDUCED.search(said):
        spared = 25 - int(m["r"] or m["r2"])
        return Reckoned({"amount": f"应纳税所得额[Y] * {spared}%"}, {}, "应纳税所得额[Y]")
    if "减半征收" in said:
        return _spared(said, 0.5)
    return None


def _spared(said: str, share: float) -> Reckoned | None:
    """免征、减半: the tax that would be due, or half of it; one tax only."""
    names = list(dict.fromkeys(m["n"] for m in _TAXES.finditer(said)))
    if len(names) != 1 or not re.search(r"免征|减半", said):
        return None
    if re.search(r"暂|部分|其中|以内|年", said):
        return None
    new = wanted(f"应缴{names[0]}", "金额", "元", True, f"不享受优惠时本应缴纳的{names[0]}")
    if new is None:
        return None
    part = f"{new.name}[Y]" if share == 1 else f"{new.name}[Y] * {share * 100:g}%"
    return Reckoned({"amount": part}, {new.name: new}, f"{new.name}[Y]")


# ---------------------------------------------------------------- so much for each


def _per_unit(entry: Entry, core: str, each: bool) -> Reckoned | None:
    """每…元: a sum for each person, piece or month, times their number; a row that is one person needs none."""
    per = re.sub(r"(?:奖励?|再|的.*|给予?|补贴?|资助)+$", "", str(entry.get("per", "")))
    unit = _UNITS.get(per, per)
    thing = ""
    if m := re.fullmatch(r"(?P<u>个|件|项|台|套|种|家|户|间|亩|吨|场|名)(?P<t>[\u4e00-\u9fa5]{2,8})", per):
        unit, thing = m["u"], m["t"]
    if kinds.canonical_unit(unit) not in map(kinds.canonical_unit, kinds.COUNT_UNITS):
        return None
    if not core:
        return None
    amount = yuan(float(entry["amount"]))
    if each and unit in ("人", "名"):
        return Reckoned({"amount": amount})
    if each and unit == "人月":
        new = wanted(f"{core}·月数", "数量", note="这个人可补的月数")
    else:
        stem = f"{core}·{thing}" if thing else f"{core}·{unit}"
        new = wanted(f"{stem}数", "数量", kinds.canonical_unit(unit), note=f"条文按每{per}计")
    if new is None:
        return None
    return Reckoned({"amount": f"{new.name} * {amount}"}, {new.name: new}, new.name)
