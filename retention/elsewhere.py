"""What other work has a record meanwhile, as conditions on ``Record``: no two run at once that might end differently.

An appraisal judges it, a transfer carries it to another archive, or a destruction lists it.
"""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    DestructionItem,
    DestructionItemState,
    Record,
    Transfer,
    TransferItem,
    TransferItemState,
    TransferState,
)

_JUDGING = (AppraisalState.DRAFT, AppraisalState.OPEN)
_ARRIVED = (TransferState.CLOSED, TransferState.REFUSED, TransferState.WITHDRAWN)


def judged() -> ColumnElement[bool]:
    """An appraisal that has not ended has it on its list."""
    item, panel = aliased(AppraisalItem), aliased(Appraisal)
    there = exists().where(item.record_id == Record.id, panel.id == item.appraisal_id, panel.state.in_(_JUDGING))
    return there.correlate(Record)


def carried() -> ColumnElement[bool]:
    """A transfer that has not ended has it on its list."""
    there = exists().where(
        TransferItem.record_id == Record.id, TransferItem.state == TransferItemState.LISTED,
        Transfer.id == TransferItem.transfer_id, Transfer.state.not_in(_ARRIVED),
    )  # fmt: skip
    return there.correlate(Record)


def doomed() -> ColumnElement[bool]:
    """A destruction has it on its list."""
    there = exists().where(
        DestructionItem.record_id == Record.id, DestructionItem.standing.is_(True),
        DestructionItem.state != DestructionItemState.PULLED,
    )  # fmt: skip
    return there.correlate(Record)


def kept_from_destruction() -> ColumnElement[bool]:
    """Something else is to decide on it, or has."""
    return or_(judged(), carried())


def kept_from_transfer() -> ColumnElement[bool]:
    """A panel judges it, or it is to be destroyed."""
    return or_(judged(), doomed())


def outdated() -> ColumnElement[bool]:
    """Of an item of a closed appraisal: a later one has judged its record anew, whatever it said, or said nothing."""
    later, again = aliased(AppraisalItem), aliased(Appraisal)
    newer = (
        select(later.record_id)
        .join(again, again.id == later.appraisal_id)
        .where(
            later.record_id == AppraisalItem.record_id, again.state == AppraisalState.CLOSED,
            again.closed_at > Appraisal.closed_at,
        )
    )  # fmt: skip
    return newer.correlate(AppraisalItem, Appraisal).exists()
