"""Moving a house by command: verified, gone on with after a kill, closed behind, and taken back."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from archive.model import Content, LogEntry, Record
from runtime.settings import load
from runtime.wiring import NoWaker, build
from tests.factories.archives import Answer, Archive


def good(answer: Answer) -> dict[str, Any]:
    assert answer.code == 0, answer.err + answer.out
    return answer.document


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


def shown(archive: Archive) -> set[tuple[Any, ...]]:
    """Return each record with its number and what its files hold."""
    with archive.parts().db.reading() as session:
        rows = session.execute(select(Record.title, Record.archive_number, Content.plain_sha256).outerjoin(Content))
        return {tuple(row) for row in rows}


def found(archive: Archive) -> list[str]:
    return sorted(hit["title"] for hit in good(archive.run("search", "合同", "--as", "archivist", "--json"))["hits"])


def test_a_house_moves_whole_and_the_old_place_is_closed_until_it_is_taken_back(archive: Archive, new: Archive) -> None:
    before, hits = shown(archive), found(archive)
    report = good(archive.run("move", "--to", named(new), "--json"))
    assert report["parts"] == ["database", "store", "index"]
    assert report["objects"]["count"] == report["objects"]["copied_now"] > 0
    assert report["tables"]["record"]["rows"] == len({title for title, *_ in before})
    assert report["read_only_seconds"] <= report["seconds"] + 1
    assert json.loads(Path(report["report"]).read_text())["move"] == report["move"]

    assert shown(new) == before
    assert found(new) == hits != []
    assert good(new.run("fsck", "--json"))["ok"]
    acts = select(LogEntry.act).where(LogEntry.act.startswith("house.move"))
    with new.parts().db.reading() as session:
        assert set(session.scalars(acts)) == {"house.move_begin", "house.move", "house.move_in"}

    refused = archive.run("search", "合同", "--as", "archivist", "--json")
    assert (refused.code, refused.document["facts"]["state"]) == (1, "moved")
    again = archive.run("move", "--to", named(new), "--json")
    assert again.code == 1
    assert shown(archive) == before
    undone = good(archive.run("move", "--undo", "--json"))
    assert undone["later"] > 0
    assert found(archive) == hits
    assert good(archive.run("fsck", "--json"))["ok"]


@pytest.mark.parametrize("step", ["move.objects", "move.rows", "move.followed", "move.left"])
def test_a_move_that_is_killed_goes_on_by_the_same_command(archive: Archive, new: Archive, step: str) -> None:
    before = shown(archive)
    killed = archive.run("move", "--to", named(new), "--json", more={"JUANKU_FAILPOINT": f"{step}:kill"})
    assert killed.code == -signal.SIGKILL
    if step != "move.objects":
        refused = new.run("search", "合同", "--as", "archivist", "--json")
        assert (refused.code, refused.document["facts"]["state"]) == (1, "arriving"), "half a house is not opened"
    report = good(archive.run("move", "--to", named(new), "--json"))
    assert report["gone_on"]
    assert report.get("objects", {"copied_now": 0})["copied_now"] == 0, "what was there is not copied again"
    assert shown(new) == before
    assert good(new.run("fsck", "--json"))["ok"]
    with new.parts().db.reading() as session:
        entries = session.scalar(select(func.count()).select_from(LogEntry).where(LogEntry.act == "house.move_begin"))
    assert entries == 1


def test_a_killed_move_can_be_taken_back_instead(archive: Archive, new: Archive) -> None:
    archive.run("move", "--to", named(new), "--json", more={"JUANKU_FAILPOINT": "move.rows:kill"})
    assert good(archive.run("move", "--undo", "--json"))["state"] == "read_only"
    assert found(archive) != []
    assert good(archive.run("fsck", "--json"))["ok"]


def test_a_place_that_is_not_empty_or_has_another_ring_is_refused(archive: Archive, tmp_path: Path) -> None:
    stranger = Archive(tmp_path / "stranger")
    assert stranger.run("init", "--name", "别家", "--json").code == 0
    refused = archive.run("move", "--to", named(stranger), "--json")
    assert (refused.document["error"], refused.document["facts"]["reason"]) == ("broken_setting", "other_ring")
    shutil.rmtree(stranger.keys)
    shutil.copytree(archive.keys, stranger.keys)
    refused = archive.run("move", "--to", named(stranger), "--json")
    assert (refused.document["error"], refused.document["facts"]["what"]) == ("stands_already", "archive")
    same = archive.run("move", "--to", named(archive), "--json")
    assert same.document["faults"][0]["code"] == "same_place"
    assert found(archive) != []


def test_the_store_alone_moves_and_the_old_settings_are_refused(archive: Archive, tmp_path: Path) -> None:
    before = shown(archive)
    there = {"JUANKU_STORE_URL": (tmp_path / "elsewhere").as_uri()}
    file = tmp_path / "store.env"
    file.write_text(f"JUANKU_STORE_URL={there['JUANKU_STORE_URL']}\n")
    killed = archive.run(
        "move", "--to", file, "--only", "store", "--json", more={"JUANKU_FAILPOINT": "move.left:kill"}
    )
    assert killed.code == -signal.SIGKILL
    report = good(archive.run("move", "--to", file, "--only", "store", "--live", "--json"))
    assert report["parts"] == ["store"]
    refused = archive.run("search", "合同", "--as", "archivist", "--json")
    assert refused.document["facts"]["state"] == "moved"
    assert good(archive.run("fsck", "--json", more=there))["ok"]
    assert shown(archive) == before
    good(archive.run("move", "--undo", "--json"))
    assert good(archive.run("fsck", "--json"))["ok"]


def test_a_file_that_is_not_whole_stops_the_move_and_the_house_works_on(archive: Archive, new: Archive) -> None:
    with archive.parts().db.reading() as session:
        key = session.scalars(select(Content.object_key).order_by(Content.id)).first()
    assert key
    (path,) = (each for each in (archive.home / "objects").rglob("*") if key.replace("/", "_") in each.name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    refused = archive.run("move", "--to", named(new), "--json")
    assert (refused.document["error"], refused.document["facts"]["count"]) == ("damaged", 1)
    assert found(archive) != []
    report = good(archive.run("move", "--to", named(new), "--even-damaged", "--json"))
    assert report["objects"]["damaged"] == [key]


def test_the_settings_of_the_example_are_read(archive: Archive, new: Archive) -> None:
    from runtime.cli.move import read_settings, target_of

    file = named(new)
    assert read_settings(file)["JUANKU_HOME"] == str(new.home)
    target = target_of(archive.settings, file, "store")
    assert target.store_url == load(new.environment).store_url
    assert target.database_url == archive.settings.database_url
    build(target, NoWaker()).close()
