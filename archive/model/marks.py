"""Marked copies: to whom which pages went, under which number of the mark that they carry out of sight."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class MarkKind(StrEnum):
    """What was handed out under a mark."""

    SEEN = "seen"  # a page, on the screen
    PAGES = "pages"  # pages taken away as a PDF of pictures
    FILE = "file"  # a file taken away that has no pages to be drawn: it is named for its mark


class CopyMark(Base):
    """One mark: ``number`` is what the copy carries, ``first`` to ``last`` the pages that carry it (0: no pages).

    Copies taken away have a ``serial``: together they are the copy register 复制登记簿. ``compared_by`` held a copy
    against the original, which ``noted_by`` wrote down.
    """

    __tablename__ = "copy_mark"
    __table_args__ = (
        Index("ix_copy_mark_person_id_content_id_at", "person_id", "content_id", "at"),
        Index("ix_copy_mark_loan_id_at", "loan_id", "at"),
        Index("ix_copy_mark_record_id", "record_id"),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    kind: Mapped[MarkKind] = mapped_column(word(MarkKind))
    at: Mapped[datetime]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("loan.id"))
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    content_id: Mapped[UUID]
    first: Mapped[int]
    last: Mapped[int]
    serial: Mapped[int | None] = mapped_column(unique=True)
    compared_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    compared_at: Mapped[datetime | None]
    noted_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[Version]
