"""Checks at their pages: a rule is set, a record falls due, is checked, and what does not agree goes on."""

from pathlib import Path

from tests.factories.api_house import an_api_house
from tests.factories.stock_pages import TITLE, Hands, a_counted_room


def test_a_record_falls_due_is_checked_and_corrected(tmp_path: Path) -> None:
    with an_api_house(tmp_path) as house:
        [number], _ = a_counted_room(house.web, "K1", 1)
        record = house.web.services.records.find_number(house.web.services.people.identity_of("archivist"), number)
        hands = Hands(house.web, "archivist")
        assert "没有应查的档案" in hands.client.get("/checks").text
        assert hands.post("/checks/rules/new", months="0", share="100").status_code == 422
        assert hands.post("/checks/rules/new", months="1", share="100").status_code == 303
        assert hands.client.get("/checks").text.count(number) >= 1
        [due] = house.get("/api/v1/checks?until=2999-01-01").json["checks"]
        assert (due["record"], due["number"]) == (str(record), number)
        assert house.get("/api/v1/checks?until=2999-01-01", "staff").json["checks"] == []
        at = f"/records/{record}/check"
        agrees = {"label_ok": "yes", "number_ok": "yes", "state_ok": "no", "description_ok": "no"}
        for refused in ({}, agrees, agrees | {"remark": "x", "hold": "under_destruction"}):
            assert hands.post(at, **refused).status_code == 422
        noted = hands.post(at, **agrees, remark="题名与封面不符", hold="in_restoration")
        assert noted.location.endswith("/correct")
        assert "题名与封面不符" in hands.client.get("/checks?done=1").text
        assert "修复中" in hands.client.get(f"/records/{record}").text
        staff = Hands(house.web, "staff")
        assert staff.client.get("/checks").status_code == 403
        assert TITLE not in staff.client.get("/checks").text
        assert staff.post(at, **agrees, remark="x").status_code == 403
        rules = hands.client.get("/checks/rules").text
        rule = rules.split("/checks/rules/", 2)[2].split("/", 1)[0]
        assert hands.post(f"/checks/rules/{rule}/drop").status_code == 303
        assert number not in hands.client.get("/checks").text
