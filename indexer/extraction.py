"""The job that turns stored contents into sealed page texts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from archive import failpoints
from archive.database import Database, Work
from archive.dates import parse_civil
from archive.errors import ArchiveError, Damaged, KeyUnavailable, TooLarge
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Content, ContentState, File, JobKind, Record, RecordState, TextState
from archive.personal import mask
from archive.ports import ContentReader, Detector, ObjectStore, Vault
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extract.dates import propose_date
from indexer.pagetext import Page, Slice, drop_pages, page, put_slices, seal_pages
from indexer.sandbox.client import Extractor
from indexer.sandbox.memory import MemoryFile

DAMAGED = "damaged"
"""Reason of a content whose stored bytes fail their check: no parser's fault."""

_SLICE_PAGES = 200
_MOST_PAGES = 100_000
_MOST_BREAKDOWNS = 12
_WRITE_BYTES = 1_000_000
_HEAD_BYTES = 65_536

_QUARANTINED = {Reason.ENCRYPTED, Reason.BROKEN, Reason.BOMB}
_FAILED = {Reason.TIME, Reason.MEMORY, Reason.CRASHED}


@dataclass(frozen=True)
class _Source:
    """A content as read from the database, and a way to its bytes."""

    content_id: UUID
    record_id: UUID
    media_type: str | None
    name: str
    reader: ContentReader


@dataclass
class _Result:
    """What extraction made of one content."""

    source: _Source
    job: ClaimedJob
    media_type: str
    reason: str | None = None
    state: TextState = TextState.NO_TEXT
    quarantined: bool = False
    page_count: int | None = None
    drawn_up: str | None = None
    slices: list[Slice] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Sealed bytes to write."""
        return sum(len(each.sealed) for each in self.slices)


class _Dropped(Exception):
    """The lease is gone: another worker does this job."""


class ExtractContents:
    """Handler of extract jobs; the subject is a content. Idempotent: a content whose text is settled is left alone.

    What a file is to blame for is written into the content's row and ends the job; what it is not to blame for
    (no database, no store, no fork server) is tried again.

    Args:
        outbox: takes the index job that follows.
        extractor: the sandbox.
        detector: asked when a content has no media type yet.
    """

    kind = JobKind.EXTRACT
    batch = 16
    deadline = 900.0
    max_attempts = 10  # what is tried again is no file's fault: store or sandbox may be away for an hour
    keep_done = True

    def __init__(
        self,
        db: Database,
        vault: Vault,
        store: ObjectStore,
        outbox: Outbox,
        extractor: Extractor,
        detector: Detector,
    ) -> None:
        self._db = db
        self._vault = vault
        self._store = store
        self._outbox = outbox
        self._extractor = extractor
        self._detector = detector

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Extract a batch: parse side by side, write small results in one transaction."""
        if len(jobs) == 1:
            made = [self._try(jobs[0])]
        else:
            with ThreadPoolExecutor(self._extractor.parallel, thread_name_prefix="extract") as pool:
                made = list(pool.map(self._try, jobs))
        outcomes = {job.id: each for job, each in zip(jobs, made, strict=True) if isinstance(each, Outcome)}
        results = [each for each in made if isinstance(each, _Result)]
        for group in _groups(results):
            outcomes |= self._write(group)
        return outcomes

    def _try(self, job: ClaimedJob) -> _Result | Outcome:
        try:
            source = self._source(job)
            return self._extract(job, source) if source else Outcome.done()
        except _Dropped:
            return Outcome.retry("lease_lost")
        except KeyUnavailable as error:
            return Outcome.failed(error.code)
        except ArchiveError as error:
            return Outcome.retry(error.code)

    def _source(self, job: ClaimedJob) -> _Source | None:
        """Return the content when it still waits for its text."""
        with self._db.reading() as session:
            content = session.get(Content, job.subject_id)
            if content is None or content.state is not ContentState.STORED or content.store_version is None:
                return None
            if content.text_state is not TextState.PENDING:
                return None
            file = session.get(File, content.file_id)
            reader = self._vault.content_reader(
                session, content.record_id, content.id, self._store, content.object_key, content.store_version
            )
            name = file.name if file else ""
            return _Source(content.id, content.record_id, content.media_type, name, reader)

    def _extract(self, job: ClaimedJob, source: _Source) -> _Result:
        try:
            file = self._extractor.hold(source.reader.read(), source.reader.size)
        except TooLarge:
            media_type = source.media_type or self._detected(source)
            return _failed(_Result(source, job, media_type), Failure(Reason.TOO_LARGE))
        except Damaged:
            return _Result(source, job, source.media_type or "", reason=DAMAGED, state=TextState.FAILED)
        try:
            return self._parse(_Result(source, job, source.media_type or ""), file)
        finally:
            file.close()

    def _detected(self, source: _Source) -> str:
        return self._detector.detect(b"".join(source.reader.read(0, _HEAD_BYTES)), source.name)

    def _parse(self, result: _Result, file: MemoryFile) -> _Result:
        reading = _Reading(self._extractor, result, file, lambda: self._detected(result.source))
        pages: list[Page] = []
        first_text = last_text = ""
        for number, text in reading.pages():
            first_text = first_text or text[:4_000]
            last_text = text[-4_000:] if text.strip() else last_text
            pages.append(self._masked(number, text))
        if reading.failure:
            return _failed(result, reading.failure)
        result.page_count = reading.page_count
        if any(each.text.strip() for each in pages):
            result.state = TextState.TEXT
            ends = first_text if reading.page_count == 1 else f"{first_text}\n{last_text}"
            result.drawn_up = propose_date(ends, {"created": reading.created})
            with self._db.reading() as session:
                ids = (result.source.record_id, result.source.content_id)
                result.slices = seal_pages(session, self._vault, *ids, (each for each in pages if each.text))
        return result

    def _masked(self, number: int, text: str) -> Page:
        masked, numbers = mask(text)
        tokens = sorted({self._vault.token(kind.value, normal) for kind, normal in numbers})
        return page(number, masked, tokens)

    def _write(self, group: Sequence[_Result]) -> dict[UUID, Outcome]:
        """Write results; a large one's pages go before, in batches that nobody reads until the row says so."""
        held = [result for result in group if result.job.still_held()]
        ahead: set[UUID] = set()
        for result in tuple(held):
            if result.bytes > _WRITE_BYTES:
                if self._write_ahead(result):
                    ahead.add(result.source.content_id)
                else:
                    held.remove(result)
        with self._db.writing() as work:
            records = [self._settle(work, result, ahead) for result in held]
            self._outbox.add_many(work, JobKind.INDEX, sorted({record for record in records if record}))
            failpoints.reach("extract.before_commit")
            work.commit()
        failpoints.reach("extract.done")
        done = {result.job.id for result in held}
        return {
            result.job.id: Outcome.done() if result.job.id in done else Outcome.retry("lease_lost") for result in group
        }

    def _write_ahead(self, result: _Result) -> bool:
        """Write a large result's pages; False when the lease was lost on the way."""
        waiting = list(result.slices)
        while waiting:
            batch = [waiting.pop(0)]
            while waiting and sum(len(each.sealed) for each in batch) < _WRITE_BYTES:
                batch.append(waiting.pop(0))
            if not result.job.still_held():
                return False
            with self._db.writing() as work:
                put_slices(work.session, result.source.content_id, batch)
                work.commit()
        return True

    def _settle(self, work: Work, result: _Result, ahead: set[UUID]) -> UUID | None:
        """Make one content's result valid; return its record when something changed."""
        session = work.session
        content = session.get(Content, result.source.content_id)
        if content is None or content.text_state is not TextState.PENDING or content.state is not ContentState.STORED:
            return None
        content.text_state = result.state
        content.text_version += 1
        content.reason = result.reason
        content.pages = result.page_count
        content.media_type = result.media_type or content.media_type
        if result.quarantined:
            content.state = ContentState.QUARANTINED
        drop_pages(session, content.id, keep=(each.first_page for each in result.slices))
        if content.id not in ahead:
            put_slices(session, content.id, result.slices)
        record = session.get(Record, content.record_id)
        if record is None:
            return None
        record.version += 1
        if result.drawn_up and record.drawn_up is None and record.state is RecordState.PROVISIONAL:
            found = parse_civil(result.drawn_up)
            record.drawn_up, record.drawn_from, record.drawn_to = found.text, found.first, found.last
            record.drawn_up_proposed = True
        return record.id


class _Reading:
    """Reads a document slice by slice; the page that breaks its slice is narrowed down and left empty."""

    def __init__(self, extractor: Extractor, result: _Result, file: MemoryFile, detected: Callable[[], str]) -> None:
        self._extractor = extractor
        self._result = result
        self._file = file
        self._detected = detected
        self._breakdowns = 0
        self.failure: Failure | None = None
        self.page_count = 0
        self.created = ""

    def pages(self) -> Iterator[tuple[int, str]]:
        """Yield (number, text). Afterwards ``failure`` says whether the document could not be read.

        Raises:
            _Dropped: the lease was lost on the way.
        """
        first, step = 1, _SLICE_PAGES
        while first == 1 or first <= min(self.page_count, _MOST_PAGES):
            answer = self._slice(first, first + step - 1)
            if isinstance(answer, Extracted):
                self.page_count, self.created = answer.page_count, answer.created or self.created
                yield from enumerate(answer.pages, start=first)
                if not answer.pages:
                    return
                first = answer.next_page
            elif self._is_final(answer, step):
                self.failure = answer
                return
            elif step > 1:
                step = max(step // 6, 1)
            else:
                first, step = first + 1, _SLICE_PAGES

    def _is_final(self, answer: Failure, step: int) -> bool:
        """Whether narrowing down would not help, or would take too long."""
        if answer.reason not in _FAILED or self._breakdowns >= _MOST_BREAKDOWNS:
            return True
        return not self.page_count and (step == 1 or answer.reason is Reason.TIME)

    def _slice(self, first: int, last: int) -> Extracted | Failure:
        """Parse one slice; a crash is tried once more, for the machine may have been to blame."""
        for again in (True, False):
            if not self._result.job.still_held():
                raise _Dropped
            answer = self._ask(first, last)
            if isinstance(answer, Extracted) or answer.reason not in _FAILED:
                return answer
            self._breakdowns += 1
            if answer.reason is not Reason.CRASHED or not again or self.page_count:
                return answer
        raise AssertionError  # the loop returns

    def _ask(self, first: int, last: int) -> Extracted | Failure:
        result = self._result
        if result.media_type:
            return self._extractor.extract_held(result.media_type, self._file, first, last)
        found, answer = self._extractor.find_held(result.source.name, self._file, first, last)
        # A fork that broke down did not tell what its file is; that is asked of one that does nothing else.
        result.media_type = found or self._detected()
        return answer


def _failed(result: _Result, failure: Failure) -> _Result:
    result.reason = failure.reason.value
    result.quarantined = failure.reason in _QUARANTINED
    result.state = TextState.FAILED if failure.reason in _QUARANTINED | _FAILED else TextState.NO_TEXT
    return result


def _groups(results: Sequence[_Result]) -> Iterator[list[_Result]]:
    """Join results into transactions that stay short."""
    group: list[_Result] = []
    for result in results:
        if group and sum(each.bytes for each in group) + result.bytes > _WRITE_BYTES:
            yield group
            group = []
        group.append(result)
    if group:
        yield group
