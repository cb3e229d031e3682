"""How a record stands for who would borrow it: on the shelf, out until when, how many wait, or not lent and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.approving.planning import branch, newest
from archive.blocks import standing
from archive.loans import rules
from archive.loans.states import PAPER, RUNNING
from archive.model import (
    Circulation,
    CirculationState,
    Copy,
    Loan,
    LoanForm,
    LoanState,
    Medium,
    Person,
    Post,
    Record,
    RuleBook,
    StandingCustody,
)
from archive.model.columns import Names


@dataclass(frozen=True)
class Availability:
    """How a record's paper and files stand. ``waiting``: how many have asked for its paper and have it not yet.

    ``forms`` are the ways in which it is lent; ``why``: by form, the code of why it is not. ``out_until``: the day on
    which the first of its copies comes back, when none is there. ``with_post``: what the post is called that keeps it.
    """

    forms: Sequence[LoanForm]
    why: Mapping[LoanForm, str]
    there: int
    out_until: date | None
    waiting: int
    period: rules.Period
    with_post: Names | None = None


def rules_now(session: Session) -> rules.LoanRules:
    """Return the rules of loans that hold now."""
    row = newest(session, RuleBook.LOANS)
    return rules.from_document(row.document) if row else rules.shipped()


def period_of(session: Session, record: Record) -> rules.Period:
    """Return how long a record is lent for."""
    return rules_now(session).period(record.level_rank, branch(session, record.category_id))


def availability(session: Session, record: Record, without: UUID | None = None) -> Availability:
    """Return how a record stands; ``without``: a loan that is not counted. Asks nobody: the caller has."""
    period = period_of(session, record)
    copies = session.scalars(select(Copy).where(Copy.record_id == record.id, Copy.withdrawn_at.is_(None))).all()
    why: dict[LoanForm, str] = {}
    held = standing(session, [record.id]).get(record.id, ())
    stop = next((each.kind.value for each in held if each.copy_id is None), None)
    kept_back = {each.copy_id for each in held}
    there = sum(1 for each in copies if each.holder_id is None and each.id not in kept_back)
    if copies and stop is None and kept_back >= {each.id for each in copies}:
        stop = held[0].kind.value
    for form in LoanForm:
        if stop and form in PAPER:
            why[form] = stop
        elif form is LoanForm.SCREEN and record.medium is Medium.PAPER:
            why[form] = "no_files"
        elif form in PAPER and record.medium is Medium.ELECTRONIC and not copies:
            why[form] = "no_paper"
        elif form is LoanForm.OUT and not period.leaves:
            why[form] = "stays"
    return Availability(
        forms=[form for form in LoanForm if form not in why],
        why=why,
        there=there if copies else 1,
        out_until=_out_until(session, record.id) if copies and not there else None,
        waiting=queue_length(session, record.id, without),
        period=period,
        with_post=_kept_by(session, record.id) if copies and not there else None,
    )


def _out_until(session: Session, record_id: UUID) -> date | None:
    """Return the day by which the first paper of a record is back that is lent or goes round; None: none is."""
    lent = select(func.min(Loan.due_on)).where(
        Loan.record_id == record_id, Loan.state == LoanState.OPEN, Loan.form.in_(PAPER)
    )
    round_ = select(func.min(Circulation.until)).where(
        Circulation.record_id == record_id, Circulation.state == CirculationState.ROUND
    )
    found = session.execute(select(lent.scalar_subquery(), round_.scalar_subquery())).one()
    return min((each for each in found if each is not None), default=None)


def _kept_by(session: Session, record_id: UUID) -> Names | None:
    """Return what the post is called in whose standing custody a paper of a record is; None: in none."""
    query = select(Post.names).join(StandingCustody, StandingCustody.post_id == Post.id)
    out = StandingCustody.issued_at.is_not(None), StandingCustody.ended_at.is_(None)
    return session.scalar(query.where(StandingCustody.record_id == record_id, *out).limit(1))


def too_often(session: Session, borrower: UUID, record_id: UUID, day: date) -> bool:
    """Whether someone borrowed a record as often as the house allows within the year before a day."""
    times = rules_now(session).times
    if times is None:
        return False
    had = select(func.count(Loan.id)).where(
        Loan.borrower_id == borrower, Loan.record_id == record_id, Loan.issued_on > day - timedelta(days=365)
    )
    return (session.scalar(had) or 0) >= times


def waited_for(session: Session, records: Collection[UUID | None]) -> Collection[UUID | None]:
    """Return those of records whose paper someone has asked for and does not have yet."""
    if not records:
        return ()
    query = select(Loan.record_id).where(
        Loan.record_id.in_(records), Loan.state.in_((LoanState.ASKED, LoanState.READY)), Loan.form.in_(PAPER)
    )
    return set(session.scalars(query))


def queue_length(session: Session, record_id: UUID, without: UUID | None = None) -> int:
    """Count who has asked for a record's paper and does not have it yet; ``without``: a loan that does not count."""
    query = select(func.count(Loan.id)).where(
        Loan.record_id == record_id, Loan.state.in_((LoanState.ASKED, LoanState.READY)), Loan.form.in_(PAPER)
    )
    if without is not None:
        query = query.where(Loan.id != without)
    return session.scalar(query) or 0


def hindrance(session: Session, borrower: UUID, day: date, *, plus: int = 0) -> str | None:
    """Return the code of what keeps a person from borrowing at all, if anything does.

    ``plus``: loans that would come to those that they have or asked for.
    """
    active = session.scalar(select(Person.active).where(Person.id == borrower))
    if not active:
        return "not_active"
    overdue = select(Loan.id).where(
        Loan.borrower_id == borrower, Loan.state == LoanState.OPEN, Loan.form.in_(PAPER), Loan.due_on < day
    )
    if session.scalar(overdue.limit(1)) is not None:
        return "overdue"
    has = select(func.count(Loan.id)).where(Loan.borrower_id == borrower, Loan.state.in_(RUNNING))
    if (session.scalar(has) or 0) + plus > rules_now(session).at_once:
        return "too_many_loans"
    return None
