"""样例: cases beside the rule and allocation cases, read and run by the one evaluator (rule language, section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from engine import kinds
from engine.columns import SUBJECT_LISTS, Builder, Columns
from engine.errors import Place, Problem
from engine.indicators import Dictionary
from engine.literal import parse_number
from engine.match import Verdict
from engine.matching import VERDICTS, AnswerBook, ItemHits, amount_of, identifiers, match
from engine.program import Program
from engine.rulefile import Reader
from engine.yamltext import Node, Report

FILE_KEYS = ("item", "batch", "given", "answers", "cases", "note")
CASE_KEYS = ("name", "with", "answers", "batch", "expect", "note")
EXPECT_KEYS = ("verdict", "fails", "unknown", "amount")
Facts = dict[str, object]
Answers = dict[str, "bool | dict[str, bool]"]


@dataclass(frozen=True)
class Expected:
    """期望: verdict, failing and unknown ids; amount None means not compared, else (low, high) with None unknown."""

    verdict: Verdict
    fails: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    amount: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class Case:
    """样例: facts and answers of one sample enterprise in one batch, and what is expected."""

    name: str
    batch: str
    facts: Facts
    answers: Answers
    expect: Expected
    place: Place


@dataclass
class CaseFile:
    """样例文件: the cases of one item."""

    item: str
    file: str
    cases: list[Case] = field(default_factory=list)


class CaseReader(Reader):
    """读样例: strict keys, values by the kinds of the dictionary."""

    def __init__(self, dictionary: Dictionary, report: Report):
        super().__init__(report)
        self.dictionary = dictionary

    def file(self, root: Node, program: Program, file: str) -> CaseFile:
        """样例文件: every readable case; faults are reported."""
        out = CaseFile(program.item.id, file)
        if self.mapping(root, "样例文件") is None:
            return out
        self.keys(root, FILE_KEYS, "样例文件")
        said = self.text(root, "item")
        if said != program.item.id:
            found = root.get("item")
            place = found.place if found else root.place
            self.fault(place, f"样例文件的 item 是“{said}”，旁边的规则是“{program.item.id}”", 4)
        batch = self.text(root, "batch")
        given = self.facts(self.mapping(root.get("given"), "given"))
        answers = self.answers(self.mapping(root.get("answers"), "answers"))
        for node in self.rows(root, "cases"):
            case = self.case(node, program, batch, given, answers)
            if case is not None:
                out.cases.append(case)
        return out

    def case(self, node: Node, program: Program, batch: str, given: Facts, answers: Answers) -> Case | None:
        if self.mapping(node, "样例") is None:
            return None
        self.keys(node, CASE_KEYS, "样例")
        name = self.text(node, "name")
        chosen = self.text(node, "batch") or batch
        batches = [b.name for b in program.item.batches]
        if not chosen and len(batches) == 1:
            chosen = batches[0]
        if chosen not in batches:
            self.fault(node.place, f"样例“{name}”的批次“{chosen}”不在规则的批次里：{' '.join(batches)}")
            return None
        expect_node = node.get("expect")
        expect = self.expected(expect_node) if expect_node else None
        if expect is None:
            self.fault(node.place, f"样例“{name}”要写 expect: {{verdict: 符合|待核实|不符合}}")
            return None
        facts = merge_facts(given, self.facts(self.mapping(node.get("with"), "with")), self.dictionary)
        merged = merge_answers(answers, self.answers(self.mapping(node.get("answers"), "answers")))
        return Case(name, chosen, facts, merged, expect, node.place)

    def expected(self, node: Node) -> Expected | None:
        if self.mapping(node, "expect") is None:
            return None
        self.keys(node, EXPECT_KEYS, "expect")
        verdict = self.text(node, "verdict")
        if verdict not in [v.value for v in Verdict]:
            self.fault(node.place, f"verdict 应当是 符合 待核实 不符合，这里是“{verdict}”")
            return None
        amount = self.amount(node) if node.value and "amount" in (node.marks or {}) else None
        return Expected(Verdict(verdict), self.texts(node, "fails"), self.texts(node, "unknown"), amount)

    def amount(self, node: Node) -> tuple[float | None, float | None] | None:
        assert isinstance(node.value, dict)
        return self.interval(node.value["amount"])

    def interval(self, found: Node) -> tuple[float | None, float | None] | None:
        """数额区间: ~ both ends unknown, a number, or [low, high]."""
        if found.value is None:
            return None, None
        ends = found.list() if found.is_list else [found, found]
        if len(ends) != 2:
            self.fault(found.place, "amount 写成 8万元、[30万元, 100万元] 或 ~")
            return None
        try:
            low, high = (None if e.value is None else constant(e.text or "") for e in ends)
        except ValueError as error:
            self.fault(found.place, str(error))
            return None
        return low, high

    def facts(self, node: Node | None) -> Facts:
        """事实: indicator → plain value; ~ stays None, which takes a fact away."""
        out: Facts = {}
        for name, value in node.items() if node else ():
            if name in SUBJECT_LISTS:
                out[name] = None if value.value is None else [self.facts(row) for row in value.list()]
                continue
            spec = self.dictionary.get(name)
            if spec is None:
                from engine.tokens import nearest_indicator

                place = node.key_place(name) if node else value.place
                self.fault(place, f"没有“{name}”这个指标。{nearest_indicator(name, self.dictionary)}")
                continue
            if spec.yearly and value.value is not None and not value.is_map:
                self.fault(value.place, f"“{name}”是按年的指标，请写成 {{2024: 值}}", 2)
                continue
            if not spec.yearly and value.is_map:
                self.fault(value.place, f"“{name}”不是按年的指标，请直接写值", 2)
                continue
            if spec.kind == kinds.LIST and value.text is not None:
                out[name] = [value.text]
                continue
            out[name] = value.plain()
        return out

    def answers(self, node: Node | None) -> Answers:
        out: Answers = {}
        for name, value in node.items() if node else ():
            if value.is_map:
                out[name] = {k: self.answer(v) for k, v in value.items()}  # type: ignore[misc]
            else:
                out[name] = self.answer(value)  # type: ignore[assignment]
        return out

    def answer(self, node: Node) -> bool | None:
        if node.value is None:
            return None
        if node.text not in ("是", "否", "true", "false"):
            self.fault(node.place, "答复应当是 是 或 否")
            return None
        return node.text in ("是", "true")


def constant(text: str) -> float:
    """金额: yuan of a literal such as 8万元 or 0元. Raises ValueError."""
    from engine.errors import ExpressionError
    from engine.rulefile import constant_money

    try:
        return constant_money(text)
    except ExpressionError as error:
        raise ValueError(f"“{text}”不是金额：{error.message}") from None


def merge_facts(given: Facts, differs: Facts, dictionary: Dictionary) -> Facts:
    """改动: yearly indicators merge year by year, a list is replaced whole, None takes a fact away."""
    out = dict(given)
    for name, value in differs.items():
        spec = dictionary.get(name)
        before = out.get(name)
        if spec is not None and spec.yearly and isinstance(value, Mapping) and isinstance(before, Mapping):
            out[name] = {**before, **value}
        else:
            out[name] = value
    return out


def merge_answers(given: Answers, differs: Answers) -> Answers:
    """答复: merged by id (and by row); None takes one away."""
    out = dict(given)
    for name, value in differs.items():
        before = out.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            out[name] = {**before, **value}
        else:
            out[name] = value
    return {k: v for k, v in out.items() if v is not None}


def columns_of(
    records: Sequence[Facts], dictionary: Dictionary, places: Sequence[Place], report: Report
) -> Columns:
    """造列: cases as one frame; a value that can't be read is reported and left unknown."""

    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, f"{column}：{message}", places[row]))

    names = [str(i) for i in range(len(records))]
    return Builder(dictionary, complain, parse_number).build(names, records)


def answer_book(cases: Sequence[Case], item: str) -> AnswerBook:
    """答复簿: the cases' answers as the evaluator takes them."""
    book: dict[tuple[str, str, str], dict[str, bool | Mapping[str, bool]]] = {}
    for row, case in enumerate(cases):
        for ask, answer in case.answers.items():
            given = {k: v for k, v in answer.items() if v is not None} if isinstance(answer, dict) else answer
            book.setdefault((item, case.batch, ask), {})[str(row)] = given
    return book


@dataclass(frozen=True)
class Outcome:
    """结果: what the evaluator says of a case."""

    verdict: Verdict
    fails: tuple[str, ...]
    unknown: tuple[str, ...]
    amount: tuple[float | None, float | None]


def outcome(hits: ItemHits, at: int) -> Outcome:
    """一行的结果."""
    return Outcome(
        VERDICTS[hits.verdict[at]],
        tuple(identifiers(hits.ids, hits.fails[at])),
        tuple(identifiers(hits.ids, hits.unknown[at])),
        (amount_of(hits.low[at]), amount_of(hits.high[at])),
    )


def run_cases(
    program: Program, cases: Sequence[Case], dictionary: Dictionary, report: Report
) -> list[Outcome]:
    """跑样例: all cases of one item as one frame (a frame a batch)."""
    columns = columns_of([c.facts for c in cases], dictionary, [c.place for c in cases], report)
    book = answer_book(cases, program.item.id)
    out: list[Outcome | None] = [None] * len(cases)
    for name in dict.fromkeys(c.batch for c in cases):
        batch = program.item.batch(name)
        assert batch is not None
        hits = match([program.bind(batch)], columns, batch.opens, book, every=True)[0]
        for i, case in enumerate(cases):
            if case.batch == name:
                out[i] = outcome(hits, i)
    return [o for o in out if o is not None]


def same_amount(a: float | None, b: float | None) -> bool:
    """同额: equal to the fen; unknown equals unknown only."""
    if a is None or b is None:
        return a is b
    return bool(np.isclose(a, b, rtol=0, atol=0.005))


def difference(case: Case, got: Outcome) -> str:
    """差异: what a case expected and the rule gave, "" where they agree."""
    want = case.expect
    parts = []
    if want.verdict != got.verdict:
        parts.append(f"应为{want.verdict}，算得{got.verdict}")
    for label, w, g in (("不符合的条件", want.fails, got.fails), ("待核实的条件", want.unknown, got.unknown)):
        if tuple(w) != tuple(g):
            parts.append(f"{label}应为 {'、'.join(w) or '无'}，算得 {'、'.join(g) or '无'}")
    if want.amount is not None and not all(map(same_amount, want.amount, got.amount)):
        parts.append(f"数额应为 {say_amount(want.amount)}，算得 {say_amount(got.amount)}")
    return "；".join(parts)


def say_amount(amount: tuple[float | None, float | None]) -> str:
    """数额的说法."""
    low, high = amount
    if low is None and high is None:
        return "待定"
    if low == high:
        return f"{low:,.2f}元"
    return f"{'待定' if low is None else f'{low:,.2f}元'} 至 {'待定' if high is None else f'{high:,.2f}元'}"


def case_file_of(item_file: Path) -> Path:
    """样例文件的路径."""
    return item_file.with_name(item_file.name.removesuffix(".yaml") + ".test.yaml")


def first_day(program: Program) -> date | None:
    """首批次的开始日."""
    return min((b.opens for b in program.item.batches), default=None)
