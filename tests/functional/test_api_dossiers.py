"""Programs arrange dossiers and relate records by the same rules as people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.api_house import ApiHouse, an_api_house

NEW = {"fonds": "WY01", "category": "WYH", "title": "电梯维修合同", "drawn_up": "2026-03", "level": 1}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def new(house: ApiHouse, **more: object) -> str:
    key: str = house.ask("POST", "/api/v1/records", json=NEW | more).json["record"]
    return key


def test_a_dossier_is_filled_ordered_divided_split_and_merged(house: ApiHouse) -> None:
    dossier, items = new(house, kind="dossier"), [new(house, title=f"件{n}", pages=n) for n in range(1, 5)]
    at = f"/api/v1/records/{dossier}"
    put = house.ask("POST", f"{at}/contents", json={"records": items[:3]})
    assert put.status_code == 200, put.text
    house.ask("POST", f"{at}/contents", json={"records": items[3:], "place": 1})
    shown = house.get(f"{at}/contents")
    assert [(each["title"], each["place"], each["first_page"], each["last_page"]) for each in shown.json["items"]] == [
        ("件4", 1, 1, 4), ("件1", 2, 5, 5), ("件2", 3, 6, 7), ("件3", 4, 8, 10),
    ]  # fmt: skip
    tag = shown.headers["ETag"]
    assert house.ask("PUT", f"{at}/contents", json={"records": items}, If_Match=tag).status_code == 200
    assert house.ask("PUT", f"{at}/contents", json={"records": items}, If_Match=tag).status_code == 412

    def version() -> str:
        tag: str = house.get(f"{at}/contents").headers["ETag"]
        return tag

    wrong = house.ask("PUT", f"{at}/contents", json={"records": items[:2]}, If_Match=version())
    assert wrong.json["fields"][0]["code"] == "not_the_contents"
    divided = house.ask("PUT", f"{at}/contents/{items[2]}/volume", json={}, If_Match=version())
    assert divided.status_code == 200
    assert [each["volume"] for each in house.get(f"{at}/contents").json["items"]] == [1, 1, 2, 2]
    body = {"item": items[2], "title": "下卷"}
    made = house.ask("POST", f"{at}/split", json=body, If_Match=version()).json["record"]
    assert [each["record"] for each in house.get(f"/api/v1/records/{made}/contents").json["items"]] == items[2:]
    assert house.ask("POST", f"{at}/merge", json={"other": made}, If_Match=version()).status_code == 200
    assert house.ask("DELETE", f"{at}/contents/{items[0]}").status_code == 204
    assert [each["record"] for each in house.get(f"{at}/contents").json["items"]] == items[1:]
    for who in ("staff", "auditor"):
        assert house.get(f"{at}/contents", who).status_code == 404
        assert house.ask("POST", f"{at}/contents", who, json={"records": items[:1]}).status_code == 404


def test_records_are_related_and_told_from_both_ends(house: ApiHouse) -> None:
    one, other = new(house), new(house, title="批复")
    body = {"kind": "replies_to", "other": one}
    assert house.ask("PUT", f"/api/v1/records/{other}/relations", json=body).json["kind"] == "replies_to"
    [told] = house.get(f"/api/v1/records/{one}/relations").json["relations"]
    assert (told["kind"], told["outward"], told["record"], told["title"]) == ("replies_to", False, other, "批复")
    gone = f"/api/v1/records/{other}/relations/replies_to/{one}"
    assert house.ask("DELETE", gone).status_code == 204
    assert house.ask("DELETE", gone).status_code == 404
    assert house.ask("DELETE", gone.replace("replies_to", "nothing")).status_code == 404
    assert house.get(f"/api/v1/records/{one}/relations").json == {"relations": []}
    assert house.get(f"/api/v1/records/{one}/relations", "staff").status_code == 404
