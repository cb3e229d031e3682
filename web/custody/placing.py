"""Shelving by scans: the number of a paper, then its place, or a place and then paper after paper."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, NotAllowed, NotFound, PlaceForbidden, PlaceFull
from archive.policy.rules import Act
from archive.shelving.placing import Placed
from web import paging
from web.asking import may
from web.custody.shelves import scanned_code
from web.i18n import current_locale
from web.security import allow_camera
from web.services import identity, services
from web.words.faults import explain_scan, status_of

pages = Blueprint("placing", __name__, url_prefix="/shelves")

KEPT = 8
"""Scans that the page still shows."""

PAGE = 100
"""Papers to be moved on one page."""

COPY = re.compile(r"\*([0-9]{1,4})$")
"""What stands behind a record's number for one of several copies: ``WY01-2024-A0001*2``."""


@dataclass
class Scan:
    """Where a stream of scans stands, and what is said of the last one."""

    place: UUID | None = None
    copy: UUID | None = None
    kind: str = ""
    head: str = ""
    lines: list[str] = field(default_factory=list)
    status: int = 200


@pages.get("/placing")
def show() -> BaseResponse:
    """Ask for the first scan."""
    scan = Scan(place=_key(request.args.get("place")), copy=_key(request.args.get("copy")))
    return _page(scan, [])


@pages.post("/placing")
def take() -> BaseResponse:
    """Take one scan and say at once what became of it."""
    form = request.form
    scan = Scan(_key(form.get("place")), _key(form.get("copy")))
    recent = [each[:200] for each in form.getlist("recent")][:KEPT]
    text = form.get("scan", "").strip()[:300]
    if form.get("leave"):
        return _page(Scan(), recent)
    if not text:
        return _page(scan, recent)
    try:
        _take(scan, text)
    except NotAllowed as error:
        if error.facts.get("act") == Act.SEE_SHELVES.value:
            raise
        _fault(scan, text, error)
    except ArchiveError as error:
        _fault(scan, text, error)
    return _page(scan, [scan.head, *recent][:KEPT] if scan.kind in {"done", "fault"} else recent)


def _take(scan: Scan, text: str) -> None:
    looks, placing = services().shelving.looks, services().shelving.placing
    try:
        place = looks.id_at(identity(), scanned_code(text))
    except NotFound:
        place = None
    if place is not None:
        scan.place = place
        if scan.copy is not None:
            _done(scan, placing.place(identity(), scan.copy, place))
            return
        here = looks.show(identity(), place).here
        scan.kind, scan.head = "place", here.place.path
        if here.capacity is not None and here.taken is not None:
            scan.lines = [_("%(free)s of %(capacity)s free.", free=here.capacity - here.taken, capacity=here.capacity)]
        return
    number, copy = numbered(text)
    record_id = services().records.find_number(identity(), number)
    found = placing.asked(identity(), record_id, copy)
    if scan.place is not None:
        scan.copy = found.copy_id
        _done(scan, placing.place(identity(), found.copy_id, scan.place))
        return
    scan.copy, scan.kind, scan.head = found.copy_id, "copy", found.number
    if found.lies:
        scan.lines.append(_("It lies at %(path)s.", path=found.lies))
    scan.lines.append(_proposed(found.free))


def _done(scan: Scan, placed: Placed) -> None:
    scan.copy, scan.kind = None, "done"
    scan.head = f"{placed.number} → {placed.path}"
    if not placed.moved:
        scan.lines.append(_("It lay there already."))
    scan.lines.append(_("%(taken)s of %(capacity)s taken.", taken=placed.taken, capacity=placed.capacity))


def _fault(scan: Scan, text: str, error: ArchiveError) -> None:
    scan.kind, scan.head, scan.status = "fault", text, status_of(error)
    scan.lines = explain_scan(error, current_locale())
    if isinstance(error, PlaceForbidden | PlaceFull) and scan.copy is not None:
        scan.lines.append(_proposed(services().shelving.placing.propose(identity(), scan.copy)))
        scan.place = None  # the paper is in the hand, and waits for another place
    elif scan.place is not None:
        scan.copy = None


def _proposed(free: str | None) -> str:
    if free is None:
        return str(_("No fitting place is free: make one, or make room."))
    return str(_("Free and fitting: %(path)s", path=free))


def numbered(text: str) -> tuple[str, int | None]:
    """Return the number and the copy that a scan means: a QR code's address, or a number with ``*2`` behind it."""
    try:
        parts = urlsplit(text)
    except ValueError:  # half an address: what it says is looked for as it is
        parts = urlsplit("")
    if parts.scheme in {"http", "https"}:
        asked = parse_qs(parts.query)
        text = asked.get("n", [""])[0]
        if (copy := asked.get("copy", [""])[0]).isascii() and copy.isdigit():
            return text, int(copy[:4])
    found = COPY.search(text)
    return (text[: found.start()], int(found[1])) if found else (text, None)


def _key(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _page(scan: Scan, recent: list[str]) -> BaseResponse:
    allow_camera()
    here = services().shelving.looks.show(identity(), scan.place).here if scan.place else None
    if here is None:
        services().shelving.looks.rooms(identity())  # who sees no shelves shelves nothing
    page = render_template("placing.html", scan=scan, here=here, recent=recent, back=url_for("shelves.rooms"))
    return make_response(page, scan.status)


@pages.get("/to-move")
def to_move() -> str:
    """List the papers whose level forbids the place where they lie."""
    rows = services().shelving.placing.to_move(
        identity(), after=paging.read_path(request.args.get("after", "")), limit=PAGE + 1
    )
    found, more = rows[:PAGE], None
    if len(rows) > PAGE:
        more = url_for(".to_move", after=paging.told_path(found[-1].place.path, found[-1].copy.id))
    rules = services().shelving.tree.rules()
    return render_template("to_move.html", found=found, more=more, rules=rules, manages=may(Act.MANAGE_SHELVES))
