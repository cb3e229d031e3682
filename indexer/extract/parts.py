"""One part of an archive that was split: alone it cannot be unpacked, and says little of what it is."""

import mmap
import re
import struct

from indexer import kinds

_RARS = frozenset({"application/x-rar", "application/vnd.rar"})
_MAY_BE = _RARS | {kinds.UNKNOWN, kinds.ZIP, kinds.SEVENZIP, kinds.EMPTY} | kinds.TARS
_NAMED = re.compile(r"\.(?:z\d\d+|r\d\d|(?:7z|zip|rar|tar|tgz|gz|bz2|xz)\.\d{3}|part0*[2-9]\d*\.rar)$", re.IGNORECASE)
_SPANNED = b"PK\x07\x08PK\x03\x04"
_END, _END_BYTES, _COMMENT = b"PK\x05\x06", 22, 65_535
_SIXTY_FOUR = 0xFFFF
_SEVEN_HEAD, _TAR_END = 32, 1024
_RAR_4, _RAR_5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"


def is_part(kind: str, name: str, data: mmap.mmap | bytes) -> bool:
    """Whether a file, found to be of a ``kind``, is one of several that are one archive together.

    Bytes tell it where they can; parts from the second on have no head of their own, and are told by name.
    """
    if kind not in _MAY_BE:
        return False
    head = bytes(data[:64])
    if head.startswith(_SPANNED) or (bool(_NAMED.search(name)) and not _is_whole(kind, data)):
        return True
    return _is_rar_volume(head) or (head.startswith(b"PK\x03\x04") and _ends_a_split_zip(data))


def _is_whole(kind: str, data: mmap.mmap | bytes) -> bool:
    """Whether a file reaches to its own end: what is smaller than one part is named as the first all the same."""
    if kind == kinds.SEVENZIP and len(data) >= _SEVEN_HEAD:
        behind, long = struct.unpack("<QQ", data[12:28])  # where its directory lies
        return bool(_SEVEN_HEAD + behind + long == len(data))
    if kind == kinds.ZIP:
        return data.rfind(_END, max(0, len(data) - _END_BYTES - _COMMENT)) >= 0 and not _ends_a_split_zip(data)
    return kind in kinds.TARS and len(data) >= _TAR_END and not any(data[-_TAR_END:])


def _ends_a_split_zip(data: mmap.mmap | bytes) -> bool:
    """Whether the directory at the end says that it lies on another disk than the first."""
    at = data.rfind(_END, max(0, len(data) - _END_BYTES - _COMMENT))
    if at < 0 or at + _END_BYTES > len(data):
        return False
    disk = int.from_bytes(data[at + 4 : at + 6], "little")
    return 0 < disk < _SIXTY_FOUR


def _is_rar_volume(head: bytes) -> bool:
    if head.startswith(_RAR_4):  # the main head: its sum, its type, its flags
        return head[9:10] == b"\x73" and bool(head[10] & 1)
    if not head.startswith(_RAR_5):
        return False
    at = len(_RAR_5) + 4
    _size, at = _number(head, at)
    kind, at = _number(head, at)
    flags, at = _number(head, at)
    if flags & 1:
        _extra, at = _number(head, at)
    return kind == 1 and bool(_number(head, at)[0] & 1)


def _number(head: bytes, at: int) -> tuple[int, int]:
    """Return a number of RAR 5, seven bits a byte, and where it ends."""
    value = shift = 0
    for place in range(at, min(at + 10, len(head))):
        value |= (head[place] & 0x7F) << shift
        shift += 7
        if head[place] < 0x80:
            return value, place + 1
    return 0, len(head)
