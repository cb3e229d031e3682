"""Keeping what checks found: on the object's row, as a finding where it is not whole, and as an alarm in the log."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from archive.database import Work
from archive.errors import KeyUnavailable
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Attachment, Content, FindingEnd, Fixity, FixityFinding
from storage.fixity.looks import Look
from storage.fixity.plan import Turn

HOLDERS: tuple[type[Content] | type[Attachment], ...] = (Content, Attachment)
"""Whose rows name objects."""

alarms = logging.getLogger("juanku.alarm")


@dataclass(frozen=True)
class Seen:
    """An object, what a look found, and when."""

    turn: Turn
    look: Look
    at: datetime


def standing_findings() -> Select[Any]:
    """Return a query for the findings of objects that are there still and not whole."""
    there = [exists().where(table.id == FixityFinding.content_id) for table in HOLDERS]
    return select(FixityFinding).where(FixityFinding.ended_at.is_(None), or_(*there))


def count_standing(session: Session) -> int:
    """Return how many objects are not whole."""
    return session.scalar(select(func.count()).select_from(standing_findings().subquery())) or 0


def keep(work: Work, log: Log, identity: Identity, seen: Sequence[Seen]) -> int:
    """Keep what was found in the caller's transaction; return how many objects are not whole.

    An object that was removed or replaced while it was read is left out: its row says another version, or is gone.
    """
    bad = 0
    for each in seen:
        if not _marked(work.session, each):
            continue
        standing = _standing(work.session, each.turn.id)
        if each.look.fixity is Fixity.WHOLE:
            for finding in standing:
                finding.ended, finding.ended_at = FindingEnd.WHOLE, each.at
                note(log, work.session, identity, "store.whole", each.turn.record_id, told(finding))
            continue
        bad += 1
        if not any(_same(finding, each) for finding in standing):
            _alarm(work, log, identity, each)
    return bad


def note(log: Log, session: Session, identity: Identity, act: str, record: UUID | None, body: dict[str, Any]) -> None:
    """Write an entry that belongs to a record; where its key cannot be had, to the system alone."""
    try:
        log.note(session, identity, act, record=record, body=body)
    except KeyUnavailable:
        log.note(session, identity, act, body=body)


def told(finding: FixityFinding) -> dict[str, Any]:
    """Return a finding's facts for the log: cipher bytes alone, no plain hash."""
    return {
        "object": finding.object_key,
        "object_version": finding.store_version or "",
        "found": finding.found.value,
        "found_size": finding.size if finding.size is not None else "",
        "found_sha256": finding.sha256 or "",
    }


def _marked(session: Session, each: Seen) -> bool:
    """Mark the row of the very version that was read; say whether it stands."""
    return marked(session, each.turn, {"checked_at": each.at, "fixity": each.look.fixity}) is not None


def marked(session: Session, turn: Turn, values: Mapping[str, Any]) -> type[Content] | type[Attachment] | None:
    """Change the row of the very version that was read; return which kind it is of (None: it stands no more)."""
    for table in HOLDERS:
        same = (table.id == turn.id, table.store_version == turn.store_version)
        change = update(table).where(*same).values(values).execution_options(synchronize_session=False)
        if session.execute(change).rowcount:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
            return table
    return None


def _standing(session: Session, content_id: UUID) -> Sequence[FixityFinding]:
    query = select(FixityFinding).where(FixityFinding.content_id == content_id, FixityFinding.ended_at.is_(None))
    return session.scalars(query).all()


def _same(finding: FixityFinding, each: Seen) -> bool:
    now = (each.turn.store_version, each.look.fixity, each.look.sha256)
    return (finding.store_version, finding.found, finding.sha256) == now


def _alarm(work: Work, log: Log, identity: Identity, each: Seen) -> None:
    finding = FixityFinding(
        content_id=each.turn.id,
        object_key=each.turn.object_key,
        store_version=each.turn.store_version,
        found=each.look.fixity,
        found_at=each.at,
        size=each.look.size,
        sha256=each.look.sha256,
    )
    work.session.add(finding)
    work.session.flush()
    note(log, work.session, identity, "store.alarm", each.turn.record_id, told(finding))
    key, found = finding.object_key, finding.found.value
    work.after_commit(lambda: alarms.error("stored object %s is %s; see juanku fixity status", key, found))
