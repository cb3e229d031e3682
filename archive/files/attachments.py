"""Attachments: files that belong to an act. Who sees one, and who may add one, is what each kind of subject says.

Everything is checked before it is taken: how many, how large, what each really is, and whether a scanner finds a virus.
The order is that of the intake: a row without a version, then the object, then the version with its entry of the log. A
crash in between leaves a row that the sweep takes away, with the object that it names.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.failpoints import reach
from archive.files.pieces import cut, sealed
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.model import AttachedTo, Attachment, JobKind
from archive.ports import Detector, ObjectStore, Vault

MOST = 6
"""Files of one subject."""

MOST_BYTES = 5 * 1024 * 1024
"""Bytes of one file."""

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
TAKEN = PICTURES | {
    "application/pdf", "image/tiff", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/ofd", "text/plain",
}  # fmt: skip
"""What may be attached, by what the bytes are."""


@dataclass(frozen=True)
class Sent:
    """A file as it was sent."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Owner:
    """Whose key seals an attachment, and the record that it goes with (None: of none)."""

    owner_id: UUID
    record_id: UUID | None


class Subject(Protocol):
    """What attachments belong to: it knows whom it concerns."""

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose they are, to someone who sees them all; ``adding``: who may add one.

        Raises ``NotFound``, ``NotAllowed``, ``Ended``.
        """
        ...


@dataclass(frozen=True)
class Opened:
    """An attachment with its bytes."""

    row: Attachment
    data: bytes


class Attachments:
    """Takes attachments in, lists them and opens them."""

    def __init__(
        self, db: Database, vault: Vault, store: ObjectStore, log: Log, readings: Readings, clock: Clock,
        detector: Detector, virus: Callable[[bytes], str | None], subjects: Mapping[AttachedTo, Subject],
        outbox: Outbox,
    ) -> None:  # fmt: skip
        self._db = db
        self._vault = vault
        self._store = store
        self._log = log
        self._readings = readings
        self._clock = clock
        self._detector = detector
        self._virus = virus
        self._subjects = subjects
        self._outbox = outbox

    def check(self, files: Sequence[Sent], pictures: bool = False) -> Sequence[tuple[Sent, str]]:
        """Return files with what each is; ``pictures``: nothing else is taken. Nothing is kept yet.

        Raises:
            InvalidInput: field ``files``, once for each that is at fault.
            Unavailable: the scanner does not answer.
        """
        if len(files) > MOST:
            raise InvalidInput(Fault("files", "too_many", {"limit": MOST}))
        faults, kept = [], []
        for each in files:
            code, kind = self._judge(each, PICTURES if pictures else TAKEN)
            if code:
                faults.append(Fault("files", code, {"name": each.name[:200], "limit": MOST_BYTES}))
            kept.append((each, kind))
        if faults:
            raise InvalidInput(*faults)
        return kept

    def add(
        self, identity: Identity, about: AttachedTo, subject_id: UUID, files: Sequence[tuple[Sent, str]]
    ) -> Sequence[UUID]:
        """Keep files that ``check`` gave, and return their ids.

        Raises:
            NotFound, NotAllowed, Ended: this person may add nothing there.
            InvalidInput: field ``files``: there are as many as there may be.
            StorageFull, Unavailable: the store takes none; nothing is left of the one that failed.
        """
        if not files:
            return []
        owner = self._subjects[about].owner(identity, subject_id, adding=True)
        return [self._put(identity, about, subject_id, owner, sent, kind) for sent, kind in files]

    def of(self, identity: Identity, about: AttachedTo, subject_id: UUID) -> Sequence[Attachment]:
        """Return what is attached, the first first, to someone who sees it. Raises as ``Subject.owner``."""
        self._subjects[about].owner(identity, subject_id, adding=False)
        with self._db.reading() as session:
            return session.scalars(_whole(about, subject_id)).all()

    def seen(self, identity: Identity, about: AttachedTo, subject_id: UUID) -> Sequence[Attachment]:
        """Return what is attached, or nothing where this person does not see it."""
        with self._db.reading() as session:
            rows = session.scalars(_whole(about, subject_id)).all()
        try:
            return self.of(identity, about, subject_id) if rows else ()
        except (NotFound, NotAllowed):
            return [each for each in rows if each.created_by == identity.person_id]

    def read(self, identity: Identity, attachment_id: UUID) -> Opened:
        """Open an attachment, to whoever sees what it belongs to or added it. Logged once in half an hour.

        Raises ``NotFound``; ``KeyUnavailable``, ``Damaged``, ``Unreadable``.
        """
        with self._db.reading() as session:
            row = session.get(Attachment, attachment_id)
        if row is None or row.store_version is None:
            raise NotFound
        if row.created_by != identity.person_id or row.about is AttachedTo.EXCERPT:  # what it shows is the record's
            self._subjects[row.about].owner(identity, row.subject_id, adding=False)
        with self._db.reading() as session:
            key = self._vault.unlock(session, row.owner_id)
        data = b"".join(key.content_reader(row.id, self._store, row.object_key, row.store_version).read())
        self._readings.note_once(
            identity, "attachment.read", row.id, record=row.record_id, body={"attachment": str(row.id)}
        )
        return Opened(row, data)

    def _judge(self, sent: Sent, taken: frozenset[str]) -> tuple[str, str]:
        """Return what is wrong with a file ("": nothing), and what it is."""
        if not sent.data:
            return "empty_file", ""
        if len(sent.data) > MOST_BYTES:
            return "file_too_large", ""
        kind = self._detector.detect(sent.data[:65_536], sent.name).partition(";")[0]
        if kind not in taken:
            return "not_attached", kind
        return ("virus" if self._virus(sent.data) else ""), kind

    def _put(
        self, identity: Identity, about: AttachedTo, subject_id: UUID, owner: Owner, sent: Sent, kind: str
    ) -> UUID:
        row = Attachment(
            id=new_id(), about=about, subject_id=subject_id, record_id=owner.record_id, owner_id=owner.owner_id,
            name=(sent.name.replace("\\", "/").rpartition("/")[2].strip() or "file")[:200], media_type=kind,
            object_key=f"attached/{secrets.token_hex(16)}", size=len(sent.data), created_at=self._clock.now(),
            created_by=identity.person_id,
        )  # fmt: skip
        with self._db.writing() as work:
            if len(work.session.scalars(_whole(about, subject_id)).all()) >= MOST:
                raise InvalidInput(Fault("files", "too_many", {"limit": MOST}))
            work.session.add(row)
            work.session.flush()
            key = self._vault.unlock(work.session, owner.owner_id)
            work.commit()
        reach("attachment.announced")
        try:
            sealer, pieces = key.content_sealer(row.id), cut([sent.data])
            put = self._store.put(row.object_key, sealed(sealer, next(pieces), pieces))
        except BaseException:
            with self._db.writing() as work:
                work.session.execute(delete(Attachment).where(Attachment.id == row.id))
                work.commit()
            raise
        reach("attachment.put")
        with self._db.writing() as work:
            kept = work.session.get(Attachment, row.id)
            if kept is None:  # its record went meanwhile; the sweep takes the object
                raise NotFound
            kept.store_version, kept.cipher_size = put.version, put.size
            kept.plain_sha256, kept.cipher_sha256 = sealer.plain_sha256, sealer.cipher_sha256
            work.session.flush()
            body = {"attachment": str(row.id), "about": about.value, "name": row.name, "sha256": sealer.plain_sha256}
            self._log.note(work.session, identity, "attachment.add", record=owner.record_id, body=body)
            if owner.record_id is not None:  # what hangs on no record is locked when all are looked through
                self._outbox.add(work, JobKind.LOCK, owner.record_id)
            work.commit()
        return row.id


def forget_attachments(session: Session, record_ids: Sequence[UUID]) -> None:
    """Remove the rows of records' attachments. Their objects are left to a destruction, or to the sweeper."""
    session.execute(delete(Attachment).where(Attachment.record_id.in_(record_ids)))


def _whole(about: AttachedTo, subject_id: UUID) -> Select[Attachment]:
    return (
        select(Attachment)
        .where(Attachment.about == about, Attachment.subject_id == subject_id, Attachment.store_version.is_not(None))
        .order_by(Attachment.id)
    )
