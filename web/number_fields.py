"""Fields that hold telephone or identity numbers: their values are told by their ends, whatever shape they have."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import current_app, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.model import Category, CategoryVersion
from archive.scheme.fields import FieldKind
from archive.subject_facts import fields_of, kinds
from web.services import services

NUMBERS = frozenset({FieldKind.PHONE, FieldKind.IDENTITY})
_KEPT = "juanku.number_fields"


def number_fields() -> frozenset[str]:
    """Return the names that a field of numbers has, or once had, in any category or kind of subject of the house."""
    if "number_fields" not in g:
        with services().db.reading() as session:
            g.number_fields = _known(session)
    found: frozenset[str] = g.number_fields
    return found


def _known(session: Session) -> frozenset[str]:
    """Return the names as this process read them last, or read them anew once a category has changed."""
    versions = select(func.count(), func.max(CategoryVersion.since)).select_from(CategoryVersion)
    stands = tuple(session.execute(versions).one())
    kept: tuple[Any, frozenset[str]] | None = current_app.extensions.get(_KEPT)
    if kept is None or kept[0] != stands:
        kept = stands, _named(session)
        current_app.extensions[_KEPT] = kept
    return kept[1]


def _named(session: Session) -> frozenset[str]:
    defined: list[Any] = [each for fields in session.scalars(select(Category.fields)) for each in fields]
    for definition in session.scalars(select(CategoryVersion.definition)):
        defined += definition.get("fields", ())
    return _of_numbers(defined) | {each.name for kind in kinds() for each in fields_of(kind) if each.kind in NUMBERS}


def _of_numbers(defined: Iterable[Any]) -> frozenset[str]:
    """Return names as they were written: a definition of old may be one that would be refused today."""
    maps = [each for each in defined if isinstance(each, Mapping)]
    return frozenset(str(each.get("name")) for each in maps if each.get("kind") in NUMBERS)
