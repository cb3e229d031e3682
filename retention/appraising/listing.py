"""Appraisals begun, their lists made of what is due, opened to the panel, closed and withdrawn."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.clock import Clock
from archive.database import Database, Work
from archive.database.bounded import count_up_to
from archive.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.importance import at_most
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalMember,
    AppraisalState,
    AppraisalTask,
    Category,
    DueState,
    JobKind,
    LogEntry,
    LogResult,
    Person,
    PersonRole,
    Place,
    Record,
    RecordDue,
    RetentionSchedule,
)
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act
from archive.reasons import checked as reason_checked
from archive.uses import USED
from retention.appraising.rows import appraisal, panel_of, require_state
from retention.appraising.saying_all import anyone
from retention.appraising.verdicts import LEAST
from retention.board import Asked, DueBoard
from retention.elsewhere import carried, doomed, judged
from retention.numbers import next_number
from retention.transferring.rows import left_by_transfers

MOST = 20_000
"""Records of one list."""

LONGEST_PURPOSE = 500
BATCH = 500

_RUNNING = (AppraisalState.DRAFT, AppraisalState.OPEN)


@dataclass(frozen=True)
class Chosen:
    """Which records a list takes of what is due today.

    ``unread_years``: only what nobody has opened or borrowed for so long; ``importance``: only what is said to be so
    important at most; ``without_vital`` leaves out what is marked
    as vital; ``handed_over`` takes only copies of what was handed over to another archive by a transfer that said so.
    All only narrow what is due: use or importance alone never proposes anything.
    """

    asked: Asked = field(default_factory=Asked)
    unread_years: int = 0
    importance: int | None = None
    without_vital: bool = False
    handed_over: bool = False


class Listing:
    """The acts by which appraisals begin and end."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock, board: DueBoard) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._board = board

    def count(self, identity: Identity, chosen: Chosen, most: int = MOST) -> int:
        """Count what a list would take, up to one more than ``most``. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.BEGIN_APPRAISALS)
            return count_up_to(session, self._query(session, identity, chosen), most)

    def begin(self, identity: Identity, purpose: str, panel: Collection[str], chair: str, chosen: Chosen) -> UUID:
        """Begin an appraisal with a list of what is due, and return its id. Nobody judges before it is opened.

        Args:
            identity: an archivist; they may sit on the panel, which is never they alone.
            purpose: what it is for.
            panel: sign-in names of three at least who read records.
            chair: the sign-in name of one of them.
            chosen: what the list takes.

        Raises:
            NotAllowed: the person begins no appraisals.
            InvalidInput: field ``purpose``, ``panel``, ``chair``, ``category``, ``place`` or ``schedule`` (there is no
                such one), or ``list``: nothing is due that fits.
        """
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.BEGIN_APPRAISALS)
            members = _checked(session, purpose, panel, chair)
            _check_filters(session, chosen.asked)
            found = self._found(session, identity, chosen)
        if identity.person_id is None:
            raise NotAllowed(act=Act.BEGIN_APPRAISALS.value)
        if not found:
            raise InvalidInput(Fault("list", "nothing_due"))
        with self._db.writing() as work:
            session = work.session
            row = Appraisal(
                id=new_id(), number=next_number(session, Appraisal.number, f"{self._guard.day().year}-"),
                purpose=purpose.strip(), begun_by=identity.person_id,
                begun_at=self._clock.now(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add_all(
                AppraisalMember(appraisal_id=row.id, person_id=key, chair=login == folded(chair))
                for login, key in members.items()
            )
            session.flush()
            body = {"appraisal": row.number, "purpose": row.purpose, "panel": sorted(members), "records": len(found)}
            self._log.note(session, identity, Act.BEGIN_APPRAISALS.value, body=body)
            self._add(session, row.id, found[:BATCH], 0)
            work.commit()
        for start in range(BATCH, len(found), BATCH):
            with self._db.writing() as work:
                self._add(work.session, row.id, found[start : start + BATCH], start)
                work.commit()
        return row.id

    def leave_out(self, identity: Identity, appraisal_id: UUID, record_ids: Collection[UUID]) -> int:
        """Take records off a list that is not open yet, and return how many.

        Raises:
            NotAllowed, NotFound: the person begins no appraisals; there is no such one.
            Ended: it is open or over.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._mine(session, identity, appraisal_id)
            require_state(row, "appraisal.leave_out", AppraisalState.DRAFT)
            seen = self._guard.seen(session, identity, list(record_ids)[:BATCH])
            there = AppraisalItem.appraisal_id == row.id, AppraisalItem.record_id.in_(seen)
            gone = session.scalars(select(AppraisalItem.record_id).where(*there)).all()
            session.execute(delete(AppraisalItem).where(*there))
            bodies: list[tuple[UUID, dict[str, Any]]] = [(key, {"appraisal": row.number}) for key in gone]
            self._log.note_many(session, identity, "appraisal.leave_out", bodies)
            work.commit()
        return len(gone)

    def open(self, identity: Identity, appraisal_id: UUID, version: int) -> None:
        """Open an appraisal to its panel; what is on its list is not lent from then on. A job does it.

        Raises:
            NotAllowed, NotFound, Ended: as ``leave_out``.
            Conflict: someone changed it meanwhile.
            InvalidInput: field ``list``: nothing is left on it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._mine(work.session, identity, appraisal_id)
            require_state(row, "appraisal.open", AppraisalState.DRAFT)
            items = select(AppraisalItem.record_id).where(AppraisalItem.appraisal_id == row.id).limit(1)
            if work.session.scalar(items) is None:
                raise InvalidInput(Fault("list", "nothing_due"))
            self._task(work, identity, row, AppraisalTask.OPENING, "appraisal.open", version)
            work.commit()

    def close(self, identity: Identity, appraisal_id: UUID, version: int) -> None:
        """Close an appraisal as its chair; what has no verdict then stays due. A job does it.

        Raises:
            NotFound: there is none on whose panel the person sits.
            NotAllowed: they have not the chair.
            Ended, Conflict: as ``open``; also while a job still says what a member said.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            panel = panel_of(session, [appraisal_id])[appraisal_id]
            if identity.person_id is None or identity.person_id not in panel:
                raise NotFound
            row = appraisal(session, appraisal_id)
            if not panel[identity.person_id]:
                raise NotAllowed(act="appraisal.close")
            require_state(row, "appraisal.close", AppraisalState.OPEN)
            if anyone(session, row.id):
                raise Conflict(what="appraisal")
            row.closed_by = identity.person_id
            self._task(work, identity, row, AppraisalTask.CLOSING, "appraisal.conclude", version)
            work.commit()

    def withdraw(self, identity: Identity, appraisal_id: UUID, version: int, why: str) -> None:
        """Withdraw an appraisal that is not closed: nothing of what was said counts. A job does it.

        Raises:
            NotAllowed, NotFound, Ended, Conflict: as ``open``.
            InvalidInput: field ``reason``.
        """
        words = reason_checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._mine(work.session, identity, appraisal_id)
            require_state(row, "appraisal.withdraw", *_RUNNING)
            row.why = words
            self._task(work, identity, row, AppraisalTask.WITHDRAWING, "appraisal.withdraw", version, reason=words)
            work.commit()

    def _task(
        self, work: Work, identity: Identity, row: Appraisal, task: AppraisalTask, act: str, version: int, **told: str
    ) -> None:
        if row.version != version:
            raise Conflict(what="appraisal")
        row.task, row.version = task, row.version + 1
        self._log.note(work.session, identity, act, body={"appraisal": row.number, **told})
        self._outbox.add(work, JobKind.APPRAISE, row.id)

    def _mine(self, session: Session, identity: Identity, key: UUID) -> Appraisal:
        self._guard.require_house(session, identity, Act.BEGIN_APPRAISALS)
        return appraisal(session, key)

    def _query(self, session: Session, identity: Identity, chosen: Chosen) -> Select[Any]:
        query = self._board.query(session, identity, chosen.asked).where(
            RecordDue.state == DueState.DATED,
            RecordDue.due <= self._guard.day(),
            Record.id.in_(self._guard.visible(session, identity).with_only_columns(Record.id)),
            ~judged(),
            ~carried(),
            ~doomed(),
        )
        if chosen.without_vital:
            query = query.where(Record.vital_review.is_(None))
        if chosen.handed_over:
            query = query.where(Record.id.in_(left_by_transfers()))
        if chosen.importance:
            query = query.where(at_most(chosen.importance))
        if chosen.unread_years:
            used = select(LogEntry.id).where(
                LogEntry.record_id == Record.id, LogEntry.at > self._years_ago(chosen.unread_years),
                LogEntry.act.in_(USED), LogEntry.result == LogResult.DONE,
            )  # fmt: skip
            query = query.where(~used.correlate(Record).exists())
        return query

    def _found(self, session: Session, identity: Identity, chosen: Chosen) -> Sequence[Any]:
        columns = Record.id, Record.registration_number, RecordDue.due
        query = self._query(session, identity, chosen).with_only_columns(*columns)
        return session.execute(query.order_by(RecordDue.due, Record.id).limit(MOST)).all()

    def _years_ago(self, years: int) -> datetime:
        now = self._clock.now()
        day = date(now.year - years, now.month, min(now.day, 28))
        return datetime.combine(day, time(), ZoneInfo("UTC"))

    @staticmethod
    def _add(session: Session, key: UUID, found: Sequence[Any], behind: int) -> None:
        rows = [
            {
                "appraisal_id": key,
                "record_id": row.id,
                "position": at,
                "number": row.registration_number,
                "due": row.due,
            }
            for at, row in enumerate(found, behind + 1)
        ]
        session.execute(insert(AppraisalItem), rows)


def _check_filters(session: Session, asked: Asked) -> None:
    """Refuse a list of what nobody knows: it would take nothing. Raises ``InvalidInput``."""
    named: Sequence[tuple[str, type[Any], UUID | None]] = (
        ("category", Category, asked.category), ("place", Place, asked.place),
        ("schedule", RetentionSchedule, asked.schedule),
    )  # fmt: skip
    faults = [Fault(name, "unknown") for name, table, key in named if key and session.get(table, key) is None]
    if faults:
        raise InvalidInput(*faults)


def _checked(session: Session, purpose: str, panel: Collection[str], chair: str) -> dict[str, UUID]:
    """Return the ids of a panel by sign-in name. Raises ``InvalidInput``."""
    faults, length = [], len(purpose.strip())
    if not length:
        faults.append(Fault("purpose", "required"))
    elif length > LONGEST_PURPOSE:
        faults.append(Fault("purpose", "too_long", {"limit": LONGEST_PURPOSE, "length": length}))
    logins = {folded(each) for each in (*panel, chair)} - {""}
    reads = select(PersonRole.person_id).where(PersonRole.role.in_(READERS))
    known = select(Person.login, Person.id).where(Person.login.in_(logins), Person.active, Person.id.in_(reads))
    found = {row.login: row.id for row in session.execute(known)}
    missing = sorted(logins - found.keys())
    if missing:
        faults.append(Fault("panel", "nobody", {"value": ", ".join(missing)[:100]}))
    elif len(found) < LEAST:
        faults.append(Fault("panel", "too_few", {"least": LEAST}))
    if not chair.strip():
        faults.append(Fault("chair", "required"))
    if faults:
        raise InvalidInput(*faults)
    return found
