"""An import takes files in while others are read: what it asks of the database, and what it keeps from the index."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from archive.identity import system
from archive.model import Content, ContentState, JobKind, LogEntry, Record, RecordState
from runtime import importing
from runtime.importing import Importer, extracting, find_files
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.integration.test_filing_statements import asked_of, drafts

pytestmark = pytest.mark.postgres
WHO = system("import")


def an_import(parts: Parts, folder: Path, count: int) -> tuple[Importer, list[tuple[Path, str]]]:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03}.txt").write_text(f"第{number}号巡检,二〇二四年三月五日", "utf-8")
    draft = replace(drafts(parts, 1)[0], drawn_up=None, level_rank=1)
    return Importer(parts, WHO, draft, "run", lambda *_told: None), find_files([folder])


def test_a_batch_is_in_before_the_one_before_it_is_read_and_only_what_is_done_with_goes_on(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    parts = archive.parts()
    importer, files = an_import(parts, tmp_path / "papers", 5)
    there: list[int] = []
    waited: list[int] = []
    waits: list[bool] = []
    spared: list[set[UUID]] = []

    def until_read(records: Collection[UUID]) -> None:
        with parts.db.reading() as session:
            stored = select(func.count()).where(Content.state == ContentState.STORED)
            there.append((session.scalar(stored) or 0) - before)
        waited.append(len(records))
        waits.append(extracting(parts.db, records))
        while extracting(parts.db, records):
            parts.runner.run(JobKind.EXTRACT)

    def filed(under_way: Collection[UUID]) -> None:
        with parts.db.reading() as session:
            states = session.execute(select(Record.id, Record.state).where(Record.id.in_(under_way)))
            assert {state for _, state in states} <= {RecordState.PROVISIONAL}
        spared.append(set(under_way))

    with parts.db.reading() as session:
        before = session.scalar(select(func.count()).where(Content.state == ContentState.STORED)) or 0
    outcome = importer.run(files, until_read, filed)
    assert [item.state for item in outcome.items] == ["filed"] * 5
    assert (there, waited) == ([4, 5, 5], [2, 2, 1])
    assert waits == [True, False, True]  # the second was read with the first
    ids = [item.record_id for item in outcome.items]
    assert spared == [set(ids[2:4]), set(ids[4:]), set()]


def test_one_batch_is_not_waited_for_with_another(archive: Archive, tmp_path: Path) -> None:
    parts = archive.parts()
    importer, files = an_import(parts, tmp_path / "papers", 2)
    importer.run(files, lambda _records: None, lambda _records: None)
    with parts.db.reading() as session:
        ids = session.scalars(select(Record.id).where(Record.title.in_(["000", "001"]))).all()
        nobodys = session.scalars(select(Record.id).where(Record.id.not_in(ids))).all()
    assert extracting(parts.db, ids)
    assert not extracting(parts.db, nobodys)
    assert not extracting(parts.db, [])


def test_dates_are_proposed_for_many_with_hardly_more_statements_than_for_one(archive: Archive) -> None:
    parts = archive.parts()
    undated = [replace(each, drawn_up=None) for each in drafts(parts, 41)]
    first, *ids = parts.records.create_many(WHO, undated)
    parts.records.propose_dates(WHO, {first: "2024-03-05"})  # generations of keys stand
    with asked_of(parts) as one:
        parts.records.propose_dates(WHO, {ids[0]: "2024-03-05"})
    with asked_of(parts) as many:
        parts.records.propose_dates(WHO, dict.fromkeys(ids, "2024-03-06"))  # the first has a date by now
    assert len(many) <= len(one) + 4, [statement for statement, _ in many]
    with parts.db.reading() as session:
        days = dict(session.execute(select(Record.id, Record.drawn_up).where(Record.id.in_(ids))).all())
        noted = select(LogEntry.record_id).where(LogEntry.act == "record.propose_date", LogEntry.record_id.in_(ids))
        assert sorted(session.scalars(noted)) == sorted(ids)
    assert days == {key: "2024-03-05" if key == ids[0] else "2024-03-06" for key in ids}
