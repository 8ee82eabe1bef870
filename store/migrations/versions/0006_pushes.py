"""pushes

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "firm_reach",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=18), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("phone", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("hold", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("updated", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "push",
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("firm", sqlmodel.sql.sqltypes.AutoString(length=18), nullable=False),
        sa.Column("item", sqlmodel.sql.sqltypes.AutoString(length=128), nullable=False),
        sa.Column("batch", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("lease", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("leased_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("parcel", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=True),
        sa.Column("created", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sent", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("receipt", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("read", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("push", schema=None) as batch_op:
        batch_op.create_index("ix_push_due", ["state", "channel", "next_at"], unique=False)
        batch_op.create_index("ix_push_firm", ["firm", "channel", "state"], unique=False)
        batch_op.create_index("ix_push_pair", ["item", "batch", "firm"], unique=False)
        batch_op.create_index(batch_op.f("ix_push_parcel"), ["parcel"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("push", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_push_parcel"))
        batch_op.drop_index("ix_push_pair")
        batch_op.drop_index("ix_push_firm")
        batch_op.drop_index("ix_push_due")

    op.drop_table("push")
    op.drop_table("firm_reach")
