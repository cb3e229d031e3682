"""A paper at the counter, as a form says: which, how many pages were counted, its condition."""

from uuid import UUID

from flask import request

from archive.errors import Fault, InvalidInput, NotFound
from archive.loans.papers import AtCounter
from archive.model import CopyCondition
from web.custody.placing import numbered
from web.i18n import current_locale
from web.services import identity, services
from web.words import translator
from web.words.shelves import CONDITIONS


def paper_named() -> tuple[UUID, int | None]:
    """Return the record and the copy that the form's ``number`` means, typed or scanned.

    Raises:
        InvalidInput: field ``number``: nothing is typed, or nothing of this number is to be seen.
        Ambiguous: it may mean several.
    """
    text = request.form.get("number", "").strip()[:300]
    if not text:
        raise InvalidInput(Fault("number", "required"))
    number, copy = numbered(text)
    try:
        return services().records.find_number(identity(), number), copy
    except NotFound:
        raise InvalidInput(Fault("number", "no_such_number")) from None


def at_counter(copy: int | None = None) -> AtCounter:
    """Return what the form says. Raises ``InvalidInput``, field ``pages``."""
    text, condition = request.form.get("pages", "").strip(), request.form.get("condition", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidInput(Fault("pages", "out_of_range", {"low": 0, "high": 999_999}))
    now = CopyCondition(condition) if condition in CONDITIONS else None
    return AtCounter(copy, int(text) if text else None, now)


def named_conditions() -> list[tuple[str, str]]:
    """Return the conditions that a paper can be in, with their words."""
    say = translator(current_locale())
    return [(value, say(words)) for value, words in CONDITIONS.items()]
