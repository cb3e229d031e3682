"""One page of a file's text for a person who may read it, the words of a query marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from archive.errors import InvalidInput, NotFound
from archive.identity import Identity
from archive.model import Content, ContentState, File
from archive.policy.rules import Act
from indexer.pagetext import load_pages
from indexer.passages import marks_in
from indexer.queryparser import parse

if TYPE_CHECKING:
    from web.services import Services


@dataclass(frozen=True)
class TextPage:
    """A page of text cut into parts; each part says whether it is a hit."""

    content_id: UUID
    record_id: UUID
    title: str
    level_rank: int
    name: str
    number: int
    total: int
    parts: Sequence[tuple[str, bool]]


def page_of(services: "Services", identity: Identity, content_id: UUID, number: int, query: str) -> TextPage:
    """Return page ``number`` (from 1) of a content's text. The reading is logged.

    Raises:
        NotFound: there is no such page for this person.
    """
    with services.db.reading() as session:
        content = session.get(Content, content_id)
        # what is not there is asked for like what is hidden, so that both cost and log the same
        there = content is not None and content.state is ContentState.STORED
        record = services.guard.require(
            session, identity, Act.READ, content.record_id if content and there else content_id
        )
        if content is None or not there:
            raise NotFound
        name = session.get_one(File, content.file_id).name
        pages = load_pages(session, services.vault, record.id, content.id)
        found = next((page for page in pages if page.number >= number), None)
        if found is None and not 1 <= number <= (content.pages or 0):
            raise NotFound
        text = found.text if found is not None and found.number == number else ""  # a page without text is not kept
    services.readings.note_once(identity, "file.read", content.id, record=record.id, body={"name": name})
    return TextPage(
        content_id, record.id, record.title, record.level_rank, name, number, content.pages or number,
        split_marks(text, _marks(query, text)),
    )  # fmt: skip


def _marks(query: str, text: str) -> Sequence[tuple[int, int]]:
    if not query.strip():
        return ()
    try:
        return marks_in(parse(query), text, "text")
    except InvalidInput:
        return ()


def split_marks(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at its marks into (part, is a hit)."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in marks:
        if start > at:
            parts.append((text[at:start], False))
        parts.append((text[start:end], True))
        at = end
    if at < len(text):
        parts.append((text[at:], False))
    return parts
