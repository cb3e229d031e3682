"""Reading the log: officers see all heads; who may read a record sees its history with what was changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from archive.identity import Identity
from archive.log.writer import Log
from archive.model.log import LogClass, LogEntry, LogResult, LogSeal
from archive.model.records import Record

PAGE = 50
LARGEST_PAGE = 500
MOST_ACTS = 20
"""So many acts or nouns one filter names."""

_ENTRIES = (
    select(LogEntry, LogSeal.seq, Record.registration_number)
    .outerjoin(LogSeal, LogSeal.entry_id == LogEntry.id)
    .outerjoin(Record, Record.id == LogEntry.record_id)
)

A_contra = TypeVar("A_contra", contravariant=True)
G = TypeVar("G")


class LogGuard(Protocol[A_contra]):
    """What reading the log asks of the policy (``archive.policy.guard.Guard``)."""

    def require_house(self, session: Session, identity: Identity, act: A_contra) -> object:
        """Raise ``NotAllowed``, logged, when this person may not do this act of the house."""
        ...

    def visible(self, session: Session, identity: Identity, act: A_contra) -> Select[Record]:
        """Return the records on which this person may do ``act``."""
        ...

    def allowed(self, session: Session, identity: Identity, ids: Collection[UUID], *acts: A_contra) -> Collection[UUID]:
        """Return those of the records on which this person may do one of the acts."""
        ...

    def require(self, session: Session, identity: Identity, act: A_contra, record_id: UUID) -> Record:
        """Return the record, or raise ``NotFound`` or ``NotAllowed``, logged."""
        ...


@dataclass(frozen=True)
class LogFilter:
    """Which entries; None or empty: all. ``since`` is included, ``until`` is not.

    ``act`` may end in ``.`` (a noun), and be several parted by commas.
    """

    act: str | None = None
    person: UUID | None = None
    record: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    result: LogResult | None = None
    log_class: LogClass | None = None


@dataclass(frozen=True)
class LogLine:
    """An entry as shown. ``seq`` is None until it is sealed; ``body`` is None where it is not shown or erased.

    ``seen`` is whether the reader of the log may see the record: when not, nothing tells whether there is one.
    """

    id: UUID
    seq: int | None
    at: datetime
    log_class: LogClass
    act: str
    result: LogResult
    actor: str
    person_id: UUID | None
    operator: str | None
    address: str
    record_id: UUID | None
    registration_number: str | None
    subject_id: UUID | None
    body: Mapping[str, Any] | None = None
    seen: bool = True


@dataclass(frozen=True)
class LogPage:
    """Lines, newest first, and where the next page begins (None: this was the last)."""

    lines: Sequence[LogLine]
    next: tuple[datetime, UUID] | None


class LogView(Generic[G]):
    """The log for those who may see it.

    Args:
        log: opens bodies.
        guard: decides and logs refusals.
        read_log: the guard's act of reading the house's log.
        read: the guard's act of reading a record.
        custody: the guard's act of seeing a record's number, place and acts without its content.
    """

    def __init__(self, log: Log, guard: LogGuard[G], *, read_log: G, read: G, custody: G) -> None:
        self._log = log
        self._guard = guard
        self._read_log = read_log
        self._read = read
        self._custody = custody

    def list(
        self,
        session: Session,
        identity: Identity,
        wanted: LogFilter,
        *,
        after: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> LogPage:
        """Return a page of heads, newest first. Bodies are never opened here.

        Raises:
            NotAllowed: this person may not read the log.
        """
        self._guard.require_house(session, identity, self._read_log)
        page, _ = _page(session, _conditions(wanted), after, limit)
        return LogPage(self._as_seen(session, identity, page.lines), page.next)

    def sealed(self, session: Session, identity: Identity, *, after: int, limit: int = PAGE) -> Sequence[LogLine]:
        """Return heads of sealed entries behind a place in the chain, in its order: nothing ever comes before it later.

        Raises:
            NotAllowed: this person may not read the log.
        """
        self._guard.require_house(session, identity, self._read_log)
        behind = _ENTRIES.where(LogSeal.seq > after).order_by(LogSeal.seq).limit(max(1, min(limit, LARGEST_PAGE)))
        return self._as_seen(session, identity, [_line(*row) for row in session.execute(behind)])

    def _as_seen(self, session: Session, identity: Identity, lines: Sequence[LogLine]) -> Sequence[LogLine]:
        """Return lines without what tells of records that this person does not see."""
        asked = {line.record_id for line in lines if line.record_id is not None}
        seen = self._guard.allowed(session, identity, asked, self._read, self._custody)
        return [line if line.record_id in {None, *seen} else _unseen(line) for line in lines]

    def history(
        self,
        session: Session,
        identity: Identity,
        record_id: UUID,
        *,
        after: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> LogPage:
        """Return a page of what happened to a record: with bodies for its readers, heads only for its custodians.

        Raises:
            NotFound: there is no such record for this person.
        """
        readable = self._may(session, identity, self._read, record_id)
        if not readable and not self._may(session, identity, self._custody, record_id):
            self._guard.require(session, identity, self._read, record_id)
        page, entries = _page(session, [LogEntry.record_id == record_id], after, limit)
        if not readable:
            return page
        bodies = self._log.opened_many(session, entries)
        lines = [replace(line, body=body) for line, body in zip(page.lines, bodies, strict=True)]
        return LogPage(lines, page.next)

    def _may(self, session: Session, identity: Identity, act: G, record_id: UUID) -> bool:
        found = self._guard.visible(session, identity, act).where(Record.id == record_id)
        return session.scalars(found).first() is not None


def _conditions(wanted: LogFilter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.act:
        asked = [each for part in wanted.act.split(",")[:MOST_ACTS] if (each := part.strip())]
        conditions.append(or_(*map(_act, asked)) if asked else false())
    if wanted.person:
        conditions.append(LogEntry.person_id == wanted.person)
    if wanted.record:
        conditions.append(LogEntry.record_id == wanted.record)
    if wanted.since:
        conditions.append(LogEntry.at >= wanted.since)
    if wanted.until:
        conditions.append(LogEntry.at < wanted.until)
    if wanted.result:
        conditions.append(LogEntry.result == wanted.result)
    if wanted.log_class:
        conditions.append(LogEntry.log_class == wanted.log_class)
    return conditions


def _act(asked: str) -> ColumnElement[bool]:
    return LogEntry.act.startswith(asked, autoescape=True) if asked.endswith(".") else LogEntry.act == asked


def _page(
    session: Session, conditions: Sequence[ColumnElement[bool]], after: tuple[datetime, UUID] | None, limit: int
) -> tuple[LogPage, Sequence[LogEntry]]:
    limit = max(1, min(limit, LARGEST_PAGE))
    asked = _ENTRIES.where(*conditions).order_by(LogEntry.at.desc(), LogEntry.id.desc()).limit(limit + 1)
    if after:
        at, entry_id = after
        asked = asked.where(LogEntry.at <= at, or_(LogEntry.at < at, and_(LogEntry.at == at, LogEntry.id < entry_id)))
    rows = session.execute(asked).all()
    shown = rows[:limit]
    following = (shown[-1][0].at, shown[-1][0].id) if len(rows) > limit else None
    return LogPage([_line(*row) for row in shown], following), [row[0] for row in shown]


def _unseen(line: LogLine) -> LogLine:
    return replace(line, registration_number=None, seen=False)


def _line(entry: LogEntry, seq: int | None, number: str | None) -> LogLine:
    return LogLine(
        id=entry.id,
        seq=seq,
        at=entry.at,
        log_class=entry.log_class,
        act=entry.act,
        result=entry.result,
        actor=entry.actor,
        person_id=entry.person_id,
        operator=entry.operator,
        address=entry.address,
        record_id=entry.record_id,
        registration_number=number,
        subject_id=entry.subject_id,
    )
