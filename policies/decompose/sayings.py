"""内容初判: what a clause itself says: that somebody is given, asked, shut out or told how to apply, or who is in charge."""

from __future__ import annotations

import re

from policies.segment import Clause, role_of_field

from .phrases import (
    AFTER_EVENT,
    AIMS,
    AMOUNT,
    ASKS_WHERE,
    BETWEEN_OFFICES,
    BOUNDS,
    CALLED,
    CHARGE,
    CONFERS,
    DEFINES,
    DENIES_GIVING,
    EXAMPLE,
    FOR_WHOM,
    FUND,
    GIVES,
    HANDLES,
    HANDS_IN,
    HAS,
    INVITES,
    ITEMISES,
    LIMITS,
    MEANS_FUND,
    NEGATED,
    OPENS_WITH_DAY,
    OVERRIDE,
    PAPER,
    PILOT,
    PUNISHES_OFFICE,
    SAYS_GIVING,
    SETS_UP,
    SPENDS,
    STAGES,
    STANDARD,
    SUBMITS,
    TAKES,
    TELLS_TIME,
    TERM,
    THE_FIRM,
    URGE,
    WEB,
    WHO,
    WHO_APPLIES,
    WINDOW,
)
from .places import Place
from .subjects import subject_of

Opinion = tuple[str, str]  # role, reason


def content(c: Clause, place: Place, text: str, body: str, cues: set[str]) -> list[Opinion]:
    """内容初判: the roles that a clause's own words speak for, each with its reason."""
    under = role_of_field(c.field_name) or place.lent
    who, mode = subject_of(body)
    if fixed := _fixed(place, text, body, under, mode):
        return fixed
    out = _shut_out(text, under) + _given(place, text, body, under, who)
    roles = {r for r, _ in out}
    if not roles & {"benefit", "exclusion"}:
        out += _required(body, under, who, mode)
    out += _steps(c, place, text, body, cues, under, who, roles)
    out += _offices(body, text, who, {r for r, _ in out}, under)
    out += _bracketed(text)
    if DEFINES.search(text):
        out.append(("definition", "defines"))
    if ASKS_WHERE.search(text):
        out.append(("contact", "asks-where"))
    elif "phone" in cues and re.search(r"\d{5,}|电话|联系人|邮箱|传真", text):
        out.append(("contact", "phone"))
    if OPENS_WITH_DAY.search(body):
        out.append(("window", "opens"))
    elif AFTER_EVENT.search(text):
        out.append(("window", "after-event"))
    elif WINDOW.search(text) or (TELLS_TIME.search(text) and not roles & {"benefit", "condition"}):
        out.append(("window", "valid" if re.search(r"施行|有效期|执行|年限", text) else "until"))
    out = list({r: (r, why) for r, why in reversed(out)}.values())[::-1]
    return out or _else(c, place, text, body, under)


def _fixed(place: Place, text: str, body: str, under: str, mode: str) -> list[Opinion]:
    """What one set phrase says of the whole clause: an address, an example, money paid by stages, how long, what for."""
    if WEB.search(body):
        return [("contact" if under == "contact" else "procedure", "web")]
    given = AMOUNT.search(body) and SAYS_GIVING.search(body)
    if place.lent == "definition" and mode != "must" and not given:
        return [("definition", "chapter-definition")]
    if MEANS_FUND.search(body):
        return [("definition", "chapter-definition")]
    if FOR_WHOM.search(body) and not given and not TAKES.search(text):
        return [("condition", "led-condition"), *_bracketed(text)]
    if EXAMPLE.search(body) and under != "definition":
        return [("other", "example")]
    if OVERRIDE.search(text) and not TAKES.search(text):
        return [("other", "override")]
    if STAGES.search(body) and "给予" not in body:
        return [("procedure", "stages")]
    if TERM.search(body) and not re.search(r"申[请报]|应|须", body):
        return [("benefit", "term")]
    helps = re.search(r"[为对][^，。；]{2,40}(?:提供|给予|优先)|享受", body)
    if BETWEEN_OFFICES.search(body) and not WHO_APPLIES.search(body) and not helps:
        return [("authority", "between")]
    if SETS_UP.match(body) and FUND.search(body) and not SAYS_GIVING.search(body) and not helps:
        return [("authority", "sets-up")] + ([("orientation", "sets-up")] if AIMS.search(body) else [])
    if (
        PILOT.search(body)
        and under != "condition"
        and not (helps or AMOUNT.search(body) or re.search("给予|经认定", body))
    ):
        return [("orientation", "pilot")]
    if SPENDS.search(body) and not re.search(r"给予", body):
        bars = [("exclusion", "spends")] if re.search(r"不含|不得|不包括", body) else []
        return [("condition", "spends"), *bars]
    return []


def _shut_out(text: str, under: str) -> list[Opinion]:
    said = NEGATED.sub("", re.sub(r"（[^）]*）|\([^)]*\)", "", text))
    if not TAKES.search(said):
        return []
    if PUNISHES_OFFICE.search(said):
        return [("authority", "punish-office")]
    return [("exclusion", "takes-field" if under == "condition" else "takes")]


def _bracketed(text: str) -> list[Opinion]:
    return (
        [("exclusion", "bracket")] if re.search(r"[（(](?:不含|不包括|除)[^）)]{2,}|除外[）)]", text) else []
    )


def _given(place: Place, text: str, body: str, under: str, who: str) -> list[Opinion]:
    amount, hard = AMOUNT.search(body), SAYS_GIVING.search(body)
    if not (GIVES.search(body) or (amount and (under == "benefit" or STANDARD.search(body)))):
        return []
    if SETS_UP.match(body) and not re.search(r"给予|对[^，。]{2,}", body):
        return []
    if TAKES.search(text) and not (amount and SAYS_GIVING.search(TAKES.sub("", NEGATED.sub("", body)))):
        return []
    if DENIES_GIVING.search(text):
        return []
    if under in ("condition", "procedure", "material") and not (amount and hard):
        return []
    if who == "office" and not amount and not re.search(r"[对为][^，。]{2,40}(?:给予|提供)|可享受", body):
        return []
    if not amount and (HANDLES.search(body) or under == "authority"):
        return []
    named = bool(re.match(r"[^，。：；]{2,24}：(?=.{4})", body)) and place.step
    trigger = (
        named
        or who in ("firm", "target")
        or bool(WHO.search(body) or BOUNDS.search(body) or (hard and URGE.search(body)))
    ) and not LIMITS.search(body)
    if amount and LIMITS.search(body) and not BOUNDS.search(body):
        return [("benefit", "limit")]
    if amount and (hard or under == "benefit" or not FUND.search(body)):
        return (
            [("benefit", "amount"), ("condition", "amount-who")] if trigger else [("benefit", "amount-alone")]
        )
    if URGE.search(body) and not (hard and re.search(r"对|的，|可|享受", body)):
        return [("benefit", "urged-field")] if under == "benefit" else []
    if hard and (trigger or under == "benefit"):
        return [("benefit", "words")] + ([("condition", "words-who")] if trigger else [])
    return (
        [("benefit", "words-alone")] if re.search(r"给予[^，。]{0,14}(?:补[贴助]|奖|资助|支持)", body) else []
    )


def _required(body: str, under: str, who: str, mode: str) -> list[Opinion]:
    if under == "definition":
        return []
    if under == "condition" and not (who == "office" and HANDLES.search(body)):
        if INVITES.search(body) or re.match(r"(?:鼓励|倡导|提倡|加强)", body):
            return [("orientation", "urged-condition")]
        return [("condition", "field-defined" if CALLED.search(body) else "field-condition")]
    if who == "firm" and mode in ("must", "has") and HAS.search(body) and not HANDLES.search(body):
        return [("condition", "firm-must")]
    if who == "firm" and mode == "must" and not HANDLES.search(body):
        return [("condition", "firm-duty")]
    if HAS.search(body) and THE_FIRM.search(body):
        return [("condition", "the-firm")]
    return [("condition", "gives-field")] if under == "benefit" and HAS.search(body) else []


def _steps(
    c: Clause, place: Place, text: str, body: str, cues: set[str], under: str, who: str, roles: set[str]
) -> list[Opinion]:
    out: list[Opinion] = []
    urges = who == "none" and bool(URGE.search(body))
    if re.search(r"责任追究|追究[^，。]{0,12}责任|问责|开展[^，。]{0,6}检查|连带责任|违法违纪", text):
        return []
    if TELLS_TIME.search(text) and under != "procedure":
        return []
    if (
        under == "procedure"
        and not roles & {"exclusion"}
        and not (TELLS_TIME.search(text) and not HANDLES.search(text))
    ):
        out.append(("procedure", "chapter-procedure" if place.lent else "field-procedure"))
    elif (
        roles & {"benefit", "exclusion"}
        or under == "authority"
        or (
            under == "condition"
            and not (who == "firm" and re.search(r"登[录陆]|填[报写]|提交|报送|装订|上传", text))
        )
    ):
        pass
    elif HANDLES.search(text) and not urges:
        out.append(("procedure", "handles"))
    elif SUBMITS.search(text) and not urges and (who in ("office", "firm") or "→" in text):
        out.append(("procedure", "submits"))
    if out and CONFERS.search(text) and not re.search(r"取消|撤销|不予", text):
        out.append(("benefit", "confers"))
    if out and HANDS_IN.search(text) and PAPER.search(text):
        generic = not re.search(PAPER.pattern, re.sub("(?:申[报请])?(?:材料|资料)|方案|名单|附件", "", text))
        out.append(("material", "hands-generic" if generic else "hands-in"))
    elif not out and under == "" and "bare_paper" in cues and c.label:
        out.append(("material", "paper"))
    return out


def _offices(body: str, text: str, who: str, roles: set[str], under: str) -> list[Opinion]:
    if FUND.search(text) and not roles & {"benefit", "condition"}:
        return [("authority", "fund")]
    if (
        who == "none"
        and URGE.search(body)
        and not roles
        and not (under == "authority" and not INVITES.search(text))
    ):
        return [("orientation", "urge")]
    if under == "authority" and not roles & {"exclusion", "benefit", "condition"}:
        return [("authority", "watch")]
    if who == "office" and CHARGE.search(text) and not roles & {"benefit", "procedure"}:
        return [("authority", "office-charge")]
    if CHARGE.search(text) and not roles:
        return [("authority", "charge")]
    if who == "office" and not roles:
        return [("authority", "office")]
    return []


def _else(c: Clause, place: Place, text: str, body: str, under: str) -> list[Opinion]:
    if under == "benefit" and re.search(r"的[^，。；]{1,8}[；。]?$", body) and not GIVES.search(body):
        return [("condition", "the")]
    if ITEMISES.search(body) and not GIVES.search(body) and under in ("", "definition"):
        return [("definition", "itemises")]
    if under:
        return [(under, "lent-else" if place.lent else "field-else")]
    if URGE.search(body):
        return [("orientation", "urge")]
    if place.opening and not place.step:
        return [("preamble", "opening")]
    if THE_FIRM.search(body) or re.search(r"等[^，。]{2,8}项目[；。]$", body):
        return [("condition", "the")]
    return [("orientation", "else")] if len(body) > 24 else [("other", "else")]
