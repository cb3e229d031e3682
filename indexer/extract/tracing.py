"""Reading the number out of a copy that went astray: a picture of a page, scaled, packed anew, or without colour."""

import mmap
from collections.abc import Sequence
from statistics import median
from typing import Any

from PIL import Image

from indexer import kinds, marks
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.pictures import page_image

_CHIP = 4  # pixels of a chip that is looked at
_NEAR = 2  # chips on each side that tell what the paper is like
_MOST = 3.0  # a chip that differs more from its paper is what stands on the page
_CALM = 6.0  # the range of grey within a chip that counts half
_SURE = 2.2  # of the sums, against what chance gives; without a mark it is about 0.8
_TURNS = (0, 90, 180, 270)


def traced(media_type: str, data: mmap.mmap | bytes, page: int) -> dict[str, Any]:
    """Return what number one page of a file carries: ``number`` (None: none), and of how many pages.

    Raises:
        Unreadable: it does not open, or there is no such page.
    """
    if media_type != kinds.PDF and media_type not in kinds.IMAGES:
        raise Unreadable(Reason.UNSUPPORTED)
    image, count = page_image(media_type, data, page, width=1400)
    return {"number": number_in(image), "pages": count}


def number_in(image: Image.Image) -> int | None:
    """Return the number that a picture of a whole page carries."""
    grey = image.convert("L")
    if min(grey.size) < marks.ACROSS:
        return None
    for turn in _TURNS:
        upright = grey.rotate(turn, expand=True) if turn else grey
        near = marks.rows_of(*upright.size)
        for rows in (near, near - 4, near + 4):
            if 4 <= rows <= marks.MOST_ROWS and (found := _read(upright, rows)) is not None:
                return found
    return None


def sums_in(grey: Image.Image, rows: int) -> Sequence[float]:
    """Return for each bit how surely it is set, as a multiple of what chance gives."""
    across = marks.ACROSS
    means, weights = _chips(grey, rows)
    sums, squares = [0.0] * marks.BITS, [1e-9] * marks.BITS
    for place, (bit, sign) in enumerate(marks.pattern(rows)):
        weight = weights[place]
        if weight < 0.02:
            continue
        row, column = divmod(place, across)
        left, right = max(0, column - _NEAR), min(across, column + _NEAR + 1)
        around = [
            means[each * across + other]
            for each in range(max(0, row - _NEAR), min(rows, row + _NEAR + 1))
            for other in range(left, right)
        ]
        off = max(-_MOST, min(_MOST, means[place] - median(around))) * weight
        sums[bit] += off * sign
        squares[bit] += off * off
    return [total / square**0.5 for total, square in zip(sums, squares, strict=True)]


def _read(grey: Image.Image, rows: int) -> int | None:
    sums = sums_in(grey, rows)
    if sum(map(abs, sums)) / marks.BITS < _SURE:
        return None
    return marks.decode(sums)


def _chips(grey: Image.Image, rows: int) -> tuple[list[float], list[float]]:
    """Return of each chip how light it is, and how much that counts: where something is written, next to nothing."""
    across, wide = marks.ACROSS, marks.ACROSS * _CHIP
    small = grey.resize((wide, rows * _CHIP), Image.Resampling.BOX if grey.width >= wide else Image.Resampling.BICUBIC)
    pixels = small.tobytes()
    means, weights = [], []
    for row in range(rows):
        lines = [pixels[(row * _CHIP + n) * wide : (row * _CHIP + n + 1) * wide] for n in range(_CHIP)]
        for column in range(across):
            start = column * _CHIP
            chip = b"".join(line[start : start + _CHIP] for line in lines)
            means.append(sum(chip) / (_CHIP * _CHIP))
            spread = (max(chip) - min(chip)) / _CALM
            weights.append(1 / (1 + spread * spread))
    return means, weights
