"""A store room at the pages of a house: furnished, and papers in its first box."""

from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from archive.model import IssuedNumber, Medium, RecordState
from archive.shelving.copies import CopyFacts
from tests.factories.web_house import WebHouse, token_of

TITLE = "不可外泄的标题"


class Hands:
    """Someone at the pages of stock-taking."""

    def __init__(self, house: WebHouse, login: str) -> None:
        self.client: FlaskClient = house.browser(login)
        self.token = token_of(self.client)

    def post(self, path: str, **data: Any) -> Any:
        return self.client.post(path, data={"csrf_token": self.token} | data)

    def send(self, path: str, *scans: dict[str, str]) -> Any:
        return self.client.post(
            path, json={"scans": list(scans)}, headers={"X-CSRFToken": self.token, "Accept": "application/json"}
        )


def a_counted_room(house: WebHouse, code: str, papers: int) -> tuple[list[str], list[str]]:
    """Return the numbers of papers in box 1 of a room, and the ids of its two boxes."""
    hands = Hands(house, "archivist")
    for inside, said in (
        ("", {"code": code, "name": "库房"}), (code, {"code": "1"}), (f"{code}-1", {"code": "1", "capacity": "5"}),
        (f"{code}-1-1", {"code": "1", "capacity": "30"}), (f"{code}-1-1", {"code": "2", "capacity": "30"}),
    ):  # fmt: skip
        place = hands.client.get(f"/shelves/at?p={inside}").location.rpartition("/")[2] if inside else ""
        assert hands.post(f"/shelves/new?in={place}", **said).status_code == 303
    boxes = [hands.client.get(f"/shelves/at?p={code}-1-1-{n}").location.rpartition("/")[2] for n in "12"]
    who, numbers = house.services.people.identity_of("archivist"), []
    for n in range(1, papers + 1):
        number = f"{code}-2024-{n:04}"
        record = house.a_record(
            state=RecordState.FILED, medium=Medium.PAPER, archive_number=number, level=1, title=f"{TITLE}{n}",
            filed_at=house.clock.now() - timedelta(days=40),
        )  # fmt: skip
        with house.services.db.writing() as work:
            work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
            work.commit()
        copy = house.services.shelving.copies.add(who, record.id, CopyFacts())
        house.services.shelving.placing.place(who, copy.id, house.services.shelving.looks.id_at(who, f"{code}-1-1-1"))
        numbers.append(number)
    return numbers, boxes
