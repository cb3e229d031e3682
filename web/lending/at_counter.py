"""How a paper leaves or comes back, as the form says: pages counted, its condition."""

from flask import request

from archive.errors import Fault, InvalidInput
from archive.loans.papers import AtCounter
from archive.model import CopyCondition
from web.i18n import current_locale
from web.words import translator
from web.words.shelves import CONDITIONS


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
