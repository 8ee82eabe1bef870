"""条款切分: cut a document into clauses with their 章/条/款/项 labels, headings and blocks.

Clauses are cut at newline, 。 and ；; every clause keeps its offsets into the text it came from, so that
whatever is found later can be quoted exactly.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from engine.text import cut_clauses

from .furniture import is_furniture
from .wrapped import unwrapped

_CN = "[一二三四五六七八九十百零〇两]"
_LABELS: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    ("章", 1, re.compile(rf"第\s*(?:{_CN}+|[\d\s]{{1,5}})\s*[章编篇]")),
    ("节", 2, re.compile(rf"第\s*(?:{_CN}+|[\d\s]{{1,5}})\s*节")),
    ("条", 4, re.compile(rf"第\s*(?:{_CN}+|[\d\s]{{1,6}})\s*条[：:]?(?!规定|款|的|和|、|政策)")),
    ("一", 3, re.compile(rf"{_CN}{{1,4}}\s*[、．.](?!\d)")),
    ("（一）", 5, re.compile(rf"[（(]?\s*{_CN}{{1,4}}\s*[）)]")),
    ("1", 6, re.compile(r"\d{1,2}\s*(?:[、．]|\.(?!\d)|\.(?=(?:19|20)\d\d年))")),
    ("（1）", 7, re.compile(r"[（(]\s*\d{1,2}\s*[）)]|\d{1,2}\s*[）)]")),
    ("方向1", 7, re.compile(rf"(?:政策|措施|方向|专题|类型)\s*(?:\d{{1,2}}|{_CN}{{1,2}})\s*[：:、]")),
    ("①", 8, re.compile(r"[①②③④⑤⑥⑦⑧⑨⑩]")),
)
_SORT_OF_ROW = re.compile(r"^[\s→>·•●\-—|｜]*")
LEAD_STEP = 0.2  # a lead-in at the end of a paragraph stands just over the points it introduces
LEAD_RANK = 5.5  # a line that ends in ： introduces what follows, below numbered headings
HEADING_RANK = 4  # an unnumbered heading stands beside a 条, unless the numbering restarts under it
_FIELD = re.compile(
    r"(?:截[止至]|(?:受理|经办|承办)(?:责任)?|申[请报领]|扶持|支持|补[贴助]|资助|奖[励补]|服务|认定|评[定价选审]|入库|遴选|准入|考核|受理|政策|办理|贴息|惠及|享受|报送|装订|编制|制作|填[报写]|上传|打印|基本|发[文布]|工具|文件|联[系络])?"
    r"(?:对象|条件|范围|标准|材料|资料|要求|流程|程序|方式|时间|日期|期限|渠道|途径|依据|部门|机构|内容|额度|金额|测算|待遇|"
    r"利率|提示|事项|地址|频度|安排|分类|字号|文号|电话)+(?:清单|目录|下载|一览)?$"
)
FIELD_ROLES: tuple[tuple[str, str], ...] = (
    ("除外", "exclusion"),
    ("截[止至]", "window"),
    ("依据|文件", "preamble"),
    ("字号|文号|日期|分类", "other"),
    ("联系|联络|电话|地址|咨询", "contact"),
    ("(?:受理|办理|经办|承办|申[请报])(?:责任)?(?:部门|机构|单位)", "procedure"),
    ("机构|部门", "authority"),
    ("材料|资料", "material"),
    ("(?:支持|扶持|补[贴助]|资助|奖[励补])(?:方式|范围)", "benefit"),
    ("流程|程序|方式|渠道|途径", "procedure"),
    ("时间|频度|安排|期限", "window"),
    ("(?:认定|评[定价选审]|入库|遴选|准入|申[报请]|考核|推荐)标准", "condition"),
    ("标准|额度|金额|内容|测算|待遇|利率|政策", "benefit"),
    ("对象|主体|条件|范围|要求", "condition"),
)
_RECKONED = re.compile(r"归集|核算|界定|判[断定]")  # 费用归集范围 says what is counted, not who may apply
_STEPS = {"material", "window", "procedure", "contact"}
_GIVES = re.compile(r"标准|额度|金额|内容|测算|待遇|利率|政策")
_END = re.compile(r"[。；;！!？?，,、]$")
_ORGAN = re.compile(
    r"^[^，。：；]{2,30}(?:局|委员会|管委会|政府|办公室|厅|部|国务院|县委|市委|区委|银行|总队|中心)$|^国务院$"
)
_DATE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月|\d{4}-\d{1,2}-\d{1,2}")


@dataclass(slots=True)
class Clause:
    """条款: one numbered clause; `start` and `end` are offsets into the document's text."""

    number: int
    start: int
    end: int
    text: str
    line: int
    first: bool  # first of its line
    last: bool
    label: str = ""
    sort: str = (
        ""  # which row of the label table; "h" an unnumbered heading, "l" a lead-in at the end of a paragraph
    )
    rank: float = 0
    headings: tuple[int, ...] = ()  # numbers of the clauses that stand over it, outermost first
    field_name: str = ""  # 申报条件, 补贴标准 … where a heading or a lead-in names what follows
    block: int = 0  # number of the heading whose fields belong together (0: the document)
    path: tuple[str, ...] = field(default=())

    @property
    def heading(self) -> bool:
        """标题行: whether something can stand under this clause."""
        return self.rank > 0


def label_of(text: str) -> tuple[str, str, float]:
    """编号: the label at the beginning of a line, its sort and rank; ("", "", 0) without one."""
    body = _SORT_OF_ROW.sub("", text)
    for sort, rank, pattern in _LABELS:
        m = pattern.match(body)
        if m:
            return re.sub(r"\s+", "", m.group()).rstrip("、．.：:"), sort, rank
    return "", "", 0


def _bare_heading(text: str, alone: bool) -> bool:
    body = text.strip().strip("|｜ ")
    if not alone or not 2 <= len(body) <= 40 or _END.search(body) or not re.search("[\u4e00-\u9fff]", body):
        return False
    if is_furniture(body) or _FOLLOWS.search(body):
        return False
    inner = body.rstrip("：:")
    if "：" in inner or ":" in inner:
        return bool(re.match(r"^(?:服务|适用|申[请报])?对象[：:]", inner))
    if _ORGAN.search(body) or re.search(r"^各.*[：:]$|[〔\[]\d{4}[〕\]]|^当前|^您|^点击|^特此", body):
        return False
    return not _DATE.search(body) and not re.search(r"[，。；]|^附件|^[（(].*[)）]$", inner)


# 现将有关事项通知如下：, 特制定如下措施： end an introduction and head nothing.
_FOLLOWS = re.compile(
    r"(?:通知|公告|通告|公布)如下[：:]?$|^(?:现|特|故)?(?:特)?制[定订](?:了)?[^，。；]{0,6}如下[^，。；]{0,8}[：:]?$"
)
_SPEAKS = re.compile(
    r"，|[给予]予|\d|[%％]|须|应[当在于]|不[得予]|可(?!持续|再生)|是(?!否)|负责|符合|进行|支付|经(?!济|营|费)|按|[的者][。；]$|[：:]"
)


def _short_lines(clauses: list[Clause]) -> set[int]:
    """Headings that end in 。 as sentences do: short and without a verb of their own, before what is longer, on its line
    or the next; at least three in a text."""
    out = set()
    for one, two in itertools.pairwise(clauses):
        body = one.text.strip()
        runs_in = (
            one.first
            and (not one.last or (two.first and not label_of(two.text)[0]))
            and not label_of(body)[0]
        )
        if (
            runs_in
            and re.fullmatch(r"[^。；]{4,26}。", body)
            and not _SPEAKS.search(body)
            and len(two.text.strip()) > len(body)
        ):
            out.add(one.number)
    return out if len(out) >= 3 else set()


@lru_cache(maxsize=8192)
def field_of(text: str) -> str:
    """栏目: the field a heading or lead-in names (申报条件, 补贴标准 …), or an empty string."""
    body = _SORT_OF_ROW.sub("", text.strip()).rstrip("|｜ ")
    label, _, _ = label_of(body)
    if label:
        body = re.sub(r"^[^\u4e00-\u9fff（(【]*", "", body[body.find(label[-1]) + 1 :].lstrip("、．.：: 　"))
    head = re.split(r"[：:]", body, maxsplit=1)[0]
    if m := re.match(r"\s*[【\[]([^】\]]{2,12})[】\]]\s*[：:]?", body):
        head = m[1]
    if label and len(head) <= 12 and not re.search(r"提[交供]|报送|应|须|需", head):
        head = head.removesuffix("。")  # 2.网上填写的时间。 names its field as well as without the stop
    if body.strip() in ("依据文件", "时间/频度"):
        return body.strip()
    m = _FIELD.search(head)
    if not m or len(head) > 20 or _RECKONED.search(head):
        return ""
    # 材料份数及时间 names more than one field; 申报条件 and 补贴标准 name one.
    return head if _role_sets(head) > 1 else m.group() if len(head) <= 16 else ""


def _role_sets(head: str) -> int:
    parts = re.split(r"[、及和与]", head)
    return len({r for part in parts if (r := _role_of_part(part))}) if len(parts) > 1 else 1


def inline_field(text: str) -> str:
    """行内栏目: the field a line names before a colon with its value behind it (申请渠道：…), or an empty string."""
    parts = re.split(r"[：:]", text.strip(), maxsplit=1)
    return field_of(text) if len(parts) == 2 and len(parts[1].strip()) > 2 else ""


def _role_of_part(name: str) -> str:
    if re.search("(?:装订|编制|制作|打印|报送|上传|填[报写])要求$", name):
        return "material"
    if name.endswith("要求") and not re.search("材料|资料", name):
        return "condition"
    return next((role for words, role in FIELD_ROLES if re.search(words, name)), "")


@lru_cache(maxsize=8192)
def role_of_field(name: str) -> str:
    """栏目角色: the role of what stands under a field (申报材料: material), or an empty string; a field that names papers,
    times and steps together holds steps, one that names more than that says nothing."""
    roles = {r for part in re.split(r"[、及和与]", name) if (r := _role_of_part(part))}
    if len(roles) <= 1:
        return roles.pop() if roles else ""
    return "procedure" if roles <= _STEPS else ""


def segment(text: str) -> list[Clause]:
    """断条: the clauses of a text in order, with labels, headings, fields and blocks."""
    clauses = _cut(text)
    _rank(clauses)
    _hang(clauses)
    _blocks(clauses)
    return clauses


def _cut(text: str) -> list[Clause]:
    text = unwrapped(text)
    out: list[Clause] = []
    line, at = 0, 0
    for number, (a, b) in enumerate(cut_clauses(text), 1):
        step = text.count("\n", at, a)
        line, at = line + step, a
        out.append(Clause(number, a, b, text[a:b], line, not out or step > 0, True))
    for one, two in itertools.pairwise(out):
        one.last = one.line != two.line
    return out


def _rank(clauses: list[Clause]) -> None:
    awaits, short = False, _short_lines(clauses)
    for c in clauses:
        if c.first:
            c.label, c.sort, c.rank = label_of(c.text)
            leads = c.text.rstrip().endswith(("：", ":"))
            if not c.rank and c.number > 1 and _bare_heading(c.text, c.last) and (leads or not awaits):
                c.sort, c.rank = "h", LEAD_RANK if c.text.rstrip().endswith(("：", ":")) else HEADING_RANK
            elif not c.rank and c.number in short:
                c.sort, c.rank = "h", HEADING_RANK
            # A line right under an unnumbered field name is that field's value, not another heading.
            alone = not c.text.rstrip().endswith(("：", ":")) and not inline_field(c.text)
            awaits = (
                (c.sort == "h" or (c.last and c.rank > HEADING_RANK)) and bool(field_of(c.text)) and alone
            )
    for one, two in itertools.pairwise(clauses):
        if _leads_on(one, two):
            one.sort, one.rank = "l", two.rank - LEAD_STEP
    # 条 whose first stands right under a （一） rank below it.
    lines = [c for c in clauses if c.first]
    first = next((i for i, c in enumerate(lines) if c.sort == "条"), 0)
    if first and lines[first - 1].sort == "（一）":
        for c in clauses:
            c.rank = 5.5 if c.sort == "条" else c.rank
    # 一、 that begins again under several unnumbered headings makes those headings the outer level.
    ones = [c for c in clauses if c.sort == "一" and _begins(c)]
    outer = 0.5 if len(ones) > 1 else HEADING_RANK
    for c in clauses:
        if c.sort == "h" and outer == 0.5 and c.rank == HEADING_RANK:
            c.rank = 1


def _leads_on(one: Clause, two: Clause) -> bool:
    """Whether the end of a paragraph introduces the points that follow it (…提出申请。申请时提交下列材料：)."""
    ends = not one.first and one.last and one.text.rstrip().endswith(("：", ":"))
    return ends and bool(two.label) and two.rank > 0 and _starts(two)


def _starts(c: Clause) -> bool:
    return re.sub(r"[（()）、．.\s]", "", c.label) in ("一", "1", "①")


def _hang(clauses: list[Clause]) -> None:
    stack: list[Clause] = []
    seen: dict[tuple[int, str], int] = {}  # how far the points of a sort have come under a heading
    for c in clauses:
        if c.rank and (c.first or c.sort == "l"):
            while stack and stack[-1].rank >= c.rank:
                stack.pop()
            # （一） that begins again: the heading over it is missing from the text, the old one doesn't hold it.
            while (
                c.sort in ("一", "（一）")
                and stack
                and _begins(c)
                and seen.get((stack[-1].number, c.sort), 0) > 1
            ):
                stack.pop()
            over = (stack[-1].number if stack else 0, c.sort)
            seen[over] = seen.get(over, 0) + 1
        elif c.first:
            # An unlabelled line closes the numbered points of the line before, not the heading over them.
            while stack and stack[-1].rank > HEADING_RANK and not _opens(stack[-1]):
                stack.pop()
        c.headings = tuple(s.number for s in stack)
        c.path = tuple(s.label or s.text.strip()[:20] for s in stack) + ((c.label,) if c.label else ())
        own = field_of(c.text) if c.first or c.rank else _listed_on(clauses, c) or _lead_on(clauses, c)
        above = next((s.field_name for s in reversed(stack) if s.field_name), "")
        c.field_name = own or above
        if c.rank:
            stack.append(c)


def _listed_on(clauses: list[Clause], c: Clause) -> str:
    """The field whose numbered points a line goes on with (申报材料：（一）申请表；（二）执照。), or an empty string."""
    before = clauses[c.number - 2]
    if not before.text.rstrip().endswith(("；", ";")) or not label_of(c.text)[0]:
        return ""
    if before.first:
        bracketed = re.match(r"\s*【[^】]{2,12}】\s*[^\s：:]", before.text)
        return field_of(before.text) if bracketed else inline_field(before.text)
    return before.field_name if label_of(before.text)[0] else ""


# A lead within a sentence whose points follow behind its colon (须同时符合下列条件，方可申请：甲；乙；丙。).
_ASKS = re.compile(
    r"(?:下列|以下|如下|(?:符合|满足|具备)[^，。；：:]{0,8})(?:条件|要求)(?:之一)?[^。；：:不]{0,16}[：:]\s*[^\s。；：:]{4,}"
)


# The same of whom it shuts out (支持对象不含以下企业：甲；乙；丙。).
BARS = re.compile(
    r"(?:不含|不包括|不予|不得|不支持|不享受|不受理|不纳入|不列入)[^。；：:]{0,16}[：:]\s*[^\s。；：:]{4,}"
)


def _lead_on(clauses: list[Clause], c: Clause) -> str:
    """条件 or 除外 where a clause goes on with the points that its sentence leads in so, or an empty string."""
    for before in reversed(clauses[: c.number - 1]):
        if before.line != c.line or not before.text.rstrip().endswith(("；", ";")):
            return ""
        if BARS.search(before.text):
            return "除外"
        if _ASKS.search(before.text):
            return "条件"
    return ""


def _begins(c: Clause) -> bool:
    return re.sub(r"[（()）、．.]", "", c.label) == "一"


def _opens(c: Clause) -> bool:
    return c.last and not re.search(r"[。；]$", c.text.strip())


def _blocks(clauses: list[Clause]) -> None:
    """A heading under which at least two different fields stand holds one block."""
    fields: dict[int, Counter[str]] = {}
    for c in clauses:
        if c.first and (own := field_of(c.text)):
            fields.setdefault(c.headings[-1] if c.headings else 0, Counter())[own] += 1
    holders = {n for n, names in fields.items() if len(names) >= 2 and any(map(_GIVES.search, names))}
    for c in clauses:
        above = c.headings + ((c.number,) if c.heading else ())
        c.block = next((h for h in reversed(above) if h in holders), 0)
    _rounds(clauses)


def _rounds(clauses: list[Clause]) -> None:
    """Fields that come round again without a heading (支持对象, 条件, 标准, 支持对象, …): each round is a block of its own,
    named by the clause that begins it."""
    by_place: dict[tuple[int, ...], list[tuple[int, str]]] = {}
    for k, c in enumerate(clauses):
        if c.first and not c.label and (name := inline_field(c.text)):
            by_place.setdefault(c.headings, []).append((k, name))
    for place, found in by_place.items():
        begins = [k for k, name in found if name == found[0][1]]
        names = {name for _, name in found}
        if len(begins) < 2 or len(names) < 2 or not any(map(_GIVES.search, names)):
            continue
        for k, end in zip(begins, [*begins[1:], len(clauses)], strict=True):
            for c in clauses[k:end]:
                if c.headings[: len(place)] != place:
                    break
                c.block = clauses[k].number
