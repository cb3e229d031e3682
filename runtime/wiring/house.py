"""The services of the house itself: log and policy, accounts and rights, fonds, schemes, places, subjects."""

from functools import cached_property

from archive.house.fonds import FondsService
from archive.house.need_to_know import NeedToKnow
from archive.house.organisation import Organisation
from archive.house.places import Places
from archive.jobs.care import JobCare
from archive.jobs.outbox import Outbox
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.people.grants import Rights
from archive.people.invitations import Invitations
from archive.people.managing import People
from archive.people.passwords import Passwords
from archive.people.roster import Roster
from archive.policy.guard import Guard
from archive.scheme.categories import SchemeService
from archive.subjects import Subjects
from retention.branches import Branches
from retention.holds import HoldRows
from retention.reckoning import DueDays
from retention.secrecy.periods import SecrecyDays
from runtime.wiring.adapters import Adapters


class HouseParts(Adapters):
    """What knows of no record: each part built when it is first asked for."""

    @cached_property
    def log(self) -> Log:
        """Writes the log."""
        return Log(self.vault, self.clock)

    @cached_property
    def readings(self) -> Readings:
        """Writes the log of readings and queries, many at a time."""
        return Readings(self.db, self.log, self.clock)

    @cached_property
    def outbox(self) -> Outbox:
        """Writes jobs with the change they follow from."""
        return Outbox(
            self.clock, self.waker, self.due_days.follow, HoldRows(self.clock).follow, self.secrecy_days.follow
        )

    @cached_property
    def due_days(self) -> DueDays:
        """Keeps the days on which records fall due."""
        return DueDays(lambda: self.zone)

    @cached_property
    def secrecy_days(self) -> SecrecyDays:
        """Keeps how long records are secret."""
        return SecrecyDays(lambda: self.guard)

    @cached_property
    def guard(self) -> Guard:
        """Checks every act."""
        return Guard(self.db, self.log, self.clock, self.zone)

    @cached_property
    def passwords(self) -> Passwords:
        """Hashes and verifies passwords; making one takes a hash's time."""
        return Passwords()

    @cached_property
    def people(self) -> People:
        """Accounts and sign-in."""
        return People(self.db, self.log, self.clock, self.guard, self.passwords)

    @cached_property
    def invitations(self) -> Invitations:
        """Links by which people choose their passwords."""
        return Invitations(self.db, self.log, self.clock, self.guard, self.passwords)

    @cached_property
    def roster(self) -> Roster:
        """Accounts as those who manage people see them."""
        return Roster(self.db, self.guard, self.clock)

    @cached_property
    def job_care(self) -> JobCare:
        """Jobs that failed."""
        return JobCare(self.db, self.guard, self.log, self.outbox, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Grants, custody and distribution."""
        return Rights(self.db, self.log, self.guard)

    @cached_property
    def organisation(self) -> Organisation:
        """Departments and posts."""
        return Organisation(self.db, self.guard, self.log)

    @cached_property
    def fonds(self) -> FondsService:
        """Fonds."""
        return FondsService(self.db, self.guard, self.log, self.clock)

    @cached_property
    def scheme(self) -> SchemeService:
        """Categories and number rules."""
        terms = Branches(self.db, self.guard, self.due_days)
        return SchemeService(self.db, self.guard, self.log, self.outbox, self.clock, terms)

    @cached_property
    def groups(self) -> NeedToKnow:
        """Need-to-know groups."""
        return NeedToKnow(self.db, self.guard, self.log)

    @cached_property
    def places(self) -> Places:
        """The property tree."""
        return Places(self.db, self.guard, self.log)

    @cached_property
    def subjects(self) -> Subjects:
        """Owners, contracts, equipment: what records hang on beside places."""
        return Subjects(self.db, self.guard, self.vault, self.log, self.outbox, self.clock)
