"""A folder of files that are meant to hurt: bombs, floods, loops, and honest ones that are only very large."""

import base64
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.factories import hostile_files

MB = 1_000_000
_LINE = "第一条 物业档案应当及时归档，妥善保管。The lift was inspected and the papers are kept.\n"


def made(folder: Path, largest: int) -> list[Path]:
    """Write the set; the largest files have ``largest`` megabytes."""
    folder.mkdir()
    for name, pieces in _files(largest * MB):
        with folder.joinpath(name).open("wb") as file:
            file.writelines(pieces)
    _packed(folder)
    return sorted(folder.iterdir())


def _files(size: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    line = _LINE.encode()
    yield "large.txt", _filled(size, line)
    yield "large.csv", _filled(size, b'1,2,3,\xe7\x89\xa9\xe4\xb8\x9a,"a"\n')
    yield "large.html", _filled(size, b"<p>" + line + b"</p>", b"<html><title>t</title>")
    yield "table.html", _filled(size, b"<tr><td>1<td>2", b"<table>")
    yield "large.xml", _filled(size, b"<p>" + line + b"</p>", b"<a>", b"</a>")
    head = b"From: a@b.example\nSubject: large\nMIME-Version: 1.0\n"
    yield "large.eml", _filled(size, line, head + b"Content-Type: text/plain; charset=utf-8\n\n")
    coded = base64.encodebytes(line * 570)  # whole lines of it, without padding in the middle
    kind = b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    yield "coded.eml", _filled(size, coded, head + kind)
    yield "large.mbox", _filled(size, b"From a@b Tue Mar  5 10:20:30 2024\n" + head + b"\n" + line * 20 + b"\n")
    yield "large.rtf", _filled(size, rb"\u26723? \par ", rb"{\rtf1\ansi ", b"}")
    yield "deep.xml", _filled(20 * MB, b"<a>")
    yield "deep.html", _filled(20 * MB, b"<div>")
    yield "deep.rtf", _filled(20 * MB, b"{", b"{\\rtf1 ")
    yield "deep.json", _filled(20 * MB, b"[")
    swelling = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    swelling += b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9))
    yield "swelling.xml", iter((swelling + b"]><a>&j;</a>",))
    yield "flood.png", iter((_flood(60_000),))
    yield "flood.gif", iter((b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b",", b"\0" * 9))
    yield "swells.pdf", iter((hostile_files.a_pdf_that_swells(),))
    yield "circle.pdf", iter((hostile_files.pages_in_a_circle(),))
    yield "draws-itself.pdf", iter((hostile_files.a_form_that_draws_itself(),))
    yield "locked.pdf", iter((hostile_files.a_locked_pdf(),))
    yield "long.pdf", iter((hostile_files.many_pages(2_000),))
    yield "swells.zip", iter((hostile_files.a_zip_that_swells(),))


def _filled(size: int, piece: bytes, head: bytes = b"", foot: bytes = b"") -> Iterator[bytes]:
    yield head
    many = piece * max(1, MB // len(piece))
    for _ in range(size // len(many)):
        yield many
    yield foot


def _flood(side: int) -> bytes:
    """Return a PNG of a few megabytes that opens to ``side`` by ``side`` pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    row = b"\0" * (side // 8 + 1)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _packed(folder: Path) -> None:
    """Write office files and zips that are small and swell, within the limits on their ratio and beyond."""
    kinds = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
    paragraph = "<w:p><w:r><w:t>物业档案 {}</w:t></w:r></w:p>"
    word = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body>"
    row = "<row r='{0}'><c r='A{0}'><v>{0}</v></c></row>"
    sheet = "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
    for name, part, head, piece, foot, count in (
        ("swells.docx", "word/document.xml", word, paragraph, "</w:body></w:document>", 5_000_000),
        ("large.docx", "word/document.xml", word, paragraph, "</w:body></w:document>", 2_000_000),
        ("swells.xlsx", "xl/worksheets/sheet1.xml", sheet, row, "</sheetData></worksheet>", 5_000_000),
        ("large.xlsx", "xl/worksheets/sheet1.xml", sheet, row, "</sheetData></worksheet>", 2_000_000),
    ):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("[Content_Types].xml", kinds)
            with packed.open(part, "w") as body:
                body.write(head.encode())
                for first in range(0, count, 10_000):
                    body.write("".join(piece.format(number) for number in range(first, first + 10_000)).encode())
                body.write(foot.encode())
    inner = folder / "swells.zip"
    for depth in range(5):
        outer = folder / f"nested-{depth}.zip"
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as packed:
            for number in range(4):
                packed.write(inner, f"{number}.zip")
        inner = outer
