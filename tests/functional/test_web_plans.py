"""The desk and the lists ask the database by its indices: none looks at every record, however many there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from archive.model import (
    Category,
    Content,
    ContentState,
    CountedFrom,
    DueState,
    File,
    FilingDeadline,
    RecordDue,
    RecordSecrecy,
    RecordState,
    ScannedPage,
    ScanState,
)
from tests.factories.records import a_record
from tests.factories.web_house import WebHouse, a_web_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@contextmanager
def asked_of(house: WebHouse) -> Iterator[list[tuple[str, Any]]]:
    """Note what is asked of the database, with its parameters."""
    asked: list[tuple[str, Any]] = []
    engine = type(house.services.db.engine)

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_records_page_asks_for_rights_once_and_for_little_else(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        record = a_record(work.session, category, title="电梯维保合同", level=1, state=RecordState.FILED)
        work.commit()
    staff = house.browser("staff")
    staff.get(f"/records/{record.id}")  # the opening is logged once
    with asked_of(house) as asked:
        assert "电梯维保合同" in staff.get(f"/records/{record.id}").text
    questions = [statement for statement, _ in asked if not statement.startswith("BEGIN")]
    assert sum("RECURSIVE" in statement for statement in questions) == 1
    assert len(questions) <= 30, questions  # two for each thing that a page tells: files, copies, holds, its term …


@pytest.mark.parametrize(("login", "most"), [("archivist", 52), ("clerk", 45), ("staff", 40)])
def test_the_desk_asks_for_rights_and_hands_once_and_once_for_each_kind_that_waits(
    house: WebHouse, login: str, most: int
) -> None:
    client = house.browser(login)
    client.get("/")
    with asked_of(house) as asked:
        assert client.get("/").status_code == 200
    questions = [statement for statement, _ in asked if not statement.startswith("BEGIN")]
    assert sum("RECURSIVE" in statement for statement in questions) == 1
    assert sum("FROM deputy" in statement for statement in questions) <= 1
    assert len(questions) <= most, questions


@pytest.mark.parametrize("login", ["archivist", "clerk", "staff"])
def test_the_desk_looks_at_no_record_that_it_does_not_show(house: WebHouse, login: str) -> None:
    client = house.browser(login)
    with asked_of(house) as asked:
        assert client.get("/").status_code == 200
    selects = [each for each in asked if each[0].startswith("SELECT") and "record" in each[0]]
    assert len(selects) > 3
    with house.services.db.reading() as session:
        cursor = session.connection().connection.cursor()
        for statement, parameters in selects:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan = [row[-1] for row in cursor.fetchall()]
            assert not any(
                step.split(" USING", 1)[0] in {"SCAN record", "SCAN content", "SCAN file"} for step in plan
            ), plan


def test_events_are_asked_for_by_themselves_not_by_all_records_that_are_read(house: WebHouse) -> None:
    client = house.browser("archivist")
    with asked_of(house) as asked:
        assert client.get("/events").status_code == 200
    [(statement, parameters)] = [each for each in asked if "FROM retention_event" in each[0]]
    with house.services.db.reading() as session:
        cursor = session.connection().connection.cursor()
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = [row[-1] for row in cursor.fetchall()]
    assert any("record USING" in step and "(id=?)" in step for step in plan), plan
    assert not any("LIST SUBQUERY" in step for step in plan), plan


@pytest.mark.parametrize(
    ("page", "index"),
    [
        ("/uploads", "ix_content_created_by_created_at"),
        ("/retention/due?state=never", "ix_record_due_state_record_id"),
    ],
)
def test_a_list_has_its_order_from_an_index_and_sorts_nothing(house: WebHouse, page: str, index: str) -> None:
    client = house.browser("archivist")
    with asked_of(house) as asked:
        assert client.get(page).status_code == 200
    lists = [each for each in asked if "ORDER BY" in each[0] and "LIMIT" in each[0]]
    plans = []
    with house.services.db.reading() as session:
        cursor = session.connection().connection.cursor()
        for statement, parameters in lists:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" ".join(row[-1] for row in cursor.fetchall()))
    assert any(index in plan and "TEMP B-TREE" not in plan for plan in plans), plans


def test_the_desk_counts_no_further_than_it_tells(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.waiting.MOST_TOLD", 1)
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        for number in range(3):
            record = a_record(work.session, category, title=f"合同{number}", level=1, state=RecordState.PROVISIONAL)
            record.drawn_up, record.drawn_up_proposed = "2024", True
            file = File(record_id=record.id, name="扫描件.pdf", version=1)
            work.session.add(file)
            work.session.flush()
            for state in (ContentState.STORED, ContentState.QUARANTINED):
                content = Content(
                    file_id=file.id, record_id=record.id, object_key=f"{number}{state}", state=state,
                    created_at=house.services.guard.now(),
                )  # fmt: skip
                work.session.add(content)
                work.session.flush()
                if state is ContentState.STORED:
                    work.session.add(ScannedPage(content_id=content.id, number=1, state=ScanState.FAILED))
        work.commit()
    with asked_of(house) as asked:
        page = house.browser("archivist").get("/").text
    for words in ("页扫描件待核对", "件有建议待确认", "个被隔离的文件"):
        assert f"<strong>1+</strong> {words}" in page
    counts = [statement for statement, _ in asked if "count(" in statement and " scanned_page" in statement]
    assert counts
    assert all("LIMIT" in statement for statement in counts)


@pytest.mark.parametrize(
    ("page", "module", "words"),
    [
        ("/steps", "web.custody.steps", "<strong>1+</strong>"),
        ("/steps", "web.custody.steps", "1+ 件逾期"),
        ("/secrecy", "web.retention.secrecy", '<span class="count">1+</span>'),
        ("/appraisals/new", "web.retention.appraisals", "1+"),
    ],
)
def test_a_board_counts_no_further_than_it_tells_and_says_so(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch, page: str, module: str, words: str
) -> None:
    long_ago = date(2001, 5, 1)
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        work.session.add(FilingDeadline(category_id=category.id, days=30, counted_from=CountedFrom.DRAWN_UP, version=1))
        for number in range(3):
            draft = a_record(work.session, category, title=f"草稿{number}", level=1, state=RecordState.PROVISIONAL)
            draft.drawn_up, draft.drawn_from, draft.drawn_to = "2001-05-01", long_ago, long_ago
            filed = a_record(work.session, category, title=f"合同{number}", level=2, state=RecordState.FILED)
            work.session.flush()
            work.session.add_all(
                [
                    RecordSecrecy(record_id=filed.id, level_rank=2, since=long_ago, months=120, ends=date(2011, 5, 1)),
                    RecordDue(record_id=filed.id, state=DueState.DATED, due=long_ago),
                ]
            )
        work.commit()
    monkeypatch.setattr(f"{module}.MOST_TOLD", 1)
    client = house.browser("archivist")
    with asked_of(house) as asked:
        assert words in client.get(page).text
    counts = [each for each, _ in asked if "count(" in each and ("FROM record " in each or "record_secrecy" in each)]
    assert counts
    assert all("LIMIT" in each for each in counts), counts
    monkeypatch.setattr(f"{module}.MOST_TOLD", 1_000)
    assert words not in client.get(page).text
