"""What falls due, messages to people and the calendar, made together: what pages are given of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.calendar_moves import CalendarMoves
from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault
from archive.reminding.channels import Channels
from archive.reminding.deadlines import DueBoard, DueSweep, Watch
from archive.reminding.delivering import Ways
from archive.reminding.messages import Messages
from archive.reminding.planning import PlanDeliveries
from archive.reminding.watches import watches
from archive.reminding.workdays import WorkDays


@dataclass(frozen=True)
class Telling:
    """The services of what falls due and of telling it."""

    due: DueBoard
    sweep: DueSweep
    messages: Messages
    channels: Channels
    workdays: WorkDays
    calendar_moves: CalendarMoves


def telling(
    db: Database, guard: Guard, log: Log, outbox: Outbox, vault: Vault, ways: Ways, more: Sequence[Watch] = ()
) -> Telling:
    """Make them. ``more`` are watches of kinds that other parts of the house keep."""
    kinds = [*watches(guard), *more]
    messages = Messages(db, guard, PlanDeliveries(guard, outbox))
    channels = Channels(db, guard, vault, log, outbox, ways)
    return Telling(
        DueBoard(db, guard, kinds),
        DueSweep(db, guard, log, messages, kinds),
        messages,
        channels,
        WorkDays(db, guard, log, outbox),
        CalendarMoves(db, guard, log, messages, kinds),
    )
