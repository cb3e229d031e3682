"""What is secret until when: lists for whoever reads the records, and periods set by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.database.bounded import count_up_to
from archive.errors import Conflict, Fault, InvalidInput, WrongState
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import DeadlineKind, Level, Record, RecordOpening, RecordSecrecy
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import checked
from archive.reminding.deadlines import Deadlines
from archive.scheme.tree import below
from retention.secrecy.rules import AHEAD, MOST_MONTHS, Standing, ends, standing

LONGEST_YEARS = MOST_MONTHS // 12


@dataclass(frozen=True)
class SecretRow:
    """A record and its period."""

    record: Record
    period: RecordSecrecy
    standing: Standing


@dataclass(frozen=True)
class SecrecyTold:
    """What a record's page says: its period with condition or reason, and what its opening appraisal came to."""

    period: RecordSecrecy | None
    standing: Standing | None
    words: str
    opening: RecordOpening | None
    may_set: bool


class SecrecyBoard:
    """Lists periods, and sets them."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log

    def list(
        self,
        identity: Identity,
        which: Standing,
        *,
        category: UUID | None = None,
        after: tuple[date, UUID] | None = None,
        limit: int,
    ) -> Sequence[SecretRow]:
        """Return records that this person reads whose periods stand so, the earliest end first.

        Args:
            identity: who asks.
            which: how the periods stand.
            category: only records of this category and those below it.
            after: end and id of the record behind which to go on; those that end with a condition go by id alone.
            limit: how many at most.

        Raises:
            NotAllowed: the board is not theirs.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SECRECY)
            day = self._guard.day()
            query = self._mine(session, identity, which, category).add_columns(RecordSecrecy)
            if after is not None:
                end, key = after
                later = RecordSecrecy.record_id > key
                if which is not Standing.CONDITION:
                    later = or_(RecordSecrecy.ends > end, and_(RecordSecrecy.ends == end, later))
                query = query.where(later)
            found: Any = session.execute(query.order_by(RecordSecrecy.ends, RecordSecrecy.record_id).limit(limit)).all()
            return [SecretRow(record, period, standing(period.ends, day)) for record, period in found]

    def counts(self, identity: Identity, most: int) -> Mapping[Standing, int]:
        """Count by standing what this person reads, each up to one more than ``most``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SECRECY)
            mine = self._guard.opens(session, identity, RecordSecrecy.record_id)
            periods = select(RecordSecrecy.record_id).where(mine)
            shut = self._shut()
            return {each: count_up_to(session, periods.where(shut[each]), most) for each in Standing}

    def due(self, session: Session, identity: Identity, most: int) -> int:
        """Count the periods that have ended or end soon, of records that this person may review.

        Up to one more than ``most``.
        """
        mine = self._guard.opens(session, identity, RecordSecrecy.record_id, Act.SET_LEVEL)
        soon = select(RecordSecrecy.record_id).where(RecordSecrecy.ends <= self._guard.day() + AHEAD, mine)
        return count_up_to(session, soon, most)

    def told(self, identity: Identity, record_id: UUID) -> SecrecyTold:
        """Return what a record's page says. Raises as ``Guard.require``."""
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.READ, record_id)
            both = select(RecordSecrecy, RecordOpening).select_from(Record)
            both = both.outerjoin(RecordSecrecy, RecordSecrecy.record_id == Record.id)
            both = both.outerjoin(RecordOpening, RecordOpening.record_id == Record.id)
            row = session.execute(both.where(Record.id == record_id)).one()
            period: RecordSecrecy | None = row[0]
            opening: RecordOpening | None = row[1]
            words = ""
            if period is not None and period.sealed is not None:
                opened = self._vault.open(session, record_id, period.sealed, context=_context(record_id))
                words = json.loads(opened)["words"]
            allowed = self._guard.visible(session, identity, Act.SET_LEVEL).where(Record.id == record.id)
            return SecrecyTold(
                period=period,
                standing=standing(period.ends, self._guard.day()) if period else None,
                words=words,
                opening=opening,
                may_set=period is not None and session.scalars(allowed).first() is not None,
            )

    def years(self, session: Session) -> Mapping[int, int | None]:
        """Return by level how many years its records are secret; None: it is open."""
        rows = session.execute(select(Level.rank, Level.secrecy_months))
        return {row.rank: row.secrecy_months // 12 if row.secrecy_months else None for row in rows}

    def set_period(
        self, identity: Identity, record_id: UUID, since: date, months: int | None, words: str, version: int
    ) -> None:
        """Say from when and for how long a record is secret; without months it is so until a condition, in words.

        The level stays as it is: at the end of the period a review decides.

        Raises:
            NotFound, NotAllowed: not one of the secrecy officers who read it.
            WrongState: its level has no period.
            Conflict: the record changed since ``version``.
            InvalidInput: field ``reason``, ``since`` (a day to come), ``months``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SET_LEVEL, record_id)
            if record.version != version:
                raise Conflict(what="record", version=record.version)
            period = session.get(RecordSecrecy, record_id)
            if period is None:
                raise WrongState(state=record.state.value, act="secrecy.set_period")
            checked(words)
            if since > self._guard.day():
                raise InvalidInput(Fault("since", "not_yet_come"))
            if months is not None and not 0 < months <= MOST_MONTHS:
                raise InvalidInput(Fault("months", "out_of_range", {"low": 1, "high": MOST_MONTHS}))
            before = {"since": period.since.isoformat(), "months": period.months}
            plain = json.dumps({"words": words.strip()}, ensure_ascii=False).encode()
            period.sealed = self._vault.seal(session, record_id, plain, context=_context(record_id))
            period.since, period.months = since, months
            period.ends = ends(since, months) if months is not None else None
            forget_notice(session, self._guard, period)
            record.version += 1
            body = {"before": before, "after": {"since": since.isoformat(), "months": months}, "reason": words.strip()}
            session.flush()
            self._log.note(session, identity, "secrecy.set_period", record=record_id, body=body)
            work.commit()

    def set_level_period(self, identity: Identity, rank: int, months: int | None) -> None:
        """Say how long records of a level are secret, those that come to it from now on; None: the level is open.

        Raises:
            NotAllowed: not one of those who manage levels.
            InvalidInput: field ``level`` or ``months``; ``still_used``: records of the level have periods.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            level = session.get(Level, rank)
            if level is None:
                raise InvalidInput(Fault("level", "unknown"))
            if months is not None and not 0 < months <= MOST_MONTHS:
                raise InvalidInput(Fault(f"level-{rank}", "out_of_range", {"low": 1, "high": LONGEST_YEARS}))
            used = select(RecordSecrecy.record_id).where(RecordSecrecy.level_rank == rank).limit(1)
            if months is None and session.scalar(used) is not None:
                raise InvalidInput(Fault(f"level-{rank}", "periods_run"))
            if level.secrecy_months == months:
                return
            body = {"level": rank, "before": level.secrecy_months, "after": months}
            level.secrecy_months, level.version = months, level.version + 1
            session.flush()
            self._log.note(session, identity, "level.set_period", body=body)
            work.commit()

    def _mine(self, session: Session, identity: Identity, which: Standing, category: UUID | None) -> Select[Any]:
        query = self._guard.visible(session, identity).join(RecordSecrecy, RecordSecrecy.record_id == Record.id)
        query = query.where(self._shut()[which])
        return query.where(Record.category_id.in_(below(category))) if category else query

    def _shut(self) -> Mapping[Standing, ColumnElement[bool]]:
        day = self._guard.day()
        return {
            Standing.LATE: RecordSecrecy.ends <= day,
            Standing.SOON: and_(RecordSecrecy.ends > day, RecordSecrecy.ends <= day + AHEAD),
            Standing.RUNS: RecordSecrecy.ends > day + AHEAD,
            Standing.CONDITION: RecordSecrecy.ends.is_(None),
        }


def forget_notice(session: Session, guard: Guard, period: RecordSecrecy) -> None:
    """Note that the end that was noticed is no more, as it is another now."""
    if period.noticed_on is not None:
        Deadlines(guard).meet(session, DeadlineKind.SECRECY_END, period.record_id)
        period.noticed_on = None


def _context(record_id: UUID) -> str:
    return f"secrecy:{record_id.hex}"
