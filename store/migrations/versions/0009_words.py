"""the words of a confirmation, and what a batch's budget took over from its rule file

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008_api"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain ADD COLUMN: a batch migration of SQLite would copy the table without its CHECKs.
    op.add_column("push", sa.Column("fields", sa.JSON(), nullable=True))
    op.add_column("batch_budget", sa.Column("ruled_fen", sa.BigInteger(), nullable=True))
    op.add_column("batch_budget", sa.Column("ruled_mode", sqlmodel.sql.sqltypes.AutoString(), nullable=True))


def downgrade() -> None:
    op.drop_column("batch_budget", "ruled_mode")
    op.drop_column("batch_budget", "ruled_fen")
    op.drop_column("push", "fields")
