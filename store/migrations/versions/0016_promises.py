"""until when an item's own deadline promises the money of a grant, and from what day

Revision: 0016, after 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grant_case", sa.Column("promised_from", sa.Date(), nullable=True))
    op.add_column("grant_case", sa.Column("promised", sa.Date(), nullable=True))
    op.create_index("ix_grant_promised", "grant_case", ["promised"])


def downgrade() -> None:
    op.drop_index("ix_grant_promised", "grant_case")
    op.drop_column("grant_case", "promised")
    op.drop_column("grant_case", "promised_from")
