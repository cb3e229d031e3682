"""What is done with an engine's lines, whichever engine it is: order, turns, slant, lost lines."""

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from indexer.ocr.engine import Line
from indexer.ocr.page import in_order, read_page, slant_of

Reads = Callable[[Image.Image], Sequence[Line]]


class Engine:
    """Answers as told, and notes the sizes of what it was given."""

    def __init__(self, reads: Reads, line: tuple[str, float] = ("", 0.0)) -> None:
        self.reads, self.line = reads, line
        self.asked: list[tuple[int, int]] = []

    def read(self, image: Image.Image) -> Sequence[Line]:
        self.asked.append(image.size)
        return self.reads(image)

    def read_line(self, _image: Image.Image) -> tuple[str, float]:
        return self.line


def line(
    text: str, x: float, y: float, *, width: float = 300, height: float = 30, score: float = 0.99, fall: float = 0
) -> Line:
    return Line(((x, y), (x + width, y + fall), (x + width, y + height + fall), (x, y + height)), text, score)


def paper(*rows: tuple[int, int, int]) -> Image.Image:
    """Return a page with dark bars (x, y, width) 30 pixels high in place of lines."""
    image = Image.new("RGB", (600, 800), "white")
    for x, y, width in rows:
        ImageDraw.Draw(image).rectangle((x, y, x + width, y + 29), fill="black")
    return image


def test_lines_stand_in_the_order_of_the_page() -> None:
    lines = [line("三", 50, 200), line("二", 400, 101, width=100), line("一", 50, 100)]
    assert in_order(lines) == ["一 二", "三"]


def test_rows_of_a_slanted_page_are_not_mixed_up() -> None:
    lines = [line("左上", 0, 100, fall=30), line("右上", 900, 190, fall=30), line("左下", 0, 180, fall=30)]
    assert in_order(lines) == ["左上 右上", "左下"]
    assert 5 < slant_of(lines) < 6


def test_an_empty_page_is_not_even_given_to_the_engine() -> None:
    engine = Engine(lambda _image: [])
    assert read_page(engine, Image.new("RGB", (300, 400), "white")).text == ""
    assert engine.asked == []


def test_a_page_that_reads_well_is_read_once() -> None:
    engine = Engine(lambda _image: [line("物业合同", 50, 100)])
    found = read_page(engine, paper((50, 100, 300)))
    assert (found.text, found.confidence, found.turn) == ("物业合同", 99, 0)
    assert engine.asked == [(600, 800)]


def test_a_page_that_lies_on_its_side_is_turned() -> None:
    engine = Engine(
        lambda image: [line("物业合同", 5, 5)] if image.width > image.height else [line("|", 5, 5, score=0.4)]
    )
    found = read_page(engine, paper((50, 100, 300)))
    assert (found.text, found.turn) == ("物业合同", 90)


def test_a_page_on_its_head_is_turned_though_some_of_it_was_read() -> None:
    def reads(image: Image.Image) -> Sequence[Line]:
        upright = image.getpixel((51, 101)) == (0, 0, 0)
        return [line("物业服务合同", 50, 100, score=0.99 if upright else 0.7)]

    engine = Engine(reads)
    assert read_page(engine, paper((50, 100, 300)).rotate(180)).turn == 180
    assert len(engine.asked) == 2, "the first turn that reads well ends the search"


def test_lines_that_stand_on_end_show_a_page_on_its_side_however_well_they_read() -> None:
    def reads(image: Image.Image) -> Sequence[Line]:
        lies = image.width > image.height
        return [line("物业服务合同", 50, 100) if lies else line("物业服务合同", 50, 100, width=30, height=300)]

    assert read_page(Engine(reads), paper((50, 100, 300))).turn == 90


def test_a_strongly_slanted_page_is_made_straight_when_it_reads_badly() -> None:
    def reads(image: Image.Image) -> Sequence[Line]:
        plain = image.size in {(600, 800), (800, 600)}
        return [line("物业服务合同", 50, 100, score=0.7 if plain else 0.99, fall=15 if plain else 0)]

    assert read_page(Engine(reads), paper((50, 100, 300))).confidence == 99


def test_doubtful_lines_and_signs_without_a_letter_are_no_words() -> None:
    assert read_page(Engine(lambda _image: [line("甲", 50, 100, score=0.3)]), paper((50, 100, 300))).text == ""
    assert read_page(Engine(lambda _image: [line("—", 50, 100)]), paper((50, 100, 300))).text == ""


def test_a_line_that_the_detector_lost_is_cut_out_and_read() -> None:
    def reads(image: Image.Image) -> Sequence[Line]:
        if image.height > 700:
            return [line("第一行", 48, 98, width=304, height=34), line("第三行", 48, 298, width=304, height=34)]
        return [line("第二行", 20, 20, width=600, height=60)]

    found = read_page(Engine(reads), paper((50, 100, 300), (50, 200, 300), (50, 300, 300)))
    assert found.text == "第一行第二行第三行"  # lines of one width are one paragraph


def test_a_number_before_a_line_that_the_detector_left_out_is_read_as_a_line() -> None:
    def reads(image: Image.Image) -> Sequence[Line]:
        return [line("第一行", 148, 98, width=304, height=34)] if image.height > 700 else []

    found = read_page(Engine(reads, ("1.", 0.95)), paper((50, 100, 25), (150, 100, 300)))
    assert found.text == "1. 第一行"


def test_rules_and_specks_are_not_read_again() -> None:
    image = paper((50, 100, 300))
    ImageDraw.Draw(image).line((20, 400, 580, 400), fill="black", width=3)
    for at in range(0, 600, 7):
        image.putpixel((at, 500 + at % 40), (0, 0, 0))
    engine = Engine(lambda _image: [line("第一行", 48, 98, width=304, height=34)])
    read_page(engine, image)
    assert len(engine.asked) == 1
