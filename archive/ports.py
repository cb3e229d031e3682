"""What the rooms offer each other. Each docstring is the contract that every adapter must keep."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

PIECE_BYTES = 8 * 1024 * 1024
"""Files travel in pieces of this many plain bytes; every piece but the last is exactly this long."""


@dataclass(frozen=True)
class StoredObject:
    """An object that is durably in the store: its size in (cipher) bytes and the store's version id."""

    key: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object. ``modified`` is seconds since the epoch."""

    key: str
    version: str
    size: int
    modified: float


class ReadableObjects(Protocol):
    """The part of an object store that reads. Every method raises ``Unavailable`` when the store does not answer."""

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start``, at most ``length``. ``NotFound`` (at once) when absent."""
        ...

    def stat(self, key: str, version: str) -> ObjectInfo | None:
        """Return what is known of an object version, or None when it is not there."""
        ...


class ObjectStore(ReadableObjects, Protocol):
    """Opaque, immutable bytes under opaque keys. It never sees a plain byte.

    Keys match ``[0-9a-z/-]+``. Every method raises ``Unavailable`` when the store does not answer and
    ``StorageFull`` when it takes no more bytes.
    """

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        """Write an object in one go. On return it is durable and whole; on error nothing is left under ``key``.

        Writing a key twice makes a new version and never changes the old one's bytes.
        """
        ...

    def begin(self, key: str) -> str:
        """Open a resumable upload to ``key`` and return its upload id."""
        ...

    def put_piece(self, key: str, upload: str, number: int, data: bytes) -> None:
        """Durably keep piece ``number`` (from 0). The same number again replaces it."""
        ...

    def pieces(self, key: str, upload: str) -> Sequence[int]:
        """Return the sizes of the pieces kept so far, in order, up to the first one missing."""
        ...

    def read_piece(self, key: str, upload: str, number: int) -> bytes:
        """Return a kept piece's bytes, for hashing again after a break. ``NotFound`` when absent."""
        ...

    def finish(self, key: str, upload: str) -> StoredObject:
        """Join the pieces into the object, durable and whole, and forget the upload."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Forget an upload and its pieces. Forgetting what is not there is no error."""
        ...

    def uploads(self) -> Iterator[ObjectInfo]:
        """List the uploads under way (``version`` is the upload id, ``size`` what is kept so far)."""
        ...

    def remove(self, key: str, version: str) -> None:
        """Remove one version for good. Removing what is not there is no error. ``Conflict`` when it is locked."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """List every object version whose key begins with ``prefix``."""
        ...


class Holds(Protocol):
    """Says whether holds keep a record as it is; asked in the transaction of what would alter or destroy it."""

    def held(self, session: Session, ids: Collection[UUID]) -> frozenset[UUID]:
        """Return which of these records are held."""
        ...

    def require_free(self, session: Session, record_id: UUID, act: str) -> None:
        """Refuse an act on a record that is held. Raises ``Held``."""
        ...


@dataclass(frozen=True)
class TermsMoved:
    """How many filed records another place of categories moves, by how; ``seen`` is what that was reckoned from."""

    counts: Mapping[str, int]
    seen: object


class BranchTerms(Protocol):
    """Says what another place of categories in the tree does to the terms of records."""

    def moved(self, session: Session, to: Mapping[UUID, UUID | None]) -> TermsMoved:
        """Return what it moves if each category stands below another, or at the top; in a snapshot that may last.

        Raises:
            InvalidInput: field ``parent``, ``terms_shorter``: a term would end sooner, which takes another person.
        """
        ...

    def unchanged(self, session: Session, found: TermsMoved) -> bool:
        """Return whether schedules and tree are still as they were then; asked before the change is written."""
        ...


class ObjectLocks(Protocol):
    """What a store does beside that can lock its versions. Every method raises as ``ObjectStore``'s do."""

    def lock(self, key: str, version: str, until: datetime) -> None:
        """Keep a version from removal until then. A later day that stands already is left. ``NotFound`` when absent."""
        ...

    def locked_until(self, key: str, version: str) -> datetime | None:
        """Return until when a version is locked. ``NotFound`` when absent."""
        ...

    def hold(self, key: str, version: str, *, on: bool) -> None:
        """Put a version under legal hold, which has no end of its own, or lift the hold. ``NotFound`` when absent."""
        ...

    def held(self, key: str, version: str) -> bool:
        """Whether a version is under legal hold. ``NotFound`` when absent."""
        ...

    def markers(self) -> Iterator[ObjectInfo]:
        """List marks of removals that named no version: they hide objects from others, and remove nothing."""
        ...


class ContentSealer(Protocol):
    """Encrypts one content piece by piece, in order, and keeps both hashes as it goes."""

    def piece(self, data: bytes, *, last: bool) -> bytes:
        """Return the cipher bytes of the next piece (``PIECE_BYTES`` long unless it is the last)."""
        ...

    def replay(self, cipher: bytes, *, last: bool) -> None:
        """Take a piece that was sealed before a break: check it and bring the hashes up to date."""
        ...

    @property
    def plain_sha256(self) -> str:
        """Hex SHA-256 of the plain bytes so far."""
        ...

    @property
    def cipher_sha256(self) -> str:
        """Hex SHA-256 of the cipher bytes so far."""
        ...

    @property
    def plain_size(self) -> int:
        """Plain bytes so far."""
        ...


class ContentReader(Protocol):
    """Reads one encrypted content. No byte of an unchecked chunk is ever returned."""

    @property
    def size(self) -> int:
        """Plain size in bytes."""
        ...

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield plain bytes of a range. Raises ``Damaged`` when a chunk fails its check."""
        ...


class Unlocked(Protocol):
    """An owner's key, taken out for one piece of work and forgotten with it."""

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text, as ``Vault.seal``."""
        ...

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt a small seal, as ``Vault.open``."""
        ...

    def content_sealer(self, content_id: UUID, *, resume: bytes | None = None) -> ContentSealer:
        """Begin to encrypt a content; ``resume`` is its first cipher piece when going on after a break."""
        ...

    def content_reader(
        self, content_id: UUID, store: ReadableObjects, key: str, version: str, told: int | None = None
    ) -> ContentReader:
        """Open a stored content; of how many sealed bytes, where that is known, saves questions of a small one."""
        ...


class Vault(Protocol):
    """Seals bytes under the key of their owner: a record, a subject, or a log year.

    The wrapped keys live in the database (``session`` reads and writes them), the keys that open them in
    the ring. Every method raises ``KeyUnavailable`` when the owner's key is destroyed or the ring is broken.
    """

    def add_owner(self, session: Session, owner: UUID, *, due_year: int | None) -> None:
        """Make a key for a new owner, in the generation of the year it falls due (None: permanent)."""
        ...

    def add_owners(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        """Make keys for many new owners at once."""
        ...

    def regroup(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        """Move owners to the generation of the year they now fall due (None: permanent); most stay where they are."""
        ...

    def seal(self, session: Session, owner: UUID, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text. ``context`` (what it is and whose) must be given again to open it."""
        ...

    def open(self, session: Session, owner: UUID, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what ``seal`` made. Raises ``Damaged`` when bytes, owner or context differ."""
        ...

    def seal_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes]:
        """Seal many (owner, data, context) with one look-up of keys."""
        ...

    def open_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes | None]:
        """Open many (owner, sealed, context); None where the key is gone or the bytes are damaged."""
        ...

    def log_owner(self, session: Session, year: int) -> UUID:
        """Return the owner of a year's log key, made on first use."""
        ...

    def unlock(self, session: Session, owner: UUID) -> "Unlocked":
        """Take an owner's key out, for work that goes on after the session is closed."""
        ...

    def unlock_many(self, session: Session, owners: Collection[UUID]) -> "Mapping[UUID, Unlocked]":
        """Take the keys of many out at once; an owner whose key cannot be had is left out."""
        ...

    def token(self, kind: str, value: str) -> str:
        """Return the keyed token of a personal number (blind index): equal values, equal tokens."""
        ...


class Waker(Protocol):
    """Tells workers that jobs wait. Losing a wake-up costs a delay, never a job."""

    def wake(self, queue: str, job_id: UUID) -> None:
        """Send the hint; never raises."""
        ...


class Detector(Protocol):
    """Finds what a file is from its content."""

    def detect(self, head: bytes, name: str) -> str:
        """Return the media type of a file from its first bytes (``name`` only settles ties)."""
        ...


@dataclass(frozen=True)
class KeysGone:
    """How an erasure of keys ended: generations destroyed, copies of the ring, and those that did not confirm."""

    destroyed: int
    copies: int
    unconfirmed: tuple[str, ...]


class KeyErasing(Protocol):
    """Makes what was sealed for owners unreadable for good, here and in every older copy of the database."""

    def doom(self, session: Session, owners: Sequence[UUID]) -> None:
        """Close, in the caller's transaction, every generation that opens these owners' keys; their rows may go then.

        From its commit on nothing can keep those generations but that the two following acts are not done yet.
        """
        ...

    def rewrap(self) -> Collection[UUID]:
        """Give who is left in closed generations other keys; return those that nobody needs now. It may be repeated."""
        ...

    def destroy(self, left: Collection[UUID]) -> KeysGone:
        """Destroy the keys of what ``rewrap`` left, here and in each registered copy of the ring. It may be repeated.

        What a copy of the ring has not confirmed yet is gone on with in any case.
        """
        ...

    def passing(self, key_id: UUID) -> "PassingKey":
        """Return a key of its own, made on first use, that no copy of the database or the backups can open."""
        ...


class PassingKey(Protocol):
    """Seals what must be readable for a while only. Raises ``KeyUnavailable`` once it has ended."""

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text."""
        ...

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt it."""
        ...

    def end(self) -> None:
        """Destroy the key; ending it once more is no error."""
        ...


class ObjectErasing(Protocol):
    """Removes objects whatever locks them, under the credential of destruction. Raises as ``ObjectStore`` does."""

    def held(self, objects: Mapping[str, str | None]) -> frozenset[str]:
        """Return the keys whose version (None: any of its versions) is under a legal hold."""
        ...

    def erase(self, objects: Mapping[str, str | None]) -> frozenset[str]:
        """Remove a version of each key (None: every version and delete mark); return the keys that refused to go."""
        ...

    def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return how many versions and delete marks stand of each key that is not gone."""
        ...


class WrappedKeyBackups(Protocol):
    """The backups of wrapped keys, and the older backups that outlast a destruction."""

    def renew(self, going_on: Callable[[], bool] = lambda: True) -> datetime | None:
        """Back the wrapped keys up as they are now; return when that was. None: the house keeps no backups.

        Raises ``Interrupted`` once ``going_on`` said no, or the process is about to end.
        """
        ...

    def older(self, than: datetime) -> Sequence[tuple[str, datetime, datetime | None]]:
        """Return name, making and end of each that was made before a moment. End None: until a person removes it."""
        ...


class IndexTraces(Protocol):
    """What the search index tells of records that are to be gone. Raises ``Unavailable`` when it does not answer."""

    def rare_words(self, session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
        """Return words of each record that few others will have."""
        ...

    def holding(self, ids: Collection[UUID]) -> Mapping[str, int]:
        """Return how many of these records each partition holds; partitions that hold none are there with 0."""
        ...

    def found_by(self, words: Sequence[str], ids: Collection[UUID]) -> int:
        """Return how many of these records any of the words finds."""
        ...


class PictureTraces(Protocol):
    """Pictures kept of contents."""

    def forget(self, contents: Collection[UUID]) -> int:
        """Remove what is kept of contents; return how many pictures that were."""
        ...

    def kept(self, contents: Collection[UUID]) -> int:
        """Return how many pictures are kept of contents."""
        ...
