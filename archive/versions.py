"""What a house keeps in versions under codes, beside what is shipped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.database import Base
from archive.errors import Conflict

_Row = TypeVar("_Row", bound=Base)
_What = TypeVar("_What")


def newest(session: Session, table: type[_Row]) -> Mapping[str, _Row]:
    """Return the newest version of each code of a table that has ``code`` and ``version``."""
    columns: Any = table
    top = select(columns.code, func.max(columns.version).label("version")).group_by(columns.code).subquery()
    on = (columns.code == top.c.code) & (columns.version == top.c.version)
    return {row.code: row for row in session.scalars(select(columns).join(top, on))}


def offered(
    session: Session, table: type[Any], shipped: Mapping[str, _What], parse: Callable[[Any], _What]
) -> Mapping[str, tuple[_What, int, bool]]:
    """Return what is offered now, by code, with its version and whether it is the house's own.

    The shipped ones come first (version 0: changed by nobody), then the house's. A newest row without a ``body`` has
    taken back what the house made.
    """
    rows = newest(session, table)
    found = {}
    for code in [*shipped, *sorted(rows.keys() - shipped.keys())]:
        row = rows.get(code)
        if row is not None and row.body is not None:
            found[code] = parse(row.body), row.version, True
        elif code in shipped:
            found[code] = shipped[code], row.version if row else 0, False
    return found


def versions_of(session: Session, table: type[_Row], code: str) -> Sequence[_Row]:
    """Return every version of a code that the house made, the newest first."""
    columns: Any = table
    return session.scalars(select(table).where(columns.code == code).order_by(columns.version.desc())).all()


def require_newest(session: Session, table: type[Any], code: str, base: int, what: str) -> None:
    """Let only who started from the newest version (0: none was made) make the next. Raises ``Conflict``."""
    last = session.scalar(select(func.max(table.version)).where(table.code == code))
    if (last or 0) != base:
        raise Conflict(what=what)
