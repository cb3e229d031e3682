"""The counter: papers handed out and taken back, loans called back, losses and reports, the register of loans."""

from uuid import UUID

from archive.loans.counter import Handed, Seen
from archive.loans.counter_papers import PaperAt
from archive.loans.looks import LoanShown
from archive.loans.papers import AtCounter
from archive.loans.reports import ReportShown
from archive.policy.rules import Act
from web import paging
from web.api import given
from web.api import made_of_counter as made
from web.api.lending import stands
from web.api.made_of_loans import LoanStands
from web.api.names import behind, page, person_id
from web.api.operations import operation
from web.asking import require
from web.lending import at_counter
from web.lending.register import place_of
from web.services import identity, services


@operation("/counter/waiting", 403)
def waiting_at_counter(query: made.AtCounterList) -> made.WaitAtCounter:
    """List what waits at the counter for someone, of records that you lend."""
    lending, login = services().lending, query.person
    at_counter.reader(login)
    loans = [
        made.WaitsAtCounter(
            what="loan", id=each.loan.id, record=each.loan.record_id, number=each.number, due=each.loan.due_on
        )
        for each in lending.looks.ready_for(identity(), login)
        if each.loan.record_id
    ]
    papers = [
        made.WaitsAtCounter(
            what="custody" if each.custody else "circulation", id=each.id, record=each.record_id, number=each.number,
            due=each.due,
        )
        for each in lending.counter_papers.waiting(identity(), login)
    ]  # fmt: skip
    return made.WaitAtCounter(papers=[*loans, *papers])


@operation("/counter/issues", 403, 404, method="POST")
def issue_paper(body: made.HandOut) -> made.PaperMoved:
    """Hand a paper to whom it was approved for: on a loan, into standing custody, or on its round."""
    counted = AtCounter(body.copy_number, body.pages, body.condition)
    return _moved(body.record, at_counter.hand_out(body.person, body.record, counted, body.slip))


@operation("/counter/returns", 403, 404, method="POST")
def take_paper_back(body: made.BringBack) -> made.PaperMoved:
    """Take a paper back, whoever brings it; a difference to how it went out opens a report."""
    seen = Seen(body.pages, body.condition, body.words, body.person or "", body.effect)
    return _moved(body.record, at_counter.take_back(body.record, seen, body.copy_number))


@operation("/loan-register", 403)
def loan_register(query: made.RegisterList) -> made.RegisterPage:
    """List the loans of records that you lend, the newest first; what is overdue, the longest overdue first."""
    require(Act.SEE_LOANS)
    late = query.overdue
    after = behind(query.cursor, paging.read_day) if late else behind(query.cursor, paging.read_position)
    found = services().lending.looks.register(
        identity(), states=[query.state] if query.state else (), overdue=late, record_id=query.record,
        borrower=person_id(query.person) if query.person else None,
        after=after, limit=query.limit + 1,
    )  # fmt: skip
    shown, following = page(found, query.limit, lambda each: place_of(each, late=late))
    return made.RegisterPage(loans=[_registered(each) for each in shown], next=following)


@operation("/loans/{loan_id}/recall", 403, 404, 409, method="POST")
def recall_loan(loan_id: UUID) -> LoanStands:
    """Call a loan back: one on the screen ends at once, a paper is extended no more."""
    services().lending.counter.recall(identity(), loan_id)
    return stands(services().lending.looks.loan(identity(), loan_id))


@operation("/loans/{loan_id}/loss", 403, 404, 409, method="POST", status=201)
def lose_paper(loan_id: UUID, body: made.Loss) -> made.ReportOpened:
    """Write down that a lent paper is lost: the loan ends, the copy is withdrawn, a report is opened."""
    return made.ReportOpened(report=services().lending.counter.lose(identity(), loan_id, body.words), loan=loan_id)


@operation("/loans/{loan_id}/end", 404, 409, method="POST")
def end_loan(loan_id: UUID) -> LoanStands:
    """End your loan on the screen before its day; a paper is brought back to the counter."""
    services().lending.extensions.give_back(identity(), loan_id)
    return stands(services().lending.looks.loan(identity(), loan_id))


@operation("/loans/{loan_id}/effect", 404, method="PUT", status=204)
def say_effect(loan_id: UUID, body: made.Effect) -> None:
    """Say what came of the use of your loan."""
    services().lending.counter.say_effect(identity(), loan_id, body.effect)


@operation("/loan-reports", 403)
def loan_reports(query: given.Page) -> made.ReportPage:
    """List damage and loss of papers that you lend, open reports first, then the newest."""
    after = behind(query.cursor, paging.read_open)
    found = services().lending.reports.every(identity(), after=after, limit=query.limit + 1)
    shown, following = page(
        found,
        query.limit,
        lambda each: paging.told_open(each.report.closed_at is None, (each.report.opened_at, each.report.id)),
    )
    return made.ReportPage(reports=[_report(each) for each in shown], next=following)


@operation("/loan-reports/{report_id}/settlement", 403, 404, 409, method="POST", status=204)
def settle_report(report_id: UUID, body: made.Settlement) -> None:
    """Close a report with what was done."""
    services().lending.reports.settle(identity(), report_id, body.words, body.cost)


def _moved(record: UUID, told: Handed | PaperAt) -> made.PaperMoved:
    if isinstance(told, PaperAt):
        return made.PaperMoved(
            what="custody" if told.custody else "circulation", id=told.id, record=record,
            copy_number=told.copy, due=told.due, slip=None, report=told.report, place=None, waiting=False,
            differs=told.report is not None,
        )  # fmt: skip
    return made.PaperMoved(
        what="loan", id=told.loan_id, record=record, copy_number=told.copy, due=told.due_on, slip=told.slip,
        report=told.report, place=told.lies, waiting=told.waiting, differs=told.report is not None,
    )  # fmt: skip


def _registered(each: LoanShown) -> made.RegisteredLoan:
    return made.RegisteredLoan(
        **stands(each).model_dump(), record_number=each.number, title=each.title, borrower=each.borrower,
        copy_number=each.copy, recalled=each.loan.recalled_at is not None,
    )  # fmt: skip


def _report(each: ReportShown) -> made.ReportStands:
    row = each.report
    return made.ReportStands(
        report=row.id, loan=row.loan_id, circulation=row.circulation_id, custody=row.custody_id, record=row.record_id,
        harm=row.harm, opened_at=row.opened_at, found=each.found, closed_at=row.closed_at, done=each.done,
        cost=row.cost,
    )  # fmt: skip
