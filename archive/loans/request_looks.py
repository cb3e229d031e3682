"""Looking at requests: those that wait for me, and one with its steps and all that was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, kinds_waiting, waiting
from archive.approving.engine import Approvals, Spoken
from archive.approving.states import OPEN as UNDECIDED
from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity
from archive.loans.looks import ROUTED, LoanLooks, LoanShown
from archive.loans.standing import Availability, availability
from archive.model import (
    Approval,
    ApprovalDecider,
    ApprovalKind,
    ApprovalState,
    ApprovalStep,
    Loan,
    LoanState,
    Person,
    Record,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act


@dataclass(frozen=True)
class StepShown:
    """A step of a request: who decides (tokens, with the names of people in ``names``), and whether it is passed."""

    step: ApprovalStep
    deciders: Sequence[ApprovalDecider]
    passed: bool
    here: bool


@dataclass(frozen=True)
class RequestShown:
    """A request for a loan or its extension, as someone may see it. ``names``: of everyone in it, by id."""

    approval: Approval
    shown: LoanShown
    what: Mapping[str, Any]
    why: str
    spoken: Sequence[Spoken]
    steps: Sequence[StepShown]
    names: Mapping[UUID, str]
    may_decide: bool
    may_find: bool
    may_answer: bool
    may_withdraw: bool
    standing: Availability | None


class RequestLooks:
    """Shows requests for loans and their extensions."""

    def __init__(self, db: Database, guard: Guard, approvals: Approvals, loans: LoanLooks) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._loans = loans

    def undecided(self, session: Session, identity: Identity) -> Select[UUID]:
        """Return a query for the requests that wait for this person's decision: of records that they see."""
        person = identity.person_id
        hands = hands_of(session, person, self._guard.day())
        query = waiting(person, hands) if person else select(Approval.id).where(Approval.id.is_(None))
        seen = self._guard.opens(session, identity, Approval.record_id, Act.SEE)
        return query.where(Approval.kind.in_(ROUTED), or_(Approval.record_id.is_(None), seen))

    def count(self, session: Session, identity: Identity) -> int:
        """Count the requests that wait for this person's decision."""
        if kinds_waiting(session, identity.person_id, self._guard.day()).isdisjoint(ROUTED):
            return 0
        return session.scalar(select(func.count()).select_from(self.undecided(session, identity).subquery())) or 0

    def waiting(
        self, identity: Identity, after: UUID | None = None, *, limit: int
    ) -> Sequence[tuple[Approval, LoanShown]]:
        """Return the requests that wait for this person's decision, the oldest first, behind the id ``after``."""
        with self._db.reading() as session:
            query = self.undecided(session, identity).with_only_columns(Approval)
            if after is not None:
                query = query.where(Approval.id > after)
            # along the index of what is undecided: by id alone, PostgreSQL walks all that ever was asked
            rows = session.scalars(query.order_by(Approval.asked_at, Approval.id).limit(limit)).all()
            loans = self._loans_of(session, rows)
            shown = self._loans.shown(session, identity, [loans[each.id] for each in rows])
            return list(zip(rows, shown, strict=True))

    def request(self, identity: Identity, approval_id: UUID) -> RequestShown:
        """Show a request to who asked for it or gets what it is for, decides on it, or lends its record.

        Raises:
            NotFound: none such concerns this person.
        """
        with self._db.reading() as session:
            approval = session.get(Approval, approval_id)
            hands = hands_of(session, identity.person_id, self._guard.day())
            mine = approval is not None and identity.person_id in {approval.asked_by, approval.for_id}
            decides = approval is not None and self._decides(session, identity, approval, hands)
            concerned = approval is not None and self._concerns(session, identity, approval)
            sought = (
                concerned and approval is not None and approval.record_id is None
            )  # described, nothing was found yet
            if not mine and not decides and not sought:
                target = approval.record_id if concerned and approval and approval.record_id else approval_id
                self._guard.require(session, identity, Act.SEE, target)
            if approval is None or approval.kind not in ROUTED:
                raise NotFound
            loan = self._loans_of(session, [approval])[approval.id]
            what, why, _ = self._approvals.opened(session, approval)
            spoken = self._approvals.spoken(session, approval)
            steps = steps_of(session, approval)
            record = session.get(Record, loan.record_id) if loan.record_id else None
            here = next((each.step for each in steps if each.here), None)
            open_now = approval.state in UNDECIDED
            shown = self._loans.shown(session, identity, [loan])[0]
            if record is not None and shown.level is None:  # its route would tell its level
                steps = [each for each in steps if each.step.finds]
            finds = decides and here is not None and here.finds
            ready = approval.state is ApprovalState.APPROVED and loan.state is LoanState.READY
            sees_standing = record is not None and (decides or not mine)
            return RequestShown(
                approval=approval,
                shown=shown,
                what=what,
                why=why,
                spoken=spoken,
                steps=steps,
                names=names_in(session, approval, spoken, steps),
                may_decide=decides and not finds,
                may_find=finds,
                may_answer=mine and approval.state is ApprovalState.QUESTIONED,
                may_withdraw=mine and (open_now or (ready and approval.kind is ApprovalKind.LOAN)),
                standing=availability(session, record, loan.id) if record is not None and sees_standing else None,
            )

    def _loans_of(self, session: Session, rows: Sequence[Approval]) -> Mapping[UUID, Loan]:
        """Return the loan that each request is of, by the request's id."""
        own = {each.id for each in rows if each.kind is ApprovalKind.LOAN}
        about = {each.about_id for each in rows if each.kind is ApprovalKind.EXTENSION}
        found = session.scalars(select(Loan).where(or_(Loan.approval_id.in_(own), Loan.id.in_(about)))).all()
        by_request, by_id = {each.approval_id: each for each in found}, {each.id: each for each in found}
        loans = {each.id: by_request.get(each.id) or by_id.get(each.about_id or each.id) for each in rows}
        return {key: loan for key, loan in loans.items() if loan is not None}

    def _decides(self, session: Session, identity: Identity, approval: Approval, hands: Any) -> bool:
        if not self._approvals.may_decide(session, identity.person_id, approval, hands):
            return False
        if approval.record_id is None:
            return True
        sees = self._guard.visible(session, identity, Act.SEE).where(Record.id == approval.record_id)
        return session.scalar(sees.with_only_columns(Record.id)) is not None

    def _concerns(self, session: Session, identity: Identity, approval: Approval) -> bool:
        """Whether someone lends the record of a request, or said something on it."""
        spoken = self._approvals.spoken(session, approval)
        lends = self._guard.visible(session, identity, Act.LEND).where(Record.id == approval.record_id)
        return (
            any(each.word.person_id == identity.person_id for each in spoken)
            or session.scalar(lends.with_only_columns(Record.id)) is not None
        )


def steps_of(session: Session, approval: Approval) -> Sequence[StepShown]:
    """Return the steps of a request, each with who decides there."""
    steps = session.scalars(
        select(ApprovalStep).where(ApprovalStep.approval_id == approval.id).order_by(ApprovalStep.number)
    )
    named = session.scalars(select(ApprovalDecider).where(ApprovalDecider.approval_id == approval.id)).all()
    waits = approval.state in UNDECIDED
    passed = approval.state is ApprovalState.APPROVED
    return [
        StepShown(
            step,
            sorted((each for each in named if each.number == step.number), key=lambda each: each.token),
            passed=passed or step.number < approval.step,
            here=waits and step.number == approval.step,
        )
        for step in steps
    ]


def names_in(
    session: Session, approval: Approval, spoken: Sequence[Spoken], steps: Sequence[StepShown]
) -> Mapping[UUID, str]:
    """Return the names of everyone in a request, by id."""
    ids = {approval.asked_by, approval.for_id, approval.decided_by}
    ids |= {key for each in spoken for key in (each.word.person_id, each.word.instead_of)}
    ids |= {
        UUID(each.token.removeprefix("person:"))
        for step in steps
        for each in step.deciders
        if each.token.startswith("person:")
    }
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ids - {None}))).all())
