"""Intake: bytes come in, are hashed and encrypted while they stream, and hang on a provisional record.

The order is fixed: a row ``receiving``, then the object, then one transaction that makes the content ``stored`` with
its log entry and what follows from it. A crash in between leaves an orphan for the sweeper, never a record without
its file.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work
from archive.errors import Conflict, Fault, InvalidInput, NotFound, TooLarge, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.model import Content, ContentState, File, FileRole, JobKind, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import PIECE_BYTES, ContentReader, ContentSealer, ObjectStore, StoredObject, Vault

MAX_FILE_BYTES = 64 * 1024**3
MAX_NAME = 1_000
OPEN_SEALERS = 64
"""Uploads whose hashes are kept in memory; an older one is brought up to date from its pieces when it goes on."""


@dataclass(frozen=True)
class Received:
    """A file that is in: its content, and records with the same bytes that the person may see."""

    content_id: UUID
    size: int
    doubles: tuple[UUID, ...]


@dataclass(frozen=True)
class OpenFile:
    """A file opened for reading. ``size`` is in plain bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    reader: ContentReader


@dataclass(frozen=True)
class _Sums:
    """What a sealer knows at its end."""

    plain_size: int
    plain_sha256: str
    cipher_sha256: str


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
        self._log = log
        self._readings = readings
        self._outbox = outbox
        self._clock = clock
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
    ) -> Received:
        """Take a file in from a stream; at most two pieces are in memory at a time.

        Raises:
            InvalidInput: an empty file or no name.
            StorageFull: the disk takes no more; nothing is left of the file.
        """
        pieces = _with_last(_pieces(data))
        first = next(pieces, None)
        if first is None:
            raise InvalidInput(Fault("file", "empty_file", {"name": name[:200]}))
        content = self._announce(identity, record_id, name, None, role)
        reach("intake.received")
        try:
            with self._db.reading() as session:
                sealer = self._vault.content_sealer(session, record_id, content.id)
            stored = self._store.put(content.object_key, _sealed(sealer, first, pieces))
        except BaseException:
            self._withdraw(content)
            raise
        reach("intake.object_put")
        return self._stored(identity, content, sealer, stored)

    def begin(
        self, identity: Identity, record_id: UUID, name: str, size: int, *, role: FileRole = FileRole.ORIGINAL
    ) -> UUID:
        """Announce a file of ``size`` bytes that will come in pieces; return the upload's id (its content id)."""
        if size <= 0:
            raise InvalidInput(Fault("file", "empty_file", {"name": name[:200]}))
        if size > MAX_FILE_BYTES:
            raise TooLarge(limit=MAX_FILE_BYTES, size=size)
        return self._announce(identity, record_id, name, size, role).id

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

    def finish(self, identity: Identity, upload_id: UUID) -> Received:
        """Join the pieces: from here on the file is in.

        Raises:
            Conflict: pieces are missing (fact ``expected``: the next one).
        """
        content = self._upload(identity, upload_id)
        upload = _upload_of(content)
        try:
            sealer, done = self._sealer(content, upload)
        except NotFound:
            return self._adopt(identity, content, upload)
        if sealer.plain_size != content.declared_size:
            self._keep(content.id, sealer, done)
            raise Conflict(what="piece", expected=done)
        reach("intake.received")
        stored = self._store.finish(content.object_key, upload)
        reach("intake.object_put")
        return self._stored(identity, content, sealer, stored)

    def _adopt(self, identity: Identity, content: Content, upload: str) -> Received:
        """Take in what an earlier ``finish`` joined before its process died.

        Raises:
            NotFound: there is neither an upload nor its object.
        """
        stored = self._store.finish(content.object_key, upload)
        cipher = sha256()
        for block in self._store.read(content.object_key, stored.version):
            cipher.update(block)
        with self._db.reading() as session:
            reader = self._vault.content_reader(
                session, content.record_id, content.id, self._store, content.object_key, stored.version
            )
        plain, size = sha256(), 0
        for chunk in reader.read():
            plain.update(chunk)
            size += len(chunk)
        return self._stored(identity, content, _Sums(size, plain.hexdigest(), cipher.hexdigest()), stored)

    def abandon(self, identity: Identity, upload_id: UUID) -> None:
        """Give an upload up; nothing is left of it."""
        self._withdraw(self._upload(identity, upload_id))

    def open_file(self, identity: Identity, content_id: UUID) -> OpenFile:
        """Open a stored file for someone who may read its record. Logged once per person, file and half hour."""
        with self._db.reading() as session:
            content = session.get(Content, content_id)
            there = content is not None and content.state is not ContentState.RECEIVING
            # what is not there is asked for like what is hidden, so that both cost and log the same
            record = self._guard.require(
                session, identity, Act.READ, content.record_id if content and there else content_id
            )
            if content is None or content.store_version is None:
                raise NotFound
            name = session.get_one(File, content.file_id).name
            reader = self._vault.content_reader(
                session, record.id, content.id, self._store, content.object_key, content.store_version
            )
        self._readings.note_once(identity, "file.read", content.id, record=record.id, body={"name": name})
        return OpenFile(
            name, content.media_type or "application/octet-stream", reader.size, content.plain_sha256 or "", reader
        )

    def _announce(self, identity: Identity, record_id: UUID, name: str, size: int | None, role: FileRole) -> Content:
        if not name.strip():
            raise InvalidInput(Fault("file", "required"))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
            if record.state is not RecordState.PROVISIONAL:
                raise WrongState(state=record.state.value, act="file.add")
            position = session.scalar(select(func.count()).where(File.record_id == record_id)) or 0
            file = File(id=new_id(), record_id=record_id, role=role, position=position, name=name[:MAX_NAME])
            session.add(file)
            session.flush()
            key = secrets.token_hex(16)
            content = Content(
                id=new_id(),
                file_id=file.id,
                record_id=record_id,
                object_key=key,
                declared_size=size,
                upload=None if size is None else self._store.begin(key),
                created_at=self._clock.now(),
                created_by=identity.person_id,
            )
            session.add(content)
            work.commit()
        return content

    def _stored(
        self, identity: Identity, content: Content, sealer: "ContentSealer | _Sums", stored: StoredObject
    ) -> Received:
        with self._db.writing() as work:
            session = work.session
            row = session.get_one(Content, content.id)
            if row.state is not ContentState.RECEIVING:
                raise Conflict(what="upload")
            row.state = ContentState.STORED
            row.store_version = stored.version
            row.upload = None
            row.size, row.cipher_size = sealer.plain_size, stored.size
            row.plain_sha256, row.cipher_sha256 = sealer.plain_sha256, sealer.cipher_sha256
            file = session.get_one(File, row.file_id)
            file.content_id = row.id
            record = session.get_one(Record, row.record_id)
            record.version += 1
            self._follow(work, identity, row, file.name)
            reach("intake.before_commit")
            work.commit()
        reach("intake.stored")
        self._forget(content.id)
        with self._db.reading() as session:
            doubles = self._doubles(session, identity, row)
        return Received(row.id, sealer.plain_size, doubles)

    def _follow(self, work: Work, identity: Identity, content: Content, name: str) -> None:
        body = {"name": name, "size": content.size, "content": str(content.id)}
        work.session.flush()
        self._log.note(work.session, identity, "file.add", record=content.record_id, body=body)
        self._outbox.add(work, JobKind.EXTRACT, content.id)

    def _doubles(self, session: Session, identity: Identity, content: Content) -> tuple[UUID, ...]:
        """Return visible records with the same bytes; of others nothing is said (the machine's operator sees all)."""
        same = select(Content.record_id).where(
            Content.plain_sha256 == content.plain_sha256, Content.record_id != content.record_id
        )
        known = select(Record) if identity.is_system else self._guard.visible(session, identity)
        visible = known.where(Record.id.in_(same)).limit(5)
        return tuple(record.id for record in session.scalars(visible))

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
            sealer = self._vault.content_sealer(session, content.record_id, content.id, resume=head)
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
        """Take back an announced file that did not come in."""
        if content.upload:
            self._store.abort(content.object_key, content.upload)
        self._forget(content.id)
        with self._db.writing() as work:
            work.session.execute(delete(Content).where(Content.id == content.id))
            work.session.execute(delete(File).where(File.id == content.file_id))
            work.commit()


def _upload_of(content: Content) -> str:
    if content.upload is None:
        raise WrongState(state=content.state.value, act="file.add")
    return content.upload


def _pieces(data: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream into pieces of exactly ``PIECE_BYTES``, the last one shorter."""
    waiting = bytearray()
    for chunk in data:
        waiting += chunk
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Say of each piece whether it is the last."""
    current = next(pieces, None)
    while current is not None:
        following = next(pieces, None)
        yield current, following is None
        current = following


def _sealed(sealer: ContentSealer, first: tuple[bytes, bool], rest: Iterator[tuple[bytes, bool]]) -> Iterator[bytes]:
    yield sealer.piece(first[0], last=first[1])
    for piece, last in rest:
        yield sealer.piece(piece, last=last)


def waiting_files(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count the files of each record that are still coming in."""
    rows = session.execute(
        select(Content.record_id, func.count())
        .where(Content.record_id.in_(record_ids), Content.state == ContentState.RECEIVING)
        .group_by(Content.record_id)
    )
    return dict(rows.all())
