"""Locked documents are read with their password, and only with it; nothing of one goes to a disk."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from indexer.sandbox.wire import Request
from tests.factories.hostile_files import a_locked_pdf, a_zip_that_swells
from tests.factories.packages import a_docx, an_opendocument, para
from tests.factories.packed import a_7z, a_locked_opendocument, a_locked_zip, an_aes_zip

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "office"
SEVENZIP = "application/x-7z-compressed"
LOCKED = "application/encrypted"
ODT = "application/vnd.oasis.opendocument.text"
PASSWORD = "口令 one"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def read(extractor: Extractor, kind: str, data: bytes, password: str, name: str = "") -> Extracted | Reason:
    file = extractor.hold([data], len(data))
    try:
        found = extractor.extract_held(kind, file, name=name, password=password)
    finally:
        file.close()
    return found.reason if isinstance(found, Failure) else found


def a_locked_docx() -> bytes:
    out = io.BytesIO()
    padding = random.Random(1).randbytes(9_000)  # a short package would lie where the library does not write it right
    OOXMLFile(io.BytesIO(a_docx(para("电梯合同"), {"word/media/a.bin": padding}))).encrypt(PASSWORD, out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "password", "name", "word"),
    [
        ("application/pdf", a_locked_pdf(), "secret", "a.pdf", "密"),
        (LOCKED, a_locked_docx(), PASSWORD, "合同.docx", "电梯合同"),
        ("application/zip", a_locked_zip("a.txt", "电梯合同".encode(), b"pass"), "pass", "a.zip", "a.txt"),
        ("application/zip", an_aes_zip(("合同.txt", b"x" * 99), password=PASSWORD), PASSWORD, "a.zip", "合同.txt"),
        ("application/zip", an_aes_zip(("b.txt", b"x"), password="pass", bits=128), "pass", "a.zip", "b.txt"),
        (SEVENZIP, a_7z(("a.txt", b"x" * 99), password="pass"), "pass", "a.7z", "a.txt"),
        (SEVENZIP, a_7z(("a.txt", b"x" * 99), password="pass", names_too=True), "pass", "a.7z", "a.txt"),
    ],
    ids=["pdf", "docx", "zip", "aes", "aes of 128", "7z", "7z with names"],
)
def test_the_password_opens_and_another_does_not(
    extractor: Extractor, kind: str, data: bytes, password: str, name: str, word: str
) -> None:
    found = read(extractor, kind, data, password, name)
    assert isinstance(found, Extracted), found
    assert word in "".join(found.pages)
    assert read(extractor, kind, data, password + "x", name) is Reason.ENCRYPTED


@pytest.mark.parametrize("how", ["aes256-cbc", "aes256-gcm", "blowfish"])
def test_every_lock_of_an_opendocument_file_opens(extractor: Extractor, how: str) -> None:
    data = a_locked_opendocument(an_opendocument("text", "<text:p>电梯合同</text:p>"), PASSWORD, how)
    assert read(extractor, ODT, data, "", "a.odt") is Reason.ENCRYPTED
    found = read(extractor, ODT, data, PASSWORD, "a.odt")
    assert isinstance(found, Extracted), found
    assert (found.pages, found.title) == (("电梯合同",), "移交清单")
    assert read(extractor, ODT, data, PASSWORD + "x", "a.odt") is Reason.ENCRYPTED


def test_a_password_does_not_open_what_is_no_lock_or_a_bomb(extractor: Extractor) -> None:
    assert read(extractor, "text/plain", b"text", "x") is Reason.UNSUPPORTED
    assert read(extractor, "application/zip", a_zip_that_swells(), "x") is Reason.BOMB
    own = an_opendocument("text", "", locked=True)
    assert read(extractor, ODT, own, "x") is Reason.UNSUPPORTED, "it does not say how it is locked"


def test_a_request_does_not_show_its_password() -> None:
    assert "geheim" not in repr(Request("application/pdf", 1, password="geheim"))


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("testEXCEL_protected_passtika.xls", "application/vnd.ms-excel"),
        ("testPPT_protected_passtika.ppt", "application/vnd.ms-powerpoint"),
        ("testWORD_protected_passtika.docx", LOCKED),
    ],
)
def test_real_locked_files_open_too(extractor: Extractor, name: str, kind: str) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"no samples beside the checkout: {name}")
    data = (SAMPLES / name).read_bytes()
    found = read(extractor, kind, data, "tika", name)
    assert isinstance(found, Extracted), found
    assert "ncrypted" in "".join(found.pages)
    assert read(extractor, kind, data, "no", name) is Reason.ENCRYPTED
