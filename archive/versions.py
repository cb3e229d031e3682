"""What a house keeps in versions under codes, beside what is shipped."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.database import Base

_Row = TypeVar("_Row", bound=Base)


def newest(session: Session, table: type[_Row]) -> Mapping[str, _Row]:
    """Return the newest version of each code of a table that has ``code`` and ``version``."""
    columns: Any = table
    top = select(columns.code, func.max(columns.version).label("version")).group_by(columns.code).subquery()
    on = (columns.code == top.c.code) & (columns.version == top.c.version)
    return {row.code: row for row in session.scalars(select(columns).join(top, on))}
