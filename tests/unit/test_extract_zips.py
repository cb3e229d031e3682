"""A zip is looked at before anything unpacks it."""

import io
import random
import stat
import zipfile

import pytest

from indexer.extract.answer import Failure, Reason
from indexer.extract.zips import inspect_zip

Entries = list[tuple[str | zipfile.ZipInfo, bytes]]


def a_zip(entries: Entries, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as package:
        for name, data in entries:
            package.writestr(name, data)
    return out.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_an_ordinary_zip_may_be_unpacked() -> None:
    assert inspect_zip(a_zip([("word/document.xml", b"<a/>" * 2_000), ("附件/目录.txt", b"x")])) is None


def test_a_blank_drawing_among_pictures_is_no_bomb() -> None:
    picture = random.Random(1).randbytes(200_000)
    assert inspect_zip(a_zip([("ppt/media/1.png", picture), ("ppt/media/2.emf", b"\x00" * 1_500_000)])) is None


@pytest.mark.parametrize(
    "entries",
    [
        [("a.png", random.Random(1).randbytes(400_000)), ("big.xml", b"\x00" * 25_000_000)],
        [("big.xml", b"\x00" * 3_000_000)],
        [(f"{number}.txt", b"") for number in range(10_001)],
    ],
    ids=["dense entry", "dense", "many"],
)
def test_a_bomb_is_not_unpacked(entries: Entries) -> None:
    assert inspect_zip(a_zip(entries)) == Failure(Reason.BOMB)


@pytest.mark.parametrize(
    "entries",
    [
        [("../../etc/passwd", b"x")],
        [("/etc/passwd", b"x")],
        [("C:\\windows\\x", b"x")],
        [(link("a"), b"/etc/passwd")],
    ],
    ids=["climbs", "absolute", "drive", "link"],
)
def test_what_leads_out_of_its_folder_is_not_unpacked_and_not_called_a_bomb(entries: Entries) -> None:
    assert inspect_zip(a_zip(entries)) == Failure(Reason.CLIMBS)


def test_what_has_no_directory_is_broken() -> None:
    found = inspect_zip(b"PK\x03\x04 and nothing more")
    assert found is not None
    assert found.reason is Reason.BROKEN
