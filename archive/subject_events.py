"""What happened to a subject, with its day: moved in, contract ended, scrapped, left; entered by hand.

Events start clocks elsewhere; so one that was entered by mistake is marked as undone, and never removed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import DossierPerson, Record, Subject, SubjectEvent
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme.shipped import document
from archive.subjects import KEEPERS

MOST_DOSSIERS = 100


def events_of(kind: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the events that a kind of subject knows, by code, as data."""
    return {each["code"]: each for each in document("subjects")["events"] if kind in each["kinds"]}


class SubjectEvents:
    """The acts on events; they are open to those who keep subjects."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def of(self, identity: Identity, subject_id: UUID) -> Sequence[SubjectEvent]:
        """Return the events of a subject and of those merged into it, the undone ones too, by their day.

        Raises:
            NotAllowed: not one of those who keep subjects.
            NotFound: there is no such subject.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._subject(session, identity, subject_id)
            led = select(Subject.id).where(or_(Subject.id == subject_id, Subject.merged_into == subject_id))
            query = select(SubjectEvent).where(SubjectEvent.subject_id.in_(led))
            return session.scalars(query.order_by(SubjectEvent.day, SubjectEvent.id)).all()

    def dossiers(self, identity: Identity, subject_id: UUID) -> Sequence[Record]:
        """Return the dossiers that name a subject among their people, as far as this person reads them."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._subject(session, identity, subject_id)
            led = select(Subject.id).where(or_(Subject.id == subject_id, Subject.merged_into == subject_id))
            named = select(DossierPerson.dossier_id).where(DossierPerson.subject_id.in_(led))
            query = self._guard.visible(session, identity).where(Record.id.in_(named))
            return session.scalars(query.order_by(Record.created_at, Record.id).limit(MOST_DOSSIERS)).all()

    def add(self, identity: Identity, subject_id: UUID, kind: str, day: date) -> UUID:
        """Enter an event and return its id.

        Raises:
            InvalidInput: the subject knows no such event, it was merged, or the day is to come.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            subject = self._subject(session, identity, subject_id)
            if subject.merged_into is not None:
                raise InvalidInput(Fault("subject", "merged", {"into": str(subject.merged_into)}))
            if kind not in events_of(subject.kind):
                raise InvalidInput(Fault("event", "unknown"))
            if day > self._guard.day():
                raise InvalidInput(Fault("day", "not_yet_come"))
            row = SubjectEvent(
                subject_id=subject_id, kind=kind, day=day, entered_at=self._clock.now(), entered_by=identity.person_id
            )
            session.add(row)
            session.flush()
            body = {"event": kind, "on": day.isoformat(), "id": str(row.id)}
            self._log.note(session, identity, "subject.event", subject=subject_id, body=body)
            work.commit()
            return row.id

    def undo(self, identity: Identity, event_id: UUID) -> UUID:
        """Mark an event as entered by mistake and return its subject; twice is no error. Raises ``NotFound``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = session.get(SubjectEvent, event_id)
            if row is None:
                raise NotFound
            subject = row.subject_id
            if row.undone_at is None:
                row.undone_at, row.undone_by = self._clock.now(), identity.person_id
                body = {"event": row.kind, "on": row.day.isoformat(), "id": str(row.id)}
                self._log.note(session, identity, "subject.event_undo", subject=subject, body=body)
                work.commit()
            return subject

    def _subject(self, session: Session, identity: Identity, subject_id: UUID) -> Subject:
        self._keeper(session, identity)
        row = session.get(Subject, subject_id)
        if row is None:
            raise NotFound
        return row

    def _keeper(self, session: Session, identity: Identity) -> None:
        reach = self._guard.reach(session, identity)
        if not (reach.system or KEEPERS & reach.roles):
            raise self._guard.refused_house(session, identity, Act.CREATE)
