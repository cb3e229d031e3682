"""Archives as texts: the list of what lies in them. ``test_unpack_job`` takes it out."""

from collections.abc import Iterator

import pytest

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from tests.factories.packed import a_zip

ZIP = "application/zip"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def pages(extractor: Extractor, data: bytes, name: str = "资料.zip") -> tuple[str, ...]:
    file = extractor.hold([data], len(data))
    try:
        kind, found = extractor.find_held(name, file)
    finally:
        file.close()
    assert kind == ZIP
    assert isinstance(found, Extracted), found
    return found.pages


def test_an_archive_is_the_list_of_what_lies_in_it(extractor: Extractor) -> None:
    data = a_zip(("合同/正文.txt", "甲方应当支付".encode("gbk")), ("照片/", b""), ("照片/现场.bin", b"\x00\x01\x02"))
    assert pages(extractor, data) == ("合同/正文.txt\n照片/现场.bin",)


@pytest.mark.parametrize(("name", "encoding"), [("合同资料", "gbk"), ("合約資料", "big5"), ("合约", "utf-8")])
def test_a_name_packed_under_a_chinese_windows_is_read(extractor: Extractor, name: str, encoding: str) -> None:
    packed = name.encode(encoding)
    data = a_zip(("A" * len(packed) + ".txt", b"x")).replace(b"A" * len(packed), packed)
    assert pages(extractor, data)[0] == f"{name}.txt"


def test_a_bomb_is_not_lit_and_one_inside_is_named(extractor: Extractor) -> None:
    bomb = a_zip(("a", b"\x00" * 30_000_000))
    assert pages(extractor, a_zip(("炸.zip", bomb), ("好.txt", "完好".encode()))) == ("炸.zip\n好.txt",)
    assert extractor.extract(ZIP, [bomb], len(bomb)) == Failure(Reason.BOMB)
