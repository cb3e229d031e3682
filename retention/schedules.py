"""Schedules: seen, drafted, looked at before they apply, approved by another, and installed with what ships.

A change is a draft of the whole schedule, its rule and the categories that it stands on. Approving it puts the schedule
in force at once; kept days follow by a job (``retention.applying``).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from archive.approving.states import NEXT
from archive.clock import Clock
from archive.database import Database
from archive.database.newest import older
from archive.errors import Conflict, Ended, Fault, InUse, InvalidInput, NotAllowed, NotFound, OwnRequest, StandsAlready
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    ApprovalState,
    Category,
    CategorySchedule,
    JobKind,
    RecordDue,
    RecordSchedule,
    RetentionSchedule,
    ScheduleDraft,
    ScheduleVersion,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import checked as reason_checked
from retention.change import affected
from retention.documents import check_code, checked, shipped
from retention.reckoning import world

LONGEST_AUTHORITY = 200


@dataclass(frozen=True)
class Standing:
    """A schedule, the categories that it stands on, and how many records have it instead of their category's."""

    schedule: RetentionSchedule
    categories: Sequence[Category]
    chosen: int


@dataclass(frozen=True)
class Chosen:
    """The schedule that a record has instead of its category's, who says so and why."""

    schedule_id: UUID
    authority: str
    reason: str


class Schedules:
    """The acts on schedules."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def every(self, identity: Identity) -> Sequence[Standing]:
        """Return the schedules by code. They are rules of the house, open to everyone signed in."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SCHEDULES)
            return [_standing(session, row) for row in session.scalars(_BY_CODE)]

    def show(self, identity: Identity, schedule_id: UUID) -> tuple[Standing, Sequence[ScheduleVersion]]:
        """Return a schedule and its versions, the newest first. Raises ``NotFound``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SCHEDULES)
            row = _schedule(session, schedule_id)
            versions = select(ScheduleVersion).where(ScheduleVersion.schedule_id == row.id)
            return _standing(session, row), session.scalars(versions.order_by(ScheduleVersion.version.desc())).all()

    def install(self, identity: Identity) -> int:
        """Add the shipped schedules that are not there yet and put them on their categories; return how many are new.

        A category that has a schedule, or stands below one that has, keeps it; a schedule that stands stays as it is.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.DRAFT_SCHEDULES)
            known = {row.code: row for row in session.scalars(select(RetentionSchedule))}
            here = world(session)
            by_code: dict[str, list[UUID]] = {}
            for code, key in session.execute(select(Category.code, Category.id)):
                by_code.setdefault(code, []).append(key)
            fresh, put = 0, 0
            for each in shipped():
                row = known.get(each.code)
                if row is None:
                    fresh += 1
                    row = RetentionSchedule(
                        id=new_id(), code=each.code, names=dict(each.names), definition=dict(each.definition), version=1
                    )
                    session.add(row)
                    session.flush()
                every = [key for code in each.categories for key in by_code.get(code, ())]
                on = [key for key in every if here.of_category(key) is None]
                session.add_all(CategorySchedule(category_id=key, schedule_id=row.id) for key in on)
                put += len(on)
                if each.code not in known:
                    self._keep(session, row, on, None)
            if fresh or put:
                self._log.note(session, identity, "schedule.install", body={"schedules": fresh, "categories": put})
                session.flush()
                self._outbox.add(work, JobKind.RECKON)
            work.commit()
        return fresh

    def draft(
        self,
        identity: Identity,
        schedule_id: UUID | None,
        *,
        code: str,
        names: Mapping[str, str],
        definition: Mapping[str, Any],
        categories: Collection[UUID],
        why: str,
    ) -> UUID:
        """Draft a change of a schedule, or (None) a new one; nothing applies before another person approves.

        Raises:
            NotAllowed, NotFound: the person drafts no schedules; there is no such one.
            InvalidInput: names each field at fault; field ``change``: nothing would change.
            StandsAlready: a new one's code stands already.
        """
        definition = checked(definition)
        check_code(code, names)
        reason_checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.DRAFT_SCHEDULES)
            if identity.person_id is None:
                raise NotAllowed(act=Act.DRAFT_SCHEDULES.value)
            wanted = sorted({str(key) for key in categories})
            found = session.scalar(
                select(func.count()).select_from(Category).where(Category.id.in_([UUID(key) for key in wanted]))
            )
            if found != len(wanted):
                raise InvalidInput(Fault("categories", "unknown"))
            base = 0
            if schedule_id is None:
                if session.scalar(select(RetentionSchedule.id).where(RetentionSchedule.code == code)):
                    raise StandsAlready(what="schedule", field="code")
            else:
                row = _schedule(session, schedule_id)
                base = row.version
                before = sorted(str(each.id) for each in _standing(session, row).categories)
                if (row.code, dict(row.names), dict(row.definition), before) == (
                    code, dict(names), definition, wanted,
                ):  # fmt: skip
                    raise InvalidInput(Fault("change", "nothing_changed"))
                code = row.code
            key = new_id()
            session.add(
                ScheduleDraft(
                    id=key, schedule_id=schedule_id, base_version=base, code=code, names=dict(names),
                    definition=definition, categories=wanted, why=why.strip(), asked_by=identity.person_id,
                    asked_at=self._clock.now(),
                )
            )  # fmt: skip
            body = {"draft": str(key), "code": code, "definition": definition, "reason": why.strip()}
            self._log.note(session, identity, "schedule.draft", body=body)
            work.commit()
        return key

    def drafts(
        self, identity: Identity, limit: int, *, after: tuple[bool, tuple[datetime, UUID]] | None = None
    ) -> Sequence[ScheduleDraft]:
        """Return the drafts, those that wait first, then the newest; behind one that waits or not, by its moment."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SCHEDULES)
            waits = ScheduleDraft.state == ApprovalState.ASKED
            query = select(ScheduleDraft).order_by(waits.desc(), ScheduleDraft.asked_at.desc(), ScheduleDraft.id.desc())
            if after is not None:
                waited, place = after
                behind = older(ScheduleDraft.asked_at, ScheduleDraft.id, place)
                query = query.where(or_(~waits, behind) if waited else and_(~waits, behind))
            return session.scalars(query.limit(limit)).all()

    def waiting(self, session: Session, identity: Identity) -> int:
        """Count the drafts that wait for another's decision than who wrote them."""
        others = ScheduleDraft.state == ApprovalState.ASKED, ScheduleDraft.asked_by != identity.person_id
        return session.scalar(select(func.count()).select_from(ScheduleDraft).where(*others)) or 0

    def one_draft(self, identity: Identity, draft_id: UUID) -> ScheduleDraft:
        """Return a draft. Raises ``NotFound``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SCHEDULES)
            return _draft(session, draft_id)

    def decide(self, identity: Identity, draft_id: UUID, why: str, *, approve: bool) -> None:
        """Approve a draft, which puts the schedule in force at once, or refuse it: never one's own.

        Raises:
            NotAllowed, NotFound, OwnRequest, Ended: as for any request that needs a yes.
            Conflict: the schedule changed since the draft was made.
            InvalidInput: field ``reason``.
        """
        reason_checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.DECIDE_SCHEDULES)
            draft = _draft(session, draft_id)
            state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
            if draft.asked_by == identity.person_id or identity.person_id is None:
                raise OwnRequest(act=Act.DECIDE_SCHEDULES.value)
            self._end(session, identity, draft, state, why)
            if approve:
                self._put_in_force(session, draft)
                self._outbox.add(work, JobKind.RECKON, draft.id)
            work.commit()

    def withdraw(self, identity: Identity, draft_id: UUID) -> None:
        """Take back one's own draft. Raises as ``decide``; ``NotAllowed`` for another's."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.DRAFT_SCHEDULES)
            draft = _draft(work.session, draft_id)
            if draft.asked_by != identity.person_id:
                raise NotAllowed(act="schedule.withdraw")
            self._end(work.session, identity, draft, ApprovalState.WITHDRAWN, "")
            work.commit()

    def remove(self, identity: Identity, schedule_id: UUID) -> None:
        """Remove a schedule that nothing hangs on.

        Raises:
            InUse: categories or records have it, or a draft waits or is not applied. What was decided stays.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.DRAFT_SCHEDULES)
            row = _schedule(session, schedule_id)
            drafts = select(ScheduleDraft.id).where(
                ScheduleDraft.schedule_id == row.id, ScheduleDraft.applied_at.is_(None),
                ScheduleDraft.state.in_((ApprovalState.ASKED, ApprovalState.APPROVED)),
            )  # fmt: skip
            tables = (CategorySchedule, RecordSchedule, RecordDue)
            hang = [select(table.schedule_id).where(table.schedule_id == row.id) for table in tables]
            if any(session.scalar(each.limit(1)) is not None for each in (drafts, *hang)):
                raise InUse(what="schedule_in_use")
            decided = update(ScheduleDraft).where(ScheduleDraft.schedule_id == row.id).values(schedule_id=None)
            session.execute(decided.execution_options(synchronize_session=False))
            session.execute(delete(ScheduleVersion).where(ScheduleVersion.schedule_id == row.id))
            session.execute(delete(RetentionSchedule).where(RetentionSchedule.id == row.id))
            body = {"code": row.code, "definition": dict(row.definition)}
            self._log.note(session, identity, "schedule.remove", body=body)
            work.commit()

    def choose(
        self, identity: Identity, record_id: UUID, schedule_id: UUID | None, *, authority: str, reason: str
    ) -> None:
        """Give a dossier or item a schedule of its own, or (None) its category's again; its due day follows at once.

        Raises:
            NotFound, NotAllowed: as for any act on a record.
            InvalidInput: field ``authority``, ``reason`` or ``schedule``.
        """
        reason_checked(reason)
        authority = " ".join(authority.split())
        if not 0 < len(authority) <= LONGEST_AUTHORITY:
            raise InvalidInput(
                Fault("authority", "too_long", {"limit": LONGEST_AUTHORITY, "length": len(authority)})
                if authority
                else Fault("authority", "required")
            )
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SET_SCHEDULE, record_id)
            row = session.get(RecordSchedule, record_id)
            before = row and row.schedule_id
            after = _schedule(session, schedule_id, field=True) if schedule_id else None
            if before == schedule_id:
                raise InvalidInput(Fault("schedule", "nothing_changed"))
            session.execute(delete(RecordSchedule).where(RecordSchedule.record_id == record_id))
            told = {"authority": authority, "reason": reason.strip()}
            if after is not None:
                data = json.dumps(told, ensure_ascii=False).encode()
                sealed = self._vault.seal_many(session, [(record_id, data, _context(record_id))])[0]
                session.add(
                    RecordSchedule(
                        record_id=record_id, schedule_id=after.id, set_by=identity.person_id,
                        set_at=self._clock.now(), sealed=sealed,
                    )
                )  # fmt: skip
            codes = {key: _schedule(session, key).code for key in (before, schedule_id) if key}
            body = {"before": codes.get(before) if before else None, "after": after and after.code, **told}
            record.version += 1
            session.flush()
            self._log.note(session, identity, Act.SET_SCHEDULE.value, record=record_id, body=body)
            self._outbox.add(work, JobKind.INDEX, record_id)
            work.commit()

    def chosen(self, session: Session, record_id: UUID) -> Chosen | None:
        """Return what stands instead of the category's schedule. Asks nobody: the caller has."""
        row = session.get(RecordSchedule, record_id)
        if row is None:
            return None
        told = json.loads(self._vault.open(session, record_id, row.sealed, context=_context(record_id)))
        return Chosen(row.schedule_id, told["authority"], told["reason"])

    def _end(self, session: Session, identity: Identity, draft: ScheduleDraft, state: ApprovalState, why: str) -> None:
        if state not in NEXT[draft.state]:
            raise Ended(state=draft.state.value, act=f"schedule.{state.value}")
        draft.state, draft.answer = state, why.strip()
        draft.decided_by, draft.decided_at = identity.person_id, self._clock.now()
        acts = {
            ApprovalState.APPROVED: "schedule.approve",
            ApprovalState.REFUSED: "schedule.refuse",
            ApprovalState.WITHDRAWN: "schedule.withdraw",
        }
        body = {"draft": str(draft.id), "code": draft.code, "reason": why.strip()}
        self._log.note(session, identity, acts[state], body=body)

    def _put_in_force(self, session: Session, draft: ScheduleDraft) -> None:
        before = world(session)
        row = session.get(RetentionSchedule, draft.schedule_id) if draft.schedule_id else None
        if (row.version if row else 0) != draft.base_version:
            raise Conflict(what="schedule")
        if row is None:
            if session.scalar(select(RetentionSchedule.id).where(RetentionSchedule.code == draft.code)):
                raise StandsAlready(what="schedule", field="code")
            row = RetentionSchedule(id=new_id(), code=draft.code, version=0)
            session.add(row)
        row.names, row.definition, row.version = dict(draft.names), dict(draft.definition), row.version + 1
        draft.schedule_id = row.id
        session.flush()
        on = [UUID(key) for key in draft.categories]
        self._rob(session, row.id, on, draft.id)
        before_it = or_(CategorySchedule.schedule_id == row.id, CategorySchedule.category_id.in_(on))
        session.execute(delete(CategorySchedule).where(before_it))
        session.add_all(CategorySchedule(category_id=key, schedule_id=row.id) for key in on)
        self._keep(session, row, on, draft.id)
        draft.affected = sorted(map(str, affected(before, world(session), row.id)))

    def _rob(self, session: Session, schedule: UUID, on: Collection[UUID], draft: UUID) -> None:
        """Keep another version of each schedule that loses categories: a draft of it that waits has not seen that."""
        others = select(CategorySchedule.schedule_id).where(
            CategorySchedule.category_id.in_(on), CategorySchedule.schedule_id != schedule
        )
        for row in session.scalars(select(RetentionSchedule).where(RetentionSchedule.id.in_(others))).all():
            row.version += 1
            left = [each.id for each in _standing(session, row).categories if each.id not in on]
            self._keep(session, row, left, draft)

    def _keep(self, session: Session, row: RetentionSchedule, on: Sequence[UUID], draft: UUID | None) -> None:
        session.add(
            ScheduleVersion(
                schedule_id=row.id, version=row.version, since=self._clock.now(), names=dict(row.names),
                definition=dict(row.definition), categories=sorted(map(str, on)), draft_id=draft,
            )
        )  # fmt: skip
        session.flush()


_BY_CODE = select(RetentionSchedule).order_by(RetentionSchedule.code)


def _context(record_id: UUID) -> str:
    return f"schedule:{record_id.hex}"


def _schedule(session: Session, key: UUID, *, field: bool = False) -> RetentionSchedule:
    row = session.get(RetentionSchedule, key)
    if row is None:
        raise InvalidInput(Fault("schedule", "unknown")) if field else NotFound
    return row


def _draft(session: Session, key: UUID) -> ScheduleDraft:
    row = session.get(ScheduleDraft, key)
    if row is None:
        raise NotFound
    return row


def _standing(session: Session, row: RetentionSchedule) -> Standing:
    on = select(CategorySchedule.category_id).where(CategorySchedule.schedule_id == row.id)
    categories = session.scalars(select(Category).where(Category.id.in_(on)).order_by(Category.fonds_id, Category.code))
    count = select(func.count()).select_from(RecordSchedule).where(RecordSchedule.schedule_id == row.id)
    return Standing(row, categories.all(), session.scalar(count) or 0)
