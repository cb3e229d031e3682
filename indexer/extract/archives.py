"""Zip archives: the names of what is inside, then the text of each member that can be read, from a page of its own."""

import mmap
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator

from indexer.extract.answer import Extracted
from indexer.extract.paging import bounded, cut, paged
from indexer.extract.zips import open_zip

PATIENCE = 10.0
"""Seconds of processor time after which the members that are left are only named."""

Inside = Callable[[str, bytes], Iterable[str]]
"""Returns the pages of a member from its name and bytes; none when it cannot be read."""


def extract_zip(data: mmap.mmap | bytes, first_page: int | None, last_page: int | None, *, inside: Inside) -> Extracted:
    """Return the pages asked for of a zip: its list of names, then the pages of its members in their order.

    The first page of each member begins with its name. A member that is broken or locked is no fault of the others.
    """
    with open_zip(data) as package:
        members = [entry for entry in package.infolist() if not entry.is_dir()]
        return paged(_pages(package, members, inside), first_page, last_page)


def name_of(entry: zipfile.ZipInfo) -> str:
    """Return a member's name: what is not marked as Unicode was mostly packed under a Chinese Windows."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _pages(package: zipfile.ZipFile, members: list[zipfile.ZipInfo], inside: Inside) -> Iterator[str]:
    until = time.process_time() + PATIENCE
    yield from cut("\n".join(name_of(entry) for entry in members))
    for entry in members:
        if time.process_time() > until:
            return
        name = name_of(entry)
        try:
            data = package.read(entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error):
            continue
        for number, page in enumerate(bounded(inside(name, data))):
            yield page if number else f"{name}\n{page}"
