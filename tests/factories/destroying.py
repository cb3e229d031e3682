"""A house in which things are destroyed: its people, records that fell due, and the appraisals that gave them up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from archive.identity import Identity, Role
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    DueState,
    Duty,
    Fonds,
    IssuedNumber,
    Medium,
    Record,
    RecordDue,
    Verdict,
)
from archive.spelling import number_key
from retention.destroying.listing import Chosen, How
from retention.destroying.whole import Destructions
from retention.holds import Holds
from retention.reckoning import DueDays
from tests.factories import people as rights
from tests.factories.lending import LendingHouse, a_lending_house
from tests.factories.retained import Nobody

MORE: dict[str, tuple[Role, int]] = {
    "witness": (Role.STAFF, 1),
    "witness2": (Role.STAFF, 1),
    "executor": (Role.CLERK, 1),
    "system": (Role.SYSTEM_ADMIN, 0),
    "audit": (Role.AUDIT_ADMIN, 0),
}
HOW = How(purpose="到期档案销毁", method=DestructionMethod.SHREDDING, place="市保密销毁中心")
DUTIES = (
    (Duty.WITNESS, "witness"), (Duty.WITNESS, "witness2"), (Duty.EXECUTOR, "executor"), (Duty.SUPERVISOR, "system"),
)  # fmt: skip
DECIDE = ("archivist2", "head", "director")


@dataclass
class DestroyingHouse:
    """The house: ``lent`` lends, ``acts`` destroys, ``holds`` holds."""

    lent: LendingHouse
    acts: Destructions
    holds: Holds
    appraisal: UUID

    def who(self, login: str) -> Identity:
        """Return someone."""
        return self.lent.who[login]

    def record(
        self, due: date | None = date(2020, 1, 1), verdict: Verdict | None = Verdict.DESTROY, **more: Any
    ) -> UUID:
        """Make a filed record with a paper; ``due`` None: it is permanent. An appraisal said ``verdict`` of it."""
        key = self.lent.record(**{"medium": Medium.BOTH} | more)
        with self.lent.db.writing() as work:
            session = work.session
            row = session.get_one(Record, key)
            state = DueState.DATED if due else DueState.NEVER
            session.add(RecordDue(record_id=key, state=state, due=due))
            fonds = session.get_one(Fonds, row.fonds_id)
            session.add(
                IssuedNumber(
                    fonds_id=fonds.id, number=row.archive_number, folded=number_key(row.archive_number or ""),
                    record_id=key,
                )
            )  # fmt: skip
            session.add(
                AppraisalItem(
                    appraisal_id=self.appraisal,
                    record_id=key,
                    position=1,
                    number="1",
                    due=date(2021, 1, 1),
                    verdict=verdict,
                )
            )
            work.commit()
        return key

    def begin(self, how: How = HOW, chosen: Chosen | None = None) -> UUID:
        """Begin a destruction of all that may go."""
        return self.acts.listing.begin(self.who("archivist"), how, chosen or Chosen())

    def appoint(self, key: UUID) -> None:
        """Give all duties away."""
        for duty, login in DUTIES:
            self.acts.counting.appoint(self.who("archivist"), key, duty, login)

    def approve(self, key: UUID) -> None:
        """Have it approved at every step."""
        for login in DECIDE:
            self.acts.deciding.decide(self.who(login), key, "同意", approve=True)

    def cool(self, days: int = 7) -> None:
        """Let time pass."""
        self.lent.clock.move(days=days)

    def count(self, key: UUID) -> None:
        """Scan every paper on the list, and have it signed by those who watch."""
        for label in self.labels(key):
            self.acts.counting.scan(self.who("witness"), key, label)
        for login in ("witness", "witness2", "system"):
            self.acts.counting.sign(self.who(login), key)

    def labels(self, key: UUID) -> list[str]:
        """Return what stands on the labels of what is listed."""
        with self.lent.db.reading() as session:
            query = select(Record.archive_number).join(DestructionItem, DestructionItem.record_id == Record.id)
            listed = query.where(
                DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.LISTED
            )
            return [str(each) for each in session.scalars(listed)]

    def to(self, state: DestructionState, key: UUID | None = None) -> UUID:
        """Bring a destruction to a state, as people would."""
        key = key or self.begin()
        self.appoint(key)
        ways = {
            DestructionState.ASKED: lambda: self.acts.deciding.ask(self.who("archivist"), key, "已到期并经鉴定"),
            DestructionState.COOLING: lambda: self.approve(key),
            DestructionState.CONFIRMED: lambda: (self.cool(), self.acts.deciding.confirm(self.who("secrecy"), key)),
            DestructionState.COUNTED: lambda: self.count(key),
            DestructionState.RUNNING: lambda: self.acts.running.run(self.who("executor"), key, self.row(key).number),
            DestructionState.GONE: lambda: self.erase(key),
        }
        for reached, act in ways.items():
            act()
            if reached is state:
                return key
        raise AssertionError(state)

    def erase(self, key: UUID) -> None:
        """Leave the rows as the engine leaves them when everything is gone."""
        now = self.lent.clock.now()
        with self.lent.db.writing() as work:
            doomed = (DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.DOOMED)
            gone = update(DestructionItem).where(*doomed).values(state=DestructionItemState.GONE, gone_at=now)
            work.session.execute(gone)
            row = work.session.get_one(Destruction, key)
            row.state, row.gone_at = DestructionState.GONE, now
            work.commit()

    def row(self, key: UUID) -> Destruction:
        """Return a destruction as it stands."""
        with self.lent.db.reading() as session:
            return session.get_one(Destruction, key)

    def items(self, key: UUID) -> dict[UUID, DestructionItem]:
        """Return its items by record."""
        with self.lent.db.reading() as session:
            rows = session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == key))
            return {each.record_id: each for each in rows}


@contextmanager
def a_destroying_house(folder: Path, **more: Any) -> Iterator[DestroyingHouse]:
    """Yield one."""
    with a_lending_house(folder, **more) as lent:
        appraisal = new_id()
        with lent.db.writing() as work:
            session = work.session
            for login, (role, clearance) in MORE.items():
                person = rights.a_person(session, login, roles=[role], clearance=clearance)
                lent.who[login] = Identity(name=login, person_id=person.id, roles=frozenset({role}))
            begun = lent.person("archivist2")
            session.add(
                Appraisal(
                    id=appraisal, number="JD2024-0001", purpose="到期鉴定", state=AppraisalState.CLOSED,
                    begun_by=begun, begun_at=rights.NOW, closed_at=rights.NOW,
                )
            )  # fmt: skip
            work.commit()
        outbox = Outbox(lent.clock, Nobody())
        due_days = DueDays(lambda: "Asia/Shanghai")
        acts = Destructions(lent.db, lent.guard, lent.vault, lent.log, outbox, lent.clock, due_days)
        yield DestroyingHouse(lent, acts, Holds(lent.db, lent.guard, lent.log, outbox, lent.clock), appraisal)
