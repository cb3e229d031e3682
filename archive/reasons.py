"""Reasons that people give in words: what every act that asks for one refuses."""

from archive.errors import Fault, InvalidInput

LONGEST_REASON = 500
"""Characters."""


def reason_faults(words: str, limit: int = LONGEST_REASON) -> list[Fault]:
    """Return what is wrong with a reason: it says nothing, or is longer than ``limit`` characters."""
    length = len(words.strip())
    if not length:
        return [Fault("reason", "required")]
    return [Fault("reason", "too_long", {"limit": limit, "length": length})] if length > limit else []


def checked(words: str, limit: int = LONGEST_REASON) -> str:
    """Return a reason without white space around it.

    Raises:
        InvalidInput: field ``reason``: it says nothing, or too much.
    """
    if faults := reason_faults(words, limit):
        raise InvalidInput(*faults)
    return words.strip()
