"""A number opens its record however it is written, and tells nothing of records that one may not see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from archive.errors import Ambiguous, NotFound
from archive.model import IssuedNumber, Record
from tests.factories.archives import Archive
from tests.factories.web_house import WebHouse, a_web_house

NUMBER = "WY01-WYH·2024-D10-N0001"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _numbered(house: WebHouse, number: str, level: int = 1) -> Record:
    record: Record = house.a_record(level=level, archive_number=number)
    with house.services.db.writing() as work:
        work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        work.commit()
    return record


def _opened(client: FlaskClient, written: str) -> str | None:
    return client.get("/number", query_string={"n": written}).headers.get("Location")


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        "WY01-WYH.2024-D10-N0001",
        "WY01/WYH/2024/D10/N0001",
        "wy01 wyh 2024 d10 n0001",
        "WY01-WYH•2024-D10-N0001",
        "ＷＹ０１－ＷＹＨ·２０２４－Ｄ１０－Ｎ０００１",
        "WY01WYH2024D10N0001",
        "WY01:WY01-WYH 2024-D10-N0001",
        "wy01：WY01-WYH・2024-D10-N0001",
    ],
)
def test_a_number_opens_its_record_with_any_separators_and_widths(house: WebHouse, written: str) -> None:
    record = _numbered(house, NUMBER)
    assert _opened(house.browser("archivist"), written) == f"/records/{record.id}"


def test_the_number_as_it_was_given_goes_first_then_the_one_with_the_same_words(house: WebHouse) -> None:
    client = house.browser("archivist")
    dotted, dashed, joined = _numbered(house, "A·1-2"), _numbered(house, "A-1-2"), _numbered(house, "A-12")
    assert _opened(client, "A·1-2") == f"/records/{dotted.id}"
    assert _opened(client, "A-1-2") == f"/records/{dashed.id}"
    assert _opened(client, "a/12") == f"/records/{joined.id}"


def test_several_that_it_may_mean_are_named_and_only_those_that_one_sees(house: WebHouse) -> None:
    open_ones = [_numbered(house, "A·1-2"), _numbered(house, "A-1-2")]
    _numbered(house, "A/1-2", level=4)
    reply = house.browser("staff").get("/number?n=a 1 2", headers={"Accept-Language": "en"})
    assert reply.status_code == 409
    assert "WY01:A·1-2" in reply.text
    assert "WY01:A-1-2" in reply.text
    assert "WY01:A/1-2" not in reply.text
    who = house.services.people.identity_of("staff")
    with pytest.raises(Ambiguous) as refused:
        house.services.records.find_number(who, "A12")
    assert refused.value.facts == {"names": ["WY01:A-1-2", "WY01:A·1-2"]}
    assert house.services.records.find_number(who, "WY01:A·1-2") == open_ones[0].id


def test_a_hidden_number_in_another_spelling_is_like_none(house: WebHouse) -> None:
    hidden = _numbered(house, "A·1-2", level=4)
    seen = _numbered(house, "A-1-2")
    staff = house.services.people.identity_of("staff")
    assert house.services.records.find_number(staff, "A·1-2") == seen.id
    _numbered(house, "B·1", level=4)
    client = house.browser("staff")
    assert client.get("/number?n=b1").data == client.get("/number?n=c1").data
    with pytest.raises(NotFound):
        house.services.records.find_number(staff, "B 1")
    archivist = house.services.people.identity_of("archivist")
    assert house.services.records.find_number(archivist, "A·1-2") == hidden.id


def test_the_command_takes_a_number_without_its_separators(archive: Archive) -> None:
    found = archive.run("search", "", "--as", "archivist", "--json").document["hits"]
    number = next(hit["number"] for hit in found if hit["number"])
    shown = archive.run("record", "show", number.replace("·", " ").lower(), "--as", "archivist", "--json")
    assert shown.document["number"] == number
