"""What a person sent in lately, and what became of each file."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.database.newest import Place, newest_first
from archive.identity import Identity
from archive.model import Content, ContentState, File, Record, TextState

if TYPE_CHECKING:
    from web.services import Services


@dataclass(frozen=True)
class SentFile:
    """A file that a person sent, on a record they still may see."""

    content_id: UUID
    record_id: UUID
    title: str
    name: str
    state: ContentState
    text_state: TextState
    reason: str | None
    size: int | None
    at: datetime


def sent_files(services: "Services", identity: Identity, after: Place | None, limit: int) -> list[SentFile]:
    """Return the files a person sent, newest first, behind a place; only those of records that they may read now."""
    with services.db.reading() as session:
        visible = services.guard.visible(session, identity).subquery()
        sent = (
            select(Content, File.name, Record.title)
            .join(File, File.id == Content.file_id)
            .join(Record, Record.id == Content.record_id)
            .where(Content.created_by == identity.person_id, Record.id.in_(select(visible.c.id)))
        )
        rows = session.execute(newest_first(sent, Content.created_at, Content.id, after).limit(limit))
        return [
            SentFile(
                content.id, content.record_id, title, name, content.state, content.text_state, content.reason,
                content.size if content.size is not None else content.declared_size, content.created_at,
            )
            for content, name, title in rows
        ]  # fmt: skip
