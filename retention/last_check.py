"""The last question before a record goes: may it? Asked as a list is made and approved, and in the act that ends it.

The rule is a pure function of facts; ``stops`` reads the facts in the caller's transaction.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.loans.states import RUNNING
from archive.model import (
    Block,
    BlockKind,
    Circulation,
    CirculationState,
    DueState,
    Loan,
    Record,
    RecordDue,
    RecordState,
    StandingCustody,
    Stop,
)
from retention.holding import held
from retention.matters import unsettled


@dataclass(frozen=True)
class Facts:
    """What decides whether a record may go. ``due`` is the day on which its term has run out; None: it has none."""

    state: RecordState
    due: date | None
    held: bool
    lent: bool
    missing: bool
    unsettled: bool


def stop(facts: Facts, today: date) -> Stop | None:
    """Return why a record may not go; None when nothing keeps it. A record without a day never goes."""
    if facts.state is not RecordState.FILED:
        return Stop.UNFILED
    if facts.due is None or facts.due > today:
        return Stop.UNDUE
    if facts.held:
        return Stop.HELD
    if facts.unsettled:
        return Stop.UNSETTLED
    if facts.lent:
        return Stop.LENT
    return Stop.MISSING if facts.missing else None


def facts_of(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Facts]:
    """Return the facts of records; those that are not there have none. A fixed number of statements."""
    wanted = list(ids)
    due = {
        row.record_id: row.due
        for row in session.execute(
            select(RecordDue.record_id, RecordDue.due).where(
                RecordDue.record_id.in_(wanted), RecordDue.state == DueState.DATED
            )
        )
    }
    on_hold, open_matters = held(session, wanted), unsettled(session, wanted)
    inside = select(Record.id, Record.dossier_id).where(Record.id.in_(wanted), Record.dossier_id.is_not(None))
    above = {row.id: row.dossier_id for row in session.execute(inside)}  # whose paper may be bound with theirs
    asked = [*{*wanted, *above.values()}]
    lent = set(session.scalars(select(Loan.record_id).where(Loan.record_id.in_(asked), Loan.state.in_(RUNNING))))
    for row, going in (
        (Circulation, Circulation.state != CirculationState.RETURNED),
        (StandingCustody, StandingCustody.ended_at.is_(None)),
    ):
        lent |= set(session.scalars(select(row.record_id).where(row.record_id.in_(asked), going)))
    missing = set(
        session.scalars(
            select(Block.record_id).where(
                Block.record_id.in_(asked), Block.kind == BlockKind.MISSING, Block.ended_at.is_(None)
            )
        )
    )
    return {
        row.id: Facts(
            row.state,
            due.get(row.id),
            held=row.id in on_hold,
            lent=not lent.isdisjoint({row.id, above.get(row.id)}),
            missing=not missing.isdisjoint({row.id, above.get(row.id)}),
            unsettled=row.id in open_matters,
        )
        for row in session.execute(select(Record.id, Record.state).where(Record.id.in_(wanted)))
    }


def stops(session: Session, ids: Collection[UUID], today: date) -> Mapping[UUID, Stop]:
    """Return of records those that may not go, each with the first reason; what is not there may not either."""
    facts = facts_of(session, ids)
    found = {}
    for each in ids:
        why = stop(facts[each], today) if each in facts else Stop.NOT_THERE
        if why is not None:
            found[each] = why
    return found
