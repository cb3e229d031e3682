"""Importance in forms: the steps to choose from, and what comes back."""

from collections.abc import Sequence

from archive.errors import InvalidInput
from archive.importance import STEPS, faults_of
from web.i18n import current_locale
from web.words.records import importance_words


def steps() -> Sequence[tuple[str, str]]:
    """Return the steps with their words, for a field to choose from."""
    return [(str(each), importance_words(each, current_locale())) for each in STEPS]


def step(text: str) -> int | None:
    """Return the step that a form gives, None where it gives none.

    Raises:
        InvalidInput: field ``importance``: it is no step.
    """
    if not text:
        return None
    if text not in map(str, STEPS):
        raise InvalidInput(*faults_of(text))
    return int(text)
