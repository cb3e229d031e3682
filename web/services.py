"""What pages need of the rest of the house, named in one place; ``runtime`` wires it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import cast

from flask import current_app, g

from archive.arranging.items import Arranging
from archive.arranging.many import BulkMoving
from archive.blocks import Blocks
from archive.bringing_in.sheets import BringingIn
from archive.cataloguing.bulk import BulkEditing
from archive.cataloguing.confirming import ProposalService
from archive.cataloguing.corrections import Corrections
from archive.cataloguing.drafts import Drafts
from archive.cataloguing.list_columns import ChosenColumns
from archive.cataloguing.moving import Moving
from archive.cataloguing.records import RecordService
from archive.cataloguing.relations import Relations
from archive.cataloguing.sending_back import SendingBack
from archive.cataloguing.showing import RecordReader
from archive.checking import Checks
from archive.clock import Clock
from archive.database import Database
from archive.dossiers.contents import Dossiers
from archive.files.attachments import Attachments
from archive.files.deciding import FileService
from archive.files.doubles import Doubles
from archive.files.intake import IntakeService
from archive.files.rereading import Rereading
from archive.filing.deadlines import FilingDeadlines
from archive.filing.many import FilingMany
from archive.filing.one import FilingService
from archive.filing.steps import Steps
from archive.forms import FormTemplates
from archive.handin.whole import HandIns
from archive.house.fonds import FondsService
from archive.house.need_to_know import NeedToKnow
from archive.house.organisation import Organisation
from archive.house.places import Places
from archive.identity import Identity
from archive.jobs.care import JobCare
from archive.loans.whole import Lending
from archive.log.browse import LogView
from archive.log.readings import Readings
from archive.once import Once
from archive.people.grants import Rights
from archive.people.invitations import Invitations
from archive.people.managing import People
from archive.people.roster import Roster
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ObjectStore, Vault
from archive.questions import Questions
from archive.required.papers import Papers
from archive.required.templates import DossierTemplates
from archive.scheme.categories import SchemeService
from archive.shelving.whole import Shelving
from archive.stocktaking.whole import StocktakingService
from archive.subjects import Subjects
from archive.telling import Telling
from archive.vital import VitalRecords
from archive.why import WhyService
from indexer.rendition import Renditions
from indexer.sandbox.client import Extractor
from indexer.sandbox.typeset import Typesetter
from indexer.search import SearchService
from indexer.unlocking import Unlocking
from retention.transferring.packing import Bags
from retention.transferring.receiving import Receiving
from retention.whole import Retention
from storage.fixity.care import FixityCare
from storage.fixity.mending import Mending
from storage.pictures import PictureCache
from storage.safekeeping import Safekeeping
from web.aids import Aids
from web.directory import Directory
from web.office_pages import OfficePages


@dataclass(frozen=True)
class Finding:
    """What was found of a part of the system: its name, its state (``ok``, ``warning``, ``broken``), and words."""

    part: str
    state: str
    words: str


@dataclass(frozen=True)
class Figure:
    """A gauge: its name, what it says, the names of its labels, and a value for each row of labels."""

    name: str
    says: str
    labels: Sequence[str] = ()
    values: Mapping[tuple[str, ...], float] = field(default_factory=dict)


@dataclass(frozen=True)
class IndexPart:
    """A part of the search index, of one level and either side of need-to-know, and how much it holds.

    ``rows`` are the records that the database has for it, ``entries`` what it holds; ``broken``: to be built anew.
    """

    rank: str
    apart: bool
    rows: int
    entries: int
    broken: bool


@dataclass(frozen=True)
class IndexStanding:
    """How the search index stands: what answers (name, version), its parts, and how far it is behind."""

    engine: str
    version: str
    parts: Sequence[IndexPart]
    waiting: int
    since: datetime | None


@dataclass(frozen=True)
class HouseServices:
    """The services behind the pages of the house itself.

    ``index`` tells how the search index stands (None: it does not answer). ``examine`` looks at every part of the
    system and tells what it found by a gettext; ``settings`` gives each setting with its ``variable``, ``value``
    (secrets masked), ``source`` and ``meaning`` (a message id). ``broker`` says whether the server that wakes workers
    answers (None: no server does).
    """

    roster: Roster
    invitations: Invitations
    rights: Rights
    organisation: Organisation
    groups: NeedToKnow
    fonds: FondsService
    scheme: SchemeService
    places: Places
    subjects: Subjects
    jobs: JobCare
    safekeeping: Safekeeping
    fixity: FixityCare
    mending: Mending
    index: Callable[[], IndexStanding | None]
    examine: Callable[[Callable[..., str]], Sequence[Finding]]
    settings: Callable[[], Sequence[Mapping[str, str]]]
    broker: Callable[[], bool | None] = lambda: None


@dataclass(frozen=True)
class Services:
    """The services behind the pages.

    ``secret`` signs the form cookie; it is the same in every process and is kept nowhere beside the ring.
    ``https`` is set when browsers reach the house by TLS. ``api_per_minute`` is how many requests one token may send
    (0: any number). ``metrics_token`` opens the figures that ``figures`` tells (empty: to nobody). ``looks`` say of
    each part, by name, whether it works.
    """

    db: Database
    clock: Clock
    guard: Guard
    people: People
    house: HouseServices
    records: RecordService
    reader: RecordReader
    dossiers: Dossiers
    arranging: Arranging
    relations: Relations
    papers: Papers
    dossier_templates: DossierTemplates
    doubles: Doubles
    corrections: Corrections
    lending: Lending
    filing: FilingService
    filing_many: FilingMany
    filing_deadlines: FilingDeadlines
    steps: Steps
    sending_back: SendingBack
    hand_ins: HandIns
    intake: IntakeService
    files: FileService
    attachments: Attachments
    proposals: ProposalService
    bringing: BringingIn
    bulk: BulkEditing
    bulk_moves: BulkMoving
    moving: Moving
    vital: VitalRecords
    telling: Telling
    retention: Retention
    bags: Bags
    receiving: Receiving
    columns: ChosenColumns
    drafts: Drafts
    forms: FormTemplates
    typesetter: Typesetter
    why: WhyService
    questions: Questions
    unlocking: Unlocking
    renditions: Renditions
    rereading: Rereading
    search: SearchService
    places: Places
    subjects: Subjects
    shelving: Shelving
    blocks: Blocks
    checks: Checks
    stock: StocktakingService
    once: Once
    log_view: LogView[Act]
    readings: Readings
    vault: Vault
    store: ObjectStore
    drawer: Extractor
    pictures: PictureCache
    office: OfficePages
    secret: bytes
    https: bool = False
    aids: Aids = field(default_factory=Aids)
    api_per_minute: int = 0
    metrics_token: str = field(default="", repr=False)
    figures: Callable[[], Sequence[Figure]] = tuple
    looks: Mapping[str, Callable[[], bool]] = field(default_factory=dict)

    @cached_property
    def directory(self) -> Directory:
        """Names for pages."""
        return Directory(self.db, self.guard.day)

    def zone(self) -> str:
        """Return the house's zone."""
        return self.directory.zone()


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions["juanku"])


def identity() -> Identity:
    """Return who asks; a page that needs nobody signed in does not call this."""
    return cast("Identity", g.identity)
