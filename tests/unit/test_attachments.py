"""Files of an act: checked before they are taken, whole or not there at all, and never left behind in the store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import InvalidInput, NotFound, StorageFull
from archive.files.attachments import MOST, MOST_BYTES, Attachments, Owner, Sent
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.readings import Readings
from archive.model import AttachedTo, Attachment, Job, JobKind
from archive.purging import remove_records
from storage.contents import items_of
from storage.objects import FileStore
from storage.sweep import orphans, sweep_orphans
from tests.factories.lending import LendingHouse, a_lending_house


class Concerns:
    """A subject that concerns staff alone; only they add to it."""

    def __init__(self, record: UUID, person: UUID | None) -> None:
        self.record, self.person = record, person

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:  # noqa: ARG002  (the contract's)
        if identity.person_id != self.person or subject_id != self.record:
            raise NotFound
        return Owner(self.record, self.record)


class Asleep:
    def wake(self, queue: str, job_id: UUID) -> None:
        pass


class House(SimpleNamespace):
    """A house with a store and attachments."""

    lending: LendingHouse
    store: FileStore
    attachments: Attachments
    record: UUID


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_lending_house(tmp_path) as made:
        record, store = made.record(), FileStore(tmp_path / "store")
        kinds = SimpleNamespace(detect=lambda head, _: "image/png" if head.startswith(b"\x89PNG") else "text/x-sh")
        attachments = Attachments(
            made.db, made.vault, store, made.log, Readings(made.db, made.log, made.clock), made.clock, kinds,
            lambda data: "Eicar" if b"EICAR" in data else None,
            {AttachedTo.REQUEST: Concerns(record, made.who["staff"].person_id)}, Outbox(made.clock, Asleep()),
        )  # fmt: skip
        yield House(lending=made, store=store, attachments=attachments, record=record)


def picture(name: str = "照片.png", more: bytes = b"") -> Sent:
    return Sent(name, b"\x89PNG\r\n\x1a\n" + more)


def add(house: House, *files: Sent, who: str = "staff") -> Any:
    checked = house.attachments.check(files)
    return house.attachments.add(house.lending.who[who], AttachedTo.REQUEST, house.record, checked)


def test_what_is_taken_is_read_again_by_those_whom_it_concerns_alone(house: House) -> None:
    (key,) = add(house, picture("证明/介绍信.png", b"x" * 3000))
    opened = house.attachments.read(house.lending.who["staff"], key)
    assert (opened.row.name, opened.row.media_type, opened.data[-3:]) == ("介绍信.png", "image/png", b"xxx")
    with pytest.raises(NotFound):
        house.attachments.read(house.lending.who["staff2"], key)
    with pytest.raises(NotFound):
        add(house, picture(), who="archivist")
    assert b"xxx" not in b"".join(p.read_bytes() for p in (house.store._objects).rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Sent("空.png", b""), "empty_file"),
        (Sent("大.png", b"\x89PNG" + bytes(MOST_BYTES)), "file_too_large"),
        (Sent("脚本.png", b"#!/bin/sh"), "not_attached"),
        (picture("毒.png", b"EICAR"), "virus"),
    ],
)
def test_what_is_not_taken_is_named_and_leaves_nothing(house: House, sent: Sent, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(house, picture(), sent)
    assert [(each.field, each.code) for each in refused.value.faults] == [("files", code)]
    assert list(house.store.list()) == []


def test_a_subject_has_so_many_and_no_more(house: House) -> None:
    with pytest.raises(InvalidInput):
        add(house, *(picture(f"{n}.png") for n in range(MOST + 1)))
    add(house, *(picture(f"{n}.png") for n in range(MOST)))
    with pytest.raises(InvalidInput):
        add(house, picture())


def test_a_full_store_leaves_no_row(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise StorageFull

    monkeypatch.setattr(house.store, "put", full)
    with pytest.raises(StorageFull):
        add(house, picture())
    with house.lending.db.reading() as session:
        assert session.scalars(select(Attachment)).all() == []


def test_backups_name_them_and_the_sweep_keeps_them_until_their_record_goes(house: House) -> None:
    add(house, picture())
    db, clock = house.lending.db, house.lending.clock
    with db.reading() as session:
        assert [(each.key, each.size > 0) for each in items_of(session)] == [
            (info.key, True) for info in house.store.list()
        ]
    clock.moment += timedelta(days=400)
    sweep_orphans(db, house.store, clock)
    assert len(list(house.store.list())) == 1
    with db.writing() as work:
        remove_records(work.session, [house.record])
        work.commit()
    assert len(list(orphans(db, house.store))) == 1


def test_one_that_broke_off_is_swept_with_its_object(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        if name == "attachment.put":
            raise KeyboardInterrupt

    monkeypatch.setattr("archive.files.attachments.reach", broken)
    with pytest.raises(KeyboardInterrupt):
        add(house, picture())
    db, clock = house.lending.db, house.lending.clock
    assert house.attachments.of(house.lending.who["staff"], AttachedTo.REQUEST, house.record) == []
    assert len(list(house.store.list())) == 1
    clock.moment += timedelta(days=400)
    sweep_orphans(db, house.store, clock)
    assert list(house.store.list()) == []


def test_what_is_attached_asks_to_be_locked_as_its_record_is(house: House) -> None:
    add(house, picture())
    with house.lending.db.reading() as session:
        asked = session.scalars(select(Job.subject_id).where(Job.kind == JobKind.LOCK)).all()
    assert house.record in asked
