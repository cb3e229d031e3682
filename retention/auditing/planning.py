"""An audit from its plan to its close: planned for a period, answered point by point, concluded."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed
from archive.identity import Identity
from archive.ids import new_id
from archive.model import Audit, DeadlineKind, Fonds
from archive.model.auditing import AuditAnswer, AuditFinding, AuditState, AuditWord
from archive.policy.rules import Act
from archive.reasons import checked
from retention.auditing.checklist import Checklist, parse, plain
from retention.auditing.checklists import offered_in
from retention.auditing.facts import Period
from retention.auditing.means import Means, required, say, seal, words_checked
from retention.auditing.rules import next_period, unanswered, without_finding
from retention.numbers import next_number

MOST_MONTHS = 60


@dataclass(frozen=True)
class Wanted:
    """An audit to be planned: by which checklist, of which time and fonds (a code), to be done by when, how often."""

    checklist: str
    since: date
    until: date
    due: date
    fonds: str = ""
    again_months: int | None = None


class Planning:
    """The acts on an audit itself."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def plan(self, identity: Identity, wanted: Wanted) -> UUID:
        """Plan an audit; return its id.

        Raises:
            NotAllowed: they plan none.
            InvalidInput: ``checklist``, ``fonds``, ``until`` (before ``since``), ``due`` (over), ``again_months``.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            means.guard.require_house(session, identity, Act.AUDIT)
            offered = offered_in(session).get(wanted.checklist)
            faults = [] if offered else [Fault("checklist", "unknown")]
            if wanted.fonds and session.scalar(select(Fonds.id).where(Fonds.code == wanted.fonds)) is None:
                faults.append(Fault("fonds", "unknown"))
            if wanted.until < wanted.since:
                faults.append(Fault("until", "before_since"))
            if wanted.due < means.guard.day():
                faults.append(Fault("due", "day_over"))
            if wanted.again_months is not None and not 1 <= wanted.again_months <= MOST_MONTHS:
                faults.append(Fault("again_months", "out_of_range", {"low": 1, "high": MOST_MONTHS}))
            if faults or offered is None:
                raise InvalidInput(*faults)
            key = self._plan(session, identity, offered.checklist, wanted)
            work.commit()
            return key

    def answer(
        self, identity: Identity, key: UUID, point: str, said: AuditWord, words: str, *, destruction: str = "",
        version: int = 0,
    ) -> None:  # fmt: skip
        """Answer a point, or answer it anew. ``version``: of the answer that they saw (0: none).

        Raises:
            NotAllowed, NotFound: they audit nothing; there is no such audit.
            Ended: it is closed.
            InvalidInput: ``point``, ``words`` (needed where it is not met), ``destruction``: none of this number in
                the audit's period.
            Conflict: another answered it meanwhile.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._planned(session, identity, key, "audit.answer")
            if identity.person_id is None:
                raise NotAllowed(act=Act.AUDIT.value)
            if point not in {each.code for each in parse(row.body).points}:
                raise InvalidInput(Fault("point", "unknown"))
            words = words_checked(must=said is AuditWord.NOT_MET, words=words)["words"]
            shows = self._destruction(session, row, destruction.strip())
            answer = session.get(AuditAnswer, (key, point))
            if (answer.version if answer else 0) != version:
                raise Conflict(what="answer")
            sealed = seal(means, session, key, f"answer:{point}", {"words": words})
            if answer is None:
                answer = AuditAnswer(audit_id=key, point=point)
                session.add(answer)
            answer.said, answer.destruction_id, answer.sealed = said, shows, sealed
            answer.said_by, answer.said_at, answer.version = identity.person_id, means.clock.now(), version + 1
            row.version += 1
            body = {"point": point, "said": said.value, "words": words, "destruction": destruction.strip()}
            say(means, session, identity, "answer", row, **body)
            work.commit()

    def close(self, identity: Identity, key: UUID, conclusion: str) -> UUID | None:
        """Conclude an audit; what the system counted is kept with it. Return the id of the next one, if it comes again.

        Raises:
            NotAllowed, NotFound, Ended: as ``answer``.
            InvalidInput: ``conclusion``; ``until``: its period is not over; ``points``: some are not answered, or not
                met and without a finding.
        """
        means = self._means
        conclusion = words_checked(conclusion=conclusion)["conclusion"]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._planned(session, identity, key, "audit.close")
            if row.until >= means.guard.day():
                raise InvalidInput(Fault("until", "period_not_over"))
            checklist = parse(row.body)
            self._require_whole(session, row, checklist)
            facts = {fact for point in checklist.points for fact in point.facts}
            counted = means.counting.all_of(session, facts, Period(row.since, row.until, row.fonds))
            row.facts = {fact.value: [each.value, each.of] for fact, each in counted.items()}
            row.sealed = seal(means, session, key, "conclusion", {"words": conclusion})
            self._end(session, identity, row, AuditState.CLOSED)
            say(means, session, identity, "close", row, conclusion=conclusion, facts=row.facts)
            after = self._next(session, identity, row)
            work.commit()
            return after

    def withdraw(self, identity: Identity, key: UUID, why: str) -> None:
        """Take a planned audit back. Raises as ``answer``; ``InvalidInput``: ``reason``."""
        means, why = self._means, checked(why)
        with means.guard.refusals(identity), means.db.writing() as work:
            row = self._planned(work.session, identity, key, "audit.withdraw")
            found = select(AuditFinding.id).where(AuditFinding.audit_id == key).limit(1)
            if work.session.scalar(found) is not None:
                raise InvalidInput(Fault("reason", "has_findings"))
            self._end(work.session, identity, row, AuditState.WITHDRAWN)
            say(means, work.session, identity, "withdraw", row, reason=why)
            work.commit()

    def _plan(self, session: Session, identity: Identity, checklist: Checklist, wanted: Wanted) -> UUID:
        means, key = self._means, new_id()
        means.vault.add_owner(session, key, due_year=None)
        row = Audit(
            id=key, number=next_number(session, Audit.number, f"SJ{means.guard.day().year}-"),
            kind=checklist.kind, names=checklist.names,
            body=plain(checklist), fonds=wanted.fonds or None, since=wanted.since, until=wanted.until, due=wanted.due,
            again_months=wanted.again_months, state=AuditState.PLANNED, planned_by=identity.person_id,
            planned_at=means.clock.now(), version=1,
        )  # fmt: skip
        session.add(row)
        session.flush()
        means.deadlines.set(session, DeadlineKind.AUDIT, key, wanted.due)
        period = {"since": wanted.since.isoformat(), "until": wanted.until.isoformat(), "due": wanted.due.isoformat()}
        say(means, session, identity, "plan", row, checklist=checklist.code, fonds=wanted.fonds, **period)
        return key

    def _next(self, session: Session, identity: Identity, row: Audit) -> UUID | None:
        if row.again_months is None:
            return None
        checklist = parse(row.body)
        offered = offered_in(session).get(checklist.code)
        since, until, due = next_period(row.until, row.due, row.again_months)
        wanted = Wanted(checklist.code, since, until, max(due, until), row.fonds or "", row.again_months)
        return self._plan(session, identity, offered.checklist if offered else checklist, wanted)

    def _planned(self, session: Session, identity: Identity, key: UUID, act: str) -> Audit:
        row = required(self._means, session, identity, key)
        if row.state is not AuditState.PLANNED:
            raise Ended(state=row.state.value, act=act)
        return row

    def _destruction(self, session: Session, row: Audit, number: str) -> UUID | None:
        if not number:
            return None
        rows = self._means.counting.of_period(session, Period(row.since, row.until, row.fonds))
        found = {each.number: each.id for each in rows}.get(number)
        if found is None:
            raise InvalidInput(Fault("destruction", "not_of_period"))
        return found

    def _require_whole(self, session: Session, row: Audit, checklist: Checklist) -> None:
        answers = dict(
            session.execute(select(AuditAnswer.point, AuditAnswer.said).where(AuditAnswer.audit_id == row.id)).all()
        )
        found = session.scalars(select(AuditFinding.point).where(AuditFinding.audit_id == row.id)).all()
        faults = []
        if lack := unanswered([each.code for each in checklist.points], answers):
            faults.append(Fault("points", "points_unanswered", {"count": len(lack)}))
        if loose := without_finding(answers, found):
            faults.append(Fault("points", "points_without_finding", {"count": len(loose)}))
        if faults:
            raise InvalidInput(*faults)

    def _end(self, session: Session, identity: Identity, row: Audit, state: AuditState) -> None:
        row.state, row.version = state, row.version + 1
        row.ended_by, row.ended_at = identity.person_id, self._means.clock.now()
        end = self._means.deadlines.meet if state is AuditState.CLOSED else self._means.deadlines.lapse
        end(session, DeadlineKind.AUDIT, row.id)
