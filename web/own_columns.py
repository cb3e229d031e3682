"""Columns of a spreadsheet for the own fields of the categories that its records are of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from archive.cataloguing.describing import openable
from archive.model import Category, Record
from archive.scheme.fields import FieldDef, parse_fields
from web.i18n import current_locale
from web.services import services
from web.words.records import field_value, masked

MOST = 60
"""Columns of one sheet; what comes after them is left out."""


def own_columns(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Return heads and, record by record, cells of what records, which the caller has checked, say in their own fields.

    Fields of several categories that are called alike share a column; one that no record fills has none. What is kept
    sealed, names as well as numbers of persons, is masked: a sheet holds many at once, and nobody sees who reads it.
    """
    locale = current_locale()
    with services().db.reading() as session:
        wanted = {row.category_id for row in records}
        query = select(Category.id, Category.fields).where(Category.id.in_(wanted)).order_by(Category.code, Category.id)
        fields = {key: _called(parse_fields(data), locale) for key, data in session.execute(query)}
        sealed = openable(services().vault, session, records)
    told = [_cells(row, fields[row.category_id], sealed, locale) for row in records]
    filled = {head for cells in told for head in cells}
    heads = [head for head in dict.fromkeys(head for each in fields.values() for head in each) if head in filled][:MOST]
    return heads, [[cells.get(head, "") for head in heads] for cells in told]


def _called(fields: Sequence[FieldDef], locale: str) -> dict[str, FieldDef]:
    """Return a category's fields by their heads: their words, and their names where two have the same words."""
    labels = Counter(each.label(locale) for each in fields)
    return {
        label if labels[label] == 1 else f"{label} ({each.name})": each
        for label, each in ((each.label(locale), each) for each in fields)
    }


def _cells(
    record: Record, fields: Mapping[str, FieldDef], sealed: Mapping[UUID, Mapping[str, object]], locale: str
) -> dict[str, str]:
    values = {**record.fields, **sealed.get(record.id, {})}
    return {
        head: masked(str(values[each.name])) if each.protected else field_value(each, values[each.name], locale)
        for head, each in fields.items()
        if values.get(each.name) is not None
    }
