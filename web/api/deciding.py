"""Requests at their steps: one with all that was said, asking back, answering, finding; and deputies."""

from uuid import UUID

from archive.approving.absence import StandIn
from archive.loans.request_looks import RequestShown
from web.api import given
from web.api import made_of_requests as made
from web.api.circulating import paper_request
from web.api.lending import request_stands
from web.api.made_of_circulation import PaperRequestStands
from web.api.made_of_loans import RequestStands
from web.api.operations import operation
from web.services import identity, services


@operation("/requests/{request_id}", 404)
def request(request_id: UUID) -> made.RequestSeen:
    """Show a request for a loan or its extension that concerns you: its steps, and all that was said."""
    return _seen(services().lending.asked.request(identity(), request_id))


@operation("/requests/{request_id}/question", 403, 404, 409, method="POST")
def ask_back(request_id: UUID, body: given.Because) -> RequestStands:
    """Ask the borrower back; the request waits for the answer."""
    services().lending.requests.question(identity(), request_id, body.reason)
    return _stands(request_id)


@operation("/requests/{request_id}/answer", 403, 404, 409, method="POST")
def answer_request(request_id: UUID, body: given.Because) -> RequestStands:
    """Answer what was asked back on your request."""
    services().lending.requests.answer(identity(), request_id, body.reason)
    return _stands(request_id)


@operation("/requests/{request_id}/found", 403, 404, 409, method="POST")
def find_for_request(request_id: UUID, body: made.Found) -> RequestStands:
    """Say which record was described; the request goes on by its route."""
    services().lending.requests.found(identity(), request_id, body.record, body.form)
    return _stands(request_id)


@operation("/paper-requests/{request_id}/question", 403, 404, 409, method="POST")
def ask_back_on_paper(request_id: UUID, body: given.Because) -> PaperRequestStands:
    """Ask back on an application for a paper without a loan."""
    services().lending.papers.question(identity(), request_id, body.reason)
    return paper_request(request_id)


@operation("/paper-requests/{request_id}/answer", 403, 404, 409, method="POST")
def answer_paper_request(request_id: UUID, body: given.Because) -> PaperRequestStands:
    """Answer what was asked back on your application."""
    services().lending.papers.answer(identity(), request_id, body.reason)
    return paper_request(request_id)


@operation("/paper-requests/{request_id}/withdrawal", 403, 404, 409, method="POST")
def withdraw_paper_request(request_id: UUID) -> PaperRequestStands:
    """Take your application back."""
    services().lending.papers.withdraw(identity(), request_id)
    return paper_request(request_id)


@operation("/deputies")
def deputies() -> made.Deputies:
    """List who stands in for you, and for whom you do, today or later."""
    for_me, by_me = services().lending.deputies.mine(identity())
    return made.Deputies(for_me=[_deputy(each) for each in for_me], by_me=[_deputy(each) for each in by_me])


@operation("/deputies", 403, method="POST", status=201)
def name_deputy(body: made.NewDeputy) -> made.DeputyNamed:
    """Name who decides in your place on some days, and borrows for you."""
    key = services().lending.deputies.name(identity(), body.deputy, body.since, body.until)
    return made.DeputyNamed(deputy=key)


@operation("/deputies/{deputy_id}", 404, method="DELETE", status=204)
def end_deputy(deputy_id: UUID) -> None:
    """Have your deputy stand in no more."""
    services().lending.deputies.end(identity(), deputy_id)


def _stands(request_id: UUID) -> RequestStands:
    return request_stands(services().lending.asked.request(identity(), request_id))


def _deputy(each: StandIn) -> made.DeputyStands:
    return made.DeputyStands(deputy=each.row.id, person=each.name, since=each.row.since, until=each.row.until)


def _seen(found: RequestShown) -> made.RequestSeen:
    shown, names = found.shown, found.names
    allowed: dict[made.May, bool] = {
        "decide": found.may_decide, "find": found.may_find, "answer": found.may_answer, "withdraw": found.may_withdraw
    }  # fmt: skip
    return made.RequestSeen(
        **request_stands(found).model_dump(),
        record=shown.loan.record_id if shown.number else None,
        number=shown.number,
        title=shown.title,
        sought=shown.sought,
        form=shown.loan.form,
        purpose=shown.loan.purpose,
        reason=found.why,
        asked_by=names.get(found.approval.asked_by, ""),
        borrower=shown.borrower,
        steps=[
            made.StepStands(
                step=each.step.number, deciders=[decider.token for decider in each.deciders], every=each.step.every,
                passed=each.passed, due=each.step.due_at,
            )
            for each in found.steps
        ],
        said=[
            made.SaidOn(
                step=each.word.number, said=each.word.said, person=names.get(each.word.person_id, ""),
                instead_of=names.get(each.word.instead_of) if each.word.instead_of else None, at=each.word.at,
                words=each.text,
            )
            for each in found.spoken
        ],
        may=[name for name, is_so in allowed.items() if is_so],
    )  # fmt: skip
