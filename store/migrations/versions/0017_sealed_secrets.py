"""room for sealed secrets of the second factor

Revision: 0017, after 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("second_factor") as table:
        table.alter_column(
            "secret", type_=sa.String(length=400), existing_type=sa.String(length=64), existing_nullable=False
        )


def downgrade() -> None:
    sealed = op.get_bind().scalar(sa.text("SELECT count(*) FROM second_factor WHERE length(secret) > 64"))
    if sealed:  # cutting them off would let people in by their passwords alone
        raise RuntimeError(
            f"{sealed} 个动态口令已经封存，旧版读不了：先 huiqi admin second-factor 登录名 --reset，再退回"
        )
    with op.batch_alter_table("second_factor") as table:
        table.alter_column(
            "secret", type_=sa.String(length=64), existing_type=sa.String(length=400), existing_nullable=False
        )
