"""Objects as readers have them: one that cannot be read is told apart from a store that is away."""

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import select

from archive.database import Database
from archive.errors import ArchiveError, NotFound, Unavailable, Unreadable
from archive.jobs.outbox import Outbox
from archive.model import Content, ContentState, Fixity, Job, JobKind, JobState
from archive.ports import ObjectInfo, ReadableObjects

BAD_SECTOR = "EIO"
"""What a store says of a disk that gives no bytes back: the object's own fault, whatever else answers."""

OTHERS = 3
"""Objects that are asked for, to tell an object that cannot be read from a store that does not answer."""


def own_fault(error: Unavailable, db: Database, store: ReadableObjects, key: str) -> bool:
    """Whether an object could not be read by its own fault: its disk says so, or the store hands out another."""
    return error.facts.get("reason") == BAD_SECTOR or answers(db, store, key)


def answers(db: Database, store: ReadableObjects, but: str) -> bool:
    """Whether a store hands out any object other than the one with key ``but``."""
    others = (
        select(Content.object_key, Content.store_version)
        .where(Content.state != ContentState.RECEIVING, Content.store_version.is_not(None), Content.object_key != but)
        .where(Content.fixity.is_(None) | (Content.fixity == Fixity.WHOLE))
    )
    with db.reading() as session:
        rows = session.execute(others.order_by(Content.id).limit(OTHERS)).all()
    for key, version in rows:
        with suppress(NotFound, Unavailable):
            return bool(next(iter(store.read(key, version or "", 0, 1)), b""))
    return False


class Opening:
    """``ports.ReadableObjects`` for what is shown to people.

    An object that cannot be read raises ``Unreadable``, and is looked at by a job, which tells the archivist.
    """

    def __init__(self, db: Database, store: ReadableObjects, outbox: Outbox) -> None:
        self._db = db
        self._store = store
        self._outbox = outbox

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start``, at most ``length``. ``NotFound`` (at once) when absent, ``Unreadable``."""
        try:
            blocks = self._store.read(key, version, start, length)
        except Unavailable as error:
            raise self._told(error, key) from error
        return self._passed(blocks, key)

    def _passed(self, blocks: Iterator[bytes], key: str) -> Iterator[bytes]:
        try:
            yield from blocks
        except Unavailable as error:
            raise self._told(error, key) from error

    def stat(self, key: str, version: str) -> ObjectInfo | None:
        """Return what is known of an object version, or None when it is not there."""
        return self._store.stat(key, version)

    def _told(self, error: Unavailable, key: str) -> Unavailable:
        if not own_fault(error, self._db, self._store, key):
            return error
        with suppress(ArchiveError):  # a house that is closed to writers finds it by its own checks
            self._have_looked_at(key)
        return Unreadable(part="store")

    def _have_looked_at(self, key: str) -> None:
        with self._db.writing() as work:
            found = work.session.execute(select(Content.id, Content.fixity).where(Content.object_key == key)).first()
            if found is None or found.fixity is Fixity.UNREADABLE:
                return
            waiting = (Job.state.in_((JobState.QUEUED, JobState.RUNNING)), Job.subject_id == found.id)
            if work.session.scalar(select(Job.id).where(Job.kind == JobKind.FIXITY, *waiting).limit(1)) is None:
                self._outbox.add(work, JobKind.FIXITY, found.id)
                work.commit()
