"""newest scores, former names, events by kind, submissions by state.

Revision ID: 0005
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database up."""
    op.create_table('newest_scores',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('metric', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('round_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('value', sa.Float(), nullable=True),
    sa.Column('percentile', sa.Float(), nullable=True),
    sa.Column('scored_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('slot', 'metric', 'round_number', name=op.f('pk_newest_scores')),
    sqlite_with_rowid=False
    )
    op.create_table('former_names',
    sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('slot', 'name', name=op.f('pk_former_names'))
    )
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_events_kind'), ['kind'], unique=False)
    for table in ('submissions', 'safety_nets'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(batch_op.f(f'ix_{table}_state'), ['state'], unique=False)
    # Slot by slot: sorting three years of all models at once would need a gigabyte beside the database.
    connection = op.get_bind()
    for slot in connection.scalars(sa.text("SELECT DISTINCT slot FROM scored_rounds ORDER BY slot")).all():
        connection.execute(FILL, {"slot": slot})


FILL = sa.text(
    "INSERT INTO newest_scores (slot, metric, round_number, day, value, percentile, scored_at)"
    " SELECT slot, metric, round_number, day, value, percentile, scored_at FROM ("
    "SELECT slot, metric, round_number, day, value, percentile, scored_at, row_number() OVER ("
    "PARTITION BY metric, round_number ORDER BY CASE WHEN value IS NULL THEN 1 ELSE 0 END, day DESC) AS place"
    " FROM scores WHERE slot = :slot) AS days WHERE place = 1 ORDER BY metric, round_number"
)
