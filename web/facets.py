"""What the values of facets are called."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from web.directory import Directory
from web.faults import STATES
from web.words import mark, named, translator

FACETS = ("level", "category", "project", "year", "department", "medium", "fonds")
"""Facets that the search page shows, in this order; the names of search filters."""

TITLES = {
    "level": mark("Secrecy level"),
    "category": mark("Category"),
    "year": mark("Year"),
    "department": mark("Department"),
    "medium": mark("Medium"),
    "project": mark("Project"),
    "fonds": mark("Fonds"),
}

PLAIN = {
    "paper": mark("paper"),
    "electronic": mark("electronic"),
    "both": mark("paper and electronic"),
    "dossier": mark("dossier"),
    "item": mark("item"),
    **STATES,
}


def facet_words(directory: Directory, locale: str) -> Callable[[str, str], str]:
    """Return a function that writes a facet's value in words; a value without a name stays as it is."""
    gettext = translator(locale)
    levels = {str(rank): level for rank, level in directory.levels().items()}
    names: dict[str, str] = {}
    for category in directory.categories():
        names[str(category.id)] = names[f"category {category.code}"] = (
            f"{category.code} {named(category.names, locale)}"
        )
    for row in directory.departments():
        names[str(row.id)] = names[f"department {row.code}"] = named(row.names, locale)
    for fonds in directory.fonds().values():
        names[str(fonds.id)] = names[f"fonds {fonds.code}"] = f"{fonds.code} {named(fonds.names, locale)}"

    def write(facet: str, value: str) -> str:
        if facet == "level" and value in levels:
            level = levels[value]
            return f"{level.symbol} {gettext('commercial secret')}·{named(level.names, locale)}"
        if value in PLAIN:
            return gettext(PLAIN[value])
        with suppress(ValueError):
            value = str(UUID(value))
        return names.get(value) or names.get(f"{facet} {value}") or value

    return write
