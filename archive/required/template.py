"""A dossier template as data: the papers it asks for, the facts its conditions turn on, its people and its clocks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.errors import Fault, InvalidInput

LONGEST_SOURCE = 60_000
"""Characters of a template as JSON."""

DATA = Path(__file__).parent / "data" / "templates.json"

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = dict[Annotated[str, Field(pattern="^(zh_CN|zh_TW|en)$")], Name]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Condition = dict[str, Any]
"""``{"fact": code}``, ``{"not": condition}``, ``{"all": [conditions]}`` or ``{"any": [conditions]}``."""

_DEEPEST = 8


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Asked(_Part):
    """A fact of the dossier: yes or no, or the day of an event. ``required``: without it nothing is complete."""

    code: Code
    names: Names
    kind: Literal["yes_no", "day"]
    required: bool = False


class Human(_Part):
    """A person the dossier must name. ``exclusive``: they belong to one such dossier at a time."""

    code: Code
    names: Names
    exclusive: bool = False


class Link(_Part):
    """Another dossier that must be whole first, and the template that it follows."""

    template: Code
    names: Names


class Match(_Part):
    """What marks a paper met by itself: an item with one of these keywords and of one of these categories (codes)."""

    keywords: list[Word] = Field(default_factory=list, max_length=20)
    categories: list[Word] = Field(default_factory=list, max_length=20)


class Paper(_Part):
    """A paper: how many of it, when it is needed, what marks it met, and what is asked of a copy."""

    number: Annotated[str, Field(max_length=8)] = ""
    code: Code
    names: Names
    required: bool = True
    count: int = Field(1, ge=1, le=99)
    when: Condition | None = None
    match: Match = Match()
    copy_sealed: bool = False
    original_seen: bool = False


class ClockRule(_Part):
    """A time limit: so many days (or working days) after or before the event's day, met on the day of ``met``."""

    code: Code
    names: Names
    days: int = Field(ge=0, le=3660)
    event: Code
    met: Code
    working: bool = False
    before: bool = False
    when: Condition | None = None


class Template(_Part):
    """A dossier template. ``parties`` sign the filing form."""

    code: Code
    names: Names
    facts: list[Asked] = Field(default_factory=list, max_length=40)
    people: list[Human] = Field(default_factory=list, max_length=10)
    link: Link | None = None
    parties: list[Names] = Field(default_factory=list, max_length=6)
    papers: list[Paper] = Field(min_length=1, max_length=100)
    clocks: list[ClockRule] = Field(default_factory=list, max_length=20)

    def paper(self, code: str) -> Paper | None:
        """Return the paper of a code."""
        return next((each for each in self.papers if each.code == code), None)


def parse(data: Any) -> Template:
    """Read a template.

    Raises:
        InvalidInput: field ``template``: where it is not as it should be.
    """
    try:
        found = Template.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "template"
        raise _at(where) from None
    for faulty in _loose_ends(found):
        raise _at(faulty)
    return found


def parse_text(text: str) -> Template:
    """Read a template from JSON. Raises as ``parse``."""
    if len(text) > LONGEST_SOURCE:
        raise InvalidInput(Fault("template", "too_long", {"limit": LONGEST_SOURCE}))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(Fault("template", "bad_json")) from None
    return parse(data)


def told(template: Template) -> str:
    """Write a template as JSON that people can edit."""
    return json.dumps(plain(template), ensure_ascii=False, indent=1)


def plain(template: Template) -> dict[str, Any]:
    """Return a template as plain data; what stands at its default is left out."""
    return template.model_dump(mode="json", exclude_defaults=True)


@cache
def shipped() -> Mapping[str, Template]:
    """Return the templates that come with the program, by code, in the order in which they are offered."""
    return {each["code"]: parse(each) for each in json.loads(DATA.read_text("utf-8"))["templates"]}


def _at(where: str) -> InvalidInput:
    return InvalidInput(Fault("template", "template_at", {"where": where[:200]}))


def _loose_ends(found: Template) -> Iterator[str]:
    """Name what is there twice, unnamed in simplified Chinese, or speaks of a fact that is not declared."""
    for name in ("facts", "people", "papers", "clocks"):
        yield from _doubled(name, getattr(found, name))
    named = [found.names, *found.parties, *([found.link.names] if found.link else [])]
    if any("zh_CN" not in names for names in named):
        yield "names"
    facts = {each.code for each in found.facts}
    days = {each.code for each in found.facts if each.kind == "day"}
    conditions = [(f"papers.{at}.when", each.when) for at, each in enumerate(found.papers)]
    conditions += [(f"clocks.{at}.when", each.when) for at, each in enumerate(found.clocks)]
    yield from (where for where, condition in conditions if condition is not None and not _sound(condition, facts))
    for at, clock in enumerate(found.clocks):
        if clock.event not in days:
            yield f"clocks.{at}.event"
        if clock.met not in days or clock.met == clock.event:
            yield f"clocks.{at}.met"


def _doubled(name: str, parts: Sequence[Any]) -> Iterator[str]:
    seen: set[str] = set()
    for at, part in enumerate(parts):
        if part.code in seen:
            yield f"{name}.{at}.code"
        seen.add(part.code)
        if "zh_CN" not in part.names:
            yield f"{name}.{at}.names"


def _sound(condition: Any, facts: set[str], deep: int = 0) -> bool:
    if not isinstance(condition, dict) or len(condition) != 1 or deep > _DEEPEST:
        return False
    ((kind, value),) = condition.items()
    match kind:
        case "fact":
            return isinstance(value, str) and value in facts
        case "not":
            return _sound(value, facts, deep + 1)
        case "all" | "any":
            return isinstance(value, list) and 0 < len(value) <= 20 and all(_sound(v, facts, deep + 1) for v in value)
    return False
