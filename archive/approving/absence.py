"""Deputies: for some days someone decides in another's place, and borrows for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from archive.accounts import folded
from archive.approving.deciders import is_officer
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Deputy, Person
from archive.policy.guard import Guard

MOST = 20
"""Deputies of one person whose days are not over."""

MOST_DAYS = 366
"""Days that one deputy is named for at most: an absence, not another's post. Whoever is away longer names them anew."""


@dataclass(frozen=True)
class StandIn:
    """A deputy with their name, or whom one stands in for."""

    row: Deputy
    name: str


class Deputies:
    """The acts on deputies: each names their own."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def mine(self, identity: Identity) -> tuple[Sequence[StandIn], Sequence[StandIn]]:
        """Return who stands in for this person, and whom this person stands in for, today or later."""
        day = self._guard.day()
        with self._db.reading() as session:
            open_ones = (Deputy.until >= day, Deputy.ended_at.is_(None), ~is_officer(Deputy.deputy_id))
            own = select(Deputy, Person.name).join(Person, Person.id == Deputy.deputy_id)
            others = select(Deputy, Person.name).join(Person, Person.id == Deputy.person_id)
            for_me = session.execute(
                own.where(Deputy.person_id == identity.person_id, *open_ones).order_by(Deputy.since, Deputy.id)
            )
            by_me = session.execute(
                others.where(Deputy.deputy_id == identity.person_id, *open_ones).order_by(Deputy.since, Deputy.id)
            )
            return [StandIn(*row) for row in for_me], [StandIn(*row) for row in by_me]

    def name(self, identity: Identity, login: str, since: date, until: date) -> UUID:
        """Name a deputy from a day to a day, both included.

        Raises:
            InvalidInput: ``deputy`` (nobody of this sign-in name, oneself, an officer), ``until`` (before ``since``,
                past, or more than ``MOST_DAYS`` days).
            NotAllowed: parts of the system have none.
        """
        if identity.person_id is None:
            raise NotAllowed(act="deputy.name")
        if until < since or until < self._guard.day():
            raise InvalidInput(Fault("until", "out_of_order"))
        days = (until - since).days + 1
        if days > MOST_DAYS:
            raise InvalidInput(Fault("until", "too_many_days", {"limit": MOST_DAYS, "length": days}))
        with self._db.writing() as work:
            session = work.session
            who = session.scalar(
                select(Person.id).where(Person.login == folded(login), Person.active.is_(True), ~is_officer(Person.id))
            )
            if who is None or who == identity.person_id:
                raise InvalidInput(Fault("deputy", "unknown"))
            open_ones = (Deputy.until >= self._guard.day(), Deputy.ended_at.is_(None))
            named = select(Deputy.id).where(Deputy.person_id == identity.person_id, *open_ones)
            if len(session.scalars(named).all()) >= MOST:
                raise InvalidInput(Fault("deputy", "too_many", {"limit": MOST}))
            row = Deputy(
                id=new_id(), person_id=identity.person_id, deputy_id=who, since=since, until=until,
                made_at=self._clock.now(),
            )  # fmt: skip
            session.add(row)
            body = {"deputy": str(who), "since": since.isoformat(), "until": until.isoformat()}
            self._log.note(session, identity, "deputy.name", body=body)
            work.commit()
            return row.id

    def end(self, identity: Identity, deputy_id: UUID) -> None:
        """Have one's deputy stand in no more. Raises ``NotFound``."""
        with self._db.writing() as work:
            row = work.session.get(Deputy, deputy_id)
            if row is None or row.person_id != identity.person_id:
                raise NotFound
            if row.ended_at is None:
                row.ended_at = self._clock.now()
                self._log.note(work.session, identity, "deputy.end", body={"deputy": str(row.deputy_id)})
                work.commit()
