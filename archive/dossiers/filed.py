"""A dossier as it is arranged, and what of it stays once it is filed: order, volumes and places of filed items."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from archive.dossiers import order as dossier_order
from archive.dossiers.order import Placed
from archive.errors import Fault, InvalidInput
from archive.model import Record, RecordState


@dataclass
class Arranged:
    """A dossier while it is arranged: all its items as they lay, and which of them this person sees, in order."""

    dossier: Record
    all: list[Placed]
    seen: list[UUID]


def behind_filed(here: Arranged) -> int:
    """Return the first place of a dossier at which anything may be put."""
    if here.dossier.state is not RecordState.FILED:
        return 0
    return max((at for at, item in enumerate(here.all, 1) if item.filed), default=0)


def keep_filed(here: Arranged, after: Sequence[Placed], new: Collection[UUID] = ()) -> None:
    """Refuse to change how the filed items of a filed dossier lie, or to put anything before one of them.

    What is not filed yet may be taken away from between them. Hidden items count for nothing here.

    Raises:
        InvalidInput: field ``dossier``.
    """
    if here.dossier.state is not RecordState.FILED:
        return
    known = {*here.seen, *new}
    stood = [item for item in here.all if item.id in known]
    filed = [item for item in stood if item.filed]
    if not filed:
        return
    now = [item for item in dossier_order.settled(after) if item.id in known]
    lies = next((at for at, item in enumerate(now) if item.id == filed[-1].id), -1)
    fixed = iter([item.id for item in stood[: stood.index(filed[-1]) + 1]])
    line = now[: lies + 1]
    steady = all(item.id in fixed for item in line)  # each one found further on in what stood there
    kept = [item for item in line if item.filed]
    if not steady or [item.id for item in kept] != [item.id for item in filed] or _breaks(kept) != _breaks(filed):
        raise InvalidInput(Fault("dossier", "filed_order"))


def _breaks(items: Sequence[Placed]) -> list[bool]:
    """Tell between which items a volume ends."""
    return [one.volume != other.volume for one, other in pairwise(items)]
