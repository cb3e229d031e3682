"""Transfers 移交: listed, approved, packed, signed for by the other archive, then closed here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of
from archive.approving.planning import plan, require
from archive.approving.states import OPEN
from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Afterwards,
    Approval,
    ApprovalKind,
    ApprovalState,
    Record,
    Stop,
    Transfer,
    TransferItem,
    TransferItemState,
    TransferState,
)
from archive.policy.rules import Act
from archive.reasons import checked
from retention.elsewhere import kept_from_transfer
from retention.last_check import facts_of
from retention.numbers import next_number
from retention.transferring.looks import MOST, Looks
from retention.transferring.rows import forget_bag, listed, placed, records_of, taken
from retention.transferring.rules import NEXT, keeps, move

LONGEST = 200
MOST_NAMED = 20
"""Records at fault that are named at once."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Receipt:
    """What the other archive signed: who, on which day, the hash of the signed sheet; ``disputed`` with the words."""

    signed_by: str
    signed_on: date
    scan_sha256: str
    disputed: dict[UUID, str]


class Transfers(Looks):
    """The acts on transfers."""

    def begin(
        self, identity: Identity, receiver: str, purpose: str, ids: Sequence[UUID],
        afterwards: Afterwards = Afterwards.KEEP,
    ) -> UUID:  # fmt: skip
        """Begin a transfer of records. What may not go is listed apart, with the reason.

        ``afterwards`` is what becomes of the copies that stay here; who approves the transfer approves it.

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
            seen = self._guard.seen(session, identity, wanted)
            if unseen := [key for key in wanted if key not in seen]:
                self._guard.require(session, identity, Act.READ, unseen[0])
            if there := session.scalars(taken().where(TransferItem.record_id.in_(wanted)).limit(MOST_NAMED)).all():
                names = sorted(each.archive_number or each.title for each in records_of(session, there).values())
                raise InvalidInput(Fault("records", "in_transfer", {"names": ", ".join(names)}))
            number = next_number(session, Transfer.number, f"YJ{self._guard.day().year}-")
            now = self._guard.now()
            row = Transfer(
                id=new_id(), number=number, receiver=receiver.strip(), purpose=purpose.strip(),
                state=TransferState.DRAFT, begun_by=identity.person_id, begun_at=now, afterwards=afterwards,
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
            row = self.own(session, identity, transfer_id, version)
            self._pull(session, row)
            standing = listed(session, row.id)
            if not standing:
                raise InvalidInput(Fault("records", "nothing_may_go"))
            highest = session.scalars(
                select(Record).where(Record.id.in_(standing)).order_by(Record.level_rank.desc()).limit(1)
            ).one()
            asker = row.begun_by if identity.person_id is None else identity.person_id
            steps = require(plan(session, self._guard, ApprovalKind.TRANSFER, highest, frozenset(), asker, asker))
            what = {
                "transfer": row.number,
                "receiver": row.receiver,
                "records": len(standing),
                "afterwards": row.afterwards.value,
            }
            row.approval_id = self._approvals.ask(
                session, identity, ApprovalKind.TRANSFER, None, what, row.purpose, about=row.id, steps=steps
            )
            move(row, TransferState.ASKED)
            work.commit()

    def decide(self, identity: Identity, transfer_id: UUID, why: str, *, approve: bool) -> ApprovalState:
        """Decide at the present step; one of which nothing may go when it is approved has ended by that.

        Raises as ``Approvals.decide``; ``NotAllowed`` to who does not read all of it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, _, whole = self._seen(session, identity, transfer_id)
            approval = session.get(Approval, row.approval_id) if row.approval_id else None
            if approval is None or not whole:
                raise NotAllowed(act="transfer.approve" if approve else "transfer.refuse")
            hands = hands_of(session, identity.person_id, self._guard.day())
            state = self._approvals.decide(session, identity, approval, hands, why, approve=approve)
            if state is ApprovalState.APPROVED:
                move(row, TransferState.APPROVED)
                self.end_if_empty(session, identity, row)
            elif state is ApprovalState.REFUSED:
                move(row, TransferState.REFUSED)
            work.commit()
            return state

    def withdraw(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Give a transfer up that was not signed for yet. Raises as ``ask``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self.own(session, identity, transfer_id, version)
            approval = session.get(Approval, row.approval_id) if row.approval_id else None
            if approval is not None and approval.state in OPEN:
                self._approvals.drop(session, identity, approval, "")
            move(row, TransferState.WITHDRAWN)
            forget_bag(session, row)
            self.note(session, identity, "transfer.give_up", row)
            work.commit()

    def end_if_empty(self, session: Session, identity: Identity, row: Transfer) -> None:
        """Take out of an approved transfer what may not go; without anything left it has ended."""
        self._pull(session, row)
        if not listed(session, row.id):
            move(row, TransferState.WITHDRAWN)
            forget_bag(session, row)
            self.note(session, identity, "transfer.give_up", row, why="nothing_may_go")

    def packing(self, session: Session, number: str) -> tuple[Transfer, Sequence[tuple[int, UUID]]]:
        """Return an approved transfer and the records of its bag, with their places. For the operator.

        Raises:
            NotFound: there is none of this number.
            Ended: it is not approved, or signed for already.
            InvalidInput: field ``records``: nothing is left that may go.
        """
        row = session.scalars(select(Transfer).where(Transfer.number == number.strip())).one_or_none()
        if row is None:
            raise NotFound
        if TransferState.PACKED not in NEXT[row.state]:
            raise Ended(state=row.state.value, act="transfer.packed")
        if not (items := self.may_go(session, row)):
            raise InvalidInput(Fault("records", "nothing_may_go"))
        return row, items

    def may_go(self, session: Session, row: Transfer) -> Sequence[tuple[int, UUID]]:
        """Return of a list what may go now, each with its place there."""
        items = placed(session, row.id)
        facts = facts_of(session, [key for _, key in items], kept_from_transfer)
        today = self._guard.day()
        return [each for each in items if each[1] in facts and keeps(facts[each[1]], today) is None]

    def packed(self, session: Session, identity: Identity, row: Transfer, bag_sha256: str) -> None:
        """Note that a transfer's bag is made; what may not go any more is taken out, and no other is being made."""
        self._pull(session, row)
        move(row, TransferState.PACKED)
        row.packing_since, row.packing_fault = None, ""
        row.packed_at, row.bag_sha256 = self._guard.now(), bag_sha256
        self.note(session, identity, "transfer.pack", row, bag=bag_sha256)

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
            row = self.own(session, identity, transfer_id, version)
            standing = set(listed(session, row.id))
            if not set(receipt.disputed) <= standing:
                faults.append(Fault("disputed", "not_listed"))
            if faults:
                raise InvalidInput(*faults)
            move(row, TransferState.RECEIVED)
            forget_bag(session, row)
            row.received_by, row.received_on = receipt.signed_by.strip(), receipt.signed_on
            row.scan_sha256 = receipt.scan_sha256 or None
            for item in session.scalars(select(TransferItem).where(TransferItem.transfer_id == row.id)):
                if item.record_id in receipt.disputed:
                    item.state, item.told = TransferItemState.DISPUTED, receipt.disputed[item.record_id][:500]
            self.note(session, identity, "transfer.receipt", row, disputed=len(receipt.disputed))
            work.commit()

    def close(self, identity: Identity, transfer_id: UUID, version: int) -> None:
        """Close a transfer that was signed for: its records are marked as handed over; they stay readable here.

        Raises as ``ask``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self.own(session, identity, transfer_id, version)
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
            self.note(session, identity, "transfer.close", row)
            work.commit()

    def _pull(self, session: Session, row: Transfer) -> None:
        """Take out what may not go now."""
        session.flush()
        still = select(TransferItem).where(
            TransferItem.transfer_id == row.id, TransferItem.state == TransferItemState.LISTED
        )
        items = {item.record_id: item for item in session.scalars(still)}
        facts = facts_of(session, items, kept_from_transfer)
        for key, item in items.items():
            why = keeps(facts[key], self._guard.day()) if key in facts else Stop.NOT_THERE
            if why is not None:
                item.state, item.pulled = TransferItemState.PULLED, why
        session.flush()

    def own(self, session: Session, identity: Identity, transfer_id: UUID, version: int | None) -> Transfer:
        """Return a transfer to who makes transfers and reads all of this one; ``version`` None: whatever it is now.

        Raises ``NotFound``, ``NotAllowed``, ``Conflict``.
        """
        self._guard.require_house(session, identity, Act.MANAGE_TRANSFERS)
        row, _, whole = self._seen(session, identity, transfer_id)
        if not whole:
            raise NotAllowed(act=Act.MANAGE_TRANSFERS.value)
        if version is not None and row.version != version:
            raise Conflict(what="transfer", version=row.version)
        return row

    def note(self, session: Session, identity: Identity, act: str, row: Transfer, **more: Any) -> None:
        """Write the log about a transfer."""
        session.flush()
        self._log.note(session, identity, act, body={"transfer": str(row.id), "number": row.number, **more})
