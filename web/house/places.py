"""Places: the property tree one level at a time, adding, renaming and facts."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError
from archive.house.places import STEPS
from archive.model import Fonds, Place, PlaceKind
from archive.policy.rules import Act
from archive.scheme.fields import FieldDef
from web.asking import (
    Crumbs,
    Field,
    Form,
    again,
    name_fields,
    names_typed,
    names_values,
    own_fields,
    require,
    shown,
    whole_typed,
)
from web.house.fonds import fonds_of
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.roles import place_kind

pages = Blueprint("places", __name__, url_prefix="/house/places")


@pages.get("")
def every() -> str | BaseResponse:
    """Choose a fonds; the only one is chosen at once."""
    require(Act.MANAGE_SCHEME)
    fonds = services().directory.fonds()
    if len(fonds) == 1:
        return redirect(url_for("places.show", fonds_id=next(iter(fonds))))
    return render_template("house/places_fonds.html", fonds=fonds)


@pages.get("/<uuid:fonds_id>")
def show(fonds_id: UUID) -> str:
    """Show a place with its facts and what lies directly below it; without a place, the projects."""
    row, here = fonds_of(fonds_id), _here(fonds_id)
    places = services().house.places
    rows = places.below(identity(), fonds_id, here.id if here else None)
    facts: list[tuple[FieldDef, Any]] = []
    if here is not None:
        facts = [
            (each, here.facts[each.name]) for each in places.fields(identity(), here.id) if each.name in here.facts
        ]
    return render_template(
        "house/places.html",
        fonds=row,
        here=here,
        rows=rows,
        counts=places.counts(identity(), [each.id for each in rows]),
        facts=facts,
        types=_type_names(),
        next_kind=_next(here),
        crumbs=_crumbs(row, here),
    )


def _here(fonds_id: UUID) -> Place | None:
    path = request.args.get("at", "").strip("/")[:200]
    return services().house.places.at(identity(), fonds_id, path) if path else None


def _next(here: Place | None) -> PlaceKind | None:
    step = STEPS.index(here.kind) + 1 if here else 0
    return STEPS[step] if step < len(STEPS) else None


def _crumbs(row: Fonds, here: Place | None, heading: str | None = None) -> Crumbs:
    """Return the way to a place, and to a form on it."""
    locale = current_locale()
    ways: list[tuple[str | None, str]] = [
        (url_for("places.every"), _("Places")),
        (url_for("places.show", fonds_id=row.id), f"{row.code} {named(row.names, locale)}"),
    ]
    if here is not None:
        names = services().directory.place_names(here.path, row.id)
        steps = here.path.strip("/").split("/")
        for n, each in enumerate(names):
            path = "/".join(steps[: n + 1])
            ways.append((url_for("places.show", fonds_id=row.id, at=path), named(each, locale)))
    return [*ways, (None, heading)] if heading else [*ways[:-1], (None, ways[-1][1])]


def _type_names() -> dict[str, dict[str, str]]:
    return {each["code"]: each["names"] for each in services().house.places.rules.data["property_types"]}


def _back(fonds_id: UUID, here: Place | None) -> str:
    return url_for("places.show", fonds_id=fonds_id, at=here.path.rstrip("/") if here else None)


def _new_form(row: Fonds, here: Place | None) -> Form:
    kind, locale = _next(here) or PlaceKind.ROOM, current_locale()
    form = services().house.places.rules.data["kinds"][kind.value]
    how = (
        _(
            "A capital letter for the property type, then up to %(digits)s digits: A001.",
            digits=form.get("serial_width"),
        )
        if form["code"] == "letter_serial"
        else _("Up to %(digits)s digits; zeros are put before.", digits=form.get("width"))
    )
    fields = [Field("code", _("Code"), must=True, limit=8, help=how), name_fields()]
    if kind is PlaceKind.PROJECT:
        options = [(code, named(names, locale)) for code, names in _type_names().items()]
        fields.append(
            Field("property_types", _("Property types"), kind="ticks", options=options,
                  help=_("The code begins with the letter of the first one that is ticked."))
        )  # fmt: skip
    heading = _("Add: %(kind)s", kind=place_kind(kind, locale))
    return Form(heading, fields, _("Add"), _back(row.id, here), crumbs=_crumbs(row, here, heading))


@pages.get("/<uuid:fonds_id>/new")
def new(fonds_id: UUID) -> BaseResponse:
    """Ask for a place below another, or for a project."""
    return shown(_new_form(fonds_of(fonds_id), _here(fonds_id)))


@pages.post("/<uuid:fonds_id>/new")
def add(fonds_id: UUID) -> BaseResponse:
    """Add a place."""
    row, here = fonds_of(fonds_id), _here(fonds_id)
    try:
        services().house.places.add(
            identity(), fonds_id, kind=_next(here) or PlaceKind.ROOM, code=request.form.get("code", ""),
            names=names_typed(), parent_id=here.id if here else None, types=request.form.getlist("property_types"),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_new_form(row, here), error)
    flash(_("The place is added."))
    return redirect(_back(fonds_id, here), 303)


def _change_form(row: Fonds, here: Place) -> Form:
    own = services().house.places.fields(identity(), here.id)
    values = names_values(here.names) | {each.name: str(here.facts.get(each.name, "")) for each in own}
    heading = _("Change %(name)s", name=named(here.names, current_locale()))
    fields = [name_fields(), *own_fields(own)]
    return Form(
        heading, fields, _("Save"), _back(row.id, here), crumbs=_crumbs(row, here, heading), values=values,
        hidden={"version": here.version},
        intro=_("The code %(code)s stays: numbers hold it. Owners and tenants belong to subjects.", code=here.code),
    )  # fmt: skip


@pages.get("/<uuid:fonds_id>/change")
def changing(fonds_id: UUID) -> BaseResponse:
    """Ask for a place's names and facts."""
    row, here = fonds_of(fonds_id), _here(fonds_id)
    return shown(_change_form(row, here)) if here else redirect(url_for("places.show", fonds_id=fonds_id))


@pages.post("/<uuid:fonds_id>/change")
def change(fonds_id: UUID) -> BaseResponse:
    """Change a place's names and facts."""
    row, here = fonds_of(fonds_id), _here(fonds_id)
    if here is None:
        return redirect(url_for("places.show", fonds_id=fonds_id))
    places = services().house.places
    facts = {each.name: request.form.get(each.name, "") for each in places.fields(identity(), here.id)}
    try:
        places.change(identity(), here.id, version=whole_typed("version"), names=names_typed(), facts=facts)
    except ArchiveError as error:
        return again(_change_form(row, here), error)
    flash(_("The place is changed."))
    return redirect(_back(fonds_id, here), 303)
