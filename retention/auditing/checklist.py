"""A checklist as data: its parts and points, each named in three languages."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.errors import Fault, InvalidInput
from archive.model.auditing import AuditKind
from retention.auditing.facts import Fact

LONGEST_SOURCE = 60_000
"""Characters of a checklist as JSON."""

DATA = Path(__file__).parent / "data" / "checklists.json"

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Names = dict[Annotated[str, Field(pattern="^(zh_CN|zh_TW|en)$")], Text]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Point(_Part):
    """A point that a person answers. ``facts``: what the system counts and shows beside it, never in its place."""

    code: Code
    names: Names
    facts: list[Fact] = Field(default_factory=list, max_length=5)


class Section(_Part):
    """Points that belong together, as programme, standard or method."""

    names: Names
    points: list[Point] = Field(min_length=1, max_length=60)


class Checklist(_Part):
    """A checklist."""

    code: Code
    kind: AuditKind
    names: Names
    sections: list[Section] = Field(min_length=1, max_length=20)

    @property
    def points(self) -> list[Point]:
        """Every point, in order."""
        return [point for section in self.sections for point in section.points]


def parse(data: Any) -> Checklist:
    """Read a checklist.

    Raises:
        InvalidInput: field ``checklist``: where it is not as it should be.
    """
    try:
        found = Checklist.model_validate(data)
    except ValidationError as error:
        raise _at(".".join(str(part) for part in error.errors()[0]["loc"]) or "checklist") from None
    for faulty in _loose_ends(found):
        raise _at(faulty)
    return found


def parse_text(text: str) -> Checklist:
    """Read a checklist from JSON. Raises as ``parse``."""
    if len(text) > LONGEST_SOURCE:
        raise InvalidInput(Fault("checklist", "too_long", {"limit": LONGEST_SOURCE}))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(Fault("checklist", "bad_json")) from None
    return parse(data)


def told(checklist: Checklist) -> str:
    """Write a checklist as JSON that people can edit."""
    return json.dumps(plain(checklist), ensure_ascii=False, indent=1)


def plain(checklist: Checklist) -> dict[str, Any]:
    """Return a checklist as plain data; what stands at its default is left out."""
    return checklist.model_dump(mode="json", exclude_defaults=True)


@cache
def shipped() -> Mapping[str, Checklist]:
    """Return the checklists that come with the program, by code, in the order in which they are offered."""
    return {each["code"]: parse(each) for each in json.loads(DATA.read_text("utf-8"))["checklists"]}


def _at(where: str) -> InvalidInput:
    return InvalidInput(Fault("checklist", "template_at", {"where": where[:200]}))


def _loose_ends(found: Checklist) -> Iterator[str]:
    """Name what has no name in simplified Chinese, and what is there twice."""
    if "zh_CN" not in found.names:
        yield "names"
    seen: set[str] = set()
    for number, section in enumerate(found.sections):
        if "zh_CN" not in section.names:
            yield f"sections.{number}.names"
        for at, point in enumerate(section.points):
            if "zh_CN" not in point.names:
                yield f"sections.{number}.points.{at}.names"
            if point.code in seen:
                yield f"sections.{number}.points.{at}.code"
            seen.add(point.code)
