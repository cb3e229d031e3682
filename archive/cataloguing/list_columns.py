"""The columns that a person chose for their lists: their own, seen by nobody else, and no act on a record."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from archive.database import Database
from archive.errors import NotAllowed
from archive.identity import Identity
from archive.model import ListColumns


class ChosenColumns:
    """Keeps per person and list which columns are shown."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, identity: Identity, name: str) -> tuple[str, ...] | None:
        """Return the columns that the person chose for a list, or None where the standard holds."""
        with self._db.reading() as session:
            found = session.scalar(
                select(ListColumns.columns).where(ListColumns.person_id == identity.person_id, ListColumns.name == name)
            )
        return None if found is None else tuple(found)

    def choose(self, identity: Identity, name: str, columns: Sequence[str] | None) -> None:
        """Keep a person's columns of a list; None brings the standard back.

        Raises:
            NotAllowed: whoever asks is no person.
        """
        if identity.person_id is None:
            raise NotAllowed(act="list.columns")
        with self._db.writing() as work:
            session = work.session
            session.execute(
                delete(ListColumns).where(ListColumns.person_id == identity.person_id, ListColumns.name == name)
            )
            if columns is not None:
                session.add(ListColumns(person_id=identity.person_id, name=name, columns=list(columns)))
            work.commit()
