"""Wrapped keys. What opens them is in the ring, apart from the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key


class Generation(Base):
    """A group of owner keys that fall due in the same year (None: permanent, or not due by year).

    ``open`` generations take new owners. The generation's own key is in the ring under this id.
    """

    __tablename__ = "generation"

    id: Mapped[Key]
    due_year: Mapped[int | None]
    open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class OwnerKey(Base):
    """The key of one owner (record, subject or log year), wrapped by its generation's key."""

    __tablename__ = "owner_key"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generation.id"), index=True)
    log_year: Mapped[int | None] = mapped_column(unique=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class RingCopy(Base):
    """A registered copy of the ring, and the last generation destruction it has confirmed."""

    __tablename__ = "ring_copy"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    location: Mapped[str] = mapped_column(String(500))
    confirmed_at: Mapped[datetime | None]
