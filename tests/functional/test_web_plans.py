"""The desk and the lists ask the database by its indices: none looks at every record, however many there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.factories.web_house import WebHouse, a_web_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.mark.parametrize("login", ["archivist", "clerk", "staff"])
def test_the_desk_looks_at_no_record_that_it_does_not_show(house: WebHouse, login: str) -> None:
    client, asked = house.browser(login), []
    engine = house.services.db.engine

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(type(engine), "before_cursor_execute", note)
    try:
        assert client.get("/").status_code == 200
    finally:
        event.remove(type(engine), "before_cursor_execute", note)
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
