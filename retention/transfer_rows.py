"""Rows of transfers: what is on a list, and what a transfer has already."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from archive.model import Record, Transfer, TransferItem, TransferItemState
from retention.transfer_rules import RUNNING


def records_of(session: Session, ids: Collection[UUID]) -> dict[UUID, Record]:
    """Return records by id."""
    return {row.id: row for row in session.scalars(select(Record).where(Record.id.in_(ids)))}


def listed(session: Session, transfer_id: UUID) -> Sequence[UUID]:
    """Return what is on the list of a transfer, in its order."""
    query = select(TransferItem.record_id).where(
        TransferItem.transfer_id == transfer_id, TransferItem.state == TransferItemState.LISTED
    )
    return session.scalars(query.order_by(TransferItem.position)).all()


def taken() -> Select[Any]:
    """Return a query for the records that a transfer has already, or had."""
    query = select(TransferItem.record_id).join(Transfer, Transfer.id == TransferItem.transfer_id)
    return query.where(
        or_(
            TransferItem.state == TransferItemState.TRANSFERRED,
            (TransferItem.state == TransferItemState.LISTED) & Transfer.state.in_(RUNNING),
        )
    )
