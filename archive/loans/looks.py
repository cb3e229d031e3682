"""Looking at loans: my own, requests that wait for me, the register, what is overdue, a record's whole history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving.deciders import count_asked_back
from archive.approving.engine import Approvals
from archive.cataloguing.showing import number_of
from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity, Role
from archive.loans import rules
from archive.loans.standing import Availability, availability, hindrance, rules_now, waited_for
from archive.loans.states import PAPER, RUNNING
from archive.model import (
    Approval,
    ApprovalKind,
    Copy,
    Loan,
    LoanState,
    Person,
    Record,
    RecordState,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

ROUTED = (ApprovalKind.LOAN, ApprovalKind.EXTENSION)


@dataclass(frozen=True)
class LoanShown:
    """A loan as someone may see it.

    ``title`` is None for who does not read the record, ``number`` for who neither reads it nor keeps custody of it;
    ``sought`` is what its borrower described. ``waited``: someone asked for the paper, so that it is not extended.
    """

    loan: Loan
    title: str | None
    number: str | None
    level: int | None
    sought: str
    borrower: str
    overdue: int
    extendable: bool = False
    waited: bool = False
    copy: int | None = None


@dataclass(frozen=True)
class Offer:
    """What is shown to someone who would borrow a record. ``has``: their own loan of it that runs."""

    record: Record
    standing: Availability
    purposes: Sequence[rules.Purpose]
    has: Loan | None


class LoanLooks:
    """Shows loans and requests."""

    def __init__(self, db: Database, guard: Guard, approvals: Approvals, vault: Vault) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._vault = vault

    def rules(self) -> rules.LoanRules:
        """Return the rules of loans that hold now."""
        with self._db.reading() as session:
            return rules_now(session)

    def hindrance(self, identity: Identity) -> str | None:
        """Return the code of what keeps a person from asking for one more loan; None: nothing does."""
        with self._db.reading() as session:
            return hindrance(session, identity.person_id, self._guard.day(), plus=1) if identity.person_id else None

    def offer(self, identity: Identity, record_id: UUID) -> Offer:
        """Return how a record stands for someone who would borrow it. Raises ``NotFound``, ``NotAllowed``."""
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.ASK_LOAN, record_id)
            own = select(Loan).where(
                Loan.borrower_id == identity.person_id, Loan.record_id == record_id, Loan.state.in_(RUNNING)
            )
            has = session.scalar(own)
            standing = availability(session, record, has.id if has else None)
            return Offer(record, standing, rules_now(session).purposes, has)

    def mine(self, identity: Identity, after: UUID | None = None, *, limit: int) -> Sequence[LoanShown]:
        """Return one's loans, the newest first, behind the one of the id ``after``."""
        query = select(Loan).where(Loan.borrower_id == identity.person_id)
        if after is not None:
            query = query.where(Loan.id < after)
        with self._db.reading() as session:
            rows = session.scalars(query.order_by(Loan.id.desc()).limit(limit)).all()
            return self.shown(session, identity, rows)

    def for_others(self, identity: Identity, after: UUID | None = None, *, limit: int) -> Sequence[LoanShown]:
        """Return the running loans that this person asked for, for others, as ``mine`` returns one's own."""
        asked = select(Approval.id).where(Approval.asked_by == identity.person_id, Approval.for_id.is_not(None))
        query = select(Loan).where(Loan.approval_id.in_(asked), Loan.state.in_(RUNNING))
        if after is not None:
            query = query.where(Loan.id < after)
        with self._db.reading() as session:
            return self.shown(session, identity, session.scalars(query.order_by(Loan.id.desc()).limit(limit)).all())

    def loan(self, identity: Identity, loan_id: UUID) -> LoanShown:
        """Return a loan: one's own, or of a record that one lends. Raises ``NotFound``."""
        with self._db.reading() as session:
            row = session.get(Loan, loan_id)
            if row is None or row.borrower_id != identity.person_id:
                target = row.record_id if row is not None and row.record_id is not None else loan_id
                self._guard.require(session, identity, Act.LEND, target)
            if row is None:
                raise NotFound
            return self.shown(session, identity, [row])[0]

    def register(
        self,
        identity: Identity,
        *,
        states: Sequence[LoanState] = (),
        overdue: bool = False,
        record_id: UUID | None = None,
        borrower: UUID | None = None,
        recalled: bool = False,
        after: int | tuple[date, UUID] | None = None,
        limit: int,
    ) -> Sequence[LoanShown]:
        """Return loans of records that this person lends, the newest first (overdue: the longest overdue first).

        Args:
            identity: who looks.
            states: only loans that stand so; empty: all that were asked for a known record.
            overdue: only papers whose day is over.
            recalled: only papers that were called back.
            record_id: only of this record.
            borrower: only of this person.
            after: behind the loan of this number; of overdue ones, behind the one of this last day and id.
            limit: at most so many.

        Raises:
            NotAllowed: they lend nothing.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            seen = self._guard.opens(session, identity, Loan.record_id, Act.LEND)
            query = select(Loan).where(seen)
            if states:
                query = query.where(Loan.state.in_(states))
            if record_id is not None:
                query = query.where(Loan.record_id == record_id)
            if borrower is not None:
                query = query.where(Loan.borrower_id == borrower)
            if overdue:
                query = query.where(*is_overdue(self._guard.day())).order_by(Loan.due_on, Loan.id)
            else:
                query = query.order_by(Loan.number.desc())
            if recalled:
                query = query.where(Loan.recalled_at.is_not(None), Loan.form.in_(PAPER))
            if isinstance(after, int):
                query = query.where(Loan.number < after)
            elif after is not None:
                day, key = after
                query = query.where(or_(Loan.due_on > day, and_(Loan.due_on == day, Loan.id > key)))
            return self.shown(session, identity, session.scalars(query.limit(limit)).all())

    def count_overdue(self, session: Session, identity: Identity) -> int:
        """Count the overdue papers that this person lends."""
        seen = self._guard.opens(session, identity, Loan.record_id, Act.LEND)
        return session.scalar(select(func.count(Loan.id)).where(*is_overdue(self._guard.day()), seen)) or 0

    def count_overdue_mine(self, session: Session, identity: Identity) -> int:
        """Count one's own papers that are overdue."""
        late = select(func.count(Loan.id)).where(Loan.borrower_id == identity.person_id, *is_overdue(self._guard.day()))
        return session.scalar(late) or 0

    def count_asked_back(self, session: Session, identity: Identity) -> int:
        """Count one's requests that wait for an answer of one's own."""
        return count_asked_back(session, identity.person_id, ROUTED)

    def slip(self, identity: Identity, slip_id: UUID) -> Sequence[LoanShown]:
        """Return what was handed out at once, as far as this person lends it or borrowed it. Raises ``NotFound``."""
        with self._db.reading() as session:
            rows = session.scalars(select(Loan).where(Loan.slip == slip_id).order_by(Loan.number)).all()
            lends = self._guard.visible(session, identity, Act.LEND).with_only_columns(Record.id)
            mine = set(session.scalars(lends.where(Record.id.in_([each.record_id for each in rows]))))
            kept = [each for each in rows if each.record_id in mine or each.borrower_id == identity.person_id]
            if not kept:
                raise NotFound
            return self.shown(session, identity, kept)

    def ready_for(self, identity: Identity, login: str) -> Sequence[LoanShown]:
        """Return what waits at the counter for someone, of records that this person lends."""
        who = select(Person.id).where(Person.login == folded(login)).scalar_subquery()
        query = select(Loan).where(Loan.borrower_id == who, Loan.state == LoanState.READY, Loan.form.in_(PAPER))
        with self._db.reading() as session:
            seen = self._guard.opens(session, identity, Loan.record_id, Act.LEND)
            return self.shown(session, identity, session.scalars(query.where(seen).order_by(Loan.number)).all())

    def is_ready(self, identity: Identity, login: str, record_id: UUID) -> bool:
        """Whether a record waits at the counter for someone."""
        return any(each.loan.record_id == record_id for each in self.ready_for(identity, login))

    def slip_numbers(self, identity: Identity, slip_id: UUID) -> Sequence[LoanShown]:
        """Return what was handed out on a slip so far; nothing, where nothing was."""
        try:
            return self.slip(identity, slip_id)
        except NotFound:
            return ()

    def effect(self, identity: Identity, loan_id: UUID) -> str:
        """Return what came of the use of a loan ("": nothing was said). Raises ``NotFound``."""
        self.loan(identity, loan_id)
        with self._db.reading() as session:
            return self.effect_of(session, session.get_one(Loan, loan_id))

    def effect_of(self, session: Session, loan: Loan) -> str:
        """Return what came of the use of a loan. The caller has asked whether its record is read."""
        if loan.effect is None or loan.record_id is None:
            return ""
        return str(json.loads(self._vault.open(session, loan.record_id, loan.effect, context=f"effect:{loan.id.hex}")))

    def shown(self, session: Session, identity: Identity, loans: Sequence[Loan]) -> list[LoanShown]:
        """Return loans as this person may see them, with a handful of questions for all. Asks the policy for each."""
        ids = {each.record_id for each in loans if each.record_id}
        records = {row.id: row for row in session.scalars(select(Record).where(Record.id.in_(ids)))}
        reads, sees = (
            set(
                session.scalars(
                    self._guard.visible(session, identity, act).where(Record.id.in_(ids)).with_only_columns(Record.id)
                )
            )
            for act in (Act.READ, Act.SEE)
        )
        people = {each.borrower_id for each in loans}
        names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
        copies = {each.copy_id for each in loans if each.copy_id}
        numbers = dict(session.execute(select(Copy.id, Copy.number).where(Copy.id.in_(copies))).all())
        asked = {each.approval_id for each in loans}
        described = {
            row.id: row
            for row in session.scalars(select(Approval).where(Approval.id.in_(asked), Approval.owner_id.is_not(None)))
        }
        day = self._guard.day()
        running = {each.id for each in loans if _may_extend(each, records.get(each.record_id or each.id), day)}
        waited = waited_for(session, {each.record_id for each in loans if each.id in running and each.form in PAPER})

        def told(loan: Loan) -> LoanShown:
            waits = loan.form in PAPER and loan.record_id in waited
            record = records.get(loan.record_id) if loan.record_id else None
            seen = record if record is not None and record.id in sees else None
            approval = described.get(loan.approval_id)
            finder = Role.ARCHIVIST in identity.roles or loan.borrower_id == identity.person_id or seen is not None
            private = approval is not None and (finder or approval.asked_by == identity.person_id)
            late = loan.state is LoanState.OPEN and loan.form in PAPER and loan.due_on is not None
            return LoanShown(
                loan=loan,
                title=record.title if record is not None and record.id in reads else None,
                number=number_of(seen) if seen is not None else None,
                level=seen.level_rank if seen is not None else None,
                sought=self._approvals.opened(session, approval)[0]["sought"] if approval and private else "",
                borrower=names.get(loan.borrower_id, ""),
                overdue=max(0, (day - loan.due_on).days) if late and loan.due_on else 0,
                extendable=loan.id in running and not waits,
                waited=loan.id in running and waits,
                copy=numbers.get(loan.copy_id) if loan.copy_id else None,
            )

        return [told(each) for each in loans]


def is_overdue(day: date) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a paper should have come back before a day."""
    return Loan.state == LoanState.OPEN, Loan.form.in_(PAPER), Loan.due_on < day


def _may_extend(loan: Loan, record: Record | None, day: date) -> bool:
    """Whether asking for an extension has a point; the rules and the queue are asked when it is."""
    return (
        record is not None
        and record.state is RecordState.FILED
        and loan.state is LoanState.OPEN
        and loan.recalled_at is None
        and loan.due_on is not None
        and loan.due_on >= day
        and loan.form.value != "room"
    )
