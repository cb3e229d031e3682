"""The tree of categories: what stands above and below."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from archive.model import Category

_ABOVE = select(Category.id, Category.parent_id)


def parents(session: Session) -> Mapping[UUID, UUID | None]:
    """Return of every category the one above it."""
    above: dict[UUID, UUID | None] = dict(session.connection().execute(_ABOVE).all())
    return above


def below(category: UUID) -> Select[tuple[UUID]]:
    """Return a query for the ids of a category and of all below it."""
    top = select(Category.id).where(Category.id == category).cte("below", recursive=True)
    return select(top.union(select(Category.id).join(top, Category.parent_id == top.c.id)).c.id)
