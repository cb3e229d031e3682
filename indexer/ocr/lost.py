"""Lines that the detector lost: rows with ink where it found nothing are cut out and read again."""

from collections.abc import Sequence
from statistics import median

from PIL import Image, ImageDraw, ImageFilter

from indexer.ocr.engine import Engine, Line

SURE = 0.8
"""A line found again must be read this surely: what is left on a page is mostly rules, stamps and dirt."""

_MOST_ROWS = 24
_INK = 0.002  # share of a row that must be dark: a digit on an A4 page is more


def lost_lines(engine: Engine, image: Image.Image, found: Sequence[Line]) -> list[Line]:
    """Return lines that are on a page but not among those found.

    Args:
        engine: reads what is cut out.
        image: the page, RGB, as the lines were found on it.
        found: its lines; without any there is nothing to go by, and nothing is looked for.
    """
    if not found:
        return []
    height = median(_bottom(line) - _top(line) for line in found)
    lines: list[Line] = []
    rest = _rest(image, found)
    for top, bottom in _rows(rest, height)[:_MOST_ROWS]:
        box = rest.crop((0, top, rest.width, bottom)).getbbox()
        if box is None or (box[2] - box[0]) < height / 4:
            continue
        margin = int(height / 2)
        area = (
            max(box[0] - margin, 0), max(top - margin, 0),
            min(box[2] + margin, image.width), min(bottom + margin, image.height),
        )  # fmt: skip
        lines += _again(engine, image, area, found)
    return lines


def _again(engine: Engine, image: Image.Image, area: tuple[int, int, int, int], found: Sequence[Line]) -> list[Line]:
    """Read one cut-out twice as large; as a single line when no line is found in it."""
    cut = _without(image, found).crop(area)
    large = cut.resize((cut.width * 2, cut.height * 2), Image.Resampling.LANCZOS)
    lines = [_moved(line, area) for line in engine.read(large)]
    if not lines:
        text, score = engine.read_line(cut)
        left, top, right, bottom = map(float, area)
        lines = [Line(((left, top), (right, top), (right, bottom), (left, bottom)), text, score)]
    return [line for line in lines if line.score >= SURE and any(map(str.isalnum, line.text))]


def _rest(image: Image.Image, found: Sequence[Line]) -> Image.Image:
    """Return the ink that no line accounts for: 255 where there is some."""
    grey = _without(image, found).convert("L")
    counts = grey.histogram()
    paper = max(range(128, 256), key=counts.__getitem__)
    ink = grey.point(lambda value: 255 if value < paper - 90 else 0)
    return ink.filter(ImageFilter.MedianFilter(3))  # specks are no ink


def _without(image: Image.Image, found: Sequence[Line]) -> Image.Image:
    """Return the page with its found lines painted over."""
    painted = image.copy()
    pen = ImageDraw.Draw(painted)
    for line in found:
        pen.polygon(line.box, fill="white")
    return painted


def _rows(rest: Image.Image, height: float) -> list[tuple[int, int]]:
    """Return bands (top, bottom) of rows with ink that are as high as a line: not a rule's, not a picture's."""
    shares = rest.resize((1, rest.height), Image.Resampling.BOX).get_flattened_data()
    bands: list[tuple[int, int]] = []
    begin: int | None = None
    for at, share in enumerate([*shares, 0]):
        if share > _INK * 255:
            begin = at if begin is None else begin
        elif begin is not None:
            bands.append((begin, at))
            begin = None
    return [(top, bottom) for top, bottom in bands if 0.4 * height <= bottom - top <= 2.5 * height]


def _moved(line: Line, area: tuple[int, int, int, int]) -> Line:
    one, two, three, four = ((x / 2 + area[0], y / 2 + area[1]) for x, y in line.box)
    return Line((one, two, three, four), line.text, line.score)


def _top(line: Line) -> float:
    return min(y for _x, y in line.box)


def _bottom(line: Line) -> float:
    return max(y for _x, y in line.box)
