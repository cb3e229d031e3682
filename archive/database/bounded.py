"""Counting no further than anybody reads the digits."""

from typing import Any

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import Session


def count_up_to(session: Session, query: Select[Any], most: int) -> int:
    """Count the rows of a query, up to one more than ``most``: as soon as these are found, the database stops."""
    row: Select[Any] = query.order_by(None).with_only_columns(literal_column("1"), maintain_column_froms=True)
    some = row.limit(most + 1).subquery()  # no row is read whole
    return session.scalar(select(func.count()).select_from(some)) or 0
