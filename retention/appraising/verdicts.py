"""What a panel says of a record: pure functions of its members' opinions, and nothing else.

Nothing is destroyed by one voice: that needs more than half of the panel, and the chair's casting vote never gives it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from archive.model import Stop, Verdict

CHOICES = tuple(Verdict)
"""What a panel may say of a record whose term has run out. To open or declassify it is a proposal for a review."""

LEAST = 3
"""People who sit on a panel at least."""


@dataclass(frozen=True)
class Said:
    """A verdict; ``until`` is the day that goes with ``KEEP``, and with no other."""

    verdict: Verdict
    until: date | None = None


def verdict_of(opinions: Mapping[UUID, Said], panel: int, chair: UUID) -> Said | None:
    """Return what a panel of so many says, by the opinions of those who have spoken; None while it says nothing.

    More than half of all members decide, whether or not they have spoken. Once all have, and no verdict has that many,
    the chair's opinion decides, but never to destroy. Of those who keep it on, the latest day counts.
    """
    counts = Counter(each.verdict for each in opinions.values())
    for verdict, count in counts.items():
        if 2 * count > panel:
            days = [each.until for each in opinions.values() if each.verdict is verdict and each.until]
            return Said(verdict, max(days) if verdict is Verdict.KEEP and days else None)
    cast = opinions.get(chair)
    if len(opinions) >= panel and cast is not None and cast.verdict is not Verdict.DESTROY:
        return cast
    return None


def stands(said: Said | None, stop: Stop | None) -> bool:
    """Return whether a verdict stands at the close: to destroy, only when nothing keeps the record."""
    return said is not None and (said.verdict is not Verdict.DESTROY or stop is None)
