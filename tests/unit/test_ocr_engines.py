"""Which engine reads scans, and what Tesseract's table of words comes to."""

from collections.abc import Iterator

import pytest

from indexer.ocr import engines
from indexer.ocr.tesseract import lines_of

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    engines.chosen.cache_clear()
    yield
    engines.chosen.cache_clear()


@pytest.mark.parametrize(
    ("setting", "extra", "languages", "taken"),
    [
        ("auto", True, ("eng",), "rapidocr"),
        ("auto", False, ("eng",), "tesseract"),
        ("auto", False, (), None),
        ("rapidocr", False, ("eng",), None),
        ("tesseract", True, ("eng",), "tesseract"),
        ("tesseract", True, (), None),
        ("none", True, ("eng",), None),
    ],
)
def test_the_setting_and_what_is_installed_choose_the_engine(
    monkeypatch: pytest.MonkeyPatch, setting: str, extra: bool, languages: tuple[str, ...], taken: str | None
) -> None:
    monkeypatch.setattr(engines, "rapidocr_installed", lambda: extra)
    monkeypatch.setattr(engines, "tesseract_languages", lambda: languages)
    monkeypatch.setattr(engines.metadata, "version", lambda _: "3.10.0")
    found = engines.chosen(setting)
    assert (found and found.name) == taken


def word(line: int, left: int, width: int, sure: float, text: str) -> str:
    return f"5\t1\t1\t1\t{line}\t1\t{left}\t{100 * line}\t{width}\t30\t{sure}\t{text}\n"


def test_words_of_a_line_are_joined_with_a_space_where_one_is() -> None:
    table = HEAD + word(1, 0, 60, 90, "物业") + word(1, 64, 30, 60, "费") + word(1, 150, 60, 90, "收据")
    (line,) = lines_of(table)
    assert line.text == "物业费 收据"
    assert line.box == ((0, 100), (210, 100), (210, 130), (0, 130))
    assert line.score == pytest.approx(0.84)


def test_latin_words_are_told_apart_and_lines_too() -> None:
    table = HEAD + word(1, 0, 60, 90, "service") + word(1, 64, 30, 90, "fee") + word(2, 0, 60, -1, "x") + "odd\n"
    assert [(line.text, line.score) for line in lines_of(table)] == [("service fee", 0.9), ("x", 0.0)]


def test_a_page_without_words_has_no_lines() -> None:
    assert lines_of(HEAD + "1\t1\t0\t0\t0\t0\t0\t0\t99\t99\t-1\t\n") == []
