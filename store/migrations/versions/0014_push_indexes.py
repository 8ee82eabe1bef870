"""two indexes of pushes that each queued push paid for: what is due is found by the order it is sent in, and no parcel
is looked up by its name

Revision: 0014, after 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("push", schema=None) as batch_op:
        batch_op.drop_index("ix_push_parcel")
        batch_op.drop_index("ix_push_due")


def downgrade() -> None:
    with op.batch_alter_table("push", schema=None) as batch_op:
        batch_op.create_index("ix_push_due", ["state", "channel", "next_at"], unique=False)
        batch_op.create_index("ix_push_parcel", ["parcel"], unique=False)
