"""入库解析: rows of a source to contents of firms: what lands, what is refused and why.

A content is what one row says about one firm (or one member of its list), as canonical JSON with flat keys:
`研发费用@2024` for a yearly one; `!注册资本` holds the text of a cell that was understood but can't be used.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from engine import kinds
from engine.errors import Problem
from engine.indicators import Dictionary, Indicator, read_indicators
from engine.tokens import nearest_indicator
from profiles.codes import tidy_codes, valid_codes
from profiles.dictionary import builtin_dictionary
from profiles.patterns import Pattern
from profiles.patterns import pattern as compiled
from profiles.reading import Chunk
from profiles.source import Column, Source, SourceError
from profiles.values import SUSPECT, Refused, Value, is_mojibake, parse_date, parse_text, parser, unit_fault

YEAR_MARK = "{年}"
JOINT = "\t"
CACHE_MOST = 100_000
CACHE_MISSES = 10_000
UNUSABLE = "!"


@dataclass(frozen=True)
class Trouble:
    """问题: one finding about a row: line (of the file), column ("" for the whole row), code and words."""

    line: int
    column: str
    code: str
    message: str

    def as_dict(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column, "code": self.code, "message": self.message}


@dataclass
class Row:
    """待认领的行: a sound row whose firm is not certain; waits for a person."""

    line: int
    code: str
    name: str
    number: str
    organisation: str
    key: str
    day: str | None
    content: str
    refs: tuple[tuple[str, str], ...] = ()


@dataclass
class Parsed:
    """解析结果 of one chunk: parallel lists of the rows with a valid code, rows without one, and troubles."""

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    days: list[str | None] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    digests: list[int] = field(default_factory=list)
    refs: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    unsure: list[Row] = field(default_factory=list)
    rejected: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """收一行: one whose firm is certain."""
        self.lines.append(row.line)
        self.codes.append(row.code)
        self.names.append(row.name)
        self.keys.append(row.key)
        self.days.append(row.day)
        self.contents.append(row.content)
        self.digests.append(digest(row.code, row.key, row.content))
        self.refs.append(row.refs)


def load_dictionary(*more: Path) -> Dictionary:
    """指标字典: the built-in one with the entries of further files in front. Raises SourceError on a fault."""
    found = builtin_dictionary()
    for path in more:
        problems: list[Problem] = []
        entries = read_indicators(path.read_text("utf-8"), path.name, problems.append)
        if problems:
            raise SourceError(problems[0].render())
        found = found.with_entries(entries)
    return found


@dataclass(frozen=True)
class _Cells:
    """One column of the file read as one indicator."""

    index: int
    joined: tuple[int, ...]
    header: str
    flat: str
    column: Column
    parse: Callable[[str], Value]
    yearly: bool
    text: bool
    plain: bool
    patterns: tuple[tuple[Pattern, str], ...]
    cache: dict[str, str | Refused | None] = field(default_factory=dict)
    seen: list[int] = field(default_factory=lambda: [0, 0])

    def forget(self, asked: int, missed: int) -> None:
        """Keeps the cache small, and does without one where most cells differ (names, addresses)."""
        self.seen[0] += asked
        self.seen[1] += missed
        if len(self.cache) > CACHE_MOST or (self.seen[1] > CACHE_MISSES and self.seen[1] * 2 > self.seen[0]):
            self.cache.clear()


class Plan:
    """解析方案: a source's declaration bound to a file's header and the dictionary.

    Raises SourceError for an indicator that is not in the dictionary; columns the file lacks are in `lacking`.
    """

    def __init__(self, source: Source, header: Sequence[str], dictionary: Dictionary, day: str | None = None):
        self.source = source
        self.header = _as_declared(header, source)
        self._place = {name: i for i, name in enumerate(self.header)}
        self.lacking = [name for name in _needed(source) if not _present(name, self._place)]
        self.extra = [name for name in self.header if not _declared(name, source)]
        self._cells = [] if self.lacking else list(self._bind(dictionary))
        self._fixed = day or _fixed_day(source)
        self._made_of = (source, self.header, dictionary, day)

    def __reduce__(self) -> tuple[type[Plan], tuple[Any, ...]]:
        """Parsers are closures: another process binds its own."""
        return Plan, self._made_of

    def parse(self, chunk: Chunk) -> Parsed:
        """解析一批: every row is in exactly one of codes, unsure and rejected."""
        out = Parsed(rows=len(chunk), rejected=len(chunk.bad))
        out.troubles += [Trouble(line, "", code, message) for line, code, message in chunk.bad]
        if not chunk.rows:
            return out
        columns = list(zip(*chunk.rows, strict=True))
        refused: dict[int, Trouble] = {}
        self._find_mojibake(columns, chunk.lines, refused)
        parts = [self._column(cells, columns, chunk.lines, refused, out.troubles) for cells in self._cells]
        for name, column in self.source.checked():
            self._check(name, column, columns, chunk.lines, refused)
        rows: Iterable[tuple[str, ...]] = zip(*parts, strict=True) if parts else [()] * len(chunk.rows)
        contents = ["{" + ",".join(filter(None, row)) + "}" for row in rows]
        self._sort_out(columns, chunk.lines, contents, refused, out)
        return out

    def _sort_out(
        self,
        columns: list[tuple[str, ...]],
        lines: list[int],
        contents: list[str],
        refused: dict[int, Trouble],
        out: Parsed,
    ) -> None:
        n, firm, missing = len(lines), self.source.firm, self.source.missing_marks
        codes = [
            text if text not in missing else "" for text in tidy_codes(self._text(columns, firm.code, n))
        ]
        names = _plain_texts(self._text(columns, firm.name, n))
        numbers = tidy_codes(self._text(columns, firm.old_number, n))
        bodies = tidy_codes(self._text(columns, firm.organisation, n))
        keys, days = self._keys(columns, lines, refused), self._days(columns, lines, refused)
        refs = self._refs(columns, n)
        sound = valid_codes(codes)
        sound[list(refused)] = False
        out.rejected += len(refused)
        out.troubles += [refused[i] for i in sorted(refused)]
        fields = (lines, codes, names, numbers, bodies, keys, days, contents, refs)
        if len(sound) and sound.all():
            out.lines, out.codes, out.names, out.keys, out.days, out.contents, out.refs = (
                lines, codes, names, keys, days, contents, refs,
            )  # fmt: skip
            out.digests = [digest(*row) for row in zip(codes, keys, contents, strict=True)]
            return
        for good, i in zip(sound.tolist(), range(n), strict=True):
            if i not in refused:
                row = Row(*(field[i] for field in fields))  # type: ignore[arg-type]
                if good:
                    out.add(row)
                else:
                    out.unsure.append(row)

    def _bind(self, dictionary: Dictionary) -> list[_Cells]:
        found = []
        for name, column in self.source.mapped():
            spec = dictionary.get(column.indicator)
            if spec is None:
                hint = nearest_indicator(column.indicator, dictionary) or "请先加进指标字典"
                where = self.source.place("columns", name)
                raise SourceError(f"{where}  没有“{column.indicator}”这个指标。{hint}")
            for header, year in _headers(name, self._place):
                found.append(self._cell(header, replace_year(column, year), spec))
        return sorted(found, key=lambda cells: cells.flat)

    def _cell(self, header: str, column: Column, spec: Indicator) -> _Cells:
        dated = spec.yearly and column.year is None
        if dated and self.source.year is None:
            raise SourceError(
                f"{self.source.place('columns', header)}  “{spec.name}”一年一个值：写 year: 2024，"
                "或在来源里写 year: {column: 年度}"
            )
        fault = unit_fault(spec.kind, column)
        if fault:
            raise SourceError(f"{self.source.place('columns', header)}  {fault}")
        return _Cells(
            self._place[header],
            tuple(self._place[name] for name in column.join),
            header,
            spec.name if column.year is None else f"{spec.name}@{column.year}",
            column,
            parser(spec.kind, column, self.source.rates, spec.unit),
            dated,
            spec.kind in (kinds.TEXT, kinds.CODE, kinds.LIST),
            spec.kind in (kinds.TEXT, kinds.CODE)
            and not (dated or column.join or column.pattern or column.values or column.patterns),
            tuple((compiled(text), value) for text, value in column.patterns.items()),
        )

    def _column(
        self,
        cells: _Cells,
        columns: list[tuple[str, ...]],
        lines: list[int],
        refused: dict[int, Trouble],
        troubles: list[Trouble],
    ) -> list[str]:
        """`"名称":值` for every row, "" where there is nothing; faults into `refused` or `troubles`."""
        texts: Sequence[str] = columns[cells.index]
        prefix = encode_basestring(cells.flat) + ":"
        if cells.plain:
            missing = self.source.missing_marks
            out = [
                prefix + encode_basestring(text) if text not in missing else ""
                for text in _plain_texts(texts)
            ]
            if cells.column.required:
                self._required(cells, (i for i, found in enumerate(out) if not found), lines, refused)
            return out
        if cells.joined:
            others = (columns[i] for i in cells.joined)
            texts = [JOINT.join(row) for row in zip(texts, *others, strict=True)]
        years = columns[self._place[self.source.year.column]] if cells.yearly and self.source.year else None
        found = self._read_all(cells, texts)
        out = []
        for i, value in enumerate(found):
            if isinstance(value, str):
                if years is None:
                    out.append(prefix + value)
                else:
                    out.append(encode_basestring(f"{cells.flat}@{years[i].strip()[:4]}") + ":" + value)
                continue
            out.append("")
            if isinstance(value, Refused):
                trouble = Trouble(lines[i], cells.header, value.code, value.message)
                if value.recognised and cells.column.unusable == "本格":
                    troubles.append(trouble)
                    out[i] = (
                        encode_basestring(UNUSABLE + cells.flat)
                        + ":"
                        + encode_basestring(texts[i].replace(JOINT, " "))
                    )
                else:
                    refused.setdefault(i, trouble)
        if cells.column.required:
            self._required(cells, (i for i, value in enumerate(found) if value is None), lines, refused)
        return out

    def _check(
        self,
        name: str,
        column: Column,
        columns: list[tuple[str, ...]],
        lines: list[int],
        refused: dict[int, Trouble],
    ) -> None:
        """A column that fills nothing: a cell without the form it should have is the sign of a shifted row."""
        texts = columns[self._place[name]]
        form = compiled(column.pattern)
        missing = self.source.missing_marks
        wrong = {t for t in set(texts) if t.strip() not in missing and not form.fullmatch(t.strip())}
        for i, text in enumerate(texts if wrong else ()):
            if text in wrong:
                said = f"“{text.strip()[:40]}”不像“{name}”，这一行可能错位了"
                refused.setdefault(i, Trouble(lines[i], name, "pattern", said))

    def _read_all(self, cells: _Cells, texts: Sequence[str]) -> list[str | Refused | None]:
        cache, missed = cells.cache, 0
        out: list[str | Refused | None] = []
        for text in texts:
            if text in cache:
                out.append(cache[text])
            else:
                missed += 1
                out.append(self._read(cells, text))
                cache[text] = out[-1]
        cells.forget(len(texts), missed)
        return out

    def _required(
        self, cells: _Cells, empty: Iterable[int], lines: list[int], refused: dict[int, Trouble]
    ) -> None:
        for i in empty:
            refused.setdefault(i, Trouble(lines[i], cells.header, "required", f"“{cells.header}”不能为空"))

    def _read(self, cells: _Cells, text: str) -> str | Refused | None:
        column = cells.column
        tidy = (text.replace(JOINT, " ") if cells.joined else text).strip()
        if tidy in self.source.missing_marks:
            return None
        value: Value
        try:
            if column.pattern and not compiled(column.pattern).fullmatch(tidy):
                raise Refused("pattern", f"“{tidy[:40]}”不像“{cells.header}”，这一行可能错位了")
            if column.values:
                tidy = _translated(tidy, column)
            found = _first_match(tidy, cells) if cells.patterns else None
            if found == "":
                return None  # read, but it tells nothing of this indicator
            if column.lookup:
                value = cells.parse(text) if found is None else found
            else:
                value = cells.parse(tidy if found is None else found)
        except Refused as refused:
            return refused
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return encode_basestring(value)
        if isinstance(value, list):
            return json.dumps(value, ensure_ascii=False)
        return repr(value)

    def _find_mojibake(
        self, columns: list[tuple[str, ...]], lines: list[int], refused: dict[int, Trouble]
    ) -> None:
        watched = {cells.index for cells in self._cells if cells.text}
        watched |= {self._place[name] for name in (self.source.firm.name, self.source.firm.code) if name}
        for index in sorted(watched):
            if not SUSPECT.search("\n".join(columns[index])):
                continue
            for i, text in enumerate(columns[index]):
                if is_mojibake(text) and i not in refused:
                    refused[i] = Trouble(lines[i], self.header[index], "mojibake", f"“{text[:20]}”是乱码")

    def _text(self, columns: list[tuple[str, ...]], name: str, n: int) -> Sequence[str]:
        return columns[self._place[name]] if name else [""] * n

    def _keys(
        self, columns: list[tuple[str, ...]], lines: list[int], refused: dict[int, Trouble]
    ) -> list[str]:
        """What in the firm's file the row is about: the year, the member of a list, or the firm itself."""
        if self.source.year:
            column = self.source.year.column
            years = [
                text.strip().removesuffix("年").removesuffix("年度") for text in columns[self._place[column]]
            ]
            for i, year in enumerate(years):
                if not re.fullmatch(r"(19|20|21)\d\d(\.0)?", year):
                    refused.setdefault(i, Trouble(lines[i], column, "year", f"“{year[:20]}”不是年度"))
            return [f"年:{year[:4]}" for year in years]
        if self.source.members:
            column = self.source.members.key
            ids = [text.strip() for text in columns[self._place[column]]]
            for i, one in enumerate(ids):
                if one in self.source.missing_marks:
                    refused.setdefault(i, Trouble(lines[i], column, "required", f"“{column}”不能为空"))
            return [f"{self.source.members.indicator}:{one}" for one in ids]
        return [""] * len(lines)

    def _days(
        self, columns: list[tuple[str, ...]], lines: list[int], refused: dict[int, Trouble]
    ) -> list[str | None]:
        column = self.source.date.column
        if not column:
            return [self._fixed] * len(lines)
        days: list[str | None] = []
        for i, text in enumerate(columns[self._place[column]]):
            day = None
            try:
                day = parse_date(text) if text.strip() not in self.source.missing_marks else None
            except Refused as error:
                refused.setdefault(i, Trouble(lines[i], column, error.code, error.message))
            days.append(day)
        return days

    def _refs(self, columns: list[tuple[str, ...]], n: int) -> list[tuple[tuple[str, str], ...]]:
        if not self.source.relations:
            return [()] * n
        rows: list[list[tuple[str, str]]] = [[] for _ in range(n)]
        for relation in self.source.relations:
            for i, text in enumerate(columns[self._place[relation.column]]):
                for part in text.split(relation.separator):
                    if part.strip() and part.strip() not in self.source.missing_marks:
                        rows[i].append((relation.kind, parse_text(part)))
        return [tuple(row) for row in rows]


def _plain_texts(texts: Sequence[str]) -> list[str]:
    """`parse_text` of each; NFC, nearly always, by one look at all of them."""
    if unicodedata.is_normalized("NFC", "".join(texts)):
        return [text.strip() for text in texts]
    return [parse_text(text) for text in texts]


def day_of_file(source: Source, path: Path) -> str | None:
    """文件名里的日期: by the declaration's `date: {name: 正则}`. Raises SourceError where the name has none."""
    if not source.date.name:
        return None
    found = compiled(source.date.name).search(path.name)
    if found is None:
        raise SourceError(f"{path.name}  文件名里没有日期（声明写的是 {source.date.name}），可用 --date 写明")
    try:
        return parse_date(found[1])
    except Refused as error:
        raise SourceError(f"{path.name}  文件名里的{error.message}") from error


def digest(code: str, key: str, content: str) -> int:
    """内容摘要: 64 bits, signed, of what a row says about a firm."""
    raw = hashlib.blake2b(f"{code}|{key}|{content}".encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True)


def replace_year(column: Column, year: int | None) -> Column:
    """某年的列: the column with the year its header names."""
    return column if year is None else column.model_copy(update={"year": year})


def _needed(source: Source) -> list[str]:
    names = [name for name, _ in (*source.mapped(), *source.checked())]
    names += [other for _, column in source.mapped() for other in column.join]
    firm = source.firm
    names += [name for name in (firm.code, firm.name, firm.old_number, firm.organisation) if name]
    names += [relation.column for relation in source.relations]
    names += [source.year.column] if source.year else []
    names += [source.members.key] if source.members else []
    names += [source.date.column] if source.date.column else []
    return list(dict.fromkeys(names))


def _as_declared(header: Sequence[str], source: Source) -> list[str]:
    """Header names as the declaration writes them: 注册资本（万元） for 注册资本(万元), blanks inside dropped."""
    wanted: dict[str, list[str]] = {}
    for name in (*source.columns, *_needed(source)):
        wanted.setdefault(_bare(name), []).append(name)
    there = set(header)
    bare = [_bare(name) for name in header]
    out = []
    for name, short in zip(header, bare, strict=True):
        likely = [one for one in dict.fromkeys(wanted.get(short, ())) if one not in there]
        sure = name not in wanted.get(short, ()) and len(likely) == 1 and bare.count(short) == 1
        out.append(likely[0] if sure else name)
    return out


def _bare(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _present(name: str, place: Mapping[str, int]) -> bool:
    return bool(_headers(name, place))


def _headers(name: str, place: Mapping[str, int]) -> list[tuple[str, int | None]]:
    if YEAR_MARK not in name:
        return [(name, None)] if name in place else []
    form = re.compile(re.escape(name).replace(re.escape(YEAR_MARK), r"(\d{4})"))
    found = ((header, form.fullmatch(header)) for header in place)
    return [(header, int(match[1])) for header, match in found if match]


def _declared(name: str, source: Source) -> bool:
    known = (*source.columns, *_needed(source))
    return any(name == one or (YEAR_MARK in one and _headers(one, {name: 0})) for one in known)


def _fixed_day(source: Source) -> str | None:
    if not source.date.fixed:
        return None
    try:
        return date.fromisoformat(source.date.fixed).isoformat()
    except ValueError:
        raise SourceError(
            f"{source.source}.yaml  date › fixed  “{source.date.fixed}”要写成 2024-12-31"
        ) from None


def _translated(text: str, column: Column) -> str:
    if text not in column.values:
        raise Refused("value", f"“{text[:40]}”不在声明的 values 里", recognised=True)
    return column.values[text]


def _first_match(text: str, cells: _Cells) -> str | None:
    """The value of the first pattern the text holds; None where a lookup is to answer."""
    for pattern, value in cells.patterns:
        if pattern.search(text):
            return value
    if cells.column.lookup:
        return None
    raise Refused("value", f"“{text[:40]}”不合乎声明的任何 patterns", recognised=True)
