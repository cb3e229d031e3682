"""A move that is taken back: what it refuses, what it finds in the old store, and what it says of the log."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from archive.cataloguing.describing import Draft
from archive.errors import InUse, NotFound, ReadOnly, WrongState
from archive.identity import system
from archive.model import Content, ContentState, LogEntry, Record, RecordState
from archive.ports import PIECE_BYTES
from runtime.cli.move import target_of
from runtime.fsck import fsck
from runtime.jobs.checkpointing import tell
from runtime.moving import closure
from runtime.moving.closure import moving_parts, undo
from runtime.moving.house import HouseMove
from runtime.setting_up.making import create, require_ready
from runtime.setting_up.servers import set_up
from runtime.settings import Settings, load
from runtime.wiring.parts import NoWaker, build
from storage.generations import erase_owners
from tests.factories import minio_server
from tests.factories.archives import Archive


def move(source: Settings, target: Settings) -> None:
    parts = moving_parts(source, source)
    try:
        HouseMove(parts, target).run()
    finally:
        parts.close()


def taken_back(settings: Settings) -> Any:
    parts = moving_parts(settings, settings)
    try:
        return undo(parts)
    finally:
        parts.close()


def three_stores(archive: Archive, folder: Path) -> list[Settings]:
    """Return the settings of an archive, which is closed for it, with its own store and with two new ones."""
    archive.close()
    file = folder / "store.env"
    found = [archive.settings]
    for name in ("second", "third"):
        file.write_text(f"JUANKU_STORE_URL={(folder / name).as_uri()}\n")
        found.append(target_of(archive.settings, file, "store"))
    return found


def emptied(settings: Settings) -> None:
    """Take all objects out of a store."""
    parts = build(settings, NoWaker())
    for info in list(parts.store.list()):
        parts.store.remove(info.key, info.version)
    parts.close()


def test_a_move_is_not_taken_back_when_keys_that_the_old_rows_need_went_at_the_new_place(
    archive: Archive, tmp_path: Path
) -> None:
    parts = archive.parts()
    with parts.db.writing() as work:
        gone, stays = work.session.scalars(select(Record.id).order_by(Record.id).limit(2))
        parts.vault.regroup(work.session, [(gone, 2077), (stays, 2077)])
        work.commit()
    archive.close()
    here = archive.settings
    new = replace(Archive(tmp_path / "new").settings, keys=here.keys)
    move(here, new)
    there = build(new, NoWaker())
    assert erase_owners(there.db, there.ring, [gone], there.clock).destroyed
    there.sealer.seal_all()
    there.checkpoints.make()
    there.close()
    witnessed = (here.keys / "witness.jsonl").read_bytes()

    answer = archive.run("move", "--undo", "--json")
    assert answer.code
    assert "juanku move --to" in answer.err
    with pytest.raises(InUse, match="move_keys"):
        taken_back(here)
    assert (here.keys / "witness.jsonl").read_bytes() == witnessed
    assert not list(here.keys.glob("witness-before-undo-*"))
    with pytest.raises(WrongState, match="moved"):
        require_ready(here)
    require_ready(new)


def test_a_move_that_was_taken_back_and_killed_at_it_is_told_once_in_the_log(archive: Archive, tmp_path: Path) -> None:
    here = archive.settings
    move(here, replace(Archive(tmp_path / "new").settings, keys=here.keys))
    killed = archive.run("move", "--undo", "--json", more={"JUANKU_FAILPOINT": "move.undo:kill"})
    assert killed.code == -signal.SIGKILL
    with pytest.raises(WrongState, match="moved"):
        require_ready(here)
    answer = archive.run("move", "--undo", "--json").document
    assert answer["later"] > 0
    assert not answer["other_witness"]
    with archive.parts().db.reading() as session:
        acts = select(func.count()).select_from(LogEntry).where(LogEntry.act == "house.move_undo")
        assert session.scalar(acts) == 1


def test_a_store_s_move_that_is_taken_back_and_killed_at_it_is_open_with_the_files_of_the_old_store(
    archive: Archive, tmp_path: Path
) -> None:
    placed = select(Content.object_key, Content.store_version).where(Content.store_version.is_not(None))
    with archive.parts().db.reading() as session:
        before = {row[0]: row[1] for row in session.execute(placed)}
    archive.close()
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={(tmp_path / 'elsewhere').as_uri()}\n")
    move(archive.settings, target_of(archive.settings, file, "store"))
    with pytest.raises(WrongState, match="moved"):
        require_ready(archive.settings)
    killed = archive.run("move", "--undo", "--json", more={"JUANKU_FAILPOINT": "move.undo:kill"})
    assert killed.code == -signal.SIGKILL
    require_ready(archive.settings)
    with archive.parts().db.reading() as session:
        assert {row[0]: row[1] for row in session.execute(placed)} == before


def test_a_store_that_is_gone_back_to_gives_each_file_the_version_that_is_whole(
    archive: Archive, tmp_path: Path
) -> None:
    parts = archive.parts()
    placed = select(Content.object_key, Content.store_version).where(Content.store_version.is_not(None))
    with parts.db.reading() as session:
        before = {row[0]: row[1] for row in session.execute(placed)}
    for key in before:
        for _ in range(3):  # what mending replaced stays beside it for a time
            parts.store.put(key, [b"damaged"])
    archive.close()
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={(tmp_path / 'elsewhere').as_uri()}\n")
    target = target_of(archive.settings, file, "store")
    move(archive.settings, target)
    with archive.parts().db.reading() as session:
        assert before != {row[0]: row[1] for row in session.execute(placed)}
    assert taken_back(archive.settings).state == "moved"
    with archive.parts().db.reading() as session:
        assert {row[0]: row[1] for row in session.execute(placed)} == before


def test_a_witness_bucket_that_both_places_share_is_told_of_when_a_move_is_taken_back(tmp_path: Path) -> None:
    server = minio_server.needed()
    bucket = minio_server.a_bucket(server)
    given = {
        "JUANKU_KEYS": str(tmp_path / "keys"),
        "JUANKU_OCR": "none",
        "JUANKU_STORE_URL": f"s3+http://{server.endpoint}/{bucket}",
        "JUANKU_STORE_KEY": server.key,
        "JUANKU_STORE_SECRET": server.secret,
        "JUANKU_STORE_WITNESS_BUCKET": f"{bucket}-witness",
        "JUANKU_STORE_WITNESS_KEY": server.key,
        "JUANKU_STORE_WITNESS_SECRET": server.secret,
    }
    set_up(load(given | {"JUANKU_STORE_ADMIN_KEY": server.key, "JUANKU_STORE_ADMIN_SECRET": server.secret}))
    places = ("here", "there", "again")
    here, there, again = (load(given | {"JUANKU_HOME": str(tmp_path / name)}) for name in places)
    create(here, {"en": "One"}, "grades", "Asia/Shanghai")
    move(here, there)
    assert not taken_back(here).other_witness, "nothing was told there yet"
    move(here, again)
    parts = build(again, NoWaker())
    assert parts.witness_bucket
    tell(parts.db, parts.witness_bucket)
    parts.close()
    answer = Archive(tmp_path).run("move", "--undo", more=given | {"JUANKU_HOME": str(here.home)})
    assert answer.code == 0, answer.err
    assert "JUANKU_STORE_WITNESS_BUCKET" in answer.out


def test_a_file_that_came_into_the_new_store_while_the_old_was_looked_at_is_not_left_there(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={(tmp_path / 'elsewhere').as_uri()}\n")
    archive.close()
    target = target_of(archive.settings, file, "store")
    move(archive.settings, target)
    there = build(target, NoWaker())
    looks = closure._old_versions

    def looked(parts: Any) -> Any:
        found = looks(parts)
        with there.db.writing() as work:
            record = work.session.scalars(select(Record).order_by(Record.id)).first()
            assert record
            record.state = RecordState.PROVISIONAL  # takes files
            key = record.id
            work.commit()
        there.intake.receive(there.people.identity_of("archivist"), key, "late.txt", [b"late"])
        return found

    monkeypatch.setattr(closure, "_old_versions", looked)
    with pytest.raises(InUse, match="move_store"):
        taken_back(archive.settings)
    with pytest.raises(WrongState, match="moved"):
        require_ready(archive.settings)
    require_ready(target)
    there.close()


@pytest.mark.postgres
def test_a_file_that_is_on_its_way_into_the_new_store_is_refused_from_the_moment_in_which_the_old_one_is_open(
    archive: Archive, tmp_path: Path
) -> None:
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={(tmp_path / 'elsewhere').as_uri()}\n")
    parts = archive.parts()
    with parts.db.reading() as session:
        fonds, category = session.execute(select(Record.fonds_id, Record.category_id).limit(1)).one()
    key = parts.records.create(system("trial"), Draft(fonds, category, "晚到的文件", drawn_up="2024", level_rank=1))
    archive.close()
    target = target_of(archive.settings, file, "store")
    move(archive.settings, target)
    there = build(target, NoWaker())

    def coming() -> Iterator[bytes]:
        yield b"late" * PIECE_BYTES  # announced, and on its way
        taken_back(archive.settings)
        yield b"r"

    with pytest.raises(ReadOnly) as refused:
        there.intake.receive(there.people.identity_of("archivist"), key, "late.txt", coming())
    assert refused.value.facts["state"] == "moved"
    there.close()
    require_ready(archive.settings)
    with pytest.raises(WrongState, match="moved"):
        require_ready(target)
    with pytest.raises(NotFound):
        taken_back(target)
    parts = archive.parts()
    with parts.db.reading() as session:
        coming_in = select(func.count()).select_from(Content).where(Content.state == ContentState.RECEIVING)
        assert session.scalar(coming_in) == 1, "it is to be sent again"
    assert not fsck(parts).violations


@pytest.mark.postgres
def test_a_store_that_was_left_twice_is_come_back_to_and_can_be_gone_to_again(archive: Archive, tmp_path: Path) -> None:
    first, second, third = three_stores(archive, tmp_path)
    move(first, second)
    move(second, third)
    taken_back(first)
    require_ready(first)
    for left in (second, third):
        with pytest.raises(WrongState, match="moved"):
            require_ready(left)
    for each in (second, third):
        emptied(each)
    move(first, third)
    require_ready(third)
    for left in (first, second):
        with pytest.raises(WrongState, match="moved"):
            require_ready(left)


@pytest.mark.postgres
def test_whichever_store_is_come_back_to_each_other_one_is_closed_and_only_those_left_before_are_gone_back_to(
    archive: Archive, tmp_path: Path
) -> None:
    first, second, third = three_stores(archive, tmp_path)
    everywhere = (first, second, third)

    def only_open(place: Settings) -> None:
        require_ready(place)
        for other in everywhere:
            if other is not place:
                with pytest.raises(WrongState, match="moved"):
                    require_ready(other)

    move(first, second)
    move(second, third)
    taken_back(second)
    only_open(second)
    with pytest.raises(NotFound):
        taken_back(third)
    taken_back(first)
    only_open(first)
    for left in (second, third):
        with pytest.raises(NotFound):
            taken_back(left)


def test_what_left_a_store_that_was_come_to_twice_is_no_way_past_a_move_back(archive: Archive, tmp_path: Path) -> None:
    first, second, third = three_stores(archive, tmp_path)
    move(first, second)
    move(second, third)
    emptied(second)
    move(third, second)
    taken_back(first)
    require_ready(first)
    for left in (second, third):
        with pytest.raises(WrongState, match="moved"):
            require_ready(left)
        with pytest.raises(NotFound):
            taken_back(left)
