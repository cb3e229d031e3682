"""The log: insert-only entries, sealed one after another into a chain, with signed checkpoints."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, LargeBinary, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import word


class LogClass(StrEnum):
    """The three classes the standard asks for."""

    SYSTEM = "system"
    USER = "user"
    RECORD = "record"


class LogResult(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class LogEntry(Base):
    """One act. The head is plain; the body is sealed under ``body_owner``'s key; ``hash`` covers both."""

    __tablename__ = "log_entry"
    __table_args__ = (Index("ix_log_entry_record_id_at", "record_id", "at"), Index("ix_log_entry_at", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    format: Mapped[int]
    at: Mapped[datetime]
    log_class: Mapped[LogClass] = mapped_column(word(LogClass))
    act: Mapped[str] = mapped_column(String(64))
    result: Mapped[LogResult] = mapped_column(word(LogResult))
    actor: Mapped[str] = mapped_column(String(100))
    person_id: Mapped[UUID | None]
    operator: Mapped[str | None] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    body_owner: Mapped[UUID | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogUnsealed(Base):
    """An entry that waits for its seal. The only part of the log that is deleted from."""

    __tablename__ = "log_unsealed"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)


class LogSeal(Base):
    """An entry's place in the chain: ``chain`` = SHA-256 over the one before and the entry's hash."""

    __tablename__ = "log_seal"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("log_entry.id"), unique=True)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogCheckpoint(Base):
    """A signed statement of how long the chain was and what its Merkle root was.

    ``frontier`` holds the roots of the full subtrees, largest first, so that the next checkpoint goes on from here;
    it is not signed, for ``root`` follows from it.
    """

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
    house_id: Mapped[UUID | None]
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(64))
    signature: Mapped[bytes] = mapped_column(LargeBinary)


INSERT_ONLY = ("log_entry", "log_seal", "log_checkpoint")


def insert_only_ddl(table: str, dialect: str) -> list[str]:
    """Return the statements that forbid changing or deleting rows of ``table``."""
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END"
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}"
            for verb in ("UPDATE", "DELETE")
        ]
    function = f"{table}_insert_only()"
    refuse = f"BEGIN RAISE EXCEPTION '{table} is insert-only'; END"
    verbs = "UPDATE OR DELETE OR TRUNCATE"
    return [
        f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ {refuse} $$",
        f"CREATE TRIGGER {table}_insert_only BEFORE {verbs} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}",
    ]


def _guard(table: Table) -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in insert_only_ddl(table.name, dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


for _name in INSERT_ONLY:
    _guard(Base.metadata.tables[_name])
