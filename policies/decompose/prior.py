"""角色初判: what a careful reader would say of a clause from its place and set phrases, with the reason for each opinion.

The classifier, not this page, decides: it learns from the annotated documents how far each reason can be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.furniture import is_furniture
from policies.segment import BARS, Clause, field_of, inline_field, role_of_field

from .cues import cues_of
from .phrases import (
    AMOUNT,
    BACKGROUND,
    CONTACT,
    GIVES,
    NEGATED,
    PAPER,
    SAYS_GIVING,
    SUBMITS,
    TAKES,
    URGE,
    WINDOW,
)
from .places import NOWHERE, Place, body_text, places
from .sayings import Opinion, content
from .subjects import subject_of


def opinions(c: Clause, place: Place = NOWHERE) -> list[Opinion]:
    """初判: the roles a reader would give a clause at first sight, each with its reason."""
    text = re.sub(r"\s+", "", c.text)
    body = body_text(c, text)
    cues = set(cues_of(text)) | set(cues_of(body))
    for rule in (_formal, _led, _keyed, _copies, _heading, _opening, _fielded):
        if said := rule(c, place, text, body, cues):
            return said
    return content(c, place, text, body, cues)


_LEADS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("procedure", re.compile(r"(?:作出|分别|予以)[^。]{0,4}处理[：:]")),
    ("exclusion", re.compile(r"不予|不得|不享受|不支持|除外|取消|不再|禁止")),
    ("material", re.compile(r"材料|资料|提交|提供|附件|报送|装订")),
    ("window", re.compile(r"时间|期限")),
    ("procedure", re.compile(r"(?:协议|合同)[^。：:]{0,16}(?:包括|载明|约定|明确|内容)")),
    ("definition", re.compile(r"视[同为]|是指")),
    ("condition", re.compile(r"条件|符合|满足|下列.{0,8}(?:企业|单位|人员|对象)|对象|范围|要求|标准之一")),
    ("authority", re.compile(r"职责|公开|负责|(?:资金|经费)[^，。]{0,4}来源")),
    ("benefit", re.compile(r"补[贴助]|奖|资助|支持|减[缴免]|优惠|标准|额度")),
    ("procedure", re.compile(r"程序|流程|步骤|操作")),
    ("definition", re.compile(r"包括")),
)


def _led(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """What the line that introduces a list says its points are (有下列情形之一的，不予支持：)."""
    lead = place.lead
    if lead is not None and not place.holds and _FIRMS_DUTIES.search(lead.text.strip()):
        return [("condition", "led-duties")]
    if lead is None or not re.search(r"[：:]\s*$", lead.text) or len(lead.text.strip()) < 5 or place.holds:
        return []
    if text.endswith(("：", ":")) or not (c.label or c.first):
        return []
    if GIVES.search(body) and AMOUNT.search(body):
        return []
    if TAKES.search(NEGATED.sub("", text)):
        return [("exclusion", "led-takes")]
    if _DUTIES.search(lead.text) and subject_of(body_text(lead, re.sub(r"\s+", "", lead.text)))[0] == "firm":
        return [("condition", "led-duties")]
    role = next((role for role, p in _LEADS if p.search(lead.text)), "")
    if role == "condition" and "bare_paper" in cues and _NAMES_PAPER.fullmatch(body):
        return [("material", "led-paper")]
    counted = [("definition", "led-costs")] if role == "condition" and _COSTS.search(lead.text) else []
    return [(role, f"led-{role}"), *counted] if role else []


_COSTS = re.compile(r"费用[^。；]{0,4}范围|范围[^。；]{0,4}费用")


_NAMES_PAPER = re.compile(
    r"(?!填写|准备|提交|编写|提供)(?:《[^》]{4,40}》|[^，。；：的]{2,30}(?:表|[证任]书|证明|复印件|报告|执照))(?:（[^）]*）)?[。；]?"
)
_DUTIES = re.compile(r"职责|义务|责任(?!部门|单位|人)")
_FIRMS_DUTIES = re.compile(r"(?:单位|企业|机构|申请人|申请者|承租人|基地)(?:的)?(?:职责|义务|责任)[。：:]?$")


def _formal(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """Dates, numbers, addressees, signatures, attached files and the like."""
    if is_furniture(c.text):
        return [("other", "formal")]
    if _TOLD_NEXT.search(text):
        return [("preamble", "so-follows")]
    if place.attached or re.search(
        r"\.(?:docx?|xlsx?|pdf|wps|zip|rar)[）)]?$|^附[件表]\s*\d{0,2}[：:]", text
    ):
        return [("other", "file")]
    if _EDITION.fullmatch(text) and c.number < 20:
        return [("title", "edition")]
    if not cues & {"dateline", "addressee", "docno", "closing", "signature"}:
        return []
    if GIVES.search(text) or len(text) >= 100 or c.label or (c.sort == "h" and not re.search(r"\d", text)):
        return []
    under = role_of_field(c.field_name)
    if under in ("authority", "contact", "preamble", "procedure") and not place.closing:
        return [(under, "formal-field")]
    return [("other", "formal")]


# （2025年版）, （修订稿） on a line of their own belong to the title above.
_EDITION = re.compile(
    r"[（(](?:\d{4}年?(?:版|修订|第[一二三\d]次修订)|(?:修订|修正|试行|暂行|征求意见|送审|草案|讨论)稿?)[）)]"
)
# How many copies of what, and of what kind: a paper wherever its line stands.
_COPIES = re.compile(
    r"(?:一式[一两二三四五六七八]份|[\d一二两三四五六]份|[（(][^（）()]{0,12}盖[^（）()]{0,8}章[）)]|复印件|扫描件|原件)(?:[（(][^（）()]*[）)])?[。；;]?$"
)


def _copies(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """A numbered name of a paper with its copies (1.申请表一式三份)."""
    named = c.label and c.sort != "条" and c.first and c.last and len(body) <= 60 and _COPIES.search(text)
    if not named or place.holds or c.field_name or _DONE_WITH.search(body):
        return []
    return [("material", "led-copies")]


_DONE_WITH = re.compile(r"报送|提交|提供|递交|应|须|登[录陆]|审[核查]|窗口|受理|寄|送至|发[放给]")


def _keyed(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """A line that names its own field (申请渠道：…)."""
    if BARS.search(c.text) and not c.heading and not GIVES.search(BARS.sub("", text)):
        return [("exclusion", "led-takes")]
    name = inline_field(c.text) if c.first else ""
    role = role_of_field(name)
    if not role:
        return []
    said = re.split(r"[：:]", body, maxsplit=1)[1]
    out = [(role, f"keyed-{role}")]
    if role == "benefit" and name.endswith("范围") and not GIVES.search(said) and not AMOUNT.search(said):
        return [("condition", "keyed-condition")]
    if role == "benefit":
        out += [o for o in content(c, place, said, said, set(cues_of(said))) if o[0] != "benefit"]
    return out


# A line of its own that leads on and says itself who is barred or what is handed in.
_STATING = re.compile(r"(?:不予|不得|不享受|视同|材料包括|流程如下|知如下|如下图)[^，。]{0,20}[：:]$")
_SENTENCE = re.compile(r"[。；;]$")
_MODAL = re.compile(
    r"，|曾|未[获被有享]|已[经获被有]|[获取]得|具[有备]|须|应[当在于]|不[得予再超]|可以|[自从].*起|负责|施行|执行|\d|是|有下列|符合|的[:：]$|[:：]|组织专家|可(?!持)|只能|[由将]|对(?!象)|实行|按照|支出|登[录陆]|填报|提交|优先|就高"
)


def _heading(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    if re.search(r"[×÷＝=]", body) and not field_of(c.text):
        return []
    if c.sort == "h":
        return _states(text) if _STATING.search(text) else [("title", "bare")]
    if "question" in cues and text.endswith(("？", "?")):
        return [("title", "question")]
    if place.begins and not text.endswith(("：", ":")) and not _begins_midway(text):
        return [("title", "first")]
    if c.number <= 6 and "titled" in cues and not _SENTENCE.search(text):
        return [("title", "titled")]
    if not c.first:
        return (
            [("title", "arrow")]
            if text.startswith("→") and len(body) <= 12 and not _MODAL.search(body)
            else []
        )
    if text.endswith(("：", ":")) and role_of_field(c.field_name) == "contact" and not field_of(c.text):
        return [("contact", "field-lead")]
    if text.endswith(("：", ":")):
        return [("title", "lead")] if _leads(c, place, text, body, cues) else _states(text)
    if _SENTENCE.search(text):
        return _short_heading(c, place, text, body.rstrip("。；"), cues)
    if (
        c.label
        and place.holds
        and not (role_of_field(c.field_name) == "material" and _paper_of_list(c, cues))
    ):
        stated = len(body) > 60 or (AMOUNT.search(body) and SAYS_GIVING.search(body))
        return [] if stated else [("title", "holds")]
    stated = _paper_of_list(c, cues) or (AMOUNT.search(body) and SAYS_GIVING.search(body))
    return [("title", "labelled")] if c.label and len(body) <= 26 and not stated else []


def _begins_midway(text: str) -> bool:
    """Whether a text begins with a sentence, without a title."""
    return bool(_SENTENCE.search(text) and len(text) > 24)


def _paper_of_list(c: Clause, cues: set[str]) -> bool:
    return bool(c.field_name) and "bare_paper" in cues and not field_of(c.text)


def _short_heading(c: Clause, place: Place, text: str, short: str, cues: set[str]) -> list[Opinion]:
    """A heading that ends as a sentence does: 3.酒店建设。"""
    if re.search(r"\d", short) or len(short) > 30:
        return []
    if c.label and not c.last and len(short) <= 20 and not _SAYS.search(short):
        if "bare_paper" in cues and (text.endswith(("；", ";")) or _paper_below(c, short)):
            return [("material", "led-paper")]
        return [("title", "runs-in")]
    if not c.label and not c.last and _STEP_NAME.fullmatch(short):
        return [("title", "runs-in")]
    if _MODAL.search(short) or AMOUNT.search(short):
        return []
    if "bare_paper" in cues and (text.endswith("；") or role_of_field(c.field_name) == "material"):
        return []
    if (c.label and place.holds) or place.holds == "line" or (c.label and len(short) <= 10 and not c.last):
        return [("title", "short")]
    if (
        c.label
        and len(short) <= 10
        and c.sort != "条"
        and text.endswith("。")
        and role_of_field(c.field_name) != "material"
        and not _paper_of_list(c, cues)
    ):
        return [("title", "short-list")]
    alone = c.last and not c.label and len(short) <= 26 and URGE.search(short)
    return [("title", "alone")] if alone else []


def _paper_below(c: Clause, short: str) -> bool:
    return role_of_field(c.field_name) == "material" and bool(_NAMES_PAPER.fullmatch(short))


_STEP_NAME = re.compile(r"[^，。；：]{0,8}(?:审[核批查]|评审|公示|拨付|申报|受理|验收|立项|兑现|核查|确认)")
# What a short point with more behind it on its line states itself; without it, it names what follows.
_SAYS = re.compile(
    r"，|[：:]|曾|未|已|获[得被]|[取获]得|具[有备]|须|应[当在于]|不[得予再超能]|可以|起|负责|施行|执行|由|为(?!主)|是|有下列|符合|只[能有限]|实行[^，]{0,10}(?:制度?|管理)$|"
    r"支出|列支|优先|就高|要(?!素|求)|一次|的(?:企业|单位|项目|人员|机构)?$"
)


def _leads(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> bool:
    """A line that ends in ： is a heading unless it states something itself."""
    if "addressee" in cues or ("enact" in cues and not c.label):
        return False
    if c.label and re.fullmatch(
        r"[^，。；]{2,14}(?:需|应|须)?(?:提[供交]|报送)(?:的)?(?:材料|资料)?[：:]", body
    ):
        return True
    if re.search(
        r"来源[为是]|并符合|可以|[不给]予|予以|不得|的，|期间|提供|提交|享受|请求|报送|如下|视[同为]|按以下",
        body,
    ):
        return False
    return len(body) <= 34 or bool(field_of(c.text))


def _states(text: str) -> list[Opinion]:
    """What a line that leads on to a list says itself."""
    if re.search(r"[通公]知如下|事项如下|如下[：:]$", text) and not re.search(r"材料|条件|时间", text):
        return [("preamble", "so-follows")]
    return next(([(role, f"lead-{role}")] for role, p in _LEADS if p.search(text)), [])


def _opening(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """Why and on what ground a text is made."""
    if (
        ("aim" in cues and "enact" in cues)
        or ("basis" in cues and "enact" in cues)
        or ("books" in cues and not c.label)
    ):
        return [("preamble", "aim")]
    if _MADE_FOR.search(body) or (_REPORTED.search(text) and not AMOUNT.search(text)):
        return [("preamble", "aim")]
    if _CALLS.search(text) or (_EXPLAINS.search(text) and not AMOUNT.search(text)):
        return [("preamble", "calls")]
    if (
        "aim" in cues
        and (
            c.number < 14
            or re.search(r"本(?:公告|通知|办法|措施|政策|意见)", text)
            or role_of_field(c.field_name) == "preamble"
        )
        and not AMOUNT.search(text)
    ):
        return [("preamble", "aim-only")]
    if (
        place.opening
        and c.sort != "h"
        and not place.step
        and BACKGROUND.search(text)
        and not SAYS_GIVING.search(text)
    ):
        return [("preamble", "background")]
    return []


# 为…，制定本办法。 however long the aim; 现将有关事项通知如下：; 记者获悉, 负责人表示: what news tells around a text.
_MADE_FOR = re.compile(
    r"^(?:【[^】]{2,8}】|（[^）]{2,8}）)?为[^。；]{6,}，[^，。；]{0,12}(?:制[定订]|提出|出台|编制)(?:了)?(?:本|如下|以下|此|下列)"
)
_TOLD_NEXT = re.compile(
    r"^(?:现(?:就|将)?)?[^，。；]{0,20}(?:事项|情况|要求)?(?:通知|公告|通告|公布)如下[：:。]$|^(?:现|特|故)?(?:特)?制[定订](?:了)?[^，。；]{0,6}如下[^，。；]{0,8}[：:。]$"
)
_REPORTED = re.compile(
    r"^[^，。；]{0,16}讯[（(：:]|^(?:日前|近日|据悉|记者)|(?:负责人|工作人员|有关人士)(?:介绍|表示|说|称)"
)
# 根据…，现组织申报…: what a notice is about; 这样，让…: what a rule is good for.
_CALLS = re.compile(r"^(?:根据|按照|为|经)[^。]*，现(?:就|将|组织|开展|启动|面向)")
_EXPLAINS = re.compile(r"^(?:这样|为此|由此)，|(?:纲领性文件|着力点在于|着眼于|主要偏重)")


def _fielded(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """What stands under a field whose clauses are nearly all of one kind."""
    under = role_of_field(c.field_name)
    if "paren_charge" in cues:
        return [("authority", "bracket")]
    if under in ("other", "exclusion"):
        return [(under, "field" if under == "other" else "takes-field")]
    if under == "contact" and not CONTACT.search(text) and re.match(r"请|申[请报]|各", body):
        return []
    if under in ("contact", "preamble"):
        return [(under, f"field-{under}")]
    if under == "authority" and not SUBMITS.search(text) and len(text) < 40:
        return [("authority", "field-authority")]
    if under == "material" and (PAPER.search(text) or c.label):
        who, mode = subject_of(body)
        said = re.sub(r"（[^）]*）|\([^)]*\)", "", text)
        if who in ("firm", "office") and _HANDING.search(said):
            return [("procedure", "firm-handing")]
        if _HANDING.search(said) or (mode in ("must", "may") and re.search(r"报送|上传|提交|填[报写]", said)):
            return [("material", "field-material"), ("procedure", "field-handing")]
        return [("material", "field-material")]
    if under == "window" and WINDOW.search(text) and not SUBMITS.search(text):
        return [("window", "field-window")]
    if under == "window" and len(text) < 30 and not SUBMITS.search(text):
        return [("window", "field-window")]
    return []


_HANDING = re.compile(
    r"胶装|成册|装订|打包|发[到至送]|邮箱|登[录陆]|打印|汇总(?!数|表)|命名|一致|初审|平台.{0,4}(?:填|报)"
)

WEIGHT, SURE = 2.0, 2.0
# Reasons that only guess, and reasons that the layout gives; the latter share one weight a role, so that a layout that was
# never seen in training is trusted as those that were.
_GUESSES = {"else", "opening", "field-else", "office", "hands-generic", "bracket", "gives-field", "lent-else"}
_LAYOUT = re.compile(
    r"stages|spends|sets-up|led-costs|pilot|takes-field|example|override|web|limit|between|runs-in|calls|chapter-definition|led-|keyed-|field-(?!else)|formal|bare|first|titled|question|lead$|short|arrow|labelled|alone|holds|aim|bracket$|so-follows"
)


def prior_features(clauses: Sequence[Clause]) -> list[dict[str, float]]:
    """初判特征: opinions of every clause as features, by role and by reason."""
    out = []
    for c, place in zip(clauses, places(clauses), strict=True):
        row: dict[str, float] = {}
        for role, why in opinions(c, place):
            row[f"why:{role}:{why}"] = 1.0
            if why not in _GUESSES:
                row[f"prior:{role}"] = WEIGHT
            if _LAYOUT.match(why):
                row[f"sure:{role}"] = SURE
        row[f"holds:{place.holds or '-'}"] = 1.0
        who, mode = subject_of(body_text(c, re.sub(r"\s+", "", c.text)))
        row |= {f"who:{who}": 1.0, f"mode:{mode}": 1.0, f"who:{who}:{mode}": 1.0}
        out.append(row)
    return out
