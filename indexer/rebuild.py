"""Engines are derived data: how far they follow the database, and making them anew from it."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from threading import Event
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, func, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Interrupted
from archive.model import Job, JobKind, JobState, Level, Record
from archive.ports import Vault
from indexer.ahead import ahead
from indexer.engine import Indexed, IndexEntry, SearchEngine, Tombstone, partition_of
from indexer.entries import GONE, Entries
from indexer.noting import note_partitions
from indexer.pagetext import portions
from indexer.side_by_side import Noted, Pair, paired
from indexer.terms import mark_of, terms_of

_BATCH = 1000
_SIDE_BY_SIDE = 2

log = logging.getLogger(__name__)

Held = Callable[[], bool]
"""Whether long work is still ours to do, as by a job's lease. Asked from any thread, before each portion is written and
before a partition is put in its place: a worker that took the work over meets nobody in it."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class PartitionStatus:
    """How many records the database has for a partition, how many the engine, and whether it must be made anew."""

    partition: str
    rows: int
    entries: int
    broken: bool


@dataclass(frozen=True)
class Lag:
    """How many changes wait to be brought into the index, and since when the first of them (None: none waits)."""

    waiting: int
    since: datetime | None


@dataclass(frozen=True)
class Difference:
    """A record that an engine holds otherwise than the database says.

    ``what`` is ``missing`` (no entry), ``stray`` (an entry of no record), ``wrong_level`` (an entry in another
    partition than its record's), ``stale`` (made from another version of the row) or ``words`` (of this version, and
    yet it says something else). Versions are None where there is no such row, or no such entry.
    """

    what: str
    partition: str
    record: UUID
    row_version: int | None = None
    entry_version: int | None = None

    @property
    def ahead(self) -> bool:
        """Whether the entry is newer than the row (as after the database was restored)."""
        return (self.entry_version or 0) > (self.row_version or 0) and self.row_version is not None

    def shown(self) -> dict[str, str]:
        """Return the difference as a document."""
        told = {"what": self.what, "partition": self.partition, "record": str(self.record)}
        versions = {"entry_version": self.entry_version, "row_version": self.row_version}
        return told | {name: str(version) for name, version in versions.items() if version is not None}


class Rebuilder:
    """Compares engines with the database and makes partitions anew. Runs where the engine's writers live.

    Args:
        db: the house's database.
        engine: what is compared and made anew.
        vault: opens what entries are made from.
        folder: on a disk of this machine; what is too much for memory lies there while it compares.
    """

    def __init__(self, db: Database, engine: SearchEngine, vault: Vault, folder: Path) -> None:
        self._db = db
        self._engine = engine
        self._folder = folder
        self._entries = Entries(vault)

    def status(self) -> list[PartitionStatus]:
        """Return how each partition stands, those the engine should not have included.

        Raises:
            Unavailable: the engine does not answer.
        """
        broken = self.broken()
        return [
            PartitionStatus(name, rows, 0 if name in broken else self._engine.count(name), name in broken)
            for name, rows in sorted(self._known(broken).items())
        ]

    def largest_first(self) -> list[str]:
        """Return the partitions of ``status``, those first that take longest to be made anew.

        Raises:
            Unavailable: the engine does not answer.
        """
        known = self._known(self.broken())
        return sorted(known, key=lambda name: (-known[name], name))

    def _known(self, broken: Iterable[str]) -> dict[str, int]:
        """Return how many rows each partition has."""
        with self._db.reading() as session:
            return dict.fromkeys((*self._engine.partitions(), *broken, *_partitions(session)), 0) | _rows(session)

    def broken(self) -> frozenset[str]:
        """Return the partitions to be made anew: broken ones, and those that were indexed and are not there.

        An index of another schema or fold is not there: it has another name.

        Raises:
            Unavailable: the engine does not answer.
        """
        return self._engine.needs_rebuild() | (begun(self._db) - set(self._engine.partitions()))

    def rebuild(self, partition: str | None = None, *, held: Held = _always) -> int:
        """Make one partition, or all, anew from the database; return how many entries were written.

        Searches go on over the old partition until the new one takes its place.

        Raises:
            Interrupted: it is not ours any more (``held``).
        """
        if partition is not None:
            return self._rebuild(partition, held)
        return sum(written for _, written in self.rebuild_each(self.largest_first(), held=held))

    def rebuild_each(self, partitions: Iterable[str], *, held: Held = _always) -> Iterator[tuple[str, int]]:
        """Make partitions anew, two side by side: a server takes its time to begin one and to switch to it.

        The next name is asked for when there is room for it. After a fault no more are begun, and it is raised when
        those under way are done. Who stops asking, or is interrupted, has those under way abandoned at their next
        portion.

        Args:
            partitions: their names.
            held: whether this is still ours to do.

        Yields:
            each one that is made, with how many entries were written.

        Raises:
            Interrupted: it is not ours any more; those under way were abandoned.
        """
        names, under_way = iter(partitions), dict[Future[int], str]()
        fault: BaseException | None = None
        stopped = Event()

        def going_on() -> bool:
            return not stopped.is_set() and held()

        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="partition") as hands, _set_at_end(stopped):
            while True:
                for name in islice(names, 0 if fault else _SIDE_BY_SIDE - len(under_way)):
                    under_way[hands.submit(copy_context().run, self._rebuild, name, going_on)] = name
                if not under_way:
                    break
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    name = under_way.pop(done)
                    if error := done.exception():
                        fault = fault or error
                    else:
                        yield name, done.result()
        if fault:
            raise fault

    def _rebuild(self, partition: str, held: Held) -> int:
        written = 0
        _check(held)
        with self._engine.rebuilding(partition) as rebuild, closing(ahead(self._read(partition))) as read:
            for entries in read:
                _check(held)
                rebuild.write(entries)
                written += len(entries)
            _check(held)
            refused = rebuild.finish()
        for key, why in refused.items():
            log.warning("record %s was not indexed: %s", key, why)
        return written - len(refused)

    def _read(self, partition: str) -> Iterator[Sequence[IndexEntry]]:
        """Yield the entries of a partition, few long texts together, once their rows name it."""
        after = UUID(int=0)
        while True:
            with self._db.reading() as session:
                page = select(Record.id).where(_of(partition), Record.id > after).order_by(Record.id)
                ids = list(session.scalars(page.limit(_BATCH)))
                chunks = list(portions(session, ids))
                entries = self._entries.together(session)
            for chunk in chunks:
                with self._db.reading() as session:
                    read = entries.read(session, chunk)
                kept = [one for one in read if one.entry and one.entry.partition == partition]
                note_partitions(self._db, kept)
                yield [one.entry for one in kept if one.entry]
            if len(ids) < _BATCH:
                return
            after = ids[-1]

    def lag(self) -> Lag:
        """Return how far the index is behind the database."""
        with self._db.reading() as session:
            waiting, since = session.execute(select(func.count(), func.min(Job.created_at)).where(_WAITING)).one()
        return Lag(waiting, since)

    def compared(self) -> list[Difference]:
        """Return what differs, as one snapshot shows it: it stands for as long as the engine tells what it holds.

        Raises:
            Unavailable: the engine or the database does not answer.
        """
        with self._db.reading(long=True) as session:
            return list(self.differences(session))

    def differences(self, session: Session, *, words: bool = True) -> Iterator[Difference]:
        """Yield what differs between rows and entries; every record is compared.

        Records whose index job still waits are passed over.

        Args:
            session: reads, and may stand idle for long.
            words: compare what entries say, too; every entry is made for that.
        """
        for name in sorted({*_partitions(session), *self._engine.partitions()}):
            query = select(Record.id, Record.version).where(_of(name)).order_by(Record.id)
            with Noted(self._folder) as noted:
                noted.note(self._engine.indexed(name))
                rows = session.execute(query, execution_options={"yield_per": _BATCH})
                pairs = paired(((row.id, row.version) for row in rows), noted.in_order())
                while some := list(islice(pairs, _BATCH)):
                    yield from self._unlike(session, name, [each for each in some if words or not each.same])

    def _unlike(self, session: Session, name: str, pairs: Sequence[Pair]) -> Iterator[Difference]:
        """Yield what differs of some records."""
        if not pairs:
            return
        asked = select(Job.subject_id).where(_WAITING, Job.subject_id.in_([each.id for each in pairs]))
        waiting = set(session.scalars(asked))
        settled = [each for each in pairs if each.id not in waiting]
        for each in settled:
            if each.entry is None:
                yield Difference("missing", name, each.id, each.row)
            elif each.row is not None and not each.same:
                yield Difference("stale", name, each.id, each.row, each.entry.version)
        yield from _strangers(
            session, name, {each.id: each.entry.version for each in settled if each.entry and each.row is None}
        )
        yield from self._saying_other(
            session, name, {each.id: each.entry for each in settled if each.entry and each.same}
        )

    def _saying_other(self, session: Session, partition: str, held: Mapping[UUID, Indexed]) -> Iterator[Difference]:
        """Yield entries of a partition that say something else than would be written of their records now."""
        entries = self._entries.together(session)
        for chunk in portions(session, sorted(held)):
            for kept in entries.read(session, chunk):
                mark = held[kept.record_id].mark
                if kept.entry and kept.version == held[kept.record_id].version and _mark(kept.entry) != mark:
                    yield Difference("words", partition, kept.record_id, kept.version, kept.version)

    def repair(self, anew: Collection[str] = (), *, held: Held = _always) -> list[Difference]:
        """Mend exactly what differs; return what did. A partition that is broken or lost, or in ``anew``, is made anew.

        Raises:
            Unavailable: the engine does not answer.
            Interrupted: it is not ours any more (``held``); what was mended stays so.
        """
        for partition in sorted(self.broken() | set(anew)):
            self._rebuild(partition, held)
        found = self.compared()
        # A newer entry is kept by an engine that goes by versions: there only another index helps.
        for partition in sorted({one.partition for one in found if one.ahead}):
            self._rebuild(partition, held)
        left = [one for one in found if not one.ahead]
        for start in range(0, len(left), _BATCH):
            _check(held)
            self._mend(left[start : start + _BATCH])
        self._engine.commit()
        return found

    def _mend(self, found: Sequence[Difference]) -> None:
        tombstones = [
            Tombstone(one.record, max(one.row_version or 0, one.entry_version or 0), one.partition)
            for one in found
            if one.what in _TOO_MUCH
        ]
        self._engine.write((), tombstones)
        with self._db.reading() as session:
            chunks = list(portions(session, [one.record for one in found if one.what not in _TOO_MUCH]))
        for chunk in chunks:
            with self._db.reading() as session:
                # Names too are read for each portion: this writes over what another worker wrote of the same version.
                kept = self._entries.read(session, chunk)
            note_partitions(self._db, kept)
            self._engine.write([one.entry for one in kept if one.entry])


_TOO_MUCH = frozenset(("stray", "wrong_level"))
_WAITING = and_(Job.kind == JobKind.INDEX, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))


def _check(held: Held) -> None:
    if not held():
        raise Interrupted


@contextmanager
def _set_at_end(event: Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()


def _mark(entry: IndexEntry) -> int:
    return mark_of(entry, terms_of(entry))


def _strangers(session: Session, partition: str, entries: Mapping[UUID, int]) -> Iterator[Difference]:
    """Yield entries that do not belong into a partition: of records of another, or of none."""
    rows = select(Record.id, Record.version).where(Record.id.in_(list(entries)), Record.state.not_in(GONE))
    elsewhere = {row.id: row.version for row in session.execute(rows)} if entries else {}
    for key in sorted(entries):
        what = "wrong_level" if key in elsewhere else "stray"
        yield Difference(what, partition, key, elsewhere.get(key), entries[key])


def begun(db: Database) -> frozenset[str]:
    """Return the partitions that have been indexed, by what rows say whose index job is done.

    A record notes its partition before the engine gets it; so long as its job waits, the note says nothing.
    """
    unsettled = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
    waiting = select(Job.subject_id).where(
        Job.kind == JobKind.INDEX, Job.state.in_(unsettled), Job.subject_id.is_not(None)
    )
    with db.reading() as session:
        return frozenset(
            name
            for name in _partitions(session)
            if session.scalar(select(Record.id).where(_of(name), _noted(name), Record.id.not_in(waiting)).limit(1))
        )


def _noted(partition: str) -> ColumnElement[bool]:
    return cast(Record.indexed_in, String).contains(f'"{partition}"')


def _partitions(session: Session) -> set[str]:
    ranks = session.scalars(select(Level.rank)).all()
    return {partition_of(rank, hidden) for rank in ranks for hidden in (False, True)}


def _rows(session: Session) -> dict[str, int]:
    hidden = Record.group_id.is_not(None)
    counted = select(Record.level_rank, hidden, func.count()).where(Record.state.not_in(GONE))
    grouped = session.execute(counted.group_by(Record.level_rank, hidden))
    return {partition_of(rank, bool(apart)): count for rank, apart, count in grouped}


def _of(partition: str) -> ColumnElement[bool]:
    apart = partition.endswith("n")
    group = Record.group_id.is_not(None) if apart else Record.group_id.is_(None)
    return and_(Record.level_rank == int(partition.removesuffix("n")), group, Record.state.not_in(GONE))
