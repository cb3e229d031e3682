"""The job that carries a destruction out, step by step; each step may break off anywhere and is gone on with.

1. rows and bytes, batch by batch;
2. keys: survivors get new ones, these are backed up, then the old generations are destroyed in every copy of the ring;
3. the database's dead pages and log, at the house's hour for it: who needs a table waits meanwhile;
4. what the search engine keeps of entries that were taken out;
5. the proof.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Database, Work
from archive.errors import Interrupted, NotFound, Unavailable, WrongState
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import FOR_ITS_HOUR, ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import (
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionProof,
    DestructionRun,
    DestructionState,
    GoneStep,
    Job,
    JobKind,
    JobState,
)
from archive.ports import KeysGone, WrappedKeyBackups
from archive.scrubbing import BUSY, DONE
from retention.gone.batches import ACTOR, Batches, Means
from retention.gone.looks import WIPES_AT, wiped, wipes_at
from retention.gone.proof import Proofs

WAIT = timedelta(seconds=1)
"""After this a destruction that waits for the index looks again."""

AWAY = timedelta(minutes=1)
"""After this it tries again what did not answer, or was full."""

HELD = timedelta(minutes=10)
"""After this it wipes again a database of which somebody held a table."""

WIPES = 6
"""So often it wipes before the proof says that a table was held."""

ANEW = "anew"
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_AFTER = dict(zip(list(GoneStep)[:-1], list(GoneStep)[1:], strict=True))


class Erasing:
    """Handler of destructions that run (see ``archive.jobs.runner.Handler``)."""

    kind = JobKind.DESTROY
    batch = 1
    deadline = 24 * 3600.0
    max_attempts = 100_000
    keep_done = False

    def __init__(
        self, db: Database, log: Log, outbox: Outbox, clock: Clock, batches: Batches, means: Means,
        backups: WrappedKeyBackups, proofs: Proofs, scrub: Callable[[], Mapping[str, str]],
        wipes_next: Callable[[], datetime | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._db = db
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._batches = batches
        self._means = means
        self._backups = backups
        self._proofs = proofs
        self._scrub = scrub
        self._wipes_next = wipes_next  # None: at once
        self.tell: Callable[[Work, Destruction], object] = lambda _work, _row: None  # whose turn it is once all is gone
        self._steps: Mapping[GoneStep, Callable[[UUID, ClaimedJob], bool]] = {
            GoneStep.ROWS: self._rows,
            GoneStep.KEYS: self._keys,
            GoneStep.DATABASE: self._database,
            GoneStep.SEARCH: self._search,
            GoneStep.PROOF: self._proof,
        }

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Go on with each as far as it goes now."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        step = self._begin(job.subject_id) if job.subject_id else None
        if step is None or job.subject_id is None:
            return Outcome.failed("no_subject")
        while step is not GoneStep.DONE:
            if not job.still_held():
                return Outcome.retry("lease_lost")
            if step is GoneStep.DATABASE and (wait := self._until_hour(job.subject_id)):
                return Outcome.retry(FOR_ITS_HOUR, wait)
            try:
                done = self._steps[step](job.subject_id, job)
            except (Interrupted, Unavailable) as error:  # this process is to end, or something does not answer
                return Outcome.retry(str(error.facts.get("part", error.code)), AWAY)
            if not done:
                return Outcome.retry("waits", WAIT)
            step = self._advance(job.subject_id, step)
        return Outcome.done()

    def _begin(self, destruction_id: UUID) -> GoneStep | None:
        """Return the step of a destruction, begun now if it was not; None: there is none, or it does not run."""
        with self._db.writing() as work:
            row = work.session.get(Destruction, destruction_id)
            run = work.session.get(DestructionRun, destruction_id)
            if run is None and row is not None and row.state is DestructionState.RUNNING:
                run = DestructionRun(
                    destruction_id=destruction_id, step=GoneStep.ROWS, began_at=self._clock.now(), partitions=[],
                    words_key=new_id(), facts={},
                )  # fmt: skip
                work.session.add(run)
                work.commit()
            return run.step if run else None

    def _advance(self, destruction_id: UUID, step: GoneStep) -> GoneStep:
        after = _AFTER[step]
        if after is GoneStep.DONE:
            return after  # written with the end itself
        self._note(destruction_id, lambda run, _work: setattr(run, "step", after))
        return after

    def _note(self, destruction_id: UUID, change: Callable[[DestructionRun, Work], Any]) -> None:
        with self._db.writing() as work:
            change(work.session.get_one(DestructionRun, destruction_id), work)
            work.commit()

    def _until_hour(self, destruction_id: UUID) -> timedelta:
        """Return how long wiping waits for the house's hour. It is noted once, so that nothing puts it off again."""
        with self._db.reading() as session:
            noted = wipes_at(session.get_one(DestructionRun, destruction_id))
        if noted is None and (noted := self._wipes_next()) is not None:
            at = noted.isoformat()
            self._note(destruction_id, lambda run, _work: setattr(run, "facts", run.facts | {WIPES_AT: at}))
        return max(timedelta(), noted - self._clock.now()) if noted else timedelta()

    def again(self, destruction_id: UUID) -> DestructionProof:
        """Try once more what refused to go, then make another proof.

        Raises:
            NotFound: it does not run, and never did.
            WrongState: its own steps are not at the proof yet, which would say too much.
            Unavailable: something does not answer.
        """
        with self._db.reading() as session:
            if (run := session.get(DestructionRun, destruction_id)) is None:
                raise NotFound
            if run.step not in {GoneStep.PROOF, GoneStep.DONE}:
                raise WrongState(state=run.step.value, act="destruction.prove")
            all_wiped = set(wiped(run).values()) == {DONE}
        self._batches.erase(destruction_id, again=True)
        self._tell_ring(destruction_id, self._means.keys.destroy(()))
        if not all_wiped:
            self._wipe(destruction_id)
        return self._proofs.make(destruction_id)

    # Steps: each returns whether it is done; not yet: it is asked again soon

    def _rows(self, destruction_id: UUID, job: ClaimedJob) -> bool:
        self._batches.erase(destruction_id)
        while more := self._batches.next(destruction_id):
            if not job.still_held():
                return False
        if more is None:
            return False
        failpoints.reach("destroy.rows_done")
        return True

    def _keys(self, destruction_id: UUID, job: ClaimedJob) -> bool:
        """Survivors first: they have new keys, and these a backup, before the old ones go.

        Only what was left to nobody before the backup goes: another destruction may close more meanwhile.
        """
        left = self._means.keys.rewrap()
        failpoints.reach("destroy.rewrapped")
        at = self._backups.renew(job.still_held)
        self._note(destruction_id, lambda run, _work: setattr(run, "pack_at", at))
        failpoints.reach("destroy.packed")
        gone = self._means.keys.destroy(left)
        failpoints.reach("destroy.keys")
        self._tell_ring(destruction_id, gone)
        return True

    def _tell_ring(self, destruction_id: UUID, gone: KeysGone) -> None:
        def tell(run: DestructionRun, _work: Work) -> None:
            before = run.facts.get("ring", {}).get("destroyed", 0)  # tried again, nothing is left to destroy
            ring = {"destroyed": max(gone.destroyed, before), "unconfirmed": list(gone.unconfirmed)}
            run.facts = run.facts | {"ring": asdict(gone) | ring}

        self._note(destruction_id, tell)

    def _database(self, destruction_id: UUID, _job: ClaimedJob) -> bool:
        """A backup that reads for minutes holds what it reads: nobody has to come back for that."""
        return BUSY not in self._wipe(destruction_id).values() or not self._again_later(destruction_id)

    def _again_later(self, destruction_id: UUID) -> bool:
        """Put wiping off once more; return False when it was often enough."""
        at = (self._clock.now() + HELD).isoformat()
        with self._db.writing() as work:
            run = work.session.get_one(DestructionRun, destruction_id)
            tries = run.facts.get("wipes", 0) + 1
            if tries < WIPES:
                run.facts = run.facts | {"wipes": tries, WIPES_AT: at}
            work.commit()
        return bool(tries < WIPES)

    def _wipe(self, destruction_id: UUID) -> Mapping[str, str]:
        said = dict(self._scrub())
        failpoints.reach("destroy.scrubbed")
        self._note(destruction_id, lambda run, _work: setattr(run, "facts", run.facts | {"database": said}))
        return said

    def _search(self, destruction_id: UUID, _job: ClaimedJob) -> bool:
        with self._db.reading() as session:
            run = session.get_one(DestructionRun, destruction_id)
            if _index_waits(session, destruction_id):
                return False
            asked = run.job_id and session.get(Job, run.job_id)
        if run.job_id is None:
            self._note(destruction_id, self._ask_to_expunge)
            return False
        if asked and asked.state in _UNFINISHED:
            return False
        failpoints.reach("destroy.expunged")
        ended = asked.state.value if asked else JobState.DONE.value
        self._note(destruction_id, lambda run, _work: setattr(run, "facts", run.facts | {"expunge": ended}))
        return True

    def _ask_to_expunge(self, run: DestructionRun, work: Work) -> None:
        run.job_id = self._outbox.add(work, JobKind.EXPUNGE, payload={ANEW: run.partitions})

    def _proof(self, destruction_id: UUID, _job: ClaimedJob) -> bool:
        made = self._proofs.make(destruction_id)
        if made.facts["found"].get("objects"):  # versions of which no row told: overwritten, or marked as deleted
            self._batches.erase(destruction_id, again=True)
            made = self._proofs.make(destruction_id)
        failpoints.reach("destroy.proved")
        with self._db.writing() as work:
            row = work.session.get_one(Destruction, destruction_id)
            run = work.session.get_one(DestructionRun, destruction_id)
            run.step = GoneStep.DONE
            if row.state is DestructionState.RUNNING:
                row.state, row.gone_at, row.version = DestructionState.GONE, self._clock.now(), row.version + 1
                counts = _counts(work.session, destruction_id)
                body = {"destruction": row.number, "proof": str(made.id), "found": made.found} | counts
                self._log.note(work.session, ACTOR, "destruction.gone", body=body)
                self.tell(work, row)
            work.commit()
        failpoints.reach("destroy.gone")
        return True


def _index_waits(session: Session, destruction_id: UUID) -> bool:
    """Whether the index has still to forget a record that is gone."""
    gone = select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == destruction_id, DestructionItem.state == DestructionItemState.GONE
    )
    waiting = select(Job.id).where(Job.kind == JobKind.INDEX, Job.state.in_(_UNFINISHED), Job.subject_id.in_(gone))
    return session.scalar(waiting.limit(1)) is not None


def _counts(session: Session, destruction_id: UUID) -> dict[str, int]:
    rows = session.execute(
        select(DestructionItem.state, func.count())
        .where(DestructionItem.destruction_id == destruction_id)
        .group_by(DestructionItem.state)
    )
    ended = {DestructionItemState.GONE, DestructionItemState.PULLED}
    return {state.value: count for state, count in rows if state in ended}
