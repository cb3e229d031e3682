"""The counter: papers handed out and taken back, differences reported, loans recalled, losses written down."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.loans import rules
from archive.loans.extending import end_right
from archive.loans.news import LoanNews
from archive.loans.papers import HandedPapers, ready_papers
from archive.loans.reports import Reports, State, check_words
from archive.loans.standing import availability, hindrance
from archive.loans.states import PAPER, move
from archive.loans.watches import keep_due
from archive.log.writer import Log
from archive.model import (
    Copy,
    CopyCondition,
    CopyMove,
    Loan,
    LoanState,
    Person,
    Record,
    ShelfPlace,
)
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act
from archive.ports import Vault
from archive.uses import count_use

JUST = timedelta(minutes=10)
"""So long after it went out, a paper does not come back by a scan while its person stands at the counter."""


@dataclass(frozen=True)
class Handed:
    """What was handed out or taken back. ``lies``: where it lay, for whoever puts it back."""

    loan_id: UUID
    number: int
    record_number: str
    copy: int
    borrower: str
    due_on: date | None
    slip: UUID | None
    report: UUID | None
    lies: str | None
    waiting: bool


@dataclass(frozen=True)
class Seen:
    """What was found when a paper came back. None: as it went out."""

    pages: int | None = None
    condition: CopyCondition | None = None
    words: str = ""
    brought_by: str = ""
    effect: str = ""


class Counter:
    """The acts at the counter, for those who lend a record."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, reports: Reports, news: LoanNews
    ) -> None:
        self._news = news
        self._db = db
        self._guard = guard
        self._reports = reports
        self._vault = vault
        self._log = log
        self._clock = clock
        self._papers = HandedPapers(log, clock)

    def person(self, identity: Identity, login: str) -> tuple[UUID, str]:
        """Return who a card or a sign-in name means. Raises ``NotAllowed``, ``NotFound``."""
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            row = session.execute(
                select(Person.id, Person.name).where(Person.login == folded(login), Person.active.is_(True))
            ).one_or_none()
            if row is None:
                raise NotFound
            return row.id, row.name

    def is_out(self, identity: Identity, record_id: UUID, copy: int | None = None) -> bool:
        """Whether a paper of a record, or this copy, is with someone. Raises ``NotFound``, ``NotAllowed``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.LEND, record_id)
            return bool(_out(session, record_id, copy))

    def was_just_handed(self, identity: Identity, record_id: UUID, copy: int | None, login: str) -> bool:
        """Whether a paper of a record went to a person only now: a scan done twice, or anew, takes nothing back.

        Raises ``NotFound``, ``NotAllowed``.
        """
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.LEND, record_id)
            handed = (
                select(CopyMove.id)
                .join(Copy, (Copy.id == CopyMove.copy_id) & (Copy.holder_id == CopyMove.holder_id))
                .join(Person, Person.id == Copy.holder_id)
                .where(Copy.record_id == record_id, Person.login == login, CopyMove.at > self._clock.now() - JUST)
                .where(
                    CopyMove.person_id != CopyMove.holder_id
                )  # who signed for it on its round was not at the counter
            )
            if copy is not None:
                handed = handed.where(Copy.number == copy)
            return session.scalar(handed.limit(1)) is not None

    def issue(
        self,
        identity: Identity,
        borrower: UUID,
        record_id: UUID,
        *,
        copy: int | None = None,
        pages: int | None = None,
        condition: CopyCondition | None = None,
        slip: UUID | None = None,
    ) -> Handed:
        """Hand a record's paper to whom it was approved for.

        Args:
            identity: who stands at the counter.
            borrower: to whom.
            record_id: of the record.
            copy: which of its copies; None: the first one that is there.
            pages: counted now (None: as the copy says).
            condition: as it is now (None: as the copy says).
            slip: what is handed out at once shares one.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: ``record`` (nothing approved for this person, another is first, no copy is there, it may not
                leave, the borrower is not cleared for it any more), ``borrower`` (overdue, not active).
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.LEND, record_id)
            waiting = session.scalars(ready_papers(record_id)).all()
            loan = next((each for each in waiting if each.borrower_id == borrower), None)
            if loan is None:
                raise InvalidInput(Fault("record", "not_approved"))
            self._check(session, loan, record)
            row = self._papers.choose(session, identity, record, copy, waiting.index(loan))
            before = self._papers.hand_to(session, identity, row, borrower)
            move(loan, LoanState.OPEN, "loan.issue")
            loan.copy_id, loan.slip = row.id, slip or new_id()
            loan.issued_on, loan.issued_at, loan.issued_by = self._guard.day(), self._clock.now(), identity.person_id
            loan.due_on = rules.due(loan.issued_on, loan.days, availability(session, record).period)
            loan.pages_out = row.pages if pages is None else pages
            loan.condition_out = condition or row.condition
            keep_due(self._guard, session, loan)
            count_use(session, record_id)
            body = {"copy": row.number, "due": loan.due_on.isoformat(), "pages": loan.pages_out}
            self._note(session, identity, "loan.issue", loan, condition=loan.condition_out.value, **body)
            handed = self._told(session, loan, record, row, lies=before.path if before else None)
            work.commit()
            return handed

    def take_back(self, identity: Identity, record_id: UUID, seen: Seen, copy: int | None = None) -> Handed:
        """Take a paper back, whoever brings it. A difference to how it went out opens a report.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            InvalidInput: ``record`` (it is with nobody; several are: name the copy), ``brought_by``, ``words``.
        """
        check_words(seen.effect, "effect")
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.LEND, record_id)
            out = _out(session, record_id, copy)
            if len(out) != 1:
                raise InvalidInput(Fault("record", "which_copy" if out else "not_out"))
            loan, row = out[0]
            loan.brought_by = self._bringer(session, seen.brought_by) or loan.borrower_id
            loan.pages_in = loan.pages_out if seen.pages is None else seen.pages
            loan.condition_in = seen.condition or loan.condition_out
            self._closed(session, identity, loan, LoanState.RETURNED, "loan.return")
            row.holder_id, row.version = None, row.version + 1
            if seen.condition is not None:
                row.condition = seen.condition
            if seen.effect.strip():
                loan.effect = self._seal(session, record.id, f"effect:{loan.id.hex}", seen.effect)
            body = {"copy": row.number, "pages": loan.pages_in, "brought_by": str(loan.brought_by)}
            self._note(session, identity, "loan.return", loan, **body)
            went, back = State(loan.pages_out, loan.condition_out), State(loan.pages_in, loan.condition_in)
            report = self._reports.compare(session, identity, loan, loan.borrower_id, went, back, seen.words)
            lay = session.scalar(
                select(ShelfPlace.path)
                .join(CopyMove, CopyMove.from_id == ShelfPlace.id)
                .where(CopyMove.copy_id == row.id)
                .order_by(CopyMove.at.desc())
                .limit(1)
            )
            handed = self._told(session, loan, record, row, report=report, lies=lay)
            self._news.back(work, record_id)
            work.commit()
            return handed

    def lose(self, identity: Identity, loan_id: UUID, words: str) -> UUID:
        """Write down that a paper is lost: the loan ends, its copy is withdrawn, a report is opened. Returns its id.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is with nobody.
            InvalidInput: ``words``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            loan = self._lent(session, identity, loan_id)
            if loan.copy_id is None:
                raise Ended(state=loan.state.value, act="loan.lose")
            self._closed(session, identity, loan, LoanState.LOST, "loan.lose")
            row = session.get_one(Copy, loan.copy_id)
            report = self._reports.lost(session, identity, loan, row, words, loan.pages_out)
            self._note(session, identity, "loan.lose", loan, copy=row.number)
            work.commit()
            return report

    def recall(self, identity: Identity, loan_id: UUID) -> None:
        """Call a loan back 催还: an electronic one ends at once, a paper one is extended no more.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Ended: it is with nobody.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            loan = self._lent(session, identity, loan_id)
            if loan.state is not LoanState.OPEN:
                raise Ended(state=loan.state.value, act="loan.recall")
            loan.recalled_at, loan.version = self._clock.now(), loan.version + 1
            self._note(session, identity, "loan.recall", loan)
            if loan.form not in PAPER:
                end_right(session, loan, self._clock.now())
                self._note(session, identity, "loan.end", loan)
            keep_due(self._guard, session, loan)
            self._news.recalled(work, loan)
            work.commit()

    def say_effect(self, identity: Identity, loan_id: UUID, words: str) -> None:
        """Say what came of the use of one's loan 利用效果. Raises ``NotFound``, ``InvalidInput``."""
        if not words.strip():
            raise InvalidInput(Fault("effect", "required"))
        check_words(words, "effect")
        with self._db.writing() as work:
            loan = work.session.get(Loan, loan_id)
            if loan is None or loan.borrower_id != identity.person_id or loan.record_id is None:
                raise NotFound
            loan.effect = self._seal(work.session, loan.record_id, f"effect:{loan.id.hex}", words)
            self._note(work.session, identity, "loan.effect", loan)
            work.commit()

    def _lent(self, session: Session, identity: Identity, loan_id: UUID) -> Loan:
        loan = session.get(Loan, loan_id)
        target = loan.record_id if loan is not None and loan.record_id is not None else loan_id
        self._guard.require(session, identity, Act.LEND, target)
        if loan is None:
            raise NotFound
        return loan

    def _check(self, session: Session, loan: Loan, record: Record) -> None:
        reach = self._guard.reach(session, Identity("", loan.borrower_id))
        if record.level_rank not in reach.levels or not reach.roles & READERS:
            raise InvalidInput(Fault("record", "not_cleared"))
        now = availability(session, record)
        if loan.form not in now.forms:
            raise InvalidInput(Fault("record", now.why[loan.form]))
        stop = hindrance(session, loan.borrower_id, self._guard.day())
        if stop:
            raise InvalidInput(Fault("borrower", stop))

    def _bringer(self, session: Session, login: str) -> UUID | None:
        if not login.strip():
            return None
        who = session.scalar(select(Person.id).where(Person.login == folded(login)))
        if who is None:
            raise InvalidInput(Fault("brought_by", "unknown"))
        return who

    def _closed(self, session: Session, identity: Identity, loan: Loan, state: LoanState, act: str) -> None:
        move(loan, state, act)
        loan.ended_at, loan.received_by = self._clock.now(), identity.person_id
        session.flush()
        keep_due(self._guard, session, loan)

    def _told(
        self,
        session: Session,
        loan: Loan,
        record: Record,
        row: Copy,
        report: UUID | None = None,
        lies: str | None = None,
    ) -> Handed:
        return Handed(
            loan.id, loan.number, record.archive_number or record.registration_number or "", row.number,
            session.get_one(Person, loan.borrower_id).name, loan.due_on, loan.slip, report, lies,
            waiting=session.scalar(ready_papers(record.id).limit(1)) is not None,
        )  # fmt: skip

    def _seal(self, session: Session, record: UUID, context: str, text: str) -> bytes:
        return self._vault.seal(session, record, json.dumps(text.strip()).encode(), context=context)

    def _note(self, session: Session, identity: Identity, act: str, loan: Loan, **body: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, record=loan.record_id, body={"loan": loan.number, **body})


def _out(session: Session, record_id: UUID, copy: int | None) -> Sequence[tuple[Loan, Copy]]:
    query = (
        select(Loan, Copy)
        .join(Copy, Copy.id == Loan.copy_id)
        .where(Loan.record_id == record_id, Loan.state == LoanState.OPEN)
    )
    if copy is not None:
        query = query.where(Copy.number == copy)
    return [(loan, row) for loan, row in session.execute(query)]
