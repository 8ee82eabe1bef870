"""迁移环境: alembic runs this; the tables are those of every module of the store."""

from __future__ import annotations

import importlib
import os
import pkgutil

from alembic import context
from sqlmodel import SQLModel

import store
from store.database import database_url, open_database

for module in pkgutil.iter_modules(store.__path__):
    if module.name != "migrations":
        importlib.import_module(f"store.{module.name}")


def _migrate(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_given = context.config.attributes.get("connection")
if _given is not None:
    _migrate(_given)
else:
    with open_database(database_url(os.environ)).connect() as _opened:
        _migrate(_opened)
        _opened.commit()
