"""Holds: the list, one with what it covers, placing and releasing."""

import unicodedata
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.model import Category, Fonds, Hold, HoldKind, Place, Record, ShelfPlace
from archive.policy.rules import Act
from retention.holds import Wanted
from web import paging
from web.asking import Field, Form, again, day_typed, may, require, shown
from web.custody.shelves import scanned_code
from web.i18n import current_locale
from web.lists import numbered_one
from web.services import identity, services
from web.words import named
from web.words.faults import explain, status_of
from web.words.retention import HOLD_KINDS, said

pages = Blueprint("holds", __name__, url_prefix="/holds")

PAGE = 50


@pages.get("")
def every() -> str:
    """List the holds that stand, or those that were released."""
    released = request.args.get("released") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().retention.holds.every(identity(), released=released, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1]
        place = paging.told((last.placed_at, last.id))
        more = url_for("holds.every", released=1 if released else None, after=place)
    people = services().directory.people({each for row in rows for each in (row.placed_by, row.released_by) if each})
    return render_template(
        "holds.html", rows=[(row, _covers(row)) for row in rows], released=released, more=more, people=people,
        may_place=may(Act.MANAGE_HOLDS), day=services().guard.day(),
    )  # fmt: skip


@pages.get("/<uuid:hold_id>")
def show(hold_id: UUID) -> str:
    """Show a hold, and what of it the person reads."""
    return _page(hold_id)


def _page(hold_id: UUID, lines: list[str] | None = None) -> str:
    after = paging.read_id(request.args.get("after", ""))
    row, count, found = services().retention.holds.show(identity(), hold_id, PAGE + 1, after=after)
    records, last = paging.page(found, PAGE, lambda record: record.id.hex)
    people = services().directory.people((row.placed_by, row.released_by))
    releases = row.released_at is None and may(Act.MANAGE_HOLDS)
    return render_template(
        "hold.html", hold=row, count=count, records=records, covers=_covers(row), people=people,
        lines=lines or [],
        may_release=releases and row.placed_by != identity().person_id,
        more=last and url_for(".show", hold_id=hold_id, after=last),
        own=releases and row.placed_by == identity().person_id, typed=request.form.get("reason", ""),
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a hold, on a record or dossier that is named, or by a rule."""
    require(Act.MANAGE_HOLDS)
    return shown(_form())


@pages.post("/new")
def place() -> BaseResponse:
    """Place a hold."""
    typed = request.form
    try:
        kind = HoldKind(typed.get("kind", "")) if typed.get("kind", "") in list(HoldKind) else HoldKind.QUERY
        review = day_typed("review_on")
        if review is None:
            raise InvalidInput(Fault("review_on", "required"))
        wanted = Wanted(
            kind, _typed(kind), typed.get("name", ""), typed.get("reason", ""), typed.get("authority", ""), review
        )
        key = services().retention.holds.place(identity(), wanted)
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The hold stands from now on."))
    return redirect(url_for("holds.show", hold_id=key), 303)


def _typed(kind: HoldKind) -> dict[str, Any]:
    """Read what a hold is to cover. Raises ``InvalidInput``."""
    typed = request.form
    if kind is HoldKind.SHELF:
        return _shelf_typed()
    if kind in {HoldKind.RECORD, HoldKind.DOSSIER}:
        number = typed.get("number", "").strip()
        if not number:
            raise InvalidInput(Fault("number", "required"))
        return {"id": str(numbered_one(number, "number"))}
    category = typed.get("category", "").strip()
    with services().db.reading() as session:
        fonds, _colon, code = category.rpartition(":")
        named = select(Category.id).join(Fonds, Fonds.id == Category.fonds_id).where(Category.code == code)
        if fonds:
            named = named.where(Fonds.code == fonds)
        keys = session.scalars(named.limit(2)).all() if category else []
    if len(keys) > 1:
        raise InvalidInput(Fault("category", "in_several_fonds", {"value": category[:40]}))
    if category and not keys:
        raise InvalidInput(Fault("category", "unknown", {"value": category[:40]}))
    key = keys[0] if keys else None
    if kind is HoldKind.CATEGORY:
        return {"id": str(key)} if key else {}
    path = _path(typed.get("place", ""))
    if kind is HoldKind.PLACE:
        return {"path": path}
    days: dict[str, date | None] = {name: day_typed(name) for name in ("since", "until")}
    return {
        "words": typed.get("words", "").split(),
        "responsible": typed.get("responsible", "").strip(),
        "category": str(key) if key else "",
        "path": path,
        **{name: day.isoformat() if day else "" for name, day in days.items()},
    }


def _shelf_typed() -> dict[str, Any]:
    """Return the place of the store rooms that was typed or scanned. Raises ``InvalidInput``: ``shelf``."""
    typed = request.form.get("shelf", "").strip()
    try:
        return {"id": str(services().shelving.looks.id_at(identity(), scanned_code(typed)))} if typed else {}
    except NotFound:
        raise InvalidInput(Fault("shelf", "unknown", {"value": typed[:40]})) from None


def _path(text: str) -> str:
    """Return the path of a place of the property, however it is typed; "" for nothing.

    Raises:
        InvalidInput: ``place``: there is none; or it is a place of the store rooms, where papers lie by chance.
    """
    typed = unicodedata.normalize("NFKC", text).strip().strip("/").upper()
    if not typed:
        return ""
    with services().db.reading() as session:
        found = session.scalar(select(Place.path).where(func.upper(Place.path) == f"{typed}/").limit(1))
        shelf = session.scalar(select(ShelfPlace.id).where(ShelfPlace.path == typed))
    if found is None:
        raise InvalidInput(Fault("place", "unknown" if shelf is None else "shelf_place"))
    return found


def _form() -> Form:
    locale = current_locale()
    kind = request.args.get("kind", "")
    fields = [
        Field("name", _("Name"), must=True, limit=200, help=_("By which it is known: a case, a claim, an inspection.")),
        Field("kind", _("What it covers"), kind="choose",
              options=[(each.value, said(HOLD_KINDS, each, locale)) for each in HoldKind
                       if each is not HoldKind.SHELF or may(Act.SEE_SHELVES)]),
        Field("number", _("Number of the record or dossier"), limit=200, when="record dossier"),
        Field("category", _("Category"), limit=40, when="category query",
              help=_("The code; all below it is covered too.")),
        Field("place", _("Place"), limit=200, when="place query",
              help=_("The codes from the project down, as A001/01.")),
        Field("shelf", _("Place of the paper"), limit=300, when="shelf",
              help=_("Its code, typed or scanned. Held is whatever lies there or is put there later, also when it is "
                     "taken away again. What is lent is held once it is back.")),
        Field("words", _("Words of the title"), limit=200, when="query",
              help=_("For a saved query; all of them must stand there.")),
        Field("responsible", _("Responsible person"), limit=200, when="query"),
        Field("since", _("Drawn up from"), kind="day", when="query"),
        Field("until", _("Drawn up until"), kind="day", when="query"),
        Field("reason", _("Reason"), must=True, limit=500),
        Field("authority", _("Authority"), must=True, limit=200,
              help=_("Who decided so: a committee, a decree, a head.")),
        Field("review_on", _("Review on"), must=True, kind="day"),
    ]  # fmt: skip
    values = {"kind": kind, "number": request.args.get("number", "")[:200], "shelf": request.args.get("shelf", "")[:40]}
    return Form(
        _("Place a hold"), fields, _("Place the hold"), url_for("holds.every"), values=values,
        crumbs=[(url_for("holds.every"), _("Holds")), (None, _("Place a hold"))],
        intro=_("What is held is neither corrected nor destroyed until another person releases it; its secrecy level "
                "and period still follow reviews. What comes under a category, a place, a shelf or a query later is "
                "held too."),
    )  # fmt: skip


@pages.post("/<uuid:hold_id>/release")
def release(hold_id: UUID) -> BaseResponse:
    """Release a hold that another placed."""
    try:
        services().retention.holds.release(identity(), hold_id, request.form.get("reason", ""))
    except (InvalidInput, NotAllowed, WrongState) as error:
        return make_response(_page(hold_id, explain(error, current_locale())), status_of(error))
    flash(_("The hold is released."))
    return redirect(url_for("holds.show", hold_id=hold_id), 303)


def _covers(row: Hold) -> str:
    """Say what a hold covers. Of a record that the person does not read, nothing but that it is one."""
    locale, told = current_locale(), row.covers
    words = [said(HOLD_KINDS, row.kind, locale)]
    with services().db.reading() as session:
        if row.kind in {HoldKind.RECORD, HoldKind.DOSSIER}:
            one = [UUID(told["id"])] if "id" in told else []  # what is destroyed is named no more
            mine = services().guard.visible(session, identity()).where(Record.id.in_(one))
            record = session.scalars(mine).one_or_none()
            return f"{words[0]}: {record.archive_number or record.title}" if record else words[0]
        category = told.get("category") or (told.get("id") if row.kind is HoldKind.CATEGORY else None)
        if category and (found := session.get(Category, UUID(category))):
            words.append(f"{found.code} {named(found.names, locale)}")
        if row.kind is HoldKind.SHELF and may(Act.SEE_SHELVES):
            shelf = session.get_one(ShelfPlace, UUID(told["id"]))
            words.append(f"{shelf.path} {named(shelf.names, locale)}".strip())
        if path := told.get("path"):
            standing = session.scalars(select(Place).where(Place.path == path)).first()
            words.append(f"{path.rstrip('/')} {named(standing.names, locale) if standing else ''}".strip())
    words += [" ".join(told["words"])] if told.get("words") else []
    words += [told["responsible"]] if told.get("responsible") else []
    days = [told.get(name, "") for name in ("since", "until")]
    words += [" – ".join(days).strip()] if any(days) else []
    return " · ".join(words)
