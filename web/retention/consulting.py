"""Questions of appraisals to people outside the panel: what waits for the person's answer, and the answer."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from web.asking import Field, Form, again, shown
from web.i18n import current_locale
from web.lists import carried, records_told, ticked
from web.retention import appraisals
from web.services import identity, services
from web.words.faults import explain, status_of

pages = Blueprint("consulting", __name__, url_prefix="/appraisals")

MOST = 50
"""Questions on the page; the others follow as these are answered."""


@pages.get("/questions")
def mine() -> BaseResponse:
    """List the questions that wait for the person's answer."""
    return _page()


@pages.post("/<uuid:appraisal_id>/ask")
def ask(appraisal_id: UUID) -> BaseResponse:
    """Ask one outside the panel about the ticked items, as the chair; first, on a page of its own, whom and what."""
    typed = request.form
    ids = ticked() or carried()
    if not ids:
        return appraisals.page(appraisal_id, InvalidInput(Fault("record", "required")))
    form = _form(appraisal_id, ids)
    if "person" not in typed:
        return shown(form)
    try:
        count = services().retention.appraisals.consulting.ask(
            identity(), appraisal_id, ids, typed.get("person", ""), typed.get("question", "")
        )
    except InvalidInput as error:
        return again(form, error)
    flash(ngettext("They are asked about %(num)d item.", "They are asked about %(num)d items.", count))
    return redirect(url_for("appraisals.show", appraisal_id=appraisal_id, show=typed.get("show") or None), 303)


def _form(appraisal_id: UUID, ids: Sequence[UUID]) -> Form:
    view = services().retention.appraisals.looks.show(identity(), appraisal_id)
    back = url_for("appraisals.show", appraisal_id=appraisal_id)
    fields = [
        Field("person", _("Sign-in name"), must=True, limit=64,
              help=_("Somebody who reads all of these records by rights of their own.")),
        Field("question", _("Question"), must=True, limit=500),
    ]  # fmt: skip
    words = _("They find it on their desk and answer in words. The answer stands beside the opinions, the report says "
              "who was asked and when; it counts in no verdict.")  # fmt: skip
    return Form(
        _("Ask somebody outside the panel"), fields, _("Ask"), back, intro=records_told(ids), told=words,
        crumbs=[(url_for("appraisals.every"), _("Appraisals")), (back, view.row.number),
                (None, _("Ask somebody outside the panel"))],
        action=url_for("consulting.ask", appraisal_id=appraisal_id),
        hidden={"records": ",".join(map(str, ids)), "show": request.form.get("show", "")[:20]},
    )  # fmt: skip


@pages.post("/<uuid:appraisal_id>/answer/<uuid:record_id>")
def answer(appraisal_id: UUID, record_id: UUID) -> BaseResponse:
    """Answer one."""
    try:
        services().retention.appraisals.consulting.answer(
            identity(), appraisal_id, record_id, request.form.get("reason", "")
        )
    except InvalidInput as error:
        return _page(error, record_id)
    flash(_("Your answer is kept."))
    return redirect(url_for("consulting.mine"), 303)


def _page(error: ArchiveError | None = None, typed_of: UUID | None = None) -> BaseResponse:
    found = services().retention.appraisals.consulting.mine(identity(), limit=MOST)
    page = render_template(
        "appraisal_questions.html", found=found, people=services().directory.people(e.advice.asked_by for e in found),
        lines=explain(error, current_locale()) if error else [], typed_of=typed_of,
        typed=request.form.get("reason", ""),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
