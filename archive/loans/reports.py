"""Reports of damage and loss: opened when a paper comes back otherwise than it went out, or not, until one is settled.

Loans, slips and standing custody open them alike.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database, rows_by_id
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    Circulation,
    Copy,
    CopyCondition,
    Harm,
    Loan,
    LoanReport,
    Person,
    Record,
    StandingCustody,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

LONGEST = 500
"""Characters of what is written of a paper that came back, or of what was done."""

MOST_COST = 10**10
"""The smallest coins that something can cost."""

Went = Loan | Circulation | StandingCustody
"""By what a paper was with someone."""


@dataclass(frozen=True)
class State:
    """Pages and condition of a paper at one moment; None: nobody said."""

    pages: int | None
    condition: CopyCondition | None


@dataclass(frozen=True)
class ReportShown:
    """A report with its texts opened; ``done`` "": still open.

    ``title`` is None for who does not read the record. ``holder`` is who had the paper; ``went`` the number of the loan
    or of the slip; None: it was in standing custody. ``approval``: the request of the loan.
    """

    report: LoanReport
    number: str
    title: str | None
    holder: str
    went: int | None
    approval: UUID | None
    found: str
    done: str


def harm_of(out: State, back: State) -> Harm | None:
    """Return what is wrong with a paper that came back: fewer pages, or a worse condition than when it went out."""
    if back.pages is not None and out.pages is not None and back.pages < out.pages:
        return Harm.PAGES
    order = list(CopyCondition)
    if back.condition is None or out.condition is None:
        return None
    return Harm.DAMAGED if order.index(back.condition) > order.index(out.condition) else None


class Reports:
    """Opens reports inside the transaction of whoever takes a paper back, shows them, and settles them."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def compare(
        self, session: Session, identity: Identity, went: Went, holder: UUID, out: State, back: State, words: str
    ) -> UUID | None:
        """Open a report where a paper differs from how it went out; return its id.

        Raises:
            InvalidInput: ``words``: too many.
        """
        check_words(words, "words")
        harm = harm_of(out, back)
        if harm is None:
            return None
        return self.open(session, identity, went, holder, harm, words, out.pages, back.pages)

    def lost(self, session: Session, identity: Identity, went: Went, copy: Copy, words: str, pages: int | None) -> UUID:
        """Withdraw a copy that is lost with whoever has it, and open a report. Returns its id.

        Raises:
            InvalidInput: ``words``: none, or too many.
        """
        if not words.strip():
            raise InvalidInput(Fault("words", "required"))
        check_words(words, "words")
        if copy.holder_id is None:
            raise NotFound
        holder, copy.holder_id = copy.holder_id, None
        copy.withdrawn_at, copy.version = self._clock.now(), copy.version + 1
        return self.open(session, identity, went, holder, Harm.LOST, words, pages, None)

    def open(
        self, session: Session, identity: Identity, went: Went, holder: UUID, harm: Harm, words: str,
        pages_out: int | None, pages_in: int | None,
    ) -> UUID:  # fmt: skip
        """Open a report in the caller's transaction. Returns its id."""
        if went.record_id is None:
            raise NotFound
        key = new_id()
        session.add(
            LoanReport(
                id=key, record_id=went.record_id, holder_id=holder, harm=harm, pages_out=pages_out, pages_in=pages_in,
                opened_at=self._clock.now(), opened_by=identity.person_id, **_by(went),
                found=self._seal(session, went.record_id, f"report:{key.hex}", words),
            )
        )  # fmt: skip
        session.flush()
        body = {"report": str(key), "harm": harm.value, "words": words.strip()}
        self._log.note(session, identity, "loan.report", record=went.record_id, body={**_named(went), **body})
        return key

    def settle(self, identity: Identity, report_id: UUID, done: str, cost: int | None) -> None:
        """Close a report with what was done. ``cost`` is in the smallest coin.

        Raises:
            NotFound, NotAllowed: not theirs to lend.
            Conflict: it is closed.
            InvalidInput: ``words``, ``cost``.
        """
        if not done.strip():
            raise InvalidInput(Fault("words", "required"))
        check_words(done, "words")
        if cost is not None and not 0 <= cost <= MOST_COST:
            raise InvalidInput(Fault("cost", "out_of_range", {"low": 0, "high": MOST_COST // 100}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            report = session.get(LoanReport, report_id)
            self._guard.require(session, identity, Act.LEND, report.record_id if report else report_id)
            if report is None:
                raise NotFound
            if report.closed_at is not None:
                raise Conflict(what="report")
            report.closed_at, report.closed_by, report.cost = self._clock.now(), identity.person_id, cost
            report.done = self._seal(session, report.record_id, f"report-done:{report.id.hex}", done)
            body = {**_named(_went(session, report)), "report": str(report.id), "done": done.strip()}
            self._log.note(session, identity, "loan.settle", record=report.record_id, body=body)
            work.commit()

    def every(
        self, identity: Identity, *, after: tuple[bool, tuple[datetime, UUID]] | None = None, limit: int = 100
    ) -> Sequence[ReportShown]:
        """Return the reports on records that this person lends, open ones first, then the newest.

        Those behind one that is open or not, by its moment and its id.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            lent = self._guard.opens(session, identity, LoanReport.record_id, Act.LEND)
            order = (LoanReport.closed_at.is_not(None), LoanReport.id.desc())
            query = select(LoanReport).where(lent)
            if after is not None:
                was_open, (_at, key) = after
                older, closed = LoanReport.id < key, LoanReport.closed_at.is_not(None)
                query = query.where(or_(closed, older) if was_open else and_(closed, older))
            rows = session.scalars(query.order_by(*order).limit(limit)).all()
            return self._shown(session, identity, rows)

    def _shown(self, session: Session, identity: Identity, rows: Sequence[LoanReport]) -> list[ReportShown]:
        records = rows_by_id(session, Record, {each.record_id for each in rows})
        reads = self._guard.seen(session, identity, list(records))
        holders = select(Person.id, Person.name).where(Person.id.in_({each.holder_id for each in rows}))
        names = dict(session.execute(holders).all())
        loans = rows_by_id(session, Loan, {each.loan_id for each in rows if each.loan_id})
        slips = rows_by_id(session, Circulation, {each.circulation_id for each in rows if each.circulation_id})
        found = []
        for each in rows:
            record, read = records[each.record_id], each.record_id in reads
            loan = loans.get(each.loan_id) if each.loan_id else None
            slip = slips.get(each.circulation_id) if each.circulation_id else None
            one = loan or slip
            found.append(
                ReportShown(
                    each, number_of(record), record.title if read else None, names.get(each.holder_id, ""),
                    one.number if one else None, loan.approval_id if loan else None,
                    self._text(session, each, "report", each.found),
                    self._text(session, each, "report-done", each.done),
                )
            )  # fmt: skip
        return found

    def _text(self, session: Session, row: LoanReport, context: str, sealed: bytes | None) -> str:
        if sealed is None:
            return ""
        return str(json.loads(self._vault.open(session, row.record_id, sealed, context=f"{context}:{row.id.hex}")))

    def _seal(self, session: Session, record: UUID, context: str, text: str) -> bytes:
        return self._vault.seal(session, record, json.dumps(text.strip()).encode(), context=context)


def check_words(text: str, field: str) -> None:
    """Check how long it is. Raises ``InvalidInput``."""
    if len(text) > LONGEST:
        raise InvalidInput(Fault(field, "too_long", {"limit": LONGEST, "length": len(text)}))


def _by(went: Went) -> Mapping[str, UUID]:
    if isinstance(went, Loan):
        return {"loan_id": went.id}
    return {"circulation_id": went.id} if isinstance(went, Circulation) else {"custody_id": went.id}


def _named(went: Went) -> Mapping[str, Any]:
    """Return how the log names by what a paper was with someone."""
    if isinstance(went, Loan):
        return {"loan": went.number}
    return {"circulation": went.number} if isinstance(went, Circulation) else {"custody": str(went.id)}


def _went(session: Session, report: LoanReport) -> Went:
    if report.loan_id is not None:
        return session.get_one(Loan, report.loan_id)
    if report.circulation_id is not None:
        return session.get_one(Circulation, report.circulation_id)
    return session.get_one(StandingCustody, report.custody_id)
