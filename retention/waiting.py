"""Lists that wait for a decision: only who reads all that stands on one decides on it."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from archive.approving.deciders import kinds_waiting, waiting_for
from archive.identity import Identity
from archive.model import Approval, ApprovalKind, Record
from archive.policy.guard import Guard


def count_whole(session: Session, guard: Guard, identity: Identity, kind: ApprovalKind, listed: Select[Any]) -> int:
    """Count the requests of a kind that wait for someone who reads all of their records.

    ``listed``: the ids of the records on the list of an ``Approval``, of which the query names the row.
    """
    if kind not in kinds_waiting(session, identity.person_id, guard.day()):
        return 0
    [record_id] = listed.selected_columns
    read = guard.visible(session, identity).with_only_columns(Record.id)
    unread = ~read.where(Record.id == record_id).correlate_except(Record).exists()
    hidden = listed.where(unread).correlate(Approval).exists()
    mine = waiting_for(session, identity.person_id, kind, guard.day())
    return session.scalar(select(func.count()).select_from(mine.where(~hidden).subquery())) or 0
