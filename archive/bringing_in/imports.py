"""What an import that has not ended brought in so far: a run that broke off is gone on with, and doubles nothing.

Which file became which record is written in the transaction that catalogues the record, and forgotten when the run
ends; the same folder imported again after that is a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, update
from sqlalchemy.orm import Session, aliased

from archive.cataloguing.describing import Draft
from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.model import Content, ContentState, ImportEntry, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act, may

BATCH = 500

PAPER = ""
"""The stamp of what has no file, a dossier or a paper of a bag: that none came does not mean that it broke off."""


@dataclass(frozen=True)
class Source:
    """A file to be brought in: where it lies, what tells this state of it from another, its description.

    ``stamp`` is ``PAPER`` for what is brought in without a file.
    """

    path: str
    stamp: str
    draft: Draft


@dataclass(frozen=True)
class Left:
    """What a broken run left of one file: its record, and the contents that came in."""

    record_id: UUID
    stamp: str
    state: RecordState
    number: str | None
    contents: tuple[UUID, ...]


class Imports:
    """Keeps what is needed to go on with an import: the machine's operator's, or of a bag, of who makes transfers."""

    def __init__(self, db: Database, guard: Guard, records: RecordService, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._records = records
        self._clock = clock

    def begin(self, identity: Identity, run: str, sources: Sequence[Source]) -> list[UUID]:
        """Catalogue a record for each file of a run, all or none. Raises as ``RecordService.create_many`` does."""
        now = self._clock.now()
        with self._guard.refusals(identity), self._db.writing() as work:
            self._operator(work.session, identity)
            ids = self._records.insert(work, identity, [source.draft for source in sources])
            rows = [
                {"record_id": key, "run": run, "path": source.path, "stamp": source.stamp, "created_at": now}
                for key, source in zip(ids, sources, strict=True)
            ]
            work.session.execute(insert(ImportEntry), rows)
            work.commit()
        reach("record.created")
        return ids

    def left(self, identity: Identity, run: str) -> dict[str, list[Left]]:
        """Return, by path, what earlier calls of a run that has not ended left, in the order it came.

        It is gone on with: ``give_up`` counts its days anew.
        """
        with self._db.writing() as work:
            self._operator(work.session, identity)
            mine = update(ImportEntry).where(ImportEntry.run == run).values(created_at=self._clock.now())
            work.session.execute(mine.execution_options(synchronize_session=False))
            work.commit()
        with self._db.reading() as session:
            known = select(ImportEntry.record_id).where(ImportEntry.run == run)
            came = select(Content.record_id, Content.id).where(
                Content.record_id.in_(known), Content.state != ContentState.RECEIVING
            )
            contents: dict[UUID, list[UUID]] = {}
            for record, content in session.execute(came):
                contents.setdefault(record, []).append(content)
            query = (
                select(ImportEntry.path, ImportEntry.stamp, Record.id, Record.state, Record.archive_number)
                .join(Record, Record.id == ImportEntry.record_id)
                .where(ImportEntry.run == run)
                .order_by(ImportEntry.record_id)
            )
            found: dict[str, list[Left]] = {}
            for path, stamp, key, state, number in session.execute(query):
                found.setdefault(path, []).append(Left(key, stamp, state, number, tuple(contents.get(key, ()))))
            return found

    def end(self, identity: Identity, run: str) -> None:
        """Forget a run. A record whose file did not come, and that nobody touched, goes into the bin."""
        self._let_go(identity, ImportEntry.run == run)

    def give_up(self, identity: Identity, before: datetime) -> None:
        """Forget runs that broke off before a moment and were not gone on with, as ``end`` does."""
        alive = aliased(ImportEntry)
        going = select(alive.run).where(alive.created_at >= before)
        self._let_go(identity, and_(ImportEntry.created_at < before, ImportEntry.run.not_in(going)))

    def _let_go(self, identity: Identity, which: ColumnElement[bool]) -> None:
        with self._db.reading() as session:
            self._operator(session, identity)
            came = exists().where(Content.record_id == Record.id, Content.state != ContentState.RECEIVING)
            query = select(Record.id).join(ImportEntry, ImportEntry.record_id == Record.id).where(which)
            untouched = (Record.state == RecordState.PROVISIONAL, Record.version == 1, ImportEntry.stamp != PAPER)
            empty = session.scalars(query.where(~came, *untouched)).all()
        for key in empty:
            try:
                self._records.bin(identity, key, version=1)
            except (Conflict, WrongState):
                continue  # someone took it up meanwhile: it is theirs
        some = select(ImportEntry.record_id).where(which).limit(BATCH).scalar_subquery()
        forget = delete(ImportEntry).where(ImportEntry.record_id.in_(some)).returning(ImportEntry.record_id)
        while True:
            with self._db.writing() as work:
                gone = work.session.scalars(forget.execution_options(synchronize_session=False)).all()
                work.commit()
            if len(gone) < BATCH:
                return

    def _operator(self, session: Session, identity: Identity) -> None:
        reach = self._guard.reach(session, identity)
        if not (reach.system or may(Act.MANAGE_TRANSFERS, reach)):
            raise self._guard.refused_house(session, identity, Act.CREATE)
