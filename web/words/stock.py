"""What scans, copies and stock-takings are called."""

from collections.abc import Mapping

from archive.model import ScanVerdict
from archive.stocktaking.counting import Outcome
from web.words import mark, translator

TALLIES: Mapping[str, str] = {
    "found": mark("in its place"),
    "missing": mark("not found"),
    "misplaced": mark("at a wrong place"),
    "out": mark("out or moved by an act"),
}

STOCK_STATES: Mapping[str, str] = {
    "opening": mark("being begun"),
    "open": mark("going on"),
    "closing": mark("being closed"),
    "closed": mark("finished count"),
}

FOLLOW_UPS: Mapping[str, str] = {
    "marked": mark("marked as missing"),
    "put_there": mark("put where it was found"),
    "put_back": mark("put back"),
    "found": mark("found since"),
}

_SAID: Mapping[ScanVerdict, str] = {
    ScanVerdict.FOUND: mark("It belongs here."),
    ScanVerdict.TWICE: mark("It was scanned here already; it counts once."),
    ScanVerdict.UNKNOWN: mark("Nobody knows this label, or it is not yours to shelve. The report lists it."),
}


def said_of(outcome: Outcome, locale: str) -> str:
    """Return what is said of a scan."""
    gettext = translator(locale)
    if outcome.verdict is not ScanVerdict.MISPLACED:
        return gettext(_SAID[outcome.verdict])
    if outcome.belongs is None:
        return gettext(mark("It lies nowhere by the books. Leave it here: it is settled after the count."))
    return gettext(mark("It belongs at %(path)s. Leave it here: it is settled after the count."), path=outcome.belongs)
