"""Labels: the sheets and rolls that they are printed on, and what stands on one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from web.codes import bars, qr
from web.words import mark


@dataclass(frozen=True)
class Sheet:
    """A sheet of labels; all lengths in mm. ``first`` is the corner of the first label, ``pitch`` from one to the next.

    ``code`` is the width of the QR code, ``bars`` the height of the bars, ``inset`` the free edge of a label.
    """

    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    first: tuple[float, float]
    pitch: tuple[float, float]
    code: float
    bars: float
    inset: float = 3


SHEETS: Mapping[str, tuple[str, Sheet]] = {
    "3x8": (mark("A4, 3 × 8 labels (70 × 37 mm)"),
            Sheet((210, 297), 3, 8, (70, 37), (0, 0.5), (70, 37), 17, 8, 4)),
    "2x7": (mark("A4, 2 × 7 labels (99.1 × 38.1 mm)"),
            Sheet((210, 297), 2, 7, (99.1, 38.1), (4.65, 15.15), (101.6, 38.1), 20, 8)),
    "roll": (mark("Roll, 57 × 32 mm"), Sheet((57, 32), 1, 1, (57, 32), (0, 0), (57, 32), 15, 7, 2)),
    "roll60": (mark("Roll, 60 × 40 mm"), Sheet((60, 40), 1, 1, (60, 40), (0, 0), (60, 40), 18, 8, 2)),
    "roll100": (mark("Roll, 100 × 50 mm"), Sheet((100, 50), 1, 1, (100, 50), (0, 0), (100, 50), 24, 10, 3)),
}  # fmt: skip


def label_sheet(chosen: str, start: int, labels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the template of labels is filled in with.

    Args:
        chosen: the sheet, by its key; one that is unknown stands for the first.
        start: the first label that is free, from 1.
        labels: each with ``number``, ``level``, ``shape``, ``lines``, ``qr`` and ``bars`` (``image``, ``modules``).
    """
    return {
        "level_rank": 0,
        "level": "",
        "shape": "",
        "sheet": asdict(sheet_of(chosen)),
        "start": start - 1,
        "labels": list(labels),
    }


def sheet_of(chosen: str) -> Sheet:
    """Return the sheet of a key; one that is unknown stands for the first."""
    return SHEETS.get(chosen, SHEETS["3x8"])[1]


def sample_labels(rows: int, words: str) -> dict[str, Any]:
    """Return made labels that a template is tried with: long and short, and one with nothing but its number."""
    made = [
        a_label(f"WY01-WYH·2024-D30-A{at:04}", "https://example.org/", words, "square", [words, words])
        for at in range(1, rows + 1)
    ]
    return label_sheet("3x8" if rows else "roll", 3 if rows else 1, [*made, a_label("X", "X", "", "", [])])


def a_label(number: str, address: str, level: str, shape: str, lines: Sequence[str]) -> dict[str, Any]:
    """Return one label; ``address`` is what its QR code opens."""
    image, modules = bars(number)
    return {
        "number": number,
        "level": level,
        "shape": shape,
        "lines": list(lines),
        "qr": qr(address),
        "bars": {"image": image, "modules": modules},
    }
