"""Loans: ask, look, extend, take back, decide. Each is one call of its service."""

from uuid import UUID

from archive.loans.asking import Wish
from archive.loans.looks import LoanShown
from archive.loans.request_looks import RequestShown
from archive.model import Approval
from web import paging
from web.api import given
from web.api.made_of_loans import (
    DescribedLoan,
    LoanExtended,
    LoanPage,
    LoanStands,
    NewLoan,
    PurposeOffered,
    Purposes,
    RecordLent,
    RequestPage,
    RequestStands,
)
from web.api.names import behind, page
from web.api.operations import operation
from web.services import identity, services


@operation("/loans")
def loans(query: given.Page) -> LoanPage:
    """List your loans, the newest first."""
    found = services().lending.looks.mine(identity(), behind(query.cursor, paging.read_id), limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: each.loan.id.hex)
    return LoanPage(loans=[stands(each) for each in shown], next=following)


@operation("/loans/{loan_id}", 403, 404)
def loan(loan_id: UUID) -> LoanStands:
    """Show a loan of yours, or of a record that you lend."""
    return stands(services().lending.looks.loan(identity(), loan_id))


@operation("/loan-purposes")
def loan_purposes() -> Purposes:
    """List what a loan can be for."""
    rules = services().lending.looks.rules()
    return Purposes(purposes=[PurposeOffered(purpose=each.code, names=each.names) for each in rules.purposes])


@operation("/records/{record_id}/lending", 403, 404)
def record_lending(record_id: UUID) -> RecordLent:
    """Say how a record that you read is lent now."""
    found = services().lending.looks.offer(identity(), record_id)
    return RecordLent(
        record=record_id, forms=list(found.standing.forms), why=dict(found.standing.why),
        loan=found.has.id if found.has else None,
    )  # fmt: skip


@operation("/records/{record_id}/loans", 403, 404, method="POST", status=201, made_at="/loans/{loan}")
def borrow(record_id: UUID, body: NewLoan) -> LoanStands:
    """Ask for a loan of a record that you read; the house's route says who decides."""
    return _asked(services().lending.requests.ask(identity(), record_id, _wish(body)))


@operation("/loans", 403, method="POST", status=201, made_at="/loans/{loan}")
def describe_loan(body: DescribedLoan) -> LoanStands:
    """Ask for what you describe; the archive looks for it. It is taken alike whether it exists or not."""
    return _asked(services().lending.requests.describe(identity(), body.sought, _wish(body)))


@operation("/loans/{loan_id}/extension", 403, 404, 409, method="POST")
def extend_loan(loan_id: UUID) -> LoanExtended:
    """Extend your loan, or ask for it where someone decides."""
    done = services().lending.extensions.extend(identity(), loan_id)
    return LoanExtended(
        loan=loan_id, extended=done, due_on=services().lending.looks.loan(identity(), loan_id).loan.due_on
    )


@operation("/loans/{loan_id}/withdrawal", 403, 404, 409, method="POST")
def withdraw_loan(loan_id: UUID) -> LoanStands:
    """Take back what you asked for, as long as you have not got it."""
    shown = services().lending.asked_loan(identity(), loan_id)
    services().lending.requests.withdraw(identity(), shown.loan.approval_id)
    return _asked(loan_id)


@operation("/requests")
def requests(query: given.Page) -> RequestPage:
    """List the requests for loans that wait for your decision, the oldest first."""
    found = services().lending.asked.waiting(identity(), behind(query.cursor, paging.read_id), limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: each[0].id.hex)
    return RequestPage(requests=[_request(approval, each.loan.id) for approval, each in shown], next=following)


@operation("/requests/{request_id}/decision", 403, 404, 409, method="POST")
def decide_request(request_id: UUID, body: given.Decision) -> RequestStands:
    """Agree at the present step, or refuse: never your own, and at one step only."""
    services().lending.requests.decide(identity(), request_id, body.reason, approve=body.approve)
    return request_stands(services().lending.asked.request(identity(), request_id))


def _wish(body: NewLoan) -> Wish:
    return Wish(
        form=body.form, purpose=body.purpose, words=body.reason, copying=body.copies is not None,
        copies=body.copies or "", days=body.days, borrower=body.borrower or "",
    )  # fmt: skip


def _asked(loan_id: UUID) -> LoanStands:
    return stands(services().lending.asked_loan(identity(), loan_id))


def stands(each: LoanShown) -> LoanStands:
    """Return how a loan stands, as programs read it."""
    row = each.loan
    return LoanStands(
        loan=row.id, number=row.number, request=row.approval_id, record=row.record_id if each.number else None,
        form=row.form, state=row.state, asked_at=row.asked_at, due_on=row.due_on, overdue=each.overdue,
    )  # fmt: skip


def request_stands(found: RequestShown) -> RequestStands:
    """Return how a request stands, as programs read it."""
    return _request(found.approval, found.shown.loan.id)


def _request(row: Approval, loan_id: UUID) -> RequestStands:
    return RequestStands(request=row.id, kind=row.kind.value, state=row.state, step=row.step, loan=loan_id)
