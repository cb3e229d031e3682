"""What PostgreSQL adds to the database's contract: acts beside each other, time-outs, breaks, roles."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from archive.database import Database, Work, once_more, rows_by_id
from archive.database.postgres import Crossed
from archive.errors import BrokenSetting, InvalidInput, NoAccess, Unavailable
from archive.ids import new_id
from archive.model import Counter, House, Record
from archive.model.log import INSERT_ONLY
from runtime.revisions import migrate
from tests.factories import postgres
from tests.factories.databases import ONLY_POSTGRES
from tests.factories.schemes import NOW, SchemeHouse, paper, scheme_house

pytestmark = [pytest.mark.postgres, ONLY_POSTGRES]


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Iterator[SchemeHouse]:
    made = scheme_house(tmp_path)
    yield made
    made.db.close()


def two_records(house: SchemeHouse) -> list[UUID]:
    with house.db.writing() as work:
        papers = sorted((paper(house), paper(house)), key=lambda each: each.id)
        work.session.add_all(papers)
        work.commit()
    return [each.id for each in papers]


def retitle(work: Work, record: UUID, title: str) -> None:
    work.session.execute(update(Record).where(Record.id == record).values(title=title))


def test_acts_write_alone_unless_they_say_otherwise(house: SchemeHouse) -> None:
    begun, ended = threading.Event(), threading.Event()

    def second() -> bool:
        begun.wait()
        with house.db.writing():
            return ended.is_set()

    with ThreadPoolExecutor(1) as pool:
        with house.db.writing():
            waiting = pool.submit(second)
            begun.set()
            assert not waiting.done()
            ended.set()
        assert waiting.result()


def test_shared_acts_write_at_once_and_none_beside_one_that_is_alone(house: SchemeHouse) -> None:
    first, second = two_records(house)
    with house.db.writing(shared=True) as one, house.db.writing(shared=True) as other:
        retitle(one, first, "甲")
        retitle(other, second, "乙")
        other.commit()
        one.commit()
    with house.db.writing(), house.db.engine.connect().execution_options(juanku_reading=True) as beside:
        beside.exec_driver_sql("SET lock_timeout = '20ms'")
        with pytest.raises(DBAPIError, match="lock timeout"):
            beside.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(1247084545)")


def test_who_waits_for_a_row_sees_what_was_written_meanwhile(house: SchemeHouse) -> None:
    record, _ = two_records(house)
    locked = threading.Event()

    def later() -> str:
        locked.wait()
        with house.db.writing(shared=True) as work:
            title: str = rows_by_id(work.session, Record, [record], lock=True)[record].title
            return title

    with ThreadPoolExecutor(1) as pool:
        with house.db.writing(shared=True) as work:
            waiting = pool.submit(later)
            rows_by_id(work.session, Record, [record], lock=True)
            locked.set()
            retitle(work, record, "改后")
            work.commit()
        assert waiting.result() == "改后"


def test_two_acts_that_cross_are_both_done(house: SchemeHouse) -> None:
    ids = two_records(house)
    together = threading.Barrier(2)
    tries: list[int] = []

    @once_more
    def both(title: str, order: list[UUID]) -> None:
        tries.append(1)
        with house.db.writing(shared=True) as work:
            retitle(work, order[0], title)
            if len(tries) <= 2:
                together.wait()
            retitle(work, order[1], title)
            work.commit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(both, ("甲", "乙"), (ids, ids[::-1])))
    assert len(tries) == 3
    with house.db.reading() as session:
        assert len(set(session.scalars(select(Record.title)))) == 1


def test_an_act_that_crosses_again_and_again_is_told_as_not_now(house: SchemeHouse) -> None:
    tries: list[int] = []

    @once_more
    def crossing() -> None:
        tries.append(1)
        with house.db.writing(shared=True) as work:
            work.session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$"))

    with pytest.raises(Unavailable) as told:
        crossing()
    assert isinstance(told.value, Crossed)
    assert told.value.facts == {"part": "database"}
    assert len(tries) == 2


def test_a_reading_is_one_moment_and_writes_nothing(house: SchemeHouse) -> None:
    with house.db.reading() as session:
        before = session.scalars(select(Record.id)).all()
        two_records(house)
        assert session.scalars(select(Record.id)).all() == before
        assert session.scalar(text("SHOW jit")) == "off", "a page of many conditions would be compiled for seconds"
        with pytest.raises(DBAPIError, match="read-only"):
            session.execute(update(House).values(zone="UTC"))
        session.rollback()


@pytest.mark.parametrize(
    ("state", "ours"),
    [
        ("lock_not_available", Unavailable), ("query_canceled", Unavailable), ("admin_shutdown", Unavailable),
        ("too_many_connections", Unavailable), ("disk_full", Unavailable), ("insufficient_privilege", NoAccess),
    ],
)  # fmt: skip
def test_what_the_server_refuses_is_told_in_our_words(house: SchemeHouse, state: str, ours: type[Exception]) -> None:
    with pytest.raises(ours), house.db.writing() as work:
        work.session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))


@pytest.mark.parametrize("title", ["前\x00后", None])
def test_a_text_that_the_server_cannot_hold_is_the_fault_of_who_sent_it(house: SchemeHouse, title: str | None) -> None:
    row = paper(house, title=title) if title else paper(house, archive_number="9" * 201)
    with pytest.raises(InvalidInput) as told, house.db.writing() as work:
        work.session.execute(
            insert(Record), [{each.name: getattr(row, each.name) for each in Record.__table__.columns}]
        )
    assert told.value.faults[0].code == "not_kept"


def test_a_wrong_statement_is_no_fault_of_the_server(house: SchemeHouse) -> None:
    with pytest.raises(DBAPIError), house.db.writing() as work:
        work.session.execute(text("SELECT no_such_column FROM record"))


def test_after_the_server_cut_every_connection_the_next_act_is_done(house: SchemeHouse) -> None:
    name = house.db.engine.url.database

    def cut_off() -> None:
        with house.db.writing() as work:
            work.session.add(paper(house, title="断"))
            work.session.flush()
            with postgres.connected() as server:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                server.execute(text(cut), {"name": name})
            work.commit()

    with pytest.raises(Unavailable):
        cut_off()
    two_records(house)
    with house.db.reading() as session:
        assert set(session.scalars(select(Record.title))) == {"供水管道图"}


def test_no_server_is_told_at_once() -> None:
    away = Database("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as told, away.reading() as session:
        session.scalar(select(House.id))
    assert "secret" not in str(told.value)


def test_a_database_of_another_encoding_is_refused(tmp_path: Path) -> None:
    postgres.bare(tmp_path)
    with postgres.connected() as server:
        name = postgres.standing(tmp_path).rpartition("/")[2]
        server.exec_driver_sql(f"DROP DATABASE {name}")
        server.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    db = Database(postgres.standing(tmp_path))
    with pytest.raises(BrokenSetting) as told:
        migrate(db)
    assert told.value.facts["reason"] == "not_utf8"
    db.close()


def test_where_another_role_owns_the_tables_the_everyday_one_only_adds_to_the_log(tmp_path: Path) -> None:
    owner = postgres.bare(tmp_path)
    role = f"everyday_{new_id().hex[:12]}"
    with postgres.connected() as server:
        server.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'everyday'")
    everyday = Database(owner.replace(owner.split("//")[1].split("@")[0], f"{role}:everyday"))
    try:
        migrate(everyday, owner)
        for table in INSERT_ONLY:
            for act in (f"DELETE FROM {table}", f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TABLE {table}"):  # noqa: S608
                with pytest.raises(NoAccess), everyday.writing() as work:
                    work.session.execute(text(act))
        with everyday.writing() as work:
            work.session.add(House(names={"en": "One"}, created_at=NOW))
            work.commit()
    finally:
        everyday.close()
        postgres.give_back(tmp_path)
        with postgres.connected() as server:
            server.exec_driver_sql(f"DROP ROLE {role}")


FILE_SOME = """
import sys
from datetime import date
from uuid import UUID
from archive.database import Database, once_more
from archive.model import Record
from archive.numbering.giver import give
from tests.factories.schemes import SchemeHouse, paper

house = SchemeHouse(Database(sys.argv[1]), UUID(sys.argv[2]), {"WYYZ": UUID(sys.argv[3])})
sys.stdin.readline()

@once_more
def file_one():
    with house.db.writing(shared=True) as work:
        record = paper(house)
        work.session.add(record)
        work.session.flush()
        give(work.session, [record], today=date(2026, 3, 5))
        work.commit()

for _ in range(40):
    file_one()
"""


def test_several_processes_filing_at_once_leave_no_gap_and_no_double(house: SchemeHouse) -> None:
    words = [house.db.url, str(house.fonds), str(house.categories["WYYZ"])]
    command = [sys.executable, "-c", FILE_SOME, *words]
    at = Path(__file__).parents[2]
    running = [subprocess.Popen(command, cwd=at, stdin=subprocess.PIPE, env=os.environ) for _ in range(3)]
    for each in running:
        each.communicate(b"\n")
    assert [each.returncode for each in running] == [0, 0, 0]
    with house.db.reading() as session:
        assert {row.last for row in session.scalars(select(Counter))} == {120}
