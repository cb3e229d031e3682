"""The whole database as lines, and back into another."""

import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.database import Base, Database
from archive.errors import Damaged, StorageFull, Unavailable
from archive.model import DossierTemplate, LogCheckpoint
from storage import dump
from tests.factories import people as rights
from tests.factories import records as rows
from tests.factories.databases import a_database

pytestmark = pytest.mark.postgres


def written(db: Database) -> list[bytes]:
    with db.reading() as session:
        return b"".join(dump.write(session, "0001")).splitlines(keepends=True)


def furnished(db: Database) -> None:
    with db.writing() as work:
        session = work.session
        rows.a_house(session)
        fonds = rows.a_fonds(session, "WY01")
        category = rows.a_category(session, fonds, "WYH")
        child = rows.a_category(session, fonds, "WYH01")
        category.parent_id = child.id  # points at a row that comes later
        rows.a_record(session, category, title="电梯维保合同\n“补充”")
        rights.a_department(session, "OFFICE")
        session.add(  # a size that needs more than four bytes
            LogCheckpoint(
                size=2**40, at=datetime(2026, 3, 1, tzinfo=UTC), root=b"r" * 32, head=b"h" * 32, frontier=b"",
                key_id="k", signature=b"s" * 64,
            )
        )  # fmt: skip
        day = datetime(2026, 3, 1, tzinfo=UTC)
        session.add(DossierTemplate(code="WYH", version=1, body=None, reason="", kept_at=day))
        work.commit()


def everything(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in dump.LEFT_OUT
        }


def test_another_database_holds_the_same(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    old, new = a_database(tmp_path), a_database(tmp_path / "new")
    furnished(old)
    lines = written(old)
    assert dump.schema_of(lines[0]) == "0001"
    counts = dict(dump.load(new, lines[1:], tmp_path))
    assert counts["record"] == 1
    with new.reading() as session:
        nothing = select(DossierTemplate.code).where(DossierTemplate.body.is_(None))
        assert session.scalar(nothing) == "WYH", "nothing stays nothing"
    assert counts["category"] == 2
    assert everything(new) == everything(old)
    assert everything(new)["record"]
    old.close()
    new.close()


def test_rows_that_name_each_other_find_each_other_whether_they_were_put_aside_in_memory_or_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    old, new = a_database(tmp_path), a_database(tmp_path / "new")
    furnished(old)
    with old.writing() as work:
        fonds = rows.a_fonds(work.session, "WY02")
        chain = [rows.a_category(work.session, fonds, f"C{number:02}") for number in range(20)]
        for below, above in pairwise(chain):
            below.parent_id = above.id
        work.commit()
    monkeypatch.setattr(dump, "_IN_MEMORY", 100)
    monkeypatch.setattr(dump, "_BATCH", 3)
    list(dump.load(new, written(old)[1:], tmp_path))
    assert everything(new) == everything(old)
    assert [path for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []
    old.close()
    new.close()


def test_a_folder_that_takes_no_more_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    old, new = a_database(tmp_path), a_database(tmp_path / "new")
    furnished(old)
    monkeypatch.setattr(dump, "_IN_MEMORY", 1)
    with pytest.raises(Unavailable):
        list(dump.load(new, written(old)[1:], tmp_path / "gone"))
    old.close()
    new.close()


@pytest.mark.parametrize("many", [2, 300], ids=["what is buffered", "more than is buffered"])
def test_a_full_disk_is_told_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    (tmp_path / "new").mkdir()
    old, new = a_database(tmp_path), a_database(tmp_path / "new")
    furnished(old)
    with old.writing() as work:
        fonds = rows.a_fonds(work.session, "WY02")
        chain = [rows.a_category(work.session, fonds, f"C{number:03}") for number in range(many)]
        for below, above in pairwise(chain):
            below.parent_id = above.id
        work.commit()
    monkeypatch.setattr(dump, "_IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b"))  # noqa: SIM115
    with pytest.raises(StorageFull) as told:
        list(dump.load(new, written(old)[1:], tmp_path))
    assert told.value.facts == {"part": "disk"}
    old.close()
    new.close()


def test_a_cut_or_foreign_dump_is_told(tmp_path: Path) -> None:
    old = a_database(tmp_path)
    furnished(old)
    lines = written(old)
    old.close()
    at = next(number for number, line in enumerate(lines) if b'"table":"category",' in line)
    without_a_row = lines[: at + 1] + lines[at + 2 :]
    for number, wrong in enumerate((lines[1:-1], without_a_row[1:], [b"not json\n"], [*lines[1:], lines[1]])):
        folder = tmp_path / str(number)
        folder.mkdir()
        new = a_database(folder)
        with pytest.raises(Damaged):
            list(dump.load(new, wrong, folder))
        new.close()
    with pytest.raises(Damaged):
        dump.schema_of(b'{"other": 1}\n')


def test_every_column_has_a_kind() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            assert dump.kind_of(column)
