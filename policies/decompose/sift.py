"""筛选: which benefit pieces are real, and what triggers them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import role_of_field

from .benefits import keyed
from .columns import is_row
from .elsewhere import before_all, headline, over_amounts, points_to_table
from .joins import STANDARD_TOLD, plain_giving
from .model import Item
from .phrases import DENIES_GIVING, GIVES, MAY_HAVE, MEASURED_BY
from .pieces import LABELS, Piece, Reading
from .roles import ROLES
from .spans import body_of


def with_numbers(reading: Reading, pieces: Sequence[Piece]) -> list[Piece]:
    """补片段: an atom that holds a benefit's number is a benefit piece, whatever its words were taken for."""
    out = list(pieces)
    held = [(p.clause, p.a, p.b) for p in out if p.label == "benefit"]
    for n, a in enumerate(reading.atoms):
        if asks_for(reading, n):
            continue
        probe = Piece("benefit", a.clause, a.a, a.b, 0.5)
        found = keyed(reading, probe)
        if found and not any(c == a.clause and s <= found[0][0].start < e for c, s, e in held):
            probe.score = max(s for _, _, s in found)
            out.append(probe)
    return sorted(out, key=lambda p: (p.clause, p.a, p.label))


_REACHED = re.compile(
    r"(?:超过|达到?|[高低]于|不少于|满|不足|占)[^，。；]{0,24}\d|\d[^，。；]{0,8}以[上下内]"
)


def asks_for(reading: Reading, n: int) -> bool:
    """所求: whether the n-th atom says what must be reached, in a field of conditions or by its own words, and gives nothing."""
    a = reading.atoms[n]
    held, given = (float(reading.labels[n, LABELS.index(x)]) for x in ("condition", "benefit"))
    if GIVES.search(a.text) or not _REACHED.search(a.text):
        return False
    return role_of_field(reading.clauses[a.clause].field_name) == "condition" or (held >= 0.6 and given < 0.1)


_STRONG = re.compile(
    r"(?:给予|予以|发放|提供|享受)[^，。；]{0,30}(?:奖励|奖补|补贴|补助|资助|扶持|救助|津贴|贴息|补偿|奖金|安家费|生活费|交通费|消费券|支持(?!下|和)|资金)|一次性(?:奖励|补[贴助]|资助)|"
    r"(?:实行|采取|按)[^，。；]{0,12}一事一议|实行[^，。；]{0,24}(?:奖励|补[贴助]|优惠)政策|全额(?:奖励|奖补|补[贴助]|资助|返还)|免[收征]|减免|返还(?!贷)|按[^，。；]{0,30}(?:补贴|补助|奖励|资助|贴息)|优先(?:推荐|支持|安排|给予|享受)|"
    r"(?:申请|申领|领取|享受)[^，。；]{0,24}(?:补贴|补助|待遇|优惠|奖励|贷款|扶持|资助)|不征收|即征即退"
)
_SUBJECT = re.compile(
    r"^[^，。]{0,30}?对(?!于?[^，]{0,20}(?:进行|开展|加强))|的(?:企业|单位|机构|个人|人员|项目|团队|人才)?[，。]|企业|单位|人员|毕业生|职工|家庭|老人|居民|学生|农户|青年|项目[，。]|者"
)
# A point of what is supported that begins with its own name (资助新建影院2025年1月1日后…, 获奖作品奖励：…).
_RUN_IN = re.compile(
    r"(?:[^，。；：\d]{2,8}项目)?(?:资助|奖励|扶持|补[贴助])(?!对象|标准|资金|条件|范围|方式|比例|额度|金额)[^，。；：\d]{4,20}?(?=\d{4}年|在|：|。|$)|"
    r"[^，。；：\d的]{2,12}(?:奖励|扶持|补[贴助]|资助)(?=[获：。]|内容|对)"
)
# A piece that begins with a verb of giving and says what is given, beside others that give.
_OPENS_GIVING = re.compile(
    r"(?:另|再|均|并|同时|还|可)*(?:可以?(?:获得|申[请领]|享受)[^，。；\d]{0,6}\d|(?:给予|予以|享受|发放)[^，。；]{0,20}(?:奖励|奖补|补[贴助]|资助|扶持|贴息|补偿|奖金)|免[收征费缴](?!.{0,2}的)|减半|全额(?:补|退|返)|"
    r"(?:一次性)?(?:奖励|资助|补[贴助])[^，。；\d]{0,6}\d)"
)
_NOT_GIVING = re.compile(r"不予|不再|不得|停止|取消|追|资金管理|资金使用|资金分配|不享受|公示|审核|材料")


# Relief from a tax or fee, without whom it is for (五年内免征房产税).
_RELIEF = re.compile(
    r"(?:自[^，。；]{4,14}起)?(?:[一二三四五\d]+年内)?(?:可?继续)?(?:免[征缴收]|减半征收)[^，。；的]*"
)


def _relieved(reading: Reading, pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, those taken for conditions that are the relief itself as what is given."""
    out: list[Piece] = []
    given = [p for p in pieces if p.label == "benefit"]
    for p in pieces:
        if p.label != "condition" or not _RELIEF.fullmatch(reading.views[p.clause].flat[p.a : p.b]):
            out.append(p)
        elif not any(q.clause == p.clause and q.a < p.b and p.a < q.b for q in given):
            out.append(Piece("benefit", p.clause, p.a, p.b, p.score))
    return out


def with_words(reading: Reading, pieces: Sequence[Piece], roles: list[list[str]]) -> list[Piece]:
    """补词语: a sentence that says in set phrases that somebody is given something, where the model saw nothing."""
    out = _relieved(reading, pieces)
    pieces = out[:]
    b = ROLES.index("benefit")
    told = {p.clause for p in pieces if p.label == "benefit"}
    for a in reading.atoms:
        k = a.clause
        flat = reading.views[k].flat
        if k in told or "title" in roles[k] or not _STRONG.search(a.text) or not _SUBJECT.search(flat):
            continue
        if _NOT_GIVING.search(flat) or reading.roles[k][b] < 0.06 or _OFFICE.search(flat):
            continue
        told.add(k)
        out.append(Piece("benefit", k, a.a, a.b, 0.4))
    for a in reading.atoms:
        opens = a.clause in told and _OPENS_GIVING.match(a.text) and not _NOT_GIVING.search(a.text)
        if opens and not any(p.clause == a.clause and p.a < a.b and a.a < p.b for p in out):
            out.append(Piece("benefit", a.clause, a.a, a.b, 0.4))
    for k in range(1, len(reading.clauses)):
        flat, begin = reading.views[k].flat, body_of(reading.views[k].flat)[0]
        m = STANDARD_TOLD.match(flat[begin:])
        same = reading.clauses[k].line == reading.clauses[k - 1].line or not reading.clauses[k].label
        if m and k not in told and k - 1 in told and same:
            out.append(Piece("benefit", k, begin, begin + m.end(), 0.4))
    for k, c in enumerate(reading.clauses):
        flat = reading.views[k].flat
        begin, _ = body_of(flat)
        m = _RUN_IN.match(flat[begin:])
        if (
            m
            and k not in told
            and c.label
            and role_of_field(c.field_name) == "benefit"
            and "benefit" in roles[k]
        ):
            out.append(Piece("benefit", k, begin, begin + m.end(), 0.5))
    return sorted(out, key=lambda p: (p.clause, p.a, p.label))


_TAKES = re.compile(
    r"停止享受|不享受|不再享受|不得享受|不予|取消|追[回缴]|不再给予|(?:应当?|须|需|要|将)[^，。；]{0,6}(?:退[还回]|缴回|返还)[^，。；]{0,8}(?:资金|奖励|补[贴助]|资助|款)"
)
_IN_BRACKETS = re.compile(r"（[^）]*）?")  # what is explained in passing
_KEEPS = re.compile(r"管理费[^，。；]{0,16}(?:提取|收取|支付|计提)|超额收益")  # what managers of a fund keep
# What an earlier sentence gives, how money is handed out, what is set off against it, and what firms must give their people.
_GIVES_NO_MORE = re.compile(
    r"享受(?:以上|上述|前述|前款)[^，。；]{0,8}(?:政策|奖励|补[贴助])|按照?(?:其他)?相关(?:支持)?政策(?:予以|给予)支持$|采[取用](?:事?后|先建后)[^，。；]{0,4}(?:支持|补[贴助]|奖励|资助)?方式|"
    r"在[^，。；]{2,20}(?:奖励|补[贴助]|资金)[^，。；]{0,4}中(?:抵扣|扣除|抵减)|确定[^，。；]{0,14}(?:总规模|资金规模|总额|规模上限)"
)
_FIRM_GIVES = re.compile(
    r"^(?:见习|用人|实习|承训|培训|申[请报])?(?:单位|企业|基地)应当?[^，。；]{0,12}(?:向|为)[^，。；]{2,12}(?:提供|支付|发放|缴纳|购买)"
)
_LEADS_ON = re.compile(r"(?:如下|以下[^，。]{0,10}|条件之一[^，。]{0,16})[：:]?$|[：:]$")
_PAYING = re.compile(
    r"应(?:奖励|补[贴助]|兑现)额|兑现[^，。]{0,6}(?:奖励|政策)|(?:资金|奖励)[^，。]{0,4}(?:分[^，。]{0,4}(?:期|批|阶段)|拨付)|"
    r"(?:拨付|支付|发放|兑付|兑现|预拨)[^，。；]{0,16}(?:总额|余额|余款|尾款|剩余|其余|余下)|(?:首|第[一二三]|前|尾|先|预)[期笔次批]?(?:拨付|支付|兑付)|"
    r"[一二两三]次(?:拨付|支付|兑付)|(?:启动|剩余)(?:经费|资金)"
)


_AIMS = re.compile(
    r"力争|目标|确保|增长|增速|降至|降低到|提[高升]到|达到|压[减缩]|覆盖率|满意度|完成率|占比|不少于|不低于|新增|预算|总投资|保证金|限价|扣除"
)


# A sum or share that a verb of giving takes for its object (奖励5万元, 按…的10%给予补助): it gives whatever the clause looks like.
_GIVES_SUM = re.compile(
    r"(?:奖励|奖补|补[贴助]|资助|给予|发放|再[给奖补])[^，。；、\d]{0,10}?\d[\d.]*(?:万|亿)?元|"
    r"按照?[^，。；]{2,30}?\d[\d.]*[%‰][^，。；]{0,8}(?:奖励|奖补|补[贴助]|资助|贴息)"
)


# What a report tells was done, is given to nobody who reads it.
_REPORTS = re.compile(
    r"比上年|同比|初步核算|年末|惠及|(?:全年|累计|去年|过去一年|已)[^，。]{0,4}(?:发放|兑现|拨付|新增|实现|完成|落实|为企业)|"
    r"^[^，。]{0,4}(?:[一两二三四五]年来|过去[一两二三四五]年|去年(?!度)|今年以来|近年来)|(?:享受|获得|拿到|领到|兑现|发放)了|我们?(?:公司|企业)"
)


# Sentences about giving that give nothing: who asks for it, what who enjoys it must do, what good it does, how large a fund is.
_ABOUT_GIVING = re.compile(
    r"提出[^，。；]{0,20}申请$|(?:总规模|资金规模)|让[^，。；]{2,16}享受|优先满足[^，。；]{2,20}需求|红利|放宽了|判[断别]|战略|"
    r"^申[请报领](?!.*(?:给予|予以))[^，。；]{2,24}的(?:企业|单位|机构|个人|人员|人才|申请人|组织|主体)?$|"
    r"享受[^，。；]{2,24}的[^，。；]{0,8}?(?:对象|企业|单位|人员|个人|主体|人)(?=$|[^，。；]{0,4}(?:须|应|需|不得|要))"
)


# What is reckoned among offices, set off against a payment, or only lets a case be looked at.
_BETWEEN = re.compile(
    r"(?:可以?)?(?:计算|计入|折算|记)为?[^，。；]*(?:任务|指标|考核)[^，。；]{0,6}|(?:在|从)?[^，。；]*中(?:予以)?(?:抵扣|扣除)[^，。；]*|可以?在本批?次?受理|"
    r"(?:省|市|区|县)(?:委、?)?(?:市|区|县)?政府[^，。；]{0,4}对[^，。；]{2,12}(?:地区|新区|[区县市镇乡])的?[^，。；]*(?:支持|倾斜)|保留[^，。；]*资格"
)


# A sentence that says only how long, or how often, what was given before is given; what is put off, kept up or given back.
_TERMS = re.compile(
    r"[^，。；：]{0,24}(?:补[贴助]|资助|贴息|津贴|扶持|享受|待遇)(?:期限|年限|时限|时间|次数)(?:，?除|最长|最多|一般|原则上|不[得应]?超过|自|从|为)|"
    r"(?:累计|每[^，。；]{1,4})[^，。；]{0,10}次数?[^，。；]{0,4}(?:最多|不超过)[^，。；]{0,4}\d+次"
)
_GOES_ON = re.compile(
    r"结转(?:至|到)?[下次]|继续享受[^，。；]*期满|延长[^，。；]{0,12}(?:补[贴助]|享受)[^，。；]{0,4}(?:期限|年限)|给予(?:最大|更多|更大)(?:的)?优惠(?:条件|政策)?$|"
    r"(?:采取|出台|制定|推出|落实)[^，。；]{0,10}(?:奖励|支持|优惠|扶持|激励)[^，。；]{0,4}(?:措施|政策)$"
)
# How large a fund is, or what for it is set up.
_FUND_SIZE = re.compile(
    r"(?:奖励|扶持|补[贴助]|专项|发展)资金(?:(?:总额|总量|规模|预算)(?:暂定|共计|合计)?|暂定|共计|合计)(?:为|共)?\d|(?:共计|每年|合计)?安排[^，。；]{0,12}\d[\d.]*[万亿]元的?[^，。；]{0,16}资金"
)
_SETS_UP_FUND = re.compile(r"设立[^。；]{2,24}资金，[^。；]*(?:预算|原则)")
# Which level of government bears how much of it.
_BORNE = re.compile(r"(?:省|市|区|县|镇)[^，。；]{0,14}按[^，。；]{0,16}(?:承担|分担|负担|配套承担)")
# What news tell of a policy as a whole before its rules.
_NEWS = re.compile(r"(?:近日|日前|[昨今]日|本报讯|据悉|[^，。；]{0,12}(?:记者|获悉))")
# What somebody may enjoy beside, of a higher level; what he must pass first; money from one treasury to another.
_ELSEWHERE = re.compile(
    r"同时享受(?:上级|国家|省)[^，。；]*|经[^，。；\d]{2,20}(?:认定|审核|评审|备案|批准|同意)(?:后|的)?|[^，。；]*财力补助|(?:由[^，。；]{2,8})?按上述标准[^，。；]*"
)
# What counts as something, or as which paper (以…登记为准); what words mean from here on (下同).
_DEFINES = re.compile(r"以[^。；]{4,}为准(?:（[^）]*）)?[。；]?$|（下同）[。；]?$")
_SERIES = re.compile(r"一系列(?:举措|措施|政策|优惠)")
_GIVES_BACK = re.compile(r"(?:应当?|须|需)[^，。；]{0,6}(?:退[还回]|缴回|返还)[^，。；]{0,8}$")
# What lenders may lend on a house or land, and who may buy one.
_HOUSING_CREDIT = re.compile(r"首付款?比例|限购|评估价值的|不得发放|暂停(?:发放|[^，。；]{0,14}售房)")


def idle(reading: Reading, p: Piece) -> bool:
    """空话: words that sound like giving but take away, lead on to a list, tell an example or say how money is paid out."""
    flat = reading.views[p.clause].flat
    said = flat[p.a : p.b]
    if re.match(r"例如|比如|举例", flat) or re.match(r"企业\d{4}年", flat[1:]):
        return True
    if _BETWEEN.fullmatch(said) or _ELSEWHERE.fullmatch(said.lstrip("可以")):
        return True
    if _REPORTS.search(flat) and not re.search(
        r"给予|予以|对[^，。]{2,30}的|可以?申[请报领]|可以?继续|免[征缴]", flat
    ):
        return True
    begin = body_of(flat)[0]
    if not keyed(reading, p) and (
        _TERMS.match(flat[begin:]) or _TERMS.fullmatch(said) or _GOES_ON.search(said)
    ):
        return True
    if _FUND_SIZE.search(said) or _SERIES.search(said) or _BORNE.search(said):
        return True
    if not keyed(reading, p) and _NEWS.match(flat[begin:]):
        return True
    if not keyed(reading, p) and (_SETS_UP_FUND.search(flat) or _DEFINES.search(flat)):
        return True
    if _GIVES_BACK.search(flat[: p.a]) or _HOUSING_CREDIT.search(flat):
        return True
    if _GIVES_NO_MORE.search(said) or _FIRM_GIVES.search(flat[begin:]):
        return True
    if (
        _KEEPS.search(flat)
        or _TAKES.search(_IN_BRACKETS.sub("", said))
        or _PAYING.search(said)
        or DENIES_GIVING.search(flat)
    ):
        return True
    if (_AIMS.search(said) or re.search("预算|限价|总投资|保证金", flat)) and not GIVES.search(
        flat
    ):  # a figure that is aimed at, not given
        return True
    if re.search(r"降至|降低到|压[减缩]", said) and not GIVES.search(said):
        return True
    if re.search(r"退[还回]|追[回缴]|缴回", flat[p.b :]) and not keyed(reading, p):
        return True  # who must give back what he was given
    return bool(_LEADS_ON.search(flat)) and not keyed(reading, p)


def talk(reading: Reading, p: Piece) -> bool:
    """谈论给予: whether a piece talks about giving and gives nothing."""
    said = reading.views[p.clause].flat[p.a : p.b]
    return bool(_ABOUT_GIVING.search(said)) and not keyed(reading, p)


def kept_benefits(reading: Reading, pieces: Sequence[Piece], roles: list[list[str]]) -> list[Piece]:
    """可信奖补: benefit pieces of clauses that give something; words alone in a clause of another role give nothing.
    Talk about giving counts only where nothing else of the text gives."""
    kept = _giving(reading, pieces, roles)
    gives = [p for p in kept if not (p.label == "benefit" and talk(reading, p))]
    return gives if any(p.label == "benefit" for p in gives) else kept


def _giving(reading: Reading, pieces: Sequence[Piece], roles: list[list[str]]) -> list[Piece]:
    b = ROLES.index("benefit")
    out = []
    held = over_amounts(reading, pieces) | before_all(reading, pieces)
    tables = {p.clause for p in pieces if points_to_table(reading, p)}
    for p in pieces:
        if p.label == "benefit" and idle(reading, p):
            continue
        if p.label == "benefit" and reading.clauses[p.clause].number in held and plain_giving(reading, p):
            continue  # says what its points say with their amounts
        if p.label == "benefit" and (p.clause in tables or headline(reading, p, pieces)):
            continue
        if p.label == "benefit" and "benefit" not in roles[p.clause] and not is_row(reading.views[p.clause]):
            said = reading.views[p.clause].flat[p.a : p.b]
            strong = bool(_STRONG.search(said) or STANDARD_TOLD.match(said))
            if not (keyed(reading, p) or strong) or reading.roles[p.clause][b] < 0.06:
                continue
        out.append(p)
    return out


def with_triggers(reading: Reading, pieces: Sequence[Piece]) -> list[Piece]:
    """补触发: a benefit without any condition before it in its sentence is said of the words right before it."""
    out = list(pieces)
    k = LABELS.index("condition")
    by_clause: dict[int, list[int]] = {}
    for n, a in enumerate(reading.atoms):
        by_clause.setdefault(a.clause, []).append(n)
    for clause, numbers in by_clause.items():
        here = [p for p in pieces if p.clause == clause]
        first = min((p.a for p in here if p.label == "benefit"), default=None)
        flat = reading.views[clause].flat
        asks = [p for p in here if p.label == "condition" and not MEASURED_BY.fullmatch(flat[p.a : p.b])]
        if first is None or any(p.a < first for p in asks):
            continue
        before = [
            n
            for n in numbers
            if reading.atoms[n].b <= first
            and not MEASURED_BY.fullmatch(reading.atoms[n].text)
            and not _WHY.search(reading.atoms[n].text)
        ]
        best = max(before, key=lambda n: float(reading.labels[n, k]), default=None)
        if best is not None and (
            reading.labels[best, k] > 0.12 or _TRIGGERS.search(reading.atoms[best].text)
        ):
            a = reading.atoms[best]
            out.append(Piece("condition", clause, a.a, a.b, float(reading.labels[best, k])))
    return sorted(out, key=lambda p: (p.clause, p.a, p.label))


# What for, on what ground or by what measure something is given says of nobody that he gets it.
_WHY = re.compile(
    r"^(?:本报讯)?为(?:了|进一步|深入|贯彻|落实|促进|加快|推动|推进|规范|鼓励|支持|全面|切实|充分|激发|引导|发挥)|^(?:依据|根据|按照?)(?:《|[^，。；]*(?:规定|精神|要求|意见|文件|不同|情况|办法|程度)$)"
)
_TRIGGERS = re.compile(
    r"^对(?!其)|的$|^(?:新|首次|初次|凡|经|被|获|通过)|^(?:鼓励|支持)[^，。；]{2,16}(?:企业|单位|机构|人员|个人|高校|院所)[^，。；]{3,}"
)
_HARD = re.compile(
    r"给予(?!.{0,6}(?:指导|重视|关注|保障$))|予以(?:一次性|适当|补|奖|资助|扶持|支持|贴息|返还)|奖励|奖补|补贴|补助|资助|贴息|津贴|返还|减免|减半|减[征缴按]|免[费收征]|"
    r"加计|救助|报销|抵扣|抵[减免]|扣减|税前扣除|补足?差额?(?=$|奖|补)|摊销|不征收?|退[税还]|即征即退|免[缴交]|可以?申[请报领][^，。；]{0,16}(?:扶持|资助|支持|贷款)|享受[^，。；]{0,12}(?:税收)?优惠政策"
)
_SOFT = re.compile(
    rf"{MAY_HAVE}|优先|一事一议|扶持|全额|可(?:直接|由)|允许|享受|配套|绿色通道|一站式|便利化|补偿|授信|支持|保障|纳入|缩短|推荐|认定"
)
_PAYS = re.compile(
    _HARD.pattern + r"|标准|额度|金额|贷款|资金|费率|税率|享受|扶持|支持|租金|配套|奖|补|元/|每人|每[家件个]"
)
_PAID = re.compile(r"(?:奖励|补[贴助]|资助|扶持)(?:标准|金额|额度)$")
_OFFICE = re.compile(
    r"^(?:鼓励|支持|引导)?有条件的(?:地[方区]|[市县区旗])|^(?:其中，?)?(?:各地区?|各级|地方|中央财政|国家和?地方|省级|各有关|相关部门|(?:国家|省|市|县|区)级?[^，]{0,12}(?:基金|机构|部门|政府))[^，。]{0,40}?(?:可|要|应|可以|须|负责)"
)
_TO_OFFICE = re.compile(
    r"(?:成效|工作)[^，]{0,8}的(?:地[方区]|省|设区市|市|县|部门)|其行政区域(?:范围)?内|(?:\d+个)?(?:省[区市]+|市地州盟|县市区旗)"
)
_TO_WHOM = re.compile(
    r"对|为[^，]{2,}(?:提供|给予)|的|企业|单位|人员|个人|机构|团队|毕业生|人才|项目|产品|者"
)
_FEE = re.compile(
    r"收取的|收费|费率[^，。]{0,12}(?:不超过|不高于)|风险责任|(?:出让|挂牌|销售)[^，。；]{0,6}价|最低价|起始价|基准价"
)
_DUTY = re.compile(r"占比|(?:比例|比重|规模)[^，。]{0,8}(?:不得?低于|不少于|达到)|不得[低高]于|业务")
_MAY = re.compile(r"可以?(?:适当|酌情|视情)|(?:逐步|研究|探索)(?:给予|予以|建立|出台|完善)|结合实际")
_EXISTING = re.compile(r"(?:按|依|依照|按照|执行)?现行(?:有效)?(?:的)?(?:[^，]{0,8})(?:规定|政策|税收)")


def grade(reading: Reading, item: Item) -> int:
    """实在程度: 2 where the words give money or relief to somebody, 1 where they promise something softer, 0 nothing."""
    best = 0
    b = ROLES.index("benefit")
    for p in item.pieces:
        flat = reading.views[p.clause].flat
        said, role = flat[p.a : p.b], float(reading.roles[p.clause][b])
        if is_row(reading.views[p.clause]):
            role = 1.0  # the head of the column says that it gives
        plainly = _IN_BRACKETS.sub("", flat)
        barred = (
            _OFFICE.search(plainly)
            or _TO_OFFICE.search(reading.heads[p.clause] + plainly)
            or _EXISTING.search(plainly)
        )
        if barred or ((_FEE.search(flat) or _DUTY.search(said)) and not _HARD.search(said)):
            continue
        strong = bool(_STRONG.search(said)) and bool(_SUBJECT.search(flat)) and not _NOT_GIVING.search(flat)
        pays = _PAYS.search(flat) or _PAID.search(reading.clauses[p.clause].field_name)
        if keyed(reading, p) and pays and role >= (0.2 if _told(reading, p) else 0.85):
            # a standard told without a word of giving may as well be reported: it counts beside what gives
            best = max(best, 2 if _told(reading, p) else 1)
        elif (
            keyed(reading, p)
            and _GIVES_SUM.search(said)
            and _SUBJECT.search(flat)
            and not _REPORTS.search(flat)
        ):
            best = max(best, 2)
        elif _HARD.search(said) and _TO_WHOM.search(flat) and (role >= 0.4 or strong):
            best = max(best, 1 if _MAY.search(flat) else 2)
        elif _SOFT.search(said) and ((role >= 0.45 and p.score >= 0.3) or strong):
            best = max(best, 1)
    return best


def traits(reading: Reading, p: Piece) -> list[str]:
    """奖补词性: which of the set phrases of giving a piece and its sentence hold, by name."""
    flat = reading.views[p.clause].flat
    said = flat[p.a : p.b]
    tests = (
        ("strong", _STRONG.search(said)),
        ("hard_word", _HARD.search(said)),
        ("soft_word", _SOFT.search(said)),
        ("may", _MAY.search(flat)),
        ("subject", _SUBJECT.search(flat)),
        ("office", _OFFICE.search(flat)),
        ("existing", _EXISTING.search(flat)),
    )
    return [name for name, hit in tests if hit]


def _told(reading: Reading, p: Piece) -> bool:
    """Whether the sentence, its field or the headings over it speak of giving or of what one applies for."""
    c = reading.clauses[p.clause]
    said = reading.views[p.clause].flat + reading.heads[p.clause]
    return (
        bool(GIVES.search(said) or re.search("贷款|额度|申请", said))
        or role_of_field(c.field_name) == "benefit"
    )


_OVERALL = re.compile(
    r"(?:原则上)?(?:同一|单个|单一|每个|每家|对同一)(?:企业|单位|项目|申[请报](?:人|单位|主体)|集团)[^，。；]{0,6}(?:年度|每年|当年|累计)[^。；]{0,24}(?:不[得应]?超过|最高|上限|封顶)[^，。；]{0,14}"
)


def _only_bounds(reading: Reading, item: Item) -> bool:
    """Whether an item says only what one firm gets at most in all: a bound on the others."""
    if len(item.pieces) != 1:
        return False
    flat = reading.views[item.pieces[0].clause].flat
    return bool(_OVERALL.fullmatch(flat[body_of(flat)[0] :].rstrip("。；")))


def concrete(reading: Reading, items: Sequence[Item]) -> list[Item]:
    """实在事项: items that give something; soft promises count only in a document that gives something hard as well,
    so that plans and service texts make none."""
    graded = [(grade(reading, i), i) for i in items if not _only_bounds(reading, i)]
    hard = sum(1 for g, _ in graded if g == 2)
    return [i for g, i in graded if g == 2 or (g == 1 and hard >= HARD_BESIDE)]


HARD_BESIDE = 2  # so many hard items make soft ones beside them believable
