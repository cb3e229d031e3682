"""Excerpts: what lies under a black part is nowhere in one; pages say where they are from; loans give one to read."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pypdf
import pypdfium2
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from archive.model import Attachment, Content, CopyMark, Excerpt, Loan, Medium, ReadingRight, Record, RecordState
from archive.purging import remove_records
from indexer.extract.tracing import number_in
from tests.factories.drawn import a_pdf
from tests.factories.web_house import WebHouse, a_web_house, token_of

BOX = {"left": "8", "top": "12", "width": "85", "height": "8"}
"""Where ``a_pdf`` writes its line, and some way around."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def kept(house: WebHouse, data: bytes, name: str = "合同.pdf", title: str = "电梯维保合同") -> tuple[str, str]:
    """Take a file into a record and file that; return the record's and the content's id."""
    client = house.browser("archivist")
    token = token_of(client)
    values = {"category": str(house.category.id), "title": title, "drawn_up": "2024", "level": "1"}
    page = client.post("/records", data={"csrf_token": token, **values}, follow_redirects=True).text
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", page))
    client.post(f"/records/{record}/files", data={"csrf_token": token, "files": (BytesIO(data), name)})
    house.read_texts()
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, UUID(record))
        row.state, row.archive_number, row.medium = RecordState.FILED, "WY01-WYH·2024-D10-0001", Medium.ELECTRONIC
        content = work.session.scalar(select(Content.id).where(Content.record_id == row.id))
        work.commit()
    return record, str(content)


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    sent = {"csrf_token": token_of(client), **data}
    reply = client.post(path, data=sent, follow_redirects=True)
    return reply.status_code, reply.text


def excerpt(client: FlaskClient, content: str, pages: str = "1", **boxes: object) -> bytes:
    status, page = post(client, f"/files/{content}/excerpt", act="make", pages=pages, purpose="给业主核对", **boxes)
    assert status == 200, page
    return client.get(re.findall(r"/attachments/[0-9a-f-]{36}", page)[0]).data


def drawn(pdf: bytes, page: int = 0) -> Image.Image:
    """Return the picture that a page of an excerpt is."""
    (picture,) = pypdf.PdfReader(BytesIO(pdf)).pages[page].images
    return picture.image.convert("RGB")


def boxed(page: int) -> dict[str, str]:
    return {f"p{page}-{side}": value for side, value in BOX.items()}


def test_no_black_part_is_lost_behind_rows_that_were_taken_back(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _record, content = kept(house, a_pdf("甲方身份证号保密"))
    rows = [dict.fromkeys(BOX, "")] * 60 + [BOX]
    pdf = excerpt(archivist, content, **{f"p1-{side}": [row[side] for row in rows] for side in BOX})
    assert drawn(pdf).getpixel((int(drawn(pdf).width * 0.3), int(drawn(pdf).height * 0.16))) == (0, 0, 0)
    many = {f"p1-{side}": [value] * 45 for side, value in BOX.items()}
    status, page = post(archivist, f"/files/{content}/excerpt", act="make", pages="1", purpose="核对", **many)
    assert status == 422
    assert len(re.findall(f'name="p1-left"[^>]*value="{BOX["left"]}"', page)) == 45, (
        "what was drawn stays to be changed"
    )


def test_what_is_black_is_nowhere_in_the_excerpt(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _record, content = kept(house, a_pdf("甲方身份证号保密", "第二页可以看"))
    pdf = excerpt(archivist, content, "1-2", **boxed(1))
    reader = pypdf.PdfReader(BytesIO(pdf))
    assert len(reader.pages) == 2
    assert "".join(page.extract_text() for page in reader.pages).strip() == ""
    assert pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded() == ""
    for hidden in ("甲方身份证号保密".encode(), "甲方身份证号保密".encode("utf-16-be"), "电梯维保合同".encode()):
        assert hidden not in pdf
    picture = drawn(pdf)
    width, high = picture.width, picture.width * 842 / 595
    inside = picture.crop((int(width * 0.085), int(high * 0.125), int(width * 0.925), int(high * 0.195)))
    assert max(band[1] for band in inside.getextrema()) <= 8
    around = picture.crop((0, int(high * 0.3), width, int(high * 0.9)))
    assert min(band[0] for band in around.getextrema()) >= 245
    other = drawn(pdf, 1)
    line = other.crop((int(width * 0.1), int(high * 0.13), int(width * 0.6), int(high * 0.19)))
    assert min(band[0] for band in line.getextrema()) < 60  # the second page is as it was


def test_each_page_says_below_where_it_is_from(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _record, content = kept(house, a_pdf("一", "二", "三"))
    pdf = excerpt(archivist, content, "3")
    picture = drawn(pdf)
    page = int(picture.width * 842 / 595)
    assert picture.height > page
    below = picture.crop((0, page + 4, picture.width, picture.height)).convert("L")
    assert below.getextrema()[0] < 60


def test_the_list_shows_excerpts_and_only_who_may_make_them_sees_it(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, content = kept(house, a_pdf("一"))
    assert f"/files/{content}/excerpt" in archivist.get(f"/files/{content}/pages/1").text
    assert f"/files/{content}/excerpt" not in staff.get(f"/files/{content}/pages/1").text
    excerpt(archivist, content, **boxed(1))
    page = archivist.get(f"/records/{record}/excerpts").text
    assert "给业主核对" in page
    address = re.findall(r"/attachments/[0-9a-f-]{36}", page)[0]
    assert staff.get(f"/records/{record}/excerpts").status_code == 403
    assert staff.get(f"/files/{content}/excerpt").status_code == 403
    assert staff.get(address).status_code in {403, 404}
    assert post(staff, f"/files/{content}/excerpt", act="make", pages="1", purpose="x")[0] == 403


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("pages", {"pages": "9"}), ("pages", {"pages": "x"}), ("pages", {"pages": "1-"}), ("purpose", {"purpose": " "}),
        ("boxes", {"p1-left": "1", "p1-top": "1", "p1-width": "", "p1-height": "4"}),
        ("boxes", {"p1-left": "90", "p1-top": "1", "p1-width": "20", "p1-height": "4"}),
        ("boxes", {"p1-left": "nan", "p1-top": "1", "p1-width": "20", "p1-height": "4"}),
    ],
)  # fmt: skip
def test_a_form_with_faults_keeps_nothing_and_names_the_field(
    house: WebHouse, field: str, sent: dict[str, str]
) -> None:
    archivist = house.browser("archivist")
    _record, content = kept(house, a_pdf("一"))
    wanted = {"act": "make", "pages": "1", "purpose": "核对", **sent}
    status, page = post(archivist, f"/files/{content}/excerpt", **wanted)
    assert status == 422
    assert f"#field-{field}" in page
    with house.services.db.reading() as session:
        assert session.scalars(select(Excerpt)).all() == []


def test_without_script_the_black_parts_are_shown_before_anything_is_made(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _record, content = kept(house, a_pdf("一"))
    status, page = post(archivist, f"/files/{content}/excerpt", act="look", pages="1", purpose="核对", **boxed(1))
    assert status == 200
    assert '<rect x="8" y="12" width="85" height="8"/>' in page
    assert 'value="85"' in page
    with house.services.db.reading() as session:
        assert session.scalars(select(Excerpt)).all() == []


def test_a_loan_gives_only_the_excerpt_and_no_right_to_the_files(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, content = kept(house, a_pdf("甲方身份证号保密"))
    excerpt(archivist, content, **boxed(1))
    post(staff, f"/records/{record}/borrow", form="screen", purpose="work", reason="核对付款条款")
    request = re.findall(r"/loans/requests/([0-9a-f-]{36})", archivist.get("/loans/requests").text)[0]
    page = archivist.get(f"/loans/requests/{request}").text
    chosen = re.findall(r'<option value="([0-9a-f-]{36})"', page)[0]
    bad = {"decision": "approve", "excerpt": str(UUID(int=7))}
    assert post(archivist, f"/loans/requests/{request}/decide", **bad)[0] == 422
    post(archivist, f"/loans/requests/{request}/decide", decision="approve", excerpt=chosen)
    page = staff.get(f"/loans/requests/{request}").text
    address = re.findall(r"/attachments/[0-9a-f-]{36}", page)[0]
    given, plain = staff.get(address).data, archivist.get(address).data
    assert number_in(drawn(plain)) is None
    with house.services.db.reading() as session:
        (mark,) = session.scalars(select(CopyMark)).all()
    assert number_in(drawn(given)) == mark.number, "a leaked page tells the loan"
    assert (mark.serial, mark.loan_id is not None) == (1, True)
    assert house.browser("clerk").get(address).status_code in {403, 404}
    assert archivist.get(address).status_code == 200
    for level, status in ((4, {403, 404}), (1, {200})):  # who is not cleared for the level any more reads no excerpt
        with house.services.db.writing() as work:
            work.session.get_one(Record, UUID(record)).level_rank = level
            work.commit()
        assert staff.get(address).status_code in status
    with house.services.db.writing() as work:
        loan = work.session.scalars(select(Loan)).one()
        assert str(loan.excerpt_id) == chosen
        assert work.session.scalars(select(ReadingRight)).all() == []
        key = loan.id
    post(archivist, f"/loans/{key}/recall")
    post(archivist, f"/loans/counter/{key}/recall")
    with house.services.db.reading() as session:
        ended = session.get_one(Loan, key).ended_at is not None
    assert ended
    assert staff.get(address).status_code in {403, 404}


def test_an_excerpt_goes_with_its_record(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    record, content = kept(house, a_pdf("一"))
    excerpt(archivist, content)
    with house.services.db.writing() as work:
        remove_records(work.session, [UUID(record)])
        work.commit()
    with house.services.db.reading() as session:
        assert session.scalars(select(Excerpt)).all() == []
        assert session.scalars(select(Attachment)).all() == []
