"""Parts of archives that were split are told from whole archives, and from other files."""

import io
import struct
import zipfile
import zlib

import py7zr
import pytest

from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.extract.parts import is_part
from indexer.sandbox import work
from indexer.sandbox.wire import Request

RAR = "application/x-rar"


def a_zip(disk: int = 0, comment: bytes = b"") -> bytes:
    """Return a zip whose directory says on which disk it lies."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(
            zipfile.ZipInfo("a.txt"), "物业档案"
        )  # of no hour: its bytes name trials, alike for all who collect them
        package.comment = comment
    whole = bytearray(out.getvalue())
    struct.pack_into("<H", whole, whole.rfind(b"PK\x05\x06") + 4, disk)
    return bytes(whole)


def a_rar(version: int, *, volume: bool, extra: bool = False) -> bytes:
    """Return the beginning of a RAR."""
    if version == 4:
        return b"Rar!\x1a\x07\x00\x00\x00\x73" + struct.pack("<HH", int(volume), 13) + bytes(40)
    head = bytes((5, 1, int(extra))) + (b"\x81\x01" if extra else b"") + bytes((int(volume), 0))
    return b"Rar!\x1a\x07\x01\x00" + struct.pack("<I", zlib.crc32(head)) + head + bytes(40)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (kinds.UNKNOWN, "图纸.z01", b"PK\x07\x08" + a_zip()),
        (kinds.UNKNOWN, "图纸", b"PK\x07\x08" + a_zip()),
        (kinds.UNKNOWN, "图纸.z02", bytes(range(256))),
        (kinds.ZIP, "图纸.zip", a_zip(disk=2)),
        (kinds.ZIP, "图纸.zip", a_zip(disk=2, comment=b"x" * 65_535)),
        (kinds.ZIP, "图纸.zip.001", a_zip()[:40]),
        (kinds.TAR, "图纸.tar.001", bytes(1024) + b"x"),
        (kinds.UNKNOWN, "图纸.zip.002", bytes(range(256))),
        (kinds.SEVENZIP, "图纸.7z.001", b"7z\xbc\xaf\x27\x1c" + bytes(30)),
        (kinds.UNKNOWN, "图纸.7Z.014", bytes(range(256))),
        (RAR, "图纸.part1.rar", a_rar(5, volume=True)),
        (RAR, "图纸.rar", a_rar(5, volume=True, extra=True)),
        (RAR, "图纸.rar", a_rar(4, volume=True)),
        (kinds.UNKNOWN, "图纸.r00", bytes(range(256))),
        (kinds.UNKNOWN, "图纸.part02.rar", bytes(range(256))),
    ],
)
def test_a_part_is_told_by_its_bytes_or_by_its_name(kind: str, name: str, data: bytes) -> None:
    assert is_part(kind, name, data)


def a_seven() -> bytes:
    with io.BytesIO() as out:
        with py7zr.SevenZipFile(out, "w") as package:
            package.writestr("物业档案", "a.txt")
        return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (kinds.ZIP, "图纸.zip.001", a_zip()),
        (kinds.SEVENZIP, "图纸.7z.001", a_seven()),
        (kinds.TAR, "图纸.tar.001", b"x" + bytes(2048)),
    ],
)
def test_what_is_whole_is_no_part_though_it_is_named_as_the_first(kind: str, name: str, data: bytes) -> None:
    assert not is_part(kind, name, data)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (kinds.ZIP, "图纸.zip", a_zip()),
        (kinds.ZIP, "图纸.zip", a_zip(disk=0xFFFF)),
        (kinds.ZIP, "图纸.zip", b"PK\x03\x04" + bytes(60)),
        (RAR, "图纸.rar", a_rar(5, volume=False)),
        (RAR, "图纸.rar", a_rar(5, volume=False, extra=True)),
        (RAR, "图纸.rar", a_rar(4, volume=False)),
        (RAR, "图纸.rar", b"Rar!\x1a\x07\x01\x00\xff\xff"),
        (RAR, "图纸.rar", b"Rar!\x1a\x07\x00"),
        (kinds.UNKNOWN, "图纸.001", bytes(range(256))),
        (kinds.PLAIN, "说明.z01", "物业".encode()),
        (kinds.PDF, "图纸.r00", b"%PDF-1.4"),
    ],
)
def test_what_is_whole_or_something_else_is_no_part(kind: str, name: str, data: bytes) -> None:
    assert not is_part(kind, name, data)


@pytest.mark.parametrize("name", ["图纸.zip", "图纸.z01"])
def test_a_part_is_not_called_broken_nor_unknown(name: str) -> None:
    data = a_zip(disk=1) if name.endswith(".zip") else b"PK\x07\x08" + a_zip()
    assert work.find(Request("find", len(data), name=name), data)[1] == Failure(Reason.PART)
