"""Rights: grants on fonds, branches and places, custody of levels, and to whom levels are distributed.

Grants and custody are the security administrator's; distributions also the secrecy officer's. No one gives
themselves anything. Taking a right away holds from the commit on, in search too: reach is computed per request.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound, StandsAlready
from archive.identity import OFFICERS, Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    AccessGrant,
    Category,
    Custody,
    DeadlineKind,
    Department,
    Distribution,
    Fonds,
    Level,
    Person,
    PersonRole,
    Place,
    Post,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines


@dataclass(frozen=True)
class GrantOn:
    """What a grant is to open: one fonds, or one branch, or one place, from a day to a day."""

    fonds_id: UUID | None = None
    category_id: UUID | None = None
    place_id: UUID | None = None
    since: date | None = None
    until: date | None = None

    def chosen(self) -> dict[str, UUID]:
        """Return what is named, by its kind."""
        given = {"fonds": self.fonds_id, "category": self.category_id, "place": self.place_id}
        return {name: value for name, value in given.items() if value is not None}

    def check(self) -> None:
        """Raise ``InvalidInput`` when it is not one thing, or its days are the wrong way round."""
        kinds, chosen = ["fonds", "category", "place"], self.chosen()
        if len(chosen) != 1:
            raise InvalidInput(*(Fault(name, "exactly_one_of", {"choices": kinds}) for name in chosen or kinds))
        if self.since is not None and self.until is not None and self.until < self.since:
            raise InvalidInput(Fault("until", "before_since"))


class Rights:
    """The acts on rights."""

    def __init__(self, db: Database, log: Log, guard: Guard) -> None:
        self._db = db
        self._log = log
        self._guard = guard
        self._deadlines = Deadlines(guard)

    def grant(
        self,
        identity: Identity,
        person_id: UUID,
        *,
        fonds_id: UUID | None = None,
        category_id: UUID | None = None,
        place_id: UUID | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> UUID:
        """Grant a person one fonds, or one branch, or one place, from a day to a day; returns the grant's id.

        Raises:
            InvalidInput: not exactly one of the three, none such, the days are the wrong way round, or the person is
                one of the three officers.
            NotFound: no such person.
            NotAllowed: not one of those who manage rights, or for themselves.
        """
        on = GrantOn(fonds_id, category_id, place_id, since, until)
        on.check()
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._other(session, identity, person_id)
            row = insert_grant(session, self._deadlines, person_id, on)
            self._note(session, identity, "grant.add", person_id, None, grant_told(row))
            work.commit()
        return row.id

    def revoke(self, identity: Identity, grant_id: UUID) -> None:
        """Take a grant away. Raises ``NotFound`` when it is not there."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_RIGHTS)
            row = session.get(AccessGrant, grant_id)
            if row is None:
                raise NotFound
            self._note(session, identity, "grant.remove", row.person_id, grant_told(row), None)
            session.delete(row)
            self._deadlines.lapse(session, DeadlineKind.GRANT_END, grant_id)
            work.commit()

    def entrust(self, identity: Identity, person_id: UUID, level_rank: int) -> None:
        """Make a person custodian of one level. Doing it twice is no error.

        Raises:
            InvalidInput: no such level.
            NotFound: no such person.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._other(session, identity, person_id)
            _check_there(session, level=level_rank)
            if session.get(Custody, (person_id, level_rank)) is None:
                session.add(Custody(person_id=person_id, level_rank=level_rank))
                self._note(session, identity, "custody.add", person_id, None, level_rank)
            work.commit()

    def relieve(self, identity: Identity, person_id: UUID, level_rank: int) -> None:
        """End a person's custody of a level. Ending what is not there is no error."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_RIGHTS)
            row = session.get(Custody, (person_id, level_rank))
            if row is not None:
                session.delete(row)
                self._note(session, identity, "custody.remove", person_id, level_rank, None)
            work.commit()

    def set_custody(self, identity: Identity, person_id: UUID, levels: Collection[int]) -> None:
        """Make a person custodian of these levels, and of no others. Raises as ``entrust``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._other(session, identity, person_id)
            held = {
                row.level_rank: row for row in session.scalars(select(Custody).where(Custody.person_id == person_id))
            }
            for rank in sorted(set(levels) - set(held)):
                _check_there(session, level=rank)
                session.add(Custody(person_id=person_id, level_rank=rank))
                self._note(session, identity, "custody.add", person_id, None, rank)
            for rank in sorted(set(held) - set(levels)):
                session.delete(held[rank])
                self._note(session, identity, "custody.remove", person_id, rank, None)
            work.commit()

    def distribute(
        self, identity: Identity, level_rank: int, *, post_id: UUID | None = None, department_id: UUID | None = None
    ) -> UUID:
        """Distribute a level, and those below it, to a post, a department, both together, or (neither) all staff.

        Raises:
            InvalidInput: no such level, post or department.
            StandsAlready: it is distributed so already.
            NotAllowed: not one of those who manage levels, or it would put themselves on a distribution.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            before = self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            named = {"level": level_rank, "post": post_id, "department": department_id}
            _check_there(session, **{name: value for name, value in named.items() if value is not None})
            same = select(Distribution.id).filter_by(
                level_rank=level_rank, post_id=post_id, department_id=department_id
            )
            if session.scalar(same) is not None:
                raise StandsAlready(what="distribution", field="level")
            row = Distribution(id=new_id(), level_rank=level_rank, post_id=post_id, department_id=department_id)
            session.add(row)
            session.flush()
            if self._guard.reach(session, identity).distributed - before.distributed:
                raise self._guard.refused_house(session, identity, Act.MANAGE_LEVELS, reason="own")
            self._note(session, identity, "distribution.add", None, None, _distribution(row))
            work.commit()
        return row.id

    def withdraw(self, identity: Identity, distribution_id: UUID) -> None:
        """Take back a distribution. Raises ``NotFound`` when it is not there."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            row = session.get(Distribution, distribution_id)
            if row is None:
                raise NotFound
            self._note(session, identity, "distribution.remove", None, _distribution(row), None)
            session.delete(row)
            work.commit()

    def distributions(self, identity: Identity) -> Sequence[Distribution]:
        """Return to whom the levels are distributed, for those who manage levels. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            return session.scalars(select(Distribution).order_by(Distribution.level_rank, Distribution.id)).all()

    def _other(self, session: Session, identity: Identity, person_id: UUID) -> None:
        self._guard.require_house(session, identity, Act.MANAGE_RIGHTS)
        if identity.person_id == person_id:
            raise self._guard.refused_house(session, identity, Act.MANAGE_RIGHTS, reason="own")
        if session.get(Person, person_id) is None:
            raise NotFound

    def _note(
        self, session: Session, identity: Identity, act: str, person_id: UUID | None, before: Any, after: Any
    ) -> None:
        body = {"person": str(person_id), "before": before, "after": after}
        self._log.note(session, identity, act, body=body)


_KINDS: dict[str, Any] = {
    "fonds": Fonds,
    "category": Category,
    "place": Place,
    "level": Level,
    "post": Post,
    "department": Department,
}


def insert_grant(session: Session, deadlines: Deadlines, person_id: UUID, on: GrantOn) -> AccessGrant:
    """Add a checked grant in the caller's transaction. Raises ``InvalidInput`` as ``Rights.grant`` does."""
    _check_reader(session, person_id)
    _check_there(session, **on.chosen())
    row = AccessGrant(
        id=new_id(), person_id=person_id, fonds_id=on.fonds_id, category_id=on.category_id, place_id=on.place_id,
        since=on.since, until=on.until,
    )  # fmt: skip
    session.add(row)
    if on.until is not None:
        deadlines.set(session, DeadlineKind.GRANT_END, row.id, on.until)
    return row


def _check_there(session: Session, **named: Any) -> None:
    faults = [Fault(name, "unknown") for name, key in named.items() if session.get(_KINDS[name], key) is None]
    if faults:
        raise InvalidInput(*faults)


def _check_reader(session: Session, person_id: UUID) -> None:
    roles = session.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id))
    if OFFICERS & set(roles):
        raise InvalidInput(Fault("person", "officers_read_nothing"))


def grant_told(row: AccessGrant) -> dict[str, str]:
    """Return what the log says of a grant."""
    names = ("fonds_id", "category_id", "place_id", "since", "until")
    return {name: str(getattr(row, name)) for name in names if getattr(row, name) is not None}


def _distribution(row: Distribution) -> dict[str, Any]:
    return {
        "level": row.level_rank,
        "post": None if row.post_id is None else str(row.post_id),
        "department": None if row.department_id is None else str(row.department_id),
    }
