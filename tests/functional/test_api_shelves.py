"""Programs furnish a store room, note copies and shelve them, under the same policy and rules as the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model import Medium, RecordState
from tests.factories.api_house import ApiHouse, an_api_house

ROOM = {"kind": "room", "code": "K1", "names": {"zh_CN": "库房"}}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_a_program_shelves_a_copy_and_is_told_why_not(house: ApiHouse) -> None:
    for body in (
        ROOM,
        {"kind": "cabinet", "code": "1", "parent": "K1", "security": "cabinet"},
        {"kind": "shelf", "code": "1", "parent": "K1-1", "capacity": 1},
    ):
        assert house.ask("POST", "/api/v1/shelves", json=body).status_code == 201
    assert house.ask("POST", "/api/v1/shelves", json=ROOM).status_code == 409
    assert house.ask("POST", "/api/v1/shelves", json=ROOM | {"code": "K2", "parent": "X"}).status_code == 422
    assert house.ask("POST", "/api/v1/shelves", "staff", json=ROOM).status_code == 403
    records = [
        house.web.a_record(level=level, state=RecordState.FILED, medium=Medium.PAPER, archive_number=f"N{n}")
        for n, level in enumerate((2, 2, 3))
    ]
    copies = []
    for record in records:
        made = house.ask("POST", f"/api/v1/records/{record.id}/copies", json={"pages": 3})
        assert made.status_code == 201
        copies.append(made.json["copy_id"])
    where = {"place": "k1-1-1"}
    placed = house.ask("POST", f"/api/v1/copies/{copies[0]}/place", json=where)
    assert (placed.status_code, placed.json["place"], placed.json["taken"]) == (200, "K1-1-1", 1)
    for copy, code in ((copies[1], "place_full"), (copies[2], "place_forbidden")):
        refused = house.ask("POST", f"/api/v1/copies/{copy}/place", json=where)
        assert (refused.status_code, refused.json["code"]) == (409, code)
    assert house.ask("POST", f"/api/v1/copies/{copies[0]}/place", "staff", json=where).status_code == 404
    [shelf] = house.get("/api/v1/shelves?below=K1-1").json["shelves"]
    assert (shelf["path"], shelf["taken"], shelf["capacity"]) == ("K1-1-1", 1, 1)
    [told] = house.get(f"/api/v1/records/{records[0].id}/copies").json["copies"]
    assert (told["place"], told["pages"], told["to_move"]) == ("K1-1-1", 3, False)
    assert house.get(f"/api/v1/records/{records[0].id}/copies", "staff").status_code == 404
