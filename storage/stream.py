"""Content as it lies in the store: the STREAM construction over AES-256-GCM.

Layout, all numbers big-endian::

    header   magic "JKCS" | format 1 | cipher 1 | 0 0 | chunk size u32 | salt 32 | tag 16
    chunk    prefix 7 | cipher bytes | GCM tag 16        (repeated; each full but the last)

The content's own keys come from its record's key by HKDF-SHA256 with the random salt and the content's id; the
header's tag is an HMAC under one of them, so that a wrong key or a changed header is known before the first byte. A
chunk's nonce is its prefix, its number in the content, and whether it is the last; its associated data are the header
and the content's id. A chunk that is swapped, repeated, cut off, or taken from another content fails its check.

The prefix is drawn anew by every sealer. After a break a client may send other bytes than before, and with a prefix
for the whole content the same nonce would then seal two texts.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.errors import Damaged
from archive.ports import PIECE_BYTES, ReadableObjects

CHUNK_BYTES = 256 * 1024
FORMAT = 1

_MAGIC = b"JKCS"
_HEAD = struct.Struct(">4sBB2xI32s")
_NONCE_END = struct.Struct(">IB")
_PREFIX = 7
_TAG = 16
_FRAME = _PREFIX + _TAG
_LARGEST_CHUNK = 16 * 1024 * 1024
HEADER_BYTES = _HEAD.size + _TAG

AT_ONCE = 512 * 1024
"""A content whose object has no more bytes is fetched by one question, where it is known to have so many."""


@dataclass(frozen=True)
class _Lock:
    """What seals and opens the chunks of one content."""

    header: bytes
    chunk: int
    aead: AESGCM
    bound: bytes

    @property
    def stride(self) -> int:
        """Cipher bytes of a full chunk."""
        return self.chunk + _FRAME

    def nonce(self, prefix: bytes, number: int, *, last: bool) -> bytes:
        return prefix + _NONCE_END.pack(number, last)

    def open(self, cipher: memoryview, number: int, *, last: bool) -> bytes:
        """Return the plain bytes of a chunk. Raises ``Damaged``."""
        if len(cipher) < _FRAME:
            raise Damaged(what="content", chunk=number)
        nonce = self.nonce(bytes(cipher[:_PREFIX]), number, last=last)
        try:
            return self.aead.decrypt(nonce, cipher[_PREFIX:], self.bound)
        except InvalidTag:
            raise Damaged(what="content", chunk=number) from None


def _keys(record_key: bytes, salt: bytes, content_id: UUID) -> tuple[bytes, bytes]:
    made = HKDF(SHA256(), 64, salt, b"juanku content 1" + content_id.bytes).derive(record_key)
    return made[:32], made[32:]


def _tag(key: bytes, head: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[:_TAG]


def _new_lock(record_key: bytes, content_id: UUID, chunk: int) -> _Lock:
    salt = os.urandom(32)
    head = _HEAD.pack(_MAGIC, FORMAT, 1, chunk, salt)
    sealing, heading = _keys(record_key, salt, content_id)
    header = head + _tag(heading, head)
    return _Lock(header, chunk, AESGCM(sealing), header + content_id.bytes)


def _read_lock(record_key: bytes, content_id: UUID, header: bytes) -> _Lock:
    if len(header) < HEADER_BYTES:
        raise Damaged(what="content_header", content=str(content_id))
    head, tag = header[: _HEAD.size], header[_HEAD.size : HEADER_BYTES]
    magic, version, cipher, chunk, salt = _HEAD.unpack(head)
    sealing, heading = _keys(record_key, salt, content_id)
    known = magic == _MAGIC and version == FORMAT and cipher == 1 and 0 < chunk <= _LARGEST_CHUNK
    if not known or not hmac.compare_digest(tag, _tag(heading, head)):
        raise Damaged(what="content_header", content=str(content_id))
    return _Lock(head + tag, chunk, AESGCM(sealing), head + tag + content_id.bytes)


class StreamSealer:
    """``ports.ContentSealer``: seals one content piece by piece.

    Args:
        record_key: the 32-byte key of the record.
        content_id: binds the bytes to their row.
        resume: the first cipher piece, to go on after a break; every kept piece is then given to ``replay``.
        piece: plain bytes of every piece but the last; a whole number of chunks.
        chunk: plain bytes of every chunk but the last.

    Raises:
        Damaged: ``resume`` does not begin with this content's header.
    """

    def __init__(
        self,
        record_key: bytes,
        content_id: UUID,
        *,
        resume: bytes | None = None,
        piece: int = PIECE_BYTES,
        chunk: int = CHUNK_BYTES,
    ) -> None:
        if resume is None:
            self._lock = _new_lock(record_key, content_id, chunk)
        else:
            self._lock = _read_lock(record_key, content_id, resume[:HEADER_BYTES])
        if piece % self._lock.chunk:
            raise ValueError("a piece must be a whole number of chunks")
        self._piece = piece
        self._prefix = os.urandom(_PREFIX)
        self._number = 0
        self._ended = False
        self._plain = hashlib.sha256()
        self._cipher = hashlib.sha256()
        self._size = 0

    def piece(self, data: bytes, *, last: bool) -> bytes:
        """Return the cipher bytes of the next piece. The first one begins with the header.

        Raises:
            ValueError: the content has ended, or a piece other than the last is not ``piece`` bytes long.
        """
        self._take(len(data), last=last)
        lock, chunk = self._lock, self._lock.chunk
        plain = memoryview(data)
        count = max(1, -(-len(data) // chunk))
        # Small parts joined once: twice as fast as filling a buffer of a whole piece and copying it out.
        parts = [] if self._number else [lock.header]
        for index in range(count):
            part = plain[index * chunk : (index + 1) * chunk]
            nonce = lock.nonce(self._prefix, self._number, last=last and index == count - 1)
            parts += (self._prefix, lock.aead.encrypt(nonce, part, lock.bound))
            self._number += 1
        sealed = b"".join(parts)
        self._plain.update(data)
        self._cipher.update(sealed)
        return sealed

    def replay(self, cipher: bytes, *, last: bool) -> None:
        """Check a piece that was sealed before a break, and bring both hashes up to date.

        Raises:
            Damaged: the piece is not the next one of this content.
        """
        lock = self._lock
        view = memoryview(cipher)
        if not self._number:
            if not hmac.compare_digest(bytes(view[:HEADER_BYTES]), lock.header):
                raise Damaged(what="content_header")
            view = view[HEADER_BYTES:]
        count = max(1, -(-len(view) // lock.stride))
        size = len(view) - count * _FRAME
        if size < 0 or (not last and size != self._piece):
            raise Damaged(what="content", chunk=self._number)
        self._take(size, last=last)
        for index in range(count):
            part = view[index * lock.stride : (index + 1) * lock.stride]
            self._plain.update(lock.open(part, self._number, last=last and index == count - 1))
            self._number += 1
        self._cipher.update(cipher)

    def _take(self, size: int, *, last: bool) -> None:
        if self._ended:
            raise ValueError("the content has ended")
        if size > self._piece or (not last and size != self._piece):
            raise ValueError("a piece other than the last must be full")
        self._ended = last
        self._size += size

    @property
    def plain_sha256(self) -> str:
        """Hex SHA-256 of the plain bytes so far."""
        return self._plain.hexdigest()

    @property
    def cipher_sha256(self) -> str:
        """Hex SHA-256 of the cipher bytes so far."""
        return self._cipher.hexdigest()

    @property
    def plain_size(self) -> int:
        """Plain bytes so far."""
        return self._size


class StreamReader:
    """``ports.ContentReader`` over an object in a store.

    Args:
        record_key: the 32-byte key of the record.
        content_id: binds the bytes to their row.
        store: holds the object.
        key: the object's.
        version: the object's.
        told: how many bytes it has, if that is known. A small one then comes at once, and is kept while this one is; an
            object of another length is asked for as if nothing had been told.

    Raises:
        NotFound: there is no such object version.
        Damaged: its header is not this content's under this key, or its length cannot be.
    """

    def __init__(
        self,
        record_key: bytes,
        content_id: UUID,
        store: ReadableObjects,
        key: str,
        version: str,
        told: int | None = None,
    ) -> None:
        self._store, self._key, self._version = store, key, version
        self._whole = self._at_once(told)
        header = self._whole or b"".join(store.read(key, version, 0, HEADER_BYTES))
        self._lock = _read_lock(record_key, content_id, header)
        if self._whole:
            body = len(self._whole) - HEADER_BYTES
        else:
            known = store.stat(key, version)
            body = (known.size if known else 0) - HEADER_BYTES
        full, rest = divmod(body, self._lock.stride)
        if body < _FRAME or 0 < rest < _FRAME:
            raise Damaged(what="content", content=str(content_id))
        self._chunks = full + (1 if rest else 0)
        self._body = body
        self._size = body - self._chunks * _FRAME

    def _at_once(self, told: int | None) -> bytes:
        """Return a small object; nothing where it may be large, or is not as long as was told.

        One byte more is asked for: who gets just what was told has all.
        """
        if told is None or told > AT_ONCE:
            return b""
        whole = b"".join(self._store.read(self._key, self._version, 0, told + 1))
        return whole if len(whole) == told else b""

    @property
    def size(self) -> int:
        """Plain size in bytes."""
        return self._size

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield plain bytes of a range; what lies beyond the end is left out.

        A range that reaches the end, or asks beyond it, checks the last chunk: a content that was cut at a chunk's
        edge is never taken for a shorter one.
        """
        if start < 0 or (length is not None and length < 0):
            raise ValueError("a range cannot be negative")
        lock = self._lock
        end = self._size if length is None else min(self._size, start + length)
        first = min(start // lock.chunk, self._chunks - 1)
        past = self._chunks if length is None or start + length >= self._size else -(-end // lock.chunk)
        for number, plain in self._opened(first, max(past, first + 1)):
            base = number * lock.chunk
            part = plain[max(0, start - base) : max(0, end - base)]
            if part:
                yield part

    def _opened(self, first: int, past: int) -> Iterator[tuple[int, bytes]]:
        stride = self._lock.stride
        begin, stop = first * stride, min(past * stride, self._body)
        source = self._cipher(HEADER_BYTES + begin, stop - begin)
        waiting = bytearray()
        number = first
        for block in source:
            waiting += block
            at = 0
            while number < past - 1 and len(waiting) - at >= stride:
                with memoryview(waiting) as view:
                    plain = self._lock.open(view[at : at + stride], number, last=number == self._chunks - 1)
                yield number, plain
                at += stride
                number += 1
            del waiting[:at]
        with memoryview(waiting) as view:
            plain = self._lock.open(view, number, last=number == self._chunks - 1)
        if number != past - 1:
            raise Damaged(what="content", chunk=number)
        yield number, plain

    def _cipher(self, start: int, length: int) -> Iterator[bytes]:
        if self._whole:
            return iter((self._whole[start : start + length],))
        return self._store.read(self._key, self._version, start, length)
