"""读时间: spells and days of other things than the enterprise's founding: contracts, graduation, retirement, dated events.

A day the dictionary lacks is proposed under the words of the text (授权公告日 → 授权公告日期).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .facts import Fact, Found, Leaf, Lexicon, leaf
from .quantities import DATE, date_of, number
from .wanted import wanted

_N = r"(?P<n>[一二三四五六七八九十两]{1,3}|\d{1,2})(?:个)?(?P<u>年|月)"
_UP = r"(?:（含[^）]{0,6}）)?(?:及?以上)(?:（含[^）]{0,6}）)?"
_CONTRACT = re.compile(
    rf"(?:并)?(?:与(?:用人单位|单位|企业|其|劳动者|职工|员工)?)?(?:依法)?签订(?:了)?{_N}期?{_UP}(?:期限)?(?:的)?(?:劳动|劳动（聘用）|聘用|劳动（或聘用）)合同(?:期限)?"
)
_GRADUATED = re.compile(rf"(?:毕业|离校){_N}(?:之|以)?内")
_RETIRING = re.compile(
    rf"距(?:离)?(?:其)?法定退休年龄(?P<less>不足)?{_N}(?P<t>以内|之内|内|以上)?(?:（含[^）]{{0,4}}）)?"
)
_INSURED = re.compile(
    rf"(?:连续|已连续)(?:正常)?(?:缴纳|参加|购买|缴存)(?:城镇)?(?:职工)?(?:基本)?(?:养老)?(?:社会保险费?|社保|养老保险费?)(?:已)?满?{_N}(?P<s>及?以上)?"
)


def spells(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """期限: how long a contract runs, how long ago somebody graduated, how near retirement is, how long insurance was paid."""
    for m in _CONTRACT.finditer(text):
        span = _span(m)
        if span:
            one = Leaf(
                f"劳动合同终止日期 >= 劳动合同起始日期 + {span} - 1天",
                {"劳动合同起始日期": "2000-01-01", "劳动合同终止日期": "2099-12-31"},
                {"劳动合同起始日期": "2000-01-01", "劳动合同终止日期": "2000-01-31"},
            )
            yield Found(m.start(), m.end(), Fact((one,)))
    for m in _GRADUATED.finditer(text):
        if span := _span(m):
            one = leaf(f"毕业日期 >= 申报开始 - {span}", "毕业日期", "OPENS", "1990-01-01")
            yield Found(m.start(), m.end(), Fact((one,)))
    for m in _RETIRING.finditer(text):
        span, within = _span(m), m["t"] in ("以内", "之内", "内")
        if not span or (not m["less"] and not m["t"]) or (m["less"] and m["t"]):
            continue
        op = "<" if m["less"] else "<=" if within else ">="
        near, far = "OPENS", "2099-12-31"
        new = wanted("法定退休日期", "日期", note="按出生日期和退休规定推定")
        holds, fails = (far, near) if op == ">=" else (near, far)
        one = leaf(f"法定退休日期 {op} 申报开始 + {span}", "法定退休日期", holds, fails, new=new)
        # Who is within years of retirement has not reached it.
        still = leaf("法定退休日期 >= 申报开始", "法定退休日期", near, "1990-01-01", new=new)
        yield Found(m.start(), m.end(), Fact((one,) if op == ">=" else (still, one)))
    for m in _INSURED.finditer(text):
        n = number(m["n"])
        if n is not None and ("满" in m.group() or m["s"]):
            months = int(n) * (12 if m["u"] == "年" else 1)
            one = leaf(f"连续参保月数 >= {months}", "连续参保月数", str(months), str(months - 1))
            yield Found(m.start(), m.end(), Fact((one,)))


def _span(m: re.Match[str]) -> str:
    n = number(m["n"])
    return "" if n is None else f"{int(n)}{'年' if m['u'] == '年' else '个月'}"


# ---------------------------------------------------------------- dated events

_TIL = r"(?:（[^）]*）)?(?:起)?(?:至|到|-|—|～|~)"
_DAY_NOUN = re.compile(
    r"(?P<n>[\u4e00-\u9fa5]{2,12}?)(?P<e>日期|时间|日)(?:应|须|需)?(?:在|为|是|于|介于)?(?:自)?$"
)
_VERBS = r"签订|授权|获得授权|取得|购置|采购|开工|竣工|投产|备案|发布|举办|开业|开设|新开设|引进|完成|发生|销售|成交|进口|出口|认定|通过|获批|放款|发放|支付|缴纳"
_BEHIND = re.compile(
    rf"^(?:期间|之间|内|以后|之后|后|起|及以后|及之后)*(?:（含[^）]{{0,4}}）)?(?:及?以后|之后)?(?:首次)?(?P<v>{_VERBS})(?:的)?(?P<n>[\u4e00-\u9fa5]{{2,12}})?$"
)


def dated(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """日期条件: a day in a window (授权公告日在…至…期间), or of something done in it (…期间签订贷款合同)."""
    if re.search(r"不|未|除外|发票", text):
        return
    for part in re.finditer(r"[^，；。\0]+", text):
        said = part.group()
        found = _window(said)
        if found is None:
            continue
        low, high, a, b = found
        name = _day_name(said[:a], said[b:])
        if not name:
            continue
        new = None if name in lexicon.dictionary else wanted(name, "日期")
        if name not in lexicon.dictionary and new is None:
            continue
        bad_low, bad_high, good = "1990-01-01", "2099-12-31", low or high
        facts = []
        if low:
            facts.append(leaf(f"{name} >= {low}", name, good, bad_low, new=new))
        if high:
            facts.append(leaf(f"{name} <= {high}", name, good, bad_high, new=new))
        yield Found(part.start(), part.end(), Fact(tuple(facts), score=0.88))


def _window(said: str) -> tuple[str, str, int, int] | None:
    """(first day, last day, start, end) of the only days a part tells; "" where a side is open; whole days only."""
    days = list(DATE.finditer(said))
    if not days or len(days) > 2:
        return None
    first = date_of(days[0])
    if not first or len(first) != 10:
        return None
    start, end = days[0].start(), days[0].end()
    tail = said[end:]
    if len(days) == 2:
        last = date_of(days[1])
        if not re.fullmatch(_TIL, said[end : days[1].start()]) or not last or len(last) != 10:
            return None
        return first, last, start, days[1].end()
    short = re.match(rf"{_TIL}(?P<m>\d{{1,2}})月(?P<d>\d{{1,2}})日", tail)
    if short:
        last = date_of(short, int(first[:4]))
        return (first, last, start, end + short.end()) if last else None
    after = re.match(
        r"(?:（含[^）]{0,4}）)?(?P<w>及之?后|及以后|以后|之后|起|及之前|及以前)(?:（含[^）]{0,4}）)?", tail
    )
    if after is None:
        return None
    if "前" in after["w"]:
        return "", first, start, end + after.end()
    if after["w"] in ("之后",) and "含" not in after.group():
        return None  # with that day, or without?
    return first, "", start, end + after.end()


_THING = re.compile(
    r"(?:合同|协议|设备|装备|专利|专利申请|软件|项目|店|产品|贷款|证书|资质|车辆|船舶|生产线|展会|活动|股权|债券|订单|房产|厂房|用房)$"
)


def _day_name(before: str, behind: str) -> str:
    before = re.sub(r"^(?:申报|该|其|对|凡|须|应)+|(?:自|从|在|于)$", "", before)
    m = _DAY_NOUN.fullmatch(before + ("在" if not before.endswith(("在", "为", "是", "于")) else ""))
    rest = re.sub(r"^(?:期间|之间|内)*(?:的)?", "", behind)
    if (
        m
        and re.fullmatch(r"(?:国内|境外)?[\u4e00-\u9fa5]{0,10}", rest)
        and not re.search(r"的|且|或|和|如下|下列", m["n"] + rest)
    ):
        return f"{rest}{m['n']}日期"
    v = _BEHIND.match(behind)
    if v and not before:
        noun = v["n"] or ""
        if not _THING.search(noun) or re.search(r"[在的与或和]|企业", noun):
            return ""
        verb = v["v"].removeprefix("获得").removeprefix("新")
        return f"{noun}{verb}日期" if noun else ""
    return ""
