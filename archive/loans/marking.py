"""Marked copies: to whom a page was shown or given, by which loan, and how much of it the loan still allows."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, LimitReached, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.loans.standing import rules_now
from archive.log.readings import SAME_OPENING
from archive.log.writer import Log
from archive.model import (
    Content,
    ContentState,
    CopyMark,
    Excerpt,
    File,
    Loan,
    LoanForm,
    LoanState,
    MarkKind,
    Person,
    Record,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition

NUMBER_BITS = 40
"""Bits of a mark's number. It is drawn by chance, so that nobody names another's."""

TAKEN = (MarkKind.PAGES, MarkKind.FILE)


@dataclass(frozen=True)
class Mark:
    """What a copy carries: a number out of sight, and for all to read whose it is, since when, by which loan."""

    number: int
    person: str
    login: str
    at: datetime
    loan: int | None
    serial: int | None = None


@dataclass(frozen=True)
class Used:
    """How much of an electronic loan is used up; a limit of None is none."""

    loan: int
    pages: int
    most_pages: int | None
    today: int
    most_today: int | None
    copies: int
    most_copies: int | None


@dataclass(frozen=True)
class CopyShown:
    """A copy as someone may see it. ``record`` and ``name`` are None for who does not see the record, or read it."""

    mark: CopyMark
    at: datetime
    person: str
    login: str
    loan: int | None
    record: str | None
    name: str | None
    compared_by: str


class Marking:
    """Gives marks, and tells whose they are."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock, zone: str) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock
        self._zone = ZoneInfo(zone)

    def is_free(self, session: Session, identity: Identity, record: Record) -> bool:
        """Whether this person sees a record's files as they are: who keeps or prepares it."""
        facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
        return holds(condition(Act.ORIGINAL, self._guard.reach(session, identity)), facts)

    def seen(self, identity: Identity, content_id: UUID, page: int) -> Mark | None:
        """Return the mark of a page that is shown now; None: this person sees it as it is.

        For half an hour it stays the same, and counts once.

        Raises:
            NotFound: as for reading it.
            LimitReached: the loan by which alone they read it allows no more pages, or no more today.
        """
        return self._given(identity, content_id, MarkKind.SEEN, page, page)

    def taken(self, identity: Identity, content_id: UUID, kind: MarkKind, first: int, last: int) -> Mark | None:
        """Return the mark of pages that are taken away now, and note them in the copy register. As ``seen``.

        Raises:
            NotAllowed: they may look at it only.
        """
        return self._given(identity, content_id, kind, first, last)

    def of_excerpt(self, identity: Identity, excerpt_id: UUID) -> Mark | None:
        """Return the mark of an excerpt that is given now by a loan, as of a copy; None: who may have the original.

        Raises:
            NotFound: no open loan gives it to this person.
            LimitReached: the loan allows no more copies.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            excerpt = session.get(Excerpt, excerpt_id)
            record = session.get(Record, excerpt.record_id) if excerpt is not None else None
            if excerpt is None or record is None:
                raise NotFound
            if self.is_free(session, identity, record):
                return None
            given = select(Loan).where(
                Loan.excerpt_id == excerpt_id, Loan.borrower_id == identity.person_id, Loan.state == LoanState.OPEN
            )
            loan = session.scalars(given.order_by(Loan.number.desc()).limit(1)).first()
            if loan is None:
                raise NotFound
            pages = MarkKind.PAGES, min(excerpt.pages), max(excerpt.pages)
            row = self._recent(session, identity, loan, excerpt.content_id, *pages)
            if row is None:
                self._check(session, loan, excerpt.content_id, *pages[:2])
                row = self._put(session, identity, record, loan, excerpt.content_id, *pages)
            mark = self._mark(session, row, loan)
            work.commit()
            return mark

    def used(self, identity: Identity, record_id: UUID) -> Used | None:
        """Return how much is used of the loan by which alone this person reads a record; None: there is none."""
        with self._db.reading() as session:
            record = session.get(Record, record_id)
            loan = self._loan(session, identity, record_id)
            if record is None or loan is None or not self._is_bound(session, identity, record, Act.READ):
                return None
            return self._used(session, loan)

    def register(self, identity: Identity, after: int | None = None, limit: int = 100) -> Sequence[CopyShown]:
        """Return the copies that were taken of records that this person lends, the newest first."""
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            lent = self._guard.visible(session, identity, Act.LEND).with_only_columns(Record.id)
            query = select(CopyMark).where(CopyMark.serial.is_not(None), CopyMark.record_id.in_(lent))
            if after is not None:
                query = query.where(CopyMark.serial < after)
            rows = session.scalars(query.order_by(CopyMark.serial.desc()).limit(limit)).all()
            return self._shown(session, identity, rows)

    def compare(self, identity: Identity, mark_id: UUID, login: str, *, version: int) -> None:
        """Write down who held a copy against the original and found it the same.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: ``person``: nobody of this sign-in name.
            Conflict: it was written down meanwhile.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(CopyMark, mark_id)
            there = row is not None and row.serial is not None
            self._guard.require(session, identity, Act.LEND, row.record_id if row is not None and there else mark_id)
            if row is None:
                raise NotFound
            who = session.scalar(select(Person.id).where(Person.login == folded(login), Person.active.is_(True)))
            if who is None:
                raise InvalidInput(Fault("person", "unknown"))
            if row.version != version:
                raise Conflict(what="copy", version=row.version)
            row.compared_by, row.compared_at, row.noted_by = who, self._clock.now(), identity.person_id
            row.version += 1
            body = {"copy": row.serial, "compared_by": str(who)}
            self._log.note(session, identity, "copy.compare", record=row.record_id, body=body)
            work.commit()

    def trace(self, identity: Identity, numbers: Sequence[int]) -> Sequence[CopyShown]:
        """Return whose copies carry these numbers; that they were asked for is written down.

        Raises:
            NotAllowed: not one of those who trace copies.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.TRACE)
            rows = session.scalars(select(CopyMark).where(CopyMark.number.in_(numbers)).order_by(CopyMark.at)).all()
            for row in rows:
                body = {"mark": row.number, "kind": row.kind.value}
                self._log.note(session, identity, "copy.trace", record=row.record_id, body=body)
            if not rows:
                self._log.note(session, identity, "copy.trace", body={"found": 0})
            shown = self._shown(session, identity, rows)
            work.commit()
            return shown

    def _given(self, identity: Identity, content_id: UUID, kind: MarkKind, first: int, last: int) -> Mark | None:
        with self._db.reading() as session:
            record = self._asked(session, identity, content_id, kind)
            if identity.person_id is None or self.is_free(session, identity, record):
                return None
            loan = self._loan(session, identity, record.id)
            row = self._recent(session, identity, loan, content_id, kind, first, last)
            if row is not None:
                return self._mark(session, row, loan)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._asked(session, identity, content_id, kind)
            loan = self._loan(session, identity, record.id)
            row = self._recent(session, identity, loan, content_id, kind, first, last)
            if row is None:
                act = Act.READ if kind is MarkKind.SEEN else Act.TAKE
                if loan is not None and self._is_bound(session, identity, record, act):
                    self._check(session, loan, content_id, kind, first)
                row = self._put(session, identity, record, loan, content_id, kind, first, last)
            mark = self._mark(session, row, loan)
            work.commit()
            return mark

    def _asked(self, session: Session, identity: Identity, content_id: UUID, kind: MarkKind) -> Record:
        states = (ContentState.STORED, ContentState.QUARANTINED)
        _, record, _ = self._guard.require_content(session, identity, Act.READ, content_id, *states)
        if kind is not MarkKind.SEEN:
            self._guard.require(session, identity, Act.TAKE, record.id)
        return record

    def _put(
        self, session: Session, identity: Identity, record: Record, loan: Loan | None, content_id: UUID, kind: MarkKind,
        first: int, last: int,
    ) -> CopyMark:  # fmt: skip
        number = secrets.randbits(NUMBER_BITS)
        while session.scalar(select(CopyMark.id).where(CopyMark.number == number)) is not None:
            number = secrets.randbits(NUMBER_BITS)
        serial = None
        if kind in TAKEN:
            serial = (session.scalar(select(func.max(CopyMark.serial))) or 0) + 1
        row = CopyMark(
            id=new_id(), number=number, kind=kind, at=self._clock.now(), person_id=identity.person_id,
            loan_id=loan.id if loan else None, record_id=record.id, content_id=content_id, first=first, last=last,
            serial=serial,
        )  # fmt: skip
        session.add(row)
        session.flush()
        if kind in TAKEN:
            body = {"copy": serial, "first": first, "last": last, "loan": loan.number if loan else None}
            self._log.note(session, identity, "copy.take", record=record.id, body=body)
        return row

    def _recent(
        self, session: Session, identity: Identity, loan: Loan | None, content_id: UUID, kind: MarkKind, first: int,
        last: int,
    ) -> CopyMark | None:  # fmt: skip
        since = self._clock.now() - SAME_OPENING
        query = select(CopyMark).where(
            CopyMark.person_id == identity.person_id, CopyMark.content_id == content_id, CopyMark.at > since,
            CopyMark.kind == kind, CopyMark.first == first, CopyMark.last == last,
            CopyMark.loan_id == (loan.id if loan else None),
        )  # fmt: skip
        return session.scalars(query.order_by(CopyMark.at.desc()).limit(1)).first()

    def _loan(self, session: Session, identity: Identity, record_id: UUID) -> Loan | None:
        query = select(Loan).where(
            Loan.borrower_id == identity.person_id, Loan.record_id == record_id, Loan.state == LoanState.OPEN,
            Loan.form == LoanForm.SCREEN, Loan.excerpt_id.is_(None),
        )  # fmt: skip
        return session.scalars(query.order_by(Loan.number.desc()).limit(1)).first()

    def _is_bound(self, session: Session, identity: Identity, record: Record, act: Act) -> bool:
        """Whether it is by a loan alone that this is open to a person."""
        reach = self._guard.reach(session, identity)
        without = replace(reach, loans=frozenset(), copied=frozenset())
        facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
        return not holds(condition(act, without), facts)

    def _check(self, session: Session, loan: Loan, content_id: UUID, kind: MarkKind, page: int) -> None:
        used = self._used(session, loan)
        if kind in TAKEN:
            asked = [("copies", used.copies, used.most_copies)]
        else:
            again = select(CopyMark.id).where(
                CopyMark.loan_id == loan.id, CopyMark.kind == kind, CopyMark.content_id == content_id,
                CopyMark.first == page,
            )  # fmt: skip
            before = session.scalar(again.limit(1)) is not None
            today = session.scalar(again.where(CopyMark.at >= self._midnight()).limit(1)) is not None
            asked = [] if before else [("pages", used.pages, used.most_pages)]
            asked += [] if today else [("pages_a_day", used.today, used.most_today)]
        for what, count, most in asked:
            if most is not None and count >= most:
                raise LimitReached(what=what, limit=most, loan=loan.number)

    def _used(self, session: Session, loan: Loan) -> Used:
        rules = rules_now(session)
        pages = (
            select(CopyMark.content_id, CopyMark.first)
            .where(CopyMark.loan_id == loan.id, CopyMark.kind == MarkKind.SEEN)
            .distinct()
        )
        today = pages.where(CopyMark.at >= self._midnight())
        copies = select(func.count(CopyMark.id)).where(CopyMark.loan_id == loan.id, CopyMark.kind.in_(TAKEN))
        every, day = (
            session.scalar(select(func.count()).select_from(query.subquery())) or 0 for query in (pages, today)
        )
        return Used(
            loan.number, every, rules.pages, day, rules.pages_a_day, session.scalar(copies) or 0, rules.copies
        )  # fmt: skip

    def _midnight(self) -> datetime:
        return datetime.combine(self._guard.day(), time(), self._zone).astimezone(UTC)

    def _mark(self, session: Session, row: CopyMark, loan: Loan | None) -> Mark:
        person = session.get_one(Person, row.person_id)
        at = row.at.astimezone(self._zone)
        return Mark(row.number, person.name, person.login, at, loan.number if loan else None, row.serial)

    def _shown(self, session: Session, identity: Identity, rows: Sequence[CopyMark]) -> list[CopyShown]:
        people = {each.person_id for each in rows} | {each.compared_by for each in rows if each.compared_by}
        names = {row.id: row for row in session.scalars(select(Person).where(Person.id.in_(people)))}
        loans = {each.loan_id for each in rows if each.loan_id}
        numbers = dict(session.execute(select(Loan.id, Loan.number).where(Loan.id.in_(loans))).all())
        ids = {each.record_id for each in rows}
        seen, read = (
            {
                row.id: row
                for row in session.scalars(self._guard.visible(session, identity, act).where(Record.id.in_(ids)))
            }
            for act in (Act.SEE, Act.READ)
        )
        contents = {each.content_id for each in rows if each.record_id in read}
        named = dict(
            session.execute(
                select(Content.id, File.name).join(File, File.id == Content.file_id).where(Content.id.in_(contents))
            ).all()
        )
        return [
            CopyShown(
                mark=each,
                at=each.at.astimezone(self._zone),
                person=names[each.person_id].name,
                login=names[each.person_id].login,
                loan=numbers.get(each.loan_id) if each.loan_id else None,
                record=number_of(seen[each.record_id]) if each.record_id in seen else None,
                name=named.get(each.content_id),
                compared_by=names[each.compared_by].name if each.compared_by else "",
            )
            for each in rows
        ]
