"""Categories with those above them, by one question: what stands on a category holds for those below it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from archive.model import Category


def with_above(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Return by id these categories and all above them: what is above each, its code, its rule for numbers."""
    if not ids:
        return {}
    return {row.id: row for row in session.connection().execute(_LINES, {"ids": list(ids)})}


def _lines() -> Select[Any]:
    category: Any = Category.__table__
    own = select(category.c.id, category.c.parent_id).where(category.c.id.in_(bindparam("ids", expanding=True)))
    line = own.cte("line", recursive=True)
    line = line.union(select(category.c.id, category.c.parent_id).join(line, category.c.id == line.c.parent_id))
    columns = (category.c.id, category.c.parent_id, category.c.code, category.c.number_rule_id)
    return select(*columns).where(category.c.id.in_(select(line.c.id)))


_LINES = _lines()
