"""The objects of attachments, and the place of all objects, for what copies, restores and moves those of a house."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from archive.database import Base
from archive.model import Attachment, HoldRecord

_FILE = Base.metadata.tables["content"]
_ATTACHED = Base.metadata.tables["attachment"]
_VERSION: Any = bindparam("version")
_PLACED = tuple(
    update(table).where(table.c.object_key == bindparam("whose")).values(store_version=_VERSION, locked_until=None)
    for table in (_FILE, _ATTACHED)
)


def attached() -> Any:
    """Return the query for key, cipher size, cipher hash and version of each, in the order of ``copying.Item``."""
    return (
        select(Attachment.object_key, Attachment.cipher_size, Attachment.cipher_sha256, Attachment.store_version)
        .where(Attachment.store_version.is_not(None))
        .order_by(Attachment.id)
    )


def place(session: Session, versions: Sequence[Mapping[str, str]]) -> None:
    """Tell the rows under which ``version`` another store holds the contents and attachments of a key (``whose``).

    What locked or held them in the store before says nothing of this one: jobs do both anew.
    """
    if versions:
        for each in _PLACED:
            session.connection().execute(each, versions)
    told_nothing(session)


def told_nothing(session: Session) -> None:
    """Note that the store was told of no hold."""
    session.execute(
        update(HoldRecord)
        .where(HoldRecord.on_store.is_(True))
        .values(on_store=False)
        .execution_options(synchronize_session=False)
    )
