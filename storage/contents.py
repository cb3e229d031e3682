"""The contents of an archive as what is copied, what must be safe first."""

from collections.abc import Iterator

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from archive.model import Content, ContentState, Record
from archive.terms import PERMANENT
from storage.attached import attached
from storage.items import Item

_ROWS = 1_000

VITAL_FIRST = (
    case((Record.vital_review.is_not(None), 0), (Record.term == PERMANENT, 1), else_=2),
    Record.level_rank.desc(),
)
"""Order in which contents are saved and brought back: what is vital, then what is kept for good; each by secrecy."""


def items_of(session: Session) -> Iterator[Item]:
    """Yield the contents of an archive, what must be safe first; those that are on their way in are left out."""
    query = (
        select(Content.object_key, Content.cipher_size, Content.cipher_sha256, Content.store_version)
        .join(Record, Record.id == Content.record_id)
        .where(Content.state != ContentState.RECEIVING, Content.store_version.is_not(None))
    )
    query = query.order_by(*VITAL_FIRST, Content.id)
    for key, size, sha256, version in session.execute(query, execution_options={"yield_per": _ROWS}):
        yield Item(key, size or 0, sha256 or "", version or "")
    yield from (Item(*row) for row in session.execute(attached(), execution_options={"yield_per": _ROWS}))
