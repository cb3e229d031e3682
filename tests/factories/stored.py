"""Contents that are stored as intake stores them."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from archive.ids import new_id
from archive.model import Content, ContentState, File, JobKind, RecordState
from tests.factories.people import NOW
from tests.factories.records import a_record


def stored(
    house: SimpleNamespace,
    data: bytes,
    name: str = "a.txt",
    state: RecordState = RecordState.PROVISIONAL,
    **more: Any,
) -> UUID:
    """Keep a file as intake does, with its extract job; return the content's id. ``more`` is told of its record."""
    content = new_id()
    with house.db.writing() as work:
        record = a_record(work.session, house.category, state=state, **more)
        house.vault.add_owner(work.session, record.id, due_year=None)
        sealer = house.vault.unlock(work.session, record.id).content_sealer(content)
        kept = house.store.put(f"aa/{content.hex}", [sealer.piece(data, last=True)])
        file = File(id=new_id(), record_id=record.id, name=name)
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
            )
        )
        house.outbox.add(work, JobKind.EXTRACT, content)
        work.commit()
    return content
