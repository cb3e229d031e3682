"""The tree of places for papers: room, cabinet, shelf, box, with codes unique under their parent, and moving them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InUse, InvalidInput, NotAllowed, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Copy, CopyMove, Level, Person, Record, Security, ShelfKind, ShelfPlace
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act
from archive.scheme.fields import check_names
from archive.shelving.rules import ceiling, check_level, needs, release, take, within
from archive.shelving.sealed import note_move

STEPS = tuple(ShelfKind)
"""Room, cabinet, shelf, box: each stands in the one before it."""

HOLDERS = frozenset({ShelfKind.SHELF, ShelfKind.BOX})
"""What papers lie in themselves, and what therefore has a capacity."""

MOST = 10_000
"""The largest capacity."""

_CODE = re.compile(r"[A-Z0-9]{1,8}")


@dataclass(frozen=True)
class PlaceFacts:
    """What is said of a place.

    ``security`` None: that of what it stands in; ``capacity`` counts boxes, dossiers or papers.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    security: Security | None = None
    capacity: int | None = None
    custodian_id: UUID | None = None


def add_shelf_place(
    session: Session, kind: ShelfKind, code: str, facts: PlaceFacts, parent: ShelfPlace | None
) -> ShelfPlace:
    """Add a place in its parent, in the caller's transaction.

    Raises:
        InvalidInput: names the field: a step that cannot stand there, a code that is none, a fact at fault.
        StandsAlready: the code stands already under this parent.
        PlaceFull: the shelf has no room for another box.
    """
    code, step = code.strip().upper(), STEPS.index(kind)
    faults = _faults(session, kind, facts)
    if (parent is None) != (step == 0) or (parent is not None and parent.kind is not STEPS[step - 1]):
        faults.append(Fault("kind", "wrong_step", {"kind": kind.value, "parent": parent and parent.kind.value}))
    if not _CODE.fullmatch(code):
        faults.append(Fault("code", "bad_shelf_code"))
    if faults:
        raise InvalidInput(*faults)
    path = _path(session, code, parent)
    if parent is not None and kind is ShelfKind.BOX:
        take(session, parent)
    row = ShelfPlace(
        id=new_id(), parent_id=parent.id if parent else None, kind=kind, code=code, path=path, names=dict(facts.names),
        security=facts.security, strength=_strength(facts.security, parent), capacity=facts.capacity, taken=0,
        custodian_id=facts.custodian_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _faults(session: Session, kind: ShelfKind, facts: PlaceFacts, taken: int = 0) -> list[Fault]:
    faults = check_names(facts.names, "names") if facts.names or kind is ShelfKind.ROOM else []
    if kind in HOLDERS and not max(1, taken) <= (facts.capacity or 0) <= MOST:
        faults.append(Fault("capacity", "out_of_range", {"low": max(1, taken), "high": MOST}))
    if kind not in HOLDERS and facts.capacity is not None:
        faults.append(Fault("capacity", "only_shelves_have_it"))
    if kind in HOLDERS and facts.security is not None:
        faults.append(Fault("security", "comes_from_above"))
    if facts.custodian_id is not None and session.get(Person, facts.custodian_id) is None:
        faults.append(Fault("custodian", "unknown"))
    return faults


def _path(session: Session, code: str, parent: ShelfPlace | None) -> str:
    path = f"{parent.path}-{code}" if parent else code
    if session.scalar(select(ShelfPlace.id).where(ShelfPlace.path == path)):
        raise StandsAlready(what="shelf_code", field="code")
    return path


def _strength(own: Security | None, parent: ShelfPlace | None) -> int:
    return max(own.strength if own else 1, parent.strength if parent else 1)


class ShelfTree:
    """The acts on places for papers."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def add(
        self, identity: Identity, kind: ShelfKind, code: str, facts: PlaceFacts, parent_id: UUID | None = None
    ) -> UUID:
        """Add a place and return its id. Raises as ``add_shelf_place``, and ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            reach = self._guard.require_house(session, identity, Act.MANAGE_SHELVES)
            parent = self._place(session, reach, parent_id) if parent_id else None
            row = add_shelf_place(session, kind, code, facts, parent)
            self._log.note(session, identity, "shelf.add", body={"where": row.path, "after": _told(row)})
            work.commit()
            return row.id

    def change(self, identity: Identity, place_id: UUID, facts: PlaceFacts, version: int) -> int:
        """Change what is said of a place, and so how what stands in it is secured; return the new version.

        Raises:
            InvalidInput: names the field; a capacity below what lies there.
            PlaceForbidden: something in it must lie safer.
            Conflict: someone changed it since ``version``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            reach = self._guard.require_house(session, identity, Act.MANAGE_SHELVES)
            row = self._place(session, reach, place_id, version)
            faults = _faults(session, row.kind, facts, row.taken)
            if faults:
                raise InvalidInput(*faults)
            before = _told(row)
            row.names, row.security, row.capacity = dict(facts.names), facts.security, facts.capacity
            row.custodian_id = facts.custodian_id
            row.version += 1
            self._settle(session, row, row.path)
            self._log.note(
                session, identity, "shelf.change", body={"where": row.path, "before": before, "after": _told(row)}
            )
            work.commit()
            return row.version

    def close(self, identity: Identity, place_id: UUID, version: int) -> None:
        """Close a place for good; its code is not given again.

        Raises:
            InvalidInput: it is closed already.
            InUse: something lies there, or stands in it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            reach = self._guard.require_house(session, identity, Act.MANAGE_SHELVES)
            row = self._place(session, reach, place_id, version)
            stands = select(ShelfPlace.id).where(ShelfPlace.parent_id == row.id, ShelfPlace.closed_at.is_(None))
            if row.taken or session.scalar(stands.limit(1)) is not None:
                raise InUse(what="shelf_in_use")
            if row.kind is ShelfKind.BOX and row.parent_id is not None:
                release(session, row.parent_id)
            row.closed_at = self._clock.now()
            row.version += 1
            self._log.note(session, identity, "shelf.close", body={"where": row.path})
            work.commit()

    def move(self, identity: Identity, place_id: UUID, to_id: UUID, version: int | None = None) -> str:
        """Move a box, a shelf or a cabinet with all that lies in it; return its path there.

        Raises:
            InvalidInput: it cannot stand there.
            PlaceForbidden: something in it may not lie there.
            PlaceFull: the shelf has no room for another box.
            StandsAlready: its code stands there already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            reach = self._guard.require_house(session, identity, Act.MANAGE_SHELVES)
            row, parent = self._place(session, reach, place_id, version), self._place(session, reach, to_id)
            step = STEPS.index(row.kind)
            if step == 0 or parent.kind is not STEPS[step - 1]:
                facts = {"kind": row.kind.value, "parent": parent.kind.value}
                raise InvalidInput(Fault("kind", "wrong_step", facts))
            before, from_id = row.path, row.parent_id
            if parent.id == from_id:
                return before
            path = _path(session, row.code, parent)
            if row.kind is ShelfKind.BOX:
                take(session, parent)
                release(session, from_id or parent.id)
            row.parent_id, row.path = parent.id, path
            row.version += 1
            session.flush()
            self._settle(session, row, before)
            moved = CopyMove(
                id=new_id(), at=self._clock.now(), moved_id=row.id, from_id=from_id, to_id=parent.id,
                person_id=identity.person_id,
            )  # fmt: skip
            note_move(session, moved)
            self._log.note(session, identity, "shelf.move", body={"before": before, "after": path})
            work.commit()
            return path

    def set_rule(self, identity: Identity, rank: int, security: Security) -> None:
        """Say how the places are secured at least that papers of a level lie in.

        What lies elsewhere then stays, and is listed as to be moved.

        Raises:
            InvalidInput: no such level.
            NotAllowed: not one of those who manage levels.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            row = session.get(Level, rank)
            if row is None:
                raise InvalidInput(Fault("level", "unknown"))
            body = {"level": rank, "before": row.shelved_in.value, "after": security.value}
            row.shelved_in = security
            self._log.note(session, identity, "level.shelve", body=body)
            work.commit()

    def rules(self) -> Mapping[int, Security]:
        """Return by rank how the places of a level's papers are secured at least."""
        with self._db.reading() as session:
            return {rank: Security.of(strength) for rank, strength in needs(session).items()}

    def _place(self, session: Session, reach: Reach, place_id: UUID, version: int | None = None) -> ShelfPlace:
        """Return a place that an act may change, or put something into: one that is closed stays as it is."""
        row = session.get(ShelfPlace, place_id)
        if row is None:
            raise NotFound
        if row.strength > ceiling(session, reach):
            raise NotAllowed(act=Act.MANAGE_SHELVES.value)
        if version is not None and row.version != version:
            raise Conflict(what="shelf")
        if row.closed_at is not None:
            raise InvalidInput(Fault("shelf", "place_closed"))
        return row

    def _settle(self, session: Session, row: ShelfPlace, before: str) -> None:
        """Give all that stands in a place its path and strength as they follow, and check what lies there."""
        below = select(ShelfPlace).where(ShelfPlace.path.startswith(f"{before}-", autoescape=True))
        rows: Sequence[ShelfPlace] = session.scalars(below.order_by(ShelfPlace.path)).all()
        known = {row.id: row}
        parent = session.get(ShelfPlace, row.parent_id) if row.parent_id else None
        row.strength = _strength(row.security, parent)
        for each in sorted(rows, key=lambda place: STEPS.index(place.kind)):
            if each.parent_id in known:
                above = known[each.parent_id]
                each.path, each.strength = f"{above.path}-{each.code}", _strength(each.security, above)
                known[each.id] = each
        session.flush()
        for place_id, rank in session.execute(
            select(Copy.place_id, Record.level_rank)
            .join(Record, Record.id == Copy.record_id)
            .join(ShelfPlace, ShelfPlace.id == Copy.place_id)
            .where(within(row))
            .distinct()
        ):
            if place_id in known:
                check_level(session, rank, known[place_id])


def _told(row: ShelfPlace) -> dict[str, object]:
    return {
        "names": row.names.get("zh_CN", ""),
        "security": row.security.value if row.security else None,
        "capacity": row.capacity,
        "custodian": str(row.custodian_id) if row.custodian_id else None,
    }
