"""Hand-ins as one part: the clerk's side, the archives' side, signatures, and looking."""

from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.database import Database
from archive.handin.checking import HandInChecking
from archive.handin.listing import HandInListing
from archive.handin.looking import HandInLooks, Means
from archive.handin.signing import HandInSigning
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault


class HandIns:
    """The acts on batches."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, records: RecordService
    ) -> None:
        means = Means(db, guard, vault, log, clock)
        self.looks = HandInLooks(means)
        self.listing = HandInListing(means)
        self.checking = HandInChecking(means, records)
        self.signing = HandInSigning(means)
