"""Mail, mailboxes and markup are known by how they begin; a text that only speaks of them stays a text."""

import pytest

from indexer.identify import MagicDetector
from indexer.kinds import mismatch

MAIL = b"From: a@b.example\r\nTo: c@d.example\r\nDate: Fri, 1 Mar 2024 09:30:00 +0800\r\nSubject: x\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def detector() -> MagicDetector:
    return MagicDetector()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (MAIL, "message/rfc822"),
        (b"Received: from a\r\n by b; x\r\nX-Odd: 1\r\n" + MAIL, "message/rfc822"),
        (b"From: <Saved by Blink>\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\n<html>", "message/rfc822"),
        (b"\xef\xbb\xbf\r\n" + MAIL, "message/rfc822"),
        (b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="B"\r\n\r\n--B\r\n', "message/rfc822"),
        (b"From a@b.example Fri Mar  1 09:30:00 2024\n" + MAIL, "application/mbox"),
        (b"From here to there it is 100 km.\nThe road was built in 2024.\n", "text/plain"),
        (b"From 12:30 on 1 May 2024\nwe met at noon.\n", "text/plain"),
        (b"From: the manager\nWe met at noon.\n", "text/plain"),
        (b"Subject: rent\nDate: 2024\n\nA memorandum without a sender.\n", "text/plain"),
        (b"To write a page, begin with <html> and <head><title>x</title></head>.\n", "text/plain"),
        ("收件人须知：From: 一栏请填写姓名。\n".encode(), "text/plain"),
        (b"{\\rtf1\\ansi x}", "text/rtf"),
        (b"<!-- note -->\n<!DOCTYPE html>\n<p>x</p>", "text/html"),
        (b"\xef\xbb\xbf<html><p>x</p></html>", "text/html"),
        ("<html><body>公告</body></html>".encode("utf-16"), "text/html"),
        ("<TABLE><tr><td>公告</td></tr></TABLE>".encode("gbk"), "text/plain"),
        (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"/>', "application/xhtml+xml"),
        (b'<?xml version="1.0" encoding="GBK"?><a>x</a>', "text/xml"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="1"/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "y">]><svg width="1"/>', "image/svg+xml"),
    ],
)
def test_kinds_of_text_are_told_apart_by_their_heads(detector: MagicDetector, data: bytes, kind: str) -> None:
    assert detector.detect(data, "anything") == kind


def test_a_letter_not_yet_sent_is_one_where_its_name_says_so_too(detector: MagicDetector) -> None:
    draft = b"To: a@b.example\r\nSubject: rent\r\nX-Unsent: 1\r\n\r\nbody\r\n"
    assert [detector.detect(draft, name) for name in ("a.eml", "a.txt")] == ["message/rfc822", "text/plain"]


@pytest.mark.parametrize(("name", "kind"), [("a.html", "text/html"), ("a.md", "text/plain")])
def test_a_piece_of_html_is_one_where_its_name_says_so_too(detector: MagicDetector, name: str, kind: str) -> None:
    assert detector.detect(b"<div align=center><b>Read me</b></div>\n\n# Heading\n", name) == kind


def test_names_of_mails_and_wps_files_claim_what_they_are() -> None:
    assert not mismatch("message/rfc822", "网页.mht")
    assert not mismatch("application/mbox", "mail.mbox")
    assert not mismatch("application/msword", "报告.wps")
    assert not mismatch("application/encrypted", "合同.docx")
    assert mismatch("text/plain", "合同.msg")
