"""Many records filed in one act: by a job, in short batches, each refused one kept with its reason."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Base, Database
from archive.errors import Fault, InvalidInput, NotAllowed
from archive.filing.one import FilingService
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import FilingRun, FilingRunRow, FilingRunState, JobKind, Record
from archive.own_work import own, sweep, unfinished
from archive.policy.condition import NEVER
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition

BATCH = 50
MOST = 5_000
FILED, BEFORE = "filed", "filed_before"


@dataclass(frozen=True)
class Run:
    """A run: how many it is about, what became of them (by outcome), and those that were refused, in order.

    ``broken``: it is to run, and no job of it waits or runs.
    """

    row: FilingRun
    total: int
    outcomes: Mapping[str, int]
    refused: Sequence[FilingRunRow]
    broken: bool

    @property
    def done(self) -> int:
        """How many are decided on."""
        return sum(self.outcomes.values())


class FilingMany:
    """Runs of filing, each seen by whoever began it."""

    def __init__(
        self, db: Database, guard: Guard, filing: FilingService, log: Log, outbox: Outbox, clock: Clock
    ) -> None:
        self._db = db
        self._guard = guard
        self._filing = filing
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def require(self, identity: Identity) -> None:
        """Check that a person files something somewhere. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._files(session, identity)

    def begin(self, identity: Identity, record_ids: Sequence[UUID]) -> UUID:
        """Begin to file records; the job does it with the rights that the person has then. Those not read are left out.

        Raises:
            NotAllowed: the person files nothing anywhere.
            InvalidInput: none, or more than ``MOST``.
        """
        ids = list(dict.fromkeys(record_ids))
        if not ids or len(ids) > MOST:
            raise InvalidInput(Fault("records", "too_many" if ids else "tick_some", {"limit": MOST}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person_id = self._files(session, identity)
            seen = self._guard.seen(session, identity, ids)
            ids = [each for each in ids if each in seen]
            if not ids:
                raise InvalidInput(Fault("records", "tick_some", {"limit": MOST}))
            key = new_id()
            session.add(FilingRun(id=key, person_id=person_id, created_at=self._clock.now()))
            session.flush()
            rows = [{"run_id": key, "position": at, "record_id": each, "missing": []} for at, each in enumerate(ids, 1)]
            session.connection().execute(insert(Base.metadata.tables["filing_run_row"]), rows)
            self._outbox.add(work, JobKind.FILE_MANY, key, requested_by=person_id)
            self._log.note(session, identity, "filing.begin", body={"run": str(key), "records": len(ids)})
            work.commit()
        return key

    def _files(self, session: Session, identity: Identity) -> UUID:
        """Return the id of a person who files something somewhere. Raises ``NotAllowed``."""
        if identity.person_id is None or condition(Act.FILE, self._guard.reach(session, identity)) == NEVER:
            raise NotAllowed(act=Act.FILE.value)
        return identity.person_id

    def show(self, identity: Identity, run_id: UUID, *, after: int = 0, limit: int = 500) -> Run:
        """Return how far a run is, and what was not filed behind a position.

        Raises:
            NotFound: it is not this person's.
        """
        with self._db.reading() as session:
            row = own(session, FilingRun, identity, run_id)
            mine = FilingRunRow.run_id == row.id
            total = session.scalar(select(func.count()).select_from(FilingRunRow).where(mine)) or 0
            told = select(FilingRunRow.outcome, func.count()).where(mine, FilingRunRow.outcome.is_not(None))
            outcomes = {str(each): number for each, number in session.execute(told.group_by(FilingRunRow.outcome))}
            refused = select(FilingRunRow).where(mine, FilingRunRow.outcome.is_not(None), FilingRunRow.outcome != FILED)
            refused = refused.where(FilingRunRow.position > after).order_by(FilingRunRow.position)
            rows = session.scalars(refused.limit(limit)).all()
            broken = row.state is FilingRunState.RUNNING and not unfinished(session, row.id)
            return Run(row, total, outcomes, rows, broken)

    def filed(self, identity: Identity, run_id: UUID, limit: int) -> Sequence[Record]:
        """Return what a run filed and this person reads, by archive number, at most ``limit`` records.

        Raises:
            NotFound: it is not this person's.
        """
        with self._db.reading() as session:
            row = own(session, FilingRun, identity, run_id)
            filed = select(FilingRunRow.record_id).where(FilingRunRow.run_id == row.id, FilingRunRow.outcome == FILED)
            mine = self._guard.visible(session, identity).where(Record.id.in_(filed))
            return session.scalars(mine.order_by(Record.archive_number, Record.id).limit(limit)).all()

    def stop(self, identity: Identity, run_id: UUID) -> None:
        """Stop after the batch that is under way; what is filed stays filed. Raises ``NotFound``."""
        with self._db.writing() as work:
            row = own(work.session, FilingRun, identity, run_id)
            if row.state is FilingRunState.RUNNING:
                row.state, row.ended_at = FilingRunState.STOPPED, self._clock.now()
                self._log.note(work.session, identity, "filing.stop", body={"run": str(run_id)})
                work.commit()

    def resume(self, identity: Identity, run_id: UUID) -> None:
        """Go on with a run that was stopped or broke off; asked again while it runs, nothing changes.

        Raises ``NotFound``.
        """
        with self._db.writing() as work:
            row = own(work.session, FilingRun, identity, run_id)
            running = row.state is FilingRunState.RUNNING and unfinished(work.session, run_id)
            if row.state is FilingRunState.DONE or running:
                return
            row.state, row.ended_at = FilingRunState.RUNNING, None
            self._outbox.add(work, JobKind.FILE_MANY, run_id, requested_by=identity.person_id)
            self._log.note(work.session, identity, "filing.begin", body={"run": str(run_id)})
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every run that was begun before a moment; what it filed stays filed."""
        sweep(self._db, FilingRun, before, _remove)

    def go_on(self, identity: Identity, run_id: UUID) -> Iterator[int]:
        """File what waits, batch by batch; yields after each how many were decided on. A broken run is gone on with."""
        while True:
            with self._db.reading() as session:
                run = session.get(FilingRun, run_id)
                if run is None or run.state is not FilingRunState.RUNNING:
                    return
                waiting = select(FilingRunRow.record_id).where(
                    FilingRunRow.run_id == run_id, FilingRunRow.outcome.is_(None)
                )
                ids = session.scalars(waiting.order_by(FilingRunRow.position).limit(BATCH)).all()
            if not ids:
                self._end(identity, run_id)
                return
            outcomes = self._filing.file(identity, ids)
            with self._db.writing() as work:
                of_old = select(Record.id).where(Record.id.in_(ids), Record.filed_at < run.created_at)
                old = set(work.session.scalars(of_old))
                for each in outcomes:
                    mine = update(FilingRunRow).where(
                        FilingRunRow.run_id == run_id, FilingRunRow.record_id == each.record_id
                    )
                    # what was filed since it began was filed by an earlier attempt of it
                    by_it = each.reason is None or (each.reason == BEFORE and each.record_id not in old)
                    work.session.execute(
                        mine.values(outcome=FILED if by_it else each.reason, missing=list(each.missing))
                    )
                work.commit()
            yield len(ids)

    def _end(self, identity: Identity, run_id: UUID) -> None:
        with self._db.writing() as work:
            session = work.session
            run = session.get_one(FilingRun, run_id)
            if run.state is not FilingRunState.RUNNING:
                return
            run.state, run.ended_at = FilingRunState.DONE, self._clock.now()
            outcomes = Counter(session.scalars(select(FilingRunRow.outcome).where(FilingRunRow.run_id == run_id)))
            body = {"run": str(run_id), "filed": outcomes[FILED], "refused": outcomes.total() - outcomes[FILED]}
            self._log.note(session, identity, "filing.end", body=body)
            work.commit()


def _remove(session: Session, run_id: UUID) -> None:
    session.execute(delete(FilingRunRow).where(FilingRunRow.run_id == run_id))
    session.execute(delete(FilingRun).where(FilingRun.id == run_id))
