"""The words of a page laid over its picture: they can be selected, and hits are seen at their place.

It is made as SVG with plain attributes: the policy of the pages allows no inline style.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot

from indexer.layout import Layout, Run, runs_by_line

_BASELINE = 0.8  # share of a line's height above the feet of its letters


@dataclass(frozen=True)
class Word:
    """A piece of a line: where it begins along the line, how long it is, and the spaces that stand before it."""

    space: str
    text: str
    at: float
    length: float


@dataclass(frozen=True)
class OverlaidLine:
    """A line of text; ``matrix`` (of an SVG transform) takes its own axes, along and down, to the page's."""

    matrix: str
    height: float
    baseline: float
    words: Sequence[Word]


@dataclass(frozen=True)
class Overlay:
    """What lies over a picture of ``width`` by ``height``; each of ``hits`` is the points of an SVG polygon."""

    width: int
    height: int
    lines: Sequence[OverlaidLine]
    hits: Sequence[str]


def overlay_of(layout: Layout, text: str, marks: Iterable[tuple[int, int]], turn: int) -> Overlay:
    """Lay a page's text over its picture, which is shown turned clockwise by ``turn`` degrees."""
    lying = layout.turned(turn)
    hits = [" ".join(f"{x:.0f},{y:.0f}" for x, y in corners) for corners in lying.spots(text, marks)]
    lines = [_line(runs, text) for runs in runs_by_line(lying, text)]
    return Overlay(lying.width, lying.height, lines, hits)


def _line(runs: Sequence[Run], text: str) -> OverlaidLine:
    x, y, across_x, across_y, down_x, down_y = runs[0].box
    length = _length(across_x - x, across_y - y)
    along = (across_x - x) / length, (across_y - y) / length
    height = _length(down_x - x, down_y - y)
    words = []
    end = runs[0].start
    for run in runs:
        at = (run.box[0] - x) * along[0] + (run.box[1] - y) * along[1]
        wide = _length(run.box[2] - run.box[0], run.box[3] - run.box[1])
        words.append(Word(" " if run.start > end else "", text[run.start : run.end].replace("\n", ""), at, wide))
        end = run.end
    matrix = f"matrix({along[0]:.4f} {along[1]:.4f} {-along[1]:.4f} {along[0]:.4f} {x} {y})"
    return OverlaidLine(matrix, height, height * _BASELINE, words)


def _length(across: float, down: float) -> float:
    return max(hypot(across, down), 1.0)
