"""The scans that rows of a spreadsheet name: matched by name, many small ones taken in with one request."""

from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.bringing_in.files import Matched, match, wanted
from archive.errors import Fault, InvalidInput
from archive.files.arrivals import Incoming, Received
from web.i18n import current_locale
from web.security import json_sent, text_of
from web.services import identity, services
from web.words.faults import explain_failed

pages = Blueprint("sheet_files", __name__)

MOST_NAMES = 20_000
MOST_FLASHED = 10
"""Messages of one request: they travel in a cookie, which holds no more."""

MOST_TOLD = 200
"""Names of files left over on either side that are told."""


@pages.post("/bring-in/<uuid:sheet_id>/match")
def match_names(sheet_id: UUID) -> BaseResponse:
    """Say for the names of a folder's files which go to which records, and what is left over."""
    names = json_sent().get("names")
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(isinstance(name, str) for name in names):
        raise InvalidInput(Fault("files", "required"))
    found = _matched(sheet_id, [text_of(name) for name in names])
    return jsonify(
        records={name: [str(key) for key in keys] for name, keys in found.records.items()},
        unknown=list(found.unknown[:MOST_TOLD]),
        missing=[f"{each.row}: {each.name}" for each in found.missing[:MOST_TOLD]],
        came=len(found.came),
    )


@pages.post("/bring-in/<uuid:sheet_id>/files")
def take(sheet_id: UUID) -> BaseResponse:
    """Take small files in, each to the records whose rows name it; what no row names stays out."""
    files = [each for each in request.files.getlist("files") if each.filename]
    sent = {str(each.filename): each for each in files}
    if not sent:
        raise InvalidInput(Fault("files", "required"))
    if len(sent) != len(files):
        raise InvalidInput(Fault("files", "repeated"))
    found = _matched(sheet_id, list(sent))
    data = {name: sent[name].stream.read() for name in found.records}
    going = [(name, key) for name, keys in found.records.items() for key in keys]
    coming = [Incoming(key, name.replace("\\", "/").rpartition("/")[2], iter([data[name]])) for name, key in going]
    answers = services().intake.receive_many(identity(), coming) if coming else []
    failed = {
        name: explain_failed(answer, current_locale())
        for (name, _key), answer in zip(going, answers, strict=True)
        if not isinstance(answer, Received)
    }
    taken = sum(isinstance(answer, Received) for answer in answers)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(taken=taken, failed=failed, unknown=list(found.unknown))
    flash(ngettext("%(num)d file was taken in.", "%(num)d files were taken in.", taken))
    left = [*failed.values(), *found.unknown]
    for told in left[:MOST_FLASHED]:
        flash(told[:100])
    if len(left) > MOST_FLASHED:
        flash(ngettext("%(num)d more was not taken in.", "%(num)d more were not taken in.", len(left) - MOST_FLASHED))
    return redirect(url_for("bring_in.show", sheet_id=sheet_id), 303)


def _matched(sheet_id: UUID, names: list[str]) -> Matched:
    return match(wanted(services().db, services().bringing, identity(), sheet_id), names)
