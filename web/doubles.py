"""Records that may be the same: what is decided on them, and the words of the reasons."""

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.doubles import Reason, Why
from archive.errors import Fault, InvalidInput
from web.services import identity, services

pages = Blueprint("doubles", __name__)


@pages.post("/records/<uuid:record_id>/doubles")
def decide(record_id: UUID) -> BaseResponse:
    """Keep that a record and another are not the same, or take that back."""
    try:
        other = UUID(request.form.get("other", ""))
    except ValueError as error:
        raise InvalidInput(Fault("other", "unknown")) from error
    same = request.form.get("same") == "perhaps"
    services().doubles.decide(identity(), record_id, other, same=same)
    flash(_("They may be the same after all.") if same else _("They are kept as two; you are not told of them again."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.app_template_filter("double_reason")
def reason_words(reason: Reason) -> str:
    """Return in words why two records may be the same."""
    if reason.why is Why.NEAR_TEXT:
        return str(_("nearly the same text (%(percent)s%%)", percent=reason.percent))
    words = {
        Why.SAME_BYTES: _("the same file"),
        Why.SAME_TEXT: _("the same text"),
        Why.DOCUMENT_NUMBER: _("the same document number"),
        Why.TITLE_AND_DATE: _("the same title and date"),
    }
    return str(words[reason.why])
