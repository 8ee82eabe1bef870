"""推送的行: pushes written by the hundred thousand: tuples in the table's order, without an object or a statement each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from store.database import CACHE
from store.forms import Form, PushForm
from store.outbox import DUE, SUPPRESSED, Push, push_key
from store.suppress import Holds
from store.words import Wanted, Words, version_of

_TABLE = Push.__table__  # type: ignore[attr-defined]
COLUMNS = tuple(column.name for column in _TABLE.columns)
_ORDER = (
    "key", "firm", "item", "batch", "channel", "kind", "version", "state", "reason", "hold_until", "closes", "attempts",
    "next_at", "lease", "leased_until", "parcel", "form", "subject", "body", "fields", "run_no", "created", "sent", "receipt", "read",
)  # fmt: skip
if COLUMNS != _ORDER:
    raise RuntimeError("store.push_rows writes other columns than the push table has")
Row = tuple[Any, ...]
STATE, FORM = COLUMNS.index("state"), COLUMNS.index("form")
MANY, BULK_CACHE = 10_000, 262_144  # rows from which SQLite gets so many KiB to put indexes in order


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

    def rows(
        self, wanted: Wanted, channels: Collection[str], holds: Holds, words: Words, closes: date
    ) -> list[Row]:
        """一对的推送: one row a channel, due or held back with why."""
        version = version_of(wanted.kind)
        firm, _, item, batch, kind = wanted[:5]
        forms, own = words.of(wanted, channels, self._run_no)
        kept = words.kept(wanted)
        fields = None if kept is None else self._bound["fields"](kept)
        out = []
        for channel, form in forms.items():
            stop = holds.of(firm, channel, kind)
            state, why, until = (SUPPRESSED, stop.reason, stop.until) if stop else (DUE, "", None)
            key = push_key(firm, item, batch, channel, kind, version)
            out.append(
                (key, firm, item, batch, channel, kind, version, state, why, self._day(until), self._day(closes),
                 0, self._now, "", None, "", form.id, "", own, fields, self._run_no, self._now, None, "", None)
            )  # fmt: skip
        return out

    def _day(self, day: date | None) -> Any:
        if day not in self._days:
            self._days[day] = self._bound["closes"](day)
        return self._days[day]


def insert(opened: Session, rows: Sequence[Row], forms: Iterable[Form]) -> None:
    """写入 pushes and the forms they are in; what is there already under its key stays as it is."""
    _insert(opened, "push_form", PushForm.__table__.columns.keys(), "id", list(dict.fromkeys(forms)))  # type: ignore[attr-defined]
    _insert(opened, "push", COLUMNS, "key", sorted(rows))  # neighbours by key go into the index together


def _insert(opened: Session, table: str, columns: Sequence[str], key: str, rows: list[Any]) -> None:
    if not rows:
        return
    connection = opened.connection()
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        many = len(rows) > MANY
        if many:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{BULK_CACHE}")
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO NOTHING", rows
        )
        if many:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")
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
