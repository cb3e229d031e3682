"""What falls due of loans: papers to bring back, files that close, papers that were called back; and who is told."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from archive.approving.deciders import head_token, holders
from archive.deadlines import Deadlines, Watch
from archive.due_rules import Rule, Stage
from archive.identity import Identity, Role
from archive.loans.states import PAPER
from archive.model import Deadline, DeadlineKind, Loan, LoanState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.watches import people_with

RULES = {
    DeadlineKind.LOAN: Rule(before=(2,), after=(1, 7), head=(14,)),
    DeadlineKind.LOAN_RECALL: Rule(after=(3,), head=(7,)),
    DeadlineKind.LOAN_END: Rule(before=(1,), passes=True),
}


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


class LoanWatch:
    """A loan that must come back, or closes by itself: its borrower is told; late, their head and the archive too."""

    act = Act.ASK_LOAN

    def __init__(self, guard: Guard, kind: DeadlineKind) -> None:
        self._guard = guard
        self.kind = kind
        self.rule = RULES[kind]

    def recipients(self, session: Session, deadline: Deadline, stage: Stage) -> Collection[UUID]:
        """Return the borrower, and those above them at the stages of the head."""
        loan = session.get(Loan, deadline.subject_id)
        if loan is None:
            return ()
        told = [loan.borrower_id]
        if stage.head:
            day = self._guard.day()
            token = head_token(session, loan.borrower_id, day, told)
            told += [*(holders(session, token, day) if token else ()), *people_with(session, Role.ARCHIVIST)]
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


def loan_watches(guard: Guard) -> list[Watch]:
    """Return the watch of each kind of deadline that loans have."""
    return [LoanWatch(guard, kind) for kind in RULES]
