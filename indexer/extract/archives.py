"""Archives as a text: the list of the files in them. The files themselves are taken out (``unpacking``)."""

import mmap
import zipfile
from collections.abc import Iterator

from indexer.extract.answer import Extracted
from indexer.extract.member import CHUNK, Member, listed
from indexer.extract.paging import cut, paged
from indexer.extract.text import likely_words
from indexer.extract.zips import open_zip


def extract_zip(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of a zip's list of names."""
    return paged(cut(listed(zip_members(data))), first_page, last_page)


def zip_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files in a zip, which ``zips.inspect_zip`` has let pass."""
    with open_zip(data) as package:
        for entry in package.infolist():
            if not entry.is_dir():
                yield Member(name_of(entry), lambda entry=entry: _unpacked(package, entry))  # type: ignore[misc]


def name_of(entry: zipfile.ZipInfo) -> str:
    """Return a member's name: what is not marked as Unicode was mostly packed under a Chinese Windows."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    return likely_words(raw) or entry.filename


def _unpacked(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes; at their end they are checked against its sum. No more come than its entry says."""
    with package.open(entry) as source:
        while chunk := source.read(CHUNK):
            yield chunk
