"""What the texts of files propose: taken or dismissed on a record's page, and the list of what waits."""

from collections import defaultdict
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, NotFound
from web import paging
from web.i18n import current_locale
from web.services import identity, services
from web.words.faults import explain

pages = Blueprint("proposals", __name__)

PAGE = 50


@pages.get("/proposals")
def waiting() -> str:
    """List the records for which something is proposed that would fill a field."""
    after = paging.read(request.args.get("after", ""))
    found = services().proposals.waiting(identity(), after=after, limit=PAGE + 1)
    more = None
    if len(found) > PAGE:
        last, _values = found[PAGE - 1]
        more = paging.told((last.created_at, last.id))
    return render_template("proposals.html", records=found[:PAGE], more=more)


@pages.post("/proposals")
def take_ticked() -> BaseResponse:
    """Take every value that was ticked; what cannot be taken any more is told, and holds up none of the others."""
    ticked: dict[UUID, dict[str, str]] = defaultdict(dict)
    for text in request.form.getlist("take")[: PAGE * 8]:
        record, _bar, rest = text.partition("|")
        field, _bar, value = rest.partition("|")
        try:
            ticked[UUID(record)][field] = value
        except ValueError as error:
            raise NotFound from error
    taken, told = 0, dict[str, None]()
    for record_id, values in ticked.items():
        try:
            services().proposals.take(identity(), record_id, values)
        except ArchiveError as error:
            told |= dict.fromkeys(explain(error, current_locale()))
        else:
            taken += len(values)
    for line in told:
        flash(line)
    flash(ngettext("%(num)d value is taken.", "%(num)d values are taken.", taken))
    return redirect(url_for("proposals.waiting"), 303)


@pages.post("/records/<uuid:record_id>/proposals")
def decide(record_id: UUID) -> BaseResponse:
    """Take one value, or hide it."""
    field = request.form.get("field", "")[:40]
    if request.form.get("act") == "dismiss":
        services().proposals.dismiss(identity(), record_id, field)
        flash(_("It is no longer proposed for this record."))
    else:
        services().proposals.take(identity(), record_id, {field: request.form.get("value", "")[:3000]})
        flash(_("The value is taken."))
    return redirect(url_for("records.show", record_id=record_id), 303)
