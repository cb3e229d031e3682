"""Transfers as people see them: what should go, what runs, what waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, waiting_for
from archive.approving.engine import Approvals
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Approval,
    ApprovalKind,
    ApprovalState,
    Record,
    RecordDue,
    RetentionSchedule,
    Transfer,
    TransferItem,
    TransferItemState,
    Verdict,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from retention.elsewhere import kept_from_transfer, outdated
from retention.rules import Action
from retention.transferring.rows import records_of, taken
from retention.transferring.rules import RUNNING
from retention.waiting import count_whole

MOST = 2000
"""Records of one transfer."""


@dataclass(frozen=True)
class TransferShown:
    """A transfer as one person sees it: ``items`` are its records that they read; ``whole``: these are all."""

    transfer: Transfer
    approval: Approval | None
    items: Sequence[tuple[TransferItem, Record]]
    why: str
    answer: str
    whole: bool
    may_decide: bool
    manages: bool


class Looks:
    """What is shown of transfers. One is seen by who reads a record of it."""

    def __init__(self, db: Database, guard: Guard, approvals: Approvals, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._log = log

    def proposed(self, identity: Identity, limit: int = MOST) -> Sequence[UUID]:
        """Return what should go: due with a schedule that says so, or judged so by its newest closed appraisal."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            judged = (
                select(AppraisalItem.record_id)
                .join(Appraisal, Appraisal.id == AppraisalItem.appraisal_id)
                .where(Appraisal.state == AppraisalState.CLOSED, AppraisalItem.verdict == Verdict.TRANSFER, ~outdated())
            )
            due = (
                select(RecordDue.record_id)
                .join(RetentionSchedule, RetentionSchedule.id == RecordDue.schedule_id)
                .where(RecordDue.due <= self._guard.day())
                .where(RetentionSchedule.definition["action"].as_string() == Action.TRANSFER.value)
            )
            mine = self._guard.visible(session, identity).with_only_columns(Record.id)
            mine = mine.where(Record.id.in_(judged.union(due)))
            mine = mine.where(Record.id.not_in(taken()), ~kept_from_transfer())
            return session.scalars(mine.order_by(Record.id).limit(limit)).all()

    def every(
        self, identity: Identity, *, ended: bool = False, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[Transfer]:
        """Return transfers of which this person reads a record, the newest first.

        Who does not see all transfers sees those that wait for them.
        """
        with self._db.reading() as session:
            mine = self._guard.visible(session, identity).with_only_columns(Record.id)
            seen = select(TransferItem.transfer_id).where(
                mine.where(Record.id == TransferItem.record_id).correlate(TransferItem).exists()
            )
            query = select(Transfer).where(
                Transfer.id.in_(seen), Transfer.state.not_in(RUNNING) if ended else Transfer.state.in_(RUNNING)
            )
            if not may(Act.SEE_TRANSFERS, self._guard.reach(session, identity)):
                query = query.where(Transfer.approval_id.in_(self._mine(session, identity)))
            return session.scalars(newest_first(query, Transfer.begun_at, Transfer.id, after).limit(limit)).all()

    def show(self, identity: Identity, transfer_id: UUID) -> TransferShown:
        """Show a transfer. Raises ``NotFound``: there is none of which this person reads a record."""
        with self._db.reading() as session:
            reach = self._guard.reach(session, identity)
            row, items, whole = self._seen(session, identity, transfer_id)
            approval = session.get(Approval, row.approval_id) if row.approval_id else None
            answer = self._approvals.opened(session, approval)[2] if approval else ""
            hands = hands_of(session, identity.person_id, self._guard.day())
            decides = approval is not None and whole
            if approval is not None and decides:
                decides = approval.state is ApprovalState.ASKED
                decides = decides and self._approvals.may_decide(session, identity.person_id, approval, hands)
            said = approval is not None and approval.decided_by == identity.person_id
            if not decides and not said and not may(Act.SEE_TRANSFERS, reach):
                raise NotFound
            return TransferShown(
                row, approval, items, row.purpose, answer, whole,
                may_decide=decides,
                manages=may(Act.MANAGE_TRANSFERS, reach) and whole,
            )  # fmt: skip

    def of_record(self, session: Session, record_id: UUID) -> Transfer | None:
        """Return the transfer by which a record was handed over; None: it was not. Asks nobody: the caller has."""
        gone = TransferItem.state == TransferItemState.TRANSFERRED
        query = select(Transfer).join(TransferItem, TransferItem.transfer_id == Transfer.id)
        return session.scalars(query.where(TransferItem.record_id == record_id, gone).limit(1)).first()

    def count(self, session: Session, identity: Identity) -> int:
        """Count the transfers that wait for this person's decision."""
        standing = select(TransferItem.record_id).where(TransferItem.transfer_id == Approval.about_id)
        return count_whole(session, self._guard, identity, ApprovalKind.TRANSFER, standing)

    def _mine(self, session: Session, identity: Identity) -> Select[UUID]:
        return waiting_for(session, identity.person_id, ApprovalKind.TRANSFER, self._guard.day())

    def _seen(
        self, session: Session, identity: Identity, transfer_id: UUID
    ) -> tuple[Transfer, Sequence[tuple[TransferItem, Record]], bool]:
        row = session.get(Transfer, transfer_id)
        items = session.scalars(
            select(TransferItem).where(TransferItem.transfer_id == transfer_id).order_by(TransferItem.position)
        ).all()
        mine = self._guard.seen(session, identity, [each.record_id for each in items])
        records = records_of(session, mine)
        found = [(each, records[each.record_id]) for each in items if each.record_id in records]
        there = set(session.scalars(select(Record.id).where(Record.id.in_([each.record_id for each in items]))))
        if row is None or (there and not found):
            raise NotFound
        if not there and not may(Act.SEE_TRANSFERS, self._guard.reach(session, identity)):
            raise NotFound
        return row, found, len(found) == len(there)
