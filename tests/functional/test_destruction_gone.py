"""Destroyed means gone: rows, bytes, keys, index and pictures, whatever breaks off; neighbours are read on."""

import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from archive import failpoints
from archive.errors import WrongState
from archive.files import rereading
from archive.identity import system
from archive.ids import new_id
from archive.jobs.runner import JobRunner
from archive.model import (
    AttachedTo,
    Attachment,
    Content,
    Destruction,
    DestructionRun,
    DestructionState,
    Generation,
    GoneStep,
    Hold,
    HoldKind,
    Job,
    JobKind,
    JobState,
    LogEntry,
    OwnerKey,
    Record,
    RecordKind,
)
from retention.gone import looks
from retention.holds import Wanted
from runtime.fsck import fsck
from runtime.processes.pages import make_app
from runtime.processes.working import LocalWaker
from runtime.rehearsing import doom as doomed
from runtime.settings import load
from runtime.wiring.parts import Parts, build
from storage.generations import register_copy
from tests.factories.archives import Archive
from tests.factories.doomed import due, filed, states, there
from tests.factories.furnished import Hands
from tests.fakes.clock import LaterClock

ROOT = Path(__file__).parents[2]

KILLED = """
import os
import sys
from dataclasses import replace
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build
from runtime.processes.working import work_done
parts = build(replace(load(os.environ), failpoint=sys.argv[1] + ":kill"), NoWaker())
with work_done(parts, wait=True):
    pass
"""


@pytest.fixture
def parts(archive: Archive) -> Parts:
    return archive.parts()


@pytest.fixture
def five(archive: Archive, parts: Parts) -> list[UUID]:
    """Five filed records with a text each, all due."""
    texts = [f"独角兽条款第{at}号，编号UNICORN{at:05}。".encode() for at in range(5)]
    ids = filed(parts, [f"销毁测试合同{at}" for at in range(5)], texts)
    archive.work(parts)
    due(parts, ids)
    return ids


def state(parts: Parts, key: UUID) -> DestructionState:
    with parts.db.reading() as session:
        return session.get_one(Destruction, key).state


def found(parts: Parts, words: str) -> int:
    return len(parts.search.search(parts.people.identity_of("archivist"), words).hits)


def read(parts: Parts, record: UUID) -> bytes:
    with parts.db.reading() as session:
        content = session.scalars(select(Content.id).where(Content.record_id == record)).one()
    opened = parts.intake.open_file(parts.people.identity_of("archivist"), content)
    return b"".join(opened.reader.read())


@pytest.mark.postgres
def test_a_hold_that_was_released_names_nothing_that_is_gone(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    """Nor does one of others, whose job had come to a record that is gone."""
    people, holds, day = parts.people, parts.retention.holds, date(2099, 12, 31)

    def hold(kind: HoldKind, **covers: object) -> UUID:
        return holds.place(people.identity_of("archivist"), Wanted(kind, covers, "争议", "证据保全", "法院", day))

    staying, going = five[:1], five[1:]
    released = [hold(HoldKind.RECORD, id=str(each)) for each in going[:2]]
    standing = [hold(HoldKind.RECORD, id=str(staying[0])), hold(HoldKind.QUERY, words=["销毁测试合同0"])]
    archive.work(parts)
    for each in released:
        holds.release(people.identity_of("deputy"), each, "已结案")
    archive.work(parts)
    key = doomed(parts, going)
    archive.work(parts)
    with parts.db.reading() as session:
        (proof,) = looks.findings(session, key)
        assert proof.clean, proof.found
        covers = {row.id: row.covers for row in session.scalars(select(Hold).where(Hold.id.in_(released + standing)))}
    assert [covers[each] for each in released] == [{}, {}]
    assert covers[standing[0]] == {"id": str(staying[0])}, "what stands goes on covering what is there"
    page = Hands(make_app(parts), "archivist").read(f"/holds/{released[0]}")
    assert "已结案" in page


@pytest.mark.postgres
def test_what_is_destroyed_is_nowhere_and_its_neighbours_are_read_on(
    archive: Archive, parts: Parts, five: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    going, staying = five[:3], five[3:]
    assert found(parts, "UNICORN00001") == 1
    monkeypatch.setattr(rereading, "BATCH", 3)  # batches end with one that goes, and with one that stays
    parts.rereading.ask(system("operator"), {})
    archive.work(parts)
    with parts.db.reading() as session:
        keys = session.scalars(select(Content.object_key).where(Content.record_id.in_(going))).all()
        before = set(session.scalars(select(OwnerKey.generation_id).where(OwnerKey.owner_id.in_(going))))
    key = doomed(parts, going)
    archive.work(parts)
    assert state(parts, key) is DestructionState.GONE
    assert set(states(parts, key).values()) == {"gone"}
    assert there(parts, five) == set(staying)
    assert [found(parts, f"UNICORN{at:05}") for at in range(5)] == [0, 0, 0, 1, 1]
    assert not [info.key for info in parts.store.list() if info.key in keys]
    assert b"UNICORN00004" in read(parts, five[4])
    with parts.db.reading() as session:
        (proof,) = looks.findings(session, key)
        assert session.scalar(select(func.count()).where(OwnerKey.owner_id.in_(going))) == 0
        assert not before & set(session.scalars(select(Generation.id)))
        acts = select(func.count()).where(LogEntry.act == "record.destroy", LogEntry.record_id.in_(going))
        assert session.scalar(acts) == 3
    assert all(parts.ring.is_destroyed(each) for each in before)
    assert proof.clean, proof.found
    assert (proof.records, proof.contents, proof.unconfirmed) == (3, 3, ())
    assert proof.words, "words were noted and looked for"
    assert proof.tables > 80
    assert set(proof.database.values()) <= {"done", "refused"}
    assert proof.expunge == "done"
    parts.sealer.seal_all()  # an entry that waits for a minute is a fault
    report = fsck(parts)
    assert not [each for each in report.violations if each.invariant != "INV11"], report.violations


def test_what_is_attached_to_an_act_on_it_goes_with_it(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    """At a store that locks no other credential could take it away."""
    put = parts.store.put(f"attached/{new_id().hex}", [b"sealed"])
    with parts.db.writing() as work:
        work.session.add(
            Attachment(
                id=new_id(), about=AttachedTo.REPORT, subject_id=new_id(), record_id=five[0], owner_id=five[0],
                name="照片.png", media_type="image/png", object_key=put.key, store_version=put.version, size=6,
                created_at=parts.clock.now(),
            )
        )  # fmt: skip
        work.commit()
    key = doomed(parts, five[:1])
    archive.work(parts)
    assert put.key not in {info.key for info in parts.store.list()}
    with parts.db.reading() as session:
        (proof,) = looks.findings(session, key)
    assert proof.clean, proof.found
    assert proof.contents == 2


def test_what_may_not_go_is_pulled_out_in_the_act_itself(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    held, undue, gone = five[:3]
    key = doomed(parts, [held, undue, gone])
    due(parts, [undue], date(2090, 12, 31))
    who = parts.people.identity_of("archivist").person_id
    with parts.db.writing() as work:
        work.session.add(
            Hold(
                kind=HoldKind.RECORD, covers={"id": str(held)}, name="诉讼", reason="诉讼中", authority="法务",
                review_on=parts.clock.now().date(), placed_by=who, placed_at=parts.clock.now(),
            )
        )  # fmt: skip
        work.commit()
    archive.work(parts)
    assert states(parts, key) == {held: "pulled held", undue: "pulled undue", gone: "gone"}
    assert there(parts, five) == {*five} - {gone}
    assert b"UNICORN00000" in read(parts, held)


@pytest.mark.postgres
def test_a_dossier_goes_last_and_only_with_all_its_items(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    whole, half = five[0], five[1]
    with parts.db.writing() as work:
        session = work.session
        session.execute(update(Record).where(Record.id.in_([whole, half])).values(kind=RecordKind.DOSSIER))
        for dossier, item in ((whole, five[2]), (half, five[3]), (half, five[4])):
            at = 2 if item is five[4] else 1
            session.execute(update(Record).where(Record.id == item).values(dossier_id=dossier, position=at))
        work.commit()
    key = doomed(parts, [whole, half, five[2], five[3]])
    archive.work(parts)
    assert states(parts, key) == {whole: "gone", half: "pulled undue", five[2]: "gone", five[3]: "gone"}
    with parts.db.reading() as session:
        left = session.get_one(Record, five[4])
        assert (left.dossier_id, left.position) == (half, 1), "the gap is closed"


def test_copies_of_the_ring_that_do_not_confirm_are_named_until_they_do(
    archive: Archive, parts: Parts, five: list[UUID], tmp_path: Path
) -> None:
    copy, away = tmp_path / "copy", tmp_path / "away"
    register_copy(parts.db, parts.ring, "保险柜", copy, parts.clock)
    copy.rename(away)
    key = doomed(parts, five[:2])
    archive.work(parts)
    with parts.db.reading() as session:
        (proof,) = looks.findings(session, key)
    assert proof.unconfirmed == ("保险柜",)
    assert not proof.unreadable
    assert not proof.clean, "an older backup is read with that copy"
    away.rename(copy)
    parts.erasing.again(key)
    with parts.db.reading() as session:
        again = looks.findings(session, key)[0]
    assert (again.unreadable, again.clean) == (True, True)


def test_a_destruction_leaves_its_backup_to_the_next_process_when_this_one_is_to_end(
    archive: Archive, five: list[UUID], tmp_path: Path
) -> None:
    archive.close()
    there = build(load(archive.environment | {"JUANKU_BACKUP_URL": (tmp_path / "backups").as_uri()}), LocalWaker())
    try:
        key = doomed(there, five[:1])
        there.ending.set()
        assert JobRunner(there.db, there.clock, [there.erasing]).run(JobKind.DESTROY) == 1
        with there.db.reading() as session:
            job = session.scalars(select(Job).where(Job.kind == JobKind.DESTROY)).one()
            run = session.get_one(DestructionRun, key)
        assert (job.state, job.error, run.step) == (JobState.QUEUED, "interrupted", GoneStep.KEYS)
        assert there.safekeeping.backups().sets() == []
    finally:
        there.close()


@pytest.mark.parametrize("failpoint", failpoints.DESTRUCTION)
def test_a_destruction_that_is_killed_goes_on(archive: Archive, parts: Parts, five: list[UUID], failpoint: str) -> None:
    going = five[:3]
    key = doomed(parts, going)
    archive.close()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, failpoint], cwd=ROOT, env=archive.environment, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    again = archive.parts()
    now = states(again, key)
    gone = {each for each, said in now.items() if said == "gone"}
    assert there(again, going) == set(going) - gone, "each is whole or gone"
    for each in set(going) - gone:
        assert b"UNICORN" in read(again, each)
    archive.work(again)
    assert state(again, key) is DestructionState.GONE
    assert set(states(again, key).values()) == {"gone"}
    with again.db.reading() as session:
        assert looks.findings(session, key)[0].clean, looks.findings(session, key)[0].found
        acts = select(func.count()).where(LogEntry.act == "record.destroy", LogEntry.record_id.in_(going))
        assert session.scalar(acts) == 3, "never twice"
    again.sealer.seal_all()
    assert not [each for each in fsck(again).violations if each.invariant != "INV11"]
    assert b"UNICORN00004" in read(again, five[4])


def test_a_proof_finds_what_was_left_and_says_where(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    key = doomed(parts, five[:1])
    with parts.db.reading() as session:
        content = session.scalars(select(Content).where(Content.record_id == five[0])).one()
    archive.work(parts)
    parts.store.put(content.object_key, [b"left"])
    parts.pictures.put(f"{content.id.hex}-1-100-0", b"left")
    with parts.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == five[1]).values(notes=f"见 {five[0]}"))
        work.session.execute(update(Record).where(Record.id == five[2]).values(keywords=[content.object_key]))
        work.commit()
    made = parts.erasing._proofs.make(key)
    assert made.facts["found"] == {"objects": 1, "pictures": 1, "table record.keywords": 1, "table record.notes": 1}
    assert parts.erasing.again(key).facts["found"].keys() == {"table record.keywords", "table record.notes"}


def test_a_destruction_waits_for_a_store_that_is_away(archive: Archive, parts: Parts, five: list[UUID]) -> None:
    """Rows are gone at once and stay so; bytes follow when the store is back."""
    key = doomed(parts, five[:2])
    (objects,) = (path for path in archive.home.rglob("objects") if (path / "../incoming").is_dir())
    objects.rename(objects.with_name("away"))
    parts.runner.run(JobKind.DESTROY)
    assert set(states(parts, key).values()) == {"gone"}
    assert state(parts, key) is DestructionState.RUNNING
    with parts.db.reading() as session:
        assert looks.progress(session, key).bytes_waiting == 2
    objects.with_name("away").rename(objects)
    with parts.db.writing() as work:
        work.session.execute(update(Job).where(Job.kind == JobKind.DESTROY).values(run_after=parts.clock.now()))
        work.commit()
    archive.work(parts)
    assert state(parts, key) is DestructionState.GONE
    with parts.db.reading() as session:
        assert looks.progress(session, key).bytes_waiting == 0
        assert looks.findings(session, key)[0].clean


def test_tables_are_written_anew_at_the_house_s_hour_and_nobody_waits_for_it(
    archive: Archive, five: list[UUID]
) -> None:
    archive.close()
    clock = LaterClock()
    parts = build(load(archive.environment | {"JUANKU_WIPE_HOUR": "3"}), LocalWaker(), clock)
    key = doomed(parts, five[:2])
    archive.work(parts)
    assert set(states(parts, key).values()) == {"gone"}
    with parts.db.reading() as session:
        far = looks.progress(session, key)
    assert (state(parts, key), far.step) == (DestructionState.RUNNING, GoneStep.DATABASE)
    assert far.wipes_at
    assert timedelta() < far.wipes_at - clock.now() <= timedelta(days=1)
    assert (parts.guard.day(far.wipes_at), far.wipes_at.minute) == (parts.guard.next_hour(3).date(), 0)
    with pytest.raises(WrongState):  # a proof now would call dead rows gone, and forget the words to look for
        parts.erasing.again(key)
    clock.later = (far.wipes_at - clock.now()) / 2  # asked again before it, it is not put off
    archive.work(parts)
    with parts.db.reading() as session:
        assert looks.progress(session, key).wipes_at == far.wipes_at
    clock.later = far.wipes_at - datetime.now(UTC) + timedelta(minutes=1)
    archive.work(parts)
    with parts.db.reading() as session:
        assert looks.progress(session, key).wipes_at is None
        assert looks.findings(session, key)[0].clean
    assert state(parts, key) is DestructionState.GONE
    parts.close()


def test_the_operator_sees_how_far_it_is_and_proves_it_once_more(
    archive: Archive, parts: Parts, five: list[UUID]
) -> None:
    key = doomed(parts, five[:2])
    archive.work(parts)
    shown = archive.run("destruction", "show", "REHEARSAL", "--json")
    assert (shown.code, shown.document["step"], shown.document["gone"], shown.document["clean"]) == (0, "done", 2, True)
    proved = archive.run("destruction", "prove", "REHEARSAL", "--json")
    assert proved.code == 0, proved.err
    assert proved.document["clean"]
    assert proved.document["words"] is None, "the words ended with the first proof"
    with parts.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == five[2]).values(notes=f"见 {five[0]}"))
        work.commit()
    left = archive.run("destruction", "prove", "REHEARSAL", "--json")
    assert (left.code, left.document["found"]) == (1, {"table record.notes": 1})
    with parts.db.reading() as session:
        assert [each.clean for each in looks.findings(session, key)] == [False, True, True]
        assert session.scalar(select(func.count()).where(LogEntry.act == "destruction.prove")) == 2
    assert archive.run("destruction", "show", "XH-0", "--json").document["error"] == "not_found"
