"""政策: documents, clauses and items as plain data; standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from engine.errors import Place

CATEGORIES = ("减免", "奖补", "权益", "资质", "培育", "提醒")
SUBJECTS = ("企业", "项目", "产品", "人才")
DELIVERIES = ("免申即享", "即申即享", "快申快享", "承诺兑现", "申报兑现")
STATUSES = ("草稿", "有效", "暂停", "额满", "失效")
PICKS = ("就高", "企业选择", "补差")
SHORTAGES = ("按比例核减", "先到先得", "按评分")


@dataclass(frozen=True)
class Clause:
    """条款: a heading of the policy's text with what stands under it."""

    label: str
    heading: str
    text: str
    line: int


@dataclass(frozen=True)
class Condition:
    """申报条件: one node of a tree; `kind` is all, any, not, when or ask; `text` the expression or question."""

    kind: str
    place: Place
    id: str = ""
    cite: str = ""
    quote: str = ""
    label: str = ""
    hidden: bool = False
    text: str = ""
    children: tuple[Condition, ...] = ()

    def walk(self) -> Iterator[Condition]:
        """遍历: this node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def leaves(self) -> Iterator[Condition]:
        """叶: the comparisons and questions below this node."""
        return (node for node in self.walk() if node.kind in ("when", "ask"))


@dataclass(frozen=True)
class Expr:
    """数额表达式: text of a sum with its place."""

    text: str
    place: Place


@dataclass(frozen=True)
class Step:
    """档: up to (`inclusive`) or below a bound, with a rate or an amount."""

    place: Place
    bound: Expr | None
    inclusive: bool
    rate: Expr | None = None
    amount: Expr | None = None


@dataclass(frozen=True)
class Bands:
    """分档: the number `by` that decides the step, `of` what a rate is taken, whole or marginal."""

    place: Place
    by: Expr
    of: Expr | None
    marginal: bool
    start: Expr | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Form:
    """数额形式: exactly one of amount, range, upto, bands, cases, words."""

    kind: str
    place: Place
    amount: Expr | None = None
    low: Expr | None = None
    high: Expr | None = None
    bands: Bands | None = None
    cases: tuple[Variant, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Limits:
    """上下限: caps and floors of one grant and the cap of the enterprise's sum; None means not said."""

    cap: tuple[Expr, ...] | None = None
    floor: tuple[Expr, ...] | None = None
    cap_per_enterprise: tuple[Expr, ...] | None = None


@dataclass(frozen=True)
class Variant:
    """情形 or 除外: a condition (None: always) with the amount form and limits it brings."""

    place: Place
    condition: Condition | None
    form: Form | None
    limits: Limits = field(default_factory=Limits)
    cite: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Addition:
    """叠加: added where the condition holds, before the cap or beyond it."""

    place: Place
    condition: Condition | None
    rate: Expr | None
    amount: Expr | None
    beyond_cap: bool = False
    cite: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Benefit:
    """奖补标准: the amount form with limits, exceptions and additions."""

    place: Place
    form: Form | None
    limits: Limits
    exceptions: tuple[Variant, ...] = ()
    adds: tuple[Addition, ...] = ()
    cite: str = ""
    quote: str = ""
    instalments: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Batch:
    """批次: one application window; `year` is the Y of expressions; budget in yuan."""

    name: str
    place: Place
    opens: date
    closes: date
    year: int | None = None
    budget: float | None = None
    rates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Exclusive:
    """不重复享受: a group within which an enterprise gets the highest, chooses, or gets the difference."""

    place: Place
    group: str
    pick: str = "就高"
    id: str = ""
    cite: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Budget:
    """预算不足时: how a batch's budget is shared."""

    place: Place
    when_short: str
    cite: str = ""
    quote: str = ""


@dataclass(frozen=True)
class General:
    """总则条件: conditions and exclusions that bind every item of the document."""

    conditions: Condition | None = None
    exclusive: tuple[Exclusive, ...] = ()


@dataclass(frozen=True)
class PolicyDocument:
    """政策文件: 文号, issuer and dates; `words` says where 以上 or 以下 leave the number out."""

    id: str
    place: Place
    title: str = ""
    number: str = ""
    issuer: str = ""
    issued: date | None = None
    effective: date | None = None
    expires: date | None = None
    source: str = ""
    replaces: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    general: General = field(default_factory=General)
    text: str = ""
    clauses: tuple[Clause, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PolicyItem:
    """政策事项: the smallest thing a firm can be told it may get; one rule file."""

    id: str
    place: Place
    title: str = ""
    department: str = ""
    category: str = "奖补"
    subject: str = "企业"
    delivery: str = "申报兑现"
    status: str = "有效"
    batches: tuple[Batch, ...] = ()
    conditions: Condition | None = None
    without: tuple[tuple[str, Place], ...] = ()
    benefit: Benefit | None = None
    exclusive: tuple[Exclusive, ...] = ()
    budget: Budget | None = None
    materials: tuple[str, ...] = ()
    deadline: str = ""
    guide: tuple[tuple[str, object], ...] = ()

    @property
    def document_id(self) -> str:
        return self.id.split("/", 1)[0]

    @property
    def self_declared(self) -> bool:
        """自行申报享受: a reduction that a firm takes itself in its tax return (channel says 自行申报): nothing is paid to it."""
        return self.category == "减免" and "自行申报" in str(dict(self.guide).get("channel", ""))

    @property
    def pays(self) -> bool:
        """有钱要付: money comes to the firm, so that there is a grant to follow until it has arrived."""
        return self.category in ("奖补", "减免") and not self.self_declared

    def batch(self, name: str) -> Batch | None:
        """批次: the batch of that name."""
        for batch in self.batches:  # asked of every item every night: a generator takes five times as long
            if batch.name == name:
                return batch
        return None

    def live_batch(self, day: date, upcoming: int = 0) -> Batch | None:
        """在办批次: the batch open on the day (both ends included), or one that opens within `upcoming` days."""
        if self.status != "有效":
            return None
        ahead = [b for b in self.batches if b.opens <= day <= b.closes]
        if not ahead and upcoming:
            ahead = [b for b in self.batches if 0 < (b.opens - day).days <= upcoming]
        return min(ahead, key=lambda b: b.opens, default=None)


def numbered(root: Condition | None) -> tuple[Condition, ...]:
    """编号条件: the children of a root `all`, or the root itself."""
    if root is None:
        return ()
    return root.children if root.kind == "all" else (root,)
