"""What falls due of loans: papers to bring back, files that close, papers that were called back; and who is told."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, head_token, holders, waiting
from archive.approving.routes import AS_LOANS
from archive.identity import Identity, Role
from archive.loans.states import PAPER
from archive.model import (
    Approval,
    ApprovalDecider,
    ApprovalState,
    ApprovalStep,
    Circulation,
    Copy,
    Deadline,
    DeadlineKind,
    Loan,
    LoanState,
    StandingCustody,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines, Watch
from archive.reminding.rules import Rule, Stage
from archive.reminding.subjects import Needs
from archive.reminding.watches import people_with

RULES = {
    DeadlineKind.LOAN: Rule(before=(2,), after=(1, 7), head=(14,)),
    DeadlineKind.LOAN_RECALL: Rule(after=(3,), head=(7,)),
    DeadlineKind.LOAN_END: Rule(before=(1,), passes=True),
}


PAPER_RULES = {
    DeadlineKind.CIRCULATION: Rule(before=(1,), after=(1, 7), head=(14,)),
    DeadlineKind.CUSTODY_CHECK: Rule(before=(7,), after=(7,), head=(30,)),
}

_KEPT = "juanku heads"

DECIDED_IN = timedelta(days=3)
"""Until when a decision is waited for, at a step that names no days."""


def keep_decision(guard: Guard, session: Session, approval: Approval) -> None:
    """Note until when a request is to be decided as it stands now, in the caller's transaction."""
    session.flush()
    deadlines = Deadlines(guard)
    kind = DeadlineKind.PAPER_DECISION if approval.kind in AS_LOANS else DeadlineKind.LOAN_DECISION
    if approval.state is ApprovalState.ASKED and approval.step:
        step = session.get(ApprovalStep, (approval.id, approval.step))
        days = timedelta(days=step.days) if step is not None and step.days is not None else DECIDED_IN
        deadlines.set(session, kind, approval.id, guard.day() + days, approval.record_id)
        return
    decided = approval.state in {ApprovalState.APPROVED, ApprovalState.REFUSED}
    end = deadlines.meet if decided else deadlines.lapse
    end(session, kind, approval.id)


def keep_due(guard: Guard, session: Session, loan: Loan) -> None:
    """Note what falls due of a loan as it stands now, in the caller's transaction; doing it twice is no error."""
    deadlines = Deadlines(guard)
    paper = loan.form in PAPER
    kind = DeadlineKind.LOAN if paper else DeadlineKind.LOAN_END
    if loan.state is LoanState.OPEN and loan.due_on is not None:
        deadlines.set(session, kind, loan.id, loan.due_on)
        if paper and loan.recalled_at is not None:
            deadlines.set(session, DeadlineKind.LOAN_RECALL, loan.id, guard.day())
        return
    end = deadlines.meet if loan.state is LoanState.RETURNED else deadlines.lapse
    for each in (kind, DeadlineKind.LOAN_RECALL):
        end(session, each, loan.id)


def _heads(session: Session, person: UUID, day: date, without: Collection[UUID]) -> Sequence[UUID]:
    """Return the heads above someone, but for those told already; one snapshot is asked once for each."""
    kept: dict[Any, Sequence[UUID]] = session.info.setdefault(_KEPT, {})
    asked = (person, day, *without)
    if asked not in kept:
        token = head_token(session, person, day, without)
        kept[asked] = holders(session, token, day) if token else ()
    return kept[asked]


class LoanWatch:
    """A loan that must come back, or closes by itself: its borrower is told; late, their head and the archive too."""

    act = Act.ASK_LOAN
    needs: Needs = (Loan.borrower_id, Loan.record_id)

    def __init__(self, guard: Guard, kind: DeadlineKind) -> None:
        self._guard = guard
        self.kind = kind
        self.rule = RULES[kind]

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:
        """Return the borrower, and those above them at the stages of the head."""
        if row is None:
            return ()
        told = [row.borrower_id]
        if stage.head:
            told += [*_heads(session, row.borrower_id, self._guard.day(), told), *people_with(session, Role.ARCHIVIST)]
        return told

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to the borrower, to approvers of the borrower's department, and to archivists."""
        reach = self._guard.reach(session, identity)
        if reach.person_id is None:
            return false()
        if Role.ARCHIVIST in reach.roles:
            return true()
        mine = Loan.borrower_id == reach.person_id
        if Role.APPROVER in reach.roles:
            mine = or_(mine, Loan.department_id.in_(reach.departments))
        return select(Loan.id).where(Loan.id == Deadline.subject_id, mine).correlate(Deadline).exists()


class DecisionWatch:
    """A request for a loan, or for a paper, that waits: those who decide at its present step are told, and see it."""

    rule = Rule(before=(1,), after=(2,))
    act = Act.SEE
    needs: Needs = (Approval.step, Approval.asked_by, Approval.for_id, Approval.record_id)

    def __init__(self, guard: Guard, kind: DeadlineKind) -> None:
        self._guard = guard
        self.kind = kind

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return those who may decide now."""
        if row is None:
            return ()
        named = select(ApprovalDecider.token).where(
            ApprovalDecider.approval_id == row.id, ApprovalDecider.number == row.step,
            ApprovalDecider.done_by.is_(None),
        )  # fmt: skip
        day = self._guard.day()
        found = (each for token in session.scalars(named) for each in holders(session, token, day))
        return dict.fromkeys(each for each in found if each not in {row.asked_by, row.for_id})

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to those who may decide now."""
        hands = hands_of(session, identity.person_id, self._guard.day())
        if identity.person_id is None or not hands:
            return false()
        sees = self._guard.opens(session, identity, Deadline.record_id, Act.SEE)
        seen = or_(Deadline.record_id.is_(None), sees)
        return Deadline.subject_id.in_(waiting(identity.person_id, hands)) & seen


class PaperWatch:
    """A paper with people without a loan: who has it is told, and the archive; so is the head above once it is late."""

    act = Act.ASK_LOAN

    def __init__(self, guard: Guard, kind: DeadlineKind) -> None:
        self._guard = guard
        self.kind = kind
        self.rule = PAPER_RULES[kind]
        self._row: type[Circulation | StandingCustody] = (
            Circulation if kind is DeadlineKind.CIRCULATION else StandingCustody
        )
        self.needs: Needs = (self._row.copy_id, self._row.record_id)

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:
        """Return who has it, the archivists, and at the stages of the head those above."""
        copy = session.get(Copy, row.copy_id) if row is not None else None
        if copy is None or copy.holder_id is None:
            return ()
        told = [copy.holder_id, *people_with(session, Role.ARCHIVIST)]
        if stage.head:
            told += _heads(session, copy.holder_id, self._guard.day(), told)
        return dict.fromkeys(told)

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to who has it, and to archivists."""
        reach = self._guard.reach(session, identity)
        if reach.person_id is None:
            return false()
        if Role.ARCHIVIST in reach.roles:
            return true()
        mine = select(self._row.id).join(Copy, Copy.id == self._row.copy_id)
        return (
            mine.where(self._row.id == Deadline.subject_id, Copy.holder_id == reach.person_id)
            .correlate(Deadline)
            .exists()
        )


def loan_watches(guard: Guard) -> list[Watch]:
    """Return the watch of each kind of deadline that loans have."""
    papers = [PaperWatch(guard, kind) for kind in PAPER_RULES]
    decisions = [DecisionWatch(guard, kind) for kind in (DeadlineKind.LOAN_DECISION, DeadlineKind.PAPER_DECISION)]
    return [*(LoanWatch(guard, kind) for kind in RULES), *papers, *decisions]
