"""What programs send and are answered of schemes: categories as their keepers see them."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, JsonValue

from retention.previewing import Moved
from web.api.given import Code, Names, Page, Reason
from web.api.made_of_schedules import MovesPage
from web.api.shapes import Shape

Term = Annotated[str, Field(max_length=16)]
Parts = Annotated[list[dict[str, JsonValue]], Field(max_length=200)]
Rule = Annotated[str, Field(max_length=64)]


class CategoryFacts(Shape):
    """What a category says of its records; what is left out of a new one is taken from the one above it.

    ``fields`` and ``documents`` are written as in a scheme's document.
    """

    names: Names = Field(default_factory=dict)
    level: int | None = Field(None, ge=0, le=99, description="The rank that its records begin with.")
    term: Term | None = Field(None, description="Y for permanent, D30 for 30 years, M18 for 18 months.")
    importance: int | None = Field(None, ge=1, le=3)
    number_rule: Rule | None = Field(None, description="A code of `/number-rules`.")
    reference_rule: Rule | None = None
    fields: Parts = Field(default_factory=list)
    required: Annotated[list[Code], Field(max_length=200)] = Field(default_factory=list)
    documents: Parts = Field(default_factory=list)

    def sent(self) -> dict[str, Any]:
        """Return what was said, as a scheme's document says it."""
        return self.model_dump(mode="json", include=set(CategoryFacts.model_fields) & self.model_fields_set)


class NewCategory(CategoryFacts):
    """A category to be added."""

    code: Annotated[str, Field(min_length=1, max_length=16)]
    names: Names
    parent: Code | None = Field(None, description="The code of the category above; null: it stands at the top.")


class CategoryParent(Shape):
    """Where a category shall stand."""

    parent: Code | None = Field(description="The code of the category above; null: at the top.")
    reason: Reason


class MoveAsked(Page):
    """A place where a category might stand."""

    parent: Code | None = Field(None, description="The code of the category above; left out: at the top.")


class MoveSeen(MovesPage):
    """What a move would do to the terms of the records that you read: how many would move, how, and which.

    ``shorter``: it is refused, for a term would end sooner; that is brought about by a schedule's draft alone. These
    three are counted over the whole branch: on the first page alone, null on those behind.
    """

    moves: dict[Moved, int] | None
    same: int | None
    shorter: bool | None


class CategoryStands(Shape):
    """A category that was added or changed, and its version now."""

    fonds: str
    category: str
    version: int


class CategoryKept(CategoryStands):
    """A category as those who keep the scheme see it; one with ``closed_on`` takes in nothing new from that day on.

    ``id`` is what filters, lists and holds name it by.
    """

    id: UUID
    names: dict[str, str]
    parent: str | None
    level: int
    term: str
    importance: int | None
    number_rule: str | None
    reference_rule: str | None
    fields: list[dict[str, JsonValue]]
    required: list[str]
    documents: list[dict[str, JsonValue]]
    closed_on: date | None


class NewRule(Shape):
    """A number rule to be added; a code that begins with ``reference.`` makes it a reference rule."""

    rule: Annotated[str, Field(min_length=1, max_length=40)]
    names: Names
    template: Annotated[str, Field(max_length=1_000)]


class RuleMade(Shape):
    """The rule that was added."""

    rule: str
