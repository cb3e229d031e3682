"""What the pages keep for one person: the columns of their lists, and what they typed and did not send yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key


class ListColumns(Base):
    """The columns that a person chose for a list (``name``: which), in the list's own order."""

    __tablename__ = "list_columns"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    columns: Mapped[list[str]] = mapped_column(JSON)


class FormDraft(Base):
    """What a person typed into a form and did not send yet: ``sealed`` under a key of its own, which goes with the row.

    ``form`` says which form: of a new record in a category, or of one record.
    """

    __tablename__ = "form_draft"
    __table_args__ = (UniqueConstraint("person_id", "form"),)

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    form: Mapped[str] = mapped_column(String(80))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(index=True)
