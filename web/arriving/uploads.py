"""Files come in: in pieces from the script, whole from a plain form; and the list of what a person sent."""

from functools import partial
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput, NotFound, TooLarge
from archive.ports import PIECE_BYTES
from web import paging
from web.arriving.sent import sent_files
from web.i18n import current_locale
from web.security import json_sent, text_of
from web.services import identity, services
from web.words.faults import explain_reason

pages = Blueprint("uploads", __name__)

CHUNK = 1024 * 1024
PAGE = 100


@pages.get("/uploads")
def mine() -> str:
    """List the files a person sent, the newest first, and what became of each."""
    found = sent_files(services(), identity(), paging.read(request.args.get("after", "")), PAGE + 1)
    sent, more = paging.page(found, PAGE, lambda file: paging.told((file.at, file.content_id)))
    told = [(file, explain_reason(file.reason, current_locale()) if file.reason else None) for file in sent]
    return render_template("uploads.html", files=told, more=more and url_for(".mine", after=more))


@pages.post("/uploads/begin/<uuid:record_id>")
def begin(record_id: UUID) -> BaseResponse:
    """Announce a file that will come in pieces."""
    told = json_sent()
    if not isinstance(told.get("size"), int):
        raise InvalidInput(Fault("size", "required"))
    upload = services().intake.begin(identity(), record_id, text_of(told.get("name")), told["size"])
    return jsonify(upload=str(upload), piece_bytes=PIECE_BYTES)


@pages.get("/uploads/<uuid:upload_id>")
def progress(upload_id: UUID) -> BaseResponse:
    """Say how many pieces are safely kept: where to go on after a break."""
    return jsonify(received=services().intake.progress(identity(), upload_id))


@pages.put("/uploads/<uuid:upload_id>/<int:number>")
def put_piece(upload_id: UUID, number: int) -> BaseResponse:
    """Keep one piece."""
    data = request.get_data(cache=False)
    if len(data) > PIECE_BYTES:
        raise TooLarge(limit=PIECE_BYTES, size=len(data))
    return jsonify(received=services().intake.put_piece(identity(), upload_id, number, data))


@pages.post("/uploads/<uuid:upload_id>/finish")
def finish(upload_id: UUID) -> BaseResponse:
    """Join the pieces: the file is in, perhaps instead of another."""
    told = json_sent()
    replacing = None
    if told.get("replaces"):
        try:
            content_id = UUID(str(told["replaces"]))
        except ValueError:
            raise NotFound from None
        _record, replacing = services().files.giving_way(identity(), content_id, text_of(told.get("reason")))
    received = services().intake.finish(identity(), upload_id, replacing)
    return jsonify(content=str(received.content_id), size=received.size, doubles=len(received.doubles))


@pages.post("/uploads/<uuid:upload_id>/abandon")
def abandon(upload_id: UUID) -> BaseResponse:
    """Give an upload up."""
    services().intake.abandon(identity(), upload_id)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(abandoned=True)
    flash(_("The upload is given up; nothing of it is kept."))
    return redirect(url_for("uploads.mine"), 303)


@pages.post("/records/<uuid:record_id>/files")
def plain(record_id: UUID) -> BaseResponse:
    """Take small files from a plain form, for browsers without script."""
    sent = [each for each in request.files.getlist("files") if each.filename]
    if not sent:
        raise InvalidInput(Fault("files", "required"))
    doubles = 0
    for each in sent:
        chunks = iter(partial(each.stream.read, CHUNK), b"")
        received = services().intake.receive(identity(), record_id, each.filename or "", chunks)
        doubles += len(received.doubles)
    flash(_("Files taken in: %(count)s.", count=len(sent)))
    if doubles:
        flash(_("The same bytes lie in another record that you can see. Check whether this is a double."))
    return redirect(url_for("records.show", record_id=record_id), 303)
