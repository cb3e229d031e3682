"""The objects of attachments, for what copies, restores and moves all objects of a house."""

from typing import Any

from sqlalchemy import select

from archive.model import Attachment


def attached() -> Any:
    """Return the query for key, cipher size, cipher hash and version of each, in the order of ``copying.Item``."""
    return (
        select(Attachment.object_key, Attachment.cipher_size, Attachment.cipher_sha256, Attachment.store_version)
        .where(Attachment.store_version.is_not(None))
        .order_by(Attachment.id)
    )
