"""Tesseract as the engine behind the walls: made pages and a real picture give words. Skipped where it is absent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.extract.answer import Failure, Reason
from indexer.ocr.client import PageReader
from indexer.ocr.engines import LANGUAGES, TESSERACT, chosen, tesseract_languages
from indexer.ocr.page import PageRead
from tests.factories.scanned import a_page, a_scanned_pdf, as_png
from tests.integration.test_ocr_engine import LINES, SAMPLES, likeness, read, words

pytestmark = pytest.mark.skipif(
    tesseract_languages() != LANGUAGES,
    reason="Tesseract is not installed with its languages (tesseract-ocr-chi-sim, tesseract-ocr-chi-tra)",
)


@pytest.fixture(scope="module")
def reader() -> Iterator[PageReader]:
    engine = chosen(TESSERACT)
    assert engine
    made = PageReader(engine)
    yield made
    made.close()


def test_it_says_what_it_is(reader: PageReader) -> None:
    assert reader.engine.startswith("tesseract ")


def test_a_page_of_both_scripts_is_read_with_boxes_and_confidence(reader: PageReader) -> None:
    found = read(reader, "image/png", as_png(a_page(LINES[:6])))
    assert isinstance(found, PageRead), found
    assert likeness(found.text, LINES[:6]) >= 0.95
    assert found.confidence > 80
    assert found.layout is not None
    assert len(found.layout.runs) == 6


def test_a_page_of_a_pdf_that_lies_on_its_head_is_turned(reader: PageReader) -> None:
    found = read(reader, "application/pdf", a_scanned_pdf("文本", a_page(LINES[:2]).rotate(180)), 2)
    assert isinstance(found, PageRead), found
    assert likeness(found.text, LINES[:2]) >= 0.9
    assert found.turn == 180


def test_no_words_no_page_and_no_picture_are_told_apart(reader: PageReader) -> None:
    data = as_png(a_page([]))
    assert read(reader, "image/png", data) == PageRead("", 0)
    assert read(reader, "image/png", data, 2) == Failure(Reason.EMPTY)
    assert isinstance(read(reader, "image/png", b"no picture"), Failure)


def test_the_walls_of_the_sandbox_stand_around_it(reader: PageReader) -> None:
    assert {"no_new_privs", "seccomp"} <= set(reader.walls()) or not reader.walls()


@pytest.mark.samples
@pytest.mark.skipif(not Path(SAMPLES).exists(), reason="the sample files are not beside the checkout")
def test_a_real_picture_gives_its_words(reader: PageReader) -> None:
    data = (SAMPLES / "office/testOCR.png").read_bytes()
    assert "This file contains some words." in words(reader, "image/png", data)
