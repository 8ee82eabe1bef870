"""文件尾: the metadata of a Parquet file in Thrift's compact protocol (parquet-format, parquet.thrift).

Only what the writer of pairs needs; pyarrow, polars and DuckDB read it back in the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

MAGIC = b"PAR1"
INT64, DOUBLE, BYTE_ARRAY = 2, 5, 6
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2
UTF8, LIST = 0, 3  # ConvertedType
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


def varint(value: int) -> bytes:
    """变长整数: seven bits a byte, low ones first."""
    out = bytearray()
    while value >= 128:
        out.append((value & 127) | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class Struct:
    """结构: fields written in the order of their numbers."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._last = 0

    def _field(self, number: int, kind: int) -> None:
        self._out.append((number - self._last) << 4 | kind)
        self._last = number

    def number(self, number: int, value: int, kind: int = _I32) -> Struct:
        self._field(number, kind)
        self._out += varint(value << 1 if value >= 0 else (-value << 1) - 1)
        return self

    def long(self, number: int, value: int) -> Struct:
        return self.number(number, value, _I64)

    def text(self, number: int, value: str | bytes) -> Struct:
        data = value.encode() if isinstance(value, str) else value
        self._field(number, _BINARY)
        self._out += varint(len(data)) + data
        return self

    def struct(self, number: int, value: Struct) -> Struct:
        self._field(number, _STRUCT)
        self._out += value.done()
        return self

    def structs(self, number: int, values: Sequence[Struct]) -> Struct:
        return self._many(number, _STRUCT, [v.done() for v in values])

    def texts(self, number: int, values: Sequence[str]) -> Struct:
        return self._many(number, _BINARY, [varint(len(v.encode())) + v.encode() for v in values])

    def ints(self, number: int, values: Sequence[int]) -> Struct:
        return self._many(number, _I32, [varint(v << 1) for v in values])

    def _many(self, number: int, kind: int, values: Sequence[bytes]) -> Struct:
        self._field(number, _LIST)
        n = len(values)
        self._out += bytes([n << 4 | kind]) if n < 15 else bytes([0xF0 | kind]) + varint(n)
        for value in values:
            self._out += value
        return self

    def done(self) -> bytes:
        return bytes(self._out) + b"\0"


@dataclass(frozen=True)
class Field:
    """列的形状: a text or number column, or a list of texts."""

    name: str
    type: int
    is_list: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        return (self.name, "list", "element") if self.is_list else (self.name,)

    def elements(self) -> list[Struct]:
        """SchemaElements of the column."""
        leaf = (
            Struct()
            .number(1, self.type)
            .number(3, OPTIONAL)
            .text(4, "element" if self.is_list else self.name)
        )
        if self.type == BYTE_ARRAY:
            leaf.number(6, UTF8).struct(10, Struct().struct(1, Struct()))
        if not self.is_list:
            return [leaf]
        outer = (
            Struct()
            .number(3, OPTIONAL)
            .text(4, self.name)
            .number(5, 1)
            .number(6, LIST)
            .struct(10, Struct().struct(3, Struct()))
        )
        return [outer, Struct().number(3, REPEATED).text(4, "list").number(5, 1), leaf]


@dataclass(frozen=True)
class Chunk:
    """列块: one column of one row group: the dictionary page and the pages after it, and how many levels they hold."""

    dictionary: bytes
    pages: memoryview
    levels: int
    least: str | None = None
    most: str | None = None

    @property
    def size(self) -> int:
        return len(self.dictionary) + len(self.pages)

    def metadata(self, field: Field, offset: int) -> Struct:
        """ColumnChunk at an offset of the file."""
        first = offset + len(self.dictionary)
        inner = Struct().number(1, field.type).ints(2, [0, 3, 8]).texts(3, field.path).number(4, 0)
        inner.long(5, self.levels).long(6, self.size).long(7, self.size).long(9, first)
        if self.dictionary:
            inner.long(11, offset)
        if self.least is not None and self.most is not None:
            inner.struct(12, Struct().text(5, self.most).text(6, self.least))
        return Struct().long(2, 0).struct(3, inner)


def dictionary_page(count: int, values: bytes) -> bytes:
    """字典页: PLAIN values with their header."""
    head = Struct().number(1, 2).number(2, len(values)).number(3, len(values))
    return head.struct(7, Struct().number(1, count).number(2, 0)).done() + values


def plain_texts(texts: Sequence[str]) -> bytes:
    """文本的值: PLAIN, each with its length."""
    return b"".join(struct.pack("<I", len(t)) + t for t in (x.encode() for x in texts))


@dataclass(frozen=True)
class Group:
    """行组: its rows, bytes and the metadata of its columns."""

    rows: int
    size: int
    columns: Sequence[Struct]


def footer(fields: Sequence[Field], groups: Sequence[Group]) -> bytes:
    """文件尾: with its length and the magic."""
    root = Struct().text(4, "schema").number(5, len(fields))
    rows = [Struct().structs(1, g.columns).long(2, g.size).long(3, g.rows) for g in groups]
    data = (
        Struct()
        .number(1, 2)
        .structs(2, [root, *(e for f in fields for e in f.elements())])
        .long(3, sum(g.rows for g in groups))
        .structs(4, rows)
        .text(6, "huiqi")
        # texts are ordered as bytes: without this, readers may not use least and most
        .structs(7, [Struct().struct(1, Struct()) for _ in fields])
        .done()
    )
    return data + struct.pack("<I", len(data)) + MAGIC
