"""Transfers 移交: listed, approved, packed, signed for by the other archive, then closed here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from archive.approvals import Approvals
from archive.approving.deciders import hands_of, waiting_for
from archive.approving.planning import plan, require
from archive.approving.states import OPEN
from archive.database import Database
from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
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
    Stop,
    Transfer,
    TransferItem,
    TransferItemState,
    TransferState,
    Verdict,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.reasons import checked
from retention.last_check import facts_of
from retention.rules import Action
from retention.transfer_rows import listed, records_of, taken
from retention.transfer_rules import NEXT, RUNNING, keeps, move

MOST = 2000
"""Records of one transfer."""

LONGEST = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")


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


@dataclass(frozen=True)
class Receipt:
    """What the other archive signed: who, on which day, the hash of the signed sheet; ``disputed`` with the words."""

    signed_by: str
    signed_on: date
    scan_sha256: str
    disputed: dict[UUID, str]


class Transfers:
    """The acts on transfers. One is seen by who reads a record of it."""

    def __init__(self, db: Database, guard: Guard, approvals: Approvals, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._log = log

    def proposed(self, identity: Identity, limit: int = MOST) -> Sequence[UUID]:
        """Return what should go: due with a schedule that says so, or judged so by an appraisal that is closed."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            judged = (
                select(AppraisalItem.record_id)
                .join(Appraisal, Appraisal.id == AppraisalItem.appraisal_id)
                .where(Appraisal.state == AppraisalState.CLOSED, AppraisalItem.verdict == Verdict.TRANSFER)
            )
            due = (
                select(RecordDue.record_id)
                .join(RetentionSchedule, RetentionSchedule.id == RecordDue.schedule_id)
                .where(RecordDue.due <= self._guard.day())
                .where(RetentionSchedule.definition["action"].as_string() == Action.TRANSFER.value)
            )
            mine = self._guard.visible(session, identity).with_only_columns(Record.id)
            mine = mine.where(or_(Record.id.in_(judged), Record.id.in_(due)), Record.id.not_in(taken()))
            return session.scalars(mine.order_by(Record.id).limit(limit)).all()

    def begin(self, identity: Identity, receiver: str, purpose: str, ids: Sequence[UUID]) -> UUID:
        """Begin a transfer of records. What may not go is listed apart, with the reason.

        Raises:
            NotAllowed, NotFound: not an archivist; a record that they do not read.
            InvalidInput: ``receiver``, ``reason``, ``records``: none, too many, or in another transfer.
        """
        checked(purpose)
        wanted = list(dict.fromkeys(ids))
        faults = []
        if not 0 < len(receiver.strip()) <= LONGEST:
            faults.append(Fault("receiver", "required"))
        if not 0 < len(wanted) <= MOST:
            faults.append(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        if faults:
            raise InvalidInput(*faults)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
            if identity.person_id is None:
                raise NotAllowed(act=Act.MANAGE_TRANSFERS.value)
            unseen = [key for key in wanted if key not in self._guard.seen(session, identity, wanted)]
            if unseen:
                self._guard.require(session, identity, Act.READ, unseen[0])
            if session.scalars(taken().where(TransferItem.record_id.in_(wanted)).limit(1)).first() is not None:
                raise InvalidInput(Fault("records", "in_transfer"))
            now = self._guard.now()
            row = Transfer(
                id=new_id(), number=self._number(session), receiver=receiver.strip(), purpose=purpose.strip(),
                state=TransferState.DRAFT, begun_by=identity.person_id, begun_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add_all(
                TransferItem(transfer_id=row.id, record_id=key, position=at) for at, key in enumerate(wanted, 1)
            )
            session.flush()
            self._pull(session, row)
            body = {"transfer": str(row.id), "number": row.number, "receiver": row.receiver, "records": len(wanted)}
            self._log.note(session, identity, "transfer.begin", body=body)
            work.commit()
        return row.id

    def ask(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Ask for the approval of a transfer as it is listed now.

        Raises:
            NotFound, NotAllowed, Conflict, Ended: as they say.
            InvalidInput: ``records``: nothing is left that may go; ``route``: nobody could decide.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._own(session, identity, transfer_id, version)
            self._pull(session, row)
            standing = listed(session, row.id)
            if not standing:
                raise InvalidInput(Fault("records", "nothing_may_go"))
            highest = session.scalars(
                select(Record).where(Record.id.in_(standing)).order_by(Record.level_rank.desc()).limit(1)
            ).one()
            asker = row.begun_by if identity.person_id is None else identity.person_id
            steps = require(plan(session, self._guard, ApprovalKind.TRANSFER, highest, frozenset(), asker, asker))
            what = {"transfer": row.number, "receiver": row.receiver, "records": len(standing)}
            row.approval_id = self._approvals.ask(
                session, identity, ApprovalKind.TRANSFER, None, what, row.purpose, about=row.id, steps=steps
            )
            move(row, TransferState.ASKED)
            work.commit()

    def decide(self, identity: Identity, transfer_id: UUID, why: str, *, approve: bool) -> ApprovalState:
        """Decide at the present step. Raises as ``Approvals.decide``; ``NotAllowed`` to who does not read all of it."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, _, whole = self._seen(session, identity, transfer_id)
            approval = session.get(Approval, row.approval_id) if row.approval_id else None
            if approval is None or not whole:
                raise NotAllowed(act="transfer.approve" if approve else "transfer.refuse")
            hands = hands_of(session, identity.person_id, self._guard.day())
            state = self._approvals.decide(session, identity, approval, hands, why, approve=approve)
            if state is ApprovalState.APPROVED:
                self._pull(session, row)
                move(row, TransferState.APPROVED)
            elif state is ApprovalState.REFUSED:
                move(row, TransferState.REFUSED)
            work.commit()
            return state

    def withdraw(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Give a transfer up that was not signed for yet. Raises as ``ask``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._own(session, identity, transfer_id, version)
            approval = session.get(Approval, row.approval_id) if row.approval_id else None
            if approval is not None and approval.state in OPEN:
                self._approvals.drop(session, identity, approval, "")
            move(row, TransferState.WITHDRAWN)
            self._note(session, identity, "transfer.give_up", row)
            work.commit()

    def packing(self, session: Session, number: str) -> tuple[Transfer, Sequence[UUID]]:
        """Return an approved transfer and the records that its bag is made of, as they may go now. For the operator.

        Raises:
            NotFound: there is none of this number.
            Ended: it is not approved, or signed for already.
        """
        row = session.scalars(select(Transfer).where(Transfer.number == number.strip())).one_or_none()
        if row is None:
            raise NotFound
        if TransferState.PACKED not in NEXT[row.state]:
            raise Ended(state=row.state.value, act="transfer.packed")
        ids = listed(session, row.id)
        facts = facts_of(session, ids)
        return row, [key for key in ids if key in facts and keeps(facts[key], self._guard.day()) is None]

    def packed(self, session: Session, identity: Identity, row: Transfer, bag_sha256: str) -> None:
        """Note that a transfer's bag is made; what may not go any more is taken out."""
        self._pull(session, row)
        move(row, TransferState.PACKED)
        row.packed_at, row.bag_sha256 = self._guard.now(), bag_sha256
        self._note(session, identity, "transfer.pack", row, bag=bag_sha256)

    def receive(self, identity: Identity, transfer_id: UUID, receipt: Receipt, version: int) -> None:
        """Note the receipt that the other archive signed: what it disputes stays here, the rest was handed over.

        Raises:
            NotFound, NotAllowed, Conflict, Ended: as they say.
            InvalidInput: names each field at fault; ``disputed``: a record that is not on the list.
        """
        faults = []
        if not 0 < len(receipt.signed_by.strip()) <= LONGEST:
            faults.append(Fault("signed_by", "required"))
        if receipt.signed_on > self._guard.day():
            faults.append(Fault("signed_on", "not_yet_come"))
        if receipt.scan_sha256 and not _SHA256.fullmatch(receipt.scan_sha256):
            faults.append(Fault("scan_sha256", "bad_hash"))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._own(session, identity, transfer_id, version)
            standing = set(listed(session, row.id))
            if not set(receipt.disputed) <= standing:
                faults.append(Fault("disputed", "not_listed"))
            if faults:
                raise InvalidInput(*faults)
            move(row, TransferState.RECEIVED)
            row.received_by, row.received_on = receipt.signed_by.strip(), receipt.signed_on
            row.scan_sha256 = receipt.scan_sha256 or None
            for item in session.scalars(select(TransferItem).where(TransferItem.transfer_id == row.id)):
                if item.record_id in receipt.disputed:
                    item.state, item.told = TransferItemState.DISPUTED, receipt.disputed[item.record_id][:500]
            self._note(session, identity, "transfer.receipt", row, disputed=len(receipt.disputed))
            work.commit()

    def close(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Close a transfer that was signed for: its records are marked as handed over; they stay readable here.

        Raises as ``ask``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._own(session, identity, transfer_id, version)
            move(row, TransferState.CLOSED)
            row.closed_at = self._guard.now()
            gone = select(TransferItem).where(
                TransferItem.transfer_id == row.id, TransferItem.state == TransferItemState.LISTED
            )
            told: list[tuple[UUID, Any]] = []
            for item in session.scalars(gone):
                item.state = TransferItemState.TRANSFERRED
                told.append((item.record_id, {"transfer": row.number, "receiver": row.receiver}))
            self._log.note_many(session, identity, "transfer.hand_over", told)
            self._note(session, identity, "transfer.close", row)
            work.commit()

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
            if after is not None:
                at, key = after
                query = query.where(Transfer.begun_at <= at, or_(Transfer.begun_at < at, Transfer.id < key))
            return session.scalars(query.order_by(Transfer.begun_at.desc(), Transfer.id.desc()).limit(limit)).all()

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
        mine = self._mine(session, identity)
        read = self._guard.visible(session, identity).with_only_columns(Record.id)
        hidden = (
            select(TransferItem.record_id)
            .where(TransferItem.transfer_id == Approval.about_id)
            .where(~read.where(Record.id == TransferItem.record_id).correlate(TransferItem).exists())
            .correlate(Approval)
            .exists()
        )
        found = mine.where(~hidden).subquery()
        return session.scalar(select(func.count()).select_from(found)) or 0

    def _mine(self, session: Session, identity: Identity) -> Select[UUID]:
        return waiting_for(session, identity.person_id, ApprovalKind.TRANSFER, self._guard.day())

    def _pull(self, session: Session, row: Transfer) -> None:
        """Take out what may not go now."""
        session.flush()
        still = select(TransferItem).where(
            TransferItem.transfer_id == row.id, TransferItem.state == TransferItemState.LISTED
        )
        items = {item.record_id: item for item in session.scalars(still)}
        facts = facts_of(session, items)
        for key, item in items.items():
            why = keeps(facts[key], self._guard.day()) if key in facts else Stop.NOT_THERE
            if why is not None:
                item.state, item.pulled = TransferItemState.PULLED, why
        session.flush()

    def _number(self, session: Session) -> str:
        year = self._guard.day().year
        same = select(func.count()).select_from(Transfer).where(Transfer.number.startswith(f"YJ{year}-"))
        return f"YJ{year}-{(session.scalar(same) or 0) + 1:03}"

    def _own(self, session: Session, identity: Identity, transfer_id: UUID, version: int) -> Transfer:
        self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
        row, _, whole = self._seen(session, identity, transfer_id)
        if not whole:
            raise NotAllowed(act=Act.MANAGE_TRANSFERS.value)
        if row.version != version:
            raise Conflict(what="transfer", version=row.version)
        return row

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
        if row is None or not found:
            raise NotFound
        return row, found, len(found) == len(items)

    def _note(self, session: Session, identity: Identity, act: str, row: Transfer, **more: Any) -> None:
        session.flush()
        self._log.note(session, identity, act, body={"transfer": str(row.id), "number": row.number, **more})
