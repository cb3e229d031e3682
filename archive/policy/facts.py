"""The facts of a record that rules may ask for, by the names that conditions use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from archive.model import Record, RecordPerson

FACTS = frozenset(
    (
        "record", "fonds", "category", "place", "department", "level", "need_to_know", "named", "state", "kind",
        "created_by",
    )
)  # fmt: skip
"""Every fact name. The SQL form, the Python form and the engines' entries know exactly these."""


def facts_of(record: Any, named: Iterable[UUID]) -> dict[str, Any]:
    """Return the facts of ``record`` (or a row with its columns); ``named`` are the ids of the people named on it.

    State and kind may be an enum or its word.
    """
    return {
        "record": record.id,
        "fonds": record.fonds_id,
        "category": record.category_id,
        "place": record.place_path,
        "department": record.department_id,
        "level": record.level_rank,
        "need_to_know": record.group_id is not None,
        "named": frozenset(named),
        "state": str(record.state),
        "kind": str(record.kind),
        "created_by": record.created_by,
    }


def people_named(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return who is named on each of these records; records without anyone are left out."""
    named: dict[UUID, list[UUID]] = {}
    for key, person in session.connection().execute(_NAMED, {"ids": list(record_ids)}):
        named.setdefault(key, []).append(person)
    return named


_NAMED = select(RecordPerson.record_id, RecordPerson.person_id).where(
    RecordPerson.record_id.in_(bindparam("ids", expanding=True))
)


def facts_of_many(session: Session, records: Iterable[Record]) -> dict[UUID, Mapping[str, Any]]:
    """Return the facts of many records by id, with one query for the people named on them."""
    rows = list(records)
    named = people_named(session, [record.id for record in rows])
    return {record.id: facts_of(record, named.get(record.id, ())) for record in rows}


def facts_by_id(session: Session, record_ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the facts of those of these records that are there, reading nothing else of them."""
    if not record_ids:
        return {}
    rows = session.connection().execute(_FACTS, {"ids": list(record_ids)}).all()
    named = people_named(session, [row.id for row in rows])
    return {row.id: facts_of(row, named.get(row.id, ())) for row in rows}


_FACTS = select(
    *(
        Record.__table__.c[name]
        for name in (
            "id", "fonds_id", "category_id", "place_path", "department_id", "level_rank", "group_id", "state", "kind",
            "created_by",
        )
    )
).where(Record.__table__.c.id.in_(bindparam("ids", expanding=True)))  # fmt: skip
