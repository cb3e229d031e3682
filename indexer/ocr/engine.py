"""What an OCR engine must do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image


@dataclass(frozen=True)
class Line:
    """A line of text on a picture.

    Attributes:
        box: its corners in pixels, clockwise from the beginning of the line's upper edge.
        text: what it says.
        score: how sure the engine is, from 0 to 1.
    """

    box: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
    text: str
    score: float


class Engine(Protocol):
    """Reads pictures. It is made before the walls of the fork server stand, and used in forks that open no file."""

    def read(self, image: Image.Image) -> Sequence[Line]:
        """Find lines on an RGB picture and read them, in no order."""
        ...

    def read_line(self, image: Image.Image) -> tuple[str, float]:
        """Read an RGB picture that holds one line and nothing else; return its text and score, ("", 0) for none."""
        ...
