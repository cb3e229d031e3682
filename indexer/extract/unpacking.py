"""Which kinds of files hold others, and how those are taken out: the one list that a new kind is added to."""

import mmap
from collections.abc import Callable, Iterator, Mapping

from indexer import kinds
from indexer.extract.archives import zip_members
from indexer.extract.embedded import office_members, old_members, opendocument_members
from indexer.extract.mail import count_attached, count_mails, mail_members, mailbox_members
from indexer.extract.member import Member
from indexer.extract.outlook import msg_members
from indexer.extract.pdf_files import pdf_members
from indexer.extract.sevenzip import count_7z, sevenzip_members
from indexer.extract.signed import envelope_members
from indexer.extract.tars import tar_members

Opener = Callable[[mmap.mmap | bytes], Iterator[Member]]
"""Yields the members of a file that was found fit to be read, always in the same order."""

OPENERS: Mapping[str, Opener] = {
    kinds.ZIP: zip_members,
    kinds.SEVENZIP: sevenzip_members,
    kinds.MAIL: mail_members,
    kinds.MAILBOX: mailbox_members,
    kinds.MSG: msg_members,
    kinds.DOCX: office_members,
    kinds.XLSX: office_members,
    kinds.PPTX: office_members,
    kinds.DOC: old_members,
    kinds.XLS: old_members,
    kinds.PPT: old_members,
    kinds.PDF: pdf_members,
}


def members_of(kind: str, name: str, data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files inside a file, none where its kind holds none.

    Args:
        kind: media type.
        name: of the file.
        data: its bytes.

    Raises:
        Unreadable, and whatever a parser raises on a broken file, on the way too.
    """
    if kind in kinds.TARS:
        return tar_members(kind, name, data)
    if kind.startswith(kinds.OPENDOCUMENT):
        return opendocument_members(data)
    if kind == kinds.ENVELOPE:
        return envelope_members(name, data)
    return OPENERS[kind](data) if kind in OPENERS else iter(())


def count(kind: str, name: str, data: mmap.mmap | bytes) -> int:
    """Return how many files lie inside; 0 also where that cannot be told."""
    try:
        if kind == kinds.SEVENZIP:
            return count_7z(data)  # without unpacking all of it
        if kind == kinds.MAIL:
            return count_attached(data)
        if kind == kinds.MAILBOX:
            return count_mails(data)
        return sum(1 for _ in members_of(kind, name, data))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  (whatever is wrong with what lies inside, the file itself can be read)
        return 0
