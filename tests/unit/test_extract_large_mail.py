"""Mails and Word documents of tens of megabytes: read within a fork's memory, and cut where they are far too large."""

import io
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from lxml import etree

from indexer import kinds
from indexer.extract import docx, large_mail, mail
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.docx import extract_docx
from indexer.extract.mail import extract_mail
from indexer.extract.ooxml import OfficePackage
from indexer.extract.unpacking import count
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits
from tests.factories.packages import a_docx, para, word_part

LINE = "第一条 物业档案应当及时归档，妥善保管。The lift was inspected.\n"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(limits=Limits(wall=180.0)) as made:  # time of the clock: a busy machine is no reason to fail
        yield made


def test_a_mail_of_a_hundred_megabytes_is_read_up_to_a_limit(extractor: Extractor) -> None:
    head = b"From: a@b.example\nSubject: large\nContent-Type: text/plain; charset=utf-8\n\n"
    data = head + LINE.encode() * (100_000_000 // len(LINE.encode()))
    found = extractor.extract(kinds.MAIL, [data], len(data), 1, 3)
    assert isinstance(found, Extracted), found
    assert (found.title, found.cut, found.inside) == ("large", True, 0)
    assert "物业档案应当及时归档" in found.pages[2]


def a_mail() -> bytes:
    """Return a mail with words, a text and a program attached, a mail in it, and words after them."""
    letter, inner = EmailMessage(), EmailMessage()
    letter["Subject"], inner["Subject"] = "移交", "旧信"
    inner.set_content("旧信之文\n" * 50)
    letter.set_content("正文之首\n" + "--boundary of none\n" * 3 + LINE * 50, cte="8bit")
    letter.add_attachment(("attached words\n" * 500).encode(), "text", "plain", filename="清单.txt", cte="7bit")
    letter.add_attachment(b"\0\1" * 5_000, "application", "octet-stream", filename="工具.bin")
    letter.add_attachment(inner)
    return letter.as_bytes()


def test_a_large_mail_gives_what_it_gives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\r\n" + a_mail()
    whole = extract_mail(data), count(kinds.MAIL, "", data)
    assert whole[1] == 3
    monkeypatch.setattr(mail, "LARGE", 100)
    monkeypatch.setattr(large_mail, "_HEAD", 600)  # so much is kept of what is attached
    assert (extract_mail(data), count(kinds.MAIL, "", data)) == whole
    assert len(large_mail.shortened(data, 2)[0]) < len(data) / 2


def test_of_a_larger_one_the_beginning_of_the_words_is_kept_and_all_names(monkeypatch: pytest.MonkeyPatch) -> None:
    data = a_mail()
    monkeypatch.setattr(mail, "LARGE", 100)
    monkeypatch.setattr(large_mail, "MOST_WORDS", 1_500)
    found = extract_mail(data)
    assert found.cut
    (words,) = found.pages
    assert "正文之首" in words
    assert len(words) < 1_500
    assert [name in words for name in ("清单.txt", "工具.bin", "旧信.eml")] == [True] * 3
    assert count(kinds.MAIL, "", data) == 3


HEAD = b"From: a@b.example\nSubject: s\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=q\n\n--q\n"
WORDS = LINE.encode() * 2_000


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Type: text\n\n" + WORDS,
        HEAD + b"Content-Type:\n\n" + WORDS,
        HEAD + b"\nContent-Type: multipart/mixed; boundary=XX\n\n--XX\nContent-Type: application/msword\n\n" + WORDS,
        MIXED + b"Content-Type: text/plain\nContent-Description: name=report\n\n" + WORDS + b"\n--q--\n",
        MIXED + b"\n--quoted\nContent-Type: application/msword\n\n" + WORDS + b"\n--q--\n",
        MIXED + b"Content-Type: message/news\n\n" + MIXED.replace(b"q", b"i") + b"\n" + WORDS + b"\n--i--\n--q--\n",
        MIXED
        + MIXED.replace(b"q", b"i")
        + b"\ninner\n--q\n\n--i\nContent-Type: application/msword\n\n"
        + WORDS
        + b"\n--q--\n",
    ],
    ids=["text", "no type", "a bounce", "no name", "no boundary", "a mail that is read", "a part that ended"],
)
def test_no_words_of_a_large_mail_are_taken_for_a_file(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    whole = extract_mail(data), count(kinds.MAIL, "", data)
    assert sum(map(len, whole[0].pages)) > 60_000
    monkeypatch.setattr(mail, "LARGE", 100)
    monkeypatch.setattr(large_mail, "_HEAD", 1_000)
    assert (extract_mail(data), count(kinds.MAIL, "", data)) == whole


@pytest.mark.parametrize("most", ["MOST_WORDS", "_MOST_HEADS"])
def test_wherever_a_mail_is_cut_each_of_its_files_is_named(monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    letter = EmailMessage()
    letter["Subject"] = "移交"
    letter.set_content(LINE * 20, cte="8bit")
    letter.add_alternative(f"<p>{LINE * 20}</p>", subtype="html", cte="8bit")
    for name in ("甲.bin", "乙.bin"):
        letter.add_attachment(b"\0\1" * 1_000, "application", "octet-stream", filename=name)
    data = letter.as_bytes()
    monkeypatch.setattr(mail, "LARGE", 100)
    for limit in range(0, 3_500, 23):
        monkeypatch.setattr(large_mail, most, limit)
        found = extract_mail(data)
        (words,) = found.pages
        assert ("甲.bin" in words, "乙.bin" in words, "AAEAAQ" in words) == (True, True, False), limit
        assert (found.cut, count(kinds.MAIL, "", data)) == (True, 2)


def test_of_one_line_without_an_end_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = MIXED + b"\n" + b"one line " * 1_000 + b"\n--q\nContent-Type: application/x; name=a.bin\n\nAA\n--q--\n"
    monkeypatch.setattr(mail, "LARGE", 100)
    monkeypatch.setattr(large_mail, "MOST_WORDS", 2_000)
    found = extract_mail(data)
    assert ("one line one line" in found.pages[0], "a.bin" in found.pages[0], found.cut) == (True, True, True)


def test_a_part_costs_what_it_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    heads = large_mail._heads
    monkeypatch.setattr(large_mail, "_heads", lambda lines: taken.append(len(lines)) or heads(lines))
    parts = b"".join(b"--q\nContent-Type: text/plain\n\n%d\n" % number for number in range(9_000))
    large_mail.shortened(MIXED.removesuffix(b"--q\n") + parts + b"--q--\n")
    assert len(taken) == 9_002
    assert sum(taken) < len(MIXED + parts)


def test_of_more_parts_than_are_read_the_rest_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    data = MIXED + b"\n--q\n" * 30_000
    monkeypatch.setattr(mail, "LARGE", 100)
    read, lost = large_mail.shortened(data)
    assert (read.count(b"--q"), lost) == (20_000, True)
    with pytest.raises(Unreadable) as refused:
        extract_mail(data)
    assert refused.value.failure.reason is Reason.BOMB


BODY = (
    para("首段")
    + "<w:sdt><w:sdtContent>"
    + para("表前控件")
    + "</w:sdtContent></w:sdt><w:tbl><w:tblPr/>"
    + "".join(
        f"<w:tr><w:tc>{para(f'格{number}')}<w:tbl><w:tr><w:tc>{para('内')}</w:tc></w:tr></w:tbl></w:tc>"
        f"<w:tc>{para('右')}</w:tc></w:tr>"
        for number in range(40)
    )
    + "</w:tbl><w:sdt><w:sdtContent>"
    + para("控件之文")
    + "</w:sdtContent></w:sdt>"
    + "".join(para(f"第{number}段", "<w:r><w:footnoteReference w:id='2'/></w:r>") for number in range(300))
    + "<w:sdt><w:sdtContent>"
    + para("末尾")
    + "</w:sdtContent></w:sdt><w:sectPr/>"
)


def test_a_word_document_read_block_by_block_gives_what_it_gives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = {"word/n.xml": word_part("footnotes", f'<w:footnote w:id="2">{para("脚注之文")}</w:footnote>')}
    data = a_docx(BODY, notes, [("1", "footnotes", "n.xml")])
    whole = extract_docx(data)
    assert "末尾" in whole.pages[-1]
    monkeypatch.setattr(docx, "LARGE", 100)
    assert extract_docx(data) == whole


def test_what_the_parser_may_still_write_to_is_left_in_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = OfficePackage.ends
    before = "A" * 20
    texts = []

    def watched(package: OfficePackage, name: str, *tags: str) -> Iterator[etree._Element]:
        for node in ends(package, name, *tags):
            above = node.getparent()
            yield node
            assert node.getparent() is above
        texts.append(node[0].text)

    monkeypatch.setattr(OfficePackage, "ends", watched)
    monkeypatch.setattr(docx, "LARGE", 100)
    found = extract_docx(a_docx(before + (para("首段") + "B&amp;" * 5_000) * 30 + BODY))
    assert "".join(found.pages).count("首段") == 31
    assert texts == [before]


@pytest.mark.parametrize(("limit", "most"), [("_MOST_SIGNS", 200), ("_MOST_BLOCKS", 60)], ids=["by signs", "by blocks"])
def test_of_a_word_document_far_too_large_the_beginning_is_read(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(docx, "LARGE", 100)
    monkeypatch.setattr(docx, limit, most)
    found = extract_docx(a_docx(BODY))
    assert found.cut
    assert "首段" in found.pages[0]
    assert "末尾" not in found.pages[-1]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (BODY + "<w:p>", "XMLSyntaxError"),
        ("doctype", "doctype"),
    ],
)
def test_a_large_word_document_that_is_broken_says_so(monkeypatch: pytest.MonkeyPatch, body: str, detail: str) -> None:
    data = a_docx(BODY if body == "doctype" else body)
    if body == "doctype":
        data = with_doctype(data)
    monkeypatch.setattr(docx, "LARGE", 100)
    with pytest.raises(Unreadable) as refused:
        extract_docx(data)
    assert (refused.value.failure.reason, refused.value.failure.detail) == (Reason.BROKEN, detail)


def with_doctype(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name == "word/document.xml":
                at = part.index(b"<w:document")
                part = part[:at] + b'<!DOCTYPE w:document [<!ENTITY e "x">]>' + part[at:]
            after.writestr(name, part)
    return made.getvalue()


def test_a_word_document_of_a_hundred_megabytes_is_read(extractor: Extractor) -> None:
    made = io.BytesIO()
    main = word_part("document", "<w:body>@</w:body>")
    before, after = main.split("@") if isinstance(main, str) else main.decode().split("@")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("word/document.xml", "w") as body:
        body.write(before.encode())
        for first in range(0, 1_000_000, 10_000):
            body.write("".join(para(f"物业档案 {number}") for number in range(first, first + 10_000)).encode())
        body.write(after.encode())
    data = made.getvalue()
    found = extractor.extract(kinds.DOCX, [data], len(data), 1, 2)
    assert isinstance(found, Extracted), found
    assert found.pages[0].startswith("物业档案 0\n物业档案 1\n")
