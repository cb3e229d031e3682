"""The columns of lists of records, on pages and in spreadsheets: what each is called, and what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import defer

from archive.house.levels import mark as level_mark
from archive.model import Record
from web.i18n import current_locale
from web.services import identity, services
from web.words import day, mark, named
from web.words.records import MEDIA, importance_words, term_words, word


@dataclass(frozen=True)
class Column:
    """A column: its words, and its width in a spreadsheet in characters."""

    words: str
    width: int


COLUMNS: Mapping[str, Column] = {
    "number": Column(mark("Archive number"), 30),
    "registration": Column(mark("Registration number"), 20),
    "title": Column(mark("Title"), 60),
    "level": Column(mark("Secrecy level"), 18),
    "fonds": Column(mark("Fonds"), 10),
    "category": Column(mark("Category"), 28),
    "drawn_up": Column(mark("Drawn up on"), 12),
    "responsible": Column(mark("Responsible person"), 20),
    "department": Column(mark("Department"), 16),
    "place": Column(mark("Place"), 18),
    "term": Column(mark("Retention period"), 12),
    "medium": Column(mark("Medium"), 14),
    "pages": Column(mark("Pages"), 8),
    "importance": Column(mark("Importance"), 10),
    "catalogued": Column(mark("Catalogued on"), 12),
    "filed": Column(mark("Filed on"), 12),
    "uses": Column(mark("Times used"), 10),
}
"""In the order in which every list shows them."""

STANDARD: Mapping[str, Sequence[str]] = {
    "browse": ("number", "title", "level", "drawn_up", "place"),
    "search": ("number", "title", "level", "drawn_up"),
    "desk": ("title", "level", "drawn_up", "catalogued"),
}
"""What each list shows to who chose nothing."""

FIXED: Mapping[str, frozenset[str]] = {
    "browse": frozenset({"title"}),
    "search": frozenset(STANDARD["search"]),
    "desk": frozenset({"title"}),
}
"""What each list always shows."""


@dataclass(frozen=True)
class ShownList:
    """A list as a page shows it: its name, columns with their words, rows (id, level, vital or not, cells).

    ``offered`` are the columns to choose from, with their words and whether they are shown.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    offered: Sequence[tuple[str, str, bool]]


def columns_of(name: str) -> Sequence[str]:
    """Return the columns of a list for the person who asks."""
    chosen = services().columns.of(identity(), name)
    wanted = STANDARD[name] if chosen is None else {*chosen, *FIXED[name]}
    return [key for key in COLUMNS if key in wanted]


def exported(name: str) -> Sequence[str]:
    """Return the columns of a list's spreadsheet: the chosen ones, or all."""
    if name not in STANDARD or services().columns.of(identity(), name) is None:
        return list(COLUMNS)
    return columns_of(name)


def shown(name: str, records: Sequence[Record]) -> ShownList:
    """Return records, which the caller has checked, as a list shows them."""
    columns = columns_of(name)
    rows = [
        {"id": record.id, "level_rank": record.level_rank, "vital": record.vital_review, **cells}
        for record, cells in zip(records, cells_of(records), strict=True)
    ]
    offered = [(key, each.words, key in columns) for key, each in COLUMNS.items() if key not in FIXED[name]]
    return ShownList(name, columns, rows, offered)


def records_by_id(ids: Sequence[UUID]) -> list[Record]:
    """Return records that the caller has checked, in the order of ``ids``, without their own fields.

    No column of a list shows those, and of thousands of records they can be very long.
    """
    bare = select(Record).options(defer(Record.fields), defer(Record.sealed_fields))
    with services().db.reading() as session:
        found = {row.id: row for row in session.scalars(bare.where(Record.id.in_(ids)))}
    return [found[key] for key in ids if key in found]


def cells_of(records: Sequence[Record]) -> list[dict[str, str | int]]:
    """Return what each column holds, record by record."""
    directory, locale, zone = services().directory, current_locale(), services().zone()
    names = directory.coded_names(
        {row.category_id for row in records},
        {row.fonds_id for row in records},
        {row.department_id for row in records if row.department_id},
    )
    levels = directory.levels()

    def called(key: UUID | None) -> str:
        return "" if key is None or key not in names else " ".join((names[key][0], named(names[key][1], locale)))

    return [
        {
            "number": row.archive_number or "",
            "registration": row.registration_number or "",
            "title": row.title,
            "level": level_mark(levels[row.level_rank], locale),
            "fonds": names[row.fonds_id][0],
            "category": called(row.category_id),
            "drawn_up": row.drawn_up or "",
            "responsible": row.responsible or "",
            "department": called(row.department_id),
            "place": (row.place_path or "").rstrip("/"),
            "term": term_words(row.term, locale),
            "medium": word(MEDIA, row.medium, locale),
            "pages": "" if row.pages is None else row.pages,
            "importance": importance_words(row.importance or names[row.category_id].importance, locale),
            "catalogued": day(row.created_at, zone),
            "filed": day(row.filed_at, zone),
            "uses": row.uses,
        }
        for row in records
    ]
