"""所见: what sources said, append-only: declarations, batches, firms, contents of rows and where each was seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Text
from sqlalchemy.engine import Connection
from sqlmodel import Field, SQLModel

from profiles.source import Source
from store.database import BigId, id_column, json_column, utc_column

LANDED, HELD, TAKEN_BACK = "落库", "暂扣", "撤回"
IN_MOST = 5_000
LOCK = 4752


class SourceDeclaration(SQLModel, table=True):
    """来源声明: the declaration a batch was read by, whole, so that old files never change with a new mapping."""

    __tablename__ = "source_declaration"
    digest: str = Field(primary_key=True, max_length=16)
    name: str = Field(index=True)
    text: str = Field(sa_column=Column(Text, nullable=False))


class SourceBatch(SQLModel, table=True):
    """来源批次: one import: file, declaration, day of the data, arrival, counts that add up, and its state."""

    __tablename__ = "source_batch"
    id: int | None = Field(default=None, sa_column=id_column())
    uid: str = Field(unique=True, max_length=32)
    source: str = Field(index=True)
    declaration: str = Field(foreign_key="source_declaration.digest", max_length=16)
    file_name: str = ""
    file_digest: str = Field(default="", max_length=64, index=True)
    day: date | None = None
    arrived_at: datetime = Field(sa_column=utc_column())
    by: str = ""
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    to_confirm: int = 0
    state: str = Field(default=LANDED, index=True)
    note: str = ""
    header: list[str] = Field(default_factory=list, sa_column=json_column())
    part_of: int | None = Field(default=None, sa_column=Column(BigId, ForeignKey("source_batch.id")))
    taken_back_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    taken_back_by: str = ""


class BatchEvent(SQLModel, table=True):
    """批次变动: a batch landed or was taken back; a snapshot knows by its number what it has seen."""

    __tablename__ = "batch_event"
    id: int | None = Field(default=None, sa_column=id_column())
    batch_id: int = Field(sa_column=Column(BigId, ForeignKey("source_batch.id"), nullable=False, index=True))
    kind: str
    at: datetime = Field(sa_column=utc_column())


class BatchTrouble(SQLModel, table=True):
    """退回清单: one finding of a batch: line, column, code, words."""

    __tablename__ = "batch_trouble"
    id: int | None = Field(default=None, sa_column=id_column())
    batch_id: int = Field(sa_column=Column(BigId, ForeignKey("source_batch.id"), nullable=False, index=True))
    line: int
    column: str = ""
    code: str
    message: str


class Firm(SQLModel, table=True):
    """企业: a code that some sound row was about; its file is what was seen of it."""

    __tablename__ = "firm"
    id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    code: str = Field(unique=True, max_length=18)


class Content(SQLModel, table=True):
    """行内容: what a row of a source says about a firm, once however often it is seen."""

    __tablename__ = "content"
    id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    firm_id: int = Field(sa_column=Column(BigId, ForeignKey("firm.id"), nullable=False, index=True))
    source: str
    key: str = ""
    digest: int = Field(sa_column=Column(BigInteger, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))


class Sighting(SQLModel, table=True):
    """所见: a batch held a content, dated `day` (None: the source gives no date)."""

    __tablename__ = "sighting"
    content_id: int = Field(
        sa_column=Column(BigId, ForeignKey("content.id"), primary_key=True, autoincrement=False)
    )
    batch_id: int = Field(
        sa_column=Column(
            BigId, ForeignKey("source_batch.id"), primary_key=True, index=True, autoincrement=False
        )
    )
    day: date | None = Field(default=None, primary_key=False)


class FirmRelation(SQLModel, table=True):
    """企业关系: an earlier number or name, a parent, a branch, a merger, as a batch told it; `other` as written."""

    __tablename__ = "firm_relation"
    id: int | None = Field(default=None, sa_column=id_column())
    firm_id: int = Field(sa_column=Column(BigId, ForeignKey("firm.id"), nullable=False, index=True))
    batch_id: int = Field(sa_column=Column(BigId, ForeignKey("source_batch.id"), nullable=False, index=True))
    kind: str
    other: str = Field(index=True)


@lru_cache(maxsize=512)
def declaration_of(text: str) -> Source:
    """声明: the declaration kept with a batch, as a Source."""
    return Source.model_validate(json.loads(text))


def columns(model: type[SQLModel]) -> Any:
    """列: a table's columns, for queries that want values and not objects."""
    return model.__table__.c  # type: ignore[attr-defined]


def lock_imports(connection: Connection) -> None:
    """导入锁: one import at a time; SQLite's write lock is held already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def bulk_insert(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """成批写入: rows in the driver's own fastest way (executemany, COPY); days as ISO texts."""
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        raw = connection.connection.dbapi_connection
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:  # type: ignore[union-attr]
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'
    for part in pieces(rows, 50_000):
        connection.exec_driver_sql(statement, part)


def pieces(rows: Iterable[Any], size: int = IN_MOST) -> Iterator[list[Any]]:
    """分段: lists of at most `size`."""
    source = iter(rows)
    while part := list(islice(source, size)):
        yield part


def next_id(connection: Connection, table: str) -> int:
    """下一个编号: under the import lock."""
    return (connection.exec_driver_sql(f'SELECT max(id) FROM "{table}"').scalar() or 0) + 1
