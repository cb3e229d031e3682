"""Each invariant's check finds what breaks it, and names it; a whole archive has no finding."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from archive.ids import new_id
from archive.model import (
    Content,
    Copy,
    Counter,
    IssuedNumber,
    Job,
    JobKind,
    JobState,
    NeedToKnowGroup,
    Record,
    RecordState,
    ShelfPlace,
)
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.databases import without_what_it_hangs_on

pytestmark = pytest.mark.postgres


def found(parts: Parts, *, bytes_too: bool = True) -> list[tuple[str, str]]:
    """Return (invariant, fault) of each violation."""
    return [(v.invariant, v.fault) for v in fsck(parts, bytes_too=bytes_too).violations]


def object_file(archive: Archive, content: Content) -> Path:
    return next((archive.home / "objects").rglob(f"{content.object_key}@{content.store_version}"))


def a_content(parts: Parts) -> Content:
    with parts.db.reading() as session:
        return session.scalars(select(Content).limit(1)).one()


def a_filed(parts: Parts) -> Record:
    with parts.db.reading() as session:
        return session.scalars(select(Record).where(Record.state == RecordState.FILED).limit(1)).one()


def written(parts: Parts, *statements: object) -> None:
    with parts.db.writing() as work:
        without_what_it_hangs_on(work.session)
        for statement in statements:
            work.session.execute(statement)  # type: ignore[call-overload]
        work.commit()


def tampered(parts: Parts, *statements: str) -> None:
    """Change tables beside the program, past triggers and foreign keys, as an intruder would."""
    if not parts.db.is_sqlite:
        with parts.db.writing() as work:
            without_what_it_hangs_on(work.session)
            for statement in statements:
                work.session.connection().exec_driver_sql(statement)
            work.commit()
        return
    connection = parts.db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            cursor.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        connection.close()


def written_id(parts: Parts, key: UUID) -> str:
    return f"x'{key.hex}'" if parts.db.is_sqlite else f"'{key}'"


def test_a_whole_archive_has_no_finding_and_says_how_much_it_looked_at(archive: Archive) -> None:
    finding = fsck(archive.parts())
    assert finding.ok, finding.violations
    assert finding.counts["contents"] == finding.counts["objects"] == 10
    assert finding.counts["numbers"] == 20
    assert finding.counts["log_entries"] > 30


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("hurt", "fault"),
    [
        (flip_a_bit, "changed"),
        (lambda path: path.unlink(), "missing"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "changed"),
    ],
    ids=["bit", "gone", "cut"],
)
def test_a_file_that_is_not_what_was_stored(archive: Archive, hurt: Callable[[Path], None], fault: str) -> None:
    parts = archive.parts()
    hurt(object_file(archive, a_content(parts)))
    assert found(parts) == [("INV1", fault)]


def test_a_content_whose_key_is_gone(archive: Archive) -> None:
    for path in (archive.keys / "generations").glob("*.json"):
        path.unlink()
    faults = found(archive.parts())
    assert ("INV1", "key_unavailable") in faults
    assert {invariant for invariant, _ in faults} == {"INV1"}


def test_two_objects_that_changed_places(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.reading() as session:
        one, two = session.scalars(select(Content).limit(2)).all()
    here, there = object_file(archive, one), object_file(archive, two)
    aside = here.with_name("aside")
    here.rename(aside)
    there.rename(here)
    aside.rename(there)
    assert found(parts) == [("INV1", "changed")] * 2


def test_an_object_that_nobody_names_counts_after_a_day(archive: Archive) -> None:
    parts = archive.parts()
    parts.store.put("0" * 32, [b"cipher"])
    assert found(parts) == []
    orphan = next((archive.home / "objects").rglob("0" * 32 + "@*"))
    old = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    os.utime(orphan, (old, old))
    assert found(parts) == [("INV2", "orphan")]


def test_an_upload_that_nobody_names_counts_after_a_day(archive: Archive) -> None:
    parts = archive.parts()
    upload = parts.store.begin("1" * 32)
    parts.store.put_piece("1" * 32, upload, 0, b"cipher")
    assert found(parts) == []
    old = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    for path in (archive.home / "objects" / "incoming").glob("1*"):
        os.utime(path, (old, old))
    assert found(parts) == [("INV2", "orphan_upload")]


def test_a_record_whose_row_went_on_without_the_index(archive: Archive) -> None:
    parts = archive.parts()
    record = a_filed(parts)
    written(parts, update(Record).where(Record.id == record.id).values(version=Record.version + 1))
    assert [(i, f.split()[0]) for i, f in found(parts)] == [("INV3", "stale")]
    written(parts, update(Record).where(Record.id == record.id).values(version=Record.version - 1))


def test_an_index_that_is_gone(archive: Archive) -> None:
    shutil.rmtree(archive.home / "index")
    faults = found(archive.parts())
    assert len(faults) == 10
    assert {(i, f.split()[0]) for i, f in faults} == {("INV3", "missing")}


def test_a_record_in_the_index_of_a_lower_level(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.reading() as session:
        record = session.scalars(select(Record).where(Record.level_rank == 1).limit(1)).one()
    written(parts, update(Record).where(Record.id == record.id).values(level_rank=4))
    faults = found(parts)
    assert ("INV7", "in_lower_index") in faults
    assert {i for i, _ in faults} == {"INV3", "INV7"}


def test_a_need_to_know_record_in_the_open_index(archive: Archive) -> None:
    parts = archive.parts()
    record = a_filed(parts)
    group = NeedToKnowGroup(id=new_id(), fonds_id=record.fonds_id, names={}, number_mark="Z9")
    with parts.db.writing() as work:
        work.session.add(group)
        work.commit()
    written(parts, update(Record).where(Record.id == record.id).values(group_id=group.id))
    assert ("INV7", "in_open_index") in found(parts)


def test_a_log_entry_that_was_edited(archive: Archive) -> None:
    parts = archive.parts()
    tampered(parts, "UPDATE log_entry SET actor = 'nobody' WHERE act = 'record.create'")
    assert found(parts) == [("INV4", "entry_changed")]


def test_a_creation_without_its_entry(archive: Archive) -> None:
    parts = archive.parts()
    record = a_filed(parts)
    tampered(parts, f"DELETE FROM log_entry WHERE act = 'record.create' AND record_id = {written_id(parts, record.id)}")  # noqa: S608
    faults = found(parts)
    assert ("INV4", "entry_missing") in faults
    assert ("INV4", "record.create_not_once") in faults


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"state": RecordState.PROVISIONAL}, "record.file_not_once"),
        ({"state": RecordState.BINNED, "filed_at": None}, "record.bin_not_once"),
    ],
)
def test_a_change_of_state_that_nobody_logged(archive: Archive, values: dict[str, object], fault: str) -> None:
    parts = archive.parts()
    record = a_filed(parts)
    written(parts, update(Record).where(Record.id == record.id).values(**values))
    assert ("INV4", fault) in found(parts)


def test_a_file_that_nobody_logged(archive: Archive) -> None:
    parts = archive.parts()
    content = a_content(parts)
    with parts.db.reading() as session:
        other = session.scalars(select(Record.id).where(Record.id != content.record_id).limit(1)).one()
    written(parts, update(Content).where(Content.id == content.id).values(record_id=other))
    faults = found(parts, bytes_too=False)
    assert ("INV4", "file.add_not_once") in faults
    assert ("INV6", "file_gone") in faults


def test_a_number_that_two_records_bear(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.reading() as session:
        one, two = session.scalars(
            select(Record).where(Record.archive_number.is_not(None)).order_by(Record.fonds_id)
        ).all()[:2]
    values = {"archive_number": one.archive_number, "fonds_id": one.fonds_id}
    written(parts, update(Record).where(Record.id == two.id).values(**values))
    assert {("INV5", "twice"), ("INV5", "not_issued")} <= set(found(parts))


def test_a_filed_record_without_a_number(archive: Archive) -> None:
    parts = archive.parts()
    written(parts, update(Record).where(Record.id == a_filed(parts).id).values(registration_number=None))
    assert found(parts) == [("INV5", "unnumbered")]


def test_a_counter_that_gave_a_number_which_nobody_got(archive: Archive) -> None:
    parts = archive.parts()
    written(parts, update(Counter).values(last=Counter.last + 1))
    faults = found(parts)
    assert faults
    assert all(i == "INV5" and f.startswith("serial ") for i, f in faults)


def test_a_gap_inside_one_sequence_is_not_hidden_by_a_surplus_in_another(archive: Archive) -> None:
    parts = archive.parts()
    record = a_filed(parts)
    bogus = IssuedNumber(fonds_id=record.fonds_id, number="旧-1", record_id=record.id)
    with parts.db.writing() as work:
        work.session.add(bogus)
        work.commit()
    assert found(parts) == []
    written(parts, delete(IssuedNumber).where(IssuedNumber.number == record.registration_number))
    faults = [fault for _, fault in found(parts)]
    assert "not_issued" in faults
    assert any(fault.startswith("serial ") for fault in faults)


def test_a_file_that_was_acknowledged_and_is_gone_with_its_record(archive: Archive) -> None:
    parts = archive.parts()
    key = a_content(parts).record_id
    tampered(parts, f"DELETE FROM record WHERE id = {written_id(parts, key)}")  # noqa: S608
    assert ("INV6", "record_gone") in found(parts, bytes_too=False)


def test_a_job_that_failed(archive: Archive) -> None:
    parts = archive.parts()
    now = parts.clock.now()
    job = Job(id=new_id(), kind=JobKind.EXTRACT, state=JobState.FAILED, run_after=now, created_at=now, payload={})
    with parts.db.writing() as work:
        work.session.add(job)
        work.commit()
    assert found(parts) == [("INV6", "job_failed")]


def test_a_filed_record_in_the_bin(archive: Archive) -> None:
    parts = archive.parts()
    written(parts, update(Record).where(Record.id == a_filed(parts).id).values(state=RecordState.BINNED))
    assert ("INV8", "filed_in_bin") in found(parts)


def test_items_of_a_dossier_out_of_order_or_above_it(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.reading() as session:
        dossier, item, other = session.scalars(select(Record.id).order_by(Record.id).limit(3))
    written(
        parts,
        update(Record).where(Record.id == item).values(dossier_id=dossier, position=2, volume=2, level_rank=4),
        update(Record).where(Record.id == dossier).values(level_rank=1),
        update(Record).where(Record.id == other).values(position=1),
    )
    faults = {fault for invariant, fault in found(parts, bytes_too=False) if invariant == "INV9"}
    assert faults == {"gap", "volumes", "level", "place_without_dossier"}


def test_a_shelf_that_counts_what_does_not_lie_there(archive: Archive) -> None:
    parts = archive.parts()
    counted, closed = new_id(), new_id()
    said = {"kind": "box", "names": {}, "strength": 1, "capacity": 5, "version": 1}
    written(
        parts,
        insert(ShelfPlace).values(id=counted, code="1", path="K-1-1-1", taken=2, **said),
        insert(ShelfPlace).values(id=closed, code="2", path="K-1-1-2", taken=1, closed_at=parts.clock.now(), **said),
        insert(Copy).values(
            id=new_id(), record_id=a_filed(parts).id, number=7, carrier="paper", condition="good", original=True,
            place_id=closed, created_at=parts.clock.now(), version=1,
        ),
    )  # fmt: skip
    assert found(parts, bytes_too=False) == [("INV10", "count"), ("INV10", "closed")]


def test_the_command_names_what_it_found_and_ends_with_1(archive: Archive) -> None:
    parts = archive.parts()
    flip_a_bit(object_file(archive, a_content(parts)))
    content = a_content(parts)
    archive.close()
    answer = archive.run("fsck", "--json")
    assert answer.code == 1
    assert answer.document["ok"] is False
    assert answer.document["violations"] == [{"invariant": "INV1", "what": str(content.id), "fault": "changed"}]
