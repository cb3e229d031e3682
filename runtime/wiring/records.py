"""The services of what is kept: describing and filing it, dossiers, papers on shelves, loans, terms and deadlines."""

from functools import cached_property

from archive.approving.engine import Approvals
from archive.arranging.items import Arranging
from archive.arranging.many import BulkMoving
from archive.blocks import Blocks
from archive.bringing_in.imports import Imports
from archive.bringing_in.sheets import BringingIn
from archive.cataloguing.bulk import BulkEditing
from archive.cataloguing.confirming import ProposalService
from archive.cataloguing.corrections import Corrections
from archive.cataloguing.moving import Moving
from archive.cataloguing.records import RecordService
from archive.cataloguing.relations import Relations
from archive.cataloguing.sending_back import SendingBack
from archive.cataloguing.showing import RecordReader
from archive.checking import Checks
from archive.dossiers.contents import Dossiers
from archive.files.doubles import Doubles
from archive.filing.deadlines import FilingDeadlines
from archive.filing.many import FilingMany
from archive.filing.one import FilingService
from archive.filing.steps import Steps
from archive.handin.whole import HandIns
from archive.loans.watches import loan_watches
from archive.loans.whole import Lending
from archive.reminding.delivering import Ways
from archive.required.papers import Papers
from archive.required.templates import DossierTemplates
from archive.shelving.whole import Shelving
from archive.stocktaking.whole import StocktakingService
from archive.telling import Telling, telling
from archive.vital import VitalRecords
from retention.auditing.watches import audit_watches
from retention.destroying.telling import destruction_watches
from retention.holding import HoldCheck
from retention.secrecy.periods import SecrecyWatch
from retention.transferring.packing import Bags
from retention.whole import Retention
from runtime.sending.ways import ways_of
from runtime.wiring.house import HouseParts


class RecordParts(HouseParts):
    """What acts on records: each part built when it is first asked for."""

    @cached_property
    def records(self) -> RecordService:
        """Descriptions."""
        return RecordService(self.db, self.guard, self.vault, self.log, self.outbox, self.clock)

    @cached_property
    def proposals(self) -> ProposalService:
        """What texts propose for records."""
        return ProposalService(self.db, self.guard, self.vault, self.log, self.records)

    @cached_property
    def corrections(self) -> Corrections:
        """Corrections of what is filed."""
        approvals = Approvals(self.vault, self.log, self.clock)
        return Corrections(self.db, self.guard, approvals, self.records, HoldCheck())

    @cached_property
    def filing(self) -> FilingService:
        """Filing and numbers."""
        locks = self.locks is not None
        return FilingService(self.db, self.guard, self.vault, self.log, self.outbox, self.clock, locks=locks)

    @cached_property
    def filing_many(self) -> FilingMany:
        """Many records filed in one act."""
        return FilingMany(self.db, self.guard, self.filing, self.log, self.outbox, self.clock)

    @cached_property
    def filing_deadlines(self) -> FilingDeadlines:
        """Until when records are to be filed."""
        return FilingDeadlines(self.db, self.guard, self.log)

    @cached_property
    def steps(self) -> Steps:
        """The way of records into custody."""
        return Steps(self.db, self.guard, self.filing_deadlines)

    @cached_property
    def sending_back(self) -> SendingBack:
        """Drafts sent back to whoever prepares them."""
        return SendingBack(self.db, self.guard, self.vault, self.log, self.clock)

    @cached_property
    def hand_ins(self) -> HandIns:
        """Papers handed in by batch."""
        return HandIns(self.db, self.guard, self.vault, self.log, self.clock, self.records)

    @cached_property
    def bringing(self) -> BringingIn:
        """Spreadsheets that people bring in."""
        return BringingIn(self.db, self.guard, self.vault, self.log, self.records, self.outbox, self.clock)

    @cached_property
    def imports(self) -> Imports:
        """What imports that have not ended brought in so far."""
        return Imports(self.db, self.guard, self.records, self.clock)

    @cached_property
    def bulk(self) -> BulkEditing:
        """Edits of many records."""
        return BulkEditing(self.db, self.guard, self.vault, self.log, self.records, self.outbox, self.clock)

    @cached_property
    def bulk_moves(self) -> BulkMoving:
        """Moves of many items and papers."""
        placing = self.shelving.placing
        return BulkMoving(self.db, self.guard, self.log, self.outbox, self.clock, self.arranging, placing)

    @cached_property
    def moving(self) -> Moving:
        """Moving records to other categories."""
        return Moving(self.db, self.guard, self.vault, self.records)

    @cached_property
    def doubles(self) -> Doubles:
        """Records that may be the same."""
        return Doubles(self.db, self.guard, self.log, self.clock)

    @cached_property
    def reader(self) -> RecordReader:
        """Shows records."""
        return RecordReader(self.db, self.guard, self.vault, self.readings)

    @cached_property
    def dossiers(self) -> Dossiers:
        """Shows what lies in dossiers."""
        return Dossiers(self.db, self.guard)

    @cached_property
    def arranging(self) -> Arranging:
        """Arranges dossiers."""
        return Arranging(self.db, self.guard, self.log, self.outbox, self.clock, self.records)

    @cached_property
    def papers(self) -> Papers:
        """Papers that dossiers must have."""
        return Papers(self.db, self.guard, self.log)

    @cached_property
    def dossier_templates(self) -> DossierTemplates:
        """Templates of dossiers."""
        return DossierTemplates(self.db, self.guard, self.log, self.clock)

    @cached_property
    def relations(self) -> Relations:
        """How records belong together."""
        return Relations(self.db, self.guard, self.log, self.clock)

    @cached_property
    def vital(self) -> VitalRecords:
        """Records without which the house could not go on."""
        return VitalRecords(self.db, self.guard, self.log, self.outbox)

    @cached_property
    def shelving(self) -> Shelving:
        """Where papers lie."""
        return Shelving(self.db, self.guard, self.log, self.clock)

    @cached_property
    def blocks(self) -> Blocks:
        """What keeps a record where it is."""
        return Blocks(self.db, self.guard, self.vault, self.log, self.clock)

    @cached_property
    def stock(self) -> StocktakingService:
        """Stock-taking."""
        return StocktakingService(self.db, self.guard, self.log, self.clock, self.blocks, self.shelving.placing)

    @cached_property
    def checks(self) -> Checks:
        """Periodic checks of records against their papers."""
        return Checks(self.db, self.guard, self.vault, self.log, self.clock, self.blocks)

    @cached_property
    def lending(self) -> Lending:
        """Loans, and who decides on them."""
        return Lending(self.db, self.guard, self.vault, self.log, self.clock, self.zone, self.telling.messages)

    @cached_property
    def retention(self) -> Retention:
        """What has a clock."""
        return Retention(
            self.db, self.guard, self.vault, self.log, self.outbox, self.clock, self.due_days, self.locks,
            cooling_days=self.settings.cooling_days, wipe_hour=self.settings.wipe_hour, signer=self.ring,
            messages=self.telling.messages,
        )  # fmt: skip

    @cached_property
    def bags(self) -> Bags:
        """Bags of transfers that are made by a job and sent from the page."""
        return Bags(self.db, self.guard, self.vault, self.store, self.log, self.outbox, self.retention.transfers)

    @cached_property
    def telling(self) -> Telling:
        """What falls due, and who is told. Watches of what other parts of the house keep are named here."""
        return telling(
            self.db,
            self.guard,
            self.log,
            self.outbox,
            self.vault,
            self.ways,
            [
                *loan_watches(self.guard),
                SecrecyWatch(self.guard),
                *audit_watches(self.guard),
                *destruction_watches(self.guard, self.settings.cooling_days),
            ],
        )

    @cached_property
    def ways(self) -> Ways:
        """The ways by which messages leave the house."""
        return ways_of(self.settings, self.clock)
