"""Rows of transfers: what is on a list, and what a transfer has already."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from archive.model import Afterwards, Record, Transfer, TransferItem, TransferItemState
from archive.model.leaving import TransferPart
from retention.transferring.rules import RUNNING


def records_of(session: Session, ids: Collection[UUID]) -> dict[UUID, Record]:
    """Return records by id."""
    return {row.id: row for row in session.scalars(select(Record).where(Record.id.in_(ids)))}


def listed(session: Session, transfer_id: UUID) -> Sequence[UUID]:
    """Return what is on the list of a transfer, in its order."""
    return [key for _, key in placed(session, transfer_id)]


def placed(session: Session, transfer_id: UUID) -> Sequence[tuple[int, UUID]]:
    """Return what is on the list of a transfer, each with its place there."""
    query = select(TransferItem.position, TransferItem.record_id).where(
        TransferItem.transfer_id == transfer_id, TransferItem.state == TransferItemState.LISTED
    )
    return [(row.position, row.record_id) for row in session.execute(query.order_by(TransferItem.position))]


def taken() -> Select[Any]:
    """Return a query for the records that a transfer has already, or had."""
    query = select(TransferItem.record_id).join(Transfer, Transfer.id == TransferItem.transfer_id)
    return query.where(
        or_(
            TransferItem.state == TransferItemState.TRANSFERRED,
            (TransferItem.state == TransferItemState.LISTED) & Transfer.state.in_(RUNNING),
        )
    )


def forget_bag(session: Session, row: Transfer) -> None:
    """Drop what is kept of a bag, whole or half made; the hash of one that was made stays."""
    session.execute(delete(TransferPart).where(TransferPart.transfer_id == row.id))
    row.bag, row.packing_since = None, None


def left_by_transfers() -> Select[Any]:
    """Return a query for the records that were handed over and whose copies here are to be appraised."""
    query = select(TransferItem.record_id).join(Transfer, Transfer.id == TransferItem.transfer_id)
    return query.where(TransferItem.state == TransferItemState.TRANSFERRED, Transfer.afterwards == Afterwards.APPRAISE)
