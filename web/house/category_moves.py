"""A category that is to stand elsewhere in the tree: asked for, shown with what it does to terms, and done."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError
from archive.model import Category, Fonds
from archive.reasons import checked as reason_checked
from web.asking import Field, Form, again, key_typed, shown, whole_typed
from web.house.fonds import fonds_of
from web.house.schemes import category_of, others
from web.i18n import current_locale
from web.services import identity, services
from web.sure import SURE
from web.words import named
from web.words.retention import MOVES, due_words, said

pages = Blueprint("category_moves", __name__, url_prefix="/house/fonds/<uuid:fonds_id>/scheme")

LISTED = 50
"""Records that are listed before a move; all are counted."""


@pages.get("/<uuid:category_id>/move")
def asking(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Ask where a category is to stand, and why."""
    return shown(_form(fonds_of(fonds_id), category_of(fonds_id, category_id)))


@pages.post("/<uuid:category_id>/move")
def move(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Show what a move does to the terms of records; once that is seen, put the category there."""
    row, one = fonds_of(fonds_id), category_of(fonds_id, category_id)
    scheme, reason = services().house.scheme, request.form.get("reason", "")
    try:
        parent = key_typed("parent")
        if request.form.get(SURE) != "1":
            reason = reason_checked(reason)
            scheme.check_move(identity(), category_id, parent)
            return _preview(row, one, parent, reason)
        scheme.move(identity(), category_id, parent, version=whole_typed("version"), reason=reason)
    except ArchiveError as error:
        return again(_form(row, one), error)
    flash(_("The category is moved, with all below it."))
    return redirect(url_for("schemes.category", fonds_id=fonds_id, category_id=category_id), 303)


def _form(row: Fonds, one: Category) -> Form:
    here, name = url_for("schemes.category", fonds_id=row.id, category_id=one.id), named(one.names, current_locale())
    fields = [
        Field(
            "parent", _("Category above"), kind="choose", options=others(row, one), none=_("none: it stands at the top")
        ),
        Field("reason", _("Reason"), must=True, limit=500),
    ]
    return Form(
        _("Move %(name)s", name=name), fields, _("See what changes"), here, values={"parent": str(one.parent_id or "")},
        crumbs=_crumbs(row, one),
        intro=_("All below it goes with it. Level, period, numbers and fields stay as they are."),
        told=_("Who may read a branch reads what stands below it from now on, and no longer what left it. Schedules "
               "and deadlines of categories above hold in the same way."),
        hidden={"version": one.version},
    )  # fmt: skip


def _crumbs(row: Fonds, one: Category) -> list[tuple[str | None, str]]:
    here = url_for("schemes.category", fonds_id=row.id, category_id=one.id)
    name = f"{one.code} {named(one.names, current_locale())}"
    return [(url_for("schemes.show", fonds_id=row.id), row.code), (here, name), (None, _("Move"))]


def _preview(row: Fonds, one: Category, parent: UUID | None, reason: str) -> BaseResponse:
    branches, locale = services().retention.branches, current_locale()
    seen = branches.look(identity(), one.id, parent)
    found = branches.moves(identity(), one.id, parent, limit=LISTED + 1)
    moves = [
        (each, due_words(*each.before, locale), due_words(*each.after, locale), said(MOVES, each.how, locale))
        for each in found[:LISTED]
    ]
    names = [_named(row, key) if key else _("none: it stands at the top") for key in (one.parent_id, parent)]
    page = render_template(
        "house/category_move.html", fonds=row, category=one, seen=seen, moves=moves, cut=len(found) > LISTED,
        counts=[(said(MOVES, how, locale), count) for how, count in seen.preview.counts.items()],
        heading=_("Move %(name)s", name=named(one.names, locale)), crumbs=_crumbs(row, one), above=names[0],
        below=names[1], parent=parent or "", reason=reason, version=whole_typed("version"),
    )  # fmt: skip
    return make_response(page)


def _named(row: Fonds, key: UUID) -> str:
    one = category_of(row.id, key)
    return f"{one.code} {named(one.names, current_locale())}"
