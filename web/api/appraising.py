"""Acts on appraisals: begun, narrowed, opened to the panel, judged, closed by the chair, withdrawn."""

from uuid import UUID

from retention.appraising.judging import Filter
from retention.appraising.listing import Chosen
from retention.appraising.verdicts import Said
from retention.board import Asked
from web.api import judged
from web.api.clocks import Why
from web.api.judging import appraisal_out
from web.api.operations import operation
from web.services import identity, services


def _again(appraisal_id: UUID) -> judged.AppraisalOut:
    return appraisal_out(services().retention.appraisals.looks.show(identity(), appraisal_id).row)


@operation("/appraisals", method="POST", status=201, made_at="/appraisals/{appraisal}")
def begin_appraisal(body: judged.NewAppraisal) -> judged.AppraisalOut:
    """Begin an appraisal with a list of what is due. Nothing is destroyed by it; nobody judges before it is opened."""
    chosen = Chosen(
        Asked(year=body.year, category=body.category, place=body.place, schedule=body.schedule), body.unread_years,
        body.importance, body.without_vital, body.handed_over,
    )  # fmt: skip
    listing = services().retention.appraisals.listing
    return _again(listing.begin(identity(), body.purpose, body.panel, body.chair, chosen))


@operation("/appraisals/{appraisal_id}/leaving-out", 404, 409, method="POST")
def leave_out_of_appraisal(appraisal_id: UUID, body: judged.SomeItems) -> judged.Counted:
    """Take records off a list that is not open yet."""
    listing = services().retention.appraisals.listing
    return judged.Counted(items=listing.leave_out(identity(), appraisal_id, body.records))


@operation("/appraisals/{appraisal_id}/opening", 404, 409, method="POST")
def open_appraisal(appraisal_id: UUID, version: int) -> judged.AppraisalOut:
    """Open it to its panel; what is on its list is not lent from then on. A job does it (``busy``)."""
    services().retention.appraisals.listing.open(identity(), appraisal_id, version)
    return _again(appraisal_id)


@operation("/appraisals/{appraisal_id}/opinions", 404, 409, method="POST")
def say_verdict(appraisal_id: UUID, body: judged.NewOpinion) -> judged.Counted:
    """Say, as a member of the panel, what is to become of records; each member's opinion stands beside the others'."""
    acts = services().retention.appraisals
    said = Said(body.verdict, body.until)
    if body.records is not None:
        return judged.Counted(items=acts.judging.say(identity(), appraisal_id, body.records, said, body.reason))
    which = Filter(todo=body.which == "todo", unsaid=body.which == "unsaid")
    count, later = acts.say_all.ask(identity(), appraisal_id, which, said, body.reason)
    return judged.Counted(items=count, later=later)


@operation("/appraisals/{appraisal_id}/disclosure", 404, 409, method="POST")
def disclose_to_panel(appraisal_id: UUID, body: judged.SomeItems) -> judged.Counted:
    """Open files of records on the list to you, a member of the panel, until it ends."""
    judging = services().retention.appraisals.judging
    return judged.Counted(items=judging.disclose(identity(), appraisal_id, body.records))


@operation("/appraisals/{appraisal_id}/questions", 403, 404, 409, method="POST")
def ask_about_items(appraisal_id: UUID, body: judged.NewQuestion) -> judged.Counted:
    """Ask one outside the panel about items, as its chair; the answer counts in no verdict."""
    consulting = services().retention.appraisals.consulting
    return judged.Counted(items=consulting.ask(identity(), appraisal_id, body.records, body.person, body.question))


@operation("/appraisals/{appraisal_id}/questions/{record_id}/answer", 404, 409, method="POST", status=204)
def answer_question(appraisal_id: UUID, record_id: UUID, body: Why) -> None:
    """Answer what you were asked of a record; the answer stays as you give it."""
    services().retention.appraisals.consulting.answer(identity(), appraisal_id, record_id, body.reason)


@operation("/appraisals/{appraisal_id}/closing", 404, 409, method="POST")
def close_appraisal(appraisal_id: UUID, version: int) -> judged.AppraisalOut:
    """Close it as its chair; what has no verdict stays due. A job does it."""
    services().retention.appraisals.listing.close(identity(), appraisal_id, version)
    return _again(appraisal_id)


@operation("/appraisals/{appraisal_id}/withdrawal", 404, 409, method="POST")
def withdraw_appraisal(appraisal_id: UUID, body: Why, version: int) -> judged.AppraisalOut:
    """Withdraw one that is not closed: nothing of what was said counts. A job does it."""
    services().retention.appraisals.listing.withdraw(identity(), appraisal_id, version, body.reason)
    return _again(appraisal_id)
