"""PDFs from a folder to searchable. Run: ``juanku bench pdf [FOLDER] [--files N] [--pages N]``.

Without a folder a set of Chinese PDFs is made. The raw limit is pypdfium2 alone over all pages, then tantivy alone
over the same words, one after the other in one thread.
"""

import argparse
import random
from contextlib import suppress
from pathlib import Path

import pypdfium2
from tantivy import Document, Index, SchemaBuilder

from benchmarks._common import SENTENCES, TOPICS, archive, found, juanku, opened, table, timed
from indexer.words import cut
from runtime.demo.setting import pdf

LINES = 36


def made(folder: Path, files: int, pages: int) -> Path:
    """Write PDFs of ``pages`` full pages."""
    pick = random.Random(1)
    folder.mkdir()
    for number in range(files):
        wide = [
            "".join(pick.choice(SENTENCES) + pick.choice(TOPICS) for _ in range(3))[:36] for _ in range(LINES * pages)
        ]
        wide[0] = f"第{number}号卷宗目录" + wide[0][:20]
        folder.joinpath(f"卷宗{number:04}.pdf").write_bytes(pdf("\n".join(wide)))
    return folder


def raw(files: list[Path], folder: Path) -> tuple[float, float, int]:
    """Return seconds of reading, seconds of indexing, and the pages."""
    texts = []
    pages = 0
    with timed() as reading:
        for path in files:
            with suppress(pypdfium2.PdfiumError), pypdfium2.PdfDocument(path) as document:  # locked or broken ones
                pages += len(document)
                texts.append([page.get_textpage().get_text_bounded() for page in document])
    builder = SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="position")
    folder.mkdir()
    writer = Index(builder.build(), path=str(folder)).writer(15_000_000, 1)
    with timed() as indexing:
        for text in texts:
            one = Document()
            one.add_text("text", " ".join(token for page in text for token in cut(page)))
            writer.add_document(one)
        writer.commit()
        writer.wait_merging_threads()
    return reading[0], indexing[0], pages


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--pages", type=int, default=20)
    asked = parser.parse_args()
    with archive() as folder:
        source = asked.folder or made(folder / "pdfs", asked.files, asked.pages)
        files = sorted(source.rglob("*.pdf"))
        reading, indexing, pages = raw(files, folder / "raw")
        ran = juanku("import", *map(str, files), "--category", "WYYZ", "--fonds", "H001", all_well=False)
        rows: list[tuple[str, object]] = [
            ("files, pages", f"{len(files)}, {pages}"),
            ("raw: pypdfium2 alone, one thread", f"{pages / reading:,.0f} pages/s ({reading:.1f} s)"),
            ("raw: words and tantivy alone", f"{pages / indexing:,.0f} pages/s ({indexing:.1f} s)"),
            ("import, to searchable", f"{pages / ran.wall:,.0f} pages/s ({ran.wall:.1f} s)"),
            ("wall : raw (at most 1.5)", f"{ran.wall / (reading + indexing):.2f}"),
            ("processor time a page; a file", f"{ran.cpu / pages * 1000:.1f} ms; {ran.cpu / len(files) * 1000:.1f} ms"),
            ("filed", ran.document["filed"]),
        ]
        if asked.folder is None:
            with opened() as parts:
                there = sum(len(found(parts, f"第{number}号卷宗目录")) == 1 for number in range(len(files)))
            rows.append(("found by a phrase of their own", f"{there} of {len(files)}"))
        table("PDFs to searchable", rows)


if __name__ == "__main__":
    main()
