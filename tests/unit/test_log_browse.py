"""Who sees what of the log."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Never
from uuid import UUID

import pytest
from sqlalchemy import Select, create_engine, false, select, true
from sqlalchemy.orm import Session

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Database
from archive.errors import NotAllowed, NotFound
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.log.browse import LogFilter, LogPage, LogView
from archive.log.sealer import Sealer
from archive.log.writer import Log
from archive.model.log import LogResult
from archive.model.records import Record
from tests.factories.databases import without_what_it_hangs_on
from tests.fakes.clock import FixedClock
from tests.fakes.vault import MemoryVault

pytestmark = pytest.mark.postgres

AUDITOR = Identity("auditor", new_id(), frozenset({Role.AUDIT_ADMIN}))
CHEN = Identity("chen", new_id())


class Doors:
    """A guard that lets each named person do the acts it was told; records need not exist."""

    def __init__(self, **may: Any) -> None:
        self.may = may

    def require_house(self, _session: Session, identity: Identity, act: str) -> None:
        if act not in self.may.get(identity.name, ()):
            raise NotAllowed(act=act)

    def visible(self, _session: Session, identity: Identity, act: str) -> Select[Record]:
        return select(Record).where(true() if act in self.may.get(identity.name, ()) else false())

    def allowed(self, session: Session, identity: Identity, ids: Collection[UUID], *acts: str) -> set[UUID]:
        there = set(session.scalars(select(Record.id).where(Record.id.in_(ids))))
        return there if set(acts) & set(self.may.get(identity.name, ())) else set()

    def require(self, _session: Session, _identity: Identity, _act: str, record_id: UUID) -> Never:
        raise NotFound(record=record_id)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def log(clock: FixedClock) -> Log:
    return Log(MemoryVault(), clock)


def view(log: Log, **allowed: Any) -> LogView[str]:
    return LogView(log, Doors(**allowed), read_log="log.read", read="record.read", custody="record.custody")


def acts(page: LogPage) -> list[str]:
    return [line.act for line in page.lines]


@pytest.fixture
def written(db: Database, log: Log, clock: FixedClock) -> None:
    """Five acts, a minute apart, two of them at one moment."""
    with db.writing() as work:
        for act, result in (
            ("record.create", LogResult.DONE),
            ("record.read", LogResult.REFUSED),
            ("search.query", LogResult.DONE),
            ("session.begin", LogResult.DONE),
        ):
            log.note(work.session, CHEN, act, result=result, body={"q": act} if act == "search.query" else None)
            clock.move(minutes=1)
        log.note(work.session, AUDITOR, "log.read")
        log.note(work.session, AUDITOR, "log.verify")
        work.commit()
    Sealer(db, clock).seal_all()


@pytest.mark.usefixtures("written")
def test_an_officer_sees_every_head_newest_first_and_no_body(db: Database, log: Log) -> None:
    with db.reading() as session:
        page = view(log, auditor={"log.read"}).list(session, AUDITOR, LogFilter())
    assert acts(page)[2:] == ["session.begin", "search.query", "record.read", "record.create"]
    assert {line.body for line in page.lines} == {None}
    assert {line.seq for line in page.lines} == {1, 2, 3, 4, 5, 6}


@pytest.mark.usefixtures("written")
def test_nobody_else_sees_the_log(db: Database, log: Log) -> None:
    with db.reading() as session, pytest.raises(NotAllowed):
        view(log, auditor={"log.read"}).list(session, CHEN, LogFilter())


@pytest.mark.usefixtures("written")
def test_pages_follow_each_other_without_gap_or_repeat(db: Database, log: Log) -> None:
    seen, after, looked = [], None, view(log, auditor={"log.read"})
    with db.reading() as session:
        for _ in range(6):
            page = looked.list(session, AUDITOR, LogFilter(), after=after, limit=1)
            seen += [line.id for line in page.lines]
            after = page.next
        assert after is None
        assert seen == [line.id for line in looked.list(session, AUDITOR, LogFilter()).lines]


@pytest.mark.usefixtures("written")
def test_the_log_is_narrowed(db: Database, log: Log, clock: FixedClock) -> None:
    looked = view(log, auditor={"log.read"})
    minute = timedelta(minutes=1)
    with db.reading() as session:

        def narrowed(**facts: Any) -> list[str]:
            return acts(looked.list(session, AUDITOR, LogFilter(**facts)))

        assert narrowed(act="search.query") == ["search.query"]
        assert narrowed(act="record.") == ["record.read", "record.create"]
        assert narrowed(result=LogResult.REFUSED) == ["record.read"]
        assert sorted(narrowed(person=AUDITOR.person_id)) == ["log.read", "log.verify"]
        assert narrowed(since=clock.now() - 2 * minute, until=clock.now()) == ["session.begin", "search.query"]


def test_a_reader_sees_what_was_changed_and_a_custodian_only_that_it_was(db: Database, clock: FixedClock) -> None:
    vault, record = MemoryVault(), new_id()
    vault.add_owner(None, record, due_year=None)
    log = Log(vault, clock)
    with db.writing() as work:
        log.note(work.session, CHEN, "record.describe", record=record, body={"title": "新"})
        work.commit()
    keep_bare_record(db, record, clock)
    looked = view(log, chen={"record.read"}, keeper={"record.custody"})
    with db.reading() as session:
        read = looked.history(session, CHEN, record).lines[0]
        kept = looked.history(session, Identity("keeper", new_id()), record).lines[0]
        assert (read.body, read.registration_number) == ({"title": "新"}, "Q1-2026-0001")
        assert (kept.body, kept.act, kept.registration_number) == (None, "record.describe", "Q1-2026-0001")
        with pytest.raises(NotFound):
            looked.history(session, Identity("other", new_id()), record)


def keep_bare_record(db: Database, record: UUID, clock: FixedClock) -> None:
    """Put in a record without its house: the guard of this test asks for no more."""
    with Session(create_engine(db.url)) as session:  # without the product's foreign keys
        if not db.is_sqlite:
            without_what_it_hangs_on(session)
        house = {
            "fonds_id": new_id(),
            "category_id": new_id(),
            "category_version": 1,
            "level_rank": 1,
            "term": "permanent",
        }
        made = {"created_at": clock.now(), "version": 1, "registration_number": "Q1-2026-0001"}
        session.add(Record(id=record, title="装修申请", **house, **made))
        session.commit()
        session.get_bind().dispose()
