"""The tree of categories: what stands above and below, and what hangs on one."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from archive.database import Base
from archive.model import ApprovalState, Category, CategoryVersion, ScheduleDraft

_ABOVE = select(Category.id, Category.parent_id)


def parents(session: Session) -> Mapping[UUID, UUID | None]:
    """Return of every category the one above it."""
    above: dict[UUID, UUID | None] = dict(session.connection().execute(_ABOVE).all())
    return above


def below(category: UUID) -> Select[tuple[UUID]]:
    """Return a query for the ids of a category and of all below it."""
    top = select(Category.id).where(Category.id == category).cte("below", recursive=True)
    return select(top.union(select(Category.id).join(top, Category.parent_id == top.c.id)).c.id)


def in_use(session: Session, category: UUID) -> bool:
    """Return whether anything but its own versions names a category: a row, or a schedule's draft that waits."""
    named = (
        key.parent
        for table in Base.metadata.tables.values()
        if table is not CategoryVersion.__table__
        for key in table.foreign_keys
        if key.column is Category.__table__.c.id
    )
    drafts = session.scalars(select(ScheduleDraft.categories).where(ScheduleDraft.state == ApprovalState.ASKED))
    return any(str(category) in each for each in drafts) or any(
        session.scalar(select(column).where(column == category).limit(1)) is not None for column in named
    )
