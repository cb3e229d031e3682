"""What a file is comes from its bytes; its name only settles ties."""

import io
import tarfile
import zipfile

import pytest

from indexer.identify import MagicDetector
from indexer.kinds import mismatch

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture(scope="module")
def detector() -> MagicDetector:
    return MagicDetector()


def a_pack(form: str, member: bytes) -> bytes:
    """Return an archive that packs nothing smaller, so that its first member's bytes stand near its beginning."""
    out = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(out, "w") as package:
            package.writestr("a.pdf", member)
    else:
        with tarfile.open(fileobj=out, mode="w") as tape:
            entry = tarfile.TarInfo("a.pdf")
            entry.size = len(member)
            tape.addfile(entry, io.BytesIO(member))
    return out.getvalue()


def an_office_file(folder: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("_rels/.rels", "<R/>")
        package.writestr(f"{folder}/document.xml", "<d/>")
    return out.getvalue()


class Sent(io.BytesIO):
    """A file that goes out as it is made: what has been written is not changed any more."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


@pytest.mark.parametrize("out", [io.BytesIO(), Sent()])
def test_an_archive_that_packs_an_office_file_as_it_is_stays_an_archive(
    detector: MagicDetector, out: io.BytesIO
) -> None:
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("bag/bagit.txt", "BagIt-Version: 1.0")
        package.writestr("bag/data/0001.xlsx", an_office_file("xl"))
    assert detector.detect(out.getvalue(), "bag.zip") == "application/zip"


def test_an_office_file_that_was_sent_as_it_was_made_is_one(detector: MagicDetector) -> None:
    out = Sent()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in ("[Content_Types].xml", "_rels/.rels", "word/document.xml"):
            package.writestr(name, "<d/>")
    assert detector.detect(out.getvalue(), "合同.docx") == DOCX


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "big5", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("name", ["a.txt", "目录.md", "表.csv", "x"])
def test_chinese_text_is_plain_text_in_any_encoding(detector: MagicDetector, encoding: str, name: str) -> None:
    text = "卷內文件目錄，共三件。" if encoding == "big5" else "卷内文件目录，共三件。\n责任者,题名,日期\n"
    assert detector.detect(text.encode(encoding), name) == "text/plain"


def test_a_head_that_tears_a_sign_is_still_text(detector: MagicDetector) -> None:
    assert detector.detect(("档案" * 20_000).encode()[:65_536], "a.txt") == "text/plain"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "application/x-empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "application/pdf"),
        (b"junk before\n" * 10 + b"%PDF-1.4\n", "application/pdf"),
        (a_pack("zip", b"%PDF-1.4\n"), "application/zip"),
        (a_pack("tar", b"%PDF-1.4\n"), "application/x-tar"),
        (b"\xff\x4f\xff\x51\x00\x29" + bytes(40), "image/jp2"),
        (b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "application/pkcs7-mime"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00", "image/png"),
        (b'{"title": "x"}', "text/plain"),
        (b"# heading\n\nwords\n", "text/plain"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "text/html"),
        (bytes(range(255, 0, -1)) * 8, "application/octet-stream"),
        (an_office_file("word"), DOCX),
        (an_office_file("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_kinds_are_found_by_bytes(detector: MagicDetector, data: bytes, kind: str) -> None:
    assert detector.detect(data, "anything") == kind


def test_a_document_of_apples_programs_is_no_pack_of_files(detector: MagicDetector) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("Index/Document.iwa", b"\x00" * 40)
        package.writestr("preview.jpg", b"\xff\xd8")
    assert detector.detect(out.getvalue(), "通知.pages") == "application/vnd.apple.iwork"
    assert detector.detect(out.getvalue(), "备份.zip") == "application/zip"  # one that holds others' parts, perhaps


def test_a_plain_zip_is_no_office_file_whatever_its_name(detector: MagicDetector) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("readme.txt", "x")
    assert detector.detect(out.getvalue(), "report.docx") == "application/zip"


@pytest.mark.parametrize(
    ("kind", "name", "wrong"),
    [
        ("application/pdf", "合同.pdf", False),
        ("application/pdf", "合同.PDF", False),
        ("text/plain", "合同.pdf", True),
        ("application/pdf", "合同.docx", True),
        ("text/plain", "目录.md", False),
        ("text/plain", "no extension", False),
        ("application/zip", "合同.unknown", False),
        ("application/x-dosexec", "照片.jpg", True),
    ],
)
def test_a_name_that_claims_another_kind_is_noticed(kind: str, name: str, wrong: bool) -> None:
    assert mismatch(kind, name) is wrong
