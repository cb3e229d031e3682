"""OpenDocument, books and OFD; all office samples; and all of it inside a fork that can open no file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.extract.answer import Extracted, Failure, Reason, Unreadable
from indexer.extract.epub import extract_epub
from indexer.extract.ofd import extract_ofd
from indexer.extract.opendocument import extract_opendocument
from indexer.sandbox.client import Extractor
from tests.factories.packages import (
    a_container,
    a_docx,
    a_pptx,
    an_epub,
    an_ofd,
    an_opendocument,
    an_xlsx,
    ofd_page,
    ofd_text,
    packed,
    para,
    row,
)

ODT = an_opendocument("text", "<text:p>档案移交</text:p>")
EPUB = an_epub({"1.xhtml": "<html><body><p>档案移交</p></body></html>".encode()}, ["1.xhtml"])
OFD = an_ofd({"P/1.xml": ofd_text("档案移交", 10, 10)})
OLD_BOOK = a_container({"Workbook": b"\x09\x08\x10\x00" + bytes(16) + b"\x2f\x00\x02\x00\x00\x00"})


def refused(extract: Callable[[bytes], Extracted], data: bytes) -> Reason:
    with pytest.raises(Unreadable) as found:
        extract(data)
    return found.value.failure.reason


def test_an_open_text_keeps_spaces_notes_comments_boxes_and_tables() -> None:
    body = (
        "<text:tracked-changes><text:p>删去</text:p></text:tracked-changes>"
        "<text:h>标题</text:h>"
        "<text:p>前<text:span>文\n  续</text:span><text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>脚注</text:p></text:note-body></text:note><text:s text:c='2'/>后<text:tab/>尾"
        "<office:annotation><dc:creator>某</dc:creator><text:p>批注</text:p></office:annotation>"
        "<draw:frame><draw:text-box><text:p>框文</text:p></draw:text-box></draw:frame></text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>甲</text:p></table:table-cell><table:table-cell>"
        "<text:p>乙</text:p></table:table-cell></table:table-row></table:table>"
        "<text:list><text:list-item><text:p>条目</text:p></text:list-item></text:list>"
    )
    styles = (
        "<style:master-page><style:header><text:p>页眉</text:p></style:header>"
        "<style:footer><text:p>页脚</text:p></style:footer></style:master-page>"
    )
    found = extract_opendocument(an_opendocument("text", body, styles=styles))
    assert found.pages == ("页眉\n标题\n前文 续  后\t尾\n脚注\n批注\n框文\n甲\t乙\n条目\n页脚",)
    assert (found.title, found.created) == ("移交清单", "2024-03-01T08:00:00")


def test_page_breaks_of_an_open_text_part_pages() -> None:
    automatic = '<style:style style:name="B"><style:paragraph-properties fo:break-before="page"/></style:style>'
    body = '<text:p>一</text:p><text:p text:style-name="B">二</text:p>'
    assert extract_opendocument(an_opendocument("text", body, automatic=automatic)).pages == ("一", "二")


def test_open_sheets_begin_with_their_names_and_a_repeated_row_is_told_once() -> None:
    line = "<table:table-row{}><table:table-cell><text:p>{}</text:p>{}</table:table-cell></table:table-row>"
    comment = "<office:annotation><text:p>批注</text:p></office:annotation>"
    body = (
        f'<table:table table:name="甲表">{line.format("", "数", comment)}'
        f"{line.format(' table:number-rows-repeated=' + chr(34) + '1048576' + chr(34), '多', '')}</table:table>"
        f'<table:table table:name="乙表">{line.format("", "藏", "")}</table:table>'
    )
    assert extract_opendocument(an_opendocument("spreadsheet", body)).pages == ("甲表\n数\n批注\n多", "乙表\n藏")


def test_open_slides_are_pages_with_notes_and_what_their_master_adds() -> None:
    page = (
        '<draw:page draw:master-page-name="M"><draw:g><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box>'
        "</draw:frame></draw:g><presentation:notes><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box>"
        "</draw:frame></presentation:notes></draw:page>"
    )
    shape = "<draw:frame {}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    master = (
        '<style:master-page style:name="M">'
        + shape.format('presentation:placeholder="true"', "单击编辑")
        + shape.format("", "单位名")
        + "</style:master-page>"
    )
    body = page.format("首张", "备注一") + page.format("次张", "备注二")
    found = extract_opendocument(an_opendocument("presentation", body, styles=master))
    assert found.pages == ("首张\n备注一\n单位名", "次张\n备注二")


def test_a_locked_open_document_is_locked() -> None:
    assert refused(extract_opendocument, an_opendocument("text", "", locked=True)) is Reason.ENCRYPTED


def test_chapters_come_in_the_order_of_reading() -> None:
    chapters = {
        "b.xhtml": "<!DOCTYPE html><html><head><title>不见</title></head><h1>第二章</h1><p>甲&nbsp;<b>乙</b>丙</p>"
        "<script>x</script><table><tr><td>一</td><td>二</td></tr></table></html>".encode(),
        "a.xhtml": '<?xml version="1.0" encoding="gbk"?><html><body><p>第一章</p></body></html>'.encode("gbk"),
        "unread.xhtml": b"<p>x</p>",
    }
    found = extract_epub(an_epub(chapters, ["a.xhtml", "b.xhtml", "gone.xhtml"]))
    assert found.pages == ("第一章", "第二章\n甲\xa0乙丙\n一\t二")
    assert (found.title, found.created) == ("移交清单", "2024-03-01")


def test_a_book_whose_chapters_need_a_key_is_sealed_and_one_with_scrambled_fonts_is_not() -> None:
    lock = '<encryption xmlns="e"><EncryptedData><CipherReference URI="O/{}"/></EncryptedData></encryption>'
    chapters = {"1.xhtml": "<p>文</p>".encode()}
    parts = {"META-INF/encryption.xml": lock.format("1.xhtml")}
    assert refused(extract_epub, an_epub(chapters, ["1.xhtml"], parts)) is Reason.SEALED
    parts = {"META-INF/encryption.xml": lock.format("font.otf")}
    assert extract_epub(an_epub(chapters, ["1.xhtml"], parts)).pages == ("文",)


def test_ofd_pages_come_in_the_order_of_the_document_not_of_the_package() -> None:
    pages = {"Pages/Page_9/Content.xml": ofd_text("先读", 10, 10), "Pages/Page_1/Content.xml": ofd_text("后读", 10, 10)}
    found = extract_ofd(an_ofd(pages))
    assert found.pages == ("先读", "后读")
    assert (found.title, found.created) == ("移交清单", "2024-03-01")
    assert extract_ofd(an_ofd(pages), 2, 2).pages == ("后读",)


def test_ofd_texts_on_one_line_are_joined_and_a_gap_parts_them() -> None:
    content = (
        ofd_text("发票", 10, 10, "4")
        + ofd_text("代码", 18, 10, "g 1 4")
        + ofd_text("No", 60, 10.4)
        + ofd_text("次行", 10, 20)
    )
    assert extract_ofd(an_ofd({"1.xml": content})).pages == ("发票代码 No\n次行",)


def test_ofd_templates_and_annotations_belong_to_their_page() -> None:
    more = (
        '<ofd:CommonData><ofd:TemplatePage ID="70" BaseLoc="T/1.xml"/></ofd:CommonData>'
        "<ofd:Annotations>A/Annotations.xml</ofd:Annotations>"
    )
    parts = {
        "Doc_0/T/1.xml": ofd_page(ofd_text("抬头", 10, 5)),
        "Doc_0/A/Annotations.xml": ofd_page(
            '<ofd:Page PageID="2"><ofd:FileLoc>P2.xml</ofd:FileLoc></ofd:Page>', "Annotations"
        ),
        "Doc_0/A/P2.xml": ofd_page(
            f"<ofd:Annot><ofd:Appearance>{ofd_text('批示', 1, 1)}</ofd:Appearance></ofd:Annot>", "PageAnnot"
        ),
    }
    pages = {"1.xml": '<ofd:Template TemplateID="70"/>' + ofd_text("甲", 10, 30), "2.xml": ofd_text("乙", 10, 30)}
    assert extract_ofd(an_ofd(pages, parts, more)).pages == ("抬头\n甲", "乙\n批示")


@pytest.mark.parametrize(
    ("extract", "data"),
    [(extract_opendocument, ODT), (extract_epub, EPUB), (extract_ofd, OFD)],
    ids=["odt", "epub", "ofd"],
)
def test_a_cut_or_empty_package_is_broken(extract: Callable[[bytes], Extracted], data: bytes) -> None:
    assert extract(data).pages == ("档案移交",)
    assert refused(extract, data[: len(data) // 2]) is Reason.BROKEN
    assert refused(extract, packed({"x": "y"})) is Reason.BROKEN


def test_a_document_type_in_ofd_is_refused() -> None:
    parts = {"Doc_0/1.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}
    assert refused(extract_ofd, an_ofd({"1.xml": ""}, parts)) is Reason.BROKEN


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as running:
        yield running


def inside(extractor: Extractor, name: str, data: bytes) -> Extracted | Failure:
    file = extractor.hold([data], len(data))
    try:
        return extractor.find_held(name, file)[1]
    finally:
        file.close()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", a_docx(para("档案移交"))),
        (
            "b.docx",
            a_docx('<w:altChunk r:id="x"/>', {"word/p": "<p>档案移交</p>".encode("gbk")}, [("x", "aFChunk", "p")]),
        ),
        ("a.xlsx", an_xlsx({"档案移交": row(1, ("A", 45_000.5))})),
        ("far.xlsx", an_xlsx({"远": row(1, ("A", "档案移交")) + row(1_048_576, ("XFD", "远"))})),
        ("a.pptx", a_pptx(["档案移交"])),
        ("a.odt", ODT),
        ("gbk.odt", an_opendocument("text", "<text:p>档案移交</text:p>", encoding="gb18030")),
        ("a.ods", an_opendocument("spreadsheet", '<table:table table:name="档案移交"/>')),
        ("a.epub", EPUB),
        ("a.ofd", OFD),
    ],
)
def test_each_kind_is_read_in_a_fork_that_can_open_no_file(extractor: Extractor, name: str, data: bytes) -> None:
    found = inside(extractor, name, data)
    assert isinstance(found, Extracted), found
    assert "档案移交" in found.pages[0]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.docx", a_container({"EncryptionInfo": b"x", "EncryptedPackage": b"x" * 5_000}), Reason.ENCRYPTED),
        ("a.xls", OLD_BOOK, Reason.ENCRYPTED),
        ("a.xls", OLD_BOOK[:600], Reason.BROKEN),
        ("a.docx", a_docx(para("x"))[:-200], Reason.BROKEN),
    ],
)
def test_reasons_are_told_from_inside(extractor: Extractor, name: str, data: bytes, reason: Reason) -> None:
    found = inside(extractor, name, data)
    assert isinstance(found, Failure)
    assert found.reason is reason


LOCKED = {
    "password.xls",
    "protectedFile.xlsx",
    "protected_normal_case.docx",
    "testEXCEL_protected_passtika.xls",
    "testEXCEL_protected_passtika_2.xlsx",
    "testODTEncrypted.odt",
    "testWORD_protected_passtika.docx",
}
WORDLESS = {"headerPic.docx", "testODPMacro.odp", "testPPT_EmbeddedPDF.pptx", "testWORD_missing_ooxml_bean1.docx"}
ENDINGS = {".docx", ".xlsx", ".xls", ".pptx", ".odt", ".ods", ".odp", ".epub", ".ofd"}


@pytest.mark.samples
def test_real_office_files_give_their_text_or_a_reason(extractor: Extractor) -> None:
    folder = Path(__file__).parents[3] / "shared/samples/office"
    if not folder.is_dir():
        pytest.skip("no sample office files beside the checkout")
    found = {
        path.name: inside(extractor, path.name, path.read_bytes())
        for path in folder.iterdir()
        if path.suffix in ENDINGS
    }
    reasons = {name: answer.reason for name, answer in found.items() if isinstance(answer, Failure)}
    assert reasons == {**dict.fromkeys(LOCKED, Reason.ENCRYPTED), "testEXCEL_4.xls": Reason.UNSUPPORTED}
    assert "Here is a comment" in found["testComment.xls"].pages[0]
    assert "autoshape" in found["testEXCEL_textbox.xls"].pages[0]
    empty = {name for name, answer in found.items() if isinstance(answer, Extracted) and not any(answer.pages)}
    assert empty == WORDLESS
