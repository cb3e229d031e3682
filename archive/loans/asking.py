"""Asking for loans, deciding on them, extending them. A yes to the last step makes a loan ready, or opens its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving.deciders import absent, department_of, hands_of
from archive.approving.engine import Approvals
from archive.approving.planning import FINDING, Planned, plan, require
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.loans import news, rules
from archive.loans.excerpts import choose_excerpt
from archive.loans.extending import Extensions, asks_of, end_of
from archive.loans.news import LoanNews
from archive.loans.standing import availability, hindrance, rules_now, too_often
from archive.loans.states import PAPER, RUNNING, move
from archive.loans.watches import keep_decision, keep_due
from archive.log.writer import Log
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Loan,
    LoanForm,
    LoanState,
    Person,
    ReadingRight,
    Record,
    RecordState,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act, condition
from archive.reasons import checked
from archive.uses import count_use

LONGEST_SOUGHT = 500
"""Characters of a description of what is sought."""


@dataclass(frozen=True)
class Wish:
    """What a borrower asks for. ``words``: why; ``copies``: why copies are wanted, when ``copying``.

    ``days`` None: as long as the rule says. ``borrower`` is a sign-in name; empty: for oneself.
    """

    form: LoanForm
    purpose: str
    words: str
    copying: bool = False
    copies: str = ""
    days: int | None = None
    borrower: str = ""


class LoanRequests:
    """The acts on requests for loans, and on their extensions."""

    def __init__(
        self, db: Database, guard: Guard, approvals: Approvals, log: Log, clock: Clock, zone: str,
        extensions: Extensions, news: LoanNews,
    ) -> None:  # fmt: skip
        self._news = news
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._log = log
        self._clock = clock
        self._zone = zone
        self._extensions = extensions

    def ask(self, identity: Identity, record_id: UUID, wish: Wish) -> UUID:
        """Ask for a loan of a record, and return the loan's id.

        Raises:
            NotFound, NotAllowed: this person does not read the record, or may not ask for the borrower.
            InvalidInput: names each field at fault: ``form`` (it is not lent so), ``purpose``, ``reason``, ``copies``,
                ``days``, ``borrower`` (unknown, does not read it, has overdue loans or too many), ``record`` (they have
                it or asked for it already), ``route`` (nobody could decide).
        """
        with self._guard.refusals(identity):
            with self._db.reading() as session:
                record = self._guard.require(session, identity, Act.ASK_LOAN, record_id)
                borrower = self._borrower(session, identity, wish)
                facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
                reads = condition(Act.ASK_LOAN, self._guard.reach(session, Identity("", borrower)))
                if not holds(reads, facts):
                    raise InvalidInput(Fault("borrower", "does_not_read"))
                self._check(session, wish, borrower)
                self._check_times(session, borrower, record_id)
                standing = availability(session, record)
                if wish.form not in standing.forms:
                    raise InvalidInput(Fault("form", standing.why[wish.form]))
                days = _days(wish, standing.period)
                steps = self._steps(session, identity, ApprovalKind.LOAN, record, wish, borrower)
            with self._db.writing() as work:
                session = work.session
                self._guard.require(session, identity, Act.ASK_LOAN, record_id)
                _check_not_had(session, borrower, record_id)
                loan = self._put(session, identity, record_id, wish, borrower, days, steps)
                work.commit()
                return loan

    def check(self, identity: Identity, wish: Wish) -> None:
        """Check what a wish says of itself, whatever record it is for. Raises as ``ask``."""
        with self._db.reading() as session:
            self._check(session, wish, self._borrower(session, identity, wish))

    def describe(self, identity: Identity, sought: str, wish: Wish) -> UUID:
        """Ask for what is described in words, and return the loan's id.

        Nothing is looked up: whether it exists, and whether this person might see it, makes no difference here.

        Raises:
            InvalidInput: as ``ask``; field ``sought``.
            NotAllowed: they read no records, or may not ask for the borrower.
        """
        if not sought.strip() or len(sought) > LONGEST_SOUGHT:
            code = "too_long" if sought.strip() else "required"
            raise InvalidInput(Fault("sought", code, {"limit": LONGEST_SOUGHT, "length": len(sought)}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            if not self._guard.reach(session, identity).roles & READERS:
                raise NotAllowed(act=Act.ASK_LOAN.value)
            borrower = self._borrower(session, identity, wish)
            self._check(session, wish, borrower)
            days = wish.days if wish.days is not None else max(each.days for each in rules_now(session).periods)
            if not 0 < days <= rules.MOST_DAYS:
                raise InvalidInput(Fault("days", "out_of_range", {"low": 1, "high": rules.MOST_DAYS}))
            if wish.form is LoanForm.ROOM:
                days = 0
            loan = self._put(session, identity, None, wish, borrower, days, [FINDING], sought=sought.strip())
            work.commit()
            return loan

    def found(self, identity: Identity, approval_id: UUID, record_id: UUID, form: LoanForm | None = None) -> None:
        """Say which record someone described; the request goes on by its route. ``form``: how it is lent, if otherwise.

        Raises:
            NotFound: no such request waits for this person, or no such record for them.
            NotAllowed, OwnRequest, Ended: as ``Approvals.found``.
            InvalidInput: ``record`` (not filed, or the borrower is not cleared for it), ``form``, ``route``.
        """
        with self._guard.refusals(identity):
            with self._db.reading() as session:
                approval, loan = self._request(session, identity, approval_id)
                record = self._guard.require(session, identity, Act.SEE, record_id)
                self._check_cleared(session, loan.borrower_id, record)
                wanted = form or loan.form
                standing = availability(session, record)
                if wanted not in standing.forms:
                    raise InvalidInput(Fault("form", standing.why[wanted]))
                asks = asks_of(wanted, copying=loan.copying)
                found = plan(session, self._guard, ApprovalKind.LOAN, record, asks, approval.asked_by, loan.borrower_id)
                steps = require(found)
                days = 0 if wanted is LoanForm.ROOM else min(loan.days or standing.period.days, standing.period.days)
            with self._db.writing() as work:
                session = work.session
                approval, loan = self._request(session, identity, approval_id)
                hands = hands_of(session, identity.person_id, self._guard.day())
                _check_not_had(session, loan.borrower_id, record_id)
                self._check_times(session, loan.borrower_id, record_id)
                loan.record_id, loan.form, loan.days, loan.version = record_id, wanted, days, loan.version + 1
                self._approvals.found(session, identity, approval, hands, record_id, steps)
                keep_decision(self._guard, session, approval)
                work.commit()

    def decide(
        self, identity: Identity, approval_id: UUID, why: str, *, approve: bool, excerpt: UUID | None = None
    ) -> ApprovalState:
        """Say yes or no at the present step, and return where the request stands then.

        ``excerpt``: what is read instead of the record's files.

        Raises:
            NotFound: no such request for this person.
            NotAllowed, OwnRequest, Ended: as ``Approvals.decide``.
            InvalidInput: ``reason``; ``record`` (the borrower lost the right to it), ``form`` (it is not lent so any
                more), ``excerpt`` (not of this record), ``days`` (an extension that the rules no longer allow): it
                can only be refused.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            approval, loan = self._request(session, identity, approval_id)
            hands = hands_of(session, identity.person_id, self._guard.day())
            state = self._approvals.decide(session, identity, approval, hands, why, approve=approve)
            if excerpt is not None and approve and approval.kind is ApprovalKind.LOAN:
                choose_excerpt(session, self._guard, identity, loan, excerpt)
            if state is ApprovalState.APPROVED:
                if approval.kind is ApprovalKind.LOAN:
                    self._approved(session, identity, loan)
                else:
                    self._extensions.apply(session, identity, loan)
            elif state is ApprovalState.REFUSED and approval.kind is ApprovalKind.LOAN:
                move(loan, LoanState.REFUSED, "loan.refuse")
            keep_decision(self._guard, session, approval)
            if topic := {ApprovalState.APPROVED: news.APPROVED, ApprovalState.REFUSED: news.REFUSED}.get(state):
                self._news.of_request(work, identity, topic, approval)
            work.commit()
            return state

    def question(self, identity: Identity, approval_id: UUID, text: str) -> None:
        """Ask the borrower back. Raises as ``decide``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            approval, _ = self._request(work.session, identity, approval_id)
            hands = hands_of(work.session, identity.person_id, self._guard.day())
            self._approvals.question(work.session, identity, approval, hands, text)
            keep_decision(self._guard, work.session, approval)
            self._news.of_request(work, identity, news.QUESTION, approval)
            work.commit()

    def answer(self, identity: Identity, approval_id: UUID, text: str) -> None:
        """Answer what was asked back. Raises as ``Approvals.answer``; ``NotFound``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            approval, _ = self._request(work.session, identity, approval_id)
            self._approvals.answer(work.session, identity, approval, text)
            keep_decision(self._guard, work.session, approval)
            work.commit()

    def withdraw(self, identity: Identity, approval_id: UUID) -> None:
        """Take a request back, or a loan that was approved and not collected yet.

        Raises:
            NotFound: no such request for this person.
            NotAllowed: it is another's.
            Ended: it is decided, or taken back already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            approval, loan = self._request(session, identity, approval_id)
            if approval.kind is ApprovalKind.LOAN:
                move(loan, LoanState.WITHDRAWN, "loan.withdraw")
            if approval.state is ApprovalState.APPROVED and approval.kind is ApprovalKind.LOAN:
                if identity.person_id not in {approval.asked_by, loan.borrower_id}:
                    raise NotAllowed(act="loan.withdraw")
                self._note(session, identity, "loan.withdraw", loan)
            else:
                self._approvals.end(session, identity, approval, ApprovalState.WITHDRAWN, "")
            keep_decision(self._guard, session, approval)
            work.commit()

    def _borrower(self, session: Session, identity: Identity, wish: Wish) -> UUID:
        """Return for whom it is: oneself, whom one stands in for, or anyone for an archivist at the counter."""
        if identity.person_id is None:
            raise NotAllowed(act=Act.ASK_LOAN.value)
        login = folded(wish.borrower)
        if not login:
            return identity.person_id
        who = session.scalar(select(Person.id).where(Person.login == login, Person.active.is_(True)))
        allowed = who == identity.person_id or Role.ARCHIVIST in self._guard.reach(session, identity).roles
        if who is None or not (allowed or who in absent(session, identity.person_id, self._guard.day())):
            raise InvalidInput(Fault("borrower", "not_for_them"))
        return who

    def _check(self, session: Session, wish: Wish, borrower: UUID) -> None:
        checked(wish.words)
        faults = []
        if wish.purpose not in {each.code for each in rules_now(session).purposes}:
            faults.append(Fault("purpose", "unknown"))
        if wish.copying and not wish.copies.strip():
            faults.append(Fault("copies", "required"))
        if len(wish.copies) > LONGEST_SOUGHT:
            faults.append(Fault("copies", "too_long", {"limit": LONGEST_SOUGHT, "length": len(wish.copies)}))
        stop = hindrance(session, borrower, self._guard.day(), plus=1)
        if stop:
            faults.append(Fault("borrower", stop))
        if faults:
            raise InvalidInput(*faults)

    def _put(
        self,
        session: Session,
        identity: Identity,
        record_id: UUID | None,
        wish: Wish,
        borrower: UUID,
        days: int,
        steps: "list[Planned] | tuple[Planned, ...] | Any",
        **more: Any,
    ) -> UUID:
        stop = hindrance(session, borrower, self._guard.day(), plus=1)
        if stop:
            raise InvalidInput(Fault("borrower", stop))
        what: Mapping[str, Any] = {
            "form": wish.form.value, "purpose": wish.purpose, "days": days, **more,
            **({"copies": wish.copies.strip()} if wish.copying else {}),
        }  # fmt: skip
        approval = self._approvals.ask(
            session, identity, ApprovalKind.LOAN, record_id, what, wish.words, borrower=borrower, steps=steps
        )
        row = Loan(
            id=new_id(), number=(session.scalar(select(func.max(Loan.number))) or 0) + 1, approval_id=approval,
            record_id=record_id, borrower_id=borrower, form=wish.form, copying=wish.copying, purpose=wish.purpose,
            department_id=department_of(session, borrower, self._guard.day()), days=days, asked_at=self._clock.now(),
            state=LoanState.ASKED,
        )  # fmt: skip
        session.add(row)
        session.flush()
        keep_decision(self._guard, session, session.get_one(Approval, approval))
        return row.id

    def _steps(
        self, session: Session, identity: Identity, kind: ApprovalKind, record: Record, wish: Wish, borrower: UUID
    ) -> Any:
        asks = asks_of(wish.form, copying=wish.copying)
        asker = identity.person_id or borrower
        return require(plan(session, self._guard, kind, record, asks, asker, borrower))

    def _request(self, session: Session, identity: Identity, approval_id: UUID) -> tuple[Approval, Loan]:
        """Return a request and its loan, for those whom it concerns.

        Raises ``NotFound`` for all others, whether it is there or not.
        """
        approval = session.get(Approval, approval_id)
        mine = approval is not None and identity.person_id in {approval.asked_by, approval.for_id}
        if approval is None or not mine:
            searched = approval is not None and approval.record_id is None and approval.kind is ApprovalKind.LOAN
            hands = hands_of(session, identity.person_id, self._guard.day()) if searched else ()
            if approval is None or not self._approvals.may_decide(session, identity.person_id, approval, hands):
                target = approval.record_id if approval is not None else None
                self._guard.require(session, identity, Act.SEE, target or approval_id)
        if approval is None or approval.kind not in {ApprovalKind.LOAN, ApprovalKind.EXTENSION}:
            raise NotFound
        by = (
            Loan.id == approval.about_id if approval.kind is ApprovalKind.EXTENSION else Loan.approval_id == approval.id
        )
        loan = session.scalar(select(Loan).where(by))
        if loan is None:
            raise NotFound
        return approval, loan

    def _check_times(self, session: Session, borrower: UUID, record_id: UUID) -> None:
        if too_often(session, borrower, record_id, self._guard.day()):
            raise InvalidInput(Fault("record", "too_often", {"limit": rules_now(session).times}))

    def _check_cleared(self, session: Session, borrower: UUID, record: Record) -> None:
        reach = self._guard.reach(session, Identity("", borrower))
        if record.state is not RecordState.FILED:
            raise InvalidInput(Fault("record", "not_filed"))
        if record.level_rank not in reach.levels or not reach.roles & READERS:
            raise InvalidInput(Fault("record", "not_cleared"))

    def _approved(self, session: Session, identity: Identity, loan: Loan) -> None:
        if loan.record_id is None:
            raise NotFound
        record = session.get_one(Record, loan.record_id)
        self._check_cleared(session, loan.borrower_id, record)
        standing = availability(session, record)
        if loan.form not in standing.forms:
            raise InvalidInput(Fault("form", standing.why[loan.form]))
        loan.ready_at = self._clock.now()
        if loan.form in PAPER:
            move(loan, LoanState.READY, "loan.approve")
            session.flush()
            return
        move(loan, LoanState.OPEN, "loan.approve")
        loan.issued_on, loan.issued_at = self._guard.day(), self._clock.now()
        loan.due_on = rules.due(loan.issued_on, loan.days, standing.period)
        if loan.excerpt_id is None:
            right = ReadingRight(
                id=new_id(), record_id=record.id, person_id=loan.borrower_id, since=self._clock.now(),
                until=end_of(loan, self._zone), copying=loan.copying,
            )  # fmt: skip
            session.add(right)
            session.flush()
            loan.right_id = right.id
        keep_due(self._guard, session, loan)
        count_use(session, record.id)
        self._note(session, identity, "loan.open", loan, due=loan.due_on.isoformat())

    def _note(self, session: Session, identity: Identity, act: str, loan: Loan, **body: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, record=loan.record_id, body={"loan": loan.number, **body})


def _days(wish: Wish, period: rules.Period) -> int:
    if wish.form is LoanForm.ROOM:
        return 0
    days = period.days if wish.days is None else wish.days
    if not 0 < days <= period.days:
        raise InvalidInput(Fault("days", "out_of_range", {"low": 1, "high": period.days}))
    return days


def _check_not_had(session: Session, borrower: UUID, record_id: UUID) -> None:
    has = select(Loan.id).where(Loan.borrower_id == borrower, Loan.record_id == record_id, Loan.state.in_(RUNNING))
    if session.scalar(has) is not None:
        raise InvalidInput(Fault("record", "has_it"))
