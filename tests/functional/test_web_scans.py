"""Scans on pages: their record says what is with their words, and doubtful readings stand on a list with their page."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from archive.model import ScannedPage, ScanState
from tests.factories.scanned import a_page, a_scanned_pdf
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web.aids import Aids

WORDS = "物业服务合同约定乙方应当按照约定的服务内容和标准提供服务并接受业主大会和业主委员会的监督管理条款"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return reply.text


def with_scan(house: WebHouse, client: FlaskClient, data: bytes, level: str = "1") -> tuple[str, UUID]:
    """Return a record with a scan that was taken in, and the scan's content."""
    values = {"category": str(house.category.id), "title": "电梯合同", "drawn_up": "2024", "level": level}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    post(client, f"/records/{record}/files", files=(BytesIO(data), "扫描件.pdf"))
    house.read_texts()
    with house.services.db.reading() as session:
        (content,) = set(session.scalars(select(ScannedPage.content_id)))
    return record, content


def settle(
    house: WebHouse, content: UUID, number: int, state: ScanState, confidence: int | None, engine: str | None = None
) -> None:
    with house.services.db.writing() as work:
        work.session.execute(
            update(ScannedPage)
            .where(ScannedPage.content_id == content, ScannedPage.number == number)
            .values(state=state, confidence=confidence, engine=engine)
        )
        work.commit()


@pytest.mark.parametrize(
    ("ocr", "said"), [(True, "扫描件：正在识别文字（OCR）"), (False, "扫描件：其中的文字搜不到；请安装附加组件 ocr")]
)
def test_a_record_says_what_is_with_the_words_of_its_scan(tmp_path: Path, ocr: bool, said: str) -> None:
    with a_web_house(tmp_path, aids=Aids(ocr=ocr)) as house:
        archivist = house.browser("archivist")
        record, content = with_scan(house, archivist, a_scanned_pdf(a_page(["第一条"])))
        page = archivist.get(f"/records/{record}").text
        assert said in page
        assert "没有文字" not in page
        settle(house, content, 1, ScanState.READ, 97)
        assert said not in archivist.get(f"/records/{record}").text


def test_the_page_says_which_engine_read_it(house: WebHouse, archivist: FlaskClient) -> None:
    _, content = with_scan(house, archivist, a_scanned_pdf(*[a_page(["第一条"])] * 3))
    settle(house, content, 1, ScanState.READ, 93, "tesseract 5.3.0")
    settle(house, content, 2, ScanState.READ, None, "tesseract 5.3.0")
    assert "由 tesseract 5.3.0 识别（OCR），可信度 93%。" in archivist.get(f"/files/{content}/pages/1").text
    assert "由 tesseract 5.3.0 识别（OCR）。" in archivist.get(f"/files/{content}/pages/2").text
    assert "识别（OCR）" not in archivist.get(f"/files/{content}/pages/3").text


def test_a_document_that_is_a_scan_in_part_is_told_as_that(house: WebHouse, archivist: FlaskClient) -> None:
    record, _ = with_scan(house, archivist, a_scanned_pdf(WORDS, a_page(["第一条"])))
    assert "部分页面是扫描件" in archivist.get(f"/records/{record}").text


def test_doubtful_pages_are_listed_with_their_page_to_look_at(house: WebHouse, archivist: FlaskClient) -> None:
    image = a_page(["第一条"])
    _, content = with_scan(house, archivist, a_scanned_pdf(*[image] * 4))
    assert "没有识别得不好的扫描页" in archivist.get("/scans/doubtful").text
    assert "待核对" not in archivist.get("/").text
    settle(house, content, 1, ScanState.READ, 99)
    settle(house, content, 2, ScanState.READ, 61)
    settle(house, content, 3, ScanState.FAILED, None)
    settle(house, content, 4, ScanState.READ, None)
    assert "<strong>2</strong> 页扫描件待核对" in archivist.get("/").text
    page = archivist.get("/scans/doubtful").text
    assert re.findall(rf"/files/{content}/pages/(\d)", page) == ["3", "2"], "the worst first; one without words is none"
    assert "识别可信度 61%" in page
    assert archivist.get(f"/files/{content}/pages/2").status_code == 200


def test_others_see_nothing_of_them(house: WebHouse, archivist: FlaskClient) -> None:
    _, content = with_scan(house, archivist, a_scanned_pdf(a_page(["第一条"])), level="3")
    settle(house, content, 1, ScanState.FAILED, None)
    for login in ("staff", "clerk", "system"):
        assert "扫描件.pdf" not in house.browser(login).get("/scans/doubtful").text
    assert "扫描件.pdf" in archivist.get("/scans/doubtful").text


def test_what_is_taken_off_leaves_no_trace_of_its_pages(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_scan(house, archivist, a_scanned_pdf(a_page(["第一条"])))
    post(archivist, f"/files/{content}/take-off", record=record, reason="放错了")
    with house.services.db.reading() as session:
        assert session.scalars(select(ScannedPage)).all() == []
