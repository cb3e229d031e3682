"""All acts on what has a clock, under one name."""

from archive.clock import Clock
from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.jobs.runner import Handler
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault
from retention.applying import FindDue, Reckon
from retention.board import DueBoard
from retention.previewing import Previews
from retention.reckoning import DueDays
from retention.schedules import Schedules


class Retention:
    """Schedules, what drafts of them would move, and what is due."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock, due_days: DueDays
    ) -> None:
        self.due_days = due_days
        self.schedules = Schedules(db, guard, vault, log, outbox, clock)
        self.previews = Previews(db, guard, self.schedules, due_days)
        self.board = DueBoard(db, guard, due_days, self.schedules)
        self.handlers: list[Handler] = [Reckon(db, due_days, log, clock), FindDue(db, guard, log)]
