"""The acts on the required papers of a dossier: which template it follows, its facts, its papers, people and clocks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from archive.cataloguing.order import made_after
from archive.database import Database, Work
from archive.database.newest import Place
from archive.dossiers.contents import check_dossier
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import (
    DeadlineKind,
    DossierClock,
    DossierPerson,
    PaperMet,
    Record,
    RecordState,
    RequiredPapers,
    Subject,
)
from archive.model.required import NEVER
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines
from archive.reminding.workdays import calendar_of
from archive.required.looking import Looked, look
from archive.required.standing import clocks
from archive.required.template import Template
from archive.required.templates import offered_in, template_of
from archive.subject_facts import fields_of, survivors

MOST_LOOKED = 500
"""Dossiers that one page of the board looks through."""

_STEP = 50
_HUMAN = "name"
"""The field that only subjects who are people have."""

_STANDING = (RecordState.PROVISIONAL, RecordState.FILED)


class Papers:
    """Whoever reads a dossier sees its papers, as far as they see its items; whoever arranges it keeps them."""

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._deadlines = Deadlines(guard)

    def show(self, identity: Identity, dossier_id: UUID) -> Looked | None:
        """Return what stands of a dossier; None: it follows no template.

        Raises:
            NotFound, NotAllowed: this person does not read it.
            InvalidInput: it is an item.
        """
        with self._db.reading() as session:
            check_dossier(self._guard.require(session, identity, Act.READ, dossier_id))
            row = session.get(RequiredPapers, dossier_id)
            return look(session, self._guard, identity, [row]).get(dossier_id) if row else None

    def several(self, identity: Identity, dossier_ids: Sequence[UUID]) -> Mapping[UUID, Looked]:
        """Return what stands of those of some dossiers that follow a template and that this person reads."""
        with self._db.reading() as session:
            rows = session.scalars(select(RequiredPapers).where(RequiredPapers.dossier_id.in_(dossier_ids))).all()
            return look(session, self._guard, identity, rows)

    def board(
        self,
        identity: Identity,
        *,
        template: str = "",
        department_id: UUID | None = None,
        late: bool = False,
        after: tuple[date, UUID] | None = None,
        limit: int,
    ) -> tuple[list[Looked], tuple[date, UUID] | None]:
        """Return dossiers that are incomplete or late, the earliest day first, and where the next page begins.

        Args:
            identity: who asks; only what they read is there.
            template: only those that follow it.
            department_id: only those of a department.
            late: only those with a clock that has passed.
            after: day and id of the dossier behind which to go on.
            limit: how many at most; a page may hold fewer, for at most ``MOST_LOOKED`` are looked through.
        """
        day = self._guard.day()
        found: list[Looked] = []
        with self._db.reading() as session:
            mine = self._guard.visible(session, identity).with_only_columns(Record.id)
            mine = mine.where(Record.id == RequiredPapers.dossier_id, Record.state.in_(_STANDING))
            if department_id is not None:
                mine = mine.where(Record.department_id == department_id)
            query = select(RequiredPapers).where(mine.correlate(RequiredPapers).exists())
            if template:
                query = query.where(RequiredPapers.template == template)
            if late:
                query = query.where(RequiredPapers.next_due < day)
            query = query.order_by(RequiredPapers.next_due, RequiredPapers.dossier_id).limit(_STEP)
            for _turn in range(MOST_LOOKED // _STEP):
                rows = session.scalars(query.where(_behind(after)) if after else query).all()
                seen = look(session, self._guard, identity, rows)
                for row in rows:
                    if len(found) == limit:
                        return found, after
                    after = row.next_due, row.dossier_id
                    each = seen.get(row.dossier_id)
                    if each and (not each.standing.complete or row.next_due < day):
                        found.append(each)
                if len(rows) < _STEP:
                    return found, None
        return found, after

    def follow(self, identity: Identity, dossier_id: UUID, code: str | None) -> None:
        """Have a dossier follow the newest version of a template, or (None) none. What is known of it stays.

        Raises:
            InvalidInput: field ``template``: there is none of this code, or the record is an item.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            check_dossier(self._guard.require(session, identity, Act.ARRANGE, dossier_id))
            row = session.get(RequiredPapers, dossier_id, with_for_update=True)
            before = f"{row.template} {row.template_version}" if row else None
            if code is None:
                if row is not None:
                    for table in (PaperMet, DossierPerson, DossierClock, RequiredPapers):
                        session.execute(delete(table).where(table.dossier_id == dossier_id))
                    self._deadlines.lapse(session, DeadlineKind.DOSSIER_CLOCK, dossier_id)
            else:
                offered = offered_in(session).get(code)
                if offered is None:
                    raise InvalidInput(Fault("template", "unknown"))
                version = offered.version if offered.is_own else 0
                if row is None:
                    row = RequiredPapers(dossier_id=dossier_id, template=code, template_version=version, facts={})
                    session.add(row)
                else:
                    row.template, row.template_version, row.version = code, version, row.version + 1
                    known = {each.code for each in offered.template.facts}
                    row.facts = {name: value for name, value in row.facts.items() if name in known}
                    parts = [each.code for each in offered.template.people]
                    gone = and_(DossierPerson.dossier_id == dossier_id, DossierPerson.part.not_in(parts))
                    session.execute(delete(DossierPerson).where(gone))
                session.flush()
                self._wind(session, row, offered.template)
            after = f"{code} {row.template_version}" if row and code else None
            body = {"before": before, "after": after}
            self._log.note(session, identity, "dossier.template", record=dossier_id, body=body)
            work.commit()

    def know(self, identity: Identity, dossier_id: UUID, facts: Mapping[str, Any], version: int) -> None:
        """Say what is known of a dossier: facts by code, None takes one away; those left out stay.

        Raises:
            InvalidInput: a fact that its template does not ask for, or that is not of its kind.
            Conflict: someone else changed it since ``version``.
            NotFound: it follows no template.
        """
        with self._changing(identity, dossier_id) as (work, row, template):
            if row.version != version:
                raise Conflict(what="papers", version=row.version)
            checked = _checked(template, facts)
            before = {name: row.facts.get(name) for name in checked}
            if changed := {name: value for name, value in checked.items() if before[name] != value}:
                row.facts = {name: value for name, value in {**row.facts, **changed}.items() if value is not None}
                row.version += 1
                self._wind(work.session, row, template)
                body = {"before": {name: before[name] for name in changed}, "after": changed}
                self._log.note(work.session, identity, "dossier.facts", record=dossier_id, body=body)
                work.commit()

    def _wind(self, session: Session, row: RequiredPapers, template: Template) -> None:
        """Write a dossier's clocks anew from its facts, as plain days; people are reminded of the first to end."""
        running = clocks(template, row.facts, calendar_of(session))
        session.execute(delete(DossierClock).where(DossierClock.dossier_id == row.dossier_id))
        session.add_all(
            DossierClock(dossier_id=row.dossier_id, clock=c.rule.code, since=c.since, due=c.due, met_on=c.met_on)
            for c in running
        )
        row.next_due = min((each.due for each in running if each.met_on is None), default=NEVER)
        session.flush()
        if row.next_due == NEVER:
            self._deadlines.meet(session, DeadlineKind.DOSSIER_CLOCK, row.dossier_id)
        else:
            self._deadlines.set(session, DeadlineKind.DOSSIER_CLOCK, row.dossier_id, row.next_due, row.dossier_id)

    def attach(self, identity: Identity, dossier_id: UUID, paper: str, record_id: UUID) -> None:
        """Say that an item of the dossier is one of its papers; twice is no error.

        Raises:
            InvalidInput: no such paper in the template, or the item does not lie in the dossier.
        """
        with self._changing(identity, dossier_id) as (work, _row, template):
            if self._met(work.session, identity, dossier_id, template, paper, record_id) is None:
                work.session.add(PaperMet(dossier_id=dossier_id, paper=paper, record_id=record_id))
                body = {"paper": paper, "item": str(record_id)}
                self._log.note(work.session, identity, "dossier.attach", record=dossier_id, body=body)
                work.commit()

    def detach(self, identity: Identity, dossier_id: UUID, paper: str, record_id: UUID) -> None:
        """Say that an item is not this paper after all; it stays in the dossier. Raises as ``attach``."""
        with self._changing(identity, dossier_id) as (work, _row, template):
            met = self._met(work.session, identity, dossier_id, template, paper, record_id)
            if met is not None:
                work.session.delete(met)
                body = {"paper": paper, "item": str(record_id)}
                self._log.note(work.session, identity, "dossier.detach", record=dossier_id, body=body)
                work.commit()

    def note_copy(
        self,
        identity: Identity,
        dossier_id: UUID,
        paper: str,
        record_id: UUID,
        *,
        sealed: bool,
        seen_on: date | None,
        returned_on: date | None,
    ) -> None:
        """Note of a paper whether the copy is sealed, and when this person saw its original and gave it back.

        Raises:
            InvalidInput: ``returned_on`` lies before ``seen_on``, or a day is to come; else as ``attach``.
        """
        today = self._guard.day()
        faults = [
            Fault(name, "not_yet_come")
            for name, day in (("seen_on", seen_on), ("returned_on", returned_on))
            if day is not None and day > today
        ]
        if returned_on is not None and (seen_on is None or returned_on < seen_on):
            faults.append(Fault("returned_on", "before_seen"))
        if faults:
            raise InvalidInput(*faults)
        with self._changing(identity, dossier_id) as (work, _row, template):
            session = work.session
            met = self._met(session, identity, dossier_id, template, paper, record_id)
            if met is None:
                met = PaperMet(dossier_id=dossier_id, paper=paper, record_id=record_id)
                session.add(met)
            who = identity.person_id
            met.copy_sealed = sealed
            if met.seen_on != seen_on:
                met.seen_on, met.seen_by = seen_on, who if seen_on else None
            if met.returned_on != returned_on:
                met.returned_on, met.returned_by = returned_on, who if returned_on else None
            session.flush()
            body = {"paper": paper, "item": str(record_id), "sealed": sealed, "seen": str(seen_on or ""),
                    "returned": str(returned_on or "")}  # fmt: skip
            self._log.note(session, identity, "dossier.original", record=dossier_id, body=body)
            work.commit()

    def name(self, identity: Identity, dossier_id: UUID, part: str, subject_id: UUID | None) -> None:
        """Name the person of a part of the template, or (None) nobody.

        Raises:
            InvalidInput: no such part, no such person in the dossier's fonds, or one who belongs to another dossier
                (``belongs_elsewhere``; which one is not told).
        """
        with self._changing(identity, dossier_id) as (work, _row, template):
            session = work.session
            human = next((each for each in template.people if each.code == part), None)
            if human is None:
                raise InvalidInput(Fault("part", "unknown"))
            there = session.get(DossierPerson, (dossier_id, part))
            before = str(there.subject_id) if there else None
            if there is not None:
                session.delete(there)
                session.flush()
            if subject_id is not None:
                subject_id = survivors(session, [subject_id]).get(subject_id)
                _person(session, session.get_one(Record, dossier_id), subject_id)
                if human.exclusive and subject_id and _belongs_elsewhere(session, dossier_id, subject_id):
                    raise InvalidInput(Fault("person", "belongs_elsewhere"))
                session.add(
                    DossierPerson(dossier_id=dossier_id, part=part, subject_id=subject_id, exclusive=human.exclusive)
                )
            body = {"part": part, "before": before, "after": str(subject_id) if subject_id else None}
            self._log.note(session, identity, "dossier.person", record=dossier_id, body=body)
            work.commit()

    def naming(
        self, identity: Identity, subject_id: UUID, after: Place | None = None, *, limit: int
    ) -> Sequence[Record]:
        """Return the dossiers that name a subject, or one merged into it, and that this person reads, oldest first."""
        with self._db.reading() as session:
            led = select(Subject.id).where(or_(Subject.id == subject_id, Subject.merged_into == subject_id))
            named = select(DossierPerson.dossier_id).where(DossierPerson.subject_id.in_(led))
            query = self._guard.visible(session, identity).where(Record.id.in_(named))
            if after is not None:
                query = query.where(made_after(after))
            return session.scalars(query.order_by(Record.created_at, Record.id).limit(limit)).all()

    def link(self, identity: Identity, dossier_id: UUID, other_id: UUID | None) -> None:
        """Name the other dossier that must be whole before this one is, or (None) none.

        Raises:
            NotFound: the other is not there for this person.
            InvalidInput: field ``linked``: it does not follow the template that is asked for.
        """
        with self._changing(identity, dossier_id) as (work, row, template):
            session = work.session
            if other_id is not None:
                self._guard.require(session, identity, Act.READ, other_id)
                other = session.get(RequiredPapers, other_id)
                if template.link is None or other is None or other.template != template.link.template:
                    raise InvalidInput(Fault("linked", "not_such_dossier"))
            body = {"before": str(row.linked_id or ""), "after": str(other_id or "")}
            row.linked_id, row.version = other_id, row.version + 1
            self._log.note(session, identity, "dossier.link", record=dossier_id, body=body)
            work.commit()

    def linkable(self, identity: Identity, looked: Looked, limit: int = 100) -> Sequence[Record]:
        """Return the dossiers that may be named as the other one: of the same fonds, the newest first."""
        if looked.template.link is None:
            return []
        follows = select(RequiredPapers.dossier_id).where(RequiredPapers.template == looked.template.link.template)
        with self._db.reading() as session:
            query = self._guard.visible(session, identity).where(
                Record.id.in_(follows), Record.fonds_id == looked.dossier.fonds_id, Record.id != looked.dossier.id
            )
            return session.scalars(query.order_by(Record.created_at.desc()).limit(limit)).all()

    @contextmanager
    def _changing(self, identity: Identity, dossier_id: UUID) -> Iterator[tuple[Work, RequiredPapers, Template]]:
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require(work.session, identity, Act.ARRANGE, dossier_id)
            row = work.session.get(RequiredPapers, dossier_id, with_for_update=True)
            if row is None:
                raise NotFound
            yield work, row, template_of(work.session, row.template, row.template_version)

    def _met(
        self, session: Session, identity: Identity, dossier_id: UUID, template: Template, paper: str, record_id: UUID
    ) -> PaperMet | None:
        if template.paper(paper) is None:
            raise InvalidInput(Fault("paper", "unknown"))
        item = self._guard.require(session, identity, Act.READ, record_id)
        if item.dossier_id != dossier_id:
            raise InvalidInput(Fault("record", "not_in_dossier"))
        query = select(PaperMet).where(PaperMet.dossier_id == dossier_id, PaperMet.record_id == record_id)
        return session.scalars(query.where(PaperMet.paper == paper)).one_or_none()


def _behind(after: tuple[date, UUID]) -> Any:
    day, key = after
    later = and_(RequiredPapers.next_due == day, RequiredPapers.dossier_id > key)
    return and_(RequiredPapers.next_due >= day, or_(RequiredPapers.next_due > day, later))


def _checked(template: Template, facts: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {each.code: each.kind for each in template.facts}
    faults: list[Fault] = []
    checked: dict[str, Any] = {}
    for name, value in facts.items():
        if name not in kinds:
            faults.append(Fault("facts", "unknown_field_named", {"name": name[:40]}))
        elif value is None:
            checked[name] = None
        elif kinds[name] == "yes_no":
            if not isinstance(value, bool):
                faults.append(Fault(name, "not_yes_or_no"))
            checked[name] = value
        else:
            try:
                checked[name] = (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()
            except ValueError:
                faults.append(Fault(name, "bad_date", {"text": str(value)[:40]}))
    if faults:
        raise InvalidInput(*faults)
    return checked


def _person(session: Session, dossier: Record, subject_id: UUID | None) -> None:
    subject = session.get(Subject, subject_id) if subject_id else None
    if subject is None or subject.fonds_id != dossier.fonds_id:
        raise InvalidInput(Fault("person", "unknown"))
    if not any(each.name == _HUMAN for each in fields_of(subject.kind)):
        raise InvalidInput(Fault("person", "no_person"))


def _belongs_elsewhere(session: Session, dossier_id: UUID, subject_id: UUID) -> bool:
    """Whether a person, under whatever subject was merged into theirs, is named exclusively by another dossier."""
    same = select(Subject.id).where(or_(Subject.id == subject_id, Subject.merged_into == subject_id))
    query = select(DossierPerson).where(
        DossierPerson.subject_id.in_(same), DossierPerson.exclusive, DossierPerson.dossier_id != dossier_id
    )
    return session.scalars(query.limit(1)).first() is not None
