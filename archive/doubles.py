"""Records that may be the same: by bytes, text, document number, or title and date; told as far as a person may see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.orm import Session, aliased

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import AlikeText, Content, NotTheSame, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act

MOST = 20
"""Doubles that are told of one record."""

_LOOKED_AT = 500
_STANDING = (RecordState.PROVISIONAL, RecordState.FILED)


class Why(StrEnum):
    """Why two records may be the same, the strongest reason first."""

    SAME_BYTES = "same_bytes"
    SAME_TEXT = "same_text"
    NEAR_TEXT = "near_text"
    DOCUMENT_NUMBER = "document_number"
    TITLE_AND_DATE = "title_and_date"


_ORDER = list(Why)


@dataclass(frozen=True)
class Reason:
    """One reason; ``percent`` tells how much of a near text is in common, None with other reasons."""

    why: Why
    percent: int | None = None


@dataclass(frozen=True)
class Double:
    """A record that may be the same as another, and why: the strongest reason first."""

    record: Record
    reasons: tuple[Reason, ...]


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

    def decided(self, identity: Identity, record_id: UUID) -> Sequence[Record]:
        """Return the visible records of which it was decided that they are not the same as one. Raises as ``of``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.READ, record_id)
            others = select(NotTheSame.other_id).where(NotTheSame.record_id == record_id)
            return session.scalars(
                self._guard.visible(session, identity).where(Record.id.in_(others)).order_by(Record.id).limit(MOST)
            ).all()

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
                pair = or_(*(and_(NotTheSame.record_id == a, NotTheSame.other_id == b) for a, b in ways))
                session.execute(delete(NotTheSame).where(pair).execution_options(synchronize_session=False))
            else:
                now, who = self._clock.now(), identity.person_id
                rows = [{"record_id": a, "other_id": b, "decided_by": who, "decided_at": now} for a, b in ways]
                session.execute(insert(NotTheSame), rows)
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
        dismissed = set(session.scalars(select(NotTheSame.other_id).where(NotTheSame.record_id == record.id)))
        known = select(Record) if identity.is_system else self._guard.visible(session, identity)
        wanted = found.keys() - dismissed - {record.id}
        seen = session.scalars(known.where(Record.id.in_(wanted), Record.state.in_(_STANDING))).all()
        told = [Double(each, tuple(sorted(found[each.id].values(), key=_strength))) for each in seen]
        told.sort(key=lambda double: (_strength(double.reasons[0]), double.record.id))
        return told[:MOST]


def _strength(reason: Reason) -> tuple[int, int]:
    return _ORDER.index(reason.why), -(reason.percent or 0)


def _candidates(session: Session, record: Record) -> Iterator[tuple[UUID, Reason]]:
    """Yield what may be the same as a record, seen or not; each reason is one question over an index."""
    one, other = aliased(Content), aliased(Content)
    bytes_ = (
        select(other.record_id)
        .join(one, and_(one.plain_sha256 == other.plain_sha256, one.record_id == record.id))
        .where(other.record_id != record.id)
    )
    yield from ((key, Reason(Why.SAME_BYTES)) for key in session.scalars(bytes_.distinct().limit(_LOOKED_AT)))
    texts = select(AlikeText.other_record_id, AlikeText.percent, AlikeText.same).where(AlikeText.record_id == record.id)
    for key, percent, same in session.execute(texts.order_by(AlikeText.percent.desc()).limit(_LOOKED_AT)):
        yield key, Reason(Why.SAME_TEXT) if same else Reason(Why.NEAR_TEXT, percent)
    alike = []
    if record.document_key:
        alike.append((Why.DOCUMENT_NUMBER, Record.document_key == record.document_key))
    if record.title_key and record.drawn_from and record.drawn_from == record.drawn_to:
        day = and_(Record.title_key == record.title_key, Record.drawn_up == record.drawn_up)
        alike.append((Why.TITLE_AND_DATE, and_(Record.fonds_id == record.fonds_id, day)))
    for why, where in alike:
        yield from ((key, Reason(why)) for key in session.scalars(select(Record.id).where(where).limit(_LOOKED_AT)))
