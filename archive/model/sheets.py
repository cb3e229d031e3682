"""Spreadsheets that people bring in as records: kept sealed between the steps, for a week."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class SheetState(StrEnum):
    """Where a spreadsheet stands."""

    PREPARED = "prepared"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class Sheet(Base):
    """A spreadsheet on its way in. ``sealed`` are its cells under a key of its own, which goes with the row.

    ``columns`` says for each column of the chosen sheet what it is (a field's name, or nothing).
    """

    __tablename__ = "sheet"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    category_id: Mapped[UUID]
    state: Mapped[SheetState] = mapped_column(word(SheetState), default=SheetState.PREPARED)
    chosen: Mapped[int] = mapped_column(default=0)
    columns: Mapped[list[str]] = mapped_column(JSON, default=list)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


class SheetRow(Base):
    """A row of a spreadsheet that became a record: a run that broke off is gone on with, and doubles nothing."""

    __tablename__ = "sheet_row"

    sheet_id: Mapped[UUID] = mapped_column(ForeignKey("sheet.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)


class SheetColumns(Base):
    """What a person last said of the columns of sheets with these headers (``headers`` is a keyed token of them)."""

    __tablename__ = "sheet_columns"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    headers: Mapped[str] = mapped_column(String(64), primary_key=True)
    columns: Mapped[list[Any]] = mapped_column(JSON)
