"""The steps of a move of many: looking what would be refused, moving, moving back. Each is the act done by hand.

What became of each item is written in the transaction that moves it, so that a run that broke off or was stopped goes
on and moves nothing twice. Looking does each act and keeps nothing of it: the rules are those of the act itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice
from sys import maxsize
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.arranging.items import Arranging
from archive.database import Database, Work, rows_by_id
from archive.errors import ArchiveError, Conflict, InvalidInput
from archive.failpoints import reach
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import BulkState, Copy, Record, RowState, ShelfPlace
from archive.model.bulk import BulkMove, BulkMoveRow, MoveInto
from archive.policy.guard import Guard
from archive.shelving.placing import Placing

STEP = 100
"""Items that are put into a dossier in one transaction."""

MOVES = (BulkState.RUNNING, BulkState.UNDOING)
ENDS = {BulkState.RUNNING: BulkState.DONE, BulkState.UNDOING: BulkState.UNDONE}
FROM = {BulkState.PREPARED: RowState.WAITING, BulkState.RUNNING: RowState.WAITING, BulkState.UNDOING: RowState.CHANGED}
"""Which rows are still to be done, by the state of the move."""


class _Looked(Exception):
    """Ends a transaction of which nothing is to be kept."""


class MoveSteps:
    """Does what a move says, step after step."""

    def __init__(self, db: Database, guard: Guard, log: Log, arranging: Arranging, placing: Placing) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._arranging = arranging
        self._placing = placing

    def run(self, identity: Identity, move_id: UUID) -> Iterator[UUID]:
        """Do step after step; yields the record of each item. Ends early when stopped."""
        with self._db.reading() as session:
            move = session.get(BulkMove, move_id)
            if move is None or move.state not in FROM:
                return
            state, kind, target = move.state, move.kind, move.target_id
            rows = rows_of(session, move_id, FROM[state])
        for step in _steps(rows, STEP if kind is MoveInto.DOSSIER else 1):
            if state is BulkState.PREPARED:
                self._look(identity, move_id, step)
            elif not self._step(identity, move_id, step, state):
                return
            reach("bulk.moved")
            yield from (row.record_id for row in step)
        with self._db.writing() as work:
            move = work.session.get(BulkMove, move_id)
            if move is None or move.state is not state:
                return
            if state is BulkState.PREPARED:
                if kind is MoveInto.SHELF:
                    _warn_of_room(work.session, move_id, target)
            else:
                move.state = ENDS[state]
                self._log.note(work.session, identity, "move.end", body={"move": str(move_id)})
            work.commit()

    def _look(self, identity: Identity, move_id: UUID, step: Sequence[BulkMoveRow]) -> None:
        """Note at each row why it would be refused; of nothing else is anything kept."""
        try:
            with suppress(_Looked), self._guard.refusals(identity, logged=False), self._db.writing() as work:
                move = work.session.get(BulkMove, move_id)
                if move is None:
                    return
                self._move(
                    work, identity, move, [work.session.get_one(BulkMoveRow, (move_id, each.at)) for each in step]
                )
                raise _Looked
        except ArchiveError as error:
            if len(step) > 1:
                for each in step:
                    self._look(identity, move_id, [each])
                return
            with self._db.writing() as work:
                if (row := work.session.get(BulkMoveRow, (move_id, step[0].at))) is not None:
                    row.reason = code_of(error)
                    work.commit()

    def _step(self, identity: Identity, move_id: UUID, step: Sequence[BulkMoveRow], state: BulkState) -> bool:
        """Move some that lie together, one by one where all together are refused; False: the move was stopped."""
        try:
            # what is refused together is tried again one by one, and logged then
            with self._guard.refusals(identity, logged=len(step) == 1), self._db.writing() as work:
                move = work.session.get(BulkMove, move_id)
                if move is None or move.state is not state:
                    return False
                rows = [row for each in step if (row := work.session.get(BulkMoveRow, (move_id, each.at)))]
                rows = [row for row in rows if row.state is FROM[state]]  # some were moved by another run
                if rows:
                    self._move(work, identity, move, rows)
                    work.commit()
        except ArchiveError as error:
            if len(step) > 1:
                return all(self._step(identity, move_id, [each], state) for each in step)
            with self._db.writing() as work:
                if (row := work.session.get(BulkMoveRow, (move_id, step[0].at))) is not None:
                    row.state = RowState.REFUSED if state is BulkState.RUNNING else RowState.KEPT
                    row.reason = code_of(error)
                    work.commit()
        return True

    def _move(self, work: Work, identity: Identity, move: BulkMove, rows: Sequence[BulkMoveRow]) -> None:
        back = move.state is BulkState.UNDOING
        if move.kind is MoveInto.SHELF:
            for row in rows:
                self._shelve(work, identity, move, row, back=back)
        elif back:
            self._put_back(work, identity, move, rows)
        else:
            self._put(work, identity, move, rows)

    def _put(self, work: Work, identity: Identity, move: BulkMove, rows: Sequence[BulkMoveRow]) -> None:
        ids = [row.record_id for row in rows]
        lying = rows_by_id(work.session, Record, ids)
        there = {key for key, record in lying.items() if record.dossier_id == move.target_id}
        volumes = {row.record_id: row.volume for row in rows if row.volume is not None}
        self._arranging.put_in_work(work, identity, move.target_id, ids, rows[0].from_id, volumes)
        for row in rows:
            row.state = RowState.SAME if row.record_id in there else RowState.CHANGED

    def _put_back(self, work: Work, identity: Identity, move: BulkMove, rows: Sequence[BulkMoveRow]) -> None:
        ids, source = [row.record_id for row in rows], rows[0].from_id
        lying = rows_by_id(work.session, Record, ids)
        if any(record.dossier_id != move.target_id for record in lying.values()):
            raise Conflict(what="record")
        if source is None:
            self._arranging.take_out_in_work(work, identity, move.target_id, ids)
        else:
            volumes = {row.record_id: row.from_volume for row in rows if row.from_volume is not None}
            stood = _stood(work.session, move.id)
            self._arranging.put_in_work(work, identity, source, ids, move.target_id, volumes, stood)
        for row in rows:
            row.state = RowState.UNDONE

    def _shelve(self, work: Work, identity: Identity, move: BulkMove, row: BulkMoveRow, *, back: bool) -> None:
        copy = work.session.get_one(Copy, row.copy_id)
        if back:
            if copy.place_id != move.target_id or row.from_id is None:
                raise Conflict(what="copy")
            self._placing.in_work(work.session, identity, copy.id, row.from_id, seen=False)
            row.state = RowState.UNDONE
            return
        if copy.place_id not in {row.from_id, move.target_id}:
            raise Conflict(what="copy")
        placed = self._placing.in_work(work.session, identity, copy.id, move.target_id, seen=False)
        row.state = RowState.CHANGED if placed.moved else RowState.SAME


def rows_of(
    session: Session, move_id: UUID, *states: RowState, limit: int | None = None, after: int = -1
) -> Sequence[BulkMoveRow]:
    """Return the rows of a move that stand so, in order, behind a place."""
    query = select(BulkMoveRow).where(BulkMoveRow.move_id == move_id, BulkMoveRow.state.in_(states))
    query = query.where(BulkMoveRow.at > after)
    return session.scalars(query.order_by(BulkMoveRow.at).limit(limit)).all()


def _stood(session: Session, move_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Return of each item of a move how many others stood before it in its dossier, and its place in the move."""
    query = select(BulkMoveRow.record_id, BulkMoveRow.behind, BulkMoveRow.at).where(BulkMoveRow.move_id == move_id)
    return {key: (maxsize if behind is None else behind, at) for key, behind, at in session.execute(query)}


def code_of(error: ArchiveError) -> str:
    """Return the code by which a refusal is named."""
    return error.faults[0].code if isinstance(error, InvalidInput) and error.faults else error.code


def _warn_of_room(session: Session, move_id: UUID, place_id: UUID) -> None:
    """Note at the rows for which a place would be full by then: each was looked at alone."""
    place = session.get(ShelfPlace, place_id)
    if place is None or place.capacity is None:
        return
    there = set(session.scalars(select(Copy.id).where(Copy.place_id == place_id)))
    coming = [
        row for row in rows_of(session, move_id, RowState.WAITING) if row.reason is None and row.copy_id not in there
    ]
    for row in coming[max(0, place.capacity - place.taken) :]:
        row.reason = "place_full"


def _steps(rows: Sequence[BulkMoveRow], size: int) -> Iterator[list[BulkMoveRow]]:
    """Part rows into steps of what lay together."""
    for _source, together in groupby(rows, key=lambda row: row.from_id):
        while step := list(islice(together, size)):
            yield step
