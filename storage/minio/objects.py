"""Objects in a MinIO bucket (or any S3 store that keeps versions and locks them).

::

    <bucket>            <key>                        an object; each writing of a key is a version of its own
    <bucket>-incoming   <key>@<upload>/begun         an upload under way
                        <key>@<upload>/<n>           piece n of it, eight digits

The everyday credential never deletes in ``<bucket>``: reads go by the version id that was told when the object was
written, and a version is removed by the sweeper's credential alone. Pieces lie as objects of a second bucket, because
S3 does not give the parts of an unfinished multipart back and an upload must go on after a break; the server itself
joins them. Each object carries a token, so that a writing whose answer was lost is found instead of made twice.
"""

import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import Any

from minio import Minio
from minio.commonconfig import GOVERNANCE, ComposeSource
from minio.error import S3Error
from minio.retention import Retention
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from archive.errors import ArchiveError, Conflict, NotFound, Unavailable
from archive.ports import ObjectInfo, StoredObject
from storage.minio.client import BACK_OFF, TRIES, translated
from storage.piece_stream import PieceStream

INCOMING = "-incoming"
PART_BYTES = 8 * 1024 * 1024
LEAST_PART = 5 * 1024 * 1024
"""S3 joins no part shorter than this, but for the last."""

_KEY = re.compile(r"[0-9a-z/-]{1,150}")
_VERSION = re.compile(r"[0-9A-Za-z._-]{1,100}")
_UPLOAD = re.compile(r"[0-9a-f]{32}")
_STAGED = re.compile(r"([0-9a-z/-]+)@([0-9a-f]{32})/(begun|[0-9]{8})")
_MARK = "x-amz-meta-put"
_BEGUN = "begun"
_BLOCK = 256 * 1024
_PROGRESS = 64 * 1024
"""For so many bytes that came, an object that is read may break off once more."""

_NEVER_SENT = {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "SSLError"}
_BROKE_OFF = {"ReadTimeoutError", "ProtocolError", "ConnectionResetError"}

Sizes = list[int]
"""Lengths of pieces, in order. Named here because the store's own ``list`` hides the type inside the class."""


class MinioStore:
    """``ports.ObjectStore`` and ``ports.ObjectLocks`` in a bucket. Many processes on many machines may use it at once.

    Args:
        everyday: reads, writes and locks; needs no right to delete in the bucket.
        sweeper: removes unlocked versions (the same client where the house has given one credential only).
        bucket: its name; pieces lie in ``<bucket>-incoming``.
    """

    def __init__(self, everyday: Minio, sweeper: Minio, bucket: str) -> None:
        self._client = everyday
        self._sweeper = sweeper
        self._bucket = bucket
        self._incoming = bucket + INCOMING

    # Objects

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        """Write an object in one go; durable on return, nothing left on error.

        When the store falls silent after the last byte, a version may still appear: the sweeper takes it as an orphan.
        """
        return self._put(_checked(key), pieces, secrets.token_hex(16))

    def _put(self, key: str, pieces: Iterable[bytes], token: str) -> StoredObject:
        source = PieceStream(pieces)
        head = source.read(PART_BYTES)
        source.give_back(head)
        if len(head) < PART_BYTES:
            return self._tried(key, token, lambda: self._sent(key, BytesIO(head), len(head), token))
        try:
            return self._tried(key, token, lambda: self._sent(key, source, -1, token), again=False)
        except BaseException:
            if source.failed is not None:  # an error of the source passes as it is
                raise source.failed from None
            raise

    def _sent(self, key: str, data: Any, length: int, token: str) -> StoredObject:
        size = 16 * 1024 * 1024 if length >= 0 else PART_BYTES
        with translated():
            made = self._client.put_object(self._bucket, key, data, length, part_size=size, metadata={"put": token})
        return self._stored(key, made.version_id, length if length >= 0 else data.given)

    def _tried(self, key: str, token: str, send: Any, *, again: bool = True) -> StoredObject:
        """Send; when the answer was lost, look whether the object was made before it is sent once more."""
        for attempt in range(TRIES):
            try:
                stored: StoredObject = send()
            except Unavailable as error:
                reason = error.facts.get("reason")
                if reason in _NEVER_SENT:
                    raise
                with suppress(Unavailable):
                    if made := self._made(key, token):
                        return made
                if not again or reason not in _BROKE_OFF or attempt == TRIES - 1:
                    raise
                time.sleep(BACK_OFF * 2**attempt)
            else:
                return stored
        raise AssertionError

    def _made(self, key: str, token: str) -> StoredObject | None:
        """Find the version that was written with a token."""
        with translated():
            for each in self._client.list_objects(self._bucket, prefix=key, include_version=True, recursive=True):
                if each.object_name == key and not each.is_delete_marker and each.version_id:
                    told = self._client.stat_object(self._bucket, key, version_id=each.version_id)
                    if (told.metadata or {}).get(_MARK) == token:
                        return self._stored(key, each.version_id, told.size or 0)
        return None

    def _stored(self, key: str, version: str | None, size: int) -> StoredObject:
        if not version or version == "null":
            raise Unavailable(part="store", reason="not_versioned")
        return StoredObject(key, version, size)

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start``, at most ``length``. ``NotFound`` (at once) when absent."""
        if length == 0:
            if self.stat(key, version) is None:
                raise NotFound
            return iter(())
        response = self._opened(_checked(key), _named(version), start, length)
        return iter(()) if response is None else self._blocks(response, key, version, start, length)

    def _opened(self, key: str, version: str, start: int, length: int | None) -> BaseHTTPResponse | None:
        """Ask for a range; None when it lies beyond the end."""
        with translated(version=True):
            try:
                return self._client.get_object(self._bucket, key, start, length or 0, version_id=version)
            except S3Error as error:
                if error.code == "InvalidRange":
                    return None
                raise

    def _blocks(
        self, response: BaseHTTPResponse | None, key: str, version: str, start: int, length: int | None
    ) -> Iterator[bytes]:
        """Hand the bytes on; when the connection breaks, go on behind what came.

        A long object meets many breaks: each uses up a try, and what came before it gives tries back, but for a
        silence, which takes too long to be met often. After the first break, bytes are taken as they come: of a block
        that broke off nothing is left.
        """
        got, begun, tries = 0, 0, TRIES
        while response is not None:
            unbroken = tries == TRIES
            try:
                for block in response.stream(_BLOCK) if unbroken else iter(partial(response.read1, _BLOCK), b""):
                    got += len(block)
                    yield block
                response.release_conn()
            except (HTTPError, OSError) as error:
                came = got - begun
                back = 0 if isinstance(error, ReadTimeoutError) else came // _PROGRESS
                tries = min(TRIES, tries + back) - 1
                if not tries:
                    raise Unavailable(part="store", reason=type(error).__name__) from error
                if came < _PROGRESS:
                    time.sleep(BACK_OFF * 2 ** (TRIES - 1 - tries))
                begun = got
            else:
                return
            finally:
                response.close()
            if length is not None and got >= length:
                return
            response = self._opened(key, version, start + got, None if length is None else length - got)

    def stat(self, key: str, version: str) -> ObjectInfo | None:
        """Return what is known of an object version, or None when it is not there."""
        with suppress(NotFound), translated(version=True):
            found = self._client.stat_object(self._bucket, _checked(key), version_id=_named(version))
            return _info(found, key, version)
        return None

    def remove(self, key: str, version: str) -> None:
        """Remove one version for good. Removing what is not there is no error.

        Raises:
            Conflict: it is locked or under a legal hold.
        """
        with suppress(NotFound), translated(version=True):
            self._sweeper.remove_object(self._bucket, _checked(key), version_id=_named(version))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """List every object version whose key begins with ``prefix``."""
        for each in self._versions(prefix):
            if not each.is_delete_marker:
                yield _info(each, each.object_name, each.version_id)

    def markers(self) -> Iterator[ObjectInfo]:
        """List the delete markers: signs that someone deleted without naming a version. They hide, and lose nothing."""
        for each in self._versions():
            if each.is_delete_marker:
                yield _info(each, each.object_name, each.version_id)

    def _versions(self, prefix: str = "") -> Iterator[Any]:
        with translated():
            yield from self._client.list_objects(self._bucket, prefix, include_version=True, recursive=True)

    # Locks

    def lock(self, key: str, version: str, until: datetime) -> None:
        """Keep a version from removal until then (GOVERNANCE). A later day that stands already is left."""
        try:
            with translated(version=True):
                kept = Retention(GOVERNANCE, until)
                self._client.set_object_retention(self._bucket, _checked(key), kept, version_id=_named(version))
        except (Conflict, Unavailable):
            standing = self.locked_until(key, version)
            if standing is None or standing < until:
                raise

    def locked_until(self, key: str, version: str) -> datetime | None:
        """Return until when a version is locked. ``NotFound`` when absent."""
        with translated(version=True):
            kept = self._client.get_object_retention(self._bucket, _checked(key), version_id=_named(version))
        return kept.retain_until_date if kept else None

    def hold(self, key: str, version: str, *, on: bool) -> None:
        """Put a version under legal hold, or lift the hold. ``NotFound`` when absent."""
        change = self._client.enable_object_legal_hold if on else self._client.disable_object_legal_hold
        with translated(version=True):
            change(self._bucket, _checked(key), version_id=_named(version))

    def held(self, key: str, version: str) -> bool:
        """Whether a version is under legal hold. ``NotFound`` when absent."""
        with translated(version=True):
            return self._client.is_object_legal_hold_enabled(self._bucket, _checked(key), version_id=_named(version))

    # Uploads

    def begin(self, key: str) -> str:
        """Open a resumable upload to ``key`` and return its upload id."""
        upload = secrets.token_hex(16)
        self._stage(_checked(key), upload, _BEGUN, b"")
        return upload

    def put_piece(self, key: str, upload: str, number: int, data: bytes) -> None:
        """Durably keep piece ``number`` (from 0). The same number again replaces it."""
        with translated():
            self._client.stat_object(self._incoming, _staged(key, upload, _BEGUN))
        self._stage(key, upload, f"{number:08}", data)

    def pieces(self, key: str, upload: str) -> Sequence[int]:
        """Return the sizes of the pieces kept so far, in order, up to the first one missing."""
        return _in_order(self._kept(key, upload))

    def read_piece(self, key: str, upload: str, number: int) -> bytes:
        """Return a kept piece's bytes, for hashing again after a break. ``NotFound`` when absent."""
        with translated():
            response = self._client.get_object(self._incoming, _staged(key, upload, f"{number:08}"))
            try:
                return response.read()
            finally:
                response.close()
                response.release_conn()

    def finish(self, key: str, upload: str) -> StoredObject:
        """Join the pieces into the object. Finishing once more gives the same answer.

        Raises:
            NotFound: there is no such upload.
            Conflict: a piece is missing.
        """
        made = self._made(_checked(key), upload)
        if made is None:
            kept = self._kept(key, upload)
            sizes = _in_order(kept)
            if not sizes or len(sizes) < len(kept):
                raise Conflict(what="piece", expected=len(sizes))
            made = self._tried(key, upload, lambda: self._joined(key, upload, sizes))
        with suppress(ArchiveError):  # what stays is swept
            self.abort(key, upload)
        return made

    def _joined(self, key: str, upload: str, sizes: Sequence[int]) -> StoredObject:
        if any(size < LEAST_PART for size in sizes[:-1]) or not sizes[-1]:
            return self._put(key, (self.read_piece(key, upload, number) for number in range(len(sizes))), upload)
        sources = [ComposeSource(self._incoming, _staged(key, upload, f"{number:08}")) for number in range(len(sizes))]
        with translated():
            made = self._client.compose_object(self._bucket, key, sources, metadata={"put": upload})
        return self._stored(key, made.version_id, sum(sizes))

    def abort(self, key: str, upload: str) -> None:
        """Forget an upload and its pieces. Forgetting what is not there is no error."""
        if not _UPLOAD.fullmatch(upload):
            self._abort_multipart(key, upload)
            return
        with translated():
            prefix = _staged(key, upload, "")
            names = [each.object_name for each in self._client.list_objects(self._incoming, prefix, recursive=True)]
            for name in sorted(filter(None, names)):  # the mark that it was begun goes last
                self._client.remove_object(self._incoming, name)

    def uploads(self) -> Iterator[ObjectInfo]:
        """List the uploads under way, and multiparts that broke off (``version``: what ``abort`` takes)."""
        found: dict[tuple[str, str], ObjectInfo] = {}
        with translated():
            for each in self._client.list_objects(self._incoming, recursive=True):
                if match := _STAGED.fullmatch(each.object_name or ""):
                    now = _info(each, match[1], match[2])
                    known = found.get((now.key, now.version), ObjectInfo(now.key, now.version, 0, 0))
                    size, modified = known.size + now.size, max(known.modified, now.modified)
                    found[now.key, now.version] = ObjectInfo(now.key, now.version, size, modified)
        yield from found.values()
        yield from self._multiparts()

    def _multiparts(self) -> Iterator[ObjectInfo]:
        with translated():  # the library lists them in no public way
            listed = self._client._list_multipart_uploads(self._bucket)  # noqa: SLF001
        for each in listed.uploads:
            began = each.initiated_time
            yield ObjectInfo(each.object_name, each.upload_id or "", 0, began.timestamp() if began else 0)

    def _abort_multipart(self, key: str, upload: str) -> None:
        with suppress(NotFound), translated():
            self._sweeper._abort_multipart_upload(self._bucket, _checked(key), upload)  # noqa: SLF001 (as above)

    def _stage(self, key: str, upload: str, part: str, data: bytes) -> None:
        """Write a piece; writing it twice changes nothing, so a lost answer is simply asked for again."""
        for attempt in range(TRIES):
            try:
                with translated():
                    name = _staged(key, upload, part)
                    size = 16 * 1024 * 1024
                    self._client.put_object(self._incoming, name, BytesIO(data), len(data), part_size=size)
            except Unavailable as error:
                if error.facts.get("reason") not in _BROKE_OFF or attempt == TRIES - 1:
                    raise
                time.sleep(BACK_OFF * 2**attempt)
            else:
                return

    def _kept(self, key: str, upload: str) -> dict[int, int]:
        """Return number and size of each piece kept. ``NotFound`` when there is no such upload."""
        sizes, begun = {}, False
        with translated():
            for each in self._client.list_objects(self._incoming, _staged(key, upload, ""), recursive=True):
                part = (each.object_name or "").rpartition("/")[2]
                begun = begun or part == _BEGUN
                if part.isdigit():
                    sizes[int(part)] = each.size or 0
        if not begun:
            raise NotFound
        return sizes


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a key is made of digits, small letters, / and -")
    return key


def _named(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise NotFound
    return version


def _staged(key: str, upload: str, part: str) -> str:
    if not _UPLOAD.fullmatch(upload):
        raise NotFound
    return f"{_checked(key)}@{upload}/{part}"


def _in_order(kept: dict[int, int]) -> Sizes:
    sizes: Sizes = []
    while len(sizes) in kept:
        sizes.append(kept[len(sizes)])
    return sizes


def _info(found: Any, key: str, version: str) -> ObjectInfo:
    """Times are whole seconds: a listing tells more of them than a look at the object does."""
    return ObjectInfo(key, version, found.size or 0, float(int(found.last_modified.timestamp())))
