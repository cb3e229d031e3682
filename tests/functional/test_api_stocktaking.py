"""Programs take stock: begin, scan, close, report, under the same policy as the pages."""

from pathlib import Path
from uuid import uuid4

from tests.factories.api_house import an_api_house
from tests.factories.stock_pages import TITLE, a_counted_room


def test_a_program_counts_a_room(tmp_path: Path) -> None:
    with an_api_house(tmp_path) as house:
        (here, gone), _ = a_counted_room(house.web, "K1", 2)
        begun = house.ask("POST", "/api/v1/stocktakings", json={"place": "K1"})
        assert (begun.status_code, begun.json["expected"], begun.json["state"]) == (201, 2, "open")
        at = f"/api/v1/stocktakings/{begun.json['stocktaking']}"
        assert house.ask("POST", "/api/v1/stocktakings", json={"place": "K1"}).status_code == 409
        assert house.ask("POST", "/api/v1/stocktakings", json={"place": "K9"}).status_code == 422
        assert house.ask("POST", "/api/v1/stocktakings", "staff", json={"place": "K1"}).status_code == 403
        scan = {"id": str(uuid4()), "place": "k1-1-1-1", "label": here}
        for _ in range(2):
            told = house.ask("POST", f"{at}/scans", json={"scans": [scan]})
            assert (told.status_code, told.json["scans"][0]["verdict"]) == (200, "found")
        elsewhere = {"scans": [scan | {"id": str(uuid4()), "place": "K9"}]}
        assert house.ask("POST", f"{at}/scans", json=elsewhere).status_code == 422
        closed = house.ask("POST", f"{at}/close")
        assert (closed.json["state"], closed.json["found"], closed.json["missing"]) == ("closed", 1, 1)
        assert house.ask("POST", f"{at}/scans", json={"scans": [scan]}).status_code == 409
        report = house.get(at)
        assert {each["number"]: each["tally"] for each in report.json["items"]} == {here: "found", gone: "missing"}
        assert TITLE not in report.text
        [listed] = house.get("/api/v1/stocktakings").json["stocktakings"]
        assert listed["stocktaking"] == begun.json["stocktaking"]
        assert house.get(at, "staff").status_code == 403
        record = house.get(f"/api/v1/records/by-number/{here}").json["record"]
        checks, agrees = f"/api/v1/records/{record}/checks", dict.fromkeys(("label_ok", "number_ok", "state_ok"), True)
        assert house.ask("POST", checks, json=agrees | {"description_ok": True}).status_code == 201
        assert house.ask("POST", checks, json=agrees | {"description_ok": False}).status_code == 422
        wrong = agrees | {"description_ok": False, "remark": "题名少一字"}
        assert house.ask("POST", checks, "staff", json=wrong).status_code in {403, 404}
