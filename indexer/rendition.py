"""Searchable renditions: asking for one, and the job that makes it."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Damaged, Fault, InvalidInput, KeyUnavailable, TooLarge
from archive.files.pieces import cut, sealed
from archive.files.renditions import PAGE, RenditionState, rendition_content, rendition_file, renditions_of
from archive.identity import Identity, system
from archive.jobs.lease import held_among
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import Content, ContentState, File, FileRole, Job, JobKind, Record, ScannedPage, TextState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ContentSealer, ObjectStore, StoredObject, Unlocked, Vault
from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.layout import open_layout
from indexer.pagetext import page_at
from indexer.sandbox.client import MAX_FILE_BYTES, Extractor
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.tasks import ORIGINAL

if TYPE_CHECKING:
    from indexer.searchable import Sheet

MADE = "file.rendition"

_TOLD_EVERY = 5  # pages
_MOST_POINTS = 14_400.0
_MOST_PIXELS = 100_000


class Renditions:
    """Takes the wish for a rendition."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox

    def ask(self, identity: Identity, content_id: UUID) -> UUID:
        """Ask for the searchable PDF of a scan; return the id that its content will have.

        Where there is one, or one is being made, nothing changes.

        Raises:
            NotFound: there is no such file for this person.
            NotAllowed: an archivist does this.
            InvalidInput: field ``file``: it is no scan whose pages were all read.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            content, record, name = self._guard.require_content(
                session, identity, Act.RENDER, content_id, ContentState.STORED
            )
            stands = renditions_of(session, [content]).get(content.id)
            if stands is None:
                raise InvalidInput(Fault("file", "not_scanned", {"name": name[:200]}))
            if stands.state is RenditionState.POSSIBLE:
                body = {"name": name, "content": str(content.id)}
                self._log.note(session, identity, Act.RENDER.value, record=record.id, body=body)
                self._outbox.add(work, JobKind.RENDITION, content.id, requested_by=identity.person_id)
                work.commit()
        return rendition_content(content_id)


class MakeRenditions:
    """Handler of rendition jobs; the subject is the scanned content. Idempotent: the ids follow from it."""

    kind = JobKind.RENDITION
    batch = 1
    deadline = 1800.0
    max_attempts = 5
    keep_done = False

    def __init__(
        self,
        db: Database,
        vault: Vault,
        store: ObjectStore,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        extractor: Extractor,
    ) -> None:
        self._db = db
        self._vault = vault
        self._store = store
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._extractor = extractor

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Make each rendition."""
        return {job.id: self._try(job) for job in jobs}

    def _try(self, job: ClaimedJob) -> Outcome:
        with self._db.reading() as session:
            content = session.get(Content, job.subject_id)
            stands = renditions_of(session, [content]).get(content.id) if content else None
            if content is None or stands is None or stands.state is RenditionState.MADE:
                return Outcome.done()
            key = self._vault.unlock_many(session, {content.record_id}).get(content.record_id)
        if key is None:
            return Outcome.failed(KeyUnavailable.code)
        try:
            made = self._made(job, content, key)
            return (
                Outcome.failed(made.reason.value) if isinstance(made, Failure) else self._keep(job, content, key, made)
            )
        except (TooLarge, Damaged) as error:
            return Outcome.failed(error.code)
        except _Dropped:
            return Outcome.retry("lease_lost")
        except ArchiveError as error:
            return Outcome.retry(error.code)

    def _made(self, job: ClaimedJob, content: Content, key: Unlocked) -> bytes | Failure:
        reader = key.content_reader(content.id, self._store, content.object_key, content.store_version or "")
        file = self._extractor.hold(reader.read(), reader.size)
        from indexer.searchable import SearchablePdf  # noqa: PLC0415  (pypdf: every command would start later for it)

        pdf, size = SearchablePdf(), 0
        try:
            for number in range(1, (content.pages or 0) + 1):
                if not job.still_held():
                    raise _Dropped
                sheet = self._sheet(content.media_type or "", file, number)
                if isinstance(sheet, Failure):
                    return sheet
                if (size := size + len(sheet.stream)) > MAX_FILE_BYTES:
                    raise TooLarge(limit=MAX_FILE_BYTES, size=size)
                with self._db.reading() as session:
                    page = page_at(session, self._vault, content.record_id, content.id, number)
                    kept = ScannedPage.content_id == content.id, ScannedPage.number == number
                    layout = session.scalar(select(ScannedPage.layout).where(*kept))
                placed = open_layout(key, content.id, number, layout) if layout else None
                pdf.add(sheet, page.text if page else "", placed)
                if number % _TOLD_EVERY == 0:
                    self._tell(job, number)
        finally:
            file.close()
        return pdf.bytes(self._clock.now())

    def _sheet(self, media_type: str, file: MemoryFile, number: int) -> "Sheet | Failure":
        """Return a page's picture, in as many answers as it takes."""
        stream = b""
        while True:
            answer = self._extractor.done_held(ORIGINAL + media_type, file, number, at=len(stream))
            if isinstance(answer, Failure):
                return answer
            sheet, length = _sheet_told(answer), answer.get("length")
            if sheet is None or not sheet.stream or type(length) is not int or length > MAX_FILE_BYTES:
                return Failure(Reason.CRASHED, "no answer")
            stream += sheet.stream
            if len(stream) >= length:
                return replace(sheet, stream=stream)

    def _tell(self, job: ClaimedJob, number: int) -> None:
        """Say how far it has come."""
        with self._db.writing() as work:
            if held_among(work.session, {job.id: job.lease}):
                work.session.execute(update(Job).where(Job.id == job.id).values(payload={PAGE: number}))
                work.commit()

    def _keep(self, job: ClaimedJob, content: Content, key: Unlocked, data: bytes) -> Outcome:
        """Give the rendition to the record."""
        sealer = key.content_sealer(rendition_content(content.id))
        pieces = cut(iter([data]))
        put = self._store.put(secrets.token_hex(16), sealed(sealer, next(pieces), pieces))
        file = self._extractor.hold([data], len(data))
        try:
            pronom = self._extractor.pronom_held(kinds.PDF, file)
        finally:
            file.close()
        with self._db.writing() as work:
            session = work.session
            source = session.get(Content, content.id)
            standing = renditions_of(session, [source]).get(content.id) if source else None
            wanted = source is not None and standing is not None and standing.state is not RenditionState.MADE
            if wanted and held_among(session, {job.id: job.lease}):
                self._insert(session, content, put, sealer, pronom)
                self._outbox.add(work, JobKind.INDEX, content.record_id)
                work.commit()
                return Outcome.done()
        with suppress(ArchiveError):  # the sweep takes what is left
            self._store.remove(put.key, put.version)
        return Outcome.retry("lease_lost") if wanted else Outcome.done()

    def _insert(
        self, session: Session, source: Content, put: StoredObject, sealer: ContentSealer, pronom: str | None
    ) -> None:
        beside = session.get_one(File, source.file_id)
        place = session.scalar(select(func.count()).where(File.record_id == source.record_id)) or 0
        key, name = rendition_content(source.id), f"{beside.name.rpartition('.')[0] or beside.name}.pdfa.pdf"
        file = File(
            id=rendition_file(source.id), record_id=source.record_id, role=FileRole.RENDITION, position=place, name=name
        )
        session.add(file)
        session.flush()
        session.add(
            Content(
                id=key, file_id=file.id, record_id=source.record_id, state=ContentState.STORED,
                object_key=put.key, store_version=put.version, size=sealer.plain_size, cipher_size=put.size,
                plain_sha256=sealer.plain_sha256, cipher_sha256=sealer.cipher_sha256, media_type=kinds.PDF,
                pronom=pronom, text_state=TextState.NO_TEXT, pages=source.pages, created_at=self._clock.now(),
            )
        )  # fmt: skip
        session.flush()
        file.content_id = key
        newer = update(Record).where(Record.id == source.record_id).values(version=Record.version + 1)
        session.execute(newer.execution_options(synchronize_session=False))
        body = {"name": name, "content": str(key), "of": str(source.id), "size": sealer.plain_size}
        self._log.note(session, system("rendition"), MADE, record=source.record_id, body=body)


class _Dropped(Exception):
    """The lease is gone: another worker does this job."""


def _sheet_told(answer: Mapping[str, Any]) -> "Sheet | None":
    """Read what a fork told of a picture, trusting none of it."""
    page, matrix, size = (answer.get(name) for name in ("page", "matrix", "size"))
    if not (_numbers(page, 2, _MOST_POINTS) and _numbers(matrix, 6, _MOST_POINTS * 4)):
        return None
    if not _numbers(size, 2, _MOST_PIXELS) or min(*page, *size) <= 0:
        return None
    if answer.get("colors") not in {1, 3} or answer.get("bits") not in {1, 8} or type(answer.get("jpeg")) is not bool:
        return None
    try:
        part = base64.b64decode(answer.get("part") or "")
    except (TypeError, ValueError):
        return None
    shape = (page[0], page[1]), tuple(map(float, matrix)), answer["jpeg"], (int(size[0]), int(size[1]))
    from indexer.searchable import Sheet  # noqa: PLC0415  (as above)

    return Sheet(*shape, answer["colors"], answer["bits"], part)


def _numbers(found: Any, count: int, most: float) -> TypeGuard[list[float]]:
    if not isinstance(found, list) or len(found) != count:
        return False
    return all(type(each) in {int, float} and abs(each) <= most for each in found)
