"""Copies of a record: noted, changed, withdrawn, handed to someone, shelved, and where each has been."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.showing import CustodyView, RecordView
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import Carrier, CopyCondition
from archive.shelving.copies import CopyFacts, CopyView
from web import paging
from web.asking import Field, Form, again, shown, whole_typed
from web.custody.shelves import scanned_code
from web.services import identity, services
from web.words.shelves import CARRIERS, CONDITIONS

pages = Blueprint("copies", __name__)

PAGE = 50
"""Moves on one page."""


def _back(record_id: UUID) -> str:
    return url_for("records.show", record_id=record_id, _anchor="copies")


def _form(view: RecordView | CustodyView, heading: str, fields: list[Field], button: str, **more: Any) -> Form:
    record_id = view.record_id if isinstance(view, CustodyView) else view.record.id
    back = _back(record_id)
    return Form(heading, fields, button, back, crumbs=[(back, view.number), (None, heading)], **more)


def _facts_form(view: RecordView | CustodyView, copy: CopyView | None) -> Form:
    pages_known = view.pages if isinstance(view, CustodyView) else view.record.pages
    values: dict[str, Any] = {"carrier": "paper", "condition": "good", "original": "yes", "pages": pages_known or ""}
    if copy is not None:
        row = copy.copy
        values = {
            "carrier": row.carrier.value,
            "condition": row.condition.value,
            "pages": "" if row.pages is None else row.pages,
            "original": "yes" if row.original else "no",
            "original_at": row.original_at or "",
        }
    fields = [
        Field("carrier", _("Carrier"), kind="choose", options=[(key, _(words)) for key, words in CARRIERS.items()]),
        Field("pages", _("Pages"), limit=7),
        Field(
            "condition", _("Condition"), kind="choose", options=[(key, _(words)) for key, words in CONDITIONS.items()]
        ),
        Field(
            "original",
            _("Is it the original?"),
            kind="choose",
            options=[("yes", _("the original")), ("no", _("a copy"))],
        ),
        Field(
            "original_at", _("Who holds the original"), limit=200, help=_("When it is not here: an office, a person.")
        ),
    ]
    heading = _("Add a copy") if copy is None else _("Change copy %(number)s", number=copy.copy.number)
    hidden = {} if copy is None else {"version": copy.copy.version}
    return _form(view, heading, fields, _("Add") if copy is None else _("Save"), values=values, hidden=hidden)


def _facts() -> CopyFacts:
    form, faults = request.form, []
    typed = form.get("pages", "").strip()
    count = whole_typed("pages", -1) if typed else None
    if count == -1:
        faults.append(Fault("pages", "not_a_number"))
    carrier, condition = form.get("carrier", "paper"), form.get("condition", "good")
    if carrier not in set(Carrier):
        faults.append(Fault("carrier", "unknown"))
    if condition not in set(CopyCondition):
        faults.append(Fault("condition", "unknown"))
    if faults:
        raise InvalidInput(*faults)
    original = form.get("original", "yes") == "yes"
    return CopyFacts(Carrier(carrier), CopyCondition(condition), count, original, form.get("original_at"))


def _found(copy_id: UUID) -> tuple[RecordView | CustodyView, CopyView]:
    """Return a copy with its record's view. Raises ``NotFound``."""
    found = services().shelving.copies.one(identity(), copy_id)
    return services().reader.show(identity(), found.copy.record_id), found


@pages.get("/records/<uuid:record_id>/copies/new")
def new(record_id: UUID) -> BaseResponse:
    """Ask for a copy."""
    return shown(_facts_form(services().reader.show(identity(), record_id), None))


@pages.post("/records/<uuid:record_id>/copies/new")
def add(record_id: UUID) -> BaseResponse:
    """Add a copy."""
    view = services().reader.show(identity(), record_id)
    try:
        made = services().shelving.copies.add(identity(), record_id, _facts())
    except ArchiveError as error:
        return again(_facts_form(view, None), error)
    flash(_("Copy %(number)s is noted.", number=made.number))
    return redirect(_back(record_id), 303)


@pages.get("/copies/<uuid:copy_id>/change")
def changing(copy_id: UUID) -> BaseResponse:
    """Ask for what is said of a copy."""
    return shown(_facts_form(*_found(copy_id)))


@pages.post("/copies/<uuid:copy_id>/change")
def change(copy_id: UUID) -> BaseResponse:
    """Change what is said of a copy."""
    view, copy = _found(copy_id)
    try:
        services().shelving.copies.change(identity(), copy_id, _facts(), whole_typed("version"))
    except ArchiveError as error:
        return again(_facts_form(view, copy), error)
    flash(_("The copy is changed."))
    return redirect(_back(copy.copy.record_id), 303)


def _withdraw_form(view: RecordView | CustodyView, copy: CopyView) -> Form:
    heading = _("Withdraw copy %(number)s", number=copy.copy.number)
    told = _("For a copy that is no more, or was noted by mistake. It leaves its place; the log keeps why.")
    fields = [Field("reason", _("Reason"), must=True, limit=500)]
    hidden = {"version": copy.copy.version}
    return _form(view, heading, fields, _("Withdraw"), told=told, danger=True, hidden=hidden)


@pages.get("/copies/<uuid:copy_id>/withdraw")
def withdrawing(copy_id: UUID) -> BaseResponse:
    """Ask why a copy is withdrawn."""
    return shown(_withdraw_form(*_found(copy_id)))


@pages.post("/copies/<uuid:copy_id>/withdraw")
def withdraw(copy_id: UUID) -> BaseResponse:
    """Withdraw a copy."""
    view, copy = _found(copy_id)
    try:
        reason = request.form.get("reason", "")
        services().shelving.copies.withdraw(identity(), copy_id, reason, whole_typed("version"))
    except ArchiveError as error:
        return again(_withdraw_form(view, copy), error)
    flash(_("The copy is withdrawn."))
    return redirect(_back(copy.copy.record_id), 303)


def _place_form(view: RecordView | CustodyView, copy: CopyView) -> Form:
    row = copy.copy
    free = services().shelving.placing.propose(identity(), row.id)
    where = _("Its code, typed or scanned: K1-02-3-05. A free one that fits stands there already.")
    whom = _("Someone of the archive who has it at work, by sign-in name. To all others it goes as a loan.")
    fields = [
        Field("shelf", _("Place of the paper"), limit=300, help=where),
        Field("holder", _("Or: who has it at work"), limit=64, help=whom),
    ]
    heading = _("Shelve copy %(number)s", number=row.number)
    intro = _("It lies at %(path)s.", path=copy.place.path) if copy.place else ""
    values, hidden = {"shelf": free or ""}, {"version": row.version}
    return _form(view, heading, fields, _("Shelve"), values=values, hidden=hidden, intro=intro)


@pages.get("/copies/<uuid:copy_id>/place")
def placing(copy_id: UUID) -> BaseResponse:
    """Ask where a copy is to lie."""
    return shown(_place_form(*_found(copy_id)))


@pages.post("/copies/<uuid:copy_id>/place")
def place(copy_id: UUID) -> BaseResponse:
    """Put a copy where it is to lie, or note whom it is with."""
    view, copy = _found(copy_id)
    version, holder = whole_typed("version"), request.form.get("holder", "").strip()
    try:
        if holder:
            services().shelving.copies.hand(identity(), copy_id, holder, version)
            flash(_("It is noted whom the copy is with."))
        else:
            placed = services().shelving.placing.place(identity(), copy_id, _place_typed(), version)
            flash(_("The copy lies at %(path)s.", path=placed.path))
    except ArchiveError as error:
        return again(_place_form(view, copy), error)
    return redirect(_back(copy.copy.record_id), 303)


def _place_typed() -> UUID:
    try:
        return services().shelving.looks.id_at(identity(), scanned_code(request.form.get("shelf", "")))
    except NotFound:
        raise InvalidInput(Fault("shelf", "unknown")) from None


@pages.get("/copies/<uuid:copy_id>/moves")
def moves(copy_id: UUID) -> str:
    """Show where a copy has been."""
    view, copy = _found(copy_id)
    after = paging.read(request.args.get("after", ""))
    rows = services().shelving.looks.history(identity(), copy_id, after=after, limit=PAGE + 1)
    more = None
    if len(rows) > PAGE:
        more = url_for(".moves", copy_id=copy_id, after=paging.told((rows[PAGE - 1].at, rows[PAGE - 1].id)))
    number, crumbs = copy.copy.number, [(_back(copy.copy.record_id), view.number), (None, _("Moves"))]
    return render_template("moves.html", moves=rows[:PAGE], more=more, number=number, crumbs=crumbs)
