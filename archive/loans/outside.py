"""Readers from outside: an archivist writes down who came, what for, and what they were given to read or copied.

Who the reader is lies sealed under the visit's own key; the number of their paper is found again as a whole, by a keyed
token, and shown in full to who asks for it, which is written down. Need and effect lie under the key of each record.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from archive.files.attachments import Owner
from archive.identity import Identity
from archive.ids import new_id
from archive.loans.readers import OutsideReaders, Reader, ends_of, unpacked, visit_context
from archive.log.writer import Log
from archive.model import Level, OutsideUse, Person, Record, RecordOpening
from archive.model.uses import IdentityPaper, OutsideUseRecord, UseHow
from archive.personal import check_identity
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.uses import count_use

LONGEST = 500
"""Characters of a need, and of an effect."""

LONGEST_NAME = 100

LONGEST_NUMBER = 40

MOST = 50
"""Records of one visit."""


@dataclass(frozen=True)
class UsedRecord:
    """A record of a visit as someone may see it; title and texts are None for who does not read it."""

    record_id: UUID
    number: str
    title: str | None
    level: int
    how: UseHow
    pages: int | None
    need: str | None
    effect: str | None


@dataclass(frozen=True)
class UseShown:
    """A visit as someone may see it. ``shown_number`` is the number of the paper with its ends alone."""

    use: OutsideUse
    at: datetime
    reader: Reader | None
    shown_number: str
    staff: str
    records: Sequence[UsedRecord]


def open_to_outside(rank: int, lowest: int, *, released: bool, need_to_know: bool) -> bool:
    """Whether a filed record may be given to someone from outside by the archive alone."""
    return not need_to_know and (released or rank == lowest)


class OutsideUses:
    """The acts on visits of readers from outside."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, readers: OutsideReaders
    ) -> None:
        self._known = readers
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def register(
        self, identity: Identity, reader: Reader, need: str, how: UseHow, records: Sequence[UUID],
        pages: int | None = None, known: UUID | None = None,
    ) -> UUID:  # fmt: skip
        """Write down that a reader from outside is given records; returns the visit's id.

        ``known``: who it is, of the register; their paper stands for an empty number then.

        Raises:
            NotAllowed: they hand nothing out.
            NotFound: a record that they do not see, or nobody known so.
            InvalidInput: ``name``, ``paper_number``, ``organisation``, ``need``, ``numbers`` (none, too many, or one
                that is not for readers from outside).
        """
        if known is not None and not reader.number.strip():
            with self._guard.refusals(identity), self._db.reading() as session:
                self._guard.require_house(session, identity, Act.SEE_LOANS)
                kept = self._known.known(session, known)
                reader = replace(reader, paper=kept.paper, number=kept.number)
        normal = _checked(reader, need, records)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            if identity.person_id is None:
                raise NotAllowed(act="outside.register")
            rows = [self._given(session, identity, key) for key in dict.fromkeys(records)]
            key = new_id()
            self._vault.add_owner(session, key, due_year=None)
            facts = {
                "name": reader.name.strip(), "paper": reader.paper.value, "number": normal,
                "organisation": reader.organisation.strip(), "contact": reader.contact.strip(),
            }  # fmt: skip
            who = self._known.keep(session, identity, unpacked(json.dumps(facts).encode()))
            sealed = self._vault.seal(
                session, key, json.dumps(facts, ensure_ascii=False).encode(), context=visit_context(key)
            )
            use = OutsideUse(
                id=key, number=(session.scalar(select(func.max(OutsideUse.number))) or 0) + 1, at=self._clock.now(),
                staff_id=identity.person_id, sealed=sealed, token=self._known.token(reader.paper, normal),
                reader_id=who,
            )  # fmt: skip
            session.add(use)
            session.flush()
            for row in rows:
                self._put(session, identity, use, row, how, pages, need)
            work.commit()
            return key

    def add(
        self, identity: Identity, use_id: UUID, records: Sequence[UUID], how: UseHow, pages: int | None, need: str
    ) -> None:
        """Write down other records of the same visit: all of them, or none.

        Raises:
            NotFound: no such visit of theirs, or no such record.
            InvalidInput: ``numbers``: it is there, there are too many, or it is not for readers from outside; ``need``.
        """
        _check_words(need, "need", must=True)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            use = self._mine(session, identity, use_id)
            rows = [self._given(session, identity, key) for key in dict.fromkeys(records)]
            there = session.scalars(select(OutsideUseRecord.record_id).where(OutsideUseRecord.use_id == use_id)).all()
            if not {each.id for each in rows}.isdisjoint(there):
                raise InvalidInput(Fault("numbers", "noted_already"))
            if len(there) + len(rows) > MOST:
                raise InvalidInput(Fault("numbers", "too_many", {"limit": MOST}))
            use.version += 1
            for row in rows:
                self._put(session, identity, use, row, how, pages, need)
            work.commit()

    def note_effect(self, identity: Identity, use_id: UUID, text: str, *, version: int) -> None:
        """Write down what came of a visit, with every record of it that this person reads.

        Raises:
            NotFound: no such visit of theirs.
            InvalidInput: ``effect``.
            Conflict: it was changed meanwhile.
        """
        _check_words(text, "effect", must=True)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            use = self._mine(session, identity, use_id)
            if use.version != version:
                raise Conflict(what="use", version=use.version)
            lines = session.scalars(_lines(use_id)).all()
            reads = self._guard.seen(session, identity, [each.record_id for each in lines])
            for line in lines:
                if line.record_id in reads:
                    told = self.texts(session, line)
                    line.sealed = self._sealed(session, line.use_id, line.record_id, told["need"], text.strip())
                    self._note(session, identity, "outside.effect", use, line.record_id)
            use.version += 1
            work.commit()

    def show(self, identity: Identity, use_id: UUID) -> UseShown:
        """Show a visit to who wrote it down, and to who hands out a record of it. Raises ``NotFound``."""
        with self._db.reading() as session:
            return self._shown(session, identity, self._mine(session, identity, use_id))

    def reveal(self, identity: Identity, use_id: UUID) -> str:
        """Return the whole number of a reader's paper; that it was shown is written down. Raises ``NotFound``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            use = self._mine(work.session, identity, use_id)
            reader = self.reader(work.session, use)
            self._note(work.session, identity, "outside.reveal", use, None)
            work.commit()
            return reader.number if reader else ""

    def find(
        self, identity: Identity, paper: IdentityPaper, number: str, *, after: tuple[datetime, UUID] | None = None,
        limit: int = MOST,
    ) -> Sequence[UseShown]:  # fmt: skip
        """Return the visits of who has this paper, as far as this person sees them; a part of a number finds nothing.

        The latest first, those before the visit of a moment and an id.

        Raises:
            NotAllowed: they hand nothing out.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            token = self._known.token(paper, _normal(paper, number)[0])
            query = select(OutsideUse).where(OutsideUse.token == token, self.concerns(session, identity))
            rows = session.scalars(newest_first(query, OutsideUse.at, OutsideUse.id, after).limit(limit)).all()
            shown = [self._shown(session, identity, row) for row in rows]
            self._log.note(session, identity, "outside.find", body={"found": min(len(rows), MOST)})
            work.commit()
            return shown

    def visits(
        self, identity: Identity, reader_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = MOST
    ) -> Sequence[UseShown]:
        """Return the visits of a reader of the register, as far as this person sees them, the latest first.

        Those before the visit of a moment and an id. Raises ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            query = select(OutsideUse).where(OutsideUse.reader_id == reader_id, self.concerns(session, identity))
            rows = session.scalars(newest_first(query, OutsideUse.at, OutsideUse.id, after).limit(limit)).all()
            return [self._shown(session, identity, row) for row in rows]

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose a letter of introduction is (``archive.files.attachments.Subject``). Raises ``NotFound``."""
        del adding  # who sees a visit may add to it
        with self._db.reading() as session:
            return Owner(self._mine(session, identity, subject_id).id, None)

    def concerns(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Return the condition on visits: one's own, or with a record that one hands out and reads."""
        given = OutsideUseRecord.record_id.in_(handed_out(self._guard, session, identity))
        line = select(OutsideUseRecord.use_id).where(OutsideUseRecord.use_id == OutsideUse.id, given)
        return or_(OutsideUse.staff_id == identity.person_id, line.correlate(OutsideUse).exists())

    def reader(self, session: Session, use: OutsideUse) -> Reader | None:
        """Open who came. The caller has asked whether they may be seen; None: the key is gone."""
        return self.readers(session, [use]).get(use.id)

    def readers(self, session: Session, uses: Sequence[OutsideUse]) -> dict[UUID, Reader]:
        """Open who came on visits, by id of the visit, as ``reader``."""
        opened = self._vault.open_many(session, [(each.id, each.sealed, visit_context(each.id)) for each in uses])
        found = {}
        for use, data in zip(uses, opened, strict=True):
            if data is not None:
                found[use.id] = unpacked(data)
        return found

    def texts(self, session: Session, line: OutsideUseRecord) -> dict[str, str]:
        """Open need and effect of one record of a visit. The caller has asked whether it is read."""
        context = _line(line.use_id, line.record_id)
        told: dict[str, str] = json.loads(self._vault.open(session, line.record_id, line.sealed, context=context))
        return told

    def _mine(self, session: Session, identity: Identity, use_id: UUID) -> OutsideUse:
        self._guard.require_house(session, identity, Act.SEE_LOANS)
        query = select(OutsideUse).where(OutsideUse.id == use_id, self.concerns(session, identity))
        use = session.scalar(query)
        if use is None:
            raise NotFound
        return use

    def _given(self, session: Session, identity: Identity, record_id: UUID) -> Record:
        """Return a record that may be given to a reader from outside. Raises as ``register``."""
        self._guard.require(session, identity, Act.READ, record_id)
        record = self._guard.require(session, identity, Act.LEND, record_id)
        lowest = session.scalar(select(func.min(Level.rank))) or 0
        said = session.get(RecordOpening, record_id)
        released = said is not None and said.released and said.since <= self._guard.day()
        if not open_to_outside(record.level_rank, lowest, released=released, need_to_know=record.group_id is not None):
            raise InvalidInput(Fault("numbers", "not_for_outside", {"number": number_of(record)}))
        return record

    def _put(
        self, session: Session, identity: Identity, use: OutsideUse, record: Record, how: UseHow, pages: int | None,
        need: str,
    ) -> None:  # fmt: skip
        session.add(
            OutsideUseRecord(
                id=new_id(), at=self._clock.now(), use_id=use.id, record_id=record.id, how=how, pages=pages,
                sealed=self._sealed(session, use.id, record.id, need.strip(), ""),
            )
        )  # fmt: skip
        count_use(session, record.id)
        self._note(session, identity, "outside.register", use, record.id, how=how.value, pages=pages)

    def _sealed(self, session: Session, use_id: UUID, record_id: UUID, need: str, effect: str) -> bytes:
        told = json.dumps({"need": need, "effect": effect}, ensure_ascii=False).encode()
        return self._vault.seal(session, record_id, told, context=_line(use_id, record_id))

    def _note(
        self, session: Session, identity: Identity, act: str, use: OutsideUse, record: UUID | None, **body: object
    ) -> None:
        session.flush()
        self._log.note(session, identity, act, record=record, body={"use": use.number, **body})

    def _shown(self, session: Session, identity: Identity, use: OutsideUse) -> UseShown:
        lines = session.scalars(_lines(use.id)).all()
        ids = [each.record_id for each in lines]
        rows = {row.id: row for row in session.scalars(select(Record).where(Record.id.in_(ids)))}
        reads = self._guard.seen(session, identity, ids)
        used = []
        for line in lines:
            if line.record_id in reads:
                record, told = rows[line.record_id], self.texts(session, line)
                used.append(
                    UsedRecord(
                        record.id, number_of(record), record.title, record.level_rank, line.how, line.pages,
                        told["need"], told["effect"],
                    )
                )  # fmt: skip
        reader = self.reader(session, use)
        staff = session.scalar(select(Person.name).where(Person.id == use.staff_id)) or ""
        return UseShown(use, use.at, reader, ends_of(reader.number) if reader else "", staff, used)


def handed_out(guard: Guard, session: Session, identity: Identity) -> Select[tuple[UUID]]:
    """Return the query for the records that someone hands out and reads."""
    reads = guard.visible(session, identity).with_only_columns(Record.id)
    return guard.visible(session, identity, Act.LEND).where(Record.id.in_(reads)).with_only_columns(Record.id)


def _normal(paper: IdentityPaper, number: str) -> tuple[str, Fault | None]:
    """Return the one form of a paper's number, and what is wrong with it."""
    text = "".join(number.split()).upper()
    if not text:
        return "", Fault("paper_number", "required")
    if len(text) > LONGEST_NUMBER:
        return text, Fault("paper_number", "too_long", {"limit": LONGEST_NUMBER, "length": len(text)})
    if paper is IdentityPaper.RESIDENT:
        try:
            return check_identity(text), None
        except ValueError as error:
            return text, Fault("paper_number", "bad_identity", {"reason": str(error)})
    return text, None


def _checked(reader: Reader, need: str, records: Sequence[UUID]) -> str:
    """Return the normal form of a reader's number. Raises ``InvalidInput``, naming every field at fault."""
    normal, fault = _normal(reader.paper, reader.number)
    faults = [fault] if fault else []
    for field, text, longest, must in (
        ("name", reader.name, LONGEST_NAME, True), ("organisation", reader.organisation, LONGEST_NAME, False),
        ("contact", reader.contact, LONGEST_NAME, False),
        ("need", need, LONGEST, True),
    ):  # fmt: skip
        faults += _wrong(field, text, longest, must=must)
    if not records:
        faults.append(Fault("numbers", "required"))
    elif len(records) > MOST:
        faults.append(Fault("numbers", "too_many", {"limit": MOST}))
    if faults:
        raise InvalidInput(*faults)
    return normal


def _check_words(text: str, field: str, *, must: bool) -> None:
    if faults := _wrong(field, text, LONGEST, must=must):
        raise InvalidInput(*faults)


def _wrong(field: str, text: str, longest: int, *, must: bool) -> list[Fault]:
    if must and not text.strip():
        return [Fault(field, "required")]
    if len(text.strip()) > longest:
        return [Fault(field, "too_long", {"limit": longest, "length": len(text.strip())})]
    return []


def _lines(use_id: UUID) -> Select[OutsideUseRecord]:
    return select(OutsideUseRecord).where(OutsideUseRecord.use_id == use_id).order_by(OutsideUseRecord.id)


def _line(use_id: UUID, record_id: UUID) -> str:
    return f"outside-use:{use_id.hex}:{record_id.hex}"
