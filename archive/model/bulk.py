"""Edits and moves of many records at once: what is done, which records it is for, and what became of each."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class BulkState(StrEnum):
    """Where an edit stands."""

    PREPARED = "prepared"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowState(StrEnum):
    """What became of a record in an edit."""

    WAITING = "waiting"
    CHANGED = "changed"
    SAME = "same"  # it stood so already
    REFUSED = "refused"
    UNDONE = "undone"
    KEPT = "kept"  # not undone, because it stands otherwise by now


class BulkEdit(Base):
    """An edit of many records by one person. ``sealed`` is what is changed (JSON) under a key that goes with it."""

    __tablename__ = "bulk_edit"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[BulkState] = mapped_column(word(BulkState), default=BulkState.PREPARED)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


class BulkEditRow(Base):
    """A record of an edit, in order. ``sealed``: its values before and after (JSON) under the record's own key.

    ``reason`` is the code of the error for which it was refused or kept.
    """

    __tablename__ = "bulk_edit_row"
    __table_args__ = (Index("ix_bulk_edit_row_edit_id_state_at", "edit_id", "state", "at"),)

    edit_id: Mapped[UUID] = mapped_column(ForeignKey("bulk_edit.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    at: Mapped[int]
    state: Mapped[RowState] = mapped_column(word(RowState), default=RowState.WAITING)
    reason: Mapped[str | None] = mapped_column(String(64))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class MoveInto(StrEnum):
    """What records are moved into."""

    DOSSIER = "dossier"
    SHELF = "shelf"


class BulkMove(Base):
    """A move of many items into a dossier, or of many copies to a place on the shelves (``target_id``), by one person.

    Prepared, it is looked through alone: nothing is moved, and ``reason`` of a row says why it would be refused.
    ``level_before`` is the level of the dossier when it was begun.
    """

    __tablename__ = "bulk_move"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[MoveInto] = mapped_column(word(MoveInto))
    target_id: Mapped[UUID]
    level_before: Mapped[int | None]
    state: Mapped[BulkState] = mapped_column(word(BulkState), default=BulkState.RUNNING)
    created_at: Mapped[datetime] = mapped_column(index=True)


class BulkMoveRow(Base):
    """An item, or a copy, of a move, in order; ``from_id`` is the dossier or place where it lay when it was begun.

    ``volume`` is the volume that an item is to lie in there (None: that of what it is put behind), ``from_volume`` the
    one in which it lay, ``behind`` how many items that are not of the move lay before it there. ``reason`` as of
    ``BulkEditRow``.
    """

    __tablename__ = "bulk_move_row"
    __table_args__ = (Index("ix_bulk_move_row_move_id_state_at", "move_id", "state", "at"),)

    move_id: Mapped[UUID] = mapped_column(ForeignKey("bulk_move.id"), primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copy.id"), index=True)
    from_id: Mapped[UUID | None]
    volume: Mapped[int | None]
    from_volume: Mapped[int | None]
    behind: Mapped[int | None]
    state: Mapped[RowState] = mapped_column(word(RowState), default=RowState.WAITING)
    reason: Mapped[str | None] = mapped_column(String(64))
