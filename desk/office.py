"""办公室: what every page needs: database, data folder, clock, the night on show and what is read of it once."""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

import policies
from analysis import looking
from analysis.scores_money import usual_amount, worth
from desk.oidc import Provider
from desk.pace import Failures
from engine.columns import Categories, Columns, Lists, Selected
from engine.explain import value_at
from engine.program import BoundItem
from policies.library import Library
from store import night_reads, review
from store.accounts import Person
from store.database import Engine
from store.night_scores import scored_with
from store.nights import UNRELEASED, Night, get_night, latest_night, list_nights, night_on_show

SHANGHAI = ZoneInfo("Asia/Shanghai")
CODE, NAME = "统一社会信用代码", "企业名称"
T = TypeVar("T")


@dataclass
class _Gate:
    """Before what is being made: whoever has the lock makes it; so many are there, the maker among them."""

    lock: Any = field(default_factory=threading.RLock)
    there: int = 0


class Memory:
    """记住: things that never change once made, by key: what nobody asked for between two nights goes, and beyond `size` the least used.

    A night's frames weigh far more than their number tells, so counting alone would keep weeks of nights.
    """

    def __init__(self, size: int):
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._gates: dict[Hashable, _Gate] = {}
        self._lock = threading.Lock()
        self._night, self._age = 0, 0

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """取, made where it is not kept; those who ask at once wait for the one that makes it."""
        with self._lock:
            if key in self._kept:
                return self._used(key)
            gate = self._gates.setdefault(key, _Gate())
            gate.there += 1
        try:
            with gate.lock:
                with self._lock:
                    if key in self._kept:
                        return self._used(key)
                made = make()
                self.put(key, made)
        finally:
            # The last one takes the gate away: were it gone after a failure, who comes then would not wait with the others.
            with self._lock:
                gate.there -= 1
                if not gate.there:
                    del self._gates[key]
        return made

    def _used(self, key: Hashable) -> Any:
        made, _ = self._kept.pop(key)
        self._kept[key] = (made, self._age)
        return made

    def put(self, key: Hashable, made: object) -> None:
        """放进去, in place of what was kept there."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (made, self._age)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def turn(self, night: int) -> bool:
        """换夜: another night is on show; what was not asked for since the last time goes. Whether it is another."""
        with self._lock:
            if night == self._night:
                return False
            self._night = night
            self._kept = OrderedDict((k, v) for k, v in self._kept.items() if v[1] == self._age)
            self._age += 1
            return True

    def __len__(self) -> int:
        return len(self._kept)


@dataclass
class Office:
    """办公室: engine, home and clock of the running desk."""

    engine: Engine
    home: Path
    clock: Callable[[], datetime]
    zone: str = "滨海示范保税区"
    library_root: Path = field(default_factory=lambda: Path(policies.__file__).with_name("library"))
    memory: Memory = field(default_factory=lambda: Memory(600))
    sign_on: Provider | None = None
    firm_sign_on: Provider | None = None
    failures: Failures = field(default_factory=Failures)
    showing: bool = False
    shown: int = 0
    read: int | None = (
        None  # number of the last night read through (0: none yet), in a desk that reads nights before it shows them
    )
    wall: Callable[[], datetime] | None = None

    def now(self) -> datetime:
        """此刻, aware, UTC."""
        return self.clock()

    def real_now(self) -> datetime:
        """真的此刻: what a clock on the wall shows, whatever day a demo lives on."""
        return (self.wall or self.clock)()

    def today(self) -> date:
        """今天 at Asia/Shanghai."""
        return self.clock().astimezone(SHANGHAI).date()

    # -- nights
    def night(self, no: int | None = None) -> Night | None:
        """比对: the one asked for, or that of the latest day among those the guard has let through.

        A desk that reads ahead goes on with the last one until the new one is read: its first visitors, who come all at once
        in the morning, would each wait for all of it.
        """
        if no is not None:
            return get_night(self.engine, no, self.home)
        shown = self.newest_released()
        if shown is not None and self.read and shown.no != self.read:
            last = get_night(self.engine, self.read, self.home)
            shown = last if last is not None and last.state not in UNRELEASED else shown
        if shown is not None:
            if self.memory.turn(shown.no):
                night_reads.forget(all_=False)
            self.shown = shown.no
        return shown

    def newest_released(self) -> Night | None:
        """要给人看的一夜, read already or not."""
        return night_on_show(self.engine, self.home, self.today())

    def reading(self) -> int | None:
        """正在读的一夜: the number of one that is released and not read through yet, in a desk that reads ahead."""
        wanted = self.newest_released() if self.read is not None else None
        return wanted.no if wanted is not None and wanted.no != self.read else None

    def newest(self) -> Night | None:
        """最近一次比对, held back or not."""
        return latest_night(self.engine, self.home)

    def nights(self) -> list[Night]:
        return list_nights(self.engine, self.home)

    def items(self, night: Night, person: Person | None = None) -> pd.DataFrame:
        """一夜的事项 in figures, those the person may see."""
        frame = self.memory.get(("items", night.no), night.items)
        if person is None or not person.department:
            return frame
        return frame[frame["department"] == person.department]

    def library(self, night: Night) -> Library:
        return night.library()

    def bound(self, night: Night, item: str) -> BoundItem | None:
        return self.memory.get(("bound", night.no, item), lambda: night.bound(item))

    def hits(self, night: Night, item: str) -> pd.DataFrame:
        """名单 of an item, with what the filters need; never changes."""
        key = ("hits", night.no, item, scored_with(night.folder))
        return self.memory.get(key, lambda: self._enriched(night, item))

    def _enriched(self, night: Night, item: str) -> pd.DataFrame:
        frame, bound = night.hits(item), self.bound(night, item)
        if not len(frame) or bound is None:
            return pd.DataFrame()
        ids = bound.ids
        asks = np.array(
            [any(leaf.kind == "ask" for leaf in c.condition.leaves()) for c in bound.program.conditions]
        )
        unknown = membership(frame["unknown"], ids)
        frame = frame.copy()
        frame["open_count"] = unknown.sum(axis=1)
        frame["only_ask"] = unknown.any(axis=1) & ~(unknown & ~asks).any(axis=1)
        frame["missing"] = (unknown & ~asks).any(axis=1)
        frame["high_known"] = frame["paid_high"].notna()
        low, high = (frame[name].to_numpy(dtype=float) for name in ("paid_low", "paid_high"))
        money = worth(low, high, usual_amount(low, high))
        chance = frame["score"].where(frame["score"].notna(), np.where(frame["verdict"] == "符合", 1.0, 0.5))
        frame["expected"] = money * chance
        industry = night.columns().category("行业代码", None)
        names = np.array([*industry.names, ""], dtype=object)
        rows = self.rows(night, frame[CODE])
        frame["industry"] = names[industry.codes[rows]]
        frame["code_rank"], frame["name_rank"] = (ranks[rows] for ranks in self._ranks(night))
        near = np.zeros(len(frame)) if frame["score"].notna().any() else self._scopes(night).near(item, rows)
        frame["first"] = looking.ranks(
            (frame["verdict"] != "符合").to_numpy(bool), frame["open_count"].to_numpy(np.int64), money, near,
            frame["code_rank"].to_numpy(np.int64),
        )  # fmt: skip
        return frame

    def _scopes(self, night: Night) -> looking.Scopes:
        """经营范围, clause by clause, for lists without a learned estimate."""
        key = ("scopes", night.run.profiles_hash, night.run.library_hash)
        return self.memory.get(key, lambda: looking.Scopes(night.columns(), night.library().programs))

    def _ranks(self, night: Night) -> tuple[np.ndarray, np.ndarray]:
        """企业按代码、按名称排第几 (NaN: no name), so that a list is sorted by numbers."""

        def make() -> tuple[np.ndarray, np.ndarray]:
            names = self.names(night)
            by_code = np.unique(np.asarray(night.columns().codes, dtype=str), return_inverse=True)[1]
            by_name = np.unique(names.astype(str), return_inverse=True)[1].astype(float)
            return by_code, np.where(names == "", np.nan, by_name)

        return self.memory.get(("ranks", night.run.profiles_hash), make)

    def row_numbers(self, night: Night) -> dict[str, int]:
        return self.memory.get(
            ("rows", night.run.profiles_hash), lambda: {c: i for i, c in enumerate(night.columns().codes)}
        )

    def rows(self, night: Night, codes: Iterable[str]) -> np.ndarray:
        numbers = self.row_numbers(night)
        return np.array([numbers[c] for c in codes], dtype=np.intp)

    def code_rank(self, night: Night, code: str) -> int:
        """企业按代码排第几, -1 for one without a file."""
        row = self.row_numbers(night).get(code)
        return -1 if row is None else int(self._ranks(night)[0][row])

    def one(self, night: Night, code: str) -> Columns | None:
        """一家企业的数据列: one row whose texts are only its own, so that a rule looks at no other firm's."""
        row = self.row_numbers(night).get(code)
        return None if row is None else compact(night.columns().take(np.array([row])))

    def warm(self, night: Night | None = None) -> None:
        """预热: read a night once (the one on show where none is given), so that the first visitor of the day does not wait for it."""
        from desk.exports import warm_paper
        from desk.moves import moves
        from desk.pages.fulfil import warm_quarter
        from desk.pages.match import score_model
        from desk.pages.today import reasons, worth_asking
        from desk.ready import all_items, gaps

        night = night or self.night()
        if night is None:
            return
        self.row_numbers(night)
        self.names(night)
        for item in self.items(night)["item"]:
            self.hits(night, item)
            self.funnel(night, item)
            reasons(self, night, item)
        worth_asking(self, night, None)
        all_items(self, night)
        gaps(self, night)
        moves(self, night)
        warm_quarter(self)
        warm_paper()
        score_model(self, night)
        settle()

    def names(self, night: Night) -> np.ndarray:
        """企业名称 in the order of the columns, "" where unknown."""

        def make() -> np.ndarray:
            found = night.columns().category(NAME, None)
            return np.array([*found.names, ""], dtype=object)[found.codes]

        return self.memory.get(("names", night.run.profiles_hash), make)

    def name(self, night: Night, code: str) -> str:
        row = self.row_numbers(night).get(code)
        return str(self.names(night)[row]) if row is not None else ""

    def funnel(self, night: Night, item: str) -> pd.DataFrame:
        return self.memory.get(("funnel", night.no, item), lambda: night.funnel(item))

    # -- decisions
    def facts(self, night: Night, item: str, codes: Sequence[str]) -> dict[str, str]:
        """所依据的数据的指纹 by enterprise: the verdict's parts and every value the item reads."""
        bound = self.bound(night, item)
        numbers = self.row_numbers(night)
        here = [c for c in codes if c in numbers]
        if bound is None or not here:
            return {}
        rows = np.array([numbers[c] for c in here], dtype=np.intp)
        part = Selected(night.columns(), rows)
        hits = self.hits(night, item)
        found = hits[hits[CODE].isin(here)].set_index(CODE) if len(hits) else hits
        out = {}
        for i, code in enumerate(here):
            values = [(name, year, value_at(part, i, name, year)) for name, year in bound.facts]
            verdict = list(_parts(found, code))
            text = json.dumps([verdict, values], ensure_ascii=False, default=str)
            out[code] = hashlib.sha256(text.encode()).hexdigest()
        return out

    def states(self, night: Night, item: str, batch: str) -> dict[str, review.State]:
        """处理状态 of one item's list, by enterprise."""
        made = review.history(self.engine, item=item, batch=batch)
        facts = self.facts(night, item, sorted({d.code for d in made}))
        keyed = {(item, batch, code): digest for code, digest in facts.items()}
        return {key[2]: state for key, state in review.states(made, keyed, self.today()).items()}

    def pair(self, night: Night, item: str, code: str, last_seen: int) -> review.Pair | None:
        """名单上的一条, as it is on the night; None where the item was not matched."""
        bound = self.bound(night, item)
        if bound is None or code not in self.row_numbers(night):
            return None
        hits = self.hits(night, item)
        row = hits[hits[CODE] == code] if len(hits) else hits
        facts = self.facts(night, item, [code])[code]
        money = bound.program.item.benefit is not None
        if not len(row):
            return review.Pair(
                item, bound.batch.name, code, "不符合", None, None, facts, night.no, last_seen, money
            )
        one = row.iloc[0]
        return review.Pair(
            item, bound.batch.name, code, str(one["verdict"]), number(one["paid_low"]), number(one["paid_high"]),
            facts, night.no, last_seen, money,
        )  # fmt: skip


def settle() -> None:
    """安顿: what a night was read into is left out of the collector's rounds, which else stop some visit for a third of a second.

    What was left out before is looked at once more first, so that the cycles of the night before go.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _parts(found: pd.DataFrame, code: str) -> Iterable[object]:
    if not len(found) or code not in found.index:
        return ("不符合",)
    row = found.loc[code]
    return (
        row["verdict"], number(row["amount_low"]), number(row["amount_high"]), list(row["fails"]), list(row["unknown"]),
    )  # fmt: skip


def compact(one: Columns) -> Columns:
    """收紧: a single row's texts and lists without the other firms' words."""
    for key, found in one.categories.items():
        at = int(found.codes[0])
        words = (found.names[at],) if at >= 0 else ()
        one.categories[key] = Categories(np.array([0 if words else -1], np.int32), words)
    for key, many in one.lists.items():
        own = tuple(dict.fromkeys(many.names[c] for c in many.codes))
        place = {name: i for i, name in enumerate(own)}
        codes = np.array([place[many.names[c]] for c in many.codes], np.int32)
        one.lists[key] = Lists(codes, many.offsets, many.missing, own)
    return one


def membership(lists: pd.Series, ids: Sequence[str]) -> np.ndarray:
    """哪些编号在内: shape (rows, ids)."""
    place = {name: i for i, name in enumerate(ids)}
    out = np.zeros((len(lists), len(ids)), bool)
    for row, found in enumerate(lists):
        for name in found:
            if name in place:
                out[row, place[name]] = True
    return out


def number(value: object) -> float | None:
    """数或未知: None for NaN."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return float(value)  # type: ignore[arg-type]
