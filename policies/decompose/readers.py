"""读事实: the facts that a condition's words fix, one after another: registers, places, age, qualifications, tax, industry, numbers.

Each reader takes out exactly the words it understands; what it is not sure of it leaves alone, and the condition is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .facts import Fact, Found, Leaf, Lexicon, leaf
from .money import read_number
from .named import above_scale, first_titles, graded, held_titles, kinds, learning, listings
from .quantities import number
from .spells import dated, spells
from .wanted import wanted

Reader = Callable[[str, Lexicon], Iterator[Found]]
_TAKEN = "\0"


def read_facts(flat: str, lexicon: Lexicon) -> list[Found]:
    """读事实: the facts found in a squeezed quote, in order."""
    text, out = flat, []
    for reader in _READERS:
        for found in list(reader(text, lexicon)):
            if _TAKEN not in text[found.start : found.end]:
                text = text[: found.start] + _TAKEN * (found.end - found.start) + text[found.end :]
                out.append(found)
    return sorted(out, key=lambda f: f.start)


def _fact(
    m: re.Match[str], *leaves: Leaf, join: str = "all", bare: bool = False, score: float = 0.9
) -> Found:
    return Found(m.start(), m.end(), Fact(leaves, join, bare, score))


def _kind(m: re.Match[str], one: Leaf) -> Found:
    return Found(m.start(), m.end(), Fact((one,), bare=True, kinds=True))


# ---------------------------------------------------------------- registers

_REGISTERS: tuple[tuple[str, str], ...] = (
    (
        r"严重违法失信(?:企业|主体|行为)?(?:名单|黑名单|记录)?|严重失信(?:企业|主体|当事人)(?:名单)?",
        "严重违法失信名单",
    ),
    (r"(?:企业)?经营异常名[录单]", "经营异常名录"),
    (r"失信被执行人(?:名单)?", "失信被执行人"),
    (r"重大税收违法(?:失信)?(?:主体|案件)?(?:名单|当事人)?", "重大税收违法"),
    (r"科研(?:严重)?失信(?:行为)?(?:记录|名单)?", "科研失信"),
)
_REGISTER = "|".join(f"(?:{p})" for p, _ in _REGISTERS)
_REGISTER_LIST = re.compile(
    rf"(?P<no>不是|并非|未被?|没有被?|不得?被?|无|不存在|非)?被?(?:国家|市场监管(?:管理)?部门|税务(?:部门|机关)|人民法院|信用(?:管理)?部门|相关部门)?(?:列入|纳入|属于|存在|有|记入|认定(?:的|为)?)?(?:国家|市场监管部门)?[“]?(?P<list>(?:{_REGISTER})(?:[、或和及]|以及|或者|”|“)*"
    rf"(?:(?:列入|被列入)?[“]?(?:{_REGISTER})(?:[、或和及]|以及|或者|”|“)*)*)(?P<tail>等?(?:的)?(?:企业|情形|名单|记录)?)"
)
_DEBTS: tuple[tuple[str, str], ...] = (
    (r"(?:无|没有|不存在)(?:拖欠|欠缴?)税款?(?:情况|记录|行为)?|未(?:拖欠|欠缴)税款", "欠缴税款"),
    (
        r"(?:无|没有|不存在|未)(?:拖欠|欠缴)(?:职工)?社会保险费?(?:情况|记录|行为)?|(?:无|没有)社会?保险?欠费",
        "社会保险欠费",
    ),
)


def _registers(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for m in _REGISTER_LIST.finditer(text):
        names = [n for p, n in _REGISTERS if re.search(p, m["list"]) and n in lexicon.dictionary]
        if "等" in m["tail"] or not names:
            continue
        no = bool(m["no"])
        leaves = [
            leaf(f"{n} = {'否' if no else '是'}", n, "否" if no else "是", "是" if no else "否")
            for n in names
        ]
        yield _fact(m, *leaves, join="all" if no else "any")
    for pattern, name in _DEBTS:
        for m in re.finditer(pattern, text):
            if name in lexicon.dictionary:
                yield _fact(m, leaf(f"{name} <= 0元", name, "0元", "1元"))


# ---------------------------------------------------------------- place, legal form, age

_REGISTERED = r"(?:已)?(?:依法)?(?:办理)?(?:法定)?(?:工商|商事)?(?:、税务)?(?:登记注册|注册登记|注册成立|依法设立|登记设立|注册设立|注册经营|注册|登记)(?:手续)?"
_AREA = r"(?:(?:的)?(?:行政区域|行政区划|辖区|地区|区域|范围|境))?(?:范围)?(?:以?内)?"


def _places(text: str, lexicon: Lexicon) -> Iterator[Found]:
    words = _place_words(text, lexicon)
    before = re.compile(
        rf"(?:工商)?(?P<t>税务|纳税)?(?:登记)?(?:注册)?(?:登记)?(?:地址?|所在地|地点|住所)?(?:均)?(?:在|于|为|位于)?(?P<p>{words}){_AREA}{_REGISTERED}"
        rf"|(?P<r2>{_REGISTERED}(?:地址?|所在地|地点)?|(?P<t2>(?:实际)?(?:税务登记|纳税|税收征管)(?:地点?|所在地|关系)?))(?:均)?(?:在|于|为|位于)(?P<p2>{words}){_AREA}"
        rf"|在(?P<p4>{words}){_AREA}(?P<r4>(?:依法)?(?:工商)?注册)?(?P<t4>(?:依法)?(?:缴纳)?纳税)(?![人额信])"
        rf"|(?<![\u4e00-\u9fa5])(?P<p3>{words})(?:的)?(?:(?P<firm>企业)(?![\u4e00-\u9fa5])|(?=\0))"
    )
    twice = re.compile(
        rf"(?:工商)?注册(?:登记)?地?(?:址|所在地)?(?:和|、|及|与)税务?(?:登记|征管|收征管)*(?:关系)?地?(?:址|所在地)?(?:均)?(?:应)?(?:在|于|为|位于)(?P<p>{words}){_AREA}"
    )
    for m in twice.finditer(text):
        word, code = lexicon.area(m["p"])
        if word:
            names_ = ("登记地区划", "税务登记地区划")
            yield _fact(m, *(leaf(f"{n} in {word}", n, code, "999999") for n in names_))
            return
    for m in before.finditer(text):
        word, code = lexicon.area(m["p"] or m["p2"] or m["p3"] or m["p4"])
        if not word or re.match(r"纳税", text[m.end() :]):
            continue
        if m["r4"] or "、税务" in m.group():
            names_ = ("登记地区划", "税务登记地区划")
            yield _fact(m, *(leaf(f"{n} in {word}", n, code, "999999") for n in names_))
            continue
        name = "税务登记地区划" if m["t"] or m["t2"] or m["t4"] else "登记地区划"
        yield _fact(m, leaf(f"{name} in {word}", name, code, "999999"), score=0.95)


def _seated(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """在某地具有独立法人资格: legal personality comes with registration, so the place is where it is registered."""
    seated = re.compile(
        rf"在(?P<p>{_place_words(text, lexicon)}){_AREA}(?:具有|具备)(?:独立的?)?(?:企业)?法人(?:资格|地位)"
    )
    for m in seated.finditer(text):
        word, code = lexicon.area(m["p"])
        if word:
            place = leaf(f"登记地区划 in {word}", "登记地区划", code, "999999")
            yield _fact(m, place, leaf("法人资格 = 是", "法人资格", "是", "否"))


def _place_words(text: str, lexicon: Lexicon) -> str:
    """What may stand for a place in these words: the document's own names, 本区 …, and full names of places that occur."""
    named = [n for n in lexicon.divisions if n in text] if re.search(r"[省市县区旗州盟]", text) else []
    names = sorted({*lexicon.own, *named}, key=len, reverse=True)
    return "|".join([*map(re.escape, names), r"[本我全](?:新区|开发区|园区|行政区|辖区|区|县|市|省)"])


_PEOPLE_PLACE = r"(?:(?P<h>户籍|户口|常住户口)(?:的)?(?:居民|人员|人口)?)"


def _sites(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """Where a project is built, a person works or is registered; a bare place says it of what stands behind it."""
    words = _place_words(text, lexicon)
    pattern = re.compile(
        rf"(?:具有|持有)?(?P<p1>{words}){_PEOPLE_PLACE}"
        rf"|在(?P<p2>{words}){_AREA}(?:实际)?(?:工作|就业)(?![站岗])(?:并居住)?"
        rf"|项目(?:实施|建设|所在)(?:地|地点|地址)(?:应|须)?(?:在|位于|为)(?P<p3>{words}){_AREA}"
        rf"|在(?P<p4>{words}){_AREA}(?:投资)?(?:新建|建设|实施|投资)(?:的)?(?P<j>项目)?(?![\u4e00-\u9fa5])"
        rf"|(?:在|位于)?(?P<p5>{words}){_AREA}(?:的)?(?![\u4e00-\u9fa5])"
    )
    for m in pattern.finditer(text):
        given = next((k for k in ("p1", "p2", "p3", "p4", "p5") if m[k]), "")
        word, code = lexicon.area(m[given]) if given else ("", "")
        name = {"p1": "户籍地区划", "p2": "工作地区划", "p3": "项目所在地区划"}.get(given, "")
        if given == "p4" and (m["j"] or re.match(r"的?[^，。；]{0,12}项目", lexicon.after)):
            name = "项目所在地区划"
        if given == "p5" and m.start() == 0 and m.end() == len(text):
            name = _bearer(lexicon.after)
        if word and name:
            new = None if name in lexicon.dictionary else wanted(name, "代码", note="行政区划代码")
            yield _fact(m, leaf(f"{name} in {word}", name, code, "999999", new=new))


def _bearer(after: str) -> str:
    """Whose place a bare place tells: of the firms or the project named right behind it."""
    if re.match(r"(?:的)?[\u4e00-\u9fa5]{0,4}(?:企业|公司)(?![\u4e00-\u9fa5])", after):
        return "登记地区划"
    if re.match(r"(?:的)?[\u4e00-\u9fa5]{0,6}项目(?![\u4e00-\u9fa5])", after):
        return "项目所在地区划"
    return ""


_LEGAL = re.compile(
    r"(?:具有|具备)?独立的?(?:企业)?法人(?:资格|地位)?|企业法人(?:资格)?|法人企业|(?<!事业单位)(?<!社团)法人资格"
)
_AGE = re.compile(
    r"(?:在(?:我国|中国)?(?:大陆)?境内（?(?:不[含包括]+港、?澳、?台(?:地区)?）?)?)?(?:注册)?(?:登记)?(?:成立|设立|注册|登记)(?:登记|成立|注册)?(?:时间|年限)?(?:已|须|应|需)?在?"
    r"(?P<c>满|达到?|超过|不少于|不低于|不足|不满|未满|不超过)?(?P<n>[一二三四五六七八九十两]{1,3}|\d{1,3})(?:个)?(?P<u>年|月|日|天)(?:（[^）]*）)?(?P<t>（?含）?)?(?P<s>及?以上|以内|及?以下|内)?"
)
_AGE_OPS = {
    "满": "<=",
    "达到": "<=",
    "达": "<=",
    "不少于": "<=",
    "不低于": "<=",
    "超过": "<",
    "不足": ">",
    "不满": ">",
    "未满": ">",
    "不超过": ">=",
}
_SINCE = re.compile(
    r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日(?:（含）|（含当日）)?(?P<s>及?以后|之后|后|起|及?以前)(?:（含）)?(?:新)?(?:依法)?(?:在)?(?:注册登记|登记注册|注册成立|成立|设立|注册|登记)"
)


def _legal(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for m in _LEGAL.finditer(text):
        yield _fact(m, leaf("法人资格 = 是", "法人资格", "是", "否"))


def _ages(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for m in _AGE.finditer(text):
        n = number(m["n"])
        short = m["s"] in ("以内", "以下", "及以下", "内")
        if n is None or not (m["c"] or m["s"]) or (m["c"] in _AGE_OPS and short):
            continue
        op = ">=" if short else _AGE_OPS.get(m["c"] or "满", "<=")
        if m["c"] == "超过" and m["s"]:  # 超过3年以上: both words
            continue
        span = f"{int(n)}{ {'年': '年', '月': '个月'}.get(m['u'], '天') }"
        young, old = "OPENS", "2000-01-01"
        holds, fails = (old, young) if op[0] == "<" else (young, old)
        yield _fact(m, leaf(f"成立日期 {op} 申报开始 - {span}", "成立日期", holds, fails))
    for m in _SINCE.finditer(text):
        day = f"{m['y']}-{int(m['m']):02d}-{int(m['d']):02d}"
        if "前" in m["s"]:
            yield _fact(m, leaf(f"成立日期 <= {day}", "成立日期", "1990-01-01", "OPENS"))
        else:
            yield _fact(m, leaf(f"成立日期 >= {day}", "成立日期", day, "1990-01-01"))


# ---------------------------------------------------------------- qualifications, tax, size, listing, persons

_FRESH = re.compile(
    r"首[次个]|初次|新[获增认评列引入办]|当年|年度?(?:认定|入库|获评|通过)|培育|后备|拟|申[请报]认定|评[为定]|曾|原|\d{4}年"
)
_LAST = re.compile(r"上一?(?:会计|纳税|自然)?年度?")


def _statuses(text: str, lexicon: Lexicon) -> Iterator[Found]:
    if _FRESH.search(text):
        return
    denied = re.match(r"(?:不是|不属于|非)(?:有效期内的?)?", text)
    negative = denied is None and re.search(r"未|不|非|无|没", text)
    for word in sorted(lexicon.named, key=len, reverse=True):
        entry = lexicon.named[word]
        if entry.kind not in ("是否", "日期") or (
            entry.kind == "日期" and not entry.name.endswith("有效期至")
        ):
            continue
        for m in re.finditer(r"[“”\"]?".join(map(re.escape, word)), text):
            if negative or re.match(r"[^，、。；或和及的]{0,4}(?:培育|后备|名单|产品|园)", text[m.end() :]):
                continue
            if entry.name == "四上企业" and re.search("工业|限额|服务", word):
                continue  # one kind of firm only, where the register holds all kinds
            if entry.name == "依法纳统" and word not in ("依法纳统", "依法统计"):
                continue  # 纳入统计 may as well mean that register
            bare = not re.search(
                r"(?:属于|具有|取得|获得|通过|列入|认定为|为)[^，、]{0,6}$", text[: m.start()]
            )
            if entry.kind == "日期":
                one = leaf(f"{entry.name} >= 申报开始", entry.name, "2099-12-31", "2000-01-01")
            elif not entry.yearly:
                one = leaf(f"{entry.name} = 是", entry.name, "是", "否")
            elif last := _LAST.search(text):
                yield Found(last.start(), last.end(), Fact((), score=0.9))
                one = leaf(f"{entry.name}[Y] = 是", f"{entry.name}[Y]", "是", "否")
            else:
                continue
            if denied is not None:
                if denied.end() == m.start() and entry.kind == "日期":
                    yield Found(0, m.end(), Fact((one.turned(),), score=0.9))
                continue
            yield _fact(m, one, bare=bare)


_FIRST = re.compile(
    r"上一?年度?(?:内)?首次(?:被|获得?)?(?:认定|评为|评定|入选|取得|获得)?为?(?P<n>[^，。；、]{4,20}?)(?:证书|称号)?(?:的)?$"
)
_WITHOUT = re.compile(
    r"(?P<y>上一?(?:会计|自然)?年度?)(?:内)?(?:未发生|没有发生|没有|无|不存在|未出现)(?:过)?(?P<n>[^，。；、或和]{4,14}?)(?:行为|记录|情况)?$"
)


def _events(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """What first happened, or did not happen, in the year before."""
    for part in re.finditer(rf"[^，；。{_TAKEN}]+", text):
        if m := _FIRST.search(part.group()):
            entry = lexicon.named.get(re.sub(r"[“”\"]", "", m["n"]))
            name = f"{entry.name.removesuffix('有效期至')}首次认定日期" if entry else ""
            if name in lexicon.dictionary:
                a = part.start() + m.start()
                one = Leaf(f"年度({name}) = Y", {name: "INYEAR"}, {name: "1999-06-30"})
                yield Found(a, part.end(), Fact((one,), score=0.9))
        elif m := _WITHOUT.search(part.group()):
            entry = lexicon.named.get(m["n"])
            if entry is not None and entry.yearly and entry.kind in ("是否", "数量") and entry.absent_means:
                name = f"{entry.name}[Y]"
                good, bad = ("否", "是") if entry.kind == "是否" else (f"0{entry.unit}", f"1{entry.unit}")
                a = part.start() + m.start()
                yield Found(a, part.end(), Fact((leaf(f"{name} = {good}", name, good, bad),), score=0.9))


_TAX: tuple[tuple[re.Pattern[str], Leaf], ...] = (
    (
        re.compile(r"(?:实行|采取|采用|属于)?查账征收(?:方式)?(?:缴纳企业所得税)?"),
        leaf('征收方式 = "查账征收"', "征收方式", "查账征收", "核定征收"),
    ),
    (re.compile(r"居民企业(?!以外)"), leaf("居民企业 = 是", "居民企业", "是", "否")),
    (re.compile(r"(?:增值税)?一般纳税人(?:资格)?"), leaf("一般纳税人 = 是", "一般纳税人", "是", "否")),
    (
        re.compile(r"(?:已)?(?:依法)?参加(?:了)?失业保险|失业保险参保企业"),
        leaf("失业保险参保状态 = 是", "失业保险参保状态", "是", "否"),
    ),
    (
        re.compile(r"非上市|未上市"),
        leaf("上市日期 <= 申报截止", "上市日期", "2099-01-01", "2000-01-01", negated=True),
    ),
)
_SIZES = {
    "中小微": ("中型", "小型", "微型"),
    "中小": ("中型", "小型", "微型"),
    "小微": ("小型", "微型"),
    "小型微型": ("小型", "微型"),
    "小型、微型": ("小型", "微型"),
    "大中型": ("大型", "中型"),
}
_SIZE = re.compile(
    r"(?<!技型)(?<!新型)(?<!特新)(?<!精特)(中小微|中小|小微|小型微型|小型、微型|大中型)(?:型)?企业(?!主|贷|融|信)"
)
_SIZE_LIST = re.compile(r"(?P<list>(?:大型|中型|小型|微型)(?:(?:、|和|及|或)(?:大型|中型|小型|微型))+)企业")
_GRADE = re.compile(
    rf"(?P<y>{_LAST.pattern})?纳税信用(?:等级|级别|评价)*(?:为|达到?|评定为)?(?P<g>[AB])级(?P<up>及?以上)?"
)
_YEARS_OLD = re.compile(
    r"(?:年龄)?(?:在|为)?(?:(?P<a>\d{2})(?:周岁|岁)?(?:-|—|–|~|至|到)(?P<b>\d{2})周?岁|(?P<c>年满|不低于|不小于|不超过|不大于|未满|不满)(?P<n>\d{2})周?岁|(?P<n2>\d{2})周?岁(?P<s>（含）)?(?P<t>及?以上|及?以下))"
)


def _taxes(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for pattern, one in _TAX:
        for m in pattern.finditer(text):
            if one.indicators <= set(lexicon.dictionary) and not re.search(r"[不非未]$", text[: m.start()]):
                yield _fact(m, one)
    for m in _GRADE.finditer(text):
        if m["y"]:
            grades = '["A", "B"]' if m["up"] and m["g"] == "B" else f'["{m["g"]}"]'
            yield _fact(m, leaf(f"纳税信用等级[Y] in {grades}", "纳税信用等级[Y]", m["g"], "D"))


def _sizes(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for m in _SIZE_LIST.finditer(text):
        named = tuple(re.findall("大型|中型|小型|微型", m["list"]))
        told = ", ".join(f'"{n}"' for n in named)
        other = next((n for n in ("大型", "微型", "中型") if n not in named), "")
        if other:
            yield _kind(m, leaf(f"企业规模 in [{told}]", "企业规模", named[-1], other))
    for m in _SIZE.finditer(text):
        named = _SIZES[m[1]]
        other = "大型" if "大型" not in named else "微型"
        told = ", ".join(f'"{n}"' for n in named)
        yield _kind(m, leaf(f"企业规模 in [{told}]", "企业规模", named[-1], other))


def _persons(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for m in _YEARS_OLD.finditer(text):
        name = "出生日期"
        if m["a"]:
            low, high = int(m["a"]), int(m["b"])
            if low < high:
                middle = f"AGE{(low + high) // 2}"
                yield _fact(
                    m,
                    leaf(f"周岁({name}) >= {low}岁", name, middle, f"AGE{low - 1}"),
                    leaf(f"周岁({name}) <= {high}岁", name, middle, f"AGE{high + 1}"),
                )
            continue
        n = int(m["n"] or m["n2"])
        word = m["c"] or m["t"]
        op = (
            "<"
            if word in ("未满", "不满")
            else ">="
            if word in ("年满", "不低于", "不小于") or word.endswith("上")
            else "<="
        )
        holds = f"AGE{n - 1}" if op == "<" else f"AGE{n}"
        fails = {">=": f"AGE{n - 1}", "<": f"AGE{n}", "<=": f"AGE{n + 1}"}[op]
        yield _fact(m, leaf(f"周岁({name}) {op} {n}岁", name, holds, fails))


# ---------------------------------------------------------------- industry, numbers


def _industries(text: str, lexicon: Lexicon) -> Iterator[Found]:
    if not lexicon.industries:
        return
    names = "|".join(re.escape(n) for n in sorted(lexicon.industries, key=len, reverse=True))
    listed = re.compile(
        rf"(?:(?<![\u4e00-\u9fa5])|(?<=[我本][区市省县]))(?:(?:主要)?从事|属于|所属行业为|主营业务为)?(?P<list>(?:{names})(?:(?:、|和|及|或|以及)(?:{names}))*)(?P<f>行业)?(?:的)?(?P<e>企业|单位)?(?![\u4e00-\u9fa5])"
    )
    for m in listed.finditer(text):
        codes = list(dict.fromkeys(lexicon.industries[n] for n in re.findall(names, m["list"])))
        if codes == ["工业"]:
            codes = ["B", "C", "D"]
        if "工业" in codes or not (
            m["e"]
            or m["f"]
            or m["list"].endswith("企业")
            or re.match(r"(?:主要)?从事|属于|所属|主营", m.group())
        ):
            continue
        told = ", ".join(f'"{c}*"' for c in codes)
        sample = codes[0] + {1: "0000", 3: "00"}.get(len(codes[0]), "")
        yield _fact(
            m,
            leaf(f"行业代码 in [{told}]", "行业代码", sample, "S9999"),
            bare=not m.group().startswith(("从", "属", "主")),
        )


def _numbers(text: str, lexicon: Lexicon) -> Iterator[Found]:
    for part in re.finditer(rf"(?:（[^）]*）|[^，；、。：{_TAKEN}])+", text):
        for cut in re.finditer(r"(?:(?!并且|且|同时|并(?!购|网|表)).)+", part.group()):
            lead = re.match(r"以及|及|且", cut.group())
            a, b = part.start() + cut.start() + (lead.end() if lead else 0), part.start() + cut.end()
            told = [read_number(x, lexicon.numbers, lexicon.before + text[:a]) for x in _two_ends(text[a:b])]
            sure = [r for r in told if r is not None and r.when]
            if sure and len(sure) == len(told):
                holds = {k: v for r in reversed(sure) for k, v in r.holds.items()}
                yield Found(a, b, Fact(tuple(Leaf(r.when, holds, r.fails, new=r.new) for r in sure)))


_ENDS = re.compile(
    r"(?P<n>[^\d]{2,}?)(?P<a>[\d.]+(?:万|亿)?(?:元|人|家|%)(?:（含）)?以上)(?:，|、|且|至|到)?"
    r"(?P<b>[\d.]+(?:万|亿)?(?:元|人|家|%)(?:（含）)?以下)"
)


def _two_ends(said: str) -> list[str]:
    """One threshold, or the two of a span (注册资本100万元以上2000万元以下)."""
    m = _ENDS.fullmatch(said)
    return [m["n"] + m["a"], m["n"] + m["b"]] if m else [said]


# What stands around a place or an age is taken out first: 我市制造业企业, 在本区注册成立满一年.
_READERS: tuple[Reader, ...] = (
    _registers,
    _seated,
    _events,
    first_titles,
    above_scale,
    listings,
    learning,
    graded,
    spells,
    dated,
    _numbers,
    _statuses,
    held_titles,
    _taxes,
    _sizes,
    _industries,
    _places,
    _sites,
    _ages,
    _legal,
    _persons,
    kinds,
)
