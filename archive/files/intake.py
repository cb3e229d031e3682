"""Intake: bytes come in, are hashed and encrypted while they stream, and hang on a provisional record.

The order is fixed: a row ``receiving``, then the object, then one transaction that makes the content ``stored`` with
its log entry and what follows from it. A crash in between leaves an orphan for the sweeper, never a record without
its file.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from uuid import UUID

from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, KeyUnavailable, NotFound, TooLarge, WrongState
from archive.failpoints import reach
from archive.files.arrivals import ALIVE_EVERY, Arrivals, Incoming, Received, Replacing, Sums
from archive.files.opening import Opening
from archive.files.pieces import Piece, cut, sealed
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.model import Content, ContentState, FileRole
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import PIECE_BYTES, ContentReader, ContentSealer, ObjectStore, StoredObject, Unlocked, Vault

MAX_FILE_BYTES = 64 * 1024**3
OPEN_SEALERS = 64
"""Uploads whose hashes are kept in memory; an older one is brought up to date from its pieces when it goes on."""


@dataclass(frozen=True)
class OpenFile:
    """A file opened for reading. ``size`` is in plain bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    reader: ContentReader


class IntakeService:
    """Takes files in, whole or by pieces, and opens them again."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        store: ObjectStore,
        log: Log,
        readings: Readings,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._store = store
        self._clock = clock
        self._readings = readings
        self._opening = Opening(db, store, outbox)
        self._arrivals = Arrivals(db, guard, store, log, outbox, clock)
        self._sealers: OrderedDict[UUID, tuple[ContentSealer, int]] = OrderedDict()
        self._lock = threading.Lock()

    def receive(
        self,
        identity: Identity,
        record_id: UUID,
        name: str,
        data: Iterable[bytes],
        *,
        role: FileRole = FileRole.ORIGINAL,
        replacing: Replacing | None = None,
    ) -> Received:
        """Take a file in from a stream; at most two pieces are in memory at a time.

        ``replacing`` takes another off when this one is in (see ``FileService.giving_way``).

        Raises:
            InvalidInput: an empty file or no name.
            StorageFull: the disk takes no more; nothing is left of the file.
        """
        (answer,) = self.receive_many(identity, [Incoming(record_id, name, data, role)], replacing)
        if isinstance(answer, Received):
            return answer
        raise answer

    def receive_many(
        self, identity: Identity, files: Sequence[Incoming], replacing: Replacing | None = None
    ) -> list[Received | ArchiveError | OSError]:
        """Take many small files in, with two transactions for all of them.

        Each answers for itself: a file that does not come in gives its error, leaves nothing, and holds up no other.

        Raises:
            NotFound, NotAllowed, WrongState: one of the records is not open to this person for it; nothing came in.
        """
        answers: list[Received | ArchiveError | OSError | None] = [None] * len(files)
        opened: list[tuple[int, Piece, Iterator[Piece]]] = []
        for place, file in enumerate(files):
            try:
                pieces = cut(file.data)
                opened.append((place, _first(file.name, pieces), pieces))
            except (ArchiveError, OSError) as error:
                answers[place] = error
        contents = self._arrivals.announce(identity, [(files[place], None) for place, _, _ in opened]) if opened else []
        reach("intake.received")
        arrived = []
        beat = self._heart(contents)
        with self._db.reading() as session:
            keys = self._vault.unlock_many(session, {content.record_id for content in contents})
        for (place, first, pieces), content in zip(opened, contents, strict=True):
            try:
                sealer = _key(keys, content).content_sealer(content.id)
                put = self._store.put(content.object_key, sealed(sealer, first, beat(pieces)))
                arrived.append((place, content, sealer, put))
            except BaseException as error:
                self._withdraw(content)
                if not isinstance(error, ArchiveError | OSError):
                    raise
                answers[place] = error
        reach("intake.object_put")
        try:
            received = self._arrivals.stored(identity, [each[1:] for each in arrived], replacing)
        except ArchiveError:
            if replacing is not None:  # what it was to replace is no longer there to give way
                self._withdraw(contents[0])
            raise
        for (place, *_), answer in zip(arrived, received, strict=True):
            answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def _heart(self, contents: Sequence[Content]) -> Callable[[Iterator[Piece]], Iterator[Piece]]:
        """Return what hands pieces on and, now and then, says of all these files that they are still coming in."""
        last = self._clock.now()

        def beat(pieces: Iterator[Piece]) -> Iterator[Piece]:
            nonlocal last
            for piece in chain((None,), pieces):
                if self._clock.now() - last >= ALIVE_EVERY:
                    self._arrivals.alive(contents)
                    last = self._clock.now()
                if piece is not None:
                    yield piece

        return beat

    def doubles(self, identity: Identity, content_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        """Return, by content, records with the same bytes that the person may see, as ``receive`` told them."""
        return self._arrivals.doubles(identity, content_ids)

    def take_back(self, identity: Identity, record_ids: Sequence[UUID]) -> None:
        """Take back whole files of these records that a dead process announced. Raises as ``receive_many`` does."""
        self._arrivals.take_back(identity, record_ids)

    def begin(
        self, identity: Identity, record_id: UUID, name: str, size: int, *, role: FileRole = FileRole.ORIGINAL
    ) -> UUID:
        """Announce a file of ``size`` bytes that will come in pieces; return the upload's id (its content id)."""
        if not name.strip():
            raise InvalidInput(Fault("file", "required"))
        if size <= 0:
            raise InvalidInput(Fault("file", "empty_file", {"name": name[:200]}))
        if size > MAX_FILE_BYTES:
            raise TooLarge(limit=MAX_FILE_BYTES, size=size)
        return self._arrivals.announce(identity, [(Incoming(record_id, name, (), role), size)])[0].id

    def progress(self, identity: Identity, upload_id: UUID) -> int:
        """Return how many pieces are safely kept; go on with the next."""
        content = self._upload(identity, upload_id)
        try:
            return len(self._store.pieces(content.object_key, _upload_of(content)))
        except NotFound:  # unless they were joined already, and only the row does not say so yet
            self._store.finish(content.object_key, _upload_of(content))
            return -(-(content.declared_size or 0) // PIECE_BYTES)

    def put_piece(self, identity: Identity, upload_id: UUID, number: int, data: bytes) -> int:
        """Keep piece ``number``; return how many are kept. Sending the last kept piece again changes nothing.

        Raises:
            Conflict: a piece before this one is missing (fact ``expected``).
            InvalidInput: the piece has not the length it must have.
        """
        content = self._upload(identity, upload_id)
        upload = _upload_of(content)
        sealer, done = self._sealer(content, upload)
        if number < done:
            self._keep(content.id, sealer, done)
            return done
        if number > done:
            self._keep(content.id, sealer, done)
            raise Conflict(what="piece", expected=done)
        size = content.declared_size or 0
        expected = min(PIECE_BYTES, size - number * PIECE_BYTES)
        if len(data) != expected:
            self._keep(content.id, sealer, done)
            raise InvalidInput(Fault("piece", "wrong_length", {"expected": max(expected, 0), "length": len(data)}))
        last = (number + 1) * PIECE_BYTES >= size
        self._store.put_piece(content.object_key, upload, number, sealer.piece(data, last=last))
        reach("intake.piece_put")
        self._keep(content.id, sealer, done + 1)
        return done + 1

    def finish(self, identity: Identity, upload_id: UUID, replacing: Replacing | None = None) -> Received:
        """Join the pieces: from here on the file is in, and what it replaces is off.

        Raises:
            Conflict: pieces are missing (fact ``expected``: the next one).
        """
        content = self._upload(identity, upload_id)
        upload = _upload_of(content)
        try:
            sealer, done = self._sealer(content, upload)
        except NotFound:
            return self._adopt(identity, content, upload, replacing)
        if sealer.plain_size != content.declared_size:
            self._keep(content.id, sealer, done)
            raise Conflict(what="piece", expected=done)
        reach("intake.received")
        stored = self._store.finish(content.object_key, upload)
        reach("intake.object_put")
        return self._finished(identity, content, sealer, stored, replacing)

    def _adopt(self, identity: Identity, content: Content, upload: str, replacing: Replacing | None) -> Received:
        """Take in what an earlier ``finish`` joined before its process died.

        Raises:
            NotFound: there is neither an upload nor its object.
        """
        stored = self._store.finish(content.object_key, upload)
        cipher = sha256()
        for block in self._store.read(content.object_key, stored.version):
            cipher.update(block)
        with self._db.reading() as session:
            reader = self._vault.unlock(session, content.record_id).content_reader(
                content.id, self._store, content.object_key, stored.version
            )
        plain, size = sha256(), 0
        for chunk in reader.read():
            plain.update(chunk)
            size += len(chunk)
        return self._finished(identity, content, Sums(size, plain.hexdigest(), cipher.hexdigest()), stored, replacing)

    def abandon(self, identity: Identity, upload_id: UUID) -> None:
        """Give an upload up; nothing is left of it."""
        self._withdraw(self._upload(identity, upload_id))

    def open_file(self, identity: Identity, content_id: UUID) -> OpenFile:
        """Open a stored file for someone who may take it away. Logged once per person, file and half hour.

        Raises ``NotFound``, ``NotAllowed`` (they only look at it); ``Unreadable`` as ``reader``.
        """
        with self._db.reading() as session:
            content, record, name = self._guard.require_content(
                session, identity, Act.READ, content_id, ContentState.STORED, ContentState.QUARANTINED
            )
            self._guard.require_content(
                session, identity, Act.TAKE, content_id, ContentState.STORED, ContentState.QUARANTINED
            )
            if content.virus is not None:  # only who decides on it may have it
                self._guard.require_content(
                    session, identity, Act.ACCEPT, content_id, ContentState.STORED, ContentState.QUARANTINED
                )
            if content.store_version is None:
                raise NotFound
            reader = self.reader(content, self._vault.unlock(session, record.id))
        self._readings.note_once(identity, "file.read", content.id, record=record.id, body={"name": name})
        return OpenFile(
            name, content.media_type or "application/octet-stream", reader.size, content.plain_sha256 or "", reader
        )

    def reader(self, content: Content, key: Unlocked) -> ContentReader:
        """Open the bytes of a content for someone who was found to be allowed to read it.

        Raises ``Unreadable``, then or while it is read, when the store does not give back this one object.
        """
        return key.content_reader(content.id, self._opening, content.object_key, content.store_version or "")

    def _finished(
        self,
        identity: Identity,
        content: Content,
        sums: "ContentSealer | Sums",
        stored: StoredObject,
        replacing: Replacing | None,
    ) -> Received:
        (received,) = self._arrivals.stored(identity, [(content, sums, stored)], replacing)
        self._forget(content.id)
        return received

    def _upload(self, identity: Identity, upload_id: UUID) -> Content:
        with self._db.reading() as session:
            content = session.get(Content, upload_id)
            if content is None or content.created_by != identity.person_id:
                raise NotFound
            if content.state is not ContentState.RECEIVING or content.upload is None:
                raise WrongState(state=content.state.value, act="file.add")
            self._guard.require(session, identity, Act.DESCRIBE, content.record_id)
            return content

    def _sealer(self, content: Content, upload: str) -> tuple[ContentSealer, int]:
        """Take the upload's sealer out of memory, or bring a new one up to date from the kept pieces."""
        with self._lock:
            kept = self._sealers.pop(content.id, None)
        if kept is not None:
            return kept
        done = len(self._store.pieces(content.object_key, upload))
        head = self._store.read_piece(content.object_key, upload, 0) if done else None
        with self._db.reading() as session:
            sealer = self._vault.unlock(session, content.record_id).content_sealer(content.id, resume=head)
        for number in range(done):
            cipher = self._store.read_piece(content.object_key, upload, number)
            sealer.replay(cipher, last=(number + 1) * PIECE_BYTES >= (content.declared_size or 0))
        return sealer, done

    def _keep(self, content_id: UUID, sealer: ContentSealer, done: int) -> None:
        with self._lock:
            self._sealers[content_id] = (sealer, done)
            while len(self._sealers) > OPEN_SEALERS:
                self._sealers.popitem(last=False)

    def _forget(self, content_id: UUID) -> None:
        with self._lock:
            self._sealers.pop(content_id, None)

    def _withdraw(self, content: Content) -> None:
        self._forget(content.id)
        self._arrivals.withdraw(content)


def _key(keys: Mapping[UUID, Unlocked], content: Content) -> Unlocked:
    if content.record_id not in keys:
        raise KeyUnavailable(key=str(content.record_id))
    return keys[content.record_id]


def _upload_of(content: Content) -> str:
    if content.upload is None:
        raise WrongState(state=content.state.value, act="file.add")
    return content.upload


def _first(name: str, pieces: Iterator[Piece]) -> Piece:
    """Return a file's first piece; without one, or without a name, it is no file."""
    if not name.strip():
        raise InvalidInput(Fault("file", "required"))
    first = next(pieces, None)
    if first is None:
        raise InvalidInput(Fault("file", "empty_file", {"name": name[:200]}))
    return first
