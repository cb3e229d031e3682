"""Pages of shelves: furnished, papers shelved by scans alone, custodians without titles, labels that open places."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.identity import system
from archive.model import Copy, IssuedNumber, LogEntry, Medium, Record, RecordState
from tests.factories.codes import scanned
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web.custody import copies, placing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


class Hands:
    """Someone at the pages: forms by their addresses, and a stream of scans that carries on what the page says."""

    def __init__(self, house: WebHouse, login: str) -> None:
        self.client: FlaskClient = house.browser(login)
        self.page = ""

    def post(self, path: str, **data: Any) -> Any:
        token = token_of(self.client)
        return self.client.post(path, data={"csrf_token": token} | data)

    def at(self, code: str) -> str:
        return str(self.client.get(f"/shelves/at?p={code}").location)

    def scan(self, text: str) -> str:
        """Scan into the page as it stands, and return what it says in large letters and below."""
        kept = re.findall(r'type="hidden" name="(place|copy|recent)" value="([^"]*)"', self.page)
        data: dict[str, list[str]] = {}
        for name, value in kept:
            data.setdefault(name, []).append(value)
        self.page = self.post("/shelves/placing", scan=text, **data).text
        said = re.search(r'class="scan-said.*?</div>', self.page, re.DOTALL)
        assert said, self.page
        return re.sub(r"<[^>]+>|\s+", " ", said[0])


def _furnish(hands: Hands, code: str, security: str, holds: int = 2) -> str:
    """Furnish a room with a cabinet, a shelf and a box; return the box's code."""
    assert hands.post("/shelves/new", code=code, name="库房", security=security).status_code == 303
    path = code
    for more in ({"code": "1"}, {"code": "1", "capacity": "3"}, {"code": "1", "capacity": str(holds)}):
        place = hands.at(path).rpartition("/")[2]
        assert hands.post(f"/shelves/new?in={place}", **more).status_code == 303
        path += "-1"
    return path


def _filed(house: WebHouse, serial: int, **more: Any) -> Record:
    number = f"WY01-WYH·2024-30-A000{serial}"
    more = {"medium": Medium.PAPER, "title": f"电梯合同{serial}"} | more
    record: Record = house.a_record(archive_number=number, state=RecordState.FILED, **more)
    with house.services.db.writing() as work:
        work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        work.commit()
    return record


def test_a_stream_of_scans_shelves_paper_after_paper_and_says_at_once_what_is_wrong(house: WebHouse) -> None:
    hands = Hands(house, "archivist")
    box, safe = _furnish(hands, "K1", "work_area"), _furnish(hands, "S1", "secure_room")
    papers = [_filed(house, serial) for serial in (1, 2, 3)]
    high = _filed(house, 4, level=3)
    assert box in hands.scan("k1-1-1-1")
    for paper in papers[:2]:
        assert "✓" in hands.scan((paper.archive_number or "").replace("·", "-"))
    assert "已满" in hands.scan(f"http://localhost/number?n=WY01:{papers[2].archive_number}")
    said = hands.scan(safe)  # the paper is still in the hand
    assert "✓" in said
    hands.page = ""
    assert safe in hands.scan(high.archive_number or "")  # the only place that is safe enough
    said = hands.scan(f"http://localhost{hands.at('K1-1-1')}")
    assert "✗" in said
    assert "加锁的柜" in said
    assert "✗" in hands.scan("没有这个")
    with house.services.db.reading() as session:
        lying = session.scalars(select(Copy.place_id).where(Copy.place_id.is_not(None))).all()
        acts = session.scalars(select(LogEntry.act).where(LogEntry.act.startswith("copy."))).all()
    assert len(lying) == 3
    assert acts.count("copy.place") == 3


def test_a_custodian_sees_numbers_and_places_and_never_a_title(house: WebHouse) -> None:
    archivist = Hands(house, "archivist")
    box = _furnish(archivist, "S1", "secure_room", holds=5)
    paper = _filed(house, 1, level=3, title="机密人事任免")
    low = _filed(house, 2, level=1)
    for record in (paper, low):
        archivist.scan(box)
        archivist.scan(record.archive_number or "")
    person = house.people["staff"].id
    house.services.house.rights.entrust(system("set-up"), person, 3)
    custodian = Hands(house, "staff")
    page = custodian.client.get(custodian.at(box)).text
    assert paper.archive_number in page
    assert "任免" not in page
    own = custodian.client.get(f"/records/{paper.id}").text
    assert box in own
    assert "任免" not in own
    assert "/shelves" in custodian.client.get("/").text
    outsider = Hands(house, "clerk").client
    for path in ("/shelves", archivist.at(box), "/shelves/placing"):
        assert outsider.get(path).status_code == 403
    auditor = Hands(house, "auditor").client.get(archivist.at(box)).text
    assert paper.archive_number in auditor
    assert "任免" not in auditor


def test_copies_are_noted_changed_shelved_by_form_and_withdrawn(house: WebHouse) -> None:
    hands = Hands(house, "archivist")
    box = _furnish(hands, "K1", "cabinet")
    record = _filed(house, 1, pages=12)
    assert hands.post(f"/records/{record.id}/copies/new", pages="12").status_code == 303
    shown = hands.client.get(f"/records/{record.id}").text
    [copy] = set(re.findall(r"/copies/([0-9a-f-]{36})/place", shown))
    refused = hands.post(f"/copies/{copy}/change", version="1", original="yes", original_at="市档案馆")
    assert refused.status_code == 422
    changed = {"carrier": "disc", "condition": "worn", "original": "no", "original_at": "市档案馆", "version": "1"}
    assert hands.post(f"/copies/{copy}/change", **changed).status_code == 303
    assert box in hands.client.get(f"/copies/{copy}/place").text  # proposed
    assert hands.post(f"/copies/{copy}/place", shelf=box, version="2").status_code == 303
    assert hands.post(f"/copies/{copy}/place", shelf=box, holder="staff", version="2").status_code == 409
    assert "市档案馆" in hands.client.get(f"/records/{record.id}").text
    assert box in hands.client.get(f"/copies/{copy}/moves").text
    assert hands.post(f"/copies/{copy}/withdraw", version="3", reason="销毁").status_code == 303
    with house.services.db.reading() as session:
        row = session.get_one(Copy, UUID(copy))
        assert (row.place_id, row.withdrawn_at is not None) == (None, True)


def test_labels_of_places_and_of_several_copies_open_what_they_stand_on(house: WebHouse) -> None:
    hands = Hands(house, "archivist")
    box = _furnish(hands, "K1", "cabinet")
    shelf = hands.at("K1-1-1")
    found = list(scanned(hands.post(f"{shelf}/labels", sheet="3x8", start="1").data))
    assert sorted(text for kind, text in found if kind == "Code128") == ["K1-1-1", box]
    links = {text for kind, text in found if kind == "QRCode"}
    assert links == {f"http://localhost{shelf}", f"http://localhost{hands.at(box)}"}
    record = _filed(house, 1)
    for _ in range(2):
        hands.post(f"/records/{record.id}/copies/new")
    found = list(scanned(hands.post("/labels", sheet="2x7", start="1", record=str(record.id)).data))
    codes = sorted(text for kind, text in found if kind == "Code128")
    assert [code[-2:] for code in codes] == ["*1", "*2"]
    opened = hands.client.get(f"/number?n={codes[1]}")
    assert opened.location.endswith(str(record.id))
    hands.scan(box)
    assert "✗" in hands.scan(record.archive_number or "")  # which of the two?
    assert "✓" in hands.scan(codes[1])


def test_a_stricter_rule_is_said_on_the_levels_page_and_lists_what_must_move(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(house, "archivist")
    first, second = _filed(house, 1), _filed(house, 2)
    for room, record in (("K1", first), ("K2", second)):
        hands.scan(_furnish(hands, room, "work_area"))
        assert "✓" in hands.scan(record.archive_number or "")
    assert hands.post("/house/levels/shelving", **{"level-1": "cabinet"}).status_code == 403
    secrecy = Hands(house, "secrecy")
    assert secrecy.post("/house/levels/shelving", **{"level-1": "vault"}).status_code == 422
    assert secrecy.post("/house/levels/shelving", **{"level-1": "cabinet"}).status_code == 303
    assert "/shelves/to-move" in hands.client.get("/").text
    monkeypatch.setattr(placing, "PAGE", 1)
    page = hands.client.get("/shelves/to-move").text
    assert (first.archive_number in page, second.archive_number in page) == (True, False)
    more = re.search(r'href="(/shelves/to-move\?after=[^"]+)">更多<', page)
    assert more
    page = hands.client.get(more[1]).text
    assert (first.archive_number in page, second.archive_number in page) == (False, True)
    assert 'href="/shelves/to-move?after=' not in page


def test_every_move_of_a_copy_is_reached_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(house, "archivist")
    boxes = [_furnish(hands, room, "cabinet") for room in ("K1", "K2", "K3")]
    record = _filed(house, 1)
    for box in boxes:
        hands.page = ""
        hands.scan(box)
        assert "✓" in hands.scan(record.archive_number or "")
        house.clock.move(minutes=1)
    [copy] = set(re.findall(r"/copies/([0-9a-f-]{36})/place", hands.client.get(f"/records/{record.id}").text))
    monkeypatch.setattr(copies, "PAGE", 1)
    path, seen = f"/copies/{copy}/moves", list[str]()
    while path:
        page = hands.client.get(path).text
        seen += re.findall(r'data-words="移到">([^<]+)<', page)
        more = re.search(rf'href="(/copies/{copy}/moves\?after=[^"]+)">', page)
        path = more[1] if more else ""
    assert seen == boxes[::-1], "the latest first"
