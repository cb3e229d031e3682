"""Subjects: found by an exact number, shown with numbers masked, added, changed, merged and split."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.identity import Role
from archive.model import Record
from archive.scheme.fields import FieldDef, FieldKind
from archive.subject_facts import fields_of, kinds
from archive.subjects import MOVED, SubjectView
from web import paging
from web.asking import Field, Form, again, key_needed, own_fields, shown, turned, whole_typed
from web.i18n import current_locale
from web.retention.events import kinds as event_kinds
from web.retention.matters import kinds as matter_kinds
from web.services import identity, services
from web.words import named
from web.words.records import masked

pages = Blueprint("subjects", __name__, url_prefix="/house/subjects")

NUMBERS = frozenset({FieldKind.PHONE, FieldKind.IDENTITY})
FOUND = 20
PAGE = 100
FIRST = "first"
"""What the button says that turns back to the first page."""


@pages.get("")
def every() -> str:
    """Show where subjects are found by a number, and added by kind."""
    services().house.subjects.require(identity())
    return _found_page([], asked=False)


@pages.post("")
def find() -> str | BaseResponse:
    """Find by an exact phone or identity number; it travels in no address. The only one found is opened."""
    subjects, number = services().house.subjects, request.form.get("number", "").strip()[:40]
    every_one, after = subjects.find(identity(), number), paging.read_id(request.form.get("after", ""))
    if len(every_one) == 1:
        return redirect(url_for("subjects.show", subject_id=every_one[0]), 303)
    behind = [key for key in every_one if after is None or key > after]
    found, last = paging.page(behind[: FOUND + 1], FOUND, lambda key: key.hex)
    views = [subjects.show(identity(), key, limit=1) for key in found]
    return _found_page(views, asked=True, more={"number": number, "after": last} if last else None)


def _found_page(found: Sequence[SubjectView], *, asked: bool, more: Mapping[str, str] | None = None) -> str:
    return render_template(
        "house/subjects.html",
        found=[(view, name_of(view)) for view in found],
        asked=asked,
        more=more,
        kinds={code: each["names"] for code, each in kinds().items()},
        fonds=services().directory.fonds(),
    )


def name_of(view: SubjectView) -> str:
    """Return how a subject is called: by its name, its title, or its code."""
    values = {field.name: value for field, value in view.fields}
    return str(values.get("name") or values.get("title") or view.subject.code or _("without a name"))


@pages.get("/<uuid:subject_id>")
def show(subject_id: UUID) -> str:
    """Show a subject, its personal numbers masked, and those of its records that the person may read."""
    after, behind = (paging.read(request.args.get(name, "")) for name in ("after", "dossiers"))
    view = services().house.subjects.show(identity(), subject_id, after, limit=PAGE + 1)
    records, more = paging.page(view.records, PAGE, _place)
    named = services().papers.naming(identity(), subject_id, behind, limit=PAGE + 1)
    dossiers, more_dossiers = paging.page(named, PAGE, _place)
    return render_template(
        "house/subject.html",
        view=view,
        records=records,
        more=more and url_for(".show", subject_id=subject_id, after=more),
        name=name_of(view),
        kind=kinds()[view.subject.kind]["names"],
        fonds=services().directory.fonds().get(view.subject.fonds_id),
        events=services().retention.events.of_subject(identity(), subject_id)
        if Role.ARCHIVIST in identity().roles
        else [],
        matters=services().retention.matters.of_subject(identity(), subject_id)
        if Role.ARCHIVIST in identity().roles
        else [],
        matter_kinds=matter_kinds() if Role.ARCHIVIST in identity().roles and not view.subject.merged_into else None,
        dossiers=dossiers,
        more_dossiers=more_dossiers and url_for(".show", subject_id=subject_id, dossiers=more_dossiers),
        event_kinds=event_kinds() if Role.ARCHIVIST in identity().roles and not view.subject.merged_into else None,
    )


def _place(row: Record) -> str:
    return paging.told((row.created_at, row.id))


def _form(heading: str, fields: list[Field], button: str, view: SubjectView | None = None, **more: Any) -> Form:
    crumbs: list[tuple[str | None, str]] = [(url_for("subjects.every"), _("Subjects"))]
    back = url_for("subjects.every")
    if view is not None:
        back = url_for("subjects.show", subject_id=view.subject.id)
        crumbs.append((back, name_of(view)))
    return Form(heading, fields, button, back, crumbs=[*crumbs, (None, heading)], **more)


def _typed(definitions: Sequence[FieldDef]) -> dict[str, str]:
    return {each.name: request.form.get(each.name, "") for each in definitions}


def _code_field() -> Field:
    return Field(
        "code", _("Code"), limit=64, help=_("What the house calls it elsewhere, for example a contract's number.")
    )


def _new_form(kind: str) -> Form:
    fonds = [
        (key, f"{row.code} {named(row.names, current_locale())}") for key, row in services().directory.fonds().items()
    ]
    fields = [Field("fonds", _("Fonds"), kind="choose", options=fonds), *own_fields(fields_of(kind)), _code_field()]
    heading = _("Add: %(kind)s", kind=named(kinds()[kind]["names"], current_locale()))
    return _form(heading, fields, _("Add"), hidden={"kind": kind})


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a subject of a kind."""
    services().house.subjects.require(identity())
    kind = request.args.get("kind", "")
    return shown(_new_form(kind)) if kind in kinds() else redirect(url_for("subjects.every"))


@pages.post("/new")
def add() -> BaseResponse:
    """Add a subject."""
    kind = request.form.get("kind", "")
    definitions = fields_of(kind)
    try:
        code = request.form.get("code", "").strip() or None
        key = services().house.subjects.add(identity(), key_needed("fonds"), kind, _typed(definitions), code=code)
    except ArchiveError as error:
        return again(_new_form(kind), error)
    flash(_("The subject is added."))
    return redirect(url_for("subjects.show", subject_id=key), 303)


def _change_form(view: SubjectView) -> Form:
    definitions, kept = fields_of(view.subject.kind), {field.name: value for field, value in view.fields}
    numbers = {
        each.name: masked(str(kept[each.name])) for each in definitions if each.kind in NUMBERS and each.name in kept
    }
    fields = own_fields(definitions, kept=numbers)
    if numbers:
        labels = {each.name: each.label(current_locale()) for each in definitions}
        options = [(name, f"{labels[name]} {shown_as}") for name, shown_as in numbers.items()]
        fields.append(Field("away", _("Delete what stands there"), kind="ticks", options=options))
    values = {each.name: "" if each.kind in NUMBERS else str(kept.get(each.name, "")) for each in definitions}
    heading = _("Change %(name)s", name=name_of(view))
    return _form(heading, fields, _("Save"), view, values=values, hidden={"version": view.subject.version})


@pages.get("/<uuid:subject_id>/change")
def changing(subject_id: UUID) -> BaseResponse:
    """Ask for a subject's fields; personal numbers come empty, and stay unless typed anew."""
    return shown(_change_form(services().house.subjects.show(identity(), subject_id, limit=1)))


@pages.post("/<uuid:subject_id>/change")
def change(subject_id: UUID) -> BaseResponse:
    """Change a subject."""
    subjects = services().house.subjects
    view = subjects.show(identity(), subject_id, limit=1)
    kept, away = {field.name: value for field, value in view.fields}, request.form.getlist("away")
    values = _typed(fields_of(view.subject.kind))
    for each in fields_of(view.subject.kind):
        if each.kind in NUMBERS and not values[each.name].strip() and each.name not in away:
            values[each.name] = str(kept.get(each.name, ""))
    try:
        subjects.change(identity(), subject_id, values, version=whole_typed("version"))
    except ArchiveError as error:
        return again(_change_form(view), error)
    flash(_("The subject is changed."))
    return redirect(url_for("subjects.show", subject_id=subject_id), 303)


def _merge_form(view: SubjectView) -> Form:
    field = Field("into", _("Survivor"), must=True, limit=200,
                  help=_("The exact telephone or identity number of the other, or its page's address."))  # fmt: skip
    told = _("Its records hang on the survivor from then on. It stays as it was, and leads there.")
    heading = _("Merge %(name)s into another", name=name_of(view))
    return _form(heading, [field], _("Merge"), view, told=told, danger=True)


@pages.get("/<uuid:subject_id>/merge")
def merging(subject_id: UUID) -> BaseResponse:
    """Ask which subject stands for this one."""
    return shown(_merge_form(services().house.subjects.show(identity(), subject_id, limit=1)))


@pages.post("/<uuid:subject_id>/merge")
def merge(subject_id: UUID) -> BaseResponse:
    """Merge a subject into another."""
    subjects = services().house.subjects
    view = subjects.show(identity(), subject_id, limit=1)
    try:
        into = _survivor(request.form.get("into", "").strip())
        subjects.merge(identity(), subject_id, into)
    except ArchiveError as error:
        return again(_merge_form(view), error)
    flash(_("Merged: its records hang here now."))
    return redirect(url_for("subjects.show", subject_id=into), 303)


def _survivor(text: str) -> UUID:
    try:
        return UUID(text.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        found = services().house.subjects.find(identity(), text[:40]) if text else []
    if len(found) != 1:
        raise InvalidInput(Fault("into", "unknown" if text else "required"))
    return found[0]


def _picked() -> list[UUID]:
    """Return the records that are ticked on this page or were on others."""
    found = []
    for text in dict.fromkeys(request.form.getlist("picked") + request.form.getlist("records")):
        with suppress(ValueError):
            found.append(UUID(text))
    return found


def _split_form(subject_id: UUID, after: str, picked: Sequence[Record] = ()) -> Form:
    """Return the form with a page of the subject's records, behind a place, and what is ticked on others."""
    view = services().house.subjects.show(identity(), subject_id, paging.read(after), limit=PAGE + 1)
    records, more = paging.page(view.records, PAGE, _place)
    here = {row.id for row in records}
    elsewhere, turns = [row for row in picked if row.id not in here], []
    if after:
        turns.append((FIRST, _("Back to the beginning")))
    if more:
        turns.append((more, _("More records")))
    fields = [
        Field(
            "records",
            _("Records"),
            kind="ticks",
            options=_ticks(records),
            help=_(
                "These go to the new subject. What is unsettled keeps them as before; events are to be entered "
                "for the new subject as well."
            ),
            turns=turns,
        ),
        *own_fields(fields_of(view.subject.kind)),
        _code_field(),
    ]
    if turns:
        kept = _("What is ticked stays so while you turn the pages. At most %(most)s records go at once.", most=MOVED)
        words = _("Ticked on other pages: %(count)s", count=len(elsewhere))
        fields.insert(0, Field("picked", words, kind="ticks", options=_ticks(elsewhere), help=kept))
    chosen = {str(row.id) for row in picked}
    heading = _("Split %(name)s", name=name_of(view))
    return _form(
        heading, fields, _("Split"), view, hidden={"after": after}, chosen={"picked": chosen, "records": chosen}
    )


def _ticks(records: Sequence[Record]) -> list[tuple[str, str, str]]:
    return [(str(row.id), row.title, row.archive_number or row.registration_number or "") for row in records]


@pages.get("/<uuid:subject_id>/split")
def splitting(subject_id: UUID) -> BaseResponse:
    """Ask which records go to a new subject, and who it is."""
    return shown(_split_form(subject_id, ""))


@pages.post("/<uuid:subject_id>/split")
def split(subject_id: UUID) -> BaseResponse:
    """Give records a subject of their own; by another button go on to more of them."""
    subjects, typed = services().house.subjects, request.form
    picked = subjects.hung(identity(), subject_id, _picked())
    if turn := typed.get("turn"):
        return turned(_split_form(subject_id, "" if turn == FIRST else turn, picked))
    code = typed.get("code", "").strip() or None
    try:
        if not picked:
            raise InvalidInput(Fault("records", "required"))
        kind = subjects.show(identity(), subject_id, limit=1).subject.kind
        key = subjects.split(identity(), subject_id, _typed(fields_of(kind)), [row.id for row in picked], code=code)
    except ArchiveError as error:
        return again(_split_form(subject_id, typed.get("after", ""), picked), error)
    flash(_("Split: the records hang on the new subject."))
    return redirect(url_for("subjects.show", subject_id=key), 303)
