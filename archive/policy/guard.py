"""Asks the rules before an act, answers hidden and absent alike, and logs each refusal apart.

A refusal is written in a transaction of its own, after the refused act's has ended: the act's own is rolled back,
and on SQLite its lock would keep the entry waiting for itself. So a refusal ends the unit of work it happens in.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.clock import Clock, today
from archive.database import Database, is_reading
from archive.errors import ArchiveError, NotAllowed, NotFound
from archive.identity import Identity
from archive.model import Content, ContentState, File, Record, RecordPerson
from archive.policy.condition import holds
from archive.policy.facts import facts_by_id, facts_of
from archive.policy.reach import Reach, load_reach
from archive.policy.rules import RULES, Act, condition, may
from archive.policy.sql import where


class RefusalLog(Protocol):
    """Where refusals are written."""

    def note_apart(self, db: Database, identity: Identity, act: str, *, record: UUID | None = None) -> None:
        """Write that an act was refused, in a transaction of its own."""
        ...


_NAMED_ON = select(RecordPerson.person_id).where(RecordPerson.record_id == bindparam("record"))
_RECORD = select(Record).where(Record.id == bindparam("record"))
_REACHES = "juanku reaches"
"""Under this key a snapshot's ``info`` keeps the reaches that were computed in it."""
_RECORDS = "juanku records"
"""Under this key it keeps the records that were asked for, with who is named on them."""


AT_ONCE = 500
"""Records that are named in one query."""


class Guard:
    """The one place that services ask before they act.

    Args:
        db: the house's database (refusals are written to it).
        log: where refusals are noted.
        clock: tells the time that posts, grants and loans are valid at.
        zone: the house's zone (an IANA name).
    """

    def __init__(self, db: Database, log: RefusalLog, clock: Clock, zone: str) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._zone = zone
        self._gathering: ContextVar[bool] = ContextVar("gathering refusals", default=False)

    def reach(self, session: Session, identity: Identity) -> Reach:
        """Return the present reach of ``identity``; one snapshot for reading is asked once."""
        if not is_reading(session):
            return load_reach(session, identity, self._clock, self._zone)
        kept: dict[Identity, Reach] = session.info.setdefault(_REACHES, {})
        if identity not in kept:
            kept[identity] = load_reach(session, identity, self._clock, self._zone)
        return kept[identity]

    def day(self, moment: datetime | None = None) -> date:
        """Return the day it is, or was at a moment, in the house's zone."""
        return moment.astimezone(ZoneInfo(self._zone)).date() if moment else today(self._clock, self._zone)

    def start_of(self, day: date) -> datetime:
        """Return the moment at which a day begins in the house's zone."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self._zone))

    def now(self) -> datetime:
        """Return the present moment."""
        return self._clock.now()

    def next_hour(self, hour: int) -> datetime:
        """Return the next moment at which the house's clock strikes ``hour``."""
        here = self._clock.now().astimezone(ZoneInfo(self._zone))
        struck = here.replace(hour=hour, minute=0, second=0, microsecond=0)
        return struck if struck > here else struck + timedelta(days=1)

    def require(self, session: Session, identity: Identity, act: Act, record_id: UUID) -> Record:
        """Return the record if ``identity`` may do ``act`` on it now.

        Raises:
            NotFound: there is no such record, or none that this person may read or keep custody of. Both carry no
                facts and take the same steps.
            NotAllowed: the person sees the record, but may not do this on it. Facts: ``act``.

        A refusal is logged: at once, or by the ``refusals`` around it. It rolls back the session if that was writing.
        """
        reach = self.reach(session, identity)
        record, named = self._read(session, record_id)
        facts: Mapping[str, Any] = facts_of(record, named) if record is not None else {}
        allowed, seen = (record is not None and holds(condition(a, reach), facts) for a in (act, Act.SEE))
        if record is not None and allowed:
            return record
        raise self._refused(session, identity, act, NotAllowed(act=act.value) if seen else NotFound(), record_id)

    def _read(self, session: Session, record_id: UUID) -> tuple[Record | None, Sequence[UUID]]:
        """Return a record and who is named on it; one snapshot for reading is asked once."""
        kept: dict[UUID, tuple[Record | None, Sequence[UUID]]] = {}
        if is_reading(session):
            kept = session.info.setdefault(_RECORDS, kept)
        if record_id not in kept:
            # both rows are asked for whether or not they are there, so that absent costs what hidden costs
            named = session.connection().execute(_NAMED_ON, {"record": record_id}).scalars().all()
            kept[record_id] = session.scalars(_RECORD, {"record": record_id}).one_or_none(), named
        return kept[record_id]

    def require_content(
        self, session: Session, identity: Identity, act: Act, content_id: UUID, *states: ContentState
    ) -> tuple[Content, Record, str]:
        """Return a content, its record and its file's name if ``identity`` may do ``act`` on the record now.

        What is not there, or in no state of ``states`` (none given: any), is asked for like what is hidden, so that
        all cost and log the same. Raises as ``require``.
        """
        content = session.get(Content, content_id)
        there = content is not None and (not states or content.state in states)
        record = self.require(session, identity, act, content.record_id if content and there else content_id)
        if content is None or not there:
            raise NotFound
        return content, record, session.get_one(File, content.file_id).name

    def may(self, identity: Identity, act: Act, record_id: UUID) -> bool:
        """Return whether ``identity`` may do ``act`` on a record; nothing is logged."""
        with self._db.reading() as session:
            return session.scalar(self.visible(session, identity, act).where(Record.id == record_id)) is not None

    def require_facts(self, session: Session, identity: Identity, act: Act, facts: Mapping[str, Any]) -> None:
        """Check an act on a record that is not there yet, by the facts it would have.

        Raises:
            NotAllowed: not here, not at this level, or not at all. Facts: ``act``.
        """
        if not holds(condition(act, self.reach(session, identity)), facts):
            raise self._refused(session, identity, act, NotAllowed(act=act.value))

    def require_house(self, session: Session, identity: Identity, act: Act) -> Reach:
        """Check an act on the house and return the reach it was checked with.

        Raises:
            NotAllowed: facts: ``act``.
        """
        reach = self.reach(session, identity)
        if not may(act, reach):
            raise self.refused_house(session, identity, act)
        return reach

    def refused_house(self, session: Session, identity: Identity, act: Act, **facts: Any) -> NotAllowed:
        """Log the refusal of an act on the house for another reason than the table's, and return the error to raise."""
        error = NotAllowed(act=act.value, **facts)
        self._refused(session, identity, act, error)
        return error

    def visible(self, session: Session, identity: Identity, act: Act = Act.READ) -> Select[Record]:
        """Return a query for the records on which ``identity`` may do ``act`` now."""
        return select(Record).where(where(condition(act, self.reach(session, identity))))

    def opens(
        self,
        session: Session,
        identity: Identity,
        key: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None],
        act: Act = Act.READ,
    ) -> ColumnElement[bool]:
        """Return whether ``identity`` may do ``act`` on the record that a column names; where it names none: no.

        Each is looked up by its key: a question that begins at few rows never walks all records.
        """
        one = self.visible(session, identity, act).where(Record.id == key).with_only_columns(Record.id)
        return one.correlate(key.parent).exists()

    def seen(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> set[UUID]:
        """Return those of records that ``identity`` reads: of the others nothing is said, not even that they are."""
        found: set[UUID] = set()
        for start in range(0, len(ids), AT_ONCE):
            some = self.visible(session, identity).where(Record.id.in_(ids[start : start + AT_ONCE]))
            found |= set(session.scalars(some.with_only_columns(Record.id)))
        return found

    def allowed(self, session: Session, identity: Identity, ids: Collection[UUID], *acts: Act) -> set[UUID]:
        """Return those of a few records on which ``identity`` may do one of the acts: each is looked up by its key."""
        reach = self.reach(session, identity)
        rules = [condition(act, reach) for act in acts]
        return {key for key, facts in facts_by_id(session, ids).items() if any(holds(rule, facts) for rule in rules)}

    def read_by_any(self, session: Session, people: Iterable[UUID], facts: Mapping[str, Any]) -> bool:
        """Return whether one at least of these people may read a record with ``facts`` now."""
        reaches = (self.reach(session, Identity(name="", person_id=each)) for each in people)
        return any(holds(condition(Act.READ, reach), facts) for reach in reaches)

    def acts(self, reach: Reach, facts: Mapping[str, Any]) -> frozenset[Act]:
        """Return every act that ``reach`` may do on a record with ``facts`` (pages leave the others out)."""
        return frozenset(act for act in RULES if holds(condition(act, reach), facts))

    @contextmanager
    def refusals(self, identity: Identity, *, logged: bool = True) -> Iterator[None]:
        """Log what is refused inside, once the unit of work inside has ended.

        Stands outside ``db.writing()``. Logs the refusals of this guard, and every ``NotAllowed`` that a service
        raises itself. ``logged`` False: none of them, for what is only tried.
        """
        if self._gathering.get():
            yield
            return
        token = self._gathering.set(True)
        refused: ArchiveError | None = None
        try:
            yield
        except (NotAllowed, NotFound) as error:
            refused = error
            raise
        finally:
            self._gathering.reset(token)
            if refused is not None and logged:
                self._write(identity, refused)

    def _refused(
        self, session: Session, identity: Identity, act: Act, error: ArchiveError, record_id: UUID | None = None
    ) -> ArchiveError:
        error.refusal = (act.value, record_id)  # type: ignore[attr-defined]  # for the log alone, never a fact
        if not self._gathering.get():
            if _is_writing(session):
                session.rollback()
            self._write(identity, error)
        return error

    def _write(self, identity: Identity, error: ArchiveError) -> None:
        act, record_id = getattr(error, "refusal", (error.facts.get("act"), None))
        if act is not None:
            self._log.note_apart(self._db, identity, act, record=record_id)


def _is_writing(session: Session) -> bool:
    return isinstance(session.get_bind(), Engine) and not is_reading(session)
