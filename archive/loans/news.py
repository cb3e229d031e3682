"""What borrowers are told at once: how a request was decided, a question on it, papers that came or are called back."""

from typing import Final
from uuid import UUID

from archive.database import Work
from archive.identity import Identity
from archive.loans.papers import ready_papers
from archive.loans.standing import availability
from archive.model import Approval, ApprovalKind, DeadlineKind, Loan, Record
from archive.policy.guard import Guard
from archive.reminding.deadlines import find_deadline, told_of
from archive.reminding.messages import Messages, Told
from archive.reminding.rules import Stage

APPROVED: Final = "loan.approved"
REFUSED: Final = "loan.refused"
QUESTION: Final = "loan.question"
THERE: Final = "loan.there"
LONGER: Final = "loan.longer"
ENDED: Final = "loan.ended"


class LoanNews:
    """Tells borrowers, and who asked for them, in the transaction of what happened. No word says of which record."""

    def __init__(self, messages: Messages, guard: Guard) -> None:
        self._messages = messages
        self._guard = guard

    def of_request(self, work: Work, identity: Identity, topic: str, approval: Approval) -> None:
        """Tell who asked, and for whom, what became of a request; not who did it."""
        if topic == APPROVED and approval.kind is ApprovalKind.EXTENSION:
            topic = LONGER
        people = {approval.asked_by, approval.for_id} - {identity.person_id, None}
        self._tell(work, topic, approval.id, people)

    def back(self, work: Work, record_id: UUID) -> None:
        """Tell of a paper that came back: of as many as are there, whoever comes last in line hears it now."""
        session = work.session
        session.flush()
        now = availability(session, session.get_one(Record, record_id))
        following = session.scalar(ready_papers(record_id).offset(max(now.there - 1, 0)).limit(1))
        if now.there and following is not None and following.form in now.forms:
            self._tell(work, THERE, following.approval_id, {following.borrower_id})

    def recalled(self, work: Work, loan: Loan) -> None:
        """Tell the borrower that a loan was called back; the reminders of a paper's day do not tell it anew."""
        row = find_deadline(work.session, DeadlineKind.LOAN_RECALL, loan.id)
        if row is None:  # files are read no more at once
            self._tell(work, ENDED, loan.approval_id, {loan.borrower_id})
        else:
            self._messages.tell(work, [told_of(row, Stage(0).code, loan.borrower_id)])

    def _tell(self, work: Work, topic: str, request: UUID, people: "set[UUID] | set[UUID | None]") -> None:
        once = f"{topic}:{request.hex}:{self._guard.now().isoformat()}"
        self._messages.tell(work, [Told(each, topic, once, subject=request) for each in people if each is not None])
