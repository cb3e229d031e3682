"""Alembic's way into our tables. Migrations go forward only."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

import archive.model  # noqa: F401  (registers every table)
from archive.database import Base, Id, Moment


def render_item(kind: str, value: object, autogen: Any) -> str | bool:
    """Write our own column types by name."""
    if kind == "type" and isinstance(value, Id | Moment):
        autogen.imports.add("from archive.database import Id, Moment")
        return f"{type(value).__name__}()"
    return False


def run(connection: Connection) -> None:
    """Run the migrations over one connection, each in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine("sqlite://").connect() as scratch:
        run(scratch)
