"""A paper that leaves its place for a person: which copy is free, and the note of whom it is with.

Loans, circulation slips and standing custody all hand papers out by these, so that one is never with two people.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving import routes
from archive.approving.planning import branch, routes_now
from archive.blocks import standing
from archive.clock import Clock
from archive.errors import Fault, InvalidInput
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.loans.standing import availability
from archive.loans.states import PAPER
from archive.log.writer import Log
from archive.model import (
    ApprovalKind,
    Copy,
    CopyCondition,
    CopyMove,
    Loan,
    LoanForm,
    LoanState,
    Person,
    Record,
    ShelfPlace,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.shelving.copies import CopyFacts, add_copy, first_facts
from archive.shelving.rules import release
from archive.shelving.sealed import note_move


@dataclass(frozen=True)
class AtCounter:
    """A paper at the counter: which copy, and pages and condition as they are now. None: as noted.

    ``words``: what is said of a difference, when it comes back.
    """

    copy: int | None = None
    pages: int | None = None
    condition: CopyCondition | None = None
    words: str = ""


class HandedPapers:
    """Chooses copies and notes whom they are with, inside the caller's transaction."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def choose(self, session: Session, identity: Identity, record: Record, number: int | None, before: int) -> Copy:
        """Return the copy to hand out: ``before`` people were approved earlier, and as many copies stay for them.

        Raises:
            InvalidInput: field ``record``: no copy is there, or another comes first.
        """
        copies = session.scalars(select(Copy).where(Copy.record_id == record.id).order_by(Copy.number)).all()
        if not copies:
            first = add_copy(session, record.id, first_facts(record) or CopyFacts(), self._clock)
            self._log.note(session, identity, "copy.add", record=record.id, body={"copy": first.number})
            copies = [first]
        held = {each.copy_id for each in standing(session, [record.id]).get(record.id, ())}
        free = (each for each in copies if each.withdrawn_at is None and each.holder_id is None)
        there = [each for each in free if each.id not in held]
        if len(there) <= before:
            raise InvalidInput(Fault("record", "another_first" if there else "no_copy"))
        chosen = [each for each in there if number in {None, each.number}]
        if not chosen:
            raise InvalidInput(Fault("record", "no_copy"))
        return chosen[0]

    def hand_out(self, session: Session, identity: Identity, record: Record, out: AtCounter, person: UUID) -> Copy:
        """Hand a paper to a person who has no loan of it, as it is now. Raises ``InvalidInput``, field ``record``."""
        require_leaves(session, record)
        row = self.choose(session, identity, record, out.copy, len(session.scalars(ready_papers(record.id)).all()))
        self.hand_to(session, identity, row, person)
        if out.condition is not None:
            row.condition = out.condition
        return row

    def hand_to(self, session: Session, identity: Identity, row: Copy, person: UUID | None) -> ShelfPlace | None:
        """Note that a copy is with a person now (None: with the archive again); return where it lay."""
        lay = session.get(ShelfPlace, row.place_id) if row.place_id else None
        if person is not None:
            moved = CopyMove(
                id=new_id(), at=self._clock.now(), copy_id=row.id, from_id=row.place_id, holder_id=person,
                person_id=identity.person_id,
            )  # fmt: skip
            note_move(session, moved)
        if row.place_id is not None:
            release(session, row.place_id)
        row.place_id, row.holder_id, row.version = None, person, row.version + 1
        return lay


def ready_papers(record_id: UUID) -> Any:
    """Return the query for the loans of a record's paper that were approved and not handed out, the first first."""
    where = (Loan.record_id == record_id, Loan.state == LoanState.READY, Loan.form.in_(PAPER))
    return select(Loan).where(*where).order_by(Loan.ready_at, Loan.number)


TAKE_OUT = frozenset({"take_out"})
"""What is asked of a record whose paper leaves."""


def require_leaves(session: Session, record: Record) -> None:
    """Refuse what may not leave now. Raises ``InvalidInput``, field ``record``."""
    now = availability(session, record)
    if LoanForm.OUT not in now.forms:
        raise InvalidInput(Fault("record", now.why[LoanForm.OUT]))


def archive_decides(session: Session, record: Record, kind: ApprovalKind) -> bool:
    """Whether the house has the archive alone decide on a paper that leaves without a loan."""
    asked = routes.Asked(kind, record.level_rank, branch(session, record.category_id), record.medium, TAKE_OUT)
    _place, route = routes.route_for(routes_now(session), asked)
    return all(f"role:{Role.ARCHIVIST.value}" in step.who and not step.every for step in route.steps)


def require_archive_decides(session: Session, record: Record, kind: ApprovalKind) -> None:
    """Refuse to let a paper go at once where it does not leave, or where others than the archive decide on it.

    Raises:
        InvalidInput: field ``record``: it does not leave, or it is to be applied for.
    """
    require_leaves(session, record)
    if not archive_decides(session, record, kind):
        raise InvalidInput(Fault("record", "needs_a_loan"))


def reader_of(session: Session, guard: Guard, record: Record, login: str, field: str) -> Person:
    """Return the person of a sign-in name who reads a record. Raises ``InvalidInput``, naming ``field``."""
    who = session.scalar(select(Person).where(Person.login == folded(login), Person.active.is_(True)))
    if who is None:
        raise InvalidInput(Fault(field, "unknown_person", {"name": login.strip()[:64]}))
    if not reads(session, guard, record, who.id):
        raise InvalidInput(Fault(field, "reads_not", {"name": who.name}))
    return who


def reads(session: Session, guard: Guard, record: Record, person: UUID) -> bool:
    """Whether a person reads a filed record now."""
    facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
    return holds(condition(Act.ASK_LOAN, guard.reach(session, Identity("", person))), facts)
