"""A whole small house behind its pages: real services over a database, a ring and a store in a folder."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.approving.engine import Approvals
from archive.arranging.items import Arranging
from archive.arranging.many import BulkMoving
from archive.blocks import Blocks
from archive.bringing_in.imports import Imports
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
from archive.cataloguing.showing import RecordReader, number_of
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
from archive.identity import Identity, Role, system
from archive.jobs.care import JobCare
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.jobs.stepwise import Stepwise
from archive.loans.attached import loan_subjects
from archive.loans.watches import loan_watches
from archive.loans.whole import Lending
from archive.log.browse import LogView
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.model import AttachedTo, Category, JobKind, NumberRule, Person, Record
from archive.once import Once
from archive.people.grants import Rights
from archive.people.invitations import Invitations
from archive.people.managing import People
from archive.people.passwords import Passwords
from archive.people.roster import Roster
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.questions import Questions
from archive.reminding.delivering import Ways
from archive.reminding.messages import Messages
from archive.required.papers import Papers
from archive.required.templates import DossierTemplates
from archive.scheme.categories import SchemeService
from archive.shelving.whole import Shelving
from archive.stocktaking.whole import StocktakingService
from archive.subjects import Subjects
from archive.telling import telling
from archive.vital import VitalRecords
from archive.why import WhyService
from indexer.comparing import CompareTexts
from indexer.engine import Order, date_key
from indexer.extraction import ExtractContents
from indexer.passages import Passage, marks_in
from indexer.query.parser import parse
from indexer.ranges import day_number
from indexer.rendition import Renditions
from indexer.sandbox.detector import SandboxDetector
from indexer.sandbox.office import Office
from indexer.scanner import virus_in
from indexer.settling import READING
from indexer.unlocking import Unlocking
from indexer.unpacking import UnpackContents
from retention.auditing.watches import audit_watches
from retention.branches import Branches
from retention.calendar import FollowCalendar
from retention.destroying.telling import destruction_watches
from retention.holding import HoldCheck
from retention.holds import HoldRows
from retention.reckoning import DueDays
from retention.secrecy.periods import SecrecyDays, SecrecyWatch
from retention.transferring.attached import ReceiptFiles
from retention.transferring.packing import Bags
from retention.transferring.receiving import Receiving
from retention.transferring.taking_in import Means
from retention.whole import Retention
from storage.backups import Backups
from storage.fixity.care import FixityCare
from storage.fixity.mending import Mending
from storage.objects import FileStore
from storage.pictures import PictureCache
from storage.ring import KeyRing
from storage.safekeeping import Safekeeping
from storage.vault import RingVault
from tests.factories import people as rights
from tests.factories import postgres
from tests.factories import records as rows
from tests.factories.databases import a_database
from tests.factories.lent import LentExtractor
from tests.fakes.clock import START, FixedClock
from web.aids import Aids
from web.app import create_app
from web.office_pages import OfficePages
from web.prints import setting
from web.services import Finding, HouseServices, IndexPart, IndexStanding, Services

RULE = "{fonds}-{category}·{year}-{term}-{mark}{serial:4}"
PASSWORD = "梅花三弄-2026-春"
FIELDS = [
    {"name": "partner", "kind": "text", "names": {"zh_CN": "对方单位", "zh_TW": "對方單位", "en": "Other party"}},
    {
        "name": "document_number",
        "kind": "text",
        "limit": 100,
        "names": {"zh_CN": "文号", "zh_TW": "文號", "en": "Number"},
    },
    {"name": "phone", "kind": "phone", "names": {"zh_CN": "联系电话", "zh_TW": "聯絡電話", "en": "Telephone"}},
    {
        "name": "form",
        "kind": "choice",
        "names": {"zh_CN": "形式", "zh_TW": "形式", "en": "Form"},
        "choices": [{"code": "new", "names": {"zh_CN": "新签", "zh_TW": "新簽", "en": "new"}}],
    },
]


class SilentWaker:
    """Wakes nobody."""

    def wake(self, queue: str, job_id: object) -> None:
        """Do nothing."""


@dataclass
class TitleSearch:
    """Finds visible records by their titles, in the shape of the search service's answers."""

    db: Database
    guard: Guard
    broken: Exception | None = None
    complete: bool = True
    asked: list[str] = field(default_factory=list)

    def search(
        self,
        identity: Identity,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        offset: int = 0,
        limit: int = 20,
        order: Order = Order.NEWEST,
        after: tuple[int, UUID] | None = None,
        **_more: Any,
    ) -> Any:
        query = parse(text)
        self.asked.append(text)
        if self.broken:
            raise self.broken
        with self.db.reading() as session:
            known = session.scalars(self.guard.visible(session, identity))
            found = [r for r in known if (not text or marks_in(query, r.title)) and _fits(r, dict(filters))]
        turn = 1 if order is Order.OLDEST else -1
        found.sort(key=lambda r: (turn * _day(r), r.id))
        behind = [r for r in found if after is None or (turn * _day(r), r.id) > (turn * after[0], after[1])]
        hits = [
            SimpleNamespace(
                record_id=r.id,
                number=number_of(r),
                title=r.title,
                level_rank=r.level_rank,
                marks=marks_in(query, r.title),
                date=r.drawn_up,
                place=r.place_path,
                passages=[Passage(1, r.title, tuple(marks_in(query, r.title)), cut_after=True)],
                date_key=_day(r),
            )
            for r in behind[offset : offset + limit]
        ]
        facets = {
            "level": {"1": len(found)},
            "category": Counter(str(r.category_id) for r in found),
            "project": Counter(r.place_path.split("/")[0] for r in found if r.place_path),
        }
        return SimpleNamespace(total=len(found), hits=hits, facets=facets, complete=self.complete)

    def count(self, identity: Identity, filters: Sequence[tuple[str, str]]) -> int:
        """Count what the person sees; ``state`` is the only filter that the pages use."""
        if self.broken:
            raise self.broken
        with self.db.reading() as session:
            known = session.scalars(self.guard.visible(session, identity))
            return sum(record.state.value == dict(filters)["state"] for record in known)


def _day(record: Record) -> int:
    """Where a record stands in an order by date, as an engine says it."""
    return date_key({"drawn_from": day_number(record.drawn_from)}, record.id)


def _fits(record: Record, chosen: Mapping[str, str]) -> bool:
    """Whether a record passes the filters that the pages use; the category's branch is the category itself here."""
    return (
        chosen.get("category", str(record.category_id)) == str(record.category_id)
        and chosen.get("fonds", str(record.fonds_id)) == str(record.fonds_id)
        and (record.place_path or "").startswith(chosen.get("place", ""))
    )


@dataclass
class WebHouse:
    """The house, its application, and its people by login."""

    app: Flask
    services: Services
    people: dict[str, Person]
    category: Category
    search: TitleSearch
    clock: Clock
    outbox: Outbox

    def read_texts(self) -> None:
        """Do the extractions that wait, as a worker does."""
        s = self.services
        reading = ExtractContents(s.db, s.vault, s.store, self.outbox, s.drawer, SandboxDetector(s.drawer), s.guard.day)
        log = Log(s.vault, self.clock)
        unpacking = UnpackContents(s.db, s.vault, s.store, log, self.outbox, self.clock, s.drawer)
        runner = JobRunner(s.db, self.clock, [reading, unpacking, CompareTexts(s.db, s.vault)])
        while runner.drain():
            pass

    def bring_in(self) -> None:
        """Do the jobs that bring spreadsheets in, as a worker does."""
        self._stepwise(JobKind.BRING_IN, self.services.bringing.bring)

    def file_many(self) -> None:
        """Do the jobs that file many records, as a worker does."""
        self._stepwise(JobKind.FILE_MANY, self.services.filing_many.go_on)

    def edit_many(self) -> None:
        """Do the jobs that edit many records, as a worker does."""
        self._stepwise(JobKind.BULK_EDIT, self.services.bulk.run)

    def move_many(self) -> None:
        """Do the jobs that move many papers, as a worker does."""
        self._stepwise(JobKind.BULK_MOVE, self.services.bulk_moves.run)

    def follow_calendar(self) -> None:
        """Do the jobs that follow a change of the calendar, as a worker does."""
        handler = FollowCalendar(self.services.telling.calendar_moves)
        runner = JobRunner(self.services.db, self.clock, [handler])
        while runner.drain():
            pass

    def _stepwise(self, kind: JobKind, go_on: Callable[[Identity, UUID], Iterator[object]]) -> None:
        runner = JobRunner(self.services.db, self.clock, [Stepwise(kind, self.services.db, go_on)])
        while runner.drain():
            pass

    def browser(self, login: str | None = None) -> FlaskClient:
        """Return a browser, signed in as ``login``."""
        client = self.app.test_client()
        if login is not None:
            reply = client.post(
                "/sign-in",
                data={"login": login, "password": PASSWORD, "csrf_token": token_on(client.get("/sign-in").text)},
            )
            assert reply.status_code == 303, reply.text
        return client

    def a_record(self, **more: Any) -> Any:
        """Return a record with its key, so that its protected parts open."""
        with self.services.db.writing() as work:
            record = rows.a_record(work.session, work.session.get_one(Category, self.category.id), **more)
            self.services.vault.add_owner(work.session, record.id, due_year=None)
            work.commit()
        return record


def token_on(page: str) -> str:
    """Return the form token that a page carries."""
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def token_of(browser: FlaskClient) -> str:
    """Return someone's form token, from a page that costs little: the desk would take longer than most acts."""
    return token_on(browser.get("/account").text)


CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
NO_AIDS = Aids()
NO_WAYS = Ways()


@contextmanager
def a_web_house(
    folder: Path,
    *,
    https: bool = False,
    clock: Clock | None = None,
    soffice: Office | None = None,
    aids: Aids = NO_AIDS,
    ways: Ways = NO_WAYS,
) -> Iterator[WebHouse]:
    """Yield a house with an archivist, a clerk, staff, an auditor and a system administrator, all signed up."""
    clock = clock or FixedClock()
    furnished = clock.now() == START and not postgres.used()
    if furnished:
        _lay(folder)
    db = a_database(folder)
    ring = KeyRing.open(folder / "ring") if furnished else KeyRing.create(folder / "ring")
    vault = RingVault(ring, clock)
    log = Log(vault, clock)
    readings = Readings(db, log, clock)
    guard = Guard(db, log, clock, "Asia/Shanghai")
    people = People(db, log, clock, guard, CHEAP)
    due_days = DueDays(lambda: "Asia/Shanghai")
    outbox = Outbox(clock, SilentWaker(), due_days.follow, HoldRows(clock).follow, SecrecyDays(lambda: guard).follow)
    store = FileStore(folder / "objects")
    search = TitleSearch(db, guard)
    backups = Backups(db, store, FileStore(folder / "backups"), ring, clock, "0000", folder / "run")
    house = HouseServices(
        roster=Roster(db, guard, clock),
        invitations=Invitations(db, log, clock, guard, CHEAP),
        rights=Rights(db, log, guard),
        organisation=Organisation(db, guard, log),
        groups=NeedToKnow(db, guard, log),
        fonds=FondsService(db, guard, log, clock),
        scheme=SchemeService(db, guard, log, outbox, clock, Branches(db, guard, due_days)),
        places=Places(db, guard, log),
        subjects=Subjects(db, guard, vault, log, outbox, clock),
        jobs=JobCare(db, guard, log, outbox, clock),
        safekeeping=Safekeeping(db, guard, log, outbox, clock, lambda: backups, 90),
        fixity=FixityCare(db, guard, log, outbox, clock, store, 90),
        mending=Mending(db, guard, log, outbox, clock, store, lambda: backups),
        index=lambda: IndexStanding(
            "embedded", "0.27", [IndexPart("1", apart=False, rows=3, entries=3, broken=False)], 0, None
        ),
        examine=lambda gettext: [Finding("python", "ok", gettext("Nothing was changed."))],
        settings=lambda: [
            {"variable": "JUANKU_HOME", "value": "home", "source": "default", "meaning": "the data folder"}
        ],
    )
    extractor = LentExtractor(parallel=1)  # its server starts with the first picture asked for
    unpacking = UnpackContents(db, vault, store, log, outbox, clock, extractor)
    reading = ExtractContents(db, vault, store, outbox, extractor, SandboxDetector(extractor), guard.day)
    pictures = PictureCache(folder / "pictures", 10_000_000)
    office = OfficePages(soffice, extractor, pictures)
    typesetter = setting.typesetter()
    shipped, try_out = setting.shipped_forms(), setting.trial(typesetter)
    lending = Lending(db, guard, vault, log, clock, "Asia/Shanghai")
    retention = Retention(db, guard, vault, log, outbox, clock, due_days)
    services = Services(
        db=db,
        clock=clock,
        guard=guard,
        people=people,
        house=house,
        records=RecordService(db, guard, vault, log, outbox, clock),
        reader=RecordReader(db, guard, vault, readings),
        doubles=Doubles(db, guard, log, clock),
        corrections=Corrections(
            db, guard, Approvals(vault, log, clock), RecordService(db, guard, vault, log, outbox, clock), HoldCheck()
        ),
        lending=lending,
        attachments=Attachments(
            db,
            vault,
            store,
            log,
            readings,
            clock,
            SandboxDetector(extractor),
            virus_in(None),
            loan_subjects(db, guard, lending.asked, lending.outside, lending.excerpts)
            | {AttachedTo.TRANSFER: ReceiptFiles(db, retention.transfers)},
            outbox,
        ),
        filing=FilingService(db, guard, vault, log, outbox, clock),
        filing_many=FilingMany(db, guard, FilingService(db, guard, vault, log, outbox, clock), log, outbox, clock),
        filing_deadlines=FilingDeadlines(db, guard, log),
        steps=Steps(db, guard, FilingDeadlines(db, guard, log)),
        sending_back=SendingBack(db, guard, vault, log, clock),
        hand_ins=HandIns(db, guard, vault, log, clock, RecordService(db, guard, vault, log, outbox, clock)),
        intake=IntakeService(db, guard, vault, store, log, readings, outbox, clock),
        files=FileService(db, guard, store, log, outbox, HoldCheck()),
        proposals=ProposalService(db, guard, vault, log, RecordService(db, guard, vault, log, outbox, clock)),
        bringing=BringingIn(db, guard, vault, log, RecordService(db, guard, vault, log, outbox, clock), outbox, clock),
        bulk=BulkEditing(db, guard, vault, log, RecordService(db, guard, vault, log, outbox, clock), outbox, clock),
        bulk_moves=BulkMoving(
            db,
            guard,
            log,
            outbox,
            clock,
            Arranging(db, guard, log, outbox, clock, RecordService(db, guard, vault, log, outbox, clock)),
            Shelving(db, guard, log, clock).placing,
        ),
        dossiers=Dossiers(db, guard),
        arranging=Arranging(db, guard, log, outbox, clock, RecordService(db, guard, vault, log, outbox, clock)),
        relations=Relations(db, guard, log, clock),
        papers=Papers(db, guard, log),
        dossier_templates=DossierTemplates(db, guard, log, clock),
        moving=Moving(db, guard, vault, RecordService(db, guard, vault, log, outbox, clock)),
        vital=VitalRecords(db, guard, log, outbox),
        telling=telling(
            db,
            guard,
            log,
            outbox,
            vault,
            ways,
            [*loan_watches(guard), SecrecyWatch(guard), *audit_watches(guard), *destruction_watches(guard)],
        ),
        retention=retention,
        bags=Bags(db, guard, vault, store, log, outbox, retention.transfers),
        receiving=Receiving(
            Means(
                db,
                Imports(db, guard, RecordService(db, guard, vault, log, outbox, clock), clock),
                IntakeService(db, guard, vault, store, log, readings, outbox, clock),
            ),
            guard,
            vault,
            log,
            outbox,
        ),
        columns=ChosenColumns(db),
        drafts=Drafts(db, vault, clock),
        forms=FormTemplates(db, guard, log, clock, shipped, try_out),
        typesetter=typesetter,
        questions=Questions(db, guard, log, Messages(db, guard)),
        why=WhyService(db, guard, log, RecordService(db, guard, vault, log, outbox, clock)),
        unlocking=Unlocking(db, guard, vault, log, outbox, clock, reading, unpacking),
        renditions=Renditions(db, guard, log, outbox),
        rereading=Rereading(db, guard, log, outbox, clock, READING, ocr=aids.ocr),
        search=search,
        places=Places(db, guard, log),
        subjects=Subjects(db, guard, vault, log, outbox, clock),
        shelving=Shelving(db, guard, log, clock),
        blocks=Blocks(db, guard, vault, log, clock),
        checks=Checks(db, guard, vault, log, clock, Blocks(db, guard, vault, log, clock)),
        stock=StocktakingService(
            db, guard, log, clock, Blocks(db, guard, vault, log, clock), Shelving(db, guard, log, clock).placing
        ),
        once=Once(db, clock),
        log_view=LogView(log, guard, read_log=Act.READ_LOG, read=Act.READ, custody=Act.CUSTODY),
        readings=readings,
        vault=vault,
        store=store,
        drawer=extractor,
        pictures=pictures,
        office=office,
        secret=b"only for tests",
        https=https,
        aids=aids,
    )
    if not furnished:
        _furnish(db, people)
    category, everyone = _people_of(db)
    try:
        yield WebHouse(create_app(services), services, everyone, category, search, clock, outbox)
    finally:
        office.close()
        extractor.close()
        readings.close()
        db.close()


@cache
def _template() -> Mapping[Path, tuple[int, bytes]]:
    """Return the files of a house as it is furnished at the fixed clock's start: made once for all of this process."""
    with TemporaryDirectory() as made:
        folder, clock = Path(made), FixedClock()
        db = a_database(folder)
        log = Log(RingVault(KeyRing.create(folder / "ring"), clock), clock)
        _furnish(db, People(db, log, clock, Guard(db, log, clock, "Asia/Shanghai"), CHEAP))
        db.close()
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder): (path.stat().st_mode, path.read_bytes()) for path in files}


def _lay(folder: Path) -> None:
    """Lay the template's files into a folder."""
    for path, (mode, data) in _template().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / path).write_bytes(data)
        (folder / path).chmod(mode)
    (folder / "ring" / "generations").mkdir(exist_ok=True, mode=0o700)


def _people_of(db: Database) -> tuple[Category, dict[str, Person]]:
    with db.reading() as session:
        [category] = session.scalars(select(Category))
        return category, {person.login: person for person in session.scalars(select(Person))}


def _furnish(db: Database, people: People) -> None:
    with db.writing() as work:
        session = work.session
        rows.a_house(session)
        fonds = rows.a_fonds(session, "WY01")
        rule = NumberRule(code="plain", names=rights.names("规则"), template=RULE)
        session.add(rule)
        session.flush()
        category = rows.a_category(session, fonds, "WYH")
        category.names = {"zh_CN": "物业服务合同", "zh_TW": "物業服務合約", "en": "Service contracts"}
        category.fields = FIELDS
        category.term = "D10"
        category.number_rule_id = rule.id
        rows.a_place(session, fonds, "A01/")
        office = rights.a_department(session, "OFFICE")
        for rank in (1, 2, 3, 4):
            rights.distributed_to(session, rank)
        work.commit()
    accounts = {
        "archivist": ([Role.ARCHIVIST], 4),
        "clerk": ([Role.CLERK], 1),
        "staff": ([Role.STAFF], 1),
        "auditor": ([Role.AUDIT_ADMIN], 0),
        "system": ([Role.SYSTEM_ADMIN], 0),
        "security": ([Role.SECURITY_ADMIN], 0),
        "secrecy": ([Role.SECRECY_OFFICER], 4),
    }
    for login, (roles, _) in accounts.items():
        people.add_person(system("set-up"), login=login, name=f"{login}某", password=PASSWORD, roles=roles)
    with db.writing() as work:
        session = work.session
        post = rights.a_post(session, "clerk")
        for login, (_, clearance) in accounts.items():
            person_id = people.identity_of(login).person_id
            person = session.get_one(Person, person_id)
            person.clearance = clearance
            if clearance:
                rights.grants(session, person, fonds=fonds.id)
            if login == "clerk":
                rights.holds_post(session, person, post, office)
        work.commit()
