"""How required papers stand, and whether a dossier is complete, in words."""

from collections.abc import Mapping

from archive.required.looking import Looked
from archive.required.standing import Stands
from web.words import mark, translator

STANDS: Mapping[Stands, str] = {
    Stands.THERE: mark("there"),
    Stands.MISSING: mark("still missing"),
    Stands.WAITS: mark("waits for a fact"),
    Stands.OPTIONAL: mark("not needed, may be added"),
    Stands.NOT_NEEDED: mark("not needed"),
}


def told(found: Looked, locale: str) -> str:
    """Return in one sentence whether a dossier is complete, and what it lacks."""
    say, standing = translator(locale), found.standing
    if standing.complete:
        return say(mark("complete"))
    lacks = []
    if standing.missing:
        lacks.append(say(mark("papers missing: %(count)s"), count=standing.missing))
    if standing.facts:
        lacks.append(say(mark("days missing: %(count)s"), count=len(standing.facts)))
    if standing.people:
        lacks.append(say(mark("people missing: %(count)s"), count=len(standing.people)))
    if standing.linked is False:
        lacks.append(say(mark("waits for another dossier")))
    return ("; " if locale == "en" else "；").join(lacks)
