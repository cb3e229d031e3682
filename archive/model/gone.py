"""How a destruction is carried out: its steps, the bytes still to be removed, what its proof looks for and finds."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class GoneStep(StrEnum):
    """The steps of a destruction that runs, in order. Each may be broken off anywhere and is gone on with."""

    ROWS = "rows"  # rows and bytes of the items, batch by batch
    KEYS = "keys"  # survivors get other keys, then the old ones are destroyed
    DATABASE = "database"  # dead pages and logs of the database
    SEARCH = "search"  # what the search engine still keeps of entries that were taken out
    PROOF = "proof"
    DONE = "done"


class DestructionRun(Base):
    """Where a running destruction stands.

    ``partitions`` names those of the search index that held its items, ``job_id`` the job that has them forgotten.
    ``words_key`` is a key of the ring that ends with the proof; it seals the words that the proof looks for (None: it
    has ended). ``pack_at`` is when wrapped keys were backed up after the survivors had their new ones. ``facts`` says
    how steps ended.
    """

    __tablename__ = "destruction_run"

    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    step: Mapped[GoneStep] = mapped_column(word(GoneStep), default=GoneStep.ROWS)
    began_at: Mapped[datetime]
    partitions: Mapped[list[str]] = mapped_column(JSON, default=list)
    job_id: Mapped[UUID | None]
    words_key: Mapped[UUID | None]
    pack_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class DestructionObject(Base):
    """A content of a record that is gone, or an attachment of an act on it.

    Its rows are removed, its bytes are once ``removed_at`` is set.
    """

    __tablename__ = "destruction_object"
    __table_args__ = (Index("ix_destruction_object_destruction_id_removed_at", "destruction_id", "removed_at"),)

    content_id: Mapped[UUID] = mapped_column(primary_key=True)
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"))
    record_id: Mapped[UUID]
    object_key: Mapped[str] = mapped_column(String(200))
    store_version: Mapped[str | None] = mapped_column(String(100))
    upload: Mapped[str | None] = mapped_column(String(200))
    removed_at: Mapped[datetime | None]


class DestructionTrace(Base):
    """What the proof looks for, of one record that is gone; ``sealed`` are its rare words, until the proof is clean."""

    __tablename__ = "destruction_trace"

    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(String(200))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class DestructionProof(Base):
    """What one search for everything that is gone found. ``found``: how many places still hold something.

    ``facts``: what was looked at and how much of it, what was found and where, copies of the ring that did not confirm,
    and media on which something outlasts, with its end. It holds no word of a record.
    """

    __tablename__ = "destruction_proof"
    __table_args__ = (Index("ix_destruction_proof_destruction_id_made_at", "destruction_id", "made_at"),)

    id: Mapped[Key]
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"))
    made_at: Mapped[datetime]
    found: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)


class DestructionRehearsal(Base):
    """A rehearsal on a scratch archive, down to raw bytes; ``error`` is a code when something was found."""

    __tablename__ = "destruction_rehearsal"

    id: Mapped[Key]
    made_at: Mapped[datetime] = mapped_column(index=True)
    error: Mapped[str | None] = mapped_column(String(100))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
