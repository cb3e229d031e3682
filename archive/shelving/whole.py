"""Shelving as one part: places, copies, putting the ones into the others, and looking."""

from archive.clock import Clock
from archive.database import Database
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.shelving.copies import Copies
from archive.shelving.looking import ShelfLooks
from archive.shelving.placing import Placing
from archive.shelving.tree import ShelfTree


class Shelving:
    """The acts on where papers lie."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self.tree = ShelfTree(db, guard, log, clock)
        self.copies = Copies(db, guard, log, clock)
        self.placing = Placing(db, guard, log, clock)
        self.looks = ShelfLooks(db, guard)
