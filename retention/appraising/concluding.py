"""The job that opens, closes or withdraws an appraisal, in short transactions; after a break it goes on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from archive.blocks import Blocks, Cause, standing
from archive.clock import Clock
from archive.database import Database
from archive.identity import system
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalLines,
    AppraisalOpinion,
    AppraisalState,
    AppraisalTask,
    Block,
    BlockCause,
    BlockKind,
    JobKind,
    ReadingRight,
    Record,
    RecordExtension,
    RecordState,
    Verdict,
)
from archive.policy.guard import Guard
from archive.ports import Vault
from retention.appraising.report import judged, written
from retention.appraising.rows import opinion_context
from retention.appraising.verdicts import Said, stands
from retention.elsewhere import carried, doomed
from retention.keeping_on import Keep, Longer
from retention.last_check import stops
from retention.reckoning import DueDays

BATCH = 100
"""Items of one transaction: it stays well under 100 ms."""

_WHO = system("retention")


class Conclude:
    """Does what an appraisal's ``task`` says. Each step looks for what is left to do, so it may be done twice."""

    kind = JobKind.APPRAISE
    batch = 1
    deadline = 3600.0
    max_attempts = 20
    keep_done = True

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, blocks: Blocks, due_days: DueDays
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock
        self._blocks = blocks
        self._keep = Keep(vault, log, clock, due_days)

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do what each job's appraisal waits for."""
        for job in jobs:
            if job.subject_id is not None:
                self._one(job.subject_id, job.still_held)
        return {job.id: Outcome.done() for job in jobs}

    def _one(self, key: UUID, still_held: Callable[[], bool]) -> None:
        with self._db.reading() as session:
            row = session.get(Appraisal, key)
        if row is None or row.task is None:
            return
        steps: Mapping[AppraisalTask, Sequence[Callable[[Session, Appraisal, Sequence[Any]], None]]] = {
            AppraisalTask.OPENING: (self._block,),
            AppraisalTask.CLOSING: (self._keep_on, self._let_go, self._lift),
            AppraisalTask.WITHDRAWING: (self._lift,),
        }
        for step in steps[row.task]:
            for part in self._parts(key):
                if not still_held():
                    return
                with self._db.writing() as work:
                    step(work.session, row, part)
                    work.commit()
        with self._db.reading() as session:
            lines = written(judged(session, key)) if row.task is AppraisalTask.CLOSING else b""
        with self._db.writing() as work:
            self._end(work.session, key, lines)
            work.commit()

    def _parts(self, key: UUID) -> Iterator[Sequence[Any]]:
        """Yield the items of a list in its order."""
        last = 0
        while True:
            columns = AppraisalItem.record_id, AppraisalItem.position, AppraisalItem.verdict, AppraisalItem.until
            query = select(*columns).where(AppraisalItem.appraisal_id == key, AppraisalItem.position > last)
            with self._db.reading() as session:
                rows = session.execute(query.order_by(AppraisalItem.position).limit(BATCH)).all()
            if rows:
                yield rows
            if len(rows) < BATCH:
                return
            last = rows[-1].position

    def _block(self, session: Session, row: Appraisal, part: Sequence[Any]) -> None:
        """Keep records from being lent; what cannot be appraised any more, or is so elsewhere, leaves the list."""
        ids = [each.record_id for each in part]
        free = Record.state == RecordState.FILED, ~carried(), ~doomed()
        filed = select(Record.id).where(Record.id.in_(ids), *free)
        there, fresh, lost = set(session.scalars(filed)), [], []
        blocks = standing(session, ids)
        for key in ids:
            mine = [each for each in blocks.get(key, ()) if each.kind is BlockKind.IN_APPRAISAL and not each.copy_id]
            if key not in there or any(b.cause is BlockCause.APPRAISAL and b.cause_id != row.id for b in mine):
                lost.append(key)
            elif not mine:
                fresh.append(key)
        on = AppraisalItem.appraisal_id == row.id, AppraisalItem.record_id.in_(lost)
        session.execute(delete(AppraisalItem).where(*on))
        cause = Cause(BlockCause.APPRAISAL, row.id)
        self._blocks.set_many(session, _WHO, BlockKind.IN_APPRAISAL, [(key, None) for key in fresh], "", cause=cause)

    def _keep_on(self, session: Session, row: Appraisal, part: Sequence[Any]) -> None:
        """Give records that are to be kept on their new day."""
        wanted = {each.record_id: each.until for each in part if each.verdict is Verdict.KEEP and each.until}
        there = set(session.scalars(select(Record.id).where(Record.id.in_(wanted))))
        done = select(RecordExtension.record_id).where(
            RecordExtension.appraisal_id == row.id, RecordExtension.record_id.in_(wanted)
        )
        ids = sorted(there - set(session.scalars(done)))
        if not ids:
            return
        reasons = self._reasons(session, row, {key: wanted[key] for key in ids})
        longer = {key: Longer(wanted[key], row.number, reasons.get(key, "")) for key in ids}
        self._keep.on(session, _WHO, longer, {"appraisal": row.number}, appraisal=row.id)

    def _reasons(self, session: Session, row: Appraisal, wanted: Mapping[UUID, date]) -> Mapping[UUID, str]:
        """Return why records are kept on: the words of one who named the day that counts."""
        query = select(AppraisalOpinion).where(
            AppraisalOpinion.appraisal_id == row.id, AppraisalOpinion.record_id.in_(wanted),
            AppraisalOpinion.verdict == Verdict.KEEP,
        )  # fmt: skip
        said = [each for each in session.scalars(query) if each.until == wanted[each.record_id]]
        texts = [
            (each.record_id, each.sealed, opinion_context(row.id, each.record_id, each.person_id)) for each in said
        ]
        opened = zip(said, self._vault.open_many(session, texts), strict=True)
        return {each.record_id: json.loads(text)["why"] for each, text in opened if text}

    def _let_go(self, session: Session, row: Appraisal, part: Sequence[Any]) -> None:
        """Take back each verdict to destroy what may not go."""
        ids = [each.record_id for each in part if each.verdict is Verdict.DESTROY]
        for key, why in stops(session, ids, self._guard.day()).items():
            if not stands(Said(Verdict.DESTROY), why):
                there = AppraisalItem.appraisal_id == row.id, AppraisalItem.record_id == key
                session.execute(update(AppraisalItem).where(*there).values(verdict=None, stopped=why))

    def _lift(self, session: Session, row: Appraisal, part: Sequence[Any]) -> None:
        mine = select(Block).where(
            Block.record_id.in_([each.record_id for each in part]), Block.cause == BlockCause.APPRAISAL,
            Block.cause_id == row.id, Block.ended_at.is_(None),
        )  # fmt: skip
        rows = session.scalars(mine).all()
        if rows:
            self._blocks.lift_many(session, _WHO, rows, "", cause=Cause(BlockCause.APPRAISAL, row.id))

    def _end(self, session: Session, key: UUID, lines: bytes) -> None:
        row = session.get_one(Appraisal, key)
        now, task = self._clock.now(), row.task
        body: dict[str, Any] = {"appraisal": row.number}
        if task is AppraisalTask.OPENING:
            row.state, act = AppraisalState.OPEN, "appraisal.begin_judging"
        elif task is AppraisalTask.CLOSING:
            row.state, act = AppraisalState.CLOSED, "appraisal.close"
            row.digest, counts = digest_of(session, row)
            session.add(AppraisalLines(appraisal_id=key, lines=lines))
            body |= {"digest": row.digest, "verdicts": counts}
        else:
            row.state, act = AppraisalState.WITHDRAWN, "appraisal.end"
        if task is not AppraisalTask.OPENING:
            row.closed_at = now
            self._take_back(session, key, now)
        row.task, row.version = None, row.version + 1
        session.flush()
        self._log.note(session, _WHO, act, body=body)

    @staticmethod
    def _take_back(session: Session, key: UUID, now: datetime) -> None:
        """End what was disclosed to the panel."""
        rights = update(ReadingRight).where(ReadingRight.appraisal_id == key, ReadingRight.until > now)
        session.execute(rights.values(until=now).execution_options(synchronize_session=False))


def digest_of(session: Session, row: Appraisal) -> tuple[str, Mapping[str, int]]:
    """Return the SHA-256 over an appraisal's number and each item's number and verdict, and how many of each there are.

    A line each: ``number, verdict, until, stopped``, parted by tabs and ended by a newline, in the order of the list;
    what is not there is empty. The first line is the appraisal's number.
    """
    hashed, counts = sha256(f"{row.number}\n".encode()), dict[str, int]()
    columns = AppraisalItem.number, AppraisalItem.verdict, AppraisalItem.until, AppraisalItem.stopped
    query = select(*columns).where(AppraisalItem.appraisal_id == row.id).order_by(AppraisalItem.position)
    for number, verdict, until, stopped in session.execute(query):
        counts[verdict or "none"] = counts.get(verdict or "none", 0) + 1
        cells = number, verdict or "", until.isoformat() if until else "", stopped or ""
        hashed.update(("\t".join(cells) + "\n").encode())
    return hashed.hexdigest(), counts
