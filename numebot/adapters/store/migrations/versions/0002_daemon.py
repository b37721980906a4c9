"""What the daemon needs: fallback rungs, plugins that never came back, uploads for the next round."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("plugin_failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("submissions", sa.Column("rung", sa.String(80)))
    op.add_column("submissions", sa.Column("begun_at", sa.DateTime(timezone=True)))
    op.create_table(
        "safety_nets",
        sa.Column("tournament", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("model_id", sa.String(64)),
        sa.Column("filename", sa.String(200)),
        sa.Column("submission_id", sa.String(64)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("inputs_sha256", sa.String(64)),
        sa.Column("trained_version", sa.String(64)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("plugin_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rung", sa.String(80)),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("submitted_at", sa.DateTime(timezone=True)),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tournament", "round_number", "model", name="pk_safety_nets"),
    )


def downgrade() -> None:
    op.drop_table("safety_nets")
    for name in ("begun_at", "rung", "plugin_failures"):
        op.drop_column("submissions", name)
