"""Reading stored files again, when this program has learned to read more than it could when they came in.

What a file gave stays until it gives something better: a text is never exchanged for none, nor the words of a scanned
page for words that are less sure. A run goes batch by batch, so that files that come in meanwhile are not held up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, update
from sqlalchemy.orm import Session

from archive.accounts import login_identity
from archive.clock import Clock
from archive.database import Database, Work
from archive.errors import Fault, InvalidInput, NotFound, WrongState
from archive.files.renditions import UNREAD
from archive.identity import Identity, system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import (
    Category,
    Content,
    ContentState,
    File,
    Fonds,
    Job,
    JobKind,
    JobState,
    Person,
    Record,
    ScannedPage,
    ScanState,
    TextState,
)
from archive.model.contents import Reread, RereadState
from archive.own_work import unfinished
from archive.policy.guard import Guard
from archive.policy.rules import Act, may

AGAIN = "again"
"""In the payload of an extract job: what the content was before, as ``standing`` tells it."""

BATCH = 200
SCANS_BATCH = 20
"""Files that are asked for at once: what comes in meanwhile waits behind no more."""

LOOK = timedelta(seconds=1)
"""After how long it is looked whether a batch was read."""

DOUBTFUL, CLEAR = "doubtful", "clear"
"""How pages that OCR reads again stand, beside what ``standing`` tells."""

OLDER = "older"
PERCENT = 100

_RUN = "run"
"""Beside ``AGAIN``: which run asked."""

_PAGES = "pages"
"""Among the changes of a run: pages of the batch under way that OCR reads again."""

_WHOLE = (ContentState.STORED, ContentState.QUARANTINED)
_UNFINISHED = Job.state.in_((JobState.QUEUED, JobState.RUNNING))

FILTERS = ("kind", "text", "reason", "category", "fonds", "reader", "scans")


def standing(state: ContentState, text: TextState, reason: str | None) -> str:
    """Return where a content stands: ``text``, ``no_text``, ``failed``, ``quarantined``; then ``:`` and why."""
    word = state.value if state is ContentState.QUARANTINED else text.value
    return f"{word}:{reason}" if reason else word


@dataclass(frozen=True)
class Change:
    """How many contents (of scans, pages) went from one standing to another."""

    before: str
    after: str
    count: int


def changes_of(row: Reread) -> list[Change]:
    """Return what became of what a run has read, the most frequent change first."""
    counted = sorted(((count, pair) for pair, count in row.changes.items() if pair != _PAGES), reverse=True)
    return [Change(before, after, count) for count, pair in counted for before, after in [pair.split("\t")]]


class Rereading:
    """Has contents read again, and tells what changed; the handler of the job that leads a run.

    Whoever asks means what they may read themselves; who runs the system means every file, and is shown counts alone.

    Args:
        newest: the number of how files are read today; ``reader=older`` means what was read by an earlier one.
        ocr: whether scans can be read here.
    """

    kind = JobKind.REREAD
    batch = 1
    deadline = 300.0
    max_attempts = 20
    keep_done = False

    def __init__(
        self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock, newest: int, *, ocr: bool
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._newest = newest
        self._ocr = ocr

    def count(self, identity: Identity, where: Mapping[str, str]) -> int:
        """Return how many contents a choice means.

        Args:
            identity: who asks.
            where: by name of ``FILTERS``: media type, state of the text (or ``quarantined``), reason, codes; ``reader``
                is ``older``; ``scans`` is the percent of confidence below which pages are read again.

        Raises:
            NotAllowed: this person has no files read again.
            InvalidInput: there is no such filter (field ``filter``).
        """
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.REREAD)
            return self._count(session, identity, where)

    def ask(self, identity: Identity, where: Mapping[str, str]) -> UUID:
        """Have the chosen contents read again, and return the run; of the same choice, one that broke off goes on.

        Raises:
            NotAllowed, InvalidInput: as ``count``; or scans are chosen, and there is no OCR here.
        """
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.REREAD)
            if "scans" in where and not self._ocr:
                raise InvalidInput(Fault("filter", "no_ocr"))
            total = self._count(session, identity, where)
            mine = select(Reread).where(
                Reread.state != RereadState.DONE, Reread.asked_by.is_not_distinct_from(identity.person_id)
            )
            same = next((row.id for row in session.scalars(mine) if row.chosen == dict(where)), None)
        if same is not None:
            self.go_on(identity, same)
            return same
        with self._db.writing() as work:
            row = Reread(
                id=new_id(), chosen=dict(where), asked_by=identity.person_id, asked_at=self._clock.now(), total=total
            )
            work.session.add(row)
            work.session.flush()
            self._log.note(work.session, identity, "system.reread", body={"run": str(row.id), "where": dict(where)})
            self._outbox.add(work, JobKind.REREAD, row.id)
            work.commit()
        return row.id

    def go_on(self, identity: Identity, run_id: UUID) -> None:
        """Go on with a run that was stopped or broke off.

        Raises:
            NotAllowed, NotFound: as ``show``.
            WrongState: it is done.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._run(work.session, identity, run_id, lock=True)
            if row.state is RereadState.DONE:
                raise WrongState(state=row.state.value, act="system.reread")
            if row.state is RereadState.STOPPED:
                row.state, row.ended_at = RereadState.RUNNING, None
                body = {"run": str(row.id), "where": row.chosen, "done": row.done}
                self._log.note(work.session, identity, "system.reread", body=body)
            self._follow(work, row)
            work.commit()

    def stop(self, identity: Identity, run_id: UUID) -> None:
        """Stop a run: the batch under way is read to its end. Raises ``NotAllowed``, ``NotFound`` as ``show``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._run(work.session, identity, run_id, lock=True)
            if row.state is RereadState.RUNNING:
                row.state = RereadState.STOPPED
                body = {"run": str(row.id), "done": row.done}
                self._log.note(work.session, identity, "system.reread_stop", body=body)
            work.commit()

    def show(self, identity: Identity, run_id: UUID) -> Reread:
        """Return a run.

        Raises:
            NotAllowed: this person has no files read again.
            NotFound: there is none, or another asked for it and they do not run the system.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            return self._run(session, identity, run_id)

    def runs(self, identity: Identity, *, after: UUID | None = None, limit: int) -> Sequence[Reread]:
        """Return the person's own runs, or to who runs the system all, the newest first, behind the one of an id.

        Raises:
            NotAllowed: this person has no files read again.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            reach = self._guard.require_house(session, identity, Act.REREAD)
            query = select(Reread)
            if not may(Act.RUN_SYSTEM, reach):
                query = query.where(Reread.asked_by == identity.person_id)
            if after is not None:
                query = query.where(Reread.id < after)
            return session.scalars(query.order_by(Reread.id.desc()).limit(limit)).all()

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Take the next step of each run: count what was read, and ask for the next batch."""
        for job in jobs:
            if job.subject_id is not None:
                self._step(job.subject_id)
        return {job.id: Outcome.done() for job in jobs}

    def _step(self, key: UUID) -> None:
        with self._db.reading(long=True) as session:  # a choice may be rare: finding its next files takes a while
            row = session.get(Reread, key)
            reads = row is not None and bool(row.batch) and self._reads(session, row)
            found = self._next(session, row) if row is not None and not reads else ()
            before = (row.done, row.batch) if row is not None else None
        with self._db.writing() as work:
            session = work.session
            row = session.get(Reread, key, with_for_update=True)
            if row is None or row.state is RereadState.DONE:
                return
            fresh = (row.done, row.batch) == before  # else another step was taken meanwhile: what was found is of old
            if fresh and row.batch and not reads:
                self._note(session, row)
            if fresh and not row.batch and row.state is RereadState.RUNNING:
                if found:
                    self._ask(work, row, found)
                else:  # nothing is left; or who asked may have nothing read again any more
                    row.state = RereadState.STOPPED if found is None else RereadState.DONE
                    row.ended_at = self._clock.now()
            if row.batch or row.state is RereadState.RUNNING:
                self._follow(work, row, later=reads)
            work.commit()

    def _next(self, session: Session, row: Reread) -> Sequence[Any] | None:
        """Return the files of the next batch that nothing else reads; None: who asked may have none read any more."""
        identity, scans = _asker(session, row), "scans" in row.chosen
        if not may(Act.REREAD, self._guard.reach(session, identity)):
            return None
        query = self._chosen(session, identity, row.chosen).where(Content.id > (row.through or UUID(int=0)))
        query = query.where(Content.id.not_in(select(Job.subject_id).where(Job.kind == _reader(row), _UNFINISHED)))
        return session.execute(query.order_by(Content.id).limit(SCANS_BATCH if scans else BATCH)).all()

    def _ask(self, work: Work, row: Reread, found: Sequence[Any]) -> None:
        """Ask for a batch. Its ends are places between files, no file's id: one that is destroyed is named nowhere."""
        session, ids = work.session, [each.id for each in found]
        row.behind, row.through, row.batch = row.through or UUID(int=0), UUID(int=ids[-1].int + 1), len(ids)
        if "scans" in row.chosen:
            doubtful = ScannedPage.content_id.in_(ids), _doubtful(row.chosen)
            pages = session.scalar(select(func.count()).select_from(ScannedPage).where(*doubtful)) or 0
            row.changes = {**row.changes, _PAGES: pages}
            again = update(ScannedPage).where(*doubtful).values(state=ScanState.WAITING, attempts=0)
            session.execute(again.execution_options(synchronize_session=False))
            self._outbox.add_many(work, JobKind.OCR, ids)
            return
        for each in found:
            payload = {AGAIN: standing(each.state, each.text_state, each.reason), _RUN: str(row.id)}
            self._outbox.add(work, JobKind.EXTRACT, each.id, payload=payload)

    def broken(self, row: Reread) -> bool:
        """Whether a run is to go on, and no job of it waits or runs."""
        with self._db.reading() as session:
            return row.state is RereadState.RUNNING and not unfinished(session, row.id)

    def read(self, row: Reread) -> int:
        """Return how many files of a run are read by now, those of the batch under way too."""
        if not row.batch:
            return row.done
        with self._db.reading() as session:
            left = session.scalar(self._left(row).with_only_columns(func.count(Job.subject_id.distinct()))) or 0
        return row.done + max(row.batch - left, 0)

    def _reads(self, session: Session, row: Reread) -> bool:
        """Whether something of the batch is still to be read; what is put off till later is not waited for."""
        return session.scalar(self._left(row).limit(1)) is not None

    def _left(self, row: Reread) -> "Select[UUID]":
        due = or_(Job.state == JobState.RUNNING, and_(Job.state == JobState.QUEUED, Job.run_after <= self._clock.now()))
        within = Job.subject_id > row.behind, Job.subject_id <= row.through
        return select(Job.id).where(Job.kind == _reader(row), due, *within)

    def _note(self, session: Session, row: Reread) -> None:
        """Note what became of the batch."""
        counted = Counter({pair: count for pair, count in row.changes.items() if pair != _PAGES})
        if "scans" in row.chosen:
            of_batch = ScannedPage.content_id > row.behind, ScannedPage.content_id <= row.through
            unread = or_(_doubtful(row.chosen), ScannedPage.state == ScanState.WAITING)  # put off, or not read at all
            others = {name: value for name, value in row.chosen.items() if name != "scans"}
            chosen = self._chosen(session, _asker(session, row), others).with_only_columns(Content.id)
            left = select(func.count()).select_from(ScannedPage).where(*of_batch, unread)
            asked = row.changes.get(_PAGES, 0)
            still = min(session.scalar(left.where(ScannedPage.content_id.in_(chosen))) or 0, asked)
            counted[f"{DOUBTFUL}\t{DOUBTFUL}"] += still
            counted[f"{DOUBTFUL}\t{CLEAR}"] += asked - still
        else:
            jobs = select(Job.payload, Content.state, Content.text_state, Content.reason).join(
                Content, Content.id == Job.subject_id
            )
            done = Job.kind == JobKind.EXTRACT, Job.created_at >= row.asked_at
            within = Job.subject_id > row.behind, Job.subject_id <= row.through
            for payload, state, text, reason in session.execute(jobs.where(*done, *within)):
                if payload.get(_RUN) == str(row.id):
                    counted[f"{payload[AGAIN]}\t{standing(state, text, reason)}"] += 1
        row.changes = {pair: count for pair, count in counted.items() if count}
        row.done, row.batch = row.done + row.batch, 0

    def _follow(self, work: Work, row: Reread, *, later: bool = False) -> None:
        """Have the run go on, unless a job is about to; one at work may have taken its step already."""
        queued = select(Job.id).where(
            Job.kind == JobKind.REREAD, Job.subject_id == row.id, Job.state == JobState.QUEUED
        )
        if work.session.scalar(queued.limit(1)) is None:
            self._outbox.add(work, JobKind.REREAD, row.id, run_after=self._clock.now() + LOOK if later else None)

    def _run(self, session: Session, identity: Identity, run_id: UUID, *, lock: bool = False) -> Reread:
        reach = self._guard.require_house(session, identity, Act.REREAD)
        row = session.get(Reread, run_id, with_for_update=lock or None)
        if row is None or not (row.asked_by == identity.person_id or may(Act.RUN_SYSTEM, reach)):
            raise NotFound
        return row

    def _count(self, session: Session, identity: Identity, where: Mapping[str, str]) -> int:
        chosen = self._chosen(session, identity, where).with_only_columns(Content.id)
        return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0

    def _chosen(
        self, session: Session, identity: Identity, where: Mapping[str, str]
    ) -> "Select[UUID, ContentState, TextState, str | None]":
        query = (
            select(Content.id, Content.state, Content.text_state, Content.reason)
            .join(Record, Record.id == Content.record_id)
            .join(File, File.id == Content.file_id)
            .where(Content.state.in_(_WHOLE), Content.store_version.is_not(None), not_(UNREAD))
        )
        if not may(Act.RUN_SYSTEM, self._guard.reach(session, identity)):
            query = query.where(Record.id.in_(self._guard.visible(session, identity).with_only_columns(Record.id)))
        for name, value in where.items():
            query = query.where(self._condition(name, value))
        return query

    def _condition(self, name: str, value: str) -> ColumnElement[bool]:
        older = or_(Content.read_by.is_(None), Content.read_by < self._newest)
        plain: Mapping[str, ColumnElement[bool]] = {
            "kind": Content.media_type == value,
            "reason": Content.reason == value,
            "category": Record.category_id.in_(select(Category.id).where(Category.code == value)),
            "fonds": Record.fonds_id.in_(select(Fonds.id).where(Fonds.code == value)),
        }
        if name in plain:
            return plain[name]
        if name == "text" and value == ContentState.QUARANTINED:
            return Content.state == ContentState.QUARANTINED
        if name == "text" and value in set(TextState):
            return and_(Content.text_state == TextState(value), Content.state == ContentState.STORED)
        if name == "reader" and value == OLDER:
            return older
        if name == "scans" and value.isdecimal() and 0 < int(value[:4]) <= PERCENT:
            pages = select(ScannedPage.content_id).where(_doubtful({name: value}))
            return and_(Content.state == ContentState.STORED, Content.id.in_(pages))
        raise InvalidInput(
            Fault("filter", "bad_filter" if name in FILTERS else "unknown_filter", {"name": name, "value": value})
        )


def _reader(row: Reread) -> JobKind:
    """Return the kind of job that reads what a run chose."""
    return JobKind.OCR if "scans" in row.chosen else JobKind.EXTRACT


def _doubtful(chosen: Mapping[str, str]) -> ColumnElement[bool]:
    """Return which pages OCR reads again: those that it is less sure of, or could not read."""
    return or_(ScannedPage.confidence < int(chosen["scans"]), ScannedPage.state == ScanState.FAILED)


def _asker(session: Session, row: Reread) -> Identity:
    """Return who asked, with their present rights."""
    return (
        system("operator") if row.asked_by is None else login_identity(session, session.get_one(Person, row.asked_by))
    )
