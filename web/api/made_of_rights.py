"""What programs send and are answered of people's rights, of departments and posts."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from web.api.clocks import Day
from web.api.given import Code
from web.api.made import Names, PersonListed
from web.api.shapes import Shape


class Between(Shape):
    """From which day to which, both included; null: without a beginning or an end."""

    since: Day | None = None
    until: Day | None = None


class NewPost(Between):
    """A post that a person holds in a department."""

    post: Code
    department: Code


class LastDay(Shape):
    """The last day of a post; what comes with it ends with this day."""

    until: Day


class NewGrant(Between):
    """What a grant opens: a whole fonds, or (with ``category``, ``place``) one branch of it, or one place in it."""

    fonds: Code
    category: Code | None = None
    place: Annotated[str, Field(max_length=200)] | None = Field(None, description="The place's path: A001/02.")


class Entrusted(Shape):
    """The levels that a person keeps custody of, and no others."""

    levels: list[Annotated[int, Field(ge=0, le=99)]] = Field(max_length=100)


class PostGiven(Shape):
    """The post that was given."""

    holding: UUID


class GrantGiven(Shape):
    """The grant that was given."""

    grant: UUID


class Ended(Shape):
    """How many sessions ended."""

    sessions: int


class HeldPost(PostGiven):
    """A post that a person holds; ``over``: its last day has passed."""

    post: str
    department: str
    since: date | None
    until: date | None
    over: bool


class HeldGrant(GrantGiven):
    """A grant, on a whole fonds or on one category or place of it."""

    fonds: str
    category: str | None
    place: str | None
    since: date | None
    until: date | None
    over: bool


class PersonShown(PersonListed):
    """All that an account holds. ``custody``: ranks of levels. ``invited``: nobody has chosen its password yet."""

    person: UUID
    posts: list[HeldPost]
    grants: list[HeldGrant]
    custody: list[int]
    sessions: int
    failures: int = Field(description="Of signing in, in a row.")
    locked_until: datetime | None
    invited: bool


class TokenShown(Shape):
    """A token by which a program acts as a person, until it ends; what opens with it is never shown again."""

    token: UUID
    name: str
    writes: bool = Field(description="False: it opens reading alone.")
    made: datetime
    ends: datetime


class Tokens(Shape):
    """A person's tokens that have not ended, by name."""

    tokens: list[TokenShown]


class DepartmentShown(Shape):
    """A department; ``above`` is the code of what it belongs to."""

    department: str
    names: Names
    above: str | None
    since: date | None
    until: date | None
    version: int


class PostShown(Shape):
    """A post that people can hold."""

    post: str
    names: Names


class OrganisationShown(Shape):
    """The departments, with those that have ended, and the posts."""

    departments: list[DepartmentShown]
    posts: list[PostShown]
