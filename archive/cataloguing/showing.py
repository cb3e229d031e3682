"""Records as people see them: in full for who may read, number and dates for who keeps custody, nothing for others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.cataloguing.order import made_before
from archive.cataloguing.proposals import Proposed, proposed
from archive.closing import is_closed
from archive.database import Database
from archive.files.renditions import RenditionStands, renditions_of
from archive.identity import Identity
from archive.log.readings import Readings
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Category,
    Content,
    ContentState,
    Department,
    File,
    FileRole,
    Fonds,
    Level,
    Loan,
    LoanState,
    Medium,
    NeedToKnowGroup,
    Person,
    Place,
    Record,
    RecordDue,
    RecordKind,
    RecordState,
    RecordSubject,
    ScannedPage,
    ScanState,
    TextState,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault
from archive.scheme.fields import FieldDef, parse_fields
from archive.subject_facts import names_of_subjects

_MOST_DOUBLES = 1_000


@dataclass(frozen=True)
class FileView:
    """A file of a record. ``doubles`` counts other records, visible to this person, with the same bytes.

    ``inside`` is the content that it was taken out of, ``path`` what it was called there; ``members`` counts what was
    taken out of it (None: nothing was), ``members_lost`` what could not be; of a ``deep`` one nothing is taken out.
    ``rendition`` tells whether a searchable one may be made, is being made or is there (None: none can be).
    ``scanned_with`` says which virus scanner looked last (None: none has).
    ``scans`` counts the pages whose words only OCR can find, ``scans_waiting`` those of them that wait for it.
    """

    file_id: UUID
    content_id: UUID | None
    name: str
    role: FileRole
    state: ContentState
    reason: str | None
    media_type: str | None
    pronom: str | None
    macros: bool
    size: int | None
    pages: int | None
    text_state: TextState
    doubles: int
    scans: int = 0
    scans_waiting: int = 0
    virus: str | None = None
    inside: UUID | None = None
    path: str | None = None
    members: int | None = None
    members_lost: int | None = None
    deep: bool = False
    rendition: RenditionStands | None = None
    scanned_with: str | None = None


@dataclass(frozen=True)
class CustodyView:
    """What a custodian, an officer or an auditor sees of a record (C15).

    ``due``: the day on which its term runs out; ``back_by``: until when a paper of it that is lent comes back.
    """

    record_id: UUID
    number: str
    registration_number: str | None
    kind: RecordKind
    state: RecordState
    level: Level
    medium: Medium
    pages: int | None
    created_at: datetime
    filed_at: datetime | None
    due: date | None
    back_by: date | None


@dataclass(frozen=True)
class RecordView:
    """What a reader sees: everything of the description, the files, and which acts are open to them.

    ``successor`` is the fonds that the record's own was joined to; ``proposed`` what waits for those who may describe;
    ``corrections`` those that wait for a decision, the oldest first.
    """

    record: Record
    number: str
    fonds: Fonds
    successor: Fonds | None
    level: Level
    category: Category
    fields: Sequence[tuple[FieldDef, Any]]
    place: Place | None
    place_names: Sequence[Mapping[str, str]]
    department: Department | None
    group: NeedToKnowGroup | None
    named: Sequence[Person]
    subjects: Sequence[str]
    files: Sequence[FileView]
    missing: Sequence[str]
    acts: frozenset[Act]
    proposed: Sequence[Proposed]
    corrections: Sequence[Approval]


@dataclass(frozen=True)
class RecordFilter:
    """Which records; None: all. Fonds and category by their codes; a place takes in what lies below it."""

    fonds: str | None = None
    category: str | None = None
    state: RecordState | None = None
    level: int | None = None
    place: str | None = None

    def conditions(self) -> Sequence[ColumnElement[bool]]:
        """Return it as conditions on records."""
        found: list[ColumnElement[bool]] = []
        if self.fonds is not None:
            found.append(Record.fonds_id.in_(select(Fonds.id).where(Fonds.code == self.fonds)))
        if self.category is not None:
            found.append(Record.category_id.in_(select(Category.id).where(Category.code == self.category)))
        if self.state is not None:
            found.append(Record.state == self.state)
        if self.level is not None:
            found.append(Record.level_rank == self.level)
        if self.place is not None:
            found.append(Record.place_path.startswith(self.place.strip("/") + "/", autoescape=True))
        return found


class RecordReader:
    """Shows records. An opening of a record is logged once per person and half hour."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, readings: Readings) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._readings = readings

    def show(self, identity: Identity, record_id: UUID) -> RecordView | CustodyView:
        """Show one record.

        Raises:
            NotFound: there is none that this person may read or keep custody of.
        """
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.SEE, record_id)
            named = people_named(session, [record.id]).get(record.id, [])
            facts = facts_of(record, named)
            reach = self._guard.reach(session, identity)
            readable = holds(condition(Act.READ, reach), facts)
            view: RecordView | CustodyView = (
                self._full(session, identity, record, named, self._guard.acts(reach, facts))
                if readable
                else _custody(session, record)
            )
        act = "record.read" if readable else "record.custody"
        self._readings.note_once(identity, act, record_id, record=record_id)
        return view

    def list(
        self,
        identity: Identity,
        *,
        state: RecordState | None = None,
        created_by: UUID | None = None,
        after: tuple[datetime, UUID] | None = None,
        limit: int = 50,
    ) -> Sequence[Record]:
        """Return readable records, newest first, beginning behind the one made at ``after`` with that id."""
        with self._db.reading() as session:
            query = self._guard.visible(session, identity).order_by(Record.created_at.desc(), Record.id.desc())
            if state is not None:
                query = query.where(Record.state == state)
            if created_by is not None:
                query = query.where(Record.created_by == created_by)
            if after is not None:
                query = query.where(made_before(after))
            return session.scalars(query.limit(limit)).all()

    def page(
        self, identity: Identity, wanted: RecordFilter, *, after: UUID | None = None, limit: int = 50
    ) -> Sequence[Record]:
        """Return the readable records that are wanted, newest first, beginning behind the id ``after``."""
        with self._db.reading() as session:
            query = self._guard.visible(session, identity).where(*wanted.conditions()).order_by(Record.id.desc())
            if after is not None:
                query = query.where(Record.id < after)
            return session.scalars(query.limit(limit)).all()

    def _full(
        self, session: Session, identity: Identity, record: Record, named: Sequence[UUID], acts: frozenset[Act]
    ) -> RecordView:
        fonds, category, level, department, group = session.execute(_AROUND, {"record": record.id}).one()
        protected = describing.opened(self._vault, session, record)
        values = {**record.fields, **protected}
        places = _places(session, record)
        subject_ids = session.connection().execute(_SUBJECTS, {"record": record.id}).scalars()
        people = select(Person).where(Person.id.in_(named)).order_by(Person.name)
        joined = fonds.successor_id and is_closed(fonds.closed_on, self._guard.day())
        return RecordView(
            record=record,
            number=number_of(record),
            fonds=fonds,
            successor=session.get(Fonds, fonds.successor_id) if joined else None,
            level=level,
            category=category,
            fields=[(f, values[f.name]) for f in parse_fields(category.fields) if values.get(f.name) is not None],
            place=places[-1] if places else None,
            place_names=[place.names for place in places],
            department=department,
            group=group,
            named=session.scalars(people).all() if named else (),
            subjects=names_of_subjects(session, self._vault, list(subject_ids)),
            files=self._files(session, identity, record),
            missing=describing.missing(record, category, protected),
            acts=acts,
            proposed=self._proposed(session, record, category, values) if Act.DESCRIBE in acts else (),
            corrections=_corrections(session, record) if record.state is RecordState.FILED else (),
        )

    def _proposed(
        self, session: Session, record: Record, category: Category, values: Mapping[str, Any]
    ) -> Sequence[Proposed]:
        """Return what waits for whoever describes the record; a filed one is fixed."""
        if record.state is not RecordState.PROVISIONAL:
            return ()
        return proposed(session, self._vault, record, category, values)

    def _files(self, session: Session, identity: Identity, record: Record) -> Sequence[FileView]:
        rows = session.execute(_FILES, {"record": record.id}).all()
        if not rows:
            return ()
        scans = _scans(session, record.id)
        doubles = self._doubles(session, identity, record)
        views = []
        renditions = renditions_of(session, [content for _, content in rows])
        inner = {file.content_id for file, _ in rows if file.inside_id}
        for file, content in rows:
            if content.state is not ContentState.RECEIVING and content.id != file.content_id:
                continue  # replaced by a later content
            views.append(
                FileView(
                    file.id, content.id, file.name, file.role, content.state, content.reason, content.media_type,
                    content.pronom, content.macros, content.size, content.pages, content.text_state,
                    doubles.get(content.plain_sha256 or "", 0),
                    *scans.get(content.id, (0, 0)),
                    content.virus,
                    file.inside_id, file.inside_path, content.members, content.members_lost, file.inside_id in inner,
                    renditions.get(content.id), content.scanned_with,
                )
            )  # fmt: skip
        return views

    def _doubles(self, session: Session, identity: Identity, record: Record) -> Mapping[str, int]:
        """Count by hash the other records, visible to this person, that hold the bytes of one of the record's files."""
        same = session.connection().execute(_SAME_BYTES, {"record": record.id})
        found = {(digest, other) for digest, other in same}
        if not found:
            return {}
        others = self._guard.visible(session, identity).where(Record.id.in_({other for _, other in found}))
        visible = {row.id for row in session.scalars(others)}
        return Counter(digest for digest, other in found if other in visible and digest)


def number_of(record: Record) -> str:
    """Return the number a person knows the record by: archive number, or a short provisional mark before filing."""
    return record.archive_number or f"~{record.id.hex[-8:]}"


def _corrections(session: Session, record: Record) -> Sequence[Approval]:
    waiting = (
        Approval.record_id == record.id,
        Approval.state == ApprovalState.ASKED,
        Approval.kind == ApprovalKind.CORRECTION,
    )
    return session.scalars(select(Approval).where(*waiting).order_by(Approval.asked_at, Approval.id)).all()


def _scans(session: Session, record_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Return for each content with scanned pages how many it has, and how many wait to be read."""
    counted = session.connection().execute(_SCANS, {"record": record_id})
    return {content: (count, left) for content, count, left in counted}


def _custody(session: Session, record: Record) -> CustodyView:
    due = select(RecordDue.due).where(RecordDue.record_id == record.id)
    lent = select(func.min(Loan.due_on)).where(
        Loan.record_id == record.id, Loan.state == LoanState.OPEN, Loan.copy_id.is_not(None)
    )
    return CustodyView(
        record.id, number_of(record), record.registration_number, record.kind, record.state,
        session.get_one(Level, record.level_rank), record.medium, record.pages, record.created_at, record.filed_at,
        session.scalar(due), session.scalar(lent),
    )  # fmt: skip


def _places(session: Session, record: Record) -> Sequence[Place]:
    """Return the places from the project down to the record's own; the path of each begins with that of the last."""
    if record.place_id is None or record.place_path is None:
        return ()
    steps = record.place_path.strip("/").split("/")
    paths = ["/".join(steps[: at + 1]) + "/" for at in range(len(steps))]
    query = select(Place).where(Place.fonds_id == record.fonds_id, Place.path.in_(paths))
    return session.scalars(query.order_by(func.length(Place.path))).all()


# Built once: to build a question takes longer than to have it answered.
_SUBJECTS = select(RecordSubject.subject_id).where(RecordSubject.record_id == bindparam("record"))
_FILES = (
    select(File, Content)
    .join(Content, Content.file_id == File.id)
    .where(File.record_id == bindparam("record"))
    .order_by(File.position, Content.created_at)
)
_SCANS = (
    select(ScannedPage.content_id, func.count(), func.count().filter(ScannedPage.state == ScanState.WAITING))
    .join(Content, Content.id == ScannedPage.content_id)
    .where(Content.record_id == bindparam("record"))
    .group_by(ScannedPage.content_id)
)
_SAME_BYTES = (
    select(Content.plain_sha256, Content.record_id)
    .where(
        Content.plain_sha256.in_(
            select(Content.plain_sha256).where(
                Content.record_id == bindparam("record"), Content.plain_sha256.is_not(None)
            )
        ),
        Content.record_id != bindparam("record"),
    )
    .limit(_MOST_DOUBLES)
)
_AROUND = (
    select(Fonds, Category, Level, Department, NeedToKnowGroup)
    .select_from(Record)
    .join(Fonds, Fonds.id == Record.fonds_id)
    .join(Category, Category.id == Record.category_id)
    .join(Level, Level.rank == Record.level_rank)
    .outerjoin(Department, Department.id == Record.department_id)
    .outerjoin(NeedToKnowGroup, NeedToKnowGroup.id == Record.group_id)
    .where(Record.id == bindparam("record"))
)
"""What a record's page names around it, by one question."""
