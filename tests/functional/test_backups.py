"""Backups by command: made beside an archive in use, checked without keys, restored on an empty machine, rehearsed."""

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from archive.errors import Damaged, StandsAlready
from archive.identity import system
from archive.ids import new_id
from archive.model import (
    BackupAct,
    BackupRun,
    Channel,
    Content,
    Delivery,
    DeliveryState,
    Hold,
    HoldKind,
    HoldRecord,
    Job,
    JobKind,
    JobState,
    LogEntry,
    LogSeal,
    Message,
    OwnerKey,
    Record,
)
from runtime.doctor import doctor
from runtime.locks import held
from runtime.restoring import rehearse, restore
from runtime.settings import Settings, load
from storage.restoring import LEFT_OUT
from storage.safekeeping import DAMAGED_KNOWN
from tests.factories.archives import Answer, Archive


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    return {"JUANKU_BACKUP_URL": (tmp_path / "backups").as_uri()}


def elsewhere(archive: Archive, folder: Path) -> Archive:
    """Return an empty machine that has nothing but the ring."""
    made = Archive(folder)
    made.folder.mkdir()
    shutil.copytree(archive.keys, made.keys)
    return made


def shown(archive: Archive) -> set[tuple[Any, ...]]:
    """Return each record with its number and what its files hold."""
    parts = archive.parts()
    with parts.db.reading() as session:
        rows = session.execute(select(Record.title, Record.archive_number, Content.plain_sha256).outerjoin(Content))
        return {tuple(row) for row in rows}


def objects_in(place: dict[str, str]) -> list[Path]:
    folder = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://")) / "objects"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def good(answer: Answer) -> dict[str, Any]:
    assert answer.code == 0, answer.err + answer.out
    return answer.document


def test_an_empty_machine_gets_all_back_and_the_second_set_copies_only_what_is_new(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    first = good(archive.run("backup", "--json", more=place))
    assert first["objects"] == first["copied"] > 0
    assert first["faults"] == []
    before = shown(archive)
    second = good(archive.run("backup", "--json", more=place))
    assert (second["objects"], second["copied"]) == (first["objects"], 0)
    listed = good(archive.run("backups", "--json", more=place))["sets"]
    assert [each["id"] for each in listed] == [second["id"], first["id"]]

    new = elsewhere(archive, tmp_path / "new")
    source = str(tmp_path / "backups")
    report = good(new.run("restore", "--from", source, "--json"))
    assert report["records"] == first["records"]
    assert report["contents"] == first["objects"]
    assert report["violations"] == report["lost"] == []
    assert shown(new) == before
    again = new.run("restore", "--from", source, "--json")
    assert (again.code, again.document["error"]) == (1, "stands_already")


def test_nothing_in_a_backup_is_plain(archive: Archive, place: dict[str, str]) -> None:
    good(archive.run("backup", "--json", more=place))
    with archive.parts().db.reading() as session:
        titles = [title.encode() for title in session.scalars(select(Record.title))]
    every = [path.read_bytes() for path in objects_in(place)]
    assert every
    assert not [title for title in titles for data in every if title in data]


def test_a_flipped_bit_is_found_without_a_key_and_told_by_a_restore(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    good(archive.run("backup", "--json", more=place))
    assert good(archive.run("backups", "--check", "--json", more=place))["bad"] == []
    with archive.parts().db.reading() as session:
        key = session.scalars(select(Content.object_key).order_by(Content.id)).first()
    assert key
    (path,) = (each for each in objects_in(place) if key.replace("/", "_") in each.name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    checked = archive.run("backups", "--check", "--json", more=place)
    assert (checked.code, checked.document["bad"]) == (1, [f"objects/{key}"])
    new = elsewhere(archive, tmp_path / "new")
    report = new.run("restore", "--from", str(tmp_path / "backups"), "--json")
    assert report.code == 1
    assert report.document["lost"] == [key]
    assert {each["what"] for each in report.document["violations"]}

    assert good(archive.run("backup", "--json", more=place))["copied"] == 1, "what a check found is copied again"
    assert good(archive.run("backups", "--check", "--json", more=place))["bad"] == []
    assert len([each for each in objects_in(place) if key.replace("/", "_") in each.name]) == 1


def test_a_rehearsal_reports_and_leaves_nothing_behind_nor_what_a_killed_one_left(
    archive: Archive, place: dict[str, str]
) -> None:
    with held(archive.settings.run / "backup.lock"):
        refused = archive.run("backup", "--json", more=place)
    assert (refused.code, refused.document["error"]) == (1, "stands_already"), "one set at a time"
    made = good(archive.run("backup", "--json", more=place))
    killed = archive.run("backups", "--rehearse", "--json", more={**place, "JUANKU_FAILPOINT": "restore.objects:kill"})
    assert killed.code == -signal.SIGKILL
    left = archive.settings.run / "rehearsal"
    assert (left / "juanku.db").exists()
    assert {"rehearsal_left", "no_ring_copy"} <= {part.message for part in doctor(load(archive.environment | place))}
    report = good(archive.run("backups", "--rehearse", "--json", more=place))
    assert (report["set"], report["records"]) == (made["id"], made["records"])
    assert report["violations"] == []
    assert report["seconds"] > 0
    assert not left.exists()
    assert good(archive.run("fsck", "--json"))["ok"]


def test_what_was_destroyed_since_does_not_come_back_and_the_archive_is_whole_without_it(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    good(archive.run("backup", "--json", more=place))
    old = good(archive.run("backups", "--json", more=place))["sets"][0]["id"]
    parts = archive.parts()
    with parts.db.writing() as work:
        said = select(LogEntry.record_id).where(LogEntry.act == "record.file")
        doomed = work.session.scalars(select(Record).where(Record.id.in_(said)).order_by(Record.id)).first()
        assert doomed
        title, gone = doomed.title, doomed.id
        work.session.execute(delete(OwnerKey).where(OwnerKey.owner_id == doomed.id))
        work.commit()
    archive.close()
    archive.run("backup", "--json", more=place)
    new = elsewhere(archive, tmp_path / "new")
    report = good(new.run("restore", "--set", old, "--from", str(tmp_path / "backups"), "--json"))
    assert (report["destroyed_since"], report["violations"]) == (1, [])
    with new.parts().db.reading() as session:
        assert title not in set(session.scalars(select(Record.title)))
        (told,) = session.scalars(select(LogEntry).where(LogEntry.act == LEFT_OUT))
        assert (told.record_id, str(told.subject_id), told.actor) == (gone, old, "system:restore")
    assert good(new.run("log", "verify", "--json"))["ok"]


def test_one_bad_copy_of_the_key_pack_ends_no_restore_and_one_restore_runs_at_a_time(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    made = parts.safekeeping.make(system("backup"))
    backups = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://"))
    packs = [next(backups.rglob(f"{room}_{made.id}@*")) for room in ("keys", "keys-again")]
    for number, path in enumerate(packs):
        whole = path.read_bytes()
        path.write_bytes(bytes(len(whole)))
        new = elsewhere(archive, tmp_path / f"new{number}")
        with held(new.settings.run / "restore.lock"), pytest.raises(StandsAlready, match="restore_at_work"):
            restore(new.settings, backups.as_uri(), None, lambda *_: None)
        report = restore(new.settings, backups.as_uri(), None, lambda *_: None)
        assert (report.ok, report.restored.records) == (True, made.records)
        path.write_bytes(whole)


def test_a_rehearsal_that_fails_is_kept_with_its_reason(archive: Archive, place: dict[str, str]) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    made = parts.safekeeping.make(system("backup"))
    (rows,) = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://")).rglob(f"sets_{made.id}_database@*")
    rows.write_bytes(bytes(rows.stat().st_size))
    with pytest.raises(Damaged):
        rehearse(parts, system("backup"), None, None, lambda *_: None)
    with parts.db.reading() as session:
        run = session.scalars(select(BackupRun).where(BackupRun.act == BackupAct.REHEARSE)).one()
        assert (run.set_id, run.error, bool(run.ended_at)) == (made.id, "damaged", True)
        assert session.scalars(select(LogEntry).where(LogEntry.act == "backup.rehearse")).one()
    assert not (parts.settings.run / "rehearsal").exists()


def test_a_run_that_is_killed_is_no_set_and_the_next_goes_on(archive: Archive, place: dict[str, str]) -> None:
    killed = archive.run("backup", "--json", more={**place, "JUANKU_FAILPOINT": "backup.database:kill"})
    assert killed.code == -signal.SIGKILL
    assert good(archive.run("backups", "--json", more=place))["sets"] == []
    made = good(archive.run("backup", "--json", more=place))
    assert made["copied"] == 0
    assert made["objects"] > 0
    assert good(archive.run("backups", "--check", "--json", more=place))["bad"] == []


def test_a_restore_that_is_killed_opens_nothing_and_is_begun_anew(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    made = good(archive.run("backup", "--json", more=place))
    new, source = elsewhere(archive, tmp_path / "new"), str(tmp_path / "backups")
    killed = new.run("restore", "--from", source, "--json", more={"JUANKU_FAILPOINT": "restore.objects:kill"})
    assert killed.code == -signal.SIGKILL
    refused = new.run("search", "合同", "--as", "archivist", "--json")
    assert (refused.code, refused.document["facts"]["state"]) == (1, "restoring")
    came = next(path for path in (new.home / "objects" / "objects").rglob("*@*") if path.stat().st_size)
    came.write_bytes(bytes(came.stat().st_size))  # of the same length, and not what it was
    assert good(new.run("restore", "--from", source, "--json"))["records"] == made["records"]


def test_a_restore_that_breaks_off_at_its_end_keeps_its_witness_and_takes_nothing_of_the_lost_store_as_done(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    now = parts.clock.now()
    with parts.db.writing() as work:
        session = work.session
        record = session.scalars(select(Record).order_by(Record.id)).first()
        assert record
        person = parts.people.identity_of("archivist").person_id
        hold = Hold(
            id=new_id(), kind=HoldKind.RECORD, covers={"id": str(record.id)}, name="诉讼", reason="诉讼中",
            authority="法务", review_on=now.date(), placed_by=person, placed_at=now, swept_at=now,
        )  # fmt: skip
        message = Message(id=new_id(), person_id=person, topic="due.loan_return", once="one", made_at=now)
        session.add_all([hold, message])
        session.flush()
        session.add(HoldRecord(hold_id=hold.id, record_id=record.id, since=now, on_store=True))
        session.execute(update(Content).values(locked_until=now))
        session.add(Delivery(id=new_id(), message_id=message.id, person_id=person, channel=Channel.EMAIL, made_at=now))
        work.commit()
    made = [parts.safekeeping.make(system("backup")) for _ in range(3)]
    (manifest,) = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://")).rglob(f"sets_{made[0].id}_manifest@*")
    manifest.write_bytes(manifest.read_bytes().replace(b"records", b"RECORDS"))
    listed = good(archive.run("backups", "--json", more=place))
    assert [each["id"] for each in listed["sets"]] == [str(each.id) for each in made[:0:-1]]
    assert listed["damaged"] == [str(made[0].id)]
    parts.sealer.seal_all()
    witnessed = parts.checkpoints.make()
    assert witnessed
    new, source = elsewhere(archive, tmp_path / "new"), str(tmp_path / "backups")
    killed = new.run("restore", "--from", source, "--json", more={"JUANKU_FAILPOINT": "restore.told:kill"})
    assert killed.code == -signal.SIGKILL, killed.err
    (aside,) = new.keys.glob("witness-before-restore-*.jsonl")
    evidence = aside.read_bytes()
    report = good(new.run("restore", "--from", source, "--json"))
    assert report["set"] == str(made[2].id), "one old set is damaged, and stands in no other's way"
    assert report["log_entries_lost"] == witnessed.size - made[2].log_seq > 0
    with new.parts().db.reading() as session:
        runs = select(BackupRun.set_id, BackupRun.error).where(BackupRun.act == BackupAct.MAKE)
        told = session.execute(runs.order_by(BackupRun.began_at)).all()
    assert told == [(each.id, None) for each in made], "the set's own run, too, ended well"
    kept = new.parts().safekeeping.last_finished()
    assert kept
    assert (kept.set_id, kept.ended_at, kept.facts["objects"]) == (made[2].id, made[2].made_at, made[2].objects)
    assert aside.read_bytes() == evidence
    with new.parts().db.reading() as session:
        assert set(session.scalars(select(HoldRecord.on_store))) == {False}
        assert set(session.scalars(select(Content.locked_until))) == {None}
        (sent,) = session.scalars(select(Delivery))
        assert (sent.state, sent.reason) == (DeliveryState.UNCLEAR, "broke_off")
        asked = select(Job.kind).where(Job.kind.in_([JobKind.LOCK, JobKind.HOLD]), Job.state == JobState.QUEUED)
        assert {*session.scalars(asked)} == {JobKind.LOCK, JobKind.HOLD}


def test_a_restored_house_knows_which_sets_are_damaged_and_which_files_were_lost_before(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    made = parts.safekeeping.make(system("backup"))
    (manifest,) = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://")).rglob(f"sets_{made.id}_manifest@*")
    manifest.write_bytes(manifest.read_bytes().replace(b"records", b"RECORDS"))
    lost = next(path for path in (archive.home / "objects" / "objects").rglob("*@*") if path.stat().st_size)
    lost.write_bytes(bytes(lost.stat().st_size))
    for each in objects_in(place):  # the only other copy
        if each.name.endswith(lost.name) or lost.name.partition("@")[0] in each.name:
            each.unlink()
    with pytest.raises(Damaged):  # tells of the lost file, and has it looked at
        parts.safekeeping.make(system("backup"))
    parts.fixity.run(system("fixity"), everything=True)
    with pytest.raises(Damaged):
        parts.safekeeping.make(system("backup"))
    there = parts.safekeeping.last_finished()
    assert there
    assert (there.error, there.facts["damaged_sets"]) == (DAMAGED_KNOWN, [str(made.id)])
    new = elsewhere(archive, tmp_path / "new")
    new.run("restore", "--from", str(tmp_path / "backups"), "--json")
    kept = new.parts().safekeeping.last_finished()
    assert kept
    assert (kept.set_id, kept.error, kept.facts["damaged_sets"]) == (there.set_id, DAMAGED_KNOWN, [str(made.id)])
    assert new.parts().safekeeping.last_good() == kept.ended_at


def test_a_house_that_lost_all_but_a_copy_of_its_ring_comes_back_after_keys_were_replaced(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    safe = tmp_path / "safe"
    for wrong in (archive.home / "copy", archive.keys, tmp_path / "backups" / "ring"):
        refused = archive.run("keys", "copy", "保险柜", wrong, "--json", more=place)
        assert (refused.code, refused.document["error"]) == (1, "invalid")
    good(archive.run("keys", "copy", "保险柜", safe, "--json", more=place))
    old = good(archive.run("backup", "--json", more=place))
    before = shown(archive)
    archive.close()
    rotated = good(archive.run("keys", "rotate", "--json", more=place))
    assert (rotated["complete"], rotated["unconfirmed"]) == (True, [])
    assert rotated["moved"] > 0
    assert [each["name"] for each in good(archive.run("keys", "copies", "--json"))["copies"]] == ["保险柜"]
    parts = archive.parts()
    with parts.db.reading() as session:
        acts = session.scalars(select(LogEntry.act).where(LogEntry.act.startswith("key."))).all()
    assert acts == ["key.copy", "key.rotate"]
    asked = load(archive.environment | place)
    assert "ring_copies" in {part.message for part in doctor(asked)}
    safe.rename(tmp_path / "away")
    parts.settings = asked
    parts.safekeeping.make(system("backup"))
    assert "ring_copy_late" in {part.message for part in doctor(asked)}
    (tmp_path / "away").rename(safe)
    good(archive.run("keys", "copy", "保险柜", safe, "--json", more=place))
    shutil.rmtree(archive.home)
    shutil.rmtree(archive.keys)

    new = Archive(tmp_path / "new")
    new.folder.mkdir()
    shutil.copytree(safe, new.keys)
    report = good(new.run("restore", "--set", old["id"], "--from", str(tmp_path / "backups"), "--json"))
    assert report["violations"] == report["lost"] == []
    assert shown(new) == before
    assert good(new.run("keys", "forget", "保险柜", "--json"))["name"] == "保险柜"
    assert new.run("keys", "forget", "保险柜", "--json").document["error"] == "not_found"


def test_a_foreign_ring_opens_nothing(archive: Archive, place: dict[str, str], tmp_path: Path) -> None:
    good(archive.run("backup", "--json", more=place))
    stranger = Archive(tmp_path / "stranger")
    assert stranger.run("init", "--name", "别家", "--json").code == 0
    shutil.rmtree(stranger.home)
    refused = stranger.run("restore", "--from", str(tmp_path / "backups"), "--json")
    assert refused.code == 1
    assert refused.document["error"] == "damaged"


def test_old_sets_are_forgotten_but_never_the_last_three(archive: Archive, place: dict[str, str]) -> None:
    settings: Settings = load(archive.environment | place | {"JUANKU_BACKUP_DAYS": "1"})
    parts = archive.parts()
    parts.settings = settings
    made = [parts.safekeeping.make(system("backup")) for _ in range(4)]
    ring = parts.ring
    assert parts.safekeeping.backups().forget_before(parts.clock.now()) == 1
    assert [each.id for each in parts.safekeeping.backups().sets()] == [each.id for each in reversed(made[1:])]
    assert ring.is_destroyed(made[0].id)
    assert not ring.is_destroyed(made[1].id)
    assert parts.safekeeping.check(system("backup"), made[1].id) == []


def test_a_set_writes_only_what_is_new_of_the_log_and_the_chain_comes_back_whole(
    archive: Archive, place: dict[str, str], tmp_path: Path
) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    made = []
    for _ in range(5):
        made.append(parts.safekeeping.make(system("backup")))
        parts.sealer.seal_all()
    assert [len(each.logs) for each in made] == [1, 2, 3, 4, 5]
    assert made[4].logs[:4] == made[3].logs
    assert [part.after for part in made[4].logs] == [0, *(part.upto for part in made[4].logs[:-1])]
    assert made[4].logs[-1].size < made[0].logs[0].size / 3
    assert parts.safekeeping.backups().forget_before(parts.clock.now()) == 2
    assert parts.safekeeping.check(system("backup"), made[4].id) == []
    with parts.db.reading() as session:
        sealed = select(LogSeal.seq, LogSeal.chain).where(LogSeal.seq <= made[4].log_seq).order_by(LogSeal.seq)
        chain = [tuple(row) for row in session.execute(sealed)]

    new = elsewhere(archive, tmp_path / "new")
    report = good(new.run("restore", "--from", str(tmp_path / "backups"), "--json"))
    assert report["violations"] == []
    with new.parts().db.reading() as session:
        assert [tuple(row) for row in session.execute(sealed)] == chain

    files = Path(place["JUANKU_BACKUP_URL"].removeprefix("file://")).rglob(f"logs_{made[4].logs[1].id}@*")
    next(files).unlink()
    assert parts.safekeeping.check(system("backup"), made[4].id) == [made[4].logs[1].key]
    anew = parts.safekeeping.make(system("backup"))
    assert [part.after for part in anew.logs] == [0], "a log that lacks a part is written anew"
