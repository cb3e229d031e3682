"""Forms of the house's pages: what a form asks, how it is shown, and how it comes back with its faults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.policy.rules import HOUSE_RULES, Act
from archive.scheme.fields import FieldDef, FieldKind
from archive.spelling import whole_of
from web.days import day_of
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.faults import explain, explain_fault, field_label, status_of

NAMES = {"zh_CN": "name", "zh_TW": "name_tw", "en": "name_en"}
"""Names of the three fields in which a house names a thing, by language."""

Crumbs = Sequence[tuple[str | None, str]]


@dataclass(frozen=True)
class Field:
    """A field of a form. ``kind``: text, day, month, choose, ticks, long, secret, names, file.

    A ``month`` is a day of which the month or the year alone will do.

    ``options`` are pairs of value and words; of ticks, with help as a third. ``none`` are words of the empty choice.
    Ticks that are ``folded`` open on a click. ``when``: the choices of another field that need this one; of any other
    it does not stand there (the style sheet knows each such group of choices). ``turns`` are buttons below ticks that
    go on to others, as values of ``turn`` and their words; what is typed goes with them.
    """

    name: str
    words: str
    kind: str = "text"
    help: str = ""
    options: Sequence[tuple[Any, ...]] = ()
    must: bool = False
    none: str | None = None
    limit: int = 2000
    suggestions: Sequence[tuple[str, str]] = ()
    folded: bool = False
    when: str = ""
    turns: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Form:
    """A form on a page of its own. ``intro`` is one plain sentence; ``told`` warns before the button."""

    heading: str
    fields: Sequence[Field]
    button: str
    back: str
    crumbs: Crumbs = ()
    intro: str = ""
    told: str = ""
    danger: bool = False
    action: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Collection[str]] = field(default_factory=dict)
    hidden: Mapping[str, Any] = field(default_factory=dict)


def shown(form: Form) -> BaseResponse:
    """Show a form as it stands."""
    return make_response(
        render_template("house/form.html", form=form, lines=[], faults={}, values=form.values, labels={})
    )


def turned(form: Form) -> BaseResponse:
    """Show a form again with what was typed, with other choices to tick; what it carries along is as it says."""
    values = {name: text for name, text in request.form.items() if name not in form.hidden}
    return shown(replace(form, values=values))


def again(form: Form, error: ArchiveError) -> BaseResponse:
    """Show a form again with what was typed and what is at fault.

    Raises:
        NotAllowed, NotFound: as they are, for a page of their own.
    """
    if isinstance(error, NotAllowed | NotFound):
        raise error
    typed: MultiDict[str, str] = request.form
    asked = {name for each in form.fields for name in (NAMES.values() if each.kind == "names" else (each.name,))}
    lines, faults = told(error, asked)
    form = replace(form, chosen={each.name: typed.getlist(each.name) for each in form.fields if each.kind == "ticks"})
    labels = {each.name: each.words for each in form.fields if each.kind != "names"}
    page = render_template("house/form.html", form=form, lines=lines, faults=faults, values=typed, labels=labels)
    return make_response(page, status_of(error))


def told(error: ArchiveError, asked: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return what an error says of a form: lines for its head, and words by the names of its fields."""
    locale = current_locale()
    if isinstance(error, InvalidInput):
        faults, lines = {}, []
        for fault in error.faults:
            name, words = _named(fault.field), explain_fault(_on_a_page(fault), locale)
            if name in asked:
                faults[name] = words
            else:
                lines.append(_("%(field)s: %(fault)s", field=field_label(fault.field, locale), fault=words))
        return lines, faults
    where = error.facts.get("field")
    lines = explain(error, locale)
    if where in asked:
        return [], {str(where): lines[0]}
    return lines, {}


def _on_a_page(fault: Fault) -> Fault:
    """Return a fault as a form says it: of a name its first field is needed, whose language is not told there."""
    return Fault(fault.field, "required") if fault.code == "names_missing" else fault


def _named(path: str) -> str:
    head, _dot, language = path.partition(".")
    return NAMES.get(language or "zh_CN", "name") if head == "names" else path


def names_typed() -> dict[str, str]:
    """Return the names that the form gives, by language; an empty one is left out."""
    typed = {language: request.form.get(name, "").strip() for language, name in NAMES.items()}
    return {language: text for language, text in typed.items() if text}


def names_values(names: Mapping[str, str]) -> dict[str, str]:
    """Return a form's values for a thing that is named."""
    return {name: names.get(language, "") for language, name in NAMES.items()}


def day_typed(name: str) -> date | None:
    """Return the day that a field gives; None when it is empty.

    Raises:
        InvalidInput: it is no whole day that exists.
    """
    return day_of(request.form.get(name, ""), name)


def key_typed(name: str) -> UUID | None:
    """Return the id that a field gives; None when it is empty. Raises ``InvalidInput`` when it is none."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(Fault(name, "unknown")) from None


def key_needed(name: str) -> UUID:
    """Return the id that a field gives. Raises ``InvalidInput`` when it is none, or empty."""
    key = key_typed(name)
    if key is None:
        raise InvalidInput(Fault(name, "required"))
    return key


def whole_typed(name: str, default: int = 0) -> int:
    """Return the whole number that a field gives, in digits of any width; ``default`` when it is empty.

    Raises:
        InvalidInput: it is none.
    """
    text = request.form.get(name, "").strip()
    if not text:
        return default
    number = whole_of(text)
    if number is None:
        raise InvalidInput(Fault(name, "not_a_number"))
    return number


def year_in(text: str) -> int | None:
    """Return the year that a text is, of four digits; None when it is none."""
    return int(text) if len(text) == 4 and text.isdecimal() and 1000 < int(text) < 3000 else None


def may(act: Act) -> bool:
    """Return whether who asks may do an act on the house."""
    return bool(HOUSE_RULES[act] & identity().roles)


def require(act: Act) -> None:
    """Let only those on a page who may do its act; a refusal is logged. Raises ``NotAllowed``."""
    with services().db.reading() as session:
        services().guard.require_house(session, identity(), act)


def own_fields(definitions: Sequence[FieldDef], kept: Mapping[str, str] | None = None) -> list[Field]:
    """Return the form's fields for a house's own typed fields.

    ``kept`` are personal numbers that stand, masked: the form never shows them whole.
    """
    return [_own_field(each, (kept or {}).get(each.name)) for each in definitions]


def _own_field(definition: FieldDef, kept: str | None) -> Field:
    name, words = definition.name, definition.label(current_locale())
    if definition.kind is FieldKind.CHOICE:
        options = [(code, named(names, current_locale())) for code, names in definition.choices.items()]
        return Field(name, words, kind="choose", options=options, none="—", must=definition.required)
    if definition.kind is FieldKind.DATE:
        return Field(name, words, kind="month", must=definition.required and kept is None)
    how = ""
    if kept is not None:
        how = _("Kept now: %(value)s. Leave the field empty to keep it.", value=kept)
    elif definition.protected:
        how = _("Kept encrypted.")
    return Field(name, words, help=how, must=definition.required and kept is None, limit=definition.limit)


def days() -> tuple[Field, Field]:
    """Return the two fields of a time, from a day to a day."""
    how = _("For example 2024-3-5, 20240305 or 113/3/5.")
    return (
        Field("since", _("From day"), help=_("Left empty: from today on. %(how)s", how=how), kind="day"),
        Field("until", _("Last day"), help=_("Left empty: until it is ended."), kind="day"),
    )


def name_fields() -> Field:
    """Return the fields in which a thing is named in three languages."""
    return Field("name", _("Name"), kind="names")
