"""What every list of records shares: the columns that a person chooses, and a spreadsheet of the rows they ticked."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput, NotFound
from archive.model import Record
from web.columns import COLUMNS, FIXED, STANDARD
from web.i18n import current_locale
from web.security import local_path
from web.services import identity, services
from web.sheets import sent_sheet
from web.words import listed

pages = Blueprint("lists", __name__, url_prefix="/lists")

MOST = 500
"""Rows that are acted on at once."""

MOST_TOLD = 20
"""Lines at fault that are told at once."""
SHORTLY = 5
"""Records that are named where many are meant."""


@pages.post("/<name>/columns")
def columns(name: str) -> BaseResponse:
    """Keep which columns a person's list shows, or bring the standard back."""
    if name not in STANDARD:
        raise NotFound
    wanted = set(request.form.getlist("column"))
    chosen = [key for key in COLUMNS if key in wanted and key not in FIXED[name]]
    services().columns.choose(identity(), name, None if request.form.get("standard") else chosen)
    return back()


@pages.post("/<name>/chosen.xlsx")
def chosen_sheet(name: str) -> BaseResponse:
    """Send the ticked records that the person may read as a spreadsheet."""
    records = readable(ticked())
    if not records:
        flash(_("Choose the records first."))
        return back()
    services().readings.begin(identity(), "list.export", body={"rows": len(records), "found": len(records)}).result()
    return sent_sheet(name, records)


def ticked() -> list[UUID]:
    """Return the ids of the rows that were ticked, each once."""
    try:
        return [UUID(key) for key in dict.fromkeys(request.form.getlist("record")[:MOST])]
    except ValueError:
        raise NotFound from None


def carried() -> list[UUID]:
    """Return the records that a form carries along in its hidden field ``records``, each once."""
    found = []
    for key in request.form.get("records", "").split(",")[:MOST]:
        with suppress(ValueError):
            found.append(UUID(key))
    return list(dict.fromkeys(found))


def numbered(text: str, most: int) -> list[UUID]:
    """Return the records that are named by their numbers, one a line.

    Raises:
        InvalidInput: ``numbers``: more than ``most``, or some that no record has for this person: the first are named.
    """
    numbers = [line.strip() for line in text.splitlines() if line.strip()]
    if len(numbers) > most:
        raise InvalidInput(Fault("numbers", "out_of_range", {"low": 0, "high": most}))
    found: list[UUID] = []
    unknown: list[str] = []
    for number in numbers:
        try:
            found.append(services().records.find_number(identity(), number))
        except NotFound:
            unknown.append(number[:80])
            if len(unknown) == MOST_TOLD:
                break
    if unknown:
        raise InvalidInput(Fault("numbers", "unknown", {"value": ", ".join(unknown)}))
    return found


def numbered_one(number: str, field: str) -> UUID:
    """Return the record of a number. Raises ``InvalidInput``: there is none for this person."""
    try:
        return services().records.find_number(identity(), number)
    except NotFound:
        raise InvalidInput(Fault(field, "no_record_of", {"number": number[:60]})) from None


def records_told(ids: Sequence[UUID]) -> str:
    """Return a line that names the first of the records that the person reads; "" when they read none."""
    with services().db.reading() as session:
        mine = services().guard.visible(session, identity()).where(Record.id.in_(ids)).order_by(Record.id)
        names = [row.archive_number or row.title for row in session.scalars(mine.limit(SHORTLY))]
    told = listed(names, current_locale()) + (" …" if len(ids) > len(names) else "")
    return _("Records: %(records)s", records=told) if names else ""


def readable(ids: list[UUID]) -> list[Record]:
    """Return those of the records that the person may read, in the order of ``ids``."""
    if not ids:
        return []
    with services().db.reading() as session:
        query = services().guard.visible(session, identity()).where(Record.id.in_(ids))
        found = {row.id: row for row in session.scalars(query)}
    return [found[key] for key in ids if key in found]


def back() -> BaseResponse:
    """Go back to the list that the form stood under."""
    return redirect(local_path(request.form.get("back")), 303)
