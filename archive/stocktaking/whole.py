"""Stock-taking as one part: counting, the reports, and what follows from them."""

from archive.blocks import Blocks
from archive.clock import Clock
from archive.database import Database
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.shelving.placing import Placing
from archive.stocktaking.counting import Counting
from archive.stocktaking.following import Following
from archive.stocktaking.report import Reports


class StocktakingService:
    """The acts of stock-taking."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock, blocks: Blocks, placing: Placing) -> None:
        self.counting = Counting(db, guard, log, clock)
        self.reports = Reports(db, guard)
        self.following = Following(db, guard, log, clock, blocks, placing)
