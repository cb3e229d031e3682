"""All finders together."""

from archive.cataloguing.proposals import Finding
from indexer.finders.dates import find_date, signing
from indexer.finders.numbers import find_number
from indexer.finders.paper import Paper
from indexer.finders.responsible import find_responsible
from indexer.finders.titles import find_title


def propose(paper: Paper) -> list[Finding]:
    """Return what a document's words propose: at most one value for each field, rather none than a wrong one."""
    signed = signing(paper)
    found = (find_title(paper), find_date(paper, signed), find_number(paper), find_responsible(paper, signed))
    return [each for each in found if each is not None]
