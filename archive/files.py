"""Files of a record after they came in: what was put aside is kept as it is, what does not belong is taken off."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete

from archive.database import Database, Work
from archive.errors import ArchiveError, Fault, InvalidInput, WrongState
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.likeness import forget
from archive.log.writer import Log
from archive.model import Content, ContentState, File, JobKind, PageText, Record, ScannedPage, TextState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ObjectStore

MAX_REASON = 500


class FileService:
    """Decides on files. Every decision has a reason, which the log keeps."""

    def __init__(self, db: Database, guard: Guard, store: ObjectStore, log: Log, outbox: Outbox) -> None:
        self._db = db
        self._guard = guard
        self._store = store
        self._log = log
        self._outbox = outbox

    def accept(self, identity: Identity, content_id: UUID, reason: str) -> None:
        """Keep a file that was put aside as it is, sealed and without text: it no longer holds up its record.

        Raises:
            NotFound: there is no such file for this person.
            NotAllowed: an archivist decides this.
            InvalidInput: field ``reason``.
            WrongState: the file is not put aside.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            content, record, name = self._guard.require_content(work.session, identity, Act.ACCEPT, content_id)
            words = _checked(reason)
            if content.state is not ContentState.QUARANTINED:
                raise WrongState(state=content.state.value, act=Act.ACCEPT.value)
            content.state, content.text_state = ContentState.STORED, TextState.NO_TEXT
            body = {"name": name, "reason": words, "put_aside": content.reason, "content": str(content.id)}
            self._changed(work, identity, record, Act.ACCEPT.value, body)
            work.commit()

    def take_off(self, identity: Identity, content_id: UUID, reason: str) -> None:
        """Take a file off a provisional record; its bytes go. What was filed keeps its files.

        Raises:
            NotFound: there is no such file for this person.
            InvalidInput: field ``reason``.
            WrongState: the file is still coming in.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            content, record, name = self._guard.require_content(session, identity, Act.DESCRIBE, content_id)
            words = _checked(reason)
            if content.state is ContentState.RECEIVING:
                raise WrongState(state=content.state.value, act="file.take_off")
            for pages in (PageText, ScannedPage):
                session.execute(delete(pages).where(pages.content_id == content.id))
            forget(session, [content.id])
            session.execute(delete(Content).where(Content.id == content.id))
            session.execute(delete(File).where(File.id == content.file_id, File.content_id == content.id))
            body = {"name": name, "reason": words, "size": content.size, "sha256": content.plain_sha256}
            self._changed(work, identity, record, "file.take_off", body)
            work.after_commit(lambda: self._remove(content))
            work.commit()

    def _changed(self, work: Work, identity: Identity, record: Record, act: str, body: Mapping[str, object]) -> None:
        record.version += 1
        self._log.note(work.session, identity, act, record=record.id, body=body)
        self._outbox.add(work, JobKind.INDEX, record.id)

    def _remove(self, content: Content) -> None:
        if content.store_version:
            with suppress(ArchiveError):  # the sweep takes what is left
                self._store.remove(content.object_key, content.store_version)


def _checked(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise InvalidInput(Fault("reason", "required"))
    if len(words) > MAX_REASON:
        raise InvalidInput(Fault("reason", "too_long", {"limit": MAX_REASON, "length": len(words)}))
    return words
