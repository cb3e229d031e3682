"""One place that builds everything: the services over what the settings choose (``runtime/adapters.py``)."""

import gc
from functools import cached_property, partial
from pathlib import Path
from threading import Event

from archive import failpoints
from archive.approvals import Approvals
from archive.arranging import Arranging
from archive.blocks import Blocks
from archive.bringing_in import BringingIn
from archive.bringing_job import BringIn
from archive.bulk import BulkEditing
from archive.bulk_job import BulkEditJob
from archive.checking import Checks
from archive.clock import Clock, SystemClock
from archive.confirming import ProposalService
from archive.corrections import Corrections
from archive.delivering import Deliver, Ways
from archive.dossiers import Dossiers
from archive.doubles import Doubles
from archive.drafts import Drafts
from archive.files import FileService
from archive.filing import FilingService
from archive.filing_deadlines import FilingDeadlines
from archive.filing_many import FileMany, FilingMany
from archive.forms import FormTemplates
from archive.handin.whole import HandIns
from archive.imports import Imports
from archive.intake import IntakeService
from archive.jobs.runner import Handler, JobRunner
from archive.loans.watches import loan_watches
from archive.loans.whole import Lending
from archive.log.browse import LogView
from archive.log.checkpoints import Checkpoints
from archive.moving import Moving
from archive.once import Once
from archive.policy.rules import Act
from archive.ports import Waker
from archive.records import RecordService
from archive.relations import Relations
from archive.required.papers import Papers
from archive.required.templates import DossierTemplates
from archive.rereading import Rereading
from archive.sending_back import SendingBack
from archive.shelving.whole import Shelving
from archive.showing import RecordReader
from archive.steps import Steps
from archive.stocktaking.whole import StocktakingService
from archive.telling import Telling, telling
from archive.vital import VitalRecords
from archive.why import WhyService
from indexer.comparing import CompareTexts
from indexer.extraction import ExtractContents
from indexer.indexing import IndexRecords
from indexer.ocr.engines import chosen
from indexer.ocr.job import ReadScans
from indexer.rebuild import Rebuilder
from indexer.rendition import MakeRenditions, Renditions
from indexer.sandbox.client import SandboxDetector
from indexer.sandbox.typeset import Typesetter
from indexer.search import SearchService
from indexer.unlocking import Unlocking
from indexer.unpacking import UnpackContents
from retention.answers import ForgetAnswers
from retention.bin import EmptyBin
from retention.checks import PlanChecks
from retention.due import TellWhatIsDue
from retention.holding import HoldCheck
from retention.loans import CareForLoans
from retention.whole import Retention
from runtime.backing_up import MakeBackups
from runtime.checking_fixity import CheckFixity
from runtime.checkpointing import MakeCheckpoints
from runtime.house_parts import HouseParts
from runtime.rebuilding import index_care
from runtime.revisions import newest_revision
from runtime.sending.ways import ways_of
from runtime.settings import Settings
from runtime.stores import backup_store
from storage.backups import Backups
from storage.fixity_care import FixityCare
from storage.locks import LockObjects
from storage.mending import Mending
from storage.pace import Pace
from storage.safekeeping import Safekeeping
from storage.sweep import SweepOrphans
from web import letters
from web.office_pages import OfficePages
from web.prints import setting


class Parts(HouseParts):
    """Everything one process needs, each part built when it is first asked for."""

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
    def filing_many(self) -> FilingMany:
        """Many records filed in one act."""
        return FilingMany(self.db, self.guard, self.filing, self.log, self.outbox, self.clock)

    @cached_property
    def lending(self) -> Lending:
        """Loans, and who decides on them."""
        return Lending(self.db, self.guard, self.vault, self.log, self.clock, self.zone)

    @cached_property
    def once(self) -> Once:
        """What programs were answered."""
        return Once(self.db, self.clock)

    @cached_property
    def bringing(self) -> BringingIn:
        """Spreadsheets that people bring in."""
        return BringingIn(self.db, self.guard, self.vault, self.log, self.records, self.outbox, self.clock)

    @cached_property
    def bulk(self) -> BulkEditing:
        """Edits of many records."""
        return BulkEditing(self.db, self.guard, self.vault, self.log, self.records, self.outbox, self.clock)

    @cached_property
    def drafts(self) -> Drafts:
        """What people typed into forms and did not send."""
        return Drafts(self.db, self.vault, self.clock)

    @cached_property
    def typesetter(self) -> Typesetter:
        """Sets forms."""
        return setting.typesetter()

    @cached_property
    def forms(self) -> FormTemplates:
        """Templates of printed forms."""
        shipped, try_out = setting.shipped_forms(), setting.trial(self.typesetter)
        return FormTemplates(self.db, self.guard, self.log, self.clock, shipped, try_out)

    @cached_property
    def moving(self) -> Moving:
        """Moving records to other categories."""
        return Moving(self.db, self.guard, self.vault, self.records)

    @cached_property
    def vital(self) -> VitalRecords:
        """Records without which the house could not go on."""
        return VitalRecords(self.db, self.guard, self.log, self.outbox)

    @cached_property
    def telling(self) -> Telling:
        """What falls due, and who is told. Watches of what other parts of the house keep are named here."""
        return telling(self.db, self.guard, self.log, self.outbox, self.vault, self.ways, loan_watches(self.guard))

    @cached_property
    def ways(self) -> Ways:
        """The ways by which messages leave the house."""
        return ways_of(self.settings, self.clock)

    @cached_property
    def retention(self) -> Retention:
        """What has a clock."""
        return Retention(self.db, self.guard, self.vault, self.log, self.outbox, self.clock, self.due_days, self.locks)

    @cached_property
    def why(self) -> WhyService:
        """Why someone reads a record or not."""
        return WhyService(self.db, self.guard, self.log, self.records)

    @cached_property
    def imports(self) -> Imports:
        """What imports that have not ended brought in so far."""
        return Imports(self.db, self.guard, self.records, self.clock)

    @cached_property
    def reader(self) -> RecordReader:
        """Shows records."""
        return RecordReader(self.db, self.guard, self.vault, self.readings)

    @cached_property
    def doubles(self) -> Doubles:
        """Records that may be the same."""
        return Doubles(self.db, self.guard, self.log, self.clock)

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
    def filing(self) -> FilingService:
        """Filing and numbers."""
        locks = self.locks is not None
        return FilingService(self.db, self.guard, self.vault, self.log, self.outbox, self.clock, locks=locks)

    @cached_property
    def intake(self) -> IntakeService:
        """Files, in and out."""
        return IntakeService(
            self.db, self.guard, self.vault, self.store, self.log, self.readings, self.outbox, self.clock
        )

    @cached_property
    def files(self) -> FileService:
        """Decisions on files."""
        return FileService(self.db, self.guard, self.store, self.log, self.outbox, HoldCheck())

    @cached_property
    def rereading(self) -> Rereading:
        """Reading stored files again."""
        return Rereading(self.db, self.guard, self.log, self.outbox, self.clock)

    @cached_property
    def log_view(self) -> LogView[Act]:
        """Reads the log."""
        return LogView(self.log, self.guard, read_log=Act.READ_LOG, read=Act.READ, custody=Act.CUSTODY)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """Signs the chain."""
        return Checkpoints(self.db, self.ring, self.clock, self.witness)

    @property
    def witness(self) -> Path:
        """The file outside the database that keeps every checkpoint."""
        return self.settings.keys / "witness.jsonl"

    @cached_property
    def search(self) -> SearchService:
        """Search."""
        return SearchService(self.db, self.engine, self.vault, self.guard, self.readings, self.log)

    @cached_property
    def extraction(self) -> ExtractContents:
        """Turns files into text."""
        detector = SandboxDetector(self.extractor)
        return ExtractContents(
            self.db, self.vault, self.store, self.outbox, self.extractor, detector, self.guard.day,
            ocr=chosen(self.settings.ocr) is not None, office=self.office, scanner=self.scanner, log=self.log,
        )  # fmt: skip

    @cached_property
    def unlocking(self) -> Unlocking:
        """Reading locked files with their password."""
        return Unlocking(
            self.db, self.guard, self.vault, self.log, self.outbox, self.clock, self.extraction, self.unpacking
        )

    @cached_property
    def unpacking(self) -> UnpackContents:
        """Takes the files out of archives, mails and documents."""
        return UnpackContents(self.db, self.vault, self.store, self.log, self.outbox, self.clock, self.extractor)

    @cached_property
    def renditions(self) -> Renditions:
        """Asking for searchable renditions of scans."""
        return Renditions(self.db, self.guard, self.log, self.outbox)

    @cached_property
    def office_pages(self) -> OfficePages:
        """Pages of Office documents as printed."""
        return OfficePages(self.office, self.drawer, self.pictures)

    @cached_property
    def indexing(self) -> IndexRecords:
        """Brings records into the index."""
        return IndexRecords(self.db, self.engine, self.vault, self.clock)

    @cached_property
    def rebuilder(self) -> Rebuilder:
        """Compares the index with the database and makes it anew."""
        return Rebuilder(self.db, self.engine, self.vault)

    @cached_property
    def safekeeping(self) -> Safekeeping:
        """Backups."""
        backups = partial(self.backups_in, self.settings.backup_url) if self.settings.backup_url else None
        return Safekeeping(self.db, self.guard, self.log, self.outbox, self.clock, backups, self.settings.backup_days)

    @cached_property
    def ending(self) -> Event:
        """Set when this process is about to end: work without hurry stops, and goes on in the next one."""
        return Event()

    @cached_property
    def fixity(self) -> FixityCare:
        """Looking at stored bytes."""
        pace = Pace(self.settings.fixity_mb * 1_000_000, self.ending.wait)
        return FixityCare(
            self.db, self.guard, self.log, self.outbox, self.clock, self.store, self.settings.fixity_days, pace.passed
        )

    @cached_property
    def mending(self) -> Mending:
        """Mending stored bytes."""
        backups = partial(self.backups_in, self.settings.backup_url) if self.settings.backup_url else None
        locks = self.locks is not None
        return Mending(self.db, self.guard, self.log, self.outbox, self.clock, self.store, backups, locks=locks)

    def backups_in(self, url: str) -> Backups:
        """Return the backup sets that lie in a store."""
        place = backup_store(self.settings, url)
        return Backups(self.db, self.store, place, self.ring, self.clock, newest_revision())

    @cached_property
    def runner(self) -> JobRunner:
        """Runs jobs."""
        handlers: list[Handler] = [
            self.extraction,
            self.unpacking,
            ReadScans(self.db, self.vault, self.store, self.outbox, self.page_reader, self.clock, self.guard.day),
            CompareTexts(self.db, self.vault),
            MakeRenditions(self.db, self.vault, self.store, self.log, self.outbox, self.clock, self.extractor),
            self.indexing,
            BringIn(self.db, self.bringing),
            FileMany(self.db, self.filing_many),
            BulkEditJob(self.db, self.bulk),
            EmptyBin(self.db, self.imports, [self.bringing, self.drafts, self.bulk], self.log, self.outbox, self.clock),
            ForgetAnswers(self.once),
            PlanChecks(self.checks),
            CareForLoans(self.lending.care),
            TellWhatIsDue(self.db, self.guard, self.telling.sweep),
            Deliver(self.db, self.guard, self.vault, self.outbox, self.telling.due, self.ways, letters.write),
            *self.retention.handlers,
            SweepOrphans(self.db, self.store, self.clock),
            MakeBackups(self.safekeeping),
            CheckFixity(self.fixity, self.mending, self.ending.is_set),
            LockObjects(self.db, self.locks, self.clock),
            MakeCheckpoints(self.sealer, self.checkpoints, self.db, self.witness_bucket),
            *index_care(self.rebuilder, self.engine),
        ]
        return JobRunner(self.db, self.clock, handlers, self.waker)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("readings", "office_pages", "extractor", "drawer", "page_reader", "engine", "db"):
            if made := self.__dict__.get(name):
                made.close()


class NoWaker:
    """Wakes nobody: for a process that runs the jobs itself."""

    def wake(self, queue: str, job_id: object) -> None:
        """Do nothing."""


def build(settings: Settings, waker: Waker, clock: Clock | None = None) -> Parts:
    """Return the parts for these settings."""
    failpoints.arm(settings.failpoint)
    return Parts(settings, waker, clock or SystemClock())


def settle() -> None:
    """Leave what a process has loaded out of every later look for garbage: each would stop all threads for 0.1 s."""
    gc.freeze()
