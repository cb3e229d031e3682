"""Engines are derived data: how far they follow the database, and making them anew from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.model import Job, JobKind, JobState, Level, Record
from archive.ports import Vault
from indexer.engine import SearchEngine, partition_of
from indexer.entries import GONE, Entries

_BATCH = 500


@dataclass(frozen=True)
class PartitionStatus:
    """How many records the database has for a partition, how many the engine, and whether it must be made anew."""

    partition: str
    rows: int
    entries: int
    broken: bool


class Rebuilder:
    """Compares engines with the database and makes partitions anew. Runs where the engine's writers live.

    Args:
        db: the house's database.
        engine: what is compared and made anew.
        vault: opens what entries are made from.
    """

    def __init__(self, db: Database, engine: SearchEngine, vault: Vault) -> None:
        self._db = db
        self._engine = engine
        self._entries = Entries(vault)

    def status(self) -> list[PartitionStatus]:
        """Return how each partition stands, those the engine should not have included.

        Raises:
            Unavailable: the engine does not answer.
        """
        broken = self._engine.needs_rebuild()
        with self._db.reading() as session:
            rows = _rows(session)
            names = sorted({*rows, *self._engine.partitions(), *broken, *_partitions(session)})
        return [
            PartitionStatus(name, rows.get(name, 0), 0 if name in broken else self._engine.count(name), name in broken)
            for name in names
        ]

    def rebuild(self, partition: str | None = None) -> int:
        """Make one partition, or all, anew from the database; return how many entries were written.

        Searches go on over the old partition until the new one takes its place.
        """
        if partition is not None:
            return self._rebuild(partition)
        return sum(self._rebuild(status.partition) for status in self.status())

    def _rebuild(self, partition: str) -> int:
        written = 0
        after = UUID(int=0)
        with self._engine.rebuilding(partition) as rebuild:
            while True:
                with self._db.reading() as session:
                    page = select(Record.id).where(_of(partition), Record.id > after).order_by(Record.id)
                    ids = list(session.scalars(page.limit(_BATCH)))
                    kept = self._entries.read(session, ids)
                entries = [one.entry for one in kept if one.entry and one.entry.partition == partition]
                self._remember([one.record_id for one in kept if partition not in one.indexed_in], partition)
                rebuild.write(entries)
                written += len(entries)
                if len(ids) < _BATCH:
                    break
                after = ids[-1]
            rebuild.finish()
        return written

    def _remember(self, ids: list[UUID], partition: str) -> None:
        if not ids:
            return
        with self._db.writing() as work:
            for record in work.session.scalars(select(Record).where(Record.id.in_(ids))):
                record.indexed_in = [*record.indexed_in, partition]
            work.commit()

    def differences(self, session: Session) -> Iterator[Mapping[str, str]]:
        """Yield what differs between rows and entries (see ``archive.ports.DerivedData``).

        ``what`` is ``missing``, ``stray`` (an entry that should not be there) or ``stale`` (another version). Records
        whose index job still waits are passed over.
        """
        waiting = set(
            session.scalars(
                select(Job.subject_id).where(
                    Job.kind == JobKind.INDEX, Job.state.in_((JobState.QUEUED, JobState.RUNNING))
                )
            )
        )
        for name in sorted({*_partitions(session), *self._engine.partitions()}):
            rows = {row.id: row.version for row in session.execute(select(Record.id, Record.version).where(_of(name)))}
            for key, version in self._engine.versions(name):
                expected = rows.pop(key, None)
                if expected != version and key not in waiting:
                    what = "stray" if expected is None else "stale"
                    yield {"what": what, "partition": name, "record": str(key), "entry_version": str(version)}
            for key in sorted(rows.keys() - waiting):
                yield {"what": "missing", "partition": name, "record": str(key), "row_version": str(rows[key])}


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
