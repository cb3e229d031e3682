"""Files go out: the original as a download, in ranges, and its pages to look at."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import Range
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import NotFound
from archive.model import ContentState, MarkKind
from archive.policy.rules import Act
from web import security
from web.i18n import current_locale
from web.reading.marked import PAGES_AT_ONCE, named_file
from web.reading.viewer import TURNS, WIDTHS, copy_of, next_hit, page_of, picture_of
from web.services import identity, services

pages = Blueprint("files", __name__)

THERE = (ContentState.STORED, ContentState.QUARANTINED)


@pages.get("/files/<uuid:content_id>")
def download(content_id: UUID) -> Response:
    """Send a stored file, whole or the range asked for, as a download that no browser runs.

    Who is not to have it as it is gets a marked copy: of the pages from ``first`` to ``last``.
    """
    if not _is_original(content_id):
        return _marked_copy(content_id)
    opened = services().intake.open_file(identity(), content_id)
    span = asked_range(request.range, opened.size)
    headers = {
        "Content-Disposition": attachment(opened.name),
        "Content-Security-Policy": security.FILE_POLICY,
        "Accept-Ranges": "bytes",
    }
    if span is None and request.range is not None and request.range.units == "bytes" and request.range.ranges:
        return Response(status=416, headers={"Content-Range": f"bytes */{opened.size}"})
    start, stop = span or (0, opened.size)
    headers["Content-Length"] = str(stop - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{opened.size}"
    body: Iterator[bytes] = begun(opened.reader.read(start, stop - start)) if request.method != "HEAD" else iter(())
    reply = Response(body, 206 if span is not None else 200, headers, mimetype=opened.media_type)
    if opened.media_type.startswith("text/"):
        reply.headers["Content-Type"] = opened.media_type  # no charset is claimed that we do not know
    return reply


@pages.get("/files/<uuid:content_id>/pages/<int:number>")
def page(content_id: UUID, number: int) -> str:
    """Show one page, the words of a query marked."""
    query = _query()
    span = _span()
    width, turn = _chosen("width", WIDTHS[1:], WIDTHS[1]), _chosen("turn", TURNS, 0)
    found = page_of(services(), identity(), content_id, number, query, span, turn=turn, sheet=_sheet())
    return render_template(
        "viewer.html",
        page=found,
        q=query,
        width=width,
        turn=turn,
        widths=WIDTHS[1:],
        at_once=PAGES_AT_ONCE,
        mark=span and f"{span[0]}-{span[1]}",
    )


@pages.get("/files/<uuid:content_id>/pages/<int:number>/picture")
def picture(content_id: UUID, number: int) -> Response:
    """Send the picture of one page."""
    width, turn = _chosen("width", WIDTHS, WIDTHS[1]), _chosen("turn", TURNS, 0)
    image = picture_of(
        services(), identity(), content_id, number, width=width, turn=turn, sheet=_sheet(), locale=current_locale()
    )
    return Response(image, mimetype="image/webp", headers={"Content-Security-Policy": security.FILE_POLICY})


@pages.get("/files/<uuid:content_id>/pages/<int:number>/next")
def find(content_id: UUID, number: int) -> BaseResponse:
    """Go to the next page with the words asked for; where there is none, stay and say so."""
    query = _query()
    there = next_hit(services(), identity(), content_id, number, query)
    if there is None and query.strip():
        flash(gettext("These words are not in the text of this file."))
    width, turn = request.args.get("width"), request.args.get("turn")
    target: dict[str, Any] = {"number": there or number, "q": query or None, "width": width, "turn": turn}
    return redirect(url_for("files.page", content_id=content_id, **target))


def _is_original(content_id: UUID) -> bool:
    with services().db.reading() as session:
        _, record, _ = services().guard.require_content(session, identity(), Act.READ, content_id, *THERE)
        return services().lending.marking.is_free(session, identity(), record)


def _marked_copy(content_id: UUID) -> Response:
    first = request.args.get("first", 1, type=int)
    last = request.args.get("last", first + PAGES_AT_ONCE - 1, type=int)
    headers = {"Content-Security-Policy": security.FILE_POLICY, "Accept-Ranges": "none"}
    opened = services().intake.open_file(identity(), content_id)  # whoever may have nothing of it stops here
    if request.method == "HEAD":  # a question, and no copy
        return Response(headers=headers)
    made = copy_of(services(), identity(), content_id, first, last, current_locale())
    if made is not None:
        whole = made.first == 1 and made.last == made.pages
        name = f"{PurePath(made.name).stem}{'' if whole else f'-{made.first}-{made.last}'}.pdf"
        return Response(
            made.pdf, headers={**headers, "Content-Disposition": attachment(name)}, mimetype="application/pdf"
        )
    mark = services().lending.marking.taken(identity(), content_id, MarkKind.FILE, 0, 0)
    if mark is None:
        raise NotFound
    file = named_file(opened, mark)
    headers |= {"Content-Disposition": attachment(file.name), "Content-Length": str(file.size)}
    return Response(begun(file.body), headers=headers, mimetype=file.media_type)


def begun(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Read a first block now: what cannot be read is told by a page, which is no longer possible once bytes went."""
    return chain((next(blocks, b""),), blocks)


def _query() -> str:
    return request.args.get("q", "")[:1000]


def _span() -> tuple[int, int] | None:
    """Return the part of the page's text that the address asks to be marked, as ``start-end``."""
    start, _, end = request.args.get("mark", "").partition("-")
    good = all(each.isascii() and each.isdigit() and len(each) < 8 for each in (start, end))
    return (int(start), int(end)) if good and int(start) < int(end) else None


def _sheet() -> int | None:
    """Return which page as printed the address asks for."""
    return request.args.get("sheet", type=int)


def _chosen(name: str, choices: Sequence[int], default: int) -> int:
    """Return a number of the address if it is one of the choices."""
    value = request.args.get(name, default, type=int)
    return value if value in choices else default


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
    ((start, _end),) = asked.ranges
    if start is not None and start < -size:
        return (0, size) if size else None  # the last bytes, more of them than there are: all
    return asked.range_for_length(size)
