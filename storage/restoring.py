"""Restoring a backup set into an empty archive: rows, newest key pack, contents, each checked as it passes.

What was destroyed after the set was made does not come back: its key is in no newer pack, and its rows are removed.
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
from archive.errors import Damaged, KeyUnavailable, NotFound
from archive.model import ContentState, OwnerKey, Record
from archive.ports import ObjectStore
from archive.purging import remove_records
from archive.scrubbing import scrub
from storage import dump
from storage.attached import attached, place
from storage.backup_set import BackupSet
from storage.backups import VITAL_FIRST
from storage.copying import COPIERS, Item, Told, copied, is_whole
from storage.keypack import load_pack
from storage.prefixed import PrefixedStore
from storage.ring import KeyRing
from storage.stream import StreamReader

_BATCH = 200
_FILE = Base.metadata.tables["content"]


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
    """

    def __init__(self, source: ObjectStore, ring: KeyRing) -> None:
        self._source = source
        self._ring = ring

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
        gone = _remove_destroyed(db)
        if gone:
            scrub(db)  # what was brought in for a moment does not stay in dead pages
        return self._contents(db, store, there, told, gone)

    def _newest_pack(self, there: dict[str, str]) -> bytes:
        """Return the newest key pack that the ring opens, whatever became of its set: ids follow time.

        Raises ``NotFound``, ``Damaged``.
        """
        for key in sorted((each for each in there if each.startswith("keys/")), reverse=True):
            try:
                return b"".join(self._opened(UUID(key.removeprefix("keys/")), key, there))
            except KeyUnavailable:
                continue
        raise NotFound

    def _opened(self, set_id: UUID, key: str, there: dict[str, str]) -> Iterator[bytes]:
        """Yield the plain bytes of a part. Each chunk is checked by its seal, so that it need not be hashed before."""
        if key not in there:
            raise Damaged(what="backup", part=key)
        return StreamReader(self._ring.generation(set_id), set_id, self._source, key, there[key]).read()

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


def _remove_destroyed(db: Database) -> int:
    """Remove the records whose keys are in no newer pack: they were destroyed since."""
    gone = 0
    while True:
        with db.writing() as work:
            keyless = select(Record.id).where(~exists().where(OwnerKey.owner_id == Record.id)).limit(_BATCH)
            ids: Sequence[UUID] = work.session.scalars(keyless).all()
            if not ids:
                return gone
            remove_records(work.session, ids)
            work.commit()
            gone += len(ids)


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
