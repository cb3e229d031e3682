r"""RTF: Chinese in any of its ways of writing, and what stands outside the running text."""

import pytest

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.rtf import extract_rtf


def rtf(body: str, head: str = r"\ansi\ansicpg936\deff0{\fonttbl{\f0\fnil\fcharset134 SimSun;}}") -> str:
    return "\n".join(extract_rtf((r"{\rtf1" + head + body + "}").encode("latin-1")).pages)


def escaped(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


@pytest.mark.parametrize(
    ("head", "encoding", "words"),
    [
        (r"\ansi\ansicpg936\deff0", "gbk", "物业管理合同"),
        (r"\ansi\ansicpg950\deff0", "big5", "物業管理合約功許蓋"),
        (r"\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset134 a;}}", "gbk", "字体说了算"),
        (r"\ansi\ansicpg936\deff0{\fonttbl{\f0\fcharset136 a;}}", "big5", "字體說了算"),
        (r"\ansi\ansicpg1251\deff0", "cp1251", "Договор"),
    ],
)
def test_bytes_are_read_in_their_code_page(head: str, encoding: str, words: str) -> None:
    assert rtf(r"\pard\f0 " + escaped(words, encoding) + r"\par", head) == words


def test_a_second_byte_written_as_a_letter_belongs_to_the_first() -> None:
    assert "丂丗".encode("gbk")[1:2] == b"@"
    assert rtf("\\f0 \\'81@\\'81\\'5c\\par") == "丂乗"


def test_signs_by_number_replace_what_stands_in_for_them() -> None:
    assert rtf(r"\uc1\u26723?\u26696?\uc2\u-27183" + escaped("档", "gbk") + r"\uc0\u-10174\u-8265 x") == "档案闑𠮷x"


def test_headers_footers_notes_comments_and_boxes_are_read() -> None:
    body = (
        r"{\header H1\par}{\footerf F1\par}Body{\footnote N1}{\*\annotation C1}"
        r"{\shp{\*\shpinst{\sp{\sn x}{\sv 7}}{\shptxt B1\par}}{\shprslt}}{\*\generator G1;}{\pict 0102}{\*\unheard U1}"
    )
    assert rtf(body).split() == ["H1", "F1", "Body", "N1", "C1", "B1"]


def test_tables_links_and_pages_read_as_on_paper() -> None:
    body = r"\trowd a\cell b\cell\row\pard{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}"
    body += r"\bin5 }}{{\\page next\{\}\~\_"
    found = extract_rtf((r"{\rtf1\ansi" + body + "}").encode())
    assert found.pages == ("a\tb\nlink", "next{}\xa0-")


def test_an_object_is_read_as_it_looks_and_not_by_its_bytes() -> None:
    assert (
        rtf(r" before {\object{\*\objclass Word}{\*\objdata 0105}{\result {\pict 00ff}shown}} after")
        == "before shown after"
    )


def test_the_title_is_taken_from_the_properties() -> None:
    data = r"{\rtf1\ansi{\info{\upr{\title ??}{\*\ud{\title \u26723?\u26696?}}}{\author A}}Body}"
    found = extract_rtf(data.encode())
    assert (found.title, found.pages) == ("档案", ("Body",))


def test_groups_without_end_are_a_bomb_and_a_torn_file_is_read_as_far_as_it_goes() -> None:
    with pytest.raises(Unreadable) as refused:
        rtf("{" * 100_000)
    assert refused.value.failure.reason is Reason.BOMB
    assert extract_rtf(rb"{\rtf1\ansi Body {\b torn").pages == ("Body torn",)
