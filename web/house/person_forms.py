"""Forms on accounts: invite, roles, clearance, posts, grants, custody."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.house.levels import mark as level_mark
from archive.people.roster import Sheet
from archive.policy.rules import Act
from web.asking import (
    Crumbs,
    Field,
    Form,
    again,
    day_typed,
    days,
    key_needed,
    key_typed,
    require,
    shown,
    whole_typed,
)
from web.house.inviting import (
    clearance_field,
    grants_typed,
    invite_form,
    no_role,
    post_fields,
    post_typed,
    roles_field,
    roles_typed,
)
from web.house.people import back, handed_over
from web.i18n import current_locale
from web.services import identity, services
from web.words import named

pages = Blueprint("person", __name__, url_prefix="/house/people")

Answer = BaseResponse


@pages.get("/invite")
def new() -> Answer:
    """Ask whom to invite."""
    require(Act.MANAGE_PEOPLE)
    return shown(invite_form())


@pages.post("/invite")
def invite() -> Answer:
    """Add an account that its link opens, and show the link once."""
    require(Act.MANAGE_PEOPLE)  # before the form, which is not for everyone, is shown again
    typed = request.form
    try:
        given = roles_typed() or no_role()
        link = services().house.invitations.invite(
            identity(),
            login=typed.get("login", ""),
            name=typed.get("name", ""),
            roles=given,
            clearance=whole_typed("clearance"),
            locale=typed.get("locale") or None,
            post=post_typed(),
            grants=grants_typed(given),
        )
    except ArchiveError as error:
        return again(invite_form(), error)
    return handed_over(link)


def _of(sheet: Sheet, heading: str, fields: list[Field], button: str, **more: Any) -> Form:
    here = url_for("people.show", person_id=sheet.person.id)
    crumbs: Crumbs = [(url_for("people.every"), _("People")), (here, sheet.person.name), (None, heading)]
    return Form(heading=heading, fields=fields, button=button, back=here, crumbs=crumbs, **more)


def _roles_form(sheet: Sheet) -> Form:
    told = _("The three officers exclude each other and every other role. The change holds from the next click on.")
    chosen = {"roles": [role.value for role in sheet.roles]}
    return _of(sheet, _("Roles"), [roles_field()], _("Save"), intro=told, chosen=chosen)


@pages.get("/<uuid:person_id>/roles")
def roles(person_id: UUID) -> Answer:
    """Ask for the roles."""
    return shown(_roles_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/roles")
def set_roles(person_id: UUID) -> Answer:
    """Set the roles."""
    try:
        services().people.set_roles(identity(), person_id, roles_typed() or no_role())
    except ArchiveError as error:
        return again(_roles_form(services().house.roster.show(identity(), person_id)), error)
    flash(_("The roles are changed; they hold from now on."))
    return back(person_id)


def _clearance_form(sheet: Sheet) -> Form:
    values = {"clearance": sheet.person.clearance or ""}
    return _of(sheet, _("Clearance"), [clearance_field()], _("Save"), values=values)


@pages.get("/<uuid:person_id>/clearance")
def clearance(person_id: UUID) -> Answer:
    """Ask for the clearance."""
    return shown(_clearance_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/clearance")
def set_clearance(person_id: UUID) -> Answer:
    """Set the clearance."""
    try:
        services().people.set_clearance(identity(), person_id, whole_typed("clearance"))
    except ArchiveError as error:
        return again(_clearance_form(services().house.roster.show(identity(), person_id)), error)
    flash(_("The clearance is changed; it holds from now on, in search too."))
    return back(person_id)


def _post_form(sheet: Sheet) -> Form:
    fields = [*post_fields(), *days()]
    told = _("Levels are distributed to posts and departments: with the post comes what is distributed to it.")
    return _of(sheet, _("Give a post"), fields, _("Give the post"), intro=told)


@pages.get("/<uuid:person_id>/posts/new")
def new_post(person_id: UUID) -> Answer:
    """Ask for a post."""
    return shown(_post_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/posts/new")
def give_post(person_id: UUID) -> Answer:
    """Give a post."""
    try:
        post, department = key_needed("post"), key_needed("department")
        since, until = day_typed("since"), day_typed("until")
        services().people.assign_post(identity(), person_id, post, department, since, until)
    except ArchiveError as error:
        return again(_post_form(services().house.roster.show(identity(), person_id)), error)
    flash(_("The post is given."))
    return back(person_id)


def _end_post_form(sheet: Sheet) -> Form:
    field = Field(
        "until", _("Last day"), must=True, kind="day", help=_("The post and what comes with it end with this day.")
    )
    today = {"until": services().guard.day().isoformat()}
    return _of(sheet, _("End the post"), [field], _("End the post"), values=today)


@pages.get("/<uuid:person_id>/posts/<uuid:holding_id>/end")
def ending_post(person_id: UUID, holding_id: UUID) -> Answer:  # noqa: ARG001  (the address names it for the form)
    """Ask for a post's last day."""
    return shown(_end_post_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/posts/<uuid:holding_id>/end")
def end_post(person_id: UUID, holding_id: UUID) -> Answer:
    """End a post with a day."""
    try:
        last = day_typed("until")
        if last is None:
            raise InvalidInput(Fault("until", "required"))
        services().people.end_post(identity(), holding_id, last)
    except ArchiveError as error:
        return again(_end_post_form(services().house.roster.show(identity(), person_id)), error)
    flash(_("The post ends with %(day)s.", day=last.isoformat()))
    return back(person_id)


def _grant_form(sheet: Sheet) -> Form:
    directory, locale = services().directory, current_locale()
    fonds = directory.fonds()
    whole = [(key, f"{row.code} {named(row.names, locale)}") for key, row in fonds.items()]
    branches = [
        (each.id, f"{fonds[each.fonds_id].code} · {each.code} {named(each.names, locale)}")
        for each in directory.categories()
        if each.fonds_id in fonds
    ]
    fields = [
        Field("fonds", _("Fonds"), kind="choose", options=whole, none="—",
              help=_("The whole fonds, or the fonds of the place.")),
        Field("category", _("Branch of the scheme"), kind="choose", options=branches, none=_("not narrowed"),
              help=_("This category and all below it; leave the fonds empty then.")),
        Field("place", _("Place"), limit=200,
              help=_("The place and all below it, by its code: A001/02. Choose its fonds above.")),
        *days(),
    ]  # fmt: skip
    told = _(
        "A grant opens what is filed there, up to the clearance and as far as the level is distributed to the person."
    )
    return _of(sheet, _("Give a grant"), fields, _("Give the grant"), intro=told)


@pages.get("/<uuid:person_id>/grants/new")
def new_grant(person_id: UUID) -> Answer:
    """Ask for a grant."""
    return shown(_grant_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/grants/new")
def give_grant(person_id: UUID) -> Answer:
    """Give a grant on a fonds, a branch, or a place."""
    try:
        fonds, category, place = key_typed("fonds"), key_typed("category"), _place_typed()
        if place is not None:
            fonds = None
        services().house.rights.grant(
            identity(), person_id, fonds_id=fonds, category_id=category, place_id=place,
            since=day_typed("since"), until=day_typed("until"),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_grant_form(services().house.roster.show(identity(), person_id)), error)
    flash(_("The grant is given."))
    return back(person_id)


def _place_typed() -> UUID | None:
    text = request.form.get("place", "").strip()
    if not text:
        return None
    fonds = key_typed("fonds")
    if fonds is None:
        raise InvalidInput(Fault("fonds", "required"))
    found = services().directory.place_at(fonds, text)
    if found is None:
        raise InvalidInput(Fault("place", "unknown"))
    return found.id


def _custody_form(sheet: Sheet) -> Form:
    levels = services().directory.levels()
    options = [(str(rank), f"{level.symbol} {level_mark(level, current_locale())}") for rank, level in levels.items()]
    field = Field("levels", _("Levels in custody"), kind="ticks", options=options)
    told = _("A custodian sees number, place, dates and acts of these levels' records, never title, people or text.")
    chosen = {"levels": [str(rank) for rank in sheet.custody]}
    return _of(sheet, _("Custody"), [field], _("Save"), intro=told, chosen=chosen)


@pages.get("/<uuid:person_id>/custody")
def custody(person_id: UUID) -> Answer:
    """Ask for the levels in custody."""
    return shown(_custody_form(services().house.roster.show(identity(), person_id)))


@pages.post("/<uuid:person_id>/custody")
def set_custody(person_id: UUID) -> Answer:
    """Entrust the chosen levels, and end the custody of the others."""
    sheet = services().house.roster.show(identity(), person_id)
    wanted = {
        int(text) for text in request.form.getlist("levels") if text.isascii() and text.isdigit() and len(text) < 4
    }
    try:
        services().house.rights.set_custody(identity(), person_id, wanted)
    except ArchiveError as error:
        return again(_custody_form(sheet), error)
    flash(_("The custody is changed."))
    return back(person_id)
