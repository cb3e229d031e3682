"""What is to be said of a file that came in, though nothing is wrong enough to put it aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.cataloguing.showing import FileView
from archive.model import FileRole, TextState
from indexer.kinds import ARCHIVES, IWORK, MAILBOX, OOXML, UNKNOWN, extension, mismatch
from indexer.sandbox.office import converts
from web.aids import Aids
from web.words import mark, translator

REMARKS: Mapping[str, str] = {
    "type_mismatch": mark("its name says .%(claimed)s, but by its content it is: %(type)s"),
    "macros": mark("it holds macros; they never run here"),
    "members_lost": mark("files in it that could not be taken out, and are found in it alone: %(count)s"),
    "needs_office": mark(
        "no words of it were read here; LibreOffice may read more of such a file: install it, then run juanku reprocess"
    ),
    "wordless": mark("no words were found in it; give title and keywords that let it be found"),
    "packed_otherwise": mark("files packed in this way are not taken out here; unpack it, or send it as zip or 7z"),
    "save_as_pdf": mark("save a copy as PDF and put it beside this file, so that it can be looked at and found"),
    "stays_packed": mark("it lies too deep in other files to be unpacked; what is in it is found by name alone"),
}
"""Remarks by code."""

UNSCANNED = mark("not scanned for viruses")
WAITS = mark("waits for the virus scanner")

WHAT_TO_DO: Mapping[bool, str] = {  # by: there is a scanner
    True: mark(
        "Files that were not scanned for viruses came in before there was a scanner, or are larger than it takes. "
        "An administrator has them scanned by juanku reprocess; be careful with them until then."
    ),
    False: mark(
        "No virus scanner is set up here, so be careful with files from outside. An administrator installs ClamAV "
        "and names its socket by JUANKU_CLAMAV; juanku reprocess then scans what is in."
    ),
}

_MENDED = {None, "unsupported", "broken", "crashed", "memory", "time"}
"""Why a file has no words where LibreOffice may find some."""

_PACKED_OTHERWISE = frozenset(
    f"application/{name}"
    for name in (
        "vnd.rar", "x-rar", "vnd.ms-cab-compressed", "x-iso9660-image", "zstd", "x-lz4", "x-lzma", "x-lzip", "x-arj",
        "x-lzh-compressed", "x-lha", "x-compress", "x-cpio", "x-archive",
    )
)  # fmt: skip
_TO_BE_SAVED = frozenset(
    {
        IWORK, "application/vnd.ms-htmlhelp", "application/vnd.visio", "application/vnd.ms-project",
        "application/x-msaccess", "application/x-hwp", "application/vnd.ms-xpsdocument", "application/x-mswrite",
        "image/vnd.djvu", "image/vnd.dwg", "image/heic", "image/heif", "image/vnd.adobe.photoshop",
    }
)  # fmt: skip
"""Kinds of which nothing is read or shown, though their own programs can give what is."""

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
    "application/pkcs7-mime": "PKCS #7 (p7m)",
    "application/gzip": "gzip",
    "application/x-bzip2": "bzip2",
    "application/x-xz": "xz",
    "application/x-rar": "RAR",
    "application/vnd.rar": "RAR",
    IWORK: "Apple iWork (pages, numbers, key)",
    "application/vnd.ms-htmlhelp": "CHM",
    "application/x-msaccess": "Access (mdb)",
    "image/vnd.djvu": "DjVu",
    "image/vnd.dwg": "AutoCAD (dwg)",
    "image/heic": "HEIC",
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
    if media_type in _PACKED_OTHERWISE:
        found.append(Remark("packed_otherwise", {}))
    if media_type in _TO_BE_SAVED:
        found.append(Remark("save_as_pdf", {}))
    if media_type and mismatch(media_type, name):
        found.append(Remark("type_mismatch", {"claimed": extension(name), "type": media_type}))
    return found


def file_remarks(file: FileView, aids: Aids) -> Sequence[Remark]:
    """Return what is to be said of a file on the page of its record."""
    found = list(remarks(file.media_type, file.name, macros=file.macros))
    if file.members_lost:
        found.append(Remark("members_lost", {"count": str(file.members_lost)}))
    if file.deep and file.media_type in ARCHIVES | {MAILBOX}:
        found.append(Remark("stays_packed", {}))
    if not aids.office and _may_be_printed(file):
        found.append(Remark("needs_office", {}))
    elif (
        _is_unread(file) and not file.reason and file.text_state is TextState.NO_TEXT and file.role is FileRole.ORIGINAL
    ):
        found.append(Remark("wordless", {}))
    return found


def _may_be_printed(file: FileView) -> bool:
    return _is_unread(file) and converts(file.media_type) and file.reason in _MENDED


def _is_unread(file: FileView) -> bool:
    return file.text_state in {TextState.NO_TEXT, TextState.FAILED} and not (file.scans or file.members)


def unscanned_words(*, virus: str | None, scanned_with: str | None, pending: bool, aids: Aids, locale: str) -> str:
    """Say that no virus scanner has looked at a file, ``pending``: not yet; "" when one has."""
    if virus or scanned_with:
        return ""
    return translator(locale)(WAITS if aids.viruses and pending else UNSCANNED)


def unscanned_help(aids: Aids, locale: str) -> str:
    """Say what to do about files that no virus scanner has looked at."""
    return translator(locale)(WHAT_TO_DO[aids.viruses])


def remark_words(remark: Remark, locale: str) -> str:
    """Return a remark in words."""
    gettext = translator(locale)
    return gettext(REMARKS[remark.code]) % {**remark.facts, "type": _kind(remark.facts.get("type", ""), locale)}


def _kind(media_type: str, locale: str) -> str:
    known = KINDS.get(media_type) or KINDS.get(media_type.partition("/")[0])
    return translator(locale)(known) if known else media_type
