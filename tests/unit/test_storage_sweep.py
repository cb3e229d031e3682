"""What broken-off intakes left is swept after a day, and nothing else; damage in the store is found without keys."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Unavailable
from archive.ids import new_id
from archive.jobs.runner import Handler, Outcome
from archive.model import Content, ContentState, File
from storage.fixity import looks as fixity
from storage.objects import FileStore
from storage.stream import StreamSealer
from storage.sweep import SweepOrphans, Swept, orphans, sweep_orphans
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house, a_record
from tests.fakes.clock import FixedClock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=25)
YOUNG = NOW - timedelta(hours=23)


class Intakes:
    """A house in which intakes break off at each step, at a chosen time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = a_database(folder)
        self.store = FileStore(folder / "store")
        self.clock = FixedClock(NOW)
        with self.db.writing() as work:
            a_house(work.session)
            self.record = a_record(work.session, a_category(work.session, a_fonds(work.session))).id
            work.commit()

    def row(self, key: str, when: datetime, *, version: str | None = None, upload: str | None = None) -> UUID:
        state = ContentState.STORED if version else ContentState.RECEIVING
        with self.db.writing() as work:
            file = File(record_id=self.record, name="a.txt")
            work.session.add(file)
            work.session.flush()
            content = Content(
                file_id=file.id,
                record_id=self.record,
                object_key=key,
                state=state,
                store_version=version,
                upload=upload,
                created_at=when,
            )
            work.session.add(content)
            work.session.flush()
            if version:
                file.content_id = content.id
            work.commit()
            return content.id

    def put(self, key: str, when: datetime) -> str:
        version = self.store.put(key, [b"x"]).version
        self.touch(key, version, when)
        return version

    def begin(self, key: str, when: datetime) -> str:
        upload = self.store.begin(key)
        self.store.put_piece(key, upload, 0, b"x")
        self.touch(key, upload, when)
        return upload

    def touch(self, key: str, version: str, when: datetime) -> None:
        for path in (self.folder / "store").rglob(f"{key}@{version}*"):
            os.utime(path, (when.timestamp(), when.timestamp()))

    def sweep(self) -> Swept:
        return sweep_orphans(self.db, self.store, self.clock)

    def contents(self) -> set[UUID]:
        with self.db.reading() as session:
            return set(session.scalars(select(Content.id)))

    def files(self) -> int:
        with self.db.reading() as session:
            return len(session.scalars(select(File.id)).all())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Intakes]:
    made = Intakes(tmp_path)
    yield made
    made.db.close()


def test_an_object_that_no_record_names_goes_after_a_day(house: Intakes) -> None:
    stored = house.put("kept", OLD)
    house.row("kept", OLD, version=stored)
    house.put("old", OLD)
    house.put("young", YOUNG)
    twin = house.put("kept", OLD)
    assert {(each.key, each.version) for each in orphans(house.db, house.store)} >= {("kept", twin)}
    assert house.sweep() == Swept(objects=2, uploads=0, contents=0)
    assert sorted(each.key for each in house.store.list()) == ["kept", "young"]
    assert house.store.stat("kept", stored) is not None
    assert house.sweep() == Swept(0, 0, 0)


def test_an_upload_that_was_given_up_goes_with_its_row_and_file(house: Intakes) -> None:
    house.row("given-up", OLD, upload=house.begin("given-up", OLD))
    house.begin("no-row", OLD)
    house.begin("no-row-young", YOUNG)
    young = house.row("young", YOUNG, upload=house.begin("young", YOUNG))
    assert house.sweep() == Swept(objects=0, uploads=1, contents=1)
    assert house.contents() == {young}
    assert house.files() == 1
    assert sorted(each.key for each in house.store.uploads()) == ["no-row-young", "young"]


def test_an_upload_that_still_receives_pieces_stays_however_old_its_row_is(house: Intakes) -> None:
    slow = house.row("slow", OLD, upload=house.begin("slow", YOUNG))
    assert house.sweep() == Swept(0, 0, 0)
    assert house.contents() == {slow}


def test_an_object_put_before_a_crash_goes_a_day_later_its_receiving_row_within_minutes(house: Intakes) -> None:
    house.row("crashed", OLD)
    house.put("crashed", OLD)
    house.row("young", YOUNG)
    house.put("young", YOUNG)
    alive = house.row("alive", NOW - timedelta(minutes=4))
    house.put("alive", NOW)
    assert house.sweep() == Swept(objects=1, uploads=0, contents=2)
    assert sorted(each.key for each in house.store.list()) == ["alive", "young"]
    assert house.contents() == {alive}


def test_a_file_with_a_stored_content_is_never_touched(house: Intakes) -> None:
    kept = house.row("kept", OLD, version=house.put("kept", OLD))
    assert house.sweep() == Swept(0, 0, 0)
    assert house.contents() == {kept}
    assert house.files() == 1


def test_the_job_sweeps_once_for_its_batch(house: Intakes) -> None:
    house.put("old", OLD)
    handler: Handler = SweepOrphans(house.db, house.store, house.clock)
    jobs = [SimpleNamespace(id=new_id()), SimpleNamespace(id=new_id())]
    outcomes = handler.run(jobs)  # type: ignore[arg-type]  # only the ids matter
    assert outcomes == {job.id: Outcome.done() for job in jobs}
    assert list(house.store.list()) == []


def stored(store: FileStore, plain: bytes) -> Content:
    content = Content(id=new_id(), object_key=new_id().hex)
    sealer = StreamSealer(b"k" * 32, content.id)
    made = store.put(content.object_key, [sealer.piece(plain, last=True)])
    content.store_version, content.cipher_size, content.cipher_sha256 = made.version, made.size, sealer.cipher_sha256
    return content


def test_damage_in_the_store_is_found_without_keys(house: Intakes, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    whole, flipped, cut, missing = (stored(store, b"text" * 50) for _ in range(4))
    for content, change in ((flipped, b"\0"), (cut, b"")):
        (path,) = tmp_path.rglob(f"{content.object_key}@*")
        data = path.read_bytes()
        path.write_bytes(data[:100] + change + data[101:])
    store.remove(missing.object_key, missing.store_version or "")
    found = [fixity.look(store, each, house.db).fixity for each in (whole, flipped, cut, missing)]
    assert found == [fixity.Fixity.WHOLE, fixity.Fixity.CHANGED, fixity.Fixity.CHANGED, fixity.Fixity.MISSING]
    assert fixity.cipher_hash(store, whole.object_key, whole.store_version or "") == whole.cipher_sha256


def test_an_object_that_the_store_does_not_hand_out_is_a_finding_and_stops_no_check(
    house: Intakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = house.store
    first, stuck, last = (stored(store, b"text" * 50) for _ in range(3))
    house.row("other", NOW, version=house.put("other", NOW))
    read, broken = store.read, [stuck.object_key] * 3

    def busy(key: str, version: str, *part: int) -> Iterator[bytes]:
        if key in broken:
            broken.remove(key)
            raise Unavailable(part="store", reason="SlowDownRead")
        return read(key, version, *part)

    monkeypatch.setattr(store, "read", busy)
    found = [fixity.look(store, each, house.db).fixity for each in (first, stuck, last)]
    assert found == [fixity.Fixity.WHOLE, fixity.Fixity.UNREADABLE, fixity.Fixity.WHOLE]
    assert fixity.look(store, stuck, house.db).fixity is fixity.Fixity.WHOLE, "busy once is no finding"


def test_a_store_that_is_away_is_no_finding(house: Intakes, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    content = stored(store, b"x")
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(Unavailable):
        fixity.look(store, content, house.db)
