"""of what an item's pushes were last asked, so that a night that says the same asks nothing again

Revision: 0018, after 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_mark",
        sa.Column("item", sa.String(128), primary_key=True),
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("push_mark")
