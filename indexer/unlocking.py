"""Reading a file that was put aside as locked, with the password that a person gives for this one time."""

from uuid import UUID

from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Damaged, Fault, InvalidInput, WrongState
from archive.files.attempts import begin_attempt, succeeded
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob
from archive.log.writer import Log
from archive.model import Content, ContentState, JobKind, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from indexer.extract.answer import Reason
from indexer.extraction import CUT, DAMAGED, INFECTED, ExtractContents
from indexer.pagetext import replace_pages
from indexer.settling import Result, Source, give_dates, keep_proposals
from indexer.unpacking import UnpackContents

MAX_PASSWORD = 128

UNLOCK = "file.unlock"


class Unlocking:
    """Opens locked files. The password goes to the sandbox and nowhere else: no row, job, log or error has it."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        reader: ExtractContents,
        unpacker: UnpackContents,
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._reader = reader
        self._unpacker = unpacker

    def unlock(self, identity: Identity, content_id: UUID, password: str) -> None:
        """Read a locked file with its password: its text is kept sealed, its bytes stay locked as they came.

        Files inside it come in as files of the record.

        Raises:
            NotFound: there is no such file for this person.
            NotAllowed: an archivist does this.
            WrongState: the file does not wait for a password.
            InvalidInput: field ``password``: it is not right, or such a lock is not opened here; nothing has changed.
                Or a virus was found (``infected``); that is kept.
            LockedOut: there were too many attempts.
            Damaged, KeyUnavailable, Unavailable: the file cannot be had.
        """
        _check(password)
        person = identity.person_id or UUID(int=0)
        with self._guard.refusals(identity), self._db.writing() as work:
            content, record, name = self._asked(work.session, identity, content_id)
            begin_attempt(work.session, person, content.id, self._clock.now())
            key = self._vault.unlock(work.session, record.id)
            source = Source(
                content.id, record.id, content.media_type, content.object_key, content.store_version or "", name, key
            )
            work.commit()
        job = ClaimedJob(new_id(), content_id, {}, 1, new_id(), lambda: True)
        result = self._reader.read_locked(job, source, key, password)
        _judge(result)
        if result.virus:
            self._put_aside(identity, content_id, result)
            raise InvalidInput(Fault("password", "infected", {"virus": result.virus}))
        if result.inside:  # before the file counts as read: what breaks off here is gone on with by the same form
            self._unpacker.unpack_locked(identity, source, key, password)
        with self._guard.refusals(identity), self._db.writing() as work:
            content, record, name = self._asked(work.session, identity, content_id)
            self._settle(work.session, content, result)
            record.version += 1
            succeeded(work.session, person, content.id)
            self._log.note(
                work.session, identity, UNLOCK, record=record.id, body={"name": name, "content": str(content.id)}
            )
            self._outbox.add(work, JobKind.INDEX, record.id)
            self._outbox.add(work, JobKind.COMPARE, content.id)
            work.commit()

    def _asked(self, session: Session, identity: Identity, content_id: UUID) -> tuple[Content, Record, str]:
        content, record, name = self._guard.require_content(session, identity, Act.ACCEPT, content_id)
        if content.state is not ContentState.QUARANTINED or content.reason != Reason.ENCRYPTED:
            raise WrongState(state=content.state.value, act=UNLOCK)
        return content, record, name

    def _put_aside(self, identity: Identity, content_id: UUID, result: Result) -> None:
        """Keep that a virus was found, as where a file is read by a job."""
        with self._guard.refusals(identity), self._db.writing() as work:
            content, record, name = self._asked(work.session, identity, content_id)
            content.virus, content.reason, content.scanned_with = result.virus, INFECTED, result.scanned_with
            body = {"name": name, "virus": result.virus, "content": str(content.id)}
            self._log.note(work.session, identity, "file.infected", record=record.id, body=body)
            work.commit()

    def _settle(self, session: Session, content: Content, result: Result) -> None:
        """Keep what was read. The reason stays: it says that the bytes are locked."""
        content.state, content.text_state = ContentState.STORED, result.state
        content.text_version += 1
        content.pages, content.macros = result.page_count, result.macros
        content.scanned_with = result.scanned_with if result.scanner_asked else content.scanned_with
        replace_pages(session, {content.id: result.slices})
        session.flush()
        keep_proposals(session, [result])
        if result.drawn_up:
            give_dates(session, {content.record_id: result.drawn_up})


def _check(password: str) -> None:
    if not password:
        raise InvalidInput(Fault("password", "required"))
    if len(password) > MAX_PASSWORD:
        raise InvalidInput(Fault("password", "too_long", {"limit": MAX_PASSWORD, "length": len(password)}))


def _judge(result: Result) -> None:
    if result.reason == DAMAGED:
        raise Damaged(what="object")
    if result.reason not in {None, CUT} and not result.virus:
        wrong = result.reason == Reason.ENCRYPTED
        raise InvalidInput(Fault("password", "wrong_password" if wrong else "lock_not_opened"))
