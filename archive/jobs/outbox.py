"""The outbox: work that follows from a change is a row in the change's own transaction.

After the commit one hint per queue goes to the broker. Losing it costs a delay (the sweep finds the row), never a job.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Base, Work
from archive.ids import new_id
from archive.jobs.lease import untaken
from archive.model.jobs import Job, JobKind, JobState
from archive.ports import Waker
from archive.trail import trail

QUEUES = {
    JobKind.EXTRACT: "extract",
    JobKind.UNPACK: "extract",
    JobKind.OCR: "ocr",
    JobKind.RENDITION: "extract",
    JobKind.COMPARE: "light",
    JobKind.INDEX: "index",
    JobKind.EXPUNGE: "index",
    JobKind.REBUILD: "index",
    JobKind.BRING_IN: "light",
    JobKind.FILE_MANY: "light",
    JobKind.BULK_EDIT: "light",
    JobKind.BULK_MOVE: "light",
    JobKind.BACKUP: "backup",
    JobKind.FIXITY: "fixity",
    JobKind.EMPTY_BIN: "retention",
    JobKind.LOCK: "retention",
    JobKind.SWEEP_ORPHANS: "retention",
    JobKind.FIND_DUE: "retention",
    JobKind.RECKON: "retention",
    JobKind.HOLD: "retention",
    JobKind.DESTROY: "retention",
    JobKind.SECRECY: "retention",
    JobKind.APPRAISE: "retention",
    JobKind.SAY_ALL: "retention",
    JobKind.PACK: "retention",
    JobKind.TAKE_IN: "retention",
    JobKind.CHECKPOINT: "light",
    JobKind.FORGET_ANSWERS: "light",
    JobKind.PLAN_CHECKS: "light",
    JobKind.LOANS: "light",
    JobKind.DUE: "light",
    JobKind.CALENDAR: "light",
    JobKind.FOLLOW_SCHEME: "light",
    JobKind.REREAD: "light",
    JobKind.DELIVER: "deliver",
}
"""Queue of each kind: heavy parsing, the slower reading of scans, the one index writer, what has a clock and walks
over all that is kept, what reads all that is kept at its leisure, what waits for servers outside,
and all that is short."""

_WOKEN = "juanku_outbox_wake"
_ASKED = "juanku_outbox_asked"
_FOLLOWED = "juanku_outbox_followed"
_JOB = insert(Base.metadata.tables["job"])


def queue_of(kind: JobKind) -> str:
    """Return the name of the queue whose workers do this kind."""
    return QUEUES[kind]


def kinds_of(queue: str) -> tuple[JobKind, ...]:
    """Return the kinds that a queue's workers do."""
    return tuple(kind for kind, name in QUEUES.items() if name == queue)


Follow = Callable[[Session, Sequence[UUID]], None]
"""Does in a change's own transaction what follows from it for records."""


class Outbox:
    """Adds jobs to a unit of work.

    Each of ``follow`` is told, just before the commit, of every record that is to be indexed anew: whatever changes
    what is known of a record asks for that, so nothing that hangs on a record's facts can miss a change of them.
    """

    def __init__(self, clock: Clock, waker: Waker, *follow: Follow) -> None:
        self._clock = clock
        self._waker = waker
        self._to_follow = follow

    def add(
        self,
        work: Work,
        kind: JobKind,
        subject_id: UUID | None = None,
        *,
        payload: Mapping[str, Any] | None = None,
        run_after: datetime | None = None,
        requested_by: UUID | None = None,
    ) -> UUID:
        """Add one job and return its id. ``payload`` is plain JSON and holds no secret.

        It runs at once, or not before ``run_after``, and is checked with the present rights of ``requested_by``.
        """
        row = self._row(kind, subject_id, payload, run_after, requested_by)
        work.session.execute(insert(Job), [row])
        if subject_id is not None:
            self._follow(work, kind, [subject_id])
        if run_after is None or run_after <= self._clock.now():
            self._wake_later(work, kind, row["id"])
        job_id: UUID = row["id"]
        return job_id

    def add_many(self, work: Work, kind: JobKind, subject_ids: Sequence[UUID]) -> None:
        """Add one job per subject; for one that this unit of work has given such a job already that one stands."""
        asked: set[tuple[JobKind, UUID]] = work.session.info.setdefault(_ASKED, set())
        fresh = [subject for subject in dict.fromkeys(subject_ids) if (kind, subject) not in asked]
        if not fresh:
            return
        asked.update((kind, subject) for subject in fresh)
        rows = [self._row(kind, subject, None, None, None) for subject in fresh]
        work.session.connection().execute(_JOB, rows)
        self._follow(work, kind, fresh)
        self._wake_later(work, kind, rows[0]["id"])

    def add_gathered(self, work: Work, kind: JobKind, subject_id: UUID, rest: Callable[[datetime], timedelta]) -> None:
        """Add a job that runs after a ``rest``, and does what is asked for until then, too.

        One that stands, and nobody has taken, is left to do it; ``rest`` is asked, at this moment, where there is none.
        """
        standing = untaken(kind, [subject_id]).with_for_update(skip_locked=True)
        if work.session.scalars(standing).all():
            self._follow(work, kind, [subject_id])
        else:
            now = self._clock.now()
            self.add(work, kind, subject_id, run_after=now + rest(now))

    def _follow(self, work: Work, kind: JobKind, subject_ids: Sequence[UUID]) -> None:
        """Remember records whose followers are told before the commit."""
        session = work.session
        if not self._to_follow or kind is not JobKind.INDEX:
            return
        known: dict[UUID, None] | None = session.info.get(_FOLLOWED)
        if known is None:
            known = session.info[_FOLLOWED] = {}
            work.before_commit(lambda: self._tell(session))
        known.update(dict.fromkeys(subject_ids))

    def _tell(self, session: Session) -> None:
        records = list(session.info.pop(_FOLLOWED))
        for follow in self._to_follow:
            follow(session, records)

    def wake_later(self, work: Work, job: Job) -> None:
        """Wake the workers of a job, that stands already, once ``work`` is committed."""
        self._wake_later(work, job.kind, job.id)

    def _row(
        self,
        kind: JobKind,
        subject_id: UUID | None,
        payload: Mapping[str, Any] | None,
        run_after: datetime | None,
        requested_by: UUID | None,
    ) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "id": new_id(),
            "kind": kind,
            "subject_id": subject_id,
            "payload": dict(payload or {}),
            "state": JobState.QUEUED,
            "attempts": 0,
            "run_after": run_after or now,
            "requested_by": requested_by,
            "request": trail().request,
            "created_at": now,
        }

    def _wake_later(self, work: Work, kind: JobKind, job_id: UUID) -> None:
        """Remember one hint per queue for this commit."""
        woken: dict[str, UUID] | None = work.session.info.get(_WOKEN)
        if woken is None:
            woken = work.session.info[_WOKEN] = {}
            work.after_commit(lambda: self._wake(work))
        woken.setdefault(queue_of(kind), job_id)

    def _wake(self, work: Work) -> None:
        woken: dict[str, UUID] = work.session.info.pop(_WOKEN, {})
        work.session.info.pop(_ASKED, None)
        for queue, job_id in woken.items():
            self._waker.wake(queue, job_id)
