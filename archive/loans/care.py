"""What happens to loans by itself: reading rights end, approvals lapse, lost rights end loans, steps escalate."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from archive.approving.engine import Approvals
from archive.clock import Clock
from archive.database import Database
from archive.identity import Identity, system
from archive.loans.extending import end_right
from archive.loans.standing import rules_now
from archive.loans.states import PAPER, RUNNING, move
from archive.loans.watches import keep_decision, keep_due
from archive.log.writer import Log
from archive.model import (
    Approval,
    Circulation,
    CirculationState,
    Loan,
    LoanForm,
    LoanState,
    Person,
    Record,
    RecordState,
    StandingCustody,
)
from archive.policy.guard import Guard

BATCH = 20
"""Loans of one transaction: each writes an entry of the log."""


class LoanCare:
    """Looks after loans, and after what ``others`` sweep beside them; a clock asks it to."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        approvals: Approvals,
        log: Log,
        clock: Clock,
        others: Sequence[Callable[[], int]] = (),
    ) -> None:
        self._others = others
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._log = log
        self._clock = clock

    def sweep(self) -> int:
        """Do one batch of what is due, and return how much was done; 0: nothing is left."""
        with self._db.reading() as session:
            over, lapsed, lost = self._over(session), self._lapsed(session), self._lost(session)
        done = sum(
            self._each(ids, act) for ids, act in ((over, "loan.end"), (lapsed, "loan.lapse"), (lost, "loan.lapse"))
        )
        with self._db.writing() as work:
            escalated = self._approvals.escalate(work.session, system("loans"), BATCH)
            if escalated:
                work.commit()
        return done + escalated + sum(sweep() for sweep in self._others)

    def _over(self, session: Session) -> Sequence[UUID]:
        """Return electronic loans whose last day is over."""
        query = select(Loan.id).where(
            Loan.state == LoanState.OPEN, Loan.form == LoanForm.SCREEN, Loan.due_on < self._guard.day()
        )
        return session.scalars(query.limit(BATCH)).all()

    def _lapsed(self, session: Session) -> Sequence[UUID]:
        """Return loans that nobody collected, though the paper was there all the time."""
        cutoff = self._clock.now() - timedelta(days=rules_now(session).collect)
        other = aliased(Loan)
        with_people: Sequence[tuple[Any, ColumnElement[bool]]] = (
            (other, other.form.in_(PAPER) & ((other.state == LoanState.OPEN) | (other.ended_at > cutoff))),
            (Circulation, (Circulation.state == CirculationState.ROUND) | (Circulation.ended_at > cutoff)),
            (
                StandingCustody,
                StandingCustody.issued_at.is_not(None)
                & (StandingCustody.ended_at.is_(None) | (StandingCustody.ended_at > cutoff)),
            ),
        )
        lay_there = [
            ~select(row.id).where(row.record_id == Loan.record_id, away).correlate(Loan).exists()
            for row, away in with_people
        ]
        query = select(Loan.id).where(Loan.state == LoanState.READY, Loan.ready_at < cutoff, *lay_there)
        return session.scalars(query.limit(BATCH)).all()

    def _lost(self, session: Session) -> Sequence[UUID]:
        """Return running loans, no paper out, of people no longer active or cleared, or of records not filed."""
        query = (
            select(Loan.id)
            .join(Person, Person.id == Loan.borrower_id)
            .outerjoin(Record, Record.id == Loan.record_id)
            .where(
                Loan.state.in_(RUNNING),
                ~and_(Loan.state == LoanState.OPEN, Loan.form.in_(PAPER)),
                (Person.active.is_(False))
                | (func.coalesce(Record.level_rank, 0) > Person.clearance)
                | and_(Record.id.is_not(None), Record.state != RecordState.FILED),
            )
        )
        return session.scalars(query.limit(BATCH)).all()

    def _each(self, ids: Sequence[UUID], act: str) -> int:
        if not ids:
            return 0
        who = system("loans")
        with self._db.writing() as work:
            for key in ids:
                loan = work.session.get(Loan, key)
                if loan is not None and loan.state in RUNNING:
                    self._end(work.session, who, loan, act)
            work.commit()
        return len(ids)

    def _end(self, session: Session, who: Identity, loan: Loan, act: str) -> None:
        if loan.state is LoanState.OPEN:
            end_right(session, loan, self._clock.now())
            act = "loan.end"
        else:
            move(loan, LoanState.LAPSED, act)
            loan.ended_at = self._clock.now()
            approval = session.get(Approval, loan.approval_id)
            if approval is not None:
                self._approvals.drop(session, who, approval, "")
                keep_decision(self._guard, session, approval)
        session.flush()
        keep_due(self._guard, session, loan)
        self._log.note(session, who, act, record=loan.record_id, body={"loan": loan.number})
