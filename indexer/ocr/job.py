"""The job that reads scanned pages and puts their words into the text of their content."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from archive.cataloguing import proposals
from archive.cataloguing.proposals import Finding
from archive.clock import Clock
from archive.database import Base, Database
from archive.errors import ArchiveError, Damaged, KeyUnavailable, TooLarge, Unavailable
from archive.jobs.lease import held_among
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Content, ContentState, Job, JobKind, JobState, Record, ScannedPage, ScanState, TextState
from archive.ports import ObjectStore, Unlocked, Vault
from indexer.asking import ask_for_index
from indexer.extract.answer import Failure, Reason
from indexer.finders.paper import FIRST_PAGES, Paper
from indexer.finders.propose import propose
from indexer.layout import seal_layout
from indexer.ocr.page import PageRead
from indexer.pagetext import Page, join_pages, masked_page, page_at
from indexer.sandbox.memory import MemoryFile
from indexer.settling import STANDING, give_dates

MOST_ATTEMPTS = 3
"""How often a page is tried that takes too long: the machine may have been busy with other things."""

LATER = timedelta(minutes=30)
"""How long such a page waits before it is tried again."""

STEP = 4
"""Pages that one job reads; then the next job waits its turn behind other contents."""

_SCANS = Base.metadata.tables["scanned_page"]
_SETTLED = (
    update(_SCANS)
    .where(_SCANS.c.content_id == bindparam("whose"), _SCANS.c.number == bindparam("page"))
    .values(
        state=bindparam("now"),
        confidence=bindparam("sure"),
        layout=bindparam("where"),
        engine=bindparam("by"),
        attempts=_SCANS.c.attempts + bindparam("slow"),
    )
)


_KEPT = (
    update(_SCANS)
    .where(_SCANS.c.content_id == bindparam("whose"), _SCANS.c.number == bindparam("page"))
    .values(state=ScanState.READ)
)
"""Of a page that was read before, and no better now: what was read stays."""


class Reader(Protocol):
    """Reads pages: ``indexer.ocr.client.PageReader``, or a made-up one. ``engine``: name and version, for people."""

    engine: str

    def hold(self, data: Any, size: int) -> MemoryFile:
        """Take a file into memory."""
        ...

    def read(self, media_type: str, file: MemoryFile, page: int) -> PageRead | Failure:
        """Read a page."""
        ...


class ReadScans:
    """Handler of OCR jobs; the subject is a content. Idempotent: only pages that wait are read.

    The record is indexed again when the last page of a content was read. What a page is to blame for fails that page;
    one that took too long is tried again ``LATER``, after all others.

    Args:
        outbox: takes the job for the pages that are left, and the index job.
        reader: OCR; None: it is not installed, and pages go on waiting.
        clock: tells when "later" is.
        today: tells the day it is in the house; no paper that is read was drawn up later.
        ending: says whether this process is about to end: what was read so far is then kept, the rest left to the next.
    """

    kind = JobKind.OCR
    batch = 1
    deadline = STEP * 150.0
    max_attempts = 10
    keep_done = False

    def __init__(
        self,
        db: Database,
        vault: Vault,
        store: ObjectStore,
        outbox: Outbox,
        reader: Reader | None,
        clock: Clock,
        today: Callable[[], date],
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._db = db
        self._vault = vault
        self._store = store
        self._outbox = outbox
        self._reader = reader
        self._today = today
        self._ending = ending

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Read some pages of each content."""
        return {job.id: self._try(job, self._reader) for job in jobs}

    def _try(self, job: ClaimedJob, reader: Reader | None) -> Outcome:
        with self._db.reading() as session:
            row = _standing(session, job.subject_id)
            pages = session.execute(_waiting(job.subject_id).limit(STEP)).all()
            keys = self._vault.unlock_many(session, {row.record_id}) if row else {}
        if reader is None or row is None or not pages:
            return Outcome.done()
        if (key := keys.get(row.record_id)) is None:
            return Outcome.failed(KeyUnavailable.code)
        try:
            tried = {page.number: page for page in pages if page.attempts == pages[0].attempts}
            found = self._read(job, reader, row, key, list(tried))
            return self._write(job, row, key, found, tried, reader.engine) if found else Outcome.retry("lease_lost")
        except (TooLarge, Damaged) as error:
            return Outcome.failed(error.code)
        except ArchiveError as error:
            return Outcome.retry(error.code)

    def _read(
        self, job: ClaimedJob, reader: Reader, row: Any, key: Unlocked, numbers: Sequence[int]
    ) -> dict[int, PageRead | Failure]:
        """Return what was read by page; nothing when the lease was lost on the way."""
        content = key.content_reader(row.id, self._store, row.object_key, row.store_version or "")
        file = reader.hold(content.read(), content.size)
        try:
            found: dict[int, PageRead | Failure] = {}
            for number in numbers:
                if not job.still_held():
                    return {}
                try:
                    found[number] = reader.read(row.media_type or "", file, number)
                except Unavailable:
                    if not (found and self._ending()):
                        raise
                    break  # the reader was ended with the process
            return found
        finally:
            file.close()

    def _write(
        self,
        job: ClaimedJob,
        row: Any,
        key: Unlocked,
        found: Mapping[int, PageRead | Failure],
        tried: Mapping[int, Any],
        engine: str,
    ) -> Outcome:
        read = found
        found = {number: each for number, each in read.items() if _better(each, tried[number].confidence)}
        worse = [{"whose": row.id, "page": number} for number in read if number not in found]
        texts = {number: each.text for number, each in found.items() if isinstance(each, PageRead) and each.text}
        pages = [masked_page(self._vault, number, text) for number, text in sorted(texts.items())]
        findings = self._findings(row, pages, read)
        sealed = proposals.seal(key, row.id, findings)
        settled = [
            _settled(key, row.id, number, each, tried[number].attempts, engine) for number, each in found.items()
        ]
        with self._db.writing() as work:
            session = work.session
            if not held_among(session, {job.id: job.lease}):
                return Outcome.retry("lease_lost")
            if _standing(session, row.id) is None:
                return Outcome.done()
            for statement, values in ((_SETTLED, settled), (_KEPT, worse)):
                if values:
                    session.connection().execute(statement, values)
            if pages:
                join_pages(session, key, row.id, pages)
                newer = {"text_state": TextState.TEXT, "text_version": Content.text_version + 1}
                session.execute(_quietly(update(Content).where(Content.id == row.id).values(newer)))
            if sealed:
                proposals.join(session, row.id, sealed, key)
            if day := next((each.value for each in findings if each.field == "drawn_up"), None):
                give_dates(session, {row.record_id: day})
            left = session.execute(_waiting(row.id).limit(1)).first()
            if left and not left.attempts:
                self._outbox.add(work, JobKind.OCR, row.id)
            else:
                if left:
                    self._outbox.add(work, JobKind.OCR, row.id, run_after=self._clock.now() + LATER)
                again = update(Record).where(Record.id == row.record_id).values(version=Record.version + 1)
                session.execute(_quietly(again))
                ask_for_index(work, self._outbox, [row.record_id])
                self._outbox.add_many(work, JobKind.COMPARE, [row.id])
            work.commit()
        return Outcome.done()

    def _findings(self, row: Any, fresh: Sequence[Page], tried: Collection[int]) -> Sequence[Finding]:
        """Return what is proposed, once the last of the pages that tell it was tried."""
        with self._db.reading() as session:
            count = session.scalar(select(Content.pages).where(Content.id == row.id)) or 1
            ends = sorted({*range(1, min(FIRST_PAGES, count) + 1), count})
            left = set(session.scalars(_waiting(row.id).where(ScannedPage.number.in_(ends)))) - set(tried)
            if left or not set(ends) & set(tried):
                return ()
            read = {page.number: page for page in fresh}
            kept = [read.get(number) or page_at(session, self._vault, row.record_id, row.id, number) for number in ends]
        pages = [page for page in kept if page is not None and page.text.strip()]
        return propose(Paper(pages, self._today(), row.name, row.media_type or ""))


def ask_for_waiting(db: Database, outbox: Outbox) -> None:
    """Ask for the contents whose pages wait without a job: those that came in before OCR was installed."""
    asked = select(Job.subject_id).where(Job.kind == JobKind.OCR, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    waiting = (
        select(ScannedPage.content_id)
        .where(ScannedPage.state == ScanState.WAITING, ScannedPage.content_id.not_in(asked))
        .distinct()
    )
    with db.reading() as session:
        contents = session.scalars(waiting).all()
    if contents:
        with db.writing() as work:
            outbox.add_many(work, JobKind.OCR, contents)
            work.commit()


def _standing(session: Session, content_id: UUID | None) -> Any:
    """Return a content that is stored and has been extracted; None: there is nothing to read."""
    row = session.execute(STANDING, {"ids": [content_id]}).first()
    kept = row is not None and row.state is ContentState.STORED and row.text_state is not TextState.PENDING
    return row if kept else None


def _waiting(content_id: UUID | None) -> Any:
    return (
        select(ScannedPage.number, ScannedPage.attempts, ScannedPage.confidence)
        .where(ScannedPage.content_id == content_id, ScannedPage.state == ScanState.WAITING)
        .order_by(ScannedPage.attempts, ScannedPage.number)
    )


def _better(found: PageRead | Failure, before: int | None) -> bool:
    """Whether what was read of a page is to be kept, after what it was read as before (None: it was not)."""
    return before is None or (isinstance(found, PageRead) and bool(found.text) and found.confidence > before)


def _settled(
    key: Unlocked, content_id: UUID, number: int, found: PageRead | Failure, attempts: int, engine: str
) -> dict[str, Any]:
    row = {"whose": content_id, "page": number, "sure": None, "where": None, "by": engine, "slow": 0}
    if isinstance(found, Failure):
        slow = found.reason is Reason.TIME
        again = slow and attempts + 1 < MOST_ATTEMPTS
        return {**row, "now": ScanState.WAITING if again else ScanState.FAILED, "slow": int(slow)}
    if found.text:
        row["sure"] = found.confidence
        row["where"] = seal_layout(key, content_id, number, found.layout) if found.layout else None
    return {**row, "now": ScanState.READ}


def _quietly(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
