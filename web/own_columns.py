"""Columns of a spreadsheet for the own fields of the categories that its records are of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, takewhile
from typing import Any

from flask_babel import ngettext
from sqlalchemy import select

from archive.cataloguing.describing import openable
from archive.model import Category, Record
from archive.scheme.fields import FieldDef, FieldKind, parse_fields
from web.i18n import current_locale
from web.services import services
from web.words.records import field_value, masked_name

MOST = 60
"""Columns of one sheet."""

MOST_SIGNS = 10_000_000
"""Characters in all of its columns: a workbook is written in memory, at some 13 bytes a character."""

LONGEST = 300
"""Characters in one cell; what is longer is cut off, and ends with a sign that says so."""


def own_columns(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Return heads and, record by record, cells of what records, which the caller has checked, say in their own fields.

    Fields of several categories that are called alike share a column; one that no record fills has none. What comes
    after ``MOST`` columns or ``MOST_SIGNS`` is left out: a last head says how many. What is kept sealed, names as well
    as numbers of persons, is masked: a sheet holds many at once, and nobody sees who reads it.
    """
    locale = current_locale()
    with services().db.reading() as session:
        wanted = {row.category_id for row in records}
        query = select(Category.id, Category.fields).where(Category.id.in_(wanted)).order_by(Category.code, Category.id)
        fields = {key: _called(parse_fields(data), locale) for key, data in session.execute(query)}
        sealed = openable(services().vault, session, records)

    def told(row: Record) -> dict[str, str]:
        return _cells(fields[row.category_id], {**row.fields, **sealed.get(row.id, {})}, locale)

    sizes: Counter[str] = Counter()
    for row in records:
        sizes.update({head: len(text) for head, text in told(row).items()})
    filled = [head for head in dict.fromkeys(head for each in fields.values() for head in each) if head in sizes]
    heads = _fitting(filled, sizes)
    left = len(filled) - len(heads)
    more = [ngettext("%(num)d more field is left out", "%(num)d more fields are left out", left)] if left else []
    rows = [[cells.get(head, "") for head in heads] for cells in map(told, records)]
    return [*heads, *more], [row + [""] * len(more) for row in rows]


def _fitting(heads: Sequence[str], sizes: Mapping[str, int]) -> Sequence[str]:
    """Return the first of the heads: as many as a sheet takes, by number and by the characters below them."""
    sums = accumulate(sizes[head] for head in heads[:MOST])
    return heads[: sum(1 for _sum in takewhile(lambda total: total <= MOST_SIGNS, sums))]


def _called(fields: Sequence[FieldDef], locale: str) -> dict[str, FieldDef]:
    """Return a category's fields by their heads: their words, and their names where two have the same words."""
    labels = Counter(each.label(locale) for each in fields)
    return {
        label if labels[label] == 1 else f"{label} ({each.name})": each
        for label, each in ((each.label(locale), each) for each in fields)
    }


def _cells(fields: Mapping[str, FieldDef], values: Mapping[str, Any], locale: str) -> dict[str, str]:
    return {
        head: _cell(each, values[each.name], locale)
        for head, each in fields.items()
        if values.get(each.name) is not None
    }


def _cell(field: FieldDef, value: Any, locale: str) -> str:
    text = masked_name(str(value)) if field.kind is FieldKind.PERSON else field_value(field, value, locale)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
