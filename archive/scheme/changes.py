"""What installing a scheme would change, as it is told before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.model import Category


@dataclass(frozen=True)
class Changed:
    """A category that installing would touch; ``parts`` are the columns that would change."""

    code: str
    names: Mapping[str, str]
    parts: Sequence[str]


@dataclass(frozen=True)
class Changes:
    """What installing a scheme would do to a fonds; ``rules`` are codes of number rules that would be added.

    ``terms`` is how many records would have another day, for a category would stand elsewhere.
    """

    new: Sequence[Changed]
    changed: Sequence[Changed]
    closed: Sequence[Changed]
    rules: Sequence[str]
    terms: int

    @property
    def any(self) -> bool:
        """Whether anything would change."""
        return bool(self.new or self.changed or self.closed or self.rules)


_TOLD = (
    "parent_id", "names", "level_rank", "term", "importance", "number_rule_id", "reference_rule_id", "fields",
    "required", "documents", "closed_on",
)  # fmt: skip


def state_of(row: Category) -> dict[str, Any]:
    """Return what a version of a category may change."""
    return {key: getattr(row, key) for key in _TOLD}


def changed(row: Category, before: Mapping[str, Any]) -> Changed | None:
    """Return what changed of a category; None: nothing, or it was closed, which is told by itself."""
    if row.closed_on is not None and before["closed_on"] is None:
        return None
    parts = [key for key, value in state_of(row).items() if before[key] != value]
    return Changed(row.code, dict(row.names), parts) if parts else None
