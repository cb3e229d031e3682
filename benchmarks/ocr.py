"""OCR on made pages, against the engine alone, and the intake of texts beside it. Run: ``juanku bench ocr``.

The engine alone is RapidOCR as its package comes, on one thread; it reads the same pages in turn with our whole path:
fork, picture, turns, lost lines, order. Characters right are one less the edit distance, by the length of what was
drawn, spaces aside.
"""

import argparse
import io
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks._common import SENTENCES, archive, juanku, table
from indexer.extract.answer import Failure
from indexer.ocr.client import PageReader
from indexer.ocr.engines import RAPIDOCR, chosen

FONT = Path(__file__).parent.parent / "indexer/fonts/NotoSansSC-Regular.ttf"
TRADITIONAL = (
    "本公司檔案資料應依規定歸檔保管,並於年度終了後編製目錄。",
    "經主管核准後移交檔案室,管理員點收無誤後簽章備查。",
    "電梯設備運轉正常,各項參數符合標準,無異常聲響。",
    "請於本月底前完成檢查,並將結果報辦公室備案。",
    "維修費用由公共基金支應,憑證隨後附上。",
)
ENGLISH = (
    "The lift was inspected and all parameters are within limits.",
    "Please complete the survey before the end of this month.",
    "Repair costs are borne by the maintenance fund; vouchers follow.",
    "Minutes of the meeting were approved by the owners present.",
)
TEXTS = {"simplified": SENTENCES, "traditional": TRADITIONAL, "English": ENGLISH}
INK = {"low contrast": (150, 150, 150)}
PAPER = {"low contrast": (205, 205, 205)}


def pages() -> Iterator[tuple[str, bytes, str]]:
    """Yield kind, picture (PNG) and what was drawn."""
    for number, (script, sentences) in enumerate(TEXTS.items()):
        yield script, *drawn(sentences, number)
        yield script, *drawn(sentences, number + 10, dpi=150)
    kinds = ("noise", "skew 1°", "skew 2°", "skew 3°", "turned 90°", "turned 180°", "low contrast")
    for number, kind in enumerate(kinds):
        yield kind, *drawn(SENTENCES, number + 20, kind)
    for number, kind in enumerate(("noise", "skew 2°", "turned 90°")):
        yield kind, *drawn(TRADITIONAL, number + 30, kind, dpi=150)


def drawn(sentences: Sequence[str], seed: int, kind: str = "", *, dpi: int = 200) -> tuple[bytes, str]:
    """Draw an A4 page with 16 typed lines."""
    dice = random.Random(seed)
    paper = PAPER.get(kind, (255, 255, 255))
    image = Image.new("RGB", (round(8.27 * dpi), round(11.69 * dpi)), paper)
    pen, size = ImageDraw.Draw(image), round(dpi * 12 / 72)
    font = ImageFont.truetype(str(FONT), size)
    lines = [f"{number}. {dice.choice(sentences)} {dice.randrange(1000, 9999)}" for number in range(1, 17)]
    for at, line in enumerate(lines):
        pen.text((dpi * 0.7, dpi * 0.9 + at * size * 1.9), line, font=font, fill=INK.get(kind, (20, 20, 20)))
    if kind.startswith("skew"):
        image = image.rotate(int(kind[5]), resample=Image.Resampling.BICUBIC, fillcolor=paper)
    if kind.startswith("turned"):
        image = image.rotate(-int(kind[7:-1]), expand=True)
    if kind == "noise":
        noise = Image.effect_noise(image.size, 60).filter(ImageFilter.GaussianBlur(0.5)).convert("RGB")
        image = Image.blend(image, noise, 0.25)
        for _ in range(5_000):
            image.putpixel((dice.randrange(image.width), dice.randrange(image.height)), (60, 60, 60))
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue(), "\n".join(lines)


def right(found: str, wanted: str) -> float:
    """Return the share of characters that are right, spaces aside."""
    one, two = "".join(found.split()), "".join(wanted.split())
    row = list(range(len(two) + 1))
    for at, sign in enumerate(one, start=1):
        corner, row[0] = row[0], at
        for column, other in enumerate(two, start=1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (sign != other))
    return max(1 - row[-1] / len(two), 0.0)


def alone() -> Callable[[bytes], str]:
    """Return what reads a picture with RapidOCR as it comes, on one thread."""
    import numpy as np  # noqa: PLC0415  (an extra)
    from rapidocr import RapidOCR  # noqa: PLC0415

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine: Any = RapidOCR(params={**threads, "Global.log_level": "critical"})

    def read(data: bytes) -> str:
        found = engine(np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[:, :, ::-1])
        return "\n".join(found.txts or ())

    return read


def through(reader: PageReader, data: bytes) -> str:
    """Return what our whole path reads."""
    with closing(reader.hold([data], len(data))) as file:
        found = reader.read("image/png", file, 1)
    return "" if isinstance(found, Failure) else found.text


def reading(reader: PageReader, chosen: Sequence[str]) -> list[tuple[str, object]]:
    """Measure pages by both, one after the other."""
    raw = alone()
    through(reader, drawn(SENTENCES, 99)[0])  # loads the models
    kinds: dict[str, list[tuple[float, float, float, float]]] = {}
    for kind, data, wanted in pages():
        if chosen and kind not in chosen:
            continue
        begun = time.perf_counter()
        ours = through(reader, data)
        between = time.perf_counter()
        theirs = raw(data)
        ended = time.perf_counter()
        found = (right(ours, wanted), right(theirs, wanted), between - begun, ended - between)
        kinds.setdefault(kind, []).append(found)
        print(f"  {kind}: " + " ".join(f"{each:.4f}" for each in found), file=sys.stderr, flush=True)
    rows: list[tuple[str, object]] = []
    for kind, found_ in [*kinds.items(), ("all", [each for one in kinds.values() for each in one])]:
        us, them, took, theirs_took = (statistics.fmean(each) for each in zip(*found_, strict=True))
        rows.append((f"{kind} ({len(found_)})", f"{us:.4f}   {them:.4f}   {theirs_took / took:.2f}   {took:.1f} s"))
    straight = [each for kind, one in kinds.items() if not kind.startswith("turned") for each in one]
    if straight:
        rows.append(("speed, all but the turned (at least 0.9)", f"{_speed(straight):.2f}"))
    return rows


def _speed(found: Sequence[tuple[float, float, float, float]]) -> float:
    return sum(each[3] for each in found) / sum(each[2] for each in found)


def a_reader() -> PageReader:
    """Return our way of reading, with the engine that the other side is."""
    engine = chosen(RAPIDOCR)
    if not engine:
        sys.exit("rapidocr is not installed: ./juanku extras ocr")
    return PageReader(engine)


def keep_reading(ready: Event, stop: Event) -> None:
    """Read pages by OCR until told to stop."""
    reader = a_reader()
    data, _ = drawn(SENTENCES, 99)
    while not stop.is_set():
        through(reader, data)
        ready.set()
    reader.close()


@contextmanager
def ocr_beside() -> Iterator[None]:
    """Let another process read pages meanwhile."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=keep_reading, args=(ready, stop))
    process.start()
    ready.wait()
    try:
        yield
    finally:
        stop.set()
        process.join()


def intake(count: int, rounds: int) -> list[tuple[str, object]]:
    """Measure the import of texts with and without OCR beside it, in turn."""
    took: dict[bool, list[float]] = {False: [], True: []}
    with archive() as folder:
        for number in range(rounds * 2):
            source = folder / f"texts{number}"
            source.mkdir()
            dice = random.Random(number)
            for each in range(count):
                text = "\n".join(f"{dice.choice(SENTENCES)}{dice.randrange(10**6)}" for _ in range(40))
                (source / f"{number}-{each}.txt").write_text(text, encoding="utf-8")
            words = ("import", str(source), "--category", "WYYZ", "--fonds", "H001")
            if number % 2:
                with ocr_beside():
                    took[True].append(juanku(*words).wall)
            else:
                took[False].append(juanku(*words).wall)
    ratio = sum(took[False]) / sum(took[True])
    return [
        ("texts without OCR beside", f"{count * rounds / sum(took[False]):.1f} files/s"),
        ("texts with OCR beside", f"{count * rounds / sum(took[True]):.1f} files/s"),
        ("ratio (at least 0.8)", f"{ratio:.2f}"),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", action="append", default=[], help="only pages of this kind")
    parser.add_argument("--texts", type=int, default=150, help="files that an import brings; 0: no intake")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    reader = a_reader()
    try:
        title = "OCR: characters right, by us and by rapidocr alone; speed by that of rapidocr; seconds a page"
        table(title, reading(reader, asked.kind))
    finally:
        reader.close()
    if asked.texts:
        table("Intake of texts", intake(asked.texts, asked.rounds))


if __name__ == "__main__":
    main()
