"""奖补数字: which quantities of a clause are money a firm gets, at what rate, up to what cap; the rest are thresholds."""

from __future__ import annotations

import re

import numpy as np

from .cues import words_of
from .quantities import Quantity, quantities

KEYS = ("amount", "rate", "cap", "none")

VERB = r"给予|予以|给与|奖励|奖补|补[贴助]|资助|扶持|支持|发放|贴息|返还|奖金|减免|减[按征缴免]|免[费收征]|加计|摊销|补偿|配套|兑付|领取|享受|抵扣|承担|保费"
_RULES: tuple[tuple[str, str, str], ...] = (
    # name, what stands before (end-anchored), what stands behind (start-anchored)
    ("b_cap", r"(?:最高|不超过|上限|封顶|至多|最多|不高于|为限|以内)[^，。；、]{0,10}$", r""),
    ("b_top", r"最高(?:可)?(?:不超过|为|达|给予|补[贴助]|奖励|资助|支持)?$", r""),
    ("b_nomore", r"(?:不超过|不得超过|不高于)(?:[^，。；]{1,16}的)?$", r""),
    (
        "b_least",
        r"(?:不低于|不少于|不得低于|达到?|满|超过|高于|大于|低于|不足|不满|少于|小于)(?:[^，。；\d]{0,8})?$",
        r"",
    ),
    ("b_ratio", r"(?:比例|占比|比重)(?:原则上|一般|最高)?(?:为|不超过|不高于|达到)?$", r""),
    ("b_verb", rf"(?:{VERB})[^，。；\d]{{0,14}}$", r""),
    ("b_each", r"每[^，。；\d]{1,8}$", r""),
    ("b_standard", r"(?:标准|金额|额度|总额|限额|上限)(?:为|是)?[^，。；\d]{0,6}$", r""),
    ("b_by", r"(?:按|按照|照|参照)[^，。；]{0,40}$", r""),
    ("b_apart", r"分别[^，。；]{0,30}$", r""),
    ("b_list", r"(?:元|%)(?:/[^，、]{1,4})?(?:、|和|或|及|，)$", r""),
    (
        "b_income",
        r"(?:收入|产值|销售额|投资|投入|税收|纳税额?|利润|营业额|所得额|注册资本|资产|出口额|贡献|费用|工资|增长|股)[^，。；\d]{0,8}$",
        r"",
    ),
    ("b_fund", r"(?:基金|规模|资金|预算|设立|安排|总规模|首期|授信)[^，。；\d]{0,8}$", r""),
    ("b_more", r"(?:再|另|额外|追加|提高|增加)[^，。；\d]{0,8}$", r""),
    ("b_yearly", r"(?:每年|年度|累计|单个|同一|每个|每家|合计|总额)[^，。；\d]{0,16}$", r""),
    ("b_zero", r"^$", r""),
    ("f_above", r"", r"^(?:（[^）]*）)?(?:及?以上|及?以下|及?以内)"),
    ("f_to", r"", r"^(?:（[^）]*）)?(?:至|-|—|到)"),
    ("f_give", r"", rf"^(?:的|/[^，]{{1,4}})?[^，。；\d]{{0,12}}(?:{VERB})"),
    ("f_limit", r"", r"^(?:的)?(?:上限|为上限|为限|封顶)"),
    ("f_per", r"", r"^/(?:[^，。；]{1,6})"),
    ("f_list", r"", r"^(?:、|和|或|及)\d"),
    ("f_half", r"", r"^的?(?:比例|标准)"),
    ("f_fund", r"", r"^的?(?:规模|基金|引导|专项|授信|信贷)"),
    ("f_end", r"", r"^(?:[，。；、]|$)"),
    ("f_ofwhat", r"", r"^(?:的)(?:企业|单位|项目|机构|个人)"),
)
_COMPILED = tuple((n, re.compile(b) if b else None, re.compile(f) if f else None) for n, b, f in _RULES)


def mentions(flat: str) -> list[Quantity]:
    """候选数字: money and rates of a squeezed clause."""
    return [q for q in quantities(flat) if q.kind in ("money", "percent") and not in_formula(flat, q)]


def in_formula(flat: str, q: Quantity) -> bool:
    """算式中: a factor or addend of a worked example; what stands behind = is its result and counts."""
    if re.search(r"=$", flat[: q.start]):
        return False
    return bool(
        re.match(r"(?:/[^，。；×+=]{1,4})?[×*+÷=]", flat[q.end :])
        or re.search(r"[×*+÷（](?<!（)$", flat[: q.start])
    )


_CHAIN = re.compile(
    r"^(?:/[^，。；、]{1,3})?(?:的|给予)?[^，。；：\d%]{0,6}(?:、|和|或者?|及|与|以及)[^，。；：\d]{0,16}$"
)


def chained(flat: str, one: Quantity, two: Quantity) -> bool:
    """并列: whether `two` carries on the list that `one` stands in (分别给予 A、B 和 C)."""
    return one.kind == two.kind and bool(_CHAIN.match(flat[one.end : two.start]))


def mention_features(
    flat: str, q: Quantity, others: list[Quantity], roles: dict[str, float], heading: str
) -> dict[str, float]:
    """数字特征: the words and set phrases around a quantity, and what kind of clause it stands in."""
    left, right = flat[: q.start], flat[q.end :]
    near = re.split(r"[，。；：]", left)[-1]
    out: dict[str, float] = {f"kind:{q.kind}": 1.0, f"unit:{q.unit}": 1.0}
    if q.is_range:
        out["range"] = 1.0
    fired = []
    for name, before, behind in _COMPILED:
        if (before is None or before.search(left)) and (behind is None or behind.search(right)):
            fired.append(name)
    out |= {f"rule:{n}": 1.0 for n in fired}
    out |= {f"{q.kind}:{n}": 1.0 for n in fired}
    out |= {f"both:{a}+{b}": 1.0 for a in fired for b in fired if a < b}
    for name, text in (("near", near), ("next", re.split(r"[，。；：]", right)[0])):
        for verb in re.findall(
            VERB + r"|最高|不超过|不低于|达到|以上|超过|每年|累计|分别|按|比例|标准|利率|税率|费率", text
        ):
            out[f"{name}:{verb}"] = 1.0
    words = words_of(left[-16:])[-3:]
    out |= {f"l{i}:{w}": 0.5 for i, w in enumerate(reversed(words))}
    out |= {f"r{i}:{w}": 0.5 for i, w in enumerate(words_of(right[:12])[:2])}
    index = others.index(q)
    if index and chained(flat, others[index - 1], q):
        first = others[index - 1]
        head = flat[: first.start]
        out |= {f"chain:{n}": 1.0 for n, b, _ in _COMPILED if b is not None and b.search(head)}
    out[f"place:{min(index, 2)}"] = 1.0
    if re.search(VERB, left):
        out["verb_before"] = 1.0
    if re.search(VERB, right):
        out["verb_behind"] = 1.0
    out |= {f"role:{name}": float(s) for name, s in roles.items() if s > 0.05}
    if re.search(r"标准|额度|金额|奖|补|支持|资助", heading):
        out["head:gives"] = 1.0
    if q.kind == "money":
        out[f"size:{len(str(int(q.high)))}"] = 0.5
    return out


_CEILING = re.compile(r"最高|上限|限额|不超过|封顶|至多")
_EACH = re.compile(
    r"每(?:人|家|户|个|件|亩|台|套|名|生|位|篇|场)(?:每[月年次天])?(?:补[贴助]|奖励|资助|给予)?$|(?:补[贴助]|奖励|资助|费)标准(?:为|是)$"
)
_STEP = re.compile(r"(?:以上|含|元)(?:至|到|-|—)$")
_LIMIT_OF = re.compile(
    r"(?:利润|所得额|收入|销售|产值|投资|资产|税)[^，。]{0,6}(?:不超过|低于|不高于)[^，。\d]{0,4}$"
)
_PAID_OUT = re.compile(
    r"应(?:奖励|补[贴助]|兑现)额|(?:分|按)[^，。]{0,8}(?:阶段|期|批)[^，。]{0,14}(?:拨付|兑现|发放|奖励)|首期|尾款|预拨"
)
_SHARE = re.compile(
    r"(?:支持|补[贴助]|资助|奖[励补]|贴息|返还)(?:的?比例|率)(?:原则上|一般|最高|均|为|是|达到?|不超过|不高于)*$"
)
_THRESHOLD = re.compile(r"^(?:（[^）]*）)?(?:及?以[上下]|以内)")


def corrected(flat: str, found: list[Quantity], scores: np.ndarray) -> np.ndarray:
    """改判: keys that the words fix beyond doubt, over what the model thinks; scores: mentions × KEYS."""
    out = scores.copy()
    for n, _q in enumerate(found):
        key = _fixed(flat, found, n, KEYS[int(out[n].argmax())], out)
        if key is not None:
            out[n] = [0.9 if k == key else 0.02 for k in KEYS]
    alike = [n for n, q in enumerate(found) if q.kind == "money" and _priced(flat, q)]
    if len(alike) > 1 and any(KEYS[int(out[n].argmax())] == "amount" for n in alike):
        for n in alike:
            out[n] = [0.9 if k == "amount" else 0.02 for k in KEYS]
    return out


_NO_NOUN = re.compile(
    r"以[上下内]|超过|不低|不少|达|满|突破|高于|最高|每|按|收入|投资|产值|规模|总额|资本|资金|税|费|销售|利润|资产|额"
)


def _priced(flat: str, q: Quantity) -> bool:
    """Whether a number stands bare behind who gets it (博士30万元，硕士10万元)."""
    near = re.split(r"[，。；：、]", flat[: q.start])[-1]
    who = re.fullmatch(r"[\u4e00-\u9fff“”]{2,12}", near) and not _NO_NOUN.search(near)
    return bool(who and re.match(r"[，。；、]|$", flat[q.end :]))


# What stands under a head of a table that names what is paid (奖励标准：20万元, 标准（元/月）：2000).
_HEADED = re.compile(
    r"(?:^|[，])(?:(?:奖励|补[贴助]|资助|扶持|支持|最高)?(?:标准|金额|额度)|奖励|补[贴助]|资助)(?:（[^）]{1,8}）)?：$"
)
# What something costs, by an estimate (每亩投入茶苗款1500元, 投资概算为…).
_COSTS = re.compile(r"概算|(?:每亩|每户|共|预计)投入[^，。；：]{0,8}$")
_REACHES = re.compile(r"(?:突破|超过|(?<!未)达到?|(?<![不未])满|高于|不低于|不少于)(?:人民币)?$")
# A share of the staff that must be reached (新招用人数占现有在职职工人数比例10%).
_OF_STAFF = re.compile(
    r"占[^，。；]{0,20}(?:人数|职工|员工|总数)[^，。；补奖资助]{0,4}(?:比例|比重)?(?:达到?|不低于|为|的)?$|人[^，。；补奖资助]{0,8}占比$"
)
_WHO_REACHES = re.compile(r"^(?:（[^）]*）)?(?:及?以上)?(?:（[^）]*）)?的|^[，；]?(?:给予)?分别|^，?且")


def _reached(flat: str, found: list[Quantity], n: int) -> bool:
    """Whether a number stands in a list of steps to be reached (首次突破1亿元、5亿元、10亿元的企业)."""
    first, last = n, n
    while first and chained(flat, found[first - 1], found[first]):
        first -= 1
    while last + 1 < len(found) and chained(flat, found[last], found[last + 1]):
        last += 1
    steps = found[n].kind == "money" and bool(_REACHES.search(flat[: found[first].start]))
    return last > first and steps and bool(_WHO_REACHES.match(flat[found[last].end :]))


def _fixed(flat: str, found: list[Quantity], n: int, now: str, scores: np.ndarray) -> str | None:
    q = found[n]
    left, right = flat[: q.start], flat[q.end :]
    near = re.split(r"[，；。：]", left)[-1]
    if (
        re.match(r"例如|比如|举例", flat)
        or (_STEP.search(left) and q.kind == "money")
        or _PAID_OUT.search(near)
    ):
        return "none"
    if q.kind == "money" and now != "none" and _COSTS.search(near):
        return "none"
    if q.kind == "money" and now == "none" and _HEADED.search(left):
        return "cap" if _CEILING.search(left[-14:]) else "amount"
    if _reached(flat, found, n) or (q.kind == "percent" and _OF_STAFF.search(near)):
        return "none"
    if n and chained(flat, found[n - 1], q):
        before = KEYS[int(scores[n - 1].argmax())]
        if before in ("cap", "amount", "rate") and not _THRESHOLD.match(right):
            return before
    if q.kind == "money" and now == "amount" and _CEILING.search(near):
        return "cap"
    if q.kind == "money" and now == "none" and _EACH.search(left) and not _THRESHOLD.match(right):
        return "amount"
    if q.kind == "percent" and now == "none" and _SHARE.search(left) and not _THRESHOLD.match(right):
        return "rate"
    if now == "cap" and _LIMIT_OF.search(left) and re.match(r"的|）", right):
        return "none"
    return None
