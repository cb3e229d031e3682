"""Standing custody 受控发放: a post keeps papers for its work without a loan's term, and hands them over by rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, head_token, valid
from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.loans.news import LoanNews
from archive.loans.papers import AtCounter, HandedPapers, reader_of, ready_papers, require_archive_decides
from archive.loans.reports import Reports, State
from archive.loans.rules import months_later
from archive.log.writer import Log
from archive.model import (
    ApprovalKind,
    Copy,
    CopyCondition,
    CustodyAct,
    CustodyEntry,
    DeadlineKind,
    Department,
    Person,
    PersonPost,
    Post,
    Record,
    StandingCustody,
)
from archive.model.columns import Names
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines

MOST_MONTHS = 24


@dataclass(frozen=True)
class CustodyShown:
    """A paper in standing custody as someone may see it. ``names`` are people's by id.

    ``title`` is None for who does not read it. ``vacant``: who has it holds the post no more. ``may_sign``: this person
    may sign the hand-over that waits. ``waits``: it lies in the archive still, and is to be handed out at the counter.
    """

    row: StandingCustody
    number: str | None
    title: str | None
    level: int
    post: Names
    department: Names
    names: Mapping[UUID, str]
    entries: Sequence[CustodyEntry]
    waits: bool
    late: bool
    vacant: bool
    may_keep: bool
    may_sign: bool
    may_hand_over: bool


class StandingCustodies:
    """The acts on papers in standing custody."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock, reports: Reports, news: LoanNews) -> None:
        self._reports, self._news = reports, news
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock
        self._papers = HandedPapers(log, clock)

    def give(self, identity: Identity, record_id: UUID, login: str, months: int, out: AtCounter | None = None) -> UUID:
        """Give a paper into the custody of the post that a person holds, to be looked at every ``months``.

        It is handed out at once, as ``out`` says it is now.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: ``record`` (it may not leave so, or no copy is there), ``holder`` (unknown, does not read it,
                holds no post), ``months``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.LEND, record_id)
            require_archive_decides(session, record, ApprovalKind.CUSTODY)
            held = self.holder(session, record, login, months)
            if identity.person_id is None:
                raise NotAllowed(act="custody.give")
            key = self.begin_in(session, identity, record, held, months, new_id(), identity.person_id)
            self._hand_out(session, identity, session.get_one(StandingCustody, key), record, out or AtCounter())
            work.commit()
            return key

    def holder(self, session: Session, record: Record, login: str, months: int) -> PersonPost:
        """Return the post in whose custody a paper would be. Raises ``InvalidInput`` as ``give``."""
        if not 1 <= months <= MOST_MONTHS:
            raise InvalidInput(Fault("months", "out_of_range", {"low": 1, "high": MOST_MONTHS}))
        who = reader_of(session, self._guard, record, login, "holder")
        held = _first_post(session, who.id, self._guard.day())
        if held is None:
            raise InvalidInput(Fault("holder", "holds_no_post", {"name": who.name}))
        return held

    def begin_in(
        self, session: Session, identity: Identity, record: Record, held: PersonPost, months: int, key: UUID, by: UUID
    ) -> UUID:
        """Give a paper into the custody of a post that was looked at, in the caller's transaction.

        It waits at the counter then.

        Raises:
            InvalidInput: field ``record``: no copy is there.
        """
        waiting = len(session.scalars(ready_papers(record.id)).all())
        copy = self._papers.choose(session, identity, record, None, waiting)
        row = StandingCustody(
            id=key, record_id=record.id, copy_id=copy.id, post_id=held.post_id, department_id=held.department_id,
            person_id=held.person_id, months=months, check_on=months_later(self._guard.day(), months),
            begun_at=self._clock.now(), begun_by=by,
        )  # fmt: skip
        session.add(row)
        session.flush()
        self._note(session, identity, "custody.give", row, to=str(held.person_id), months=months)
        return key

    def issue(self, identity: Identity, custody_id: UUID, out: AtCounter) -> None:
        """Hand a paper out at the counter that is to be in custody.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is out, or back.
            InvalidInput: ``record`` (it may not leave, or no copy is there), ``holder`` (does not read it any more, or
                holds the post no more).
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, custody_id, "custody.issue", out=False)
            record, who = session.get_one(Record, row.record_id), session.get_one(Person, row.person_id)
            reader_of(session, self._guard, record, who.login, "holder")
            if not _holds_post(session, who.id, row, self._guard.day()):
                raise InvalidInput(Fault("holder", "holds_not_the_post", {"name": who.name}))
            self._hand_out(session, identity, row, record, out)
            work.commit()

    def _hand_out(
        self, session: Session, identity: Identity, row: StandingCustody, record: Record, out: AtCounter
    ) -> None:
        copy = self._papers.hand_out(session, identity, record, out, row.person_id)
        row.copy_id, row.issued_at, row.version = copy.id, self._clock.now(), row.version + 1
        row.pages_out, row.condition_out = copy.pages if out.pages is None else out.pages, copy.condition
        row.check_on = months_later(self._guard.day(), row.months)
        session.flush()
        Deadlines(self._guard).set(session, DeadlineKind.CUSTODY_CHECK, row.id, row.check_on)
        body = {"copy": copy.number, "pages": row.pages_out, "condition": row.condition_out.value}
        self._note(session, identity, "custody.issue", row, to=str(row.person_id), **body)

    def check(self, identity: Identity, custody_id: UUID, pages: int | None, condition: CopyCondition | None) -> None:
        """Write down that the paper was looked at, where it is; the next day counts from today. None: as it was noted.

        Raises ``NotFound``, ``NotAllowed``, ``Ended``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, custody_id, "custody.check")
            row.check_on, row.version = months_later(self._guard.day(), row.months), row.version + 1
            copy = session.get_one(Copy, row.copy_id)
            condition = copy.condition = condition or copy.condition
            self._enter(session, identity, row, CustodyAct.CHECKED, pages=pages, condition=condition)
            Deadlines(self._guard).set(session, DeadlineKind.CUSTODY_CHECK, row.id, row.check_on)
            self._note(session, identity, "custody.check", row, pages=pages, condition=condition.value)
            work.commit()

    def hand_over(self, identity: Identity, custody_id: UUID, login: str) -> None:
        """Say to whom the paper goes at a change of post. It is theirs once a supervisor has signed.

        Raises:
            NotFound: it is neither with them nor theirs to lend.
            Ended: it is back.
            InvalidInput: field ``holder``: unknown, does not read it, does not hold the post, or has it already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(StandingCustody, custody_id)
            if row is None or row.person_id != identity.person_id:
                row = self._kept(session, identity, custody_id, "custody.hand_over")
            _require_out(row, "custody.hand_over")
            record = session.get_one(Record, row.record_id)
            who = reader_of(session, self._guard, record, login, "holder")
            if who.id == row.person_id:
                raise InvalidInput(Fault("holder", "has_it"))
            if not _holds_post(session, who.id, row, self._guard.day()):
                raise InvalidInput(Fault("holder", "holds_not_the_post", {"name": who.name}))
            row.next_id, row.version = who.id, row.version + 1
            self._note(session, identity, "custody.hand_over", row, to=str(who.id))
            work.commit()

    def sign(self, identity: Identity, custody_id: UUID) -> None:
        """Sign a hand-over as the supervisor of the post: from then on the paper is with who follows.

        Raises:
            NotFound: no hand-over waits for this person.
            OwnRequest: they give or take it themselves.
            InvalidInput: field ``holder``: who was to follow does not read it, or holds the post no more.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(StandingCustody, custody_id)
            if row is None or row.next_id is None or row.ended_at is not None:
                raise NotFound
            if identity.person_id in {row.person_id, row.next_id}:
                raise OwnRequest(act="custody.sign")
            if not self._supervises(session, identity, row):
                raise NotFound
            record, to, old = session.get_one(Record, row.record_id), row.next_id, row.person_id
            reader_of(session, self._guard, record, session.get_one(Person, to).login, "holder")
            if not _holds_post(session, to, row, self._guard.day()):
                raise InvalidInput(Fault("holder", "holds_not_the_post", {"name": session.get_one(Person, to).name}))
            self._papers.hand_to(session, identity, session.get_one(Copy, row.copy_id), to)
            row.person_id, row.next_id, row.version = to, None, row.version + 1
            self._enter(session, identity, row, CustodyAct.HANDED_OVER, from_id=old, to_id=to)
            self._note(session, identity, "custody.sign", row, old=str(old), to=str(to))
            work.commit()

    def take_back(self, identity: Identity, custody_id: UUID, back: AtCounter | None = None) -> UUID | None:
        """Take the paper back for good, or drop a custody whose paper was never fetched.

        What is not said of it is as it went out. Returns the report that a difference opens.

        Raises ``NotFound``, ``NotAllowed``, ``Ended``; ``InvalidInput``, field ``words``.
        """
        back = back or AtCounter()
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, custody_id, "custody.return", out=None)
            report = None
            if row.issued_at is not None:
                copy = session.get_one(Copy, row.copy_id)
                self._papers.hand_to(session, identity, copy, None)
                out = State(row.pages_out, row.condition_out)
                now = State(out.pages if back.pages is None else back.pages, back.condition or out.condition)
                copy.condition = back.condition or copy.condition
                report = self._reports.compare(session, identity, row, row.person_id, out, now, back.words)
                self._enter(session, identity, row, CustodyAct.RETURNED, **vars(now))
            self._end(row)
            Deadlines(self._guard).meet(session, DeadlineKind.CUSTODY_CHECK, row.id)
            self._note(session, identity, "custody.return", row, differs=report is not None)
            self._news.back(work, row.record_id)
            work.commit()
            return report

    def lose(self, identity: Identity, custody_id: UUID, words: str) -> UUID:
        """Write down that a paper is lost: its copy is withdrawn, a report is opened. Returns its id.

        Raises ``NotFound``, ``NotAllowed``, ``Ended``; ``InvalidInput``, field ``words``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, custody_id, "custody.lose")
            copy = session.get_one(Copy, row.copy_id)
            report = self._reports.lost(session, identity, row, copy, words, row.pages_out)
            self._enter(session, identity, row, CustodyAct.LOST)
            self._end(row)
            Deadlines(self._guard).lapse(session, DeadlineKind.CUSTODY_CHECK, row.id)
            self._note(session, identity, "custody.lose", row, copy=copy.number)
            work.commit()
            return report

    def _end(self, row: StandingCustody) -> None:
        row.ended_at, row.next_id, row.version = self._clock.now(), None, row.version + 1

    def every(
        self, identity: Identity, after: tuple[date, UUID] | None = None, *, limit: int
    ) -> Sequence[CustodyShown]:
        """Return the papers in standing custody that concern someone: kept or supervised by them, or theirs to lend.

        Those that are looked at first come first; ``after``: behind the one of this day and id.
        """
        with self._db.reading() as session:
            query = select(StandingCustody).where(StandingCustody.ended_at.is_(None), self._concerns(session, identity))
            if after is not None:
                day, key = after
                later = and_(StandingCustody.check_on == day, StandingCustody.id > key)
                query = query.where(or_(StandingCustody.check_on > day, later))
            rows = session.scalars(query.order_by(StandingCustody.check_on, StandingCustody.id).limit(limit)).all()
            return [self._shown(session, identity, row) for row in rows]

    def show(self, identity: Identity, custody_id: UUID) -> CustodyShown:
        """Return one that concerns this person. Raises ``NotFound``."""
        with self._db.reading() as session:
            mine = select(StandingCustody).where(StandingCustody.id == custody_id, self._concerns(session, identity))
            row = session.scalar(mine)
            if row is None:
                raise NotFound
            return self._shown(session, identity, row)

    def to_sign(self, session: Session, identity: Identity) -> int:
        """Count the hand-overs that wait for this person's signature."""
        if Role.APPROVER not in self._guard.reach(session, identity).roles:
            return 0
        waiting = select(StandingCustody).where(
            StandingCustody.next_id.is_not(None), StandingCustody.ended_at.is_(None)
        )
        return sum(1 for row in session.scalars(waiting) if self._may_sign(session, identity, row))

    def _may_sign(self, session: Session, identity: Identity, row: StandingCustody) -> bool:
        own = identity.person_id in {row.person_id, row.next_id}
        return row.next_id is not None and not own and self._supervises(session, identity, row)

    def _supervises(self, session: Session, identity: Identity, row: StandingCustody) -> bool:
        """Whether someone is the nearest head above who has it that is neither of the two."""
        day = self._guard.day()
        token = head_token(session, row.person_id, day, [row.person_id, *([row.next_id] if row.next_id else [])])
        mine = {each for hand in hands_of(session, identity.person_id, day) for each in hand.tokens}
        return token is not None and token in mine

    def _concerns(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        concerned = [
            StandingCustody.person_id == identity.person_id,
            StandingCustody.next_id == identity.person_id,
            self._guard.opens(session, identity, StandingCustody.record_id, Act.LEND),
        ]
        reach = self._guard.reach(session, identity)
        if Role.APPROVER in reach.roles:
            waiting = select(StandingCustody).where(
                StandingCustody.next_id.is_not(None), StandingCustody.ended_at.is_(None)
            )
            mine = [row.id for row in session.scalars(waiting) if self._may_sign(session, identity, row)]
            concerned += [StandingCustody.department_id.in_(reach.departments), StandingCustody.id.in_(mine)]
        return or_(*concerned)

    def _shown(self, session: Session, identity: Identity, row: StandingCustody) -> CustodyShown:
        record = session.get_one(Record, row.record_id)
        read = record.id in self._guard.seen(session, identity, [record.id])
        entries = session.scalars(
            select(CustodyEntry).where(CustodyEntry.custody_id == row.id).order_by(CustodyEntry.at.desc())
        ).all()
        lend = self._guard.visible(session, identity, Act.LEND).where(Record.id == record.id)
        keeps = session.scalar(lend.with_only_columns(Record.id)) is not None
        people = {row.person_id, row.next_id, row.begun_by}
        people |= {key for each in entries for key in (each.signed_by, each.from_id, each.to_id)}
        found = session.execute(select(Person.id, Person.name).where(Person.id.in_(people - {None})))
        day, going = self._guard.day(), row.ended_at is None
        out = going and row.issued_at is not None
        return CustodyShown(
            row, number_of(record), record.title if read else None, record.level_rank,
            session.get_one(Post, row.post_id).names, session.get_one(Department, row.department_id).names,
            dict(found.all()), entries, waits=going and not out, late=out and row.check_on < day,
            vacant=going and not _holds_post(session, row.person_id, row, day), may_keep=keeps and going,
            may_sign=self._may_sign(session, identity, row),
            may_hand_over=out and (keeps or row.person_id == identity.person_id),
        )  # fmt: skip

    def _kept(
        self, session: Session, identity: Identity, custody_id: UUID, act: str, *, out: bool | None = True
    ) -> StandingCustody:
        """Return one that has not ended, to who lends it: ``out`` (True), waiting (False), or either (None)."""
        row = session.get(StandingCustody, custody_id)
        self._guard.require(session, identity, Act.LEND, row.record_id if row else custody_id)
        if row is None:
            raise NotFound
        if out:
            _require_out(row, act)
        elif row.ended_at is not None or (out is False and row.issued_at is not None):
            raise Ended(state="returned" if row.ended_at is not None else "open", act=act)
        return row

    def _enter(self, session: Session, identity: Identity, row: StandingCustody, act: CustodyAct, **facts: Any) -> None:
        if identity.person_id is None:
            raise NotAllowed(act=f"custody.{act.value}")
        facts |= {"at": self._clock.now(), "signed_by": identity.person_id}
        session.add(CustodyEntry(id=new_id(), custody_id=row.id, act=act, **facts))

    def _note(self, session: Session, identity: Identity, act: str, row: StandingCustody, **body: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, record=row.record_id, body={"custody": str(row.id), **body})


def _first_post(session: Session, person: UUID, day: date) -> PersonPost | None:
    held = select(PersonPost).where(PersonPost.person_id == person, valid(day)).order_by(PersonPost.id)
    return session.scalar(held.limit(1))


def _holds_post(session: Session, person: UUID, row: StandingCustody, day: date) -> bool:
    held = select(PersonPost.id).where(PersonPost.person_id == person, PersonPost.post_id == row.post_id, valid(day))
    return session.scalar(held.where(PersonPost.department_id == row.department_id).limit(1)) is not None


def _require_out(row: StandingCustody, act: str) -> None:
    if row.ended_at is not None or row.issued_at is None:
        raise Ended(state="returned" if row.ended_at is not None else "ready", act=act)
