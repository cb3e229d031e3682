"""Where papers lie: rooms, cabinets, shelves and boxes, the copies of records on them, and every move."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Names, Version, word


class Security(StrEnum):
    """How a place is secured, the weakest first: each keeps what the ones before it keep."""

    WORK_AREA = "work_area"
    CABINET = "cabinet"
    LOCKED_CABINET = "locked_cabinet"
    SECURE_ROOM = "secure_room"

    @property
    def strength(self) -> int:
        """1 for the weakest."""
        return list(Security).index(self) + 1

    @classmethod
    def of(cls, strength: int) -> "Security":
        """Return the one of a strength (1 to 4)."""
        return list(cls)[strength - 1]


def security_for(rank: int) -> Security:
    """Return what a level of this rank lies in, where the house says nothing else."""
    return Security.of(min(rank, len(Security)))


class ShelfKind(StrEnum):
    """库房, 柜, 层, 盒: each stands in the one before it."""

    ROOM = "room"
    CABINET = "cabinet"
    SHELF = "shelf"
    BOX = "box"


class ShelfPlace(Base):
    """A place where papers lie. ``path`` joins the codes from the room down by hyphens (``K1-02-3-05``).

    ``security`` is its own (None: that of what it stands in); ``strength`` is what holds for what lies in it, the
    strongest from the room down. A shelf's ``capacity`` counts boxes and loose dossiers, a box's the papers in it;
    ``taken`` counts what lies directly in it. Rooms and cabinets have none: they hold what is below them.
    """

    __tablename__ = "shelf_place"
    __table_args__ = (
        CheckConstraint("taken >= 0", name="counted"),
        CheckConstraint("capacity is null or taken <= capacity", name="fits"),
    )

    id: Mapped[Key]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"), index=True)
    kind: Mapped[ShelfKind] = mapped_column(word(ShelfKind))
    code: Mapped[str] = mapped_column(String(8))
    path: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[Names] = mapped_column(JSON, default=dict)
    security: Mapped[Security | None] = mapped_column(word(Security))
    strength: Mapped[int]
    capacity: Mapped[int | None]
    taken: Mapped[int] = mapped_column(default=0)
    custodian_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    version: Mapped[Version]


class Carrier(StrEnum):
    """What a copy is."""

    PAPER = "paper"
    PHOTOGRAPH = "photograph"
    DRAWING = "drawing"
    DISC = "disc"
    DRIVE = "drive"
    FILM = "film"
    TAPE = "tape"
    OBJECT = "object"


class CopyCondition(StrEnum):
    """How a copy is kept."""

    GOOD = "good"
    WORN = "worn"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


class Copy(Base):
    """A physical copy of a record: it lies at one place, or is with one person, or is not shelved yet.

    ``number`` counts the copies of a record, for ever. ``original_at`` says who holds the original when it is another.
    """

    __tablename__ = "copy"
    __table_args__ = (
        UniqueConstraint("record_id", "number"),
        Index("ix_copy_place_id", "place_id"),
        Index("ix_copy_holder_id", "holder_id"),
        CheckConstraint("place_id is null or holder_id is null", name="one_place"),
        CheckConstraint(
            "withdrawn_at is null or (place_id is null and holder_id is null)", name="withdrawn_lies_nowhere"
        ),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    number: Mapped[int]
    carrier: Mapped[Carrier] = mapped_column(word(Carrier), default=Carrier.PAPER)
    condition: Mapped[CopyCondition] = mapped_column(word(CopyCondition), default=CopyCondition.GOOD)
    pages: Mapped[int | None]
    original: Mapped[bool] = mapped_column(default=True)
    original_at: Mapped[str | None] = mapped_column(String(200))
    place_id: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[Version]


class CopyMove(Base):
    """A move: of a copy, or of a place (a box, a shelf, a cabinet) with all that lies in it. Insert-only."""

    __tablename__ = "copy_move"
    __table_args__ = (
        Index("ix_copy_move_copy_id_at", "copy_id", "at"),
        Index("ix_copy_move_moved_id_at", "moved_id", "at"),
        Index("ix_copy_move_from_id_at", "from_id", "at"),
        Index("ix_copy_move_to_id_at", "to_id", "at"),
    )

    id: Mapped[Key]
    at: Mapped[datetime]
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copy.id"))
    moved_id: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    from_id: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
