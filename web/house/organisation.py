"""The organisation: departments as a tree, and posts."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.closing import is_closed
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import Department
from archive.policy.rules import Act
from web.asking import (
    Field,
    Form,
    again,
    day_typed,
    key_typed,
    name_fields,
    names_typed,
    names_values,
    require,
    shown,
    whole_typed,
)
from web.i18n import current_locale
from web.services import identity, services
from web.words import named

pages = Blueprint("organisation", __name__, url_prefix="/house/organisation")


@pages.get("")
def show() -> str:
    """Show the departments as a tree, and the posts."""
    require(Act.MANAGE_PEOPLE)
    house, day = services().house.organisation, services().guard.day()
    rows = house.departments(identity())
    return render_template(
        "house/organisation.html",
        departments=list(_tree(rows)),
        posts=house.posts(identity()),
        is_over=lambda row: is_closed(row.until, day),
    )


def _tree(rows: Sequence[Department], parent: UUID | None = None, depth: int = 0) -> Iterator[tuple[int, Department]]:
    for row in rows:
        if row.parent_id == parent:
            yield depth, row
            yield from _tree(rows, row.id, depth + 1)


def _form(heading: str, fields: list[Field], button: str, **more: Any) -> Form:
    here = url_for("organisation.show")
    return Form(heading, fields, button, here, crumbs=[(here, _("Organisation")), (None, heading)], **more)


def _done(words: str) -> BaseResponse:
    flash(words)
    return redirect(url_for("organisation.show"), 303)


def _department(department_id: UUID) -> Department:
    found = [row for row in services().house.organisation.departments(identity()) if row.id == department_id]
    if not found:
        raise NotFound
    return found[0]


def _new_form() -> Form:
    options = [
        (row.id, f"{row.code} {named(row.names, current_locale())}") for row in services().directory.departments()
    ]
    fields = [
        Field("code", _("Code"), must=True, limit=8,
              help=_("Letters and digits, at most 8. It stands in numbers, so it never changes.")),
        name_fields(),
        Field("parent", _("Department above"), kind="choose", options=options, none=_("none: it stands at the top")),
        Field("since", _("From day"), kind="day"),
    ]  # fmt: skip
    values = {"parent": request.args.get("parent", "")}
    return _form(_("Add a department"), fields, _("Add"), values=values)


@pages.get("/departments/new")
def new() -> BaseResponse:
    """Ask for a department."""
    require(Act.MANAGE_PEOPLE)
    return shown(_new_form())


@pages.post("/departments/new")
def add() -> BaseResponse:
    """Add a department."""
    code = request.form.get("code", "").strip()
    try:
        services().house.organisation.add_department(
            identity(), code, names_typed(), parent_id=key_typed("parent"), since=day_typed("since")
        )
    except ArchiveError as error:
        return again(_new_form(), error)
    return _done(_("%(code)s was added.", code=code))


def _rename_form(row: Department) -> Form:
    told = _("The code %(code)s stays: numbers hold it.", code=row.code)
    return _form(
        _("Rename %(name)s", name=named(row.names, current_locale())), [name_fields()], _("Save"), intro=told,
        values=names_values(row.names), hidden={"version": row.version},
    )  # fmt: skip


@pages.get("/departments/<uuid:department_id>/rename")
def renaming(department_id: UUID) -> BaseResponse:
    """Ask for a department's names."""
    require(Act.MANAGE_PEOPLE)
    return shown(_rename_form(_department(department_id)))


@pages.post("/departments/<uuid:department_id>/rename")
def rename(department_id: UUID) -> BaseResponse:
    """Rename a department."""
    version = whole_typed("version")
    try:
        services().house.organisation.rename_department(identity(), department_id, names_typed(), version=version)
    except ArchiveError as error:
        return again(_rename_form(_department(department_id)), error)
    return _done(_("The names are saved."))


def _close_form(row: Department) -> Form:
    field = Field("until", _("Closed from"), must=True, kind="day", help=_("From this day on nothing new comes in."))
    told = _("Its records and its history stay. What is distributed to it, or held in it, is not moved.")
    return _form(
        _("Close %(name)s", name=named(row.names, current_locale())), [field], _("Close the department"), told=told,
        danger=True, values={"until": services().guard.day().isoformat()}, hidden={"version": row.version},
    )  # fmt: skip


@pages.get("/departments/<uuid:department_id>/close")
def closing(department_id: UUID) -> BaseResponse:
    """Ask from which day a department is closed."""
    require(Act.MANAGE_PEOPLE)
    return shown(_close_form(_department(department_id)))


@pages.post("/departments/<uuid:department_id>/close")
def close(department_id: UUID) -> BaseResponse:
    """Close a department."""
    try:
        day = day_typed("until")
        if day is None:
            raise InvalidInput(Fault("until", "required"))
        version = whole_typed("version")
        services().house.organisation.close_department(identity(), department_id, day, version=version)
    except ArchiveError as error:
        return again(_close_form(_department(department_id)), error)
    return _done(_("The department is closed from %(day)s.", day=day.isoformat()))


def _post_form() -> Form:
    code = Field(
        "code", _("Code"), must=True, limit=64, help=_("A short word for lists and commands, for example office_head.")
    )
    return _form(_("Add a post"), [code, name_fields()], _("Add"))


@pages.get("/posts/new")
def new_post() -> BaseResponse:
    """Ask for a post."""
    require(Act.MANAGE_PEOPLE)
    return shown(_post_form())


@pages.post("/posts/new")
def add_post() -> BaseResponse:
    """Add a post."""
    code = request.form.get("code", "").strip()
    try:
        services().house.organisation.add_post(identity(), code, names_typed())
    except ArchiveError as error:
        return again(_post_form(), error)
    return _done(_("%(code)s was added.", code=code))
