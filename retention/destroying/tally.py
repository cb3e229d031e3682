"""What stands on a list to be counted, what was scanned of it, and the digest that is signed for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from archive.model import Copy, DestructionDuty, DestructionItem, DestructionItemState, DestructionScan
from retention.destroying.means import listed, records_of
from retention.destroying.rules import digest


def duties(session: Session, key: UUID) -> Sequence[DestructionDuty]:
    """Return the appointed duties of a destruction, as they were given."""
    query = select(DestructionDuty).where(DestructionDuty.destruction_id == key)
    return session.scalars(query.order_by(DestructionDuty.id)).all()


def expected(session: Session, key: UUID) -> AbstractSet[UUID]:
    """Return the copies on paper of what stands on a list."""
    return set(session.scalars(_papers(key)))


def unscanned(session: Session, key: UUID) -> Mapping[UUID, int]:
    """Return of each record on a list how many of its papers no scan has counted yet; those with none are left out."""
    done = set(session.scalars(copies_scanned(key)))
    on_it = session.execute(_papers(key).with_only_columns(Copy.record_id, Copy.id))
    return Counter(record for record, copy in on_it if copy not in done)


def digest_of(session: Session, key: UUID) -> str:
    """Return the digest of what stands on a list, as the witnesses sign it."""
    items = listed(session, key)
    records = records_of(session, [each.record_id for each in items])
    return digest(
        [
            {
                "position": each.position, "record": str(each.record_id), "title": each.neutral,
                "number": records[each.record_id].archive_number, "pages": records[each.record_id].pages,
            }
            for each in items
            if each.record_id in records
        ]
    )  # fmt: skip


def forget_count(session: Session, key: UUID) -> None:
    """Let the count begin anew: what was signed no longer holds."""
    for each in duties(session, key):
        each.before = each.before_at = each.before_how = None
    session.flush()


def copies_scanned(key: UUID, *, every: bool = False) -> Select[UUID | None]:
    """Select the copies that were scanned; ``every``: with None for each scan of what is not on the list."""
    query = select(DestructionScan.copy_id).where(DestructionScan.destruction_id == key)
    return query if every else query.where(DestructionScan.copy_id.is_not(None))


def _papers(key: UUID) -> Select[UUID]:
    on_it = select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.LISTED
    )
    return select(Copy.id).where(Copy.record_id.in_(on_it), Copy.withdrawn_at.is_(None))
