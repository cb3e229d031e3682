"""What a dossier 案卷 holds, in order, as one person sees it: places and page numbers are counted over what they see.

So no gap in either tells of an item that is hidden from them. Who sees all sees the numbers that stand on the paper.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from archive.database import Base, Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.model import Medium, Record, RecordKind, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.policy.sql import where

OFFERED = 100
"""Dossiers to choose from."""

_IS_DOSSIER = Record.kind == literal_column("'dossier'")  # spelt out: a partial index is found by it
_TABLE = Base.metadata.tables["record"]
_SHOWN = [
    _TABLE.c[name]
    for name in (
        "id", "archive_number", "title", "responsible", "drawn_up", "pages", "medium", "level_rank", "state", "notes",
        "fields", "position", "volume", "version",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a dossier, as it stands in the contents list 卷内目录.

    ``place`` counts from 1 over what this person sees, ``volume`` likewise (None: not divided). ``first`` and ``last``
    are its page numbers: each volume begins at 1. They are None where the item has no pages that are counted, and from
    an item on paper whose pages nobody has counted to the end of its volume.
    """

    record_id: UUID
    place: int
    number: str | None
    document_number: str | None
    title: str
    responsible: str | None
    drawn_up: str | None
    pages: int | None
    first: int | None
    last: int | None
    medium: Medium
    level_rank: int
    state: RecordState
    volume: int | None
    notes: str | None
    version: int


@dataclass(frozen=True)
class Contents:
    """A dossier and what this person sees of its items, in order."""

    dossier: Record
    entries: Sequence[Entry]

    @property
    def volumes(self) -> int:
        """How many volumes this person sees; 1 where it is not divided."""
        return self.entries[-1].volume or 1 if self.entries else 1

    @property
    def pages(self) -> int:
        """How many pages all items have, as far as they are counted."""
        return sum(entry.pages or 0 for entry in self.entries)


class Dossiers:
    """Shows dossiers. Whoever may read a dossier sees those of its items that they may read."""

    def __init__(self, db: Database, guard: Guard) -> None:
        self._db = db
        self._guard = guard

    def contents(self, identity: Identity, dossier_id: UUID) -> Contents:
        """Return a dossier with its items in order.

        Raises:
            NotFound: there is none that this person may see.
            NotAllowed: they keep custody of it, and may not read it.
            InvalidInput: it is an item.
        """
        with self._db.reading() as session:
            return self.contents_in(session, identity, dossier_id)

    def contents_in(self, session: Session, identity: Identity, dossier_id: UUID) -> Contents:
        """As ``contents``, inside the caller's transaction."""
        dossier = self._guard.require(session, identity, Act.READ, dossier_id)
        check_dossier(dossier)
        return Contents(dossier, numbered(self.seen(session, identity, dossier_id)))

    def seen(self, session: Session, identity: Identity, dossier_id: UUID) -> Sequence[Any]:
        """Return the rows of a dossier's items that ``identity`` may read, in order."""
        may_read = where(condition(Act.READ, self._guard.reach(session, identity)))
        query = select(*_SHOWN).where(Record.dossier_id == dossier_id, may_read).order_by(Record.position)
        return session.connection().execute(query).all()

    def lies_in(self, identity: Identity, item: Record) -> tuple[Record, int] | None:
        """Return the dossier that an item lies in, if this person may read it, and the place among what they see."""
        if item.dossier_id is None:
            return None
        with self._db.reading() as session:
            query = self._guard.visible(session, identity).where(Record.id == item.dossier_id)
            dossier = session.scalars(query).one_or_none()
            if dossier is None:
                return None
            may_read = where(condition(Act.READ, self._guard.reach(session, identity)))
            before = select(func.count()).where(
                Record.dossier_id == dossier.id, Record.position <= item.position, may_read
            )
            return dossier, session.scalar(before) or 1

    def offered(self, identity: Identity, fonds_id: UUID, *, but: UUID | None = None) -> Sequence[Record]:
        """Return the newest dossiers of a fonds that this person may arrange, to choose one from."""
        with self._db.reading() as session:
            query = self._guard.visible(session, identity, Act.ARRANGE)
            query = query.where(_IS_DOSSIER, Record.fonds_id == fonds_id, *([Record.id != but] if but else []))
            return session.scalars(query.order_by(Record.created_at.desc()).limit(OFFERED)).all()


def check_dossier(record: Record) -> None:
    """Refuse what is no dossier.

    Raises:
        InvalidInput: field ``dossier``.
    """
    if record.kind is not RecordKind.DOSSIER:
        raise InvalidInput(Fault("dossier", "no_dossier"))


def numbered(rows: Iterable[Any]) -> list[Entry]:
    """Count places, volumes and pages over rows in their order."""
    entries: list[Entry] = []
    volume, stored, page = 0, None, 1
    counting: int | None = page
    for place, row in enumerate(rows, 1):
        if not entries or row.volume != stored:
            volume, stored, counting = volume + 1, row.volume, 1
        first, last, counting = _pages(row, counting)
        entries.append(
            Entry(
                row.id, place, row.archive_number, row.fields.get("document_number"), row.title, row.responsible,
                row.drawn_up, row.pages, first, last, row.medium, row.level_rank, row.state, volume, row.notes,
                row.version,
            )
        )  # fmt: skip
    if volume == 1:  # one volume is none
        return [replace(entry, volume=None) for entry in entries]
    return entries


def _pages(row: Any, counting: int | None) -> tuple[int | None, int | None, int | None]:
    """Return the first and last page number of an item, and the one that follows (None: it cannot be told)."""
    if counting is None or (row.pages is None and row.medium is not Medium.ELECTRONIC):
        return None, None, None
    if not row.pages:
        return None, None, counting
    return counting, counting + row.pages - 1, counting + row.pages
