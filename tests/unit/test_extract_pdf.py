"""PDF files: text by page, slices, passwords, ruins."""

import io

import pypdf
import pytest
from pypdf.annotations import FreeText, Text
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.pdf import extract_pdf
from indexer.extract.pdf_rtl import in_reading_order


def a_pdf(pages: int = 3, **about: str) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    paper = canvas.Canvas(out)
    paper.setTitle(about.get("title", ""))
    for number in range(1, pages + 1):
        paper.setFont("STSong-Light", 12)
        paper.drawString(72, 700, f"第{number}页 物业维修基金使用记录")
        paper.showPage()
    paper.save()
    return out.getvalue()


def locked(data: bytes, password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(password, "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def reason(data: bytes) -> Reason:
    with pytest.raises(Unreadable) as caught:
        extract_pdf(data)
    return caught.value.failure.reason


def pages_or_reason(data: bytes) -> int | Reason:
    try:
        return extract_pdf(data).page_count
    except Unreadable as error:
        return error.failure.reason


def test_chinese_pages_are_read_with_title_and_count() -> None:
    found = extract_pdf(a_pdf(title="维修基金"))
    assert found.pages == tuple(f"第{number}页 物业维修基金使用记录" for number in (1, 2, 3))
    assert (found.page_count, found.title) == (3, "维修基金")


def test_a_slice_holds_the_pages_asked_for() -> None:
    found = extract_pdf(a_pdf(9), 4, 6)
    assert [page[:3] for page in found.pages] == ["第4页", "第5页", "第6页"]
    assert (found.first_page, found.next_page, found.page_count) == (4, 7, 9)


def test_a_slice_beyond_the_end_is_cut() -> None:
    assert len(extract_pdf(a_pdf(3), 3, 200).pages) == 1


def a_filled_form() -> bytes:
    out = io.BytesIO()
    paper = canvas.Canvas(out)
    paper.drawString(72, 750, "Application")
    paper.acroForm.textfield(name="name", value="Zhang San", x=72, y=600, width=200)
    paper.acroForm.textfield(name="pin", value="4711", x=72, y=550, width=200, fieldFlags="password")
    paper.acroForm.choice(name="unit", value="A001", options=["A001", "B002"], x=72, y=500, width=200, height=20)
    paper.showPage()
    paper.save()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(out.getvalue()))
    writer.add_annotation(0, Text(text="请补充身份证复印件", rect=(50, 450, 80, 480)))
    writer.add_annotation(0, FreeText(text="Application", rect=(50, 350, 200, 380)))
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def test_what_was_filled_in_and_remarked_is_read_with_its_page() -> None:
    assert extract_pdf(a_filled_form()).pages[0].split("\n") == [
        "Application",
        "Zhang San",
        "A001",
        "请补充身份证复印件",
    ]


def test_arabic_words_are_in_the_order_of_reading_however_they_were_written() -> None:
    """The letters stand side by side on the page; pdfium takes them as read from the left, and turns them."""
    there = (0, 0, 10, 10)
    word = [(letter, (at * 10, 0, at * 10 + 9, 10)) for at, letter in enumerate("دقع")]
    assert "".join(sign for sign, _ in in_reading_order([("a", there), *word, (" ", there), ("1", there)])) == "aعقد 1"
    right = [(letter, (90 - at * 10, 0, 99 - at * 10, 10)) for at, letter in enumerate("عقد")]
    assert in_reading_order(right) == right
    one_box = [(letter, there) for letter in "دقع"]  # written beside the drawing (ActualText)
    assert "".join(sign for sign, _ in in_reading_order(one_box)) == "عقد"


def test_a_password_is_told() -> None:
    assert reason(locked(a_pdf(), "geheim")) is Reason.ENCRYPTED


def test_a_pdf_that_opens_without_password_is_read() -> None:
    assert extract_pdf(locked(a_pdf(), "")).page_count == 3


@pytest.mark.parametrize("cut", [10, 200, 600])
def test_a_torn_pdf_is_broken_or_saved_but_never_an_error(cut: int) -> None:
    assert pages_or_reason(a_pdf()[:cut]) in (Reason.BROKEN, 3)


def test_words_that_only_claim_to_be_a_pdf_are_broken() -> None:
    assert reason(b"%PDF-1.7\nthis is none") is Reason.BROKEN


def test_a_pdf_of_which_no_page_opens_is_broken() -> None:
    assert reason(a_pdf(1).replace(b"/Kids [ 4 0 R ]", b"/Kids [ 9 9 R ]")) is Reason.BROKEN


def test_a_page_that_does_not_open_is_told_as_one_without_text() -> None:
    found = extract_pdf(a_pdf(3).replace(b"/Kids [ 4 0 R ", b"/Kids [ 9 9 R "))
    assert (len(found.pages), found.pages[2], found.scans) == (3, "", (3,))


def test_no_bytes_are_an_empty_file() -> None:
    assert reason(b"") is Reason.EMPTY


def test_a_page_tree_that_bites_its_tail_ends() -> None:
    data = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    assert pages_or_reason(data) in (Reason.BROKEN, 1, 2)
