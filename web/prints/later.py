"""What became of a dossier and its items after they were filed, for its closing note: corrected, destroyed."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.model import Approval, ApprovalKind, ApprovalState
from archive.policy.rules import Act
from retention.destroying.register import Asked
from web.asking import may
from web.prints.papers import Holding, Paper
from web.services import identity, services
from web.words import day

CORRECTED, DESTROYED = "corrected", "destroyed"

_AT_ONCE = 500
_MOST_GONE = 1000


def with_changes(holdings: Sequence[Holding]) -> list[Holding]:
    """Return holdings with what changed since they were filed; of those kept in custody alone, nothing."""
    with services().db.reading() as session:
        return [replace(each, later=_changes(session, each)) if each.dossier.title else each for each in holdings]


def _changes(session: Session, holding: Holding) -> list[tuple[str, str, str]]:
    """Return day, what happened and number of each change of what the person sees, the earliest first."""
    own = [holding.dossier] if holding.volume <= 1 else []
    found = [*_corrected(session, [*own, *holding.items]), *(_destroyed(holding.dossier) if own else ())]
    return sorted(found)


def _corrected(session: Session, papers: Sequence[Paper]) -> list[tuple[str, str, str]]:
    numbers = {UUID(each.id): each.number for each in papers}
    ids, zone = list(numbers), services().zone()
    found = []
    for at in range(0, len(ids), _AT_ONCE):
        query = select(Approval.record_id, Approval.decided_at).where(
            Approval.record_id.in_(ids[at : at + _AT_ONCE]),
            Approval.kind == ApprovalKind.CORRECTION,
            Approval.state == ApprovalState.APPROVED,
        )
        found += [(day(when, zone), CORRECTED, numbers[key]) for key, when in session.execute(query) if key]
    return found


def _destroyed(dossier: Paper) -> list[tuple[str, str, str]]:
    """Return what went from a dossier: its number begins with the dossier's. Nothing, for who may not see it."""
    if not dossier.number or not may(Act.SEE_DESTRUCTIONS):  # a question, which the log does not tell as refused
        return []
    gone = services().retention.destructions.register.every(identity(), Asked(dossier.number), limit=_MOST_GONE)
    zone = services().zone()
    return [
        (day(each.gone_at, zone), DESTROYED, number)
        for each in gone
        if each.title is not None and (number := each.row.archive_number or "").startswith(f"{dossier.number}-")
    ]
