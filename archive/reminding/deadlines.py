"""What falls due: one table, and one job that finds what has come and tells whom it concerns, once.

A service that changes a date says so in its own transaction (``Deadlines``). Who is told of what, and who sees it, is
the business of each kind (``Watch``); the words are made at the edge. A stage is marked as told in the transaction that
makes its messages, so that neither a second clock nor a process that was killed tells it again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, bindparam, false, or_, select, tuple_, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.database import Base, Database, Id, rows_by_id
from archive.identity import Identity, system
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Deadline, DeadlineKind, DeadlineState, Message, Record
from archive.policy.condition import test_of
from archive.policy.facts import facts_by_id
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.reminding.messages import Messages, Told
from archive.reminding.rules import Judged, Rule, Stage, judge
from archive.reminding.subjects import Needs, records_of, subject_rows

BATCH = 500
"""Deadlines that are looked at at once."""

MOST_AT_ONCE = 500
"""Messages of one transaction, if one deadline alone has not more: it must stay under 100 ms."""


_NONE = UUID(int=0)


class Deadlines:
    """Notes what falls due, inside the transaction of whoever changes it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def set(self, session: Session, kind: DeadlineKind, subject: UUID, due: date, record: UUID | None = None) -> None:
        """Note that something falls due on a day. Another day than before begins its reminders anew.

        Args:
            session: of the transaction.
            kind: of deadline.
            subject: what falls due: a record, a grant, a request …; one deadline of a kind for each.
            due: the day.
            record: whose readers alone are told, and see it (None: it is about no record).
        """
        row = find_deadline(session, kind, subject)
        if row is None:
            row = Deadline(id=new_id(), kind=kind, subject_id=subject, version=0)
            session.add(row)
        elif (row.state, row.due, row.record_id) == (DeadlineState.OPEN, due, record):
            return
        row.due, row.record_id, row.since = due, record, self._guard.day()
        row.state, row.ended_at, row.told = DeadlineState.OPEN, None, []
        row.look_on, row.version = row.since, row.version + 1
        session.flush()

    def meet(self, session: Session, kind: DeadlineKind, subject: UUID) -> None:
        """Note that what fell due was done. Doing it twice, or for what never fell due, is no error."""
        self._end(session, kind, subject, DeadlineState.MET)

    def lapse(self, session: Session, kind: DeadlineKind, subject: UUID) -> None:
        """Note that nothing is due any more: what it was about is gone. As ``meet``."""
        self._end(session, kind, subject, DeadlineState.LAPSED)

    def _end(self, session: Session, kind: DeadlineKind, subject: UUID, state: DeadlineState) -> None:
        row = find_deadline(session, kind, subject)
        if row is None or row.state is not DeadlineState.OPEN:
            return
        row.state, row.look_on, row.version = state, None, row.version + 1
        row.ended_at = self._guard.now()
        session.flush()


class Watch(Protocol):
    """One kind of deadline: when it is told of, to whom, and who sees it.

    What ``recipients`` names is narrowed to people who may do ``act`` on the deadline's record (if it has one) and
    whose accounts are open; so a watch names roles, and rights are asked in one place.
    """

    @property
    def kind(self) -> DeadlineKind:
        """Which kind."""
        ...

    @property
    def rule(self) -> Rule:
        """When it is told of."""
        ...

    @property
    def act(self) -> Act:
        """What a person may do on the record, who is told of it and sees it."""
        ...

    @property
    def needs(self) -> Needs:
        """What ``recipients`` reads of its subject, beside its id: columns of one table; none: it is given no row.

        With ``record_id`` among them, the board names that record where the deadline names none.
        """
        ...

    def recipients(self, session: Session, stage: Stage, row: Any) -> Collection[UUID]:
        """Return the ids of the people to be told at this stage. ``row``: what is needed; None: the subject is gone."""
        ...

    def visible(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Return the condition on ``Deadline`` under which a person sees it, and may still be told of it."""
        ...


@dataclass(frozen=True)
class Due:
    """A deadline on the board: ``late`` when its day is over, and its record, if it has one that this person reads."""

    deadline: Deadline
    late: bool
    record: Record | None


class DueBoard:
    """What falls due, for whoever may see it."""

    def __init__(self, db: Database, guard: Guard, watches: Sequence[Watch]) -> None:
        self._db = db
        self._guard = guard
        self._watches = {each.kind: each for each in watches}

    def list(
        self,
        identity: Identity,
        *,
        kind: DeadlineKind | None = None,
        late: bool = False,
        after: tuple[date, UUID] | None = None,
        limit: int,
    ) -> Sequence[Due]:
        """Return what is still due and open to this person, the earliest first.

        Args:
            identity: who asks.
            kind: only this kind.
            late: only what is due before today.
            after: day and id of the deadline behind which to go on.
            limit: how many at most.
        """
        with self._db.reading() as session:
            day = self._guard.day()
            query = select(Deadline).where(
                Deadline.state == DeadlineState.OPEN, self.visible(session, identity, kind=kind)
            )
            if late:
                query = query.where(Deadline.due < day)
            if after is not None:
                due, key = after
                query = query.where(
                    Deadline.due >= due, or_(Deadline.due > due, and_(Deadline.due == due, Deadline.id > key))
                )
            found = session.scalars(query.order_by(Deadline.due, Deadline.id).limit(limit)).all()
            rows = subject_rows(session, self._watches, found)
            about = {each.id: each.record_id or getattr(rows.get(each.subject_id), "record_id", None) for each in found}
            seen = self._guard.seen(session, identity, [key for key in dict.fromkeys(about.values()) if key])
            records = rows_by_id(session, Record, seen)
            return [Due(each, each.due < day, records.get(about[each.id] or _NONE)) for each in found]

    def visible(self, session: Session, identity: Identity, *, kind: DeadlineKind | None = None) -> ColumnElement[bool]:
        """Return the condition under which a person sees a deadline."""
        kinds = [each for each in self._watches.values() if kind in {None, each.kind}]
        seen = [and_(Deadline.kind == each.kind, each.visible(session, identity)) for each in kinds]
        return or_(false(), *seen)

    def about(self, session: Session, messages: Sequence[Message]) -> Mapping[UUID, UUID]:
        """Return, by the message's id, of which record messages are that name none."""
        return records_of(session, self._watches, messages)

    def still(self, session: Session, identity: Identity, kind: DeadlineKind, subject: UUID) -> bool:
        """Whether something is still due, and this person may still be told of it."""
        query = select(Deadline.id).where(
            Deadline.kind == kind, Deadline.subject_id == subject, Deadline.state == DeadlineState.OPEN,
            self.visible(session, identity, kind=kind),
        )  # fmt: skip
        return session.scalar(query) is not None


@dataclass(frozen=True)
class _Plan:
    """What is to be written of one deadline."""

    deadline: Deadline
    judged: Judged
    people: Sequence[UUID]


class DueSweep:
    """Finds what has come, and tells it."""

    def __init__(self, db: Database, guard: Guard, log: Log, messages: Messages, watches: Sequence[Watch]) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._messages = messages
        self._watches = {each.kind: each for each in watches}

    def run(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Look at every deadline whose next day has come; return how many messages were made.

        Kinds that nobody watches here are left as they are.
        """
        told, after, day = 0, (date.min, _NONE), self._guard.day()
        while go_on():
            with self._db.reading() as session:
                found = self._come(session, day, after)
                watched = [each for each in found if each.kind in self._watches]
                plans = self._plan(session, watched, day) if watched else []
            if not found:
                break
            failpoints.reach("due.planned")
            for part in _parted(plans):
                told += self._write(part)
            after = (found[-1].look_on or day, found[-1].id)
        return told

    def _come(self, session: Session, day: date, after: tuple[date, UUID]) -> Sequence[Deadline]:
        rows: Any = session.connection().execute(_COME, {"day": day, "looked": after[0], "key": after[1]}).all()
        return cast("Sequence[Deadline]", rows)  # rows with its columns: an entity costs twice as much

    def _plan(self, session: Session, found: Sequence[Deadline], day: date) -> list[_Plan]:
        facts = facts_by_id(session, {each.record_id for each in found if each.record_id is not None})
        allowed = Allowed(self._guard, session, facts)
        rows = subject_rows(session, self._watches, found)
        plans, same = [], dict[Any, Judged]()
        for each in found:
            watch = self._watches[each.kind]
            asked = (each.kind, each.due, each.since, *each.told)
            judged = same[asked] if asked in same else judge(watch.rule, each.due, each.since, each.told, day)
            same[asked] = judged
            people: Sequence[UUID] = ()
            if judged.stage is not None:
                named = dict.fromkeys(watch.recipients(session, judged.stage, rows.get(each.subject_id)))
                people = [person for person in named if allowed.is_told(person, watch.act, each.record_id)]
            plans.append(_Plan(each, judged, people))
        return plans

    def _write(self, plans: Sequence[_Plan]) -> int:
        """Mark the stages as told and make their messages, but for what somebody has changed meanwhile."""
        with self._db.writing() as work:
            session = work.session
            ids = [each.deadline.id for each in plans]
            standing = session.connection().execute(_STANDING, {"ids": ids})
            same = {(row.id, row.version) for row in standing}
            fresh = [each for each in plans if (each.deadline.id, each.deadline.version) in same]
            if not fresh:
                return 0
            self._move(session, fresh)
            notes = [_told(each, person) for each in fresh for person in each.people]
            count = self._messages.tell(work, notes)
            if count:
                self._log.note(session, system("deadlines"), "message.tell", body={"count": count})
            failpoints.reach("due.written")
            work.commit()
            return count

    def _move(self, session: Session, plans: Sequence[_Plan]) -> None:
        """Write where deadlines stand now; those that come to stand alike are written at once."""
        now, alike = self._guard.now(), dict[Any, list[UUID]]()
        for each in plans:
            told = (*each.deadline.told, each.judged.stage.code) if each.judged.stage else tuple(each.deadline.told)
            alike.setdefault((told, each.judged.look_on, each.judged.over), []).append(each.deadline.id)
        for (told, look_on, over), ids in alike.items():
            values = {
                "to_told": list(told), "to_look_on": look_on, "ids": ids,
                "to_state": DeadlineState.LAPSED if over else DeadlineState.OPEN, "ended": now if over else None,
            }  # fmt: skip
            session.connection().execute(_MOVED, values)


class Allowed:
    """Who may be told, asked once for each person and act in a snapshot."""

    def __init__(self, guard: Guard, session: Session, facts: Mapping[UUID, Mapping[str, Any]]) -> None:
        self._guard = guard
        self._session = session
        self._facts = facts
        self._kept: dict[tuple[UUID, Act], tuple[bool, Callable[[Mapping[str, Any]], bool]]] = {}

    def is_told(self, person: UUID, act: Act, record: UUID | None) -> bool:
        """Whether an account is open and, of a record, may do the act on it."""
        kept = self._kept.get((person, act))
        if kept is None:
            reach = self._guard.reach(self._session, Identity(name="", person_id=person))
            kept = self._kept[person, act] = reach.person_id is not None, test_of(condition(act, reach))
        active, needed = kept
        if record is None:
            return active
        facts = self._facts.get(record)
        return active and facts is not None and needed(facts)


_TABLE = Base.metadata.tables["deadline"]
_MOVED = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        told=bindparam("to_told"),
        look_on=bindparam("to_look_on"),
        state=bindparam("to_state"),
        ended_at=bindparam("ended"),
        version=_TABLE.c.version + 1,
    )
)
_COME = (
    select(_TABLE)
    .where(
        _TABLE.c.look_on <= bindparam("day"),
        tuple_(_TABLE.c.look_on, _TABLE.c.id) > tuple_(bindparam("looked", type_=Date), bindparam("key", type_=Id)),
    )
    .order_by(_TABLE.c.look_on, _TABLE.c.id)
    .limit(BATCH)
)
"""Along the one index: a condition on kinds has SQLite read and sort all that there are, for each batch."""
_STANDING = select(Deadline.id, Deadline.version).where(Deadline.id.in_(bindparam("ids", expanding=True)))


def told_of(row: Deadline, stage: str, person: UUID, *, late: bool = False) -> Told:
    """Return what a person is told of a deadline at a stage, once."""
    return Told(
        person, f"due.{row.kind.value}", f"due:{row.id.hex}:{row.due}:{stage}", stage=stage, late=late,
        due=row.due, record=row.record_id, subject=row.subject_id,
    )  # fmt: skip


def _told(plan: _Plan, person: UUID) -> Told:
    stage = plan.judged.stage.code if plan.judged.stage else ""
    return told_of(plan.deadline, stage, person, late=plan.judged.late)


def _parted(plans: Sequence[_Plan]) -> Iterator[Sequence[_Plan]]:
    """Part what is planned into what one transaction takes."""
    part: list[_Plan] = []
    messages = 0
    for each in plans:
        if part and messages + len(each.people) > MOST_AT_ONCE:
            yield part
            part, messages = [], 0
        part.append(each)
        messages += len(each.people)
    if part:
        yield part


def find_deadline(session: Session, kind: DeadlineKind, subject: UUID) -> Deadline | None:
    """Return what is noted of something that falls, or fell, due."""
    return session.scalar(select(Deadline).where(Deadline.kind == kind, Deadline.subject_id == subject))
