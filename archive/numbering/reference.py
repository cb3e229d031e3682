"""Reference numbers 参考编号: readable labels beside the formal number, made from a record's own facts.

They may hold names and free text, so they are never kept: each reader's is made from the facts that this reader may
see, fuller as facts come, and gone with the record. They count nothing and need not be unique.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from archive.errors import Fault, InvalidInput

LONGEST_FACT = 60
"""Characters of one fact that a reference shows."""

MISSING = "…"
"""Stands where a fact has not come yet, or may not be seen."""

PREFIX = "reference."
"""Rules whose code begins so are reference rules."""

COMMON = frozenset(
    {
        "building",
        "category",
        "date",
        "department",
        "floor",
        "pages",
        "project",
        "responsible",
        "room",
        "title",
        "type",
        "unit",
        "year",
    }
)
"""Facts that any record may have beside its category's own fields."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Reference:
    """A checked reference template."""

    template: str
    names: tuple[str, ...]

    def render(self, visible: Mapping[str, Any]) -> str:
        """Return the reference for someone who may see ``visible``; an empty text when that fills nothing."""
        if not any(_told(visible.get(name)) for name in self.names):
            return ""
        return _FIELD.sub(lambda found: _told(visible.get(found.group(1))) or MISSING, self.template)


def _told(value: Any) -> str:
    if value is None:
        return ""
    plain = "".join(" " if unicodedata.category(c).startswith("C") else c for c in str(value))
    text = " ".join(plain.split())
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1] + MISSING


def parse(template: str, known: Collection[str] | None = None) -> Reference:
    """Read and check a reference rule.

    Args:
        template: text with field names in braces.
        known: the category's field names; None takes any well-formed name.

    Raises:
        InvalidInput: a fault of ``template``, with ``at``, the position where it is at fault.
    """
    if not 0 < len(template) <= 400:
        code = "rule_too_long" if template else "rule_empty"
        raise InvalidInput(Fault("template", code, {"at": 0, "limit": 400}))
    names = []
    for found in _FIELD.finditer(template):
        name = found.group(1)
        if not _NAME.fullmatch(name):
            raise InvalidInput(Fault("template", "rule_bad_field", {"at": found.start(), "text": name[:40]}))
        if known is not None and name not in COMMON and name not in known:
            raise InvalidInput(Fault("template", "rule_unknown_field", {"at": found.start(), "name": name}))
        names.append(name)
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        at = next(i for i, c in enumerate(template) if c in "{}" and not _inside(template, i))
        raise InvalidInput(Fault("template", "rule_unclosed", {"at": at}))
    if not names:
        raise InvalidInput(Fault("template", "rule_no_field", {"at": 0}))
    return Reference(template, tuple(names))


def _inside(template: str, at: int) -> bool:
    return any(found.start() <= at < found.end() for found in _FIELD.finditer(template))
