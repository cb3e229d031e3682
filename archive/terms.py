"""Retention terms 保管期限 as codes, and the day a term runs out.

``Y`` is permanent, ``D30`` thirty years (the national codes Y, D30 and D10 among them), ``M18`` eighteen months. A
term of years begins on the first of January after the year it is counted from; a term of months on the first of the
next month.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from archive.errors import Fault, InvalidInput

PERMANENT = "Y"
FOREVER = date.max
"""The day until which something is kept that is kept for good."""
LONGEST_YEARS = 200
LONGEST_MONTHS = 1200
_FORM = re.compile(r"Y|D([1-9]\d{0,2})|M([1-9]\d{0,3})")


@dataclass(frozen=True)
class Term:
    """A retention term. Both counts are zero when it is permanent."""

    code: str
    years: int = 0
    months: int = 0

    @property
    def permanent(self) -> bool:
        """Whether the record is kept for good."""
        return not (self.years or self.months)

    @property
    def words(self) -> tuple[str, int]:
        """Return the message code (``permanent``, ``years``, ``months``) and its number, for the edges to word."""
        if self.permanent:
            return ("permanent", 0)
        return ("years", self.years) if self.years else ("months", self.months)


class BadTerm(InvalidInput, ValueError):
    """A text that is no term code."""

    def __init__(self, code: str, field: str = "term") -> None:
        super().__init__(Fault(field, "bad_term", {"term": code[:40]}))


@lru_cache(maxsize=512)
def parse_term(code: str, field: str = "term") -> Term:
    """Read a term code.

    Raises:
        BadTerm: it is none; the fault is one of ``field``.
    """
    found = _FORM.fullmatch(code.strip().upper()) if len(code) <= 16 else None
    years, months = (int(part or 0) for part in found.groups()) if found else (0, 0)
    if not found or years > LONGEST_YEARS or months > LONGEST_MONTHS:
        raise BadTerm(code, field)
    return Term(found.group(), years, months)


def check_term(code: str) -> str:
    """Return the code in its one spelling. Raises ``BadTerm`` as ``parse_term`` does."""
    return parse_term(code).code


def due_on(term: Term | str, counted_from: date) -> date | None:
    """Return the first day on which the term has run out; None when it never does."""
    term = parse_term(term) if isinstance(term, str) else term
    if term.permanent:
        return None
    if term.years:
        return date(counted_from.year + 1 + term.years, 1, 1)
    months = counted_from.year * 12 + counted_from.month + term.months
    return date(months // 12, months % 12 + 1, 1)


def due_year(term: Term | str, counted_from: date | None) -> int | None:
    """Return the year in which the term has run out, for grouping keys.

    None when that never comes, or cannot be said yet because the day it is counted from is not known.
    """
    day = None if counted_from is None else due_on(term, counted_from)
    return None if day is None else day.year
