"""results: scores, payouts, leaderboards.

Revision ID: 0003
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database up."""
    op.create_table('leaderboard_rows',
    sa.Column('leaderboard', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('place', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('model', sa.String(length=64), nullable=False),
    sa.Column('slot', sa.Integer(), nullable=True),
    sa.Column('staked', sa.String(length=80), nullable=True),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('leaderboard', 'place', name=op.f('pk_leaderboard_rows')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('leaderboard_rows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_leaderboard_rows_slot'), ['slot'], unique=False)

    op.create_table('leaderboards',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tournament', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_leaderboards')),
    sa.UniqueConstraint('tournament', 'day', name=op.f('uq_leaderboards_tournament_day'))
    )
    op.create_table('listed_submissions',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('status', sa.String(length=32), nullable=False),
    sa.Column('submission_id', sa.String(length=64), nullable=True),
    sa.Column('filename', sa.String(length=255), nullable=True),
    sa.Column('submitted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('slot', 'round_number', name=op.f('pk_listed_submissions')),
    sqlite_with_rowid=False
    )
    op.create_table('metrics',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tournament', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_metrics')),
    sa.UniqueConstraint('tournament', 'name', 'version', name=op.f('uq_metrics_tournament_name_version'))
    )
    op.create_table('payout_settings',
    sa.Column('tournament', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('metric', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('is_payout', sa.Boolean(), nullable=True),
    sa.Column('multiplier', sa.Float(), nullable=True),
    sa.Column('minimum', sa.Float(), nullable=True),
    sa.Column('maximum', sa.Float(), nullable=True),
    sa.Column('clip', sa.Float(), nullable=True),
    sa.Column('stake_threshold', sa.Float(), nullable=True),
    sa.Column('payout_factor', sa.Float(), nullable=True),
    sa.Column('score_days', sa.Integer(), nullable=True),
    sa.Column('scoring_begins_at', sa.BigInteger(), nullable=True),
    sa.Column('scoring_ends_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('tournament', 'round_number', 'metric', name=op.f('pk_payout_settings')),
    sqlite_with_rowid=False
    )
    op.create_table('payouts',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('amount', sa.String(length=80), nullable=False),
    sa.Column('is_settled', sa.Boolean(), nullable=False),
    sa.Column('value', sa.String(length=80), nullable=True),
    sa.Column('currency', sa.String(length=8), nullable=True),
    sa.Column('resolves_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('slot', 'round_number', name=op.f('pk_payouts')),
    sqlite_with_rowid=False
    )
    op.create_table('score_marks',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('synced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('complete_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('open_from', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('slot', name=op.f('pk_score_marks'))
    )
    op.create_table('scored_rounds',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('submission_id', sa.String(length=64), nullable=True),
    sa.Column('resolves_at', sa.BigInteger(), nullable=True),
    sa.Column('is_resolved', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('slot', 'round_number', name=op.f('pk_scored_rounds')),
    sqlite_with_rowid=False
    )
    op.create_table('scores',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('metric', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('value', sa.Float(), nullable=True),
    sa.Column('percentile', sa.Float(), nullable=True),
    sa.Column('scored_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('slot', 'round_number', 'day', 'metric', name=op.f('pk_scores')),
    sqlite_with_rowid=False
    )
    op.create_table('slots',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tournament', sa.Integer(), nullable=False),
    sa.Column('model_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('is_listed', sa.Boolean(), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slots')),
    sa.UniqueConstraint('tournament', 'model_id', name=op.f('uq_slots_tournament_model_id'))
    )
    with op.batch_alter_table('rounds', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scores_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('resolves_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('is_resolved', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('payout_factor', sa.String(length=40), nullable=True))
