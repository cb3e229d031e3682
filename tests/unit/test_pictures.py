"""Pictures of pages: of each kind that has some, out of a real fork; what is broken or a bomb is named."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from storage.pictures import PictureCache
from tests.factories.drawn import a_pdf, an_image, looked_at

PDF = "application/pdf"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def drawn(extractor: Extractor, kind: str, data: bytes, page: int = 1, **how: object) -> bytes | Failure:
    file = extractor.hold([data], len(data))
    try:
        return extractor.picture_held(kind, file, page, **{"width": 900, **how})  # type: ignore[arg-type]
    finally:
        file.close()


def seen(extractor: Extractor, kind: str, data: bytes, page: int = 1, **how: object) -> bytes:
    found = drawn(extractor, kind, data, page, **how)
    assert isinstance(found, bytes), found
    return found


def test_a_page_of_a_pdf_is_drawn_as_wide_as_asked_and_turned(extractor: Extractor) -> None:
    data = a_pdf("物业服务合同", "第二页")
    upright = looked_at(seen(extractor, PDF, data))
    assert upright.width in {899, 900, 901}
    assert upright.height > upright.width
    assert upright.getextrema()[0][0] < 100, "the letters are dark"
    turned = looked_at(seen(extractor, PDF, data, turn=90))
    assert turned.width > turned.height
    assert drawn(extractor, PDF, data, 3) == Failure(Reason.EMPTY)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000"])
def test_each_kind_of_image_has_a_page_and_a_picture(extractor: Extractor, form: str) -> None:
    kind, data = f"image/{form.lower().replace('jpeg2000', 'jp2')}", an_image(form)
    found = extractor.extract(kind, [data], len(data))
    assert found == Extracted(("",), 1, 1, scans=(1,))
    picture = looked_at(seen(extractor, kind, data))
    assert picture.size == (300, 200), "no larger than it is"
    red, green, blue = picture.getpixel((150, 100))  # type: ignore[misc]
    assert red > 230
    assert max(green, blue) < 30
    assert looked_at(seen(extractor, kind, data, width=240)).size == (240, 160)


def test_a_long_screenshot_is_drawn_though_it_is_longer_than_webp_takes(extractor: Extractor) -> None:
    picture = looked_at(seen(extractor, "image/png", an_image("PNG", (1_080, 21_000))))
    assert picture.height == 16_383
    assert picture.width in {842, 843}
    turned = looked_at(seen(extractor, "image/png", an_image("PNG", (1_080, 21_000)), turn=90))
    assert turned.width == 16_383


def test_a_photograph_stands_upright_and_what_is_transparent_is_paper(extractor: Extractor) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    lying = an_image("JPEG", exif=exif)
    assert looked_at(seen(extractor, "image/jpeg", lying)).size == (200, 300)
    clear = an_image("PNG", mode="RGBA", colour=(0, 0, 0, 0))
    assert looked_at(seen(extractor, "image/png", clear)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "colour"), [("CMYK", (0, 0, 0, 0)), ("I;16", 65_535), ("LAB", (255, 0, 0)), ("1", 1)])
def test_a_scan_in_any_colours_is_drawn(extractor: Extractor, mode: str, colour: Any) -> None:
    picture = looked_at(seen(extractor, "image/tiff", an_image("TIFF", mode=mode, colour=colour)))
    assert picture.convert("L").getpixel((9, 9)) in range(250, 256), "paper is white"


def test_a_scan_of_several_sheets_has_a_page_for_each(extractor: Extractor) -> None:
    sheets = [Image.new("L", (100, 140), shade) for shade in (0, 128, 255)]
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="tiff_lzw")
    found = extractor.extract("image/tiff", [out.getvalue()], len(out.getvalue()))
    assert found == Extracted(("", "", ""), 1, 3, scans=(1, 2, 3))
    shades = [looked_at(seen(extractor, "image/tiff", out.getvalue(), page)).getpixel((9, 9)) for page in (1, 2, 3)]
    assert [round(shade[0] / 64) for shade in shades] == [0, 2, 4]  # type: ignore[index]


def test_what_is_broken_or_a_bomb_or_no_picture_is_named(extractor: Extractor) -> None:
    bomb = an_image("PNG", (20_000, 20_000), 0, "1")
    torn = an_image("JPEG", (600, 600))[:400]
    for kind, data, reason in (
        ("image/png", bomb, Reason.BOMB),
        ("image/png", b"\x89PNG\r\n\x1a\n nothing", Reason.BROKEN),
        ("image/jpeg", torn, Reason.BROKEN),
    ):
        found = extractor.extract(kind, [data], len(data))
        assert isinstance(found, Failure)
        assert found.reason is reason
        assert isinstance(drawn(extractor, kind, data), Failure)
    assert drawn(extractor, "text/html", b"<script>") == Failure(Reason.UNSUPPORTED)
    assert drawn(extractor, "image/svg+xml", b"<svg/>") == Failure(Reason.UNSUPPORTED)


def test_a_drawing_as_large_as_a_wall_is_shown_and_one_that_is_too_large_is_no_bomb(extractor: Extractor) -> None:
    a0 = io.BytesIO()
    Image.new("1", (9_933, 14_043), 1).save(a0, "TIFF", compression="raw")  # 300 dpi
    found = extractor.extract("image/tiff", [a0.getvalue()], len(a0.getvalue()))
    assert found == Extracted(("",), 1, 1, scans=(1,))
    assert looked_at(seen(extractor, "image/tiff", a0.getvalue())).width == 900
    larger = an_image("BMP", (13_000, 13_000), 0, "1")
    assert extractor.extract("image/bmp", [larger], len(larger)) == Failure(Reason.TOO_LARGE)


def test_an_image_of_another_format_under_a_known_type_is_not_opened(extractor: Extractor) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    assert drawn(extractor, "image/png", eps) == Failure(Reason.BROKEN, "UnidentifiedImageError")


def test_pictures_that_nobody_looked_at_go_first_when_the_budget_is_spent(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / "pictures", 1_000)
    assert cache.get("a-1") is None
    for name in ("a-1", "a-2", "b-1"):
        cache.put(name, name.encode() * 100)
    assert cache.get("b-1") == b"b-1" * 100
    cache.put("c-1", b"c" * 300)
    kept = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert "c-1" in kept
    assert sum(path.stat().st_size for path in (tmp_path / "pictures").iterdir()) <= 1_000
    assert len(kept) < 4
