"""Fonds: the list, and adding, renaming, closing and joining them."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.closing import is_closed
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import Fonds
from archive.scheme.shipped import SCHEMES, scheme
from web.asking import (
    Field,
    Form,
    again,
    day_typed,
    key_needed,
    name_fields,
    names_typed,
    names_values,
    shown,
    whole_typed,
)
from web.i18n import current_locale
from web.services import identity, services
from web.words import named

pages = Blueprint("fonds", __name__, url_prefix="/house/fonds")


@pages.get("")
def every() -> str:
    """List the fonds, closed ones too."""
    rows, day = services().house.fonds.every(identity()), services().guard.day()
    return render_template(
        "house/fonds.html",
        rows=rows,
        by_id={row.id: row for row in rows},
        is_over=lambda row: is_closed(row.closed_on, day),
    )


def fonds_of(fonds_id: UUID) -> Fonds:
    """Return a fonds, for those who manage schemes. Raises ``NotFound`` and ``NotAllowed``."""
    found = [row for row in services().house.fonds.every(identity()) if row.id == fonds_id]
    if not found:
        raise NotFound
    return found[0]


def _form(heading: str, fields: list[Field], button: str, **more: Any) -> Form:
    here = url_for("fonds.every")
    return Form(heading, fields, button, here, crumbs=[(here, _("Fonds")), (None, heading)], **more)


def _done(words: str) -> BaseResponse:
    flash(words)
    return redirect(url_for("fonds.every"), 303)


def _new_form() -> Form:
    ready = [(code, named(scheme(code).names, current_locale())) for code in SCHEMES]
    fields = [
        Field("code", _("Code"), must=True, limit=8,
              help=_("Letters and digits, at most 8. It stands first in every number, so it never changes.")),
        name_fields(),
        Field("scheme", _("Scheme"), kind="choose", options=ready, none=_("none yet"),
              help=_("A scheme that ships ready to use; your own is imported afterwards.")),
    ]  # fmt: skip
    return _form(_("Add a fonds"), fields, _("Add"))


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a fonds."""
    services().house.fonds.every(identity())
    return shown(_new_form())


@pages.post("/new")
def add() -> BaseResponse:
    """Add a fonds, with a scheme or without."""
    code, chosen = request.form.get("code", "").strip(), request.form.get("scheme", "")
    try:
        ready = scheme(chosen) if chosen in SCHEMES else None
        services().house.fonds.add(identity(), code, names_typed(), ready)
    except ArchiveError as error:
        return again(_new_form(), error)
    return _done(_("%(code)s was added.", code=code))


def _rename_form(row: Fonds) -> Form:
    told = _("The code %(code)s stays: numbers hold it.", code=row.code)
    return _form(
        _("Rename %(name)s", name=named(row.names, current_locale())), [name_fields()], _("Save"), intro=told,
        values=names_values(row.names), hidden={"version": row.version},
    )  # fmt: skip


@pages.get("/<uuid:fonds_id>/rename")
def renaming(fonds_id: UUID) -> BaseResponse:
    """Ask for a fonds' names."""
    return shown(_rename_form(fonds_of(fonds_id)))


@pages.post("/<uuid:fonds_id>/rename")
def rename(fonds_id: UUID) -> BaseResponse:
    """Rename a fonds."""
    try:
        services().house.fonds.rename(identity(), fonds_id, names_typed(), version=whole_typed("version"))
    except ArchiveError as error:
        return again(_rename_form(fonds_of(fonds_id)), error)
    return _done(_("The names are saved."))


def _confirm(row: Fonds) -> Field:
    return Field("confirm", _("Type the code %(code)s to confirm", code=row.code), must=True, limit=40)


def _confirmed(row: Fonds) -> None:
    if request.form.get("confirm", "").strip() != row.code:
        raise InvalidInput(Fault("confirm", "not_the_code", {"wanted": row.code}))


def _first_day(row: Fonds) -> dict[str, Any]:
    return {"values": {"on": services().guard.day().isoformat()}, "hidden": {"version": row.version}, "danger": True}


def _on_field() -> Field:
    return Field("on", _("Closed from"), must=True, kind="day", help=_("From this day on nothing new comes in."))


def _close_form(row: Fonds) -> Form:
    told = _(
        "The fonds and all its categories are closed. What lies there stays, with its numbers; this is not undone."
    )
    heading = _("Close %(name)s", name=named(row.names, current_locale()))
    return _form(heading, [_on_field(), _confirm(row)], _("Close the fonds"), told=told, **_first_day(row))


@pages.get("/<uuid:fonds_id>/close")
def closing(fonds_id: UUID) -> BaseResponse:
    """Ask from which day a fonds is closed."""
    return shown(_close_form(fonds_of(fonds_id)))


@pages.post("/<uuid:fonds_id>/close")
def close(fonds_id: UUID) -> BaseResponse:
    """Close a fonds whose code was typed."""
    row = fonds_of(fonds_id)
    try:
        _confirmed(row)
        services().house.fonds.close(identity(), fonds_id, _on(), version=whole_typed("version"))
    except ArchiveError as error:
        return again(_close_form(row), error)
    return _done(_("The fonds %(code)s is closed.", code=row.code))


def _on() -> Any:
    day = day_typed("on")
    if day is None:
        raise InvalidInput(Fault("on", "required"))
    return day


def _join_form(row: Fonds) -> Form:
    open_ones = services().directory.fonds().values()
    others = [
        (each.id, f"{each.code} {named(each.names, current_locale())}") for each in open_ones if each.id != row.id
    ]
    fields = [
        Field("successor", _("Fonds to join"), kind="choose", options=others, none=_("choose one"), must=True),
        _on_field(),
        _confirm(row),
    ]
    told = _("The fonds is closed and leads to the other. Its papers and numbers stay; later ones go to the other.")
    heading = _("Join %(name)s to another", name=named(row.names, current_locale()))
    return _form(heading, fields, _("Join the fonds"), told=told, **_first_day(row))


@pages.get("/<uuid:fonds_id>/join")
def joining(fonds_id: UUID) -> BaseResponse:
    """Ask which fonds it joins."""
    return shown(_join_form(fonds_of(fonds_id)))


@pages.post("/<uuid:fonds_id>/join")
def join(fonds_id: UUID) -> BaseResponse:
    """Join a fonds, whose code was typed, to another."""
    row = fonds_of(fonds_id)
    try:
        into = key_needed("successor")
        _confirmed(row)
        services().house.fonds.join(identity(), fonds_id, into, _on(), version=whole_typed("version"))
    except ArchiveError as error:
        return again(_join_form(row), error)
    return _done(_("The fonds %(code)s is closed and leads to the other.", code=row.code))
