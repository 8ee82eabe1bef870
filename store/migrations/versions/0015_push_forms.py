"""what firms of an item are told alike kept once, in push_form; fewer and smaller indexes of pushes

Revision: 0015, after 0014
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_form",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column(
        "push",
        sa.Column("form", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""),
    )
    op.drop_index("ix_push_order", table_name="push")
    op.drop_index("ix_push_firm", table_name="push")
    op.create_index("ix_push_order", "push", ["state", "channel", "firm"])


def downgrade() -> None:
    """Words that are in a form are filled in again, so that none is lost."""
    fill()
    op.drop_index("ix_push_order", table_name="push")
    op.create_index("ix_push_firm", "push", ["firm", "channel", "state"])
    op.create_index("ix_push_order", "push", ["state", "channel", "firm", "key"])
    with op.batch_alter_table("push") as batch_op:
        batch_op.drop_column("form")
    op.drop_table("push_form")


def fill() -> None:
    """Put subject and body in place of form and own."""
    from store.forms import Filler

    connection = op.get_bind()
    forms = {
        row.id: (row.subject, row.body)
        for row in connection.execute(sa.text("SELECT id, subject, body FROM push_form"))
    }
    change = sa.text("UPDATE push SET subject = :subject, body = :body, form = '' WHERE key = :key")
    query = sa.text("SELECT key, firm, channel, form, body FROM push WHERE form <> '' AND body LIKE '[%'")
    for row in connection.execute(query).all():
        subject, body = Filler(*forms[row.form], row.channel == "webhook").words(row.key, row.firm, row.body)
        connection.execute(change, {"key": row.key, "subject": subject, "body": body})
