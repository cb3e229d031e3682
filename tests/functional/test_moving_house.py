"""Moving a house by command: verified, gone on with after a kill, closed behind, and taken back."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from archive.cataloguing.describing import Draft
from archive.errors import BrokenSetting, Damaged, Interrupted, InvalidInput, ReadOnly, StandsAlready, WrongState
from archive.identity import system
from archive.ids import new_id
from archive.model import Content, Fonds, Hold, HoldKind, HoldRecord, Job, JobKind, JobState, LogEntry, MoveRun, Record
from archive.purging import remove_records
from runtime.cli.move import read_settings, target_of
from runtime.fsck import fsck
from runtime.moving import house
from runtime.moving.closure import moving_parts, undo
from runtime.moving.house import HouseMove
from runtime.moving.index import CarriedIndex
from runtime.restoring import rehearse
from runtime.setting_up.making import require_ready
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build
from tests.factories.archives import Archive


@pytest.fixture
def new(archive: Archive, tmp_path: Path) -> Archive:
    """An empty place, with the same ring."""
    made = Archive(tmp_path / "new")
    made.folder.mkdir()
    shutil.copytree(archive.keys, made.keys)
    return made


def named(new: Archive) -> Path:
    """Write the settings of a place."""
    file = new.folder / "house.env"
    mine = {name: value for name, value in new.environment.items() if name.startswith("JUANKU_")}
    file.write_text("# the new place\n" + "".join(f"export {name}='{value}'\n" for name, value in mine.items()))
    return file


def move(archive: Archive, new: Archive, **how: Any) -> dict[str, Any]:
    """Move in this process."""
    parts = moving_parts(archive.settings, archive.settings)
    try:
        return HouseMove(parts, new.settings, **how).run()
    finally:
        parts.close()


def taken_back(archive: Archive) -> str:
    parts = moving_parts(archive.settings, archive.settings)
    try:
        return undo(parts).state
    finally:
        parts.close()


def shown(archive: Archive) -> set[tuple[Any, ...]]:
    """Return each record with its number and what its files hold."""
    with archive.parts().db.reading() as session:
        rows = session.execute(select(Record.title, Record.archive_number, Content.plain_sha256).outerjoin(Content))
        return {tuple(row) for row in rows}


def whole(archive: Archive) -> bool:
    """Whether all invariants hold, and the archive can be opened."""
    require_ready(archive.settings)
    return not fsck(archive.parts()).violations


def files_one(parts: Parts, title: str) -> None:
    """Catalogue a record with a file, as an archivist does."""
    archivist = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        like = session.scalars(select(Record).order_by(Record.id)).first()
    assert like
    draft = Draft(like.fonds_id, like.category_id, title, level_rank=like.level_rank)
    record = parts.records.create(archivist, draft)
    parts.intake.receive(archivist, record, "附件.txt", [title.encode()])


def test_a_house_moves_whole_and_the_old_place_is_closed_until_it_is_taken_back(archive: Archive, new: Archive) -> None:
    before = shown(archive)
    held(archive.parts())
    archive.close()
    answer = archive.run("move", "--to", named(new), "--json")
    assert answer.code == 0, answer.err + answer.out
    report = answer.document
    assert {"store", "index"} <= set(report["parts"])
    assert report["objects"]["count"] == report["objects"]["copied_now"] > 0
    assert report["tables"]["record"]["rows"] == len({title for title, *_ in before})
    assert json.loads(Path(report["report"]).read_text())["move"] == report["move"]

    assert shown(new) == before
    assert new.home.stat().st_mode & 0o077 == 0, "what lies in it is for the house's own account alone"
    assert whole(new)
    assert told_anew(new.parts())
    acts = select(LogEntry.act).where(LogEntry.act.startswith("house.move"))
    with new.parts().db.reading() as session:
        assert set(session.scalars(acts)) == {"house.move_begin", "house.move", "house.move_in"}

    with pytest.raises(WrongState, match="moved"):
        require_ready(archive.settings)
    parts = archive.parts()
    with pytest.raises(ReadOnly), parts.db.writing():
        pass
    with pytest.raises(WrongState):
        move(archive, new)
    archive.close()
    shutil.copy(new.keys / "witness.jsonl", archive.keys / "witness.jsonl")  # as where both places name one ring
    killed = archive.run("move", "--undo", "--json", more={"JUANKU_FAILPOINT": "move.undo:kill"})
    assert killed.code == -signal.SIGKILL
    (evidence,) = archive.keys.glob("witness-before-undo-*.jsonl")
    undone = archive.run("move", "--undo", "--json").document
    assert (undone["state"], undone["later"] > 0) == ("moved", True), "what the other place did is counted all the same"
    assert evidence.exists()
    assert shown(archive) == before
    assert whole(archive)


@pytest.mark.parametrize("step", ["move.objects", "move.rows", "move.left", "move.arrived", "move.opened"])
def test_a_move_that_is_killed_goes_on_by_the_same_command(archive: Archive, new: Archive, step: str) -> None:
    before = shown(archive)
    archive.close()
    killed = archive.run("move", "--to", named(new), "--json", more={"JUANKU_FAILPOINT": f"{step}:kill"})
    assert killed.code == -signal.SIGKILL
    if step not in {"move.objects", "move.opened"}:
        with pytest.raises(WrongState, match="arriving"):
            require_ready(new.settings)
    report = move(archive, new)
    assert report["gone_on"]
    assert report.get("objects", {"copied_now": 0})["copied_now"] == 0, "what was there is not copied again"
    assert shown(new) == before
    assert whole(new)
    with new.parts().db.reading() as session:
        begun = select(func.count()).select_from(LogEntry).where(LogEntry.act == "house.move_begin")
        assert session.scalar(begun) == 1
        came = select(func.count()).select_from(LogEntry).where(LogEntry.act == "house.move_in")
        assert session.scalar(came) == 1
    with pytest.raises(WrongState, match="moved"):
        move(archive, new)


def test_a_move_that_an_earlier_version_began_and_named_otherwise_goes_on_where_its_rows_lie(
    archive: Archive, new: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(archive)
    archive.close()
    killed = archive.run("move", "--to", named(new), "--json", more={"JUANKU_FAILPOINT": "move.rows:kill"})
    assert killed.code == -signal.SIGKILL
    parts = moving_parts(archive.settings, archive.settings)
    with parts.db.writing() as work:
        work.session.execute(update(MoveRun).values(whereto="as earlier versions named it"))
        work.commit()
    parts.close()
    with pytest.raises(StandsAlready):
        move(archive, new)
    monkeypatch.setattr(house, "earlier_place_of", lambda _: "as earlier versions named it")
    other = Archive(tmp_path / "other")
    other.folder.mkdir()
    shutil.copytree(archive.keys, other.keys)
    assert not move_is_known(archive, other), "another place of the same name, at another port"
    assert move(archive, new)["gone_on"]
    assert shown(new) == before
    assert whole(new)


def move_is_known(archive: Archive, place: Archive) -> bool:
    """Whether a move to a place, told to stop at once, goes on with one that broke off."""
    with pytest.raises(Interrupted):
        move(archive, place, going_on=lambda: False)
    with archive.parts().db.reading() as session:
        run = session.scalars(select(MoveRun).order_by(MoveRun.began_at.desc())).first()
        assert run is not None
        return run.whereto == "as earlier versions named it"


def test_what_goes_between_two_runs_of_a_move_stops_it_not_and_does_not_stay_there(
    archive: Archive, new: Archive
) -> None:
    def dies(step: str, *_: object) -> None:
        if step == "index":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(archive, new, live=True, told=dies)
    parts = archive.parts()
    with parts.db.writing() as work:
        record = work.session.scalars(select(Content.record_id).order_by(Content.id)).first()
        assert record
        gone = set(work.session.scalars(select(Content.object_key).where(Content.record_id == record)))
        remove_records(work.session, [record])
        work.commit()
    archive.close()
    assert move(archive, new)["gone_on"]
    assert not gone & {info.key for info in new.parts().store.list()}


def test_a_copy_of_the_ring_follows_what_came_into_it_while_people_worked(archive: Archive, new: Archive) -> None:
    backups = {"JUANKU_BACKUP_URL": (archive.folder / "backups").as_uri()}
    parts, begun = build(load(archive.environment | backups), NoWaker()), []

    def a_new_year_begins(step: str, *_: object) -> None:
        if step == "index" and not begun:
            begun.append(step)
            files_one(parts, "搬家时入库")
            with parts.db.writing() as work:
                record = work.session.scalars(select(Record.id).where(Record.title == "搬家时入库")).one()
                parts.vault.regroup(work.session, [(record, 2077)])  # as filing does
                work.commit()
            parts.safekeeping.make(system("backup"))

    move(archive, new, live=True, told=a_new_year_begins)
    assert begun
    parts.close()
    assert whole(new)
    there = build(load(new.environment | backups), NoWaker())
    me = there.people.identity_of("archivist")
    with there.db.reading() as session:
        content = session.scalars(select(Content.id).join(Record).where(Record.title == "搬家时入库")).one()
    assert b"".join(there.intake.open_file(me, content).reader.read()).decode() == "搬家时入库"
    made = there.safekeeping.make(system("backup"))
    assert len(made.logs) > 1, "it goes on behind the one that was made here"
    assert rehearse(there, system("backup"), made.id, None, lambda *_: None).ok
    there.close()


def test_people_file_on_while_files_are_copied_and_nothing_is_lost_or_doubled(
    archive: Archive, new: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, filed, refused = archive.parts(), [], []
    reader = parts.people.identity_of("archivist")
    watch = SimpleNamespace(monotonic=lambda: 1000.0 * len(filed) + len(refused))  # a second for each step when closed
    monkeypatch.setattr(house, "time", watch)

    def someone_works(step: str, *_counts: int) -> None:
        title = f"搬家时入库{len(filed)}{step}"
        try:
            files_one(parts, title)
            filed.append(title)
        except ReadOnly:
            refused.append(step)
            parts.readings.note(reader, "search.query", body={"query": title})  # who only reads is not held up

    report = move(archive, new, live=True, told=someone_works)
    assert filed
    assert {"verify", "index"} <= set(refused)
    assert report["read_only_seconds"] == len(refused), "and none of those in which people worked"
    came = [title for title, *_ in shown(new)]
    assert sorted(title for title in came if title.startswith("搬家时")) == sorted(filed)
    assert whole(new)
    with new.parts().db.reading() as session:
        read = select(func.count()).select_from(LogEntry).where(LogEntry.act == "search.query")
        assert session.scalar(read) == len(refused), "what was read while it moved is in the log there"


def test_an_index_that_was_built_while_people_worked_catches_up_with_what_changed(
    archive: Archive, new: Archive
) -> None:
    source = moving_parts(archive.settings, archive.settings)
    there = replace(archive.settings, home=new.home)
    new.home.mkdir()
    target = moving_parts(there, there)
    facts: dict[str, Any] = {}
    index = CarriedIndex(source, target, facts, lambda *_: None)
    index.build_ahead()
    with source.db.writing() as work:  # what a worker of the old place has brought into the old index already
        changed = work.session.scalars(select(Record.id).order_by(Record.id).limit(2)).all()
        work.session.execute(update(Record).where(Record.id.in_(changed)).values(version=Record.version + 1))
        work.commit()
    index.build()
    assert (facts["index_caught_up"], facts["indexed"]) == (2, len({title for title, *_ in shown(archive)}))
    with target.db.reading() as session:
        assert not list(target.rebuilder.differences(session))

    with source.db.writing() as work:
        work.session.execute(update(Fonds).values(version=Fonds.version + 1))
        work.commit()
    facts.clear()
    index.build()
    assert "index_caught_up" not in facts, "what entries say of their fonds changed: all is built anew"
    assert facts["indexed"] > 2
    source.close()
    target.close()


def test_a_move_that_is_told_to_stop_leaves_the_house_open_and_goes_on_later(archive: Archive, new: Archive) -> None:
    parts = archive.parts()
    with pytest.raises(Interrupted):
        move(archive, new, going_on=lambda: False)
    files_one(parts, "搬家停下之后入库")
    assert move(archive, new)["gone_on"]
    assert "搬家停下之后入库" in {title for title, *_ in shown(new)}


def test_a_killed_move_can_be_taken_back_instead(archive: Archive, new: Archive) -> None:
    archive.run("move", "--to", named(new), "--json", more={"JUANKU_FAILPOINT": "move.rows:kill"})
    parts = archive.parts()
    with pytest.raises(ReadOnly):
        files_one(parts, "只读时入库")
    assert taken_back(archive) == "read_only"
    files_one(parts, "又可入库")


def test_a_place_that_is_not_empty_or_has_another_ring_is_refused(archive: Archive, tmp_path: Path) -> None:
    stranger = Archive(tmp_path / "stranger")
    assert stranger.run("init", "--name", "别家", "--json").code == 0
    with pytest.raises(BrokenSetting, match="other_ring"):
        move(archive, stranger)
    shutil.rmtree(stranger.keys)
    shutil.copytree(archive.keys, stranger.keys)
    with pytest.raises(StandsAlready):
        move(archive, stranger)
    with pytest.raises(InvalidInput):
        move(archive, archive)
    files_one(archive.parts(), "仍可入库")


def held(parts: Parts) -> None:
    """Have a record held and its file locked, as the store that the house leaves was told."""
    now, person = parts.clock.now(), parts.people.identity_of("archivist").person_id
    with parts.db.writing() as work:
        record = work.session.scalars(select(Record.id).order_by(Record.id)).first()
        hold = Hold(
            id=new_id(), kind=HoldKind.RECORD, covers={"id": str(record)}, name="诉讼", reason="诉讼中",
            authority="法务", review_on=now.date(), placed_by=person, placed_at=now, swept_at=now,
        )  # fmt: skip
        work.session.add(hold)
        work.session.flush()
        work.session.execute(delete(HoldRecord))
        work.session.add(HoldRecord(hold_id=hold.id, record_id=record, since=now, on_store=True))
        work.session.execute(update(Content).values(locked_until=now))
        work.commit()


def told_anew(parts: Parts) -> bool:
    """Whether no lock and no hold counts as known to the store, and both are asked for."""
    kinds = [JobKind.LOCK, JobKind.HOLD]
    asked = select(Job.kind).where(Job.kind.in_(kinds), Job.state == JobState.QUEUED)
    with parts.db.reading() as session:
        known = {*session.scalars(select(HoldRecord.on_store)), *session.scalars(select(Content.locked_until))}
        return known == {False, None} and {*session.scalars(asked)} == {*kinds}


def test_the_store_alone_moves_and_the_old_settings_are_refused(archive: Archive, tmp_path: Path) -> None:
    before = shown(archive)
    held(archive.parts())
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={(tmp_path / 'elsewhere').as_uri()}\n")
    target = target_of(archive.settings, file, "store")
    killed = archive.run("move", "--to", file, "--only", "store", "--json", more={"JUANKU_FAILPOINT": "move.left:kill"})
    assert killed.code == -signal.SIGKILL
    parts = moving_parts(archive.settings, archive.settings)
    report = HouseMove(parts, target).run()
    parts.close()
    assert report["parts"] == ["store"]
    with pytest.raises(WrongState, match="moved"):
        require_ready(archive.settings)
    require_ready(target)
    there = moving_parts(target, target)
    assert not fsck(there).violations
    assert told_anew(there)
    held(there)
    there.close()
    assert shown(archive) == before
    assert taken_back(archive) == "moved"
    assert whole(archive)
    assert told_anew(archive.parts())


def test_a_file_that_is_not_whole_stops_the_move_and_the_house_works_on(archive: Archive, new: Archive) -> None:
    with archive.parts().db.reading() as session:
        key = session.scalars(select(Content.object_key).order_by(Content.id)).first()
    assert key
    (path,) = (each for each in (archive.home / "objects").rglob("*") if key.replace("/", "_") in each.name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Damaged):
        move(archive, new)
    files_one(archive.parts(), "仍可入库")
    assert move(archive, new, even_damaged=True)["objects"]["damaged"] == [key]


def test_a_file_of_settings_is_read_as_a_shell_reads_it(archive: Archive, new: Archive) -> None:
    file = named(new)
    assert read_settings(file)["JUANKU_HOME"] == str(new.home)
    target = target_of(archive.settings, file, "store")
    assert target.store_url == new.settings.store_url
    assert target.database_url == archive.settings.database_url
    file.write_text("export JUANKU_PORT=8400 JUANKU_OCR=none\nPATH=/bin\n")
    with pytest.raises(InvalidInput):
        read_settings(file)
