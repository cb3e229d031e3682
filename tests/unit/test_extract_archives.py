"""Zip archives: what lies inside is found by name and by its words, and one bad member spoils no other."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from tests.factories.drawn import a_pdf

ZIP = "application/zip"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def a_zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members:
            package.writestr(name, data)
    return out.getvalue()


def pages(extractor: Extractor, data: bytes, name: str = "资料.zip") -> tuple[str, ...]:
    file = extractor.hold([data], len(data))
    try:
        kind, found = extractor.find_held(name, file)
    finally:
        file.close()
    assert kind == ZIP
    assert isinstance(found, Extracted), found
    return found.pages


def test_members_are_named_and_read_each_from_a_page_of_its_own(extractor: Extractor) -> None:
    data = a_zip(
        ("合同/正文.txt", "甲方应当支付".encode("gbk")),
        ("合同/附件.pdf", a_pdf("第一页", "第二页")),
        ("照片/", b""),
        ("照片/现场.bin", b"\x00\x01\x02"),
    )
    assert pages(extractor, data) == (
        "合同/正文.txt\n合同/附件.pdf\n照片/现场.bin",
        "合同/正文.txt\n甲方应当支付",
        "合同/附件.pdf\n第一页",
        "第二页",
    )


def test_a_zip_in_a_zip_is_read_and_what_lies_deeper_is_only_named(extractor: Extractor) -> None:
    innermost = a_zip(("深.txt", "看不见".encode()))
    data = a_zip(("里.zip", a_zip(("里.txt", "看得见".encode()), ("更里.zip", innermost))))
    text = "\n".join(pages(extractor, data))
    assert "看得见" in text
    assert "更里.zip" in text
    assert "看不见" not in text


def test_one_bad_member_spoils_no_other(extractor: Extractor) -> None:
    whole = a_zip(("坏.txt", b"x" * 5_000), ("好.txt", "完好".encode()), ("坏.pdf", b"%PDF-1.4 nothing"))
    at = whole.index("坏.txt".encode()) + 20
    torn = whole[:at] + b"\xff\xff" + whole[at + 2 :]
    assert "好.txt\n完好" in pages(extractor, torn)


def test_a_name_packed_under_a_chinese_windows_is_read(extractor: Extractor) -> None:
    data = a_zip(("AAAA.txt", b"x"))
    gbk = "合同".encode("gbk")
    assert len(gbk) == 4
    found = pages(extractor, data.replace(b"AAAA", gbk))
    assert found[0] == "合同.txt"


def test_a_bomb_inside_is_not_lit_and_one_outside_is_named(extractor: Extractor) -> None:
    bomb = a_zip(("a", b"\x00" * 30_000_000))
    found = pages(extractor, a_zip(("炸.zip", bomb), ("好.txt", "完好".encode())))
    assert found == ("炸.zip\n好.txt", "好.txt\n完好")
    assert extractor.extract(ZIP, [bomb], len(bomb)) == Failure(Reason.BOMB)
