"""A stock-taking at its pages: begun, scanned by two, closed, reported, followed up; custodians see numbers alone."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from tests.factories import people
from tests.factories.stock_pages import TITLE, Hands, a_counted_room
from tests.factories.web_house import WebHouse, a_web_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        with made.services.db.writing() as work:
            people.is_custodian(work.session, made.people["staff"], 1)
            work.commit()
        yield made


def _scan(place: str, text: str) -> dict[str, str]:
    return {"id": str(uuid4()), "place": place, "text": text}


def test_two_count_a_room_and_what_follows_is_done(house: WebHouse) -> None:
    (here, wrong, gone), boxes = a_counted_room(house, "K1", 3)
    archivist, custodian = Hands(house, "archivist"), Hands(house, "staff")
    at = archivist.post("/stocktakings", place="k1").location
    first = archivist.send(f"{at}/scans", _scan(boxes[0], here), _scan(boxes[0], "who knows"))
    assert [each["verdict"] for each in first.json["scans"]] == ["found", "unknown"]
    both = _scan(boxes[1], wrong)
    second = custodian.send(f"{at}/scans", _scan(boxes[0], here), both, both)
    assert [each["verdict"] for each in second.json["scans"]] == ["twice", "misplaced", "misplaced"]
    assert "K1-1-1-1" in second.json["scans"][1]["said"]
    assert second.json["figures"] == {"expected": 3, "scanned": 2, "unknown": 1}
    assert archivist.post(f"{at}/close").status_code == 200  # it asks once more
    assert archivist.post(f"{at}/close", sure="1").status_code == 303
    late = custodian.send(f"{at}/scans", _scan(boxes[0], gone))
    assert (late.status_code, late.json["code"]) == (409, "request_ended")
    for hands in (archivist, custodian):
        page = hands.client.get(at).text
        assert all(number in page for number in (wrong, gone))
        assert TITLE not in page
    printed = pypdfium2.PdfDocument(archivist.client.get(f"{at}/report.pdf").data)
    text = printed[0].get_textpage().get_text_bounded()
    assert gone in text
    assert TITLE not in text
    sheet = CalamineWorkbook.from_filelike(BytesIO(custodian.client.get(f"{at}/report.xlsx").data))
    rows = sheet.get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[1:]] == [gone, wrong, here, "who knows"]
    assert archivist.post(f"{at}/missing", reason="找遍").status_code == 303
    copy = re.search(r'name="copy" value="([0-9a-f-]{36})"', archivist.client.get(at).text)
    assert copy
    assert custodian.post(f"{at}/settle", copy=copy[1], what="there").status_code == 303
    record = archivist.client.get(f"/number?n={gone}", follow_redirects=True).text
    assert "缺失" in record
    assert "找遍" in record
    seen = custodian.client.get(f"/number?n={gone}", follow_redirects=True).text
    assert "缺失" in seen
    assert TITLE not in Hands(house, "auditor").client.get(at).text


def test_without_script_a_plain_form_takes_scan_after_scan(house: WebHouse) -> None:
    (one, _two), boxes = a_counted_room(house, "K2", 2)
    hands = Hands(house, "archivist")
    at = hands.post("/stocktakings", place="K2-1-1").location
    assert "请先扫描位置" in hands.client.get(at).text
    page = hands.post(f"{at}/scan", scan="K2-1-1-1").text
    assert f'name="at" value="{boxes[0]}"' in page
    key = re.search(r'name="id" value="([^"]+)"', page)
    assert key
    told = hands.post(f"{at}/scan", scan=one, at=boxes[0], id=key[1]).text
    assert "在位无误" in told
    assert "在位无误" in hands.post(f"{at}/scan", scan=one, at=boxes[0], id=key[1]).text  # the page sent again
    assert "已在此扫描过" in hands.post(f"{at}/scan", scan=one, at=boxes[0], id=str(uuid4())).text
    again = hands.post("/stocktakings", place="K2-1-1")
    assert (again.status_code, again.location) == (303, at)
    assert "此库位正在盘点" in hands.client.get(at).text
    lost = hands.post("/stocktakings", place="K2-9")
    assert 'value="K2-9"' in hands.client.get(lost.location).text


def test_who_shelves_nothing_takes_no_stock(house: WebHouse) -> None:
    clerk, auditor = Hands(house, "clerk"), Hands(house, "auditor")
    assert clerk.client.get("/stocktakings").status_code == 403
    assert auditor.client.get("/stocktakings").status_code == 200
    a_counted_room(house, "K3", 1)
    assert auditor.post("/stocktakings", place="K3").status_code == 403
    at = Hands(house, "archivist").post("/stocktakings", place="K3").location
    assert auditor.send(f"{at}/scans", _scan(str(uuid4()), "x")).status_code == 403
    assert clerk.client.get(at).status_code == 403
    bad = Hands(house, "archivist").send(f"{at}/scans", {"id": "no", "place": "no", "text": "x"})
    assert bad.status_code == 422


def test_half_an_address_is_a_scan_that_is_not_known(house: WebHouse) -> None:
    (here, _wrong, _gone), boxes = a_counted_room(house, "K9", 3)
    archivist = Hands(house, "archivist")
    at = archivist.post("/stocktakings", place="k9").location
    headers = {"X-CSRFToken": archivist.token, "Accept": "application/json", "Content-Type": "application/json"}
    assert archivist.client.post(f"{at}/scans", data="[" * 100_000, headers=headers).status_code == 422
    scans = [_scan(boxes[0], each) for each in (here, "http://[x", "http://a／b")]
    assert [each["verdict"] for each in archivist.send(f"{at}/scans", *scans).json["scans"]] == [
        "found", "unknown", "unknown",
    ]  # fmt: skip
