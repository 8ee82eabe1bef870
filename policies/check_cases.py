"""样例核对: cases against the rule (12), and that cases exercise every leaf, arm and exception (9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.columns import Columns, Detail
from engine.errors import Place, Problem
from engine.evaluate import Frame, Tree
from engine.matching import AnswerBook, RowIndex, enterprise_answers, row_answers
from engine.policy import Condition
from engine.program import BoundItem, Program
from engine.truth import Truth
from engine.yamltext import Report
from policies.cases import Case, CaseFile, answer_book, columns_of, difference, run_cases
from policies.library import Library

Path = tuple[int, ...]


@dataclass
class Coverage:
    """样例覆盖: paths (in the numbered conditions) of decisive leaves and of arms that held, and used exceptions."""

    decisive: set[Path] = field(default_factory=set)
    held: set[Path] = field(default_factory=set)
    exceptions: set[int] = field(default_factory=set)
    ran: int = 0


def check_case_file(program: Program, cases: CaseFile, library: Library, report: Report) -> Coverage:
    """跑一件样例 (12): as one frame and each alone; returns what the cases exercised."""
    faults: list[Problem] = []
    together = run_cases(program, cases.cases, library.dictionary, faults.append)
    for problem in faults:
        report(problem)
    for case, got in zip(cases.cases, together, strict=True):
        said = difference(case, got)
        alone = run_cases(program, [case], library.dictionary, lambda p: None)[0]
        if alone != got:
            said = said or "单独算和成批算的结果不同；这是程序的错，请报告"
        if said:
            report(Problem(12, f"样例“{case.name}”：{said}", case.place))
    return _coverage(program, cases.cases, library)


def _coverage(program: Program, cases: Sequence[Case], library: Library) -> Coverage:
    out = Coverage(ran=len(cases))
    columns = columns_of(
        [c.facts for c in cases], library.dictionary, [c.place for c in cases], lambda p: None
    )
    book = answer_book(cases, program.item.id)
    for name in dict.fromkeys(c.batch for c in cases):
        batch = program.item.batch(name)
        assert batch is not None
        rows = np.array([i for i, c in enumerate(cases) if c.batch == name])
        _cover_batch(program.bind(batch), columns, book, rows, out)
    return out


def _cover_batch(
    bound: BoundItem, columns: Columns, book: AnswerBook, rows: np.ndarray, out: Coverage
) -> None:
    index = RowIndex(columns.codes)
    frame: Frame
    if bound.program.item.subject == "企业":
        frame = Frame(columns)
        answers = enterprise_answers(bound, book, index, len(columns))
        keep = np.isin(np.arange(frame.n), rows)
    else:
        own = columns.rows.get(bound.program.item.subject)
        missing = own.missing if own is not None else np.ones(len(columns), bool)
        detail = Detail(columns, own, np.flatnonzero(missing))
        frame = Frame(detail)
        answers = row_answers(bound, book, index, detail)
        keep = np.isin(detail.owner, rows)
    if not keep.any():
        return
    tracer = Tracer(frame, answers)
    wholes = [tracer.run(tree, (i,)) for i, tree in enumerate(bound.conditions)]
    for i, own_truth in enumerate(wholes):
        others = [w.maybe for j, w in enumerate(wholes) if j != i]
        rest = np.logical_and.reduce(others) if others else np.ones(frame.n, bool)
        tracer.decide(bound.conditions[i], (i,), rest & keep & ~own_truth.maybe, out)
    alive = keep & np.logical_and.reduce([w.maybe for w in wholes] or [np.ones(frame.n, bool)])
    for path, truth in tracer.truths.items():
        if (truth.sure & keep).any():
            out.held.add(path)
    for k, variant in enumerate(bound.benefit.exceptions if bound.benefit else ()):
        if variant.tree is None or (frame.tree(variant.tree, answers).sure & alive).any():
            out.exceptions.add(k)


class Tracer:
    """追踪: the truth of every node, and where turning one leaf would turn the whole."""

    def __init__(self, frame: Frame, answers: dict[str, Truth]):
        self.frame = frame
        self.answers = answers
        self.truths: dict[Path, Truth] = {}

    def run(self, tree: Tree, path: Path) -> Truth:
        for i, child in enumerate(tree.children):
            self.run(child, (*path, i))
        truth = self.truths[path] = self.frame.tree(tree, self.answers)
        return truth

    def decide(self, tree: Tree, path: Path, failing: np.ndarray, out: Coverage, want: bool = True) -> None:
        """Mark leaves below that are the only reason why `failing` rows don't have the wanted answer here."""
        if not failing.any():
            return
        if not tree.children:
            out.decisive.add(path)
            return
        if tree.kind == "not":
            self.decide(tree.children[0], (*path, 0), failing, out, not want)
            return
        parts = [self.truths[(*path, i)] for i in range(len(tree.children))]
        joined = (tree.kind == "all") == want
        for i, child in enumerate(tree.children):
            rest = failing.copy()
            wrong = ~parts[i].maybe if want else parts[i].sure
            if joined:  # every part must have the wanted answer: this one alone has not
                for j, other in enumerate(parts):
                    if j != i:
                        rest &= other.maybe if want else ~other.sure
            self.decide(child, (*path, i), rest & wrong, out, want)


def check_coverage(program: Program, coverage: Coverage, place: Place, report: Report, level: str) -> None:
    """覆盖 (9): own leaves never the only failing one, arms that never hold, exceptions never used."""
    if not coverage.ran:
        message = "没有样例；请在规则旁边写 .test.yaml，两侧边界和缺数据都要有"
        report(Problem(9, message, place, level))
        return
    for i, condition in enumerate(program.conditions):
        if condition.general:
            continue
        _check_leaves(condition.condition, (i,), coverage, report, level)
    benefit = program.item.benefit
    for k, variant in enumerate(benefit.exceptions if benefit else ()):
        if k not in coverage.exceptions:
            report(Problem(9, "没有样例用到这个除外情形", variant.place, level))


def _check_leaves(node: Condition, path: Path, coverage: Coverage, report: Report, level: str) -> None:
    if not node.children:
        if path not in coverage.decisive:
            message = "没有样例是只差这一条而不符合的；请补一个"
            report(Problem(9, message, node.place, level, source=node.text))
        return
    for i, child in enumerate(node.children):
        below = (*path, i)
        if node.kind == "any" and below not in coverage.held:
            message = "没有样例用到 any 里的这一支；请补一个只靠它符合的"
            report(Problem(9, message, child.place, level, source=child.text))
        _check_leaves(child, below, coverage, report, level)


def general_decisive(program: Program, coverage: Coverage) -> set[tuple[str, Path]]:
    """总则的覆盖: (id, path below it) of the general leaves that the item's cases decide."""
    out = set()
    for path in coverage.decisive:
        condition = program.conditions[path[0]]
        if condition.general:
            out.add((condition.id, path[1:]))
    return out


def check_general(program: Program, seen: set[tuple[str, Path]], report: Report) -> None:
    """总则的覆盖 (9): a general leaf that no case of any item of the document decides."""

    def visit(name: str, node: Condition, path: Path) -> None:
        if not node.children and (name, path) not in seen:
            message = "这份文件没有样例是只差总则这一条而不符合的；请在任一事项里补一个"
            report(Problem(9, message, node.place, source=node.text))
        for i, child in enumerate(node.children):
            visit(name, child, (*path, i))

    for condition in program.conditions:
        if condition.general:
            visit(condition.id, condition.condition, ())
