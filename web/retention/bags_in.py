"""Bags of other archives: which ZIP comes in, how far it is, and what it came to."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model.handin import BagIntake, BagState
from archive.policy.rules import Act
from web import paging
from web.asking import Field, Form, again, require, shown, whole_typed
from web.i18n import current_locale
from web.services import identity, services
from web.words import mark, named
from web.words.faults import explain, explain_fault, status_of
from web.words.retention import said

pages = Blueprint("bags_in", __name__, url_prefix="/transfers/in")

PAGE = 50

STATES: Mapping[str, str] = {
    BagState.RUNNING: mark("coming in"),
    BagState.DONE: mark("came in"),
    BagState.FAILED: mark("did not come in"),
    BagState.STOPPED: mark("stopped"),
}


@pages.get("")
def every() -> str:
    """List the bags that a person takes in or took in."""
    after = paging.read(request.args.get("after", ""))
    found = services().receiving.every(identity(), after=after, limit=PAGE + 1)
    rows, last = paging.page(found, PAGE, lambda row: paging.told((row.begun_at, row.id)))
    return render_template("bags_in.html", rows=rows, states=_states(), more=last and url_for(".every", after=last))


@pages.get("/new")
def new() -> BaseResponse:
    """Ask which bag comes in, and where its records go."""
    require(Act.MANAGE_TRANSFERS)
    return shown(_form())


@pages.post("/new")
def begin() -> BaseResponse:
    """Begin to take a bag in."""
    try:
        key = services().receiving.start(identity(), _key("record"), _key("category"), whole_typed("level"))
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The bag is being verified; then its records come in as drafts."))
    return redirect(url_for("bags_in.show", bag_id=key), 303)


@pages.get("/<uuid:bag_id>")
def show(bag_id: UUID) -> str:
    """Show how far a bag is."""
    return _page(bag_id)


@pages.post("/<uuid:bag_id>/stop")
def stop(bag_id: UUID) -> BaseResponse:
    """Stop; what came in stays."""
    return _act(bag_id, _("Stopped. Nothing is lost; go on when you like."), stop=True)


@pages.post("/<uuid:bag_id>/again")
def go_on(bag_id: UUID) -> BaseResponse:
    """Go on."""
    return _act(bag_id, _("It goes on."), stop=False)


def _act(bag_id: UUID, done: str, *, stop: bool) -> BaseResponse:
    receiving = services().receiving
    try:
        (receiving.stop if stop else receiving.again)(identity(), bag_id, whole_typed("version"))
    except NotFound:
        raise
    except ArchiveError as error:
        return make_response(_page(bag_id, explain(error, current_locale())), status_of(error))
    flash(done)
    return redirect(url_for("bags_in.show", bag_id=bag_id), 303)


def _page(bag_id: UUID, lines: list[str] | None = None) -> str:
    row = services().receiving.show(identity(), bag_id)
    after = paging.read_id(request.args.get("after", ""))
    found, count = services().receiving.drafts(identity(), bag_id, after=after, limit=PAGE + 1)
    drafts, last = paging.page(found, PAGE, lambda each: each.id.hex)
    return render_template(
        "bag_in.html", row=row, states=_states(), why=_why(row), lines=lines or [], drafts=drafts, count=count,
        more=last and url_for(".show", bag_id=bag_id, after=last, _anchor="drafts"),
    )  # fmt: skip


def _why(row: BagIntake) -> str:
    code, _gap, field = row.fault.partition(" ")
    return explain_fault(Fault(field or "bag", code), current_locale()) if code else ""


def _states() -> dict[str, str]:
    locale = current_locale()
    return {str(key): said(STATES, key, locale) for key in STATES}


def _key(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        raise InvalidInput(Fault(name, "required")) from None


def _form() -> Form:
    locale, back = current_locale(), url_for("bags_in.every")
    offered = services().receiving.offered(identity())
    levels = sorted(services().directory.levels().values(), key=lambda each: -each.rank)
    fields = [
        Field("record", _("Record that holds the bag"), kind="choose", must=True, none="—",
              options=[(str(key), f"{title} ({name})") for key, title, name in offered],
              help=_("First catalogue a draft, of the level of what is in the bag, and send the ZIP to it like any "
                     "file; then it stands here.")),
        Field("category", _("Category"), kind="choose", must=True, none="—",
              options=[(str(row.id), f"{row.code} {named(row.names, locale)}")
                       for row in services().directory.categories()]),
        Field("level", _("Level of records whose own is not known here"), kind="choose", must=True,
              options=[(str(each.rank), named(each.names, locale)) for each in levels]),
    ]  # fmt: skip
    return Form(
        _("Take in a bag"), fields, _("Verify it and take it in"), back,
        crumbs=[(url_for("transfers.every"), _("Transfers")), (back, _("Bags that come in")),
                (None, _("Take in a bag"))],
        intro=_("Every byte is checked against the bag's manifests first; nothing comes in of one that is not whole."),
    )  # fmt: skip
