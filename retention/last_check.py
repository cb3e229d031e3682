"""The last question before a record goes: may it? Asked as a list is made and approved, and in the act that ends it.

The rule is a pure function of facts; ``stops`` reads the facts in the caller's transaction.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from archive.loans.states import RUNNING
from archive.model import (
    ApprovalState,
    Block,
    BlockKind,
    Circulation,
    CirculationState,
    DueState,
    House,
    Job,
    JobState,
    Loan,
    Record,
    RecordDue,
    RecordState,
    ScheduleDraft,
    StandingCustody,
    Stop,
)
from archive.model.jobs import DAYS_FOLLOW
from retention.holding import held
from retention.matters import unsettled
from retention.reckoning import DueDays


@dataclass(frozen=True)
class Facts:
    """What decides whether a record may go. ``due`` is the day on which its term has run out; None: it has none.

    ``elsewhere``: other work has it, of which who asks has to keep clear (``retention.elsewhere``).
    """

    state: RecordState
    due: date | None
    held: bool
    lent: bool
    missing: bool
    unsettled: bool
    elsewhere: bool = False


def stop(facts: Facts, today: date) -> Stop | None:
    """Return why a record may not go; None when nothing keeps it. A record without a day never goes."""
    if facts.state is not RecordState.FILED:
        return Stop.UNFILED
    if facts.due is None or facts.due > today:
        return Stop.UNDUE
    keeps = {
        Stop.HELD: facts.held, Stop.UNSETTLED: facts.unsettled, Stop.LENT: facts.lent, Stop.MISSING: facts.missing,
        Stop.ELSEWHERE: facts.elsewhere,
    }  # fmt: skip
    return next((why for why, so in keeps.items() if so), None)


def days(session: Session, ids: Collection[UUID]) -> Mapping[UUID, date | None]:
    """Return the days on which terms run out: the kept ones, but anew where a job is still to have them follow."""
    waits = select(Job.id).where(Job.kind.in_(DAYS_FOLLOW), Job.state != JobState.DONE)
    unapplied = select(ScheduleDraft.id).where(
        ScheduleDraft.state == ApprovalState.APPROVED, ScheduleDraft.applied_at.is_(None)
    )
    if session.scalar(select(or_(waits.exists(), unapplied.exists()))):
        found = DueDays(lambda: session.scalars(select(House.zone)).one()).reckon(session, ids)
        return {key: each.due.day for key, each in found.items() if each.due.state is DueState.DATED}
    dated = RecordDue.record_id.in_(ids), RecordDue.state == DueState.DATED
    return dict(session.execute(select(RecordDue.record_id, RecordDue.due).where(*dated)).all())


def facts_of(
    session: Session, ids: Collection[UUID], elsewhere: Callable[[], ColumnElement[bool]] = false
) -> Mapping[UUID, Facts]:
    """Return the facts of records; those that are not there have none. A fixed number of statements."""
    wanted = list(ids)
    due = days(session, wanted)
    on_hold, open_matters = held(session, wanted), unsettled(session, wanted)
    inside = select(Record.id, Record.dossier_id).where(Record.id.in_(wanted), Record.dossier_id.is_not(None))
    above = {row.id: row.dossier_id for row in session.execute(inside)}  # whose paper may be bound with theirs
    asked = [*{*wanted, *above.values()}]
    lent = set(session.scalars(select(Loan.record_id).where(Loan.record_id.in_(asked), Loan.state.in_(RUNNING))))
    for row, going in (
        (Circulation, Circulation.state.in_((CirculationState.READY, CirculationState.ROUND))),
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
            elsewhere=row.elsewhere,
        )
        for row in session.execute(
            select(Record.id, Record.state, elsewhere().label("elsewhere")).where(Record.id.in_(wanted))
        )
    }


def stops(
    session: Session, ids: Collection[UUID], today: date, elsewhere: Callable[[], ColumnElement[bool]] = false
) -> Mapping[UUID, Stop]:
    """Return of records those that may not go, each with the first reason; what is not there may not either."""
    facts = facts_of(session, ids, elsewhere)
    found = {}
    for each in ids:
        why = stop(facts[each], today) if each in facts else Stop.NOT_THERE
        if why is not None:
            found[each] = why
    return found
