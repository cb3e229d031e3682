"""Fields that hold telephone or identity numbers: their values are told by their ends, whatever shape they have."""

import json

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing.describing import definitions_in
from archive.model import Category, CategoryVersion
from archive.scheme.fields import FieldDef, FieldKind
from archive.subject_facts import fields_of, kinds
from web.services import services

NUMBERS = frozenset({FieldKind.PHONE, FieldKind.IDENTITY})


def number_fields() -> frozenset[str]:
    """Return the names that a field of numbers has, or once had, in any category or kind of subject of the house."""
    if "number_fields" not in g:
        with services().db.reading() as session:
            g.number_fields = _named(session)
    found: frozenset[str] = g.number_fields
    return found


def _named(session: Session) -> frozenset[str]:
    texts = {json.dumps(fields) for fields in session.scalars(select(Category.fields))}
    texts |= {json.dumps(each.get("fields", [])) for each in session.scalars(select(CategoryVersion.definition))}
    defined: list[FieldDef] = [each for text in texts for each in definitions_in(text)]
    defined += [each for kind in kinds() for each in fields_of(kind)]
    return frozenset(each.name for each in defined if each.kind in NUMBERS)
