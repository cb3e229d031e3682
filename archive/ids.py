"""Identifiers: UUID version 7, ordered by time for the database, never counted upward in public."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils import uuid7

__all__ = ["UUID", "new_id", "time_of"]


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562)."""
    return UUID(int=uuid7().int)


def time_of(key: UUID) -> datetime:
    """Return when an id was made, by the clock of its machine."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
