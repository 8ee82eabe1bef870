"""how many steps of grants there were when a day was sealed, so that one deleted with its traces is missed

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_seal", sa.Column("last_event", sa.BigInteger(), nullable=True))
    op.add_column("ledger_seal", sa.Column("events", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("ledger_seal", "events")
    op.drop_column("ledger_seal", "last_event")
