"""The form that describes a record: what it offers, and what comes back from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from archive.cataloguing.describing import Draft
from archive.errors import Fault, InvalidInput
from archive.identity import Role
from archive.model import Department, Medium, Place, Record, RecordKind
from archive.policy.reach import Reach
from archive.scheme.fields import FieldDef, FieldKind, parse_fields
from archive.spelling import whole_of
from web.describing.importance import step
from web.directory import CategoryShown, Directory
from web.kept_apart import group_at

TEXTS = ("title", "responsible", "drawn_up", "notes")
MATERIALS = ("document", "book", "manual", "sound", "drawing", "photograph", "video", "email", "web_page")
NUMBERS = frozenset({FieldKind.PHONE, FieldKind.IDENTITY})
"""Kinds of fields that the form never shows as they are kept."""

AWAY = "away."
"""Prefix of the form's names that take a personal number away."""

OWN = "f."
"""Prefix of the form's names for a category's own fields."""


@dataclass(frozen=True)
class Choices:
    """What the form of one category offers to one person.

    ``groups`` is whether they may put the record under need-to-know. The form lists no groups: it takes the mark from
    who was told of one, so that nobody learns from it what else is kept apart.
    """

    category: CategoryShown
    fields: Sequence[FieldDef]
    levels: Sequence[int]
    groups: bool
    departments: Sequence[Department]
    places: Sequence[Place]


def choices(directory: Directory, category: CategoryShown, reach: Reach) -> Choices:
    """Return what a person may choose from for a record of this category."""
    departments = directory.departments()
    own = [row for row in departments if row.id in reach.departments]
    return Choices(
        category=category,
        fields=parse_fields(category.fields),
        levels=sorted(reach.levels),
        groups=Role.ARCHIVIST in reach.roles,
        departments=own + [row for row in departments if row.id not in reach.departments],
        places=directory.places(category.fonds_id),
    )


def values_of(record: Record, own: Sequence[tuple[FieldDef, Any]], place: Place | None) -> MultiDict[str, str]:
    """Return the form's values for a record as it stands."""
    values = MultiDict({name: getattr(record, name) or "" for name in TEXTS})
    values["level"] = str(record.level_rank)
    values["department"] = str(record.department_id or "")
    values["place"] = place.path.rstrip("/") if place else ""
    values["pages"] = "" if record.pages is None else str(record.pages)
    values["medium"] = record.medium.value
    values["importance"] = str(record.importance or "")
    values["material"] = record.material
    values["keywords"] = "，".join(record.keywords)
    for field, value in own:
        values[OWN + field.name] = "" if field.kind in NUMBERS else str(value)
    return values


def draft(form: MultiDict[str, str], category: CategoryShown, directory: Directory, who: UUID | None) -> Draft:
    """Read a draft from the form. Who catalogues a record under need-to-know is named on it: else none could go on.

    Raises:
        InvalidInput: names every field whose text is no number, place, level, group or department.
    """
    read = _read(form, category, directory)
    written = form.get("level", "").strip()
    level = rank(written) if written else None  # what is no rank must not become the category's level unseen
    group = _group(form.get("group", ""), category, read["place_id"])
    kind = RecordKind.DOSSIER if form.get("kind") == RecordKind.DOSSIER else RecordKind.ITEM
    named = (who,) if group and who else ()
    return Draft(
        fonds_id=category.fonds_id, category_id=category.id, kind=kind, level_rank=level, group_id=group, named=named,
        **read,
    )  # fmt: skip


def changes(
    form: MultiDict[str, str], category: CategoryShown, directory: Directory, own: Sequence[tuple[FieldDef, Any]]
) -> dict[str, Any]:
    """Read the changes of a description from the form (the level changes by an act of its own).

    A personal number comes back empty, for the form never shows it: it stays unless typed anew or taken away.
    """
    read = _read(form, category, directory)
    for field, value in own:
        if field.kind in NUMBERS and field.name not in read["fields"] and not form.get(AWAY + field.name):
            read["fields"][field.name] = value
    return read


def version(form: MultiDict[str, str]) -> int:
    """Return the version of the record that the form was made from."""
    return whole_of(form.get("version", "")) or 0


def rank(text: str) -> int:
    """Return a level's rank as it comes from a form; 0, which no level has, when it is none."""
    return whole_of(text) or 0


def _read(form: MultiDict[str, str], category: CategoryShown, directory: Directory) -> dict[str, Any]:
    faults: list[Fault] = []
    values: dict[str, Any] = {name: form.get(name, "").strip() or None for name in TEXTS}
    values["title"] = values["title"] or ""
    values["keywords"] = tuple(dict.fromkeys(_split(form.get("keywords", ""))))
    values["pages"] = _count(form.get("pages", ""), faults)
    values["medium"] = _medium(form.get("medium", ""), faults)
    try:
        values["importance"] = step(form.get("importance", ""))
    except InvalidInput as refused:
        faults += refused.faults
    values["material"] = form.get("material") or "document"
    values["department_id"] = _department(form.get("department", ""), faults)
    values["place_id"] = _place(form.get("place", ""), category, directory, faults)
    own = {name.removeprefix(OWN): text for name, text in form.items() if name.startswith(OWN) and text.strip()}
    values["fields"] = own
    if faults:
        raise InvalidInput(*faults)
    return values


def _group(text: str, category: CategoryShown, place: UUID | None) -> UUID | None:
    if not text.strip():
        return None
    found = group_at(text, fonds=category.fonds_id, category=category.id, place=place)
    if found is None:
        raise InvalidInput(Fault("group", "unknown"))
    return found


def _split(text: str) -> list[str]:
    for mark in "，、;；\n":
        text = text.replace(mark, ",")
    return [word.strip() for word in text.split(",") if word.strip()]


def _count(text: str, faults: list[Fault]) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    if (number := whole_of(plain, 9_999_999)) is None:
        faults.append(Fault("pages", "not_a_number", {"value": plain[:40]}))
    return number


def _medium(text: str, faults: list[Fault]) -> Medium:
    if not text:
        return Medium.ELECTRONIC
    try:
        return Medium(text)
    except ValueError:
        faults.append(Fault("medium", "unknown"))
        return Medium.ELECTRONIC


def _department(text: str, faults: list[Fault]) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        faults.append(Fault("department", "unknown"))
        return None


def _place(text: str, category: CategoryShown, directory: Directory, faults: list[Fault]) -> UUID | None:
    try:
        return place_named(text, category.fonds_id, directory)
    except InvalidInput as error:
        faults += error.faults
        return None


def place_named(text: str, fonds_id: UUID, directory: Directory) -> UUID | None:
    """Return the place whose code a form gives, None where it gives none. Raises ``InvalidInput``: ``place``."""
    plain, *_name = text.split(maxsplit=1) or [""]  # a list entry reads "A01/02 名称"
    if not plain:
        return None
    found = directory.place_at(fonds_id, plain)
    if found is None:
        raise InvalidInput(Fault("place", "unknown"))
    return found.id
