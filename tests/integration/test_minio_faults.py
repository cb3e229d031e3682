"""A whole archive on a real MinIO whose way breaks: nothing is lost, nothing doubled, and fsck says so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.clock import SystemClock
from archive.errors import Damaged, Unavailable
from archive.identity import system
from archive.model import Category, Content, JobKind, Record, RecordState
from archive.ports import PIECE_BYTES, ContentReader
from benchmarks._rough_proxy import RoughProxy
from runtime.fsck import fsck
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build
from storage.fixity.looks import Fixity, look
from storage.minio.client import Access, client
from storage.sweep import sweep_orphans
from tests.factories import minio_server
from tests.factories.archives import Archive
from tests.fakes.clock import FixedClock

WHO = system("test")


class Bucketed:
    """An archive whose objects were moved into a bucket, reached through a proxy."""

    def __init__(self, archive: Archive, access: Access, proxy: RoughProxy) -> None:
        self.archive, self.access, self.proxy = archive, access, proxy
        self.bucket = minio_server.a_bucket(access)
        self.opened: list[Parts] = []
        folder = archive.parts()
        store = minio_server.a_store(access, self.bucket)
        with folder.db.writing() as work:
            for content in work.session.scalars(select(Content)):
                bytes_there = folder.store.read(content.object_key, content.store_version or "")
                content.store_version = store.put(content.object_key, bytes_there).version
            work.commit()

    def parts(self, clock: FixedClock | None = None, **settings: str) -> Parts:
        """Open it as one more process does."""
        more = settings | {
            "JUANKU_STORE_URL": f"s3+http://{self.proxy.address}/{self.bucket}",
            "JUANKU_STORE_KEY": self.access.key,
            "JUANKU_STORE_SECRET": self.access.secret,
        }
        made = build(load(self.archive.environment | more), NoWaker(), clock)
        self.opened.append(made)
        return made

    def violations(self, parts: Parts) -> list[tuple[str, str]]:
        """Seal the log, then say what does not agree; what waits for the index is no fault."""
        parts.sealer.seal_all()
        return [(each.invariant, each.fault) for each in fsck(parts).violations]

    def close(self) -> None:
        for parts in self.opened:
            parts.close()


@pytest.fixture
def house(archive: Archive) -> Iterator[Bucketed]:
    access = minio_server.needed()
    with RoughProxy(access.endpoint) as proxy:
        made = Bucketed(archive, access, proxy)
        yield made
        made.close()


def a_record(parts: Parts) -> UUID:
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    return parts.records.create(WHO, Draft(category.fonds_id, category.id, "请示", drawn_up="2024-03-05"))


def a_content(parts: Parts) -> Content:
    with parts.db.reading() as session:
        return session.scalars(select(Content).order_by(Content.id).limit(1)).one()


def a_filed_content(parts: Parts) -> Content:
    query = select(Content).join(Record, Record.id == Content.record_id).where(Record.state == RecordState.FILED)
    with parts.db.reading() as session:
        return session.scalars(query.order_by(Content.id).limit(1)).one()


def opened(parts: Parts, content_id: UUID) -> ContentReader:
    with parts.db.reading() as session:
        row = session.get_one(Content, content_id)
        key = parts.vault.unlock(session, row.record_id)
    return key.content_reader(row.id, parts.store, row.object_key, row.store_version or "")


def test_an_upload_goes_on_in_another_process_after_the_store_came_back(house: Bucketed) -> None:
    parts = house.parts()
    record = a_record(parts)
    data = [b"a" * PIECE_BYTES, b"end"]
    upload = parts.intake.begin(WHO, record, "a.bin", sum(map(len, data)))
    assert parts.intake.put_piece(WHO, upload, 0, data[0]) == 1
    house.proxy.away = True
    with pytest.raises(Unavailable):
        parts.intake.put_piece(WHO, upload, 1, data[1])
    house.proxy.away = False
    later = house.parts()
    assert later.intake.progress(WHO, upload) == 1
    later.intake.put_piece(WHO, upload, 1, data[1])
    house.proxy.lost = 1
    received = later.intake.finish(WHO, upload)
    assert b"".join(opened(later, received.content_id).read()) == b"".join(data)
    assert house.violations(later) == []
    assert list(later.store.uploads()) == []


def test_a_whole_file_comes_in_once_or_not_at_all(house: Bucketed) -> None:
    parts = house.parts()
    record = a_record(parts)
    house.proxy.away = True
    with pytest.raises(Unavailable):
        parts.intake.receive(WHO, record, "a.txt", [b"never"])
    house.proxy.away = False
    house.proxy.lost = 1
    parts.intake.receive(WHO, record, "a.txt", [b"once"])
    with parts.db.reading() as session:
        (content,) = session.scalars(select(Content).where(Content.record_id == record)).all()
    assert [each.version for each in parts.store.list() if each.key == content.object_key] == [content.store_version]
    assert house.violations(parts) == []


def test_a_changed_byte_is_never_handed_on(house: Bucketed) -> None:
    parts = house.parts()
    received = parts.intake.receive(WHO, a_record(parts), "a.txt", [b"x" * 5000])
    reader = opened(parts, received.content_id)
    house.proxy.flip = True
    with pytest.raises(Damaged):
        b"".join(reader.read())
    with parts.db.reading() as session:
        content = session.get_one(Content, received.content_id)
    assert look(parts.store, content, parts.db).fixity is Fixity.CHANGED
    house.proxy.flip = False
    assert look(parts.store, content, parts.db).fixity is Fixity.WHOLE


def test_missing_objects_twins_and_delete_marks_are_found_and_twins_swept(house: Bucketed) -> None:
    clock = FixedClock(SystemClock().now() + timedelta(days=2))
    parts = house.parts(clock)
    content = a_content(parts)
    assert house.violations(parts) == []
    parts.store.put(content.object_key, [b"a twin"])
    client(house.access).remove_object(house.bucket, content.object_key)
    assert sorted(house.violations(parts)) == [("INV2", "delete_marker"), ("INV2", "twin")]
    assert sweep_orphans(parts.db, parts.store, clock).objects == 1
    assert house.violations(parts) == [("INV2", "delete_marker")]
    parts.store.remove(content.object_key, content.store_version or "")
    assert ("INV1", "missing") in house.violations(parts)


def test_what_is_filed_is_locked_and_the_sweeper_leaves_it(house: Bucketed) -> None:
    clock = FixedClock(SystemClock().now())
    parts = house.parts(clock)
    record = a_record(parts)
    parts.intake.receive(WHO, record, "a.txt", [b"filed"])
    (answer,) = parts.filing.file(WHO, [record])
    assert answer.archive_number, answer
    parts.runner.drain([JobKind.LOCK])
    with parts.db.reading() as session:
        content = session.scalars(select(Content).where(Content.record_id == record)).one()
    assert parts.locks is not None
    assert content.locked_until is not None
    assert parts.locks.locked_until(content.object_key, content.store_version or "") == content.locked_until
    assert house.violations(parts) == []


def test_a_damaged_version_that_is_locked_stays_and_a_good_one_takes_its_place_under_a_lock(
    house: Bucketed, tmp_path: Path
) -> None:
    clock = FixedClock(SystemClock().now() + timedelta(days=2))
    parts = house.parts(clock, JUANKU_BACKUP_URL=(tmp_path / "backups").as_uri())
    content = a_filed_content(parts)
    parts.safekeeping.make(WHO)
    damaged = parts.store.put(content.object_key, [b"other bytes"])
    assert parts.locks is not None
    parts.locks.lock(content.object_key, damaged.version, clock.now() + timedelta(days=400))
    with parts.db.writing() as work:
        work.session.get_one(Content, content.id).store_version = damaged.version
        work.commit()
    parts.fixity.run(WHO, everything=True)
    assert parts.fixity.alarm() == 1
    assert parts.mending.mend(WHO).mended == (content.object_key,)
    assert parts.fixity.alarm() == 0
    assert parts.runner.run(JobKind.LOCK) == 1
    sweep_orphans(parts.db, parts.store, clock)
    with parts.db.reading() as session:
        now = session.get_one(Content, content.id)
    there = {each.version for each in parts.store.list() if each.key == content.object_key}
    assert there == {damaged.version, now.store_version}
    assert parts.locks.locked_until(now.object_key, now.store_version or "") == now.locked_until
    assert [found for found in house.violations(parts) if found[0] in {"INV1", "INV2"}] == []
