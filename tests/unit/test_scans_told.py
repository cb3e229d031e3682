"""Scans are told page by page: by their pictures, by a text layer that is no text, and never a page of real words."""

from pathlib import Path

import pytest

from indexer.extract.pdf import extract_pdf
from indexer.extract.pictures import extract_image
from tests.factories.drawn import a_pdf, an_image
from tests.factories.scanned import a_page, a_pdf_of_unknown_letters, a_scanned_pdf, as_png

WORDS = "物业服务合同约定乙方应当按照约定的服务内容和标准提供服务并接受业主大会和业主委员会的监督管理条款"
SAMPLES = Path(__file__).parents[3] / "shared/samples/pdf"


def test_a_mixed_document_is_told_page_by_page() -> None:
    picture = a_page(["第一条"])
    found = extract_pdf(a_scanned_pdf(WORDS, picture, WORDS, ("3", picture), (WORDS, picture)))
    assert found.scans == (2, 4)
    assert [bool(page) for page in found.pages] == [True, False, True, True, True]


def test_a_text_without_pictures_is_no_scan() -> None:
    assert extract_pdf(a_pdf("短", WORDS)).scans == ()


def test_an_empty_page_without_a_picture_is_no_scan() -> None:
    assert extract_pdf(a_pdf("", WORDS)).scans == ()


def test_only_asked_pages_are_told() -> None:
    picture = a_page(["第一条"])
    assert extract_pdf(a_scanned_pdf(picture, picture, picture), 2, 2).scans == (2,)


def test_a_page_of_unknown_letters_counts_as_one_without_text() -> None:
    found = extract_pdf(a_pdf_of_unknown_letters("物业管理的合同和公告与通知", "第二页"))
    assert found.pages == ("", "")
    assert found.scans == (1, 2)


def test_a_photograph_is_a_scan_and_a_dot_is_none() -> None:
    assert extract_image(as_png(a_page(["第一条"]))).scans == (1,)
    assert extract_image(an_image("PNG", (16, 16))).scans == ()


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample files are not beside the checkout")
def test_the_scans_among_real_files_are_told() -> None:
    told = {path.name for path in SAMPLES.glob("*-image.pdf") if extract_pdf(path.read_bytes()).scans}
    assert told == {"cmyk-image.pdf", "grayscale-image.pdf"}
