"""Files of records, their immutable contents, and the text that was found in them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word
from archive.model.fixity import Fixity


class FileRole(StrEnum):
    """What a file is to its record."""

    ORIGINAL = "original"
    ATTACHMENT = "attachment"
    RENDITION = "rendition"


class ContentState(StrEnum):
    """Where bytes stand. ``receiving`` rows older than a day are swept."""

    RECEIVING = "receiving"
    STORED = "stored"
    QUARANTINED = "quarantined"


class TextState(StrEnum):
    """What extraction made of a content."""

    PENDING = "pending"
    TEXT = "text"
    NO_TEXT = "no_text"
    FAILED = "failed"


class ScanState(StrEnum):
    """How far OCR has come with a scanned page. ``failed``: it was tried and gave no answer."""

    WAITING = "waiting"
    READ = "read"
    FAILED = "failed"


_HELD = "store_version IS NOT NULL AND state <> 'receiving'"
_ZIPPED = "lower(name) LIKE '%.zip'"


class File(Base):
    """A file of a record. A wrong scan is replaced by a new content before filing.

    A file that lay inside another remembers that one's content (``inside_id``), and what it was called there.
    """

    __tablename__ = "file"
    __table_args__ = (
        Index("ix_file_zipped", "content_id", sqlite_where=text(_ZIPPED), postgresql_where=text(_ZIPPED)),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    role: Mapped[FileRole] = mapped_column(word(FileRole), default=FileRole.ORIGINAL)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(Text)
    content_id: Mapped[UUID | None] = mapped_column(index=True)
    inside_id: Mapped[UUID | None] = mapped_column(index=True)
    inside_path: Mapped[str | None] = mapped_column(Text)
    version: Mapped[Version]


class Content(Base):
    """Immutable bytes: where they lie, two hashes, what they are.

    ``plain_sha256`` goes with the record; ``cipher_sha256`` lets store and backup be checked without keys. Sizes are
    bytes. ``reason`` is a code that says why a content is in quarantine or has no text. While a whole file comes in
    (no ``upload``), ``created_at`` moves on as a sign of life. ``pronom`` is the format in the PRONOM registry
    (``fmt/412``), or a word of our own for one that it lacks; ``macros`` says that an Office file holds programs.
    ``read_by`` is the number of how files were read when its text was settled (None: before that was kept).
    ``virus`` is what a scanner found in it, ``scanned_with`` which scanner with which signatures looked last.
    ``locked_until`` is until when the store keeps the object from removal (None: not at all, or not known yet).
    ``members`` counts the files that were taken out of it (None: not yet, or it holds none), ``members_lost`` those
    that could not be. ``checked_at`` is when the object was last read back and hashed (None: not since it came),
    ``fixity`` what that found.
    """

    __tablename__ = "content"
    __table_args__ = (
        Index("ix_content_created_by_created_at_id", "created_by", "created_at", "id"),
        Index("ix_content_held", "checked_at", "created_at", sqlite_where=text(_HELD), postgresql_where=text(_HELD)),
    )

    id: Mapped[Key]
    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), index=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    state: Mapped[ContentState] = mapped_column(word(ContentState), default=ContentState.RECEIVING, index=True)
    reason: Mapped[str | None] = mapped_column(String(64))
    object_key: Mapped[str] = mapped_column(String(100), unique=True)
    store_version: Mapped[str | None] = mapped_column(String(100))
    upload: Mapped[str | None] = mapped_column(String(100))
    locked_until: Mapped[datetime | None]
    declared_size: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int | None] = mapped_column(BigInteger)
    cipher_size: Mapped[int | None] = mapped_column(BigInteger)
    plain_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    cipher_sha256: Mapped[str | None] = mapped_column(String(64))
    media_type: Mapped[str | None] = mapped_column(String(120))
    pronom: Mapped[str | None] = mapped_column(String(24))
    macros: Mapped[bool] = mapped_column(default=False)
    virus: Mapped[str | None] = mapped_column(String(200))
    scanned_with: Mapped[str | None] = mapped_column(String(80))
    members: Mapped[int | None]
    members_lost: Mapped[int | None]
    text_state: Mapped[TextState] = mapped_column(word(TextState), default=TextState.PENDING)
    text_version: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int | None]
    read_by: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime | None]
    fixity: Mapped[Fixity | None] = mapped_column(word(Fixity))


class PageText(Base):
    """A run of pages of a content's text, sealed under the record's key (see ``indexer.pagetext``)."""

    __tablename__ = "page_text"

    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True)
    first_page: Mapped[int] = mapped_column(primary_key=True)
    page_count: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ScannedPage(Base):
    """A page whose words only OCR can find. ``confidence`` is in percent, once words were read on it.

    ``layout`` says where its words lie, sealed under the record's key (see ``indexer.layout``); ``attempts`` counts how
    often the reading ran out of time. ``engine`` is the name and version of what tried it last.
    """

    __tablename__ = "scanned_page"
    __table_args__ = (
        Index("ix_scanned_page_confidence_content_id_number", "confidence", "content_id", "number"),
        Index(
            "ix_scanned_page_failed",
            "content_id",
            "number",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
    )

    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[ScanState] = mapped_column(word(ScanState), default=ScanState.WAITING)
    confidence: Mapped[int | None]
    layout: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    attempts: Mapped[int] = mapped_column(default=0)
    engine: Mapped[str | None] = mapped_column(String(40))


class ProposalState(StrEnum):
    """What became of a proposal. ``dismissed``: a person looked at it and wants it no more."""

    WAITING = "waiting"
    TAKEN = "taken"
    DISMISSED = "dismissed"


class Proposal(Base):
    """A value that a content's words propose for a field of its record, sealed under the record's key."""

    __tablename__ = "proposal"
    __table_args__ = (Index("ix_proposal_state", "state"),)

    content_id: Mapped[UUID] = mapped_column(ForeignKey("content.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[ProposalState] = mapped_column(word(ProposalState), default=ProposalState.WAITING)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RereadState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class Reread(Base):
    """A run in which chosen files are read again, batch by batch, in the order of their contents' ids.

    ``chosen`` is the choice by name; ``asked_by`` None: whoever runs the machine. A batch goes from behind ``behind``
    through ``through``, places between files; ``batch`` files of it are not counted yet. ``changes`` counts, by what
    files were before and after, those that were read.
    """

    __tablename__ = "reread"

    id: Mapped[Key]
    chosen: Mapped[dict[str, str]] = mapped_column(JSON)
    state: Mapped[RereadState] = mapped_column(word(RereadState), default=RereadState.RUNNING)
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    batch: Mapped[int] = mapped_column(default=0)
    behind: Mapped[UUID | None]
    through: Mapped[UUID | None]
    changes: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
