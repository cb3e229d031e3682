"""Editing many records: choose what changes, see before and after, run, stop, go on, undo."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.bulk import MOST, Line, Standing
from archive.cataloguing.change import Change
from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.model import BulkState, Category, RowState
from archive.scheme.fields import FieldDef, parse_fields
from indexer.engine import Order
from web import paging
from web.asking import told as told_of
from web.cataloguing.corrections import part_told
from web.custody.dossiers import words_of
from web.describing.importance import step
from web.describing.record_form import place_named
from web.i18n import current_locale
from web.lists import back, readable, ticked
from web.security import local_path
from web.services import identity, services
from web.sheets import FILTERS
from web.words.errors import ERRORS
from web.words.faults import field_label, status_of
from web.words.field_faults import FAULTS
from web.words.records import field_value

pages = Blueprint("bulk", __name__, url_prefix="/bulk")

SHOWN = 200
"""Lines of a page of a preview beside those that are refused, which are all shown."""

PLAIN = ("department", "place", "responsible", "notes", "keywords")
OWN = "f."


@pages.get("")
def every() -> str:
    """List a person's edits, the newest first."""
    return render_template(
        "bulk_list.html", edits=services().bulk.mine(identity()), moves=services().bulk_moves.mine(identity())
    )


@pages.post("/new")
def new() -> BaseResponse:
    """Ask what is changed of the ticked records, or of all that a search finds; then keep it to be looked at."""
    ids = _chosen()
    if not ids:
        flash(_("Choose the records first."))
        return back()
    category = services().bulk.category_of(identity(), ids)
    own = [each for each in parse_fields(category.fields) if not each.protected] if category else []
    if "changing" not in request.form:
        return _ask(ids, own)
    try:
        key = services().bulk.prepare(identity(), ids, _change(own, ids))
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _ask(ids, own, error)
    return redirect(url_for("bulk.show", edit_id=key), 303)


@pages.get("/<uuid:edit_id>")
def show(edit_id: UUID) -> str:
    """Show an edit: before it runs what would change, then how far it is and what became of each record."""
    edit = services().bulk.show(identity(), edit_id)
    lines = services().bulk.preview(identity(), edit_id) if edit.state is BulkState.PREPARED else []
    refused = [each for each in lines if each.error]
    filed = [each for each in refused if isinstance(each.error, WrongState) and each.record]
    good = [each for each in lines if not each.error and each.after]
    after = paging.read_position(request.args.get("after", ""))
    behind = [each for each in good if after is None or each.at > after]
    page, last = paging.page(behind[: SHOWN + 1], SHOWN, lambda each: str(each.at))
    with services().db.reading() as session:
        told = [(each.record, _rows(session, each)) for each in page]
    rest = services().bulk.told(identity(), edit_id, RowState.REFUSED, RowState.KEPT)
    return render_template(
        "bulk.html", edit=edit, told=told, more=last and url_for(".show", edit_id=edit_id, after=last),
        good=len(good), same=len(lines) - len(good) - len(refused), filed=filed,
        refused=[(each.record, _why(each)) for each in refused if each not in filed], counts=_counts(edit),
        rest=[(record, reason(row.reason or "")) for record, row in rest],
        busy=edit.state in {BulkState.RUNNING, BulkState.UNDOING} and edit.unfinished,
    )  # fmt: skip


@pages.post("/<uuid:edit_id>/start")
def start(edit_id: UUID) -> BaseResponse:
    """Have it done, or go on."""
    services().bulk.start(identity(), edit_id)
    return redirect(url_for("bulk.show", edit_id=edit_id), 303)


@pages.post("/<uuid:edit_id>/undo")
def undo(edit_id: UUID) -> BaseResponse:
    """Undo what still stands as the edit left it, or go on with that."""
    services().bulk.start(identity(), edit_id, undo=True)
    return redirect(url_for("bulk.show", edit_id=edit_id), 303)


@pages.post("/<uuid:edit_id>/stop")
def stop(edit_id: UUID) -> BaseResponse:
    """Stop it."""
    services().bulk.stop(identity(), edit_id)
    return redirect(url_for("bulk.show", edit_id=edit_id), 303)


@pages.post("/<uuid:edit_id>/forget")
def forget(edit_id: UUID) -> BaseResponse:
    """Forget it."""
    services().bulk.forget(identity(), edit_id)
    flash(_("The edit is forgotten; what it changed stays."))
    return redirect(url_for("bulk.every"), 303)


def _chosen() -> list[UUID]:
    """Return the records of the form: those that are named, or all that its search finds."""
    form = request.form
    if form.get("all") != "1":
        try:
            return [UUID(key) for key in dict.fromkeys(form.getlist("record")[:MOST])]
        except ValueError:
            raise NotFound from None
    text = form.get("q", "")
    filters = [(name, value) for name in FILTERS for value in form.getlist(name)]
    order = Order.RELEVANCE if text.strip() else Order.NEWEST
    found = services().search.search(identity(), text, filters=filters, order=order, limit=MOST, passages=False)
    return [hit.record_id for hit in found.hits]


def _ask(ids: Sequence[UUID], own: Sequence[FieldDef], error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told_of(error, ()) if error else ([], {})
    some = readable(list(ids[:1])) or readable(ticked())
    places = services().directory.places(some[0].fonds_id) if some else []
    page = render_template(
        "bulk_new.html", ids=ids, own=own, own_prefix=OWN, values=request.form, places=places, lines=lines,
        faults=faults, ticked=request.form.getlist("change"), departments=services().directory.departments(),
        back=local_path(request.form.get("back")),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _change(own: Sequence[FieldDef], ids: Sequence[UUID]) -> Change:
    form, wanted = request.form, set(request.form.getlist("change"))

    def key(name: str) -> UUID | None:
        try:
            return UUID(form[name]) if form.get(name) else None
        except ValueError:
            raise InvalidInput(Fault(name, "unknown")) from None

    values: dict[str, Any] = {}
    if "department" in wanted:
        values["department_id"] = key("department")
    if "place" in wanted:
        values["place_id"] = _place(form.get("place", "").strip(), ids)
    values |= {name: form.get(name, "").strip() or None for name in ("responsible", "notes") if name in wanted}
    if "importance" in wanted:
        values["importance"] = step(form.get("importance", ""))
    fields = {each.name: form.get(OWN + each.name, "").strip() or None for each in own if OWN + each.name in wanted}
    add, drop = (_words(form.get(name, "")) if "keywords" in wanted else () for name in ("add", "drop"))
    return Change(values, fields, add, drop)


def _place(text: str, ids: Sequence[UUID]) -> UUID | None:
    """Return the place that is named, in the fonds of the records that the person reads; None: taken away."""
    if not text:
        return None
    some = readable(list(ids))
    if not some:
        raise InvalidInput(Fault("place", "unknown"))
    return place_named(text, some[0].fonds_id, services().directory)


def _words(text: str) -> list[str]:
    for sign in "，、;；\n":
        text = text.replace(sign, ",")
    return [word.strip() for word in text.split(",") if word.strip()]


def _rows(session: Session, line: Line) -> list[tuple[str, str, str]]:
    """Return what would change of a record: label, before, after."""
    locale, rows = current_locale(), []
    for name in line.after:
        if name != "fields":
            before, after = (part_told(session, name, values[name]) for values in (line.before, line.after))
            rows.append((field_label(name, locale), before, after))
    if "fields" in line.after and line.record is not None:
        definitions = {
            each.name: each for each in parse_fields(session.get_one(Category, line.record.category_id).fields)
        }
        before, after = line.before["fields"], line.after["fields"]
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name) and name in definitions:
                each = definitions[name]
                was, now = (_own(each, values.get(name), locale) for values in (before, after))
                rows.append((each.label(locale), was, now))
    return rows


def _own(definition: FieldDef, value: Any, locale: str) -> str:
    return "" if value is None else field_value(definition, value, locale)


def _why(line: Line) -> str:
    if line.error is None or line.record is None:
        return reason("not_found")
    return words_of(line.error) if isinstance(line.error, InvalidInput) else reason(line.error.code)


def reason(code: str) -> str:
    """Return in words why a record was refused, by the code that is kept."""
    if code == "conflict":
        return str(_("it was changed since"))
    if code == "wrong_state":
        return str(_("it is filed: ask for a correction"))
    if code in FAULTS:
        return str(_(FAULTS[code])) if "%(" not in FAULTS[code] else str(_("a value cannot be taken"))
    return str(_(ERRORS[code].happened)) if code in ERRORS else code


def _counts(edit: Standing) -> Mapping[str, int]:
    return {state.value: edit.counts.get(state, 0) for state in RowState}
