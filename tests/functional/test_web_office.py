"""Pages of Office documents as printed: made once in the background, the text readable meanwhile, kept sealed."""

import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.sandbox.office import Office
from tests.factories.drawn import a_pdf, looked_at
from tests.factories.packages import a_docx
from tests.factories.web_house import WebHouse, a_web_house
from tests.functional import test_web_marks as marked
from tests.functional.test_web_viewer import kept

PREPARED = "正在准备打印样式的页面"
BODY = "<w:p><w:r><w:t>电梯维保合同正文</w:t></w:r></w:p>"


class Printer(Office):
    """Stands for LibreOffice: it answers what it is told to, when it is let."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere/soffice"))
        self.let = threading.Event()
        self.asked = 0
        self.answer: bytes | Failure = a_pdf("第一张", "第二张", "第三张")

    def pdf(self, media_type: str, data: Iterable[bytes]) -> bytes | Failure:
        assert media_type == kinds.DOCX
        self.asked += 1
        assert b"".join(data).startswith(b"PK")
        assert self.let.wait(60)
        return self.answer

    def finish(self) -> None:
        """Let it answer and wait until what it made is kept."""
        self.let.set()
        for thread in threading.enumerate():
            if thread.name == "office":
                thread.join(60)


@pytest.fixture
def printer() -> Printer:
    return Printer()


@pytest.fixture
def house(tmp_path: Path, printer: Printer) -> Iterator[WebHouse]:
    with a_web_house(tmp_path, soffice=printer) as made:
        yield made
        printer.let.set()


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def image_on(page: str) -> str:
    found = re.search(r'<div class="sheet"[^>]*><div class="leaf"><img src="([^"]+)"', page)
    assert found, page
    return found[1].replace("&amp;", "&")


def test_the_text_is_read_while_pages_are_prepared_once_for_all_who_ask(
    house: WebHouse, archivist: FlaskClient, printer: Printer, tmp_path: Path
) -> None:
    content = kept(house, archivist, "合同.docx", a_docx(BODY))
    for _ in range(3):
        page = archivist.get(f"/files/{content}/pages/1").text
        assert PREPARED in page
        assert 'http-equiv="refresh"' in page
        assert "电梯维保合同正文" in page
        assert archivist.get(f"/files/{content}/pages/1/picture").status_code == 404
    printer.finish()
    page = archivist.get(f"/files/{content}/pages/1").text
    assert PREPARED not in page
    assert 'http-equiv="refresh"' not in page
    picture = archivist.get(image_on(page))
    assert picture.headers["Content-Type"] == "image/webp"
    assert looked_at(picture.data).width in {899, 900, 901}
    assert printer.asked == 1
    assert all(b"%PDF" not in path.read_bytes() for path in (tmp_path / "pictures").iterdir())


def test_printed_pages_are_turned_apart_from_pages_of_text(
    house: WebHouse, archivist: FlaskClient, printer: Printer
) -> None:
    content = kept(house, archivist, "合同.docx", a_docx(BODY))
    archivist.get(f"/files/{content}/pages/1")
    printer.finish()
    page = archivist.get(f"/files/{content}/pages/1?sheet=2").text
    assert "打印页 2 / 3" in page
    second, third = (archivist.get(f"/files/{content}/pages/1/picture?sheet={n}").data for n in (2, 3))
    assert second != third
    assert archivist.get(f"/files/{content}/pages/1/picture?sheet=99").data == third
    assert archivist.get(image_on(page)).data == second


def test_the_first_page_stands_on_the_record_once_it_is_made(
    house: WebHouse, archivist: FlaskClient, printer: Printer
) -> None:
    content = kept(house, archivist, "合同.docx", a_docx(BODY))
    record = re.search(r"/records/[0-9a-f-]{36}", archivist.get(f"/files/{content}/pages/1").text)
    assert record
    assert "width=240" not in archivist.get(record[0]).text
    printer.finish()
    assert "width=240" in archivist.get(record[0]).text
    assert looked_at(archivist.get(f"/files/{content}/pages/1/picture?width=240").data).width in {239, 240, 241}


def test_what_cannot_be_converted_stays_text_and_is_not_tried_with_every_look(
    house: WebHouse, archivist: FlaskClient, printer: Printer
) -> None:
    printer.answer = Failure(Reason.TIME)
    content = kept(house, archivist, "合同.docx", a_docx(BODY))
    archivist.get(f"/files/{content}/pages/1")
    printer.finish()
    page = archivist.get(f"/files/{content}/pages/1").text
    assert PREPARED not in page
    assert "<img" not in page.split("<main", 1)[-1]
    assert "电梯维保合同正文" in page
    assert printer.asked == 1


def test_each_printed_page_counts_against_a_loans_limit(house: WebHouse, printer: Printer) -> None:
    record, content = marked.kept(house, "合同.docx", a_docx(BODY))
    marked.limited(house, pages=2)
    marked.lent(house, record)
    house.browser("archivist").get(f"/files/{content}/pages/1")
    printer.finish()
    staff = house.browser("staff")
    shown = [staff.get(f"/files/{content}/pages/1/picture?sheet={number}").status_code for number in (1, 2, 3, 1)]
    assert shown == [200, 200, 403, 200]
    assert [row.first for row in marked.marks(house)] == [1, 2]


def test_nobody_sees_or_has_made_pages_of_what_they_may_not_read(
    house: WebHouse, archivist: FlaskClient, printer: Printer
) -> None:
    content = kept(house, archivist, "合同.docx", a_docx(BODY), level="3")
    staff = house.browser("staff")
    assert staff.get(f"/files/{content}/pages/1").status_code == 404
    assert printer.asked == 0
    archivist.get(f"/files/{content}/pages/1")
    printer.finish()
    assert staff.get(f"/files/{content}/pages/1/picture").status_code == 404


def test_without_a_converter_there_is_the_text_and_no_word_of_it(tmp_path: Path) -> None:
    with a_web_house(tmp_path) as house:
        archivist = house.browser("archivist")
        content = kept(house, archivist, "合同.docx", a_docx(BODY))
        page = archivist.get(f"/files/{content}/pages/1").text
    assert "电梯维保合同正文" in page
    assert PREPARED not in page
    assert "LibreOffice" not in page


def test_a_borrower_waits_for_the_marked_pages_and_is_not_given_the_file_itself_meanwhile(tmp_path: Path) -> None:
    printer = Printer()
    with a_web_house(tmp_path, soffice=printer) as house:
        record, content = marked.kept(house, "合同.docx", a_docx(BODY))
        marked.lent(house, record, copying=True)
        staff = house.browser("staff")
        first = staff.get(f"/files/{content}")
        assert (first.status_code, first.mimetype) == (409, "text/html")
        assert "正在准备" in first.text
        printer.finish()
        assert staff.get(f"/files/{content}").mimetype == "application/pdf"
