"""Mending: what is not whole in the store is put back from a copy in a backup that is.

The good copy becomes a new version of the object, and the row of the content or attachment names it once it was read
back. The damaged version is not written over: the log keeps its length and hash, and the store keeps its bytes until
the sweep, or as long as a lock says.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work
from archive.errors import Damaged, NotFound
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Attachment, Content, FindingEnd, Fixity, FixityFinding, HoldRecord, JobKind
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ObjectStore, StoredObject
from storage.backups import Backups
from storage.copying import is_whole
from storage.fixity.keeping import marked, note, standing_findings, told
from storage.fixity.looks import cipher_hash, look
from storage.fixity.plan import Turn, turns_of
from storage.items import Item


@dataclass(frozen=True)
class Mended:
    """Keys of objects: ``mended`` from a backup, found ``whole`` after all, and ``left`` for want of a good copy."""

    mended: tuple[str, ...]
    whole: tuple[str, ...]
    left: tuple[str, ...]


class Mending:
    """Mends.

    Args:
        backups: the sets; None where the house has named no place for them.
        locks: whether the store can lock: a new version then gets the lock of the old one by a job.
    """

    def __init__(
        self,
        db: Database,
        guard: Guard,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        store: ObjectStore,
        backups: Callable[[], Backups] | None,
        *,
        locks: bool = False,
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._store = store
        self._backups = backups
        self._locks = locks

    @property
    def possible(self) -> bool:
        """Whether the house has named a place for backups."""
        return self._backups is not None

    def mend(self, identity: Identity, going_on: Callable[[], bool] = lambda: True) -> Mended:
        """Mend whatever was found not whole and has a good copy.

        Raises:
            NotAllowed: this person does not run the system.
            NotFound: the house has named no place for backups.
            Unavailable: store or backups do not answer; what was mended stays so.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            rows = _broken(session)
        if self._backups is None:
            raise NotFound
        mended, whole, left = [], [], []
        copies = Copies(self._backups(), [content.object_key for content in rows]) if rows else None
        for content in rows:
            if not going_on():
                break
            if look(self._store, content, self._db).fixity is Fixity.WHOLE:
                self._close(identity, content, None, None)
                whole.append(content.object_key)
            elif copies and (found := self._put_back(content, copies)):
                self._close(identity, content, *found)
                mended.append(content.object_key)
            else:
                left.append(content.object_key)
        return Mended(tuple(mended), tuple(whole), tuple(left))

    def _put_back(self, content: Turn, copies: "Copies") -> tuple[StoredObject, UUID] | None:
        """Write a good copy as a new version; return it once it was read back, and the set that named it."""
        for set_id, version in copies.of(content):
            put = self._store.put(content.object_key, copies.read(content, version))
            if cipher_hash(self._store, put.key, put.version) == content.cipher_sha256:
                return put, set_id
        return None

    def _close(self, identity: Identity, content: Turn, put: StoredObject | None, set_id: UUID | None) -> None:
        now = self._clock.now()
        with self._db.writing() as work:
            session = work.session
            values = {"fixity": Fixity.WHOLE, "checked_at": now}
            if put:
                values |= {"store_version": put.version}
            kind = marked(session, content, values)
            standing = (FixityFinding.content_id == content.id, FixityFinding.ended_at.is_(None))
            for finding in session.scalars(select(FixityFinding).where(*standing)) if kind else ():
                finding.ended_at, finding.set_id = now, set_id
                finding.ended = FindingEnd.MENDED if put else FindingEnd.WHOLE
                body = told(finding) | ({"set": str(set_id), "new_version": put.version} if put else {})
                note(self._log, session, identity, "store.mend" if put else "store.whole", content.record_id, body)
            if put and kind:
                self._unlocked(work, kind, content)
            work.commit()
        if put and kind is None:  # the record went meanwhile, and leaves nothing behind
            self._store.remove(put.key, put.version)

    def _unlocked(self, work: Work, kind: type[Content] | type[Attachment], content: Turn) -> None:
        """Note that nothing locks or holds the new version yet, and ask for both."""
        for change in (
            update(kind).where(kind.id == content.id).values(locked_until=None),
            update(HoldRecord).where(HoldRecord.record_id == content.record_id).values(on_store=False),
        ):
            work.session.execute(change.execution_options(synchronize_session=False))
        if self._locks:
            self._outbox.add(work, JobKind.LOCK, content.record_id)
            self._outbox.add(work, JobKind.HOLD)


MOST_ASKED = 20
"""Copies that are asked for by their keys; for more, all copies are listed once."""


class Copies:
    """The copies that backups hold of some objects. Their place is listed by prefix: the sets, and these objects."""

    def __init__(self, backups: Backups, keys: Sequence[str]) -> None:
        self._target = backups.target
        wanted = {f"objects/{key}" for key in keys}
        self._versions: dict[str, list[str]] = {}
        self._sets: dict[str, list[tuple[UUID, Item]]] = {}
        prefixes = wanted if len(wanted) <= MOST_ASKED else {"objects/"}
        for info in (each for prefix in prefixes for each in self._target.list(prefix)):
            if info.key in wanted:
                self._versions.setdefault(info.key.removeprefix("objects/"), []).append(info.version)
        there = {info.key: info.version for info in self._target.list("sets/")}
        for each in backups.good():
            with suppress(Damaged):  # another set may name a copy that is good
                for item in backups.listed(each, there.get(f"sets/{each.id}/objects")):
                    if item.key in self._versions:
                        self._sets.setdefault(item.key, []).append((each.id, item))

    def of(self, content: Turn) -> Sequence[tuple[UUID, str]]:
        """Return the newest set that names a content, with each version of its copy that has the right hash."""
        named = [at for at, item in self._sets.get(content.object_key, ()) if item.sha256 == content.cipher_sha256]
        if not named:
            return []
        return [
            (named[0], version)
            for version in self._versions[content.object_key]
            if is_whole(Item(f"objects/{content.object_key}", 0, content.cipher_sha256 or ""), self._target, version)
        ]

    def read(self, content: Turn, version: str) -> Iterator[bytes]:
        """Yield the bytes of a copy."""
        return self._target.read(f"objects/{content.object_key}", version)


def _broken(session: Session) -> Sequence[Turn]:
    return turns_of(session, standing_findings().with_only_columns(FixityFinding.content_id))
