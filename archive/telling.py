"""What falls due, messages to people and the calendar, made together: what pages are given of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.database import Database
from archive.deadlines import DueBoard, DueSweep, Watch
from archive.log.writer import Log
from archive.messages import Messages, Outgoing
from archive.policy.guard import Guard
from archive.watches import watches
from archive.workdays import WorkDays


@dataclass(frozen=True)
class Telling:
    """The services of what falls due and of telling it."""

    due: DueBoard
    sweep: DueSweep
    messages: Messages
    workdays: WorkDays


def telling(
    db: Database, guard: Guard, log: Log, *, outgoing: Outgoing | None = None, more: Sequence[Watch] = ()
) -> Telling:
    """Make them. ``more`` are watches of kinds that other parts of the house keep."""
    kinds = [*watches(guard), *more]
    messages = Messages(db, guard, outgoing)
    return Telling(
        DueBoard(db, guard, kinds), DueSweep(db, guard, log, messages, kinds), messages, WorkDays(db, guard, log)
    )
