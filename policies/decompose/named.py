"""读身份与名录: who an applicant is by kind (主体, 人员, 机构) and which title or list it holds, as one member of a known or proposed list.

Kinds exclude each other, therefore several of them in a row are alternatives; titles do not, therefore two of them joined by 、 are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .facts import Fact, Found, Leaf, Lexicon, leaf
from .wanted import wanted

_BY = r"[、和及或与]|以及|或者"


# ---------------------------------------------------------------- kinds of applicants

SUBJECTS = {
    "企事业单位": ("企业", "事业单位"),
    "企业单位": ("企业",),
    "事业单位": ("事业单位",),
    "社会团体": ("社会团体",),
    "社会组织": ("社会团体", "民办非企业单位", "基金会"),
    "民办非企业单位": ("民办非企业单位",),
    "民办非企业": ("民办非企业单位",),
    "社会服务机构": ("民办非企业单位",),
    "个体工商户": ("个体工商户",),
    "农民专业合作社": ("农民专业合作社",),
    "农民合作社": ("农民专业合作社",),
    "家庭农场": ("家庭农场",),
    "基金会": ("基金会",),
    "企业": ("企业",),
}
PERSONS = (
    "高校毕业生|普通高校毕业生|中职毕业生|职业院校毕业生|技工院校毕业生|就业困难人员|登记失业人员|失业人员|退役军人|自主就业退役士兵|残疾人|刑满释放人员|返乡创业人员|"
    "返乡创业农民工|农民工|脱贫人口|脱贫劳动力|建档立卡贫困劳动力|零就业家庭成员|城镇零就业家庭成员|低保家庭成员|港澳青年|海外人才|外籍人才|在校大学生|大学生村官|"
    "留学回国人员|留学人员|网络商户|失业青年|优抚对象|随军家属|烈属|军人配偶|博士后研究人员|博士后|高技能人才|高层次人才|农民|港澳居民|台湾居民"
)
INSTITUTIONS = (
    "融资担保公司|融资性担保机构|融资担保机构|担保机构|担保公司|融资租赁公司|金融租赁公司|小额贷款公司|商业保理公司|专利代理机构|知识产权服务机构|人力资源服务机构|经营性人力资源服务机构|"
    "旅行社|众创空间|科技企业孵化器|创业孵化基地|就业见习基地|见习单位|科技中介机构|检测认证机构|检验检测机构|会计师事务所|律师事务所|私募基金管理机构|行业协会|商会|高等院校|科研院所|"
    "医疗机构|养老服务机构|养老机构|托育机构|职业培训机构|民办培训机构|职业院校|技工院校|新型研发机构|农业产业化龙头企业|家政服务企业|外贸综合服务企业|跨境电商企业|物流企业|快递企业"
)
_KINDS: tuple[tuple[str, str, str, str], ...] = (
    (
        "主体类别",
        "文本",
        "|".join(sorted(SUBJECTS.keys() - {"企业"}, key=len, reverse=True)),
        "统一社会信用代码所分的主体类别",
    ),
    (
        "人员类别",
        "列表",
        "|".join(sorted(PERSONS.split("|"), key=len, reverse=True)),
        "人员身份，部门登记的类别",
    ),
    (
        "机构类别",
        "列表",
        "|".join(sorted(INSTITUTIONS.split("|"), key=len, reverse=True)),
        "许可、备案或登记的机构类别",
    ),
)


def kinds(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """身份: what an applicant is by kind; several in a row are alternatives."""
    for name, kind, words, note in _KINDS:
        if name == "主体类别":  # 企业 counts as one of a row of kinds only
            words += r"|(?<![\u4e00-\u9fa5])企业(?=(?:[、和及或与]|以及)(?:事业|社会|民办|个体|农民))|(?<=[、和及或与])企业(?![\u4e00-\u9fa5])"
        noun = re.compile(
            rf"(?<![非的])(?:{words})(?!企业(?!单位)|创办|组织|主任|产品|项目|建设|服务|认定|管理|培训|租赁|配偶|子女|负责|家庭)"
        )
        run = re.compile(rf"(?P<l>{noun.pattern})(?:(?:{_BY}){noun.pattern})*(?P<etc>等)?")
        for m in run.finditer(text):
            if m["etc"] and not re.match(r"(?:各?类|类型|主体|单位|机构|人员|人群)", text[m.end() :]):
                continue  # a list that is left open
            found = [x.group() for x in noun.finditer(text) if m.start() <= x.start() < m.end()]
            if m["etc"] or not found:
                continue
            yield Found(m.start(), m.end(), _one_of(name, kind, found, note, lexicon))


def _one_of(name: str, kind: str, found: list[str], note: str, lexicon: Lexicon) -> Fact:
    new = None if name in lexicon.dictionary else wanted(name, kind, note=note)
    if kind == "文本":
        told = list(dict.fromkeys(v for w in found for v in SUBJECTS[w]))
        said = ", ".join(f'"{v}"' for v in told)
        when = f'{name} = "{told[0]}"' if len(told) == 1 else f"{name} in [{said}]"
        return Fact((leaf(when, name, told[-1], "其他", new=new),), bare=True, kinds=True)
    leaves = tuple(leaf(f'{name} 含 "{w}"', name, f"[{w}]", "[其他]", new=new) for w in dict.fromkeys(found))
    return Fact(leaves, "any", bare=True, kinds=True)


# ---------------------------------------------------------------- titles

_LEVELS = r"国家级?|省级?|市级?|区级?|县级?|省部级|自治区级|[一二三四五2-5]星级?|(?:国家)?[2-5]A级?"
_GRANT = r"(?:认定|认（评）定|评定|评选|遴选|命名|授予|评审|备案|批准|公布|获评|评)(?:为|成为|的)?|(?:入选|列入|纳入|获得|取得|获(?![批奖得评])|被评为|被认定为|被授予|获批|入库)(?:为|的)?"
_FIRST = re.compile(
    rf"(?P<y>上一?年度?|年度|当年度?)?(?:内)?(?P<f>首次|初次|首次被|新)(?:获得?|被|通过)?(?:[国省市区县]级?(?:相关)?部门|政府)?(?:{_GRANT})+(?:“)?"
    rf"(?P<n>(?:[^，。；：（）“”]|（[^）]{{1,6}}）){{2,30}}?)(?:”)?(?P<t>认定|称号|证书|资质|资格)?(?:的(?P<e>企业|单位|个人|机构|酒店|饭店|民宿|旅游景区|景区)?)?$"
)
# 首次通过某某认定: what one passes is the recognition as it.
_PASSED = re.compile(
    r"(?P<y>上一?年度?|年度|当年度?)?(?:内)?(?P<f>首次|初次|新)通过(?:[国省市区县]级?(?:相关)?部门|政府)?“?"
    r"(?P<n>(?:[^，。；：（）“”]|（[^）]{1,6}）){2,30}?)”?(?P<t>认定|评定)(?:的(?P<e>企业|单位|机构))?$"
)
# What an official title ends in; anything else may be any thing at all.
_TITLE = re.compile(
    r"(?:企业|单位|工厂|基地|园区|平台|中心|机构|车间|孵化器|众创空间|实验室|工作站|工作室|示范区|试点|老字号|商标|奖|名牌产品|品牌|冠军|小巨人|企业库|名单|名录|产品|项目|景区|酒店|民宿|村|镇|小镇|人才|工匠|能手|学科|院|所|店|街区|供应链|园)$"
)
_NOT_TITLE = re.compile(
    r"的|在|对|将|与|按|给予|奖励|支持|符合|满足|以上|以下|其他|有关|相关|等|上述|本办法|各类|未|不|企事业|我[市区县省]|[本全][市区县省]|[0-9一二三四五六七八九十两]+个"
)


def first_titles(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """首次取得: a title first (or newly) conferred; without a year, in the year that the batch pays for."""
    for part in re.finditer(r"[^，；。\0]+", text):
        said = re.sub(r"^(?:对|对于|凡)|[“”]", "", part.group())
        m = _PASSED.fullmatch(said) or _FIRST.fullmatch(said)
        if m is None or (m["y"] or "").startswith("当"):
            continue
        leaves = _dated(m["n"], m["f"], lexicon) or _dated(m["n"] + (m["e"] or ""), m["f"], lexicon)
        if leaves:
            note = "" if (m["y"] or "").startswith("上") else "条文没有写哪一年，按批次年度 Y"
            yield Found(part.start(), part.end(), Fact(tuple(leaves), "any", score=0.88, note=note))


def _dated(names: str, first: str, lexicon: Lexicon) -> list[Leaf]:
    out = []
    for title in expanded(names):
        bare = next((t for lv, t in _SAME_LEVEL if title == lv + t), title)
        entry = lexicon.named.get(bare)
        if entry is None and re.search("专精特新|小巨人|单项冠军|高新技术企业$", title):
            return []  # the dictionary has these titles; this level of them it doesn't know
        stem = (
            entry.name.removesuffix("有效期至").removesuffix("首次认定日期").removesuffix("认定日期")
            if entry
            else title
        )
        kind = "认定日期" if first == "新" and f"{stem}认定日期" in lexicon.dictionary else "首次认定日期"
        name = f"{stem}{kind if first != '新' or entry else '认定日期'}"
        new = None
        if name not in lexicon.dictionary:
            if not title_like(title):
                return []
            new = wanted(name, "日期", note=f"“{title}”的认定日期")
            if new is None:
                return []
        out.append(
            Leaf(f"年度({name}) = Y", {name: "INYEAR"}, {name: "1999-06-30"}, new={name: new} if new else {})
        )
    return out


# Levels that say nothing more than the title itself.
_SAME_LEVEL = (
    ("国家", "高新技术企业"),
    ("国家级", "高新技术企业"),
    ("省级", "专精特新中小企业"),
    ("省级", "创新型中小企业"),
    ("国家级", "专精特新小巨人企业"),
    ("国家级", "小巨人企业"),
    ("国家级", "制造业单项冠军"),
)


def title_like(name: str) -> bool:
    """像称号: whether words are the plain name of a title or list."""
    return bool(3 <= len(name) <= 20 and _TITLE.search(name) and not _NOT_TITLE.search(name))


def expanded(names: str) -> list[str]:
    """拆级别: 国家级和省级企业技术中心 as 国家级企业技术中心, 省级企业技术中心; A、B两家 by their joints."""
    flat = re.sub(r"[“”\"]|（[^）]*）", "", names)
    m = re.fullmatch(rf"(?P<l>(?:{_LEVELS})(?:(?:{_BY})(?:{_LEVELS}))+)(?P<n>[^、和及或与]+)", flat)
    if m:
        return [lv + m["n"] for lv in re.split(_BY, m["l"])]
    parts = re.split(r"、|或者?|以及", flat)
    if len(parts) > 1:
        level = re.match(rf"(?:{_LEVELS})", parts[0])
        tail = _TITLE.search(parts[-1])
        if level or tail is None or not all(_TITLE.search(p) and len(p) >= 3 for p in parts):
            return [flat]
    return parts


_HELD = re.compile(
    rf"(?:已|须|应|需|经|被|为|是|属于|具有|拥有)*(?:经?(?P<by>[^，。；经被]{{2,24}}?(?:部|委|局|厅|政府|部门|办|协会|中心|管委会)(?:、[^，。；]{{2,16}}?局)*)?(?:共同|联合)?)?(?P<g>{_GRANT})+(?:“)?"
    rf"(?P<n>(?:[^，。；：（）“”]|（[^）]{{1,6}}）){{3,22}}?)(?:”(?:企业|单位)?)?(?P<t>称号|资质|资格|证书)?(?:的(?:企业|单位|个人|机构)?)?(?:（名单见附件\d*）)?$"
)


def held_titles(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """持有称号: a title that some office has conferred (经…认定的…, 已认定的…, 列入…名单)."""
    if re.search(
        r"首次|初次|(?<![高创更])新(?!技术|材料|能源|型|兴|药|区|产品|一代)|拟|申报|未|不|前|曾|年(?!度)",
        text,
    ):
        return
    for part in re.finditer(r"[^，；。\0]+", text):
        m = _HELD.fullmatch(re.sub(r"^(?:对|对于|凡)", "", part.group()))
        if m is None:
            continue
        noun = m["n"].removesuffix("认定")
        titles = expanded(noun) if not m["t"] or m["t"] == "称号" or noun != m["n"] else [noun + m["t"]]
        either = bool(re.search(r"认定为|评定为|认（评）定为|评为|授予", m.group()))
        if (len(titles) > 1 and not either) or not all(
            title_like(t) or (m["t"] and not _NOT_TITLE.search(t)) for t in titles
        ):
            continue
        if any(t in lexicon.named or t in lexicon.dictionary for t in titles):
            continue  # the dictionary's own readers know it
        by = f"{m['by']}认定的" if m["by"] else ""
        news = [wanted(t, "是否", note=f"{by}“{t}”，在册为 是") for t in titles]
        leaves = [leaf(f"{n.name} = 是", n.name, "是", "否", new=n) for n in news if n is not None]
        if len(leaves) == len(titles):
            yield Found(part.start(), part.end(), Fact(tuple(leaves), "any", score=0.88))


_GRADED = re.compile(
    r"(?:经|在)?(?P<n>[\u4e00-\u9fa5]{0,6}(?:绩效考核|绩效评价|考核评价|年度考核|考核|评估|验收))(?:后，)?(?P<g>等次|结果|等级|结论)?(?:达到|评定)?为(?P<v>优秀|良好|合格|优)(?P<up>及?以上)?(?:等次|等级)?"
)
_SKILLS = ("初级工", "中级工", "高级工", "技师", "高级技师")
_SKILL = re.compile(
    r"(?:国家)?(?:[一二三四五]级职业资格)?（?(?P<s>高级技师|技师|高级工|中级工|初级工)）?(?P<up>及?以上)?(?:国家)?(?:职业资格|职业技能|技能)(?:证书)?(?:或(?:职业)?技能等级)?(?:等级)?(?:证书)?"
    r"|国家[一二三四五]级职业资格（(?P<s2>高级技师|技师|高级工|中级工|初级工)）(?P<up2>及?以上)?(?:证书)?"
)


def graded(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """等次: the grade of an assessment, the grade of a worker's skill."""
    for m in _GRADED.finditer(text):
        name = f"{m['n']}{m['g'] or '结果'}"
        new = wanted(name, "文本", note="优秀、良好、合格、不合格")
        held: tuple[str, ...] = ("优秀", "良好", "合格")
        at = held.index({"优": "优秀"}.get(m["v"], m["v"]))
        if new is not None:
            yield Found(
                m.start(),
                m.end(),
                Fact((_among(name, held[: at + 1] if m["up"] else held[at : at + 1], "不合格", new),)),
            )
    for m in _SKILL.finditer(text):
        at = _SKILLS.index(m["s"] or m["s2"])
        held = _SKILLS[at:] if m["up"] or m["up2"] else _SKILLS[at : at + 1]
        yield Found(m.start(), m.end(), Fact((_among("职业技能等级", held, "无"),)))


# ---------------------------------------------------------------- listing, statistics, funds, learning

_BOARDS = r"主板|中小板|创业板|科创板|北交所|北京证券交易所"
_LISTED = re.compile(
    rf"(?:在)?(?P<b>(?:{_BOARDS})(?:[、或和及](?:{_BOARDS}))*)(?:首次公开发行|成功|实现)?上市(?:的)?(?:企业|公司)?"
)
_THIRD = re.compile(r"(?:在)?(?:“?新三板”?|全国中小企业股份转让系统)(?:成功|实现)?挂牌(?:的)?(?:企业|公司)?")
_ABOVE = re.compile(
    r"(?P<new>新增|首次|新|新晋)?(?:并)?(?:纳入|进入|列入|达到|升为|纳统为|升规为|入统)?(?:统计(?:口径|范围|局?名录库)?)?(?:的)?(?P<k>规模以上工业|规上工业|规模以上服务业|规上服务业|限上商贸|限额以上商贸|限额以上批发零售住宿餐饮)企业"
)
_CLASSES = {
    "工业": ("规模以上工业",),
    "服务": ("规模以上服务业",),
    "商贸": ("限额以上批发和零售业", "限额以上住宿和餐饮业"),
    "餐饮": ("限额以上批发和零售业", "限额以上住宿和餐饮业"),
}


def listings(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """上市挂牌: the board a firm is listed on."""
    if re.search(r"拟|未|非|辅导|申报|培育|首次|新(?!三板)", text):
        return
    for m in _LISTED.finditer(text):
        said = m["b"].replace("北京证券交易所", "北交所")
        boards = list(dict.fromkeys(re.findall(_BOARDS, said)))
        told = ", ".join(f'"{b}"' for b in boards)
        when = f'上市板块 = "{boards[0]}"' if len(boards) == 1 else f"上市板块 in [{told}]"
        yield Found(m.start(), m.end(), Fact((leaf(when, "上市板块", boards[-1], "新三板"),), score=0.88))
    for m in _THIRD.finditer(text):
        one = leaf("新三板挂牌日期 <= 申报截止", "新三板挂牌日期", "2000-01-01", "2099-01-01")
        yield Found(m.start(), m.end(), Fact((one,), score=0.88))


def above_scale(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """规上限上: the class of the statistical register, and for new ones the year of their first entry."""
    for m in _ABOVE.finditer(text):
        if re.search(r"[非未不拟]|培育", text[: m.start()]):
            continue
        classes = next(v for k, v in _CLASSES.items() if k in m["k"])
        told = ", ".join(f'"{c}"' for c in classes)
        name = "一套表单位类别"
        when = f'{name} = "{classes[0]}"' if len(classes) == 1 else f"{name} in [{told}]"
        leaves = [leaf(when, name, classes[-1], "房地产开发经营业")]
        if m["new"]:
            leaves.append(
                Leaf("年度(首次升规日期) = Y", {"首次升规日期": "INYEAR"}, {"首次升规日期": "1999-06-30"})
            )
        elif re.search(r"新|首次", text):
            continue
        note = "条文没有写哪一年，按批次年度 Y" if m["new"] and not re.search("上一?年度", text) else ""
        yield Found(m.start(), m.end(), Fact(tuple(leaves), bare=not m["new"], score=0.88, note=note))


_FUND = re.compile(
    r"(?:基金)?(?:应当?|已|需|须)?在(?:中国证券投资)?基金业协会(?:完成|进行)?(?:备案|登记备案)"
)
_MANAGER = re.compile(
    r"(?:已|需|须)?在(?:中国证券投资)?基金业协会(?:完成|进行)?登记(?:为(?:私募)?(?:股权)?(?:投资)?基金管理人)?"
)
_DEGREES = ("本科", "硕士", "博士")
_DEGREE = re.compile(
    r"(?:国家承认的|全日制)?(?P<d>大学本科|本科|硕士研究生|硕士|博士研究生|博士)(?:学历)?(?P<up>及?以上)?(?:学历|学位|文化程度)(?:(?:或|和)(?P<d2>学士|硕士|博士)(?P<up2>及?以上)?学位)?"
)
_RANKS = {"初级": 0, "中级": 1, "副高级": 2, "高级": 2, "正高级": 3}
_RANK = re.compile(
    r"(?P<r>初级|中级|副高级|正高级|高级)(?P<up>及?以上)?(?:专业技术)?(?:职称|专业技术职务|专业技术资格)(?P<up2>及?以上)?"
)


def learning(text: str, lexicon: Lexicon) -> Iterator[Found]:
    """基金与学历: registration with the fund association; degrees and professional ranks of persons."""
    for m in _FUND.finditer(text):
        yield Found(m.start(), m.end(), Fact((leaf("基金备案 = 是", "基金备案", "是", "否"),)))
    for m in _MANAGER.finditer(text):
        if "备案" not in m.group():
            new = wanted("私募基金管理人登记", "是否", note="中国证券投资基金业协会登记")
            yield Found(
                m.start(),
                m.end(),
                Fact((leaf("私募基金管理人登记 = 是", "私募基金管理人登记", "是", "否", new=new),)),
            )
    for m in _DEGREE.finditer(text):
        at = next(i for i, d in enumerate(_DEGREES) if d in m["d"])
        other = {"学士": "本科"}.get(m["d2"] or "", m["d2"] or "")
        if other and other != _DEGREES[at]:
            continue
        held = _DEGREES[at:] if m["up"] or m["up2"] else _DEGREES[at : at + 1]
        yield Found(m.start(), m.end(), Fact((_among("学历层次", held, "专科"),)))
    for m in _RANK.finditer(text):
        low = _RANKS[m["r"]]
        up = m["up"] or m["up2"]
        held = tuple(
            n
            for n in ("初级", "中级", "副高级", "正高级")
            if (_RANKS[n] >= low if up or m["r"] == "高级" else n == m["r"])
        )
        new = wanted("职称等级", "文本", note="初级、中级、副高级、正高级")
        yield Found(m.start(), m.end(), Fact((_among("职称等级", held, "无", new),)))


def _among(name: str, held: tuple[str, ...], other: str, new: object = None) -> Leaf:
    told = ", ".join(f'"{h}"' for h in held)
    when = f'{name} = "{held[0]}"' if len(held) == 1 else f"{name} in [{told}]"
    return leaf(when, name, held[0], other, new=new)  # type: ignore[arg-type]
