"""The desk and the lists ask the database by its indices: none looks at every record, however many there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from archive.model import Category, RecordState
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
