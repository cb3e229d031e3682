"""Files inside PDF, old Office and OpenDocument files come out as the files that they were."""

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from struct import pack

import olefile
import pypdf
import pytest
from pypdf import generic

from indexer import kinds
from indexer.extract import ole
from indexer.extract.compounds import compound_of
from indexer.extract.parsers import PARSERS
from indexer.extract.unpacking import count, members_of
from tests.factories.compound import a_doc, compound
from tests.factories.packages import packed
from tests.factories.packed import an_embedded

SAMPLES = Path(__file__).parents[3] / "shared/samples/office"


def inside(kind: str, data: bytes) -> dict[str, bytes]:
    found = {member.path: b"".join(member.chunks()) for member in members_of(kind, "a", data)}
    assert count(kind, "a", data) == len(found)
    return found


def a_pdf_with(attached: Mapping[str, bytes], pinned: Mapping[str, bytes]) -> bytes:
    """A PDF with files attached to it, and with files pinned to its page."""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(200, 200)
    for name, data in attached.items():
        writer.add_attachment(name, data)
    marks = generic.ArrayObject()
    for name, data in pinned.items():
        body = generic.StreamObject()
        body.set_data(data)
        body[generic.NameObject("/Type")] = generic.NameObject("/EmbeddedFile")
        file = generic.DictionaryObject({
            generic.NameObject("/Type"): generic.NameObject("/Filespec"),
            generic.NameObject("/F"): generic.TextStringObject(name),
            generic.NameObject("/UF"): generic.TextStringObject(name),
            generic.NameObject("/EF"): generic.DictionaryObject({generic.NameObject("/F"): writer._add_object(body)}),
        })  # fmt: skip
        mark = generic.DictionaryObject({
            generic.NameObject("/Type"): generic.NameObject("/Annot"),
            generic.NameObject("/Subtype"): generic.NameObject("/FileAttachment"),
            generic.NameObject("/Rect"): generic.ArrayObject([generic.NumberObject(10)] * 4),
            generic.NameObject("/FS"): writer._add_object(file),
        })  # fmt: skip
        marks.append(writer._add_object(mark))
    page[generic.NameObject("/Annots")] = marks
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_files_attached_to_a_pdf_and_pinned_to_its_pages_come_out_once() -> None:
    data = a_pdf_with({"清单.txt": b"list", "same.txt": b"same"}, {"报价.txt": b"offer", "same.txt": b"same"})
    assert inside(kinds.PDF, data) == {"清单.txt": b"list", "same.txt": b"same", "报价.txt": b"offer"}


def test_a_pdf_without_files_has_none() -> None:
    assert inside(kinds.PDF, a_pdf_with({}, {})) == {}


@pytest.mark.parametrize("folder", ["ObjectPool/_1234567890", "MBD0063FA15"])
def test_what_old_office_keeps_in_folders_comes_out(folder: str) -> None:
    with ole.open_ole(an_embedded("附表.txt", b"words")) as wrapped:
        native = ole.stream(wrapped, "\x01Ole10Native")
    outer = compound({
        "WordDocument": bytes(4_096),
        f"{folder}/\x01Ole10Native": native,
        f"{folder}a/CONTENTS": b"%PDF-1.4 inner",
        f"{folder}b/Workbook": b"book",
        f"{folder}b/More/deep": b"deep",
        f"{folder}c/Equation Native": b"x",
    })  # fmt: skip
    found = inside(kinds.DOC, outer)
    leaf = folder.rpartition("/")[2]
    assert set(found) == {"附表.txt", f"{leaf}a.pdf", f"{leaf}b.xls"}
    assert found["附表.txt"] == b"words"
    assert found[f"{leaf}a.pdf"].startswith(b"%PDF-1.4 inner")
    with olefile.OleFileIO(io.BytesIO(found[f"{leaf}b.xls"])) as book:
        assert book.openstream("Workbook").read().startswith(b"book")
        assert book.openstream("More/deep").read().startswith(b"deep")


@pytest.mark.parametrize("squeezed", [True, False])
def test_what_a_presentation_keeps_comes_out(squeezed: bool) -> None:
    inner = an_embedded("附表.txt", b"words")
    body = pack("<I", len(inner)) + zlib.compress(inner) if squeezed else inner
    record = pack("<HHI", 0x10 * squeezed, 0x1011, len(body)) + body
    deck = compound({"PowerPoint Document": pack("<HHI", 0, 1, 4) + bytes(4) + record, "Current User": bytes(20)})
    assert inside(kinds.PPT, deck) == {"附表.txt": b"words"}


def test_documents_and_objects_in_an_open_document_come_out() -> None:
    names = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    told = {
        "/": kinds.OPENDOCUMENT + "text",
        "Object 1/": kinds.OPENDOCUMENT + "spreadsheet",
        "Object 1/content.xml": "text/xml",
        "Object 2/": kinds.OPENDOCUMENT + "chart",
        "Object 3": "application/vnd.sun.star.oleobject",
    }
    rows = "".join(f'<m:file-entry m:full-path="{path}" m:media-type="{kind}"/>' for path, kind in told.items())
    outer = packed({
        "mimetype": kinds.OPENDOCUMENT + "text",
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="{names}">{rows}</m:manifest>',
        "content.xml": "<a/>",
        "Object 1/content.xml": "<sheet/>",
        "Object 2/content.xml": "<chart/>",
        "Object 3": an_embedded("附表.txt", b"words"),
    })  # fmt: skip
    found = inside(kinds.OPENDOCUMENT + "text", outer)
    assert set(found) == {"Object 1.ods", "附表.txt"}
    assert found["附表.txt"] == b"words"
    part = inside(kinds.ZIP, found["Object 1.ods"])
    assert part["mimetype"] == (kinds.OPENDOCUMENT + "spreadsheet").encode()
    assert part["content.xml"] == b"<sheet/>"
    assert b'full-path="content.xml"' in part["META-INF/manifest.xml"]


def test_a_compound_file_holds_what_was_written_whatever_its_size() -> None:
    streams = {
        ("empty",): b"",
        ("short",): b"s" * 100,
        ("folder", "odd"): b"o" * 4_097,
        ("folder", "inner", "large"): bytes(range(256)) * 40_000,
        **{("many", str(number)): b"%d" % number for number in range(200)},
    }
    with olefile.OleFileIO(io.BytesIO(compound_of(streams))) as read:
        assert {tuple(path): read.openstream(path).read() for path in read.listdir()} == streams


@pytest.mark.samples
def test_a_real_document_written_anew_has_its_words() -> None:
    if not SAMPLES.exists():
        pytest.skip("no samples beside the checkout")
    data = (SAMPLES / "testWORD_closingSmartQInHyperLink.doc").read_bytes()
    with olefile.OleFileIO(io.BytesIO(data)) as read:
        streams = {tuple(path): read.openstream(path).read() for path in read.listdir()}
    assert PARSERS[kinds.DOC](compound_of(streams), None, None) == PARSERS[kinds.DOC](data, None, None)


@pytest.mark.samples
def test_a_pdf_in_a_real_workbook_comes_out() -> None:
    if not SAMPLES.exists():
        pytest.skip("no samples beside the checkout")
    (found,) = inside(kinds.XLS, (SAMPLES / "testExcel_embeddedPDF.xls").read_bytes()).values()
    assert found.startswith(b"%PDF-1.4")


def test_a_document_without_files_has_none() -> None:
    assert inside(kinds.DOC, a_doc("合同")) == {}
