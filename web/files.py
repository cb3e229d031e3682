"""Files go out: the original as a download, in ranges, and the text of its pages."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import Range

from web import security
from web.page_text import page_of
from web.services import identity, services

pages = Blueprint("files", __name__)


@pages.get("/files/<uuid:content_id>")
def download(content_id: UUID) -> Response:
    """Send a stored file, whole or the range asked for, as a download that no browser runs."""
    opened = services().intake.open_file(identity(), content_id)
    span = asked_range(request.range, opened.size)
    headers = {
        "Content-Disposition": attachment(opened.name),
        "Content-Security-Policy": security.FILE_POLICY,
        "Accept-Ranges": "bytes",
    }
    if span is None and request.range is not None and request.range.ranges:
        return Response(status=416, headers={"Content-Range": f"bytes */{opened.size}"})
    start, stop = span or (0, opened.size)
    headers["Content-Length"] = str(stop - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{opened.size}"
    body: Iterator[bytes] = opened.reader.read(start, stop - start) if request.method != "HEAD" else iter(())
    reply = Response(body, 206 if span is not None else 200, headers, mimetype=opened.media_type)
    if opened.media_type.startswith("text/"):
        reply.headers["Content-Type"] = opened.media_type  # no charset is claimed that we do not know
    return reply


@pages.get("/files/<uuid:content_id>/pages/<int:number>")
def page(content_id: UUID, number: int) -> str:
    """Show the text of one page, the words of a query marked."""
    query = request.args.get("q", "")[:1000]
    return render_template("page_text.html", page=page_of(services(), identity(), content_id, number, query), q=query)


def attachment(name: str) -> str:
    """Return a Content-Disposition (RFC 6266) that saves under ``name``, whatever characters it holds."""
    plain = "".join("_" if c in '/\\"' or not c.isprintable() else c for c in name).strip(". ") or "file"
    plain = plain[:200]
    fallback = plain.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(plain, safe='')}"


def asked_range(asked: Range | None, size: int) -> tuple[int, int] | None:
    """Return (start, stop) of the one range asked for; None when none is, or it lies outside the file."""
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    return asked.range_for_length(size)
