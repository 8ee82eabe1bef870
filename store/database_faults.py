"""数据库的毛病: what the drivers say of a full disk, a long lock, a broken file or a server that is gone, in plain words."""

from __future__ import annotations

import errno
from typing import Any

from sqlalchemy.engine import URL


class DatabaseFault(OSError):
    """数据库不能用: errno, what is wrong and how to mend it, and which database."""

    def __str__(self) -> str:
        return f"{self.filename}：{self.strerror}" if self.filename else str(self.strerror)


class DiskFull(DatabaseFault):
    """磁盘满了: the database can't write; what was committed stands, the rest is undone."""


class DatabaseBusy(DatabaseFault):
    """数据库忙: another writes longer than anybody waits (one transaction of an import, say); nothing was written."""


class DatabaseDamaged(DatabaseFault):
    """数据库坏了: the file is no database, or parts of it can't be read."""


class DatabaseOut(DatabaseFault):
    """数据库打不开: no server answers, it lets nobody in, or the file can't be opened or written."""


_FULL = (DiskFull, errno.ENOSPC, "数据库写不下了，磁盘已满；腾出空间后重跑，办完的不会重做")
_DAMAGED = (
    DatabaseDamaged,
    errno.EIO,
    "不是数据库文件，或者已经损坏；先留一份副本，再用 huiqi restore 从备份恢复",
)
_SHUT = "请看 HUIQI_DB 写的用户、口令和库名，以及数据库允许不允许从这里登录"
# The drivers' words, lower case, in the order they are looked for.
_WORDS: tuple[tuple[str, tuple[type[DatabaseFault], int, str]], ...] = (
    ("database is locked", (DatabaseBusy, errno.EBUSY, "别的程序正在往数据库里写，等了一阵没轮到，这一次没有保存；请过一会儿再试")),
    ("database or disk is full", _FULL),
    ("no space left on device", _FULL),
    ("could not extend file", _FULL),
    ("file is not a database", _DAMAGED),
    ("disk image is malformed", _DAMAGED),
    ("malformed database schema", _DAMAGED),
    ("unable to open database file", (DatabaseOut, errno.EPERM, "打不开：它是文件夹，或者没有权限；请看 HUIQI_HOME 或 HUIQI_DB，把主人改成运行 huiqi 的用户（chown -R）")),
    ("readonly database", (DatabaseOut, errno.EROFS, "只能读、不能写；把它和所在文件夹的主人改成运行 huiqi 的用户（chown -R）")),
    ("disk i/o error", (DatabaseOut, errno.EIO, "磁盘读写出错；请看系统日志里的磁盘，好了再跑，保存过的都在")),
    ("failed to resolve host", (DatabaseOut, errno.EHOSTUNREACH, "找不到这台数据库服务器；请看 HUIQI_DB 写的主机名")),
    ("password authentication failed", (DatabaseOut, errno.EPERM, f"数据库不认这个用户或口令；{_SHUT}")),
    ("no password supplied", (DatabaseOut, errno.EPERM, f"数据库要口令；{_SHUT}")),
    ("no pg_hba.conf entry", (DatabaseOut, errno.EPERM, f"数据库不让进；{_SHUT}")),
    ("does not exist", (DatabaseOut, errno.ENXIO, "没有这个库或这个用户；请先 createdb -E UTF8 -O huiqi huiqi（docs/operations.md）")),
    ("too many clients", (DatabaseOut, errno.EAGAIN, "数据库的连接用完了；请过一会儿再试，或调高 max_connections")),
)  # fmt: skip
_GONE = (
    DatabaseOut,
    errno.ECONNREFUSED,
    "连不上数据库；请看 PostgreSQL 是不是在运行、HUIQI_DB 写的主机和端口对不对",
)


def say_plainly(context: Any) -> None:
    """说明白: raise what the driver said as a DatabaseFault, which commands tell in a line; any other error goes on.

    `context` is SQLAlchemy's ExceptionContext. The pool's own ping is left alone: it opens a new connection by itself.
    """
    error = context.original_exception
    if context.is_pre_ping or not isinstance(
        error, Exception
    ):  # somebody's Ctrl-C is no fault of the database
        return
    # Of a server only what concerns the connection: a missing table there "does not exist" too.
    connecting = type(error).__name__ in ("OperationalError", "InterfaceError") or context.is_disconnect
    said = str(error).lower()
    for words, (kind, number, told) in _WORDS:
        if words in said and (connecting or kind is DiskFull or _sqlite(context)):
            raise kind(number, told, _place(context)) from error
    if not _sqlite(context) and connecting:
        kind, number, told = _GONE
        raise kind(number, told, _place(context)) from error


def _sqlite(context: Any) -> bool:
    return bool(context.dialect.name == "sqlite")


def _place(context: Any) -> str:
    """Which database, without user and password."""
    url: URL | None = context.engine.url if context.engine is not None else None
    if url is None:
        return "数据库"
    if _sqlite(context):
        return url.database or "数据库"
    return f"{url.host or '本机'}:{url.port or 5432}/{url.database or ''}"
