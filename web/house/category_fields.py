"""A category's own fields on pages: one is added, or its names, choices and rules are changed, as a new version."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import Category, Fonds
from archive.scheme.fields import DEFAULT_LIMIT, FieldDef, FieldKind, parse_fields
from web.asking import Field, Form, again, name_fields, names_typed, names_values, shown, whole_typed
from web.house.fonds import fonds_of
from web.house.schemes import KINDS, category_of
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.field_rules import condition_told

pages = Blueprint("category_fields", __name__, url_prefix="/house/fonds/<uuid:fonds_id>/scheme/<uuid:category_id>")

_ANY = "*"
"""Behind a field's name, in place of a choice's code: it has any value."""


@pages.get("/fields/new")
def new(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Ask for a new field."""
    return shown(_new_form(fonds_of(fonds_id), category_of(fonds_id, category_id)))


@pages.post("/fields/new")
def add(fonds_id: UUID, category_id: UUID) -> BaseResponse:
    """Add a field; its rules are asked next."""
    row, one = fonds_of(fonds_id), category_of(fonds_id, category_id)
    name, kind = request.form.get("code", "").strip(), request.form.get("kind", "")
    data: dict[str, Any] = {"name": name, "names": names_typed(), "kind": kind}
    try:
        if kind == FieldKind.CHOICE:
            data["choices"] = _choices_typed()
        _change(one, [*one.fields, data])
    except ArchiveError as error:
        return again(_new_form(row, one), _renamed(error))
    flash(_("The field is added. Say here what its values must be."))
    return redirect(url_for("category_fields.rules", fonds_id=fonds_id, category_id=category_id, name=name), 303)


@pages.get("/fields/<name>")
def rules(fonds_id: UUID, category_id: UUID, name: str) -> BaseResponse:
    """Ask what the values of a field must be."""
    one = category_of(fonds_id, category_id)
    return shown(_rules_form(fonds_of(fonds_id), one, _field(one, name)))


@pages.post("/fields/<name>")
def change(fonds_id: UUID, category_id: UUID, name: str) -> BaseResponse:
    """Change a field's names, choices and rules."""
    row, one = fonds_of(fonds_id), category_of(fonds_id, category_id)
    field = _field(one, name)
    try:
        data = _rules_typed(field)
        _change(one, [data if each["name"] == name else each for each in one.fields])
    except ArchiveError as error:
        return again(_rules_form(row, one, field), _renamed(error))
    flash(_("The field is changed. Records keep the version they were made under."))
    return redirect(url_for("schemes.category", fonds_id=fonds_id, category_id=category_id), 303)


def _field(one: Category, name: str) -> FieldDef:
    for each in parse_fields(one.fields):
        if each.name == name:
            return each
    raise NotFound


def _change(one: Category, fields: Sequence[Mapping[str, Any]]) -> None:
    services().house.scheme.change(identity(), one.id, {"fields": fields}, version=whole_typed("version"))


def _renamed(error: ArchiveError) -> ArchiveError:
    """Return a refusal with its faults under the form's names: ``fields[2].choices[0].code`` is of ``choices``."""
    if not isinstance(error, InvalidInput):
        return error
    return InvalidInput(*(Fault(_part(each.field), each.code, each.facts) for each in error.faults))


def _part(path: str) -> str:
    head, *rest = path.split(".")
    if not head.startswith("fields") or not rest:
        return path
    parts = rest[1:] if head == "fields" and len(rest) > 1 else rest  # fields.NAME.key, or fields[2].key
    if parts[0] == "names":
        return ".".join(parts)
    return {"name": "code"}.get(parts[0], parts[0]).partition("[")[0]


def _new_form(row: Fonds, one: Category) -> Form:
    kinds = [(kind.value, _(KINDS[kind])) for kind in FieldKind]
    fields = [
        name_fields(),
        Field("code", _("Code"), must=True, limit=40,
              help=_("Small letters, digits and _, a letter first; it stays: paid_on.")),
        Field("kind", _("Kind"), kind="choose", options=kinds),
        _choices_field(_("For a choice alone.")),
    ]  # fmt: skip
    return _form(row, one, _("Add a field"), fields, _("Add"), {})


def _rules_form(row: Fonds, one: Category, field: FieldDef) -> Form:
    others = [each for each in parse_fields(one.fields) if each.name != field.name]
    values: dict[str, Any] = names_values(field.names) | {
        "required": "yes" if field.required else "no", "limit": field.limit, "pattern": field.pattern,
        "example": field.example, "minimum": field.minimum, "maximum": field.maximum, "not_before": field.not_before,
        "not_above": field.not_above, "choices": _choices_text(field), "required_if": _condition_of(field),
    }  # fmt: skip
    return _form(
        row, one, field.label(current_locale()), [name_fields(), *_rule_fields(field, others)], _("Save"), values,
        {"sum_of": field.sum_of},
    )  # fmt: skip


def _form(
    row: Fonds, one: Category, heading: str, fields: list[Field], button: str, values: Mapping[str, Any],
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> Form:  # fmt: skip
    here = url_for("schemes.category", fonds_id=row.id, category_id=one.id)
    name = f"{one.code} {named(one.names, current_locale())}"
    crumbs = [(url_for("schemes.show", fonds_id=row.id), row.code), (here, name), (None, heading)]
    return Form(
        heading, fields, button, here, crumbs=crumbs, hidden={"version": one.version}, chosen=chosen or {},
        values={key: "" if value is None else value for key, value in values.items()},
        intro=_("The change makes a new version; records keep the version they were made under."),
    )  # fmt: skip


def _rule_fields(field: FieldDef, others: Sequence[FieldDef]) -> list[Field]:
    """Return what is asked of a field's values, as its kind needs."""
    locale = current_locale()

    def of(kind: FieldKind) -> list[tuple[str, str]]:
        return [(each.name, each.label(locale)) for each in others if each.kind is kind]

    found: list[Field] = []
    if field.kind in {FieldKind.TEXT, FieldKind.PERSON}:
        found.append(Field("limit", _("Characters at most"), limit=5))
    if field.kind is FieldKind.TEXT:
        found += [
            Field("pattern", _("Pattern"), limit=200, help=_("The whole text must match it (RE2): [A-Z]{2}-\\d{4}")),
            Field("example", _("Example"), limit=200, help=_("Stands below the field, and in its fault.")),
        ]
    elif field.kind is FieldKind.NUMBER:
        found += [Field("minimum", _("At least"), limit=40), Field("maximum", _("At most"), limit=40)]
        if numbers := of(FieldKind.NUMBER):
            found += [
                Field("not_above", _("Not more than"), kind="choose", options=numbers, none="—"),
                Field("sum_of", _("The sum of"), kind="ticks", options=numbers),
            ]
    elif field.kind is FieldKind.DATE and (dates := of(FieldKind.DATE)):
        found.append(Field("not_before", _("Not before"), kind="choose", options=dates, none="—"))
    elif field.kind is FieldKind.CHOICE:
        found.append(_choices_field(""))
    found.append(Field("required", _("Needed to file"), kind="choose", options=[("no", _("no")), ("yes", _("yes"))]))
    conditions = [
        (f"{each.name}={code or _ANY}", condition_told(each, code, locale))
        for each in others
        for code in (None, *each.choices)
    ]
    if conditions:
        found.append(Field("required_if", _("Or needed if"), kind="choose", options=conditions, none="—"))
    return found


def _choices_field(more: str) -> Field:
    how = _("One a line: its code, then its name in simplified Chinese; traditional Chinese and English behind bars.")
    return Field("choices", _("Choices"), kind="long", help=" ".join(filter(None, (more, how))))


def _choices_text(field: FieldDef) -> str:
    lines = []
    for code, names in field.choices.items():
        told = [names.get(language, "") for language in ("zh_CN", "zh_TW", "en")]
        lines.append(f"{code} {' | '.join(told).rstrip(' |')}")
    return "\n".join(lines)


def _choices_typed() -> list[dict[str, Any]]:
    found = []
    for line in request.form.get("choices", "").splitlines():
        if line.strip():
            code, _space, told = line.strip().partition(" ")
            names = zip(("zh_CN", "zh_TW", "en"), (part.strip() for part in told.split("|")), strict=False)
            found.append({"code": code, "names": {language: name for language, name in names if name}})
    return found


def _condition_of(field: FieldDef) -> str:
    return "" if field.required_if is None else f"{field.required_if[0]}={field.required_if[1] or _ANY}"


def _rules_typed(field: FieldDef) -> dict[str, Any]:
    """Return a field's definition as the form gives it; what its kind does not ask stays as it is."""
    typed = request.form
    data = field.as_data() | {"names": names_typed(), "required": typed.get("required") == "yes"}
    for key in ("pattern", "example", "minimum", "maximum", "not_before", "not_above"):
        if key in typed:
            data[key] = typed[key].strip() or None
    if "limit" in typed:
        data["limit"] = whole_typed("limit") if typed["limit"].strip() else DEFAULT_LIMIT
    if field.kind is FieldKind.NUMBER:
        data["sum_of"] = typed.getlist("sum_of")
    if field.kind is FieldKind.CHOICE:
        data["choices"] = _choices_typed()
    if "required_if" in typed:
        name, _equals, code = typed["required_if"].partition("=")
        data["required_if"] = {name: True if code == _ANY else code} if name else {}
    return {key: value for key, value in data.items() if value is not None}
