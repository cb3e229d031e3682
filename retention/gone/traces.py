"""Looking for what is gone in every table: ids, numbers and keys of objects, in every column that could hold one."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Enum, FromClause, Select, String, func, or_, select
from sqlalchemy.orm import Session

from archive.database import Base, Id
from archive.model import DestructionItem, DestructionItemState, DestructionObject

KEPT = frozenset(
    {
        "log_entry",
        "issued_number",
        "appraisal_item",
        "appraisal_lines",
        "appraisal_form",
        "destroyed_record",
        "transfer_item",
    }
)
"""Tables that go on naming what is gone, as the law asks: who did what, numbers never given again, lists, register."""

_OWN = "destruction"
"""Tables of destructions begin with this; they name what is gone, too."""

_ID = re.compile(r"(?=([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}))")  # wherever one may begin
_SHORTEST_ID = 32
_LEAST = 8
"""Columns for shorter texts hold no id, number or key."""

_ROWS = 2_000


@dataclass
class Looked:
    """What was looked at, what names something gone though it should not, and what may go on doing so."""

    tables: int = 0
    columns: int = 0
    found: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, count: int, *, kept: bool) -> None:
        """Remember what a column holds."""
        if count:
            where = self.kept if kept else self.found
            where[name] = where.get(name, 0) + count


@dataclass(frozen=True)
class Wanted:
    """What is looked for: ids of records and contents, and texts that name them."""

    ids: Collection[UUID]
    texts: Collection[str]


def look(session: Session, destruction_id: UUID, wanted: Wanted) -> Looked:
    """Look through every table."""
    looked = Looked()
    for table in Base.metadata.sorted_tables:
        kept = table.name in KEPT or table.name.startswith(_OWN)
        looked.tables += 1
        for column in table.columns:
            if isinstance(column.type, Id):
                looked.columns += 1
                count = session.scalar(_named(table, column, destruction_id)) or 0
                looked.note(f"{table.name}.{column.name}", count, kept=kept)
        texts = [] if kept else [column for column in table.columns if _holds_text(column)]
        looked.columns += len(texts)
        for name, count in _read(session, texts, wanted):
            looked.note(f"{table.name}.{name}", count, kept=kept)
    return looked


def _named(table: FromClause, column: Column[Any], destruction_id: UUID) -> Select[int]:
    records = select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == destruction_id, DestructionItem.state == DestructionItemState.GONE
    )
    contents = select(DestructionObject.content_id).where(DestructionObject.destruction_id == destruction_id)
    return select(func.count()).select_from(table).where(or_(column.in_(records), column.in_(contents)))


def _holds_text(column: Column[Any]) -> bool:
    if isinstance(column.type, JSON):
        return True
    length = column.type.length if isinstance(column.type, String) else None
    return isinstance(column.type, String) and not isinstance(column.type, Enum) and (length or _LEAST) >= _LEAST


def _read(session: Session, columns: list[Column[Any]], wanted: Wanted) -> Iterator[tuple[str, int]]:
    """Yield for each column of texts how many of its rows name something gone."""
    if not columns:
        return
    hits = [0] * len(columns)
    with session.connection().execution_options(yield_per=_ROWS).execute(select(*columns)) as rows:
        for row in rows:
            for at, value in enumerate(row):
                if value and names(value, wanted):
                    hits[at] += 1
    for column, count in zip(columns, hits, strict=True):
        yield column.name, count


def names(value: Any, wanted: Wanted) -> bool:
    """Whether a text, or a text anywhere in a document, names something that is gone."""
    if isinstance(value, str):
        if value in wanted.texts:
            return True
        return len(value) >= _SHORTEST_ID and any(UUID(found) in wanted.ids for found in _ID.findall(value))
    if isinstance(value, dict):
        return any(names(each, wanted) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(names(each, wanted) for each in value)
