"""A dossier's level is at least that of each of its items: it rises with them, and never falls below one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Work
from archive.fence import raise_fence
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import JobKind, Record

REASON = "contents"
"""What stands as the reason in the log of a level that rose with an item's."""


@dataclass(frozen=True)
class Means:
    """What a change of level is written with."""

    log: Log
    outbox: Outbox
    clock: Clock


def raise_to(work: Work, identity: Identity, dossier: Record, rank: int, means: Means) -> None:
    """Raise a dossier because of what it holds: hidden at once, in search too, and logged. Asks nobody."""
    raise_fence(work.session, "record", str(dossier.id), means.clock.now())
    body = {"before": dossier.level_rank, "after": rank, "reason": REASON}
    dossier.level_rank = rank
    dossier.version += 1
    work.session.flush()
    means.log.note(work.session, identity, "record.set_level", record=dossier.id, body=body)
    means.outbox.add(work, JobKind.INDEX, dossier.id)


def follow(work: Work, identity: Identity, item: Record, means: Means) -> None:
    """Raise the dossier of an item that was raised above it, whoever may see or change that dossier."""
    dossier = work.session.get(Record, item.dossier_id) if item.dossier_id else None
    if dossier is not None and dossier.level_rank < item.level_rank:
        raise_to(work, identity, dossier, item.level_rank, means)


def highest(session: Session, dossier_id: UUID) -> int:
    """Return the highest level among a dossier's items, 0 when it is empty."""
    return session.scalar(select(func.max(Record.level_rank)).where(Record.dossier_id == dossier_id)) or 0
