"""Pages of records: catalogue, show, describe, file, bin, change of level."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.proposals import NUMBER
from archive.cataloguing.showing import CustodyView, FileView, RecordView
from archive.errors import ArchiveError, NotFound
from archive.filing.one import Filed
from archive.identity import OFFICERS
from archive.model import RecordKind, RecordState
from archive.policy.rules import Act
from archive.scheme.fields import parse_fields
from web.arriving.doubles import warn
from web.asking import may
from web.cataloguing.relations import INWARD, OUTWARD
from web.cataloguing.vital import offered
from web.custody import blocks, dossiers
from web.custody.placing import numbered
from web.describing import record_form
from web.describing.drafts import NEW, OF_RECORD, form_of, taken_up
from web.describing.record_pages import category_shown, form_again, form_page, full_view
from web.i18n import current_locale
from web.lists import readable
from web.retention.retained import kept_by, retained
from web.services import identity, services
from web.sure import asked
from web.words.faults import explain_waiting, field_label

pages = Blueprint("records", __name__)

MOST_WITHIN = 200
"""Files taken out of one that its record's page lists."""


@pages.get("/records/new")
def new() -> str | BaseResponse:
    """Choose a category, then show its form."""
    chosen = request.args.get("category")
    kind = request.args.get("kind")
    if not chosen:
        directory = services().directory
        return render_template("categories.html", categories=directory.categories(), fonds=directory.fonds(), kind=kind)
    category = category_shown(chosen)
    values = MultiDict({"medium": "electronic", "material": "document", "level": str(category.level_rank)})
    values["kind"], values["dossier"] = kind or "item", str(dossiers.new_item_goes_into() or "")
    return form_page(category, values, draft_at=taken_up(NEW, category.id, values))


@pages.post("/records")
def create() -> BaseResponse:
    """Catalogue a record; nothing typed is lost when a field is at fault."""
    category = category_shown(request.form.get("category", ""))
    try:
        draft = record_form.draft(request.form, category, services().directory, identity().person_id)
        record_id = services().records.create(identity(), draft)
    except ArchiveError as error:
        return form_again(error, category)
    services().drafts.forget(identity(), form_of(NEW, category.id))
    if draft.kind is RecordKind.DOSSIER:
        flash(_("The dossier is made. Now put its items in."))
        return redirect(url_for("dossiers.contents", record_id=record_id), 303)
    flash(_("The record is catalogued. Now add its files."))
    warn(record_id)
    dossiers.put_new(record_id)
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.get("/records/<uuid:record_id>")
def show(record_id: UUID) -> str:
    """Show a record in full, or number and dates to who keeps custody of it."""
    with services().db.one_snapshot():
        return _shown(record_id)


def _shown(record_id: UUID) -> str:
    view = services().reader.show(identity(), record_id)
    lying = services().shelving.copies
    copies = lying.of(identity(), record_id)
    if isinstance(view, CustodyView):
        alike = services().doubles.numbers(identity(), record_id)
        officer = bool(identity().roles & OFFICERS)
        shelves = lying.may_shelve(identity(), record_id)
        return render_template(
            "custody.html", view=view, officer=officer, alike=alike, copies=copies, shelves=shelves,
            sees_shelves=officer or shelves, **blocks.section(record_id),
        )  # fmt: skip
    missing = [_label(view, name) for name in view.missing]
    known = {file.content_id for file in view.files}
    held: dict[UUID, list[FileView]] = {}
    for file in view.files:
        if file.inside is not None:
            held.setdefault(file.inside, []).append(file)
    doubles, apart = services().doubles.beside(identity(), record_id)
    return render_template(
        "record.html", view=view, record=view.record, missing=missing, acts=_acts(view), known=known, held=held,
        most=MOST_WITHIN, number_label=_label(view, NUMBER), doubles=doubles, apart=apart,
        related=services().relations.of(identity(), record_id), outward=OUTWARD, inward=INWARD, copies=copies,
        sees_shelves=may(Act.SEE_SHELVES), review=offered(view.record.vital_review), clock=retained(view.record),
        **blocks.section(record_id, view.acts), **dossiers.section(view.record), **kept_by(view.record),
    )  # fmt: skip


@pages.get("/records/<uuid:record_id>/edit")
def edit(record_id: UUID) -> str | BaseResponse:
    """Show the form of a provisional record."""
    view = full_view(record_id)
    values = record_form.values_of(view.record, view.fields, view.place)
    draft_at = taken_up(OF_RECORD, record_id, values)
    return form_page(category_shown(str(view.category.id)), values, view=view, draft_at=draft_at)


@pages.post("/records/<uuid:record_id>/edit")
def describe(record_id: UUID) -> BaseResponse:
    """Change a provisional record's description."""
    view = full_view(record_id)
    category = category_shown(str(view.category.id))
    try:
        changes = record_form.changes(request.form, category, services().directory, view.fields)
        services().records.describe(identity(), record_id, changes, record_form.version(request.form))
    except ArchiveError as error:
        return form_again(error, category, view)
    services().drafts.forget(identity(), form_of(OF_RECORD, record_id))
    flash(_("The description is saved."))
    warn(record_id)
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.post("/records/file")
def file() -> BaseResponse:
    """File the chosen records: each gets its numbers, or says why it waits."""
    ids = _chosen()
    if not ids:
        flash(_("Choose the records to file first."))
        return redirect(url_for("desk.desk"), 303)
    outcomes = services().filing.file(identity(), ids)
    if len(outcomes) == 1 and outcomes[0].reason in {None, "filed_before"}:
        flash(_("Filed as %(number)s.", number=outcomes[0].archive_number))
        return redirect(url_for("records.show", record_id=outcomes[0].record_id), 303)
    told = [(each, _waiting(each)) for each in outcomes]
    titles = {row.id: row.title for row in readable(list(ids))}
    return make_response(render_template("filed.html", outcomes=told, titles=titles))


@pages.post("/records/<uuid:record_id>/bin")
def put_into_bin(record_id: UUID) -> BaseResponse:
    """Put a provisional record into the bin."""
    services().records.bin(identity(), record_id, record_form.version(request.form))
    flash(_("The record is in the bin. It can be taken back for 30 days."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.post("/records/<uuid:record_id>/restore")
def restore(record_id: UUID) -> BaseResponse:
    """Take a record out of the bin."""
    services().records.restore(identity(), record_id)
    flash(_("The record is back."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.post("/records/<uuid:record_id>/level")
def set_level(record_id: UUID) -> BaseResponse:
    """Change a record's secrecy level, with a reason."""
    form = request.form
    rank = record_form.rank(form.get("level", ""))
    if (question := _lowering(record_id, rank)) is not None:
        return question
    services().records.set_level(identity(), record_id, rank, form.get("reason", ""), record_form.version(form))
    flash(_("The level is changed; it holds from now on, in search too."))
    return _back_to(record_id)


def _lowering(record_id: UUID, rank: int) -> BaseResponse | None:
    """Return the page that asks whether a level is to be lowered; None when it is not, or when it is meant."""
    try:
        view = services().reader.show(identity(), record_id)
    except NotFound:
        return None  # the act itself says so, and is logged
    if isinstance(view, CustodyView) or Act.SET_LEVEL not in view.acts or not 0 < rank < view.record.level_rank:
        return None
    if not request.form.get("reason", "").strip():
        return None
    words = _("More people will find and read this record, at once. What they read cannot be taken back by raising it.")
    here = url_for("records.show", record_id=record_id)
    return asked(words, _("Lower the level"), back=here, typed=view.number)


@pages.post("/records/<uuid:record_id>/group")
def set_group(record_id: UUID) -> BaseResponse:
    """Put a record under need-to-know, or take it out, with a reason."""
    form = request.form
    group = form.get("group", "").strip()[:40] or None
    services().records.set_group(identity(), record_id, group, form.get("reason", ""), record_form.version(form))
    flash(_("Who may know of it is changed; it holds from now on, in search too."))
    return _back_to(record_id)


@pages.get("/number")
def by_number() -> BaseResponse:
    """Open the record that a number was given to."""
    number, _copy = numbered(request.args.get("n", "").strip()[:200])
    return redirect(url_for("records.show", record_id=services().records.find_number(identity(), number)))


def _back_to(record_id: UUID) -> BaseResponse:
    """Go back to a record after an act that may have hidden it from who did it."""
    try:
        services().reader.show(identity(), record_id)
    except NotFound:
        return redirect(url_for("desk.desk"), 303)
    return redirect(url_for("records.show", record_id=record_id), 303)


def _chosen() -> Sequence[UUID]:
    ids = []
    for text in request.form.getlist("record")[:500]:
        try:
            ids.append(UUID(text))
        except ValueError as error:
            raise NotFound from error
    return ids


def _label(view: RecordView, name: str) -> str:
    own = {field.name: field.label(current_locale()) for field in parse_fields(view.category.fields)}
    return own.get(name) or field_label(name, current_locale())


def _waiting(outcome: Filed) -> str:
    return explain_waiting(outcome.reason, outcome.missing, current_locale()) if outcome.reason else ""


def _acts(view: RecordView) -> set[str]:
    acts = {act.name.lower() for act in view.acts}
    if view.record.state is not RecordState.PROVISIONAL:
        acts -= {Act.DESCRIBE.name.lower(), Act.FILE.name.lower(), Act.BIN.name.lower()}
    return acts
