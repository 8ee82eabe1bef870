"""The database that belongs to a test's folder: a SQLite file in it, or in a run on PostgreSQL one of the server's.

Tests ask `database_in(folder)` and never name a kind themselves (tests/test_databases.py reads them for it); which kind it is
says the fixture `database`, and with it every test that opens a store runs once on each.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import ClassVar

from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from store.database import open_database, upgrade

KINDS = ("sqlite", "postgresql")
TEMPLATE = "huiqi_template"


class _Now:
    """Which kind is in use, the server's URL, and the databases made on it by the folder they belong to."""

    server = ""
    made: ClassVar[dict[Path, str]] = {}


def use(server: str) -> None:
    """From now on databases are made on this server ("" for SQLite files)."""
    _Now.server = server


def kind() -> str:
    """The kind in use."""
    return "postgresql" if _Now.server else "sqlite"


def database_in(folder: Path, name: str = "huiqi.db", *, bare: bool = False) -> str:
    """URL of a folder's database; on PostgreSQL it is made when first asked for, with the tables unless `bare`."""
    path = Path(folder) / name
    if not _Now.server:
        return f"sqlite:///{path}"
    if path not in _Now.made:
        _create(path, "template0" if bare else template(_Now.server))
    return named(_Now.server, _Now.made[path])


def new_database(folder: Path, name: str = "huiqi.db") -> Engine:
    """A folder's own new database, with the tables: a copy of one that was brought up once."""
    if not _Now.server:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / name).write_bytes(_sqlite_template())
    return open_database(database_in(folder, name))


@cache
def _sqlite_template() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="huiqi-template-"))
    try:
        opened = open_database(f"sqlite:///{folder / 'huiqi.db'}")
        upgrade(opened)
        with opened.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.dispose()
        return (folder / "huiqi.db").read_bytes()
    finally:
        shutil.rmtree(folder)


def copy_database(source: Path, target: Path, name: str = "huiqi.db") -> None:
    """Give the copy of a folder a copy of its database; a SQLite file was copied with the folder."""
    if _Now.server:
        _create(Path(target) / name, _Now.made[Path(source) / name])


def drop_below(folder: Path) -> None:
    """Drop the databases of this folder and those below it."""
    for path in [p for p in _Now.made if p.is_relative_to(folder)]:
        does(_Now.server, f"DROP DATABASE IF EXISTS {_Now.made.pop(path)} WITH (FORCE)")


def template(server: str) -> str:
    """Name of an upgraded database of the server to copy; made once."""
    path = Path("/template") / TEMPLATE
    if path not in _Now.made:
        _create(path, "template0", server)
        opened = open_database(named(server, _Now.made[path]))
        upgrade(opened)
        opened.dispose()
    return _Now.made[path]


def _create(path: Path, source: str, server: str = "") -> None:
    name = f"huiqi_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    if source != "template0":  # a database is copied only while nobody is in it
        does(
            server or _Now.server,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'",
        )
    does(server or _Now.server, f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    _Now.made[path] = name


def does(server: str, statement: str) -> None:
    """One statement outside of a transaction, on the server's own database."""
    admin = open_database(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


def named(server: str, name: str) -> str:
    """URL of a database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)
