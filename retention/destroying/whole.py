"""Destructions as one part: the list, the decisions, the count, the run, looking, and the register of what is gone."""

from datetime import timedelta

from archive.approving.engine import Approvals
from archive.clock import Clock
from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault
from archive.reminding.messages import Messages
from retention.destroying.audit import Audit, Signs
from retention.destroying.counting import Counting
from retention.destroying.deciding import Deciding
from retention.destroying.listing import Listing
from retention.destroying.looks import Looks
from retention.destroying.means import Means
from retention.destroying.register import Register
from retention.destroying.running import Running
from retention.destroying.telling import Turns
from retention.destroying.weighing import Weighing
from retention.reckoning import DueDays


class Destructions:
    """The acts on destructions. What erases takes over from ``running`` by a job.

    ``wipe_hour``: the house's hour from which tables are written anew; None: at once.
    """

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock,
        due_days: DueDays, *, cooling_days: int = 7, wipe_hour: int | None = None, signer: Signs | None = None,
        messages: Messages | None = None,
    ) -> None:  # fmt: skip
        cooling = timedelta(days=cooling_days)
        self.wipe_hour = wipe_hour
        self.turns = Turns(guard, messages or Messages(db, guard), cooling)
        means = Means(db, guard, vault, log, outbox, clock, Approvals(vault, log, clock), cooling, self.turns, due_days)
        self.listing = Listing(means)
        self.deciding = Deciding(means)
        self.counting = Counting(means)
        self.weighing = Weighing(means)
        self.running = Running(means)
        self.looks = Looks(means)
        self.register = Register(means)
        self.audit = Audit(means, self.register, signer)
