"""Appraisals and unsettled matters. Each operation is one call of its service."""

from uuid import UUID

from flask import Response

from archive.model import Appraisal
from retention.appraising.judging import Filter
from retention.matters import MatterShown
from web import paging
from web.api import judged
from web.api.clocks import Why
from web.api.names import behind, page
from web.api.operations import operation
from web.prints.filled import pdf_sent
from web.retention.appraisal_report import report
from web.services import identity, services


@operation("/matters")
def matters(query: judged.MatterList) -> judged.MatterPage:
    """List unsettled matters of records that you read, and of subjects if you keep them."""
    found = services().retention.matters.list(
        identity(), closed=query.settled, after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: paging.told((each.matter.opened_at, each.matter.id)))
    return judged.MatterPage(matters=[_matter(each) for each in shown], next=following)


def _matter_kept(matter_id: UUID) -> judged.MatterKept:
    return judged.MatterKept(matter=matter_id)


@operation("/records/{record_id}/matters", 403, 404, method="POST", status=201)
def enter_matter(record_id: UUID, body: judged.NewMatter) -> judged.MatterKept:
    """Enter an unsettled matter of a record; of a dossier it counts for all its items."""
    key = services().retention.matters.open_of_record(identity(), record_id, body.kind, body.reason)
    return _matter_kept(key)


@operation("/subjects/{subject_id}/matters", 403, 404, method="POST", status=201)
def enter_matter_of_subject(subject_id: UUID, body: judged.NewMatter) -> judged.MatterKept:
    """Enter an unsettled matter of a subject: it counts for all its records."""
    key = services().retention.matters.open_of_subject(identity(), subject_id, body.kind, body.reason)
    return _matter_kept(key)


@operation("/matters/{matter_id}/closing", 403, 404, 409, method="POST", again=_matter_kept)
def close_matter(matter_id: UUID, body: Why) -> judged.MatterKept:
    """Say that a matter is settled; it stays, and counts no more."""
    services().retention.matters.close(identity(), matter_id, body.reason)
    return _matter_kept(matter_id)


def _matter(each: MatterShown) -> judged.MatterOut:
    row = each.matter
    return judged.MatterOut(
        matter=row.id,
        kind=row.kind,
        record=row.record_id,
        subject=row.subject_id,
        reason=each.why,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        settled_why=each.closed_why,
    )


@operation("/appraisals")
def appraisals(query: judged.AppraisalList) -> judged.AppraisalPage:
    """List the appraisals that you may see, or sit on the panel of."""
    found = services().retention.appraisals.looks.every(
        identity(), after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: paging.told((each.row.begun_at, each.row.id)))
    return judged.AppraisalPage(appraisals=[appraisal_out(each.row) for each in shown], next=following)


@operation("/appraisals/{appraisal_id}", 404, tagged=True)
def appraisal(appraisal_id: UUID) -> judged.AppraisalOut:
    """Show an appraisal."""
    return appraisal_out(services().retention.appraisals.looks.show(identity(), appraisal_id).row)


@operation("/appraisals/{appraisal_id}/items", 404)
def appraisal_items(appraisal_id: UUID, query: judged.ItemList) -> judged.ItemPage:
    """List the items of an appraisal that you are shown, in the order of the list."""
    after = behind(query.cursor, paging.read_position) or 0
    found = services().retention.appraisals.looks.items(
        identity(), appraisal_id, Filter(verdict=query.verdict), after=after, limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: str(each.row.position))
    people = {one.person for each in shown for one in each.opinions}
    people |= {one.person for each in shown for one in each.advice}
    logins = services().directory.logins(people)
    items = [
        judged.ItemOut(
            position=each.row.position,
            record=each.row.record_id,
            number=each.number,
            title=each.title,
            fell_due=each.row.due,
            verdict=each.row.verdict,
            until=each.row.until,
            stop=each.stop,
            opinions=[
                judged.OpinionOut(person=logins[one.person], verdict=one.verdict, until=one.until, reason=one.why)
                for one in each.opinions
            ],
            advice=[
                judged.AdviceOut(
                    person=logins[one.person], question=one.question, answered_at=one.answered_at, answer=one.answer
                )
                for one in each.advice
            ],
        )
        for each in shown
    ]
    return judged.ItemPage(items=items, next=following)


@operation("/appraisal-questions")
def appraisal_questions(query: judged.QuestionList) -> judged.QuestionPage:
    """List what chairs of appraisals ask you, who are not on their panels, and you have not answered."""
    found = services().retention.appraisals.consulting.mine(
        identity(), after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: paging.told((each.advice.asked_at, each.record.id)))
    logins = services().directory.logins({each.advice.asked_by for each in shown})
    questions = [
        judged.QuestionOut(
            appraisal=each.appraisal.id,
            appraisal_number=each.appraisal.number,
            record=each.record.id,
            number=each.record.archive_number or each.record.registration_number or "",
            title=each.record.title,
            asked_by=logins[each.advice.asked_by],
            asked_at=each.advice.asked_at,
            question=each.advice.question,
        )
        for each in shown
    ]
    return judged.QuestionPage(questions=questions, next=following)


@operation("/appraisals/{appraisal_id}/report", 404)
def appraisal_report(appraisal_id: UUID) -> Response:
    """Send the report of a closed appraisal as a PDF, as it was printed first, to who is shown all of its items."""
    return pdf_sent(report(appraisal_id), "juanku-appraisal")


def appraisal_out(row: Appraisal) -> judged.AppraisalOut:
    """Return an appraisal as programs read it."""
    return judged.AppraisalOut(
        appraisal=row.id,
        number=row.number,
        purpose=row.purpose,
        state=row.state,
        busy=row.task is not None,
        begun_at=row.begun_at,
        closed_at=row.closed_at,
        digest=row.digest,
        version=row.version,
    )
