"""A house that lends: its people with their parts, records of every level with keys and copies, and its services."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from archive.database import Database
from archive.identity import Identity, Role
from archive.loans.asking import Wish
from archive.loans.whole import Lending
from archive.log.writer import Log
from archive.model import Category, Copy, Loan, LoanForm, Medium, Person, Record
from archive.policy.guard import Guard
from archive.shelving.whole import Shelving
from storage.ring import KeyRing
from storage.vault import RingVault
from tests.factories import people as rights
from tests.factories import records as rows
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock

ZONE = "Asia/Shanghai"
PEOPLE: dict[str, tuple[Role, int, str, str]] = {
    "archivist": (Role.ARCHIVIST, 4, "office_head", "OFF"),
    "archivist2": (Role.ARCHIVIST, 4, "staff", "OFF"),
    "head": (Role.APPROVER, 4, "department_manager", "ENG"),
    "staff": (Role.STAFF, 3, "staff", "ENG"),
    "staff2": (Role.STAFF, 3, "staff", "ENG"),
    "secrecy": (Role.SECRECY_OFFICER, 4, "staff", "OFF"),
    "director": (Role.STAFF, 4, "general_manager", "OFF"),
    "low": (Role.STAFF, 1, "staff", "ENG"),
    "security": (Role.SECURITY_ADMIN, 0, "staff", "OFF"),
}
"""By sign-in name: role, clearance, post, department."""


@dataclass
class LendingHouse:
    """The house at work."""

    db: Database
    clock: FixedClock
    guard: Guard
    vault: RingVault
    log: Log
    lending: Lending
    shelving: Shelving
    category: Category
    who: dict[str, Identity] = field(default_factory=dict)

    def record(self, level: int = 1, medium: Medium = Medium.BOTH, **more: Any) -> UUID:
        """Make a filed record with its key, and a copy if it is on paper; return its id."""
        with self.db.writing() as work:
            category = work.session.get_one(Category, self.category.id)
            row = rows.a_record(work.session, category, level=level, medium=medium, pages=12, **more)
            row.archive_number = f"F-C·2024-{row.id.hex[-6:]}"
            self.vault.add_owner(work.session, row.id, due_year=None)
            if medium is not Medium.ELECTRONIC:
                work.session.add(Copy(record_id=row.id, number=1, pages=12, created_at=rights.NOW))
            work.commit()
            return row.id

    def ask(self, who: str, record: UUID, form: LoanForm = LoanForm.OUT, **more: Any) -> Loan:
        """Ask for a record."""
        wish = Wish(form=form, purpose="work", words="查阅合同条款", **more)
        return self.loan(self.lending.requests.ask(self.who[who], record, wish))

    def decide(self, who: str, loan: Loan, *, approve: bool = True) -> Loan:
        """Say yes, or no."""
        self.lending.requests.decide(self.who[who], loan.approval_id, "同意" if approve else "不同意", approve=approve)
        return self.loan(loan.id)

    def issue(self, loan: Loan, **more: Any) -> Any:
        """Hand out what was approved."""
        assert loan.record_id
        return self.lending.counter.issue(self.who["archivist"], loan.borrower_id, loan.record_id, **more)

    def loan(self, key: UUID) -> Loan:
        """Return a loan as it stands."""
        with self.db.reading() as session:
            return session.get_one(Loan, key)

    def row(self, key: UUID) -> Record:
        """Return a record."""
        with self.db.reading() as session:
            return session.get_one(Record, key)

    def person(self, login: str) -> UUID:
        """Return someone's id."""
        key = self.who[login].person_id
        assert key
        return key


@contextmanager
def a_lending_house(folder: Path, **more: Any) -> Iterator[LendingHouse]:
    """Yield one; ``more`` goes to its database."""
    db, clock = a_database(folder, **more), FixedClock()
    vault = RingVault(KeyRing.create(folder / "ring"), clock)
    log = Log(vault, clock)
    guard = Guard(db, log, clock, ZONE)
    with db.writing() as work:
        session = work.session
        rows.a_house(session)
        fonds = rows.a_fonds(session, "F")
        category = rows.a_category(session, fonds, "C")
        for rank in (1, 2, 3, 4):
            rights.distributed_to(session, rank)
        office = rights.a_department(session, "OFF")
        departments = {"OFF": office, "ENG": rights.a_department(session, "ENG", office)}
        posts = {
            code: rights.a_post(session, code)
            for code in ("staff", "office_head", "department_manager", "general_manager")
        }
        everyone: dict[str, Person] = {}
        for login, (role, clearance, post, department) in PEOPLE.items():
            person = rights.a_person(session, login, roles=[role], clearance=clearance)
            rights.holds_post(session, person, posts[post], departments[department])
            if clearance:
                rights.grants(session, person, fonds=fonds.id)
            everyone[login] = person
        work.commit()
    house = LendingHouse(
        db, clock, guard, vault, log, Lending(db, guard, vault, log, clock, ZONE),
        Shelving(db, guard, log, clock), category,
    )  # fmt: skip
    for login, person in everyone.items():
        house.who[login] = Identity(login, person.id, frozenset({PEOPLE[login][0]}))
    try:
        yield house
    finally:
        db.close()
