"""Files of a record after they came in: what was put aside is kept as it is, what does not belong is taken off."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from archive.database import Database, Work
from archive.errors import ArchiveError, WrongState
from archive.files.arrivals import Replaced, Replacing
from archive.files.likeness import forget
from archive.files.pairing import meet
from archive.files.renditions import rendition_file
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Content, ContentState, File, JobKind, PageText, Proposal, Record, ScannedPage, TextState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Holds, ObjectStore
from archive.reasons import checked

MAX_REASON = 500

TAKE_OFF = "file.take_off"
TAKE_OFF_MEMBER = "file.take_off_member"

_BATCH = 500


class FileService:
    """Decides on files. Every decision has a reason, which the log keeps."""

    def __init__(
        self, db: Database, guard: Guard, store: ObjectStore, log: Log, outbox: Outbox, holds: Holds | None = None
    ) -> None:
        self._holds = holds
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
        """Take a file off a provisional record; its bytes go, and what lay inside it. What was filed keeps its files.

        Raises:
            NotFound: there is no such file for this person.
            InvalidInput: field ``reason``.
            WrongState: the file is still coming in.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            content, record, name = self._guard.require_content(session, identity, Act.DESCRIBE, content_id)
            words = _checked(reason)
            self._require_free(session, record.id, TAKE_OFF)
            if content.state is ContentState.RECEIVING:
                raise WrongState(state=content.state.value, act=TAKE_OFF)
            body = {"name": name, "reason": words, "size": content.size, "sha256": content.plain_sha256}
            inside = _inside(session, content.id)
            if inside:
                body |= {"inside": len(inside)}
            member = session.scalar(select(File.inside_id).where(File.id == content.file_id))
            gone = [content, *inside]
            self._drop(session, gone)
            session.flush()
            meet(session, [record.id])
            self._changed(work, identity, record, TAKE_OFF if member is None else TAKE_OFF_MEMBER, body)
            work.after_commit(lambda: self._remove(gone))
            work.commit()

    def giving_way(self, identity: Identity, content_id: UUID, reason: str) -> tuple[UUID, Replacing]:
        """Return a provisional record, and what takes this file off it in the transaction in which another comes in.

        Until then it stays, whatever becomes of the other. Raises as ``take_off``, both now and then; ``WrongState``
        for a file that was taken out of another.
        """
        words = _checked(reason)
        with self._guard.refusals(identity), self._db.reading() as session:
            record = self._replaceable(session, identity, content_id)[1]

        def give_way(work: Work) -> Replaced:
            session = work.session
            content, record, name = self._replaceable(session, identity, content_id)
            position = session.scalar(select(File.position).where(File.id == content.file_id)) or 0
            inside = _inside(session, content.id)
            gone = [content, *inside]
            self._drop(session, gone)
            self._outbox.add(work, JobKind.INDEX, record.id)
            work.after_commit(lambda: self._remove(gone))
            old = {"name": name, "size": content.size, "sha256": content.plain_sha256, "inside": len(inside)}
            body = {"reason": words} | {f"replaced_{key}": value for key, value in old.items()}
            return Replaced(position, body, record.id)

        return record.id, give_way

    def _replaceable(self, session: Session, identity: Identity, content_id: UUID) -> tuple[Content, Record, str]:
        content, record, name = self._guard.require_content(session, identity, Act.DESCRIBE, content_id)
        member = session.scalar(select(File.inside_id).where(File.id == content.file_id))
        if content.state is ContentState.RECEIVING or member is not None:
            raise WrongState(state=content.state.value, act="file.replace")
        self._require_free(session, record.id, "file.replace")
        return content, record, name

    def _require_free(self, session: Session, record_id: UUID, act: str) -> None:
        """Refuse to let bytes go that a hold keeps. Raises ``Held``."""
        if self._holds is not None:
            self._holds.require_free(session, record_id, act)

    def _drop(self, session: Session, contents: Sequence[Content]) -> None:
        for start in range(0, len(contents), _BATCH):
            some = contents[start : start + _BATCH]
            ids = [content.id for content in some]
            for pages in (PageText, ScannedPage, Proposal):
                session.execute(delete(pages).where(pages.content_id.in_(ids)))
            forget(session, ids)
            session.execute(delete(Content).where(Content.id.in_(ids)))
            files = [content.file_id for content in some]
            session.execute(delete(File).where(File.id.in_(files), File.content_id.in_(ids)))

    def _changed(self, work: Work, identity: Identity, record: Record, act: str, body: Mapping[str, object]) -> None:
        record.version += 1
        self._log.note(work.session, identity, act, record=record.id, body=body)
        self._outbox.add(work, JobKind.INDEX, record.id)

    def _remove(self, contents: Sequence[Content]) -> None:
        for content in contents:
            if content.store_version:
                with suppress(ArchiveError):  # the sweep takes what is left
                    self._store.remove(content.object_key, content.store_version)


def _inside(session: Session, content_id: UUID) -> list[Content]:
    """Return the contents that were taken out of a content, and out of those in turn, and renditions of all."""
    found: list[Content] = []
    level = [content_id]
    while level:
        inside = (
            select(Content)
            .join(File, File.content_id == Content.id)
            .where(or_(File.inside_id.in_(level), File.id.in_([rendition_file(each) for each in level])))
        )
        below = session.scalars(inside).all()
        found += below
        level = [content.id for content in below]
    return found


def _checked(reason: str) -> str:
    return checked(" ".join(reason.split()), MAX_REASON)
