"""Where words lie: on a page's text as it is kept, on a page turned, and in a real PDF out of a real fork."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from PIL import Image

from archive.errors import Damaged
from indexer.layout import Layout, Run, laid_out, layout_told, lines_told, open_layout, runs_by_line, seal_layout
from indexer.ocr.engine import Line
from indexer.ocr.page import read_page
from indexer.sandbox.client import Extractor
from indexer.sandbox.tasks import WORDS
from tests.factories.drawn import a_pdf
from tests.fakes.vault import MemoryVault
from web.reading.overlay import overlay_of

ACROSS = (10, 20, 110, 20, 10, 40)


def bounds(points: Sequence[tuple[float, float]]) -> tuple[int, int, int, int]:
    across, down = zip(*points, strict=True)
    return round(min(across)), round(min(down)), round(max(across)), round(max(down))


def test_lines_are_found_in_a_text_that_was_joined_and_blotted_out() -> None:
    text = "甲方应当按照合同约定支付 电话***********\nThe end"
    boxes = [(0, at, 9, at, 0, at + 5) for at in range(0, 40, 10)]
    lines = list(zip(["甲方应当按照", "合同约定支付", "电话13812345678", "The end"], boxes, strict=True))
    found = laid_out(text, (100, 100), lines)
    assert [text[run.start : run.end] for run in found.runs] == [
        "甲方应当按照", "合同约定支付", "电话***********", "The end",
    ]  # fmt: skip
    assert [run.box for run in found.runs] == boxes


def test_a_line_that_the_text_does_not_have_is_left_out_and_the_others_are_found() -> None:
    found = laid_out("第一行\n第三行", (9, 9), [("第一行", ACROSS), ("噪声", ACROSS), ("第三行", ACROSS)])
    assert [(run.start, run.end) for run in found.runs] == [(0, 3), (4, 7)]


def test_a_hit_lies_on_its_share_of_the_line_wide_letters_twice_as_long() -> None:
    layout = Layout(200, 100, (Run(0, 6, ACROSS),))
    assert bounds(layout.spots("物业ab合同", [(2, 4)])[0]) == (50, 20, 70, 40)
    (spot,) = layout.spots("物业ab合同", [(0, 2)])
    assert bounds(spot) == (10, 20, 50, 40)
    assert layout.spots("物业ab合同", [(6, 9)]) == []


@pytest.mark.parametrize(
    ("turn", "size", "box"),
    [
        (90, (100, 200), (60, 10, 80, 110)),
        (180, (200, 100), (90, 60, 190, 80)),
        (270, (100, 200), (20, 90, 40, 190)),
    ],
)
def test_a_turned_page_takes_its_words_along(turn: int, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    turned = Layout(200, 100, (Run(0, 2, ACROSS),)).turned(turn)
    assert (turned.width, turned.height) == size
    assert bounds(turned.spots("物业", [(0, 2)])[0]) == box


def test_it_is_sealed_for_its_page_alone() -> None:
    layout = Layout(200, 100, (Run(0, 2, ACROSS),))
    vault, record, content = MemoryVault(), uuid4(), uuid4()
    vault.add_owner(None, record, due_year=None)  # type: ignore[arg-type]
    key = vault.unlock(None, record)  # type: ignore[arg-type]  # this one needs no session
    sealed = seal_layout(key, content, 1, layout)
    assert open_layout(key, content, 1, sealed) == layout
    with pytest.raises(Damaged):
        open_layout(key, content, 2, sealed)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"size": [0, 1], "runs": [], "lines": []},
        {"size": "ab", "runs": []},
        {"size": [9, 9]},
    ],
)
def test_what_a_fork_tells_is_not_trusted(told: object) -> None:
    assert layout_told(told, 9) is None
    assert lines_told(told) is None


def test_runs_that_a_fork_made_up_are_left_out() -> None:
    good = [0, 2, *ACROSS]
    bad = [[0, 99, *ACROSS], [3, 2, *ACROSS], [0, 1, 1e9, *ACROSS[1:]], "x", [0], [True, 2, *ACROSS]]
    found = layout_told({"size": [9, 9], "runs": [good, *bad]}, 9)
    assert found == Layout(9, 9, (Run(0, 2, ACROSS),))
    assert lines_told({"size": [9, 9], "lines": [["a", *ACROSS], [1, *ACROSS], ["b", "c"]]}) == (
        (9, 9),
        [("a", ACROSS)],
    )


class Turned:
    """An engine that reads its one line surely only when the page is turned by 90 degrees."""

    def read(self, image: Image.Image) -> Sequence[Line]:
        if image.width > image.height:
            return [Line(((100.0, 50.0), (300.0, 50.0), (300.0, 80.0), (100.0, 80.0)), "电梯维保合同", 0.99)]
        return [Line(((10.0, 10.0), (40.0, 10.0), (40.0, 200.0), (10.0, 200.0)), "?|", 0.7)]

    def read_line(self, _image: Image.Image) -> tuple[str, float]:
        return "", 0.0


def test_a_line_read_on_a_turned_page_lies_where_the_page_was_scanned() -> None:
    image = Image.linear_gradient("L").resize((400, 600)).convert("RGB")
    found = read_page(Turned(), image)
    assert found.turn in {90, 270}
    assert found.layout is not None
    assert (found.layout.width, found.layout.height) == (400, 600)
    back = found.layout.turned(found.turn)
    assert bounds(back.spots(found.text, [(0, 6)])[0]) == (100, 50, 300, 80)


def test_a_pdf_tells_where_its_words_lie() -> None:
    data = a_pdf("物业服务合同 No 2024")
    with Extractor() as extractor:
        file = extractor.hold([data], len(data))
        found = lines_told(extractor.done_held(WORDS, file, 1))
        text = extractor.extract("application/pdf", [data], len(data)).pages[0]  # type: ignore[union-attr]
        file.close()
    assert found is not None
    layout = laid_out(text, *found)
    assert [text[run.start : run.end] for run in layout.runs] == ["物业服务合同", "No", "2024"]
    scale = layout.width / 595
    left, top, right, bottom = bounds(layout.spots(text, [(2, 4)])[0])  # 24 points a letter, from 72 on
    assert abs(left - (72 + 48) * scale) < 12
    assert abs(right - (72 + 96) * scale) < 12
    assert top < (842 - 700) * scale < bottom
    (line,) = runs_by_line(layout, text)
    assert len(line) == 3
    overlay = overlay_of(layout, text, [(2, 4)], 0)
    assert [(word.space, word.text) for word in overlay.lines[0].words] == [
        ("", "物业服务合同"),
        (" ", "No"),
        (" ", "2024"),
    ]
    assert len(overlay.hits) == 1
