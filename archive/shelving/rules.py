"""What decides where a copy may lie: what its level needs, what a place keeps, and whom a place concerns."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput, PlaceForbidden, PlaceFull
from archive.identity import OFFICERS, Identity, Role
from archive.ids import UUID
from archive.model import (
    Circulation,
    CirculationState,
    Copy,
    CopyMove,
    Level,
    Loan,
    LoanState,
    Security,
    ShelfPlace,
    StandingCustody,
    StockItem,
    StockScan,
)
from archive.policy.reach import Reach


def needs(session: Session) -> Mapping[int, int]:
    """Return by rank how strong a place must be for a level's papers."""
    return {rank: security.strength for rank, security in session.execute(select(Level.rank, Level.shelved_in))}


def ceiling(session: Session, reach: Reach) -> int:
    """Return the strength of the strongest places that concern a person.

    How full a stronger one is, and what it refuses, would tell of papers above all that they read or keep.
    """
    if reach.system or reach.roles & OFFICERS:
        return len(Security)
    top = max(reach.levels | reach.custody, default=0)
    return max((strength for rank, strength in needs(session).items() if rank <= top), default=0)


def check_level(session: Session, rank: int, place: ShelfPlace) -> None:
    """Check that a paper of this rank may lie in ``place``. Raises ``PlaceForbidden``, which names the rule."""
    needed = needs(session)[rank]
    if place.strength < needed:
        raise PlaceForbidden(
            level=dict(session.get_one(Level, rank).names),
            needed=Security.of(needed).value,
            found=Security.of(place.strength).value,
            where=place.path,
        )


def check_not_lent(session: Session, copy: Copy) -> None:
    """Refuse what would move a copy that is lent: it comes back by the counter. Raises ``InvalidInput``."""
    if copy.holder_id is None:
        return
    lent = select(Loan.id).where(Loan.copy_id == copy.id, Loan.state == LoanState.OPEN)
    if session.scalar(lent) is not None:
        raise InvalidInput(Fault("copy", "is_lent"))
    round_ = select(Circulation.id).where(Circulation.copy_id == copy.id, Circulation.state == CirculationState.ROUND)
    kept = select(StandingCustody.id).where(
        StandingCustody.copy_id == copy.id, StandingCustody.issued_at.is_not(None), StandingCustody.ended_at.is_(None)
    )
    if session.scalar(round_) is not None or session.scalar(kept) is not None:
        raise InvalidInput(Fault("copy", "is_with_people"))


def is_charged(session: Session, identity: Identity, place: ShelfPlace) -> bool:
    """Whether a person may put things there: an archivist anywhere, others where no one else is the custodian."""
    if identity.is_system or Role.ARCHIVIST in identity.roles:
        return True
    custodian = custodian_of(session, place)
    return custodian is None or custodian == identity.person_id


def custodian_of(session: Session, place: ShelfPlace) -> UUID | None:
    """Return the custodian of a place: its own, or that of the nearest one that it stands in."""
    for each in reversed(way_to(session, place)):
        if each.custodian_id is not None:
            return each.custodian_id
    return None


def way_to(session: Session, place: ShelfPlace) -> Sequence[ShelfPlace]:
    """Return the places from the room down to this one."""
    steps = place.path.split("-")
    paths = ["-".join(steps[: n + 1]) for n in range(len(steps))]
    return session.scalars(select(ShelfPlace).where(ShelfPlace.path.in_(paths)).order_by(ShelfPlace.path)).all()


def within(place: ShelfPlace) -> ColumnElement[bool]:
    """Return the condition that a place is this one or stands in it."""
    return or_(ShelfPlace.id == place.id, ShelfPlace.path.startswith(f"{place.path}-", autoescape=True))


def take(session: Session, place: ShelfPlace) -> None:
    """Count one more thing in a place, if there is room, whoever else puts something there. Raises ``PlaceFull``."""
    room = (ShelfPlace.id == place.id, ShelfPlace.closed_at.is_(None), ShelfPlace.taken < ShelfPlace.capacity)
    if not _changed(session, ShelfPlace.taken + 1, *room):
        raise PlaceFull(where=place.path, capacity=place.capacity)
    session.refresh(place, ["taken"])


def release(session: Session, place_id: UUID, count: int = 1) -> None:
    """Count ``count`` things less in a place."""
    _changed(session, ShelfPlace.taken - count, ShelfPlace.id == place_id)


def _changed(session: Session, taken: ColumnElement[int], *where: ColumnElement[bool]) -> bool:
    done = session.execute(
        update(ShelfPlace).where(*where).values(taken=taken).execution_options(synchronize_session=False)
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


def forget_copies(session: Session, record_ids: Sequence[UUID]) -> None:
    """Remove the copies of records with their moves; their places are free again."""
    copies = select(Copy.id).where(Copy.record_id.in_(record_ids))
    lying = select(Copy.place_id, func.count()).where(Copy.record_id.in_(record_ids), Copy.place_id.is_not(None))
    for place_id, count in session.execute(lying.group_by(Copy.place_id)).all():
        if place_id is not None:
            release(session, place_id, count)
    for counted in (CopyMove, StockItem, StockScan):
        session.execute(delete(counted).where(counted.copy_id.in_(copies)))
    session.execute(delete(Copy).where(Copy.record_id.in_(record_ids)))
