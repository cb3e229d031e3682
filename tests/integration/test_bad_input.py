"""Bad input gets a clear error that names the field or file; nothing is lost, nothing is half done."""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, update

from archive.cataloguing.describing import Draft
from archive.errors import ArchiveError, Damaged, InvalidInput, StorageFull
from archive.identity import system
from archive.model import Category, Content, Counter, IssuedNumber, LogEntry, Record, RecordState
from archive.numbering.rule import parse
from archive.ports import PIECE_BYTES
from indexer.pagetext import load_pages
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories import hostile_files as hostile
from tests.factories.archives import Answer, Archive

WHO = system("test")
MEGABYTE = "好" * 350_000  # 1 MB in UTF-8


def draft(parts: Parts, **more: Any) -> Draft:
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    return Draft(**{"fonds_id": category.fonds_id, "category_id": category.id, "title": "登记表"} | more)


def state(parts: Parts) -> Mapping[str, int]:
    """Count what an act could have left behind."""
    with parts.db.reading() as session:
        counts = {
            each.__name__: session.scalar(select(func.count()).select_from(each)) or 0
            for each in (Record, Content, LogEntry, IssuedNumber)
        }
        return counts | {"counters": session.scalar(select(func.sum(Counter.last))) or 0}


def faults_of(refused: InvalidInput) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in refused.faults]


def assert_whole(archive: Archive, parts: Parts) -> None:
    archive.work(parts)
    assert fsck(parts).violations == ()


@pytest.fixture(scope="module")
def imported(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, dict[str, Any]]:
    """A folder of bad files with one good one, brought in by one command."""
    folder = tmp_path_factory.mktemp("bad")
    files = {
        "empty.txt": b"",
        "locked.pdf": hostile.a_locked_pdf(),
        "circle.pdf": hostile.pages_in_a_circle(),
        "itself.pdf": hostile.a_form_that_draws_itself(),
        "swells.pdf": hostile.a_pdf_that_swells(),
        "swells.zip": hostile.a_zip_that_swells(),
        "cut.pdf": hostile.a_locked_pdf()[:300],
        "good.txt": "民国三十八年三月五日订立本契约,立据人玄铁令。\n".encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    archive = archive_template.copy(tmp_path_factory.mktemp("import") / "archive")
    answer = archive.run("import", folder, "--category", "WYYZ", "--fonds", "H001", "--json")
    assert answer.code == 1, "not all went well"
    items = {Path(item["path"]).name: item for item in answer.document["items"]}
    return archive, {"items": items, "counts": answer.document, "folder": folder}


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("empty.txt", "failed", "empty_file"),
        ("locked.pdf", "quarantined", "encrypted"),
        ("cut.pdf", "quarantined", "broken"),
        ("swells.zip", "quarantined", "bomb"),
        ("circle.pdf", "quarantined", "broken"),
        ("itself.pdf", "filed", None),
        ("swells.pdf", "filed", None),
        ("good.txt", "filed", None),
    ],
)
def test_each_bad_file_is_told_by_name_and_holds_up_no_other(
    imported: tuple[Archive, dict[str, Any]], name: str, state: str, reason: str | None
) -> None:
    item = imported[1]["items"][name]
    assert (item["state"], item["reason"]) == (state, reason)
    assert bool(item["number"]) is (state == "filed")


def test_after_a_folder_of_bad_files_all_invariants_hold(imported: tuple[Archive, dict[str, Any]]) -> None:
    archive, told = imported
    assert {name: told["counts"][name] for name in ("filed", "waiting", "quarantined", "failed")} == {
        "filed": 3, "waiting": 0, "quarantined": 4, "failed": 1,
    }  # fmt: skip
    parts = archive.parts()
    assert fsck(parts).violations == ()
    archive.close()


def test_a_republican_year_in_the_text_is_proposed_as_the_date(imported: tuple[Archive, dict[str, Any]]) -> None:
    parts = imported[0].parts()
    with parts.db.reading() as session:
        record = session.scalars(select(Record).where(Record.title == "good")).one()
    imported[0].close()
    assert (record.drawn_up, record.drawn_up_proposed) == ("1949-03-05", True)


def test_the_same_folder_twice_points_out_each_double(imported: tuple[Archive, dict[str, Any]], tmp_path: Path) -> None:
    archive, told = (
        imported[0].copy(tmp_path / "again"),
        imported[1],
    )  # the other tests look at the folder's first import
    answer = archive.run("import", told["folder"], "--category", "WYYZ", "--fonds", "H001", "--json")
    doubles = {Path(item["path"]).name: item["doubles"] for item in answer.document["items"]}
    assert not doubles.pop("empty.txt")
    assert [name for name, found in doubles.items() if not found] == []


@pytest.mark.parametrize(
    ("word", "names"),
    [("drawn_up=2024-02-31", "drawn_up"), ("nonsense=1", "nonsense"), ("title", "field"), ("term=forever", "term")],
)
def test_a_bad_field_is_named_by_the_command_and_nothing_comes_in(archive: Archive, word: str, names: str) -> None:
    before = state(archive.parts())
    file = archive.folder / "a.txt"
    file.write_text("某")
    answer = archive.run("import", file, "--category", "WYYZ", "--fonds", "H001", "--field", word, "--json")
    assert answer.code == 1
    assert answer.document["error"] == "invalid"
    assert [name for name in answer.document["facts"]["fields"] if names in name]
    assert answer.err.strip()
    assert state(archive.parts()) == before


@pytest.mark.parametrize("name", ["title", "responsible", "notes", "drawn_up", "material"])
def test_a_megabyte_in_a_plain_field_is_refused_by_name(archive: Archive, name: str) -> None:
    parts = archive.parts()
    before = state(parts)
    with pytest.raises(InvalidInput) as refused:
        parts.records.create(WHO, draft(parts, **{name: MEGABYTE}))
    assert name in {field for field, _ in faults_of(refused.value)}
    assert state(parts) == before


def with_fields(parts: Parts) -> UUID:
    """Give the category own fields; return its id."""
    names = {"zh_CN": "某", "zh_TW": "某", "en": "some"}
    kinds = ("text", "identity", "phone", "person", "date", "number")
    fields = [{"name": f"my_{kind}", "kind": kind, "names": names} for kind in kinds]
    with parts.db.writing() as work:
        category = work.session.scalars(select(Category).where(Category.code == "WYYZ")).one()
        category.fields = fields
        work.commit()
    return category.id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("my_identity", "11010519491231002A"),
        ("my_identity", "110105194912310021"),
        ("my_phone", "12000000000"),
        ("my_date", "2024-02-31"),
        ("my_number", "many"),
        ("my_text", MEGABYTE),
        ("my_person", MEGABYTE),
        ("my_identity", MEGABYTE),
    ],
    ids=["letter", "digit", "phone", "31-february", "number", "text-1MB", "person-1MB", "identity-1MB"],
)
def test_a_bad_value_of_an_own_field_is_refused_by_name(archive: Archive, name: str, value: str) -> None:
    parts = archive.parts()
    with_fields(parts)
    before = state(parts)
    with pytest.raises(InvalidInput) as refused:
        parts.records.create(WHO, draft(parts, fields={name: value}))
    assert any(name in field for field, _ in faults_of(refused.value))
    assert state(parts) == before


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024", "2024"),
        ("2024-03", "2024-03"),
        ("民国38年3月5日", "1949-03-05"),
        ("2024年3月", "2024-03"),
        (None, None),
    ],
)
def test_a_date_is_taken_as_far_as_it_is_known(archive: Archive, written: str | None, kept: str | None) -> None:
    parts = archive.parts()
    key = parts.records.create(WHO, draft(parts, drawn_up=written))
    with parts.db.reading() as session:
        assert session.get_one(Record, key).drawn_up == kept


def test_a_category_without_a_rule_is_named_when_its_records_are_filed(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.writing() as work:
        work.session.execute(update(Category).values(number_rule_id=None))
        work.commit()
    key = parts.records.create(WHO, draft(parts, drawn_up="2024-03-05"))
    before = state(parts)
    (answer,) = parts.filing.file(WHO, [key])
    assert (answer.reason, answer.missing, answer.archive_number) == ("no_number_rule", ("category",), None)
    assert state(parts) == before
    with parts.db.reading() as session:
        assert session.get_one(Record, key).state is RecordState.PROVISIONAL


@pytest.mark.parametrize(
    "template", ["{fonds}-{category}", "{fonds}-{year}-{serial:4}", "{serial:4}{serial:4}", "{fonds}{mark}[{serial:4}]"]
)
def test_a_rule_that_cannot_be_unique_is_refused_and_the_place_is_named(template: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(template)
    (fault,) = refused.value.faults
    assert fault.field == "template"
    assert 0 <= fault.facts["at"] <= len(template)


def test_a_name_of_300_characters_with_slashes_is_kept_and_is_no_path(archive: Archive) -> None:
    parts = archive.parts()
    name = "../../etc/" + "楼" * 285 + "\x07\n.txt"
    key = parts.records.create(WHO, draft(parts, drawn_up="2024-03-05"))
    received = parts.intake.receive(WHO, key, name, ["竹简".encode()])
    parts.filing.file(WHO, [key])
    assert_whole(archive, parts)
    assert parts.intake.open_file(parts.people.identity_of("archivist"), received.content_id).name == name
    assert not [path for path in archive.folder.rglob("*") if "楼" in path.name or "etc" in path.name]


def test_a_query_of_a_megabyte_is_refused(archive: Archive) -> None:
    parts = archive.parts()
    with pytest.raises(InvalidInput) as refused:
        parts.search.search(parts.people.identity_of("archivist"), MEGABYTE)
    assert faults_of(refused.value)[0][0] == "q"


@pytest.mark.parametrize("hurt", ["root.key", "token.json"])
def test_a_broken_ring_is_named_and_nothing_is_written(archive: Archive, hurt: str) -> None:
    before = state(archive.parts())
    archive.close()
    kept = (archive.keys / hurt).read_bytes()
    (archive.keys / hurt).write_bytes(kept[:20])
    file = archive.folder / "a.txt"
    file.write_text("某")
    answer = archive.run("import", file, "--category", "WYYZ", "--fonds", "H001", "--json")
    assert answer.code == 1
    assert answer.document["error"] == "broken_setting"
    assert "Traceback" not in answer.err
    doctor = archive.run("doctor", "--json")
    assert doctor.code == 1
    assert doctor.document["ok"] is False
    (archive.keys / hurt).write_bytes(kept)
    parts = archive.parts()
    assert state(parts) == before
    assert_whole(archive, parts)


def test_a_disk_that_takes_no_more_of_a_file_fails_that_file_alone(archive: Archive) -> None:
    folder = archive.folder / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("前一份")
    (folder / "b.bin").write_bytes(os.urandom(24_000_000))
    (folder / "c.txt").write_text("后一份")

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_000_000, 16_000_000))

    words = ["import", str(folder), "--category", "WYYZ", "--fonds", "H001", "--field", "drawn_up=2024", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "runtime", *words],
        env=archive.environment, capture_output=True, check=False, preexec_fn=no_large_files,
    )  # fmt: skip
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert answer.code == 1
    told = {Path(item["path"]).name: (item["state"], item["reason"]) for item in answer.document["items"]}
    assert told == {"a.txt": ("filed", None), "b.bin": ("failed", "storage_full"), "c.txt": ("filed", None)}
    assert not list((archive.home / "objects" / "incoming").iterdir())
    assert_whole(archive, archive.parts())


def test_a_database_that_takes_no_more_refuses_and_goes_on_when_there_is_room(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.reading() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        key = session.scalars(select(Category.id).where(Category.code == "WYYZ")).one()
    assert key
    parts.db.close()

    @event.listens_for(parts.db.engine, "connect")
    def no_room(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    before = state(parts)
    many = [draft(parts, title="长" * 1_900, notes="短" * 19_000) for _ in range(40)]
    with pytest.raises(StorageFull):
        parts.records.create_many(WHO, many)
    assert state(parts) == before
    event.remove(parts.db.engine, "connect", no_room)
    parts.db.close()
    parts = archive.parts()
    parts.records.create_many(WHO, many)
    assert_whole(archive, parts)


def test_every_page_of_5000_is_findable(archive: Archive) -> None:
    parts = archive.parts()
    key = parts.records.create(WHO, draft(parts, title="大部头", drawn_up="2024-03-05"))
    received = parts.intake.receive(WHO, key, "deliveries.pdf", [hostile.many_pages(5000)])
    archive.work(parts)
    with parts.db.reading() as session:
        texts = {page.number: page.text for page in load_pages(session, parts.vault, key, received.content_id)}
    assert [number for number in range(1, 5001) if hostile.page_word(number) not in texts.get(number, "")] == []
    reader = parts.people.identity_of("archivist")
    for number in (1, 2, 199, 200, 201, 2500, 3333, 4800, 4999, 5000):
        found = parts.search.search(reader, hostile.page_word(number))
        assert [(hit.record_id, [p.page for p in hit.passages]) for hit in found.hits] == [(key, [number])]


def test_an_upload_that_breaks_off_is_gone_on_with_or_swept(archive: Archive) -> None:
    parts = archive.parts()
    data = os.urandom(9_000_000)
    who = parts.people.identity_of("archivist")
    key = parts.records.create(who, draft(parts, drawn_up="2024"))
    upload = parts.intake.begin(who, key, "film.bin", len(data))
    parts.intake.put_piece(who, upload, 0, data[: 8 * 1024 * 1024])
    archive.close()

    again = archive.parts()  # another process, with nothing in memory
    assert again.intake.progress(who, upload) == 1
    with pytest.raises(ArchiveError):
        again.intake.finish(who, upload)
    again.intake.put_piece(who, upload, 1, data[8 * 1024 * 1024 :])
    content = again.intake.finish(who, upload).content_id
    assert b"".join(again.intake.open_file(who, content).reader.read()) == data
    assert_whole(archive, again)


def test_a_stream_that_breaks_off_leaves_nothing(archive: Archive) -> None:
    parts = archive.parts()
    key = parts.records.create(WHO, draft(parts, drawn_up="2024"))
    before = state(parts)

    def broken_off() -> Any:
        yield b"x" * 10_000_000
        raise Damaged(what="stream")

    with pytest.raises(Damaged):
        parts.intake.receive(WHO, key, "a.bin", broken_off())
    assert state(parts) == before
    assert not list((archive.home / "objects" / "incoming").iterdir())


def test_an_upload_that_was_joined_when_the_process_died_is_finished_by_asking_again(archive: Archive) -> None:
    parts = archive.parts()
    data = os.urandom(9_000_000)
    who = parts.people.identity_of("archivist")
    upload = parts.intake.begin(who, parts.records.create(who, draft(parts)), "film.bin", len(data))
    for number in range(2):
        parts.intake.put_piece(who, upload, number, data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES])
    with parts.db.reading() as session:
        content = session.get_one(Content, upload)
    assert content.upload
    parts.store.finish(content.object_key, content.upload)  # and here it died
    archive.close()

    again = archive.parts()
    assert again.intake.progress(who, upload) == 2
    assert again.intake.finish(who, upload).size == len(data)
    assert_whole(archive, again)
