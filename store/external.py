"""外部数据库: a declared table or query of another database, read in chunks like a file and never written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine, Result, make_url
from sqlalchemy.exc import SQLAlchemyError

from engine.indicators import Dictionary
from profiles.reading import CHUNK, Chunk, Table
from profiles.source import Source, SourceError
from profiles.values import cell_text
from store.database import database_url
from store.imports import BatchReport, Progress, import_table


def import_query(
    engine: Engine,
    source: Source,
    *,
    env: Mapping[str, str],
    dictionary: Dictionary,
    arrived_at: datetime,
    by: str = "",
    day: str | None = None,
    accept: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """导入数据库来源: the rows of the declared table or query as one batch. Raises SourceError where they can't be read."""
    with open_query(source, env) as table:
        return import_table(
            engine, table, source, dictionary=dictionary, arrived_at=arrived_at, by=by, accept=accept, day=day,
            progress=progress, file_name=query_name(source), file_digest="",
        )  # fmt: skip


@contextmanager
def open_query(source: Source, env: Mapping[str, str], chunk: int = CHUNK) -> Iterator[Table]:
    """打开数据库来源: as `open_table`. Raises SourceError for a missing address, an unreachable database, a bad query."""
    if source.database is None:
        raise SourceError(f"{source.source}.yaml  没有声明 database，导入时要给文件")
    url = env.get(source.database.url_env, "").strip()
    if not url:
        raise SourceError(f"来源“{source.source}”的数据库地址没有设：请设环境变量 {source.database.url_env}")
    try:
        other = _read_only(url)
    except (SQLAlchemyError, ImportError) as error:
        raise SourceError(
            f"环境变量 {source.database.url_env} 里的数据库地址读不懂：{_short(error)}"
        ) from error
    try:
        with other.connect() as connection:
            query = source.database.query
            if source.database.table:
                quoted = other.dialect.identifier_preparer.quote
                query = "SELECT * FROM " + ".".join(quoted(part) for part in source.database.table.split("."))
            result = connection.execution_options(stream_results=True).execute(text(query))
            yield Table(list(result.keys()), _chunks(result, chunk), "数据库")
    except SQLAlchemyError as error:
        raise SourceError(f"来源“{source.source}”的数据库读不了：{_short(error)}") from error
    finally:
        other.dispose()


def query_name(source: Source) -> str:
    """查询名: what stands in the batch in a file name's place; never the address."""
    found = source.database
    return f"数据库 {found.url_env}{f' · {found.table}' if found.table else ''}" if found else ""


def _read_only(url: str) -> Engine:
    parsed = make_url(database_url({"HUIQI_DB": url}))
    if parsed.get_backend_name() == "sqlite":
        # Not through `open_database`, which would make a file and change its journal.
        name = f"file:{parsed.database}"
        return create_engine(parsed.set(database=name, query={"mode": "ro", "uri": "true"}))
    return create_engine(parsed, pool_pre_ping=True, execution_options={"postgresql_readonly": True})


def _short(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]


def _chunks(result: Result, size: int) -> Iterator[Chunk]:
    first = 1
    while rows := result.fetchmany(size):
        texts = [[cell_text(value) for value in row] for row in rows]
        yield Chunk(list(range(first, first + len(rows))), list(texts), done=0.0)
        first += len(rows)
    yield Chunk(done=1.0)
