"""Where the words of a page lie on its picture: runs of its text, each with the parallelogram that it fills.

Kept with a scanned page, sealed under the record's key; of a PDF's text layer it is asked for when it is looked at.
"""

import json
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard
from uuid import UUID

from archive.errors import Damaged
from archive.personal import MASK
from archive.ports import Unlocked
from indexer.extract.cleaning import clean

Box = tuple[int, int, int, int, int, int]
"""x and y of three corners: where the upper edge begins, where it ends, and where the lower edge begins."""

Point = tuple[float, float]

MOST_RUNS = 20_000

_FORMAT = 1
_LONGEST_STEP = 400  # signs of a text that may lie between two runs: what an engine found twice, or out of order


@dataclass(frozen=True)
class Run:
    """``text[start:end]`` of a page lies in ``box``."""

    start: int
    end: int
    box: Box

    def part(self, first: float, last: float) -> tuple[Point, Point, Point, Point]:
        """Return the corners, clockwise, of a part of it; from and to are shares of its length, 0 to 1."""
        x, y, across_x, across_y, down_x, down_y = self.box
        along, down = (across_x - x, across_y - y), (down_x - x, down_y - y)
        left, right = ((x + along[0] * share, y + along[1] * share) for share in (first, last))
        return left, right, (right[0] + down[0], right[1] + down[1]), (left[0] + down[0], left[1] + down[1])


@dataclass(frozen=True)
class Layout:
    """A page of ``width`` by ``height``, in the unit of its runs' boxes: pixels of the picture that was read."""

    width: int
    height: int
    runs: tuple[Run, ...]

    def turned(self, turn: int) -> "Layout":
        """Return it as it lies when the page is turned clockwise by 0, 90, 180 or 270 degrees."""
        layout = self
        for _ in range(turn // 90 % 4):
            runs = tuple(Run(run.start, run.end, _quarter(run.box, layout.height)) for run in layout.runs)
            layout = Layout(layout.height, layout.width, runs)
        return layout

    def spots(self, text: str, marks: Iterable[tuple[int, int]]) -> list[tuple[Point, Point, Point, Point]]:
        """Return the corners of where marked parts of the page's text lie, one for each run that they touch."""
        marked = sorted(marks)
        return [
            run.part(*_shares(text, run, max(start, run.start), min(end, run.end)))
            for run in self.runs
            for start, end in marked
            if start < run.end and end > run.start
        ]

    def told(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"size": [self.width, self.height], "runs": [[run.start, run.end, *run.box] for run in self.runs]}

    def packed(self) -> bytes:
        """Return it as bytes, to be sealed."""
        return zlib.compress(json.dumps({"format": _FORMAT, **self.told()}, separators=(",", ":")).encode(), 9)


def seal_layout(key: Unlocked, content_id: UUID, number: int, layout: Layout) -> bytes:
    """Return the layout of a content's page, packed and sealed."""
    return key.seal(layout.packed(), context=_context(content_id, number))


def open_layout(key: Unlocked, content_id: UUID, number: int, sealed: bytes) -> Layout:
    """Return what ``seal_layout`` sealed.

    Raises:
        Damaged: it is not what was kept.
    """
    context = _context(content_id, number)
    body = json.loads(zlib.decompress(key.open(sealed, context=context)))
    if body["format"] != _FORMAT:
        raise Damaged(what=context)
    width, height = body["size"]
    return Layout(width, height, tuple(Run(start, end, _box(box)) for start, end, *box in body["runs"]))


def _context(content_id: UUID, number: int) -> str:
    return f"layout:{content_id.hex}:{number}"


def laid_out(text: str, size: tuple[int, int], lines: Iterable[tuple[str, Box]]) -> Layout:
    """Find lines of a page in its text.

    The text was cleaned, its lines were joined and its personal numbers blotted out; none of that changes the order or
    the number of signs that are not spaces. A line that cannot be found is left out.

    Args:
        text: of the page, as it is kept.
        size: of the page.
        lines: what stands where, in the order of the text.
    """
    places = [at for at, sign in enumerate(text) if not sign.isspace()]
    signs = "".join(text[at] for at in places)
    runs: list[Run] = []
    at = 0
    for said, box in lines:
        wanted = "".join(clean(said).split())
        found = _find(signs, wanted, at) if wanted else -1
        if found >= 0:
            at = found + len(wanted)
            runs.append(Run(places[found], places[at - 1] + 1, box))
    return Layout(*size, tuple(runs))


def layout_told(body: object, length: int) -> Layout | None:
    """Read a layout that a fork told (``Layout.told``) of a text of so many signs, trusting none of it."""
    runs, size = _rows(body, "runs")
    good = [Run(row[0], row[1], _box(row[2:])) for row in runs if _numbers(row, 8) and 0 <= row[0] < row[1] <= length]
    return Layout(size[0], size[1], tuple(good)) if size else None


def lines_told(body: object) -> tuple[tuple[int, int], list[tuple[str, Box]]] | None:
    """Read the size and the lines that a fork told (``indexer.extract.pdf_words``), trusting none of it."""
    lines, size = _rows(body, "lines")
    good = [(row[0], _box(row[1:])) for row in lines if row and isinstance(row[0], str) and _numbers(row[1:], 6)]
    return (size, good) if size else None


def _rows(body: object, name: str) -> tuple[list[list[Any]], tuple[int, int] | None]:
    if not isinstance(body, dict) or not isinstance(rows := body.get(name), list):
        return [], None
    if not _numbers(size := body.get("size"), 2) or min(size) < 1:
        return [], None
    return [row for row in rows[:MOST_RUNS] if isinstance(row, list)], (size[0], size[1])


def _box(numbers: Sequence[int]) -> Box:
    x, y, across_x, across_y, down_x, down_y = numbers
    return x, y, across_x, across_y, down_x, down_y


def _numbers(found: object, count: int) -> TypeGuard[list[int]]:
    return isinstance(found, list) and len(found) == count and all(type(n) is int and abs(n) < 10**6 for n in found)


def _find(signs: str, wanted: str, at: int) -> int:
    """Return where a line stands in a text from ``at`` on, a blot being any sign; -1: nowhere near."""
    if _is_at(signs, wanted, at):
        return at
    near = signs.find(wanted, at, at + _LONGEST_STEP + len(wanted))
    if near >= 0 or MASK not in signs[at : at + _LONGEST_STEP]:
        return near
    return next((start for start in range(at, at + _LONGEST_STEP) if _is_at(signs, wanted, start)), -1)


def _is_at(signs: str, wanted: str, at: int) -> bool:
    there = signs[at : at + len(wanted)]
    return len(there) == len(wanted) and all(a in {b, MASK} for a, b in zip(there, wanted, strict=True))


def _quarter(box: Box, height: int) -> Box:
    x, y, across_x, across_y, down_x, down_y = box
    return height - y, x, height - across_y, across_x, height - down_y, down_x


def _shares(text: str, run: Run, start: int, end: int) -> tuple[float, float]:
    """Return where a part of a run begins and ends, as shares of its length."""
    before, inside = width_of(text[run.start : start]), width_of(text[start:end])
    whole = max(width_of(text[run.start : run.end]), 1)
    return before / whole, (before + inside) / whole


def width_of(text: str) -> int:
    """Return about how wide a text is, in halves of a Han letter."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def runs_by_line(layout: Layout, text: str) -> list[Sequence[Run]]:
    """Return runs as they stand in lines: those beside each other, in one direction, with no line's end between."""
    lines: list[list[Run]] = []
    for run in layout.runs:
        if lines and _goes_on(lines[-1][-1], run) and "\n" not in text[lines[-1][-1].end : run.start]:
            lines[-1].append(run)
        else:
            lines.append([run])
    return list(lines)


def _goes_on(before: Run, run: Run) -> bool:
    x, y, across_x, across_y, down_x, down_y = before.box
    along, down = (across_x - x, across_y - y), (down_x - x, down_y - y)
    length, height = (max((v[0] ** 2 + v[1] ** 2) ** 0.5, 1) for v in (along, down))
    new = run.box[0] - across_x, run.box[1] - across_y
    ahead = (new[0] * along[0] + new[1] * along[1]) / length
    aside = (new[0] * down[0] + new[1] * down[1]) / height
    turn = (run.box[2] - run.box[0]) * along[0] + (run.box[3] - run.box[1]) * along[1]
    return ahead > -height / 2 and abs(aside) < height / 2 and turn > 0 and run.start >= before.end
