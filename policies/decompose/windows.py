"""时间窗口: when an item can be applied for, from 申报期 lines and from dates that open a benefit sentence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from policies.segment import role_of_field

from .binding import entry
from .model import Item
from .pieces import Reading
from .quantities import DATE, date_of
from .spans import body_of

_RANGE = re.compile(
    r"(?:（[^）]*）)?(?:起)?(?:至|到|-|—|～|~)(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号])?"
)
_UNTIL = re.compile(r"^(?:（[^）]*）)?(?:\d{1,2}[：:时点]\d{0,2}时?)?(?:之?前|以前|止|截[止至]|下班前)")
_SINCE = re.compile(r"^(?:（[^）]*）)?(?:起|开始|以后|之后)")
_SHORT = re.compile(r"(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]")


def window_in(flat: str, year: int | None, issued: str | None) -> dict[str, Any]:
    """窗口: from and to of a squeezed sentence; an empty mapping where it names no day."""
    if yearly := _yearly(flat):
        return yearly
    out: dict[str, Any] = {}
    flat = _YEAR_END.sub(lambda m: f"{m['y']}年12月31日{m['till'] or ''}", flat)
    first = DATE.search(flat)
    if first is None:
        return _short(flat, year, issued)
    start = date_of(first)
    tail = flat[first.end() :]
    m = _RANGE.match(tail)
    before = flat[: first.start()]
    if m and start:
        out["from"] = start
        stop = date_of(m, int(start[:4]))
        if stop:
            out["to"] = stop
    elif _FROM_ISSUE.search(before) and issued:
        out = {"from": issued, "to": start}
    elif (
        re.search(r"截[止至]", before[-14:])
        or _UNTIL.match(tail)
        or re.search(r"(?:截[止至]|至)(?:时间)?(?:为)?$", before)
    ):
        out["to"] = start
    elif _SINCE.match(tail) or re.search(r"(?:自|从)$", before):
        out["from"] = start
    return {k: v for k, v in out.items() if v}


# 2020年年底前, 至2025年底: the last day of the year.
_YEAR_END = re.compile(r"(?P<y>20\d{2})年(?:年?[底末]|岁末)(?P<till>之?前|以前|止)?")
_FROM_ISSUE = re.compile(r"(?:印发|发布|公布|公告|通知|即)之?日起?(?:至|到)?$")


# 每年3月1日至4月30日, 每年11月10日前: the same days each year, told as MM-DD.
_EACH_YEAR = re.compile(r"每(?:一)?年度?(?:的|于|自|从)?(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]")


def _yearly(flat: str) -> dict[str, Any]:
    m = _EACH_YEAR.search(flat)
    if m is None:
        return {}
    first, tail = f"{int(m['m']):02d}-{int(m['d']):02d}", flat[m.end() :]
    if stop := re.match(r"起?(?:至|到|-|—|～|~)(?:当年|同年)?(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]", tail):
        return {"from": first, "to": f"{int(stop['m']):02d}-{int(stop['d']):02d}"}
    if _UNTIL.match(tail):
        return {"to": first}
    return {"from": first} if _SINCE.match(tail) else {}


def _short(flat: str, year: int | None, issued: str | None) -> dict[str, Any]:
    if year is None:
        return {}
    found = list(_SHORT.finditer(flat))
    if not found:
        return {}
    first = date_of(found[0], year)
    if _FROM_ISSUE.search(flat[: found[0].start()]) and issued:
        own = date_of(found[0], int(issued[:4]))  # the first such day after the text is out
        return {
            "from": issued,
            "to": own if own and own >= issued else date_of(found[0], int(issued[:4]) + 1),
        }
    if re.search(r"开放|开始", flat[: found[0].start()]) and not re.search(r"截[止至]", flat):
        return {"from": first}
    if len(found) > 1 and re.match(r"(?:至|到|-|—|～)", flat[found[0].end() :]):
        return {"from": first, "to": date_of(found[1], year)}
    if re.search(r"截[止至]|于", flat[: found[0].start()]) or _UNTIL.match(flat[found[0].end() :]):
        return {"to": first}
    return {}


def issued_day(lines: list[str]) -> str | None:
    """成文日期: the day a document is signed with: the last line that is only a date, else the first."""
    only = re.compile(
        r"^[（(]?\s*(?:发布(?:时间|日期)[：:])?\s*\d{4}\s*[年.-]\s*\d{1,2}\s*[月.-]\s*\d{1,2}\s*日?(?:印发)?[^\d年]{0,2}(?:\d\d:\d\d.*)?[）)]?$"
    )
    days = []
    for line in lines:
        body = re.sub(r"\s+", "", line)
        if only.match(body) and not body.startswith("发布"):
            m = DATE.search(body)
            day = date_of(m) if m else None
            if day and len(day) == 10:
                days.append(day)
    return days[-1] if days else None


def later(day: str, years: int) -> str:
    """加年: the day `years` later, less one day."""
    d = dt.date.fromisoformat(day)
    month, number = d.month, d.day
    if (month, number) == (2, 29):
        number = 28
    return (dt.date(d.year + years, month, number) - dt.timedelta(days=1)).isoformat()


_VALID = re.compile(r"施行|实施|执行|有效期|实行年限|解释|废止|政策期限|适用期")
_APPLIES = re.compile(r"申[报请]|受理|填报|报送|提交|认定|注册|截[止至]")
_HARVEST = re.compile(r"公示|审核|评审|初审|拨付|查验")
_OFFICES = re.compile(r"汇总|各(?:市|地|区|县|镇)|主管部门|推荐|科技部门完成|书面材料|纸质材料")
# A period in which something had to happen (购置, 授权 …) is no time to apply in.
_FACT = re.compile(
    r"(?:月|[日号])(?:（[^）]*）)?(?:期间|以后|之后|以前|前)?(?:内)?(?:计划|实际|已|新|首次|获得?|取得)?"
    r"(?:购置|销售|签订|授权|发生|完成|建成|投产|设立|引进|取得|获得|登记|注册成立|支付|付款|开具)"
)


# A firm's own deadline says so whatever the clause is taken for.
_DEADLINE = re.compile(
    r"(?:申[请报](?:单位|人|企业)|企业|项目单位)[^。；]{0,40}?(?:(?:于|在)[^，。；]{0,8}\d{1,2}月\d{1,2}[日号](?:（[^）]*）)?(?:之?前|以前)"
    r"[^。；]{0,20}?(?:报送|提交|送|申报|填报|登)|截[止至](?:时间|日期)?(?:分别)?(?:为|是|：)[^，。；]{0,6}\d{1,2}月\d{1,2}[日号])"
)


def share_windows(
    reading: Reading, items: Sequence[Item], roles: list[list[str]], issued: str | None
) -> None:
    """时间归属: a date that opens an item's own sentence; a window told by the item's name; else that of the document."""
    year = _year(reading, issued)
    shared: list[tuple[float, int, dict[str, Any]]] = []
    for k, names in enumerate(roles):
        flat, timed = reading.views[k].flat, role_of_field(reading.clauses[k].field_name) == "window"
        own = [i for i in items if k in i.clauses and not i.title_only]
        due = bool(_DEADLINE.search(flat))
        opens = not timed and bool(_OPENS.search(flat[body_of(flat)[0] :]))
        if not ("window" in names or timed or own or due or opens):
            continue
        found = window_in(flat, year, issued)
        if not found:
            continue
        told = entry(reading, k, *body_of(flat), 1.0) | found
        if opens and (own or (own := _goes_on(reading, k, items))):
            for i in own:
                i.window = i.window or told
        elif "window" in names or timed or due:
            about_papers = 1.5 if "material" in names and not due else 0.0
            shared.append((_rank(flat, timed, found) - about_papers, k, told))
    _spread(reading, items, shared)
    _always_open(reading, items)


_ALWAYS = re.compile(
    r"(?:常年|全年)(?:均可|都可|可)?(?:申[报请]|受理|接受|征集|开放)|(?:不设|不限)申报(?:时间|期限)|随时(?:均可|可以?)?(?:申[报请]|受理)"
    r"|(?:申[报请]|受理)(?:时间|期限)?[：:]?(?:为)?(?:常年|全年|长期有效|长期)(?:受理|申报|有效)?(?=$|[，。；])"
)


def _always_open(reading: Reading, items: Sequence[Item]) -> None:
    """常年: items without a day of their own, where the text says that one may apply at any time."""
    k = next((k for k, v in enumerate(reading.views) if _ALWAYS.search(v.flat)), None)
    if k is None:
        return
    told = entry(reading, k, *body_of(reading.views[k].flat), 1.0) | {"kind": "常年"}
    for i in items:
        if not i.window and _reaches(reading, k, i, items):
            i.window = dict(told)


def _goes_on(reading: Reading, k: int, items: Sequence[Item]) -> list[Item]:
    """Items of the sentence behind one that a day opens, where that one goes on in the same paragraph and gives nothing itself."""
    behind = k + 1
    if behind >= len(reading.clauses) or reading.clauses[behind].line != reading.clauses[k].line:
        return []
    if DATE.search(reading.views[behind].flat):
        return []
    return [i for i in items if behind in i.clauses and not i.title_only]


def _spread(
    reading: Reading, items: Sequence[Item], shared: Sequence[tuple[float, int, dict[str, Any]]]
) -> None:
    named = {k: lead for _, k, _ in shared if (lead := _named(reading.views[k].flat))}
    for i in items:
        if i.window:
            continue
        said = "".join(str(b["quote"]) for b in i.benefits)
        open_to = [x for x in shared if _reaches(reading, x[1], i, items)]
        best = max(open_to, key=lambda x: (x[0], x[1]), default=None)
        mine = [x for x in shared if x[0] > 0 and x[1] in named and _speaks_of(named[x[1]], said)]
        chosen = max(mine, key=lambda x: (x[0], -x[1]), default=best)
        if chosen is not None and chosen[0] > 0:
            i.window = dict(chosen[2])
            if len(parts := _batches(reading, open_to)) > 1:
                i.window["parts"] = parts


_BATCH = re.compile(
    r"(?P<n>第[一二三四五六七八九十\d]{1,2}(?:批次?|期|轮|季度?))(?:[^，。；\d]{0,12})?[：:，]?"
)


def _batches(reading: Reading, told: Sequence[tuple[float, int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """分批: the windows that begin with 第一批, 第二批 …, in order, each with its name; empty where there are not several."""
    out: dict[str, dict[str, Any]] = {}
    for rank, k, found in sorted(told, key=lambda x: x[1]):
        flat = reading.views[k].flat
        m = _BATCH.match(flat[body_of(flat)[0] :])
        if m is not None and rank > 0:
            out.setdefault(m["n"], {"name": m["n"], **found})
    return list(out.values())


def _reaches(reading: Reading, k: int, item: Item, items: Sequence[Item]) -> bool:
    """Whether a dated clause speaks of an item: one in a section that holds items of its own speaks of those."""
    for heading in reversed(reading.clauses[k].headings):
        under = [i for i in items if any(heading in reading.clauses[x].headings for x in i.clauses)]
        if under:
            return any(i is item for i in under)
    return True


def _named(flat: str) -> str:
    """What a window names before its date (某某认定项目从即日起至…); empty where it names nothing."""
    a, _ = body_of(flat)
    m = re.match(
        r"(?P<x>(?:(?!\d{1,4}[年月日])[^，。：:]){5,48}?)(?:的?(?:申[报请]|受理|填报)?(?:时间|期限)?)?(?:为|是)?(?:自|从)",
        flat[a:],
    )
    return m["x"] if m else ""


def _speaks_of(name: str, said: str) -> bool:
    """Whether an item's words hold what a window names: a run of at least five characters of it."""
    return any(name[n : n + 5] in said for n in range(len(name) - 4))


_DAY = r"\d{4}年\d{1,2}月(?:\d{1,2}[日号])?(?:（[^）]*）)?"
# A date that opens a giving sentence says from when it is given (自…起，对…；…至…，…).
_OPENS = re.compile(
    rf"^(?:[^，。；]{{0,16}}[：:、．.）])?(?:自|从)?{_DAY}(?:起|(?:至|到|-|—)(?:\d{{4}}年)?\d{{1,2}}月(?:\d{{1,2}}[日号])?)(?:止|期间)?，"
    rf"|(?:自|从){_DAY}(?:起)?(?:至|到)[^，。；]{{4,16}}，"
)


def _rank(flat: str, timed: bool, found: dict[str, Any]) -> float:
    """How far a dated clause speaks of when a firm applies; at most 0 where it does not."""
    if _VALID.search(flat) and not _APPLIES.search(flat) and not timed:
        return -1.0
    offices = bool(_OFFICES.search(flat))
    return (
        (2.0 if timed and not offices else 0.0)
        + (1.0 if _APPLIES.search(flat) else 0.0)
        + (0.5 if re.search(r"系统|网上|企业|申[报请](?:单位|人)", flat) else 0.0)
        + (0.3 if "from" in found and "to" in found else 0.0)
        + (0.2 if re.search(r"截[止至]时间|[申填]报时间", flat) else 0.0)
        - (2.0 if _HARVEST.search(flat) else 0.0)
        - (1.0 if offices else 0.0)
        - (2.0 if _FACT.search(flat) else 0.0)
    )


def _year(reading: Reading, issued: str | None) -> int | None:
    """The year that a day without one belongs to: that of the call's title, else of its date."""
    for v in reading.views[:6]:
        if m := re.search(r"(20\d{2})年(?!\d)", v.flat):
            return int(m[1])
    return int(issued[:4]) if issued else None
