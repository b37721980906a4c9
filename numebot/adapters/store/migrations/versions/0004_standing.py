"""standing: risk, accounts, ranks day by day, prices, marks of the sync's parts.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

AMOUNT = sa.String(length=80)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database up."""
    op.create_table(
        "round_stakes",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_risk", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("slot", "round_number", name=op.f("pk_round_stakes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("figure", sa.String(length=64), nullable=False),
        sa.Column("amount", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("day", "username", "figure", name=op.f("pk_account_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model_days",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("staked", AMOUNT, nullable=True),
        sa.Column("figures", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("slot", "day", name=op.f("pk_model_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nmr_prices",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("usd", AMOUNT, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_nmr_prices")),
    )
    op.create_table(
        "account_boards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tournament", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_boards")),
        sa.UniqueConstraint("tournament", "day", name=op.f("uq_account_boards_tournament_day")),
    )
    op.create_table(
        "account_board_rows",
        sa.Column("board", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=True),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("staked", AMOUNT, nullable=True),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("board", "place", name=op.f("pk_account_board_rows")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("account_board_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_board_rows_account"), ["account"], unique=False)
    op.create_table(
        "part_marks",
        sa.Column("tournament", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.String(length=32), nullable=False),
        sa.Column("landed_at", TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tournament", "part", name=op.f("pk_part_marks")),
    )
