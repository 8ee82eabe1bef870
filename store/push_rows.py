"""推送的行: pushes written by the hundred thousand: tuples in the table's order, without an object or a statement each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from store.database import CACHE
from store.forms import Form, PushForm
from store.outbox import DUE, SUPPRESSED, Push, push_key, push_keys
from store.suppress import Held, Holds
from store.words import About, Told, Wanted, Words, version_of

_TABLE = Push.__table__  # type: ignore[attr-defined]
COLUMNS = tuple(column.name for column in _TABLE.columns)
_ORDER = (
    "key", "firm", "item", "batch", "channel", "kind", "version", "state", "reason", "hold_until", "closes", "attempts",
    "next_at", "lease", "leased_until", "parcel", "form", "subject", "body", "fields", "run_no", "created", "sent", "receipt", "read",
)  # fmt: skip
if COLUMNS != _ORDER:
    raise RuntimeError("store.push_rows writes other columns than the push table has")
Row = tuple[Any, ...]
STATE, FORM, KEY, FIRM, BODY = (COLUMNS.index(name) for name in ("state", "form", "key", "firm", "body"))
FEW = 12  # rows alike that are not worth a statement of their own
MANY, BULK_CACHE = 10_000, 262_144  # rows from which SQLite gets so many KiB to put indexes in order


class Alike(NamedTuple):
    """同样的行: pushes that differ by key, firm and body alone; in `like` these three are None."""

    like: Row
    own: list[tuple[str, str, str]]

    def rows(self) -> list[Row]:
        """逐行."""
        _, _, *middle = self.like[:BODY]
        end = self.like[BODY + 1 :]
        return [(key, firm, *middle, body, *end) for key, firm, body in self.own]


class RowMaker:
    """造行: of one transaction; values that all rows share are put into the database's terms once."""

    def __init__(self, opened: Session, run_no: int, now: datetime):
        dialect = opened.get_bind().dialect
        self._bound: dict[str, Callable[[Any], Any]] = {}
        for name in ("next_at", "closes", "hold_until", "fields"):
            change = _TABLE.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            self._bound[name] = change or (lambda value: value)
        self._run_no, self._now = run_no, self._bound["next_at"](now)
        self._days: dict[date | None, Any] = {None: None}

    def one(
        self, wanted: Wanted, channels: Collection[str], holds: Holds, words: Words, closes: date
    ) -> list[Alike]:
        """一对的推送: one a channel, due or held back with why."""
        firm, _, item, batch, kind = wanted[:5]
        forms, own = words.of(wanted, channels, self._run_no)
        kept = words.kept(wanted)
        fields = None if kept is None else self._bound["fields"](kept)
        out = []
        for channel, form in forms.items():
            like = self._like(item, batch, channel, kind, holds.of(firm, channel, kind), closes, form, fields)
            key = push_key(firm, item, batch, channel, kind, version_of(kind))
            out.append(Alike(like, [(key, firm, own)]))
        return out

    def alike(
        self, about: About, group: Told, channels: Collection[str], holds: Holds, words: Words
    ) -> list[Alike]:
        """一组的推送: of pairs told alike (a confirmation is each firm's own), by channel and by what holds them back."""
        out = []
        item, batch, kind, firms = about.item.id, about.batch, group.kind, group.firms
        forms, own = words.alike(group, channels, self._run_no)
        for channel, form in forms.items():
            keys = push_keys(firms, item, batch, channel, kind, version_of(kind))
            for stop, places in holds.among(firms, channel, kind).items():
                like = self._like(item, batch, channel, kind, stop, about.closes, form, None)
                # neighbours by key go into the index together
                out.append(Alike(like, sorted((keys[i], firms[i], own[i]) for i in places)))
        return out

    def _like(
        self, item: str, batch: str, channel: str, kind: str, stop: Held | None, closes: date, form: Form, fields: Any
    ) -> Row:  # fmt: skip
        state, why, until = (SUPPRESSED, stop.reason, stop.until) if stop else (DUE, "", None)
        return (
            None, None, item, batch, channel, kind, version_of(kind), state, why, self._day(until), self._day(closes),
            0, self._now, "", None, "", form.id, "", None, fields, self._run_no, self._now, None, "", None
        )  # fmt: skip

    def _day(self, day: date | None) -> Any:
        if day not in self._days:
            self._days[day] = self._bound["closes"](day)
        return self._days[day]


def insert(opened: Session, pushes: Sequence[Alike], forms: Iterable[Form]) -> None:
    """写入 pushes and the forms they are in; what is there already under its key stays as it is."""
    _insert(opened, "push_form", PushForm.__table__.columns.keys(), "id", list(dict.fromkeys(forms)))  # type: ignore[attr-defined]
    if opened.get_bind().dialect.name != "sqlite":
        _insert(opened, "push", COLUMNS, "key", sorted(row for some in pushes for row in some.rows()))
        return
    spelt = [_spelt(some.like) if len(some.own) >= FEW else None for some in pushes]
    few = sorted(row for some, sql in zip(pushes, spelt, strict=True) if sql is None for row in some.rows())
    many = [(some.own, sql) for some, sql in zip(pushes, spelt, strict=True) if sql is not None]
    with _large_cache(opened, sum(len(some.own) for some in pushes)):
        _insert(opened, "push", COLUMNS, "key", few)
        for own, sql in sorted(many, key=lambda entry: entry[0][0]):
            _insert_alike(opened, own, sql)


@contextmanager
def _large_cache(opened: Session, rows: int) -> Iterator[None]:
    connection = opened.connection()
    if rows > MANY:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{BULK_CACHE}")
    yield
    if rows > MANY:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")


def _insert_alike(opened: Session, own: list[tuple[str, str, str]], spelt: list[str]) -> None:
    """SQLite: what the rows share stands in the statement, so that three values a row are bound instead of all."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    statement = f"INSERT INTO push ({names}) VALUES ({', '.join(spelt)}) ON CONFLICT (key) DO NOTHING"
    opened.connection().exec_driver_sql(statement, own)


def _spelt(like: Row) -> list[str] | None:
    """The values in SQL, with marks for key, firm and body; None where one of them can't be spelt there."""
    out = []
    for place, value in enumerate(like):
        if place in (KEY, FIRM, BODY):
            out.append("?")
        elif value is None:
            out.append("NULL")
        elif type(value) is int:
            out.append(str(value))
        elif type(value) is str and "\0" not in value:
            quoted = value.replace("'", "''")
            out.append(f"'{quoted}'")
        else:
            return None
    return out


def _insert(opened: Session, table: str, columns: Sequence[str], key: str, rows: list[Any]) -> None:
    if not rows:
        return
    connection = opened.connection()
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO NOTHING", rows
        )
        return
    connection.exec_driver_sql(f"CREATE TEMP TABLE rows_in (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP")
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY rows_in ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM rows_in ON CONFLICT ({key}) DO NOTHING"
    )
    connection.exec_driver_sql("DROP TABLE rows_in")
