"""Backups: sets of data that never changes, and one key pack, in a second store.

::

    objects/<key>            a content's cipher bytes, as in the first store; one object for all sets that name it
    sets/<id>/database       the rows (``storage/dump.py``), compressed, sealed under the set's own key
    logs/<id>                rows of the log that came since the set before (``storage/log_parts.py``)
    sets/<id>/objects        one line per content of the set: cipher hash, size, key
    sets/<id>/manifest       JSON, signed; written last: without it a set was never finished
    keys/<id>                the key pack of the newest set (``storage/keypack.py``), sealed under that set's key
    keys-again/<id>          the same once more

A set's own key is a generation of the ring under the set's id; the ring's copies have it before the set is finished,
and it goes when the set does. Sets are checked by their hashes, without a key. Objects are
copied once, and so are the rows of the log; each set writes all other rows anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Damaged, NotFound, Unavailable
from archive.ids import new_id
from archive.model import LogSeal, Record
from archive.ports import ObjectInfo, ObjectStore
from storage import dump, packs, set_lists
from storage.backup_set import NO_RUN, BackupSet, LastRun, Made
from storage.clearing import forget, tidy
from storage.contents import items_of
from storage.copying import Copying, Told, is_whole
from storage.items import Item
from storage.log_parts import TABLES, LogPart, rows_after, rows_beside, still_good
from storage.manifests import finished, signed, verified
from storage.ring import KeyRing
from storage.scratch import Scratch
from storage.sealed import Sealed, compressed
from storage.set_lists import Listed


@dataclass(frozen=True)
class _Rows:
    """What a set has of the database: contents, count of records, the log's end and parts, the rows' cipher bytes."""

    listed: Listed
    records: int
    log_seq: int
    log_hash: str
    logs: tuple[LogPart, ...]
    size: int
    sha256: str


class Backups:
    """Makes, lists, checks and forgets backup sets.

    Args:
        db: the archive's rows.
        store: its contents.
        target: where the sets lie; nothing else may.
        ring: holds each set's key, and signs its manifest.
        clock: the time.
        schema: the revision of the archive's tables.
        folder: on a disk of this machine; what is too much for memory lies there while a run lasts.
        copies: brings the ring's copies up to date: a set's key is new.
    """

    def __init__(
        self,
        db: Database,
        store: ObjectStore,
        target: ObjectStore,
        ring: KeyRing,
        clock: Clock,
        schema: str,
        folder: Path,
        copies: Callable[[], object] = lambda: None,
    ) -> None:
        self._db = db
        self._store = store
        self._target = target
        self._ring = ring
        self._clock = clock
        self._schema = schema
        self._folder = folder
        self._copies = copies

    @property
    def target(self) -> ObjectStore:
        """Where the sets lie."""
        return self._target

    def make(
        self,
        limit: datetime,
        told: Told = lambda *_: None,
        going_on: Callable[[], bool] = lambda: True,
        last: LastRun = NO_RUN,
    ) -> Made:
        """Make a set of the archive as it is now, while it is used; then forget those of old.

        What an earlier run copied is not copied again. The target is listed once for both. While a set is there that
        does not verify nothing is forgotten: it may name what only it and those of old need.

        Args:
            limit: sets made before are forgotten, as ``forget_before`` does.
            told: hears how far it is.
            going_on: says no when it is to stop.
            last: what is known from before.

        Raises:
            Unavailable: archive, store or target does not answer; StorageFull: the target takes no more. Once the set
                stands it is told by ``Made.fault`` instead: another set would help nobody.
            Interrupted: ``going_on`` said no. The next run goes on.
        """
        with self._listed() as scratch:
            before, faults = self._verified(scratch.under("sets/"))
            tidy(self._target, self._ring, scratch, [] if faults else before, last, self._clock.now())
            copying = Copying(self._store, self._target, scratch, last.changed, going_on)
            made = self._make(before, told, copying)
            if faults:
                good = {each.id for each in [made, *before]}
                return Made(made, 0, tuple(sorted(finished(scratch.under("sets/")) - good)))
            try:
                return Made(made, forget(self._target, self._ring, scratch, [made, *before], limit), ())
            except Unavailable as fault:
                return Made(made, 0, (), fault)

    @contextmanager
    def _listed(self) -> Iterator[Scratch]:
        """Give what the place holds now."""
        with Scratch(self._folder) as scratch:
            scratch.note(self._target.list())
            yield scratch

    def _make(self, before: Sequence[BackupSet], told: Told, copying: Copying) -> BackupSet:
        self._look(copying)
        copying.copy(told)  # the long part; what comes meanwhile is little
        made_at, set_id = self._clock.now(), new_id()  # only now: ids of sets, and of their packs, follow their rows
        with self._drawn(set_id) as drawn:
            self._ring.add_generation(set_id)
            key = self._ring.generation(set_id)
            failpoints.reach("backup.database")
            told("database", 0, 0)
            rows = self._rows(set_id, key, before, copying, drawn)
            copying.copy(told)
            told("keys", 0, 0)
            keys_sha256 = packs.put_pack(self._db, self._target, key, set_id, self._folder)
            made = BackupSet(
                id=set_id,
                made_at=made_at,
                ring=self._ring.id,
                schema=self._schema,
                records=rows.records,
                objects=rows.listed.count,
                bytes=rows.listed.size,
                copied=copying.count,
                copied_bytes=copying.bytes,
                faults=tuple(sorted(copying.faults)),
                log_seq=rows.log_seq,
                log_hash=rows.log_hash,
                database_size=rows.size,
                database_sha256=rows.sha256,
                objects_sha256=rows.listed.sha256,
                keys_sha256=keys_sha256,
                logs=rows.logs,
                turn=1 + max((each.turn for each in before), default=0),
                packs=len(packs.ROOMS),
            )
            self._copies()
            failpoints.reach("backup.manifest")
        self._target.put(f"sets/{set_id}/manifest", [signed(made, self._ring)])
        self._remove_replaced(copying)
        return made

    def _remove_replaced(self, copying: Copying) -> None:
        """Remove what was damaged and was copied again, and older packs: with the newest alone what went stays gone."""
        again = [key for key in copying.damaged if copying.scratch.size_of_new(key) is not None]
        for prefix in [*again, *packs.ROOMS]:
            for info in copying.scratch.under(prefix):
                if info.key == prefix or prefix in packs.ROOMS:
                    self._target.remove(info.key, info.version)

    def _look(self, copying: Copying) -> None:
        """See what is to be copied. The snapshot ends before that begins."""
        with self._db.reading(long=True) as session:
            for _ in copying.wanted(items_of(session)):
                pass

    def _rows(
        self,
        set_id: UUID,
        key: bytes,
        before: Sequence[BackupSet],
        copying: Copying,
        drawn: list[UUID],
    ) -> "_Rows":
        """Write the rows of now, and what is new of the log."""
        with self._db.reading(long=True) as session:
            listed = Listed(copying.wanted(items_of(session)))
            put = self._target.put(f"sets/{set_id}/objects", listed.blocks())
            copying.scratch.note([ObjectInfo(put.key, put.version, put.size, self._clock.now().timestamp())])
            records = session.scalar(select(func.count()).select_from(Record)) or 0
            head = session.execute(select(LogSeal.seq, LogSeal.chain).order_by(LogSeal.seq.desc()).limit(1)).first()
            log_seq, log_hash = (head.seq, head.chain.hex()) if head else (0, "")
            logs = self._logs(session, before, copying, log_seq, drawn)
            lines = dump.write(session, self._schema, where=rows_beside() if logs else None)
            sealed = Sealed(key, set_id, compressed(_while(copying.going_on, lines)))
            put = self._target.put(f"sets/{set_id}/database", sealed.pieces())
        return _Rows(listed, records, log_seq, log_hash, logs, put.size, sealed.sha256)

    @contextmanager
    def _drawn(self, set_id: UUID) -> Iterator[list[UUID]]:
        """Give the keys that a run draws; where no manifest follows they open nothing that is of use, and go again."""
        drawn = [set_id]
        try:
            yield drawn
        except BaseException:
            with suppress(ArchiveError, OSError):
                for each in drawn:
                    self._ring.destroy_generation(each)
            raise

    def sets(self) -> list[BackupSet]:
        """Return the finished sets, the newest first. One whose manifest does not verify raises ``Damaged``."""
        return self._sets(self._target.list("sets/"))

    def good(self) -> list[BackupSet]:
        """Return the finished sets whose manifests verify, the newest first."""
        return self._verified(self._target.list("sets/"))[0]

    def ids(self) -> list[UUID]:
        """Return the ids of all finished sets, damaged ones too."""
        return sorted(finished(self._target.list("sets/")))

    def answers(self) -> None:
        """Look whether the place of the sets can be read at all. Raises ``Unavailable``."""
        next(iter(self._target.list()), None)

    def find(self, set_id: UUID | None) -> BackupSet:
        """Return a set, by default the newest whose manifest verifies: a damaged one stands in no other's way.

        Raises:
            NotFound: there is none such.
            Damaged: there is none such that verifies.
        """
        good, damaged = self._verified(self._target.list("sets/"))
        for each in good:
            if set_id in {None, each.id}:
                return each
        if damaged:
            raise damaged[0]
        raise NotFound

    def check(self, chosen: BackupSet, told: Told = lambda *_: None) -> list[str]:
        """Hash all that a set is made of, without a key; return the target's keys of what is missing or changed."""
        with self._listed() as scratch:
            lying = scratch.found(set_lists.key_of(chosen))
            with scratch.waits() as wait:  # at once: no store keeps an answer open while all objects are hashed
                for item in set_lists.lines(self._target, chosen, lying.version if lying else None):
                    wait(item)
            bad = self._bad_pack(chosen, {i.key: i.version for room in packs.ROOMS for i in scratch.under(room)})
            parts = [Item(f"sets/{chosen.id}/database", chosen.database_size, chosen.database_sha256)]
            parts += [Item(part.key, part.size, part.sha256) for part in chosen.logs]
            objects = (Item(f"objects/{item.key}", item.size, item.sha256) for item in scratch.taken())
            for number, part in enumerate(chain(parts, objects), 1):
                told("check", number, len(parts) + chosen.objects)
                found = scratch.found(part.key)
                if found is None or not is_whole(part, self._target, found.version):
                    bad.append(part.key)
        return bad

    def _bad_pack(self, chosen: BackupSet, there: Mapping[str, str]) -> list[str]:
        """Look at the key pack that a restore would open; return the keys of its copies that are not there and whole.

        One whose set's manifest is damaged cannot be checked.
        """
        bad = self._bad_copies(chosen, there)
        if bad:  # or a set that was made meanwhile has put another one in its place
            now = (info for room in packs.ROOMS for info in self._target.list(room))
            bad = self._bad_copies(chosen, {info.key: info.version for info in now})
        return bad

    def _bad_copies(self, chosen: BackupSet, there: Mapping[str, str]) -> list[str]:
        ids = packs.newest_first(there)
        packed = next((each for each in self.good() if each.id in ids), None)
        if packed is None:
            return [f"{packs.ROOMS[0]}{ids[0] if ids else chosen.id}"]
        return packs.bad_copies(self._target, there, packed)

    def listed(self, chosen: BackupSet, version: str | None) -> Iterator[Item]:
        """Yield the contents that a set names; ``version`` is that of its list. Raises ``Damaged``."""
        return set_lists.listed(self._target, chosen, version)

    def forget_before(self, limit: datetime) -> int:
        """Remove the sets made before a moment, as ``make`` does. Returns how many went."""
        with self._listed() as scratch:
            return forget(self._target, self._ring, scratch, self._sets(scratch.under("sets/")), limit)

    def _sets(self, found: Iterable[ObjectInfo]) -> list[BackupSet]:
        good, damaged = self._verified(found)
        if damaged:
            raise damaged[0]
        return good

    def _verified(self, found: Iterable[ObjectInfo]) -> tuple[list[BackupSet], list[Damaged]]:
        return verified(self._target, found, self._ring)

    def _logs(
        self,
        session: Session,
        before: Sequence[BackupSet],
        copying: Copying,
        head: int,
        drawn: list[UUID],
    ) -> tuple[LogPart, ...]:
        """Write what came into the log since the last set, and return all parts that hold it. None for an empty log.

        A key that it draws for that is added to ``drawn``.
        """
        last = next((each for each in before if each.schema == self._schema and each.ring == self._ring.id), None)
        keys = set(self._ring.generations())  # after a move the ring may be a copy from before a part
        opens = last is not None and all(part.id in keys for part in last.logs)
        parts = tuple(still_good(session, last, copying.there, copying.damaged)) if last and opens else ()
        after = parts[-1].upto if parts else 0
        if head == after:
            return parts
        part_id = new_id()
        drawn.append(part_id)
        self._ring.add_generation(part_id)
        lines = dump.write(session, self._schema, TABLES, rows_after(after))
        rows = Sealed(self._ring.generation(part_id), part_id, compressed(_while(copying.going_on, lines)))
        put = self._target.put(f"logs/{part_id}", rows.pieces())
        return (*parts, LogPart(part_id, after, head, put.size, rows.sha256))


def _while(going_on: Callable[[], None], blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass blocks on as long as the work is to go on; a run that lost its lease ends here, and leaves no set."""
    for block in blocks:
        going_on()
        yield block
