"""Restoring a backup set into an empty archive: rows, newest key pack, contents, each checked as it passes.

What was destroyed after the set was made, or went out of the bin, does not come back: its key is in no newer pack,
and its rows are removed, with an entry of the log for each.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from sqlalchemy import exists, func, select

from archive import failpoints
from archive.database import Database
from archive.errors import Damaged, KeyUnavailable, NotFound, Unavailable
from archive.identity import system
from archive.log.writer import Log, Note
from archive.model import OwnerKey, Record
from archive.ports import ObjectInfo, ObjectStore
from archive.purging import remove_records
from archive.scrubbing import scrub
from storage import dump
from storage.attached import place
from storage.backup_set import BackupSet
from storage.contents import items_of
from storage.copying import Told, all_by, copied, is_whole
from storage.items import Item
from storage.keypack import load_pack
from storage.packs import ROOMS, newest_first
from storage.prefixed import PrefixedStore
from storage.ring import KeyRing
from storage.scratch import Scratch
from storage.sealed import Opened
from storage.stream import StreamReader

_BATCH = 200
_PACK_BUFFER = 1024 * 1024

LEFT_OUT = "record.leave_out"
"""The act of a restore that does not bring a record back."""


@dataclass(frozen=True)
class Restored:
    """What came back.

    Attributes:
        records: how many descriptions.
        contents: how many contents, whole.
        bytes: their cipher bytes.
        lost: keys of contents that the backup does not hold whole.
        gone: records that were destroyed after the set was made, and were removed again.
    """

    records: int
    contents: int
    bytes: int
    lost: tuple[str, ...]
    gone: int


class Restoring:
    """Brings a set back.

    Args:
        source: the store in which the sets lie.
        ring: opens them.
        log: is told of each record that does not come back.
        folder: on a disk of this machine; what is too much for memory lies there meanwhile.
    """

    def __init__(self, source: ObjectStore, ring: KeyRing, log: Log, folder: Path) -> None:
        self._source = source
        self._ring = ring
        self._log = log
        self._folder = folder

    def restore(
        self,
        chosen: BackupSet,
        db: Database,
        store: ObjectStore,
        migrate: Callable[[Database, str], None],
        told: Told = lambda *_: None,
    ) -> Restored:
        """Bring a set into an empty database and a store; begun again after a break, with the database empty once more.

        Args:
            chosen: the set.
            db: has no table yet.
            store: may hold some of the contents already.
            migrate: brings the tables to a revision ("head": the newest).
            told: hears how far it is.

        Raises:
            KeyUnavailable: the ring does not hold the set's key: it is another ring, or the set was forgotten.
            Damaged: the set's rows or the key pack are not what they were.
        """
        with Scratch(self._folder) as there:
            there.note(self._source.list())
            self._rows(chosen, there, db, migrate, told)
            failpoints.reach("restore.rows")
            told("keys", 0, 0)
            with self._newest_pack(there) as pack:
                load_pack(db, pack)
            migrate(db, "head")
            gone = self._remove_destroyed(db, chosen.id)
            if gone:
                scrub(db)  # what was brought in for a moment does not stay in dead pages
            return self._contents(db, store, there, told, gone)

    def _rows(
        self,
        chosen: BackupSet,
        there: Scratch,
        db: Database,
        migrate: Callable[[Database, str], None],
        told: Told,
    ) -> None:
        lines = _lines(self._opened(chosen.id, f"sets/{chosen.id}/database", there).read())
        schema = dump.schema_of(next(lines, b""))
        migrate(db, schema)
        for number, part in enumerate(chosen.logs, 1):
            of_log = _lines(self._opened(part.id, part.key, there).read())
            dump.schema_of(next(of_log, b""))
            for _ in dump.load(db, of_log, self._folder):
                told("log", number, len(chosen.logs))
        for number, (table, _) in enumerate(dump.load(db, lines, self._folder), 1):
            told(f"database {table}", number, 0)

    def _newest_pack(self, there: Scratch) -> BinaryIO:
        """Return the newest key pack that the ring opens, by the first of its copies that is whole.

        No manifest is asked, whatever became of the pack's set. An older pack stands in for none that is damaged: what
        came since would be taken for destroyed.

        Raises:
            NotFound: there is none.
            Damaged, Unavailable: no copy of it is whole, or its place does not answer.
        """
        for set_id in newest_first(info.key for room in ROOMS for info in there.under(room)):
            fault: Damaged | NotFound | Unavailable | None = None
            for key in (f"{room}{set_id}" for room in ROOMS if there.found(f"{room}{set_id}")):
                try:
                    opened = self._opened(set_id, key, there)
                    for _ in opened.read():
                        pass
                    return cast("BinaryIO", BufferedReader(Opened(opened), _PACK_BUFFER))
                except KeyUnavailable:
                    break
                except (Damaged, NotFound, Unavailable) as error:
                    fault = error
            if fault:
                raise fault
        raise NotFound

    def _opened(self, set_id: UUID, key: str, there: Scratch) -> StreamReader:
        """Open a part. Each chunk is checked by its seal as it is read, so that it need not be hashed before."""
        info = there.found(key)
        if info is None:
            raise Damaged(what="backup", part=key)
        return StreamReader(self._ring.generation(set_id), set_id, self._source, key, info.version)

    def _remove_destroyed(self, db: Database, set_id: UUID) -> int:
        """Remove the records whose keys are in no newer pack: they were destroyed since. The log names each."""
        gone = 0
        while True:
            with db.writing() as work:
                keyless = select(Record.id).where(~exists().where(OwnerKey.owner_id == Record.id)).limit(_BATCH)
                ids: Sequence[UUID] = work.session.scalars(keyless).all()
                if not ids:
                    return gone
                remove_records(work.session, ids)
                who = system("restore")
                self._log.write(work.session, [Note(who, LEFT_OUT, record=each, subject=set_id) for each in ids])
                work.commit()
                gone += len(ids)

    def _contents(self, db: Database, store: ObjectStore, there: Scratch, told: Told, gone: int) -> Restored:
        with db.reading(long=True) as session, there.waits() as wait:
            for item in items_of(session):
                lying = there.found(f"objects/{item.key}")
                wait(replace(item, version=lying.version if lying else ""))
            records = session.scalar(select(func.count()).select_from(Record)) or 0
        source = PrefixedStore(self._source, "objects/")

        def version(wanted: tuple[Item, ObjectInfo | None]) -> str | None:
            item, held = wanted
            if held and held.size == item.size and is_whole(item, store, held.version):
                return held.version
            put = copied(item, source, store) if item.version else None
            return put.version if put else None

        coming = _Coming(db, there.waiting, told)
        told("objects", 0, coming.every)
        with Scratch(self._folder) as here:
            here.note(store.list())
            for (item, _), found in all_by(version, ((item, here.found(item.key)) for item in there.taken())):
                coming.came(item, found)
        coming.settle()
        return Restored(records, coming.whole, coming.size, tuple(coming.lost), gone)


@dataclass
class _Coming:
    """Tells the rows which contents came, some at a time."""

    db: Database
    every: int
    told: Told
    done: int = 0
    whole: int = 0
    size: int = 0
    lost: list[str] = field(default_factory=list)
    _placed: list[Mapping[str, str]] = field(default_factory=list)

    def came(self, item: Item, version: str | None) -> None:
        """Take down the version under which a content lies in the store; None: the backup does not hold it whole."""
        self.done += 1
        if version is None:
            self.lost.append(item.key)
        else:
            self._placed.append({"whose": item.key, "version": version})
            self.whole, self.size = self.whole + 1, self.size + item.size
        if self.done % _BATCH == 0:
            self.settle()

    def settle(self) -> None:
        """Tell the rows of what came since."""
        with self.db.writing() as work:
            place(work.session, self._placed)
            work.commit()
        self._placed.clear()
        failpoints.reach("restore.objects")
        self.told("objects", self.done, self.every)


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker, waiting = zlib.decompressobj(), b""
    for block in blocks:
        try:
            waiting += unpacker.decompress(block)
        except zlib.error:
            raise Damaged(what="dump") from None
        *whole, waiting = waiting.split(b"\n")
        yield from whole
    if waiting or not unpacker.eof:
        raise Damaged(what="dump")
