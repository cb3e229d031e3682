"""The counter for papers without a loan: those of a slip and of standing custody go out and come back by a scan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.cataloguing.showing import number_of
from archive.database import Database
from archive.identity import Identity
from archive.loans.custody import StandingCustodies
from archive.loans.papers import AtCounter
from archive.loans.rounds import Rounds
from archive.model import Circulation, CirculationState, CirculationStop, Copy, Person, Record, StandingCustody
from archive.policy.guard import Guard
from archive.policy.rules import Act


@dataclass(frozen=True)
class PaperAt:
    """A paper of a slip, or (``custody``) of a standing custody; ``due``: when it is back, or looked at next.

    ``copy``: the number of the copy that is with someone. ``report``: opened, as it came back
    with fewer pages, or worse.
    """

    id: UUID
    custody: bool
    record_id: UUID
    number: str
    holder: str
    due: date
    copy: int | None = None
    report: UUID | None = None


class CounterPapers:
    """What waits at the counter, goes out and comes back without a loan, for those who lend a record."""

    def __init__(self, db: Database, guard: Guard, custody: StandingCustodies, rounds: Rounds) -> None:
        self._db = db
        self._guard = guard
        self._custody = custody
        self._rounds = rounds

    def waiting(self, identity: Identity, login: str) -> Sequence[PaperAt]:
        """Return what waits at the counter for someone, of records that this person lends."""
        with self._db.reading() as session:
            who = session.scalar(select(Person).where(Person.login == folded(login)))
            return self._waiting(session, identity, who) if who is not None else ()

    def issue(self, identity: Identity, person: UUID, record_id: UUID, out: AtCounter) -> PaperAt | None:
        """Hand a paper to whom it waits for; None: none of this record does. Raises as the two ``issue``."""
        with self._db.reading() as session:
            who = session.get_one(Person, person)
            found = [each for each in self._waiting(session, identity, who) if each.record_id == record_id]
        if not found:
            return None
        first = found[0]
        if first.custody:
            self._custody.issue(identity, first.id, out)
        else:
            self._rounds.issue(identity, first.id, person, out)
        with self._db.reading() as session:  # which copy, and a day that may be reckoned from today
            return next(each for each in _out(session, record_id, None) if each.id == first.id)

    def is_out(self, identity: Identity, record_id: UUID, copy: int | None = None) -> bool:
        """Whether a paper of a record is with someone so. Raises ``NotFound``, ``NotAllowed``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.LEND, record_id)
            return bool(_out(session, record_id, copy))

    def take_back(self, identity: Identity, record_id: UUID, back: AtCounter) -> PaperAt | None:
        """Take back a paper of a record; None: not exactly one is out. Raises as the two ``take_back``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.LEND, record_id)
            found = _out(session, record_id, back.copy)
        if len(found) != 1:
            return None
        one = found[0]
        act = self._custody.take_back if one.custody else self._rounds.take_back
        return replace(one, report=act(identity, one.id, back))

    def _waiting(self, session: Session, identity: Identity, who: Person) -> Sequence[PaperAt]:
        first = select(func.min(CirculationStop.position)).where(CirculationStop.circulation_id == Circulation.id)
        mine = select(CirculationStop.id).where(
            CirculationStop.circulation_id == Circulation.id, CirculationStop.person_id == who.id,
            CirculationStop.position == first.correlate(Circulation).scalar_subquery(),
        )  # fmt: skip
        slips = select(Circulation, Record).join(Record, Record.id == Circulation.record_id).where(
            Circulation.state == CirculationState.READY,
            or_(Circulation.begun_by == who.id, mine.correlate(Circulation).exists()),
            self._guard.opens(session, identity, Circulation.record_id, Act.LEND),
        )  # fmt: skip
        kept = select(StandingCustody, Record).join(Record, Record.id == StandingCustody.record_id).where(
            StandingCustody.person_id == who.id, StandingCustody.issued_at.is_(None),
            StandingCustody.ended_at.is_(None),
            self._guard.opens(session, identity, StandingCustody.record_id, Act.LEND),
        )  # fmt: skip
        return [
            *(_kept(row, record, who.name) for row, record in session.execute(kept.order_by(StandingCustody.id))),
            *(_slip(row, record, who.name) for row, record in session.execute(slips.order_by(Circulation.id))),
        ]


def _out(session: Session, record_id: UUID, copy: int | None) -> Sequence[PaperAt]:
    found: list[PaperAt] = []
    out = StandingCustody.issued_at.is_not(None) & StandingCustody.ended_at.is_(None)
    kinds: Sequence[tuple[Any, Callable[[Any, Record, str], PaperAt], ColumnElement[bool]]] = (
        (StandingCustody, _kept, out),
        (Circulation, _slip, Circulation.state == CirculationState.ROUND),
    )
    for row, told, going in kinds:
        query = (
            select(row, Record, Person.name, Copy.number)
            .join(Record, Record.id == row.record_id)
            .join(Copy, Copy.id == row.copy_id)
            .join(Person, Person.id == Copy.holder_id)
            .where(row.record_id == record_id, going)
        )
        if copy is not None:
            query = query.where(Copy.number == copy)
        found += [replace(told(one, record, name), copy=number) for one, record, name, number in session.execute(query)]
    return found


def _kept(row: StandingCustody, record: Record, holder: str) -> PaperAt:
    return PaperAt(row.id, True, row.record_id, number_of(record), holder, row.check_on)  # noqa: FBT003  (it is one)


def _slip(row: Circulation, record: Record, holder: str) -> PaperAt:
    return PaperAt(row.id, False, row.record_id, number_of(record), holder, row.until)  # noqa: FBT003  (it is none)
