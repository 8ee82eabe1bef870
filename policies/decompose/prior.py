"""角色初判: what a careful reader would say of a clause from its place and set phrases; a feature of the classifier.

The classifier, not this page, decides: it learns from the annotated documents how far each opinion can be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import Clause, field_of, role_of_field

from .cues import cues_of

_AMOUNT = re.compile(r"\d[\d.,]*(?:[万亿]?元|[%％])|全额|减半|免[费收征]|贴息")
_SENTENCE = re.compile(r"[。；;]$")
_GIVES = re.compile(
    r"给予|予以(?!通报|追|取消|处|退)|奖励|补[贴助]|资助|扶持|奖补|贴息|返还|减[免征按缴]|免[费收征]|优先|可(?:申[请报]|享受|获|优先|在|按|直接|领)|享受"
)


_MODAL = re.compile(
    r"，|须|应[当在于]|不[得予再超]|可以|[自从].*起|负责|施行|执行|\d|是|有下列|符合|的[:：]$|[:：]$"
)


def _body(c: Clause, text: str) -> str:
    return text[len(re.sub(r"\s+", "", c.label)) :].lstrip("、．.：:)）") if c.label else text


def _short_heading(c: Clause, text: str) -> bool:
    """A heading that ends in 。: 3.酒店建设。 or 支持人才集聚。 with its sentences behind it."""
    body = _body(c, text).rstrip("。；")
    if _MODAL.search(body) or _AMOUNT.search(body) or len(body) > 30:
        return False
    return (bool(c.label) and (not c.last or len(body) <= 14)) or (
        not c.label and not c.last and len(body) <= 24
    )


def _is_title(c: Clause, text: str, cues: set[str]) -> bool:
    if c.sort == "h" or ("question" in cues and text.endswith(("？", "?"))):
        return True
    if (c.number == 1 and not text.endswith(("：", ":"))) or (
        c.number <= 6 and "titled" in cues and not _SENTENCE.search(text)
    ):
        return True
    if not c.first:
        return False
    if text.endswith(("：", ":")):
        return _leads(c, text, cues)
    if _SENTENCE.search(text):
        return _short_heading(c, text)
    return (
        bool(c.label)
        and len(_body(c, text)) <= 26
        and not (c.field_name and "bare_paper" in cues and not field_of(c.text))
    )


def _leads(c: Clause, text: str, cues: set[str]) -> bool:
    """A line that ends in ： is a heading unless it states something itself."""
    if "addressee" in cues or ("enact" in cues and not c.label):
        return False
    body = _body(c, text)
    return (
        len(body) <= 12
        or bool(field_of(c.text))
        or (len(body) <= 30 and not re.search(r"并符合|须|可以|不予|的，|期间|提供", body))
    )


def _under(c: Clause, text: str, cues: set[str]) -> str:
    """The role that the field over a clause lends it."""
    role = role_of_field(c.field_name)
    if role == "benefit" and not (_AMOUNT.search(text) or _GIVES.search(text)):
        return "condition" if cues & {"have", "the_firm", "must"} else ""
    return role


WEIGHT = 2.0
_LEADS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("exclusion", re.compile(r"不予|不得|不享受|不支持|除外|取消")),
    ("material", re.compile(r"材料|资料|提交|提供")),
    ("condition", re.compile(r"条件|符合|满足|下列.{0,8}(?:企业|单位|人员|对象)|对象|范围")),
    ("authority", re.compile(r"职责|公开如下|负责")),
    ("benefit", re.compile(r"补[贴助]|奖|资助|支持|减[缴免]|优惠|标准|额度")),
    ("procedure", re.compile(r"程序|流程|步骤")),
)


def _led(c: Clause, lead: Clause | None) -> str:
    """What the line that introduces a list says its points are (有下列情形之一的，不予支持：)."""
    if lead is None or not c.label or not re.search(r"[：:]\s*$", lead.text) or len(lead.text) < 9:
        return ""
    return next((role for role, p in _LEADS if p.search(lead.text)), "")


def opinions(c: Clause, lead: Clause | None = None) -> list[str]:
    """初判: the roles a reader would give a clause at first sight."""
    text = re.sub(r"\s+", "", c.text)
    cues = set(cues_of(text))
    if (led := _led(c, lead)) and not text.endswith(("：", ":")):
        return [led]
    if _is_title(c, text, cues):
        return ["title"]
    if (
        cues & {"dateline", "addressee", "docno", "closing", "signature"}
        and not _GIVES.search(text)
        and len(text) < 100
    ):
        under = role_of_field(c.field_name)
        return ["authority" if under == "authority" else "contact" if under == "contact" else "other"]
    if ("aim" in cues and "enact" in cues) or ("basis" in cues and "enact" in cues) or "books" in cues:
        return ["preamble"]
    if "paren_charge" in cues:
        return ["authority"]
    out: list[str] = []
    under = _under(c, text, cues)
    if under in ("material", "contact", "window", "preamble", "procedure"):
        out.append(under)
        if under != "procedure":
            return out
    out += _content(c, text, cues, under)
    return out or ([under] if under else ["orientation" if "urge" in cues else "other"])


def _content(c: Clause, text: str, cues: set[str], under: str) -> list[str]:
    out = []
    excluded = cues & {"refuse", "once", "punish", "stop"}
    if excluded:
        out.append("exclusion")
    gives = _GIVES.search(text) and not (excluded and not _AMOUNT.search(text))
    amount = _AMOUNT.search(text)
    if (
        gives
        and (amount or cues & {"to_whom", "the_firm", "prior", "any_who", "levels"})
        and under != "condition"
    ):
        out.append("benefit")
        if cues & {"to_whom", "the_firm", "any_who", "threshold", "first_time", "have"}:
            out.append("condition")
    elif under == "condition" or (
        cues & {"have", "register", "the_firm"} and cues & {"must", "the_firm"} and not excluded
    ):
        out.append("condition")
    if "valid" in cues and ("from_on" in cues or re.search(r"施行|有效期|期限为", text)):
        out.append("window")
    if "until" in cues and "submit" in cues:
        out.append("window")
    if cues & {"who_submits"} or ("submit" in cues and "benefit" not in out and under != "condition"):
        out.append("procedure")
        if "paper" in cues:
            out.append("material")
    if ("charge" in cues and "benefit" not in out) or ("fund" in cues and not cues & {"to_whom"}):
        out.append("authority")
    if "phone" in cues:
        out.append("contact")
    if "define" in cues and re.search(r"是指|所称|本数", text):
        out.append("definition")
    if not out and "urge" in cues:
        out.append("orientation")
    return out


def prior_features(clauses: Sequence[Clause]) -> list[dict[str, float]]:
    """初判特征: opinions of every clause as features."""
    by_number = {c.number: c for c in clauses}
    return [
        {
            f"prior:{role}": WEIGHT
            for role in opinions(c, by_number.get(c.headings[-1]) if c.headings else None)
        }
        for c in clauses
    ]
