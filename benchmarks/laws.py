"""A folder of texts, from the folder to searchable. Run: ``juanku bench laws [FOLDER]`` (none: 436 made texts).

The raw limit does the same with nothing around it, in one thread: read, hash twice, encrypt, write with fsync, cut
into words, index, one commit. Every text must be found by a phrase out of its middle.
"""

import hashlib
import os
import random
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from tantivy import Document, Index, SchemaBuilder

from archive.model import File
from benchmarks._common import SENTENCES, TOPICS, archive, found, juanku, opened, table, timed
from indexer.extract.text import guess_encoding
from indexer.words import cut

LAWS = 436


def made(folder: Path) -> Path:
    """Write texts of about 5,000 characters."""
    pick = random.Random(1)
    folder.mkdir()
    for number in range(LAWS):
        body = ["".join(pick.choice(SENTENCES) + pick.choice(TOPICS) for _ in range(8)) for _ in range(20)]
        folder.joinpath(f"条例{number:03}.md").write_text(
            f"条例{number:03}\n\n" + "\n".join(body) + f"\n本条第{number:03}号\n"
        )
    return folder


def raw(files: list[Path], folder: Path) -> float:
    """Return the seconds that the bare steps take."""
    builder = SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="position")
    folder.mkdir()
    index = Index(builder.build(), path=str(folder))
    writer = index.writer(15_000_000, 1)
    cipher = AESGCM(os.urandom(32))
    with timed() as took:
        for number, path in enumerate(files):
            data = path.read_bytes()
            sealed = cipher.encrypt(os.urandom(12), data, None)
            hashlib.sha256(data).hexdigest(), hashlib.sha256(sealed).hexdigest()
            with folder.joinpath(f"{number}.bin").open("wb") as target:
                target.write(sealed)
                target.flush()
                os.fsync(target.fileno())
            document = Document()
            document.add_text("text", " ".join(cut(data.decode(guess_encoding(data) or "utf-8", "replace"))))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    return took[0]


def phrase(path: Path) -> str:
    """Return twelve characters out of the middle of a text, within one line."""
    data = path.read_bytes()
    lines = [one for one in data.decode(guess_encoding(data) or "utf-8", "replace").split("\n") if len(one) > 24]
    line = lines[len(lines) // 2] if lines else path.stem
    return line[8:20].strip() or path.stem


def main() -> None:
    """Measure and print."""
    with archive() as folder:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else made(folder / "texts")
        files = sorted(path for path in source.rglob("*") if path.is_file() and not path.name.startswith("."))
        bare = raw(files, folder / "raw")
        ran = juanku("import", str(source), "--category", "WYYZ", "--fonds", "H001")
        with opened() as parts:
            with parts.db.reading() as session:
                records: dict[str, set[object]] = {}
                for name, record in session.execute(select(File.name, File.record_id)):
                    records.setdefault(name, set()).add(record)
            there = sum(bool(records.get(path.name, set()) & found(parts, phrase(path))) for path in files)
        count = len(files)
        table(
            "A folder of texts to searchable",
            [
                ("texts", count),
                ("raw: hash, encrypt, fsync, cut, index, one thread", f"{count / bare:,.0f} files/s"),
                ("import, to searchable", f"{count / ran.wall:,.1f} files/s ({ran.wall:.1f} s)"),
                ("ratio import : raw", f"{bare / ran.wall:.2f}"),
                ("processor time a file", f"{ran.cpu / count * 1000:.1f} ms"),
                ("filed", ran.document["filed"]),
                ("found by a phrase of their own", f"{there} of {count}"),
            ],
        )


if __name__ == "__main__":
    main()
