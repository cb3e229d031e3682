"""Extending loans, and ending those of files: at once where the rule lets, by a request where it does not."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.approving.engine import Approvals
from archive.approving.planning import plan, require
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.loans import rules
from archive.loans.standing import period_of, queue_length
from archive.loans.states import PAPER, move
from archive.loans.watches import keep_decision, keep_due
from archive.log.writer import Log
from archive.model import Approval, ApprovalKind, ApprovalState, Loan, LoanForm, LoanState, ReadingRight, Record
from archive.policy.guard import Guard


def asks_of(form: LoanForm, *, copying: bool) -> frozenset[str]:
    """Return what is asked of a record, in the words of routes."""
    if form is LoanForm.SCREEN:
        return frozenset({"read", "download"} if copying else {"read"})
    return frozenset({"take_out" if form is LoanForm.OUT else "read"} | ({"copy"} if copying else set()))


class Extensions:
    """The acts of a borrower on what they have."""

    def __init__(self, db: Database, guard: Guard, approvals: Approvals, log: Log, clock: Clock, zone: str) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._log = log
        self._clock = clock
        self._zone = zone

    def extend(self, identity: Identity, loan_id: UUID) -> bool:
        """Extend one's loan: at once where the rule lets, else by a request. Returns whether it is extended by now.

        Raises:
            NotFound: it is not theirs.
            Ended: it is not with them, or an extension is asked for already.
            InvalidInput: ``days``: the rule allows no more, it is overdue, was recalled, or someone waits.
        """
        with self._guard.refusals(identity):
            with self._db.reading() as session:
                loan = self._own(session, identity, loan_id)
                record = self._extendable(session, loan)
                at_once = period_of(session, record).extension is rules.Extension.AT_ONCE
                steps = () if at_once else self._extension_steps(session, identity, record, loan)
            with self._db.writing() as work:
                session = work.session
                loan = self._own(session, identity, loan_id)
                self._extendable(session, loan)
                if at_once:
                    self.apply(session, identity, loan)
                else:
                    pending = select(Approval.id).where(
                        Approval.about_id == loan.id, Approval.record_id == loan.record_id,
                        Approval.state.in_((ApprovalState.ASKED, ApprovalState.QUESTIONED)),
                    )  # fmt: skip
                    if session.scalar(pending) is not None:
                        raise Ended(state=loan.state.value, act="extension.ask")
                    what = {"loan": loan.number}
                    asked = self._approvals.ask(
                        session, identity, ApprovalKind.EXTENSION, loan.record_id, what, "—", about=loan.id, steps=steps
                    )
                    keep_decision(self._guard, session, session.get_one(Approval, asked))
                work.commit()
                return at_once

    def give_back(self, identity: Identity, loan_id: UUID) -> None:
        """End one's reading right before its day. Raises ``NotFound``, ``Ended``."""
        with self._db.writing() as work:
            loan = self._own(work.session, identity, loan_id)
            if loan.form in PAPER:
                raise Ended(state=loan.state.value, act="loan.end")
            end_right(work.session, loan, self._clock.now())
            keep_due(self._guard, work.session, loan)
            self._note(work.session, identity, "loan.end", loan)
            work.commit()

    def _extension_steps(self, session: Session, identity: Identity, record: Record, loan: Loan) -> Any:
        asks, asker = asks_of(loan.form, copying=loan.copying), identity.person_id or loan.borrower_id
        return require(plan(session, self._guard, ApprovalKind.EXTENSION, record, asks, asker, loan.borrower_id))

    def _extendable(self, session: Session, loan: Loan) -> Record:
        """Return the record of a loan that can be extended today."""
        if loan.state is not LoanState.OPEN or loan.issued_on is None or loan.due_on is None or loan.record_id is None:
            raise Ended(state=loan.state.value, act="extension.ask")
        record = session.get_one(Record, loan.record_id)
        code = None
        if loan.recalled_at is not None:
            code = "recalled"
        elif loan.due_on < self._guard.day():
            code = "is_overdue"
        elif loan.form is LoanForm.ROOM or self._later(session, loan, record) is None:
            code = "no_longer"
        elif loan.form in PAPER and queue_length(session, record.id, loan.id):
            code = "someone_waits"
        if code:
            raise InvalidInput(Fault("days", code))
        return record

    def _later(self, session: Session, loan: Loan, record: Record) -> Any:
        if loan.issued_on is None or loan.due_on is None:
            return None
        return rules.extended(loan.issued_on, loan.due_on, period_of(session, record))

    def apply(self, session: Session, identity: Identity, loan: Loan) -> None:
        """Extend a loan in the caller's transaction. Raises as ``extend``."""
        record = self._extendable(session, loan)
        before, loan.due_on = loan.due_on, self._later(session, loan, record)
        loan.version += 1
        if loan.right_id:
            session.get_one(ReadingRight, loan.right_id).until = end_of(loan, self._zone)
        keep_due(self._guard, session, loan)
        told = {"before": str(before), "due": str(loan.due_on)}
        self._note(session, identity, "loan.extend", loan, **told)

    def _own(self, session: Session, identity: Identity, loan_id: UUID) -> Loan:
        loan = session.get(Loan, loan_id)
        if loan is None or loan.borrower_id != identity.person_id:
            raise NotFound
        return loan

    def _note(self, session: Session, identity: Identity, act: str, loan: Loan, **body: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, record=loan.record_id, body={"loan": loan.number, **body})


def end_right(session: Session, loan: Loan, now: datetime) -> None:
    """End an electronic loan: what it opened is closed from this moment. Raises ``Ended``."""
    move(loan, LoanState.ENDED, "loan.end")
    loan.ended_at = now
    if loan.right_id:
        right = session.get_one(ReadingRight, loan.right_id)
        right.until = min(right.until, now)
    session.flush()


def end_of(loan: Loan, zone: str) -> datetime:
    """Return the moment at which a loan's last day is over in a zone."""
    if loan.due_on is None:
        raise NotFound
    return datetime.combine(loan.due_on + timedelta(days=1), time(), ZoneInfo(zone))
