"""Records: catalogued, described, put into the bin, shown.

Every method takes the identity first and checks it first, works in one transaction, and writes the log in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.cataloguing import describing, proposals
from archive.cataloguing.describing import Draft
from archive.clock import Clock
from archive.database import Base, Database, Work
from archive.dates import parse_civil
from archive.dossiers import level as dossier_level
from archive.dossiers import order as dossier_order
from archive.errors import Ambiguous, ArchiveError, Conflict, Fault, InvalidInput, NotAllowed, WrongState
from archive.fence import raise_fence
from archive.files.pairing import meet, meet_new
from archive.house.need_to_know import group_of
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    JobKind,
    Record,
    RecordPerson,
    RecordState,
    RecordSubject,
)
from archive.numbering.lookup import holders
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition, may_set_level
from archive.ports import Vault

CHANGEABLE = frozenset(
    (
        "title", "responsible", "drawn_up", "place_id", "department_id", "term", "pages", "medium",
        "material", "keywords", "importance", "fields", "notes", "category_id", "secrecy_person_id",
    )
)  # fmt: skip
"""What ``describe`` may change; level, state and numbers change by acts of their own."""

FENCED = ("category_id", "place_id", "department_id")
"""Facts that decide who may read: until a change of one is indexed, search leaves the record out."""

NO_RECORD = UUID(int=0)
"""An id that no record has."""

_RECORD = insert(Base.metadata.tables["record"])
"""Into the table itself: through the mapper it takes twice as long."""

_NEW = {"state": RecordState.PROVISIONAL, "drawn_up_proposed": False, "uses": 0, "indexed_in": [], "version": 1}


class RecordService:
    """The acts on descriptions."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def create(self, identity: Identity, draft: Draft) -> UUID:
        """Catalogue one record; it is provisional until it is filed.

        Raises:
            InvalidInput: names each field at fault.
            NotAllowed: the person may not create such a record here.
        """
        return self.create_many(identity, [draft])[0]

    def faults_of(self, draft: Draft) -> Sequence[Fault]:
        """Return every fault of a draft, as ``create`` would name them; nothing is written."""
        with self._db.reading() as session:
            try:
                describing.describe(describing.Catalogue(session, self._guard.day(), [draft]), draft)
            except InvalidInput as error:
                return error.faults
        return ()

    def create_many(self, identity: Identity, drafts: Sequence[Draft]) -> list[UUID]:
        """Catalogue many records in one short transaction (at most about 200 at a time): all or none."""
        with self._guard.refusals(identity), self._db.writing() as work:
            ids = self.insert(work, identity, drafts)
            work.commit()
        failpoints.reach("record.created")
        return ids

    def insert(self, work: Work, identity: Identity, drafts: Sequence[Draft]) -> list[UUID]:
        """Do the work of ``create_many`` inside the caller's transaction."""
        session = work.session
        reach = self._guard.reach(session, identity)
        allowed = condition(Act.CREATE, reach)
        now = self._clock.now()
        catalogue = describing.Catalogue(session, today := self._guard.day(), drafts)
        described = [describing.describe(catalogue, draft) for draft in drafts]
        for item in described:
            if not holds(allowed, item.facts(identity)):
                raise NotAllowed(act=Act.CREATE.value)
        apart = {(item.draft.named, item.level_rank): item for item in described if item.draft.group_id}
        for item in apart.values():
            self._someone_reads(session, item.draft.named, item.facts(identity))
        ids = [new_id() for _ in described]
        self._vault.add_owners(session, [(key, item.due_year(today)) for key, item in zip(ids, described, strict=True)])
        protected = describing.sealed(self._vault, session, ids, described)
        rows = [
            _NEW
            | item.row()
            | {"id": key, "sealed_fields": sealed, "created_at": now, "created_by": identity.person_id}
            for key, item, sealed in zip(ids, described, protected, strict=True)
        ]
        session.connection().execute(_RECORD, rows)
        self._insert_links(session, ids, drafts)
        meet_new(session, rows)
        self._log.note_many(
            session, identity, "record.create", [(key, {"title": d.title}) for key, d in zip(ids, drafts, strict=True)]
        )
        self._outbox.add_many(work, JobKind.INDEX, ids)
        return ids

    @staticmethod
    def _insert_links(session: Session, ids: Sequence[UUID], drafts: Sequence[Draft]) -> None:
        named = [{"record_id": key, "person_id": p} for key, d in zip(ids, drafts, strict=True) for p in d.named]
        if named:
            session.execute(insert(RecordPerson), named)
        hung = [{"record_id": key, "subject_id": s} for key, d in zip(ids, drafts, strict=True) for s in d.subjects]
        if hung:
            session.execute(insert(RecordSubject), hung)

    def describe(self, identity: Identity, record_id: UUID, changes: Mapping[str, Any], version: int) -> None:
        """Change a provisional record's description. Nothing is written when one field is at fault.

        A value that was proposed for the record is taken by this; the log names the rule that found it.

        Raises:
            Conflict: the record changed since ``version`` was read.
            WrongState: the record is filed; it changes only by an approved correction.
        """
        unknown = set(changes) - CHANGEABLE
        if unknown:
            raise InvalidInput(*(describing.fault(name, "unknown_field") for name in sorted(unknown)))
        with self._guard.refusals(identity), self._db.writing() as work:
            self.describe_in(work, identity, record_id, changes, version)
            work.commit()

    def describe_in(
        self, work: Work, identity: Identity, record_id: UUID, changes: Mapping[str, Any], version: int
    ) -> None:
        """As ``describe`` with known names, in the caller's transaction."""
        session = work.session
        record = self._provisional(session, identity, Act.DESCRIBE, record_id, version)
        before = self.draft_of(session, record)
        draft = replace(before, **describing.typed(changes))
        item = describing.describe(describing.Catalogue(session, self._guard.day()), draft)
        if not holds(condition(Act.CREATE, self._guard.reach(session, identity)), item.facts(identity)):
            raise NotAllowed(act=Act.DESCRIBE.value)
        self.take_over(session, record, before, item)
        record.drawn_up_proposed = record.drawn_up_proposed and "drawn_up" not in changes
        values = {**item.ordinary, **item.protected}
        body: dict[str, Any] = {"before": _plain(before, changes), "after": _plain(draft, changes)}
        if taken := proposals.confirm(session, self._vault, record, values, list(changes)):
            body["proposed"] = taken
        self.changed(work, identity, record, "record.describe", body)
        meet(session, [record.id])

    def take_over(self, session: Session, record: Record, before: Draft, item: describing.Described) -> None:
        """Write a checked description into its record, in the caller's transaction. Asks nobody: the caller has."""
        for name, value in item.row().items():
            setattr(record, name, value)
        record.sealed_fields = describing.sealed(self._vault, session, [record.id], [item])[0]
        self._vault.regroup(session, [(record.id, item.due_year(self._guard.day()))])
        if any(getattr(before, name) != getattr(item.draft, name) for name in FENCED):
            raise_fence(session, "record", str(record.id), self._clock.now())

    def propose_dates(self, identity: Identity, dates: Mapping[UUID, str]) -> None:
        """Propose a drawn-up date for provisional records that have none; it is marked as proposed until changed."""
        if not dates:
            return
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            for refused in dates.keys() - self._guard.allowed(session, identity, dates, Act.DESCRIBE):
                self._guard.require(session, identity, Act.DESCRIBE, refused)  # says no in the right way
            undated = select(Record).where(
                Record.id.in_(dates), Record.drawn_up.is_(None), Record.state == RecordState.PROVISIONAL
            )
            bodies = {}
            for record in session.scalars(undated.order_by(Record.id)):
                drawn = parse_civil(dates[record.id])
                record.drawn_up, record.drawn_from, record.drawn_to = drawn.text, drawn.first, drawn.last
                record.drawn_up_proposed = True
                record.version += 1
                bodies[record.id] = {"after": drawn.text}
            session.flush()
            self._log.note_many(session, identity, "record.propose_date", list(bodies.items()))
            self._outbox.add_many(work, JobKind.INDEX, list(bodies))
            meet(session, dates)
            work.commit()

    def set_level(self, identity: Identity, record_id: UUID, rank: int, reason: str, version: int) -> None:
        """Change a record's secrecy level. A raise hides it at once, in search too (a fence, until re-indexed).

        Raises:
            InvalidInput: no such level, no reason, (once filed) a level that is not higher, or one below that of what
                the dossier holds. The dossier of an item that is raised rises with it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SET_LEVEL, record_id)
            _same_version(record, version)
            describing.check_level(session, rank)
            if not reason.strip():
                raise InvalidInput(describing.fault("reason", "required"))
            if record.state is not RecordState.PROVISIONAL and rank <= record.level_rank:
                raise InvalidInput(describing.fault("level", "only_raised_once_filed"))
            if not may_set_level(self._guard.reach(session, identity), facts_of(record, ()), rank):
                raise NotAllowed(act=Act.SET_LEVEL.value)
            if rank < record.level_rank and rank < dossier_level.highest(session, record.id):
                raise self._holds_higher(session, identity, record, rank)
            body = {"before": record.level_rank, "after": rank, "reason": reason}
            if rank > record.level_rank:
                raise_fence(session, "record", str(record.id), self._clock.now())
            record.level_rank = rank
            self.changed(work, identity, record, "record.set_level", body)
            means = dossier_level.Means(self._log, self._outbox, self._clock)
            dossier_level.follow(work, identity, record, means)
            work.commit()

    def _holds_higher(self, session: Session, identity: Identity, dossier: Record, rank: int) -> ArchiveError:
        """Return why a dossier is not lowered; an item that is hidden from the person is not spoken of."""
        seen = self._guard.visible(session, identity).where(Record.dossier_id == dossier.id, Record.level_rank > rank)
        if session.scalars(seen.limit(1)).first() is None:
            return NotAllowed(act=Act.SET_LEVEL.value)
        return InvalidInput(describing.fault("level", "below_contents"))

    def set_group(
        self, identity: Identity, record_id: UUID, number_mark: str | None, reason: str, version: int
    ) -> None:
        """Put a record under the need-to-know group of a mark, or (None) out of any.

        It leaves search at once, until re-indexed. A number that it has stays as given.

        Raises:
            InvalidInput: no such group in the record's fonds, no reason, nobody named who could read it then, or (once
                filed) no group: a filed record comes under one, and leaves it only by an approved release.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SET_LEVEL, record_id)
            _same_version(record, version)
            group = group_of(session, record.fonds_id, number_mark) if number_mark else None
            if not reason.strip():
                raise InvalidInput(describing.fault("reason", "required"))
            if record.state is not RecordState.PROVISIONAL and group is None:
                raise InvalidInput(describing.fault("group", "only_narrowed_once_filed"))
            named = people_named(session, [record.id]).get(record.id, [])
            if group is not None:
                self._someone_reads(session, named, facts_of(record, named) | {"need_to_know": True})
            body = {"before": record.group_id, "after": group and group.id, "reason": reason}
            raise_fence(session, "record", str(record.id), self._clock.now())
            record.group_id = group.id if group else None
            self.changed(work, identity, record, "record.set_group", body)
            work.commit()

    def name_people(self, identity: Identity, record_id: UUID, people: Sequence[UUID], version: int) -> None:
        """Set who is named on a record: they may read it when cleared for its level.

        Raises:
            InvalidInput: it is under need-to-know, and none of them could read it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._provisional(session, identity, Act.DESCRIBE, record_id, version)
            before = set(session.scalars(select(RecordPerson.person_id).where(RecordPerson.record_id == record_id)))
            wanted = set(people)
            if record.group_id is not None:
                self._someone_reads(session, wanted, facts_of(record, wanted))
            for person in before - wanted:
                session.delete(session.get_one(RecordPerson, (record_id, person)))
            session.add_all(RecordPerson(record_id=record_id, person_id=person) for person in wanted - before)
            if before - wanted:
                raise_fence(session, "record", str(record.id), self._clock.now())
            body = {"before": sorted(map(str, before)), "after": sorted(map(str, wanted))}
            self.changed(work, identity, record, "record.name_people", body)
            work.commit()

    def bin(self, identity: Identity, record_id: UUID, version: int) -> None:
        """Put a provisional record into the bin, for 30 days. It leaves search and its dossier at once.

        A dossier takes what lies in it along: it stays, and is in no dossier once this one is cleared out.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            record = self._provisional(work.session, identity, Act.BIN, record_id, version)
            if record.dossier_id is not None:
                dossier_order.close_up(work.session, record.dossier_id, record.id)
                record.dossier_id = record.position = record.volume = None
            record.state = RecordState.BINNED
            record.binned_at = self._clock.now()
            raise_fence(work.session, "record", str(record.id), self._clock.now())
            self.changed(work, identity, record, "record.bin", None)
            work.commit()

    def restore(self, identity: Identity, record_id: UUID, version: int | None = None) -> None:
        """Take a record back out of the bin. Raises ``Conflict`` when it is not at ``version``, if one is given."""
        with self._guard.refusals(identity), self._db.writing() as work:
            record = self._guard.require(work.session, identity, Act.RESTORE, record_id)
            if record.state is not RecordState.BINNED:
                raise WrongState(state=record.state.value, act=Act.RESTORE.value)
            if version is not None:
                _same_version(record, version)
            record.state = RecordState.PROVISIONAL
            record.binned_at = None
            self.changed(work, identity, record, "record.restore", None)
            work.commit()

    def find_number(self, identity: Identity, number: str) -> UUID:
        """Return the record that a number (``[FONDS:]NUMBER``) was given to, if the person may see it.

        Width, case and separators may be written otherwise, or left out; the number as it was given goes first.

        Raises:
            NotFound: it was given to none that this person may see.
            Ambiguous: it may mean several that this person may see.
        """
        with self._db.reading() as session:
            held = holders(session, number)
            # a number that another record has too leads to the one record that this person sees, if it is one
            visible = self._guard.visible(session, identity, Act.SEE).where(Record.id.in_({h.record_id for h in held}))
            seen = {record.id for record in session.scalars(visible)}
            own = [holder for holder in held if holder.record_id in seen]
            nearest = {holder.record_id: holder.name for holder in own if holder.apart == own[0].apart}
            if len(nearest) > 1:
                raise Ambiguous(names=list(nearest.values()))
            # without any, the same steps are taken and logged whether or not the number was ever given
            key = next(iter(nearest), held[0].record_id if held else NO_RECORD)
            return self._guard.require(session, identity, Act.SEE, key).id

    def _provisional(self, session: Session, identity: Identity, act: Act, record_id: UUID, version: int) -> Record:
        record = self._guard.require(session, identity, act, record_id)
        if record.state is not RecordState.PROVISIONAL:
            raise WrongState(state=record.state.value, act=act.value)
        _same_version(record, version)
        return record

    def _someone_reads(self, session: Session, named: Collection[UUID], facts: Mapping[str, Any]) -> None:
        """Refuse to put a record under need-to-know where nobody could ever read it, and so name anyone, again."""
        if not self._guard.read_by_any(session, named, facts):
            raise InvalidInput(describing.fault("named", "nobody_reads"))

    def changed(self, work: Work, identity: Identity, record: Record, act: str, body: Mapping[str, Any] | None) -> None:
        """Count a change of a record, log it and have the record indexed, in the caller's transaction."""
        record.version += 1
        work.session.flush()
        self._log.note(work.session, identity, act, record=record.id, body=body)
        self._outbox.add(work, JobKind.INDEX, record.id)

    def draft_of(self, session: Session, record: Record) -> Draft:
        """Return a record's description as it stands. Asks nobody: the caller has."""
        protected = describing.opened(self._vault, session, record)
        named = session.scalars(select(RecordPerson.person_id).where(RecordPerson.record_id == record.id)).all()
        return _draft(record, named, protected)

    def drafts_of(self, session: Session, records: Sequence[Record]) -> dict[UUID, Draft]:
        """Return the descriptions of many as they stand, as ``draft_of``; what does not open is left out."""
        protected = describing.openable(self._vault, session, records)
        named = people_named(session, [each.id for each in records])
        return {
            each.id: _draft(each, named.get(each.id, ()), protected.get(each.id, {}))
            for each in records
            if each.sealed_fields is None or each.id in protected
        }


def _draft(record: Record, named: Sequence[UUID], protected: Mapping[str, Any]) -> Draft:
    plain = {name: getattr(record, name) for name in Draft.__dataclass_fields__ if hasattr(record, name)}
    own = {"named": tuple(named), "keywords": tuple(record.keywords), "fields": {**record.fields, **protected}}
    return Draft(**plain | own)


def _same_version(record: Record, version: int) -> None:
    if record.version != version:
        raise Conflict(what="record", version=record.version)


def _plain(draft: Draft, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed part of a draft as JSON values, for the sealed body of the log."""
    values = {name: value for name, value in asdict(draft).items() if name in changes}
    return {name: value if isinstance(value, int | dict | None) else str(value) for name, value in values.items()}
