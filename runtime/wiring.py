"""One place that builds everything from the settings. Nothing else in the product knows which adapter is used."""

import gc
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import select

from archive import failpoints
from archive.bringing_in import BringingIn
from archive.bringing_job import BringIn
from archive.clock import Clock, SystemClock
from archive.closing import ZONE
from archive.confirming import ProposalService
from archive.database import Database
from archive.doubles import Doubles
from archive.files import FileService
from archive.filing import FilingService
from archive.fonds import FondsService
from archive.grants import Rights
from archive.imports import Imports
from archive.intake import IntakeService
from archive.invitations import Invitations
from archive.jobs.care import JobCare
from archive.jobs.outbox import Outbox
from archive.jobs.runner import Handler, JobRunner
from archive.log.browse import LogView
from archive.log.checkpoints import Checkpoints
from archive.log.readings import Readings
from archive.log.sealer import Sealer
from archive.log.writer import Log
from archive.model import House
from archive.moving import Moving
from archive.need_to_know import NeedToKnow
from archive.once import Once
from archive.organisation import Organisation
from archive.people import People
from archive.places import Places
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault, Waker
from archive.records import RecordService
from archive.rereading import Rereading
from archive.roster import Roster
from archive.scheme.categories import SchemeService
from archive.showing import RecordReader
from archive.subjects import Subjects
from archive.why import WhyService
from indexer.comparing import CompareTexts
from indexer.extraction import ExtractContents
from indexer.indexing import IndexRecords
from indexer.ocr.client import PageReader
from indexer.ocr.engines import chosen
from indexer.ocr.job import ReadScans
from indexer.rebuild import Rebuilder
from indexer.rendition import MakeRenditions, Renditions
from indexer.sandbox.client import Extractor, SandboxDetector
from indexer.sandbox.confinement import Limits
from indexer.sandbox.office import Office, found
from indexer.scanner import ClamAV
from indexer.search import SearchService
from indexer.tantivy_engine import TantivyEngine
from indexer.unlocking import Unlocking
from indexer.unpacking import UnpackContents
from retention.answers import ForgetAnswers
from retention.bin import EmptyBin
from runtime.checkpointing import MakeCheckpoints
from runtime.rebuilding import RebuildIndex
from runtime.settings import Settings
from storage.objects import FileStore
from storage.pictures import PictureCache
from storage.ring import KeyRing
from storage.sweep import SweepOrphans
from storage.vault import RingVault
from web.office_pages import OfficePages


@dataclass
class Parts:
    """Everything one process needs, each part built when it is first asked for."""

    settings: Settings
    waker: Waker
    clock: Clock

    @cached_property
    def db(self) -> Database:
        """The database."""
        return Database(self.settings.database_url, seal=lambda entry: self.sealer.wait_sealed(entry))  # noqa: PLW0108  (made later)

    @cached_property
    def zone(self) -> str:
        """The house's time zone."""
        with self.db.reading() as session:
            return session.scalar(select(House.zone)) or ZONE

    @cached_property
    def ring(self) -> KeyRing:
        """The key ring."""
        return KeyRing.open(self.settings.keys)

    @cached_property
    def vault(self) -> Vault:
        """Seals and opens under the owners' keys."""
        return RingVault(self.ring)

    @cached_property
    def store(self) -> FileStore:
        """The object store."""
        return FileStore(Path(unquote(urlsplit(self.settings.store_url).path)))

    @cached_property
    def log(self) -> Log:
        """Writes the log."""
        return Log(self.vault, self.clock)

    @cached_property
    def readings(self) -> Readings:
        """Writes the log of readings and queries, many at a time."""
        return Readings(self.db, self.log, self.clock)

    @cached_property
    def outbox(self) -> Outbox:
        """Writes jobs with the change they follow from."""
        return Outbox(self.clock, self.waker)

    @cached_property
    def guard(self) -> Guard:
        """Checks every act."""
        return Guard(self.db, self.log, self.clock, self.zone)

    @cached_property
    def people(self) -> People:
        """Accounts and sign-in."""
        return People(self.db, self.log, self.clock, self.guard)

    @cached_property
    def invitations(self) -> Invitations:
        """Links by which people choose their passwords."""
        return Invitations(self.db, self.log, self.clock, self.guard)

    @cached_property
    def roster(self) -> Roster:
        """Accounts as those who manage people see them."""
        return Roster(self.db, self.guard, self.clock)

    @cached_property
    def job_care(self) -> JobCare:
        """Jobs that failed."""
        return JobCare(self.db, self.guard, self.log, self.outbox, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Grants, custody and distribution."""
        return Rights(self.db, self.log, self.guard)

    @cached_property
    def organisation(self) -> Organisation:
        """Departments and posts."""
        return Organisation(self.db, self.guard, self.log)

    @cached_property
    def fonds(self) -> FondsService:
        """Fonds."""
        return FondsService(self.db, self.guard, self.log, self.clock)

    @cached_property
    def scheme(self) -> SchemeService:
        """Categories and number rules."""
        return SchemeService(self.db, self.guard, self.log, self.clock)

    @cached_property
    def groups(self) -> NeedToKnow:
        """Need-to-know groups."""
        return NeedToKnow(self.db, self.guard, self.log)

    @cached_property
    def places(self) -> Places:
        """The property tree."""
        return Places(self.db, self.guard, self.log)

    @cached_property
    def subjects(self) -> Subjects:
        """Owners, contracts, equipment: what records hang on beside places."""
        return Subjects(self.db, self.guard, self.vault, self.log, self.outbox, self.clock)

    @cached_property
    def records(self) -> RecordService:
        """Descriptions."""
        return RecordService(self.db, self.guard, self.vault, self.log, self.outbox, self.clock)

    @cached_property
    def proposals(self) -> ProposalService:
        """What texts propose for records."""
        return ProposalService(self.db, self.guard, self.vault, self.log, self.records)

    @cached_property
    def once(self) -> Once:
        """What programs were answered."""
        return Once(self.db, self.clock)

    @cached_property
    def bringing(self) -> BringingIn:
        """Spreadsheets that people bring in."""
        return BringingIn(self.db, self.guard, self.vault, self.log, self.records, self.outbox, self.clock)

    @cached_property
    def moving(self) -> Moving:
        """Moving records to other categories."""
        return Moving(self.db, self.guard, self.vault, self.records)

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
    def filing(self) -> FilingService:
        """Filing and numbers."""
        return FilingService(self.db, self.guard, self.vault, self.log, self.outbox, self.clock)

    @cached_property
    def intake(self) -> IntakeService:
        """Files, in and out."""
        return IntakeService(
            self.db, self.guard, self.vault, self.store, self.log, self.readings, self.outbox, self.clock
        )

    @cached_property
    def files(self) -> FileService:
        """Decisions on files."""
        return FileService(self.db, self.guard, self.store, self.log, self.outbox)

    @cached_property
    def rereading(self) -> Rereading:
        """Reading stored files again."""
        return Rereading(self.db, self.guard, self.log, self.outbox, self.clock)

    @cached_property
    def log_view(self) -> LogView[Act]:
        """Reads the log."""
        return LogView(self.log, self.guard, read_log=Act.READ_LOG, read=Act.READ, custody=Act.CUSTODY)

    @cached_property
    def sealer(self) -> Sealer:
        """Chains the log."""
        return Sealer(self.db, self.clock)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """Signs the chain."""
        return Checkpoints(self.db, self.ring, self.clock, self.witness)

    @property
    def witness(self) -> Path:
        """The file outside the database that keeps every checkpoint."""
        return self.settings.keys / "witness.jsonl"

    @cached_property
    def engine(self) -> TantivyEngine:
        """The search engine."""
        return TantivyEngine(self.settings.home / "index", prefix=self.settings.search_prefix)

    @cached_property
    def search(self) -> SearchService:
        """Search."""
        return SearchService(self.db, self.engine, self.vault, self.guard, self.readings, self.log)

    @cached_property
    def extractor(self) -> Extractor:
        """The fork server's client."""
        return Extractor()

    @cached_property
    def drawer(self) -> Extractor:
        """Another fork server, which draws pictures of pages for the web process, one at a time."""
        return Extractor(parallel=1, limits=Limits(memory=512 * 1024 * 1024, cpu=10, wall=20.0))

    @cached_property
    def page_reader(self) -> PageReader | None:
        """OCR; None where no engine is there or wanted."""
        engine = chosen(self.settings.ocr)
        return PageReader(engine) if engine else None

    @cached_property
    def extraction(self) -> ExtractContents:
        """Turns files into text."""
        detector = SandboxDetector(self.extractor)
        return ExtractContents(
            self.db, self.vault, self.store, self.outbox, self.extractor, detector, self.guard.day,
            ocr=chosen(self.settings.ocr) is not None, office=self.office, scanner=self.scanner, log=self.log,
        )  # fmt: skip

    @cached_property
    def scanner(self) -> ClamAV | None:
        """The virus scanner; None where the house has named none."""
        return ClamAV(self.settings.clamav) if self.settings.clamav else None

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
    def pictures(self) -> PictureCache:
        """Pictures of pages that were drawn before."""
        return PictureCache(self.settings.home / "pictures", self.settings.pictures_mb * 1024 * 1024)

    @cached_property
    def office(self) -> Office | None:
        """LibreOffice; None where it is not there or not to be used."""
        program = found(self.settings.soffice)
        return Office(program) if program else None

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
            EmptyBin(self.db, self.imports, self.bringing, self.log, self.outbox, self.clock),
            ForgetAnswers(self.once),
            SweepOrphans(self.db, self.store, self.clock),
            MakeCheckpoints(self.sealer, self.checkpoints),
            RebuildIndex(self.rebuilder),
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
