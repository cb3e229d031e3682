"""The job that turns stored contents into sealed page texts."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.database import Base, Database
from archive.dates import parse_civil
from archive.errors import ArchiveError, Damaged, KeyUnavailable, TooLarge
from archive.jobs.lease import held_among
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Content, ContentState, File, JobKind, Record, RecordState, TextState
from archive.personal import mask
from archive.ports import ContentReader, Detector, ObjectStore, Unlocked, Vault
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extract.dates import propose_date
from indexer.pagetext import Page, Slice, page, put_slices, replace_pages, seal_pages
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
    """A content as read from the database, and the key to its bytes (None: it cannot be had)."""

    content_id: UUID
    record_id: UUID
    media_type: str | None
    object_key: str
    store_version: str
    name: str
    key: Unlocked | None


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


_RECORDS = Base.metadata.tables["record"]
_CONTENTS = Base.metadata.tables["content"]
_WAITING = (
    select(Content.id, Content.record_id, Content.media_type, Content.object_key, Content.store_version, File.name)
    .join(File, File.id == Content.file_id)
    .where(
        Content.id.in_(bindparam("ids", expanding=True)),
        Content.state == ContentState.STORED,
        Content.store_version.is_not(None),
        Content.text_state == TextState.PENDING,
    )
)
_SETTLED = (
    update(_CONTENTS)
    .where(_CONTENTS.c.id == bindparam("whose"))
    .values(
        text_state=bindparam("text_state"),
        text_version=_CONTENTS.c.text_version + 1,
        reason=bindparam("reason"),
        pages=bindparam("pages"),
        media_type=bindparam("media_type"),
        state=bindparam("state"),
    )
)
_UNDATED = select(Record.id).where(
    Record.id.in_(bindparam("ids", expanding=True)),
    Record.drawn_up.is_(None),
    Record.state == RecordState.PROVISIONAL,
)
_DATED = (
    update(_RECORDS)
    .where(_RECORDS.c.id == bindparam("whose"))
    .values(
        drawn_up=bindparam("text"),
        drawn_from=bindparam("first"),
        drawn_to=bindparam("last"),
        drawn_up_proposed=True,
    )
)


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
        sources = self._sources([job.subject_id for job in jobs if job.subject_id])
        asked = [(job, sources.get(job.subject_id)) for job in jobs]
        if len(asked) == 1:
            made = [self._try(*asked[0])]
        else:
            with ThreadPoolExecutor(self._extractor.parallel, thread_name_prefix="extract") as pool:
                made = list(pool.map(self._try, *zip(*asked, strict=True)))
        outcomes = {job.id: each for job, each in zip(jobs, made, strict=True) if isinstance(each, Outcome)}
        results = [each for each in made if isinstance(each, _Result)]
        for group in _groups(results):
            outcomes |= self._write(group)
        return outcomes

    def _sources(self, content_ids: Sequence[UUID]) -> dict[UUID | None, _Source]:
        """Return the contents that still wait for their text, with their keys."""
        with self._db.reading() as session:
            rows = session.execute(_WAITING, {"ids": content_ids}).all()
            keys = self._vault.unlock_many(session, {row.record_id for row in rows})
        return {
            key: _Source(key, record, media_type, where, version or "", name, keys.get(record))
            for key, record, media_type, where, version, name in rows
        }

    def _try(self, job: ClaimedJob, source: _Source | None) -> _Result | Outcome:
        if source is None:
            return Outcome.done()
        if source.key is None:
            return Outcome.failed(KeyUnavailable.code)
        try:
            return self._extract(job, source, source.key)
        except _Dropped:
            return Outcome.retry("lease_lost")
        except ArchiveError as error:
            return Outcome.retry(error.code)

    def _extract(self, job: ClaimedJob, source: _Source, key: Unlocked) -> _Result:
        reader = key.content_reader(source.content_id, self._store, source.object_key, source.store_version)
        try:
            file = self._extractor.hold(reader.read(), reader.size)
        except TooLarge:
            media_type = source.media_type or self._detected(reader, source.name)
            return _failed(_Result(source, job, media_type), Failure(Reason.TOO_LARGE))
        except Damaged:
            return _Result(source, job, source.media_type or "", reason=DAMAGED, state=TextState.FAILED)
        try:
            result = _Result(source, job, source.media_type or "")
            reading = _Reading(self._extractor, result, file, lambda: self._detected(reader, source.name))
            return self._parse(result, reading, key)
        finally:
            file.close()

    def _detected(self, reader: ContentReader, name: str) -> str:
        return self._detector.detect(b"".join(reader.read(0, _HEAD_BYTES)), name)

    def _parse(self, result: _Result, reading: "_Reading", key: Unlocked) -> _Result:
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
            result.slices = seal_pages(key, result.source.content_id, (each for each in pages if each.text))
        return result

    def _masked(self, number: int, text: str) -> Page:
        masked, numbers = mask(text)
        tokens = sorted({self._vault.token(kind.value, normal) for kind, normal in numbers})
        return page(number, masked, tokens)

    def _write(self, group: Sequence[_Result]) -> dict[UUID, Outcome]:
        """Write results; a large one's pages go before, in batches that nobody reads until the row says so."""
        ahead = {result.source.content_id for result in group if result.bytes > _WRITE_BYTES}
        whole = [r for r in group if r.source.content_id not in ahead or self._write_ahead(r)]
        with self._db.writing() as work:
            still = held_among(work.session, {result.job.id: result.job.lease for result in whole})
            held = [result for result in whole if result.job.id in still]
            self._outbox.add_many(work, JobKind.INDEX, sorted(_settle(work.session, held, ahead)))
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
            if not (first == 1 and again) and not self._result.job.still_held():  # it was taken just now
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


def _settle(session: Session, results: Sequence[_Result], ahead: Collection[UUID]) -> set[UUID]:
    """Make results valid whose contents still wait for them; return the records that changed."""
    waiting = {row.id for row in session.execute(_WAITING, {"ids": [each.source.content_id for each in results]})}
    results = [each for each in results if each.source.content_id in waiting]
    if not results:
        return set()
    rows = [
        {
            "whose": each.source.content_id,
            "text_state": each.state,
            "reason": each.reason,
            "pages": each.page_count,
            "media_type": each.media_type or each.source.media_type,
            "state": ContentState.QUARANTINED if each.quarantined else ContentState.STORED,
        }
        for each in results
    ]
    session.connection().execute(_SETTLED, rows)
    replace_pages(session, {each.source.content_id: each.slices for each in results}, there=ahead)
    records = {each.source.record_id for each in results}
    newer = update(Record).where(Record.id.in_(records)).values(version=Record.version + 1)
    session.execute(newer.execution_options(synchronize_session=False))
    _give_dates(session, {each.source.record_id: each.drawn_up for each in reversed(results) if each.drawn_up})
    return records


def _give_dates(session: Session, dates: Mapping[UUID, str]) -> None:
    """Propose dates for provisional records that have none."""
    undated = session.scalars(_UNDATED, {"ids": list(dates)}) if dates else ()
    found = {record: parse_civil(dates[record]) for record in undated}
    rows = [{"whose": key, "text": day.text, "first": day.first, "last": day.last} for key, day in found.items()]
    if rows:
        session.connection().execute(_DATED, rows)


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
