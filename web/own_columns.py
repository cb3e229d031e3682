"""Columns of a spreadsheet for the own fields of the categories that its records are of."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import load_only

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

AT_ONCE = 200
"""Records whose own fields are read and opened at once."""

LONGEST = 300
"""Characters in one cell; what is longer is cut off, and ends with a sign that says so."""


def own_columns(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Return heads and, record by record, cells of what records, which the caller has checked, say in their own fields.

    Fields of several categories that are called alike share a column; one that no record fills has none. What comes
    after ``MOST`` columns or ``MOST_SIGNS`` is left out: a last head says how many. What is kept sealed, names as well
    as numbers of persons, is masked: a sheet holds many at once, and nobody sees who reads it.
    """
    locale, keys = current_locale(), [row.id for row in records]
    query = select(Record).options(load_only(Record.category_id, Record.fields, Record.sealed_fields))
    with services().db.reading() as session:
        of_them = Category.id.in_({row.category_id for row in records})
        schemes = session.execute(
            select(Category.id, Category.fields).where(of_them).order_by(Category.code, Category.id)
        )
        fields = {key: _called(parse_fields(data), locale) for key, data in schemes}
        columns = _Columns(dict.fromkeys(head for each in fields.values() for head in each))
        for start in range(0, len(keys), AT_ONCE):
            part = session.scalars(query.where(Record.id.in_(keys[start : start + AT_ONCE]))).all()
            sealed = openable(services().vault, session, part)
            for row in part:
                values = {**row.fields, **sealed.get(row.id, {})}
                columns.add(row.id, _cells(fields.get(row.category_id, {}), values, locale))
    heads, cells = columns.heads, columns.cells
    left = len(columns.left)
    more = [ngettext("%(num)d more field is left out", "%(num)d more fields are left out", left)] if left else []
    return [*heads, *more], [[*(cells[head].get(key, "") for head in heads), *("" for _ in more)] for key in keys]


class _Columns:
    """Cells by head and record: of the first of the heads, as many as a sheet has room for."""

    def __init__(self, heads: Iterable[str]) -> None:
        self._order = {head: at for at, head in enumerate(heads)}
        self._end = len(self._order)
        self._signs = 0
        self.cells: dict[str, dict[UUID, str]] = {}
        self.left: set[str] = set()

    @property
    def heads(self) -> list[str]:
        """The heads that have room, in their order."""
        return sorted(self.cells, key=self._order.__getitem__)

    def add(self, key: UUID, cells: Mapping[str, str]) -> None:
        """Add what a record says; where there is no room, the last columns go."""
        for head, text in cells.items():
            if self._order[head] >= self._end:
                self.left.add(head)
            else:
                self.cells.setdefault(head, {})[key] = text
                self._signs += len(text)
        while len(self.cells) > MOST or self._signs > MOST_SIGNS:
            last = self.heads[-1]
            self._end = self._order[last]
            self._signs -= sum(map(len, self.cells.pop(last).values()))
            self.left.add(last)


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
