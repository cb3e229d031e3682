"""Backups: sets of data that never changes, and one key pack, in a second store.

::

    objects/<key>            a content's cipher bytes, as in the first store; one object for all sets that name it
    sets/<id>/database       the rows (``storage/dump.py``), compressed, sealed under the set's own key
    logs/<id>                rows of the log that came since the set before (``storage/log_parts.py``)
    sets/<id>/objects        one line per content of the set: cipher hash, size, key
    sets/<id>/manifest       JSON, signed; written last: without it a set was never finished
    keys/<id>                the key pack of the newest set (``storage/keypack.py``), sealed under that set's key

A set's own key is a generation of the ring under the set's id; the ring's copies have it before the set is finished,
and it goes when the set does. Sets are checked by their hashes, without a key. Objects are
copied once, and so are the rows of the log; each set writes all other rows anew.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Database
from archive.errors import Damaged, NotFound
from archive.ids import new_id
from archive.model import Content, ContentState, LogSeal, Record
from archive.ports import ObjectInfo, ObjectStore
from archive.terms import PERMANENT
from storage import dump
from storage.attached import attached
from storage.backup_set import BackupSet
from storage.copying import Copying, Item, Told, is_whole
from storage.keypack import write_pack
from storage.log_parts import TABLES, LogPart, rows_after, rows_beside, still_good, unnamed
from storage.ring import KeyRing
from storage.sealed import Sealed, compressed

FORMAT = 2
_FORMATS = {1, 2}
_KEPT_AT_LEAST = 3
_LEFT = timedelta(days=1)

VITAL_FIRST = (
    case((Record.vital_review.is_not(None), 0), (Record.term == PERMANENT, 1), else_=2),
    Record.level_rank.desc(),
)
"""Order in which contents are saved and brought back: what is vital, then what is kept for good; each by secrecy."""


class Backups:
    """Makes, lists, checks and forgets backup sets.

    Args:
        db: the archive's rows.
        store: its contents.
        target: where the sets lie; nothing else may.
        ring: holds each set's key, and signs its manifest.
        clock: the time.
        schema: the revision of the archive's tables.
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
        copies: Callable[[], object] = lambda: None,
    ) -> None:
        self._db = db
        self._store = store
        self._target = target
        self._ring = ring
        self._clock = clock
        self._schema = schema
        self._copies = copies

    @property
    def target(self) -> ObjectStore:
        """Where the sets lie."""
        return self._target

    def make(
        self,
        forget: datetime,
        told: Told = lambda *_: None,
        going_on: Callable[[], bool] = lambda: True,
        damaged: Collection[str] = (),
    ) -> tuple[BackupSet, int]:
        """Make a set of the archive as it is now, while it is used; then forget those of old. Returns how many went.

        What an earlier run copied is not copied again. The target is listed once for both.

        Args:
            forget: sets made before are forgotten, as ``forget_before`` does.
            told: hears how far it is.
            going_on: says no when it is to stop.
            damaged: the target's keys of what a check found changed; that is copied again in its place.

        Raises:
            Unavailable: archive, store or target does not answer; StorageFull: the target takes no more.
            Interrupted: ``going_on`` said no. The next run goes on.
            Damaged: an earlier set does not verify; the new one is made, and nothing was forgotten.
        """
        found = list(self._target.list())
        before, faults = self._verified(found)
        self._tidy(found, [] if faults else before)
        made, items = self._make(found, before, told, going_on, damaged)
        if faults:
            raise faults[0]
        return made, self._forget(forget, found, [made, *before], {made.id: items})

    def _make(
        self,
        found: Sequence[ObjectInfo],
        before: Sequence[BackupSet],
        told: Told,
        going_on: Callable[[], bool],
        damaged: Collection[str],
    ) -> tuple[BackupSet, Sequence[Item]]:
        made_at, set_id = self._clock.now(), new_id()
        there = {info.key: info.size for info in found if info.key not in damaged}
        copying = Copying(self._store, self._target, there, going_on)
        copying.copy(self._items(), told)  # the long part; what comes meanwhile is little
        self._ring.add_generation(set_id)
        key = self._ring.generation(set_id)
        failpoints.reach("backup.database")
        told("database", 0, 0)
        with self._db.reading(long=True) as session:
            items = list(items_of(session))
            records = session.scalar(select(func.count()).select_from(Record)) or 0
            head = session.execute(select(LogSeal.seq, LogSeal.chain).order_by(LogSeal.seq.desc()).limit(1)).first()
            logs = self._logs(session, before, there, damaged, head.seq if head else 0, copying.going_on)
            lines = dump.write(session, self._schema, where=rows_beside() if logs else None)
            rows = Sealed(key, set_id, compressed(_while(copying.going_on, lines)))
            database = self._target.put(f"sets/{set_id}/database", rows.pieces())
        copying.copy(items, told)
        copying.faults &= {item.key for item in items}  # what was thrown away meanwhile is no loss
        listed = b"".join(f"{item.sha256} {item.size} {item.key}\n".encode() for item in items)
        self._target.put(f"sets/{set_id}/objects", [listed])
        told("keys", 0, 0)
        pack = BytesIO()
        write_pack(self._db, pack)
        keys = Sealed(key, set_id, [pack.getvalue()])
        self._target.put(f"keys/{set_id}", keys.pieces())
        made = BackupSet(
            id=set_id,
            made_at=made_at,
            ring=self._ring.id,
            schema=self._schema,
            records=records,
            objects=len(items),
            bytes=sum(item.size for item in items),
            copied=copying.count,
            copied_bytes=copying.bytes,
            faults=tuple(sorted(copying.faults)),
            log_seq=head.seq if head else 0,
            log_hash=head.chain.hex() if head else "",
            database_size=database.size,
            database_sha256=rows.sha256,
            objects_sha256=hashlib.sha256(listed).hexdigest(),
            keys_sha256=keys.sha256,
            logs=logs,
        )
        self._copies()
        failpoints.reach("backup.manifest")
        self._target.put(f"sets/{set_id}/manifest", [self._signed(made)])
        for info in found:
            replaced = info.key in damaged and info.key in copying.there
            if replaced or info.key.startswith("keys/"):  # with the newest pack alone what was destroyed stays so
                self._target.remove(info.key, info.version)
        return made, items

    def sets(self) -> list[BackupSet]:
        """Return the finished sets, the newest first. One whose manifest does not verify raises ``Damaged``."""
        return self._sets(self._target.list("sets/"))

    def good(self) -> list[BackupSet]:
        """Return the finished sets whose manifests verify, the newest first."""
        return self._verified(self._target.list("sets/"))[0]

    def ids(self) -> list[UUID]:
        """Return the ids of all finished sets, damaged ones too."""
        keys = (info.key.split("/") for info in self._target.list("sets/"))
        return sorted({UUID(each[1]) for each in keys if each[2:] == ["manifest"]})

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
        there = {info.key: info.version for info in self._target.list()}
        listed = self.listed(chosen, there)
        parts = [Item(f"sets/{chosen.id}/database", chosen.database_size, chosen.database_sha256)]
        parts += [Item(part.key, part.size, part.sha256) for part in chosen.logs]
        parts += [Item(f"objects/{item.key}", item.size, item.sha256) for item in listed]
        bad = self._bad_pack(chosen)
        for number, part in enumerate(parts, 1):
            told("check", number, len(parts))
            if part.key not in there or not is_whole(part, self._target, there[part.key]):
                bad.append(part.key)
        return bad

    def _bad_pack(self, chosen: BackupSet) -> list[str]:
        """Look at the key pack that a restore would open; return its key if it is not there and whole.

        One whose set's manifest is damaged cannot be checked.
        """
        for _ in range(2):  # a set that is made meanwhile puts another one in its place
            there = {info.key: info.version for info in self._target.list("keys/")}
            bad = max(there, default=f"keys/{chosen.id}")
            if packed := next((each for each in self.good() if f"keys/{each.id}" in there), None):
                pack = Item(f"keys/{packed.id}", 0, packed.keys_sha256)
                if is_whole(pack, self._target, there[pack.key]):
                    return []
                bad = pack.key
        return [bad]

    def listed(self, chosen: BackupSet, there: Mapping[str, str]) -> list[Item]:
        """Return the contents that a set names. Raises ``Damaged``."""
        key = f"sets/{chosen.id}/objects"
        data = b"".join(self._target.read(key, there[key])) if key in there else b""
        if hashlib.sha256(data).hexdigest() != chosen.objects_sha256:
            raise Damaged(what="backup", part=key)
        rows = (line.split(" ") for line in data.decode().splitlines())
        return [Item(name, int(size), sha256) for sha256, size, name in rows]

    def forget_before(self, limit: datetime) -> int:
        """Remove the sets made before a moment, but never the last three: their keys first, then what only they name.

        Returns how many went.
        """
        found = list(self._target.list())
        return self._forget(limit, found, self._sets(found), {})

    def _forget(
        self,
        limit: datetime,
        found: Sequence[ObjectInfo],
        every: Sequence[BackupSet],
        known: Mapping[UUID, Sequence[Item]],
    ) -> int:
        """Forget; ``every`` are the sets, the newest first, and ``known`` what some of them name."""
        old = [each for each in every[_KEPT_AT_LEAST:] if each.made_at < limit]
        if not old:
            return 0
        gone = tuple(f"sets/{each.id}/" for each in old)
        there = {info.key: info.version for info in found}
        kept = [each for each in every if each not in old]
        listed = (known[each.id] if each.id in known else self.listed(each, there) for each in kept)
        named = {f"objects/{item.key}" for items in listed for item in items}
        still = {part.key for each in kept for part in each.logs}
        spare = {part.key for each in old for part in each.logs} - still
        for each in old:  # once all that stays was read: what is damaged forgets nothing
            self._ring.destroy_generation(each.id)
        for key in spare:
            self._ring.destroy_generation(UUID(key.removeprefix("logs/")))
        for info in found:
            if (
                info.key in spare
                or info.key.startswith(gone)
                or (info.key.startswith("objects/") and info.key not in named)
            ):
                self._target.remove(info.key, info.version)
        return len(old)

    def _sets(self, found: Iterable[ObjectInfo]) -> list[BackupSet]:
        good, damaged = self._verified(found)
        if damaged:
            raise damaged[0]
        return good

    def _verified(self, found: Iterable[ObjectInfo]) -> tuple[list[BackupSet], list[Damaged]]:
        """Return the sets whose manifests verify, the newest first, and the faults of the others."""
        good: list[BackupSet] = []
        damaged: list[Damaged] = []
        for info in found:
            if info.key.startswith("sets/") and info.key.endswith("/manifest"):
                try:
                    good.append(self._manifest(info.key, info.version))
                except Damaged as error:
                    damaged.append(error)
        return sorted(good, key=lambda each: (each.made_at, each.id), reverse=True), damaged

    def _items(self) -> list[Item]:
        with self._db.reading() as session:
            return list(items_of(session))

    def _signed(self, made: BackupSet) -> bytes:
        document = made.plain()
        body = json.dumps(document, sort_keys=True).encode()
        signed = {"format": FORMAT, "set": document, "key": self._ring.key_id, "signature": self._ring.sign(body).hex()}
        return json.dumps(signed, indent=1).encode()

    def _manifest(self, key: str, version: str) -> BackupSet:
        try:
            signed = json.loads(b"".join(self._target.read(key, version)))
            document, signature = signed["set"], bytes.fromhex(signed["signature"])
            body = json.dumps(document, sort_keys=True).encode()
            good = signed["format"] in _FORMATS and self._ring.verify(signed["key"], body, signature)
        except (ValueError, KeyError, TypeError):
            good, document = False, {}
        if not good:
            raise Damaged(what="backup", part=key)
        return BackupSet.read(document)

    def _logs(
        self,
        session: Session,
        before: Sequence[BackupSet],
        there: Mapping[str, int],
        damaged: Collection[str],
        head: int,
        going_on: Callable[[], None],
    ) -> tuple[LogPart, ...]:
        """Write what came into the log since the last set, and return all parts that hold it. None for an empty log."""
        last = next((each for each in before if each.schema == self._schema and each.ring == self._ring.id), None)
        keys = set(self._ring.generations())  # after a move the ring may be a copy from before a part
        opens = last is not None and all(part.id in keys for part in last.logs)
        parts = tuple(still_good(session, last.logs, last.log_hash, there, damaged)) if last and opens else ()
        after = parts[-1].upto if parts else 0
        if head == after:
            return parts
        part_id = new_id()
        self._ring.add_generation(part_id)
        lines = dump.write(session, self._schema, TABLES, rows_after(after))
        rows = Sealed(self._ring.generation(part_id), part_id, compressed(_while(going_on, lines)))
        put = self._target.put(f"logs/{part_id}", rows.pieces())
        return (*parts, LogPart(part_id, after, head, put.size, rows.sha256))

    def _tidy(self, found: Sequence[ObjectInfo], before: Sequence[BackupSet]) -> None:
        """Remove what runs that broke off a day ago left of their sets; objects stay, the next set names them.

        What is younger may be another run's, which is still at work. Of an object that two runs copied one copy stays.
        """
        there = {info.key: info.version for info in found}
        finished = {info.key.split("/")[1] for info in found if info.key.endswith("/manifest")}
        old = (self._clock.now() - _LEFT).timestamp()
        spare = set(unnamed((info.key for info in found), (each.logs for each in before))) if before else set()
        for info in found:
            if info.key in spare and info.modified < old:
                self._ring.destroy_generation(UUID(info.key.removeprefix("logs/")))
                self._target.remove(info.key, info.version)
            room, _, rest = info.key.partition("/")
            unfinished = room == "sets" and rest.split("/")[0] not in finished
            twin = room == "objects" and info.version != there[info.key]
            if (unfinished or twin) and info.modified < old:
                self._target.remove(info.key, info.version)
        for info in list(self._target.uploads()):
            if info.modified < old:
                self._target.abort(info.key, info.version)


def items_of(session: Session) -> Iterator[Item]:
    """Yield the contents of an archive, what must be safe first; those that are on their way in are left out."""
    query = (
        select(Content.object_key, Content.cipher_size, Content.cipher_sha256, Content.store_version)
        .join(Record, Record.id == Content.record_id)
        .where(Content.state != ContentState.RECEIVING, Content.store_version.is_not(None))
    )
    for key, size, sha256, version in session.execute(query.order_by(*VITAL_FIRST, Content.id)):
        yield Item(key, size or 0, sha256 or "", version or "")
    yield from (Item(*row) for row in session.execute(attached()))


def _while(going_on: Callable[[], None], blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass blocks on as long as the work is to go on; a run that lost its lease ends here, and leaves no set."""
    for block in blocks:
        going_on()
        yield block
