"""Who is told of audits to be done, and of findings to be mended, and who sees them among what falls due."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from archive.identity import Identity, Role
from archive.model import Deadline, DeadlineKind
from archive.model.auditing import AuditFinding
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.reminding.deadlines import Watch
from archive.reminding.rules import Rule, Stage
from archive.reminding.subjects import Needs
from archive.reminding.watches import people_with


class AuditWatch:
    """A planned audit: who audits is told."""

    kind = DeadlineKind.AUDIT
    rule = Rule(before=(30, 7), after=(14,))
    act = Act.AUDIT
    needs: Needs = ()

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return the auditors."""
        return people_with(session, Role.AUDIT_ADMIN)

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to auditors."""
        return true() if may(Act.AUDIT, self._guard.reach(session, identity)) else false()


class FindingWatch(AuditWatch):
    """A finding to be mended: its person is told; once it is late, so are the auditors."""

    kind = DeadlineKind.AUDIT_FINDING
    rule = Rule(before=(7, 1), after=(3,), head=(14,))
    needs = (AuditFinding.responsible_id,)

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:
        """Return who is to mend it, and at the stages of the head the auditors."""
        if row is None:
            return ()
        return [row.responsible_id, *(people_with(session, Role.AUDIT_ADMIN) if stage.head else ())]

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to who is to mend it, and to auditors."""
        if may(Act.AUDIT, self._guard.reach(session, identity)):
            return true()
        mine = select(AuditFinding.id).where(
            AuditFinding.id == Deadline.subject_id, AuditFinding.responsible_id == identity.person_id
        )
        return mine.correlate(Deadline).exists()


def audit_watches(guard: Guard) -> list[Watch]:
    """Return the watch of each kind of deadline that audits have."""
    return [AuditWatch(guard), FindingWatch(guard)]
