"""Files that belong to an act rather than to a record: supporting documents, photographs of a paper's condition."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word
from archive.model.fixity import Fixity


class AttachedTo(StrEnum):
    """What an attachment belongs to: ``subject_id`` is the id of such a one."""

    REQUEST = "request"  # for a loan: supporting documents
    LOAN = "loan"  # its paper as it went out, or came back
    REPORT = "report"  # of damage or loss
    USE = "use"  # by a reader from outside: the letter of introduction
    EXCERPT = "excerpt"  # pages of a record's file, made with parts blacked out
    TRANSFER = "transfer"  # its signed receipt


class Attachment(Base):
    """A file of an act. Its bytes are one object of the store, sealed under the key of ``owner_id``.

    ``owner_id`` is the record, so that it goes with the record, the log year of a request that names
    none, or the visit of a reader from outside.
    ``store_version`` None: it is coming in. Sizes are bytes. ``checked_at``, ``fixity`` and ``locked_until`` are as
    in ``Content``.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_about_subject_id", "about", "subject_id"),
        Index("ix_attachment_record_id", "record_id"),
    )

    id: Mapped[Key]
    about: Mapped[AttachedTo] = mapped_column(word(AttachedTo))
    subject_id: Mapped[UUID]
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(120))
    object_key: Mapped[str] = mapped_column(String(100), unique=True)
    store_version: Mapped[str | None] = mapped_column(String(100))
    size: Mapped[int]
    cipher_size: Mapped[int | None]
    plain_sha256: Mapped[str | None] = mapped_column(String(64))
    cipher_sha256: Mapped[str | None] = mapped_column(String(64))
    checked_at: Mapped[datetime | None]
    fixity: Mapped[Fixity | None] = mapped_column(word(Fixity))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
