"""Whose turn it has become in a destruction is told, once, in the transaction of the act that made it theirs.

A message names the destruction alone. What comes with a day and not with an act, objecting and confirming, is a
deadline: the one is told to people of the records when the cooling-off begins, the other once it is over.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from archive.approving.deciders import DECISIONS, holders, valid
from archive.database import Work
from archive.identity import Identity
from archive.model import (
    Approval,
    ApprovalDecider,
    ApprovalWord,
    Deadline,
    DeadlineKind,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    Duty,
    PersonPost,
    Record,
    RecordPerson,
)
from archive.policy.guard import Guard
from archive.policy.rules import HOUSE_RULES, Act, may
from archive.reminding.deadlines import Deadlines, Watch
from archive.reminding.messages import Messages, Told
from archive.reminding.rules import Rule, Stage
from archive.reminding.subjects import Needs
from archive.reminding.watches import people_with
from retention.destroying.rules import signs_after, signs_before

TURNS = ("decide", "count", "run", "sign")
"""Turns that are told at once; the topic of each is ``destruction.TURN``."""


class Turns:
    """Tells whose turn it has become."""

    def __init__(self, guard: Guard, messages: Messages, cooling: timedelta) -> None:
        self._guard = guard
        self._messages = messages
        self._deadlines = Deadlines(guard)
        self._cooling = cooling

    def tell(self, work: Work, row: Destruction) -> int:
        """Tell those whose turn it is now and who were not told of it yet; set or end what comes with a day."""
        session = work.session
        session.flush()
        self._days(session, row)
        notes = [
            Told(person, f"destruction.{turn}", f"turn:{row.id.hex}:{turn}:{visit}", subject=row.id)
            for person, turn, visit in self._now(session, row)
        ]
        return self._messages.tell(work, notes)

    def _now(self, session: Session, row: Destruction) -> Iterator[tuple[UUID, str, int]]:
        """Yield who has which turn now, and the how manieth it is: a step, or a count after something was taken out."""
        if row.state is DestructionState.ASKED and row.approval_id:
            approval = session.get_one(Approval, row.approval_id)
            for person in self._deciders(session, row, approval):
                yield person, "decide", approval.step
            return
        ask = {
            DestructionState.CONFIRMED: ("count", lambda each: signs_before(each.duty) and each.before is None),
            DestructionState.COUNTED: ("run", lambda each: each.duty is Duty.EXECUTOR),
            DestructionState.GONE: ("sign", lambda each: signs_after(each.duty) and each.after is None),
        }
        turn: tuple[str, Callable[[DestructionDuty], bool]] | None = ask.get(row.state)
        if turn is None:
            return
        name, theirs = turn
        rows = session.scalars(select(DestructionDuty).where(DestructionDuty.destruction_id == row.id)).all()
        out = (DestructionItem.destruction_id == row.id, DestructionItem.state == DestructionItemState.PULLED)
        visit = session.scalar(select(func.count()).select_from(DestructionItem).where(*out)) or 0
        for each in rows:
            if each.person_id is not None and theirs(each):
                yield each.person_id, name, visit

    def _deciders(self, session: Session, row: Destruction, approval: Approval) -> Collection[UUID]:
        named = select(ApprovalDecider.token).where(
            ApprovalDecider.approval_id == approval.id, ApprovalDecider.number == approval.step,
            ApprovalDecider.done_by.is_(None),
        )  # fmt: skip
        day = self._guard.day()
        found = dict.fromkeys(each for token in session.scalars(named) for each in holders(session, token, day))
        busy = set(session.scalars(_busy(row)))
        said = select(ApprovalWord.person_id).where(
            ApprovalWord.approval_id == approval.id, ApprovalWord.said.in_(DECISIONS)
        )
        busy |= set(session.scalars(said))
        return [each for each in found if each not in busy and each != row.begun_by]

    def _days(self, session: Session, row: Destruction) -> None:
        kinds = (DeadlineKind.DESTRUCTION_OBJECTION, DeadlineKind.DESTRUCTION_CONFIRM)
        if row.state is DestructionState.COOLING and row.cooling_until is not None:
            ends = self._guard.day(row.cooling_until)
            self._deadlines.set(session, kinds[0], row.id, ends)
            self._deadlines.set(session, kinds[1], row.id, ends + timedelta(days=1))
        elif row.state in {DestructionState.WITHDRAWN, DestructionState.REFUSED}:
            for kind in kinds:
                self._deadlines.lapse(session, kind, row.id)
        elif row.state is DestructionState.CONFIRMED:
            for kind in kinds:
                self._deadlines.meet(session, kind, row.id)


class ConfirmWatch:
    """A destruction that has cooled off: those who may confirm it and have no other part in it."""

    kind = DeadlineKind.DESTRUCTION_CONFIRM
    rule = Rule(after=(3,))
    act = Act.CONFIRM_DESTRUCTION
    needs: Needs = (Destruction.state, Destruction.begun_by, Destruction.approval_id)

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return who may confirm."""
        if row is None or row.state is not DestructionState.COOLING:
            return ()
        busy = {row.begun_by, *session.scalars(_busy(row)), *session.scalars(_decided(row))}
        return [each for each in people_with(session, *HOUSE_RULES[self.act]) if each not in busy]

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to them."""
        person = identity.person_id
        if person is None or not may(self.act, self._guard.reach(session, identity)):
            return false()
        duty = select(DestructionDuty.destruction_id).where(DestructionDuty.person_id == person)
        decided = select(ApprovalWord.approval_id).where(ApprovalWord.person_id == person)
        free = select(Destruction.id).where(
            Destruction.id == Deadline.subject_id, Destruction.begun_by != person, Destruction.id.not_in(duty),
            or_(Destruction.approval_id.is_(None), Destruction.approval_id.not_in(decided)),
        )  # fmt: skip
        return free.correlate(Deadline).exists()


class ObjectionWatch:
    """A destruction that cools off: whom its records concern is told once, if they read any of them.

    Concerned are who made a record, who is named on it, and the people of its department.
    """

    kind = DeadlineKind.DESTRUCTION_OBJECTION
    act = Act.READ
    needs: Needs = (Destruction.state, Destruction.begun_by, Destruction.approval_id)

    def __init__(self, guard: Guard, cooling_days: int) -> None:
        self._guard = guard
        self.rule = Rule(before=(cooling_days,) if cooling_days else (), on=not cooling_days, passes=True)

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:  # noqa: ARG002  (the contract's)
        """Return those whom it concerns and who read a record on the list."""
        if row is None or row.state is not DestructionState.COOLING:
            return ()
        on_it = _listed(row.id)
        made = select(Record.created_by).where(Record.id.in_(on_it), Record.created_by.is_not(None))
        named = select(RecordPerson.person_id).where(RecordPerson.record_id.in_(on_it))
        units = select(Record.department_id).where(Record.id.in_(on_it))
        posts = select(PersonPost.person_id).where(PersonPost.department_id.in_(units), valid(self._guard.day()))
        found = dict.fromkeys(each for query in (made, named, posts) for each in session.scalars(query.distinct()))
        return [each for each in found if each and each != row.begun_by and self._reads(session, each, row.id)]

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Show it to who reads a record on the list."""
        if identity.person_id is None:
            return false()
        mine = self._guard.visible(session, identity).with_only_columns(Record.id)
        reads = select(DestructionItem.destruction_id).where(
            DestructionItem.destruction_id == Deadline.subject_id, DestructionItem.record_id.in_(mine),
            DestructionItem.state == DestructionItemState.LISTED,
        )  # fmt: skip
        cools = select(Destruction.id).where(
            Destruction.id == Deadline.subject_id, Destruction.state == DestructionState.COOLING,
            Destruction.begun_by != identity.person_id,
        )  # fmt: skip
        return and_(cools.correlate(Deadline).exists(), reads.correlate(Deadline).exists())

    def _reads(self, session: Session, person: UUID, key: UUID) -> bool:
        mine = self._guard.visible(session, Identity("", person)).with_only_columns(Record.id)
        return session.scalar(mine.where(Record.id.in_(_listed(key))).limit(1)) is not None


def destruction_watches(guard: Guard, cooling_days: int = 7) -> list[Watch]:
    """Return the watch of each kind of deadline that destructions have."""
    return [ConfirmWatch(guard), ObjectionWatch(guard, cooling_days)]


def _busy(row: Destruction) -> Select[UUID | None]:
    return select(DestructionDuty.person_id).where(
        DestructionDuty.destruction_id == row.id, DestructionDuty.person_id.is_not(None)
    )


def _decided(row: Destruction) -> Select[UUID]:
    return select(ApprovalWord.person_id).where(
        ApprovalWord.approval_id == row.approval_id, ApprovalWord.said.in_(DECISIONS)
    )


def _listed(key: UUID) -> Select[UUID]:
    return select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.LISTED
    )
