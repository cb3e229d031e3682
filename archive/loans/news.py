"""What borrowers are told at once: how a request was decided, a question on it, papers that came or are called back."""

from typing import Final
from uuid import UUID

from archive.database import Work
from archive.identity import Identity
from archive.model import Approval, DeadlineKind, Loan
from archive.policy.guard import Guard
from archive.reminding.deadlines import find_deadline, told_of
from archive.reminding.messages import Messages, Told
from archive.reminding.rules import Stage

APPROVED: Final = "loan.approved"
REFUSED: Final = "loan.refused"
QUESTION: Final = "loan.question"
THERE: Final = "loan.there"


class LoanNews:
    """Tells borrowers, and who asked for them, in the transaction of what happened. No word says of which record."""

    def __init__(self, messages: Messages, guard: Guard) -> None:
        self._messages = messages
        self._guard = guard

    def of_request(self, work: Work, identity: Identity, topic: str, approval: Approval) -> None:
        """Tell who asked, and for whom, what became of a request; not who did it."""
        people = {approval.asked_by, approval.for_id} - {identity.person_id, None}
        self._tell(work, topic, approval.id, people)

    def there(self, work: Work, loan: Loan) -> None:
        """Tell the borrower of an approved paper that it is there."""
        self._tell(work, THERE, loan.approval_id, {loan.borrower_id})

    def recalled(self, work: Work, loan: Loan) -> None:
        """Tell the borrower of a paper that it was called back; the reminders of its day do not tell it anew."""
        row = find_deadline(work.session, DeadlineKind.LOAN_RECALL, loan.id)
        if row is not None:
            self._messages.tell(work, [told_of(row, Stage(0).code, loan.borrower_id)])

    def _tell(self, work: Work, topic: str, request: UUID, people: "set[UUID] | set[UUID | None]") -> None:
        once = f"{topic}:{request.hex}:{self._guard.now().isoformat()}"
        self._messages.tell(work, [Told(each, topic, once, subject=request) for each in people if each is not None])
