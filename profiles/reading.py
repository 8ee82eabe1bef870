"""读取: files of any declared form as a stream of rows of texts, each with its line."""

from __future__ import annotations

import codecs
import csv
import json
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from profiles.codes import looks_like_code
from profiles.encoding import tell_encoding as tell_encoding  # where others look for it
from profiles.source import FileForm, Source, SourceError
from profiles.values import cell_text
from profiles.workbook import Uncomputed, open_book, sheet_rows

CHUNK = 20_000
LONG = 48 << 20  # bytes from which a second process pays for its start
SIMPLE = 1_000  # lines read at once where every record is one line
MOST_COLUMNS = 16_384  # as many as a worksheet has
LONGEST_RECORD = 60  # physical lines one quoted record may span before the quote counts as never closed
FORMATS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl",
           ".parquet": "parquet"}  # fmt: skip
OLD_BOOKS = (".xls", ".et", ".ods")
csv.field_size_limit(16 << 20)


@dataclass
class Chunk:
    """一批行: texts of rows with their lines; `bad` are rows that can't be rows: (line, code, message)."""

    lines: list[int] = field(default_factory=list)
    rows: list[Sequence[str]] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    done: float = 0.0

    def __len__(self) -> int:
        return len(self.rows) + len(self.bad)


@dataclass
class Table:
    """一张表: its header and its rows as chunks (read once)."""

    header: list[str]
    chunks: Iterator[Chunk]
    encoding: str = ""
    long: bool = False
    size: int = CHUNK


# What a file of another kind begins with, whatever its name and its source's declaration say.
BEGINNINGS = {b"PK\x03\x04": "Excel 文件或压缩包", b"\xd0\xcf\x11\xe0": "旧格式的 Office 文件", b"%PDF": "PDF", b"PAR1": "Parquet 文件",
              b"\x1f\x8b": "压缩文件", b"Rar!": "压缩包", b"7z\xbc\xaf": "压缩包", b"SQLite format 3": "数据库文件"}  # fmt: skip


def _other_kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    return next((what for begin, what in BEGINNINGS.items() if head.startswith(begin)), "")


@contextmanager
def open_table(path: Path, source: Source, chunk: int = CHUNK) -> Iterator[Table]:
    """打开表: header and chunks of a file, by the source's declared form. Raises SourceError for what can't be read."""
    if path.is_dir():
        raise SourceError(f"{path}  是文件夹，请写明里面的哪个文件")
    if not path.is_file():
        raise SourceError(f"{path}  没有这个文件")
    if not path.stat().st_size:
        raise SourceError(f"{path}  文件是空的，请要来完整的一份")
    form = source.file.format if source.file.format != "auto" else FORMATS.get(path.suffix.lower(), "")
    readers = {"csv": _open_csv, "xlsx": _open_excel, "jsonl": _open_jsonl, "parquet": _open_parquet}
    if path.suffix.lower() in OLD_BOOKS and form not in readers:
        raise SourceError(f"{path}  旧格式的表格读不了，请另存为 .xlsx 或 .csv 再导入")
    if form not in readers:
        raise SourceError(f"{path}  认不出文件格式“{path.suffix}”，请在声明里写 file: {{format: csv}}")
    if form in ("csv", "jsonl") and (other := _other_kind(path)):
        raise SourceError(
            f"{path}  是{other}，不是文字的表格；请另存为 .{form}，或在来源声明里改 file 的 format"
        )
    opened = readers[form](path, source, chunk)
    try:
        table = next(opened)
        table.long, table.size = path.stat().st_size > LONG, chunk
        yield table
    finally:
        opened.close()


class _Lines:
    """Physical lines with their numbers; those of the record being read can be given back."""

    def __init__(self, file: Iterator[str]):
        self._file = file
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= LONGEST_RECORD:
            raise _Unclosed
        line = _ended(self._back.popleft() if self._back else next(self._file))
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """All but the first line of the record go back."""
        again = self.taken[1:]
        self._back.extendleft(reversed(again))
        self.number -= len(again)

    def simple(self, delimiter: str) -> tuple[int, list[list[str]]]:
        """The next lines as records of one line each, with the first one's number; none where a quote opens or runs on."""
        self.taken = []
        lines = [self._back.popleft() for _ in range(min(len(self._back), SIMPLE))]
        lines += islice(self._file, SIMPLE - len(lines))
        if lines:
            lines[-1] = _ended(lines[-1])
        try:
            rows = list(csv.reader(lines, delimiter=delimiter)) if lines else []
        except csv.Error:
            rows = []
        if len(rows) != len(lines) or (rows and _runs_out(rows[-1])):
            self._back.extendleft(reversed(lines))
            return self.number + 1, []
        start = self.number + 1
        self.number += len(lines)
        return start, rows


class _Unclosed(Exception):
    pass


def _ended(line: str) -> str:
    """The last line may lack its end, by which a quote that was never closed is known."""
    return line if line.endswith(("\n", "\r")) else line + "\n"


UTF_8 = ("utf-8", "utf-8-sig")


def _open_csv(path: Path, source: Source, size: int) -> Generator[Table]:
    with csv_rows(path, source.file, size) as (names, rows, encoding):
        yield Table(_distinct(names, path), rows(len(names)), encoding)


@contextmanager
def csv_rows(
    path: Path, form: FileForm, size: int = CHUNK
) -> Iterator[tuple[list[str], Callable[[int], Iterator[Chunk]], str]]:
    """文字表格: the names of the header, its rows of so many columns as chunks, and the encoding, found out where `form`
    leaves it open. Raises SourceError where there is no header."""
    told = tell_encoding(path)
    encoding = told if form.encoding == "auto" else form.encoding
    if told == "gb18030" and codecs.lookup(encoding).name in UTF_8:  # every heading would be unreadable
        raise SourceError(
            f"{path}  是 GBK（GB18030）编码，来源声明写的是 {encoding}；请另存为 UTF-8，或把声明里的 encoding 改为 auto"
        )
    total = max(path.stat().st_size, 1)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = _Lines(iter(file))
        for _ in range(form.header - 1):
            next(lines, "")
        lines.taken = []
        first = next(lines, "")
        delimiter = _delimiter(first) if form.delimiter == "auto" else form.delimiter.replace("\\t", "\t")
        names = _names(next(csv.reader([first], delimiter=delimiter), []), path)
        yield names, lambda width: _csv_chunks(lines, delimiter, width, size, file.buffer, total), encoding


def _csv_chunks(
    lines: _Lines, delimiter: str, width: int, size: int, raw: Any, total: int
) -> Iterator[Chunk]:
    chunk = Chunk()
    while True:
        start, rows = lines.simple(delimiter)
        # A block with a quote over several lines, or one never closed, is gone through record by record.
        records = enumerate(rows, start) if rows else _records(lines, delimiter, width)
        before = lines.number
        for line, row in records:
            if row is None:
                chunk.bad.append((line, "quote", "引号没有配对，这一行读不完整"))
            elif row:
                _take(chunk, line, row, width)
            if len(chunk) >= size:
                chunk.done = raw.tell() / total
                yield chunk
                chunk = Chunk()
        if not rows and lines.number == before:
            break
    chunk.done = 1.0
    yield chunk


def _records(lines: _Lines, delimiter: str, width: int) -> Iterator[tuple[int, list[str] | None]]:
    """The next lines, about as many as a simple block has: (first line, record or None for a fault)."""
    until = lines.number + SIMPLE
    reader = csv.reader(lines, delimiter=delimiter)
    while lines.number < until:
        lines.taken = []
        start = lines.number + 1
        row: list[str] | None
        try:
            row = next(reader)
        except StopIteration:
            return
        except (_Unclosed, csv.Error):
            row = None
        if row is None or (len(lines.taken) > 1 and not _whole(row, width)) or _runs_out(row):
            lines.give_back()
            reader = csv.reader(lines, delimiter=delimiter)
            row = None
        yield start, row


def _whole(row: list[str], width: int) -> bool:
    """A record over several lines is one only if it has its columns and no other row's code ran into a cell."""
    return len(row) == width and not any(
        "\n" in cell and looks_like_code(part) for cell in row for part in cell.split("\n")[1:]
    )


def _runs_out(row: list[str]) -> bool:
    """The file ended inside quotes: the last cell kept its line's end."""
    return bool(row) and row[-1].endswith(("\n", "\r"))


def _take(chunk: Chunk, line: int, row: Sequence[str], width: int) -> None:
    if len(row) == width:
        chunk.lines.append(line)
        chunk.rows.append(row)
    elif len(row) > width and not any(cell.strip() for cell in row[width:]):
        chunk.lines.append(line)
        chunk.rows.append(row[:width])
    else:
        chunk.bad.append((line, "columns", f"应有{width}列，实有{len(row)}列，这一行错位了"))


def _delimiter(line: str) -> str:
    return max(",\t;|", key=line.count)


def _header(cells: Sequence[object], path: Path) -> list[str]:
    return _distinct(_names(cells, path), path)


def _names(cells: Sequence[object], path: Path) -> list[str]:
    names = [cell_text(cell).replace("\n", "").strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise SourceError(f"{path}  没有表头（file.header 写明表头在第几行）")
    if len(names) > MOST_COLUMNS:
        raise SourceError(
            f"{path}  表头有 {len(names):,} 列，超过 {MOST_COLUMNS:,} 列，不像一张表；请核对分隔符和文件"
        )
    return names


def _distinct(names: list[str], path: Path) -> list[str]:
    twice = next((name for name, times in Counter(names).items() if name and times > 1), None)
    if twice:
        raise SourceError(f"{path}  表头里“{twice}”有两列，请改名后再导入")
    return names


def _open_excel(path: Path, source: Source, size: int) -> Generator[Table]:
    book = open_book(path)
    try:
        if source.file.sheet and source.file.sheet not in book.sheetnames:
            raise SourceError(f"{path}  没有工作表“{source.file.sheet}”，现有：{'、'.join(book.sheetnames)}")
        rows, total = sheet_rows(path, book, source.file.sheet, source.file.header)
        header = _header(next(rows, ()), path)
        yield Table(
            header,
            _cell_chunks(rows, source.file.header + 1, len(header), size, total),
            "xlsx",
        )
    finally:
        book.close()


def _cell_chunks(
    rows: Iterator[Sequence[object]], first: int, width: int, size: int, total: int
) -> Iterator[Chunk]:
    chunk = Chunk()
    for line, cells in enumerate(rows, first):
        if all(cell is None or cell == "" for cell in cells):
            continue  # formatted but empty rows below a sheet
        unknown = next((cell for cell in cells if isinstance(cell, Uncomputed)), None)
        if unknown is not None:
            chunk.bad.append((line, "formula", unknown.why))
        else:
            texts = [cell_text(cell) for cell in cells]
            _take(chunk, line, texts + [""] * (width - len(texts)), width)
        if len(chunk) >= size:
            chunk.done = line / total
            yield chunk
            chunk = Chunk()
    chunk.done = 1.0
    yield chunk


def _open_jsonl(path: Path, source: Source, size: int) -> Generator[Table]:
    form = source.file
    encoding = tell_encoding(path) if form.encoding == "auto" else form.encoding
    header = _json_keys(path, encoding)
    with path.open(encoding=encoding, errors="replace") as file:
        yield Table(header, _json_chunks(file, header, size, max(path.stat().st_size, 1)), encoding)


def _json_keys(path: Path, encoding: str) -> list[str]:
    """Every key of the file, in the order of first sight: a key may be left out of most rows."""
    keys: dict[str, None] = {}
    with path.open(encoding=encoding, errors="replace") as file:
        for line in file:
            row = _json_row(line)
            if isinstance(row, dict):
                keys.update(dict.fromkeys(row))
    if not keys:
        raise SourceError(f"{path}  没有一行是 JSON 对象")
    return list(keys)


def _json_row(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # a nest of brackets is no row either
        return None


def _json_chunks(file: Any, header: list[str], size: int, total: int) -> Iterator[Chunk]:
    chunk, seen = Chunk(), 0
    for number, line in enumerate(file, 1):
        seen += len(line)
        if not line.strip():
            continue
        row = _json_row(line)
        if isinstance(row, dict):
            chunk.lines.append(number)
            chunk.rows.append([cell_text(row.get(key)) for key in header])
        else:
            chunk.bad.append((number, "json", "这一行不是 JSON 对象"))
        if len(chunk) >= size:
            chunk.done = min(seen / total, 1.0)
            yield chunk
            chunk = Chunk()
    chunk.done = 1.0
    yield chunk


def _open_parquet(path: Path, source: Source, size: int) -> Generator[Table]:
    import pyarrow.parquet as pq

    with _sound_parquet(path):
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
    with file:
        yield Table(_header(names, path), _parquet_chunks(file, size, path), "parquet")


@contextmanager
def _sound_parquet(path: Path) -> Iterator[None]:
    """pyarrow says of a broken file in many ways that it is: here in one. Raises SourceError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError, MemoryError) as error:
        raise SourceError(f"{path}  不是可读的 Parquet（坏了或没有传完），请重新导出") from error


def _parquet_chunks(file: Any, size: int, path: Path) -> Iterator[Chunk]:
    first, total = 1, max(file.metadata.num_rows, 1)
    batches = file.iter_batches(batch_size=size)
    while True:
        with _sound_parquet(path):
            batch = next(batches, None)
            if batch is None:
                return
            columns = [[cell_text(value) for value in _values(column)] for column in batch.columns]
        rows = list(zip(*columns, strict=True))
        chunk = Chunk(list(range(first, first + len(rows))), list(rows), done=(first + len(rows)) / total)
        first += len(rows)
        yield chunk


def _values(column: Any) -> list[Any]:
    """Of a column; text that is no UTF-8 with the sign for what could not be read, which its row is told for."""
    import pyarrow as pa

    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        raw = column.cast(pa.binary()).to_pylist()
        return [None if value is None else value.decode("utf-8", "replace") for value in raw]
