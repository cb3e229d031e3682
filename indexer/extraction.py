"""The job that turns stored contents into sealed page texts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from typing import TypeVar
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.cataloguing import proposals
from archive.database import Database
from archive.errors import ArchiveError, Damaged, KeyUnavailable, TooLarge
from archive.files.rereading import AGAIN
from archive.identity import system
from archive.jobs.lease import held_among
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import Content, JobKind, TextState
from archive.ports import ContentReader, Detector, ObjectStore, Unlocked, Vault
from indexer.asking import ask_for_index
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.finders.paper import Chosen, Paper
from indexer.finders.propose import propose
from indexer.pagetext import Page, batches, masked_page, put_slices, seal_pages
from indexer.printed import may_be_printed
from indexer.reading import SLICE_PAGES, Dropped, Reading
from indexer.sandbox.client import Extractor
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.office import Office
from indexer.sandbox.room import LIGHT_BYTES
from indexer.scanner import Scanner
from indexer.settling import STANDING, Result, Source, failed, groups, read_by_ocr, settle, waits
from indexer.together import together

DAMAGED = "damaged"
"""Reason of a content whose stored bytes fail their check: no parser's fault."""

INFECTED = "infected"
"""Reason of a content in which a scanner found a virus; it is not parsed."""

CUT = "cut"
"""Reason of a content of whose text only the beginning was read."""
_WRITE_BYTES = 1_000_000
_HEAD_BYTES = 65_536
_Made = TypeVar("_Made")
_PRINTING = 45.0  # seconds; a whole batch of such documents ends before the deadline


@dataclass(frozen=True)
class _Held:
    """A file in memory that is to be read."""

    result: Result
    key: Unlocked
    reader: ContentReader
    file: MemoryFile


class ExtractContents:
    """Handler of extract jobs; the subject is a content. Idempotent: a content whose text is settled is left alone.

    What a file is to blame for is written into the content's row and ends the job; what it is not to blame for
    (no database, no store, no fork server) is tried again.

    Args:
        outbox: takes the index job that follows.
        extractor: the sandbox.
        detector: asked when a content has no media type yet.
        today: tells the day it is in the house; no paper that is read was drawn up later.
        ocr: whether scanned pages are handed on to OCR; without, it is only noted which they are.
        office: LibreOffice, asked for the pages of a document in which our own parser found no word.
        scanner: looks for viruses before anything is parsed; while it does not answer, files wait.
        log: where what it found is noted.
    """

    kind = JobKind.EXTRACT
    batch = 16
    deadline = 900.0
    max_attempts = 60  # what is tried again is no file's fault: store or virus scanner may be away for two days
    keep_done = True

    def __init__(
        self,
        db: Database,
        vault: Vault,
        store: ObjectStore,
        outbox: Outbox,
        extractor: Extractor,
        detector: Detector,
        today: Callable[[], date],
        *,
        ocr: bool = False,
        office: Office | None = None,
        scanner: Scanner | None = None,
        log: Log | None = None,
    ) -> None:
        self._db = db
        self._vault = vault
        self._store = store
        self._outbox = outbox
        self._extractor = extractor
        self._detector = detector
        self._today = today
        self._ocr = ocr
        self._office = office
        self._scanner = scanner
        self._log = log

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Extract a batch: parse side by side, write small results in one transaction."""
        sources = self._sources(jobs)
        asked = [(job, sources.get(job.subject_id)) for job in jobs]
        parts = [
            [asked[place] for place in places]
            for places in together([source for _, source in asked], self._extractor.parallel)
        ]
        if len(parts) == 1:
            made = self._try_some(parts[0])
        else:
            with ThreadPoolExecutor(self._extractor.parallel, thread_name_prefix="extract") as pool:
                made = list(chain.from_iterable(pool.map(self._try_some, parts)))
        jobs = [job for job, _ in chain.from_iterable(parts)]
        outcomes = {job.id: each for job, each in zip(jobs, made, strict=True) if isinstance(each, Outcome)}
        results = [each for each in made if isinstance(each, Result)]
        for group in groups(results, _WRITE_BYTES):
            outcomes |= self._write(group)
        return outcomes

    def _sources(self, jobs: Sequence[ClaimedJob]) -> dict[UUID | None, Source]:
        """Return the contents that wait for their text, or are to be read again, with their keys."""
        with self._db.reading() as session:
            rows = session.execute(STANDING, {"ids": [job.subject_id for job in jobs]}).all()
            keys = self._vault.unlock_many(session, {row.record_id for row in rows})
        again = {job.subject_id for job in jobs if AGAIN in job.payload}
        found: dict[UUID | None, Source] = {}
        for row in rows:
            if row.id in again or waits(row.state, row.text_state):
                known = None if row.id in again else row.media_type  # what a file is may be known better too
                found[row.id] = Source(
                    row.id, row.record_id, known, row.object_key, row.store_version or "", row.name,
                    keys.get(row.record_id), row.virus, row.cipher_size,
                    None if row.inside_id else (row.level_rank, row.group_id, row.created_by),
                )  # fmt: skip
        return found

    def _try_some(self, asked: Sequence[tuple[ClaimedJob, Source | None]]) -> list[Result | Outcome]:
        """Read files: several are small and of one circle, and are read with one fork as far as that may be."""
        with ExitStack() as files:
            held = [_spared(partial(self._taken, *each, files)) for each in asked]
            firsts = self._first_pages([each for each in held if isinstance(each, _Held)] if len(asked) > 1 else ())
            read = [
                _spared(partial(self._read, each, first=firsts.get(each.result.job.id)))
                if isinstance(each, _Held)
                else each
                for each in held
            ]
        return [_spared(partial(self._written_ahead, each)) if isinstance(each, Result) else each for each in read]

    def _first_pages(self, held: Sequence["_Held"]) -> Mapping[UUID, Extracted | None]:
        """Return the first pages of the files that one fork read, by job."""
        if len(held) < 2:
            return {}
        with suppress(ArchiveError, OSError):  # each is told, or read, when it is asked for by itself
            read = self._extractor.texts_held([each.file for each in held], SLICE_PAGES)
            return {each.result.job.id: first for each, first in zip(held, read, strict=True)}
        return {}

    def read_locked(self, job: ClaimedJob, source: Source, key: Unlocked, password: str) -> Result:
        """Read a locked file with its password, which nothing keeps; nothing is written.

        Raises:
            ArchiveError: store or sandbox do not answer.
        """
        with ExitStack() as files:
            held = self._held(job, source, key, files)
            return held if isinstance(held, Result) else self._read(held, password=password)

    def _taken(self, job: ClaimedJob, source: Source | None, files: ExitStack) -> "_Held | Result | Outcome":
        if source is None:
            return Outcome.done()
        if source.key is None:
            return Outcome.failed(KeyUnavailable.code)
        return self._held(job, source, source.key, files)

    def _held(self, job: ClaimedJob, source: Source, key: Unlocked, files: ExitStack) -> "_Held | Result":
        """Take a file into memory, for as long as ``files`` are held; of one that is not to be read return why."""
        reader = key.content_reader(
            source.content_id, self._store, source.object_key, source.store_version, source.cipher_size
        )
        files.enter_context(self._extractor.room(reader.size))
        if reader.size > LIGHT_BYTES and not job.still_held():  # it may have waited long for its turn
            raise Dropped
        try:
            file = self._extractor.hold(reader.read(), reader.size)
        except TooLarge:
            media_type = source.media_type or self._detected(reader, source.name)
            return failed(Result(source, job, media_type), Failure(Reason.TOO_LARGE))
        except Damaged:
            return Result(source, job, source.media_type or "", reason=DAMAGED, state=TextState.FAILED)
        files.callback(file.close)
        result = Result(source, job, source.media_type or "")
        if virus := self._virus(result, file):
            return self._infected(result, virus, reader)
        return _Held(result, key, reader, file)

    def _read(self, held: "_Held", *, first: Extracted | None = None, password: str = "") -> Result:
        """Read a held file, of which others may have read the ``first`` pages."""
        source, reader = held.result.source, held.reader
        detected = partial(self._detected, reader, source.name)
        reading = Reading(self._extractor, held.result, held.file, detected, password, first=first)
        result = self._parse(held.result, reading, held.key)
        if self._office and not password and may_be_printed(result):
            result = self._printed(self._office, result, reader, held.key)
        result.pronom = self._extractor.pronom_held(result.media_type, held.file)
        return result

    def _virus(self, result: Result, file: MemoryFile) -> str | None:
        """Return the virus in a file; one that was found before is there until a scan finds it no more."""
        verdict = self._scanner.scan(file) if self._scanner else None
        result.scanner_asked, result.scanned_with = verdict is not None, (verdict and verdict.scanned_with) or None
        return verdict.virus if verdict and verdict.scanned_with else result.source.virus

    def _infected(self, result: Result, virus: str, reader: ContentReader) -> Result:
        result.media_type = result.media_type or self._detected(reader, result.source.name)
        result.virus, result.reason = virus, INFECTED
        result.quarantined, result.state = True, TextState.FAILED
        return result

    def _detected(self, reader: ContentReader, name: str) -> str:
        return self._detector.detect(b"".join(reader.read(0, _HEAD_BYTES)), name)

    def _parse(self, result: Result, reading: Reading, key: Unlocked) -> Result:
        telling = Chosen()
        slices = seal_pages(key, result.source.content_id, self._masked(result, reading, telling))
        if reading.failure:
            return failed(result, reading.failure)
        result.page_count, result.scans = reading.page_count, reading.scans
        result.macros, result.inside, result.reason = reading.macros, reading.inside, CUT if reading.cut else None
        if telling.pages:
            result.state = TextState.TEXT
            result.findings = propose(
                Paper(
                    telling.pages, self._today(), result.source.name, result.media_type,
                    reading.title, reading.author, reading.created,
                )
            )  # fmt: skip
            result.proposals = proposals.seal(key, result.source.content_id, result.findings)
            result.slices = slices
        return result

    def _masked(self, result: Result, reading: Reading, telling: Chosen) -> Iterator[Page]:
        """Yield the pages that hold anything as they are to be kept: one after another, for a text may be long."""
        for number, text in reading.pages():
            page = masked_page(self._vault, number, text)
            telling.take(page)
            if number == 1 and reading.page_count > SLICE_PAGES:
                self._tell(result, reading.page_count)
            if page.text:
                yield page

    def _printed(self, office: Office, result: Result, reader: ContentReader, key: Unlocked) -> Result:
        """Read a document as LibreOffice prints it; what that does not help stays as it was."""
        pdf = office.pdf(result.media_type, reader.read(), wall=_PRINTING)
        if isinstance(pdf, Failure):
            return result
        file = self._extractor.hold([pdf], len(pdf))
        try:
            told = Result(result.source, result.job, result.media_type)
            read = self._parse(told, Reading(self._extractor, told, file, str, "", printed=True), key)
        finally:
            file.close()
        if read.state is not TextState.TEXT:
            return result
        return replace(
            read, scans=[], macros=result.macros, inside=result.inside, scanner_asked=result.scanner_asked,
            scanned_with=result.scanned_with,
        )  # fmt: skip

    def _tell(self, result: Result, page_count: int) -> None:
        """Say what a long document is while the rest of it is read: its pages can be looked at already."""
        waiting = (Content.id == result.source.content_id, Content.text_state == TextState.PENDING)
        with self._db.writing() as work:
            known = update(Content).where(*waiting).values(media_type=result.media_type, pages=page_count)
            work.session.execute(known.execution_options(synchronize_session=False))
            work.commit()

    def _write(self, group: Sequence[Result]) -> dict[UUID, Outcome]:
        """Make results valid."""
        ahead = {result.source.content_id for result in group if result.ahead}
        with self._db.writing() as work:
            still = held_among(work.session, {result.job.id: result.job.lease for result in group})
            late = read_by_ocr(work.session, sorted(ahead))  # read meanwhile: the next attempt joins both
            held = [each for each in group if each.job.id in still and each.source.content_id not in late]
            settled = settle(work.session, held, ahead)
            self._note_viruses(work.session, held)
            ask_for_index(work, self._outbox, settled.records)
            self._outbox.add_many(work, JobKind.UNPACK, sorted(settled.holding))
            self._outbox.add_many(work, JobKind.COMPARE, sorted(settled.texts))
            if self._ocr:
                self._outbox.add_many(work, JobKind.OCR, sorted(settled.scanned))
            failpoints.reach("extract.before_commit")
            work.commit()
        failpoints.reach("extract.done")
        done = {result.job.id for result in held}
        return {
            result.job.id: Outcome.done() if result.job.id in done else Outcome.retry("lease_lost") for result in group
        }

    def _note_viruses(self, session: Session, results: Sequence[Result]) -> None:
        bodies = [
            (who.record_id, {"name": who.name, "virus": each.virus, "content": str(who.content_id)})
            for each in results
            if each.virus and (who := each.source)
        ]
        if self._log and bodies:
            self._log.note_many(session, system("extract"), "file.infected", bodies)

    def _written_ahead(self, result: Result) -> Result:
        """Write a large result's pages, in batches that nobody reads until the row says so, and let go of them.

        Its file is closed by then: writing takes its time, and another large one waits for the turn.

        Raises:
            Dropped: the lease was lost on the way.
        """
        content_id = result.source.content_id
        if result.bytes <= _WRITE_BYTES:
            return result
        with self._db.reading() as session:
            if read_by_ocr(session, [content_id]):  # what OCR read is not to be written over
                return result
        for batch in batches(result.slices, _WRITE_BYTES):
            if not result.job.still_held():
                raise Dropped
            with self._db.writing() as work:
                put_slices(work.session, content_id, batch)
                work.commit()
        result.slices, result.ahead = [replace(each, sealed=b"") for each in result.slices], True
        return result


def _spared(act: Callable[[], _Made]) -> _Made | Outcome:
    """Return what an act does for a job, or what becomes of the job that it cannot be done for now."""
    try:
        return act()
    except Dropped:
        return Outcome.retry("lease_lost")
    except ArchiveError as error:
        return Outcome.retry(error.code)
