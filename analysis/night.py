"""一夜在手: a night with the analyst's rule changes laid over it; what was sent stays as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.changes import changed, drafted
from analysis.naming import firm_of
from engine.claims import Payable, allocate
from engine.columns import Columns
from engine.explain import explain
from engine.match import Match
from engine.matching import FITS, ItemHits, match
from engine.program import BoundItem, Program
from policies.library import Library
from store.database import Engine, database_url, open_database, require_tables
from store.nights import Night, firm_names, get_night, home_folder, latest_night

CODE, NAME = "统一社会信用代码", "企业名称"
HALF_A_FEN = 0.005  # yuan: sums that differ by less are the same


@dataclass(repr=False)
class View:
    """分析视图: a night, the items changed or added over it (`changed`: item → program) and those taken away (`gone`).

    >>> view.night.as_of.isoformat()
    '2026-06-17'
    """

    night: Night
    changed: dict[str, Program] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    _found: dict[str, ItemHits] = field(default_factory=dict, repr=False)
    _paid: dict[str, dict[str, Payable]] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> Columns:
        """数据列: as they were that night.

        >>> len(view.columns) == view.night.counts["firms"]
        True
        """
        return self.night.columns()

    @property
    def library(self) -> Library:
        """政策库: as it was that night, without the changes.

        >>> view.library.program("bs-2025-06/rd-intensity").item.title
        '研发投入强度奖励'
        """
        return self.night.library()

    @property
    def items(self) -> pd.DataFrame:
        """事项一览: as the night recorded it (without changes).

        >>> len(view.items) == view.night.counts["items"]
        True
        """
        return self.night.items()

    @property
    def matches(self) -> pd.DataFrame:
        """全部符合与待核实的对: as the night recorded them (without changes).

        >>> set(view.matches["verdict"]) == {"符合", "待核实"}
        True
        """
        parts = [f for item in self.items["item"] if len(f := self.night.hits(item))]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @cached_property
    def _firms(self) -> dict[str, np.ndarray]:
        """Codes and names of all enterprises, as texts."""
        return {
            CODE: np.array(list(self.columns.codes), object),
            NAME: firm_names(self.columns).to_numpy(zero_copy_only=False),
        }

    def program(self, item: str) -> Program:
        """事项: changed where it was changed. Raises ValueError for an item that is not in the library.

        >>> view.program("bs-2025-06/rd-intensity").item.department
        '科技创新局'
        """
        return self.changed.get(item) or self.library.wanted(item)

    def bound(self, item: str) -> BoundItem:
        """在办事项. Raises ValueError where no batch is open on the day of the night.

        >>> view.bound("bs-2025-06/rd-intensity").batch.name
        '2026'
        """
        program = self.program(item)
        batch = program.item.live_batch(self.night.as_of)
        if batch is None or item in self.gone:
            raise ValueError(f"{item} 在 {self.night.as_of} 没有在办的批次")
        return program.bind(batch)

    def live(self, item: str) -> bool:
        """在办: whether the item exists in this view and has a batch open on the night's day.

        >>> view.live("bs-2025-06/rd-intensity"), view.live("bs-2023-04/ship-finance")
        (True, False)
        """
        program = self.changed.get(item) or self.library.program(item)
        open_now = program is not None and program.item.live_batch(self.night.as_of) is not None
        return open_now and item not in self.gone

    def found(self, item: str) -> ItemHits:
        """比对结果 of one item, every pair; kept.

        >>> len(view.found("bs-2025-06/rd-intensity")) == view.night.counts["firms"]
        True
        """
        if item not in self._found:
            self._found[item] = match(
                [self.bound(item)], self.columns, self.night.as_of, self.night.answers(), every=True
            )[0]
        return self._found[item]

    def payable(self, item: str) -> dict[str, Payable]:
        """就高与预算之后的应付: by code, only of pairs whose amount that changes; kept.

        >>> all(p.high is not None for p in view.payable("bs-2025-03/unemployment-refund").values())
        True
        """
        if item not in self._paid:
            programs = {p: self.program(p) for p in self.together(item)}
            found = [self.found(p) for p in programs]
            paid = allocate(programs, found, self.columns.codes, self.night.received(), only=item)
            self._paid[item] = {code: p for (code, _), p in paid.items()}
        return self._paid[item]

    def together(self, item: str) -> list[str]:
        """一起分配的事项: the item and every live one that shares a group of 不重复享受 with it.

        >>> "bs-2025-06/rd-intensity" in view.together("bs-2025-06/rd-intensity")
        True
        """
        groups = {e.group for e in self.program(item).exclusive}
        known = {*self.items["item"], *self.changed}
        live = [p for p in known if self.live(p) and groups & {e.group for e in self.program(p).exclusive}]
        return sorted({item, *live})

    def amounts(self, item: str) -> pd.DataFrame:
        """一事项的结论和钱: every firm with verdict, amounts and what is payable after 就高 and budget, in yuan.

        >>> list(view.amounts("bs-2025-06/rd-intensity").columns)
        ['统一社会信用代码', '企业名称', 'verdict', 'low', 'high', 'paid_low', 'paid_high']
        """
        found, paid = self.found(item), self.payable(item)
        codes = self._firms[CODE][found.rows]
        frame = pd.DataFrame(
            {
                CODE: codes,
                NAME: self._firms[NAME][found.rows],
                "verdict": np.array(["符合", "待核实", "不符合"], object)[found.verdict],
                "low": found.low,
                "high": found.high,
            }
        )
        low, high = found.low.copy(), found.high.copy()
        at = {code: i for i, code in enumerate(codes)}
        for code, one in paid.items():
            low[at[code]] = np.nan if one.low is None else one.low
            high[at[code]] = np.nan if one.high is None else one.high
        fits = found.verdict == FITS
        frame["paid_low"] = np.where(fits, low, np.nan)
        frame["paid_high"] = np.where(fits, high, np.nan)
        return frame

    def hits(self, item: str) -> pd.DataFrame:
        """一事项的名单: `amounts` with the numbered conditions that fail and that are unknown.

        >>> view.hits("bs-2025-06/rd-intensity").columns[-2:].tolist()
        ['fails', 'unknown']
        """
        found, frame = self.found(item), self.amounts(item)
        frame["fails"] = _named(found.ids, found.fails)
        frame["unknown"] = _named(found.ids, found.unknown)
        return frame

    def funnel(self, item: str) -> pd.DataFrame:
        """漏斗: condition by condition in the rule's order, firms dropped there and remaining.

        >>> list(view.funnel("bs-2025-06/rd-intensity").columns)
        ['条件', '原文', '依据', '挡下', '待核实', '剩下']
        """
        found = self.found(item)
        alive = np.ones(len(found), bool)
        rows = []
        for j, numbered in enumerate(self.program(item).conditions):
            dropped = int((alive & found.fails[:, j]).sum())
            alive &= ~found.fails[:, j]
            rows.append(
                {"条件": numbered.id, "原文": numbered.condition.quote, "依据": numbered.condition.cite,
                 "挡下": dropped, "待核实": int((alive & found.unknown[:, j]).sum()), "剩下": int(alive.sum())}
            )  # fmt: skip
        return pd.DataFrame(rows)

    def explain(self, code: str, item: str) -> Match:
        """依据 of one pair; the firm by its code, or by a name that it alone bears. Raises ValueError for one that was not
        there that night.

        >>> str(view.explain(view.columns.codes[0], "bs-2025-06/rd-intensity").verdict) in ("符合", "待核实", "不符合")
        True
        """
        row = self.night.row(code)
        if row is None:
            row = self.night.row(firm_of(self.columns, code))
        assert row is not None  # it has a code of the night
        one = self.columns.take(np.array([row]))
        return explain(self.bound(item), one, self.night.as_of, self.night.answers())

    def with_rule(
        self, item: str, text: str | None = None, *, conditions: Mapping[str, str] | None = None,
        budget: float | None = None,
    ) -> View:  # fmt: skip
        """换规则试算: the same night with one item changed: a whole rule file's `text`, or expressions by condition
        id, or the live batch's budget in yuan. Raises ValueError with every fault of the change.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> list(lower.changed)
        ['bs-2025-06/rd-intensity']
        """
        program = changed(self.library, self.program(item), self.night.as_of, text, conditions or {}, budget)
        return self._over({item: program})

    def with_document(self, folder: Path | str) -> View:
        """换文件试算: a whole document's folder as in a library, its drafts counted as 有效; what it `replaces` goes.

        Items of the document that stood before and stand no more go too. Raises ValueError with every fault.

        >>> from pathlib import Path; import policies
        >>> folder = Path(policies.__file__).with_name("library") / "bs-2025-06"
        >>> sorted(view.with_document(folder).changed)[0]
        'bs-2025-06/basic-research'
        """
        read, programs = drafted(self.library, Path(folder))
        ends = {read.document.id, *read.document.replaces}
        before = {p.item.id for p in self.library.programs if p.document.id in ends}
        return self._over(programs, frozenset(before - set(programs)))

    def _over(self, programs: Mapping[str, Program], gone: frozenset[str] = frozenset()) -> View:
        """This view with programs laid over it; what does not depend on them is kept."""
        keep = {k: v for k, v in self._found.items() if k not in programs}
        view = View(self.night, {**self.changed, **programs}, (self.gone | gone) - set(programs), keep)
        view.__dict__["_firms"] = self._firms  # of the same night
        return view

    def words(self) -> str:
        """一句话: how many firms, items and pairs, and what was changed.

        >>> view.words()[:7]
        '第 1 次比对'
        """
        counts = self.night.counts
        changed = "、".join(sorted({*self.changed, *self.gone})) or "无"
        return (
            f"第 {self.night.no} 次比对，{self.night.as_of}：企业 {counts['firms']:,} 家，事项 {counts['items']} 个，"
            f"符合 {counts['fits']:,} 对，待核实 {counts['open']:,} 对。改动的事项：{changed}"
        )

    __repr__ = words

    def _repr_html_(self) -> str:
        return f"<p>{self.words()}</p>"


def _named(ids: tuple[str, ...], mask: np.ndarray) -> list[list[str]]:
    return [[ids[j] for j in np.flatnonzero(row)] for row in mask]


def open_night(where: Path | str | Engine | None = None, no: int | None = None) -> View:
    """打开一夜: of a data folder (None: HUIQI_HOME or var/) or a database engine; the latest, or number `no`.

    Raises ValueError where there is none yet.

    >>> open_night(home).night.no
    1
    """
    home = Path(where) if isinstance(where, Path | str) else home_folder()
    url = database_url({**os.environ, "HUIQI_HOME": str(home)})
    engine = where if isinstance(where, Engine) else open_database(url)
    require_tables(engine)
    night = latest_night(engine, home) if no is None else get_night(engine, no, home)
    if night is None:
        last = latest_night(engine, home)
        if last is not None:
            raise ValueError(f"没有第 {no} 次比对；最近的是第 {last.no} 次")
        raise ValueError(f"{home} 里还没有比对过，请先运行 huiqi demo 或 huiqi nightly")
    return View(night)
