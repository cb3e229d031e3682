"""All acts on what has a clock, under one name."""

from archive.approving.engine import Approvals
from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.database import Database
from archive.dossiers.level import Means
from archive.jobs.outbox import Outbox
from archive.jobs.runner import Handler
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import ObjectLocks, Vault
from archive.reminding.messages import Messages
from retention.applying import FindDue, Reckon
from retention.appraising.whole import Appraisals
from retention.auditing.whole import Audits
from retention.board import DueBoard
from retention.branches import Branches
from retention.destroying.audit import Signs
from retention.destroying.whole import Destructions
from retention.events import Events
from retention.holds import Holds, KeepHolds
from retention.matters import Matters
from retention.previewing import Previews
from retention.reckoning import DueDays
from retention.renewals import Renewals
from retention.schedules import Schedules
from retention.secrecy.acts import SecrecyActs
from retention.secrecy.board import SecrecyBoard
from retention.secrecy.periods import KeepSecrecy, SecrecyDays
from retention.secrecy.reviews import SecrecyReviews
from retention.transferring.transfers import Transfers


class Retention:
    """Schedules, events, holds, matters, appraisals, renewals, secrecy, transfers and destructions of one house."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        due_days: DueDays,
        locks: ObjectLocks | None = None,
        *,
        cooling_days: int = 7,
        wipe_hour: int | None = None,
        signer: Signs | None = None,
        messages: Messages | None = None,
    ) -> None:
        messages = messages or Messages(db, guard)
        self.due_days = due_days
        self.schedules = Schedules(db, guard, vault, log, outbox, clock)
        self.previews = Previews(db, guard, self.schedules, due_days)
        self.branches = Branches(db, guard, due_days)
        self.board = DueBoard(db, guard, due_days, self.schedules)
        self.events = Events(db, guard, vault, log, outbox, clock)
        self.holds = Holds(db, guard, log, outbox, clock)
        self.destructions = Destructions(
            db, guard, vault, log, outbox, clock, due_days, cooling_days=cooling_days, wipe_hour=wipe_hour,
            signer=signer, messages=messages,
        )  # fmt: skip
        self.audits = Audits(db, guard, vault, log, clock, messages, signer)
        self.secrecy = SecrecyBoard(db, guard, vault, log)
        records = RecordService(db, guard, vault, log, outbox, clock)
        self.reviews = SecrecyReviews(
            db, vault, guard, Approvals(vault, log, clock), outbox,
            SecrecyActs(guard, log, records, Means(log, outbox, clock)),
        )  # fmt: skip
        self.renewals = Renewals(db, guard, vault, log, clock, Approvals(vault, log, clock), due_days)
        self.transfers = Transfers(db, guard, Approvals(vault, log, clock), log)
        self.matters = Matters(db, guard, vault, log, clock)
        self.appraisals = Appraisals(db, guard, vault, log, outbox, clock, self.board, due_days)
        self.handlers: list[Handler] = [
            Reckon(db, due_days, log, clock), FindDue(db, guard, log), KeepHolds(db, log, clock, locks),
            KeepSecrecy(db, guard, log, SecrecyDays(lambda: guard), self.reviews.go_on), self.appraisals.conclude,
            self.appraisals.say_all,
        ]  # fmt: skip

    def close(self) -> None:
        """Let go of what counts beside the pages."""
        self.board.counting.close()
