"""Every kind is read inside a real fork, which can open no file: what a parser loads late is missed here first."""

import struct
from collections.abc import Iterator

import pytest

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from tests.factories.compound import a_doc, a_locked_package, a_msg, a_ppt, compound

HEADS = "From: =?gbk?B?zfW3vA==?= <a@b.example>\r\nTo: c@d.example\r\nDate: Fri, 1 Mar 2024 09:30:00 +0800\r\n"
MAIL = (
    HEADS + "Content-Type: text/html; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+tbWwuDwvcD4=\r\n"
)

FILES = {
    "页.html": ("text/html", "<html><head><meta charset=gbk></head><p>档案</p></html>".encode("gbk")),
    "页.xhtml": ("application/xhtml+xml", '<?xml version="1.0"?><html><p>档案</p></html>'.encode()),
    "数据.xml": ("text/xml", '<?xml version="1.0" encoding="big5"?><a>檔案</a>'.encode("big5")),
    "图.svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"><text>档案</text></svg>'.encode()),
    "文.rtf": ("text/rtf", rb"{\rtf1\ansi\ansicpg936\deff0 \'b5\'b5\'b0\'b8\par}"),
    "信.eml": ("message/rfc822", MAIL.encode()),
    "箱.mbox": (
        "application/mbox",
        b"From a@b.example Fri Mar  1 09:30:00 2024\nSubject: =?utf-8?B?5qGj5qGI?=\n" + MAIL.encode(),
    ),
    "信.msg": ("application/vnd.ms-outlook", compound(a_msg({0x37: "档案", 0x1000: "档案"}))),
    "文.doc": ("application/msword", a_doc("档案\r")),
    "文.wps": ("application/msword", a_doc("档案\r")),
    "片.dps": ("application/vnd.ms-powerpoint", a_ppt([("档案", "x")])),
    "名不副实.xls": ("application/vnd.ms-powerpoint", a_ppt([("档案", "x")])),
    "odd charset.eml": (
        "message/rfc822",
        (HEADS + "Content-Type: text/plain; charset=x-none\r\n\r\n档案目录已经移交").encode(),
    ),
}


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as running:
        yield running


def found_in(extractor: Extractor, name: str, data: bytes) -> tuple[str | None, Extracted | Failure]:
    file = extractor.hold([data], len(data))
    try:
        return extractor.find_held(name, file)
    finally:
        file.close()


@pytest.mark.parametrize("name", FILES)
def test_each_kind_is_known_and_read_inside_a_fork(extractor: Extractor, name: str) -> None:
    kind, data = FILES[name]
    media_type, answer = found_in(extractor, name, data)
    assert media_type == kind
    assert isinstance(answer, Extracted), answer
    assert "档案" in answer.pages[0].replace("檔", "档")


@pytest.mark.parametrize("name", ["合同.docx", "合同.doc", "合同"])
def test_a_locked_package_is_locked_whatever_its_name(extractor: Extractor, name: str) -> None:
    assert found_in(extractor, name, a_locked_package()) == ("application/encrypted", Failure(Reason.ENCRYPTED))
    as_named = extractor.extract(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [a_locked_package()],
        len(a_locked_package()),
    )
    assert as_named == Failure(Reason.ENCRYPTED)


def test_a_locked_document_is_locked(extractor: Extractor) -> None:
    assert found_in(extractor, "密.doc", a_doc("密", locked=True)) == ("application/msword", Failure(Reason.ENCRYPTED))


def test_what_is_nested_without_end_is_answered_with_a_reason(extractor: Extractor) -> None:
    mails = b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" * 200
    for kind, data in (
        ("text/html", b"<div>" * 100_000),
        ("message/rfc822", mails),
        ("text/rtf", b"{\\rtf1" * 100_000),
    ):
        assert extractor.extract(kind, [data], len(data)) == Failure(Reason.BOMB, "depth")


def test_a_reader_that_panics_has_met_a_broken_file(extractor: Extractor) -> None:
    """What reads workbooks is written in Rust; its panic is no Exception of Python's."""
    book = struct.pack("<HH", 0x0809, 16) + bytes(16) + b"\x0a\x00\x00\x00" + bytes(5_096)
    untrue = compound({"Workbook": book}).replace(struct.pack("<Q", len(book)), struct.pack("<Q", 16))
    broken = Failure(Reason.BROKEN, "PanicException")
    assert found_in(extractor, "账.xls", untrue) == ("application/vnd.ms-excel", broken)
