"""One page by OCR: read, turned when it was scanned sideways or upside down, its lines put in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, radians, sin
from statistics import median

from PIL import Image

from indexer.extract.cleaning import clean, unwrap
from indexer.layout import Box, Layout, laid_out
from indexer.ocr.engine import Engine, Line
from indexer.ocr.lost import lost_lines

DOUBTFUL = 0.6
"""Lines with a lower score are specks and ornaments, not words."""

POOR = 0.85
"""A reading with less confidence may be of a page that lies on its side: the other turns are tried."""

_SLANT = 1.5  # degrees; the engine reads less slanted lines as well as straight ones
_TURNS = (180, 90, 270)
_ON_END = 0.25


@dataclass(frozen=True)
class PageRead:
    """What OCR made of a page.

    Attributes:
        text: its lines in order, cleaned; "" when there are no words on it.
        confidence: percent, the mean of its letters; 0 when there are no words.
        turn: degrees clockwise by which it was turned to be read.
        layout: where its lines lie on the page as it was scanned; None: nobody can tell.
    """

    text: str
    confidence: int
    turn: int = 0
    layout: Layout | None = None


@dataclass(frozen=True)
class _Reading:
    """Lines on a picture, which came of another by turning it clockwise by ``turn``, then by ``-slant`` degrees."""

    image: Image.Image
    lines: Sequence[Line]
    turn: int = 0
    slant: float = 0.0

    @property
    def letters(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def confidence(self) -> float:
        return sum(line.score * len(line.text) for line in self.lines) / max(self.letters, 1)

    @property
    def poor(self) -> bool:
        return not self.lines or self.confidence < POOR or sum(map(_on_end, self.lines)) * 2 > len(self.lines)

    @property
    def worth(self) -> float:
        """How much of it is surely read. Lines that stand on end are read as well as others, but in a wrong order."""
        return sum(
            len(line.text) * max(line.score - DOUBTFUL, 0) * (_ON_END if _on_end(line) else 1) for line in self.lines
        )


def read_page(engine: Engine, image: Image.Image) -> PageRead:
    """Read an RGB picture of a page, whichever way it lies."""
    if _blank(image):
        return PageRead("", 0)
    best = _read(engine, image)
    for turn in _TURNS:
        if not best.poor:
            break
        best = max(best, _read(engine, image.rotate(-turn, expand=True), turn), key=lambda reading: reading.worth)
    if best.poor and abs(slant := slant_of(best.lines)) > _SLANT:
        straight = best.image.rotate(slant, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
        best = max(best, _read(engine, straight, best.turn, slant), key=lambda reading: reading.worth)
    if best.lines:
        best = replace(best, lines=[*best.lines, *_sure(lost_lines(engine, best.image, best.lines))])
    text = unwrap(clean("\n".join(in_order(best.lines))))
    if not any(map(str.isalnum, text)):
        return PageRead("", 0)
    lines = [(line.text, _scanned_at(best, line, image.size)) for row in rows_of(best.lines) for line in row]
    return PageRead(text, round(best.confidence * 100), best.turn, laid_out(text, image.size, lines))


def in_order(lines: Sequence[Line]) -> list[str]:
    """Return texts from top to bottom, those that stand beside each other in one row joined by a space."""
    return [" ".join(line.text for line in row) for row in rows_of(lines)]


def rows_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Return lines from top to bottom, those that stand beside each other in one row, from left to right."""
    angle = radians(slant_of(lines))
    placed = []
    for line in lines:
        x, y = (sum(corner[axis] for corner in line.box) / 4 for axis in (0, 1))
        placed.append((y * cos(angle) - x * sin(angle), x * cos(angle) + y * sin(angle), _height(line), line))
    rows: list[list[tuple[float, float, float, Line]]] = []
    for each in sorted(placed, key=lambda each: each[:3]):
        beside = rows and abs(each[0] - rows[-1][-1][0]) < min(each[2], rows[-1][-1][2]) / 2
        if beside:
            rows[-1].append(each)
        else:
            rows.append([each])
    return [[line for _y, _x, _height, line in sorted(row, key=lambda each: each[1])] for row in rows]


def slant_of(lines: Sequence[Line]) -> float:
    """Return by how many degrees lines fall to the right (negative: they rise), as most of the long ones do."""
    long = [line for line in lines if _length(line) > 4 * _height(line)]
    slants = [degrees(atan2(line.box[1][1] - line.box[0][1], line.box[1][0] - line.box[0][0])) for line in long]
    return median(slants) if slants else 0.0


def _read(engine: Engine, image: Image.Image, turn: int = 0, slant: float = 0.0) -> _Reading:
    return _Reading(image, _sure(engine.read(image)), turn, slant)


def _scanned_at(reading: _Reading, line: Line, size: tuple[int, int]) -> Box:
    """Return where a line of a reading lies on the picture, of this size, that was given to be read."""
    corners = [line.box[0], line.box[1], line.box[3]]
    lying = size if reading.turn % 180 == 0 else size[::-1]
    if reading.slant:
        corners = [_turned_back(corner, -reading.slant, reading.image.size, lying) for corner in corners]
    if reading.turn:
        corners = [_turned_back(corner, reading.turn, lying, size) for corner in corners]
    (x, y), (across_x, across_y), (down_x, down_y) = corners
    return round(x), round(y), round(across_x), round(across_y), round(down_x), round(down_y)


def _turned_back(
    point: tuple[float, float], turn: float, turned: tuple[int, int], size: tuple[int, int]
) -> tuple[float, float]:
    """Return where a point was before a picture of ``size`` was turned clockwise and became one of size ``turned``."""
    x, y = point[0] - turned[0] / 2, point[1] - turned[1] / 2
    angle = radians(turn)
    return x * cos(angle) + y * sin(angle) + size[0] / 2, y * cos(angle) - x * sin(angle) + size[1] / 2


def _sure(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.score >= DOUBTFUL and line.text.strip()]


def _blank(image: Image.Image) -> bool:
    """Whether a picture is of one colour, but for noise too faint to be ink."""
    dark, light = image.convert("L").getextrema()
    return bool(light - dark < 24)  # type: ignore[operator]  # one band: two numbers


def _on_end(line: Line) -> bool:
    return len(line.text) > 1 and _height(line) > 1.5 * _length(line)


def _length(line: Line) -> float:
    return hypot(line.box[1][0] - line.box[0][0], line.box[1][1] - line.box[0][1])


def _height(line: Line) -> float:
    return hypot(line.box[3][0] - line.box[0][0], line.box[3][1] - line.box[0][1])
