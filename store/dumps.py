"""库的备份: a database as one file and back: SQLite by its own online copy, PostgreSQL by pg_dump and pg_restore."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import URL, Engine, make_url

SQLITE, POSTGRES = "database.sqlite", "database.pgdump"


class DumpError(ValueError):
    """备份错误: what is wrong and how to mend it."""


def dump(engine: Engine, folder: Path) -> Path:
    """备份数据库 into `folder` while others go on working; one moment of it. Raises DumpError."""
    if engine.dialect.name == "sqlite":
        target = folder / SQLITE
        source = sqlite3.connect(f"file:{engine.url.database}?mode=ro", uri=True)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        except sqlite3.DatabaseError as error:
            raise DumpError(f"{engine.url.database} 读不出来，备不了份：{error}") from error
        finally:
            copy.close()
            source.close()
        return target
    target = folder / POSTGRES
    _run("pg_dump", engine.url, ["--format=custom", "--no-owner", f"--file={target}"])
    return target


def restore(url: str, source: Path) -> None:
    """恢复数据库 from what `dump` made, into an empty place. Raises DumpError where something is there already."""
    wanted = make_url(url)
    if source.name == SQLITE:
        if wanted.get_backend_name() != "sqlite" or not wanted.database:
            raise DumpError(
                f"备份里是 SQLite 数据库，HUIQI_DB 却是 {wanted.render_as_string()}；请改成一个文件"
            )
        target = Path(wanted.database)
        if target.exists():
            raise DumpError(f"{target} 已经有了；恢复只往空的地方放，请先移开它")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part-{os.getpid()}")
        shutil.copyfile(source, part)
        part.replace(target)
        return
    if wanted.get_backend_name() != "postgresql":
        raise DumpError("备份里是 PostgreSQL 数据库，请把 HUIQI_DB 设成一个空的 PostgreSQL 数据库的地址")
    from store.database import open_database

    engine = open_database(url)
    try:
        if inspect(engine).get_table_names():
            raise DumpError(f"{wanted.render_as_string()} 里已经有表；恢复只往空的数据库里放")
    finally:
        engine.dispose()
    name = f"--dbname={wanted.database}"
    _run("pg_restore", wanted, ["--no-owner", "--exit-on-error", "--single-transaction", name, str(source)])


def _run(program: str, url: URL, arguments: list[str]) -> None:
    """One of PostgreSQL's programs; the password goes by the environment, never by the command line."""
    if shutil.which(program) is None:
        raise DumpError(f"没有找到 {program}；请安装 PostgreSQL 客户端（Debian：postgresql-client）")
    given = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    env = {
        **os.environ,
        **{k: str(v) for k, v in given.items() if v is not None},
        "PGDATABASE": url.database or "",
    }
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True)
    if done.returncode:
        raise DumpError(f"{program} 没有做成：{done.stderr.strip()[-500:]}")
