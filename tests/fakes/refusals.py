"""A log that only remembers."""

from typing import Any
from uuid import UUID, uuid4


class RememberingLog:
    """Remembers acts and refusals as (act, identity, record, body); writes nothing."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, Any, UUID | None, Any]] = []
        self.refused: list[tuple[str, Any, UUID | None, Any]] = []

    def note(
        self, _session: Any, identity: Any, act: str, *, record: UUID | None = None, body: Any = None, **_: Any
    ) -> UUID:
        self.acts.append((act, identity, record, body))
        return uuid4()

    def note_many(self, session: Any, identity: Any, act: str, items: Any) -> None:
        for record, body in items:
            self.note(session, identity, act, record=record, body=body)

    def note_apart(
        self, db: Any, identity: Any, act: str, *, record: UUID | None = None, body: Any = None, **_: Any
    ) -> None:
        with db.writing():  # as the real one: waits for the lock
            self.refused.append((act, identity, record, body))
