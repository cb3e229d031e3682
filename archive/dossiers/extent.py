"""How far dossiers reach: how many volumes 册 their items lie in, and from which year to which these are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from archive.model import Record


@dataclass(frozen=True)
class Extent:
    """How far a dossier reaches, or an item alone. ``first`` and ``last`` are years; None: no date is known."""

    volumes: int = 1
    first: int | None = None
    last: int | None = None


def extents(session: Session, dossiers: Collection[UUID], *which: ColumnElement[bool]) -> Mapping[UUID, Extent]:
    """Return how far dossiers reach that hold items (of those that fit ``which``, if that is given)."""
    if not dossiers:
        return {}
    inside = select(
        Record.dossier_id, func.max(Record.volume), func.min(Record.drawn_from), func.max(Record.drawn_to)
    ).where(Record.dossier_id.in_(dossiers), *which)
    return {
        key: Extent(volumes or 1, since.year if since else None, until.year if until else None)
        for key, volumes, since, until in session.execute(inside.group_by(Record.dossier_id))
        if key
    }
