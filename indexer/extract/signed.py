"""What lies in an envelope of certificates (CMS of RFC 5652, once PKCS #7): its content, where it is only signed."""

import mmap
from collections.abc import Iterator

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.member import Member, whole

_PKCS7 = bytes.fromhex("06092a864886f70d0107")
"""How the name of a kind of envelope begins; one more byte ends it."""

_SIGNED = _PKCS7 + b"\x02"
_SEQUENCE, _BYTES, _FIRST, _CONSTRUCTED = 0x30, 0x04, 0xA0, 0x20
_ENDLESS = 0x80
_DEEPEST = 50


def is_envelope(head: bytes) -> bool:
    """Whether a file begins as an envelope."""
    begins = 2 + max(head[1] - _ENDLESS, 0) if len(head) > 1 else 0
    return head[:1] == bytes((_SEQUENCE,)) and head.startswith(_PKCS7, begins)


def extract_envelope(data: mmap.mmap | bytes, _first: int | None = None, _last: int | None = None) -> Extracted:
    """Return one page without text: what was signed is a file inside.

    Raises:
        Unreadable: as ``signed_content``.
    """
    signed_content(bytes(data))
    return Extracted(("",), 1, 1)


def envelope_members(name: str, data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield what was signed, called as its envelope is, without the ending."""
    content = signed_content(bytes(data))
    if content:
        yield whole(name.rpartition(".")[0] or name, content)


def signed_content(data: bytes) -> bytes:
    """Return what was signed; b"" where the signature stands alone, beside what it signs.

    Raises:
        Unreadable: ``sealed`` (only a key opens it), ``broken``.
    """
    try:
        kind, body = list(_within(data, *_only(data)))[:2]
        if data[kind[1] - 2 : kind[2]] != _SIGNED:
            raise Unreadable(Reason.SEALED)
        parts = list(_within(data, *_only(data, body)))
        about = next(part for part in parts[1:] if part[0] == _SEQUENCE)
        content = [part for part in _within(data, *about[1:]) if part[0] == _FIRST]
        return b"".join(_joined(data, each) for outer in content for each in _within(data, *outer[1:]))
    except (IndexError, ValueError, StopIteration, RecursionError) as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


_Part = tuple[int, int, int]
"""A tag, and where its content begins and ends."""


def _only(data: bytes, around: _Part | None = None) -> tuple[int, int]:
    begin, end = around[1:] if around else (0, len(data))
    tag, begin, end = next(_within(data, begin, end))
    if tag != _SEQUENCE:
        raise ValueError(tag)
    return begin, end


def _joined(data: bytes, part: _Part, depth: int = 0) -> bytes:
    """Return the bytes of a string, which may be made of several."""
    tag, begin, end = part
    if tag == _BYTES:
        return data[begin:end]
    if tag != _BYTES | _CONSTRUCTED or depth > _DEEPEST:
        raise ValueError(tag)
    return b"".join(_joined(data, each, depth + 1) for each in _within(data, begin, end))


def _within(data: bytes, begin: int, end: int, depth: int = 0) -> Iterator[_Part]:
    """Yield the parts between two places."""
    while begin < end:
        tag, length = data[begin], data[begin + 1]
        start = begin + 2
        if length == _ENDLESS:
            stop, begin = _stop(data, start, end, depth)
        else:
            if length > _ENDLESS:
                count = length - _ENDLESS
                length, start = int.from_bytes(data[start : start + count]), start + count
            stop = begin = start + length
        if stop > end:
            raise ValueError(stop)
        yield tag, start, stop


def _stop(data: bytes, start: int, end: int, depth: int) -> tuple[int, int]:
    """Return where a part without a length ends, and where the next begins."""
    if depth > _DEEPEST:
        raise ValueError(depth)
    for tag, begin, stop in _within(data, start, end, depth + 1):
        if tag == 0 and begin == stop:
            return begin - 2, stop
    raise ValueError(start)
