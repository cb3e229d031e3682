"""Compound files (OLE) as old Office and Outlook write them, put together by hand: no library writes them."""

import struct
from collections.abc import Mapping, Sequence

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_LEAST = 4_096  # a shorter stream would lie in a second, smaller file system


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file with these streams, each padded to 4096 bytes; a name with ``/`` lies in folders."""
    body, chains = b"", []
    entries: list[list[object]] = [["Root Entry", 5, _FREE, _FREE, _END, 0]]  # name, kind, next, first child, at, size
    folders = {"": 0}
    for path, data in streams.items():
        *parents, name = path.split("/")
        folder = ""
        for parent in parents:
            inner = f"{folder}/{parent}"
            if inner not in folders:
                folders[inner] = _enter(entries, folders[folder], [parent, 1, _FREE, _FREE, 0, 0])
            folder = inner
        padded = data.ljust(max(_LEAST, -(-len(data) // _SECTOR) * _SECTOR), b"\x00")
        chains.append((len(body) // _SECTOR, len(padded) // _SECTOR))
        _enter(entries, folders[folder], [name, 2, _FREE, _FREE, chains[-1][0], len(padded)])
        body += padded
    directory = b"".join(_entry(*entry) for entry in entries)
    directory = directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\x00")
    chains.append((len(body) // _SECTOR, len(directory) // _SECTOR))
    body += directory
    count = len(body) // _SECTOR
    tables = -(-count // 127)
    fat = [_FREE] * (tables * 128)
    for start, length in chains:
        fat[start : start + length] = [*range(start + 1, start + length), _END]
    fat[count : count + tables] = [_FAT] * tables
    places = [*range(count, count + tables)] + [_FREE] * (109 - tables)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, tables, chains[-1][0], 0, _LEAST, _END, 0, _END, 0)
    return head + struct.pack("<109I", *places) + body + struct.pack(f"<{len(fat)}I", *fat)


def _enter(entries: list[list[object]], folder: int, entry: list[object]) -> int:
    entry[2] = entries[folder][3]
    entries[folder][3] = len(entries)
    entries.append(entry)
    return len(entries) - 1


def _entry(name: str, kind: int, following: int, child: int, start: int, size: int) -> bytes:
    wide = name.encode("utf-16-le")
    head = wide.ljust(64, b"\x00") + struct.pack("<HBBIII", len(wide) + 2, kind, 1, _FREE, following, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def a_doc(
    text: str, *others: str, locked: bool = False, narrow: str = "", summary: bytes = b"", macros: bool = False
) -> bytes:
    """Return a Word 97 file: its text, then its other stories (footnotes, headers, comments, endnotes, boxes).

    ``narrow`` is put before ``text`` as a piece of its own, a byte a sign.
    """
    stories = [narrow + text, *others] + [""] * (6 - len(others))
    wide = "".join([text, *others]).encode("utf-16-le")
    thin = narrow.encode("cp1252")
    counts = [len(story.encode("utf-16-le")) // 2 for story in stories]
    numbers = [0, 0, 0, counts[0], counts[1], counts[2], 0, *counts[3:]]
    ends = [0, len(thin), len(thin) + len(wide) // 2]
    places = [(2_048 * 2) | 0x40000000, 2_048 + len(thin)]
    pieces = struct.pack("<3I", *ends) + b"".join(struct.pack("<HIH", 0, place, 0) for place in places)
    clx = b"\x01\x02\x00ab" + b"\x02" + struct.pack("<I", len(pieces)) + pieces
    flags = 0x0200 | (0x0100 if locked else 0)
    fib = struct.pack("<HHHHHH", 0xA5EC, 0xC1, 0, 0x0804, 0, flags).ljust(32, b"\x00")
    fib += struct.pack("<H", 14) + bytes(28) + struct.pack("<H", 22) + struct.pack("<22I", *numbers, *[0] * 11)
    fib += struct.pack("<H", 93) + bytes(33 * 8) + struct.pack("<II", 0, len(clx)) + bytes(59 * 8)
    streams = {"WordDocument": fib.ljust(2_048, b"\x00") + thin + wide, "1Table": clx}
    streams |= {"Macros/VBA/_VBA_PROJECT": b"\xcc\x61"} if macros else {}
    return compound(streams | ({"\x05SummaryInformation": summary} if summary else {}))


def an_old_doc(text: str, encoding: str, language: int) -> bytes:
    """Return a Word 95 file in the code page of a language."""
    data = text.encode(encoding)
    fib = struct.pack("<HHHHHH", 0xA5DC, 0x68, 0, language, 0, 0).ljust(0x18, b"\x00")
    fib += struct.pack("<II", 0x300, 0x300 + len(data))
    return compound({"WordDocument": fib.ljust(0x300, b"\x00") + data})


def a_ppt(
    slides: Sequence[tuple[str, str]], *, notes: str = "", old: str = "", locked: bool = False, macros: bool = False
) -> bytes:
    """Return a PowerPoint 97 file of slides (title in the list, words in a box), ``notes`` to the first.

    ``old`` is the title of a slide that an earlier edit had and a later one threw away.
    """
    parts = [_record(0x03EE, _record(0x0FA0, old.encode("utf-16-le")), container=True)]
    listed = b""
    for number, (title, words) in enumerate(slides):
        spoken = 500 if notes and not number else 0
        atom = _record(0x03EF, struct.pack("<I8sIIHH", 0, b"", 0, spoken, 0, 0))
        shape = _record(0xF00D, _record(0x0FA0, words.encode("utf-16-le")), container=True)
        drawn = _record(0xF002, _record(0xF004, shape, container=True), container=True)
        parts.append(_record(0x03EE, atom + drawn, container=True))
        listed += _record(0x03F3, struct.pack("<IIIII", number + 2, 0, 1, 256 + number, 0))
        listed += (
            _record(0x0FA8, title.encode("latin-1")) if title.isascii() else _record(0x0FA0, title.encode("utf-16-le"))
        )
    lists = _record(0x0FF0, listed, container=True)
    if notes:
        parts.append(_record(0x03F0, _record(0x0FA0, notes.encode("utf-16-le")), container=True))
        place = _record(0x03F3, struct.pack("<IIIII", len(slides) + 2, 0, 1, 500, 0))
        lists += _record(0x0FF0, place, instance=2, container=True)
    if macros:
        said = _record(0x0400, struct.pack("<III", 7, 1, 2))[2:]
        lists += _record(0x03FF, b"\x02\x00" + said, instance=1, container=True)
    parts.append(_record(0x03E8, lists, container=True))
    body, places = b"", []
    for part in parts:
        places.append(len(body))
        body += part
    directory = len(body)
    body += _record(0x1772, struct.pack(f"<I{len(places)}I", 1 | len(places) << 20, *places))
    edit = len(body)
    body += _record(0x0FF5, struct.pack("<IIIIIII", 0, 0, 0, directory, len(places), 0, 0))
    user = bytes(8) + struct.pack("<III", 20, 0xF3D1C4DF if locked else 0xE391C05F, edit)
    return compound({"PowerPoint Document": body, "Current User": user})


def _record(kind: int, body: bytes, *, instance: int = 0, container: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(body)) + body


def a_msg(
    words: Mapping[int, str], people: Sequence[tuple[str, str]] = (), folder: str = "", **more: bytes
) -> dict[str, bytes]:
    """Return the streams of an Outlook message, for ``compound``: texts by property, recipients (name, address).

    ``more`` are streams of bytes, by property and kind, such as ``p10130102``.
    """
    sent = struct.pack("<HHI", 0x40, 0x39, 6) + struct.pack("<Q", 133_537_248_000_000_000)
    streams = {f"{folder}__properties_version1.0": bytes(24 if folder else 32) + sent}
    for key, text in words.items():
        streams[f"{folder}__substg1.0_{key:04X}001F"] = text.encode("utf-16-le")
    for number, (name, address) in enumerate(people):
        one = f"{folder}__recip_version1.0_#{number:08X}/"
        role = struct.pack("<HHI", 3, 0x0C15, 6) + struct.pack("<II", 1, 0)
        streams[f"{one}__properties_version1.0"] = bytes(8) + role
        streams[f"{one}__substg1.0_3001001F"] = name.encode("utf-16-le")
        streams[f"{one}__substg1.0_39FE001F"] = address.encode("utf-16-le")
    return streams | {f"{folder}__substg1.0_{name[1:]}": data for name, data in more.items()}


def an_xls(*, locked: bool) -> bytes:
    """Return the beginning of a workbook."""
    first = struct.pack("<HH", 0x0809, 16) + bytes(16)
    return compound({"Workbook": first + (struct.pack("<HH", 0x2F, 6) + bytes(6) if locked else b"")})


def a_locked_package() -> bytes:
    """Return a docx, xlsx or pptx that only a password opens."""
    return compound({"EncryptionInfo": b"\x04\x00\x04\x00", "EncryptedPackage": b"\x09" * 99})


def a_summary(title: bytes, *, code_page: int, count: int = 3) -> bytes:
    """Return the stream of a document's properties: code page, title, made on 1 March 2024; ``count`` may lie."""
    values = [struct.pack("<IHH", 2, code_page, 0), struct.pack("<II", 0x1E, len(title)) + title.ljust(40, b"\x00")]
    values.append(struct.pack("<IQ", 0x40, 133_537_248_000_000_000))
    places, at = b"", 8 + 8 * len(values)
    for number, value in zip((1, 2, 12), values, strict=True):
        places += struct.pack("<II", number, at)
        at += len(value)
    section = struct.pack("<II", at, count) + places + b"".join(values)
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 0, b"", 1, b"", 48) + section
