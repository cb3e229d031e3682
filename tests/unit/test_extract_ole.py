"""Old files of Word, PowerPoint and Outlook: their words come out, and what a password locks is named."""

import random
from pathlib import Path

import pytest

from indexer import kinds
from indexer.extract import ole
from indexer.extract.answer import Extracted, Failure, Reason, Unreadable
from indexer.extract.outlook import extract_msg, msg_members
from indexer.extract.parsers import Parser, parser_of
from indexer.extract.powerpoint import extract_ppt
from indexer.extract.word import extract_doc
from indexer.sandbox import work
from indexer.sandbox.wire import Request
from tests.factories.compound import a_doc, a_locked_package, a_msg, a_ppt, a_summary, an_old_doc, an_xls, compound

SAMPLES = Path(__file__).parents[3] / "shared/samples/office"


def text_of(found: Extracted) -> str:
    return "\n".join(found.pages)


def test_every_story_of_a_document_is_read() -> None:
    found = extract_doc(
        a_doc("合同正文𠮷\r", "脚注\r", "页眉：机密\r", "批注\r", "尾注\r", "文本框\r", "页眉框\r", narrow="No. 7 ")
    )
    assert text_of(found).split() == [
        "No.",
        "7",
        "合同正文𠮷",
        "脚注",
        "页眉：机密",
        "批注",
        "尾注",
        "文本框",
        "页眉框",
    ]


def test_tables_breaks_and_fields_of_a_document_read_as_on_paper() -> None:
    found = extract_doc(
        a_doc("甲方\x07乙方\x07\x07第一行\x0b第二行\x0c\x13 PAGEREF a \x147\x15页\x13 EQ \\o(\\s(ㄓㄨˋ),住)\x15宅\r")
    )
    assert found.pages == ("甲方\t乙方\n第一行\n第二行", "7页ㄓㄨˋ 住宅")


@pytest.mark.parametrize(("encoding", "language"), [("gbk", 0x0804), ("big5", 0x0404), ("cp1252", 0x0409)])
def test_a_word_95_document_is_read_in_its_language(encoding: str, language: int) -> None:
    words = {"gbk": "物业管理档案目录", "big5": "物業管理檔案目錄", "cp1252": "Register of papers"}[encoding]
    assert text_of(extract_doc(an_old_doc(words, encoding, language))) == words


def test_a_torn_document_is_broken_and_not_half_read() -> None:
    whole = a_doc("档案" * 9_000)
    with pytest.raises(Unreadable) as refused:
        extract_doc(whole[:8_192] + whole[-16_384:])
    assert refused.value.failure.reason is Reason.BROKEN


@pytest.mark.parametrize("count", [3, 2**32 - 1])
def test_title_and_day_come_from_the_properties_however_many_they_claim_to_be(count: int) -> None:
    found = extract_doc(a_doc("x", summary=a_summary("竣工图".encode("gbk"), code_page=936, count=count)))
    assert (found.title, found.created) == ("竣工图", "2024-03-01")


def test_slides_are_pages_with_their_notes_and_without_what_was_thrown_away() -> None:
    found = extract_ppt(a_ppt([("Budget", "预算表"), ("验收", "结论")], notes="讲稿", old="废弃的一页"))
    assert found.pages == ("Budget\n预算表\n讲稿", "验收\n结论")
    assert extract_ppt(a_ppt([("a", "b"), ("c", "d")]), 2, 2).pages == ("c\nd",)


def test_a_message_tells_who_when_what_and_what_is_attached() -> None:
    streams = a_msg(
        {0x37: "关于电梯年检", 0xC1A: "王芳", 0x5D01: "wang@a.example", 0x1000: "请查收。"}, [("李明", "li@a.example")]
    )
    for number, (name, data) in enumerate((("报告.pdf", b"%PDF"), ("说明.txt", "附件的话".encode("gbk").ljust(4_096)))):
        folder = f"__attach_version1.0_#{number:08X}/"
        streams[f"{folder}__properties_version1.0"] = bytes(8)
        streams[f"{folder}__substg1.0_3707001F"] = name.encode("utf-16-le")
        streams[f"{folder}__substg1.0_37010102"] = data
    inner = "__attach_version1.0_#00000002/__substg1.0_3701000D/"
    streams |= a_msg({0x37: "转发的信", 0x1000: "原文"}, folder=inner)
    found = extract_msg(compound(streams))
    assert found.title == "关于电梯年检"
    lines = text_of(found).split("\n")
    assert lines[:4] == [
        "From: 王芳 <wang@a.example>",
        "To: 李明 <li@a.example>",
        "Date: 2024-03-01 00:00:00 +0000",
        "Subject: 关于电梯年检",
    ]
    assert [(member.path, b"".join(member.chunks())[:4]) for member in msg_members(compound(streams))] == [
        ("报告.pdf", b"%PDF"),
        ("说明.txt", "附件".encode("gbk")),
    ]
    assert "附件的话" not in lines, "it is read as a file of its own"
    for words in ("请查收。", "报告.pdf", "说明.txt", "Subject: 转发的信", "原文"):
        assert words in lines, words


def test_a_message_without_plain_text_gives_its_html() -> None:
    page = "<meta charset=gb2312><p>会议<b>纪要</b></p><script>x()</script>".encode("gbk")
    assert "会议纪要" in text_of(extract_msg(compound(a_msg({0x37: "a"}, p10130102=page))))


@pytest.mark.parametrize(
    "data",
    [
        a_doc("密", locked=True),
        a_ppt([("a", "b")], locked=True),
        an_xls(locked=True),
        a_locked_package(),
    ],
    ids=["doc", "ppt", "xls", "docx"],
)
def test_what_a_password_locks_is_named(data: bytes) -> None:
    assert ole.inspect_ole(data) == Failure(Reason.ENCRYPTED)


def test_what_a_licence_locks_is_sealed() -> None:
    data = compound({"\tDRMContent": b"x", "WordDocument": b"x"})
    assert ole.inspect_ole(data) == Failure(Reason.SEALED)


@pytest.mark.parametrize("data", [a_doc("开"), a_ppt([("a", "b")]), an_xls(locked=False)])
def test_what_is_open_is_not_called_locked(data: bytes) -> None:
    assert ole.inspect_ole(data) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (a_doc("x"), kinds.DOC),
        (a_ppt([("a", "b")]), kinds.PPT),
        (an_xls(locked=False), kinds.XLS),
        (compound({"Book": b"x"}), kinds.XLS),
        (compound(a_msg({0x37: "a"})), kinds.MSG),
        (a_locked_package(), kinds.LOCKED),
        (compound({"Contents": b"x"}), None),
        (a_doc("x")[:600], None),
    ],
)
def test_the_streams_tell_which_program_wrote_a_file(data: bytes, kind: str | None) -> None:
    assert ole.program(data) == kind


@pytest.mark.parametrize("name", ["合同.doc", "台账.xls", "汇报.ppt", "合同"])
def test_another_programs_container_is_not_office_by_its_name_alone(name: str) -> None:
    data = compound({"Contents": b"x"})
    assert work.find(Request("find", len(data), name=name), data) == (kinds.OLE, Failure(Reason.UNSUPPORTED))


def ending(parse: Parser, data: bytes) -> str:
    try:
        parse(data, None, None)
    except Unreadable as refused:
        return refused.failure.reason
    except Exception as error:  # noqa: BLE001  (the fork calls whatever else is raised a broken file)
        return type(error).__name__
    return "read"


@pytest.mark.parametrize("parse", [extract_doc, extract_ppt, extract_msg])
def test_random_damage_is_answered_and_never_loops(parse: Parser) -> None:
    dice = random.Random(7)
    endings = set()
    for whole in (a_doc("档案" * 50), a_ppt([("a", "b")] * 3, notes="n"), compound(a_msg({0x37: "a"}, [("b", "c")]))):
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(dice.randrange(1, 40)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            endings.add(ending(parse, bytes(data)))
    assert {"read", Reason.BROKEN} <= endings <= {"read", Reason.BROKEN, Reason.UNSUPPORTED, Reason.ENCRYPTED}


@pytest.mark.parametrize("parse", [extract_doc, extract_ppt])
def test_a_container_that_lost_its_text_is_broken(parse: Parser) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(compound({"Contents": b"x" * 100}), None, None)
    assert refused.value.failure.reason is Reason.BROKEN


@pytest.mark.samples
def test_real_old_files_give_their_words_or_the_right_reason() -> None:
    if not SAMPLES.is_dir():
        pytest.skip("no sample Office files beside the checkout")
    wanted = {
        "testWORD_various.doc": [
            "This is the header text.",
            "This is a footnote.",
            "ゾルゲと尾崎",
            "Row 2 Col 3",
            "Here is a text box",
        ],
        "testComment.doc": ["Here is a comment"],
        "testPPT.ppt": ["Created with Microsoft"],
        "testPPT_embedded2.ppt": ["Title of presentation", "diskette"],
        "testMSG.msg": ["From: Jukka Zitting <jukka.zitting@gmail.com>", "MIME registry use cases"],
        "testMSG_att_doc.msg": ["test-unicode.doc", "pj1.txt"],
        "test-outlook.msg": ["L'Équipe Microsoft Outlook Express", "messagerie"],
    }
    for name, words in wanted.items():
        data = (SAMPLES / name).read_bytes()
        parse = parser_of(ole.program(data) or "")
        assert parse is not None, name
        text = text_of(parse(data, None, None))
        assert [each for each in words if each not in text] == [], name
    for name in ("testPPT_protected_passtika.ppt", "password.xls", "protectedFile.xlsx"):
        assert ole.inspect_ole((SAMPLES / name).read_bytes()) == Failure(Reason.ENCRYPTED), name
    assert ole.inspect_ole((SAMPLES / "testWORD_protected_drm.doc").read_bytes()) == Failure(Reason.SEALED)
