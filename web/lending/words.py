"""Who decides, in words."""

from collections.abc import Mapping
from uuid import UUID

from archive.model.columns import Names
from web.services import services
from web.words import mark, named, translator
from web.words.roles import role_word


def token_words(token: str, locale: str, names: Mapping[UUID, str]) -> str:
    """Return who decides, in words. ``names`` are people's by id."""
    say = translator(locale)
    noun, _colon, name = token.partition(":")
    match noun:
        case "role":
            told = role_word(name, locale)
        case "post":
            told = _named(services().lending.post_names(name), locale, name)
        case "head":
            department = _named(services().lending.department_names(UUID(name)), locale, "—")
            told = say(mark("head of %(department)s"), department=department)
        case "person":
            told = names.get(UUID(name), "—")
        case _:
            told = say(mark("custodian"))
    return told


def _named(found: Names | None, locale: str, otherwise: str) -> str:
    return named(found, locale) if found else otherwise
