"""A file that was put aside: listed with its reason, kept as it is or taken off, by whoever may, with a reason."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.model import Content, ContentState, File, PageText
from tests.factories.drawn import a_pdf
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    token = token_of(client)
    reply = client.post(path, data={"csrf_token": token, **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def with_file(house: WebHouse, client: FlaskClient, data: bytes, level: str = "1") -> tuple[str, str]:
    """Return a record, and the content of its one file, as the form on its page names it."""
    values = {"category": str(house.category.id), "title": "电梯合同", "drawn_up": "2024", "level": level}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    post(client, f"/records/{record}/files", files=(BytesIO(data), "合同.pdf"))
    house.read_texts()
    (content,) = set(re.findall(r"/files/([0-9a-f-]{36})/take-off", client.get(f"/records/{record}").text))
    return record, content


def test_a_locked_file_is_listed_holds_up_its_record_and_is_kept_as_it_is(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record, content = with_file(house, archivist, a_locked_pdf())
    assert "<strong>1</strong> 个被隔离的文件" in archivist.get("/").text
    assert "文件有密码" in archivist.get("/put-aside").text or "密码" in archivist.get("/put-aside").text
    assert "WY01-WYH" not in post(archivist, "/records/file", record=record)
    assert post(archivist, f"/files/{content}/accept", record=record, reason=" ").startswith("422")
    page = post(archivist, f"/files/{content}/accept", record=record, reason="原件即加密")
    assert "已照原样保留" in page
    assert archivist.get(f"/files/{content}").status_code == 200, "it can be downloaded"
    assert "WY01-WYH·2024-D10-N0001" in post(archivist, "/records/file", record=record)
    assert "文件照原样保留" in archivist.get(f"/records/{record}/history").text
    assert post(archivist, f"/files/{content}/accept", record=record, reason="再").startswith("409")
    assert "没有被隔离的文件" in archivist.get("/put-aside").text


def test_a_file_that_does_not_belong_is_taken_off_with_its_bytes_and_text(
    house: WebHouse, archivist: FlaskClient, tmp_path: Path
) -> None:
    record, content = with_file(house, archivist, a_pdf("别处的合同"))
    page = post(archivist, f"/files/{content}/take-off", record=record, reason="放错了")
    assert page.startswith("200")
    assert "合同.pdf" not in page
    assert archivist.get(f"/files/{content}").status_code == 404
    with house.services.db.reading() as session:
        for table in (Content, File, PageText):
            assert session.scalars(select(table)).all() == []
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
    assert "文件撤下" in archivist.get(f"/records/{record}/history").text


def test_nothing_is_taken_off_what_was_filed(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_file(house, archivist, a_pdf("合同"))
    post(archivist, "/records/file", record=record)
    assert "take-off" not in archivist.get(f"/records/{record}").text
    assert post(archivist, f"/files/{content}/take-off", record=record, reason="放错了").startswith("403")
    assert archivist.get(f"/files/{content}").status_code == 200


def test_others_see_and_decide_nothing(house: WebHouse, archivist: FlaskClient) -> None:
    _, content = with_file(house, archivist, a_locked_pdf(), level="3")
    nowhere = "01890000-0000-7000-8000-000000000000"
    for login in ("staff", "clerk", "system"):
        other = house.browser(login)
        assert "合同.pdf" not in other.get("/put-aside").text
        for act in ("accept", "take-off"):
            hidden = post(other, f"/files/{content}/{act}", reason="x")
            assert hidden == post(other, f"/files/{nowhere}/{act}", reason="x")
            assert hidden.startswith("404")
    assert "合同.pdf" in archivist.get("/put-aside").text


def test_a_file_with_a_virus_goes_to_nobody_but_who_decides_on_it(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_file(house, archivist, a_pdf("电梯合同"))
    post(archivist, "/records/file", record=record)
    staff = house.browser("staff")
    assert staff.get(f"/files/{content}").status_code == 200
    with house.services.db.writing() as work:
        row = work.session.get_one(Content, UUID(content))
        row.state, row.reason, row.virus = ContentState.QUARANTINED, "infected", "Test.Virus"
        work.commit()
    assert staff.get(f"/files/{content}").status_code == 403
    assert f'href="/files/{content}"' not in staff.get(f"/records/{record}").text
    assert "查出：Test.Virus" in archivist.get(f"/records/{record}").text
    assert archivist.get(f"/files/{content}").status_code == 200
    assert "已照原样保留" in post(archivist, f"/files/{content}/accept", record=record, reason="留作证据")
    assert staff.get(f"/files/{content}").status_code == 403, "kept, and still no file for everyone"
    assert staff.get(f"/files/{content}/pages/1/picture").status_code == 404
