"""Applications for standing custody and for slips, where others than the archive decide that a paper leaves.

They take the steps that the house's routes say, as a loan does. The last yes makes the custody or the slip in the same
transaction, and its paper waits at the counter; where the archive alone decides, it is handed out at once. The row that
it becomes bears ``about_id``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving.deciders import Hand, count_asked_back, hands_of, kinds_waiting, waiting
from archive.approving.engine import Approvals, Spoken
from archive.approving.planning import Planned, plan, require
from archive.approving.states import OPEN
from archive.cataloguing.showing import number_of
from archive.database import Database, Work, rows_by_id
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity
from archive.ids import new_id
from archive.loans.custody import StandingCustodies
from archive.loans.papers import TAKE_OUT, AtCounter, archive_decides, require_leaves
from archive.loans.request_looks import StepShown, names_in, steps_of
from archive.loans.rounds import Rounds
from archive.loans.slips import Slip
from archive.loans.watches import keep_decision
from archive.model import Approval, ApprovalKind, ApprovalState, Department, Person, Post, Record
from archive.model.columns import Names
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition

KINDS = (ApprovalKind.CUSTODY, ApprovalKind.CIRCULATION)


@dataclass(frozen=True)
class Begun:
    """What became of it: the id of the custody or the slip, or (``asked``) of the request that waits."""

    id: UUID
    asked: bool


@dataclass(frozen=True)
class PaperAsked:
    """An application as someone may see it; title and what it says are None for who does not read its record.

    ``people`` are who would have the paper, in turn; ``names``: of everyone in it, by id. ``post`` and ``months`` are
    of a custody, ``until`` of a slip. ``begun``: the custody or the slip that it became.
    """

    approval: Approval
    number: str
    title: str | None
    level: int
    why: str | None
    scope: str | None
    people: Sequence[UUID]
    post: tuple[Names, Names] | None
    months: int | None
    until: date | None
    spoken: Sequence[Spoken]
    steps: Sequence[StepShown]
    names: Mapping[UUID, str]
    begun: UUID | None
    may_decide: bool
    may_answer: bool
    may_withdraw: bool


class PaperRequests:
    """The acts on such applications, and what each of those whom one concerns sees of it."""

    def __init__(
        self, db: Database, guard: Guard, approvals: Approvals, custody: StandingCustodies, rounds: Rounds
    ) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._custody = custody
        self._rounds = rounds

    def give(
        self, identity: Identity, record_id: UUID, login: str, months: int, why: str, out: AtCounter | None = None
    ) -> Begun:
        """Give a paper into the custody of a post, or apply for it; ``out``: as it is now, where it goes at once.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: as ``StandingCustodies.give``; ``reason`` (it is asked for, and no word says why), ``record``
                (it was asked for already), ``route`` (nobody could decide).
        """
        with self._guard.refusals(identity):
            with self._db.reading() as session:
                record = self._leaving(session, identity, record_id)
                held = self._custody.holder(session, record, login, months)
                steps = self._steps(session, identity, ApprovalKind.CUSTODY, record, [held.person_id])
                what = {
                    "people": [str(held.person_id)], "login": folded(login), "months": months,
                    "post": str(held.post_id), "department": str(held.department_id),
                }  # fmt: skip
            if steps is None:
                return Begun(self._custody.give(identity, record_id, login, months, out), asked=False)
            return self._ask(identity, ApprovalKind.CUSTODY, record_id, what, why, steps)

    def send_round(self, identity: Identity, record_id: UUID, slip: Slip, out: AtCounter | None = None) -> Begun:
        """Send a paper round, or apply for it; ``out`` as of ``give``. Raises as ``Rounds.begin``, and as ``give``."""
        with self._guard.refusals(identity):
            with self._db.reading() as session:
                record = self._leaving(session, identity, record_id)
                people = self._rounds.receivers(session, record, slip)
                steps = self._steps(session, identity, ApprovalKind.CIRCULATION, record, people)
                what = {
                    "people": [str(each) for each in people], "receivers": list(slip.receivers),
                    "copy": out.copy if out else None,
                    "scope": slip.scope.strip(), "until": slip.until.isoformat(),
                }  # fmt: skip
            if steps is None:
                return Begun(self._rounds.begin(identity, record_id, slip, out), asked=False)
            return self._ask(identity, ApprovalKind.CIRCULATION, record_id, what, slip.purpose, steps)

    def decide(self, identity: Identity, approval_id: UUID, why: str, *, approve: bool) -> ApprovalState:
        """Say yes or no at the present step; the last yes begins it.

        Raises:
            NotFound: no such application concerns this person.
            NotAllowed, OwnRequest, Ended: as ``Approvals.decide``; who would have the paper decides on none of it.
            InvalidInput: ``reason``; what no longer holds (``record``, ``holder``, ``receivers``, ``until``): it can
                only be refused then.
        """
        with self._act(identity, approval_id) as (work, approval, hands):
            what, asked_why, _ = self._approvals.opened(work.session, approval)
            state = self._approvals.decide(work.session, identity, approval, hands, why, approve=approve)
            if state is ApprovalState.APPROVED:
                self._begin(work.session, identity, approval, what, asked_why)
        return state

    def question(self, identity: Identity, approval_id: UUID, text: str) -> None:
        """Ask back. Raises as ``decide``."""
        with self._act(identity, approval_id) as (work, approval, hands):
            self._approvals.question(work.session, identity, approval, hands, text)

    def answer(self, identity: Identity, approval_id: UUID, text: str) -> None:
        """Answer what was asked back. Raises as ``Approvals.answer``; ``NotFound``."""
        with self._act(identity, approval_id, deciding=False) as (work, approval, _):
            self._approvals.answer(work.session, identity, approval, text)

    def withdraw(self, identity: Identity, approval_id: UUID) -> None:
        """Take one's own application back. Raises as ``Approvals.end``; ``NotFound``."""
        with self._act(identity, approval_id, deciding=False) as (work, approval, _):
            self._approvals.end(work.session, identity, approval, ApprovalState.WITHDRAWN, "")

    def count(self, session: Session, identity: Identity) -> int:
        """Count the applications that wait for this person's decision."""
        return len(self._undecided(session, identity))

    def count_asked_back(self, session: Session, identity: Identity) -> int:
        """Count this person's own applications that wait for an answer of theirs."""
        return count_asked_back(session, identity.person_id, KINDS)

    def list(
        self, identity: Identity, *, own: bool, after: UUID | None = None, limit: int
    ) -> Sequence[tuple[Approval, Record, bool]]:
        """Return applications with their records, and whether each is read, behind the one of the id ``after``.

        ``own``: those that this person put, whatever became of them, the newest first; else those that wait for their
        decision, the oldest first.
        """
        with self._db.reading() as session:
            if own:
                query = select(Approval).where(Approval.asked_by == identity.person_id, Approval.kind.in_(KINDS))
                if after is not None:
                    query = query.where(Approval.id < after)
                rows = session.scalars(query.order_by(Approval.id.desc()).limit(limit)).all()
            else:
                waits = self._undecided(session, identity)
                rows = [each for each in waits if after is None or each.id > after][:limit]
            records = rows_by_id(session, Record, {each.record_id for each in rows if each.record_id})
            reads = self._guard.seen(session, identity, list(records))
            return [(each, records[each.record_id], each.record_id in reads) for each in rows if each.record_id]

    def show(self, identity: Identity, approval_id: UUID) -> PaperAsked:
        """Show an application to who put it, gets the paper by it, decides on it, or lends its record.

        Raises ``NotFound``.
        """
        with self._db.reading() as session:
            approval, record = self._found(session, identity, approval_id)
            what, why, _ = self._approvals.opened(session, approval)
            hands = self._hands(session, identity, what)
            steps, spoken = steps_of(session, approval), self._approvals.spoken(session, approval)
            people = [UUID(each) for each in what["people"]]
            named = session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all()
            mine = identity.person_id in {approval.asked_by, approval.for_id}
            decides = self._approvals.may_decide(session, identity.person_id, approval, hands)
            reads = bool(self._guard.seen(session, identity, [record.id]))
            told = reads or mine or decides
            post = None
            if approval.kind is ApprovalKind.CUSTODY:
                post = (
                    session.get_one(Department, UUID(what["department"])).names,
                    session.get_one(Post, UUID(what["post"])).names,
                )
            return PaperAsked(
                approval, number_of(record), record.title if reads else None, record.level_rank,
                why if told else None, what.get("scope") if told else None, people, post, what.get("months"),
                date.fromisoformat(what["until"]) if "until" in what else None, spoken if told else (), steps,
                {**names_in(session, approval, spoken, steps), **dict(named)},
                begun=approval.about_id if approval.state is ApprovalState.APPROVED else None, may_decide=decides,
                may_answer=mine and approval.state is ApprovalState.QUESTIONED,
                may_withdraw=identity.person_id == approval.asked_by and approval.state in OPEN,
            )  # fmt: skip

    def _leaving(self, session: Session, identity: Identity, record_id: UUID) -> Record:
        record = self._guard.require(session, identity, Act.LEND, record_id)
        require_leaves(session, record)
        return record

    def _steps(
        self, session: Session, identity: Identity, kind: ApprovalKind, record: Record, people: Sequence[UUID]
    ) -> Sequence[Planned] | None:
        """Return the steps that it would take; None: the archive alone decides."""
        if archive_decides(session, record, kind):
            return None
        if identity.person_id is None:
            raise NotAllowed(act=f"{kind}.ask")
        asker, without = identity.person_id, frozenset(people)
        return require(plan(session, self._guard, kind, record, TAKE_OUT, asker, people[0], without))

    def _ask(
        self,
        identity: Identity,
        kind: ApprovalKind,
        record_id: UUID,
        what: Mapping[str, Any],
        why: str,
        steps: Sequence[Planned],
    ) -> Begun:
        with self._db.writing() as work:
            session = work.session
            self._leaving(session, identity, record_id)
            there = select(Approval.id).where(
                Approval.record_id == record_id, Approval.kind == kind, Approval.state.in_(OPEN)
            )
            if session.scalar(there.limit(1)) is not None:
                raise InvalidInput(Fault("record", "asked_already"))
            first = UUID(what["people"][0])
            key = self._approvals.ask(
                session, identity, kind, record_id, what, why, borrower=first, about=new_id(), steps=steps
            )
            keep_decision(self._guard, session, session.get_one(Approval, key))
            work.commit()
            return Begun(key, asked=True)

    def _begin(
        self, session: Session, identity: Identity, approval: Approval, what: Mapping[str, Any], why: str
    ) -> None:
        """Do what was asked for, if everything still holds that it needs."""
        record = session.get_one(Record, approval.record_id)
        key, by = approval.about_id or new_id(), approval.asked_by
        facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
        if not holds(condition(Act.LEND, self._guard.reach(session, Identity("", by))), facts):
            raise InvalidInput(Fault("record", "asker_lends_not"))
        require_leaves(session, record)
        if approval.kind is ApprovalKind.CUSTODY:
            held = self._custody.holder(session, record, what["login"], what["months"])
            if str(held.post_id) != what["post"] or str(held.department_id) != what["department"]:
                name = session.get_one(Person, held.person_id).name
                raise InvalidInput(Fault("holder", "holds_not_the_post", {"name": name}))
            self._custody.begin_in(session, identity, record, held, what["months"], key, by)
            return
        slip = Slip(why, what["scope"], date.fromisoformat(what["until"]), what["receivers"])
        people = self._rounds.receivers(session, record, slip)
        self._rounds.begin_in(session, identity, record, slip, people, what["copy"], key, by)

    @contextmanager
    def _act(
        self, identity: Identity, approval_id: UUID, *, deciding: bool = True
    ) -> Iterator[tuple[Work, Approval, Sequence[Hand]]]:
        """Open an application to an act on it, and keep what it did; nothing is kept of what fails."""
        with self._guard.refusals(identity), self._db.writing() as work:
            approval, _record = self._found(work.session, identity, approval_id)
            what, _, _ = self._approvals.opened(work.session, approval)
            if deciding and str(identity.person_id) in what["people"]:
                raise OwnRequest(act=f"{approval.kind}.decide")
            yield work, approval, self._hands(work.session, identity, what)
            keep_decision(self._guard, work.session, approval)
            work.commit()

    def _hands(self, session: Session, identity: Identity, what: Mapping[str, Any]) -> Sequence[Hand]:
        """Return what someone may decide with: nothing, where they or whom they stand in for would have the paper."""
        if str(identity.person_id) in what["people"]:
            return ()
        hands = hands_of(session, identity.person_id, self._guard.day())
        return [each for each in hands if str(each.person) not in what["people"]]

    def _undecided(self, session: Session, identity: Identity) -> Sequence[Approval]:
        day = self._guard.day()
        if identity.person_id is None or kinds_waiting(session, identity.person_id, day).isdisjoint(KINDS):
            return ()
        hands = hands_of(session, identity.person_id, day)
        seen = self._guard.opens(session, identity, Approval.record_id, Act.SEE)
        mine = waiting(identity.person_id, hands).where(Approval.kind.in_(KINDS), seen)
        rows = session.scalars(mine.with_only_columns(Approval).order_by(Approval.asked_at, Approval.id)).all()
        kept = []
        for row in rows:
            left = self._hands(session, identity, self._approvals.opened(session, row)[0])
            if len(left) == len(hands) or self._approvals.may_decide(session, identity.person_id, row, left):
                kept.append(row)
        return kept

    def _found(self, session: Session, identity: Identity, approval_id: UUID) -> tuple[Approval, Record]:
        """Return an application that concerns someone, and its record. Raises ``NotFound`` for all others."""
        approval = session.get(Approval, approval_id)
        if approval is None or approval.kind not in KINDS or approval.record_id is None:
            raise NotFound
        if identity.person_id not in {approval.asked_by, approval.for_id}:
            hands = hands_of(session, identity.person_id, self._guard.day())
            decides = self._approvals.may_decide(session, identity.person_id, approval, hands)
            spoke = any(each.word.person_id == identity.person_id for each in self._approvals.spoken(session, approval))
            act = Act.SEE if decides or spoke else Act.LEND
            mine = self._guard.visible(session, identity, act).where(Record.id == approval.record_id)
            if session.scalar(mine.with_only_columns(Record.id)) is None:
                raise NotFound
        return approval, session.get_one(Record, approval.record_id)
