"""What is to be said of a file that came in, though nothing is wrong enough to put it aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.showing import FileView
from indexer.kinds import ARCHIVES, MAILBOX, OOXML, UNKNOWN, extension, mismatch
from web.words import mark, translator

REMARKS: Mapping[str, str] = {
    "type_mismatch": mark("its name says .%(claimed)s, but by its content it is: %(type)s"),
    "macros": mark("it holds macros; they never run here"),
    "members_lost": mark("files in it that could not be taken out, and are found in it alone: %(count)s"),
    "stays_packed": mark("it lies too deep in other files to be unpacked; what is in it is found by name alone"),
}
"""Remarks by code."""

KINDS: Mapping[str, str] = {
    UNKNOWN: mark("of no known kind"),
    "text/plain": mark("plain text"),
    "text/html": mark("a web page"),
    "application/xhtml+xml": mark("a web page"),
    "text/xml": "XML",
    "text/rtf": "RTF",
    "message/rfc822": mark("a mail"),
    "application/mbox": mark("a mailbox"),
    "application/encrypted": mark("a locked Office file"),
    "application/msword": "Word (doc)",
    "application/vnd.ms-excel": "Excel (xls)",
    "application/vnd.ms-powerpoint": "PowerPoint (ppt)",
    "application/vnd.ms-outlook": "Outlook (msg)",
    "application/pdf": "PDF",
    "application/ofd": "OFD",
    "application/zip": mark("a zip archive"),
    "application/x-tar": mark("a tar archive"),
    "application/x-7z-compressed": mark("a 7z archive"),
    "application/gzip": "gzip",
    "application/x-bzip2": "bzip2",
    "application/x-xz": "xz",
    OOXML + "wordprocessingml.document": "Word (docx)",
    OOXML + "spreadsheetml.sheet": "Excel (xlsx)",
    OOXML + "presentationml.presentation": "PowerPoint (pptx)",
    "image": mark("a picture"),
    "audio": mark("a sound"),
    "video": mark("a film"),
}
"""What kinds of files are called; all others by their media type."""


@dataclass(frozen=True)
class Remark:
    """Something to be said: a code, and the facts that fill its words."""

    code: str
    facts: Mapping[str, str]


def remarks(media_type: str | None, name: str, *, macros: bool = False) -> Sequence[Remark]:
    """Return what is to be said of a file, by what it was found to be and the name it came with."""
    found = [Remark("macros", {})] if macros else []
    if media_type and mismatch(media_type, name):
        found.append(Remark("type_mismatch", {"claimed": extension(name), "type": media_type}))
    return found


def file_remarks(file: FileView) -> Sequence[Remark]:
    """Return what is to be said of a file on the page of its record."""
    found = list(remarks(file.media_type, file.name, macros=file.macros))
    if file.members_lost:
        found.append(Remark("members_lost", {"count": str(file.members_lost)}))
    if file.deep and file.media_type in ARCHIVES | {MAILBOX}:
        found.append(Remark("stays_packed", {}))
    return found


def remark_words(remark: Remark, locale: str) -> str:
    """Return a remark in words."""
    gettext = translator(locale)
    return gettext(REMARKS[remark.code]) % {**remark.facts, "type": _kind(remark.facts.get("type", ""), locale)}


def _kind(media_type: str, locale: str) -> str:
    known = KINDS.get(media_type) or KINDS.get(media_type.partition("/")[0])
    return translator(locale)(known) if known else media_type
