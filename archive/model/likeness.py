"""What is known of contents whose texts are alike, and what was decided on records that look like one another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base


class Likeness(Base):
    """The signature of a content's text, sealed under its record's key (see ``indexer.likeness``)."""

    __tablename__ = "likeness"

    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class LikenessBand(Base):
    """A keyed part of a signature: contents that share a value may be alike. Without the ring it tells no text."""

    __tablename__ = "likeness_band"

    value: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True, index=True)


class AlikeText(Base):
    """Two contents of two records with nearly the same text: a row each way. ``percent`` 100 and ``same``: the same."""

    __tablename__ = "alike_text"

    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True, index=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    other_record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    percent: Mapped[int]
    same: Mapped[bool]


class AlikeRecord(Base):
    """Two records that may be the same and wait for a decision, the newer first (see ``archive.files.pairing``)."""

    __tablename__ = "alike_record"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)


class NotTheSame(Base):
    """Two records that someone looked at and found to be two: they are told as doubles no more. A row each way."""

    __tablename__ = "not_the_same"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime]
