"""位置: what the tree of clauses says of a clause beside its own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.furniture import is_furniture
from policies.segment import Clause, field_of


@dataclass(frozen=True, slots=True)
class Place:
    """位置: what stands over a clause, what hangs under it and what its chapter lends it."""

    lead: Clause | None = None  # the line that introduces it
    holds: str = ""  # what hangs under it: "line", the rest of its line; "next", the next line; "", nothing
    opening: bool = False  # before the first numbered heading
    closing: bool = False  # among the last lines, where a text is signed and dated
    step: bool = False  # a point of a list
    begins: bool = False  # the first that is no furniture of the page
    attached: bool = False  # a name in the list of what is attached
    lent: str = ""  # the role of the answer to the question, or of the chapter, it stands under


def places(clauses: Sequence[Clause]) -> list[Place]:
    """位置: one a clause."""
    by_number = {c.number: c for c in clauses}
    first = next((i for i, c in enumerate(clauses) if c.first and c.label and i), len(clauses))
    begins = next((c.number for c in clauses if not is_furniture(c.text)), 0)
    attached = _attached(clauses)
    out = []
    for i, c in enumerate(clauses):
        after = clauses[i + 1] if i + 1 < len(clauses) else None
        held = after is not None and c.number in after.headings
        holds = ("next" if after is not None and after.first else "line") if held else ""
        over = [by_number[n] for n in reversed(c.headings)]
        asked = next((r for h in over[:2] if (r := _asked(h.text))), "")
        lead = over[0] if over else None
        out.append(
            Place(
                lead,
                holds,
                i < min(first, 12),
                i >= len(clauses) - 4,
                bool(c.label),
                c.number == begins,
                c.number in attached,
                asked or _chapter(over),
            )
        )
    return out


_ATTACHES = re.compile(r"^附件[：:](?:\s*1\s*[.、．].{2,60})?$")
_NAMED = re.compile(r"^\d{1,2}\s*[.、．][^。；：:]{2,60}$")


def _attached(clauses: Sequence[Clause]) -> set[int]:
    """Numbered names that follow 附件： line by line."""
    out: set[int] = set()
    listing = False
    for c in clauses:
        text = c.text.strip()
        listing = bool(c.first and c.last and (_ATTACHES.match(text) or (listing and _NAMED.match(text))))
        if listing:
            out.add(c.number)
    return out


_CHAPTERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "definition",
        re.compile(
            r"定义|释义|界定|名词|术语|含义|归集|口径|核算|判[断定](?:依据|标准|方法|法)|计算(?:方法|公式)?$"
        ),
    ),
    (
        "authority",
        re.compile(
            r"监督|监管|(?:资金|档案|日常|经费|项目)管理|职责|组织(?:领导|协调|保障|实施)|保障措施|绩效|罚则|纪律|责任(?!险)|经费|资金来源"
        ),
    ),
    (
        "procedure",
        re.compile(
            r"申[报请领](?!条件|对象|范围)|审[批核查定]|评审|拨付|兑[现付]|办理|受理|注册|填[报写]|报送|核查|公示|核准|发放|登记"
        ),
    ),
)


def _chapter(over: Sequence[Clause]) -> str:
    """The role that the nearest heading lends without naming a field (监督管理, 申报和审批)."""
    for h in over[:2]:
        said = body_text(h, re.sub(r"\s+", "", h.text)).rstrip("。：:")
        if len(said) > 16 or field_of(h.text):
            return ""
        for role, p in _CHAPTERS:
            if p.search(said):
                return role
    return ""


_QUESTIONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("material", re.compile(r"材料|资料")),
    ("benefit", re.compile(r"额度|标准|多少|利率|优惠|待遇|期限[^？]{0,6}多[久长]|哪些(?:奖|补|支持)|贴息")),
    ("condition", re.compile(r"条件|对象|范围|哪些(?:人|企业|单位|项目)|谁|可以?申[请报领]吗|是否")),
    ("window", re.compile(r"什么时[间候]|何时|期限|多久")),
    ("contact", re.compile(r"哪里|何处|电话|地点|地址|机构")),
    ("procedure", re.compile(r"如何|怎[么样]|流程|程序|渠道|办理")),
    ("definition", re.compile(r"什么是|是什么|何谓|指什么")),
)


def _asked(text: str) -> str:
    if not re.search(r"[？?]\s*$", text):
        return ""
    return next((role for role, p in _QUESTIONS if p.search(text)), "")


def body_text(c: Clause, text: str) -> str:
    """正文: a squeezed clause without its label and arrows."""
    body = (
        text[len(re.sub(r"\s+", "", c.label)) :]
        if c.label and text.startswith(re.sub(r"\s+", "", c.label))
        else text
    )
    return re.sub(r"^答[：:]", "", body.lstrip("、．.：:)）→>·•●-—"))


NOWHERE = Place()
