"""同场的工具: the same rules over the same columns in polars and DuckDB, as their documentation says they are fastest.

Both know missing values and answer with strong Kleene logic themselves; neither gives masks or amounts here.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine.columns import Categories, Columns
from engine.evaluate import Tree, add_months, member_test, months_of
from engine.indicators import Dictionary
from engine.nodes import Bin, Call, Compare, Day, Dur, In, Node, Num, Ref, Truth
from engine.program import BoundItem
from jobs.bench.work import CODE, column_name, to_arrow

# growth of 10 % of whole numbers is 10 % (rule language, section 3); the work compares computed values with >= only
SLACK = 1e-9
Hits = dict[str, tuple[np.ndarray, np.ndarray]]


def installed(name: str) -> bool:
    """装了没有."""
    return find_spec(name) is not None


def peer_table(columns: Columns) -> pa.Table:
    """同一份数据 as numbers: days for dates, 0/1 for flags, categories as dictionaries; what each missing value means put in."""
    table = to_arrow(columns)
    arrays: dict[str, pa.Array] = {}
    for key in columns.numbers:
        arrays[column_name(key)] = pa.array(columns.number(*key), from_pandas=True)
    for key in columns.categories:
        arrays[column_name(key)] = table[column_name(key)].dictionary_encode()
    arrays["row"] = pa.array(np.arange(len(columns), dtype=np.uint32))
    return pa.table(arrays)


def fold(node: Node) -> float:
    """常数: a side that reads no column, as one number (days for dates)."""
    if isinstance(node, Day):
        return float(node.days)
    if isinstance(node, Num | Truth):
        return float(node.value)
    assert isinstance(node, Bin)
    if isinstance(node.right, Dur):
        sign = -1 if node.op == "-" else 1
        base = np.array([fold(node.left)])
        return float(add_months(base, sign * months_of(node.right))[0] + sign * node.right.days)
    a, b = fold(node.left), fold(node.right)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[node.op]


def _name(node: Ref) -> str:
    return column_name((node.name, node.year))


# ---------------------------------------------------------------- polars


class Polars:
    """polars: shared comparisons as one frame, shared subtrees as a second, items over them, rows filtered by verdict.

    `facts` says which names a text column holds and what a missing value means; `frame` is made of it where none is given.
    """

    name = "polars"

    def __init__(self, items: Sequence[BoundItem], facts: Columns | PolarsFacts, frame: Any = None):
        import polars as pl

        self.pl, self.items, self.facts = pl, items, facts
        if frame is None:
            assert isinstance(facts, Columns)
            texts = [column_name(key) for key in facts.categories]
            made = pl.from_arrow(peer_table(facts))
            assert isinstance(made, pl.DataFrame)
            frame = made.with_columns(pl.col(texts).cast(pl.Categorical)).rechunk()
        self.frame = frame
        self.leaves: dict[Node, str] = {}
        self.groups: dict[Tree, Any] = {}
        self.wanted = [self._item(item) for item in items]

    def _value(self, node: Node) -> Any:
        pl = self.pl
        if isinstance(node, Ref):
            return pl.col(_name(node))
        if isinstance(node, Call):
            arg = node.args[0]
            assert node.name == "增长率" and isinstance(arg, Ref) and arg.year is not None
            before = pl.col(column_name((arg.name, arg.year - 1)))
            return pl.col(_name(arg)) / pl.when(before > 0).then(before) - 1
        if isinstance(node, Bin) and isinstance(node.left, Ref):
            a, b = self._value(node.left), self._value(node.right)
            return (
                a / self.pl.when(b != 0).then(b)
                if node.op == "/"
                else {"+": a + b, "-": a - b, "*": a * b}[node.op]
            )
        return pl.lit(fold(node))

    def _leaf(self, node: Node) -> Any:
        pl = self.pl
        if isinstance(node, In):
            assert isinstance(node.left, Ref)
            names = self.facts.category(node.left.name, node.left.year).names
            test = member_test(node.members)
            members = [n for n in names if test(n)]
            return pl.col(_name(node.left)).is_in(pl.Series(members, dtype=pl.Categorical))
        assert isinstance(node, Compare)
        a, b = self._value(node.left), self._value(node.right)
        if isinstance(node.left, Call | Bin):
            a = a + SLACK
        found = {">=": a >= b, "<=": a <= b, ">": a > b, "<": a < b, "=": a == b, "!=": a != b}[node.op]
        for side in (node.left, node.right):
            if isinstance(side, Ref) and self.facts.speaks(side.name) == "无":
                found = found.fill_null(False)
        return found

    def _tree(self, tree: Tree) -> Any:
        if tree.kind == "when":
            assert tree.expr is not None
            return self.pl.col(self.leaves.setdefault(tree.expr, f"p{len(self.leaves)}"))
        parts = [self._tree(child) for child in tree.children]
        if tree.kind == "not":
            return ~parts[0]
        join = self.pl.all_horizontal if tree.kind == "all" else self.pl.any_horizontal
        return join(parts)

    def _item(self, item: BoundItem) -> Any:
        parts = []
        for tree in item.conditions:
            if tree.kind != "when":
                if tree not in self.groups:
                    self.groups[tree] = (f"g{len(self.groups)}", self._tree(tree))
                parts.append(self.pl.col(self.groups[tree][0]))
            else:
                parts.append(self._tree(tree))
        return self.pl.all_horizontal(parts)

    def run(self) -> Hits:
        """一次比对: row numbers of the hits and whether each is 符合."""
        pl = self.pl
        level = self.frame.select(
            "row", *[self._leaf(node).alias(name) for node, name in self.leaves.items()]
        )
        if self.groups:
            level = level.with_columns(*[expr.alias(name) for name, expr in self.groups.values()])
        out: Hits = {}
        for at in range(0, len(self.items), 500):
            part = level.select("row", *[e.alias(f"i{k}") for k, e in enumerate(self.wanted[at : at + 500])])
            names = part.columns[1:]
            picks = []
            for name in names:
                open_ = pl.col(name).fill_null(True)
                picks += [
                    pl.col("row").filter(open_).implode().alias(f"{name}r"),
                    pl.col(name).filter(open_).implode(),
                ]
            found = part.select(picks)
            for k, name in enumerate(names):
                rows, sure = found[f"{name}r"][0], found[name][0]
                out[self.items[at + k].program.item.id] = (rows.to_numpy(), sure.is_not_null().to_numpy())
        return out


class PolarsFacts:
    """polars 自己读的企业数据: a Parquet of firms read by polars alone into the numbers and categories that its rules ask of."""

    def __init__(self, path: Path, dictionary: Dictionary):
        import polars as pl

        self.dictionary = dictionary
        frame = pl.read_parquet(path)
        casts = []
        for name, kind in frame.schema.items():
            if name == CODE:
                continue
            column = pl.col(name)
            if kind == pl.String:
                casts.append(column.cast(pl.Categorical))
                continue
            number = (column.cast(pl.Int32) if kind == pl.Date else column).cast(pl.Float64)
            zero = self.speaks(name.partition("@")[0]) in ("0", "否")
            casts.append(number.fill_null(0.0) if zero else number)
        row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        self.frame = frame.select(row, *casts).rechunk()

    def speaks(self, name: str) -> str:
        """缺失即."""
        spec = self.dictionary.get(name)
        return spec.absent_means if spec is not None else ""

    def category(self, name: str, year: int | None) -> Categories:
        """分类列: its names alone; polars keeps the codes."""
        known = self.frame[column_name((name, year))].unique().drop_nulls().cast(str).to_list()
        return Categories(np.zeros(0, np.int32), tuple(known))


# ---------------------------------------------------------------- DuckDB


class DuckDB:
    """DuckDB: comparisons as a table of Booleans, then one filter a rule over it."""

    name = "duckdb"

    def __init__(self, items: Sequence[BoundItem], columns: Columns):
        import duckdb

        self.items, self.columns = items, columns
        self.base = duckdb.connect()
        table = peer_table(columns)
        plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
        self.base.register("given", pa.table(plain, names=table.column_names))
        self.base.execute("create table firms as select * from given")
        self.leaves: dict[Node, str] = {}
        self.wanted = [" and ".join(f"({self._tree(t)})" for t in item.conditions) for item in items]

    def _value(self, node: Node) -> str:
        if isinstance(node, Ref):
            return f'"{_name(node)}"'
        if isinstance(node, Call):
            arg = node.args[0]
            assert isinstance(arg, Ref) and arg.year is not None
            before = f'"{column_name((arg.name, arg.year - 1))}"'
            return f'("{_name(arg)}" / case when {before} > 0 then {before} end - 1)'
        if isinstance(node, Bin) and isinstance(node.left, Ref):
            a, b = self._value(node.left), self._value(node.right)
            return f"({a} / nullif({b}, 0))" if node.op == "/" else f"({a} {node.op} {b})"
        return repr(fold(node)) + "::double"

    def _leaf(self, node: Node) -> str:
        if isinstance(node, In):
            assert isinstance(node.left, Ref)
            test = member_test(node.members)
            names = [n for n in self.columns.category(node.left.name, node.left.year).names if test(n)]
            return f"{self._value(node.left)} in ({', '.join(repr(n) for n in names)})"
        assert isinstance(node, Compare)
        slack = f" + {SLACK}" if isinstance(node.left, Call | Bin) else ""
        found = f"{self._value(node.left)}{slack} {node.op} {self._value(node.right)}"
        if any(isinstance(s, Ref) and self.columns.speaks(s.name) == "无" for s in (node.left, node.right)):
            return f"coalesce({found}, false)"
        return found

    def _tree(self, tree: Tree) -> str:
        if tree.kind == "when":
            assert tree.expr is not None
            return self.leaves.setdefault(tree.expr, f"p{len(self.leaves)}")
        parts = [self._tree(child) for child in tree.children]
        if tree.kind == "not":
            return f"not ({parts[0]})"
        return "(" + f" {'and' if tree.kind == 'all' else 'or'} ".join(parts) + ")"

    def run(self) -> Hits:
        """一次比对."""
        leaves = ", ".join(f"{self._leaf(node)} as {name}" for node, name in self.leaves.items())
        self.base.execute(f"create or replace temp table level as select row, {leaves} from firms")
        out: Hits = {}
        for item, text in zip(self.items, self.wanted, strict=True):
            query = f"select row, ({text}) is not null as sure from level where coalesce({text}, true) order by row"
            found = self.base.execute(query).fetchnumpy()
            out[item.program.item.id] = (np.asarray(found["row"]), np.asarray(found["sure"]))
        return out
