"""Column shapes that several entities share."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import Enum, String
from sqlalchemy.orm import mapped_column

from archive.ids import new_id

Names = dict[str, str]
"""What a house names, in its three languages: ``{"zh_CN": …, "zh_TW": …, "en": …}``."""

Key = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Code = Annotated[str, mapped_column(String(64))]
Version = Annotated[int, mapped_column(default=1)]


def word(kind: type[StrEnum]) -> Enum:
    """Keep an enum as its word, so that the table reads plainly and a new member needs no migration."""
    return Enum(
        kind,
        native_enum=False,
        length=32,
        create_constraint=False,
        values_callable=lambda members: [m.value for m in members],
    )
