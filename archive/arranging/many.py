"""Moving more at once than one act takes: into a dossier, or to a place on the shelves, in a job of short transactions.

A move may be looked through first: what would be refused, and why. Once done it is undone for what still lies where it
put it. The steps are in ``archive.arranging.many_steps``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from archive.arranging.items import Arranging
from archive.arranging.many_steps import MOVES, MoveSteps, rows_of
from archive.clock import Clock
from archive.database import Database, Work
from archive.dossiers import order as dossier_order
from archive.dossiers.contents import Dossiers, check_dossier
from archive.dossiers.order import Placed
from archive.errors import Fault, InvalidInput, NotAllowed, WrongState
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    BulkState,
    Copy,
    JobKind,
    Record,
    RowState,
    ShelfPlace,
)
from archive.model.bulk import BulkMove, BulkMoveRow, MoveInto
from archive.own_work import own, sweep, unfinished
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.placing import Placing

MOST = 20_000
"""Items of one move."""

BUSY = (BulkState.PREPARED, *MOVES)
"""States in which a job may be at work on a move."""

MOST_OPEN = 50
"""Moves that one person has kept."""

_BATCH = 500


@dataclass(frozen=True)
class MoveStanding:
    """A move as it stands. ``dossier`` or ``place`` is what it goes into, if the person may see it.

    ``warned``: how many would be refused, of one that is only looked through. ``rose_from``: the level from which the
    dossier rose since it was begun.
    """

    id: UUID
    into: MoveInto
    state: BulkState
    counts: Mapping[RowState, int]
    created_at: datetime
    unfinished: bool
    dossier: Record | None
    place: ShelfPlace | None
    warned: int = 0
    rose_from: int | None = None

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
        self._steps = MoveSteps(db, guard, log, arranging, placing)

    def into_dossier(self, identity: Identity, dossier_id: UUID, source_id: UUID, *, look: bool = False) -> UUID:
        """Begin to put all items of a dossier that this person sees behind those of another; volumes stay apart.

        ``look``: only look what would be refused; ``go_on`` begins it then.

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
                _row(item, source_id, behind, last + (item.volume or 1) if apart else None)
                for item, behind in _moving(here, seen)
            ]
            return self._begin(work, identity, MoveInto.DOSSIER, dossier_id, rows, look=look)

    def count_from(self, identity: Identity, dossier_id: UUID, item_id: UUID) -> int:
        """Count an item of a dossier and all behind it that this person sees; 0: it is not among them.

        Raises ``NotFound``, ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require(session, identity, Act.ARRANGE, dossier_id)
            seen = Dossiers(self._db, self._guard).seen(session, identity, dossier_id)
            return len(seen) - seen.index(item_id) if item_id in seen else 0

    def split(self, identity: Identity, dossier_id: UUID, item_id: UUID, title: str, version: int) -> tuple[UUID, UUID]:
        """Make a new dossier, and begin to put an item and all behind it into it; return its id and the move's.

        Raises as ``Arranging.split``; any number of items is moved.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            made, moving = self._arranging.begin_split(work, identity, dossier_id, item_id, title, version)
            here = dossier_order.placed(work.session, dossier_id)
            rows = [
                _row(item, dossier_id, behind, item.volume)
                for item, behind in _moving(here, {each.id for each in moving})
            ]
            return made, self._begin(work, identity, MoveInto.DOSSIER, made, rows, look=False)

    def put_into(self, identity: Identity, dossier_id: UUID, item_ids: Sequence[UUID], *, look: bool = False) -> UUID:
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
            return self._begin(work, identity, MoveInto.DOSSIER, dossier_id, rows, look=look)

    def onto_shelf(self, identity: Identity, place_id: UUID, source_id: UUID, *, look: bool = False) -> UUID:
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
            return self._begin(work, identity, MoveInto.SHELF, place_id, rows, look=look)

    def _begin(
        self,
        work: Work,
        identity: Identity,
        into: MoveInto,
        target_id: UUID,
        rows: Sequence[Mapping[str, Any]],
        *,
        look: bool,
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
                id=key, person_id=identity.person_id, kind=into, target_id=target_id,
                state=BulkState.PREPARED if look else BulkState.RUNNING, created_at=self._clock.now(),
                level_before=session.get_one(Record, target_id).level_rank if into is MoveInto.DOSSIER else None,
            )
        )  # fmt: skip
        session.flush()
        laid = [
            {"move_id": key, "at": at, "state": RowState.WAITING, "from_volume": None, "behind": None, **row}
            for at, row in enumerate(rows)
        ]
        session.execute(insert(BulkMoveRow), laid)
        self._outbox.add(work, JobKind.BULK_MOVE, key, requested_by=identity.person_id)
        body = {"move": str(key), "into": into.value, "to": str(target_id), "records": len(rows)}
        self._log.note(session, identity, "move.look" if look else "move.start", body=body)
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
            return self._standing(session, identity, own(session, BulkMove, identity, move_id))

    def refused(
        self, identity: Identity, move_id: UUID, limit: int, *, after: int = -1
    ) -> list[tuple[Record | None, BulkMoveRow]]:
        """Return what was refused or kept, in order, each with its record if the person still reads, or shelves, it.

        Those behind a place in the order. Of one that is only looked through: what would be.
        """
        with self._db.reading() as session:
            move = own(session, BulkMove, identity, move_id)
            rows = _told(session, move, limit, after)
            act = Act.READ if move.kind is MoveInto.DOSSIER else Act.SHELVE
            seen: dict[UUID, Record] = {}
            for start in range(0, len(rows), _BATCH):
                ids = [row.record_id for row in rows[start : start + _BATCH]]
                allowed = self._guard.visible(session, identity, act).where(Record.id.in_(ids))
                seen |= {record.id: record for record in session.scalars(allowed)}
            return [(seen.get(row.record_id), row) for row in rows]

    def go_on(self, identity: Identity, move_id: UUID) -> None:
        """Begin what was looked through; go on with what was stopped or broke off; of one done, try the refused again.

        Asked again while it runs, nothing changes. Raises ``WrongState`` of one that is undone.
        """
        with self._db.writing() as work:
            session = work.session
            move = own(session, BulkMove, identity, move_id)
            if move.state is BulkState.UNDONE:
                raise WrongState(state=move.state.value, act="move.start")
            if move.state in BUSY and unfinished(session, move.id):
                return
            of_move = update(BulkMoveRow).where(BulkMoveRow.move_id == move.id)
            again = {BulkState.DONE: RowState.REFUSED, BulkState.PREPARED: RowState.WAITING}.get(move.state)
            if again is not None:
                session.execute(of_move.where(BulkMoveRow.state == again).values(state=RowState.WAITING, reason=None))
            if move.state is not BulkState.UNDOING:
                move.state = BulkState.RUNNING
            self._outbox.add(work, JobKind.BULK_MOVE, move.id, requested_by=identity.person_id)
            self._log.note(session, identity, "move.start", body={"move": str(move.id)})
            work.commit()

    def undo(self, identity: Identity, move_id: UUID) -> None:
        """Move back what still lies where the move put it, in the background. Raises ``WrongState``."""
        with self._db.writing() as work:
            session = work.session
            move = own(session, BulkMove, identity, move_id)
            if move.state not in {BulkState.DONE, BulkState.STOPPED} or unfinished(session, move.id):
                raise WrongState(state=move.state.value, act="move.undo")
            move.state = BulkState.UNDOING
            self._outbox.add(work, JobKind.BULK_MOVE, move.id, requested_by=identity.person_id)
            self._log.note(session, identity, "move.undo", body={"move": str(move.id)})
            work.commit()

    def stop(self, identity: Identity, move_id: UUID) -> None:
        """Stop a move after the step that is under way; what is moved stays."""
        with self._db.writing() as work:
            move = own(work.session, BulkMove, identity, move_id)
            if move.state is BulkState.RUNNING:
                move.state = BulkState.STOPPED
                self._log.note(work.session, identity, "move.stop", body={"move": str(move.id)})
                work.commit()

    def forget(self, identity: Identity, move_id: UUID) -> None:
        """Forget a move: what it moved stays. Raises ``WrongState`` while it runs."""
        with self._db.writing() as work:
            move = own(work.session, BulkMove, identity, move_id)
            if move.state in MOVES and unfinished(work.session, move.id):
                raise WrongState(state=move.state.value, act="move.forget")
            _remove(work.session, move.id)
            self._log.note(work.session, identity, "move.forget", body={"move": str(move_id)})
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every move that was begun before a moment."""
        sweep(self._db, BulkMove, before, _remove)

    def run(self, identity: Identity, move_id: UUID) -> Iterator[UUID]:
        """Look through, move or move back, step after step; yields the record of each item."""
        return self._steps.run(identity, move_id)

    def _standing(self, session: Session, identity: Identity, move: BulkMove) -> MoveStanding:
        counted = select(BulkMoveRow.state, func.count()).where(BulkMoveRow.move_id == move.id)
        counts = {row[0]: row[1] for row in session.execute(counted.group_by(BulkMoveRow.state))}
        dossier, place = None, None
        if move.kind is MoveInto.SHELF:
            place = session.get(ShelfPlace, move.target_id)
        elif move.target_id in self._guard.seen(session, identity, [move.target_id]):
            dossier = session.get(Record, move.target_id)
        warned = 0
        if move.state is BulkState.PREPARED:
            would = (BulkMoveRow.move_id == move.id, BulkMoveRow.reason.is_not(None))
            warned = session.scalar(select(func.count()).select_from(BulkMoveRow).where(*would)) or 0
        before = move.level_before
        rose = dossier is not None and before is not None and dossier.level_rank > before
        return MoveStanding(
            move.id, move.kind, move.state, counts, move.created_at, unfinished(session, move.id), dossier, place,
            warned, before if rose else None,
        )  # fmt: skip


def _moving(here: Sequence[Placed], moving: Collection[UUID]) -> Iterator[tuple[Placed, int]]:
    """Yield the items that a move takes, each with how many that it leaves lie before it."""
    left = 0
    for item in here:
        if item.id in moving:
            yield item, left
        else:
            left += 1


def _row(item: Placed, source_id: UUID, behind: int, volume: int | None) -> dict[str, Any]:
    """Return the row of an item that comes from a dossier."""
    return {
        "record_id": item.id, "copy_id": None, "from_id": source_id, "from_volume": item.volume, "volume": volume,
        "behind": behind,
    }  # fmt: skip


def _told(session: Session, move: BulkMove, limit: int, after: int) -> Sequence[BulkMoveRow]:
    """Return the rows of a move that have a reason, in order, behind a place."""
    if move.state is not BulkState.PREPARED:
        return rows_of(session, move.id, RowState.REFUSED, RowState.KEPT, limit=limit, after=after)
    query = select(BulkMoveRow).where(BulkMoveRow.move_id == move.id, BulkMoveRow.reason.is_not(None))
    query = query.where(BulkMoveRow.at > after)
    return session.scalars(query.order_by(BulkMoveRow.at).limit(limit)).all()


def _remove(session: Session, move_id: UUID) -> None:
    session.execute(delete(BulkMoveRow).where(BulkMoveRow.move_id == move_id))
    session.execute(delete(BulkMove).where(BulkMove.id == move_id))
