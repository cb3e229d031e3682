"""The register of readers from outside: kept from one visit to the next, found again by a whole name or number.

A reader lies sealed under a key of their own. Some time after the last visit (the house's rules of loans say how long)
the reader is erased with the key, and the number of their paper is taken out of the visits that stay.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import Place, newest_first
from archive.errors import NotFound
from archive.identity import Identity, system
from archive.ids import new_id
from archive.loans import rules
from archive.loans.standing import rules_now
from archive.log.writer import Log
from archive.model import OutsideUse, OwnerKey
from archive.model.uses import IdentityPaper, OutsideReader
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

BATCH = 100


@dataclass(frozen=True)
class Reader:
    """Who came: as their identity paper says, and for whom. ``contact``: how they are reached."""

    name: str
    paper: IdentityPaper
    number: str
    organisation: str = ""
    contact: str = ""


@dataclass(frozen=True)
class ReaderShown:
    """A reader of the register; ``reader.number`` is empty, ``shown_number`` has its ends alone."""

    row: OutsideReader
    reader: Reader
    shown_number: str


class OutsideReaders:
    """The acts on the register, for those who register visits."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def keep(self, session: Session, identity: Identity, reader: Reader) -> UUID:
        """Note that a reader came now, and what they said of themselves; returns their id. The caller has asked.

        ``reader.number`` is in its one form. Who has the same paper is the same reader.
        """
        token = self.token(reader.paper, reader.number)
        row = session.scalar(select(OutsideReader).where(OutsideReader.token == token))
        act = "outside.visit_again"
        if row is None:
            act, row = "outside.keep_reader", self._new(session, token, self._clock.now())
        self._write(session, row, reader, self._clock.now())
        self._log.note(session, identity, act, body={"reader": row.number})
        return row.id

    def known(self, session: Session, reader_id: UUID) -> Reader:
        """Return a reader with the whole number. The caller has asked. Raises ``NotFound``."""
        row = session.get(OutsideReader, reader_id)
        if row is None:
            raise NotFound
        return self._opened(session, [row])[row.id]

    def list(self, identity: Identity, after: Place | None = None, *, limit: int) -> Sequence[ReaderShown]:
        """Return the readers, who came last first, behind the one of this moment and id. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            return self._shown(session, session.scalars(_last_first(select(OutsideReader), after).limit(limit)).all())

    def find(
        self, identity: Identity, words: str, after: Place | None = None, *, limit: int
    ) -> tuple[Sequence[ReaderShown], Place | None]:
        """Return who has this whole name, or this whole number of a paper; a part finds nobody. It is written down.

        In the order of ``list``, behind a place, at most ``limit``; and the place behind them, where others follow.
        Raises ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            number = "".join(words.split()).upper()
            tokens = [self.token(paper, number) for paper in IdentityPaper]
            same = or_(OutsideReader.token.in_(tokens), OutsideReader.name_token == self._name_token(words))
            query = _last_first(select(OutsideReader).where(same), after)
            rows = session.scalars(query.limit(limit + 1)).all()
            shown = self._shown(session, rows[:limit])  # nobody is opened but to be shown
            self._log.note(session, identity, "outside.find_reader", body={"found": len(shown)})
            work.commit()
            return shown, (rows[limit - 1].last_at, rows[limit - 1].id) if len(rows) > limit else None

    def show(self, identity: Identity, reader_id: UUID) -> ReaderShown:
        """Return a reader. Raises ``NotFound``, ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            return self._shown(session, [self._kept(session, identity, reader_id)])[0]

    def reveal(self, identity: Identity, reader_id: UUID) -> str:
        """Return the whole number of a reader's paper; that it was shown is written down. Raises as ``show``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            row = self._kept(work.session, identity, reader_id)
            number = self._opened(work.session, [row])[row.id].number
            self._log.note(work.session, identity, "outside.reveal_reader", body={"reader": row.number})
            work.commit()
            return number

    def erase(self, identity: Identity, reader_id: UUID) -> None:
        """Erase a reader before the time. Raises as ``show``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._erase(work.session, identity, self._kept(work.session, identity, reader_id))
            work.commit()

    def gather(self) -> int:
        """Take visits from before the register into it, one batch; return how many."""
        with self._db.reading() as session:
            old = select(OutsideUse.id).where(OutsideUse.reader_id.is_(None), OutsideUse.token != "")
            ids = session.scalars(old.order_by(OutsideUse.id).limit(BATCH)).all()
        for key in ids:
            with self._db.writing() as work:
                use = work.session.get(OutsideUse, key)
                if use is not None and use.reader_id is None and use.token:
                    self._take_in(work.session, use)
                    work.commit()
        return len(ids)

    def _take_in(self, session: Session, use: OutsideUse) -> None:
        """Find who came on a visit in the register, or note them there; a newer visit says who they are now."""
        data = self._vault.open_many(session, [(use.id, use.sealed, visit_context(use.id))])[0]
        use.version += 1
        if data is None:
            use.token = ""
            return
        row, reader = session.scalar(select(OutsideReader).where(OutsideReader.token == use.token)), unpacked(data)
        if row is None:
            row = self._new(session, use.token, use.at)
            self._log.note(session, system("loans"), "outside.keep_reader", body={"reader": row.number})
        if not row.sealed or use.at >= row.last_at:
            self._write(session, row, reader, use.at)
        row.since, use.reader_id = min(row.since, use.at), row.id

    def _new(self, session: Session, token: str, at: datetime) -> OutsideReader:
        key = new_id()
        self._vault.add_owner(session, key, due_year=None)
        number = (session.scalar(select(func.max(OutsideReader.number))) or 0) + 1
        row = OutsideReader(id=key, number=number, token=token, name_token="", sealed=b"", since=at, last_at=at)
        session.add(row)
        session.flush()
        return row

    def _write(self, session: Session, row: OutsideReader, reader: Reader, at: datetime) -> None:
        row.sealed = self._vault.seal(session, row.id, _packed(reader), context=_context(row.id))
        row.name_token, row.last_at, row.version = self._name_token(reader.name), at, row.version + 1
        session.flush()

    def sweep(self) -> int:
        """Erase readers whose last visit is longer ago than the house keeps them, one batch; return how many."""
        with self._db.reading() as session:
            days = rules_now(session).readers or rules.shipped().readers or rules.MOST_DAYS
            over = OutsideReader.last_at < self._clock.now() - timedelta(days=days)
            ids = session.scalars(select(OutsideReader.id).where(over).limit(BATCH)).all()
        for key in ids:
            with self._db.writing() as work:
                if (row := work.session.get(OutsideReader, key)) is not None:
                    self._erase(work.session, system("loans"), row)
                    work.commit()
        return len(ids)

    def token(self, paper: IdentityPaper, normal: str) -> str:
        """Return what finds the number of a paper again."""
        return self._vault.token("outside", f"{paper.value}:{normal}")

    def _name_token(self, name: str) -> str:
        return self._vault.token("outside-name", "".join(name.split()).casefold())

    def _erase(self, session: Session, identity: Identity, row: OutsideReader) -> None:
        for use in session.scalars(select(OutsideUse).where(OutsideUse.reader_id == row.id)):
            data = self._vault.open(session, use.id, use.sealed, context=visit_context(use.id))
            bare = json.dumps({**json.loads(data), "number": "", "contact": ""}, ensure_ascii=False).encode()
            use.sealed = self._vault.seal(session, use.id, bare, context=visit_context(use.id))
            use.token, use.reader_id, use.version = "", None, use.version + 1
        session.flush()
        session.execute(delete(OutsideReader).where(OutsideReader.id == row.id))
        session.execute(delete(OwnerKey).where(OwnerKey.owner_id == row.id))
        self._log.note(session, identity, "outside.erase_reader", body={"reader": row.number})

    def _kept(self, session: Session, identity: Identity, reader_id: UUID) -> OutsideReader:
        self._guard.require_house(session, identity, Act.SEE_LOANS)
        row = session.get(OutsideReader, reader_id)
        if row is None:
            raise NotFound
        return row

    def _opened(self, session: Session, rows: Sequence[OutsideReader]) -> Mapping[UUID, Reader]:
        opened = self._vault.open_many(session, [(each.id, each.sealed, _context(each.id)) for each in rows])
        return {row.id: unpacked(data) for row, data in zip(rows, opened, strict=True) if data is not None}

    def _shown(self, session: Session, rows: Sequence[OutsideReader]) -> Sequence[ReaderShown]:
        opened = self._opened(session, rows)
        return [
            ReaderShown(row, replace(opened[row.id], number=""), ends_of(opened[row.id].number))
            for row in rows
            if row.id in opened
        ]


def _last_first(query: Select[OutsideReader], after: Place | None) -> Select[OutsideReader]:
    return newest_first(query, OutsideReader.last_at, OutsideReader.id, after)


def unpacked(data: bytes) -> Reader:
    """Return a reader from what was sealed."""
    facts = json.loads(data)
    paper = IdentityPaper(facts["paper"])
    return Reader(facts["name"], paper, facts["number"], facts["organisation"], facts.get("contact", ""))


def ends_of(number: str) -> str:
    """Return a number with its first and last sign alone."""
    return f"{number[0]}{'*' * (len(number) - 2)}{number[-1]}" if len(number) > 2 else "*" * len(number)


def visit_context(key: UUID) -> str:
    """Return what the reader of a visit is sealed for."""
    return f"outside-use:{key.hex}"


def _packed(reader: Reader) -> bytes:
    return json.dumps({**asdict(reader), "paper": reader.paper.value}, ensure_ascii=False).encode()


def _context(key: UUID) -> str:
    return f"outside-reader:{key.hex}"
