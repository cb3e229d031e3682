"""The templates of printed forms that a house has made its own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base


class FormVersion(Base):
    """One version of a form's template, in Typst; the highest ``version`` is printed. Insert-only.

    ``source`` None: from here on the shipped template is printed again.
    """

    __tablename__ = "form_version"

    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(200))
    kept_at: Mapped[datetime]
    kept_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
