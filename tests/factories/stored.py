"""Contents that are stored as intake stores them."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from archive.ids import new_id
from archive.model import Content, ContentState, File, JobKind, Person, RecordState
from tests.factories.people import NOW
from tests.factories.records import a_record


def stored(
    house: SimpleNamespace,
    data: bytes,
    name: str = "a.txt",
    state: RecordState = RecordState.PROVISIONAL,
    by: Person | None = None,
    inside: UUID | None = None,
    **more: Any,
) -> UUID:
    """Keep a file as intake does, with its extract job; return the content's id.

    Args:
        house: where.
        data: the file.
        name: its name.
        state: of its record.
        by: who brings it in.
        inside: the content that it was taken out of.
        more: of its record.
    """
    content = new_id()
    with house.db.writing() as work:
        record = a_record(work.session, house.category, state=state, **more)
        house.vault.add_owner(work.session, record.id, due_year=None)
        sealer = house.vault.unlock(work.session, record.id).content_sealer(content)
        kept = house.store.put(f"aa/{content.hex}", [sealer.piece(data, last=True)])
        file = File(id=new_id(), record_id=record.id, name=name, inside_id=inside)
        work.session.add(file)
        work.session.flush()
        work.session.add(
            Content(
                id=content,
                file_id=file.id,
                record_id=record.id,
                state=ContentState.STORED,
                object_key=kept.key,
                store_version=kept.version,
                size=len(data),
                cipher_size=kept.size,
                created_at=NOW,
                created_by=by.id if by else None,
            )
        )
        house.outbox.add(work, JobKind.EXTRACT, content)
        work.commit()
    return content
