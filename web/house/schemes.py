"""Schemes: a fonds' categories as a tree, a category with its versions, and a scheme in and out as YAML."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.closing import is_closed
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.house.levels import mark as level_mark
from archive.model import Category, CategoryVersion, Fonds
from archive.numbering import reference
from archive.scheme.categories import Node
from archive.scheme.document import Scheme, load
from archive.scheme.fields import FieldKind, parse_fields
from web.asking import Field, Form, again, key_typed, name_fields, names_typed, names_values, shown, whole_typed
from web.describing.importance import steps
from web.house.fonds import fonds_of
from web.i18n import current_locale
from web.services import identity, services
from web.words import mark, named, translator
from web.words.faults import explain_fault
from web.words.field_rules import rules_told

pages = Blueprint("schemes", __name__, url_prefix="/house/fonds/<uuid:fonds_id>/scheme")

LARGEST = 1024 * 1024
"""Bytes of a scheme that a page takes; larger ones come in by the command."""

KINDS: Mapping[str, str] = {
    FieldKind.TEXT: mark("text"),
    FieldKind.NUMBER: mark("number"),
    FieldKind.DATE: mark("date"),
    FieldKind.CHOICE: mark("choice"),
    FieldKind.PERSON: mark("person, kept encrypted"),
    FieldKind.PHONE: mark("telephone, kept encrypted"),
    FieldKind.IDENTITY: mark("identity number, kept encrypted"),
}

PARTS: Mapping[str, str] = {
    "parent_id": mark("place in the tree"),
    "names": mark("name"),
    "position": mark("order"),
    "level_rank": mark("secrecy level"),
    "term": mark("retention period"),
    "importance": mark("importance"),
    "number_rule_id": mark("number rule"),
    "reference_rule_id": mark("reference rule"),
    "fields": mark("fields"),
    "required": mark("what is needed to file"),
    "documents": mark("required papers"),
    "closed_on": mark("closing"),
    "code": mark("code"),
}
"""Parts of a category that a version may change."""


def _flat(nodes: Sequence[Node], depth: int = 0) -> Iterator[tuple[int, Category]]:
    for node in nodes:
        yield depth, node.category
        yield from _flat(node.below, depth + 1)


@pages.get("")
def show(fonds_id: UUID) -> str:
    """Show the categories as a tree; closed ones when asked."""
    row, closed = fonds_of(fonds_id), request.args.get("closed") == "1"
    nodes, day = services().house.scheme.tree(identity(), fonds_id, closed=closed), services().guard.day()
    return render_template(
        "house/scheme.html",
        fonds=row,
        rows=list(_flat(nodes)),
        rules={rule.id: rule for rule in services().house.scheme.rules(identity())},
        closed=closed,
        is_over=lambda category: is_closed(category.closed_on, day),
        fonds_over=is_closed(row.closed_on, day),
    )


@pages.get("/export")
def export(fonds_id: UUID) -> Response:
    """Send the scheme as YAML."""
    row = fonds_of(fonds_id)
    text = services().house.scheme.export(identity(), fonds_id).to_yaml()
    reply = Response(text, mimetype="application/yaml")
    reply.headers["Content-Disposition"] = f'attachment; filename="scheme-{row.code}.yaml"'
    return reply


@pages.get("/import")
def importing(fonds_id: UUID) -> BaseResponse:
    """Ask for a scheme's file."""
    return _import_page(fonds_of(fonds_id))


@pages.post("/import")
def check(fonds_id: UUID) -> BaseResponse:
    """Check a scheme and show what it would change; nothing is written."""
    row, sent = fonds_of(fonds_id), request.files.get("file")
    text = sent.read(LARGEST + 1) if sent else b""
    try:
        return _changes_page(row, _read(text), text)
    except InvalidInput as error:
        return _import_page(row, error)


@pages.post("/apply")
def apply(fonds_id: UUID) -> BaseResponse:
    """Bring a checked scheme in."""
    row = fonds_of(fonds_id)
    try:
        services().house.scheme.install(identity(), fonds_id, _read(request.form.get("text", "").encode()))
    except InvalidInput as error:
        return _import_page(row, error)
    flash(_("The scheme is brought in. Records keep the version they were made under."))
    return redirect(url_for("schemes.show", fonds_id=fonds_id), 303)


def _read(text: bytes) -> Scheme:
    if not text.strip():
        raise InvalidInput(Fault("file", "required"))
    if len(text) > LARGEST:
        raise InvalidInput(Fault("file", "too_long", {"limit": LARGEST}))
    try:
        return load(text.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        raise InvalidInput(Fault("scheme", "not_yaml")) from None


def _import_page(row: Fonds, error: InvalidInput | None = None) -> BaseResponse:
    told = [(fault, explain_fault(fault, current_locale())) for fault in error.faults] if error else []
    page = render_template("house/scheme_import.html", fonds=row, told=told, faults={}, values={})
    return make_response(page, 422 if error else 200)


def _changes_page(row: Fonds, scheme: Scheme, text: bytes) -> BaseResponse:
    changes = services().house.scheme.preview(identity(), row.id, scheme)
    page = render_template(
        "house/scheme_changes.html",
        fonds=row,
        changes=changes,
        parts=PARTS,
        text=text.decode("utf-8-sig").replace("\r\n", "\n"),
    )
    return make_response(page)


@pages.get("/<uuid:category_id>")
def category(fonds_id: UUID, category_id: UUID) -> str:
    """Show a category with its versions."""
    row, one = fonds_of(fonds_id), category_of(fonds_id, category_id)
    fields = parse_fields(one.fields)
    versions = services().house.scheme.history(identity(), category_id)
    return render_template(
        "house/category.html",
        fonds=row,
        category=one,
        fields=[(each, rules_told(each, fields, current_locale())) for each in fields],
        labels={each.name: each.label(current_locale()) for each in fields},
        kinds=KINDS,
        rules={rule.id: rule for rule in services().house.scheme.rules(identity())},
        versions=list(reversed(list(_told_versions(versions)))),
        over=is_closed(one.closed_on, services().guard.day()),
    )


def category_of(fonds_id: UUID, category_id: UUID) -> Category:
    """Return a category of a fonds, a closed one too. Raises ``NotFound``."""
    for _depth, row in _flat(services().house.scheme.tree(identity(), fonds_id, closed=True)):
        if row.id == category_id:
            return row
    raise NotFound


def _told_versions(versions: Sequence[CategoryVersion]) -> Iterator[tuple[CategoryVersion, list[str]]]:
    gettext = translator(current_locale())
    before: dict[str, Any] = {}
    for each in versions:
        changed = [key for key, value in each.definition.items() if before and before.get(key) != value]
        yield each, [gettext(PARTS[key]) for key in changed if key in PARTS]
        before = each.definition


def _change_form(row: Fonds, one: Category) -> Form:
    locale, here = current_locale(), url_for("schemes.category", fonds_id=row.id, category_id=one.id)
    options = [
        (rank, f"{each.symbol} {level_mark(each, locale)}") for rank, each in services().directory.levels().items()
    ]
    fields = [
        name_fields(),
        Field("level", _("Secrecy level to begin with"), kind="choose", options=options),
        Field("term", _("Retention period"), must=True, limit=8,
              help=_("Y is permanent, D30 thirty years, M18 eighteen months.")),
        Field("importance", _("Importance"), kind="choose", none="—", options=steps(),
              help=_("Of its records where nobody says it of one. It counts only in appraisal.")),
    ]  # fmt: skip
    values = names_values(one.names) | {"level": str(one.level_rank), "term": one.term}
    values["importance"] = str(one.importance or "")
    name = named(one.names, locale)
    crumbs = [(url_for("schemes.show", fonds_id=row.id), row.code), (here, f"{one.code} {name}"), (None, _("Change"))]
    return Form(
        _("Change %(name)s", name=name), fields, _("Save"), here, crumbs=crumbs, values=values,
        intro=_("The change makes a new version; records keep the version they were made under."),
        hidden={"version": one.version},
    )  # fmt: skip


@pages.get("/<uuid:category_id>/change")
def changing(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Ask what to change."""
    return shown(_change_form(fonds_of(fonds_id), category_of(fonds_id, category_id)))


@pages.post("/<uuid:category_id>/change")
def change(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Change a category's names, level or term."""
    row, one = fonds_of(fonds_id), category_of(fonds_id, category_id)
    term = request.form.get("term", "").strip()
    data: dict[str, Any] = {"names": names_typed(), "level": whole_typed("level"), "term": term}
    data["importance"] = whole_typed("importance") or None
    try:
        services().house.scheme.change(identity(), category_id, data, version=whole_typed("version"))
    except ArchiveError as error:
        return again(_change_form(row, one), error)
    flash(_("The category is changed."))
    return redirect(url_for("schemes.category", fonds_id=fonds_id, category_id=category_id), 303)


def others(row: Fonds, one: Category | None = None) -> list[tuple[UUID, str]]:
    """Return the categories under which one can stand: those that are open, and neither it nor below it."""
    below = {one.id} if one else set[UUID]()
    found = []
    for _depth, each in _flat(services().house.scheme.tree(identity(), row.id)):
        if each.parent_id in below:
            below.add(each.id)
        if each.id not in below:
            found.append((each.id, f"{each.code} {named(each.names, current_locale())}"))
    return found


def _new_form(row: Fonds) -> Form:
    here, locale = url_for("schemes.show", fonds_id=row.id), current_locale()
    options = [
        (rank, f"{each.symbol} {level_mark(each, locale)}") for rank, each in services().directory.levels().items()
    ]
    rules = [
        (each.code, f"{named(each.names, locale)} {each.template}")
        for each in services().house.scheme.rules(identity())
        if not each.code.startswith(reference.PREFIX)
    ]
    from_above = _("as the category above")
    fields = [
        Field("code", _("Code"), must=True, limit=16,
              help=_("Letters and digits. It stands in numbers, so it never changes.")),
        name_fields(),
        Field("parent", _("Category above"), kind="choose", options=others(row), none=_("none: it stands at the top")),
        Field("level", _("Secrecy level to begin with"), kind="choose", options=options, none=from_above),
        Field("term", _("Retention period"), limit=8,
              help=_("Y is permanent, D30 thirty years, M18 eighteen months. Empty: as the category above.")),
        Field("number_rule", _("Number rule"), kind="choose", options=rules, none=from_above),
    ]  # fmt: skip
    heading = _("Add a category")
    return Form(
        heading, fields, _("Add"), here, crumbs=[(here, row.code), (None, heading)],
        values={"parent": request.args.get("parent", "")[:40]},
        intro=_("What is left out it takes from the category above. Its own fields are added on its page."),
    )  # fmt: skip


@pages.get("/new")
def new(fonds_id: UUID) -> BaseResponse:
    """Ask for a category."""
    return shown(_new_form(fonds_of(fonds_id)))


@pages.post("/new")
def add(fonds_id: UUID) -> BaseResponse:
    """Add a category."""
    row, form = fonds_of(fonds_id), request.form
    data: dict[str, Any] = {"code": form.get("code", "").strip(), "names": names_typed()}
    data |= {name: form[name].strip() for name in ("term", "number_rule") if form.get(name, "").strip()}
    try:
        if form.get("level"):
            data["level"] = whole_typed("level")
        elif not form.get("parent"):
            raise InvalidInput(Fault("level", "required"))  # nothing stands above it that says it
        key = services().house.scheme.add(identity(), fonds_id, data, parent_id=key_typed("parent"))
    except ArchiveError as error:
        return again(_new_form(row), error)
    flash(_("The category is added."))
    return redirect(url_for("schemes.category", fonds_id=fonds_id, category_id=key), 303)


@pages.post("/<uuid:category_id>/close")
def close(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Close a category and all below it."""
    fonds_of(fonds_id)
    category_of(fonds_id, category_id)
    services().house.scheme.close(identity(), category_id)
    flash(_("The category is closed, with all below it. What lies there stays."))
    return redirect(url_for("schemes.category", fonds_id=fonds_id, category_id=category_id), 303)
