"""Periodic checks: how often records are held against their papers, which are due, and what was found.

A record's turn comes every so many months after it was filed or last checked, never before its rule held. Of a sample,
each turn is drawn by lot from the record and the day, so that everyone who plans draws the same.
"""

import json
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from archive.blocks import Blocks, Cause, standing
from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    BlockCause,
    BlockKind,
    Category,
    CheckRule,
    Copy,
    Level,
    Record,
    RecordCheck,
    RecordState,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.scheme.tree import parents

LONGEST_REMARK = 500
LONGEST_INTERVAL = 600
"""Months."""

PLANNED_AT_ONCE = 100
"""Records that are planned in one transaction."""

UNCHECKED = frozenset({"label_ok", "number_ok", "state_ok", "description_ok"})


@dataclass(frozen=True)
class Findings:
    """What of a record agrees with its paper: label, number, state of the paper, description."""

    label_ok: bool
    number_ok: bool
    state_ok: bool
    description_ok: bool
    remark: str = ""
    hold: BlockKind | None = None
    """Hold the record back for this, from now on."""

    @property
    def whole(self) -> bool:
        """Whether all agrees."""
        return self.label_ok and self.number_ok and self.state_ok and self.description_ok


class Checks:
    """The acts on checks."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, blocks: Blocks) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock
        self._blocks = blocks

    def rules(self, identity: Identity) -> Sequence[CheckRule]:
        """Return the rules, the widest first. Raises ``NotAllowed``."""
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_CHECKS)
            return session.scalars(
                select(CheckRule).order_by(CheckRule.category_id.is_not(None), CheckRule.level_rank, CheckRule.id)
            ).all()

    def set_rule(
        self, identity: Identity, level: int | None, category_id: UUID | None, months: int, share: int
    ) -> UUID:
        """Say how often records of a level and a category (None: of any) are checked, then plan.

        Raises:
            NotAllowed: not theirs.
            InvalidInput: names the field.
        """
        faults = []
        if not 1 <= months <= LONGEST_INTERVAL:
            faults.append(Fault("months", "out_of_range", {"low": 1, "high": LONGEST_INTERVAL}))
        if not 1 <= share <= 100:
            faults.append(Fault("share", "out_of_range", {"low": 1, "high": 100}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_CHECKS)
            if level is not None and session.get(Level, level) is None:
                faults.append(Fault("level", "unknown"))
            if category_id is not None and session.get(Category, category_id) is None:
                faults.append(Fault("category", "unknown"))
            if faults:
                raise InvalidInput(*faults)
            same = (CheckRule.level_rank.is_not_distinct_from(level),
                    CheckRule.category_id.is_not_distinct_from(category_id))  # fmt: skip
            row = session.scalar(select(CheckRule).where(*same))
            if row is None:
                row = CheckRule(id=new_id(), level_rank=level, category_id=category_id, version=0)
                session.add(row)
            row.months, row.share, row.since, row.version = months, share, self._guard.day(), row.version + 1
            body = {"level": level, "category": str(category_id) if category_id else None, "months": months}
            self._log.note(session, identity, "check.rule", body=body | {"share": share})
            work.commit()
        self.plan()
        return row.id

    def drop_rule(self, identity: Identity, rule_id: UUID) -> None:
        """Take a rule away; what is due by it is due no more. Raises ``NotAllowed``, ``NotFound``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_CHECKS)
            row = session.get(CheckRule, rule_id)
            if row is None:
                raise NotFound
            body = {"level": row.level_rank, "category": str(row.category_id) if row.category_id else None}
            self._log.note(session, identity, "check.drop_rule", body=body)
            session.delete(row)
            work.commit()
        self.plan()

    def plan(self, keep_going: Callable[[], bool] = lambda: True) -> None:
        """Set when each filed record on paper is due next, in short batches; to plan again changes nothing."""
        last: UUID | None = None
        while keep_going():
            with self._db.writing() as work:
                session = work.session
                on_paper = select(Copy.id).where(Copy.record_id == Record.id, Copy.withdrawn_at.is_(None)).exists()
                query = select(Record).where(Record.state == RecordState.FILED, on_paper)
                if last is not None:
                    query = query.where(Record.id > last)
                records = session.scalars(query.order_by(Record.id).limit(PLANNED_AT_ONCE)).all()
                self._planned(session, records)
                if not records:
                    gone = ~select(Record.id).where(
                        Record.id == RecordCheck.record_id, Record.state == RecordState.FILED, on_paper
                    ).exists()  # fmt: skip
                    session.execute(delete(RecordCheck).where(RecordCheck.done_at.is_(None), gone))
                work.commit()
            if not records:
                return
            last = records[-1].id

    def due(
        self, identity: Identity, *, until: date, after: tuple[date, UUID] | None = None, limit: int = 50
    ) -> Sequence[tuple[RecordCheck, Record]]:
        """Return the checks that are due up to a day, the earliest first, of records that this person may check."""
        with self._db.reading() as session:
            query = self._mine(session, identity).where(RecordCheck.done_at.is_(None), RecordCheck.due <= until)
            if after is not None:
                day, key = after
                behind = and_(RecordCheck.due == day, RecordCheck.id > key)
                query = query.where(or_(RecordCheck.due > day, behind))
            rows = session.execute(query.order_by(RecordCheck.due, RecordCheck.id).limit(limit)).all()
            return [(check, record) for record, check in rows]

    def done(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> Sequence[tuple[RecordCheck, Record]]:
        """Return the checks that were done, the latest first, of records that this person may check."""
        with self._db.reading() as session:
            query = self._mine(session, identity).where(RecordCheck.done_at.is_not(None))
            rows = session.execute(newest_first(query, RecordCheck.done_at, RecordCheck.id, after).limit(limit)).all()
            return [(check, record) for record, check in rows]

    def count_late(self, identity: Identity) -> int:
        """Count the checks whose day has passed, of records that this person may check."""
        with self._db.reading() as session:
            late = self._mine(session, identity).where(
                RecordCheck.done_at.is_(None), RecordCheck.due < self._guard.day()
            )
            counted = select(func.count()).select_from(late.with_only_columns(RecordCheck.id).subquery())
            return session.scalar(counted) or 0

    def remarks(self, session: Session, checks: Sequence[RecordCheck]) -> Mapping[UUID, str]:
        """Return the remarks of checks whose records the caller has been shown."""
        sealed = [row for row in checks if row.sealed]
        items = [(row.record_id, row.sealed or b"", f"check:{row.id.hex}") for row in sealed]
        opened = self._vault.open_many(session, items)
        return {row.id: str(json.loads(data)["remark"]) for row, data in zip(sealed, opened, strict=True) if data}

    def shown(self, identity: Identity, record_id: UUID) -> tuple[Record, date | None]:
        """Return a record that this person may check, with the day on which it is due. Raises as ``check``."""
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.CHECK, record_id)
            row = session.scalar(
                select(RecordCheck).where(RecordCheck.record_id == record.id, RecordCheck.done_at.is_(None))
            )
            return record, row.due if row else None

    def check(self, identity: Identity, record_id: UUID, found: Findings) -> UUID:
        """Note what a check of a filed record found, due or not, and when the next one is; return the check.

        Raises:
            NotFound, NotAllowed: not theirs to check.
            InvalidInput: field ``remark``: something does not agree and nothing is said of it, or it is too long.
        """
        remark = found.remark.strip()
        if not remark and not found.whole:
            raise InvalidInput(Fault("remark", "required"))
        if len(remark) > LONGEST_REMARK:
            raise InvalidInput(Fault("remark", "too_long", {"limit": LONGEST_REMARK, "length": len(remark)}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.CHECK, record_id)
            row = session.scalar(
                select(RecordCheck).where(RecordCheck.record_id == record.id, RecordCheck.done_at.is_(None))
            )
            if row is None:
                row = RecordCheck(id=new_id(), record_id=record.id, due=self._guard.day())
                session.add(row)
            row.done_at, row.done_by = self._clock.now(), identity.person_id
            row.label_ok, row.number_ok = found.label_ok, found.number_ok
            row.state_ok, row.description_ok = found.state_ok, found.description_ok
            if remark:
                data = json.dumps({"remark": remark}, ensure_ascii=False).encode()
                row.sealed = self._vault.seal(session, record.id, data, context=f"check:{row.id.hex}")
            session.flush()
            body = {name: getattr(found, name) for name in sorted(UNCHECKED)}
            body |= {"check": str(row.id), "remark": remark or None}
            self._log.note(session, identity, "check.do", record=record.id, body=body)
            if found.hold is not None:
                held = {each.kind for each in standing(session, [record.id]).get(record.id, ()) if not each.copy_id}
                if found.hold not in held:
                    cause = Cause(BlockCause.CHECK, row.id)
                    self._blocks.set(session, identity, record.id, found.hold, remark, cause=cause)
            self._planned(session, [record])
            work.commit()
            return row.id

    def _mine(self, session: Session, identity: Identity) -> Select[Record, RecordCheck]:
        return (
            self._guard.visible(session, identity, Act.CHECK)
            .join(RecordCheck, RecordCheck.record_id == Record.id)
            .with_only_columns(Record, RecordCheck)
        )

    def _planned(self, session: Session, records: Sequence[Record]) -> None:
        ids = [record.id for record in records]
        rules, above = session.scalars(select(CheckRule)).all(), parents(session)
        waiting = {
            row.record_id: row
            for row in session.scalars(
                select(RecordCheck).where(RecordCheck.record_id.in_(ids), RecordCheck.done_at.is_(None))
            )
        }
        last = dict(
            session.execute(
                select(RecordCheck.record_id, func.max(RecordCheck.done_at))
                .where(RecordCheck.record_id.in_(ids), RecordCheck.done_at.is_not(None))
                .group_by(RecordCheck.record_id)
            ).all()
        )
        for record in records:
            rule = _rule_for(record, rules, above)
            base = last.get(record.id) or record.filed_at
            due = _turn(record.id, self._guard.day(base), rule) if rule and base else None
            row = waiting.get(record.id)
            if due is None and row is not None:
                session.delete(row)
            elif due is not None and row is None:
                session.add(RecordCheck(id=new_id(), record_id=record.id, due=due))
            elif due is not None and row is not None and row.due != due:
                row.due = due
        session.flush()


def _rule_for(record: Record, rules: Collection[CheckRule], above: Mapping[UUID, UUID | None]) -> CheckRule | None:
    """Return the rule that holds: that of the nearest category, of these that of the level, else the widest."""
    chain: list[UUID] = []
    at: UUID | None = record.category_id
    while at is not None and at not in chain:
        chain.append(at)
        at = above.get(at)
    fitting = [
        rule
        for rule in rules
        if rule.level_rank in {None, record.level_rank} and (rule.category_id is None or rule.category_id in chain)
    ]

    def nearness(rule: CheckRule) -> tuple[int, bool]:
        distance = chain.index(rule.category_id) if rule.category_id else len(chain)
        return (-distance, rule.level_rank is not None)

    return max(fitting, key=nearness, default=None)


def _turn(record_id: UUID, base: date, rule: CheckRule) -> date | None:
    """Return the first day on which a record has its turn; None: in no turn of the next fifty years."""
    for months in range(rule.months, max(LONGEST_INTERVAL, 2 * rule.months) * 2 + 1, rule.months):
        day = _after(base, months)
        if day >= rule.since and _is_drawn(record_id, day, rule.share):
            return day
    return None


def _is_drawn(record_id: UUID, day: date, share: int) -> bool:
    drawn = sha256(record_id.bytes + day.isoformat().encode()).digest()
    return int.from_bytes(drawn[:4], "big") % 100 < share


def _after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
