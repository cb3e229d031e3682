"""Bags made by a job and sent from the page: no plain byte is kept here.

The job reads every file of the list once against its hash, and keeps of each record, sealed under its key, what the bag
will say of it. Sending makes the same bytes of that and of the files in the store, so that the hash noted when the bag
was made stands for each copy that is sent.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from archive import bag
from archive.database import Database
from archive.errors import Conflict, Damaged, Ended, Fault, InvalidInput, KeyUnavailable, NotFound, Unreadable
from archive.failpoints import reach
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.jobs.stepwise import Stepwise
from archive.log.writer import Log
from archive.model import JobKind, Transfer, TransferState
from archive.model.leaving import TransferPart
from archive.policy.guard import AT_ONCE, Guard
from archive.ports import ReadableObjects, Vault
from retention.transferring.describing import Part, PartFile, part_of, plain, whole_bag
from retention.transferring.rows import forget_bag
from retention.transferring.rules import NEXT
from retention.transferring.transfers import Transfers

STEP = 64 * 1024 * 1024
"""Bytes of a file that are read before the job asks whether it still holds its lease."""

_OPENED = 100
_BROKEN = (Damaged, KeyUnavailable, NotFound, Unreadable)

Member = tuple[str, int, Iterator[bytes]]
"""A file of a bag: its path in it, its size, its bytes."""


@dataclass(frozen=True)
class Standing:
    """How far a bag is: ``done`` of ``of`` records; ``ready``: it can be downloaded."""

    done: int
    of: int
    ready: bool


class Bags:
    """The acts on bags that are made here, and the job that makes them."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, store: ReadableObjects, log: Log, outbox: Outbox,
        transfers: Transfers,
    ) -> None:  # fmt: skip
        self._db = db
        self._guard = guard
        self._vault = vault
        self._store = store
        self._log = log
        self._outbox = outbox
        self._transfers = transfers

    def standing(self, row: Transfer, listed: int) -> Standing:
        """Return how far the bag of a transfer is that somebody was shown."""
        with self._db.reading() as session:
            parts = select(func.count()).select_from(TransferPart).where(TransferPart.transfer_id == row.id)
            done = session.scalar(parts) or 0
        ready = row.state is TransferState.PACKED and row.bag is not None and row.packing_since is None
        return Standing(done, listed, ready)

    def start(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Have a job make the bag of an approved transfer, anew if there is one.

        Raises:
            NotFound, NotAllowed, Conflict: as ``Transfers.ask``; also: it is being made already.
            Ended: it is not approved, or signed for already.
            InvalidInput: field ``records``: nothing is left that may go.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._transfers.own(session, identity, transfer_id, version)
            if TransferState.PACKED not in NEXT[row.state]:
                raise Ended(state=row.state.value, act="transfer.pack_begin")
            if row.packing_since is not None:
                raise Conflict(what="transfer", version=row.version)
            if not self._transfers.may_go(session, row):
                raise InvalidInput(Fault("records", "nothing_may_go"))
            forget_bag(session, row)
            row.packing_since, row.packing_fault, row.version = self._guard.now(), "", row.version + 1
            self._outbox.add(work, JobKind.PACK, row.id, requested_by=identity.person_id)
            self._transfers.note(session, identity, "transfer.pack_begin", row)
            work.commit()

    def stop(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Stop making a bag; nothing of it is kept. Raises as ``start``; ``Ended``: none is being made."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._transfers.own(session, identity, transfer_id, version)
            if row.packing_since is None:
                raise Ended(state=row.state.value, act="transfer.pack_stop")
            forget_bag(session, row)
            row.version += 1
            self._transfers.note(session, identity, "transfer.pack_stop", row)
            work.commit()

    def go_on(self, identity: Identity, transfer_id: UUID) -> Iterator[None]:
        """Make what is left of a bag; yields after each step. It ends without a word where someone stopped it."""
        with self._db.reading() as session:
            row = session.get(Transfer, transfer_id)
            since = row.packing_since if row else None
        while since is not None and (left := self._left(transfer_id)) is not None:
            for place in left:
                yield
                found = yield from self._checked(*place)
                if isinstance(found, str):
                    self._broken(identity, transfer_id, since, found)
                    return
                if not self._keep(transfer_id, since, place, found):
                    return
                reach("transfer.part_kept")
            if self._finish(identity, transfer_id, since):
                return
            yield

    def _left(self, key: UUID) -> Sequence[tuple[int, UUID]] | None:
        """Return what has no part yet; None: the bag is not being made any more."""
        with self._db.reading() as session:
            row = session.get(Transfer, key)
            if row is None or row.packing_since is None or TransferState.PACKED not in NEXT[row.state]:
                return None
            there = self._kept(session, key)
            return [each for each in self._transfers.may_go(session, row) if each[1] not in there]

    def _checked(self, position: int, key: UUID) -> Generator[None, None, Part | str]:
        """Read every file of a record; return what is to be kept of it, or which file is not whole."""
        with self._db.reading() as session:
            part = part_of(session, self._vault, position, key)
            unlocked = self._vault.unlock(session, key)
        for at, file in enumerate(part.files, 1):
            made, size, told = sha256(), 0, 0
            try:
                with self._db.reading() as session:
                    pieces = plain(session, unlocked, self._store, file)
                for piece in pieces:
                    made.update(piece)
                    size += len(piece)
                    if size - told >= STEP:
                        told = size
                        yield
            except _BROKEN:
                return f"{position}/{at}"
            if (made.hexdigest(), size) != (file.sha256, file.size):
                return f"{position}/{at}"
        return part

    def _keep(self, key: UUID, since: datetime, place: tuple[int, UUID], part: Part) -> bool:
        position, record = place
        with self._db.writing() as work:
            session = work.session
            row = session.get_one(Transfer, key)
            if row.packing_since != since:
                return False
            sealed = self._vault.seal(session, record, part.dump(), context=_context(key, record))
            session.merge(TransferPart(transfer_id=key, record_id=record, position=position, sealed=sealed))
            work.commit()
        return True

    def _broken(self, identity: Identity, key: UUID, since: datetime, fault: str) -> None:
        with self._db.writing() as work:
            row = work.session.get_one(Transfer, key)
            if row.packing_since == since:
                forget_bag(work.session, row)
                row.packing_fault, row.version = fault, row.version + 1
                self._transfers.note(work.session, identity, "transfer.pack_fail", row, place=fault)
                work.commit()

    def _finish(self, identity: Identity, key: UUID, since: datetime) -> bool:
        """Note that the bag is made; False: what may go has changed meanwhile, so that there is more to do."""
        with self._db.reading() as session:
            row = session.get_one(Transfer, key)
            items = self._transfers.may_go(session, row)
            if self._kept(session, key) != {record for _, record in items}:
                return not self._drop_others(key, since)
            about = whole_bag(session, row, items, self._guard.day().isoformat())
            stands, _ = self._tags(key, about)
        with self._db.writing() as work:
            session = work.session
            row = session.get_one(Transfer, key)
            if row.packing_since != since:
                return True
            if list(self._transfers.may_go(session, row)) != list(items):
                return False
            if items:
                self._transfers.packed(session, identity, row, stands)
                row.bag = about
            else:  # meanwhile something came to keep every record here
                forget_bag(session, row)
                row.version += 1
                self._transfers.note(session, identity, "transfer.pack_stop", row)
                if row.state is TransferState.APPROVED:  # of what was packed before, a bag may be on its way
                    self._transfers.end_if_empty(session, identity, row)
            work.commit()
        return True

    def _kept(self, session: Session, key: UUID) -> set[UUID]:
        return set(session.scalars(select(TransferPart.record_id).where(TransferPart.transfer_id == key)))

    def _drop_others(self, key: UUID, since: datetime) -> bool:
        """Drop the parts of what may not go any more; False: the bag is not being made any more."""
        with self._db.writing() as work:
            session = work.session
            row = session.get_one(Transfer, key)
            if row.packing_since != since:
                return False
            stay = [record for _, record in self._transfers.may_go(session, row)]
            gone = TransferPart.transfer_id == key, TransferPart.record_id.not_in(stay)
            session.execute(delete(TransferPart).where(*gone))
            work.commit()
        return True

    def send(self, identity: Identity, transfer_id: UUID) -> tuple[str, datetime, Iterator[Member]]:
        """Return the number of a transfer, when its bag was made, and the files of the bag. Each sending is logged.

        Raises:
            NotFound, NotAllowed: not for this person.
            Ended: there is no bag to be sent.
            InvalidInput: field ``records``: something may not go any more; the bag must be made again.
            Damaged: what is kept of the bag is not what was made.
            Conflict: it was made anew at this moment.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            row = self._transfers.own(session, identity, transfer_id, None)
            about, at, version = row.bag, row.packed_at, row.version
            if row.state is not TransferState.PACKED or row.packing_since or about is None or at is None:
                raise Ended(state=row.state.value, act="transfer.download")
            records = [record for _, record in self._transfers.may_go(session, row)]
            if set(records) != self._kept(session, row.id):
                raise InvalidInput(Fault("records", "changed_meanwhile"))
            stands, tags = self._tags(row.id, about)
            if stands != row.bag_sha256:
                raise Damaged
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._transfers.own(work.session, identity, transfer_id, version)
            self._transfers.note(work.session, identity, "transfer.download", row, bag=stands)
            for start in range(0, len(records), AT_ONCE):
                told = [(key, {"transfer": row.number}) for key in records[start : start + AT_ONCE]]
                self._log.note_many(work.session, identity, "transfer.copy", told)
            work.commit()
        return row.number, at, self._members(transfer_id, about, tags)

    def _members(self, key: UUID, about: Mapping[str, str], tags: Mapping[str, bytes]) -> Iterator[Member]:
        yield from ((name, len(data), iter([data])) for name, data in tags.items() if name == "bagit.txt")
        data = about["transfer.json"].encode()
        yield "data/transfer.json", len(data), iter([data])
        for record, part in self._parts(key):
            for path, text in part.texts.items():
                data = text.encode()
                yield f"data/{path}", len(data), iter([data])
            with self._db.reading() as session:
                unlocked = self._vault.unlock(session, record)
            for file in part.files:
                with self._db.reading() as session:
                    pieces = plain(session, unlocked, self._store, file)
                yield f"data/{file.path}", file.size, _as_noted(pieces, file)
        yield from ((name, len(data), iter([data])) for name, data in tags.items() if name != "bagit.txt")

    def _tags(self, key: UUID, about: Mapping[str, str]) -> tuple[str, dict[str, bytes]]:
        """Return the hash that stands for a bag, and its tag files."""
        text = about["transfer.json"].encode()
        sums = {"data/transfer.json": (sha256(text).hexdigest(), len(text))}
        for _, part in self._parts(key):
            for path, words in part.texts.items():
                sums[f"data/{path}"] = (sha256(words.encode()).hexdigest(), len(words.encode()))
            sums.update({f"data/{file.path}": (file.sha256, file.size) for file in part.files})
        tags = bag.tag_files([(name, value) for name, value in about.items() if name != "transfer.json"], sums)
        return sha256(tags[bag.TAGS]).hexdigest(), tags

    def _parts(self, key: UUID) -> Iterator[tuple[UUID, Part]]:
        """Open the parts of a bag in the order of its list, a few at a time."""
        last = -1
        while True:
            query = select(TransferPart).where(TransferPart.transfer_id == key, TransferPart.position > last)
            query = query.order_by(TransferPart.position).limit(_OPENED)
            with self._db.reading() as session:
                opened = self._opened(session, session.scalars(query).all())
            for row, part in opened:
                yield row.record_id, part
            if len(opened) < _OPENED:
                return
            last = opened[-1][0].position

    def _opened(self, session: Session, rows: Sequence[TransferPart]) -> list[tuple[TransferPart, Part]]:
        sealed = [(row.record_id, row.sealed, _context(row.transfer_id, row.record_id)) for row in rows]
        texts = self._vault.open_many(session, sealed)
        if None in texts:
            raise Damaged
        return [(row, Part.load(text)) for row, text in zip(rows, texts, strict=True) if text is not None]


class PackBags(Stepwise):
    """The job: reading all that is handed over may take long."""

    deadline = 86_400.0
    max_attempts = 20

    def __init__(self, db: Database, bags: Bags) -> None:
        super().__init__(JobKind.PACK, db, bags.go_on)


def _as_noted(pieces: Iterator[bytes], file: PartFile) -> Iterator[bytes]:
    """Send a file; break off where it is not what was noted, before its last piece has gone."""
    made, held = sha256(), b""
    for piece in pieces:
        made.update(piece)
        if held:
            yield held
        held = piece
    if made.hexdigest() != file.sha256:
        raise Damaged
    if held:
        yield held


def _context(transfer: UUID, record: UUID) -> str:
    return f"transfer-part:{transfer.hex}:{record.hex}"
