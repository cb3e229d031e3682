"""A small honest vault in memory: seals with AES-GCM, forgets keys, keeps every promise of ``archive.ports.Vault``."""

# ruff: noqa: ARG002  (the port gives a session; memory needs none)

import hashlib
import hmac
import os
from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from archive.errors import Damaged, KeyUnavailable
from archive.ids import new_id
from archive.ports import PIECE_BYTES, ContentReader, ContentSealer, ObjectStore

_OVERHEAD = 12 + 16


class MemoryVault:
    def __init__(self) -> None:
        self._keys: dict[UUID, AESGCM] = {}
        self._log_years: dict[int, UUID] = {}
        self._token_key = os.urandom(32)

    def add_owner(self, session: Session, owner: UUID, *, due_year: int | None) -> None:
        self.add_owners(session, [(owner, due_year)])

    def add_owners(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        for owner, _ in owners:
            self._keys.setdefault(owner, AESGCM(AESGCM.generate_key(256)))

    def regroup(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        for owner, _ in owners:
            self._key(owner)

    def erase(self, owner: UUID) -> None:
        """Destroy an owner's key: for tests; no part of the port."""
        del self._keys[owner]

    def seal(self, session: Session, owner: UUID, data: bytes, *, context: str) -> bytes:
        return _Unlocked(self._key(owner)).seal(data, context=context)

    def open(self, session: Session, owner: UUID, sealed: bytes, *, context: str) -> bytes:
        return _Unlocked(self._key(owner)).open(sealed, context=context)

    def seal_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes]:
        return [self.seal(session, owner, data, context=context) for owner, data, context in items]

    def open_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes | None]:
        opened: list[bytes | None] = []
        for owner, sealed, context in items:
            try:
                opened.append(self.open(session, owner, sealed, context=context))
            except (Damaged, KeyUnavailable):
                opened.append(None)
        return opened

    def log_owner(self, session: Session, year: int) -> UUID:
        if year not in self._log_years:
            owner = self._log_years[year] = new_id()
            self.add_owner(session, owner, due_year=None)
        return self._log_years[year]

    def unlock(self, session: Session, owner: UUID) -> "_Unlocked":
        return _Unlocked(self._key(owner))

    def unlock_many(self, session: Session, owners: Collection[UUID]) -> "dict[UUID, _Unlocked]":
        return {owner: _Unlocked(self._keys[owner]) for owner in owners if owner in self._keys}

    def token(self, kind: str, value: str) -> str:
        return hmac.new(self._token_key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:32]

    def _key(self, owner: UUID) -> AESGCM:
        if owner not in self._keys:
            raise KeyUnavailable(key=owner)
        return self._keys[owner]


class _Unlocked:
    def __init__(self, key: AESGCM) -> None:
        self._key = key

    def seal(self, data: bytes, *, context: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._key.encrypt(nonce, data, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        try:
            return self._key.decrypt(sealed[:12], sealed[12:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise Damaged(what=context) from error

    def content_sealer(self, content_id: UUID, *, resume: bytes | None = None) -> ContentSealer:
        return _Sealer(self._key, content_id)

    def content_reader(
        self,
        content_id: UUID,
        store: ObjectStore,
        key: str,
        version: str,
        told: int | None = None,
    ) -> ContentReader:
        return _Reader(self._key, content_id, b"".join(store.read(key, version)))


def _context(content_id: UUID, number: int, *, last: bool) -> bytes:
    return f"{content_id.hex}:{number}:{last}".encode()


class _Sealer:
    """Pieces are sealed one by one; number and last mark are in the associated data."""

    def __init__(self, key: AESGCM, content_id: UUID) -> None:
        self._key = key
        self._content_id = content_id
        self._number = 0
        self._size = 0
        self._plain = hashlib.sha256()
        self._cipher = hashlib.sha256()

    def piece(self, data: bytes, *, last: bool) -> bytes:
        nonce = os.urandom(12)
        sealed = nonce + self._key.encrypt(nonce, data, _context(self._content_id, self._number, last=last))
        self._took(data, sealed)
        return sealed

    def replay(self, cipher: bytes, *, last: bool) -> None:
        try:
            plain = self._key.decrypt(cipher[:12], cipher[12:], _context(self._content_id, self._number, last=last))
        except (InvalidTag, ValueError) as error:
            raise Damaged(what="content") from error
        self._took(plain, cipher)

    def _took(self, plain: bytes, cipher: bytes) -> None:
        self._plain.update(plain)
        self._cipher.update(cipher)
        self._size += len(plain)
        self._number += 1

    @property
    def plain_sha256(self) -> str:
        return self._plain.hexdigest()

    @property
    def cipher_sha256(self) -> str:
        return self._cipher.hexdigest()

    @property
    def plain_size(self) -> int:
        return self._size


class _Reader:
    def __init__(self, key: AESGCM, content_id: UUID, sealed: bytes) -> None:
        self._key = key
        self._content_id = content_id
        step = PIECE_BYTES + _OVERHEAD
        self._pieces = [sealed[at : at + step] for at in range(0, len(sealed), step)]

    @property
    def size(self) -> int:
        return sum(len(piece) - _OVERHEAD for piece in self._pieces)

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        plain = b"".join(self._opened())
        yield plain[start:] if length is None else plain[start : start + length]

    def _opened(self) -> Iterator[bytes]:
        for number, piece in enumerate(self._pieces):
            context = _context(self._content_id, number, last=number == len(self._pieces) - 1)
            try:
                yield self._key.decrypt(piece[:12], piece[12:], context)
            except (InvalidTag, ValueError) as error:
                raise Damaged(what="content") from error
