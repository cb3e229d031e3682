"""Files on their way in: the rows that announce them, and the transaction that makes them valid."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work
from archive.dates import date_in_name
from archive.errors import Conflict, NotFound, WrongState
from archive.failpoints import reach
from archive.files.pairing import meet
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Content, ContentState, File, FileRole, JobKind, Record, RecordState
from archive.policy.condition import holds
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import ContentSealer, ObjectStore, StoredObject

MAX_NAME = 1_000

ALIVE_EVERY = timedelta(seconds=30)
"""How often a whole file that comes in gives a sign of life."""

BROKEN_AFTER = timedelta(minutes=5)
"""Without a sign of life for so long, a whole file broke off: its process is gone."""

MOST_DOUBLES = 5
LOOKED_AT = 200
"""Contents with the same bytes that are looked at: a logo may lie in tens of thousands of records."""


@dataclass(frozen=True)
class Incoming:
    """A file on its way in: to which record, under what name, its bytes as they come."""

    record_id: UUID
    name: str
    data: Iterable[bytes]
    role: FileRole = FileRole.ORIGINAL


@dataclass(frozen=True)
class Received:
    """A file that is in: its content, and records with the same bytes that the person may see."""

    content_id: UUID
    size: int
    doubles: tuple[UUID, ...]


@dataclass(frozen=True)
class Sums:
    """What a sealer knows at its end."""

    plain_size: int
    plain_sha256: str
    cipher_sha256: str


@dataclass(frozen=True)
class Replaced:
    """What gave way to a file: its place among the files of its record, and what the log says of it."""

    position: int = 0
    body: Mapping[str, object] = field(default_factory=dict)
    record_id: UUID | None = None


Replacing = Callable[[Work], Replaced]
"""Takes a file off in the transaction in which another comes in its stead."""


class Arrivals:
    """Writes what the database knows of files on their way in, many at a time."""

    def __init__(self, db: Database, guard: Guard, store: ObjectStore, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._store = store
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def announce(self, identity: Identity, files: Sequence[tuple[Incoming, int | None]]) -> list[Content]:
        """Write the rows of files that are about to come in; with a size, one that comes in pieces."""
        now = self._clock.now()
        ids = [file.record_id for file, _ in files]
        with self._guard.refusals(identity):
            keyed = self._keyed(identity, ids, [size is not None for _, size in files])
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._check(session, identity, ids)
            there = select(File.record_id, func.count()).where(File.record_id.in_(ids)).group_by(File.record_id)
            positions = dict(session.execute(there).all())
            contents = []
            for (file, size), (key, upload) in zip(files, keyed, strict=True):
                position = positions.get(file.record_id, 0)
                positions[file.record_id] = position + 1
                name = file.name[:MAX_NAME]
                row = File(id=new_id(), record_id=file.record_id, role=file.role, position=position, name=name)
                content = Content(
                    id=new_id(),
                    file_id=row.id,
                    record_id=file.record_id,
                    object_key=key,
                    declared_size=size,
                    upload=upload,
                    created_at=now,
                    created_by=identity.person_id,
                )
                session.add(row)
                contents.append(content)
            session.flush()
            session.add_all(contents)
            work.commit()
        return contents

    def _keyed(
        self, identity: Identity, record_ids: Sequence[UUID], in_pieces: Sequence[bool]
    ) -> list[tuple[str, str | None]]:
        """Give each file its key, and open the uploads of those that come in pieces.

        Before the transaction that announces them: no write waits for a store. One that fails then leaves an upload to
        the sweeper.
        """
        if any(in_pieces):
            with self._db.reading() as session:
                self._check(session, identity, record_ids)
        keys = [secrets.token_hex(16) for _ in record_ids]
        return [(key, self._store.begin(key) if piece else None) for key, piece in zip(keys, in_pieces, strict=True)]

    def _check(self, session: Session, identity: Identity, record_ids: Sequence[UUID]) -> None:
        """Refuse unless files may be added to each of these records."""
        records = {r.id: r for r in session.scalars(select(Record).where(Record.id.in_(record_ids)))}
        facts = facts_of_many(session, records.values())
        allowed = condition(Act.DESCRIBE, self._guard.reach(session, identity))
        for key in record_ids:
            if key not in records or not holds(allowed, facts[key]):
                self._guard.require(session, identity, Act.DESCRIBE, key)  # says no in the right way
            if records[key].state is not RecordState.PROVISIONAL:
                raise WrongState(state=records[key].state.value, act="file.add")

    def stored(
        self,
        identity: Identity,
        arrived: Sequence[tuple[Content, "ContentSealer | Sums", StoredObject]],
        replacing: "Replacing | None" = None,
    ) -> list[Received]:
        """Make contents valid in one transaction, with their log entries and what follows from them.

        ``replacing`` takes off, in the same transaction, what they come instead of; the one entry names both.
        """
        if not arrived:
            return []
        ids = [content.id for content, _, _ in arrived]
        with self._db.writing() as work:
            session = work.session
            rows = {row.id: row for row in session.scalars(select(Content).where(Content.id.in_(ids)))}
            file_ids = [row.file_id for row in rows.values()]
            files = {row.id: row for row in session.scalars(select(File).where(File.id.in_(file_ids)))}
            for content, sums, stored in arrived:
                row = rows.get(content.id)
                if row is None or row.state is not ContentState.RECEIVING:
                    raise Conflict(what="upload")
                row.state, row.store_version, row.upload = ContentState.STORED, stored.version, None
                row.size, row.cipher_size = sums.plain_size, stored.size
                row.plain_sha256, row.cipher_sha256 = sums.plain_sha256, sums.cipher_sha256
                files[row.file_id].content_id = row.id
            act, given_way = "file.add", Replaced()
            if replacing is not None:
                act, given_way = "file.replace", replacing(work)
                if any(row.record_id != given_way.record_id for row in rows.values()):
                    raise NotFound  # a file of another record would go without a word in its history
                for file in files.values():
                    file.position = given_way.position
            named = [(rows[key], files[rows[key].file_id].name) for key in ids]
            self._follow(work, identity, named, act, given_way.body)
            reach("intake.before_commit")
            work.commit()
        reach("intake.stored")
        with self._db.reading() as session:
            doubles = self._doubles(session, identity, [rows[key] for key in ids])
        return [Received(key, rows[key].size or 0, doubles.get(key, ())) for key in ids]

    def _follow(
        self,
        work: Work,
        identity: Identity,
        stored: Sequence[tuple[Content, str]],
        act: str,
        more: Mapping[str, object],
    ) -> None:
        session = work.session
        session.flush()
        records = [content.record_id for content, _ in stored]
        session.execute(update(Record).where(Record.id.in_(records)).values(version=Record.version + 1))
        bodies = [
            (content.record_id, {"name": name, "size": content.size, "content": str(content.id), **more})
            for content, name in stored
        ]
        self._log.note_many(session, identity, act, bodies)
        self._propose_dates(session, identity, stored)
        session.flush()
        meet(session, records)
        self._outbox.add_many(work, JobKind.EXTRACT, [content.id for content, _ in stored])

    def _propose_dates(self, session: Session, identity: Identity, stored: Sequence[tuple[Content, str]]) -> None:
        """Propose the day in a file's name for a record without a date: whoever named it knew better than its text."""
        today = self._guard.day()
        named = {content.record_id: day for content, name in reversed(stored) if (day := date_in_name(name, today))}
        if not named:
            return
        undated = select(Record).where(
            Record.id.in_(named), Record.drawn_up.is_(None), Record.state == RecordState.PROVISIONAL
        )
        bodies = []
        for record in session.scalars(undated.execution_options(populate_existing=True)):
            day = named[record.id]
            record.drawn_up, record.drawn_from, record.drawn_to = day.text, day.first, day.last
            record.drawn_up_proposed = True
            bodies.append((record.id, {"after": day.text}))
        self._log.note_many(session, identity, "record.propose_date", bodies)

    def _doubles(
        self, session: Session, identity: Identity, contents: Sequence[Content]
    ) -> dict[UUID, tuple[UUID, ...]]:
        """Return, by content, visible records with the same bytes, among the newest of them; of others nothing is said.

        The machine's operator sees all.
        """
        hashes = {content.plain_sha256 for content in contents}
        newest = func.row_number().over(partition_by=Content.plain_sha256, order_by=Content.record_id.desc())
        there = select(Content.plain_sha256, Content.record_id, newest.label("place"))
        some = there.where(Content.plain_sha256.in_(hashes)).subquery()
        same: dict[str | None, set[UUID]] = {}
        for sha256, record_id, _place in session.execute(select(some).where(some.c.place <= LOOKED_AT)):
            same.setdefault(sha256, set()).add(record_id)
        others = {each.id: same.get(each.plain_sha256, set()) - {each.record_id} for each in contents}
        wanted = set[UUID]().union(*others.values())
        visible = wanted if identity.is_system else self._guard.seen(session, identity, list(wanted))
        return {key: tuple(sorted(found & visible)[:MOST_DOUBLES]) for key, found in others.items() if found}

    def doubles(self, identity: Identity, content_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        """Return, by content, visible records with the same bytes as these contents, which came in before."""
        with self._db.reading() as session:
            rows = session.scalars(select(Content).where(Content.id.in_(content_ids))).all()
            return self._doubles(session, identity, rows)

    def alive(self, contents: Sequence[Content]) -> None:
        """Say of whole files that are coming in that they still are."""
        ids = [content.id for content in contents]
        with self._db.writing() as work:
            waiting = update(Content).where(Content.id.in_(ids), Content.state == ContentState.RECEIVING)
            work.session.execute(waiting.values(created_at=self._clock.now()))
            work.commit()

    def take_back(self, identity: Identity, record_ids: Sequence[UUID]) -> None:
        """Take back whole files of these records that never came in. Only for a caller who knows: no one sends them."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._check(work.session, identity, record_ids)
            drop_whole(work.session, Content.record_id.in_(record_ids))
            work.commit()

    def withdraw(self, content: Content) -> None:
        """Take back an announced file that did not come in."""
        if content.upload:
            self._store.abort(content.object_key, content.upload)
        with self._db.writing() as work:
            work.session.execute(delete(Content).where(Content.id == content.id))
            work.session.execute(delete(File).where(File.id == content.file_id))
            work.commit()


def drop_whole(session: Session, *which: ColumnElement[bool]) -> list[tuple[UUID, str]]:
    """Remove whole files that are still coming in, with what announced them; return each one's record and name."""
    rows = session.execute(
        select(Content.id, Content.file_id, Content.record_id, File.name)
        .join(File, File.id == Content.file_id)
        .where(Content.state == ContentState.RECEIVING, Content.upload.is_(None), *which)
    ).all()
    files = [row.file_id for row in rows]
    session.execute(delete(Content).where(Content.id.in_([row.id for row in rows])))
    other = exists().where(Content.file_id == File.id)
    empty = delete(File).where(File.id.in_(files), File.content_id.is_(None), ~other)
    session.execute(empty.execution_options(synchronize_session=False))
    return [(row.record_id, row.name) for row in rows]


def drop_broken(session: Session, record_ids: Iterable[UUID], now: datetime) -> list[tuple[UUID, str]]:
    """Remove whole files of these records that broke off. One that comes to life again finds no row to be stored in."""
    return drop_whole(session, Content.record_id.in_(record_ids), Content.created_at < now - BROKEN_AFTER)
