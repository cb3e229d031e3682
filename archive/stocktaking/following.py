"""What follows from a closed stock-taking: what is missing is marked, what is misplaced is put there or back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from archive.blocks import Blocks, Cause
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotFound, WrongState
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    BlockCause,
    BlockKind,
    Copy,
    CopyMove,
    FollowUp,
    Record,
    ShelfPlace,
    StockItem,
    StockState,
    Stocktaking,
    Tally,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.placing import Placing
from archive.shelving.sealed import note_move

MARKED_AT_ONCE = 5
"""Blocks that one transaction sets: each seals a reason and writes an entry of the log."""


class Following:
    """The acts that follow. The report itself stays as it was closed."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock, blocks: Blocks, placing: Placing) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock
        self._blocks = blocks
        self._placing = placing

    def mark_missing(self, identity: Identity, stocktaking_id: UUID, why: str = "") -> int:
        """Mark what the count did not find and still lies somewhere by the books; return how many were marked now.

        Those that the person may not block, and those that turned up since, stay as they are. To be moved in the books
        alone is not to turn up: a paper that somebody had in hand has been noted as found (``Placing.in_work``).

        Raises:
            NotFound: no such stock-taking.
            NotAllowed: they take no stock.
            WrongState: it is not closed.
            InvalidInput: field ``reason``: too long.
        """
        marked = 0
        with self._guard.refusals(identity), self._db.reading() as session:
            keys = self._to_mark(session, identity, stocktaking_id)
        for start in range(0, len(keys), MARKED_AT_ONCE):
            with self._db.writing() as work:
                rows = self._still(work.session, stocktaking_id, keys[start : start + MARKED_AT_ONCE])
                marked += self._mark(work.session, identity, stocktaking_id, rows, why)
                work.commit()
        return marked

    def settle(self, identity: Identity, stocktaking_id: UUID, copy_id: UUID, *, there: bool) -> None:
        """Put a misplaced copy where it was found (``there``), or note that it was carried back to where it belongs.

        Raises:
            NotFound: no such copy in this count, for this person.
            NotAllowed, PlaceForbidden, PlaceFull: as ``Placing.place``.
            WrongState: the stock-taking is not closed, or the copy was not misplaced.
            Ended: it is settled already, or was moved since.
            InvalidInput: it belongs nowhere, so that it cannot be put back.
        """
        act = "stocktaking.settle"
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._closed(session, identity, stocktaking_id)
            item = session.get(StockItem, (row.id, copy_id))
            self._guard.require(session, identity, Act.SHELVE, item.record_id if item else copy_id)
            if item is None:
                raise NotFound
            if item.tally is not Tally.MISPLACED or item.found_at is None:
                raise WrongState(state=item.tally.value if item.tally else row.state.value, act=act)
            copy = session.get_one(Copy, copy_id)
            if item.follow_up is not None or copy.place_id != item.belonged_at:
                raise Ended(state=(item.follow_up or item.tally).value, act=act)
            if there:
                cause = Cause(BlockCause.STOCKTAKING, row.id)
                self._placing.in_work(session, identity, copy.id, item.found_at, cause=cause)
            else:
                self._put_back(session, identity, item, copy)
            item.follow_up = FollowUp.PUT_THERE if there else FollowUp.PUT_BACK
            work.commit()

    def _put_back(self, session: Session, identity: Identity, item: StockItem, copy: Copy) -> None:
        """Note the move of the paper; in the books it lay there all the time."""
        if copy.place_id is None:
            raise InvalidInput(Fault("copy", "belongs_nowhere"))
        moved = CopyMove(
            id=new_id(), at=self._clock.now(), copy_id=copy.id, from_id=item.found_at, to_id=copy.place_id,
            person_id=identity.person_id,
        )  # fmt: skip
        note_move(session, moved)
        paths = dict(
            session.execute(
                select(ShelfPlace.id, ShelfPlace.path).where(ShelfPlace.id.in_([item.found_at, copy.place_id]))
            ).all()
        )
        found = paths[item.found_at] if item.found_at else None
        body = {"copy": copy.number, "before": found, "after": paths[copy.place_id]}
        self._log.note(session, identity, "copy.put_back", record=copy.record_id, body=body)

    def _closed(self, session: Session, identity: Identity, stocktaking_id: UUID) -> Stocktaking:
        self._guard.require_house(session, identity, Act.TAKE_STOCK)
        row = session.get(Stocktaking, stocktaking_id)
        if row is None:
            raise NotFound
        if row.state is not StockState.CLOSED:
            raise WrongState(state=row.state.value, act="stocktaking.settle")
        return row

    def _to_mark(self, session: Session, identity: Identity, stocktaking_id: UUID) -> Sequence[UUID]:
        """Return the copies that were not found, of those that the person may block."""
        self._closed(session, identity, stocktaking_id)
        query = (
            self._guard.visible(session, identity, Act.BLOCK)
            .join(StockItem, StockItem.record_id == Record.id)
            .with_only_columns(StockItem.copy_id)
            .where(
                StockItem.stocktaking_id == stocktaking_id,
                StockItem.tally == Tally.MISSING,
                StockItem.follow_up.is_(None),
            )
        )
        return session.scalars(query.order_by(StockItem.copy_id)).all()

    def _still(self, session: Session, stocktaking_id: UUID, keys: Sequence[UUID]) -> Sequence[tuple[StockItem, Copy]]:
        """Return those of the copies that still lie somewhere by the books, and that no later count found."""
        later = aliased(StockItem)
        found_since = select(later.copy_id).where(
            later.copy_id == StockItem.copy_id, later.stocktaking_id > stocktaking_id, later.found_at.is_not(None)
        )
        query = (
            select(StockItem, Copy)
            .join(Copy, Copy.id == StockItem.copy_id)
            .where(
                StockItem.stocktaking_id == stocktaking_id,
                StockItem.copy_id.in_(keys),
                StockItem.follow_up.is_(None),
                Copy.place_id.is_not(None),
                ~found_since.correlate(StockItem).exists(),
            )
            .order_by(StockItem.copy_id)
        )
        return [(item, copy) for item, copy in session.execute(query)]

    def _mark(
        self,
        session: Session,
        identity: Identity,
        stocktaking_id: UUID,
        rows: Sequence[tuple[StockItem, Copy]],
        why: str,
    ) -> int:
        held = self._blocks.standing(session, {copy.record_id for _, copy in rows})
        known = {each.copy_id for some in held.values() for each in some if each.kind is BlockKind.MISSING}
        fresh = [(copy.record_id, copy.id) for _, copy in rows if copy.id not in known]
        if fresh:
            cause = Cause(BlockCause.STOCKTAKING, stocktaking_id)
            self._blocks.set_many(session, identity, BlockKind.MISSING, fresh, why, cause=cause)
        for item, _ in rows:
            item.follow_up = FollowUp.MARKED
        session.flush()
        return len(fresh)
