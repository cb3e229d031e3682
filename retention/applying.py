"""Jobs over days that are kept: reckoned anew after a change of schedules or of a subject's events, and found due."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from archive.clock import Clock
from archive.database import Database, Work
from archive.identity import system
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import JobKind, Record, RecordDue, RecordState, RecordSubject, ScheduleDraft, Subject
from archive.policy.guard import Guard
from retention.change import candidates
from retention.reckoning import DueDays, world

BATCH = 400
"""Records of one transaction, which takes some 50 ms."""

NOTICED = 2000
"""Days that one transaction marks as noticed: an update of one range."""

_LOOK = 50_000  # ids that one look for records fetches: each look finds out again what a draft concerns


class Reckon:
    """Reckons kept days anew: of what a draft moves (the subject is its id), of a subject's records, or of all.

    A draft's progress stands on it, and after a break the job goes on behind the last record that was done.
    """

    kind = JobKind.RECKON
    batch = 1
    deadline = 3600.0
    max_attempts = 20
    keep_done = True

    def __init__(self, db: Database, due_days: DueDays, log: Log, clock: Clock) -> None:
        self._db = db
        self._due_days = due_days
        self._log = log
        self._clock = clock

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do what each job names."""
        for job in jobs:
            self._one(job.subject_id, job.still_held)
        return {job.id: Outcome.done() for job in jobs}

    def _one(self, key: UUID | None, still_held: Callable[[], bool]) -> None:
        with self._db.reading() as session:
            draft = session.get(ScheduleDraft, key) if key else None
        if draft is not None and draft.applied_at is not None:
            return
        if draft is not None and draft.schedule_id is not None:
            which = candidates([UUID(each) for each in draft.affected], draft.schedule_id)
            if draft.through is None:
                self._count(draft.id, which)
            if self._walk(which, draft.through, still_held, draft.id):
                with self._db.writing() as work:
                    row = work.session.get_one(ScheduleDraft, draft.id)
                    row.applied_at, row.total = self._clock.now(), max(row.total, row.done)
                    row.through = None  # a record that is destroyed is named nowhere
                    body = {"draft": str(row.id), "code": row.code, "records": row.done}
                    self._log.note(work.session, system("retention"), "schedule.apply", body=body)
                    work.commit()
            return
        if key is None:
            self._walk([Record.state == RecordState.FILED], None, still_held, None)
            return
        led = select(Subject.id).where((Subject.id == key) | (Subject.merged_into == key))
        hung = select(RecordSubject.record_id).where(RecordSubject.subject_id.in_(led))
        self._walk([Record.id.in_(hung)], None, still_held, None)

    def _count(self, draft: UUID, which: Sequence[ColumnElement[bool]]) -> None:
        """Note how many records there are to do, of which the page tells how far it is."""
        with self._db.reading(long=True) as session:
            total = session.scalar(select(func.count()).select_from(Record).where(*which)) or 0
        with self._db.writing() as work:
            work.session.execute(update(ScheduleDraft).where(ScheduleDraft.id == draft).values(total=total))
            work.commit()

    def _walk(
        self,
        which: Sequence[ColumnElement[bool]],
        through: UUID | None,
        still_held: Callable[[], bool],
        draft: UUID | None,
    ) -> bool:
        """Reckon all records that fit, by their ids behind ``through``; return whether it came to the end."""
        while True:
            query = select(Record.id).where(*which).order_by(Record.id).limit(_LOOK)
            with self._db.reading(long=True) as session:
                ids = session.scalars(query if through is None else query.where(Record.id > through)).all()
            for start in range(0, len(ids), BATCH):
                if not still_held():
                    return False
                part = ids[start : start + BATCH]
                with self._db.writing() as work:
                    self._due_days.again(work.session, part, world(work.session))
                    if draft is not None:
                        self._came_to(work, draft, part)
                    work.commit()
            if len(ids) < _LOOK:
                return True
            through = ids[-1]

    @staticmethod
    def _came_to(work: Work, draft: UUID, part: Sequence[UUID]) -> None:
        done = update(ScheduleDraft).where(ScheduleDraft.id == draft)
        work.session.execute(done.values(through=part[-1], done=ScheduleDraft.done + len(part)))


class FindDue:
    """Finds every day what fell due, marks it and writes it into the log. Nothing else is ever done by it."""

    kind = JobKind.FIND_DUE
    batch = 1
    deadline = 3600.0
    max_attempts = 5
    keep_done = True

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Mark what is due and not marked yet, in short batches; each goes on behind the last, earliest day first."""
        day = self._guard.day()
        after: tuple[date, UUID] | None = (date.min, UUID(int=0))
        while after is not None and jobs[0].still_held():
            after = self._one_batch(day, *after)
        return {job.id: Outcome.done() for job in jobs}

    def _one_batch(self, day: date, due: date, key: UUID) -> tuple[date, UUID] | None:
        """Mark one batch behind a day and a record; return where it ended, None when there is no more.

        When each was found stands in its row. The log says how many: after a long standstill, or when the papers of
        years were brought in, all that there is may fall due at once.
        """
        waiting = (
            RecordDue.due.between(due, day), RecordDue.noticed_on.is_(None),
            or_(RecordDue.due > due, RecordDue.record_id > key),
        )  # fmt: skip
        last = select(RecordDue.due, RecordDue.record_id).where(*waiting).order_by(RecordDue.due, RecordDue.record_id)
        with self._db.writing() as work:
            end: Any = work.session.execute(last.offset(NOTICED - 1).limit(1)).one_or_none()
            marked = update(RecordDue).where(*waiting).values(noticed_on=day)
            if end is not None:
                behind = and_(RecordDue.due == end.due, RecordDue.record_id <= end.record_id)
                marked = marked.where(RecordDue.due <= end.due, or_(RecordDue.due < end.due, behind))
            done: Any = work.session.execute(marked, execution_options={"synchronize_session": False})
            if done.rowcount:
                body = {"records": done.rowcount, "due_through": (end.due if end else day).isoformat()}
                self._log.note(work.session, system("retention"), "record.fall_due", body=body)
                work.commit()
        return tuple(end) if end is not None else None
