"""Audits as one part: checklists, the plan and its answers, findings, and looking."""

from archive.clock import Clock
from archive.database import Database
from archive.log.checkpoints import Signer
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import Vault
from archive.reminding.deadlines import Deadlines
from archive.reminding.messages import Messages
from retention.auditing.checklists import Checklists
from retention.auditing.facts import Counting
from retention.auditing.findings import Findings
from retention.auditing.looks import Looks
from retention.auditing.means import Means
from retention.auditing.planning import Planning


class Audits:
    """The acts on audits. ``signer`` None: the house signs nothing."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock, messages: Messages,
        signer: Signer | None,
    ) -> None:  # fmt: skip
        means = Means(db, guard, vault, log, clock, Deadlines(guard), messages, Counting(guard, signer))
        self.checklists = Checklists(means)
        self.planning = Planning(means)
        self.findings = Findings(means)
        self.looks = Looks(means)
