"""What the system itself can count of a period. It stands beside a person's answer and never in its place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from archive.identity import OFFICERS
from archive.log.checkpoints import Signer, stated
from archive.log.writer import SEALED_FIRST
from archive.model import (
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionObjection,
    DestructionProof,
    Hold,
    PersonRole,
)
from archive.model.auditing import AuditFinding, FindingState
from archive.model.log import LogCheckpoint, LogEntry, LogResult, LogSeal
from archive.policy.guard import Guard
from retention.auditing.rules import signed_whole
from retention.destroying.means import duties_of_each
from retention.destroying.rules import all_apart
from retention.gone.looks import of


class Fact(StrEnum):
    """What can be counted. Its words are in ``web.words.audits``."""

    DESTRUCTIONS = "destructions"
    DESTRUCTIONS_APART = "destructions_apart"
    DESTRUCTIONS_SIGNED = "destructions_signed"
    DESTRUCTIONS_PROVED = "destructions_proved"
    OBJECTIONS = "objections"
    PULLED = "pulled"
    LOG_CHECKPOINT = "log_checkpoint"
    OFFICERS_ACTS = "officers_acts"
    REFUSED_ACTS = "refused_acts"
    RIGHTS_CHANGED = "rights_changed"
    HOLDS_TO_REVIEW = "holds_to_review"
    FINDINGS_LATE = "findings_late"


@dataclass(frozen=True)
class Counted:
    """A number; ``of``: out of how many that should be (None: it is only a number)."""

    value: int
    of: int | None = None

    @property
    def falls_short(self) -> bool:
        """Whether something lacks."""
        return self.of is not None and self.value < self.of


@dataclass(frozen=True)
class Period:
    """What is looked at: from one day to another, both included, and perhaps one fonds alone (its code)."""

    since: date
    until: date
    fonds: str | None = None


class Counting:
    """Counts. Who may see it the caller has asked. ``signer`` None: the house signs nothing."""

    def __init__(self, guard: Guard, signer: Signer | None) -> None:
        self._guard = guard
        self._signer = signer

    def all_of(self, session: Session, facts: Collection[Fact], period: Period) -> Mapping[Fact, Counted]:
        """Return those of the facts that can be counted."""
        found: dict[Fact, Counted] = {}
        if set(facts) & _OF_DESTRUCTIONS:
            found |= self._destructions(session, period)
        if set(facts) & _OF_LOG:
            found |= self._log(session, period)
        if Fact.LOG_CHECKPOINT in facts:
            found[Fact.LOG_CHECKPOINT] = self._checkpoint(session, period)
        day = self._guard.day()
        if Fact.HOLDS_TO_REVIEW in facts:
            late = select(func.count()).select_from(Hold).where(Hold.released_at.is_(None), Hold.review_on < day)
            found[Fact.HOLDS_TO_REVIEW] = Counted(session.scalar(late) or 0)
        if Fact.FINDINGS_LATE in facts:
            open_ = select(func.count()).select_from(AuditFinding)
            open_ = open_.where(AuditFinding.state != FindingState.CLOSED, AuditFinding.due < day)
            found[Fact.FINDINGS_LATE] = Counted(session.scalar(open_) or 0)
        return {fact: found[fact] for fact in dict.fromkeys(facts) if fact in found}

    def _between(self, column: ColumnElement[Any], period: Period) -> ColumnElement[bool]:
        begins, ends = self._guard.start_of(period.since), self._guard.start_of(period.until + timedelta(days=1))
        return (column >= begins) & (column < ends)

    def of_period(self, session: Session, period: Period) -> Sequence[Destruction]:
        """Return the destructions whose records were gone in the period."""
        query = select(Destruction).where(self._between(Destruction.gone_at.expression, period))
        if period.fonds:
            theirs = select(DestroyedRecord.destruction_id).where(DestroyedRecord.fonds == period.fonds)
            query = query.where(Destruction.id.in_(theirs))
        return session.scalars(query.order_by(Destruction.number)).all()

    def _destructions(self, session: Session, period: Period) -> Mapping[Fact, Counted]:
        rows = self.of_period(session, period)
        ids, every = [each.id for each in rows], len(rows)
        of_each: dict[UUID, list[DestructionDuty]] = {}
        for duty in session.scalars(select(DestructionDuty).where(DestructionDuty.destruction_id.in_(ids))):
            of_each.setdefault(duty.destruction_id, []).append(duty)
        signed = sum(signed_whole(each.digest, of_each.get(each.id, ())) for each in rows)
        pulled = select(func.count()).select_from(DestructionItem)
        pulled = pulled.where(
            DestructionItem.destruction_id.in_(ids), DestructionItem.state == DestructionItemState.PULLED
        )
        objections = select(func.count()).select_from(DestructionObjection)
        objections = objections.where(DestructionObjection.destruction_id.in_(ids))
        proofs = session.scalars(select(DestructionProof).where(DestructionProof.destruction_id.in_(ids)))
        proved = {each.destruction_id for each in proofs if of(each).clean}
        return {
            Fact.DESTRUCTIONS: Counted(every),
            Fact.DESTRUCTIONS_APART: Counted(sum(map(all_apart, duties_of_each(session, rows).values())), every),
            Fact.DESTRUCTIONS_SIGNED: Counted(signed, every),
            Fact.DESTRUCTIONS_PROVED: Counted(len(proved), every),
            Fact.OBJECTIONS: Counted(session.scalar(objections) or 0),
            Fact.PULLED: Counted(session.scalar(pulled) or 0),
        }

    def _log(self, session: Session, period: Period) -> Mapping[Fact, Counted]:
        entries = select(func.count()).select_from(LogEntry).where(self._between(LogEntry.at.expression, period))
        officers = select(PersonRole.person_id).where(PersonRole.role.in_(OFFICERS))
        return {
            Fact.OFFICERS_ACTS: Counted(session.scalar(entries.where(LogEntry.person_id.in_(officers))) or 0),
            Fact.REFUSED_ACTS: Counted(session.scalar(entries.where(LogEntry.result == LogResult.REFUSED)) or 0),
            Fact.RIGHTS_CHANGED: Counted(session.scalar(entries.where(LogEntry.act.in_(SEALED_FIRST))) or 0),
        }

    def _checkpoint(self, session: Session, period: Period) -> Counted:
        """Count the entries that the last checkpoint covers; none where its signature is not the house's."""
        last = session.scalars(
            select(LogCheckpoint)
            .where(LogCheckpoint.at < self._guard.start_of(period.until + timedelta(days=1)))
            .order_by(LogCheckpoint.size.desc())
            .limit(1)
        ).first()
        if last is None:
            return Counted(0, 1)
        said = self._signer is not None and self._signer.verify(last.key_id, stated(last).statement(), last.signature)
        if not said:
            return Counted(0, last.size)
        there = select(func.count()).select_from(LogSeal).join(LogEntry, LogEntry.id == LogSeal.entry_id)
        return Counted(session.scalar(there.where(LogSeal.seq <= last.size)) or 0, last.size)


_OF_DESTRUCTIONS = frozenset(
    (
        Fact.DESTRUCTIONS, Fact.DESTRUCTIONS_APART, Fact.DESTRUCTIONS_SIGNED, Fact.DESTRUCTIONS_PROVED,
        Fact.OBJECTIONS, Fact.PULLED,
    )
)  # fmt: skip
_OF_LOG = frozenset((Fact.OFFICERS_ACTS, Fact.REFUSED_ACTS, Fact.RIGHTS_CHANGED))
