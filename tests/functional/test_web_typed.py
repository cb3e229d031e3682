"""What people type and send: digits and blanks of another width, many files of one name. Nothing is guessed."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from archive.bringing_in.files import Wanted, match
from archive.errors import InvalidInput
from archive.ids import new_id
from archive.model import Record
from tests.factories.drawn import a_pdf
from tests.factories.web_house import WebHouse, a_web_house, token_of
from tests.functional import test_web_marks as marked
from web.asking import whole_typed
from web.lending import uses
from web.lending.at_counter import at_counter
from web.lending.borrowing import wish_of
from web.lending.counter import _money

HOLD = {
    "kind": "record", "name": "诉讼", "reason": "与业主的诉讼", "authority": "法院", "review_on": "2030-01-01"
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.mark.parametrize(("text", "number"), [("２０２４", 2024), (" 7 ", 7), ("", 3), ("  ", 3)])
def test_a_whole_number_is_read_whatever_the_width_of_its_digits(text: str, number: int) -> None:
    with Flask(__name__).test_request_context(method="POST", data={"year": text}):
        assert whole_typed("year", 3) == number


@pytest.mark.parametrize("text", ["2024年", "-1", "1.5", "all", "9" * 12])
def test_what_is_no_whole_number_is_not_taken_for_none(text: str) -> None:
    with (
        Flask(__name__).test_request_context(method="POST", data={"year": text}),
        pytest.raises(InvalidInput, match="year"),
    ):
        whole_typed("year")


def test_a_place_is_read_whatever_blank_stands_before_it(house: WebHouse) -> None:
    client = house.browser("archivist")
    values = {"category": str(house.category.id), "title": "电梯合同", "drawn_up": "2024", "level": "1"}
    client.post("/records", data={"csrf_token": token_of(client), **values, "place": "\u3000A01 一期"})
    with house.services.db.reading() as session:
        assert session.scalars(select(Record.place_path).where(Record.title == "电梯合同")).one() == "A01/"


def test_who_may_only_look_is_offered_no_file_to_take_away(house: WebHouse) -> None:
    record, content = marked.kept(house, "合同.pdf", a_pdf("电梯维保合同"))
    marked.lent(house, record)
    with house.services.db.writing() as work:
        work.session.get_one(Record, UUID(record)).filed_at = house.services.clock.now()
        work.commit()
    page = house.browser("staff").get(f"/records/{record}").text
    assert "合同.pdf" in page
    assert f"/files/{content}/pages/1" in page
    assert not re.search(f'href="/files/{content}"', page)
    assert re.search(f'href="/files/{content}"', house.browser("archivist").get(f"/records/{record}").text)


def test_the_pages_of_a_record_are_read_whatever_the_width_of_their_digits(house: WebHouse) -> None:
    client = house.browser("archivist")
    data = {"csrf_token": token_of(client), "category": str(house.category.id), "title": "租赁合同", "level": "１"}
    made = client.post("/records", data={**data, "pages": "　２０　"})
    assert made.status_code == 303, made.text
    with house.services.db.reading() as session:
        record = session.scalars(select(Record).where(Record.title == "租赁合同")).one()
    assert (record.pages, record.level_rank) == (20, 1)
    assert client.post("/records", data={**data, "pages": "二十"}).status_code == 422


@pytest.mark.parametrize(("text", "number"), [("２０", 20), (" ３０ ", 30), ("２１.5", None), ("一", None), ("", None)])
def test_a_number_of_pages_or_days_is_read_alike_at_every_desk(text: str, number: int | None) -> None:
    with Flask(__name__).test_request_context(method="POST", data={"pages": text, "days": text, "form": "out"}):
        for read in (uses._pages, lambda: at_counter().pages, lambda: wish_of().days):
            if number is None and text:
                with pytest.raises(InvalidInput):
                    read()
            else:
                assert read() == number


def test_money_is_read_whatever_the_width_of_its_digits() -> None:
    assert (_money("１，２００．５０"), _money("3.5"), _money("")) == (120_050, 350, None)


def test_of_many_files_of_one_name_each_is_compared_with_those_of_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Wanted(at, f"案卷{at}/001.pdf", new_id(), frozenset()) for at in range(500)]
    compared: list[str] = []
    fits = Wanted.fits
    monkeypatch.setattr(Wanted, "fits", lambda each, name: compared.append(name) or fits(each, name))
    found = match(rows, [f"扫描/案卷{at}/001.PDF" for at in range(500)])
    assert len(found.records) == 500
    assert found.records["扫描/案卷7/001.PDF"] == [rows[7].record_id]
    assert not found.missing
    assert len(compared) < 5 * 500
    plain = Wanted(1, "001", UUID(int=1), frozenset())
    assert match([plain], ["扫描/案卷7/001.pdf"]).records == {"扫描/案卷7/001.pdf": [UUID(int=1)]}
    assert match(rows, ["001.pdf"]).unknown == ["001.pdf"], "what may be meant twice goes nowhere"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/holds/new", {**HOLD, "number": "WY01-9"}),
        ("/renewals/new", {"how": "years", "years": "3", "numbers": "WY01-9", "reason": "与业主的诉讼"}),
        ("/secrecy/reviews/new", {"verdict": "declassify", "numbers": "WY01-9", "reason": "与业主的诉讼"}),
        ("/transfers/new", {"receiver": "市档案馆", "numbers": "WY01-9", "reason": "与业主的诉讼"}),
    ],
)
def test_a_mistyped_number_is_named_and_what_else_was_typed_stays(
    house: WebHouse, path: str, values: dict[str, str]
) -> None:
    client = house.browser("secrecy" if path.startswith("/secrecy") else "archivist")
    reply = client.post(path, data={"csrf_token": token_of(client), **values})
    assert reply.status_code == 422
    assert re.search(r'class="fault[^"]*"[^>]*>[^<]*WY01-9', reply.text)
    assert "与业主的诉讼" in reply.text


def test_an_address_with_bytes_of_another_encoding_is_answered(house: WebHouse) -> None:
    for client in (house.browser("archivist"), house.app.test_client()):
        assert client.get("/search", environ_overrides={"QUERY_STRING": "q=\xb5\xe7\xcc\xdd"}).status_code in {200, 302}


def test_the_last_bytes_of_a_file_are_all_of_it_where_more_are_asked_for(house: WebHouse) -> None:
    data = a_pdf("电梯维保合同")
    _record, content = marked.kept(house, "合同.pdf", data)
    reply = house.browser("archivist").get(f"/files/{content}", headers={"Range": f"bytes=-{len(data) + 7}"})
    assert (reply.status_code, reply.data) == (206, data)


def test_no_excerpt_is_made_of_what_is_printed_on_other_pages_than_are_drawn(house: WebHouse) -> None:
    _record, content = marked.kept(house, "说明.txt", "电梯维保合同".encode())
    assert house.browser("archivist").get(f"/files/{content}/excerpt").status_code == 404


def test_no_page_of_hits_leads_beyond_the_furthest(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.finding.FURTHEST", 20)
    for at in range(22):
        house.a_record(title=f"电梯维保合同{at}")
    client = house.browser("archivist")
    assert "from=20" not in client.get("/search?q=电梯").text
    monkeypatch.setattr("web.finding.FURTHEST", 40)
    assert "from=20" in client.get("/search?q=电梯").text


def test_a_list_that_is_longer_than_what_is_taken_says_how_much_is(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(3):
        house.a_record(title=f"消防巡查{at}")
    client, branch = house.browser("archivist"), f"/browse/categories/{house.category.id}"
    for page in (client.get("/search?q=消防").text, client.get(branch).text):
        assert ">导出为表格</a>" in page
    for name in ("web.finding.MOST_ROWS", "web.browsing.MOST_ROWS", "web.finding.MOST_EDITED"):
        monkeypatch.setattr(name, 2)
    found = client.get("/search?q=消防").text
    assert "批量修改前 2 件" in found
    for page in (found, client.get(branch).text):
        assert "导出为表格（前 2 件）" in page
