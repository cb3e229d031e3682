"""Levels: their names and marks, to whom each is distributed, and need-to-know groups."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.house.levels import every as every_level
from archive.house.levels import mark as level_mark
from archive.model import Security
from archive.policy.rules import Act
from web.asking import (
    Field,
    Form,
    again,
    key_needed,
    key_typed,
    name_fields,
    names_typed,
    require,
    shown,
    whole_typed,
)
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.shelves import SECURITIES

pages = Blueprint("levels", __name__, url_prefix="/house/levels")


@pages.get("")
def show() -> str:
    """Show the levels, the highest first, each with its distribution, and the groups."""
    rows = services().house.rights.distributions(identity())
    with services().db.reading() as session:
        levels = every_level(session)
    posts = {row.id: row.names for row in services().house.organisation.posts(identity())}
    departments = {row.id: row.names for row in services().house.organisation.departments(identity())}
    return render_template(
        "house/levels.html",
        rows=list(reversed(levels)),
        distributions={level.rank: [row for row in rows if row.level_rank == level.rank] for level in levels},
        posts=posts,
        departments=departments,
        groups=services().house.groups.every(identity()),
        fonds=services().directory.fonds(),
        shelved=services().shelving.tree.rules(),
    )


def _form(heading: str, fields: list[Field], button: str, **more: Any) -> Form:
    here = url_for("levels.show")
    return Form(heading, fields, button, here, crumbs=[(here, _("Levels")), (None, heading)], **more)


def _distribute_form() -> Form:
    locale, house = current_locale(), services().house.organisation
    levels = services().directory.levels()
    posts = [(row.id, named(row.names, locale)) for row in house.posts(identity())]
    departments = [(row.id, f"{row.code} {named(row.names, locale)}") for row in services().directory.departments()]
    options = [(rank, f"{level.symbol} {level_mark(level, locale)}") for rank, level in reversed(levels.items())]
    fields = [
        Field("level", _("Secrecy level"), kind="choose", options=options, help=_("This level and those below it.")),
        Field("post", _("Post"), kind="choose", options=posts, none=_("any post")),
        Field("department", _("Department"), kind="choose", options=departments, none=_("any department")),
    ]
    intro = _("Both together mean: who holds this post in this department. Neither means: all staff.")
    told = _("Whoever is added still needs the clearance and a grant to read. It holds from now on.")
    values = {"level": request.args.get("level", "")}
    return _form(_("Distribute a level"), fields, _("Distribute"), intro=intro, told=told, values=values)


@pages.get("/distributions/new")
def new() -> BaseResponse:
    """Ask to whom a level goes."""
    require(Act.MANAGE_LEVELS)
    return shown(_distribute_form())


@pages.post("/distributions/new")
def distribute() -> BaseResponse:
    """Distribute a level."""
    try:
        services().house.rights.distribute(
            identity(), whole_typed("level"), post_id=key_typed("post"), department_id=key_typed("department")
        )
    except ArchiveError as error:
        return again(_distribute_form(), error)
    flash(_("The level is distributed; it holds from now on."))
    return redirect(url_for("levels.show"), 303)


@pages.post("/distributions/<uuid:distribution_id>/withdraw")
def withdraw(distribution_id: UUID) -> BaseResponse:
    """Take a distribution back."""
    services().house.rights.withdraw(identity(), distribution_id)
    flash(_("The distribution is taken back; it holds from now on, in search too."))
    return redirect(url_for("levels.show"), 303)


def _group_form() -> Form:
    fonds = [
        (key, f"{row.code} {named(row.names, current_locale())}") for key, row in services().directory.fonds().items()
    ]
    fields = [
        Field("fonds", _("Fonds"), kind="choose", options=fonds, none=_("choose one"), must=True),
        name_fields(),
        Field("number_mark", _("Number mark"), must=True, limit=2,
              help=_("One or two capitals that no level and no other group has. Numbers show it.")),
    ]  # fmt: skip
    intro = _("Records of a group are read only by the people named on them, and by approved loans.")
    return _form(_("Add a need-to-know group"), fields, _("Add"), intro=intro)


def _shelving_form() -> Form:
    locale, rules = current_locale(), services().shelving.tree.rules()
    options = [(key, _(words)) for key, words in SECURITIES.items()]
    fields = [
        Field(f"level-{rank}", f"{level.symbol} {level_mark(level, locale)}", kind="choose", options=options)
        for rank, level in reversed(services().directory.levels().items())
    ]
    intro = _("What a place must be at least for the papers of a level. A shelving that breaks the rule is refused.")
    told = _("Papers that lie elsewhere stay where they are and are listed as to be moved.")
    values = {f"level-{rank}": security.value for rank, security in rules.items()}
    return _form(_("Where each level may lie"), fields, _("Save"), intro=intro, told=told, values=values)


@pages.get("/shelving")
def shelving() -> BaseResponse:
    """Ask where the papers of each level may lie."""
    require(Act.MANAGE_LEVELS)
    return shown(_shelving_form())


@pages.post("/shelving")
def set_shelving() -> BaseResponse:
    """Say where the papers of each level may lie."""
    require(Act.MANAGE_LEVELS)
    try:
        wanted = {}
        for rank, before in services().shelving.tree.rules().items():
            text = request.form.get(f"level-{rank}", before.value)
            if text not in set(Security):
                raise InvalidInput(Fault(f"level-{rank}", "unknown"))
            if Security(text) is not before:
                wanted[rank] = Security(text)
        for rank, security in wanted.items():
            services().shelving.tree.set_rule(identity(), rank, security)
    except ArchiveError as error:
        return again(_shelving_form(), error)
    flash(_("The rule is changed; it holds from now on."))
    return redirect(url_for("levels.show"), 303)


@pages.get("/groups/new")
def new_group() -> BaseResponse:
    """Ask for a group."""
    require(Act.MANAGE_LEVELS)
    return shown(_group_form())


@pages.post("/groups/new")
def add_group() -> BaseResponse:
    """Add a group."""
    try:
        mark = request.form.get("number_mark", "").strip()
        services().house.groups.add(identity(), key_needed("fonds"), mark, names_typed())
    except ArchiveError as error:
        return again(_group_form(), error)
    flash(_("The group is there; an archivist puts records under it by its mark."))
    return redirect(url_for("levels.show"), 303)
