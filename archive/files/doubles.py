"""Records that may be the same: by bytes, text, document number, or title and date; told as far as a person may see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select
from sqlalchemy.orm import Session, aliased

from archive.clock import Clock
from archive.database import Database, rows_by_id
from archive.errors import Fault, InvalidInput
from archive.files.pairing import Pair, Reason, Why, meet, part, reasons_of
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import AlikeRecord, AlikeText, Content, NotTheSame, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act

MOST = 20
"""Doubles that are told of one record."""

_LOOKED_AT = 500
_STANDING = (RecordState.PROVISIONAL, RecordState.FILED)


@dataclass(frozen=True)
class Double:
    """A record that may be the same as another, and why: the strongest reason first."""

    record: Record
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Waiting:
    """Two records that wait for a decision, the newer first, and why."""

    record: Record
    other: Record
    reasons: tuple[Reason, ...]

    @property
    def key(self) -> Pair:
        """What the pair is known by: the list goes on after it."""
        return self.record.id, self.other.id


class Doubles:
    """Tells doubles, and keeps what was decided on them. Of a record that a person may not read nothing is said."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def of(self, identity: Identity, record_id: UUID) -> Sequence[Double]:
        """Return the records that may be the same as one, at most ``MOST``, those with the strongest reason first.

        The machine's operator sees all.

        Raises:
            NotFound: there is no such record for this person.
            NotAllowed: this person may not read it.
        """
        with self._db.reading() as session:
            if identity.is_system:
                record = session.get_one(Record, record_id)
            else:
                record = self._guard.require(session, identity, Act.READ, record_id)
            return self._told(session, identity, record)

    def beside(self, identity: Identity, record_id: UUID) -> tuple[Sequence[Double], Sequence[Record]]:
        """Return what ``of`` does, and the visible records of which it was decided that they are not the same as one.

        Raises as ``of``.
        """
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.READ, record_id)
            told, others = self._told(session, identity, record), _dismissed(session, record_id)
            if not others:
                return told, ()
            query = self._guard.visible(session, identity).where(Record.id.in_(others))
            return told, session.scalars(query.order_by(Record.id).limit(MOST)).all()

    def undecided(self, session: Session, identity: Identity) -> "Select[UUID, UUID]":
        """Return a query for the pairs (two ids, the newer first) that this person may decide on: they read both."""
        mine = self._guard.visible(session, identity, Act.ACCEPT).with_only_columns(Record.id)
        ends = (AlikeRecord.record_id, AlikeRecord.other_id)
        # each pair is looked up in the records, not the person's records gathered first: pairs are few
        both = (mine.where(Record.id == end).correlate(AlikeRecord).exists() for end in ends)
        return select(*ends).where(*both)

    def waiting(self, identity: Identity, *, after: Pair | None = None, limit: int) -> Sequence[Waiting]:
        """Return pairs that wait for this person's decision, those of the newest record first, after one of them."""
        newer, older = AlikeRecord.record_id, AlikeRecord.other_id
        with self._db.reading() as session:
            query = self.undecided(session, identity).order_by(newer.desc(), older.desc()).limit(limit)
            if after is not None:
                query = query.where(newer <= after[0], or_(newer < after[0], older < after[1]))
            pairs: list[Pair] = [(one, other) for one, other in session.execute(query)]
            records = rows_by_id(session, Record, {key for each in pairs for key in each})
            why = reasons_of(session, pairs)
            return [Waiting(records[a], records[b], why.get((a, b), ())) for a, b in pairs]

    def met(self, identity: Identity, record_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Double]]:
        """Return, by record, what stands for a decision beside each of many records: as ``of``, from what is kept.

        A part of the system sees all; a record that the person may not read has none.
        """
        ends = (AlikeRecord.record_id, AlikeRecord.other_id)
        wanted = set(record_ids)
        with self._db.reading() as session:
            touching = select(*ends).where(or_(*(end.in_(wanted) for end in ends)))
            pairs: list[Pair] = [(one, other) for one, other in session.execute(touching)]
            ids = {key for each in pairs for key in each}
            known = select(Record) if identity.is_system else self._guard.visible(session, identity)
            seen = session.scalars(known.where(Record.id.in_(ids), Record.state.in_(_STANDING)))
            there = {record.id: record for record in seen}
            found: dict[UUID, list[Double]] = {}
            for (a, b), reasons in reasons_of(session, pairs).items():
                if a in there and b in there:
                    for one, other in ((a, b), (b, a)):
                        if one in wanted:
                            found.setdefault(one, []).append(Double(there[other], reasons))
        for doubles in found.values():
            doubles.sort(key=lambda double: (double.reasons[0].strength, double.record.id))
        return found

    def numbers(self, identity: Identity, record_id: UUID) -> Sequence[Record]:
        """Return the filed records that may be the same as one, for the custodian of both levels: told by number alone.

        Officers oversee every level and are custodians of none: they get nothing.

        Raises:
            NotFound, NotAllowed: this person does not see the record.
        """
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.CUSTODY, record_id)
            entrusted = self._guard.reach(session, identity).custody
            if record.level_rank not in entrusted:
                return ()
            others = {key for key, _ in _candidates(session, record)} - {record_id}
            others -= _dismissed(session, record_id)
            mine = self._guard.visible(session, identity, Act.CUSTODY).where(Record.id.in_(others))
            mine = mine.where(Record.level_rank.in_(entrusted))
            return session.scalars(mine.order_by(Record.id).limit(MOST)).all()

    def decide(self, identity: Identity, record_id: UUID, other_id: UUID, *, same: bool) -> None:
        """Keep that two records are not the same (``same`` takes that back). Doing it twice changes nothing more.

        Raises:
            NotFound: one of them is not there for this person.
            NotAllowed: an archivist decides this.
            InvalidInput: field ``other``: it is the record itself.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            for each in (record_id, other_id):
                self._guard.require(session, identity, Act.ACCEPT, each)
            if record_id == other_id:
                raise InvalidInput(Fault("other", "unknown"))
            ways = ((record_id, other_id), (other_id, record_id))
            stands = session.get(NotTheSame, ways[0]) is not None
            if stands is not same:
                return
            if same:
                stood = or_(*(and_(NotTheSame.record_id == a, NotTheSame.other_id == b) for a, b in ways))
                session.execute(delete(NotTheSame).where(stood).execution_options(synchronize_session=False))
                meet(session, [record_id])
            else:
                now, who = self._clock.now(), identity.person_id
                rows = [{"record_id": a, "other_id": b, "decided_by": who, "decided_at": now} for a, b in ways]
                session.execute(insert(NotTheSame), rows)
                part(session, record_id, other_id)
            # of neither record: who reads the history of one may not be allowed to know of the other
            body = {"records": [str(record_id), str(other_id)]}
            self._log.note(session, identity, "double.reopen" if same else "double.dismiss", body=body)
            work.commit()

    def _told(self, session: Session, identity: Identity, record: Record) -> list[Double]:
        found: dict[UUID, dict[Why, Reason]] = {}
        for other, reason in _candidates(session, record):
            reasons = found.setdefault(other, {})
            if reason.why not in reasons or (reason.percent or 0) > (reasons[reason.why].percent or 0):
                reasons[reason.why] = reason
        wanted = found.keys() - {record.id}
        if not wanted:
            return []
        wanted -= _dismissed(session, record.id)
        known = select(Record) if identity.is_system else self._guard.visible(session, identity)
        seen = session.scalars(known.where(Record.id.in_(wanted), Record.state.in_(_STANDING))).all()
        told = [
            Double(each, tuple(sorted(found[each.id].values(), key=lambda reason: reason.strength))) for each in seen
        ]
        told.sort(key=lambda double: (double.reasons[0].strength, double.record.id))
        return told[:MOST]


def _dismissed(session: Session, record_id: UUID) -> set[UUID]:
    return set(session.connection().execute(_DISMISSED, {"record": record_id}).scalars())


def _candidates(session: Session, record: Record) -> Iterator[tuple[UUID, Reason]]:
    """Yield what may be the same as a record, seen or not; each reason is one question over an index."""
    ask, this = session.connection().execute, {"record": record.id}
    yield from ((key, Reason(Why.SAME_BYTES)) for key in ask(_SAME_BYTES, this).scalars())
    for key, percent, same in ask(_ALIKE, this).all():
        yield key, Reason(Why.SAME_TEXT) if same else Reason(Why.NEAR_TEXT, percent)
    if record.document_key:
        by_number = ask(_BY_NUMBER, {"number": record.document_key}).scalars()
        yield from ((key, Reason(Why.DOCUMENT_NUMBER)) for key in by_number)
    if record.title_key and record.drawn_from and record.drawn_from == record.drawn_to:
        paper = {"fonds": record.fonds_id, "title": record.title_key, "day": record.drawn_up}
        yield from ((key, Reason(Why.TITLE_AND_DATE)) for key in ask(_BY_TITLE, paper).scalars())


def _with_bytes_of() -> Select[Any]:
    one, other = aliased(Content), aliased(Content)
    same = and_(one.plain_sha256 == other.plain_sha256, one.record_id == bindparam("record"))
    return select(other.record_id).join(one, same).where(other.record_id != bindparam("record")).distinct()


# Built once: to build a question takes longer than to have it answered.
_DISMISSED = select(NotTheSame.other_id).where(NotTheSame.record_id == bindparam("record"))
_SAME_BYTES = _with_bytes_of().limit(_LOOKED_AT)
_ALIKE = (
    select(AlikeText.other_record_id, AlikeText.percent, AlikeText.same)
    .where(AlikeText.record_id == bindparam("record"))
    .order_by(AlikeText.percent.desc())
    .limit(_LOOKED_AT)
)
_BY_NUMBER = select(Record.id).where(Record.document_key == bindparam("number")).limit(_LOOKED_AT)
_BY_TITLE = (
    select(Record.id)
    .where(
        Record.fonds_id == bindparam("fonds"), Record.title_key == bindparam("title"),
        Record.drawn_up == bindparam("day"),
    )
    .limit(_LOOKED_AT)
)  # fmt: skip
