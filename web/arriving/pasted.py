"""Lines pasted into one field, as they are copied out of a spreadsheet; each is taken or refused by itself."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from archive.errors import ArchiveError, Fault, InvalidInput
from web.i18n import current_locale
from web.words.faults import explain

MOST = 500


@dataclass(frozen=True)
class Refused:
    """A line that was not taken, and why."""

    line: int
    text: str
    why: str


def each_line(take: Callable[[str], None]) -> tuple[int, list[Refused]]:
    """Have each line of the field ``rows`` taken; return how many were, and those that were not.

    Raises:
        InvalidInput: ``rows``: there are more than 500.
    """
    lines = [each for each in request.form.get("rows", "").splitlines() if each.strip()]
    if len(lines) > MOST:
        raise InvalidInput(Fault("rows", "out_of_range", {"low": 1, "high": MOST}))
    refused = []
    for number, line in enumerate(lines, 1):
        try:
            take(line)
        except ArchiveError as error:
            refused.append(Refused(number, line[:200], " ".join(explain(error, current_locale()))))
    return len(lines) - len(refused), refused
