"""Unsettled matters 未了事项: entered for a record, a dossier or a subject; ended with a reason, never deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, and_, cast, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import Ended, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import MatterKind, Record, RecordSubject, Subject, UnsettledMatter
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import checked
from retention.entering import keeper, opened, owner_of, seal_words, seen_by, standing_subject


@dataclass(frozen=True)
class MatterShown:
    """A matter with its words, and (if it is of a record) the record's title."""

    matter: UnsettledMatter
    why: str
    closed_why: str
    title: str | None


def unsettled(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return those of records on which an open matter hangs: their own, their dossier's, or one of their subjects'.

    What a subject had when another was split off it hangs on both.
    """
    wanted, is_open = list(ids), UnsettledMatter.closed_at.is_(None)
    own = select(UnsettledMatter.record_id).where(is_open, UnsettledMatter.record_id.in_(wanted))
    above = (
        select(Record.id)
        .join(UnsettledMatter, UnsettledMatter.record_id == Record.dossier_id)
        .where(is_open, Record.id.in_(wanted))
    )
    line = _line(RecordSubject.record_id, RecordSubject.subject_id, RecordSubject.record_id.in_(wanted))
    hung = select(line.c.whose).join(UnsettledMatter, _hangs_on(line)).where(is_open)
    return {key for query in (own, above, hung) for key in session.scalars(query) if key is not None}


def _line(whose: InstrumentedAttribute[UUID], subject: InstrumentedAttribute[UUID], which: ColumnElement[bool]) -> CTE:
    """Select subjects, those merged into them, and those that they were split off, till that moment.

    What was split off and merged back leads to itself: ``union`` takes each row once, and so comes to an end.
    """
    known, moment = aliased(Subject), Subject.created_at.type
    columns = known.id.label("subject_id"), known.split_from, known.created_at
    line = (
        select(whose.label("whose"), cast(null(), moment).label("before"), *columns)
        .join(known, or_(known.id == subject, known.merged_into == subject))
        .where(which)
        .cte("line", recursive=True)
    )
    return line.union(
        select(line.c.whose, line.c.created_at, *columns).join(
            line, or_(known.id == line.c.split_from, known.merged_into == line.c.split_from)
        )
    )


def _hangs_on(line: CTE) -> ColumnElement[bool]:
    opened = or_(line.c.before.is_(None), UnsettledMatter.opened_at <= line.c.before)
    return and_(UnsettledMatter.subject_id == line.c.subject_id, opened)


class Matters:
    """The acts on unsettled matters."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def open_of_record(self, identity: Identity, record_id: UUID, kind: MatterKind, why: str) -> UUID:
        """Enter a matter of a record (of a dossier: of all its items), and return its id. It counts at once.

        Raises:
            NotFound, NotAllowed: as for any act on a record.
            InvalidInput: field ``reason``.
        """
        words = checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            record = self._guard.require(work.session, identity, Act.ENTER_MATTER, record_id)
            key = self._add(work.session, identity, kind, words, record.id, None)
            work.commit()
        return key

    def open_of_subject(self, identity: Identity, subject_id: UUID, kind: MatterKind, why: str) -> UUID:
        """Enter a matter of a subject: of all its records.

        Raises:
            NotAllowed: the person is no archivist.
            NotFound: there is no such subject.
            InvalidInput: field ``reason``; field ``subject``: it was merged into another.
        """
        words = checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            key = self._add(session, identity, kind, words, None, standing_subject(session, subject_id))
            work.commit()
        return key

    def close(self, identity: Identity, matter_id: UUID, why: str) -> None:
        """Say that a matter is settled: it stays, with who said so and why, and counts no more.

        Raises:
            NotFound, NotAllowed: as for entering it.
            Ended: it is settled already.
            InvalidInput: field ``reason``.
        """
        words = checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = session.get(UnsettledMatter, matter_id)
            owner = owner_of(self._guard, session, identity, Act.ENTER_MATTER, row, matter_id)
            if row is None:
                raise NotFound
            if row.closed_at is not None:
                raise Ended(state="settled", act="matter.close")
            row.closed_at, row.closed_by = self._clock.now(), identity.person_id
            row.closed_why = seal_words(self._vault, session, owner, f"matter-closed:{row.id.hex}", words)
            session.flush()
            body = {"matter": str(row.id), "kind": row.kind.value, "reason": words}
            self._log.note(session, identity, "matter.close", record=row.record_id, subject=row.subject_id, body=body)
            work.commit()

    def list(
        self,
        identity: Identity,
        *,
        closed: bool = False,
        after: tuple[datetime, UUID] | None = None,
        limit: int,
    ) -> Sequence[MatterShown]:
        """Return the matters of records that this person reads, and of subjects to who enters them; newest first."""
        with self._db.reading() as session:
            ended = UnsettledMatter.closed_at
            mine = seen_by(self._guard, session, identity, UnsettledMatter)
            wanted = mine.where(ended.is_not(None) if closed else ended.is_(None))
            query = newest_first(wanted, UnsettledMatter.opened_at, UnsettledMatter.id, after)
            return self._opened(session, session.scalars(query.limit(limit)).all())

    def of_record(self, identity: Identity, record_id: UUID) -> Sequence[MatterShown]:
        """Return the matters of a record itself, open ones first. Raises as ``Guard.require``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.READ, record_id)
            query = select(UnsettledMatter).where(UnsettledMatter.record_id == record_id)
            order = UnsettledMatter.closed_at.is_not(None), UnsettledMatter.opened_at.desc()
            return self._opened(session, session.scalars(query.order_by(*order)).all())

    def of_subject(self, identity: Identity, subject_id: UUID) -> Sequence[MatterShown]:
        """Return the matters of a subject, of those merged into it, and of what it was split off, till that moment.

        Raises ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._keeper(session, identity)
            line = _line(Subject.id, Subject.id, Subject.id == subject_id)
            query = select(UnsettledMatter).where(select(line.c.whose).where(_hangs_on(line)).exists())
            order = UnsettledMatter.closed_at.is_not(None), UnsettledMatter.opened_at.desc()
            return self._opened(session, session.scalars(query.order_by(*order)).all())

    def _add(
        self,
        session: Session,
        identity: Identity,
        kind: MatterKind,
        why: str,
        record: UUID | None,
        subject: UUID | None,
    ) -> UUID:
        key, owner = new_id(), record or subject
        assert owner is not None  # noqa: S101  (one of both is given)
        session.add(
            UnsettledMatter(
                id=key, kind=kind, record_id=record, subject_id=subject, opened_by=identity.person_id,
                opened_at=self._clock.now(), sealed=seal_words(self._vault, session, owner, f"matter:{key.hex}", why),
            )
        )  # fmt: skip
        session.flush()
        body = {"matter": str(key), "kind": kind.value, "reason": why}
        self._log.note(session, identity, Act.ENTER_MATTER.value, record=record, subject=subject, body=body)
        return key

    def _opened(self, session: Session, rows: Sequence[UnsettledMatter]) -> Sequence[MatterShown]:
        return [MatterShown(*each) for each in opened(self._vault, session, rows, "matter", "closed")]

    def _keeper(self, session: Session, identity: Identity) -> None:
        keeper(self._guard, session, identity, Act.ENTER_MATTER)
