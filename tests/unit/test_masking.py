"""Black parts of a picture: nothing under them is left, and nothing that the file carried beside goes along."""

import base64
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from indexer.extract import masking
from tests.factories.drawn import looked_at


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    masking.prepare()


def noise(seed: int, size: tuple[int, int] = (200, 280)) -> Image.Image:
    return Image.effect_noise(size, 90 + seed).convert("RGB")


PART = st.integers(0, masking.WHOLE - 1)


@given(PART, PART, st.integers(1, masking.WHOLE), st.integers(1, masking.WHOLE))
def test_every_pixel_that_a_box_touches_is_black_and_no_other_is_changed(
    left: int, top: int, wide: int, high: int
) -> None:
    wide, high = min(wide, masking.WHOLE - left), min(high, masking.WHOLE - top)
    page = Image.new("RGB", (97, 131), "white")
    made = masking.blacked(page, [(left, top, wide, high)], "来源")
    for x in range(97):
        touched = x * masking.WHOLE < (left + wide) * 97 and (x + 1) * masking.WHOLE > left * 97
        y = min(130, (top + high // 2) * 131 // masking.WHOLE)
        assert made.getpixel((x, y)) == ((0, 0, 0) if touched else (255, 255, 255))


def test_two_pages_that_differ_under_the_box_alone_give_the_same_excerpt() -> None:
    first, second = noise(1), noise(1)
    second.paste(first, (0, 0))
    second.paste(noise(9, (60, 40)), (20, 30))
    boxes: Sequence[Sequence[int]] = [(1_000, 1_071, 3_000, 1_429)]

    def made(page: Image.Image) -> object:
        kept = io.BytesIO()
        page.save(kept, "PNG")
        return masking.masked(kept.getvalue(), boxes, "来源")["image"]

    assert made(first) == made(second)


def test_comments_and_small_pictures_inside_a_file_do_not_go_along() -> None:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret-description"
    noise(2).save(kept, "JPEG", comment=b"secret-comment", exif=exif)
    assert b"secret-comment" in kept.getvalue()
    told = masking.masked(kept.getvalue(), [], "来源")
    data = base64.b64decode(told["image"])
    assert b"secret" not in data
    assert looked_at(data).size == (told["width"], told["height"])


def test_a_long_line_is_broken_to_the_width_of_the_page() -> None:
    short = masking.blacked(noise(3), [], "短")
    long = masking.blacked(noise(3), [], "很长的来源" * 40)
    assert long.width == short.width
    assert long.height > short.height
