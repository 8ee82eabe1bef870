"""nights: runs and their items

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime
from sqlmodel.sql.sqltypes import AutoString

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("no", BIG, autoincrement=True, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("started", UTCDateTime(), nullable=False),
        sa.Column("finished", UTCDateTime(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("held_because", AutoString(), nullable=False),
        sa.Column("library_hash", AutoString(), nullable=False),
        sa.Column("profiles_hash", AutoString(), nullable=False),
        sa.Column("answers_hash", AutoString(), nullable=False),
        sa.Column("hits_hash", AutoString(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("software", AutoString(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
    )
    op.create_index("ix_run_as_of", "run", ["as_of"])
    op.create_table(
        "item_run",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("item", AutoString(), nullable=False),
        sa.Column("batch", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("category", AutoString(), nullable=False),
        sa.Column("delivery", AutoString(), nullable=False),
        sa.Column("department", AutoString(), nullable=False),
        sa.Column("pairs", sa.BigInteger(), nullable=False),
        sa.Column("fits", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("low_fen", sa.BigInteger(), nullable=False),
        sa.Column("high_fen", sa.BigInteger(), nullable=False),
        sa.Column("unknown_amounts", sa.BigInteger(), nullable=False),
        sa.Column("new_fits", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.no"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_item_run_item", "item_run", ["item"])
    op.create_index("ix_item_run_run", "item_run", ["run"])


def downgrade() -> None:
    op.drop_table("item_run")
    op.drop_table("run")
