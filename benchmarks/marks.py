"""How many marks are read again from real pages, after what leaks go through: ``python -m benchmarks.marks FOLDER``.

Each page is marked as the viewer does it (900 pixels across, WebP), then changed, then traced. The same pages without a
mark, but with the words across them, are traced as well.
"""

import io
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pypdfium2
from PIL import Image

from indexer.extract import marking
from indexer.extract.tracing import number_in

WIDTH = 900
LINES = ("王小明 wangxm", "2026-11-26 19:10", "借阅 128")


def _packed(image: Image.Image, form: str, quality: int) -> Image.Image:
    kept = io.BytesIO()
    image.save(kept, form, quality=quality)
    return Image.open(io.BytesIO(kept.getvalue()))


def _half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


CHANGES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 60": lambda image: _packed(image, "JPEG", 60),
    "half the size": _half,
    "half the size, JPEG 60": lambda image: _packed(_half(image), "JPEG", 60),
    "half the size, grey, JPEG 60": lambda image: _packed(_half(image).convert("L"), "JPEG", 60),
}


def _pages(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    for path in sorted(folder.glob("*.pdf")):
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        count = len(document)
        for place in sorted({0, 1, 2, count // 3, count // 2} & set(range(count))):
            page = document[place]
            if page.get_height() < 3 * page.get_width():
                scale = WIDTH / page.get_width()
                yield f"{path.name} {place + 1}", page.render(scale=scale).to_pil().convert("RGB")
    yield "white", Image.new("RGB", (WIDTH, 1273), "white")


def main(folder: Path) -> None:
    """Print the table."""
    marking.prepare()
    chance = random.Random(2026)
    good: Counter[str] = Counter()
    false = pages = 0
    spent = 0.0
    for name, page in _pages(folder):
        number = chance.getrandbits(40)
        begun = time.process_time()
        stamped = marking.stamped(page, LINES, number)
        spent += time.process_time() - begun
        shown = _packed(stamped, "WEBP", 82).convert("RGB")
        pages += 1
        for change, make in CHANGES.items():
            found = number_in(make(shown))
            good[change] += found == number
            false += found not in {number, None}
            if found != number:
                print("missed", name, change, flush=True)
        false += number_in(page) is not None
    for change in CHANGES:
        print(f"{change}: {good[change]} of {pages}")
    print(f"false: {false}; marking {spent / pages * 1000:.0f} ms of processor a page")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
