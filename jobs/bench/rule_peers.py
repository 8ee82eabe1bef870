"""同场的规则引擎: the same rules in OpenFisca and zen-engine, as their documentation says they are fastest, on a part of the work.

Neither knows missing values: a comparison answers 0 (不符合), 1 (待核实) or 2 (符合), and 与, 或, 非 are least, greatest and 2 − x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Key
from engine.evaluate import Tree, member_test
from engine.nodes import Bin, Call, Compare, In, Node, Ref
from engine.program import BoundItem
from jobs.bench.peers import SLACK, Hits, fold

Kleene = NDArray[np.int8]


def hits_of(answers: Sequence[Kleene], items: Sequence[BoundItem]) -> Hits:
    """命中: rows and whether each is 符合, by item."""
    out: Hits = {}
    for item, answer in zip(items, answers, strict=True):
        rows = np.flatnonzero(answer > 0)
        out[item.program.item.id] = (rows, answer[rows] == 2)
    return out


def _members(node: In, columns: Columns) -> list[str]:
    assert isinstance(node.left, Ref)
    test = member_test(node.members)
    return [n for n in columns.category(node.left.name, node.left.year).names if test(n)]


def _never(node: Compare, columns: Columns) -> bool:
    """Whether a missing value means that the comparison does not hold."""
    return any(isinstance(s, Ref) and columns.speaks(s.name) == "无" for s in (node.left, node.right))


# ---------------------------------------------------------------- OpenFisca


class OpenFisca:
    """OpenFisca-Core: a variable a comparison and an item, vectorised formulas, each worked out once and kept by it."""

    def __init__(self, items: Sequence[BoundItem], columns: Columns):
        from openfisca_core.entities import build_entity
        from openfisca_core.periods import DateUnit
        from openfisca_core.taxbenefitsystems import TaxBenefitSystem
        from openfisca_core.variables import Variable

        self.items, self.columns = items, columns
        self.firm = build_entity(key="firm", plural="firms", label="", is_person=True)
        self.system = TaxBenefitSystem([self.firm])
        self._base, self._year = Variable, DateUnit.YEAR
        self._names: dict[object, str] = {}
        self._inputs: dict[str, NDArray[Any]] = {}
        self.wanted = [self._tree(Tree("all", children=item.conditions)) for item in items]

    def _variable(self, kind: type, dtype: Any, formula: Callable[..., Any] | None = None) -> str:
        name = f"v{len(self._names)}"
        body: dict[str, Any] = {"value_type": kind, "entity": self.firm, "definition_period": self._year}
        if formula is not None:
            body["formula"] = formula
        added = self.system.add_variable(type(name, (self._base,), body))
        added.dtype = dtype  # its own floats have 32 bits, which would round sums of money
        return name

    def _column(self, key: Key) -> str:
        if key not in self._names:
            texts = key in self.columns.categories
            kind, dtype = (int, np.int32) if texts else (float, np.float64)
            name = self._names[key] = self._variable(kind, dtype)
            self._inputs[name] = self.columns.category(*key).codes if texts else self.columns.number(*key)
        return self._names[key]

    def _value(self, node: Node) -> Callable[[Any, Any], Any]:
        if isinstance(node, Ref):
            name = self._column((node.name, node.year))
            return lambda firm, period: firm(name, period)
        if isinstance(node, Call):
            arg = node.args[0]
            assert isinstance(arg, Ref) and arg.year is not None
            now, before = self._column((arg.name, arg.year)), self._column((arg.name, arg.year - 1))

            def growth(firm: Any, period: Any) -> Any:
                base = firm(before, period)
                return firm(now, period) / np.where(base > 0, base, np.nan) - 1

            return growth
        if isinstance(node, Bin) and isinstance(node.left, Ref):
            left, right = self._value(node.left), self._value(node.right)
            if node.op == "/":

                def ratio(firm: Any, period: Any) -> Any:
                    by = right(firm, period)
                    return left(firm, period) / np.where(by != 0, by, np.nan)

                return ratio
            work = {"+": np.add, "-": np.subtract, "*": np.multiply}[node.op]
            return lambda firm, period: work(left(firm, period), right(firm, period))
        number = fold(node)
        return lambda firm, period: number

    def _leaf(self, node: Node) -> Callable[[Any, Any], Any]:
        if isinstance(node, In):
            assert isinstance(node.left, Ref)
            names, wanted = (
                self.columns.category(node.left.name, node.left.year).names,
                _members(node, self.columns),
            )
            table = np.array([*(2 * (n in wanted) for n in names), 1], np.int8)
            codes = self._column((node.left.name, node.left.year))
            return lambda firm, period: table[firm(codes, period)]
        assert isinstance(node, Compare)
        left, right = self._value(node.left), self._value(node.right)
        slack = SLACK if isinstance(node.left, Call | Bin) else 0.0
        missing = 0 if _never(node, self.columns) else 1
        test = _TESTS[node.op]

        def formula(firm: Any, period: Any) -> Any:
            a, b = left(firm, period), right(firm, period)
            with np.errstate(invalid="ignore"):
                return np.where(np.isnan(a) | np.isnan(b), missing, 2 * test(a + slack, b)).astype(np.int8)

        return formula

    def _tree(self, tree: Tree) -> str:
        if tree not in self._names:
            if tree.kind == "when":
                assert tree.expr is not None
                formula = self._leaf(tree.expr)
            else:
                parts = [self._tree(child) for child in tree.children]
                formula = _joined(tree.kind, parts)
            self._names[tree] = self._variable(int, np.int8, formula)
        return self._names[tree]

    def run(self) -> Hits:
        """一次比对: a new simulation, since what it worked out before is kept by it."""
        from openfisca_core.simulations import SimulationBuilder

        simulation = SimulationBuilder().build_default_simulation(self.system, count=len(self.columns))
        for name, values in self._inputs.items():
            simulation.set_input(name, "2025", values)
        return hits_of([simulation.calculate(name, "2025") for name in self.wanted], self.items)


def _joined(kind: str, parts: Sequence[str]) -> Callable[[Any, Any], Any]:
    def formula(firm: Any, period: Any) -> Any:
        values = [firm(name, period) for name in parts]
        if kind == "not":
            return 2 - values[0]
        return (np.minimum if kind == "all" else np.maximum).reduce(values)

    return formula


_TESTS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less, "=": np.equal, "!=": np.not_equal,
}  # fmt: skip


# ---------------------------------------------------------------- zen-engine


class Zen:
    """zen-engine: all items as one compiled expression, asked once a firm; a rule at a time is ten times slower."""

    def __init__(self, items: Sequence[BoundItem], columns: Columns):
        import zen

        self.items, self.columns = items, columns
        self._names: dict[Key, str] = {}
        parts = []
        for k, item in enumerate(items):
            sure, maybe = self._tree(Tree("all", children=item.conditions))
            parts.append(f"i{k}: ({maybe}) ? (({sure}) ? 2 : 1) : 0")
        self.asked = zen.compile_expression("{" + ", ".join(parts) + "}")
        self.firms = [
            dict(zip(self._names.values(), row, strict=True))
            for row in zip(*map(self._cells, self._names), strict=True)
        ]

    def _cells(self, key: Key) -> list[object]:
        if key in self.columns.categories:
            cats = self.columns.category(*key)
            return [cats.names[c] if c >= 0 else None for c in cats.codes.tolist()]
        return [None if v != v else v for v in self.columns.number(*key).tolist()]

    def _column(self, name: str, year: int | None) -> str:
        return self._names.setdefault((name, year), f"x{len(self._names)}")

    def _value(self, node: Node) -> tuple[str, list[str]]:
        """A value, and what has to hold for there to be one."""
        if isinstance(node, Ref):
            name = self._column(node.name, node.year)
            return name, [f"{name} != null"]
        if isinstance(node, Call):
            arg = node.args[0]
            assert isinstance(arg, Ref) and arg.year is not None
            now, before = self._column(arg.name, arg.year), self._column(arg.name, arg.year - 1)
            return f"({now} / {before} - 1)", [f"{now} != null", f"{before} != null", f"{before} > 0"]
        if isinstance(node, Bin) and isinstance(node.left, Ref):
            (a, known), (b, also) = self._value(node.left), self._value(node.right)
            return f"({a} {node.op} {b})", [*known, *also, *([f"{b} != 0"] if node.op == "/" else [])]
        return f"({fold(node)!r})", []

    def _leaf(self, node: Node) -> tuple[str, str]:
        if isinstance(node, In):
            assert isinstance(node.left, Ref)
            name = self._column(node.left.name, node.left.year)
            inside = f"{name} in [{', '.join(repr(m) for m in _members(node, self.columns))}]"
            return f"({name} != null and {inside})", f"({name} == null or {inside})"
        assert isinstance(node, Compare)
        (a, known), (b, also) = self._value(node.left), self._value(node.right)
        slack = f" + {SLACK:.10f}" if isinstance(node.left, Call | Bin) else ""
        there = " and ".join([*known, *also])
        test = f"{a}{slack} {'==' if node.op == '=' else node.op} {b}"
        sure = f"({there} and {test})"
        return sure, sure if _never(node, self.columns) else f"(not({there}) or {test})"

    def _tree(self, tree: Tree) -> tuple[str, str]:
        if tree.kind == "when":
            assert tree.expr is not None
            return self._leaf(tree.expr)
        parts = [self._tree(child) for child in tree.children]
        if tree.kind == "not":
            return f"not({parts[0][1]})", f"not({parts[0][0]})"
        join = " and " if tree.kind == "all" else " or "
        sure, maybe = zip(*parts, strict=True)
        return f"({join.join(sure)})", f"({join.join(maybe)})"

    def run(self) -> Hits:
        """一次比对."""
        found = [self.asked.evaluate(firm) for firm in self.firms]
        answers = [
            np.array([int(answer[f"i{k}"]) for answer in found], np.int8) for k in range(len(self.items))
        ]
        return hits_of(answers, self.items)
