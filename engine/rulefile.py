"""规则文件: document.yaml and item files, text in, typed tree out (rule language, sections 1, 2, 5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from engine import kinds, policy
from engine.days import why_no_day
from engine.errors import ExpressionError, Place, Problem
from engine.expression import parse_value
from engine.nodes import Num
from engine.policy import (
    Addition,
    Bands,
    Batch,
    Benefit,
    Budget,
    Condition,
    Exclusive,
    Expr,
    Form,
    General,
    Limits,
    PolicyDocument,
    PolicyItem,
    Step,
    Variant,
)
from engine.tokens import nearest
from engine.yamltext import Node, Report

GUIDE_KEYS = ("level", "theme", "industries", "channel", "address", "phone", "funding", "process", "templates", "publicity",
              "objection", "complaint", "contact", "note", "audience", "summary")  # fmt: skip
ITEM_KEYS = ("item", "title", "department", "category", "subject", "delivery", "status", "batches", "conditions", "without",
             "benefit", "exclusive", "budget", "materials", "deadline", *GUIDE_KEYS)  # fmt: skip
NODE_KINDS = ("all", "any", "not", "when", "ask")
NAMING_KEYS = ("id", "cite", "quote", "label")
NODE_KEYS = (*NODE_KINDS, *NAMING_KEYS, "hidden", "note")
FORM_KEYS = ("amount", "range", "upto", "bands", "cases", "words")
LIMIT_KEYS = ("cap", "floor", "cap_per_enterprise")
BENEFIT_KEYS = (
    *FORM_KEYS,
    *LIMIT_KEYS,
    "cite",
    "quote",
    "exceptions",
    "adds",
    "instalments",
    "label",
    "note",
)
CONDITION_KEYS = ("when", "ask", "all", "any", "not")
VARIANT_KEYS = (*CONDITION_KEYS, *FORM_KEYS, *LIMIT_KEYS, "cite", "quote", "label", "id", "note", "hidden")
ADD_KEYS = (*CONDITION_KEYS, "rate", "amount", "beyond_cap", "cite", "quote", "label", "id", "note", "hidden")
BAND_KEYS = ("by", "of", "kind", "from", "steps", "note")
STEP_KEYS = ("upto", "below", "rate", "amount", "label", "note")
BATCH_KEYS = ("year", "opens", "closes", "budget", "rates", "note")
EXCLUSIVE_KEYS = ("group", "pick", "id", "cite", "quote", "note", "label")
DOCUMENT_KEYS = ("title", "number", "issuer", "issued", "effective", "expires", "source", "general", "replaces", "words",
                 "document", "level", "theme", "department", "note", "url", "published")  # fmt: skip


class Reader:
    """读取: walks a YAML tree, reporting every fault with its place and going on."""

    def __init__(self, report: Report):
        self.report = report

    def fault(self, place: Place, message: str, code: int = 1) -> None:
        self.report(Problem(code, message, place))

    def keys(self, node: Node, known: Sequence[str], what: str) -> None:
        """Report keys that are not known, with the nearest that is."""
        given = dict(node.items())
        strange = given.keys() - known
        for key in given if strange else ():
            if key in strange:
                self.fault(node.key_place(key), f"{what}里没有“{key}”这个键。{nearest(key, known)}")

    def mapping(self, node: Node | None, what: str) -> Node | None:
        if node is None or node.is_map:
            return node
        self.fault(node.place, f"{what}应当写成“键: 值”的形式")
        return None

    def text(self, node: Node, key: str, default: str = "") -> str:
        found = node.get(key)
        if found is None:
            return default
        text = found.text
        if text is None:
            self.fault(found.place, f"“{key}”应当是一段文字")
            return default
        return text.strip()

    def texts(self, node: Node, key: str) -> tuple[str, ...]:
        found = node.get(key)
        if found is None:
            return ()
        if found.text is not None:
            return (found.text,)
        return tuple(n.text for n in found.list() if n.text)

    def choice(self, node: Node, key: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(node, key, default)
        if value not in allowed:
            found = node.get(key)
            self.fault(
                found.place if found else node.place,
                f"“{key}”应当是：{' '.join(allowed)}。{nearest(value, allowed)}",
            )
            return default
        return value

    def flag(self, node: Node, key: str) -> bool:
        value = self.text(node, key, "否")
        if value not in ("是", "否", "true", "false"):
            self.fault(node.get(key).place, f"“{key}”应当是 是 或 否")  # type: ignore[union-attr]
        return value in ("是", "true")

    def day(self, node: Node, key: str) -> date | None:
        value = self.text(node, key)
        if not value:
            return None
        try:
            return parse_day(value)
        except ValueError:
            wrong = why_no_day(value) or "不是日期"
            self.fault(node.get(key).place, f"“{key}: {value}”：{wrong}，请写成 2026-03-01 这样的日子")  # type: ignore[union-attr]
            return None

    # -- conditions
    def condition(self, node: Node) -> Condition | None:
        """申报条件: a node of the tree; None where it is not one."""
        if not node.is_map:
            self.fault(node.place, "条件应当写成 when: …、ask: …、all: […]、any: […] 或 not: …")
            return None
        self.keys(node, NODE_KEYS, "条件")
        return self.branch(node)

    def branch(self, node: Node) -> Condition | None:
        given = dict(node.items())
        present = [k for k in NODE_KINDS if k in given and given[k].value is not None]
        if len(present) != 1:
            said = "、".join(present)
            self.fault(node.place, f"一个条件只能有 when ask all any not 中的一个，这里有：{said or '没有'}")
            return None
        kind = present[0]
        body = given[kind]
        id_, cite, quote, label = (self.text(node, k) if k in given else "" for k in NAMING_KEYS)
        hidden = "hidden" in given and self.flag(node, "hidden")

        def made(text: str = "", children: tuple[Condition, ...] = ()) -> Condition:
            return Condition(kind, body.place, id_, cite, quote, label, hidden, text, children)

        if kind in ("when", "ask"):
            if body.text is None:
                self.fault(body.place, f"“{kind}”后面应当是一句话")
                return None
            return made(body.text.strip() if kind == "ask" else body.text)
        if kind == "not":
            child = self.condition(body)
            return made(children=(child,)) if child else None
        if not body.is_list or not body.list():
            self.fault(body.place, f"“{kind}”后面应当是至少一个条件的列表")
            return None
        parts = [self.condition(child) for child in body.list()]
        if any(p is None for p in parts):
            return None
        return made(children=tuple(p for p in parts if p))

    def guard(self, node: Node) -> Condition | bool | None:
        """A `when:` (or a whole tree) of a case, exception or addition; None: always, False: faulty."""
        if not any(node.get(k) is not None for k in CONDITION_KEYS):
            return None
        when = node.get("when")
        if when is not None and when.is_map:
            return self.condition(when) or False
        return self.branch(node) or False

    # -- benefit
    def expr(self, node: Node, key: str) -> Expr | None:
        found = node.get(key)
        if found is None:
            return None
        if found.text is None:
            self.fault(found.place, f"“{key}”应当是一个表达式")
            return None
        return Expr(found.text, found.place)

    def exprs(self, node: Node, key: str) -> tuple[Expr, ...] | None:
        found = node.get(key)
        if found is None:
            return None
        rows = found.list() if found.is_list else [found]
        out = []
        for row in rows:
            if row.text is None:
                self.fault(row.place, f"“{key}”应当是一个数额，或数额的列表")
            else:
                out.append(Expr(row.text, row.place))
        return tuple(out)

    def limits(self, node: Node) -> Limits:
        return Limits(*(self.exprs(node, key) for key in LIMIT_KEYS))

    def form(self, node: Node, required: bool) -> Form | None:
        present = [k for k in FORM_KEYS if node.get(k) is not None]
        if len(present) > 1 or (required and not present):
            said = "、".join(present) or "没有"
            self.fault(node.place, f"数额要写 amount range upto bands cases words 中的一个，这里有：{said}")
            return None
        if not present:
            return None
        kind = present[0]
        body = node.get(kind)
        assert body is not None
        if kind == "words":
            return Form("words", body.place, words=self.text(node, "words"))
        if kind == "range":
            return self.range_form(body)
        if kind == "bands":
            bands = self.bands(body)
            return Form("bands", body.place, bands=bands) if bands else None
        if kind == "cases":
            if not body.is_list or not body.list():
                self.fault(body.place, "cases 应当是列表，每项写条件和数额")
                return None
            rows = [self.variant(row, "情形", form_required=True) for row in body.list()]
            return Form("cases", body.place, cases=tuple(r for r in rows if r))
        amount = self.expr(node, kind)
        return Form(kind, body.place, amount=amount) if amount else None

    def range_form(self, body: Node) -> Form | None:
        if self.mapping(body, "range") is None:
            return None
        self.keys(body, ("low", "high"), "range")
        low, high = self.expr(body, "low"), self.expr(body, "high")
        if low is None or high is None:
            self.fault(body.place, "range 要写 {low: …, high: …}")
            return None
        return Form("range", body.place, low=low, high=high)

    def bands(self, node: Node) -> Bands | None:
        if self.mapping(node, "bands") is None:
            return None
        self.keys(node, BAND_KEYS, "bands")
        by, steps_node = self.expr(node, "by"), node.get("steps")
        if by is None or steps_node is None or not steps_node.list():
            self.fault(node.place, "bands 要写 by（按什么分档）和 steps（各档）")
            return None
        steps = [s for row in steps_node.list() if (s := self.step(row))]
        kind = self.choice(node, "kind", ("全额", "超额"), "全额")
        return Bands(
            node.place, by, self.expr(node, "of"), kind == "超额", self.expr(node, "from"), tuple(steps)
        )

    def step(self, node: Node) -> Step | None:
        if self.mapping(node, "档") is None:
            return None
        self.keys(node, STEP_KEYS, "档")
        upto, below = self.expr(node, "upto"), self.expr(node, "below")
        rate, amount = self.expr(node, "rate"), self.expr(node, "amount")
        if upto and below:
            self.fault(node.place, "一档只能写 upto（含本数）或 below（不含本数）中的一个")
        if (rate is None) == (amount is None):
            self.fault(node.place, "一档要写 rate（比例）或 amount（数额）中的一个")
            return None
        return Step(node.place, upto or below, upto is not None, rate, amount)

    def variant(self, node: Node, what: str, form_required: bool) -> Variant | None:
        if self.mapping(node, what) is None:
            return None
        self.keys(node, VARIANT_KEYS, what)
        condition = self.guard(node)
        if condition is False:
            return None
        form = self.form(node, form_required)
        if form_required and form is None:
            return None
        assert not isinstance(condition, bool)
        return Variant(
            node.place, condition, form, self.limits(node), self.text(node, "cite"), self.text(node, "quote")
        )

    def addition(self, node: Node) -> Addition | None:
        if self.mapping(node, "adds") is None:
            return None
        self.keys(node, ADD_KEYS, "adds")
        condition = self.guard(node)
        rate, amount = self.expr(node, "rate"), self.expr(node, "amount")
        if (rate is None) == (amount is None):
            self.fault(node.place, "adds 每项要写 rate（比例）或 amount（数额）中的一个")
            return None
        if isinstance(condition, bool):
            return None
        flag = self.flag(node, "beyond_cap")
        return Addition(
            node.place, condition, rate, amount, flag, self.text(node, "cite"), self.text(node, "quote")
        )

    def benefit(self, node: Node) -> Benefit | None:
        """奖补标准: None where it can't be read."""
        if self.mapping(node, "benefit") is None:
            return None
        self.keys(node, BENEFIT_KEYS, "benefit")
        form = self.form(node, required=True)
        if form is None:
            return None
        exceptions = [self.variant(n, "exceptions", False) for n in self.rows(node, "exceptions")]
        adds = [self.addition(n) for n in self.rows(node, "adds")]
        return Benefit(
            node.place,
            form,
            self.limits(node),
            tuple(e for e in exceptions if e),
            tuple(a for a in adds if a),
            self.text(node, "cite"),
            self.text(node, "quote"),
            tuple(
                {k: n.text or "" for k, n in r.items()} for r in self.rows(node, "instalments") if r.is_map
            ),
        )

    def rows(self, node: Node, key: str) -> list[Node]:
        found = node.get(key)
        if found is None:
            return []
        if not found.is_list:
            self.fault(found.place, f"“{key}”应当是列表")
            return []
        return found.list()

    # -- batches and shared keys
    def batch(self, name: str, node: Node) -> Batch | None:
        if self.mapping(node, "批次") is None:
            return None
        self.keys(node, BATCH_KEYS, "批次")
        opens, closes = self.day(node, "opens"), self.day(node, "closes")
        if opens is None or closes is None:
            if not (self.text(node, "opens") and self.text(node, "closes")):  # a wrong day has been told
                self.fault(node.place, f"批次“{name}”要写 opens 和 closes（起止日期）")
            return None
        if closes < opens:
            self.fault(node.place, f"批次“{name}”的截止日早于开始日", 6)
        year = self.text(node, "year")
        if year and not re.fullmatch(r"\d{4}", year):
            self.fault(node.get("year").place, f"year 应当是四位年份，这里是“{year}”")  # type: ignore[union-attr]
            return None
        return Batch(
            name,
            node.place,
            opens,
            closes,
            int(year) if year else None,
            self.money(node, "budget"),
            self.rates(node),
        )

    def rates(self, node: Node) -> tuple[tuple[str, float], ...]:
        found = self.mapping(node.get("rates"), "rates")
        out = []
        for currency, value in found.items() if found else ():
            known = [c for c, _ in kinds.FOREIGN_UNITS.values()]
            if currency not in known:
                self.fault(value.place, f"没有“{currency}”这个币种。{nearest(currency, known)}")
            elif value.text is None or not re.fullmatch(r"\d+(\.\d+)?", value.text):
                self.fault(value.place, f"{currency}的汇率应当是一个数，例如 7.1")
            else:
                out.append((currency, float(value.text)))
        return tuple(out)

    def money(self, node: Node, key: str) -> float | None:
        text = self.text(node, key)
        if not text:
            return None
        try:
            return constant_money(text)
        except ExpressionError as error:
            self.fault(node.get(key).place, error.message, error.code)  # type: ignore[union-attr]
            return None

    def exclusives(self, node: Node | None) -> tuple[Exclusive, ...]:
        if node is None:
            return ()
        rows = node.list() if node.is_list else [node]
        out = []
        for row in rows:
            if self.mapping(row, "exclusive") is None:
                continue
            self.keys(row, EXCLUSIVE_KEYS, "exclusive")
            group = self.text(row, "group")
            if not group:
                self.fault(row.place, "exclusive 要写 group（哪一组里不重复）")
                continue
            pick = self.choice(row, "pick", policy.PICKS, "就高")
            out.append(
                Exclusive(
                    row.place,
                    group,
                    pick,
                    self.text(row, "id"),
                    self.text(row, "cite"),
                    self.text(row, "quote"),
                )
            )
        return tuple(out)

    # -- files
    def item(self, root: Node) -> PolicyItem | None:
        """政策事项: the item of a rule file, or None where its root is no mapping or it has no id."""
        if self.mapping(root, "规则文件") is None:
            return None
        self.keys(root, ITEM_KEYS, "规则文件")
        name = self.text(root, "item")
        if not name:
            self.fault(root.place, "规则文件要写 item: 文件编号/事项名")
            return None
        conditions, benefit, budget = root.get("conditions"), root.get("benefit"), root.get("budget")
        if conditions is None:
            self.fault(root.place, "规则文件要写 conditions（申报条件）")
        batches = self.mapping(root.get("batches"), "batches")
        guide = tuple((k, n.plain()) for k in GUIDE_KEYS if (n := root.get(k)) is not None)
        return PolicyItem(
            name,
            root.place,
            title=self.text(root, "title"),
            department=self.text(root, "department"),
            category=self.choice(root, "category", policy.CATEGORIES, "奖补"),
            subject=self.choice(root, "subject", policy.SUBJECTS, "企业"),
            delivery=self.choice(root, "delivery", policy.DELIVERIES, "申报兑现"),
            status=self.choice(root, "status", policy.STATUSES, "有效"),
            batches=tuple(b for k, n in (batches.items() if batches else ()) if (b := self.batch(k, n))),
            conditions=self.condition(conditions) if conditions else None,
            without=tuple((n.text, n.place) for n in self.rows(root, "without") if n.text),
            benefit=self.benefit(benefit) if benefit else None,
            exclusive=self.exclusives(root.get("exclusive")),
            budget=self.shortage(budget) if budget else None,
            materials=self.texts(root, "materials"),
            deadline=self.text(root, "deadline"),
            guide=guide,
        )

    def shortage(self, node: Node) -> Budget | None:
        if self.mapping(node, "budget") is None:
            return None
        self.keys(node, ("when_short", "cite", "quote", "note"), "budget")
        how = self.choice(node, "when_short", policy.SHORTAGES, "按比例核减")
        return Budget(node.place, how, self.text(node, "cite"), self.text(node, "quote"))

    def document(self, name: str, root: Node) -> PolicyDocument | None:
        """政策文件: the document of a document.yaml."""
        if self.mapping(root, "document.yaml") is None:
            return None
        self.keys(root, DOCUMENT_KEYS, "document.yaml")
        general = self.mapping(root.get("general"), "general")
        if general:
            self.keys(general, ("conditions", "exclusive"), "general")
        conditions = general.get("conditions") if general else None
        words = self.mapping(root.get("words"), "words")
        extra = ("level", "theme", "department", "note", "url", "published")
        return PolicyDocument(
            name,
            root.place,
            title=self.text(root, "title"),
            number=self.text(root, "number"),
            issuer=self.text(root, "issuer"),
            issued=self.day(root, "issued"),
            effective=self.day(root, "effective"),
            expires=self.day(root, "expires"),
            source=self.text(root, "source"),
            replaces=self.texts(root, "replaces"),
            words=tuple((k, n.text or "") for k, n in (words.items() if words else ())),
            general=General(
                self.condition(conditions) if conditions else None,
                self.exclusives(general.get("exclusive")) if general else (),
            ),
            extra=tuple((k, self.text(root, k)) for k in extra if root.get(k) is not None),
        )


def parse_day(text: str) -> date:
    """日期: an ISO date. Raises ValueError."""
    y, m, d = (int(p) for p in text.strip().split("-"))
    try:
        return date(y, m, d)
    except OverflowError as error:
        raise ValueError(text) from error


def constant_money(text: str) -> float:
    """金额: yuan of a literal such as 5000万元. Raises ExpressionError."""
    node = parse_value(text, {}, {})
    if not isinstance(node, Num) or node.kind.name != kinds.MONEY or node.currency:
        raise ExpressionError(2, f"“{text}”应当是一个金额，例如 5000万元", (0, len(text)))
    return node.value


def constant_number(text: str) -> Decimal:
    """数: a plain decimal. Raises ValueError."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", text.strip()):
        raise ValueError(text)
    return Decimal(text.strip())
