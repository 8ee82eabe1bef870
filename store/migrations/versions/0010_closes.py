"""the last day of a push's batch: after it nobody is invited any more

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("push", sa.Column("closes", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("push", "closes")
