"""Moving more at once than one act takes: into a dossier, or to a place on the shelves, in a job of short transactions.

Each step is the act that a person does by hand, with its rules and its entries of the log. What became of each item is
written in the transaction that moves it, so that a run that broke off or was stopped goes on and moves nothing twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from archive import dossier_order
from archive.arranging import Arranging
from archive.clock import Clock
from archive.database import Database, Work, rows_by_id
from archive.dossiers import check_dossier
from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    BulkState,
    Copy,
    Job,
    JobKind,
    JobState,
    Record,
    RowState,
    ShelfPlace,
)
from archive.model.bulk import BulkMove, BulkMoveRow, MoveInto
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.placing import Placing

MOST = 20_000
"""Items of one move."""

MOST_OPEN = 50
"""Moves that one person has kept."""

STEP = 100
"""Items that are put into a dossier in one transaction."""

_BATCH = 500


@dataclass(frozen=True)
class MoveStanding:
    """A move as it stands. ``dossier`` or ``place`` is what it goes into, if the person may see it."""

    id: UUID
    into: MoveInto
    state: BulkState
    counts: Mapping[RowState, int]
    created_at: datetime
    unfinished: bool
    dossier: Record | None
    place: ShelfPlace | None

    @property
    def total(self) -> int:
        """How many it is for."""
        return sum(self.counts.values())


class BulkMoving:
    """The acts on a person's own moves; another person's are not there."""

    def __init__(
        self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock, arranging: Arranging, placing: Placing
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._arranging = arranging
        self._placing = placing

    def into_dossier(self, identity: Identity, dossier_id: UUID, source_id: UUID) -> UUID:
        """Begin to put all items of a dossier that this person sees behind those of another; volumes stay apart.

        Raises:
            NotFound, NotAllowed: this person may not arrange both.
            InvalidInput: it is the same dossier, or nothing or too much lies in it that they see.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            for each in (dossier_id, source_id):
                check_dossier(self._guard.require(session, identity, Act.ARRANGE, each))
            if dossier_id == source_id:
                raise InvalidInput(Fault("dossier", "same_dossier"))
            there, here = (dossier_order.placed(session, each) for each in (dossier_id, source_id))
            seen = self._guard.seen(session, identity, [item.id for item in here])
            last = there[-1].volume or 1 if there else 0
            apart = last > 1 or any(item.volume for item in here)
            rows = [
                {
                    "record_id": item.id, "copy_id": None, "from_id": source_id,
                    "volume": last + (item.volume or 1) if apart else None,
                }
                for item in here if item.id in seen
            ]  # fmt: skip
            return self._begin(work, identity, MoveInto.DOSSIER, dossier_id, rows)

    def put_into(self, identity: Identity, dossier_id: UUID, item_ids: Sequence[UUID]) -> UUID:
        """Begin to put items that lie in no dossier behind those of one; those that this person does not read are left.

        Raises:
            NotFound, NotAllowed, InvalidInput: as ``into_dossier``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            check_dossier(self._guard.require(session, identity, Act.ARRANGE, dossier_id))
            wanted = list(dict.fromkeys(item_ids))
            seen = self._guard.seen(session, identity, wanted)
            rows = [
                {"record_id": key, "copy_id": None, "from_id": None, "volume": None} for key in wanted if key in seen
            ]
            return self._begin(work, identity, MoveInto.DOSSIER, dossier_id, rows)

    def onto_shelf(self, identity: Identity, place_id: UUID, source_id: UUID) -> UUID:
        """Begin to put all papers that lie directly in a place, and that this person may shelve, in another.

        Raises:
            NotAllowed: not a place where they may put papers.
            InvalidInput: as ``Placing.place``; or it is the same place, or nothing lies there that they may shelve.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.SEE_SHELVES)
            self._placing.open_place(session, identity, place_id)
            if place_id == source_id:
                raise InvalidInput(Fault("shelf", "same_shelf"))
            mine = self._guard.opens(session, identity, Copy.record_id, Act.SHELVE)
            lying = select(Copy.id, Copy.record_id).where(Copy.place_id == source_id, Copy.withdrawn_at.is_(None))
            found = session.execute(lying.where(mine).order_by(Copy.id))
            rows = [
                {"record_id": row.record_id, "copy_id": row.id, "from_id": source_id, "volume": None} for row in found
            ]
            return self._begin(work, identity, MoveInto.SHELF, place_id, rows)

    def _begin(
        self, work: Work, identity: Identity, into: MoveInto, target_id: UUID, rows: Sequence[Mapping[str, Any]]
    ) -> UUID:
        session = work.session
        if identity.person_id is None:
            raise NotAllowed(act=Act.ARRANGE.value)
        if not rows:
            raise InvalidInput(Fault("records", "required"))
        if len(rows) > MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        mine = select(func.count()).select_from(BulkMove).where(BulkMove.person_id == identity.person_id)
        if (session.scalar(mine) or 0) >= MOST_OPEN:
            raise InvalidInput(Fault("records", "too_many_moves", {"limit": MOST_OPEN}))
        key = new_id()
        session.add(
            BulkMove(
                id=key, person_id=identity.person_id, kind=into, target_id=target_id, state=BulkState.RUNNING,
                created_at=self._clock.now(),
            )
        )  # fmt: skip
        session.flush()
        laid = [{"move_id": key, "at": at, "state": RowState.WAITING, **row} for at, row in enumerate(rows)]
        session.execute(insert(BulkMoveRow), laid)
        self._outbox.add(work, JobKind.BULK_MOVE, key, requested_by=identity.person_id)
        body = {"move": str(key), "into": into.value, "to": str(target_id), "records": len(rows)}
        self._log.note(session, identity, "move.start", body=body)
        work.commit()
        return key

    def mine(self, identity: Identity) -> list[MoveStanding]:
        """Return a person's moves, the newest first."""
        with self._db.reading() as session:
            own = select(BulkMove).where(BulkMove.person_id == identity.person_id).order_by(BulkMove.created_at.desc())
            return [self._standing(session, identity, row) for row in session.scalars(own)]

    def show(self, identity: Identity, move_id: UUID) -> MoveStanding:
        """Return one of a person's own. Raises ``NotFound``."""
        with self._db.reading() as session:
            return self._standing(session, identity, _own(session, identity, move_id))

    def refused(self, identity: Identity, move_id: UUID, limit: int) -> list[tuple[Record | None, BulkMoveRow]]:
        """Return what was refused, in order, each with its record if the person still reads, or shelves, it."""
        with self._db.reading() as session:
            move = _own(session, identity, move_id)
            rows = _rows(session, move.id, RowState.REFUSED, limit)
            act = Act.READ if move.kind is MoveInto.DOSSIER else Act.SHELVE
            seen: dict[UUID, Record] = {}
            for start in range(0, len(rows), _BATCH):
                ids = [row.record_id for row in rows[start : start + _BATCH]]
                allowed = self._guard.visible(session, identity, act).where(Record.id.in_(ids))
                seen |= {record.id: record for record in session.scalars(allowed)}
            return [(seen.get(row.record_id), row) for row in rows]

    def go_on(self, identity: Identity, move_id: UUID) -> None:
        """Go on with what was stopped or broke off; of one that is done, try what was refused again.

        Asked again while it runs, nothing changes.
        """
        with self._db.writing() as work:
            session = work.session
            move = _own(session, identity, move_id)
            if move.state is BulkState.RUNNING and _unfinished(session, move.id):
                return
            if move.state is BulkState.DONE:
                again = update(BulkMoveRow).where(BulkMoveRow.move_id == move.id, BulkMoveRow.state == RowState.REFUSED)
                session.execute(again.values(state=RowState.WAITING, reason=None))
            move.state = BulkState.RUNNING
            self._outbox.add(work, JobKind.BULK_MOVE, move.id, requested_by=identity.person_id)
            self._log.note(session, identity, "move.start", body={"move": str(move.id)})
            work.commit()

    def stop(self, identity: Identity, move_id: UUID) -> None:
        """Stop a move after the step that is under way; what is moved stays."""
        with self._db.writing() as work:
            move = _own(work.session, identity, move_id)
            if move.state is BulkState.RUNNING:
                move.state = BulkState.STOPPED
                self._log.note(work.session, identity, "move.stop", body={"move": str(move.id)})
                work.commit()

    def forget(self, identity: Identity, move_id: UUID) -> None:
        """Forget a move: what it moved stays. Raises ``WrongState`` while it runs."""
        with self._db.writing() as work:
            move = _own(work.session, identity, move_id)
            if move.state is BulkState.RUNNING and _unfinished(work.session, move.id):
                raise WrongState(state=move.state.value, act="move.forget")
            _remove(work.session, move.id)
            self._log.note(work.session, identity, "move.forget", body={"move": str(move_id)})
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every move that was begun before a moment."""
        with self._db.reading() as session:
            old = session.scalars(select(BulkMove.id).where(BulkMove.created_at < before)).all()
        for key in old:
            with self._db.writing() as work:
                _remove(work.session, key)
                work.commit()

    def run(self, identity: Identity, move_id: UUID) -> Iterator[UUID]:
        """Move step after step; yields the record of each item. Ends early when stopped."""
        with self._db.reading() as session:
            move = session.get(BulkMove, move_id)
            if move is None or move.state is not BulkState.RUNNING:
                return
            waiting = _rows(session, move_id, RowState.WAITING)
            size = STEP if move.kind is MoveInto.DOSSIER else 1
        for step in _steps(waiting, size):
            if not self._step(identity, move_id, step):
                return
            reach("bulk.moved")
            yield from (row.record_id for row in step)
        with self._db.writing() as work:
            move = work.session.get(BulkMove, move_id)
            if move is not None and move.state is BulkState.RUNNING:
                move.state = BulkState.DONE
                self._log.note(work.session, identity, "move.end", body={"move": str(move_id)})
                work.commit()

    def _step(self, identity: Identity, move_id: UUID, step: Sequence[BulkMoveRow]) -> bool:
        """Move some that lie together, one by one where all together are refused; False: the move was stopped."""
        try:
            with self._guard.refusals(identity), self._db.writing() as work:
                move = work.session.get(BulkMove, move_id)
                if move is None or move.state is not BulkState.RUNNING:
                    return False
                rows = [row for each in step if (row := work.session.get(BulkMoveRow, (move_id, each.at)))]
                rows = [row for row in rows if row.state is RowState.WAITING]  # some were moved by another run
                if rows:
                    (self._put if move.kind is MoveInto.DOSSIER else self._shelve)(work, identity, move, rows)
                    work.commit()
        except ArchiveError as error:
            if len(step) > 1:
                return all(self._step(identity, move_id, [each]) for each in step)
            with self._db.writing() as work:
                if (row := work.session.get(BulkMoveRow, (move_id, step[0].at))) is not None:
                    row.state, row.reason = RowState.REFUSED, _code(error)
                    work.commit()
        return True

    def _put(self, work: Work, identity: Identity, move: BulkMove, rows: Sequence[BulkMoveRow]) -> None:
        ids = [row.record_id for row in rows]
        lying = rows_by_id(work.session, Record, ids)
        there = {key for key, record in lying.items() if record.dossier_id == move.target_id}
        volumes = {row.record_id: row.volume for row in rows if row.volume is not None}
        self._arranging.put_in_work(work, identity, move.target_id, ids, rows[0].from_id, volumes)
        for row in rows:
            row.state = RowState.SAME if row.record_id in there else RowState.CHANGED

    def _shelve(self, work: Work, identity: Identity, move: BulkMove, rows: Sequence[BulkMoveRow]) -> None:
        for row in rows:
            copy = work.session.get_one(Copy, row.copy_id)
            if copy.place_id not in {row.from_id, move.target_id}:
                raise Conflict(what="copy")
            placed = self._placing.in_work(work.session, identity, copy.id, move.target_id)
            row.state = RowState.CHANGED if placed.moved else RowState.SAME

    def _standing(self, session: Session, identity: Identity, move: BulkMove) -> MoveStanding:
        counted = select(BulkMoveRow.state, func.count()).where(BulkMoveRow.move_id == move.id)
        counts = {row[0]: row[1] for row in session.execute(counted.group_by(BulkMoveRow.state))}
        dossier, place = None, None
        if move.kind is MoveInto.SHELF:
            place = session.get(ShelfPlace, move.target_id)
        elif move.target_id in self._guard.seen(session, identity, [move.target_id]):
            dossier = session.get(Record, move.target_id)
        return MoveStanding(
            move.id, move.kind, move.state, counts, move.created_at, _unfinished(session, move.id), dossier, place
        )


def _steps(rows: Sequence[BulkMoveRow], size: int) -> Iterator[list[BulkMoveRow]]:
    """Part rows into steps of what lies together."""
    for _source, together in groupby(rows, key=lambda row: row.from_id):
        while step := list(islice(together, size)):
            yield step


def _rows(session: Session, move_id: UUID, state: RowState, limit: int = MOST) -> Sequence[BulkMoveRow]:
    query = select(BulkMoveRow).where(BulkMoveRow.move_id == move_id, BulkMoveRow.state == state)
    return session.scalars(query.order_by(BulkMoveRow.at).limit(limit)).all()


def _own(session: Session, identity: Identity, move_id: UUID) -> BulkMove:
    move = session.get(BulkMove, move_id)
    if move is None or identity.person_id is None or move.person_id != identity.person_id:
        raise NotFound
    return move


def _code(error: ArchiveError) -> str:
    return error.faults[0].code if isinstance(error, InvalidInput) and error.faults else error.code


def _unfinished(session: Session, move_id: UUID) -> bool:
    waits = exists().where(Job.subject_id == move_id, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    return bool(session.scalar(select(waits)))


def _remove(session: Session, move_id: UUID) -> None:
    session.execute(delete(BulkMoveRow).where(BulkMoveRow.move_id == move_id))
    session.execute(delete(BulkMove).where(BulkMove.id == move_id))
