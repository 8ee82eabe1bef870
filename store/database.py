"""数据库: where the store lives, how it is opened and brought up to date."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Column, Integer, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import DataError as DataError
from sqlmodel import Session, UTCDateTime

from store.database_faults import DatabaseBusy, DatabaseFault, DiskFull, say_plainly

try:
    import fcntl
except ImportError:  # Windows: who waits is left to SQLite there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "BigId",
    "DatabaseBusy",
    "DatabaseFault",
    "DiskFull",
    "Engine",
    "Fen",
    "Json",
    "UTCDateTime",
    "database_url",
    "fen_column",
    "from_fen",
    "id_column",
    "json_column",
    "open_database",
    "require_tables",
    "session",
    "to_fen",
    "upgrade",
    "utc_column",
    "writing",
]

DEFAULT_HOME, DATABASE_FILE = "var", "huiqi.db"
BUSY_SECONDS = 60
CACHE, READ_CACHE = (
    65_536,
    8_192,
)  # KiB of SQLite's pages a connection keeps while it writes, and else: what is read lies in the system's cache too
MIGRATIONS = Path(__file__).parent / "migrations"
# SQLite counts rowids only in a column typed INTEGER; PostgreSQL needs 64 bits said.
BigId = BigInteger().with_variant(Integer(), "sqlite")
Fen = BigInteger
Json = JSON


def database_url(env: Mapping[str, str]) -> str:
    """数据库地址: `HUIQI_DB` of `env` (a URL, or a path to a SQLite file), else huiqi.db in HUIQI_HOME (or var/ here)."""
    home = env.get("HUIQI_HOME", "").strip() or DEFAULT_HOME
    named = env.get("HUIQI_DB", "").strip() or f"{home}/{DATABASE_FILE}"
    if named.startswith("postgres://") or named.startswith("postgresql://"):
        return "postgresql+psycopg://" + named.split("://", 1)[1]
    return named if "://" in named else f"sqlite:///{named}"


def open_database(url: str) -> Engine:
    """打开数据库: an engine for `url`; SQLite with WAL and foreign keys on, its folder made when missing.

    Raises ValueError for what is no address of one, and whoever uses the engine meets a DatabaseFault.
    """
    parsed = _address(url)
    if parsed.get_backend_name() != "sqlite":
        server = create_engine(parsed, pool_pre_ping=True)
        event.listen(server, "handle_error", say_plainly)
        return server
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _small_again)
    event.listen(engine, "handle_error", say_plainly)
    return engine


def _address(url: str) -> URL:
    """One that SQLAlchemy reads, of the two kinds there are, with the driver that comes with us."""
    shown = re.sub(r"://[^@/]*@", "://…@", url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(
            f"HUIQI_DB 不是数据库地址：{shown}；要写成 postgresql://用户@主机:端口/库名，或一个 SQLite 文件的路径"
        ) from None
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
    if parsed.drivername.split("+")[0] not in drivers:
        raise ValueError(f"HUIQI_DB 只能是 PostgreSQL 或 SQLite，不能是 {parsed.drivername}：{shown}")
    return parsed.set(drivername=drivers[parsed.get_backend_name()])


def upgrade(engine: Engine) -> None:
    """升级库表: bring the database to the newest revision; two processes may call it at once.

    Raises ValueError where a later version of the program made the tables.
    """
    known = revision_of(engine)
    if known == newest_revision():
        return
    _refuse_newer(known, engine.url.database if engine.dialect.name == "sqlite" else None)
    config = migration_config()
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A batch migration drops and renames tables; foreign keys would delete the rows that refer to them.
            _driver(connection).execute("PRAGMA foreign_keys=OFF")
        try:
            _upgrade_locked(connection, config)
        finally:
            if connection.dialect.name == "sqlite":
                _driver(connection).execute("PRAGMA foreign_keys=ON")


def require_tables(engine: Engine) -> None:
    """要有数据: for those that only read. Raises ValueError where the database is empty or of an older version; an
    SQLite file that is not there is not made."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    known = None
    if file is None or file == ":memory:" or Path(file).is_file():
        known = revision_of(engine)
    if known is None:
        raise ValueError(
            f"{file or '数据库'} 里还没有数据，请先运行 huiqi demo 或 huiqi nightly，或用 --home 指明数据文件夹"
        )
    _refuse_newer(known, file)
    if known != newest_revision():
        raise ValueError(
            f"{file or '数据库'} 的库表是旧版本（{known}），请先用这一版运行一次 huiqi nightly，它会升级库表"
        )


def is_later(known: str | None) -> bool:
    """后来的版本: tables that this version of the program does not have, made by a later one."""
    return known is not None and known not in _revisions()


def _refuse_newer(known: str | None, file: str | None) -> None:
    """Tables of a later version must not be touched."""
    if is_later(known):
        raise ValueError(
            f"{file or '数据库'} 的库表（{known}）比这一版程序新，请换用升级过它的那一版程序，或那以后的"
        )


# Alembic takes a third of a second to load: only who changes tables needs it, not every command that opens a store.


def revision_of(engine: Engine) -> str | None:
    """库表的版本: as alembic wrote it down; None in an empty database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def newest_revision() -> str:
    """最新的版本: of the migrations here, the one that no other builds upon."""
    known = _revisions()
    heads = set(known) - set(known.values())
    if len(heads) != 1:
        raise RuntimeError(f"store/migrations must have one head, not {sorted(heads)}")
    return heads.pop()


@cache
def _revisions() -> dict[str, str]:
    """这一版有的版本, each with the one it builds upon ("" for the first)."""
    texts = [path.read_text(encoding="utf-8") for path in (MIGRATIONS / "versions").glob("*.py")]
    return {m[1]: (b[1] if (b := _BEFORE.search(t)) else "") for t in texts if (m := _OWN.search(t))}


_OWN = re.compile(r'^revision(?:: str)? = "([^"]+)"', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision(?:: [^=]+)? = "([^"]+)"', re.MULTILINE)


def migration_config(connection: Connection | None = None) -> Config:
    """迁移设置: alembic's configuration, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """会话: one transaction, committed at the end, rolled back on an error. For reads and single writes."""
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
        opened.commit()


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """写会话: as `session`, but SQLite takes the write lock at its start.

    Use it wherever something is read and then written on the strength of it: a plain SQLite
    transaction that turns from reading to writing fails when another has written in between.
    """
    with engine.connect() as connection:
        locked = connection.execution_options(huiqi_immediate=True)
        with Session(locked, expire_on_commit=False) as opened:
            yield opened
            opened.commit()


def to_fen(yuan: Decimal | int | float | str) -> int:
    """元转分: yuan to whole fen, half up of the exact decimal value."""
    exact = Decimal(str(yuan)) if isinstance(yuan, float) else Decimal(yuan)
    return int((exact * 100).to_integral_value(rounding=ROUND_HALF_UP))


def from_fen(fen: int) -> Decimal:
    """分转元: whole fen to yuan, exact."""
    return Decimal(fen).scaleb(-2)


def fen_column(*, nullable: bool = False) -> Column[int]:
    """金额列: money at rest, whole fen in 64 bits."""
    return Column(Fen, nullable=nullable)


def utc_column(*, nullable: bool = False, index: bool = False) -> Column[Any]:
    """时刻列: an aware moment, in UTC at rest (a naive one is refused)."""
    return Column(UTCDateTime, nullable=nullable, index=index)


def json_column(*, nullable: bool = False) -> Column[Any]:
    """结构列: a JSON value; None is SQL's NULL where it may be null."""
    return Column(Json(none_as_null=nullable), nullable=nullable)


def id_column() -> Column[int]:
    """编号列: a 64-bit key the database counts up."""
    return Column(BigId, primary_key=True, autoincrement=True)


def _upgrade_locked(connection: Connection, config: Config) -> None:
    from alembic import command

    locked = connection.execution_options(huiqi_immediate=True)
    with locked.begin():
        if locked.dialect.name == "postgresql":
            locked.exec_driver_sql("SELECT pg_advisory_xact_lock(4751)")
        config.attributes["connection"] = locked
        command.upgrade(config, "head")


def _set_up_sqlite(raw: Any, _record: Any) -> None:
    # The driver's own transaction handling is switched off: `begin` says BEGIN itself.
    raw.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a confirmation that was answered survives a power cut
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        f"cache_size=-{READ_CACHE}",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("huiqi_immediate", False):
        connection.exec_driver_sql("BEGIN")
        return
    connection.info["cache"] = CACHE
    connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")
    with _turn(connection.engine.url.database):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _turn(database: str | None) -> Iterator[None]:
    """轮流写: whoever waits for SQLite's write lock holds the turn meanwhile.

    SQLite asks again every tenth of a second and knows no queue, so that a night, which writes one transaction after
    another, would take the lock again and again before anybody who waits has asked. Whoever dies loses the turn; after
    `BUSY_SECONDS` one goes on without it, and SQLite says what it says.
    """
    if fcntl is None or not database or database == ":memory:":
        yield
        return
    try:
        turn = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # a full disk: SQLite says so itself
        yield
        return
    try:
        for _ in range(BUSY_SECONDS * 100):
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                sleep(0.01)
        yield
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)  # a child that was forked meanwhile holds the same lock
        os.close(turn)


def _small_again(raw: Any, record: Any) -> None:
    """A connection that wrote gives its large cache back with itself: a desk's fifteen would hold a gigabyte between them."""
    if record.info.pop("cache", 0) and raw is not None:
        raw.execute(f"PRAGMA cache_size=-{READ_CACHE}")


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
