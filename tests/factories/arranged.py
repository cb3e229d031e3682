"""A small house in which people arrange dossiers, built straight over a database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.arranging.items import Arranging
from archive.cataloguing.records import RecordService
from archive.cataloguing.relations import Relations
from archive.database import Database
from archive.dossiers.contents import Contents, Dossiers
from archive.filing.one import FilingService
from archive.identity import Identity, Role
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Category, LogEntry, NumberRule, Record, RecordKind, RecordState
from archive.policy.guard import Guard
from retention.holds import HoldRows
from retention.reckoning import DueDays
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.vault import MemoryVault


class _Nobody:
    def wake(self, _queue: str, _job_id: object) -> None:
        """Wake nobody."""


@dataclass
class ArrangedHouse:
    """The house: ``archivist`` and ``colleague`` reach all of the fonds to level 3, ``branch`` only ``other``."""

    db: Database
    guard: Guard
    records: RecordService
    filing: FilingService
    arranging: Arranging
    dossiers: Dossiers
    relations: Relations
    vault: MemoryVault
    category: Category
    other: Category
    archivist: Identity
    colleague: Identity
    branch: Identity
    staff: Identity

    def add(self, title: str, kind: RecordKind = RecordKind.ITEM, **more: Any) -> UUID:
        """Put a record in as a row."""
        with self.db.writing() as work:
            category = more.pop("category", self.category)
            values = {"state": RecordState.PROVISIONAL, "drawn_up": "2024"} | more
            row = records.a_record(work.session, category, kind=kind, title=title, **values)
            row.term = "D10"
            self.vault.add_owner(work.session, row.id, due_year=None)
            work.commit()
        return row.id

    def dossier(self, title: str = "电梯维保合同卷", **more: Any) -> UUID:
        return self.add(title, RecordKind.DOSSIER, **more)

    def filled(self, count: int, **more: Any) -> tuple[UUID, list[UUID]]:
        """Return a dossier with so many items in it."""
        dossier = self.dossier()
        items = [self.add(f"件{n}", **more) for n in range(1, count + 1)]
        if items:
            self.arranging.put_in(self.archivist, dossier, items)
        return dossier, items

    def row(self, key: UUID) -> Record:
        with self.db.reading() as session:
            return session.get_one(Record, key)

    def shown(self, dossier: UUID, who: Identity | None = None) -> Contents:
        return self.dossiers.contents(who or self.archivist, dossier)

    def order(self, dossier: UUID, who: Identity | None = None) -> list[UUID]:
        return [entry.record_id for entry in self.shown(dossier, who).entries]

    def acts(self, key: UUID) -> list[str]:
        """Return what the log says of a record, in order."""
        with self.db.reading() as session:
            found = select(LogEntry.act).where(LogEntry.record_id == key).order_by(LogEntry.at, LogEntry.id)
            return sorted(session.scalars(found))


def arranged_house(folder: Path, db: Database | None = None) -> ArrangedHouse:
    """Make the house."""
    db = db or a_database(folder)
    vault, clock = MemoryVault(), FixedClock()
    log, outbox = (
        Log(vault, clock),
        Outbox(clock, _Nobody(), DueDays(lambda: "Asia/Shanghai").follow, HoldRows(clock).follow),
    )
    guard = Guard(db, log, clock, "Asia/Shanghai")
    with db.writing() as work:
        session = work.session
        records.a_house(session)
        people.distributed_to(session, 4)
        fonds = records.a_fonds(session, "H001")
        category, other = records.a_category(session, fonds, "SB"), records.a_category(session, fonds, "HT")
        for each in (category, other):
            rule = NumberRule(code=each.code, names={}, template="{fonds}-{category}·{year}-{term}-{mark}{serial:4}")
            session.add(rule)
            session.flush()
            each.number_rule_id = rule.id
        archivists = [people.a_person(session, name, roles=[Role.ARCHIVIST], clearance=3) for name in ("张", "李")]
        branch = people.a_person(session, "王", roles=[Role.ARCHIVIST], clearance=3)
        staff = people.a_person(session, "赵", clearance=3)
        for person in (*archivists, staff):
            people.grants(session, person, fonds=fonds.id)
        people.grants(session, branch, category=other.id)
        work.commit()
    service = RecordService(db, guard, vault, log, outbox, clock)
    return ArrangedHouse(
        db, guard, service, FilingService(db, guard, vault, log, outbox, clock),
        Arranging(db, guard, log, outbox, clock, service), Dossiers(db, guard), Relations(db, guard, log, clock),
        vault, category, other, *(people.identity_of(each) for each in (*archivists, branch, staff)),
    )  # fmt: skip
