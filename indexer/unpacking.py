"""The job that takes the files out of another and gives them to its record, each as a content of its own."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Damaged, KeyUnavailable, TooLarge
from archive.files.pieces import cut, sealed
from archive.identity import Identity, system
from archive.jobs.lease import held_among
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import Content, ContentState, File, FileRole, JobKind, LogResult, TextState
from archive.ports import ObjectStore, Unlocked, Vault
from indexer.extract.member import MAX_BYTES, MAX_MEMBERS
from indexer.sandbox.client import Extractor
from indexer.sandbox.frames import Arriving, Frames, Torn
from indexer.sandbox.memory import MemoryFile
from indexer.settling import STANDING, Source

DEEPEST = 2
"""What lies in a file within a file is taken out; what lies deeper stays packed."""

UNPACK = "file.unpack"

_GROUP = 64
"""Members that one transaction takes."""

_STRETCH = 20.0
"""Seconds after which another fork goes on: each may live so long only."""

_MOST_BREAKDOWNS = 12
_NAMES_TOLD = 100


class _Dropped(Exception):
    """Another worker does this, or the outer file is gone or was unpacked meanwhile."""


@dataclass(frozen=True)
class _Room:
    """What may be taken out yet, so that all that lies equally deep in one file keeps within the limits."""

    members: int
    bytes: int


@dataclass(frozen=True)
class _Kept:
    """A member whose bytes are in the store."""

    content_id: UUID
    number: int
    path: str
    object_key: str
    store_version: str
    sizes: tuple[int, int]
    sums: tuple[str, str]


@dataclass
class _Task:
    """One outer file at work.

    Attributes:
        held: whether the work is still ours; asked in the transaction that writes.
        known: contents that an earlier run brought in.
        lost: paths of members that could not be taken out.
    """

    source: Source
    key: Unlocked
    identity: Identity
    password: str
    held: Callable[[Session], bool]
    still: Callable[[], bool]
    room: _Room
    known: set[UUID]
    waiting: list[_Kept] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    bytes: int = 0


class UnpackContents:
    """Handler of unpack jobs; the subject is the outer content. Idempotent: a member's ids follow from its place.

    A broken member costs itself alone. What is unpacked once is not unpacked again.

    Args:
        log: takes one entry for each group of members.
        outbox: takes the extract jobs of the members.
        extractor: the sandbox.
    """

    kind = JobKind.UNPACK
    batch = 1
    deadline = 1800.0
    max_attempts = 10
    keep_done = False

    def __init__(
        self,
        db: Database,
        vault: Vault,
        store: ObjectStore,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        extractor: Extractor,
    ) -> None:
        self._db = db
        self._vault = vault
        self._store = store
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._extractor = extractor

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Unpack each content."""
        return {job.id: self._try(job) for job in jobs}

    def _try(self, job: ClaimedJob) -> Outcome:
        with self._db.reading() as session:
            row = session.execute(STANDING, {"ids": [job.subject_id]}).first()
            if row is None or row.state is not ContentState.STORED or row.text_state is TextState.PENDING:
                return Outcome.done()
            key = self._vault.unlock_many(session, {row.record_id}).get(row.record_id)
        if key is None:
            return Outcome.failed(KeyUnavailable.code)
        source = Source(row.id, row.record_id, row.media_type, row.object_key, row.store_version or "", row.name, key)
        try:
            self._unpack(source, key, system("unpack"), "", job)
        except _Dropped:
            return Outcome.retry("lease_lost")
        except (TooLarge, Damaged) as error:
            return Outcome.failed(error.code)
        except ArchiveError as error:
            return Outcome.retry(error.code)
        return Outcome.done()

    def unpack_locked(self, identity: Identity, source: Source, key: Unlocked, password: str) -> None:
        """Unpack a locked file with its password, which nothing keeps.

        Raises:
            ArchiveError: store or sandbox do not answer, or the file is gone; what came in so far stays.
        """
        with suppress(_Dropped):
            self._unpack(source, key, identity, password, None)

    def _unpack(self, source: Source, key: Unlocked, identity: Identity, password: str, job: ClaimedJob | None) -> None:
        with self._db.reading() as session:
            found = _room(session, source.content_id)
            inside = select(Content.id).join(File, File.id == Content.file_id)
            known = set(session.scalars(inside.where(File.inside_id == source.content_id)))
        if found is None:
            return
        task = _Task(source, key, identity, password, _holds(job), job.still_held if job else _always, found, known)
        reader = key.content_reader(source.content_id, self._store, source.object_key, source.store_version)
        try:
            with self._extractor.room(reader.size), closing(self._extractor.hold(reader.read(), reader.size)) as file:
                self._all(task, file)
            self._write(task, last=True)
        finally:
            self._remove(task.waiting)

    def _all(self, task: _Task, file: MemoryFile) -> None:
        """Take all members, in as many forks as it needs; one that breaks its fork twice is lost."""
        first, suspect, breakdowns = 1, 0, 0
        source = task.source
        while breakdowns < _MOST_BREAKDOWNS:
            if not task.still():
                raise _Dropped
            until = time.monotonic() + _STRETCH
            more = {"name": source.name, "password": task.password}
            with self._extractor.unpack_held(source.media_type or "", file, first, **more) as frames:
                taken = self._stretch(task, frames, until)
            if frames.torn:
                task.lost.append("")
            if frames.whole or frames.torn:
                return
            first = taken + 1
            if not frames.gone:
                continue
            if suspect == first:
                task.lost.append(str(first))
                first += 1
                breakdowns += 1
            suspect = first
        task.lost.append("")

    def _stretch(self, task: _Task, frames: Frames, until: float) -> int:
        """Take members from one fork for a while; return the number of the last that is done with."""
        done = frames.reached
        for member in frames.members():
            self._take(task, member, frames)
            if frames.gone:
                break
            done = member.number
            if len(task.waiting) >= _GROUP:
                self._write(task)
            if time.monotonic() > until:
                break
        return done

    def _take(self, task: _Task, member: Arriving, frames: Frames) -> None:
        """Seal a member into the store; one without bytes is no file."""
        content_id = uuid5(task.source.content_id, f"content:{member.number}")
        if content_id in task.known:
            return
        if member.number > task.room.members or task.bytes >= task.room.bytes:
            task.lost.append(member.path)
            return
        object_key = secrets.token_hex(16)
        try:
            pieces = cut(_counted(task, member.chunks))
            head = next(pieces, None)
            if head is None:
                return
            sealer = task.key.content_sealer(content_id)
            put = self._store.put(object_key, sealed(sealer, head, pieces))
        except Torn:
            if not frames.gone:
                task.lost.append(member.path)
            return
        sizes, sums = (sealer.plain_size, put.size), (sealer.plain_sha256, sealer.cipher_sha256)
        task.waiting.append(_Kept(content_id, member.number, member.path, put.key, put.version, sizes, sums))

    def _write(self, task: _Task, *, last: bool = False) -> None:
        """Make the members that wait valid, with their log entry and jobs; with the last, say that all is done."""
        if not (task.waiting or last):
            return
        source = task.source
        group, task.waiting = task.waiting, []  # whatever becomes of the commit, no object of it is removed here
        with self._db.writing() as work:
            session = work.session
            outer = session.execute(select(Content.members).where(Content.id == source.content_id)).first()
            if outer is None or outer.members is not None or not task.held(session):
                raise _Dropped
            ids = [each.content_id for each in group]
            there = set(session.scalars(select(Content.id).where(Content.id.in_(ids))))
            fresh = [each for each in group if each.content_id not in there]
            if fresh:
                self._insert(session, source, fresh)
                body = self._told(source, len(fresh), [each.path for each in fresh])
                self._log.note(session, task.identity, UNPACK, record=source.record_id, body=body)
                self._outbox.add_many(work, JobKind.EXTRACT, [each.content_id for each in fresh])
            if last:
                self._end(session, task)
            failpoints.reach("unpack.before_commit")
            work.commit()
        failpoints.reach("unpack.group_done")
        self._remove([each for each in group if each.content_id in there])
        task.known.update(ids)

    def _insert(self, session: Session, source: Source, fresh: Sequence[_Kept]) -> None:
        place = session.scalar(select(func.count()).where(File.record_id == source.record_id)) or 0
        files, contents = [], []
        for position, each in enumerate(fresh, place):
            file_id = uuid5(source.content_id, f"file:{each.number}")
            files.append({
                "id": file_id, "record_id": source.record_id, "role": FileRole.ATTACHMENT, "position": position,
                "name": each.path.rsplit("/", 1)[-1], "content_id": each.content_id,
                "inside_id": source.content_id, "inside_path": each.path, "version": 1,
            })  # fmt: skip
            contents.append({
                "id": each.content_id, "file_id": file_id, "record_id": source.record_id,
                "state": ContentState.STORED, "object_key": each.object_key, "store_version": each.store_version,
                "size": each.sizes[0], "cipher_size": each.sizes[1], "plain_sha256": each.sums[0],
                "cipher_sha256": each.sums[1], "created_at": self._clock.now(),
            })  # fmt: skip
        session.execute(insert(File), files)
        session.execute(insert(Content), contents)

    def _end(self, session: Session, task: _Task) -> None:
        source, lost = task.source, task.lost
        inside = session.scalar(select(func.count()).where(File.inside_id == source.content_id)) or 0
        said = update(Content).where(Content.id == source.content_id).values(members=inside, members_lost=len(lost))
        session.execute(said.execution_options(synchronize_session=False))
        if lost:
            body = self._told(source, len(lost), lost)
            self._log.note(session, task.identity, UNPACK, record=source.record_id, result=LogResult.FAILED, body=body)

    def _told(self, source: Source, count: int, names: Sequence[str]) -> Mapping[str, Any]:
        told = [name for name in names if name][:_NAMES_TOLD]
        return {"name": source.name, "content": str(source.content_id), "count": count, "names": told}

    def _remove(self, kept: Sequence[_Kept]) -> None:
        for each in kept:
            with suppress(ArchiveError):  # the sweep takes what is left
                self._store.remove(each.object_key, each.store_version)


def _counted(task: _Task, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Hand bytes on while there is room for them."""
    for chunk in chunks:
        task.bytes += len(chunk)
        if task.bytes > task.room.bytes:
            raise Torn
        yield chunk


def _room(session: Session, content_id: UUID) -> _Room | None:
    """Return what may be taken out of a content; None: it lies too deep, or was unpacked already."""
    if session.scalar(select(Content.members).where(Content.id == content_id)) is not None:
        return None
    line = [content_id]
    while len(line) <= DEEPEST and (above := session.scalar(_ABOVE.where(Content.id == line[-1]))) is not None:
        line.append(above)
    if len(line) > DEEPEST:
        return None
    if len(line) == 1:
        return _Room(MAX_MEMBERS, MAX_BYTES)
    beside = select(File.content_id).where(File.inside_id == line[1], File.content_id != content_id)
    counted = select(func.count(), func.coalesce(func.sum(Content.size), 0)).join(File, File.id == Content.file_id)
    members, size = session.execute(counted.where(File.inside_id.in_(beside))).one()
    return _Room(MAX_MEMBERS - members, MAX_BYTES - (size or 0))


_ABOVE = select(File.inside_id).join(Content, Content.file_id == File.id)


def _holds(job: ClaimedJob | None) -> Callable[[Session], bool]:
    """Return what tells, inside a transaction, whether the work is still this worker's."""
    return (lambda session: job.id in held_among(session, {job.id: job.lease})) if job else lambda _: True


def _always() -> bool:
    return True
