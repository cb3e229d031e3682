"""Questions of appraisals to people outside the panel: what waits for the person's answer, and the answer."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput
from web.i18n import current_locale
from web.services import identity, services
from web.words.faults import explain, status_of

pages = Blueprint("consulting", __name__, url_prefix="/appraisals")

MOST = 50
"""Questions on the page; the others follow as these are answered."""


@pages.get("/questions")
def mine() -> BaseResponse:
    """List the questions that wait for the person's answer."""
    return _page()


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
