"""Restoring a backup set into an empty archive: rows, newest key pack, contents, each checked as it passes.

What was destroyed after the set was made, or went out of the bin, does not come back: its key is in no newer pack,
and its rows are removed, with an entry of the log for each.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from sqlalchemy import exists, func, select

from archive import failpoints
from archive.database import Base, Database
from archive.errors import Damaged, KeyUnavailable, NotFound, Unavailable
from archive.identity import system
from archive.log.writer import Log, Note
from archive.model import ContentState, OwnerKey, Record
from archive.ports import ObjectStore
from archive.purging import remove_records
from archive.scrubbing import scrub
from storage import dump
from storage.attached import attached, place
from storage.backup_set import BackupSet
from storage.contents import VITAL_FIRST
from storage.copying import COPIERS, Item, Told, copied, is_whole
from storage.keypack import load_pack
from storage.packs import ROOMS, newest_first
from storage.prefixed import PrefixedStore
from storage.ring import KeyRing
from storage.stream import StreamReader

_BATCH = 200
_FILE = Base.metadata.tables["content"]

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
    """

    def __init__(self, source: ObjectStore, ring: KeyRing, log: Log) -> None:
        self._source = source
        self._ring = ring
        self._log = log

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
        there = {info.key: info.version for info in self._source.list()}
        lines = _lines(self._opened(chosen.id, f"sets/{chosen.id}/database", there))
        schema = dump.schema_of(next(lines, b""))
        migrate(db, schema)
        for number, part in enumerate(chosen.logs, 1):
            of_log = _lines(self._opened(part.id, part.key, there))
            dump.schema_of(next(of_log, b""))
            for _ in dump.load(db, of_log):
                told("log", number, len(chosen.logs))
        for number, (table, _) in enumerate(dump.load(db, lines), 1):
            told(f"database {table}", number, 0)
        failpoints.reach("restore.rows")
        told("keys", 0, 0)
        load_pack(db, BytesIO(self._newest_pack(there)))
        migrate(db, "head")
        gone = self._remove_destroyed(db, chosen.id)
        if gone:
            scrub(db)  # what was brought in for a moment does not stay in dead pages
        return self._contents(db, store, there, told, gone)

    def _newest_pack(self, there: dict[str, str]) -> bytes:
        """Return the newest key pack that the ring opens, by the first of its copies that is whole.

        No manifest is asked, whatever became of the pack's set. An older pack stands in for none that is damaged: what
        came since would be taken for destroyed.

        Raises:
            NotFound: there is none.
            Damaged, Unavailable: no copy of it is whole, or its place does not answer.
        """
        for set_id in newest_first(there):
            fault: Damaged | NotFound | Unavailable | None = None
            for key in (f"{room}{set_id}" for room in ROOMS if f"{room}{set_id}" in there):
                try:
                    return b"".join(self._opened(set_id, key, there))
                except KeyUnavailable:
                    break
                except (Damaged, NotFound, Unavailable) as error:
                    fault = error
            if fault:
                raise fault
        raise NotFound

    def _opened(self, set_id: UUID, key: str, there: dict[str, str]) -> Iterator[bytes]:
        """Yield the plain bytes of a part. Each chunk is checked by its seal, so that it need not be hashed before."""
        if key not in there:
            raise Damaged(what="backup", part=key)
        return StreamReader(self._ring.generation(set_id), set_id, self._source, key, there[key]).read()

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

    def _contents(self, db: Database, store: ObjectStore, there: dict[str, str], told: Told, gone: int) -> Restored:
        held = {info.key: (info.size, info.version) for info in store.list()}
        with db.reading() as session:
            query = (
                select(_FILE.c.object_key, _FILE.c.cipher_size, _FILE.c.cipher_sha256)
                .join(Record, Record.id == _FILE.c.record_id)
                .where(_FILE.c.state != ContentState.RECEIVING, _FILE.c.store_version.is_not(None))
            )
            rows = [tuple(row) for row in session.execute(query.order_by(*VITAL_FIRST, _FILE.c.id))]
            rows += [tuple(row)[:3] for row in session.execute(attached())]
            records = session.scalar(select(func.count()).select_from(Record)) or 0
        wanted = [Item(key, size, sha256, there.get(f"objects/{key}", "")) for key, size, sha256 in rows]
        source = PrefixedStore(self._source, "objects/")

        def version(item: Item) -> str | None:
            size, known = held.get(item.key, (-1, ""))
            if size == item.size and is_whole(item, store, known):
                return known
            put = copied(item, source, store) if item.version else None
            return put.version if put else None

        lost: list[str] = []
        whole = size = 0
        with ThreadPoolExecutor(COPIERS) as pool:
            for start in range(0, len(wanted), _BATCH):
                placed = []
                batch = wanted[start : start + _BATCH]
                for item, found in zip(batch, pool.map(version, batch), strict=True):
                    if found is None:
                        lost.append(item.key)
                        continue
                    placed.append({"whose": item.key, "version": found})
                    whole, size = whole + 1, size + item.size
                with db.writing() as work:
                    place(work.session, placed)
                    work.commit()
                failpoints.reach("restore.objects")
                told("objects", start + len(batch), len(wanted))
        return Restored(records, whole, size, tuple(lost), gone)


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
