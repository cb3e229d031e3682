"""Erasing and replacing keys by generation.

A generation that is closed takes no new owners and is on its way out: its owners move to an open generation of the same
due year, then its key is destroyed in the ring and in every registered copy of it, then its row goes. Where a crash
stopped this is seen from the rows and the ring alone, and ``finish`` goes on from there.

An erased owner differs in one thing: its wrapped key is deleted, not moved. Only the destruction of the generation key
makes copies of the database (backups, write-ahead logs, dead pages) unreadable for it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import BrokenSetting, NotFound, StorageFull
from archive.ids import new_id
from archive.model import Generation, OwnerKey, RingCopy
from storage.ring import KeyRing
from storage.vault import RingVault, move, trail_of, wrapped_keys

_BATCH = 100
Noted = Callable[[Session], object]


@dataclass(frozen=True)
class Outcome:
    """What was done: owners erased and moved, generations destroyed, and copies of the ring that did not confirm."""

    erased: int
    moved: int
    destroyed: tuple[UUID, ...]
    unconfirmed: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether no registered copy of the ring still holds a destroyed key."""
        return not self.unconfirmed


def rotate(db: Database, ring: KeyRing, clock: Clock, saved: Callable[[], object] = lambda: None) -> Outcome:
    """Replace the root key and every generation key; nothing that was sealed changes. Repeat after a crash.

    Args:
        db: the house's database.
        ring: its keys.
        clock: tells the time.
        saved: makes a backup of the keys as they are wrapped anew, before those go by which older sets have them.
    """
    ring.rotate_root()
    with db.writing() as work:
        work.session.execute(update(Generation).where(Generation.open.is_(True)).values(open=False))
        work.commit()
    moved, left = rewrap(db, ring, clock)
    saved()
    rest = finish(db, ring, clock, left)
    return Outcome(0, moved, rest.destroyed, rest.unconfirmed)


def erase_owners(db: Database, ring: KeyRing, owners: Sequence[UUID], clock: Clock) -> Outcome:
    """Make what was sealed for ``owners`` unreadable for good, in this database and in every older copy of it.

    Repeat with the same owners after a crash; owners already erased are passed over. It is not undone by anything.
    """
    with db.reading() as session:
        touched = _touched(session, ring, owners)
    with db.writing() as work:
        _close(work.session, touched)
        work.commit()
    moved = _move_survivors(db, ring, clock, set(owners))
    erased = 0
    for start in range(0, len(owners), _BATCH):
        with db.writing() as work:
            gone = delete(OwnerKey).where(OwnerKey.owner_id.in_(owners[start : start + _BATCH]))
            erased += len(work.session.execute(gone.returning(OwnerKey.owner_id)).all())
            work.commit()
    rest = finish(db, ring, clock)
    return Outcome(erased, moved + rest.moved, rest.destroyed, rest.unconfirmed)


def doom(session: Session, ring: KeyRing, owners: Sequence[UUID]) -> None:
    """Close every generation whose key opens, or ever opened, the key of one of the owners."""
    _close(session, _touched(session, ring, owners))


def rewrap(db: Database, ring: KeyRing, clock: Clock) -> tuple[int, Collection[UUID]]:
    """Move the owners of closed generations to open ones; return how many, and the generations that nobody needs now.

    Repeat after a crash.
    """
    moved = _move_survivors(db, ring, clock, set())
    with db.reading() as session:
        closed = session.scalars(select(Generation.id).where(Generation.open.is_(False))).all()
    return moved, [each for each in closed if _is_empty(db, each)]


def finish(db: Database, ring: KeyRing, clock: Clock, left: Collection[UUID] | None = None) -> Outcome:
    """Destroy the keys of closed generations that nobody needs, here and in each copy; drop their rows.

    Args:
        db: the house's database.
        ring: its keys.
        clock: tells the time.
        left: what ``rewrap`` returned: another that was emptied since may have no backup of the new keys yet. None:
            every one, whose owners are moved first. What was destroyed before is gone on with in any case.
    """
    moved = 0
    if left is None:
        moved, left = rewrap(db, ring, clock)
    with db.reading() as session:
        closed = session.scalars(select(Generation.id).where(Generation.open.is_(False))).all()
    empty = [each for each in closed if each in left or ring.is_destroyed(each)]
    if not empty:
        return Outcome(0, moved, (), ())
    refresh_copies(db, ring, clock)  # the new keys reach every copy before the old ones go
    for generation in empty:
        ring.destroy_generation(generation)
    missing = refresh_copies(db, ring, clock)
    if not missing:
        with db.writing() as work:
            work.session.execute(delete(Generation).where(Generation.id.in_(empty)))
            work.commit()
    return Outcome(0, moved, tuple(empty), missing)


def refresh_copies(db: Database, ring: KeyRing, clock: Clock) -> tuple[str, ...]:
    """Bring each registered copy of the ring up to date; return the names of those that did not confirm.

    A copy whose folder is away is not made anew.
    """
    with db.reading() as session:
        copies = session.execute(select(RingCopy.id, RingCopy.name, RingCopy.location).order_by(RingCopy.name)).all()
    done = [copy for copy, _name, location in copies if _refreshed(ring, Path(location))]
    if done:
        with db.writing() as work:
            work.session.execute(update(RingCopy).where(RingCopy.id.in_(done)).values(confirmed_at=clock.now()))
            work.commit()
    return tuple(name for copy, name, _location in copies if copy not in done)


def register_copy(
    db: Database, ring: KeyRing, name: str, folder: Path, clock: Clock, noted: Noted = lambda _: None
) -> None:
    """Make or take over a copy of the ring in ``folder``; from now on each backup and destruction reaches it too.

    A copy of this name is from now on the one in ``folder``. ``noted`` writes of it into the same transaction.

    Raises:
        BrokenSetting: the folder cannot be written, or holds another ring.
    """
    ring.refresh_copy(folder)
    with db.writing() as work:
        row = work.session.scalar(select(RingCopy).where(RingCopy.name == name))
        if row is None:
            work.session.add(row := RingCopy(id=new_id(), name=name))
        row.location, row.confirmed_at = str(folder), clock.now()
        noted(work.session)
        work.commit()


def forget_copy(db: Database, name: str, noted: Noted) -> None:
    """No longer count on a copy of the ring, which exists no more. Raises ``NotFound``."""
    with db.writing() as work:
        gone = delete(RingCopy).where(RingCopy.name == name).returning(RingCopy.id)
        if work.session.execute(gone).first() is None:
            raise NotFound
        noted(work.session)
        work.commit()


def copies_of_ring(db: Database) -> Sequence[RingCopy]:
    """Return the registered copies of the ring, by name."""
    with db.reading() as session:
        return session.scalars(select(RingCopy).order_by(RingCopy.name)).all()


def _touched(session: Session, ring: KeyRing, owners: Sequence[UUID]) -> list[UUID]:
    """Return every standing generation whose key opens, or ever opened, the key of one of the owners."""
    found = wrapped_keys(session, owners)
    touched = {generation for generation, _ in found.values()}
    for _, wrapped in found.values():
        touched.update(trail_of(wrapped))
    return sorted(generation for generation in touched if not ring.is_destroyed(generation))


def _close(session: Session, generations: Sequence[UUID]) -> None:
    session.execute(update(Generation).where(Generation.id.in_(generations)).values(open=False))


def _move_survivors(db: Database, ring: KeyRing, clock: Clock, leaving: set[UUID]) -> int:
    """Move the owners of closed generations, but those ``leaving``, to open ones, in short transactions."""
    with db.reading() as session:
        closed = session.execute(select(Generation.id, Generation.due_year).where(Generation.open.is_(False))).all()
    moved = 0
    for generation, due_year in closed:
        after = UUID(int=0)
        while True:
            taken, last = _move_batch(db, ring, clock, generation, due_year, after, leaving)
            moved += taken
            if last is None:
                break
            after = last
    return moved


def _move_batch(
    db: Database, ring: KeyRing, clock: Clock, generation: UUID, due_year: int | None, after: UUID, leaving: set[UUID]
) -> tuple[int, UUID | None]:
    """Move the next batch of a generation's owners; return how many moved, and the last id seen (None: no more)."""
    batch = (
        select(OwnerKey.owner_id, OwnerKey.wrapped)
        .where(OwnerKey.generation_id == generation, OwnerKey.owner_id > after)
        .order_by(OwnerKey.owner_id)
        .limit(_BATCH)
        .with_for_update()
    )
    with db.writing() as work:
        rows = work.session.execute(batch).all()
        if not rows:
            return 0, None
        staying = [(owner, wrapped) for owner, wrapped in rows if owner not in leaving]
        if staying:
            target = RingVault(ring, clock).open_generation(work.session, due_year)
            move(work.session, ring, [(owner, generation, wrapped, target) for owner, wrapped in staying])
        work.commit()
    return len(staying), rows[-1][0]


def _is_empty(db: Database, generation: UUID) -> bool:
    """Whether no owner is left. Takes the row's lock, so that a writer still adding one is waited for."""
    with db.writing() as work:
        work.session.execute(select(Generation.id).where(Generation.id == generation).with_for_update())
        return (
            work.session.execute(select(OwnerKey.owner_id).where(OwnerKey.generation_id == generation).limit(1)).first()
            is None
        )


def _refreshed(ring: KeyRing, folder: Path) -> bool:
    try:
        if (folder / "root.key").exists():
            ring.refresh_copy(folder)
            return True
    except (BrokenSetting, StorageFull, OSError):
        pass
    return False
