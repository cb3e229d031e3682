"""What programs send and are answered of the organisation: departments, posts, places, and whom a level reaches."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from archive.model import Security
from web.api.clocks import Day
from web.api.given import Code, Names
from web.api.shapes import Shape


class NewDepartment(Shape):
    """A department to be added; its code stands in numbers and never changes."""

    department: Annotated[str, Field(min_length=1, max_length=8)] = Field(description="Letters and digits.")
    names: Names
    parent: Code | None = Field(None, description="The code of the department above; null: it stands at the top.")
    since: Day | None = None


class Named(Shape):
    """The names of something, all of them."""

    names: Names


class DepartmentStands(Shape):
    """A department that was added or changed, and its version now."""

    department: str
    version: int


class ClosedFrom(Shape):
    """From which day on nothing new comes in."""

    until: Day


class NewPostCode(Shape):
    """A post to be added."""

    post: Code
    names: Names


class PostAdded(Shape):
    """The post that was added."""

    post: str


class PlaceChanges(Shape):
    """What of a place changes; what is left out stays. Owners and tenants belong to subjects."""

    names: Names | None = None
    facts: dict[str, JsonValue] | None = Field(None, description="All facts of the place.")
    code: Code | None = Field(None, description="Only while nothing hangs on the place.")


class PlaceStands(Shape):
    """A place that was changed, and its version now."""

    place: UUID
    version: int


class PlaceFacts(PlaceStands):
    """A place with its facts."""

    path: str
    names: dict[str, str]
    property_types: list[str]
    facts: dict[str, JsonValue]


class Reached(Shape):
    """Whom a level, and those below it, reach: a post, a department, both together, or (neither) all staff."""

    level: int = Field(ge=0, le=99)
    post: Code | None = None
    department: Code | None = None


class DistributionMade(Shape):
    """The distribution that was added."""

    distribution: UUID


class DistributionShown(DistributionMade):
    """Whom a level reaches."""

    level: int
    post: str | None
    department: str | None


class ShelvingRule(Shape):
    """What a place must be at least for the papers of a level."""

    level: int
    security: Security


class LevelRules(Shape):
    """Whom the levels reach, and where their papers may lie."""

    distributions: list[DistributionShown]
    shelving: list[ShelvingRule]


class MayLie(Shape):
    """What a place must be at least."""

    security: Security


class NewGroup(Shape):
    """A need-to-know group to be added; numbers show its mark."""

    mark: Annotated[str, Field(min_length=1, max_length=2)]
    names: Names


class GroupAdded(Shape):
    """The group that was added."""

    group: str


class GroupShown(GroupAdded):
    """A need-to-know group."""

    fonds: str
    names: dict[str, str]


class Groups(Shape):
    """The need-to-know groups by their marks."""

    groups: list[GroupShown]
