"""Events that start clocks: entered for a record or a subject, many at once from a spreadsheet, listed, undone."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput
from archive.identity import Role
from web import paging
from web.arriving.pasted import Refused, each_line
from web.days import day_needed
from web.i18n import current_locale
from web.security import local_path
from web.services import identity, services
from web.words.faults import explain, status_of
from web.words.retention import EVENTS_SAID, said

pages = Blueprint("events", __name__, url_prefix="/events")

PAGE = 50
"""Lines that are taken at once."""


@pages.get("")
def every() -> str:
    """List the events, the newest first, with the form for many."""
    return _page()


def _page(
    refused: list[Refused] | None = None, lines: list[str] | None = None, given: Mapping[str, str] | None = None
) -> str:
    after = paging.read(request.args.get("after", ""))
    found = services().retention.events.list(identity(), after=after, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        last = shown[-1].event
        more = url_for("events.every", after=paging.told((last.entered_at, last.id)))
    people = services().directory.people(
        each for row in shown for each in (row.event.entered_by, row.event.undone_by) if each
    )
    kept = "\n".join(each.text for each in refused or ())
    return render_template(
        "events.html", found=shown, more=more, people=people, refused=refused or [], lines=lines or [], kept=kept,
        may_enter=Role.ARCHIVIST in identity().roles, kinds=kinds(), given=given or {},
    )  # fmt: skip


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of events with their words."""
    return [(code, said(EVENTS_SAID, code, current_locale())) for code in services().retention.events.kinds()]


@pages.post("")
def enter() -> BaseResponse:
    """Enter an event of a record or a subject."""
    typed = request.form
    try:
        kind, day, note = typed.get("event", ""), day_needed(typed.get("day", ""), "day"), typed.get("note", "")
        if typed.get("subject"):
            key = _id(typed["subject"], "subject")
            services().retention.events.enter_of_subject(identity(), key, kind, day, note)
        else:
            key = _id(typed.get("record", ""), "record")
            services().retention.events.enter_of_record(identity(), key, kind, day, note)
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale()), given=typed), status_of(error))
    flash(_("The event is entered; the days that hang on it follow."))
    return redirect(local_path(typed.get("back"), url_for("events.every")), 303)


@pages.post("/many")
def many() -> BaseResponse:
    """Enter many events: lines of number, event, day and note, as they are copied out of a spreadsheet."""
    try:
        taken, refused = each_line(_one)
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale())), status_of(error))
    if taken:
        flash(ngettext("%(num)d event is entered.", "%(num)d events are entered.", taken))
    if refused:
        return make_response(_page(refused), 422)
    return redirect(url_for("events.every"), 303)


def _one(line: str) -> None:
    cells = [each.strip() for each in line.split("\t" if "\t" in line else ",")]
    number, said_kind, day, note = [*cells, "", "", "", ""][:4]
    known = {words: code for code, words in kinds()}
    record = services().records.find_number(identity(), number)
    kind = known.get(said_kind, said_kind)
    services().retention.events.enter_of_record(identity(), record, kind, day_needed(day, "day"), note)


@pages.post("/<uuid:event_id>/undo")
def undo(event_id: UUID) -> BaseResponse:
    """Undo an event that was entered wrongly."""
    try:
        services().retention.events.undo(identity(), event_id, request.form.get("reason", ""))
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale())), status_of(error))
    flash(_("The event is undone; the days that hung on it follow."))
    return redirect(local_path(request.form.get("back"), url_for("events.every")), 303)


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(Fault(field, "unknown")) from None


@pages.app_template_filter("event_words")
def _words(code: str) -> str:
    return said(EVENTS_SAID, code, current_locale())
