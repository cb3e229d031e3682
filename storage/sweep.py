"""Sweeps up after intakes that broke off: rows that never became stored, uploads, and objects that no row names.

Only what is older than a day goes, so that an intake under way is never swept; the row of a whole file, which gives
signs of life while it comes in, goes soon after the last one. A row goes before its bytes: whatever a crash leaves in
between has no row, and is found again as an orphan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict
from archive.files.arrivals import BROKEN_AFTER, drop_whole
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Attachment, Content, ContentState, File, JobKind
from archive.ports import ObjectInfo, ObjectStore

DAY = timedelta(hours=24)
_BATCH = 400


@dataclass(frozen=True)
class Swept:
    """How many objects, uploads and unfinished contents were removed."""

    objects: int
    uploads: int
    contents: int


def sweep_orphans(db: Database, store: ObjectStore, clock: Clock, older_than: timedelta = DAY) -> Swept:
    """Remove what intakes left behind more than ``older_than`` ago. A repeated sweep finds nothing more.

    A content whose upload still receives pieces stays, however old its row is.
    """
    before = clock.now() - older_than
    _sweep_attached(db, before)
    alive = {each.key for each in store.uploads() if each.modified >= before.timestamp()}
    contents = _sweep_contents(db, store, before, alive) + _sweep_whole(db, clock.now() - min(older_than, BROKEN_AFTER))
    uploads = 0
    for batch in _batches(each for each in store.uploads() if each.modified < before.timestamp()):
        for orphan in _orphans(db, batch, uploads=True):
            store.abort(orphan.key, orphan.version)
            uploads += 1
    objects = 0
    for batch in _batches(each for each in store.list() if each.modified < before.timestamp()):
        for orphan in _orphans(db, batch, uploads=False):
            with suppress(Conflict):  # a lock outlives what named the object; fsck tells of it
                store.remove(orphan.key, orphan.version)
                objects += 1
    return Swept(objects, uploads, contents)


def orphans(db: Database, store: ObjectStore) -> Iterator[ObjectInfo]:
    """Yield every object version that no content names, of any age (for ``fsck``: INV2)."""
    for batch in _batches(store.list()):
        yield from _orphans(db, batch, uploads=False)


class SweepOrphans:
    """The job that sweeps."""

    kind = JobKind.SWEEP_ORPHANS
    batch = 8
    deadline = 3600.0
    max_attempts = 5
    keep_done = False

    def __init__(self, db: Database, store: ObjectStore, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Sweep once for all the jobs of a batch."""
        sweep_orphans(self._db, self._store, self._clock)
        return {job.id: Outcome.done() for job in jobs}


def _sweep_contents(db: Database, store: ObjectStore, before: datetime, alive: set[str]) -> int:
    """Remove contents whose upload receives no pieces since before ``before``, with their uploads and empty files."""
    receiving = (
        Content.state == ContentState.RECEIVING,
        Content.upload.is_not(None),
        Content.created_at < before,
    )
    with db.reading() as session:
        found = session.execute(
            select(Content.id, Content.file_id, Content.object_key, Content.upload).where(*receiving)
        ).all()
    old = [row for row in found if row.object_key not in alive]
    removed = 0
    for batch in _batches(old):
        with db.writing() as work:
            ids = [row.id for row in batch]
            gone = work.session.scalars(
                delete(Content).where(Content.id.in_(ids), *receiving).returning(Content.id)  # not if stored meanwhile
            ).all()
            _drop_empty_files(work.session, [row.file_id for row in batch])
            work.commit()
        removed += len(gone)
        for row in batch:
            if row.upload and row.id in set(gone):
                store.abort(row.object_key, row.upload)
    return removed


def _sweep_attached(db: Database, before: datetime) -> None:
    """Remove attachments that broke off while they came in."""
    with db.writing() as work:
        broken = delete(Attachment).where(Attachment.store_version.is_(None), Attachment.created_at < before)
        work.session.execute(broken)
        work.commit()


def _sweep_whole(db: Database, before: datetime) -> int:
    """Remove whole files without a sign of life since ``before``."""
    with db.writing() as work:
        gone = drop_whole(work.session, Content.created_at < before)
        work.commit()
    return len(gone)


def _drop_empty_files(session: Session, files: Sequence[UUID]) -> None:
    """Remove files that never had a content: they were announced with the content that is swept."""
    session.execute(
        delete(File).where(File.id.in_(files), File.content_id.is_(None), ~exists().where(Content.file_id == File.id)),
        execution_options={"synchronize_session": False},
    )


def _orphans(db: Database, found: Sequence[ObjectInfo], *, uploads: bool) -> list[ObjectInfo]:
    """Return those that no row names: for objects by key and version, for uploads by key and upload id.

    The listing comes before the look at the rows, so that an object stored in between is seen with its row.
    """
    keys = {each.key for each in found}
    query = select(Content.object_key, Content.store_version, Content.upload, Content.state)
    with db.reading() as session:
        rows = {row.object_key: row for row in session.execute(query.where(Content.object_key.in_(keys)))}
        named = select(Attachment.object_key, Attachment.store_version).where(Attachment.object_key.in_(keys))
        attached: dict[str, str | None] = dict(session.execute(named).all())
    kept = []
    for each in found:
        if not uploads and each.key in attached and attached[each.key] in {None, each.version}:
            continue
        row = rows.get(each.key)
        if row is None:
            kept.append(each)
        elif uploads or row.state is ContentState.RECEIVING:
            # A row that still receives owns every version under its key: one of them is about to be stored.
            if row.state is not ContentState.RECEIVING:
                kept.append(each)
        elif row.store_version != each.version:
            kept.append(each)
    return kept


_Item = TypeVar("_Item")


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    source = iter(items)
    while batch := list(islice(source, _BATCH)):
        yield batch
