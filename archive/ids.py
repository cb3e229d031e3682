"""Identifiers: UUID version 7, ordered by time for the database, never counted upward in public."""

from uuid import UUID

from uuid_utils import uuid7

__all__ = ["UUID", "new_id"]


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562)."""
    return UUID(int=uuid7().int)
