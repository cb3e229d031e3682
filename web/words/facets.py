"""What the values of facets are called."""

from collections.abc import Callable, Iterable
from uuid import UUID

from archive.house.levels import mark as level_mark
from web.directory import Directory
from web.words import mark, named, translator
from web.words.field_faults import STATES

FACETS = ("level", "category", "project", "year", "department", "medium", "opening", "fonds")
"""Facets that the search page shows, in this order; the names of search filters."""

FILTERS = (*FACETS, "vital")
"""What a search's address may narrow it by."""

TITLES = {
    "level": mark("Secrecy level"),
    "category": mark("Category"),
    "year": mark("Year"),
    "department": mark("Department"),
    "medium": mark("Medium"),
    "project": mark("Project"),
    "fonds": mark("Fonds"),
    "opening": mark("Release"),
}

OPENINGS = {"open": mark("released"), "kept": mark("kept from release")}

PLAIN = {
    "paper": mark("paper"),
    "electronic": mark("electronic"),
    "both": mark("paper and electronic"),
    "dossier": mark("dossier"),
    "item": mark("item"),
    **STATES,
}


def facet_words(directory: Directory, locale: str, shown: Iterable[tuple[str, str]]) -> Callable[[str, str], str]:
    """Return a function that writes the values ``shown`` (facet, value) in words; one without a name stays as it is."""
    gettext = translator(locale)
    pairs = set(shown)
    ids = {facet: {key for each, value in pairs if each == facet and (key := _id(value))} for facet in FACETS}
    names = directory.coded_names(ids["category"], ids["fonds"], ids["department"])
    projects = directory.project_names({value for facet, value in pairs if facet == "project"})
    levels = {str(rank): level for rank, level in directory.levels().items()}

    def write(facet: str, value: str) -> str:
        if facet == "level" and value in levels:
            level = levels[value]
            return f"{level.symbol} {level_mark(level, locale)}"
        if facet == "project":
            return f"{value} {named(projects.get(value), locale)}".rstrip()
        if facet == "opening" and value in OPENINGS:
            return gettext(OPENINGS[value])
        if facet == "vital":
            return gettext(mark("vital"))
        key = _id(value)
        if key in names:
            code, called, _importance = names[key]
            return named(called, locale) if facet == "department" else f"{code} {named(called, locale)}"
        return gettext(PLAIN[value]) if value in PLAIN else value

    return write


def _id(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
