"""The facts of a record that rules may ask for, by the names that conditions use."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from archive.model import Record

FACTS = frozenset(
    (
        "record", "fonds", "category", "place", "department", "level", "need_to_know", "named", "state", "kind",
        "created_by",
    )
)  # fmt: skip
"""Every fact name. The SQL form, the Python form and the engines' entries know exactly these."""


def facts_of(record: Record, named: Iterable[UUID]) -> Mapping[str, Any]:
    """Return the facts of ``record``; ``named`` are the ids of the people named on it."""
    return {
        "record": record.id,
        "fonds": record.fonds_id,
        "category": record.category_id,
        "place": record.place_path,
        "department": record.department_id,
        "level": record.level_rank,
        "need_to_know": record.group_id is not None,
        "named": frozenset(named),
        "state": record.state.value,
        "kind": record.kind.value,
        "created_by": record.created_by,
    }
