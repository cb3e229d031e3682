"""Looking at audits and findings: auditors see all of it, a person their own findings, nobody else anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from archive.errors import NotFound
from archive.identity import Identity
from archive.model import Audit, Destruction
from archive.model.auditing import (
    AuditAnswer,
    AuditFinding,
    AuditFollowUp,
    AuditState,
    AuditWord,
    FindingState,
)
from archive.policy.rules import Act, may
from retention.auditing.checklist import Checklist, Point, parse
from retention.auditing.facts import Counted, Fact, Period
from retention.auditing.means import Means, opened, required
from retention.auditing.rules import may_close


@dataclass(frozen=True)
class Answered:
    """A point with its answer (``said`` None: none yet) and what the system counts beside it."""

    point: Point
    said: AuditWord | None
    words: str
    destruction: tuple[UUID, str] | None
    by: UUID | None
    at: datetime | None
    version: int
    facts: Sequence[tuple[Fact, Counted]]


@dataclass(frozen=True)
class FindingShown:
    """A finding with its words, and the audit that made it."""

    row: AuditFinding
    audit: Audit
    what: str
    measure: str


@dataclass(frozen=True)
class Step:
    """A step of a finding's follow-up."""

    row: AuditFollowUp
    words: str


@dataclass(frozen=True)
class Listed:
    """An audit of the programme: points answered of how many, findings that are not closed of how many."""

    row: Audit
    answered: int
    points: int
    open: int
    found: int


@dataclass(frozen=True)
class Shown:
    """An audit, whole."""

    row: Audit
    checklist: Checklist
    answers: Mapping[str, Answered]
    findings: Sequence[FindingShown]
    conclusion: str


class Looks:
    """What people see of audits."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def every(
        self, identity: Identity, *, ended: bool = False, after: tuple[date, UUID] | None = None, limit: int
    ) -> Sequence[Listed]:
        """Return audits that are to be done, the first due first, or those that ended, the last first.

        Raises:
            NotAllowed: they audit nothing.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            means.guard.require_house(session, identity, Act.AUDIT)
            query = select(Audit)
            if ended:
                query = query.where(Audit.state != AuditState.PLANNED).order_by(Audit.due.desc(), Audit.id.desc())
            else:
                query = query.where(Audit.state == AuditState.PLANNED).order_by(Audit.due, Audit.id)
            if after is not None:
                query = query.where(_behind(after, backwards=ended))
            rows = session.scalars(query.limit(limit)).all()
            return self._listed(session, rows)

    def show(self, identity: Identity, key: UUID) -> Shown:
        """Return an audit, whole; what the system counts is counted now, until it is closed.

        Raises:
            NotAllowed, NotFound: they audit nothing; there is none.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            row = required(means, session, identity, key)
            checklist = parse(row.body)
            findings = session.scalars(
                select(AuditFinding).where(AuditFinding.audit_id == key).order_by(AuditFinding.number)
            ).all()
            conclusion = opened(means, session, [(key, "conclusion", row.sealed)])[0] if row.sealed else {}
            return Shown(
                row, checklist, self._answers(session, row, checklist), self._shown(session, findings),
                str(conclusion.get("words", "")),
            )  # fmt: skip

    def findings(
        self, identity: Identity, state: FindingState | None = None, *, mine: bool = False,
        after: tuple[date, UUID] | None = None, limit: int,
    ) -> Sequence[FindingShown]:  # fmt: skip
        """Return findings, the first due first: all of them to who audits, else those of which they are in charge."""
        with self._means.db.reading() as session:
            query = select(AuditFinding).where(self._theirs(session, identity, mine=mine))
            if state is not None:
                query = query.where(AuditFinding.state == state)
            if after is not None:
                day, key = after
                behind = and_(AuditFinding.due == day, AuditFinding.id > key)
                query = query.where(or_(AuditFinding.due > day, behind))
            rows = session.scalars(query.order_by(AuditFinding.due, AuditFinding.id).limit(limit)).all()
            return self._shown(session, rows)

    def finding(self, identity: Identity, finding_id: UUID) -> tuple[FindingShown, Sequence[Step], frozenset[str]]:
        """Return a finding, its follow-up, and the names of what a person may do with it. Raises ``NotFound``."""
        means = self._means
        with means.db.reading() as session:
            query = select(AuditFinding).where(AuditFinding.id == finding_id, self._theirs(session, identity))
            row = session.scalars(query).one_or_none()
            if row is None:
                raise NotFound
            steps = session.scalars(
                select(AuditFollowUp).where(AuditFollowUp.finding_id == row.id).order_by(AuditFollowUp.id)
            ).all()
            words = opened(means, session, [(row.audit_id, f"step:{each.id.hex}", each.sealed) for each in steps])
            told = [Step(each, str(said.get("words", ""))) for each, said in zip(steps, words, strict=True)]
            return self._shown(session, [row])[0], told, self._acts(session, identity, row)

    def to_mend(self, session: Session, identity: Identity) -> int:
        """Count the findings that wait for a person to mend them."""
        mine = select(func.count()).select_from(AuditFinding)
        mine = mine.where(AuditFinding.responsible_id == identity.person_id, AuditFinding.state == FindingState.OPEN)
        return session.scalar(mine) or 0

    def to_do(self, session: Session, identity: Identity) -> int:
        """Count the planned audits whose day comes within a month, for who audits."""
        if not may(Act.AUDIT, self._means.guard.reach(session, identity)):
            return 0
        soon = date.fromordinal(self._means.guard.day().toordinal() + 30)
        query = select(func.count()).select_from(Audit).where(Audit.state == AuditState.PLANNED, Audit.due <= soon)
        return session.scalar(query) or 0

    def to_look(self, session: Session, identity: Identity) -> int:
        """Count the mended findings that wait for a person to look at them and close them."""
        if not may(Act.AUDIT, self._means.guard.reach(session, identity)):
            return 0
        query = select(func.count()).select_from(AuditFinding)
        query = query.where(
            AuditFinding.state == FindingState.MENDED, AuditFinding.responsible_id != identity.person_id
        )
        return session.scalar(query) or 0

    def _theirs(self, session: Session, identity: Identity, *, mine: bool = False) -> ColumnElement[bool]:
        if not mine and may(Act.AUDIT, self._means.guard.reach(session, identity)):
            return AuditFinding.id.is_not(None)
        return AuditFinding.responsible_id == identity.person_id

    def _acts(self, session: Session, identity: Identity, row: AuditFinding) -> frozenset[str]:
        """Return what a person may do now; the acts ask again."""
        acts = set()
        if row.state is FindingState.OPEN and row.responsible_id == identity.person_id:
            acts.add("mend")
        if may(Act.AUDIT, self._means.guard.reach(session, identity)):
            if row.state is FindingState.OPEN:
                acts.add("move")
            if row.state is FindingState.MENDED:
                acts.add("back")
                if may_close(identity.person_id, row.responsible_id, row.mended_by):
                    acts.add("close")
        return frozenset(acts)

    def _listed(self, session: Session, rows: Sequence[Audit]) -> Sequence[Listed]:
        ids = [each.id for each in rows]
        said = select(AuditAnswer.audit_id, func.count()).where(AuditAnswer.audit_id.in_(ids))
        answered: dict[UUID, int] = dict(session.execute(said.group_by(AuditAnswer.audit_id)).all())
        found: dict[UUID, list[FindingState]] = {}
        states = select(AuditFinding.audit_id, AuditFinding.state).where(AuditFinding.audit_id.in_(ids))
        for audit, state in session.execute(states):
            found.setdefault(audit, []).append(state)
        return [
            Listed(
                each, answered.get(each.id, 0), len(parse(each.body).points),
                sum(state is not FindingState.CLOSED for state in found.get(each.id, ())), len(found.get(each.id, ())),
            )
            for each in rows
        ]  # fmt: skip

    def _answers(self, session: Session, row: Audit, checklist: Checklist) -> Mapping[str, Answered]:
        means = self._means
        rows = session.scalars(select(AuditAnswer).where(AuditAnswer.audit_id == row.id)).all()
        words = opened(means, session, [(row.id, f"answer:{each.point}", each.sealed) for each in rows])
        given = {each.point: (each, str(said.get("words", ""))) for each, said in zip(rows, words, strict=True)}
        shows = [each.destruction_id for each in rows if each.destruction_id]
        numbers = dict(
            session.execute(select(Destruction.id, Destruction.number).where(Destruction.id.in_(shows))).all()
        )
        counted = self._counted(session, row, checklist)
        found = {}
        for point in checklist.points:
            each, told = given.get(point.code, (None, ""))
            shown = each.destruction_id if each else None
            found[point.code] = Answered(
                point, each.said if each else None, told, (shown, numbers[shown]) if shown else None,
                each.said_by if each else None, each.said_at if each else None, each.version if each else 0,
                [(fact, counted[fact]) for fact in point.facts if fact in counted],
            )  # fmt: skip
        return found

    def _counted(self, session: Session, row: Audit, checklist: Checklist) -> Mapping[Fact, Counted]:
        if row.facts is not None:
            return {Fact(name): Counted(*pair) for name, pair in row.facts.items()}
        facts = {fact for point in checklist.points for fact in point.facts}
        return self._means.counting.all_of(session, facts, Period(row.since, row.until, row.fonds))

    def _shown(self, session: Session, rows: Sequence[AuditFinding]) -> Sequence[FindingShown]:
        audits = {
            each.id: each for each in session.scalars(select(Audit).where(Audit.id.in_({r.audit_id for r in rows})))
        }
        words = opened(self._means, session, [(each.audit_id, f"finding:{each.id.hex}", each.sealed) for each in rows])
        return [
            FindingShown(each, audits[each.audit_id], str(said.get("what", "")), str(said.get("measure", "")))
            for each, said in zip(rows, words, strict=True)
        ]


def _behind(after: tuple[date, UUID], *, backwards: bool) -> ColumnElement[bool]:
    day, key = after
    if backwards:
        return or_(Audit.due < day, and_(Audit.due == day, Audit.id < key))
    return or_(Audit.due > day, and_(Audit.due == day, Audit.id > key))
