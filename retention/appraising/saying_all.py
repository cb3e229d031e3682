"""The same opinion of all items that a filter means: at once when they are few, else by a job in short transactions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive.accounts import login_identity
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Damaged, Ended, InvalidInput, KeyUnavailable, NotFound
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import AppraisalItem, Job, JobKind, JobState, Person, Verdict
from archive.policy.guard import Guard
from archive.ports import Vault
from retention.appraising.judging import BATCH, Filter, Judging, check_fits, conditions
from retention.appraising.rows import seen_items
from retention.appraising.verdicts import Said


@dataclass(frozen=True)
class Saying:
    """How far a job is that says a person's opinion."""

    done: int
    total: int


class SayAll:
    """Asks for such a job, and is its handler. It goes on behind the last item that was written, and says none twice.

    The reason travels sealed under the key of the year's log, and goes with the row when the job has ended.
    """

    kind = JobKind.SAY_ALL
    batch = 1
    deadline = 3600.0
    max_attempts = 20
    keep_done = False
    at_once = BATCH  # items of which a request says it itself: in one transaction, done or not

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, outbox: Outbox, clock: Clock, judging: Judging
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._outbox = outbox
        self._clock = clock
        self._judging = judging

    def ask(self, identity: Identity, appraisal_id: UUID, which: Filter, said: Said, reason: str) -> tuple[int, bool]:
        """Say the same of all items that a filter means; return of how many, and whether a job does it.

        Raises:
            NotFound, Ended, InvalidInput: as ``Judging.say``.
            Conflict: a job still says what this person said before.
        """
        words = self._judging.checked(said, reason)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, _ = self._judging.sits(session, identity, appraisal_id, "appraisal.say")
            if standing(session, identity, row.id) is not None:
                raise Conflict(what="appraisal")
            shown = seen_items(self._guard, session, identity, member=True)
            meant = [AppraisalItem.appraisal_id == row.id, shown, *conditions(which, identity.person_id)]
            check_fits(session, said, *meant)
            total = session.scalar(select(func.count()).select_from(AppraisalItem).where(*meant)) or 0
            if total > self.at_once:
                owner = self._vault.log_owner(session, self._clock.now().year)
                sealed = self._vault.seal(session, owner, words.encode(), context=_context(identity.person_id, row.id))
                payload = {
                    "which": asdict(which), "said": asdict(said), "owner": owner, "reason": sealed.hex(),
                    "total": total, "done": 0, "at": 0,
                }  # fmt: skip
                plain = json.loads(json.dumps(payload, default=str))
                self._outbox.add(work, JobKind.SAY_ALL, row.id, payload=plain, requested_by=identity.person_id)
                work.commit()
                return total, True
        return self._judging.say_all(identity, appraisal_id, which, said, reason), False

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Say what each job is to say."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        if job.subject_id is None or job.requested_by is None or "reason" not in job.payload:
            return Outcome.failed("no_subject")
        told: dict[str, Any] = dict(job.payload)
        context = _context(job.requested_by, job.subject_id)
        try:
            with self._db.reading() as session:
                identity = login_identity(session, session.get_one(Person, job.requested_by))
                sealed = bytes.fromhex(told["reason"])
                words = self._vault.open(session, UUID(told["owner"]), sealed, context=context).decode()
            which, said, count = _filter(told["which"]), _said(told["said"]), BATCH
            while count == BATCH:
                if not job.still_held():
                    return Outcome.retry("lease_lost")
                fits = [*conditions(which, identity.person_id), AppraisalItem.position > told["at"]]

                def note(session: Session, count: int, last: int) -> None:
                    told.update(done=told["done"] + count, at=last)
                    session.execute(update(Job).where(Job.id == job.id).values(payload=told))

                count, _ = self._judging.some(identity, job.subject_id, fits, said, words, note)
        except (Ended, NotFound, InvalidInput, Damaged, KeyUnavailable) as error:  # it came to another state meanwhile
            with self._db.writing() as work:
                work.session.execute(update(Job).where(Job.id == job.id).values(payload={}))
                work.commit()
            return Outcome.failed(error.code)
        return Outcome.done()


def standing(session: Session, identity: Identity, appraisal_id: UUID) -> Saying | None:
    """Return how far the job is that says this person's opinion; None: there is none."""
    mine = select(Job.payload).where(*_waiting(appraisal_id), Job.requested_by == identity.person_id)
    told = session.scalar(mine.limit(1))
    return None if told is None else Saying(told.get("done", 0), told.get("total", 0))


def anyone(session: Session, appraisal_id: UUID) -> bool:
    """Whether a job still says what some member said."""
    return session.scalar(select(Job.id).where(*_waiting(appraisal_id)).limit(1)) is not None


def _waiting(appraisal_id: UUID) -> list[Any]:
    unfinished = Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    return [Job.subject_id == appraisal_id, Job.kind == JobKind.SAY_ALL, unfinished]


def _context(person_id: UUID | None, appraisal_id: UUID) -> str:
    return f"say-all:{appraisal_id.hex}:{person_id.hex if person_id else ''}"


def _filter(told: Mapping[str, Any]) -> Filter:
    verdict, category = told["verdict"], told["category"]
    return Filter(
        told["todo"], Verdict(verdict) if verdict else None, told["unsaid"], UUID(category) if category else None
    )


def _said(told: Mapping[str, Any]) -> Said:
    return Said(Verdict(told["verdict"]), date.fromisoformat(told["until"]) if told["until"] else None)
