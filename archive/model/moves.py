"""Moving the house: what closes it to writers, and what each move did."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class Closed(StrEnum):
    """How a house is closed.

    ``read_only``: only the log and sessions go on. ``closing``: nothing is written, for the moment in which the last
    rows follow. ``moved``: the house has left this place. ``arriving``: it is not here yet.
    """

    READ_ONLY = "read_only"
    CLOSING = "closing"
    MOVED = "moved"
    ARRIVING = "arriving"


class Closure(Base):
    """Why a house is closed to writers; there is none where it is open. It belongs to the place, and is never copied.

    ``place`` is the address of the object store that a ``moved`` one is about; empty: all of this database. Where its
    move went to that very store, the move was taken back.
    """

    __tablename__ = "closure"

    id: Mapped[Key]
    state: Mapped[Closed] = mapped_column(word(Closed))
    place: Mapped[str] = mapped_column(String(500), default="")
    move_id: Mapped[UUID]
    since: Mapped[datetime]


class MoveRun(Base):
    """A move. ``whereto`` names the new place without secrets; ``facts`` are what the report says.

    A move without ``ended_at`` is at work, or was broken off and can be gone on with.
    """

    __tablename__ = "move_run"

    id: Mapped[Key]
    whereto: Mapped[str] = mapped_column(String(1000))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(100))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
