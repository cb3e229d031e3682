"""Drafts sent back to whoever prepares them, with a reason, and handed in again."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.sending_back import Back
from archive.errors import InvalidInput
from web import paging
from web.custody.dossiers import words_of
from web.services import identity, services

pages = Blueprint("sending_back", __name__)

PAGE = 100


@pages.get("/sent-back")
def waiting() -> str:
    """List the drafts that were sent back to this person."""
    after = paging.read(request.args.get("after", ""))
    rows = services().sending_back.waiting(identity(), after=after, limit=PAGE + 1)
    found, more = rows[:PAGE], None
    if len(rows) > PAGE:
        last = found[-1][1].row
        more = url_for(".waiting", after=paging.told((last.sent_at, last.id)))
    people = services().directory.people(back.row.sent_by for _record, back in found)
    return render_template("sent_back.html", found=found, people=people, more=more)


@pages.post("/records/<uuid:record_id>/send-back")
def send(record_id: UUID) -> BaseResponse:
    """Send a draft back."""
    try:
        services().sending_back.send(identity(), record_id, request.form.get("reason", ""))
    except InvalidInput as error:
        flash(words_of(error))
    else:
        flash(_("The draft is sent back. It is not filed until it is handed in again."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.post("/records/<uuid:record_id>/hand-in-again")
def hand_in(record_id: UUID) -> BaseResponse:
    """Hand a mended draft in again."""
    services().sending_back.hand_in(identity(), record_id)
    flash(_("The draft is handed in again."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.app_template_global()
def sent_back_of(record_id: UUID) -> Back | None:
    """Return how a draft was sent back, if it lies with the clerk now."""
    return services().sending_back.of(identity(), record_id)
