"""Rows of appraisals, as all acts on them ask for them."""

import json
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from archive.errors import Ended, NotFound
from archive.identity import Identity
from archive.model import Appraisal, AppraisalItem, AppraisalMember, AppraisalState, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act, may


def appraisal(session: Session, key: UUID) -> Appraisal:
    """Return an appraisal. Raises ``NotFound``."""
    row = session.get(Appraisal, key)
    if row is None:
        raise NotFound
    return row


def panel_of(session: Session, keys: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, bool]]:
    """Return who sits on the panels of appraisals, and whether each has the chair."""
    found: dict[UUID, dict[UUID, bool]] = {key: {} for key in keys}
    rows = select(AppraisalMember).where(AppraisalMember.appraisal_id.in_(keys))
    for row in session.scalars(rows.order_by(AppraisalMember.chair.desc(), AppraisalMember.person_id)):
        found[row.appraisal_id][row.person_id] = row.chair
    return found


def require_state(row: Appraisal, act: str, *states: AppraisalState) -> None:
    """Let an act on an appraisal happen in these states alone. Raises ``Ended``."""
    if row.task is not None or row.state not in states:
        raise Ended(state=(row.task or row.state).value, act=act)


def seen_items(guard: Guard, session: Session, identity: Identity, *, member: bool) -> ColumnElement[bool]:
    """Return a condition on items that a person may be shown.

    A member is shown what may be disclosed to them, another what they see anyway; what is gone is shown by its number
    to who may see appraisals at all.
    """
    act = Act.JUDGE if member else Act.SEE
    mine = guard.visible(session, identity, act).where(Record.id == AppraisalItem.record_id)
    shown = mine.with_only_columns(Record.id).correlate(AppraisalItem).exists()
    if not may(Act.SEE_APPRAISALS, guard.reach(session, identity)):
        return shown
    there = select(Record.id).where(Record.id == AppraisalItem.record_id).correlate(AppraisalItem).exists()
    return or_(shown, ~there)


def packed(**words: str) -> bytes:
    """Return words as they are sealed."""
    return json.dumps(words, ensure_ascii=False).encode()


def opinion_context(appraisal_id: UUID, record_id: UUID, person_id: UUID) -> str:
    """Return the context under which the reason of an opinion is sealed."""
    return f"opinion:{appraisal_id.hex}:{record_id.hex}:{person_id.hex}"
