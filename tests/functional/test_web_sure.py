"""Dangerous acts are done only when they are meant: asked about in words, the gravest by typing the number."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from archive.cataloguing.showing import number_of
from archive.model import Record, RecordState
from tests.factories.web_house import WebHouse, a_web_house, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _lower(client: FlaskClient, key: UUID, **more: str) -> TestResponse:
    token = token_on(client.get("/labels").text)
    return client.post(f"/records/{key}/level", data={"csrf_token": token, "level": "1", "version": "1", **more})


def _rank(house: WebHouse, key: UUID) -> int:
    with house.services.db.reading() as session:
        return session.get_one(Record, key).level_rank


def test_a_level_is_lowered_only_by_who_types_the_number(house: WebHouse) -> None:
    record = house.a_record(title="电梯底价", state=RecordState.PROVISIONAL, level=3)
    client, number = house.browser("archivist"), number_of(record)
    asked = _lower(client, record.id, reason="已公开")
    assert asked.status_code == 200
    assert f"请输入 {number} 以确认" in asked.text
    assert 'name="reason" value="已公开"' in asked.text, "what was typed is lost"
    for wrong in ("1", "N-2"):
        assert "降低密级" in _lower(client, record.id, reason="已公开", sure=wrong).text
    assert _rank(house, record.id) == 3
    assert _lower(client, record.id, reason="已公开", sure=number).status_code == 303
    assert _rank(house, record.id) == 1


def test_a_raised_level_is_not_asked_about(house: WebHouse) -> None:
    record = house.a_record(title="电梯合同", state=RecordState.PROVISIONAL, level=1)
    assert _lower(house.browser("archivist"), record.id, level="3", reason="含报价").status_code == 303
    assert _rank(house, record.id) == 3


def test_who_may_not_lower_is_told_nothing_new(house: WebHouse) -> None:
    record = house.a_record(title="电梯底价", archive_number="N-1", state=RecordState.FILED, level=3)
    page = _lower(house.browser("staff"), record.id, reason="x")
    assert page.status_code == 404
    assert "N-1" not in page.text
