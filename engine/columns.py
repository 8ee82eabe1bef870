"""数据列: enterprises as columns, one row an enterprise, missing facts kept missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from math import isfinite
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.indicators import Dictionary, Indicator
from engine.tokens import nearest_indicator

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Key = tuple[str, int | None]
SUBJECT_LISTS = ("项目", "产品", "人才")
ROW_ID = "项目编号"
K = TypeVar("K")
V = TypeVar("V")
EPOCH = date(1970, 1, 1).toordinal()
NUMBERS = (kinds.MONEY, kinds.RATIO, kinds.COUNT, kinds.DATE, kinds.SPAN, kinds.BOOL)


FEW = 64  # texts there are for each row that is taken, above which the rest is left behind


@dataclass(frozen=True)
class Categories:
    """分类列: codes into a list of texts, -1 where missing. Shape (n,)."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    def take(self, rows: Rows) -> Categories:
        """取行."""
        return self.renumbered(self.codes[rows])

    def renumbered(self, codes: NDArray[np.int32]) -> Categories:
        """换码: other codes of these texts. Few rows of many texts keep only their own: a test of texts looks at every one
        that is there."""
        if len(codes) * FEW >= len(self.names):
            return Categories(codes, self.names)
        used = np.unique(codes[codes >= 0])
        places = np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32)
        return Categories(places, tuple(self.names[i] for i in used))


@dataclass(frozen=True)
class Lists:
    """列表列: row i's members are codes[offsets[i]:offsets[i + 1]]; `missing` marks rows without a list."""

    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    missing: NDArray[np.bool_]
    names: tuple[str, ...]

    def between(self, start: int, stop: int) -> Lists:
        """一段: views of the rows start..stop."""
        first, last = self.offsets[start], self.offsets[stop]
        offsets = self.offsets[start : stop + 1] - first
        return Lists(self.codes[first:last], offsets, self.missing[start:stop], self.names)

    def take(self, rows: Rows) -> Lists:
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        index = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Lists(self.codes[index], offsets, self.missing[rows], self.names)


@dataclass(frozen=True)
class SubRows:
    """明细行: the rows of the enterprises' lists of one name (项目…): owner row numbers ascending, ids, own facts."""

    owner: Rows
    ids: tuple[str, ...]
    columns: Columns
    missing: NDArray[np.bool_]

    def take(self, rows: Rows, n: int) -> SubRows:
        """取行: the detail rows of some of n enterprises, renumbered."""
        place = np.full(n, -1, np.intp)
        place[rows] = np.arange(len(rows))
        kept = np.flatnonzero(place[self.owner] >= 0)
        kept = kept[np.argsort(place[self.owner[kept]], kind="stable")]
        ids = tuple(self.ids[i] for i in kept)
        return SubRows(place[self.owner[kept]], ids, self.columns.take(kept), self.missing[rows])

    def between(self, start: int, stop: int) -> SubRows:
        """一段: the rows of the enterprises start..stop."""
        first, last = np.searchsorted(self.owner, [start, stop])
        owner = self.owner[first:last] - start
        return SubRows(
            owner, self.ids[first:last], self.columns.between(first, last), self.missing[start:stop]
        )


class Deferred(MutableMapping[K, V]):
    """迟读: a mapping whose values are worked out when first asked for, and kept; what they are of has to stay as it is."""

    def __init__(self, loads: Mapping[K, Callable[[], V]]):
        self._loads = dict(loads)
        self._found: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        if key not in self._found:
            self._found[key] = self._loads[key]()  # two threads may both work it out: they find the same
        return self._found[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._loads[key] = lambda: value
        self._found[key] = value

    def __delitem__(self, key: K) -> None:
        del self._loads[key]
        self._found.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._loads

    def __iter__(self) -> Iterator[K]:
        return iter(self._loads)

    def __len__(self) -> int:
        return len(self._loads)

    def each(self, change: Callable[[V], V]) -> Deferred[K, V]:
        """改每一个: the same keys, each value changed when first asked for."""
        return Deferred({key: lambda key=key: change(self[key]) for key in self._loads})  # type: ignore[misc]


def _each(values: MutableMapping[K, V], change: Callable[[V], V]) -> MutableMapping[K, V]:
    if isinstance(values, Deferred):
        return values.each(change)
    return {key: change(value) for key, value in values.items()}


@dataclass
class Columns:
    """数据列: n enterprises; numbers in yuan, fractions, counts, days since 1970-01-01 and 0/1, NaN where missing.

    `loaded` names the indicators whose register has been received (None: all): only for these does `absent_means`
    speak.
    """

    codes: Sequence[str]
    dictionary: Dictionary
    numbers: MutableMapping[Key, Floats] = field(default_factory=dict)
    categories: MutableMapping[Key, Categories] = field(default_factory=dict)
    lists: MutableMapping[Key, Lists] = field(default_factory=dict)
    rows: MutableMapping[str, SubRows] = field(default_factory=dict)
    loaded: frozenset[str] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def speaks(self, name: str) -> str:
        """缺失即: what a missing value of the indicator means, "" where it means nothing."""
        spec = self.dictionary.get(name)
        if spec is None or not spec.absent_means:
            return ""
        return spec.absent_means if self.loaded is None or name in self.loaded else ""

    def stored(self, name: str, year: int | None) -> Floats:
        """数值列: shape (n,), NaN where missing, as received."""
        column = self.numbers.get((name, year))
        return column if column is not None else self._missing

    @cached_property
    def _missing(self) -> Floats:
        """A column of which nothing is known; nobody may write into it."""
        nothing = np.full(len(self), np.nan)
        nothing.flags.writeable = False
        return nothing

    def number(self, name: str, year: int | None) -> Floats:
        """数值列: shape (n,), NaN where missing, after `absent_means` (0 and 否)."""
        column = self.stored(name, year)
        fill = {"0": 0.0, "否": 0.0}.get(self.speaks(name))
        return column if fill is None else np.where(np.isnan(column), fill, column)

    def category(self, name: str, year: int | None) -> Categories:
        """分类列."""
        found = self.categories.get((name, year))
        return found if found is not None else self._unsaid

    @cached_property
    def _unsaid(self) -> Categories:
        """A text column of which nothing is known; nobody may write into it."""
        codes = np.full(len(self), -1, np.int32)
        codes.flags.writeable = False
        return Categories(codes, ())

    def listing(self, name: str, year: int | None) -> Lists:
        """列表列."""
        found = self.lists.get((name, year))
        if found is not None:
            return found
        n = len(self)
        return Lists(np.zeros(0, np.int32), np.zeros(n + 1, np.int64), np.ones(n, bool), ())

    def between(self, start: int, stop: int) -> Columns:
        """一段: views of the enterprises start..stop with their detail rows."""
        return Columns(
            self.codes[start:stop],
            self.dictionary,
            _each(self.numbers, lambda v: v[start:stop]),
            _each(self.categories, lambda v: Categories(v.codes[start:stop], v.names)),
            _each(self.lists, lambda v: v.between(start, stop)),
            _each(self.rows, lambda v: v.between(start, stop)),
            self.loaded,
        )

    def take(self, rows: Rows) -> Columns:
        """取行: the same columns for some (distinct) rows, with their detail rows."""
        taken = getattr(self.codes, "take", None)  # codes that are no Python texts yet
        return Columns(
            taken(rows) if taken is not None else [self.codes[i] for i in rows],
            self.dictionary,
            _each(self.numbers, lambda v: v[rows]),
            _each(self.categories, lambda v: v.take(rows)),
            _each(self.lists, lambda v: v.take(rows)),
            _each(self.rows, lambda v: v.take(rows, len(self))),
            self.loaded,
        )


class Selected(Columns):
    """选取: a view of some rows that takes a column only when it is asked for."""

    def __init__(self, base: Columns, rows: Rows):
        super().__init__(_Codes(base.codes, rows), base.dictionary, loaded=base.loaded)
        self._base, self._rows = base, rows

    def stored(self, name: str, year: int | None) -> Floats:
        return self._base.stored(name, year)[self._rows]

    def category(self, name: str, year: int | None) -> Categories:
        return self._base.category(name, year).take(self._rows)

    def listing(self, name: str, year: int | None) -> Lists:
        return self._base.listing(name, year).take(self._rows)


class Detail(Columns):
    """明细: detail rows whose own facts shadow their enterprise's; rows without a list stand for the enterprise."""

    def __init__(self, base: Columns, rows: SubRows | None, alone: Rows):
        n_own = len(rows.owner) if rows is not None else 0
        owner = np.concatenate([rows.owner if rows is not None else np.zeros(0, np.intp), alone]).astype(
            np.intp
        )
        super().__init__(_Codes(base.codes, owner), base.dictionary, loaded=base.loaded)
        self.owner = owner
        self.ids: tuple[str | None, ...] = (*(rows.ids if rows is not None else ()), *([None] * len(alone)))
        self._base, self._own, self._n_own = base, rows.columns if rows is not None else None, n_own

    def _shadow(self, name: str) -> NDArray[np.bool_]:
        """Which rows state the indicator themselves, in any year."""
        shadow = np.zeros(len(self.owner), bool)
        if self._own is None:
            return shadow
        own = shadow[: self._n_own]
        for key, column in self._own.numbers.items():
            if key[0] == name:
                own |= ~np.isnan(column)
        for key, cats in self._own.categories.items():
            if key[0] == name:
                own |= cats.codes >= 0
        for key, lists in self._own.lists.items():
            if key[0] == name:
                own |= ~lists.missing
        return shadow

    def stored(self, name: str, year: int | None) -> Floats:
        shadow = self._shadow(name)
        out = self._base.stored(name, year)[self.owner]
        if self._own is not None and shadow.any():
            own = self._own.stored(name, year)
            out = np.where(shadow, np.concatenate([own, np.zeros(len(out) - len(own))]), out)
        return out

    def category(self, name: str, year: int | None) -> Categories:
        shadow = self._shadow(name)
        base = self._base.category(name, year).take(self.owner)
        if self._own is None or not shadow.any():
            return base
        own = self._own.category(name, year)
        codes = np.where(own.codes >= 0, own.codes + len(base.names), -1)
        padded = np.concatenate([codes, np.full(len(self) - len(codes), -1)])
        return Categories(np.where(shadow, padded, base.codes).astype(np.int32), (*base.names, *own.names))

    def listing(self, name: str, year: int | None) -> Lists:
        shadow = self._shadow(name)
        base = self._base.listing(name, year).take(self.owner)
        if self._own is None or not shadow.any():
            return base
        own = self._own.listing(name, year)
        members = [
            own.codes[own.offsets[i] : own.offsets[i + 1]] + len(base.names)
            if shadow[i]
            else base.codes[base.offsets[i] : base.offsets[i + 1]]
            for i in range(len(self))
        ]
        missing = base.missing.copy()
        missing[: self._n_own] = np.where(shadow[: self._n_own], own.missing, missing[: self._n_own])
        offsets = np.concatenate([[0], np.cumsum([len(m) for m in members])]).astype(np.int64)
        flat = np.concatenate(members) if members else np.zeros(0, np.int32)
        return Lists(flat.astype(np.int32), offsets, missing, (*base.names, *own.names))


class _Codes(Sequence[str]):
    """Codes of selected rows, looked up when asked for."""

    def __init__(self, base: Sequence[str], rows: Rows):
        self._base, self._rows = base, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: Any) -> Any:
        return self._base[self._rows[i]]


# ---------------------------------------------------------------- from records

Complain = Callable[[int, str, str], None]


class Builder:
    """造列: columns from records (mappings of Chinese indicator names), a bad value is reported and left unknown.

    `complain(row, column, message)` receives every problem; row counts from 0.
    """

    def __init__(self, dictionary: Dictionary, complain: Complain, parse: Callable[[str, Indicator], float]):
        self.dictionary = dictionary
        self.complain = complain
        self.parse = parse
        self.unknown: set[str] = set()

    def build(
        self,
        codes: Sequence[str],
        records: Sequence[Mapping[str, object]],
        loaded: frozenset[str] | None = None,
    ) -> Columns:
        """造列: one row a record; detail lists become SubRows."""
        cells: dict[Key, dict[int, object]] = {}
        details: dict[str, dict[int, list[Mapping[str, object]]]] = {}
        for row, record in enumerate(records):
            for name, value in record.items():
                if value is None or value == "":
                    continue
                if name in SUBJECT_LISTS:
                    self._detail(details, row, name, value)
                else:
                    self._cell(cells, row, name, value)
        columns = Columns(list(codes), self.dictionary, loaded=loaded)
        for key, found in cells.items():
            _store(columns, key, found, self.dictionary[key[0]].kind)
        for subject, lists in details.items():
            columns.rows[subject] = self._sub(lists, len(columns), loaded)
        return columns

    def _detail(self, details: dict, row: int, name: str, value: object) -> None:
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self.complain(row, name, f"“{name}”应当是列表，每项是一组“指标: 值”")
            return
        details.setdefault(name, {})[row] = list(value)

    def _sub(
        self, lists: dict[int, list[Mapping[str, object]]], n: int, loaded: frozenset[str] | None
    ) -> SubRows:
        owners, records = [], []
        for row in sorted(lists):
            for record in lists[row]:
                owners.append(row)
                records.append(record)
        missing = np.ones(n, bool)
        missing[list(lists)] = False
        inner = Builder(self.dictionary, lambda r, c, m: self.complain(owners[r], c, m), self.parse)
        inner.unknown = self.unknown
        columns = inner.build([""] * len(records), records, loaded)
        ids = tuple(str(r.get(ROW_ID) or "") for r in records)
        return SubRows(np.array(owners, dtype=np.intp), ids, columns, missing)

    def _cell(self, cells: dict[Key, dict[int, object]], row: int, name: str, value: object) -> None:
        spec = self.dictionary.get(name)
        if spec is None:
            if name not in self.unknown:
                self.unknown.add(name)
                hint = f'按年的写成 {{"{name.partition("@")[0]}": {{"2024": 值}}}}' if "@" in name else ""
                meant = hint or nearest_indicator(name, self.dictionary)
                self.complain(row, name, f"没有“{name}”这个指标，这一列没有读入。{meant}")
            return
        if not spec.yearly:
            if isinstance(value, Mapping):
                self.complain(row, name, f"“{name}”不是按年的指标，请直接写值")
                return
            self._put(cells, row, (name, None), value, spec)
            return
        if not isinstance(value, Mapping):
            self.complain(row, name, f'“{name}”是按年的指标，请写成 {{"2024": 值}}')
            return
        for year, part in value.items():
            if not (str(year).isdecimal() and len(str(year)) == 4):
                self.complain(row, name, f"“{name}”的年度“{year}”应当是四位年份")
            elif part is not None and part != "":
                self._put(cells, row, (name, int(year)), part, spec)

    def _put(
        self, cells: dict[Key, dict[int, object]], row: int, key: Key, value: object, spec: Indicator
    ) -> None:
        try:
            cells.setdefault(key, {})[row] = to_value(value, spec, self.parse)
        except ValueError as error:
            self.complain(row, key[0] if key[1] is None else f"{key[0]}@{key[1]}", str(error))


def to_value(value: object, spec: Indicator, parse: Callable[[str, Indicator], float]) -> object:
    """取值: a record's value in the column's own terms. Raises ValueError with a message for people."""
    kind = spec.kind
    if kind in (kinds.TEXT, kinds.CODE):
        if not isinstance(value, str):
            raise ValueError(f"“{spec.name}”应当是文字（代码要加引号），这里是 {value!r}")
        return unicodedata.normalize("NFC", value)
    if kind == kinds.LIST:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"“{spec.name}”应当是文字的列表，这里是 {value!r}")
        return tuple(unicodedata.normalize("NFC", v) for v in value)
    if kind == kinds.BOOL:
        known = {True: 1.0, False: 0.0, "是": 1.0, "否": 0.0, "true": 1.0, "false": 0.0}
        value = value.lower() if isinstance(value, str) else value  # a table written by pandas says True
        if not isinstance(value, bool | str) or value not in known:
            raise ValueError(f"“{spec.name}”应当是 是 或 否，这里是 {value!r}")
        return known[value]
    if kind == kinds.DATE:
        return _days(value, spec)
    if isinstance(value, str):
        return parse(value, spec)
    number = _number(value)
    if number is None:
        raise ValueError(f"“{spec.name}”应当是一个数，这里是 {value!r}")
    return number


def _number(value: object) -> float | None:
    """A finite number as a double; whole ones of JSON have no upper bound, doubles have."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _days(value: object, spec: Indicator) -> float:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            try:
                y, m, d = (int(p) for p in str(value).strip().split("-"))
                value = date(y, m, d)
            except (ValueError, OverflowError):
                raise ValueError(f"“{spec.name}”应当是日期（2024-03-01），这里是 {value!r}") from None
    if not isinstance(value, date):
        raise ValueError(f"“{spec.name}”应当是日期（2024-03-01），这里是 {value!r}")
    return float(value.toordinal() - EPOCH)


def _store(columns: Columns, key: Key, found: dict[int, object], kind: str) -> None:
    n = len(columns)
    index = np.fromiter(found, np.intp, len(found))
    if kind in NUMBERS:
        column = np.full(n, np.nan)
        column[index] = np.fromiter(found.values(), np.float64, len(found))
        columns.numbers[key] = column
    elif kind == kinds.LIST:
        columns.lists[key] = make_lists([found.get(i) for i in range(n)])  # type: ignore[misc]
    else:
        names: dict[str, int] = {}
        codes = np.full(n, -1, np.int32)
        codes[index] = [names.setdefault(v, len(names)) for v in found.values()]  # type: ignore[arg-type]
        columns.categories[key] = Categories(codes, tuple(names))


def make_lists(rows: Sequence[Sequence[str] | None]) -> Lists:
    """列表列: from one sequence of texts a row, None where the list is missing."""
    names: dict[str, int] = {}
    flat = [names.setdefault(v, len(names)) for row in rows if row is not None for v in row]
    lengths = [0 if row is None else len(row) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    missing = np.array([row is None for row in rows], bool)
    return Lists(np.array(flat, np.int32), offsets, missing, tuple(names))
