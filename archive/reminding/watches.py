"""Who is told of which deadline, and who sees it: one ``Watch`` for each kind that the archive itself has."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from archive.identity import Identity, Role
from archive.model import AccessGrant, Approval, Deadline, DeadlineKind, Person, PersonPost, PersonRole
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.reminding.deadlines import Watch
from archive.reminding.rules import Rule, Stage
from archive.reminding.subjects import Needs

RULES: dict[DeadlineKind, Rule] = {
    DeadlineKind.VITAL_REVIEW: Rule(before=(30, 7), after=(14,), head=(30,)),
    DeadlineKind.CORRECTION: Rule(before=(3,), after=(5,), head=(14,)),
    DeadlineKind.GRANT_END: Rule(before=(14, 3), passes=True),
    DeadlineKind.POST_END: Rule(before=(14, 3), passes=True),
    DeadlineKind.DOSSIER_CLOCK: Rule(before=(7, 2), after=(3,), head=(14,)),
}
"""Days before, on and after, and those on which the people above are told too."""

_KEPT = "juanku people by role"


def people_with(session: Session, *roles: Role) -> Sequence[UUID]:
    """Return the people with one of these roles whose accounts are open; one snapshot is asked once."""
    kept: dict[frozenset[Role], Sequence[UUID]] = session.info.setdefault(_KEPT, {})
    if (wanted := frozenset(roles)) not in kept:
        query = select(PersonRole.person_id).distinct().join(Person, Person.id == PersonRole.person_id)
        query = query.where(PersonRole.role.in_(wanted), Person.active.is_(True))
        kept[wanted] = session.scalars(query.order_by(PersonRole.person_id)).all()
    return kept[wanted]


class RecordWatch:
    """What falls due on a record: people of some roles who may do ``act`` on it are told, and those alone see it.

    ``head`` are the roles that are told too once it is overdue for long.
    """

    needs: Needs = ()

    def __init__(
        self, guard: Guard, kind: DeadlineKind, act: Act, roles: Collection[Role], head: Collection[Role] = ()
    ) -> None:
        self._guard = guard
        self.kind = kind
        self.rule = RULES[kind]
        self.act = act
        self._roles = roles
        self._head = head

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return those with the roles."""
        return people_with(session, *self._roles, *(self._head if stage.head else ()))

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to whoever has one of the roles and may do the act on the record."""
        if not self._guard.reach(session, identity).roles & {*self._roles, *self._head}:
            return false()
        return self._guard.opens(session, identity, Deadline.record_id, self.act)


class CorrectionWatch(RecordWatch):
    """A request for a correction: whoever may decide it, but never who asked."""

    needs = (Approval.asked_by,)

    def __init__(self, guard: Guard) -> None:
        roles = (Role.ARCHIVIST, Role.APPROVER)
        super().__init__(guard, DeadlineKind.CORRECTION, Act.DECIDE_CORRECTION, roles)

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:
        """Return those who decide."""
        return [each for each in super().recipients(session, stage, row) if row and each != row.asked_by]

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to whoever may decide."""
        own = select(Approval.id).where(Approval.id == Deadline.subject_id, Approval.asked_by == identity.person_id)
        return super().visible(session, identity) & ~own.correlate(Deadline).exists()


class PersonWatch:
    """What ends for a person: they are told, and whoever manages it too."""

    act = Act.READ

    def __init__(self, guard: Guard, kind: DeadlineKind, row: Any, manage: Act, *roles: Role) -> None:
        self._guard = guard
        self.kind = kind
        self.rule = RULES[kind]
        self._row, self.needs = row, (row.person_id,)
        self._manage = manage
        self._roles = roles

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return the person, and those who manage it."""
        return [row.person_id, *people_with(session, *self._roles)] if row is not None else ()

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to the person, and to whoever manages it."""
        if identity.person_id is None:
            return false()
        if may(self._manage, self._guard.reach(session, identity)):
            return true()
        own = select(self._row.id).where(self._row.id == Deadline.subject_id, self._row.person_id == identity.person_id)
        return own.correlate(Deadline).exists()


def watches(guard: Guard) -> list[Watch]:
    """Return the watch of each kind that the archive itself has."""
    return [
        RecordWatch(guard, DeadlineKind.VITAL_REVIEW, Act.READ, (Role.ARCHIVIST,), head=(Role.APPROVER,)),
        CorrectionWatch(guard),
        RecordWatch(
            guard, DeadlineKind.DOSSIER_CLOCK, Act.ARRANGE, (Role.ARCHIVIST, Role.CLERK), head=(Role.APPROVER,)
        ),
        PersonWatch(guard, DeadlineKind.GRANT_END, AccessGrant, Act.MANAGE_RIGHTS, Role.SECURITY_ADMIN),
        PersonWatch(guard, DeadlineKind.POST_END, PersonPost, Act.MANAGE_PEOPLE, Role.SECURITY_ADMIN),
    ]
