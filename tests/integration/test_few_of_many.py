"""What is few among very many is asked for along an index of its own: never all records, nor all pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from archive.filing.steps import AT, Step
from archive.model import Content, File, Record, RecordSecrecy
from indexer.rebuild import begun
from retention.transferring.receiving import ZIPPED
from storage.fixity.plan import HELD
from tests.factories.databases import ONLY_POSTGRES, a_database
from tests.factories.records import a_house
from web.arriving.scans import worst

pytestmark = pytest.mark.postgres


def test_whether_records_under_need_to_know_were_indexed_is_asked_along_an_index(tmp_path: Path) -> None:
    db = a_database(tmp_path)
    try:
        with db.writing() as work:
            a_house(work.session)
            work.commit()
        asked: list[tuple[str, Any]] = []
        event.listen(
            db.engine, "before_cursor_execute", lambda _c, _k, statement, given, *_: asked.append((statement, given))
        )
        assert begun(db) == frozenset()
        apart = [each for each in asked if "group_id IS NOT NULL" in each[0]]
        assert apart
        with db.reading() as session:
            connection = session.connection()
            if not db.is_sqlite:
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the table is empty
            explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
            for statement, given in apart:
                plan = [str(row[-1]) for row in connection.exec_driver_sql(explain + statement, given)]
                assert any("ix_record_level_rank_in_groups" in step for step in plan), plan
    finally:
        db.close()


@ONLY_POSTGRES
def test_doubtful_pages_have_their_order_from_indices(tmp_path: Path) -> None:
    db = a_database(tmp_path)
    try:
        with db.reading() as session:
            connection = session.connection()
            for way in ("seqscan", "sort", "bitmapscan"):  # the tables are empty
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            plans = []
            for query in worst(select(Record.id)):
                words = query.limit(200).compile(connection, compile_kwargs={"literal_binds": True})
                plans.append(" ".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {words}")))
        for plan, index in zip(plans, ("failed", "confidence_content_id_number"), strict=True):
            assert f"ix_scanned_page_{index}" in plan
            assert "Sort" not in plan
    finally:
        db.close()


FEW: Mapping[str, Any] = {
    "ix_record_filed_on_paper": select(Record.id).where(AT[Step.FILED]).order_by(Record.created_at, Record.id),
    "ix_record_secrecy_condition": select(RecordSecrecy.record_id).where(RecordSecrecy.ends.is_(None)),
    "ix_file_zipped": select(File.id).where(ZIPPED).order_by(File.content_id.desc()),
    "ix_content_held": (
        select(Content.created_at)
        .where(HELD[0][1], Content.checked_at.is_(None))
        .order_by(Content.checked_at, Content.created_at)
        .limit(1)
    ),
}


@ONLY_POSTGRES
@pytest.mark.parametrize("index", FEW)
def test_what_is_few_stands_in_an_index_of_its_own(tmp_path: Path, index: str) -> None:
    db = a_database(tmp_path)
    try:
        with db.reading() as session:
            connection = session.connection()
            for way in ("seqscan", "sort", "bitmapscan"):  # the tables are empty
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            explained = FEW[index].compile(connection)
            plan = connection.exec_driver_sql(f"EXPLAIN {explained}", explained.params)
            words = " ".join(row[0] for row in plan)
    finally:
        db.close()
    assert f"using {index} on" in words, words
    assert "Sort" not in words, words
