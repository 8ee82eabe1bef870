"""room for sealed secrets of webhooks

Revision: 0019, after 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhook") as table:
        table.alter_column(
            "secret", type_=sa.String(length=400), existing_type=sa.String(length=64), existing_nullable=False
        )


def downgrade() -> None:
    sealed = op.get_bind().scalar(sa.text("SELECT count(*) FROM webhook WHERE length(secret) > 64"))
    if sealed:  # cut off, they would sign what nobody can check
        raise RuntimeError(f"{sealed} 个回调的密钥已经封存，旧版读不了：先在设置页删掉这些回调，再退回")
    with op.batch_alter_table("webhook") as table:
        table.alter_column(
            "secret", type_=sa.String(length=64), existing_type=sa.String(length=400), existing_nullable=False
        )
