"""Programs furnish a store room, note copies and shelve them, under the same policy and rules as the pages."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

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


def test_a_program_changes_hands_out_and_withdraws_a_copy_on_the_version_that_it_saw(house: ApiHouse) -> None:
    record = house.web.a_record(state=RecordState.FILED, medium=Medium.PAPER, archive_number="N9")
    key = house.ask("POST", f"/api/v1/records/{record.id}/copies", json={"pages": 3}).json["copy_id"]
    at, first = f"/api/v1/copies/{key}", '"1"'
    assert house.ask("PATCH", at, json={"pages": 4}).status_code == 428
    assert house.ask("PATCH", at, If_Match=first, json={"original_at": "总部"}).status_code == 422  # it is the original
    told = house.ask("PATCH", at, If_Match=first, json={"condition": "torn", "pages": 4})
    assert told.status_code == 422
    told = house.ask("PATCH", at, If_Match=first, json={"condition": "damaged", "pages": 4})
    assert (told.status_code, told.json["condition"], told.json["pages"], told.json["carrier"]) == (
        200, "damaged", 4, "paper",
    )  # fmt: skip
    assert house.ask("PATCH", at, If_Match=first, json={"pages": 5}).status_code == 412
    assert house.ask("PATCH", at, "staff", If_Match=first, json={"pages": 5}).status_code == 403
    tag = house.get(at).headers["ETag"]
    assert house.ask("PUT", f"{at}/holder", If_Match=tag, json={"holder": "nobody"}).status_code == 422
    handed = house.ask("PUT", f"{at}/holder", If_Match=tag, json={"holder": "staff"})
    assert (handed.status_code, "shelves_not" in handed.text) == (422, True), "it goes to them as a loan"
    handed = house.ask("PUT", f"{at}/holder", If_Match=tag, json={"holder": "archivist"})
    assert (handed.status_code, handed.json["holder"], handed.json["place"]) == (200, "archivist某", None)
    assert house.ask("POST", f"{at}/withdraw", If_Match=tag, json={"reason": "误记"}).status_code == 412
    tag = handed.headers["ETag"]
    assert house.ask("POST", f"{at}/withdraw", If_Match=tag, json={"reason": ""}).status_code == 422
    gone = house.ask("POST", f"{at}/withdraw", If_Match=tag, json={"reason": "误记"})
    assert (gone.status_code, gone.json["withdrawn"], gone.json["holder"]) == (200, True, None)
    tag = gone.headers["ETag"]
    assert house.ask("PATCH", at, If_Match=tag, json={"pages": 5}).status_code == 422


def test_a_room_is_held_with_what_lies_there(house: ApiHouse) -> None:
    room = house.ask("POST", "/api/v1/shelves", json=ROOM | {"code": "K7"}).json["shelf"]
    wanted = {"kind": "shelf", "name": "封存", "reason": "诉讼", "authority": "法务部", "review_on": "2031-06-01"}
    for wrong in ({}, {"id": str(uuid4())}):
        assert house.ask("POST", "/api/v1/holds", json=wanted | wrong).status_code == 422, wrong
    reply = house.ask("POST", "/api/v1/holds", json=wanted | {"id": room})
    assert (reply.status_code, reply.json["kind"]) == (201, "shelf"), reply.text


def test_a_program_holds_a_shelf_and_what_lies_there_is_not_corrected(house: ApiHouse) -> None:
    for body in (ROOM, {"kind": "cabinet", "code": "1", "parent": "K1"}):
        assert house.ask("POST", "/api/v1/shelves", json=body | {"security": "cabinet"}).status_code == 201
    shelf = {"kind": "shelf", "code": "1", "parent": "K1-1", "capacity": 5}
    assert house.ask("POST", "/api/v1/shelves", json=shelf).status_code == 201
    record = house.web.a_record(state=RecordState.FILED, medium=Medium.PAPER, archive_number="N9")
    copy = house.ask("POST", f"/api/v1/records/{record.id}/copies", json={}).json["copy_id"]
    assert house.ask("POST", f"/api/v1/copies/{copy}/place", json={"place": "K1-1-1"}).status_code == 200
    [room] = house.get("/api/v1/shelves").json["shelves"]
    hold = {"kind": "shelf", "name": "封存", "reason": "业主诉讼", "authority": "法务部", "review_on": "2031-06-01"}
    unknown = house.ask("POST", "/api/v1/holds", json=hold | {"id": str(record.id)})
    assert (unknown.status_code, [each["field"] for each in unknown.json["fields"]]) == (422, ["shelf"])
    assert house.ask("POST", "/api/v1/holds", "staff", json=hold | {"id": room["shelf"]}).status_code == 403
    placed = house.ask("POST", "/api/v1/holds", json=hold | {"id": room["shelf"]})
    assert (placed.status_code, placed.json["kind"]) == (201, "shelf")
    correction = {"title": "改题", "reason": "更正"}
    tag = house.get(f"/api/v1/records/{record.id}").headers["ETag"]
    refused = house.ask("POST", f"/api/v1/records/{record.id}/corrections", json=correction, If_Match=tag)
    assert (refused.status_code, refused.json["code"]) == (409, "held")
