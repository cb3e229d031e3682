"""Copies of records: which there are, in what condition, which is the original, and whom one is with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.blocks import Cause, check_free, end_missing
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    BlockCause,
    BlockKind,
    Carrier,
    Copy,
    CopyCondition,
    CopyMove,
    Medium,
    Person,
    Record,
    ShelfPlace,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reasons import checked
from archive.shelving.rules import check_not_lent, needs, release
from archive.shelving.sealed import note_move

MOST_PAGES = 1_000_000
LONGEST = 200


@dataclass(frozen=True)
class CopyFacts:
    """What is said of a copy. ``original_at``: who holds the original, when this is not it."""

    carrier: Carrier = Carrier.PAPER
    condition: CopyCondition = CopyCondition.GOOD
    pages: int | None = None
    original: bool = True
    original_at: str | None = None


@dataclass(frozen=True)
class CopyView:
    """A copy with where it lies. ``to_move``: its level forbids the place where it lies now."""

    copy: Copy
    place: ShelfPlace | None
    holder: str | None
    to_move: bool


def add_copy(session: Session, record_id: UUID, facts: CopyFacts, clock: Clock) -> Copy:
    """Add a copy under the next number of its record, in the caller's transaction. Asks nobody: the caller has."""
    last = session.scalar(select(func.max(Copy.number)).where(Copy.record_id == record_id)) or 0
    row = Copy(id=new_id(), record_id=record_id, number=last + 1, created_at=clock.now(), **asdict(facts))
    session.add(row)
    session.flush()
    return row


def facts_of(row: Copy) -> CopyFacts:
    """Return what is said of a copy."""
    return CopyFacts(row.carrier, row.condition, row.pages, row.original, row.original_at)


def copies_of(session: Session, record: Record) -> Sequence[CopyView]:
    """Return the copies of a record by number, the withdrawn ones too. Asks nobody: the caller has."""
    rows = session.execute(
        select(Copy, ShelfPlace, Person.name)
        .outerjoin(ShelfPlace, ShelfPlace.id == Copy.place_id)
        .outerjoin(Person, Person.id == Copy.holder_id)
        .where(Copy.record_id == record.id)
        .order_by(Copy.number)
    ).all()
    needed = needs(session)[record.level_rank] if any(place for _copy, place, _holder in rows) else 0
    return [
        CopyView(copy, place, holder, place is not None and place.strength < needed) for copy, place, holder in rows
    ]


class Copies:
    """The acts on copies."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def of(self, identity: Identity, record_id: UUID) -> Sequence[CopyView]:
        """Return the copies of a record that the person may see. Raises ``NotFound``."""
        with self._db.reading() as session:
            return copies_of(session, self._guard.require(session, identity, Act.SEE, record_id))

    def one(self, identity: Identity, copy_id: UUID) -> CopyView:
        """Return a copy of a record that the person may see. Raises ``NotFound``."""
        for each in self.of(identity, self.record_of(identity, copy_id)):
            if each.copy.id == copy_id:
                return each
        raise NotFound

    def record_of(self, identity: Identity, copy_id: UUID) -> UUID:
        """Return the record of a copy, if the person may see it. Raises ``NotFound``."""
        with self._db.reading() as session:
            row = session.get(Copy, copy_id)
            return self._guard.require(session, identity, Act.SEE, row.record_id if row else copy_id).id

    def may_shelve(self, identity: Identity, record_id: UUID) -> bool:
        """Whether the person may put a record's copies on shelves."""
        with self._db.reading() as session:
            return self._shelves(session, identity, record_id)

    def add(self, identity: Identity, record_id: UUID, facts: CopyFacts) -> Copy:
        """Add a copy. Raises ``InvalidInput``, ``NotFound``, ``NotAllowed``."""
        facts = _checked(facts)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.KEEP_COPIES, record_id)
            row = add_copy(session, record.id, facts, self._clock)
            self._log.note(session, identity, "copy.add", record=record.id, body=_told(row.number, after=facts))
            work.commit()
            return row

    def change(self, identity: Identity, copy_id: UUID, facts: CopyFacts, version: int) -> Copy:
        """Change what is said of a copy. Raises as ``add``, and ``Conflict``."""
        facts = _checked(facts)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._copy(session, identity, Act.KEEP_COPIES, copy_id, version)
            before = facts_of(row)
            for name, value in asdict(facts).items():
                setattr(row, name, value)
            row.version += 1
            body = _told(row.number, before=before, after=facts)
            self._log.note(session, identity, "copy.change", record=row.record_id, body=body)
            work.commit()
            return row

    def withdraw(self, identity: Identity, copy_id: UUID, reason: str, version: int) -> None:
        """Withdraw a copy that is no more: it leaves its place; its number stays its own.

        Raises:
            InvalidInput: no reason.
            Blocked: it is in work that must not lose it. One that is missing may be given up.
        """
        reason = checked(reason)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._copy(session, identity, Act.KEEP_COPIES, copy_id, version)
            check_free(session, row.record_id, row.id, but={BlockKind.MISSING})
            end_missing(session, identity, row, Cause(BlockCause.WITHDRAWAL), self._log, self._clock)
            self._leave(session, identity, row)
            row.withdrawn_at = self._clock.now()
            row.version += 1
            body = {"copy": row.number, "reason": reason}
            self._log.note(session, identity, "copy.withdraw", record=row.record_id, body=body)
            work.commit()

    def hand(self, identity: Identity, copy_id: UUID, login: str, version: int) -> None:
        """Note who of the archive has a copy at work; it leaves its place, and comes back by being shelved.

        To all others papers go on a loan, on a slip, or into standing custody, by the rules of each.

        Raises:
            InvalidInput: ``holder``: nobody of this sign-in name, or someone who does not shelve the record.
            Blocked: it is missing, or in work that must not lose it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._copy(session, identity, Act.SHELVE, copy_id, version)
            who = session.scalar(select(Person.id).where(Person.login == folded(login), Person.active.is_(True)))
            if who is None:
                raise InvalidInput(Fault("holder", "unknown"))
            if not self._shelves(session, Identity("", who), row.record_id):
                raise InvalidInput(Fault("holder", "shelves_not"))
            check_free(session, row.record_id, row.id)
            self._leave(session, identity, row, who)
            row.holder_id = who
            row.version += 1
            body = {"copy": row.number, "holder": str(who)}
            self._log.note(session, identity, "copy.hand", record=row.record_id, body=body)
            work.commit()

    def _shelves(self, session: Session, identity: Identity, record_id: UUID) -> bool:
        query = self._guard.visible(session, identity, Act.SHELVE).where(Record.id == record_id)
        return session.scalar(query.with_only_columns(Record.id)) is not None

    def _copy(self, session: Session, identity: Identity, act: Act, copy_id: UUID, version: int) -> Copy:
        row = session.get(Copy, copy_id)
        self._guard.require(session, identity, act, row.record_id if row else copy_id)
        if row is None:
            raise NotFound
        if row.withdrawn_at is not None:
            raise InvalidInput(Fault("copy", "withdrawn"))
        if row.version != version:
            raise Conflict(what="copy")
        return row

    def _leave(self, session: Session, identity: Identity, row: Copy, holder: UUID | None = None) -> None:
        """Take a copy from where it lies."""
        check_not_lent(session, row)
        if row.place_id is None and row.holder_id == holder:
            return
        moved = CopyMove(
            id=new_id(), at=self._clock.now(), copy_id=row.id, from_id=row.place_id, holder_id=holder,
            person_id=identity.person_id,
        )  # fmt: skip
        note_move(session, moved)
        if row.place_id is not None:
            release(session, row.place_id)
        row.place_id = row.holder_id = None


def first_facts(record: Record) -> CopyFacts | None:
    """Return what is said of the first copy of a record that is on paper; None for one that is not."""
    return None if record.medium is Medium.ELECTRONIC else CopyFacts(pages=record.pages)


def _checked(facts: CopyFacts) -> CopyFacts:
    faults = []
    if facts.pages is not None and not 0 <= facts.pages <= MOST_PAGES:
        faults.append(Fault("pages", "out_of_range", {"low": 0, "high": MOST_PAGES}))
    held = (facts.original_at or "").strip()
    if len(held) > LONGEST:
        faults.append(Fault("original_at", "too_long", {"limit": LONGEST, "length": len(held)}))
    if held and facts.original:
        faults.append(Fault("original_at", "is_the_original"))
    if faults:
        raise InvalidInput(*faults)
    return CopyFacts(facts.carrier, facts.condition, facts.pages, facts.original, held or None)


def _told(number: int, **facts: CopyFacts) -> Mapping[str, Any]:
    return {"copy": number} | {
        when: {name: value if isinstance(value, int | None) else str(value) for name, value in asdict(each).items()}
        for when, each in facts.items()
    }
