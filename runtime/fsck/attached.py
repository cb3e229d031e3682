"""What ``fsck`` checks of attachments: that each has its object, whole, and that its key opens it."""

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from archive.database import Database
from archive.errors import ArchiveError
from archive.model import Attachment
from runtime.wiring.parts import Parts

_PAGE = 1_000


def attached_faults(parts: Parts, *, bytes_too: bool) -> Iterator[tuple[str, str]]:
    """Yield attachment and fault: ``missing``, ``size``, ``plain_hash``, or the code of why it does not open."""
    for row in _rows(parts.db):
        if row.store_version is None:
            continue
        info = parts.store.stat(row.object_key, row.store_version)
        if info is None or info.size != row.cipher_size:
            yield str(row.id), "missing" if info is None else "size"
        elif bytes_too and (fault := _unopened(parts, row, row.store_version)):
            yield str(row.id), fault


def _rows(db: Database) -> Iterator[Attachment]:
    """Read the rows by pages, each in a short snapshot."""
    query = select(Attachment).where(Attachment.store_version.is_not(None)).order_by(Attachment.id).limit(_PAGE)
    last: UUID | None = None
    while True:
        with db.reading() as session:
            rows = session.scalars(query if last is None else query.where(Attachment.id > last)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _unopened(parts: Parts, row: Attachment, version: str) -> str | None:
    digest = sha256()
    try:
        with parts.db.reading() as session:
            key = parts.vault.unlock(session, row.owner_id)
        for chunk in key.content_reader(row.id, parts.store, row.object_key, version).read():
            digest.update(chunk)
    except ArchiveError as error:
        return error.code
    return None if digest.hexdigest() == row.plain_sha256 else "plain_hash"
