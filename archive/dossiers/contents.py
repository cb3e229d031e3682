"""What a dossier 案卷 holds, in order, as one person sees it: places and page numbers are counted over what they see.

So no gap in either tells of an item that is hidden from them. Who sees all sees the numbers that stand on the paper.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
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

_AT_ONCE = 500

OFFERED = 100
"""Dossiers to choose from."""

_IS_DOSSIER = Record.kind == literal_column("'dossier'")  # spelt out: a partial index is found by it
_TABLE = Base.metadata.tables["record"]
_COUNTED = [_TABLE.c[name] for name in ("id", "pages", "medium", "state", "volume")]
_SHOWN = [
    _TABLE.c[name]
    for name in (
        "id", "archive_number", "title", "responsible", "drawn_up", "pages", "medium", "level_rank", "state", "notes",
        "fields", "version",
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


class _Stood(NamedTuple):
    """Where an item stands, for one person: all that is counted over what they see."""

    record_id: UUID
    place: int
    first: int | None
    last: int | None
    volume: int
    state: RecordState


@dataclass(frozen=True)
class Contents:
    """A dossier and what this person sees of its items, in order; ``entries`` are those that were asked for.

    ``total`` counts all that they see, ``pages`` their pages as far as they are counted, ``volumes`` from 1. Up to the
    place ``fixed`` (0: none) nothing moves any more, because the dossier is filed.
    """

    dossier: Record
    entries: Sequence[Entry]
    total: int
    pages: int
    volumes: int
    fixed: int


class Dossiers:
    """Shows dossiers. Whoever may read a dossier sees those of its items that they may read."""

    def __init__(self, db: Database, guard: Guard) -> None:
        self._db = db
        self._guard = guard

    def contents(self, identity: Identity, dossier_id: UUID, *, begins: int = 0, limit: int | None = None) -> Contents:
        """Return a dossier with its items in order: all, or ``limit`` of them behind the first ``begins``.

        Raises:
            NotFound: there is none that this person may see.
            NotAllowed: they keep custody of it, and may not read it.
            InvalidInput: it is an item.
        """
        with self._db.reading() as session:
            return self.contents_in(session, identity, dossier_id, begins=begins, limit=limit)

    def contents_in(
        self, session: Session, identity: Identity, dossier_id: UUID, *, begins: int = 0, limit: int | None = None
    ) -> Contents:
        """As ``contents``, inside the caller's transaction."""
        dossier = self._guard.require(session, identity, Act.READ, dossier_id)
        check_dossier(dossier)
        rows = self._rows(session, identity, dossier_id, _COUNTED)
        line = _counted(rows)
        wanted = line[begins:] if limit is None else line[begins : begins + limit]
        filed = [each.place for each in line if each.state is RecordState.FILED]
        volumes = line[-1].volume if line else 1
        return Contents(
            dossier,
            _entries(session, wanted, divided=volumes > 1),
            len(line),
            sum(row.pages or 0 for row in rows),
            volumes,
            filed[-1] if filed and dossier.state is RecordState.FILED else 0,
        )

    def seen(self, session: Session, identity: Identity, dossier_id: UUID) -> list[UUID]:
        """Return a dossier's items that ``identity`` may read, in order. Asks nothing of the dossier."""
        return [row.id for row in self._rows(session, identity, dossier_id, _COUNTED[:1])]

    def _rows(self, session: Session, identity: Identity, dossier_id: UUID, columns: Sequence[Any]) -> Sequence[Any]:
        may_read = where(condition(Act.READ, self._guard.reach(session, identity)))
        query = select(*columns).where(Record.dossier_id == dossier_id, may_read).order_by(Record.position)
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


def _counted(rows: Iterable[Any]) -> list[_Stood]:
    """Count places, volumes and pages over rows in their order."""
    line: list[_Stood] = []
    volume, stored = 0, None
    counting: int | None = 1
    for place, row in enumerate(rows, 1):
        if not line or row.volume != stored:
            volume, stored, counting = volume + 1, row.volume, 1
        first, last, counting = _pages(row, counting)
        line.append(_Stood(row.id, place, first, last, volume, row.state))
    return line


def _entries(session: Session, line: Sequence[_Stood], *, divided: bool) -> list[Entry]:
    """Read the rest of what an entry shows."""
    found: dict[UUID, Any] = {}
    for at in range(0, len(line), _AT_ONCE):
        ids = [each.record_id for each in line[at : at + _AT_ONCE]]
        query = select(*_SHOWN).where(Record.id.in_(ids))
        found |= {row.id: row for row in session.connection().execute(query)}
    entries = []
    for record_id, place, first, last, volume, state in line:
        row = found[record_id]
        entries.append(
            Entry(
                record_id, place, row.archive_number, row.fields.get("document_number"), row.title, row.responsible,
                row.drawn_up, row.pages, first, last, row.medium, row.level_rank, state, volume if divided else None,
                row.notes, row.version,
            )
        )  # fmt: skip
    return entries


def _pages(row: Any, counting: int | None) -> tuple[int | None, int | None, int | None]:
    """Return the first and last page number of an item, and the one that follows (None: it cannot be told)."""
    if counting is None or (row.pages is None and row.medium is not Medium.ELECTRONIC):
        return None, None, None
    if not row.pages:
        return None, None, counting
    return counting, counting + row.pages - 1, counting + row.pages
