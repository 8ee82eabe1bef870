"""事项名称: a short name for an item: its own heading, else what triggers it and what it gives, in whole words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.text import tokens
from policies.segment import field_of

from .columns import row_name
from .model import Item
from .pieces import Reading
from .spans import body_of

LONGEST = 24
# Characters that a name is made from: a text of 3,000 that repeats itself quotes two million.
LOOKED_AT, MOST_GIVEN = 400, 4000
# What is given, the narrower name first: 社会保险补贴 says more than 补贴.
_GIVEN = r"奖励|奖补|补贴|补助|资助|贴息|津贴|救助|补偿|奖金"
_NAMED = re.compile(
    r"(?:社会保险|社保|养老保险|医疗保险|岗位|职业培训|培训|职业技能提升|租金|租房|租赁|住房|交通|生活费?|安家|见习|实习|求职创业|创业|扩岗|就业|落户|"
    r"场地|场租|物业|装修|展位|利息|保费|担保费?|运费|研发|设备|学费|年费|用工|留用|医疗|风险|贷款|认定|上市|税收)"
    rf"(?:{_GIVEN})(?!对象|资金|范围|条件|办法)"
)
_NOUNS: tuple[tuple[str, str], ...] = (
    (_GIVEN, ""),
    (r"加计扣除", "加计扣除"),
    (r"摊销|税前扣除", "税前扣除"),
    (r"即征即退|先征后退", "即征即退"),
    (r"退[税还]|返还", "返还"),
    (r"减半|减免|减按|减征|减缴|免[征收缴交除费]|不征收?", "减免"),
    (r"低利率|贷款", "贷款"),
    (r"担保", "担保"),
    (r"公寓|住房|租房|安置", "住房支持"),
    (r"落户|入户|户籍|居留|居住证", "落户支持"),
    (r"颁发|授予|认定|命名|入库|备案", "认定"),
    (r"培训", "培训支持"),
    (r"税收|所得税|增值税|纳税|征税", "税收优惠"),
    (r"土地|用地|出让|划拨", "用地支持"),
    (r"通关|便利|绿色通道|一站式", "便利服务"),
    (r"资金|经费|拨款|拨付", "资金支持"),
    (r"待遇", "待遇"),
    (r"服务|指导", "服务"),
    (r"优先|推荐", "优先支持"),
)
_HEAD = r"(?:企业|单位|机构|个人|项目|人员|申请人|者)"
# Conditions that say best what an item is about come first; who may apply at all and until when say least.
_TELLING = {
    "event": 0,
    "status": 1,
    "industry": 2,
    "numeric": 3,
    "manual": 4,
    "time": 5,
    "credit": 6,
    "place": 7,
}
_FRONT = re.compile(
    r"^(?:符合条件的|的|对于?|包括|可以?申[请领]|按照规定|允许|所(?=[取购])|连同|（最新）|申报(?=\d{4}年)|凡是?|其中|同时|被(?=[评认])|经(?=[^营济贸常费])|当年|年度|上一?年度|本条|上述|其(?![他余])|该|如(?=符合|属于?|有)|已|由|因|为(?=[^，]{2,}(?:提供|开发|从事))|将于?|"
    r"[、，]|(?:自|从)?\d{4}年(?:、\d{4}年)*度?(?:\d{1,2}月)?(?:\d{1,2}日)?(?:起|以来|以后|之?后|至[^，。的]{2,12}[日止])?，?|[一二三四五六]是|(?:按照|根据|符合)(?=[^条件]{0,12}(?:规定|要求)))+"
)
# What opens in what opened is a turn of its own: else a row of brackets could be taken apart in endless ways.
_TAIL = re.compile(
    rf"(?:(?<!目)的{_HEAD}?|(?<!目)的|[、，/和及与或且并在为由按将对]|(?<![导方面取走去])向|(?<!服)从|以及|或者|[（(“《][^（(“《）)”》]*|(?<![小及临限])时|(?<=》)内|"
    r"(?:应当?|须|可以?)?(?:每月|每年)?(?:向[^，的]{2,8})?提供|从事(?:为期[^，]{1,4}年)?|为期[^，]{1,4}年)+$"
)
# By whom one is recognised says less than as what (被甲、乙部门评定为某某载体).
_BY_WHOM = re.compile(r"^(?:被|经)[^，。；]{2,40}?(?=(?:授予|评定为|认定为|评为|评选为|确定为|命名为))")
_STOP = re.compile(r"[，。；：:！？|*\[\]→]")
# What starts so limits, reckons or leads on; it names no item.
_LIMITS = re.compile(
    r"最[长高多]|累计|合计|期限|(?:补[贴助]|资助|贷款|奖励|支持)(?:期限|标准|比例|额度|资金|金额|面积|时间|年限|人数)|额度|每[人家个年月]|单个|同一|不超过|以(?!上|下|内)|可(?!再生)|给予|享受|"
    r"依据|参[照考]|按|根据|专项用于|主要用于|原则上|无论|申[请报]时|用人单位$"
)
# A ceiling, or what is given beside, names no item either; nor does what everybody has to do (缴纳社会保险).
_BESIDE = re.compile(
    r"(?:支持|资助|补[贴助])?(?:额度|比例|金额|标准)?(?:原则上|一般)?(?:最[长高多])?(?:不超过|不高于)|最[高长多]|优先|给予|予以"
)
# What the office means to bring about says less than what somebody has done.
_AIMED = re.compile(
    r"(?:大力|积极|着力|持续)?(?:打造|推动|推进|加快|促进|提升|构建|优化|强化|加强|营造|做大|做强|激发)"
)
_USUAL = re.compile(
    r"社会保险|社保|劳动合同|纳税|审计|法人资格|独立法人|应当|必须|不得|应(?=[建按依接遵具提])"
)
_EMPTY = re.compile(
    rf"(?:在[^，]{{2,20}}的?基础上|符合(?:本|上述|以下|下列|相关|申请|申报|规定)?[^，]{{0,6}}条件|{_HEAD}|本[^，]{{0,4}}|申[请报]{_HEAD}?|[\d.,%％年月日元万—-]+|满足[^，]{{0,6}}条件|"
    rf"[^，]{{0,8}}(?:期间|当年起|之日起)|(?:认定|核实|审核|验收|竣工|公示|确认)(?:通过|合格)?(?:之?后)?|(?:在|于)[^，]{{1,8}}[省市区县镇乡内])(?:的{_HEAD}?)?"
)


def name_items(reading: Reading, items: Sequence[Item], places: Mapping[int, str] | None = None) -> None:
    """起名: every item gets a title of about 24 characters in whole words, told apart where two would be the same; `places`
    that lead an item's line are said in its name."""
    counts: dict[int, int] = {}
    for i in items:
        for heading in _headings(reading, i):
            counts[heading] = counts.get(heading, 0) + 1
    for i in items:
        own = "" if i.title_only else _row_name(reading, i) or _own_heading(reading, i, counts)
        i.title = _with_given(own, i) if own else _made(reading, i)
    for n, place in (places or {}).items():
        if place not in items[n].title:
            items[n].title = f"{items[n].title}（{place}）"
    taken: dict[str, list[Item]] = {}
    for i in items:
        taken.setdefault(i.title, []).append(i)
    for title, same in taken.items():
        if len(same) > 1:
            _tell_apart(title, same)


def _row_name(reading: Reading, item: Item) -> str:
    return shortened(row_name(reading.views[item.pieces[0].clause]), LONGEST)


def _headings(reading: Reading, item: Item) -> tuple[int, ...]:
    c = reading.clauses[item.clauses[0]]
    return c.headings + ((c.number,) if c.heading and c.last is False else ())


def _own_heading(reading: Reading, item: Item, counts: dict[int, int]) -> str:
    for heading in reversed(_headings(reading, item)):
        if counts.get(heading, 0) != 1:
            return ""
        if body := _subject(reading, heading - 1):
            return body
    return ""


def _with_given(heading: str, item: Item) -> str:
    """A heading that names only a subject (稳定就业), with the named thing that is given under it."""
    given = _NAMED.search(_plain("".join(b["quote"] for b in item.benefits)))
    if not given or item.title_only or re.search(rf"{_GIVEN}|支持|鼓励|扶持|贷款|[？?]", heading):
        return heading
    said = _named(heading, given.group())
    return said if len(said) <= LONGEST else heading


def _subject(reading: Reading, k: int) -> str:
    """What a heading names, where it is short enough to be a name."""
    flat = reading.views[k].flat
    body = flat[body_of(flat)[0] :].rstrip("。：:；")
    if re.search(r"[？?]$|是什么$|有哪些$", body):
        body = _ASKS.split(body)[0]
    if "，" in body or "|" in body or not _balanced(body) or _ONLY_EVENT.fullmatch(body):
        return ""
    if re.search(r"(?:以下|下列|如下|上述)(?:条件|情形|要求|标准)", body):
        return ""  # a lead over conditions, not what something is called
    return body if 3 <= len(body) <= LONGEST and not field_of(body) else ""


# What happens, without to what (重新认定): no name for an item.
_ONLY_EVENT = re.compile(
    r"(?:首次|初次|重新|再次|继续|年度|新)*(?:认定|申[请报]|备案|入库|评[定选估审]|获批|通过|考核|落户|新增|晋级|复[审核评]|升级|迁入|设立|建设|改造)(?:类|的)?"
)
# A question names its subject before it asks (某某贷款最高可以申请多少额度？).
_ASKS = re.compile(
    r"的?(?:申[请报])?(?:条件|标准|对象|流程|材料|额度)?(?:有|是|包括|分别|最高|最多|最长|每次|可以|如何|怎[么样]|应当|需要|能|由)|哪些|什么|多少|[？?]"
)


def _made(reading: Reading, item: Item) -> str:
    given = _plain("".join(b["quote"] for b in item.benefits)[:MOST_GIVEN])
    if item.title_only:
        told = [re.sub(r"^可以?申[请报领]", "", _STOP.split(_plain(b["quote"]))[0]) for b in item.benefits]
        room = LONGEST - len(told[-1]) - 2
        if len(told) == 2 and room >= 4:
            return f"{shortened(told[0], room)}（{told[-1]}）"
        return shortened(told[-1], LONGEST)
    if led := _led(reading, item):
        return _named(led, _noun(given))
    noun = _noun(given) or next(
        (n for h in reversed(_headings(reading, item)) if (n := _noun(reading.views[h - 1].flat))), ""
    )
    for said in _triggers(reading, item):
        if (noun and noun in said) or (noun.endswith("认定") and "认定" in said):
            return shortened(said, LONGEST)
        calls = said.startswith(("支持", "鼓励", "奖励", "扶持"))
        if short := shortened(said, LONGEST - len(noun or "支持")):
            return _named(short, noun or ("" if calls else "支持"))
    heads = (body for h in reversed(_headings(reading, item)) if (body := _subject(reading, h - 1)))
    if body := next(heads, ""):
        body = shortened(body, LONGEST - len(noun))
        return body if body.startswith(("支持", "鼓励", "奖励", "扶持")) else _named(body, noun)
    said = _STOP.split(given)[0]
    if (m := _HANDED.search(said)) and _LIMITS.match(said):
        return m["x"]  # 按贷款实际利率的一定比例给予财政贴息: what is handed out, not how it is reckoned
    return shortened(_FRONT.sub("", said), LONGEST) or noun or "扶持事项"


_HANDED = re.compile(r"(?:给予|予以|享受|发放)(?:一次性)?(?P<x>[^，。；\d%％]{3,12})$")


_LED = re.compile(r"(?P<x>[^，。；：:\d]{2,16}(?:项目|类|奖|平台|工程|基地|计划|活动|方向))[，：:]")


def _led(reading: Reading, item: Item) -> str:
    """What a point names before it says what is given for it (整体改造项目，按…给予补助)."""
    flat = reading.views[item.clauses[0]].flat
    m = _LED.match(flat[body_of(flat)[0] :])
    if (
        m is None
        or not _balanced(m["x"])
        or _FRONT.match(m["x"])
        or re.search("获|的|新|支持|鼓励|给予", m["x"])
    ):
        return ""
    return m["x"]


def _named(body: str, noun: str) -> str:
    """A phrase with what it gives behind it, said once (…培训 and 培训支持)."""
    if noun in body or re.search(rf"(?:{_GIVEN})$", body):
        return body
    if body.endswith("奖") and noun.startswith("奖") and not re.search("[获得]", body):
        return body  # what is given is itself called a prize (包车奖)
    return body + (noun[2:] if len(noun) > 2 and body.endswith(noun[:2]) else noun)


def _triggers(reading: Reading, item: Item) -> list[str]:
    """The conditions of an item in the order in which they tell what it is about, as plain phrases."""
    first = min((reading.views[p.clause].span(p.a, p.b)[0] for p in item.pieces), default=0)
    own = {reading.clauses[k].start: reading.clauses[k].end for k in item.clauses}

    found = []
    for c in item.conditions:
        quote = _BY_WHOM.sub("", _plain(c["quote"]))
        said = _TAIL.sub("", _STOP.split(_BY_WHOM.sub("", _FRONT.sub("", quote)))[0])
        said = _BESIDE.split(re.sub(r"(?<=[^，]{4})(?:之?后|时)$", "", said))[0]
        if len(said) < 3 or _LIMITS.match(said) or _EMPTY.fullmatch(said) or not _balanced(said):
            continue
        at = c.get("start", 0)
        inside = any(a <= at < b for a, b in own.items())
        if not inside and c.get("kind") in ("credit", "place", "manual"):
            continue
        telling = _TELLING.get(str(c.get("kind")), 4) + 2 * (len(said) < 7) + 3 * bool(_USUAL.search(said))
        telling += 4 * bool(_AIMED.match(said))
        found.append((not inside, telling, abs(first - at), said))
    return [said for *_, said in sorted(found)]


def _plain(quote: str) -> str:
    return re.sub(r"\s+", "", quote)


def _noun(given: str) -> str:
    """What an item gives, in one word; "" where the words don't say it."""
    if m := _NAMED.search(given):
        return m.group()
    for pattern, name in _NOUNS:
        if m := re.search(pattern, given):
            return name or m.group()
    return "支持" if re.search("支持|扶持", given) else ""


def shortened(text: str, room: int) -> str:
    """截短: as many whole words of a text as have room, without what dangles at the end."""
    text = text[:LOOKED_AT]
    kept = _TAIL.sub("", text)
    if len(kept) <= room:
        return kept
    if (short := _at_joint(kept, room)) is not None:
        return short
    end, at = 0, 0
    for word in tokens(text):
        found = text.find(word, at)
        if found < 0:  # a number, or a sign that the words fold
            continue
        if found + len(word) > room:
            break
        end = at = found + len(word)
    while end and re.match(r"[\d.]", text[end : end + 1]) and re.search(r"[\d.]$", text[:end]):
        end -= 1
    return _TAIL.sub("", text[:end])


_COMPARED = re.compile(
    r"(?:均|已|须|应)?(?:不低于|不少于|不超过|不高于|达到|超过|低于|高于|大于|小于|多于|少于|不足)"
)


def _at_joint(text: str, room: int) -> str | None:
    """A long phrase up to where its grammar allows a stop: before a comparison, behind a member of a list (甲、乙等), before
    the noun it describes; None where it has no such joint with enough before it."""
    for m in _COMPARED.finditer(text):
        if 6 <= m.start() <= room and _balanced(text[: m.start()]):
            return _TAIL.sub("", text[: m.start()])
    for pattern, behind in ((r"、|[和或及]|以及|或者", "等"), (r"的", "")):
        ends = [m.start() for m in re.finditer(pattern, text) if 6 <= m.start() <= room - len(behind)]
        fit = [e for e in ends if _balanced(text[:e]) and tokens_end(text, e)]
        if fit:
            kept = text[: fit[-1]]
            return kept.rstrip("的、，") + behind if behind else _TAIL.sub("", kept)
    return None


def tokens_end(text: str, at: int) -> bool:
    """词界: whether a word of a text ends at an offset, so that a joint is no part of a word (共和, 及时)."""
    place = 0
    for word in tokens(text):
        found = text.find(word, place)
        if found < 0:
            continue
        if found < at < found + len(word):
            return False
        place = found + len(word)
        if place >= at:
            return True
    return True


def _balanced(text: str) -> bool:
    return all(text.count(a) == text.count(b) for a, b in ("（）", "()", "“”", "《》", "[]"))


def _tell_apart(title: str, same: Sequence[Item]) -> None:
    """Items of one name by their first figure where each has another, else by their order."""
    figures = [_figure(i) for i in same]
    apart = len(set(figures)) == len(same) and all(figures)
    if not apart and len(set(told := _own_words(same))) == len(same) and all(told):
        figures, apart = told, True
    for n, (item, figure) in enumerate(zip(same, figures, strict=True), 1):
        if apart:
            item.title = f"{title}（{figure}）"
        elif n > 1:
            item.title = f"{title}（{n}）"


def _own_words(same: Sequence[Item]) -> list[str]:
    """Of each item the first of its conditions that no other of them has, in few words; "" where it has none."""
    quotes = [[_plain(c["quote"]) for c in i.conditions] for i in same]
    out = []
    for n, mine in enumerate(quotes):
        others = {q for k, theirs in enumerate(quotes) if k != n for q in theirs}
        short = (shortened(_FRONT.sub("", _STOP.split(q)[0]), 12) for q in mine if q not in others)
        out.append(next((s for s in short if len(s) >= 2 and _balanced(s)), ""))
    return out


def _figure(item: Item) -> str:
    for b in item.benefits:
        for key in ("amount", "cap"):
            value = b.get(key)
            if isinstance(value, int | float) and value >= 1:
                return f"{value / 10000:g}万元" if value >= 10000 else f"{value:g}元"
        if isinstance(b.get("rate"), int | float):
            return f"{float(b['rate']) * 100:g}%"
    return ""
