"""How much of each file's text is kept. Run: ``juanku bench recall FOLDER``.

Each file is read by the sandbox as in earnest, and by a library alone: pypdf for PDF, the text nodes of the packages by
lxml for docx, pptx, xlsx and OpenDocument, lxml's own HTML reader, Python's for mail, the bytes for plain text. What
counts is the share of the library's pairs of neighbouring characters, folded and without space, that our text holds as
often. Kinds without such a second reader (doc, xls, ppt, rtf, msg, pictures) are counted and left out.
"""

import email
import email.policy
import io
import logging
import re
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import cast

from lxml import etree, html
from pypdf import PdfReader

from benchmarks._common import table
from indexer.extract.answer import Extracted, Failure
from indexer.extract.text import guess_encoding
from indexer.fold import fold
from indexer.sandbox.client import Extractor

_PARTS = {
    ".docx": r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml",
    ".pptx": r"ppt/(slides|notesSlides)/[^/]+\.xml",
    ".xlsx": r"xl/sharedStrings\.xml",
    ".odt": r"content\.xml",
    ".ods": r"content\.xml",
    ".odp": r"content\.xml",
}


def _pdf(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def _package(suffix: str) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = [name for name in packed.namelist() if re.fullmatch(_PARTS[suffix], name)]
            return "\n".join(_runs(packed.read(name)) for name in parts)

    return read


def _runs(data: bytes) -> str:
    """Return the text of one part: Word's and the others' runs; what was struck out or is phonetic is none.

    A paragraph within a paragraph, of a text box or a table, is counted once; of what is kept in two forms for old and
    new programs, the new.
    """
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    lines: list[str] = []
    etree.strip_elements(root, "{*}Fallback", with_tail=False)
    for node in root.iter("{*}p", "{*}si", "{*}h"):
        runs = ".//text()" if "opendocument" in node.tag else ".//*[local-name()='t']/text()"
        found = cast("list[etree._ElementUnicodeResult]", node.xpath(runs))  # noqa: SLF001  (the stubs name it so)
        lines.append("".join(run for run in found if _is_of(run, node)))
    return "\n".join(lines)


def _is_of(run: etree._ElementUnicodeResult, paragraph: etree._Element) -> bool:
    """Whether a run belongs to this paragraph, and not to one within it; what is phonetic belongs to none."""
    holder = run.getparent()
    if run.is_tail and holder is not None:
        holder = holder.getparent()
    while holder is not None and holder is not paragraph:
        if etree.QName(holder).localname in {"p", "h", "rPh"}:
            return False
        holder = holder.getparent()
    return True


def _html(data: bytes) -> str:
    encoding = guess_encoding(data) or "utf-8"
    root = html.document_fromstring(data.decode(encoding, "replace").encode(), parser=html.HTMLParser(encoding="utf-8"))
    etree.strip_elements(root, "script", "style", "template", etree.Comment, with_tail=False)
    body = root.find("body")
    return "\n".join(str(part) for part in (root if body is None else body).itertext())


def _mail(data: bytes) -> str:
    letter = email.message_from_bytes(data, policy=email.policy.default)
    body = letter.get_body(("plain", "html"))
    if body is None:
        return ""
    return _html(body.get_content().encode()) if body.get_content_subtype() == "html" else str(body.get_content())


def _text(data: bytes) -> str:
    return data.decode(guess_encoding(data) or "utf-8", "replace")


READERS: Mapping[str, Callable[[bytes], str]] = {
    ".pdf": _pdf,
    **{suffix: _package(suffix) for suffix in _PARTS},
    ".html": _html,
    ".eml": _mail,
    **dict.fromkeys((".txt", ".csv", ".md"), _text),
}


def pairs(text: str) -> Counter[str]:
    """Return how often each pair of neighbouring characters occurs, folded and without space."""
    signs = "".join(re.findall(r"\w", fold(text)))
    return Counter(a + b for a, b in pairwise(signs))


def recall(theirs: str, ours: str) -> float | None:
    """Return the share of their pairs that ours holds; None when they have none."""
    wanted, kept = pairs(theirs), pairs(ours)
    return (wanted & kept).total() / wanted.total() if wanted else None


def ours(extractor: Extractor, path: Path) -> tuple[str, str]:
    """Return the text that would be kept, and why there is none."""
    file = extractor.hold([path.read_bytes()], path.stat().st_size)
    try:
        found, answer = extractor.find_held(path.name, file)
        pages: list[str] = []
        while isinstance(answer, Extracted) and answer.pages:
            pages += answer.pages
            if answer.next_page > answer.page_count or found is None:
                break
            answer = extractor.extract_held(found, file, answer.next_page)
    finally:
        file.close()
    return "\n".join(pages), answer.reason.value if isinstance(answer, Failure) else ""


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def main() -> None:
    """Measure and print."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    folder = Path(sys.argv[1])
    kinds: dict[str, list[float]] = defaultdict(list)
    worst: list[tuple[float, str]] = []
    out: Counter[str] = Counter()
    with Extractor() as extractor:
        for path in _files(folder):
            suffix = path.suffix.lower()
            if suffix not in READERS:
                out[f"no second reader: {suffix}"] += 1
                continue
            try:
                theirs = READERS[suffix](path.read_bytes())
            except Exception as error:  # noqa: BLE001  (whatever the other library raises, it has read nothing)
                out[f"the library read nothing: {suffix} ({type(error).__name__})"] += 1
                continue
            mine, why = ours(extractor, path)
            share = recall(theirs, mine)
            if share is None:
                out[f"the library found no words: {suffix}"] += 1
                continue
            kinds[suffix].append(share)
            worst.append((share, f"{path.relative_to(folder)} {why}".strip()))
    every = [share for shares in kinds.values() for share in shares]
    rows: list[tuple[str, object]] = [
        ("files compared", len(every)),
        ("kept, mean (at least 99 %)", f"{sum(every) / len(every):.2%}"),
        *((f"  {kind}, {len(shares)}", f"{sum(shares) / len(shares):.2%}") for kind, shares in sorted(kinds.items())),
        ("below 99 %", sum(share < 0.99 for share in every)),
        *((f"  {name}", f"{share:.2%}") for share, name in sorted(worst)[:10]),
        *sorted(out.items()),
    ]
    table("Text kept, against a library alone", rows)


if __name__ == "__main__":
    main()
