"""Word, PowerPoint and Excel: every word comes out, where it belongs; what is locked or broken says so."""

import struct
from collections.abc import Callable

import pytest

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.docx import extract_docx
from indexer.extract.pptx import extract_pptx
from indexer.extract.spreadsheets import extract_xls, extract_xlsx
from indexer.extract.xls_records import texts_by_sheet
from indexer.identify import MagicDetector
from tests.factories.packages import (
    OFFICE,
    a_container,
    a_docx,
    a_pptx,
    an_xlsx,
    lines,
    para,
    relations,
    row,
    slide_part,
    word_part,
)


def refused(extract: Callable[[bytes], Extracted], data: bytes) -> Reason:
    with pytest.raises(Unreadable) as found:
        extract(data)
    return found.value.failure.reason


def test_a_word_document_says_its_title_and_date() -> None:
    found = extract_docx(a_docx(para("正文")))
    assert (found.title, found.created, found.pages) == ("移交清单", "2024-03-01T08:00:00Z", ("正文",))


def test_words_that_runs_part_stay_whole() -> None:
    inner = "<w:ins><w:r><w:t>档案</w:t></w:r></w:ins><w:hyperlink><w:r><w:t>馆</w:t></w:r></w:hyperlink>"
    body = para("物业", inner)
    assert extract_docx(a_docx(body)).pages == ("物业档案馆",)


def test_headers_come_first_and_footers_last_each_text_once() -> None:
    parts = {
        "word/h1.xml": word_part("hdr", para("机密文件")),
        "word/h2.xml": word_part("hdr", para("机密文件")),
        "word/f1.xml": word_part("ftr", para("城东小区")),
    }
    related = [("1", "header", "h1.xml"), ("2", "header", "h2.xml"), ("3", "footer", "/word/f1.xml")]
    assert extract_docx(a_docx(para("正文"), parts, related)).pages == ("机密文件\n正文\n城东小区",)


def test_notes_and_comments_follow_the_paragraph_that_they_belong_to() -> None:
    parts = {
        "word/n.xml": word_part("footnotes", f'<w:footnote w:id="2">{para("脚注之文")}</w:footnote>'),
        "word/e.xml": word_part("endnotes", f'<w:endnote w:id="2">{para("尾注之文")}</w:endnote>'),
        "word/c.xml": word_part(
            "comments",
            f'<w:comment w:id="0">{para("批注之文")}</w:comment><w:comment w:id="9">{para("无处")}</w:comment>',
        ),
    }
    related = [("1", "footnotes", "n.xml"), ("2", "endnotes", "e.xml"), ("3", "comments", "c.xml")]
    refers = "".join(
        f'<w:r><w:{name} w:id="{number}"/></w:r>'
        for name, number in (("footnoteReference", 2), ("endnoteReference", 2), ("commentReference", 0))
    )
    body = para("前文", refers + "<w:r><w:t>后文</w:t></w:r>") + para("次段")
    assert extract_docx(a_docx(body, parts, related)).pages == ("前文后文\n脚注之文\n尾注之文\n批注之文\n次段\n无处",)


def test_a_note_that_refers_to_itself_ends() -> None:
    inner = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    parts = {"word/n.xml": word_part("footnotes", f'<w:footnote w:id="2">{para("自指", inner)}</w:footnote>')}
    found = extract_docx(a_docx(para("正文", inner), parts, [("1", "footnotes", "n.xml")]))
    assert found.pages == ("正文\n自指",)


def test_tables_keep_rows_and_cells_and_tables_inside() -> None:
    inner = f"<w:tbl><w:tr><w:tc>{para('内')}</w:tc></w:tr></w:tbl>"
    cells = f"<w:tc>{para('甲')}{para('乙')}</w:tc><w:tc>{inner}</w:tc>"
    body = para("前") + f"<w:tbl><w:tr>{cells}</w:tr><w:tr><w:tc>{para('丙')}</w:tc></w:tr></w:tbl>" + para("后")
    assert extract_docx(a_docx(body)).pages == ("前\n甲\n乙\t内\n丙\n后",)


def test_a_text_box_is_told_once_though_it_is_written_twice() -> None:
    box = f"<w:txbxContent>{para('框中之文')}</w:txbxContent>"
    both = f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    twice = f"<w:r><mc:AlternateContent>{both}</mc:AlternateContent></w:r>"
    assert extract_docx(a_docx(para("前", twice + "<w:r><w:t>后</w:t></w:r>"))).pages == ("前后\n框中之文",)


def test_what_was_deleted_and_field_codes_are_no_text_and_a_watermark_is() -> None:
    more = (
        "<w:del><w:r><w:delText>删去</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r>"
        '<w:r><w:pict><v:shape><v:textpath string="机密"/></v:shape></w:pict></w:r>'
    )
    assert extract_docx(a_docx(para("存", more))).pages == ("存\n机密",)


def test_explicit_page_breaks_part_pages() -> None:
    broken = '<w:p><w:r><w:t>一</w:t><w:br w:type="page"/><w:t>二</w:t></w:r></w:p>'
    before = "<w:p><w:pPr><w:pageBreakBefore/></w:pPr><w:r><w:t>三</w:t></w:r></w:p>"
    section = "<w:p><w:pPr><w:sectPr/></w:pPr><w:r><w:t>四</w:t></w:r></w:p>" + para("五")
    found = extract_docx(a_docx(broken + before + section), 2, 4)
    assert (found.pages, found.page_count) == (("二", "三\n四", "五"), 4)


@pytest.mark.parametrize(
    "chunk",
    [
        '<html><meta charset="gbk"><body><p>并入之文</p><script>x</script></body></html>'.encode("gbk"),
        "并入之文".encode(),
        a_docx(para("并入之文")),
    ],
    ids=["html", "text", "docx"],
)
def test_a_piece_in_another_format_is_read_where_it_stands(chunk: bytes) -> None:
    body = para("前") + '<w:altChunk r:id="x"/>' + para("后")
    found = extract_docx(a_docx(body, {"word/piece.bin": chunk}, [("x", "aFChunk", "piece.bin")]))
    assert found.pages == ("前\n并入之文\n后",)


def test_slides_come_in_the_order_of_the_presentation_with_notes_comments_and_groups() -> None:
    cell = "<a:tc><a:txBody>%s</a:txBody></a:tc>"
    table = f"<p:graphicFrame><a:tbl><a:tr>{cell}{cell}</a:tr></a:tbl></p:graphicFrame>"
    shapes = (
        f"<p:grpSp><p:grpSp><p:sp><p:txBody>{lines('组中', '次行')}</p:txBody></p:sp></p:grpSp></p:grpSp>"
        f"{table % (lines('甲'), lines('乙'))}"
    )
    place = '<p:sp><p:nvSpPr><p:nvPr><p:ph type="%s"/></p:nvPr></p:nvSpPr><p:txBody>%s</p:txBody></p:sp>'
    parts = {
        "ppt/slides/slide0.xml": slide_part(shapes),
        "ppt/slides/_rels/slide0.xml.rels": relations(
            ("1", "notesSlide", "../notes.xml"), ("2", "comments", "../c.xml"), ("3", "slideLayout", "../l.xml")
        ),
        "ppt/notes.xml": slide_part(place % ("body", lines("备注")) + place % ("sldNum", lines("7")), "notes"),
        "ppt/c.xml": "<p:cmLst xmlns:p='p'><p:cm><p:text>批注</p:text></p:cm></p:cmLst>",
        "ppt/l.xml": slide_part(
            place % ("title", lines("单击编辑")) + f"<p:sp><p:txBody>{lines('版式')}</p:txBody></p:sp>", "sldLayout"
        ),
    }
    found = extract_pptx(a_pptx(["", "第二张存，先放映"], parts, order=[1, 0]))
    assert found.pages == ("第二张存，先放映", "组中\n次行\n甲\t乙\n备注\n批注\n版式")
    assert found.title == "移交清单"


def test_charts_are_read_on_their_slide_once() -> None:
    itself = f'<c:userShapes><c:chart r:id="9" xmlns:r="{OFFICE}"/></c:userShapes>'
    chart = (
        f"<c:chartSpace xmlns:c='c' xmlns:a='a'>{itself}<c:chart><c:title><c:rich>{lines('费用')}"
        "</c:rich></c:title><c:strCache><c:pt><c:v>电梯</c:v></c:pt></c:strCache></c:chart></c:chartSpace>"
    )
    frame = '<p:graphicFrame><c:chart xmlns:c="c" r:id="9"/></p:graphicFrame>'
    parts = {
        "ppt/slides/slide0.xml": slide_part(frame),
        "ppt/slides/_rels/slide0.xml.rels": relations(("9", "chart", "../chart.xml")),
        "ppt/chart.xml": chart,
        "ppt/_rels/chart.xml.rels": relations(("9", "chart", "chart.xml")),
    }
    assert extract_pptx(a_pptx([""], parts)).pages == ("费用\n电梯",)


def test_every_sheet_begins_with_its_name_hidden_ones_too() -> None:
    book = an_xlsx({"缴费": row(1, ("A", "户主"), ("C", 13800138000)), "底稿": row(1, ("A", 0.5))}, hidden="底稿")
    assert extract_xlsx(book).pages == ("缴费\n户主\t\t13800138000\n页眉1", "底稿\n0.5\n页眉2")


def test_a_long_sheet_takes_pages_that_all_bear_its_name() -> None:
    rows = "".join(row(number, ("A", f"第{number}户管理费")) for number in range(1, 1_001))
    found = extract_xlsx(an_xlsx({"台账": rows}), 2)
    assert found.page_count > 2
    assert all(page.startswith("台账\n第") for page in found.pages)
    assert found.pages[-1].endswith("第1000户管理费\n页眉1")


def test_comments_and_boxes_of_a_sheet_follow_its_rows() -> None:
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations(("1", "comments", "../c.xml"), ("2", "drawing", "../d.xml")),
        "xl/c.xml": "<comments xmlns='s'><comment><text><r><t>核对</t></r><r><t>过</t></r></text></comment></comments>",
        "xl/d.xml": f"<x:wsDr xmlns:x='x' xmlns:a='a'><x:sp><x:txBody>{lines('框文')}</x:txBody></x:sp></x:wsDr>",
    }
    assert extract_xlsx(an_xlsx({"表": row(1, ("A", "数"))}, parts)).pages == ("表\n数\n页眉1\n核对过\n框文",)


def test_two_cells_at_the_far_ends_of_a_sheet_do_not_fill_the_memory() -> None:
    far = row(1, ("A", "近")) + row(1_048_576, ("XFD", "远"), ("XFE", 7))
    assert extract_xlsx(an_xlsx({"远近": far, "常": row(1, ("A", "常"))})).pages == (
        "远近\n近\n远\t7\n页眉1",
        "常\n常\n页眉2",
    )


def test_comments_boxes_and_margins_of_an_old_workbook_are_told_by_sheet() -> None:
    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def box(text: str) -> bytes:
        counts = record(0x1B6, bytes(10) + struct.pack("<H", len(text)) + bytes(6))
        halves = (text[:2], text[2:])
        return counts + b"".join(record(0x3C, b"\x01" + half.encode("utf-16-le")) for half in halves)

    begin, end = record(0x809, bytes(16)), record(0x0A, b"")
    chart = begin + end
    first = begin + record(0x14, b"\x05\x00\x00&Lhead") + chart + box("批注之文") + end
    second = begin + box("框中之文") + record(0x15, b"\x00") + end
    start = len(begin) + 2 * (4 + 8) + len(end)
    listed = (record(0x85, struct.pack("<II", place, 0)) for place in (start + len(first), start))
    stream = begin + b"".join(listed) + end + first + second
    assert texts_by_sheet(stream) == [["框中之文"], ["head", "批注之文"]]
    assert texts_by_sheet(stream[:-7]) == [["框中之文"], ["head", "批注之文"]]


def test_what_a_password_locks_is_locked() -> None:
    package = a_container({"EncryptionInfo": b"x", "EncryptedPackage": b"x" * 5_000})
    assert MagicDetector().detect(package, "合同.docx") == "application/encrypted"
    assert refused(extract_xls, package) is Reason.ENCRYPTED
    begin, password = b"\x09\x08\x10\x00" + bytes(16), b"\x2f\x00\x36\x00" + bytes(54)
    assert refused(extract_xls, a_container({"Workbook": begin + password})) is Reason.ENCRYPTED


def test_an_old_container_without_a_workbook_is_no_workbook() -> None:
    assert refused(extract_xls, a_container({"WordDocument": b"x" * 5_000})) is Reason.UNSUPPORTED
    assert refused(extract_xls, a_container({"Workbook": b"\x09\x08\x10\x00" + bytes(16)})[:900]) is Reason.BROKEN


@pytest.mark.parametrize(
    ("extract", "data", "main"),
    [
        (extract_docx, a_docx(para("x")), "word/document.xml"),
        (extract_pptx, a_pptx(["x"]), "ppt/presentation.xml"),
        (extract_xlsx, an_xlsx({"x": row(1, ("A", "x"))}), "xl/workbook.xml"),
    ],
    ids=["docx", "pptx", "xlsx"],
)
def test_a_cut_package_or_one_without_its_main_part_is_broken(
    extract: Callable[[bytes], Extracted], data: bytes, main: str
) -> None:
    assert extract(data).pages
    assert refused(extract, data[: len(data) * 2 // 3]) is Reason.BROKEN
    assert refused(extract, data.replace(main.encode(), main.replace("/", "-").encode())) is Reason.BROKEN


@pytest.mark.parametrize("place", ["word/document.xml", "word/h.xml"])
def test_a_document_type_in_a_package_is_refused(place: str) -> None:
    swelling = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    parts = {"word/h.xml": word_part("hdr", para("页眉"))}
    parts[place] = swelling + word_part("document", f"<w:body>{para('x')}</w:body>")
    assert refused(extract_docx, a_docx("", parts, [("1", "header", "h.xml")])) is Reason.BROKEN


def test_a_broken_side_part_does_not_lose_the_text() -> None:
    data = a_docx(
        para("正文"), {"word/c.xml": "<w:comments"}, [("1", "comments", "c.xml"), ("2", "header", "gone.xml")]
    )
    assert extract_docx(data).pages == ("正文",)


@pytest.mark.parametrize("name", ["合同.docm", "合同.dotx", "合同.wps", "合同"])
def test_kin_of_a_word_document_is_one(name: str) -> None:
    assert MagicDetector().detect(a_docx(para("x")), name).endswith("wordprocessingml.document")


def test_tables_in_tables_without_end_are_no_damage() -> None:
    body = "<w:tbl><w:tr><w:tc>" * 300 + para("底") + "</w:tc></w:tr></w:tbl>" * 300
    with pytest.raises(Unreadable) as refused:
        extract_docx(a_docx(body))
    assert refused.value.failure.reason is Reason.BOMB
