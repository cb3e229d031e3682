"""The services that join rooms: files, search, backups, destruction (over ``runtime/wiring/records.py``)."""

from functools import cached_property, partial
from pathlib import Path
from threading import Event

from archive.cataloguing.drafts import Drafts
from archive.files.attachments import Attachments
from archive.files.deciding import FileService
from archive.files.intake import IntakeService
from archive.files.rereading import Rereading
from archive.forms import FormTemplates
from archive.loans.attached import loan_subjects
from archive.log.browse import LogView
from archive.log.checkpoints import Checkpoints
from archive.model import AttachedTo
from archive.once import Once
from archive.policy.rules import Act
from archive.questions import Questions
from archive.reminding.forgetting import ForgetMessages
from archive.why import WhyService
from indexer.extraction import ExtractContents
from indexer.indexing import IndexRecords
from indexer.ocr.engines import chosen
from indexer.rebuild import Rebuilder
from indexer.rendition import Renditions
from indexer.sandbox.detector import SandboxDetector
from indexer.sandbox.typeset import Typesetter
from indexer.scanner import virus_in
from indexer.search import SearchService
from indexer.settling import READING
from indexer.traces import SearchTraces
from indexer.unlocking import Unlocking
from indexer.unpacking import UnpackContents
from retention.gone.batches import Means
from retention.gone.erasing import Erasing
from retention.holding import HoldCheck
from retention.transferring.attached import ReceiptFiles
from retention.transferring.receiving import Receiving
from retention.transferring.taking_in import Means as BagMeans
from runtime.jobs.destroying import House, erasing, object_erasing
from runtime.locks import held
from runtime.revisions import newest_revision
from runtime.stores import backup_store
from runtime.wiring.records import RecordParts
from storage.backups import Backups
from storage.erasing import RingErasing
from storage.fixity.care import FixityCare
from storage.fixity.mending import Mending
from storage.generations import refresh_copies
from storage.pace import Pace
from storage.safekeeping import Safekeeping
from web.office_pages import OfficePages


class ServiceParts(RecordParts):
    """All but what runs jobs, each part built when it is first asked for."""

    @cached_property
    def once(self) -> Once:
        """What programs were answered."""
        return Once(self.db, self.clock)

    @cached_property
    def messages_kept(self) -> ForgetMessages:
        """How long messages stay."""
        return ForgetMessages(self.db, self.guard, self.log, days=self.settings.message_days)

    @cached_property
    def drafts(self) -> Drafts:
        """What people typed into forms and did not send."""
        return Drafts(self.db, self.vault, self.clock)

    @cached_property
    def typesetter(self) -> Typesetter:
        """Sets forms."""
        from web.prints import setting  # noqa: PLC0415 (the pages' templates, which few commands need)

        return setting.typesetter()

    @cached_property
    def forms(self) -> FormTemplates:
        """Templates of printed forms."""
        from web.prints import setting  # noqa: PLC0415

        shipped, try_out = setting.shipped_forms(), setting.trial(self.typesetter)
        return FormTemplates(self.db, self.guard, self.log, self.clock, shipped, try_out)

    @cached_property
    def why(self) -> WhyService:
        """Why someone reads a record or not."""
        return WhyService(self.db, self.guard, self.log, self.records)

    @cached_property
    def questions(self) -> Questions:
        """What people ask those who keep rights."""
        return Questions(self.db, self.guard, self.log, self.telling.messages)

    @cached_property
    def intake(self) -> IntakeService:
        """Files, in and out."""
        return IntakeService(
            self.db, self.guard, self.vault, self.store, self.log, self.readings, self.outbox, self.clock
        )

    @cached_property
    def receiving(self) -> Receiving:
        """Bags of other archives that come in."""
        return Receiving(BagMeans(self.db, self.imports, self.intake), self.guard, self.vault, self.log, self.outbox)

    @cached_property
    def attachments(self) -> Attachments:
        """Files that belong to acts."""
        return Attachments(
            self.db, self.vault, self.store, self.log, self.readings, self.clock, SandboxDetector(self.extractor),
            virus_in(self.scanner),
            loan_subjects(self.db, self.guard, self.lending.asked, self.lending.outside, self.lending.excerpts)
            | {AttachedTo.TRANSFER: ReceiptFiles(self.db, self.retention.transfers)},
            self.outbox,
        )  # fmt: skip

    @cached_property
    def files(self) -> FileService:
        """Decisions on files."""
        return FileService(self.db, self.guard, self.store, self.log, self.outbox, HoldCheck())

    @cached_property
    def rereading(self) -> Rereading:
        """Reading stored files again."""
        ocr = chosen(self.settings.ocr) is not None
        return Rereading(self.db, self.guard, self.log, self.outbox, self.clock, READING, ocr=ocr)

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
        return Rebuilder(self.db, self.engine, self.vault, self.settings.run)

    @cached_property
    def safekeeping(self) -> Safekeeping:
        """Backups."""
        backups = partial(self.backups_in, self.settings.backup_url) if self.settings.backup_url else None
        days, alone = self.settings.backup_days, partial(held, self.settings.run / "backup.lock")
        return Safekeeping(self.db, self.guard, self.log, self.outbox, self.clock, backups, days, alone)

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

    @cached_property
    def erasing(self) -> Erasing:
        """Carries destructions out."""
        keys, index = RingErasing(self.db, self.ring, self.clock), SearchTraces(self.engine, self.vault)
        means = Means(object_erasing(self), self.store, keys, index, self.pictures)
        made = erasing(
            House(
                self.settings, self.db, self.guard, self.log, self.outbox, self.clock, means, self.safekeeping,
                self.ending.is_set,
            )
        )  # fmt: skip
        made.tell = self.retention.destructions.turns.tell
        return made

    def backups_in(self, url: str) -> Backups:
        """Return the backup sets that lie in a store."""
        place = backup_store(self.settings, url)
        copies = partial(refresh_copies, self.db, self.ring, self.clock)
        return Backups(self.db, self.store, place, self.ring, self.clock, newest_revision(), self.settings.run, copies)
