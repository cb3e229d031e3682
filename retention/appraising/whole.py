"""All acts on appraisals, under one name."""

from archive.blocks import Blocks
from archive.clock import Clock
from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault
from retention.appraising.concluding import Conclude
from retention.appraising.consulting import Consulting
from retention.appraising.judging import Judging
from retention.appraising.listing import Listing
from retention.appraising.looks import Looks
from retention.appraising.report import Reports
from retention.appraising.saying_all import SayAll
from retention.board import DueBoard
from retention.reckoning import DueDays


class Appraisals:
    """Lists, opinions, what is seen of both, and the job that opens and closes."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        board: DueBoard,
        due_days: DueDays,
    ) -> None:
        self.listing = Listing(db, guard, log, outbox, clock, board)
        self.judging = Judging(db, guard, vault, log, clock)
        self.say_all = SayAll(db, guard, vault, outbox, clock, self.judging)
        self.consulting = Consulting(db, guard, vault, log, clock)
        self.looks = Looks(db, guard, vault)
        self.reports = Reports(db, guard, log, clock)
        blocks = Blocks(db, guard, vault, log, clock)
        self.conclude = Conclude(db, guard, vault, log, clock, blocks, due_days)
