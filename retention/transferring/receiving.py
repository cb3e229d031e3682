"""Bags of other archives, sent as a ZIP of a record like any file, taken in by a job."""

import io
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import Session

from archive.bag import ZipBag
from archive.cataloguing.describing import Draft
from archive.closing import is_closed
from archive.database.newest import newest_first
from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.stepwise import Stepwise
from archive.log.writer import Log
from archive.model import Category, Content, ContentState, File, JobKind, Level, Record
from archive.model.handin import BagDraft, BagIntake, BagState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ContentReader, Vault
from retention.transferring.taking_in import Means, take_in

SHOWN = 50
NOTED = 500
"""Drafts that one transaction notes."""

_BUFFER = 1024 * 1024
ZIPPED = func.lower(File.name).like(literal_column("'%.zip'"))  # word for word as its index says


class Receiving:
    """The acts on bags that come in, and the job that takes them in with the rights of who asked."""

    def __init__(self, means: Means, guard: Guard, vault: Vault, log: Log, outbox: Outbox) -> None:
        self._means = means
        self._db = means.db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox

    def every(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[BagIntake]:
        """Return the bags that a person takes in or took in, the newest first, behind one by moment and id.

        Raises:
            NotAllowed: they have nothing to do with transfers.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            own = select(BagIntake).where(BagIntake.begun_by == identity.person_id)
            return session.scalars(newest_first(own, BagIntake.begun_at, BagIntake.id, after).limit(limit)).all()

    def offered(self, identity: Identity) -> Sequence[tuple[UUID, str, str]]:
        """Return the newest records that hold a ZIP and that this person reads: id, title, name of the file."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            held = (
                self._guard.visible(session, identity)
                .join(File, File.record_id == Record.id)
                .join(Content, Content.id == File.content_id)
                .where(Content.state == ContentState.STORED, ZIPPED)
                .with_only_columns(Record.id, Record.title, File.name)
            )
            rows = session.execute(held.order_by(File.content_id.desc()).limit(SHOWN)).all()
        return [(row.id, row.title, row.name) for row in {row.id: row for row in reversed(rows)}.values()][::-1]

    def start(self, identity: Identity, record_id: UUID, category_id: UUID, level_rank: int) -> UUID:
        """Begin to take in the bag that is the newest ZIP of a record.

        ``level_rank`` is for records whose own level is not known here.

        Raises:
            NotAllowed, NotFound: not an archivist; a record that they do not read, or may not take files of.
            InvalidInput: ``record``: it has no ZIP, or that is being taken in; ``category``, ``level``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            if identity.person_id is None:
                raise NotAllowed(act=Act.MANAGE_TRANSFERS.value)
            self._guard.require(session, identity, Act.READ, record_id)
            content = session.scalars(_zips(record_id)).first()
            running = BagIntake.record_id == record_id, BagIntake.state == BagState.RUNNING
            if content is None:
                raise InvalidInput(Fault("record", "no_bag"))
            if session.scalar(select(BagIntake.id).where(*running)) is not None:
                raise InvalidInput(Fault("record", "bag_comes_in"))
            self._guard.require_content(session, identity, Act.TAKE, content, ContentState.STORED)
            category = session.get(Category, category_id)
            if category is None or is_closed(category.closed_on, self._guard.day()):
                raise InvalidInput(Fault("category", "unknown"))
            if session.get(Level, level_rank) is None:
                raise InvalidInput(Fault("level", "unknown"))
            row = BagIntake(
                id=new_id(), record_id=record_id, content_id=content, category_id=category_id, level_rank=level_rank,
                begun_by=identity.person_id, begun_at=self._guard.now(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            self._outbox.add(work, JobKind.TAKE_IN, row.id, requested_by=identity.person_id)
            self._log.note(session, identity, "transfer.take_in", record=record_id, body={"bag": str(row.id)})
            work.commit()
        return row.id

    def show(self, identity: Identity, key: UUID) -> BagIntake:
        """Return one of a person's own. Raises ``NotFound``, ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            return self._own(session, identity, key)

    def drafts(
        self, identity: Identity, key: UUID, *, after: UUID | None = None, limit: int
    ) -> tuple[Sequence[Record], int]:
        """Return the records that came in by a bag and are seen, behind an id, and how many these are in all.

        Raises as ``show``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._own(session, identity, key)
            came = select(BagDraft.record_id).where(BagDraft.bag_id == key)
            seen = self._guard.visible(session, identity).where(Record.id.in_(came))
            count = session.scalar(select(func.count()).select_from(seen.subquery())) or 0
            if after is not None:
                seen = seen.where(Record.id > after)
            return session.scalars(seen.order_by(Record.id).limit(limit)).all(), count

    def stop(self, identity: Identity, key: UUID, version: int) -> None:
        """Stop; what has come in stays. Raises as ``show``; ``Ended``, ``Conflict``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._own(work.session, identity, key)
            _current(row, version, "transfer.take_in_stop", BagState.RUNNING)
            row.state, row.version = BagState.STOPPED, row.version + 1
            self._log.note(work.session, identity, "transfer.take_in_stop", body={"bag": str(row.id)})
            work.commit()

    def again(self, identity: Identity, key: UUID, version: int) -> None:
        """Go on with one that was stopped or failed: nothing comes in twice. Raises as ``stop``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._own(work.session, identity, key)
            _current(row, version, "transfer.take_in", BagState.STOPPED, BagState.FAILED)
            row.state, row.fault, row.version = BagState.RUNNING, "", row.version + 1
            self._outbox.add(work, JobKind.TAKE_IN, row.id, requested_by=identity.person_id)
            self._log.note(work.session, identity, "transfer.take_in", record=row.record_id, body={"bag": str(row.id)})
            work.commit()

    def go_on(self, identity: Identity, key: UUID) -> Iterator[None]:
        """Take in what is left of a bag; yields after each step."""
        with self._db.reading() as session:
            row = session.get(BagIntake, key)
            if row is None or row.state is not BagState.RUNNING:
                return
        try:
            with self._db.reading() as session:
                content, record, _ = self._guard.require_content(
                    session, identity, Act.TAKE, row.content_id, ContentState.STORED
                )
                category = session.get_one(Category, row.category_id)
                unlocked = self._vault.unlock(session, record.id)
            reader = self._means.intake.reader(content, unlocked)
            draft = Draft(
                fonds_id=category.fonds_id, category_id=category.id, title="-", level_rank=row.level_rank
            )  # fmt: skip
            steps = take_in(
                self._means, identity, _opened(reader), draft, begun=row.records > 0, note=partial(self._came, key)
            )  # fmt: skip
            while True:
                try:
                    place = next(steps)
                except StopIteration as end:
                    self._end(identity, key, BagState.DONE, number=end.value.number, records=end.value.records)
                    reach("transfer.taken_in")
                    self._means.imports.end(identity, end.value.run)
                    return
                if place and not self._noted(key, *place):
                    return
                yield
        except InvalidInput as error:
            fault = error.faults[0]
            self._end(identity, key, BagState.FAILED, fault=f"{fault.code} {fault.field}")
        except (Conflict, NotAllowed, NotFound, WrongState):
            self._end(identity, key, BagState.FAILED, fault="bag_not_allowed bag")

    def _came(self, key: UUID, ids: Collection[UUID]) -> None:
        """Note which drafts came in by a bag."""
        came = sorted(ids)
        for part in (came[start : start + NOTED] for start in range(0, len(came), NOTED)):
            with self._db.writing() as work:
                known = select(BagDraft.record_id).where(BagDraft.bag_id == key, BagDraft.record_id.in_(part))
                fresh = set(part) - set(work.session.scalars(known))
                work.session.add_all(BagDraft(bag_id=key, record_id=each) for each in fresh)
                work.commit()

    def _noted(self, key: UUID, done: int, records: int) -> bool:
        """Note how far it is; False: somebody stopped it."""
        with self._db.writing() as work:
            row = work.session.get_one(BagIntake, key)
            if row.state is not BagState.RUNNING:
                return False
            row.done, row.records = done, records
            work.commit()
        return True

    def _end(
        self, identity: Identity, key: UUID, state: BagState, *, number: str = "", records: int = 0, fault: str = ""
    ) -> None:
        with self._db.writing() as work:
            row = work.session.get_one(BagIntake, key)
            row.state, row.version, row.fault = state, row.version + 1, fault[:300]
            if state is BagState.DONE:
                row.number, row.records, row.done = number, records, records
                body = {"bag": str(row.id), "number": number, "records": records}
                self._log.note(work.session, identity, "transfer.take_in_end", record=row.record_id, body=body)
            work.commit()

    def _own(self, session: Session, identity: Identity, key: UUID) -> BagIntake:
        self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
        row = session.get(BagIntake, key)
        if row is None or row.begun_by != identity.person_id:
            raise NotFound
        return row


class TakeBagsIn(Stepwise):
    """The job: a bag may be large."""

    deadline = 86_400.0
    max_attempts = 20


class _Reading(io.RawIOBase):
    """A stored content as a file that can be sought in; it is opened piece by piece and lies nowhere in the plain."""

    def __init__(self, reader: ContentReader) -> None:
        super().__init__()
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size}[whence]
        if start + offset < 0:
            raise ValueError(offset)
        self._at = start + offset
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # what BufferedReader gives
        wanted = max(0, min(len(buffer), self._reader.size - self._at))
        data = b"".join(self._reader.read(self._at, wanted)) if wanted else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _opened(reader: ContentReader) -> ZipBag:
    try:
        return ZipBag(io.BufferedReader(_Reading(reader), _BUFFER))
    except (ValueError, OSError):
        raise InvalidInput(Fault("bag", "bag_unreadable")) from None


def _zips(record_id: UUID) -> Select[UUID]:
    """Return a query for the newest ZIP of a record."""
    query = select(Content.id).join(File, File.content_id == Content.id).where(File.record_id == record_id)
    stored = Content.state == ContentState.STORED, ZIPPED
    return query.where(*stored).order_by(Content.id.desc()).limit(1)


def _current(row: BagIntake, version: int, act: str, *states: BagState) -> None:
    if row.state not in states:
        raise Ended(state=row.state.value, act=act)
    if row.version != version:
        raise Conflict(what="transfer", version=row.version)
