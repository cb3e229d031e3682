"""Excerpts: chosen pages of a file as pictures with parts blacked out, each with its source, kept with the record."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound, Unavailable
from archive.files.attachments import Sent
from archive.loans.excerpts import LONGEST, MOST_BOXES, MOST_PAGES, Source, check
from archive.model import AttachedTo
from archive.spelling import whole_of
from indexer import kinds
from web.asking import told
from web.i18n import current_locale
from web.reading.marked import COPY_WIDTH, masked_picture, pictures_pdf
from web.reading.viewer import picture_of
from web.services import identity, services
from web.words import mark, named, translator
from web.words.faults import status_of

pages = Blueprint("excerpts", __name__)

SIDES = ("left", "top", "width", "height")
"""The numbers of a black part: hundredths of the page, from its upper left corner."""

BLANK = 3
"""Empty rows of numbers that a page offers."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PageDrawn:
    """A page of the form: its number and its black parts, as typed or drawn."""

    number: int
    boxes: Sequence[Sequence[str]]


@pages.get("/records/<uuid:record_id>/excerpts")
def every(record_id: UUID) -> str:
    """List the excerpts of a record."""
    record, found = services().lending.excerpts.of(identity(), record_id)
    return render_template("excerpts.html", found=found, record=record)


@pages.get("/files/<uuid:content_id>/excerpt")
def choose(content_id: UUID) -> BaseResponse:
    """Show the chosen pages, to draw black parts on."""
    return _form(content_id)


@pages.post("/files/<uuid:content_id>/excerpt")
def make(content_id: UUID) -> BaseResponse:
    """Make the excerpt, or only show where its black parts lie."""
    if request.form.get("act") == "look":
        return _form(content_id)
    source = _source(content_id)
    try:
        purpose, numbers = request.form.get("purpose", ""), _numbers(source)
        check(purpose, numbers)
        boxes = {number: _boxes(number) for number in numbers}
        made = _pdf(source, boxes)
        count = sum(len(each) for each in boxes.values())
        key = services().lending.excerpts.begin(identity(), content_id, purpose, numbers, count)
    except InvalidInput as error:
        return _form(content_id, error)
    try:
        name = _("excerpt of %(number)s", number=source.number).replace("/", "-")[:150]
        sent = Sent(f"{name}.pdf", made)
        services().attachments.add(identity(), AttachedTo.EXCERPT, key, [(sent, "application/pdf")])
    except Unavailable:
        services().lending.excerpts.forget(identity(), key)
        raise
    flash(_("The excerpt is made. Look at it before you give it to anyone."))
    return redirect(url_for(".every", record_id=source.record_id), 303)


def _source(content_id: UUID) -> Source:
    """Return what an excerpt is taken from. Raises ``NotFound`` too where other pages are printed than are counted."""
    source = services().lending.excerpts.source(identity(), content_id)
    if source.media_type not in kinds.PICTURED:
        raise NotFound
    return source


def _pdf(source: Source, boxes: Mapping[int, Sequence[Box]]) -> bytes:
    drawn = []
    for number, parts in boxes.items():
        image = picture_of(services(), identity(), source.content_id, number, width=COPY_WIDTH, turn=0, sheet=number)
        whole = [[round(side * 100) for side in box] for box in parts]
        drawn.append(masked_picture(services(), image, whole, _line(source, number)))
    return pictures_pdf(drawn, _("excerpt of %(number)s", number=source.number), source.number)


def _line(source: Source, page: int) -> str:
    """Say where a page is from."""
    return translator(current_locale())(
        mark("Excerpt from %(number)s, fonds %(fonds)s, page %(page)s of %(total)s. Made on %(day)s by %(person)s."),
        number=source.number, fonds=named(source.fonds, current_locale()), page=page, total=source.pages,
        day=services().guard.day().isoformat(), person=g.person.name,
    )  # fmt: skip


def _form(content_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    source = _source(content_id)
    try:
        numbers = _numbers(source)
    except InvalidInput as wrong:
        numbers, error = [], error or wrong
    lines, faults = told(error, ("purpose", "pages", "boxes")) if error else ([], {})
    drawn = [PageDrawn(number, _typed(number)) for number in numbers[:MOST_PAGES]]
    page = render_template(
        "excerpt.html", source=source, drawn=drawn, sides=SIDES, lines=lines, faults=faults, limit=LONGEST,
        most=MOST_PAGES, values={"pages": _asked(), "purpose": request.form.get("purpose", "")},
        labels={"purpose": _("What it is for"), "pages": _("Pages"), "boxes": _("Black parts")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _asked() -> str:
    return (request.form.get("pages") or request.args.get("pages") or "1")[:100]


def _numbers(source: Source) -> list[int]:
    """Return the pages that are asked for, as ``1-3,5``. Raises ``InvalidInput``: ``pages``."""
    found: list[int] = []
    for part in unicodedata.normalize("NFKC", _asked()).replace("、", ",").replace("–", "-").split(","):
        first, dash, last = part.partition("-")
        begin = whole_of(first)
        end = whole_of(last) if dash else begin
        if begin is None or end is None:
            raise InvalidInput(Fault("pages", "not_pages"))
        if not 1 <= begin <= end <= source.pages:
            raise InvalidInput(Fault("pages", "out_of_range", {"low": 1, "high": source.pages}))
        if end - begin >= MOST_PAGES:
            raise InvalidInput(Fault("pages", "too_many", {"limit": MOST_PAGES}))
        found += range(begin, end + 1)
    found = list(dict.fromkeys(found))
    if len(found) > MOST_PAGES:
        raise InvalidInput(Fault("pages", "too_many", {"limit": MOST_PAGES}))
    return found


def _typed(page: int) -> list[list[str]]:
    """Return the rows of numbers that came with the form, all of them, and empty ones behind."""
    columns = [request.form.getlist(f"p{page}-{side}") for side in SIDES]
    rows = [[text[:8] for text in row] for row in zip(*columns, strict=False) if any(text.strip() for text in row)]
    return rows + [[""] * len(SIDES) for _blank in range(BLANK)]


def _boxes(page: int) -> list[Box]:
    """Return the black parts of a page. Raises ``InvalidInput``: ``boxes``: what is typed is no part of the page."""
    found = []
    for row in _typed(page):
        if not any(text.strip() for text in row):
            continue
        try:
            left, top, width, height = (float(text) for text in row)
        except ValueError:
            raise InvalidInput(Fault("boxes", "not_a_box", {"page": page})) from None
        inside = 0 <= left < 100 and 0 <= top < 100 and width > 0 and height > 0
        if not (inside and left + width <= 100.01 and top + height <= 100.01):
            raise InvalidInput(Fault("boxes", "not_a_box", {"page": page}))
        found.append((left, top, width, height))
    if len(found) > MOST_BOXES:
        raise InvalidInput(Fault("boxes", "too_many", {"limit": MOST_BOXES}))
    return found
