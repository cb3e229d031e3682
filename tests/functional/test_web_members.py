"""Files inside a file, on the pages: listed under it, opened, put aside, taken off, and read with its password."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.model import Content, File, PageText
from tests.factories.drawn import a_pdf
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.packed import a_locked_zip, a_zip
from tests.factories.web_house import WebHouse, a_web_house
from tests.functional.test_web_put_aside import post

NOT_ONE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x01" * 600


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def with_archive(house: WebHouse, client: FlaskClient, data: bytes, name: str = "合同.zip") -> str:
    values = {"category": str(house.category.id), "title": "电梯合同", "drawn_up": "2024", "level": "1"}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    post(client, f"/records/{record}/files", files=(BytesIO(data), name))
    house.read_texts()
    return record


def content_of(house: WebHouse, name: str) -> str:
    with house.services.db.reading() as session:
        return str(session.scalars(select(File.content_id).where(File.name == name)).one())


def a_full_zip() -> bytes:
    inner = a_zip(("图/说明.txt", "里层的字".encode()))
    return a_zip(
        ("附件/正文.pdf", a_pdf("甲方应当支付")),
        ("附件/锁.pdf", a_locked_pdf()),
        ("坏.xls", NOT_ONE),
        ("里.zip", inner),
    )


def test_files_in_an_archive_stand_under_it_and_one_bad_one_is_put_aside_alone(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_archive(house, archivist, a_full_zip())
    page = archivist.get(f"/records/{record}").text
    assert "其中有 4 个文件" in page
    places = [page.index(name) for name in ("合同.zip", "附件/正文.pdf", "附件/锁.pdf", "坏.xls", "图/说明.txt")]
    assert places == sorted(places)
    aside = archivist.get("/put-aside").text
    assert "锁.pdf" in aside
    assert "坏.xls" in aside
    assert "位于 合同.zip / 附件" in aside
    assert "正文.pdf" not in aside
    viewer = archivist.get(f"/files/{content_of(house, '正文.pdf')}/pages/1").text
    assert "甲方应当支付" in viewer
    assert "位于 合同.zip / 附件" in viewer
    assert "位于 合同.zip / 里.zip / 图" in archivist.get(f"/files/{content_of(house, '说明.txt')}/pages/1").text
    history = archivist.get(f"/records/{record}/history").text
    assert "从文件中取出内含文件" in history
    assert "附件/正文.pdf" in history


def test_many_files_in_one_are_folded_away_and_few_are_not(house: WebHouse, archivist: FlaskClient) -> None:
    few = with_archive(house, archivist, a_zip(*((f"{n}.txt", b"x%d" % n) for n in range(5))))
    many = with_archive(house, archivist, a_zip(*((f"{n}.txt", b"y%d" % n) for n in range(6))))
    assert '<details class="within" open>' in archivist.get(f"/records/{few}").text
    assert '<details class="within">' in archivist.get(f"/records/{many}").text


def test_an_archive_that_is_taken_off_goes_with_all_that_was_in_it(
    house: WebHouse, archivist: FlaskClient, tmp_path: Path
) -> None:
    record = with_archive(house, archivist, a_full_zip())
    outer = content_of(house, "合同.zip")
    assert post(archivist, f"/files/{outer}/take-off", record=record, reason="放错").startswith("200")
    with house.services.db.reading() as session:
        for table in (Content, File, PageText):
            assert session.scalars(select(table)).all() == []
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_one_file_of_an_archive_is_taken_off_alone_and_does_not_come_back(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_archive(house, archivist, a_full_zip())
    page = post(archivist, f"/files/{content_of(house, '锁.pdf')}/take-off", record=record, reason="无关")
    assert "锁.pdf" not in page
    assert "附件/正文.pdf" in page
    house.read_texts()
    assert "锁.pdf" not in archivist.get(f"/records/{record}").text
    assert "内含文件撤下" in archivist.get(f"/records/{record}/history").text


def test_a_locked_archive_gives_its_files_with_the_password(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_archive(house, archivist, a_locked_zip("a.txt", "电梯合同".encode(), b"pass"))
    assert "其中有" not in archivist.get(f"/records/{record}").text
    outer = content_of(house, "合同.zip")
    post(archivist, f"/files/{outer}/unlock", record=record, password="no")
    assert "其中有" not in archivist.get(f"/records/{record}").text
    assert post(archivist, f"/files/{outer}/unlock", record=record, password="pass").startswith("200")
    house.read_texts()
    assert "其中有 1 个文件" in archivist.get(f"/records/{record}").text
    assert "电梯合同" in archivist.get(f"/files/{content_of(house, 'a.txt')}/pages/1").text


def test_who_may_not_read_the_record_learns_nothing_of_what_lay_inside(house: WebHouse, archivist: FlaskClient) -> None:
    values = {"category": str(house.category.id), "title": "密件", "drawn_up": "2024", "level": "3"}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(archivist, "/records", **values)))
    post(archivist, f"/records/{record}/files", files=(BytesIO(a_full_zip()), "合同.zip"))
    house.read_texts()
    inner = content_of(house, "正文.pdf")
    for login in ("staff", "clerk", "system"):
        other = house.browser(login)
        for path in (f"/files/{inner}", f"/files/{inner}/pages/1"):
            assert other.get(path).status_code == 404
        assert "锁.pdf" not in other.get("/put-aside").text
