"""Lending as one part: asking, the counter, looking, what happens by itself, and the house's rules for all of it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving import routes
from archive.approving.absence import Deputies
from archive.approving.books import Books
from archive.approving.engine import Approvals
from archive.approving.planning import Plan, plan
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.loans import rules
from archive.loans.asking import LoanRequests
from archive.loans.basket import Basket
from archive.loans.care import LoanCare
from archive.loans.counter import Counter
from archive.loans.counter_papers import CounterPapers
from archive.loans.custody import StandingCustodies
from archive.loans.excerpts import Excerpts
from archive.loans.extending import Extensions, asks_of
from archive.loans.looks import ROUTED, LoanLooks, LoanShown
from archive.loans.marking import Marking
from archive.loans.news import LoanNews
from archive.loans.outside import OutsideUses
from archive.loans.paper_requests import PaperRequests
from archive.loans.papers import TAKE_OUT
from archive.loans.readers import OutsideReaders
from archive.loans.registered import LoanRegister
from archive.loans.reports import Reports
from archive.loans.request_looks import RequestLooks
from archive.loans.rounds import Rounds
from archive.loans.statistics import LoanStatistics
from archive.loans.used import UseRegister
from archive.log.writer import Log
from archive.model import Approval, ApprovalKind, Department, Loan, LoanForm, Person, Post, RuleBook
from archive.model.columns import Names
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reminding.messages import Messages


class Lending:
    """The acts on loans."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        log: Log,
        clock: Clock,
        zone: str,
        messages: Messages | None = None,
    ) -> None:
        approvals = Approvals(vault, log, clock)
        self._db = db
        self._guard = guard
        self.extensions = Extensions(db, guard, approvals, log, clock, zone)
        news = LoanNews(messages or Messages(db, guard), guard)
        self.requests = LoanRequests(db, guard, approvals, log, clock, zone, self.extensions, news)
        self.reports = Reports(db, guard, vault, log, clock)
        self.counter = Counter(db, guard, vault, log, clock, self.reports, news)
        self.looks = LoanLooks(db, guard, approvals, vault)
        self.marking = Marking(db, guard, log, clock, zone)
        self.asked = RequestLooks(db, guard, approvals, self.looks)
        self.basket = Basket(db, guard, clock, self.requests)
        self.rounds = Rounds(db, guard, vault, log, clock, self.reports, news)
        self.custody = StandingCustodies(db, guard, log, clock, self.reports, news)
        self.papers = PaperRequests(db, guard, approvals, self.custody, self.rounds)
        self.counter_papers = CounterPapers(db, guard, self.custody, self.rounds)
        self.excerpts = Excerpts(db, guard, vault, log, clock)
        self.readers = OutsideReaders(db, guard, vault, log, clock)
        self.outside = OutsideUses(db, guard, vault, log, clock, self.readers)
        self.used = UseRegister(db, guard, self.outside, self.looks)
        self.registered = LoanRegister(db, vault)
        self.statistics = LoanStatistics(db, guard, zone)
        self.care = LoanCare(
            db, guard, approvals, log, clock, (self.readers.gather, self.readers.sweep, self.excerpts.sweep)
        )
        self.deputies = Deputies(db, guard, log, clock)
        self.books = Books(
            db,
            guard,
            log,
            clock,
            {RuleBook.ROUTES: routes.SHIPPED, RuleBook.LOANS: rules.SHIPPED},
            {RuleBook.ROUTES: lambda text: routes.parse(text)[0], RuleBook.LOANS: rules.parse},
        )

    def close(self) -> None:
        """Let go of what counts beside the pages."""
        self.statistics.counting.close()

    def simulate(
        self, identity: Identity, record_id: UUID, login: str, kind: ApprovalKind, form: LoanForm, *, copying: bool
    ) -> Plan:
        """Return who would decide if someone asked for a record; nothing is asked for.

        ``form`` and ``copying`` count for loans and extensions; else the paper leaves.

        Raises:
            NotAllowed: not one of those who change the routes.
            NotFound: they do not see the record.
            InvalidInput: ``borrower``: nobody of this sign-in name.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_ROUTES)
            record = self._guard.require(session, identity, Act.SEE, record_id)
            who = session.scalar(select(Person.id).where(Person.login == folded(login), Person.active.is_(True)))
            if who is None:
                raise InvalidInput(Fault("borrower", "unknown"))
            asks = asks_of(form, copying=copying) if kind in ROUTED else TAKE_OUT
            return plan(session, self._guard, kind, record, asks, who, who)

    def asked_loan(self, identity: Identity, loan_id: UUID) -> LoanShown:
        """Return a loan to who asked for it, for themselves or for another. Raises ``NotFound``."""
        with self._db.reading() as session:
            row = session.get(Loan, loan_id)
            approval = session.get(Approval, row.approval_id) if row is not None else None
            if row is None or approval is None or identity.person_id not in {approval.asked_by, row.borrower_id}:
                raise NotFound
            return self.looks.shown(session, identity, [row])[0]

    def approval_of(self, session: Session, loan_id: UUID) -> UUID:
        """Return the request that a loan came from."""
        return session.get_one(Loan, loan_id).approval_id

    def post_names(self, code: str) -> Names | None:
        """Return what a post is called; None: there is none of this code."""
        with self._db.reading() as session:
            return session.scalar(select(Post.names).where(Post.code == code))

    def department_names(self, department: UUID) -> Names | None:
        """Return what a department is called; None: there is none."""
        with self._db.reading() as session:
            return session.scalar(select(Department.names).where(Department.id == department))
