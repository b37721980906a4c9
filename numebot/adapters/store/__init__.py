"""The database behind one door: SQLAlchemy tables, Alembic migrations, queries."""

from numebot.adapters.store.store import Store

__all__ = ["Store"]
