"""The form that invites someone: who they are, what they may do, and all that they may read, in one step."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext as _

from archive.errors import Fault, InvalidInput
from archive.house.levels import mark as level_mark
from archive.identity import OFFICERS, Role
from archive.people.grants import GrantOn
from archive.people.holdings import PostGiven
from web.asking import Field, Form, key_typed
from web.directory import CategoryShown
from web.i18n import LANGUAGE_NAMES, current_locale
from web.services import identity, services
from web.words import named
from web.words.roles import role_help, role_word

MANY = 12
"""So many branches of schemes are shown at once; more are folded."""


def roles_typed() -> set[Role]:
    """Return the roles that are ticked."""
    known = set(Role)
    return {Role(text) for text in request.form.getlist("roles") if text in known}


def no_role() -> set[Role]:
    """Say that a role is needed."""
    raise InvalidInput(Fault("roles", "required"))


def roles_field() -> Field:
    """Return the field of roles."""
    locale = current_locale()
    words = [(role.value, role_word(role, locale), role_help(role, locale)) for role in Role]
    return Field("roles", _("Roles"), kind="ticks", options=words)


def clearance_field() -> Field:
    """Return the field of the clearance."""
    levels = services().directory.levels()
    options = [(rank, f"{level.symbol} {level_mark(level, current_locale())}") for rank, level in levels.items()]
    return Field(
        "clearance",
        _("Clearance"),
        kind="choose",
        options=options,
        none=_("none"),
        help=_("The highest level the person may read. Reading also needs a grant, being named, or a loan."),
    )


def post_fields() -> tuple[Field, Field]:
    """Return the fields of a post in a department."""
    locale = current_locale()
    posts = [(row.id, named(row.names, locale)) for row in services().house.organisation.posts(identity())]
    departments = [(row.id, f"{row.code} {named(row.names, locale)}") for row in services().directory.departments()]
    return (
        Field("post", _("Post"), kind="choose", options=posts, none=_("choose one"), must=True),
        Field("department", _("Department"), kind="choose", options=departments, none=_("choose one"), must=True),
    )


def _optional_post() -> list[Field]:
    post, department = post_fields()
    if not (post.options and department.options):
        return []
    told = _("Levels are distributed to posts and departments: with the post comes what is distributed to it.")
    return [
        Field("post", post.words, kind="choose", options=post.options, none=_("none"), help=told),
        Field("department", department.words, kind="choose", options=department.options, none=_("none")),
    ]


def _uppermost() -> list[CategoryShown]:
    return [each for each in services().directory.categories() if each.depth == 0]


def _reading_fields() -> list[Field]:
    locale, fonds = current_locale(), services().directory.fonds()
    whole = [(str(key), f"{row.code} {named(row.names, locale)}") for key, row in fonds.items()]
    branches = [
        (str(each.id), f"{fonds[each.fonds_id].code} · {each.code} {named(each.names, locale)}")
        for each in _uppermost()
        if each.fonds_id in fonds
    ]
    told = _(
        "Up to the clearance. Without a fonds or a category, the person reads only what names them or is lent to them."
    )
    below = _("Each with all below it. A narrower branch, a place or days are given on the person's page.")
    return [
        Field("fonds", _("May read in whole fonds"), kind="ticks", options=whole, help=told),
        Field(
            "categories",
            _("May read in these categories alone"),
            kind="ticks",
            options=branches,
            folded=len(branches) > MANY,
            help=below,
        ),
    ]


def invite_form() -> Form:
    """Return the form."""
    people = url_for("people.every")
    return Form(
        heading=_("Invite someone"),
        intro=_("You get a link to hand over. It is valid for 7 days, once. The account stays closed until then."),
        fields=[
            Field("name", _("Full name"), must=True, limit=100),
            Field(
                "login", _("Sign-in name"), must=True, limit=64, help=_("Letters, digits and marks; it never changes.")
            ),
            roles_field(),
            clearance_field(),
            *_reading_fields(),
            *_optional_post(),
            Field(
                "locale",
                _("Language"),
                kind="choose",
                options=list(LANGUAGE_NAMES.items()),
                none=_("as the browser asks"),
            ),
        ],
        button=_("Make the link"),
        back=people,
        crumbs=[(people, _("People")), (None, _("Invite someone"))],
        chosen={"roles": [Role.STAFF.value]},
    )


def post_typed() -> PostGiven | None:
    """Return the post that is chosen, or None. Raises ``InvalidInput`` when post or department alone is chosen."""
    post, department = key_typed("post"), key_typed("department")
    if post is None and department is None:
        return None
    if post is None or department is None:
        raise InvalidInput(Fault("post" if post is None else "department", "post_and_department"))
    return PostGiven(post, department)


def grants_typed(roles: Iterable[Role]) -> Sequence[GrantOn]:
    """Return the grants that are ticked; a category of a fonds that is given whole adds nothing.

    Raises:
        InvalidInput: what is ticked is not there, or an officer would read.
    """
    fonds = _ticked("fonds", set(services().directory.fonds()))
    uppermost = {each.id: each.fonds_id for each in _uppermost()}
    categories = [key for key in _ticked("categories", set(uppermost)) if uppermost[key] not in fonds]
    if OFFICERS & set(roles) and (fonds or categories):
        raise InvalidInput(Fault("fonds" if fonds else "categories", "officers_read_nothing"))
    return [*(GrantOn(fonds_id=key) for key in fonds), *(GrantOn(category_id=key) for key in categories)]


def _ticked(name: str, known: set[UUID]) -> list[UUID]:
    typed = dict.fromkeys(request.form.getlist(name))
    offered = {str(key): key for key in known}
    if not typed.keys() <= offered.keys():
        raise InvalidInput(Fault(name, "unknown"))
    return [offered[text] for text in typed]
