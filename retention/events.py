"""Events that start clocks: a contract ended, a person left, equipment scrapped. Entered, undone with a trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work
from archive.database.newest import newest_first
from archive.errors import Ended, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import JobKind, RecordSubject, RetentionEvent, RetentionSchedule, Subject
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import LONGEST_REASON
from archive.reasons import checked as reason_checked
from retention.documents import EVENT_CODE, EVENTS
from retention.entering import keeper, opened, owner_of, seal_words, seen_by, standing_subject

AHEAD = timedelta(days=3653)
"""How far ahead an event may lie: the end of a contract is often known before."""

AT_ONCE = 200
"""Records of a subject that are reckoned anew in the act itself; more are left to a job."""


@dataclass(frozen=True)
class Entered:
    """An event with its words, and (if it is of a record) the record's title."""

    event: RetentionEvent
    note: str
    undone_why: str
    title: str | None


class Events:
    """The acts on events."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def kinds(self) -> Sequence[str]:
        """Return the codes of events: those that every house has, and those that a schedule of this one waits for."""
        with self._db.reading() as session:
            own = {str(row.get("event") or "") for row in session.scalars(select(RetentionSchedule.definition))}
        return [*EVENTS, *sorted(own - {"", *EVENTS})]

    def enter_of_record(self, identity: Identity, record_id: UUID, kind: str, day: date, note: str = "") -> UUID:
        """Enter an event of a record (of a dossier: of all its items), and return its id. Days follow at once.

        Raises:
            NotFound, NotAllowed: as for any act on a record.
            InvalidInput: field ``event``, ``day`` or ``note``.
        """
        self._check(kind, day, note)
        with self._guard.refusals(identity), self._db.writing() as work:
            record = self._guard.require(work.session, identity, Act.ENTER_EVENT, record_id)
            row = self._add(work.session, identity, kind, day, note, record=record.id)
            body = {"event": str(row.id), "kind": kind, "day": day.isoformat(), "note": note.strip()}
            self._log.note(work.session, identity, Act.ENTER_EVENT.value, record=record.id, body=body)
            self._outbox.add(work, JobKind.INDEX, record.id)
            work.commit()
        return row.id

    def enter_of_subject(self, identity: Identity, subject_id: UUID, kind: str, day: date, note: str = "") -> UUID:
        """Enter an event of a subject: of all its records, those of more than a few hundred by a job.

        Raises:
            NotAllowed: the person is no archivist.
            NotFound: there is no such subject.
            InvalidInput: field ``event``, ``day`` or ``note``; field ``subject``: it was merged into another.
        """
        self._check(kind, day, note)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            subject = standing_subject(session, subject_id)
            row = self._add(session, identity, kind, day, note, subject=subject)
            body = {"event": str(row.id), "kind": kind, "day": day.isoformat(), "note": note.strip()}
            self._log.note(session, identity, Act.ENTER_EVENT.value, subject=subject, body=body)
            self._follow(work, subject)
            work.commit()
        return row.id

    def undo(self, identity: Identity, event_id: UUID, why: str) -> None:
        """Undo an event that was entered wrongly: it stays, with who undid it and why, and counts no more.

        Raises:
            NotFound, NotAllowed: as for entering it.
            Ended: it is undone already.
            InvalidInput: field ``reason``.
        """
        reason_checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(RetentionEvent, event_id)
            owner = owner_of(self._guard, session, identity, Act.ENTER_EVENT, row, event_id)
            if row is None:
                raise NotFound
            if row.undone_at is not None:
                raise Ended(state="undone", act="event.undo")
            row.undone_at, row.undone_by = self._clock.now(), identity.person_id
            row.undone_why = seal_words(self._vault, session, owner, f"event-undone:{row.id.hex}", why.strip())
            session.flush()
            body = {"event": str(row.id), "kind": row.kind, "day": row.day.isoformat(), "reason": why.strip()}
            self._log.note(session, identity, "event.undo", record=row.record_id, subject=row.subject_id, body=body)
            if row.subject_id is not None:
                self._follow(work, row.subject_id)
            else:
                self._outbox.add(work, JobKind.INDEX, owner)
            work.commit()

    def list(self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int) -> Sequence[Entered]:
        """Return the events of records that this person reads, and of subjects to who enters them; the newest first."""
        with self._db.reading() as session:
            mine = seen_by(self._guard, session, identity, RetentionEvent)
            query = newest_first(mine, RetentionEvent.entered_at, RetentionEvent.id, after)
            return self._opened(session, session.scalars(query.limit(limit)).all())

    def of_record(self, identity: Identity, record_id: UUID) -> Sequence[Entered]:
        """Return the events entered for a record itself, the newest first. Raises as ``Guard.require``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.READ, record_id)
            query = select(RetentionEvent).where(RetentionEvent.record_id == record_id)
            return self._opened(session, session.scalars(query.order_by(RetentionEvent.entered_at.desc())).all())

    def of_subject(self, identity: Identity, subject_id: UUID) -> Sequence[Entered]:
        """Return the events of a subject and of those merged into it, by their day. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._keeper(session, identity)
            led = select(Subject.id).where(or_(Subject.id == subject_id, Subject.merged_into == subject_id))
            query = select(RetentionEvent).where(RetentionEvent.subject_id.in_(led))
            return self._opened(session, session.scalars(query.order_by(RetentionEvent.day, RetentionEvent.id)).all())

    def _opened(self, session: Session, rows: Sequence[RetentionEvent]) -> Sequence[Entered]:
        return [Entered(*each) for each in opened(self._vault, session, rows, "event", "undone")]

    def _add(
        self,
        session: Session,
        identity: Identity,
        kind: str,
        day: date,
        note: str,
        *,
        record: UUID | None = None,
        subject: UUID | None = None,
    ) -> RetentionEvent:
        key, owner = new_id(), record or subject
        row = RetentionEvent(
            id=key, kind=kind, day=day, record_id=record, subject_id=subject, entered_by=identity.person_id,
            entered_at=self._clock.now(),
        )  # fmt: skip
        if note.strip() and owner is not None:
            row.sealed = seal_words(self._vault, session, owner, f"event:{key.hex}", note.strip())
        session.add(row)
        session.flush()
        return row

    def _follow(self, work: Work, subject: UUID) -> None:
        """Have the days of a subject's records follow: here if they are few, else by a job."""
        session = work.session
        led = select(Subject.id).where(or_(Subject.id == subject, Subject.merged_into == subject))
        hung = select(RecordSubject.record_id).where(RecordSubject.subject_id.in_(led))
        count = session.scalar(select(func.count()).select_from(hung.subquery())) or 0
        if count <= AT_ONCE:
            self._outbox.add_many(work, JobKind.INDEX, session.scalars(hung.order_by(RecordSubject.record_id)).all())
        else:
            self._outbox.add(work, JobKind.RECKON, subject)

    def _keeper(self, session: Session, identity: Identity) -> None:
        keeper(self._guard, session, identity, Act.ENTER_EVENT)

    def _check(self, kind: str, day: date, note: str) -> None:
        faults: list[Fault] = []
        if not EVENT_CODE.fullmatch(kind):
            faults.append(Fault("event", "bad_code", {"value": kind[:40]}))
        last = self._guard.day() + AHEAD
        if day > last:
            faults.append(Fault("day", "out_of_range", {"low": "1000-01-01", "high": last.isoformat()}))
        if len(note) > LONGEST_REASON:
            faults.append(Fault("note", "too_long", {"limit": LONGEST_REASON, "length": len(note)}))
        if faults:
            raise InvalidInput(*faults)
