"""What ``fsck`` checks of attachments: that each has its object, whole, and that its key opens it."""

from collections.abc import Iterator
from hashlib import sha256

from sqlalchemy import select

from archive.errors import ArchiveError
from archive.model import Attachment
from runtime.wiring.parts import Parts


def attached_faults(parts: Parts, *, bytes_too: bool) -> Iterator[tuple[str, str]]:
    """Yield attachment and fault: ``missing``, ``size``, ``plain_hash``, or the code of why it does not open."""
    with parts.db.reading(long=True) as session:
        rows = session.scalars(
            select(Attachment).where(Attachment.store_version.is_not(None)).order_by(Attachment.id)
        ).all()
    for row in rows:
        if row.store_version is None:
            continue
        info = parts.store.stat(row.object_key, row.store_version)
        if info is None or info.size != row.cipher_size:
            yield str(row.id), "missing" if info is None else "size"
        elif bytes_too and (fault := _unopened(parts, row, row.store_version)):
            yield str(row.id), fault


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
