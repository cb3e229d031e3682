"""Corrections of filed records: asked for, looked at with before and after beside each other, decided."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.corrections import CORRECTABLE, Correction
from archive.errors import ArchiveError, Conflict, InvalidInput, NotAllowed, WrongState
from archive.model import Category, Department, Place, RecordState
from archive.policy.rules import Act
from archive.scheme.fields import parse_fields
from web import paging
from web.describing import record_form
from web.describing.record_pages import category_shown, form_again, form_page, full_view
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.faults import explain, field_label, state_words, status_of
from web.words.records import MATERIALS, MEDIA, field_value, importance_words, term_words, word

pages = Blueprint("corrections", __name__)

PAGE = 50


@pages.get("/records/<uuid:record_id>/correct")
def new(record_id: UUID) -> str:
    """Show the form of a filed record, to ask for a correction."""
    view = full_view(record_id)
    if view.record.state is not RecordState.FILED or Act.ASK_CORRECTION not in view.acts:
        raise WrongState(state=view.record.state.value, act=Act.ASK_CORRECTION.value)
    values = record_form.values_of(view.record, view.fields, view.place)
    values["term"] = view.record.term
    return form_page(category_shown(str(view.category.id)), values, view=view, correcting=True)


@pages.post("/records/<uuid:record_id>/correct")
def ask(record_id: UUID) -> BaseResponse:
    """Ask for a correction; nothing typed is lost when a field is at fault."""
    view = full_view(record_id)
    category = category_shown(str(view.category.id))
    try:
        changes = record_form.changes(request.form, category, services().directory, view.fields)
        if term := request.form.get("term", "").strip():
            changes["term"] = term[:16]
        why = request.form.get("reason", "")
        key = services().corrections.ask(identity(), record_id, changes, why, record_form.version(request.form))
    except ArchiveError as error:
        return form_again(error, category, view, correcting=True)
    flash(_("The correction is asked for. Someone else decides on it."))
    return redirect(url_for("corrections.show", approval_id=key), 303)


@pages.get("/corrections")
def every() -> str:
    """List what waits for this person's decision, or what they asked for."""
    own = request.args.get("own") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().corrections.list(identity(), own=own, after=after, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        last = shown[-1][0]
        more = url_for("corrections.every", own=1 if own else None, after=paging.told((last.asked_at, last.id)))
    people = services().directory.people(each.asked_by for each, _record in shown)
    return render_template("corrections.html", found=shown, own=own, more=more, people=people)


@pages.get("/corrections/<uuid:approval_id>")
def show(approval_id: UUID) -> str:
    """Show one request: what would change, before and after, and why."""
    return _page(services().corrections.show(identity(), approval_id))


@pages.post("/corrections/<uuid:approval_id>/decide")
def decide(approval_id: UUID) -> BaseResponse:
    """Approve or refuse a request."""
    approve = request.form.get("decision") == "approve"
    try:
        services().corrections.decide(identity(), approval_id, request.form.get("reason", ""), approve=approve)
    except (InvalidInput, NotAllowed, WrongState, Conflict) as error:
        page = _page(services().corrections.show(identity(), approval_id), lines=explain(error, current_locale()))
        return make_response(page, status_of(error))
    flash(_("The record is corrected.") if approve else _("The correction is refused; the record stays as it is."))
    return redirect(url_for("corrections.show", approval_id=approval_id), 303)


@pages.post("/corrections/<uuid:approval_id>/withdraw")
def withdraw(approval_id: UUID) -> BaseResponse:
    """Take back one's own request."""
    services().corrections.withdraw(identity(), approval_id)
    flash(_("The request is taken back."))
    return redirect(url_for("corrections.show", approval_id=approval_id), 303)


def _page(found: Correction, lines: list[str] | None = None) -> str:
    with services().db.reading() as session:
        rows = list(_rows(session, found))
    people = services().directory.people((found.approval.asked_by, found.approval.decided_by))
    return render_template(
        "correction.html", found=found, rows=rows, people=people, lines=lines or [],
        typed=request.form.get("reason", ""),
    )  # fmt: skip


def _rows(session: Session, found: Correction) -> Iterator[tuple[str, str, str]]:
    """Yield what would change: label, before, after."""
    locale = current_locale()
    for name in CORRECTABLE:
        if name in found.after:
            before, after = (part_told(session, name, values[name]) for values in (found.before, found.after))
            yield field_label(name, locale), before, after
    own = {each.name: each for each in parse_fields(session.get_one(Category, found.record.category_id).fields)}
    for name, value in found.after["fields"].items():
        told = [
            "" if each is None else field_value(own[name], each, locale) if name in own else str(each)
            for each in (found.before["fields"].get(name), value)
        ]
        yield own[name].label(locale) if name in own else name, told[0], told[1]


def part_told(session: Session, name: str, value: Any) -> str:
    """Write a part of a description as its record's page does."""
    locale = current_locale()
    if value is None:
        return ""
    if name == "department_id":
        return named(session.get_one(Department, UUID(value)).names, locale)
    if name == "place_id":
        place = session.get_one(Place, UUID(value))
        return f"{named(place.names, locale)} {place.path.rstrip('/')}"
    return _WORDS[name](value, locale) if name in _WORDS else str(value)


_WORDS: Mapping[str, Callable[[Any, str], str]] = {
    "term": term_words,
    "medium": partial(word, MEDIA),
    "importance": importance_words,
    "material": partial(word, MATERIALS),
    "keywords": lambda value, _locale: "，".join(value),
}


@pages.app_template_filter("request_state")
def in_words(state: str) -> str:
    """Return in words where a request stands."""
    return state_words(state, current_locale())
