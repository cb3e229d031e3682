"""A scan that OCR has read gives a searchable PDF/A beside it: its pictures as they were, its words over them."""

import io
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pypdf
import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from archive.identity import system
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import Content, File, FileRole, Job, JobKind, LogEntry, Record, RecordState, ScannedPage, TextState
from indexer.layout import Layout, Run, width_of
from indexer.ocr.job import ReadScans
from indexer.ocr.page import PageRead
from indexer.pagetext import load_pages
from indexer.rendition import MakeRenditions
from tests.factories.scanned import a_page, a_scanned_pdf, as_png
from tests.factories.web_house import WebHouse, a_web_house, token_of

LINES = ["第1条 电梯年度检验 2024", "本公司檔案資料應依規定歸檔保管", "The lift was inspected 𠀀"]
TEXT = "\n".join(LINES)


def laid() -> Layout:
    runs, at = [], 0
    for row, line in enumerate(LINES):
        top, right = 160 + 79 * row, 140 + width_of(line) * 22
        runs.append(Run(at, at + len(line), (140, top, right, top, 140, top + 60)))
        at += len(line) + 1
    return Layout(1654, 2339, tuple(runs))


class Reader:
    engine = "made up 1"

    def hold(self, _data: object, _size: int) -> Any:
        return SimpleNamespace(close=lambda: None)

    def read(self, _kind: str, _file: object, _page: int) -> PageRead:
        return PageRead(TEXT, 97, 0, laid())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> Any:
    return client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)


def with_scan(house: WebHouse, client: FlaskClient, data: bytes, name: str, *, read: bool = True) -> tuple[str, UUID]:
    values = {"category": str(house.category.id), "title": "电梯合同", "drawn_up": "2024", "level": "1"}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values).text))
    post(client, f"/records/{record}/files", files=(BytesIO(data), name))
    house.read_texts()
    s = house.services
    if read:
        with s.db.writing() as work:
            house.outbox.add_many(work, JobKind.OCR, [_scan(house)])
            work.commit()
        ocr = ReadScans(s.db, s.vault, s.store, house.outbox, Reader(), house.clock, s.guard.day)
        JobRunner(s.db, house.clock, [ocr]).run()
    return record, _scan(house)


def _scan(house: WebHouse) -> UUID:
    with house.services.db.reading() as session:
        (content,) = set(session.scalars(select(ScannedPage.content_id)))
    return content


def make(house: WebHouse) -> int:
    s = house.services
    handler = MakeRenditions(s.db, s.vault, s.store, Log(s.vault, house.clock), house.outbox, house.clock, s.drawer)
    return JobRunner(s.db, house.clock, [handler]).run()


def rendition(house: WebHouse) -> Content:
    with house.services.db.reading() as session:
        found = select(Content).join(File, File.id == Content.file_id).where(File.role == FileRole.RENDITION)
        return session.scalars(found).one()


def a_jpeg() -> bytes:
    out = io.BytesIO()
    a_page(LINES).save(out, "JPEG", quality=80, dpi=(200, 200))
    return out.getvalue()


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("data", "name"),
    [(a_jpeg(), "扫描.jpg"), (as_png(a_page(LINES)), "扫描.png"), (a_scanned_pdf(*[a_page(LINES)] * 2), "扫描.pdf")],
)
def test_a_scan_gives_a_searchable_pdf_a_beside_it(
    house: WebHouse, archivist: FlaskClient, data: bytes, name: str
) -> None:
    record, content = with_scan(house, archivist, data, name)
    assert "制作可检索的 PDF" in archivist.get(f"/records/{record}").text
    post(archivist, f"/files/{content}/rendition", record=record)
    page = archivist.get(f"/records/{record}").text
    assert "正在制作可检索的 PDF" in page
    assert f"/files/{content}/rendition" not in page
    assert make(house) == 1
    made = rendition(house)
    page = archivist.get(f"/records/{record}").text
    assert "扫描.pdfa.pdf" in page
    assert "扫描件的可检索副本" in page
    assert (made.pronom, made.media_type) == ("fmt/477", "application/pdf")
    got = archivist.get(f"/files/{made.id}").data
    pages = len(pypdf.PdfReader(io.BytesIO(got)).pages)
    assert pages == made.pages == (2 if name.endswith(".pdf") else 1)
    for each in pypdf.PdfReader(io.BytesIO(got)).pages:
        assert squeezed(each.extract_text()) == squeezed(TEXT)
    for sheet in pypdfium2.PdfDocument(got):
        assert squeezed(sheet.get_textpage().get_text_range()) == squeezed(TEXT)
    assert (data in got) is name.endswith(".jpg"), "a JPEG lies in it byte for byte"
    assert archivist.get(f"/files/{made.id}/pages/1/picture?width=900").status_code == 200


def test_words_lie_on_the_page_where_they_were_read(house: WebHouse, archivist: FlaskClient) -> None:
    _, content = with_scan(house, archivist, a_jpeg(), "扫描.jpg")
    post(archivist, f"/files/{content}/rendition")
    make(house)
    sheet = pypdfium2.PdfDocument(archivist.get(f"/files/{rendition(house).id}").data)[0]
    point = 72 / 200
    found = sheet.get_textpage().get_text_bounded(
        130 * point, sheet.get_height() - 305 * point, 800 * point, sheet.get_height() - 235 * point
    )
    assert squeezed(found) == squeezed(LINES[1])


def test_it_is_read_and_counted_nowhere_again(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_scan(house, archivist, a_jpeg(), "扫描.jpg")
    for _ in range(2):
        post(archivist, f"/files/{content}/rendition", record=record)
    assert make(house) == 1
    post(archivist, f"/files/{content}/rendition", record=record)
    assert make(house) == 0, "one is enough"
    house.read_texts()
    made = rendition(house)
    assert made.text_state is TextState.NO_TEXT
    s = house.services
    with s.db.reading() as session:
        assert session.scalars(select(ScannedPage).where(ScannedPage.content_id == made.id)).all() == []
        assert list(load_pages(session, s.vault, made.record_id, made.id)) == []
        kinds = set(session.scalars(select(Job.kind).where(Job.subject_id == made.id)))
        acts = set(session.scalars(select(LogEntry.act).where(LogEntry.record_id == made.record_id)))
    assert kinds == set()
    assert {"file.render", "file.rendition"} <= acts
    assert s.rereading.count(system("operator"), {}) == 1, "reprocess passes it by"


def test_a_filed_record_gets_one_too_and_only_archivists_ask(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_scan(house, archivist, a_jpeg(), "扫描.jpg")
    with house.services.db.writing() as work:
        work.session.execute(update(Record).values(state=RecordState.FILED))
        work.commit()
    for login in ("staff", "clerk", "system", "secrecy"):
        client = house.browser(login)
        assert post(client, f"/files/{content}/rendition", record=record).status_code in {403, 404}, login
    assert make(house) == 0
    post(archivist, f"/files/{content}/rendition", record=record)
    assert make(house) == 1


def test_what_is_no_scan_or_not_read_gives_none(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_scan(house, archivist, a_jpeg(), "扫描.jpg", read=False)
    assert "制作可检索的 PDF" not in archivist.get(f"/records/{record}").text
    reply = post(archivist, f"/files/{content}/rendition", record=record)
    assert reply.status_code == 422
    assert "不是全部页面都已识别文字" in reply.text
    assert make(house) == 0


def test_it_goes_with_the_scan_that_is_taken_off(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_scan(house, archivist, a_jpeg(), "扫描.jpg")
    post(archivist, f"/files/{content}/rendition", record=record)
    make(house)
    post(archivist, f"/files/{content}/take-off", record=record, reason="放错了")
    with house.services.db.reading() as session:
        assert session.scalars(select(Content)).all() == []
