"""What a person may see of chosen records, as forms need it: the one query behind every form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.dossiers.extent import Extent, extents
from archive.house.levels import mark as level_mark
from archive.model import Content, ContentState, House, Record, RecordKind
from archive.policy.rules import Act
from web.filters import shape
from web.prints.papers import Paper, span
from web.services import identity, services
from web.words import day, named

OPEN_RANK = 2
"""What lies open says of a record above this level, and under need-to-know, its number and level alone."""


@dataclass(frozen=True)
class Chosen:
    """Records that were chosen, as far as the person sees them, by number: items and dossiers."""

    items: Sequence[Paper]
    dossiers: Sequence[Paper]

    @property
    def papers(self) -> list[Paper]:
        """All of them, dossiers first."""
        return [*self.dossiers, *self.items]


def gathered(ids: Collection[UUID], locale: str) -> Chosen:
    """Return what the person may see of records: in full what they may read, number and level of what they keep."""
    if not ids:
        return Chosen([], [])
    guard = services().guard
    with services().db.reading() as session:
        read = session.scalars(guard.visible(session, identity()).where(Record.id.in_(ids))).all()
        kept_only = set(ids) - {record.id for record in read}
        custody = guard.visible(session, identity(), Act.CUSTODY).where(Record.id.in_(kept_only))
        kept = session.scalars(custody).all() if kept_only else []
        sizes = _sizes(session, [record.id for record in read])
        reach = extents(
            session,
            [each.id for each in read if each.kind is RecordKind.DOSSIER],
            Record.id.in_(guard.visible(session, identity()).with_only_columns(Record.id)),
        )
    naming = _Naming([*read, *kept], locale)
    found = [naming.paper(each, sizes.get(each.id, 0), reach.get(each.id, Extent())) for each in read]
    found += [naming.bare(each) for each in kept]
    found.sort(key=lambda each: (each.fonds, each.number == "", each.number, each.id))
    return Chosen([each for each in found if not each.dossier], [each for each in found if each.dossier])


def house_name(locale: str) -> str:
    """Return what the house is called."""
    with services().db.reading() as session:
        return named(session.scalar(select(House.names)), locale)


class _Naming:
    """Turns rows into papers, with names looked up together."""

    def __init__(self, records: Sequence[Record], locale: str) -> None:
        directory = services().directory
        self._locale = locale
        self._levels = directory.levels()
        self._zone = services().zone()
        self._names = directory.coded_names(
            {row.category_id for row in records},
            {row.fonds_id for row in records},
            {row.department_id for row in records if row.department_id},
        )

    def bare(self, record: Record) -> Paper:
        """Return what custody shows."""
        level = self._levels[record.level_rank]
        return Paper(
            number=record.archive_number or record.registration_number or "", level_rank=record.level_rank,
            level=level_mark(level, self._locale), shape=shape(level.symbol), fonds=self._names[record.fonds_id][0],
            dossier=record.kind is RecordKind.DOSSIER, open=False, id=str(record.id),
            volumes=int(record.kind is not RecordKind.DOSSIER),
        )  # fmt: skip

    def paper(self, record: Record, size: int, reach: Extent) -> Paper:
        """Return a record in full."""
        number = record.fields.get("document_number")
        return replace(
            self.bare(record), number=record.archive_number or "",
            open=record.level_rank <= OPEN_RANK and record.group_id is None,
            fonds_name=named(self._names[record.fonds_id][1], self._locale), title=record.title,
            registration=record.registration_number or "", document_number="" if number is None else str(number),
            responsible=record.responsible or "", drawn_up=record.drawn_up or "",
            category=named(self._names[record.category_id][1], self._locale),
            department=named(self._names[record.department_id][1], self._locale) if record.department_id else "",
            term=record.term, pages=record.pages, medium=record.medium.value, notes=record.notes or "",
            filed=day(record.filed_at, self._zone), size=size, volumes=reach.volumes,
            inside=str(record.dossier_id or ""), years=span(str(each or "") for each in (reach.first, reach.last)),
        )  # fmt: skip


def _sizes(session: Session, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return the bytes of the files of records."""
    total = func.sum(Content.size)
    query = select(Content.record_id, total).where(Content.record_id.in_(ids), Content.state == ContentState.STORED)
    return {record_id: int(size or 0) for record_id, size in session.execute(query.group_by(Content.record_id))}
