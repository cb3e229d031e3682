"""Excerpts: some pages of a record's file as pictures, with parts of them blacked out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key


class Excerpt(Base):
    """One excerpt. Its PDF is an attachment; ``sealed`` is what it is for, under the record's key.

    ``pages`` are numbers of the file's pages; ``masked`` how many parts of them are black.
    """

    __tablename__ = "excerpt"
    __table_args__ = (Index("ix_excerpt_record_id", "record_id"),)

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    content_id: Mapped[UUID]
    pages: Mapped[list[int]] = mapped_column(JSON)
    masked: Mapped[int]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
