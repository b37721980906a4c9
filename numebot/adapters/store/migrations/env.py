"""Alembic's entry: the connection is handed in, with its transaction already begun (see ..engine.upgrade)."""

from alembic import context

from numebot.adapters.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
