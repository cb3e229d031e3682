"""Circulation slips 文件传递单: one paper goes from one receiver to the next, each signs in turn, and it comes back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.loans import rules
from archive.loans.news import LoanNews
from archive.loans.papers import (
    AtCounter,
    HandedPapers,
    reader_of,
    reads,
    ready_papers,
    require_archive_decides,
)
from archive.loans.reports import Reports, State, harm_of
from archive.loans.slips import Slip, SlipShown, check
from archive.loans.standing import period_of
from archive.log.writer import Log
from archive.model import (
    ApprovalKind,
    Circulation,
    CirculationState,
    CirculationStop,
    Copy,
    DeadlineKind,
    Person,
    Record,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reminding.deadlines import Deadlines

GOING = (CirculationState.READY, CirculationState.ROUND)


class Rounds:
    """The acts on slips, and what each of those whom one concerns sees of it."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, reports: Reports, news: LoanNews
    ) -> None:
        self._reports, self._news = reports, news
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock
        self._papers = HandedPapers(log, clock)

    def begin(self, identity: Identity, record_id: UUID, slip: Slip, out: AtCounter | None = None) -> UUID:
        """Send a paper round; it is with who sends it until the first receiver has signed. Returns the slip's id.

        It is handed out at once, as ``out`` says it is now.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: ``record`` (it may not leave so, or no copy is there), ``purpose``, ``scope``, ``until``,
                ``receivers`` (nobody, too many, one twice, one who does not read it).
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.LEND, record_id)
            require_archive_decides(session, record, ApprovalKind.CIRCULATION)
            people = self.receivers(session, record, slip)
            if identity.person_id is None:
                raise NotAllowed(act="circulation.begin")
            out = out or AtCounter()
            self.begin_in(session, identity, record, slip, people, out.copy, key := new_id(), identity.person_id)
            row = session.get_one(Circulation, key)
            self._hand_out(session, identity, row, record, out, identity.person_id)
            work.commit()
            return key

    def receivers(self, session: Session, record: Record, slip: Slip) -> Sequence[UUID]:
        """Return the receivers of a slip, which is sound. Raises ``InvalidInput`` as ``begin``."""
        check(slip)
        today = self._guard.day()
        last = rules.longest(today, period_of(session, record))
        if not today <= slip.until <= last:
            raise InvalidInput(Fault("until", "not_within", {"low": str(today), "high": str(last)}))
        return [reader_of(session, self._guard, record, each, "receivers").id for each in slip.receivers]

    def begin_in(
        self,
        session: Session,
        identity: Identity,
        record: Record,
        slip: Slip,
        people: Sequence[UUID],
        copy: int | None,
        key: UUID,
        by: UUID,
    ) -> None:
        """Write a slip that was looked at, from ``by``, in the caller's transaction. Its paper waits at the counter.

        Raises:
            InvalidInput: field ``record``: no copy is there.
        """
        waiting = len(session.scalars(ready_papers(record.id)).all())
        row = self._papers.choose(session, identity, record, copy, waiting)
        texts = json.dumps({"purpose": slip.purpose.strip(), "scope": slip.scope.strip()}, ensure_ascii=False)
        session.add(
            Circulation(
                id=key, number=(session.scalar(select(func.max(Circulation.number))) or 0) + 1,
                record_id=record.id, copy_id=row.id, until=slip.until, begun_by=by, begun_at=self._clock.now(),
                sealed=self._vault.seal(session, record.id, texts.encode(), context=_context(key)),
                pages_out=row.pages, condition_out=row.condition,
            )
        )  # fmt: skip
        session.flush()
        for place, person in enumerate(people, 1):
            session.add(CirculationStop(id=new_id(), circulation_id=key, position=place, person_id=person))
        body = {"to": [str(each) for each in people], "until": slip.until.isoformat(), "copy": row.number}
        self._note(session, identity, "circulation.begin", session.get_one(Circulation, key), **body)

    def issue(self, identity: Identity, circulation_id: UUID, person: UUID, out: AtCounter) -> None:
        """Hand a paper that is to go round out at the counter: to who sends it, or to the first receiver, who signs so.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is out, or back.
            InvalidInput: ``record`` (it does not go to this person, may not leave, or no copy is there), ``until`` (the
                day is over), ``receivers`` (the first one does not read it any more).
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(Circulation, circulation_id)
            record = self._guard.require(session, identity, Act.LEND, row.record_id if row else circulation_id)
            if row is None:
                raise NotFound
            if row.state is not CirculationState.READY:
                raise Ended(state=row.state.value, act="circulation.issue")
            first = _stops(session, row.id)[0]
            if person not in {row.begun_by, first.person_id}:
                raise InvalidInput(Fault("record", "not_approved"))
            if row.until < (today := self._guard.day()):
                raise InvalidInput(Fault("until", "not_within", {"low": str(today), "high": str(row.until)}))
            self._hand_out(session, identity, row, record, out, person)
            if person == first.person_id:
                if not reads(session, self._guard, record, person):
                    raise InvalidInput(Fault("receivers", "reads_not", {"name": session.get_one(Person, person).name}))
                first.signed_at = self._clock.now()
                self._note(session, identity, "circulation.sign", row, position=first.position)
            work.commit()

    def _hand_out(
        self, session: Session, identity: Identity, row: Circulation, record: Record, out: AtCounter, person: UUID
    ) -> None:
        copy = self._papers.hand_out(session, identity, record, out, person)
        row.state, row.version, row.copy_id = CirculationState.ROUND, row.version + 1, copy.id
        row.pages_out, row.condition_out = copy.pages if out.pages is None else out.pages, copy.condition
        Deadlines(self._guard).set(session, DeadlineKind.CIRCULATION, row.id, row.until)
        body = {"copy": copy.number, "pages": row.pages_out, "condition": row.condition_out.value}
        self._note(session, identity, "circulation.issue", row, to=str(person), **body)

    def sign(self, identity: Identity, circulation_id: UUID) -> None:
        """Sign that one has the paper now, in one's turn.

        Raises:
            NotFound: it does not come to them.
            NotAllowed: another is first, or they do not read it any more.
            Ended: it is back, or they signed already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, stops = self._mine(session, identity, circulation_id)
            if row.state is not CirculationState.ROUND:
                raise Ended(state=row.state.value, act="circulation.sign")
            following = next((each for each in stops if each.signed_at is None), None)
            if following is None or following.person_id != identity.person_id:
                raise NotAllowed(act="circulation.sign")
            record = session.get_one(Record, row.record_id)
            if not reads(session, self._guard, record, following.person_id):
                raise NotAllowed(act="circulation.sign")
            following.signed_at, row.version = self._clock.now(), row.version + 1
            self._papers.hand_to(session, identity, session.get_one(Copy, row.copy_id), following.person_id)
            self._note(session, identity, "circulation.sign", row, position=following.position)
            work.commit()

    def take_back(self, identity: Identity, circulation_id: UUID, back: AtCounter | None = None) -> UUID | None:
        """Take the paper back and check it; what is not said of it is as it went out.

        Returns the report that a difference opens. A slip whose paper was never fetched ends so, too.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is back, or lost.
            InvalidInput: ``words``: too many.
        """
        back = back or AtCounter()
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, circulation_id)
            if row.state not in GOING:
                raise Ended(state=row.state.value, act="circulation.return")
            copy, holder = session.get_one(Copy, row.copy_id), row.begun_by
            if row.state is CirculationState.ROUND:
                holder = copy.holder_id or holder
                self._papers.hand_to(session, identity, copy, None)
            else:
                back = AtCounter()
            row.pages_in = row.pages_out if back.pages is None else back.pages
            row.condition_in = back.condition or row.condition_out
            copy.condition = back.condition or copy.condition
            self._end(session, identity, row, CirculationState.RETURNED)
            out, now = State(row.pages_out, row.condition_out), State(row.pages_in, row.condition_in)
            report = self._reports.compare(session, identity, row, holder, out, now, back.words)
            self._note(session, identity, "circulation.return", row, pages=row.pages_in, differs=report is not None)
            self._news.back(work, row.record_id)
            work.commit()
            return report

    def lose(self, identity: Identity, circulation_id: UUID, words: str) -> UUID:
        """Write down that a paper is lost on its round: its copy is withdrawn, a report is opened. Returns its id.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is with nobody.
            InvalidInput: ``words``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._kept(session, identity, circulation_id)
            if row.state is not CirculationState.ROUND:
                raise Ended(state=row.state.value, act="circulation.lose")
            copy = session.get_one(Copy, row.copy_id)
            report = self._reports.lost(session, identity, row, copy, words, row.pages_out)
            self._end(session, identity, row, CirculationState.LOST)
            self._note(session, identity, "circulation.lose", row, copy=copy.number)
            work.commit()
            return report

    def _kept(self, session: Session, identity: Identity, circulation_id: UUID) -> Circulation:
        """Return a slip to who lends its record. Raises ``NotFound``, ``NotAllowed``."""
        row = session.get(Circulation, circulation_id)
        self._guard.require(session, identity, Act.LEND, row.record_id if row else circulation_id)
        if row is None:
            raise NotFound
        return row

    def _end(self, session: Session, identity: Identity, row: Circulation, state: CirculationState) -> None:
        row.state, row.version = state, row.version + 1
        row.ended_at, row.received_by = self._clock.now(), identity.person_id
        deadlines = Deadlines(self._guard)
        end = deadlines.lapse if state is CirculationState.LOST else deadlines.meet
        end(session, DeadlineKind.CIRCULATION, row.id)

    def every(
        self, identity: Identity, *, ended: bool = False, after: UUID | None = None, limit: int
    ) -> Sequence[SlipShown]:
        """Return the slips that concern someone, the newest first: sent by or to them, or of what they lend.

        ``after``: behind the one of this id.
        """
        with self._db.reading() as session:
            going = Circulation.state.in_(GOING)
            query = select(Circulation).where(~going if ended else going, self._concerns(session, identity))
            if after is not None:
                query = query.where(Circulation.id < after)
            return [
                self._shown(session, identity, row)
                for row in session.scalars(query.order_by(Circulation.id.desc()).limit(limit))
            ]

    def show(self, identity: Identity, circulation_id: UUID) -> SlipShown:
        """Return a slip to one whom it concerns. Raises ``NotFound``."""
        with self._db.reading() as session:
            mine = select(Circulation).where(Circulation.id == circulation_id, self._concerns(session, identity))
            row = session.scalar(mine)
            if row is None:
                raise NotFound
            return self._shown(session, identity, row)

    def count(self, session: Session, identity: Identity) -> int:
        """Count the slips that this person is to sign next."""
        first = (
            select(func.min(CirculationStop.position))
            .where(CirculationStop.circulation_id == Circulation.id, CirculationStop.signed_at.is_(None))
            .correlate(Circulation)
            .scalar_subquery()
        )
        query = (
            select(func.count(Circulation.id))
            .join(CirculationStop, CirculationStop.circulation_id == Circulation.id)
            .where(
                Circulation.state == CirculationState.ROUND, CirculationStop.position == first,
                CirculationStop.person_id == identity.person_id,
            )
        )  # fmt: skip
        return session.scalar(query) or 0

    def _concerns(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        stop = and_(CirculationStop.circulation_id == Circulation.id, CirculationStop.person_id == identity.person_id)
        return or_(
            Circulation.begun_by == identity.person_id,
            select(CirculationStop.id).where(stop).correlate(Circulation).exists(),
            self._guard.opens(session, identity, Circulation.record_id, Act.LEND),
        )

    def _mine(
        self, session: Session, identity: Identity, circulation_id: UUID
    ) -> tuple[Circulation, Sequence[CirculationStop]]:
        row = session.get(Circulation, circulation_id)
        stops = _stops(session, circulation_id)
        if row is None or identity.person_id not in {each.person_id for each in stops}:
            raise NotFound
        return row, stops

    def _shown(self, session: Session, identity: Identity, row: Circulation) -> SlipShown:
        record = session.get_one(Record, row.record_id)
        stops = _stops(session, row.id)
        read = row.record_id in self._guard.seen(session, identity, [row.record_id])
        lend = self._guard.visible(session, identity, Act.LEND).where(Record.id == row.record_id)
        texts: Mapping[str, Any] = {}
        if read:
            texts = json.loads(self._vault.open(session, row.record_id, row.sealed, context=_context(row.id)))
        going, waits = row.state is CirculationState.ROUND, row.state is CirculationState.READY
        lends = (going or waits) and session.scalar(lend.with_only_columns(Record.id)) is not None
        people = {row.begun_by, row.received_by, *(each.person_id for each in stops)} - {None}
        found = session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
        return SlipShown(
            row, number_of(record), record.title if read else None, record.level_rank, texts.get("purpose"),
            texts.get("scope"), stops, dict(found.all()),
            holder=session.get_one(Copy, row.copy_id).holder_id if going else None,
            turn=next((each.person_id for each in stops if each.signed_at is None), None) if going else None,
            overdue=going and row.until < self._guard.day(),
            may_issue=waits and lends, may_end=lends, differs=_differs(row),
        )  # fmt: skip

    def _note(self, session: Session, identity: Identity, act: str, row: Circulation, **body: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, record=row.record_id, body={"circulation": row.number, **body})


def _stops(session: Session, circulation_id: UUID) -> Sequence[CirculationStop]:
    query = select(CirculationStop).where(CirculationStop.circulation_id == circulation_id)
    return session.scalars(query.order_by(CirculationStop.position)).all()


def _differs(row: Circulation) -> bool:
    return harm_of(State(row.pages_out, row.condition_out), State(row.pages_in, row.condition_in)) is not None


def _context(key: UUID) -> str:
    return f"circulation:{key.hex}"
