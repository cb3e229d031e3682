"""What format a file is, by the PRONOM registry, and whether it holds macros; what ends the teller harms none."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.extract.answer import Extracted
from indexer.sandbox.client import Extractor
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.pronom import Pronom
from indexer.sandbox.running import bare_environment
from tests.factories.compound import a_doc, a_ppt
from tests.factories.drawn import a_pdf
from tests.factories.packages import a_docx, an_ofd, ofd_page, para

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files of memory are opened by path")


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def told(extractor: Extractor, data: bytes, media_type: str = "") -> str | None:
    file = extractor.hold([data], len(data))
    try:
        return extractor.pronom_held(media_type, file)
    finally:
        file.close()


def test_formats_are_told_by_the_whole_file(extractor: Extractor) -> None:
    assert told(extractor, a_pdf("合同")) == "fmt/17"  # PDF 1.3
    assert told(extractor, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + bytes(40) + b"\xff\xd9") == "fmt/43"
    assert told(extractor, b"\x00\x01\x02\x03 nothing that is known") is None
    assert "DROID_SignatureFile" in extractor.signatures()


def test_ofd_is_told_by_a_rule_of_our_own(extractor: Extractor) -> None:
    assert told(extractor, an_ofd({"Doc_0/Pages/Page_0/Content.xml": ofd_page("")}), "application/ofd") == "juanku/ofd"
    assert told(extractor, a_pdf("合同"), "application/ofd") == "fmt/17", "what claims to be OFD and is known is known"


def test_what_ends_the_teller_has_no_id_and_the_next_file_has_one() -> None:
    pronom = Pronom(bare_environment(), patience=1.0)
    file = MemoryFile([a_pdf("合同")], size=0, limit=100_000)
    try:
        for sign in (signal.SIGKILL, signal.SIGSTOP):  # it broke down; it takes for ever
            assert pronom.identify(file) == "fmt/17"
            os.kill(process(pronom), sign)
            assert pronom.identify(file) is None
            assert pronom.identify(file) == "fmt/17"
    finally:
        file.close()
        pronom.close()


def process(pronom: Pronom) -> int:
    assert pronom._running is not None
    return pronom._running._process.pid


def test_the_teller_holds_no_setting_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUANKU_KEYS", "/secret/ring")
    with Extractor() as made:
        assert made.signatures()
        pid = process(made._pronom)
        assert b"JUANKU" not in Path(f"/proc/{pid}/environ").read_bytes()
        held = {str(each.readlink()).partition(":")[0] for each in Path(f"/proc/{pid}/fd").iterdir()}
    assert held <= {"/dev/null", "socket", "anon_inode", "pipe"}


def macros(extractor: Extractor, data: bytes, media_type: str) -> bool:
    found = extractor.extract(media_type, [data], len(data))
    assert isinstance(found, Extracted), found
    return found.macros


def test_macros_are_seen_in_new_and_old_office_files(extractor: Extractor) -> None:
    body = para("合同")
    assert not macros(extractor, a_docx(body), DOCX)
    assert macros(extractor, a_docx(body, {"word/vbaProject.bin": b"vba"}), DOCX)
    for kind, made in (("msword", a_doc), ("vnd.ms-powerpoint", lambda **more: a_ppt([("标题", "正文")], **more))):
        assert not macros(extractor, made(**words(kind)), f"application/{kind}")
        assert macros(extractor, made(**words(kind), macros=True), f"application/{kind}")


def words(kind: str) -> dict[str, Any]:
    return {"text": "合同"} if kind == "msword" else {}
