"""Days as people type them: one manner for every field of a day, and how what is typed was read."""

from datetime import date

from flask import Blueprint, jsonify, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.dates import BadDate, CivilDate, parse_civil
from archive.errors import Fault, InvalidInput
from web.i18n import current_locale
from web.words.faults import explain_fault

pages = Blueprint("days", __name__)


def civil_of(text: str, field: str) -> CivilDate | None:
    """Return the day, month or year that a text gives; None when it is empty.

    Raises:
        InvalidInput: it names no day that exists.
    """
    if not text.strip():
        return None
    try:
        return parse_civil(text)
    except BadDate as bad:
        raise InvalidInput(bad.fault(field)) from None


def day_of(text: str, field: str) -> date | None:
    """Return the day that a text gives; None when it is empty.

    Raises:
        InvalidInput: it is no whole day that exists.
    """
    read = civil_of(text, field)
    if read is None:
        return None
    if read.first != read.last:
        raise InvalidInput(Fault(field, "whole_day"))
    return read.first


def day_needed(text: str, field: str) -> date:
    """Return the day that a text gives. Raises ``InvalidInput`` when it is none, or empty."""
    read = day_of(text, field)
    if read is None:
        raise InvalidInput(Fault(field, "required"))
    return read


def first_of(text: str, field: str) -> date | None:
    """Return the first day that a text may mean; None when it is empty. Raises ``InvalidInput``."""
    read = civil_of(text, field)
    return None if read is None else read.first


def last_of(text: str, field: str) -> date | None:
    """Return the last day that a text may mean; None when it is empty. Raises ``InvalidInput``."""
    read = civil_of(text, field)
    return None if read is None else read.last


@pages.get("/day")
def read() -> BaseResponse:
    """Tell how a day that is being typed is read: for the browser, beside the field."""
    text = request.args.get("text", "")
    try:
        found = civil_of(text, "day")
        if found is not None and request.args.get("whole") == "1":
            day_of(text, "day")
    except InvalidInput as error:
        return jsonify(words=explain_fault(error.faults[0], current_locale()), good=False)
    return jsonify(words=_("Read as %(day)s", day=found.text) if found else "", good=True)
