"""how often at most a firm wants to hear by mail and short message, in days between two

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("firm_reach", sa.Column("every_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("firm_reach", "every_days")
