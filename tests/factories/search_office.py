"""Records of all levels, people who reach some of them, and any search engine, brought up to date by jobs."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.database import Database
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import JobKind, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.policy.sql import where
from indexer.engine import Order, SearchEngine
from indexer.indexing import IndexRecords
from indexer.rebuild import Rebuilder
from indexer.search import SearchPage, SearchService
from runtime.jobs.rebuilding import RebuildIndex
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog
from tests.fakes.vault import MemoryVault

LEVELS = (1, 2, 3, 4)


class _Nobody:
    def wake(self, _queue: str, _job_id: object) -> None:
        pass


class _Noted:
    def begin(self, _identity: Identity, _act: str, *, body: Mapping[str, Any]) -> "Future[None]":  # noqa: ARG002
        written: Future[None] = Future()
        written.set_result(None)
        return written


class Office:
    """``engines`` are made of the database, by their names; each has an index job of its own."""

    def __init__(self, folder: Path, engines: Mapping[str, Callable[[Database], SearchEngine]]) -> None:
        self.db = a_database(folder)
        self.vault, self.clock, self.log = MemoryVault(), FixedClock(), RememberingLog()
        self.outbox = Outbox(self.clock, _Nobody())
        self.guard = Guard(self.db, self.log, self.clock, "Asia/Shanghai")
        self.engines = {name: make(self.db) for name, make in engines.items()}
        self.rebuilders = {
            name: Rebuilder(self.db, engine, self.vault, folder / "run") for name, engine in self.engines.items()
        }
        self.services = {
            name: SearchService(self.db, engine, self.vault, self.guard, _Noted(), self.log)  # type: ignore[arg-type]
            for name, engine in self.engines.items()
        }
        self.people: list[Identity] = []
        with self.db.writing() as work:
            session = work.session
            records.a_house(session)
            fonds, other = records.a_fonds(session, "WS"), records.a_fonds(session, "XY")
            self.group = records.a_group(session, fonds)
            self.categories = [records.a_category(session, one, "工程") for one in (fonds, other)]
            for rank in LEVELS:
                people.distributed_to(session, rank)
            rows = [people.a_person(session, f"reader{n}", clearance=n) for n in (1, 2, 4)]
            for row in rows:
                people.grants(session, row, fonds=fonds.id)
            people.grants(session, rows[2], fonds=other.id)
            self.members = rows[1:]
            self.people = [people.identity_of(row) for row in rows]
            work.commit()

    def add(self, title: str, *, level: int = 1, apart: bool = False, which: int = 0, named: bool = False) -> UUID:
        with self.db.writing() as work:
            record = records.a_record(
                work.session, self.categories[which], title=title, level=level, group=self.group if apart else None,
                named=self.members[:1] if named else (),
            )  # fmt: skip
            self.vault.add_owner(work.session, record.id, due_year=None)
            self.outbox.add(work, JobKind.INDEX, record.id)
            work.commit()
        return record.id

    def change(self, record_id: UUID, **facts: object) -> None:
        with self.db.writing() as work:
            record = work.session.get_one(Record, record_id)
            for name, value in facts.items():
                setattr(record, name, value)
            record.version += 1
            self.outbox.add(work, JobKind.INDEX, record.id)
            work.commit()

    def runner(self, name: str) -> JobRunner:
        index = IndexRecords(self.db, self.engines[name], self.vault, self.clock)
        return JobRunner(self.db, self.clock, [index, RebuildIndex(self.rebuilders[name])])

    def settle(self) -> None:
        """Bring every engine up to date: all but the last by hand, the last by the jobs."""
        *others, last = self.engines
        with self.db.reading() as session:
            ids = list(session.scalars(select(Record.id)))
        for name in others:
            IndexRecords(self.db, self.engines[name], self.vault, self.clock).index(ids)
        self.runner(last).drain()

    def search(self, name: str, who: Identity, text: str, **more: Any) -> SearchPage:
        return self.services[name].search(who, text, **{"limit": 200, "order": Order.NEWEST, **more})

    def may_read(self, who: Identity) -> dict[UUID, Record]:
        """What a person may read and search covers, by the database alone."""
        with self.db.reading() as session:
            reach = self.guard.reach(session, who)
            asked = select(Record).where(
                where(condition(Act.READ, reach)), Record.state.not_in((RecordState.BINNED, RecordState.DESTROYED))
            )
            rows = {row.id: row for row in session.scalars(asked)}
            session.expunge_all()
        return rows

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()
        self.db.close()
