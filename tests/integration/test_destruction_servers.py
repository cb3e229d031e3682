"""Destruction on real servers: MinIO with locks and holds, and away; Elasticsearch away; a disk that is full."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, text, update

from archive.model import Content, Destruction, DestructionState, Job, JobKind, LogEntry, Person, Record
from archive.scrubbing import BUSY, scrub
from benchmarks._rough_proxy import RoughProxy
from retention.gone import looks
from retention.gone.erasing import HELD
from runtime.rehearsing import doom
from runtime.scratch import scratch
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build
from tests.factories import elastic, minio_server, postgres
from tests.factories.archives import Archive
from tests.factories.databases import ONLY_POSTGRES
from tests.factories.doomed import due, filed, states, there
from tests.fakes.clock import LaterClock
from tests.fakes.faulty_server import OPEN, REFUSES, faulty_server
from tests.integration.test_minio_faults import Bucketed

pytestmark = pytest.mark.postgres


@pytest.fixture
def proxied(archive: Archive) -> Iterator[Bucketed]:
    access = minio_server.needed()
    with RoughProxy(access.endpoint) as proxy:
        made = Bucketed(archive, access, proxy)
        yield made
        made.close()


def three(archive: Archive, parts: Parts) -> list[UUID]:
    """Return three filed records with a text each, all due."""
    ids = filed(parts, [f"销毁测试合同{at}" for at in range(3)], [f"编号UNICORN{at:05}。".encode() for at in range(3)])
    archive.work(parts)
    due(parts, ids)
    return ids


def at_once(parts: Parts) -> None:
    """Have the jobs that were put off be due."""
    with parts.db.writing() as work:
        work.session.execute(update(Job).where(Job.kind == JobKind.DESTROY).values(run_after=parts.clock.now()))
        work.commit()


def assert_clean(parts: Parts, key: UUID) -> looks.Findings:
    """Return the newest proof; a table that somebody held is written anew by proving once more, as the page says."""
    with parts.db.reading() as session:
        proof = looks.findings(session, key)[0]
    assert not proof.found
    if proof.database.get("written_anew") == BUSY:
        parts.erasing.again(key)
        with parts.db.reading() as session:
            proof = looks.findings(session, key)[0]
    assert proof.clean, (proof.database, proof.expunge, proof.unreadable)
    return proof


def ended(parts: Parts, key: UUID) -> bool:
    with parts.db.reading() as session:
        return session.get_one(Destruction, key).state is DestructionState.GONE


def test_locks_give_way_a_hold_set_at_the_store_keeps_its_record_and_an_outage_is_waited_out(
    archive: Archive, proxied: Bucketed
) -> None:
    parts = proxied.parts()
    ids = three(archive, parts)
    with parts.db.reading() as session:
        rows = session.execute(
            select(Content.record_id, Content.object_key, Content.store_version).where(Content.record_id.in_(ids))
        ).all()
    versions = {row.record_id: (row.object_key, row.store_version or "") for row in rows}
    assert parts.locks
    for object_key, version in versions.values():
        parts.locks.lock(object_key, version, datetime.now(UTC) + timedelta(days=400))
    parts.locks.hold(*versions[ids[0]], on=True)
    key = doom(parts, ids)
    proxied.proxy.away = True
    parts.runner.run(JobKind.DESTROY)
    assert there(parts, ids) == set(ids), "nothing goes before the store has said what is held"
    proxied.proxy.away = False
    at_once(parts)
    archive.work(parts)
    assert ended(parts, key)
    assert states(parts, key) == {ids[0]: "pulled held", ids[1]: "gone", ids[2]: "gone"}
    standing = {info.key for info in parts.store.list()}
    assert versions[ids[0]][0] in standing
    assert not standing & {versions[each][0] for each in ids[1:]}
    assert_clean(parts, key)


def test_a_search_server_that_is_away_is_waited_for(archive: Archive) -> None:
    prefix = elastic.new_prefix()
    with faulty_server(elastic.server()) as front:
        more = {"JUANKU_SEARCH_URL": front.address, "JUANKU_SEARCH_PREFIX": prefix}
        parts = build(load(archive.environment | more), NoWaker())
        try:
            parts.rebuilder.rebuild()
            ids = three(archive, parts)
            key = doom(parts, ids[:2])
            front.fails(REFUSES)
            parts.runner.run(JobKind.DESTROY)
            assert not ended(parts, key)
            front.fails(OPEN)
            with parts.db.writing() as work:
                work.session.execute(update(Job).values(run_after=parts.clock.now()))
                work.commit()
            archive.work(parts)
            assert ended(parts, key)
            assert assert_clean(parts, key).words
        finally:
            parts.close()
            elastic.sweep(prefix)


def test_no_file_of_the_database_holds_a_title_that_is_gone(archive: Archive) -> None:
    parts = archive.parts()
    titles = [f"消火栓独角兽{at}号维修合同" for at in range(3)]
    ids = filed(parts, [*titles, *(f"地下车库照明改造方案{at}" for at in range(20))])
    archive.work(parts)
    due(parts, ids[:3])
    assert titles_in(parts, titles)
    key = doom(parts, ids[:3])
    archive.work(parts)
    assert ended(parts, key)
    with parts.db.reading() as session:
        (proof,) = looks.findings(session, key)
    assert set(proof.database.values()) == {"done"}
    assert titles_in(parts, titles) == {}


def test_a_row_that_someone_still_sees_is_not_said_to_be_wiped(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.scrubbing._TRIES", 2)
    parts = archive.parts()
    ids = filed(parts, ["消火栓独角兽维修合同"])
    archive.work(parts)
    with parts.db.reading() as session:
        assert session.scalar(select(func.count(Person.id))), "one snapshot, and no lock on what is written anew"
        with parts.db.writing() as work:
            work.session.execute(update(Record).where(Record.id.in_(ids)).values(title="别的", title_key="别的"))
            work.commit()
        assert "busy" in scrub(parts.db).values()
        assert titles_in(parts, ["消火栓独角兽维修合同"])
    assert set(scrub(parts.db).values()) == {"done"}
    assert titles_in(parts, ["消火栓独角兽维修合同"]) == {}


@ONLY_POSTGRES
def test_who_writes_in_another_database_of_the_server_does_not_hold_up_the_wiping(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = archive.parts()
    ids = filed(parts, ["消火栓独角兽维修合同"])
    archive.work(parts)
    with postgres.connected() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("SELECT pg_current_xact_id()")
        reader = contextlib.ExitStack()
        session = reader.enter_context(parts.db.reading())
        assert session.scalar(select(func.count(Person.id))), "ours, and for a moment only"
        with parts.db.writing() as work:
            work.session.execute(update(Record).where(Record.id.in_(ids)).values(title="别的", title_key="别的"))
            work.commit()
        monkeypatch.setattr("archive.scrubbing.time.sleep", lambda _seconds: reader.close())
        assert set(scrub(parts.db).values()) == {"done"}
        other.exec_driver_sql("ROLLBACK")
    assert titles_in(parts, ["消火栓独角兽维修合同"]) == {}


@pytest.mark.parametrize("for_long", [False, True])
def test_a_table_that_someone_holds_is_wiped_later_and_its_page_says_when(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, *, for_long: bool
) -> None:
    monkeypatch.setattr("archive.scrubbing._TRIES", 2)
    monkeypatch.setattr("archive.database.sqlite.BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr("retention.gone.erasing.WIPES", 3)
    clock = LaterClock()
    parts = archive.parts(clock)
    ids = three(archive, parts)
    with parts.db.reading() as session:
        assert session.scalar(select(func.count(Person.id))), "such as a backup that reads for minutes"
        key = doom(parts, ids[:2])
        archive.work(parts)
        for _ in range(2 if for_long else 1):
            assert not ended(parts, key)
            with parts.db.reading() as another:
                far = looks.progress(another, key)
            assert far.held
            assert far.wipes_at
            assert clock.now() < far.wipes_at <= clock.now() + HELD
            clock.later += HELD
            if for_long:
                archive.work(parts)
        assert ended(parts, key) is for_long, "it does not wait for ever"
    archive.work(parts)
    assert ended(parts, key)
    with parts.db.reading() as session:
        assert looks.findings(session, key)[0].clean is not for_long


def titles_in(parts: Parts, titles: Sequence[str]) -> dict[str, int]:
    """Return in which files of the database titles stand, and how many."""
    if parts.db.is_sqlite:
        folder = Path(str(parts.db.engine.url.database)).parent
        files = {each.name: each.read_bytes() for each in folder.glob("juanku.db*")}
    else:
        read = text(
            "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) AS bytes FROM pg_class"
            " WHERE relfilenode > 0"
        )
        with parts.db.reading() as session:
            session.execute(text("CHECKPOINT"))
            files = {name: bytes(data) for name, data in session.execute(read)}
    found = {name: sum(title.encode() in data for title in titles) for name, data in files.items()}
    return {name: count for name, count in found.items() if count}


def test_a_folder_of_one_server_does_not_pass_for_the_files_of_another(archive: Archive, tmp_path: Path) -> None:
    more = {"JUANKU_SEARCH_URL": elastic.server(), "JUANKU_SEARCH_PREFIX": elastic.new_prefix()}
    living = load(archive.environment | more)
    for files, unread in (([("S3", tmp_path)], True), ([("Elasticsearch", tmp_path)], False)):
        with scratch(living, tmp_path / "trial", embedded=False, files=files) as made:
            assert ("Elasticsearch" in made.unread) is unread


def test_a_bucket_of_the_longest_name_has_a_scratch_one_beside_it(archive: Archive, tmp_path: Path) -> None:
    server = minio_server.needed()
    more = {"JUANKU_STORE_URL": f"s3+http://{server.endpoint}/{'long-name-' * 5}abc"}
    more |= {"JUANKU_STORE_KEY": server.key, "JUANKU_STORE_SECRET": server.secret}
    with scratch(load(archive.environment | more), tmp_path / "trial", embedded=False, files=()) as made:
        assert made.on["store"] == "S3"


def test_a_full_disk_in_the_middle_leaves_each_record_whole_or_gone(archive: Archive) -> None:
    parts = archive.parts()
    if not parts.db.is_sqlite:
        pytest.skip("the server's disk is not ours")
    ids = filed(parts, [f"销毁测试合同{at}关于设备维修保养年度计划的请示" for at in range(60)])
    archive.work(parts)
    due(parts, ids)
    key = doom(parts, ids)
    limits = ["full"]

    @event.listens_for(parts.db.engine, "checkout")
    def _limit(connection: Any, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages if limits else 2**30}")

    scrub(parts.db)  # no page is free
    parts.runner.run(JobKind.DESTROY)
    with parts.db.reading() as session:
        assert session.scalars(select(Job.error).where(Job.kind == JobKind.DESTROY)).one() == "database"
    assert set(states(parts, key).values()) == {"doomed"}
    assert there(parts, ids) == set(ids)
    limits.clear()
    at_once(parts)
    archive.work(parts)
    assert ended(parts, key)
    assert not there(parts, ids)
    with parts.db.reading() as session:
        acts = select(func.count()).where(LogEntry.act == "record.destroy", LogEntry.record_id.in_(ids))
        assert session.scalar(acts) == 60
