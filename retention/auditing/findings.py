"""Findings and their follow-up: each has a person and a day, is mended by them, and closed by another who audits."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.database import Work
from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity
from archive.ids import new_id
from archive.model import Audit, DeadlineKind, Person
from archive.model.auditing import (
    AuditFinding,
    AuditFollowUp,
    AuditKind,
    AuditState,
    FindingState,
    Likelihood,
)
from archive.policy.rules import Act, may
from archive.reasons import checked
from archive.reminding.messages import Told
from retention.auditing.checklist import parse
from retention.auditing.means import Means, required, say, seal, words_checked
from retention.auditing.rules import may_close

TO_MEND, TO_LOOK = "audit.finding", "audit.mended"
"""Topics of messages: to who is to mend a finding, and to who made it once that is said to be done."""


@dataclass(frozen=True)
class Found:
    """What was found: at which point, what, the measure, who mends it (sign-in name) by when, how likely it harms."""

    what: str
    measure: str
    responsible: str
    due: date
    point: str = ""
    likelihood: Likelihood | None = None


class Findings:
    """The acts on findings."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def find(self, identity: Identity, key: UUID, found: Found) -> UUID:
        """Write down what an audit found; who is to mend it is told. Return its id.

        Raises:
            NotAllowed, NotFound, Ended: they audit nothing; there is no such audit; it is closed.
            InvalidInput: ``what``, ``measure``, ``responsible``, ``due``, ``point``, ``likelihood`` (a risk needs it).
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = required(means, session, identity, key)
            if identity.person_id is None:
                raise NotAllowed(act=Act.AUDIT.value)
            if row.state is not AuditState.PLANNED:
                raise Ended(state=row.state.value, act="audit.find")
            texts = words_checked(what=found.what, measure=found.measure)
            person = self._checked(session, row, found)
            number = select(func.max(AuditFinding.number)).where(AuditFinding.audit_id == key)
            finding = AuditFinding(
                id=new_id(), audit_id=key, number=(session.scalar(number) or 0) + 1, point=found.point or None,
                likelihood=found.likelihood, sealed=b"", responsible_id=person, due=found.due,
                state=FindingState.OPEN, made_by=identity.person_id, made_at=means.clock.now(), version=1,
            )  # fmt: skip
            finding.sealed = seal(means, session, key, f"finding:{finding.id.hex}", texts)
            session.add(finding)
            row.version += 1
            body = {"finding": finding.number, "point": found.point, "responsible": str(person), **texts}
            say(means, session, identity, "find", row, due=found.due.isoformat(), **body)
            self._hand_over(work, finding)
            work.commit()
            return finding.id

    def move(self, identity: Identity, finding_id: UUID, version: int, who: str, due: date, why: str) -> None:
        """Give an open finding to another person, or another day.

        Raises:
            NotAllowed, NotFound, Ended, Conflict: as ``find``; it is mended already; another changed it meanwhile.
            InvalidInput: ``responsible``, ``due``, ``reason``.
        """
        means, why = self._means, checked(why)
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, finding = self._audited(session, identity, finding_id, "audit.move", FindingState.OPEN)
            self._same(finding, version)
            person, faults = self._person(session, who), self._due_faults(due)
            if person is None:
                faults.append(Fault("responsible", "unknown"))
            if faults or person is None:
                raise InvalidInput(*faults)
            finding.responsible_id, finding.due = person, due
            body = {"finding": finding.number, "responsible": str(person), "due": due.isoformat(), "reason": why}
            self._step(session, identity, row, finding, "move", why)
            say(means, session, identity, "move", row, **body)
            self._hand_over(work, finding)
            work.commit()

    def mend(self, identity: Identity, finding_id: UUID, version: int, words: str) -> None:
        """Say that a finding is mended, and how, as the person who is to.

        Raises:
            NotFound: there is none that they are to mend.
            Ended, Conflict: it is mended already; another changed it meanwhile.
            InvalidInput: ``words``.
        """
        means, words = self._means, words_checked(words=words)["words"]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            finding = session.get(AuditFinding, finding_id)
            if finding is None or identity.person_id is None or finding.responsible_id != identity.person_id:
                raise NotFound
            if finding.state is not FindingState.OPEN:
                raise Ended(state=f"finding_{finding.state.value}", act="audit.mend")
            self._same(finding, version)
            row = session.get_one(Audit, finding.audit_id)
            finding.state, finding.mended_by = FindingState.MENDED, identity.person_id
            self._step(session, identity, row, finding, "mend", words)
            means.deadlines.meet(session, DeadlineKind.AUDIT_FINDING, finding.id)
            say(means, session, identity, "mend", row, finding=finding.number, words=words)
            once = f"{TO_LOOK}:{finding.id.hex}:{finding.version}"
            means.messages.tell(work, [Told(finding.made_by, TO_LOOK, once, subject=finding.id)])
            work.commit()

    def back(self, identity: Identity, finding_id: UUID, version: int, due: date, words: str) -> None:
        """Say that a finding is not mended yet: it goes back to its person, with a new day. Raises as ``move``."""
        means, words = self._means, words_checked(words=words)["words"]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, finding = self._audited(session, identity, finding_id, "audit.back", FindingState.MENDED)
            self._same(finding, version)
            if faults := self._due_faults(due):
                raise InvalidInput(*faults)
            finding.state, finding.due, finding.mended_by = FindingState.OPEN, due, None
            self._step(session, identity, row, finding, "back", words)
            say(means, session, identity, "back", row, finding=finding.number, words=words, due=due.isoformat())
            self._hand_over(work, finding)
            work.commit()

    def close(self, identity: Identity, finding_id: UUID, version: int, words: str) -> None:
        """Close a mended finding, as someone who audits and neither mended it nor was to.

        Raises:
            OwnRequest: they did. Else as ``move``; ``InvalidInput``: ``words``.
        """
        means, words = self._means, words_checked(words=words)["words"]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, finding = self._audited(session, identity, finding_id, "audit.close_finding", FindingState.MENDED)
            if not may_close(identity.person_id, finding.responsible_id, finding.mended_by):
                raise OwnRequest(act="audit.close_finding")
            self._same(finding, version)
            finding.state, finding.closed_by = FindingState.CLOSED, identity.person_id
            finding.closed_at = means.clock.now()
            self._step(session, identity, row, finding, "close", words)
            say(means, session, identity, "close_finding", row, finding=finding.number, words=words)
            work.commit()

    def _audited(
        self, session: Session, identity: Identity, finding_id: UUID, act: str, state: FindingState
    ) -> tuple[Audit, AuditFinding]:
        means = self._means
        if not may(Act.AUDIT, means.guard.reach(session, identity)):  # who is to mend it is told that it is not theirs
            mine = session.get(AuditFinding, finding_id)
            if mine is None or mine.responsible_id != identity.person_id:
                raise NotFound
        means.guard.require_house(session, identity, Act.AUDIT)
        finding = session.get(AuditFinding, finding_id)
        if finding is None or identity.person_id is None:
            raise NotFound
        if finding.state is not state:
            raise Ended(state=f"finding_{finding.state.value}", act=act)
        return session.get_one(Audit, finding.audit_id), finding

    def _checked(self, session: Session, row: Audit, found: Found) -> UUID:
        person, faults = self._person(session, found.responsible), self._due_faults(found.due)
        if person is None:
            faults.append(Fault("responsible", "unknown" if found.responsible.strip() else "required"))
        if found.point and found.point not in {each.code for each in parse(row.body).points}:
            faults.append(Fault("point", "unknown"))
        if row.kind is AuditKind.RISK and found.likelihood is None:
            faults.append(Fault("likelihood", "required"))
        if faults or person is None:
            raise InvalidInput(*faults)
        return person

    def _due_faults(self, due: date) -> list[Fault]:
        return [Fault("due", "day_over")] if due < self._means.guard.day() else []

    @staticmethod
    def _person(session: Session, login: str) -> UUID | None:
        named = folded(login)
        return session.scalar(select(Person.id).where(Person.login == named, Person.active.is_(True)))

    @staticmethod
    def _same(finding: AuditFinding, version: int) -> None:
        if finding.version != version:
            raise Conflict(what="finding")

    def _step(
        self, session: Session, identity: Identity, row: Audit, finding: AuditFinding, step: str, words: str
    ) -> None:
        finding.version += 1
        mine = new_id()
        session.add(
            AuditFollowUp(
                id=mine, finding_id=finding.id, step=step, person_id=identity.person_id, at=self._means.clock.now(),
                sealed=seal(self._means, session, row.id, f"step:{mine.hex}", {"words": words}),
            )
        )  # fmt: skip

    def _hand_over(self, work: Work, finding: AuditFinding) -> None:
        """Set the finding's day among what falls due, and tell its person now."""
        session = work.session
        session.flush()
        self._means.deadlines.set(session, DeadlineKind.AUDIT_FINDING, finding.id, finding.due)
        once = f"{TO_MEND}:{finding.id.hex}:{finding.version}"
        self._means.messages.tell(work, [Told(finding.responsible_id, TO_MEND, once, subject=finding.id)])
