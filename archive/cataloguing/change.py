"""What an edit of many records changes, and parts of descriptions as JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from archive.cataloguing.describing import Draft

SETTABLE = frozenset({"department_id", "place_id", "responsible", "notes", "term", "importance"})
"""What is set to one value for all, beside keywords and the category's own fields."""

_IDS = frozenset({"department_id", "place_id"})


@dataclass(frozen=True)
class Change:
    """What is changed: ``values`` by name (None takes away), own ``fields`` likewise, keywords added and taken away.

    A keyword that is both is added.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    add_keywords: Sequence[str] = ()
    drop_keywords: Sequence[str] = ()

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.values or self.fields or self.add_keywords or self.drop_keywords)

    def of(self, draft: Draft) -> dict[str, Any]:
        """Return what differs from a description by this change, as ``RecordService.describe`` takes it."""
        wanted: dict[str, Any] = dict(self.values)
        if self.add_keywords or self.drop_keywords:
            gone = set(self.drop_keywords) - set(self.add_keywords)
            kept = [word for word in draft.keywords if word not in gone]
            wanted["keywords"] = tuple(dict.fromkeys([*kept, *self.add_keywords]))
        if self.fields:
            own = {**draft.fields, **self.fields}
            wanted["fields"] = {name: value for name, value in own.items() if value not in (None, "")}
        return {name: value for name, value in wanted.items() if getattr(draft, name) != value}

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "values": {name: str(v) if name in _IDS and v else v for name, v in self.values.items()},
            "fields": dict(self.fields),
            "add_keywords": list(self.add_keywords),
            "drop_keywords": list(self.drop_keywords),
        }

    @staticmethod
    def read(plain: Mapping[str, Any]) -> "Change":
        """Read it from JSON values."""
        return Change(typed_of(plain["values"]), plain["fields"], plain["add_keywords"], plain["drop_keywords"])


def values_of(draft: Draft, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return parts of a description as JSON values."""
    found = {name: getattr(draft, name) for name in names}
    return {
        name: str(value) if isinstance(value, UUID) else list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
    }


def typed_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn JSON values into those of a description."""
    ids = {name: UUID(value) if value else None for name, value in values.items() if name in _IDS}
    words = {"keywords": tuple(values["keywords"])} if "keywords" in values else {}
    return {**values, **ids, **words}
