"""外部数据库: a declared query in another database, read in chunks like a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import Engine, Result

from engine.indicators import Dictionary
from profiles.reading import CHUNK, Chunk, Table
from profiles.source import Source, SourceError
from profiles.values import cell_text
from store.database import open_database
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
    """导入数据库来源: the rows of the declared query as one batch. Raises SourceError where its address is missing."""
    if source.database is None:
        raise SourceError(f"{source.source}.yaml  没有声明 database，导入时要给文件")
    url = env.get(source.database.url_env, "")
    if not url:
        raise SourceError(f"来源“{source.source}”的数据库地址没有设：请设环境变量 {source.database.url_env}")
    other = open_database(url)
    try:
        with other.connect() as connection:
            result = connection.execution_options(stream_results=True).execute(text(source.database.query))
            table = Table(list(result.keys()), _chunks(result), "database")
            return import_table(
                engine, table, source, dictionary=dictionary, arrived_at=arrived_at, by=by, accept=accept, day=day,
                progress=progress, file_name=f"查询 {source.database.url_env}", file_digest="",
            )  # fmt: skip
    finally:
        other.dispose()


def _chunks(result: Result) -> Iterator[Chunk]:
    first = 1
    while rows := result.fetchmany(CHUNK):
        texts = [[cell_text(value) for value in row] for row in rows]
        yield Chunk(list(range(first, first + len(rows))), list(texts), done=0.0)
        first += len(rows)
    yield Chunk(done=1.0)
