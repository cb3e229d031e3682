"""The house: its fonds, levels, scheme, places and numbers."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Code, Key, Names, Version, word
from archive.model.shelves import Security, security_for
from archive.spelling import number_key


class House(Base):
    """The one installation. There is exactly one row."""

    __tablename__ = "house"

    id: Mapped[Key]
    names: Mapped[Names] = mapped_column(JSON)
    zone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    created_at: Mapped[datetime]
    operator_may_impersonate: Mapped[bool] = mapped_column(default=True)
    fold_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[Version]


class Fonds(Base):
    """全宗: the papers of one body. ``code`` stands first in every number."""

    __tablename__ = "fonds"

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)
    registration_mark: Mapped[str] = mapped_column(String(8), default="")
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("fonds.id"))
    version: Mapped[Version]


def _security_by_rank(row: DefaultExecutionContext) -> Security:
    given: dict[str, int] = row.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy gives no types
    return security_for(given["rank"])


class Level(Base):
    """密级: a secrecy level. A higher ``rank`` is more secret; 1 is the lowest. Stores and indices use the rank.

    ``shelved_in`` is how the places of its papers are secured at least. ``secrecy_months`` is how long its records are
    secret, unless otherwise set; a level without is open, and has no clock.
    """

    __tablename__ = "level"

    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)
    number_mark: Mapped[str] = mapped_column(String(2), unique=True)
    symbol: Mapped[str] = mapped_column(String(4))
    shelved_in: Mapped[Security] = mapped_column(word(Security), default=_security_by_rank)
    secrecy_months: Mapped[int | None]
    version: Mapped[Version]


class Distribution(Base):
    """Who a level is distributed to: a post, a department, both together, or (neither given) all staff."""

    __tablename__ = "distribution"

    id: Mapped[Key]
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("post.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))


class NeedToKnowGroup(Base):
    """A group of records that only named people and approved loans open. It counts in a sequence of its own."""

    __tablename__ = "need_to_know_group"

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    names: Mapped[Names] = mapped_column(JSON)
    number_mark: Mapped[str] = mapped_column(String(2), unique=True)


class NumberRule(Base):
    """A checked template by which numbers are made (see ``archive.numbering.rule``)."""

    __tablename__ = "number_rule"

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)
    template: Mapped[str] = mapped_column(String(400))
    rule_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[Version]


class Category(Base):
    """类目: a class of the scheme. In use it is closed, never deleted; every change makes a new version.

    ``fields`` are field definitions (see ``archive.scheme.fields``), ``required`` names of fields that a record
    must have before it is filed, ``documents`` the papers a dossier of this kind should hold.
    """

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("fonds_id", "code"),)

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"), index=True)
    code: Mapped[Code]
    names: Mapped[Names] = mapped_column(JSON)
    position: Mapped[int] = mapped_column(default=0)
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    term: Mapped[str] = mapped_column(String(16))
    importance: Mapped[int | None]
    number_rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("number_rule.id"))
    reference_rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("number_rule.id"))
    fields: Mapped[list[dict[str, Any]]]
    required: Mapped[list[str]]
    documents: Mapped[list[dict[str, Any]]]
    closed_on: Mapped[date | None]
    version: Mapped[Version]


class CategoryVersion(Base):
    """A category as it was at one version. Insert-only."""

    __tablename__ = "category_version"

    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    definition: Mapped[dict[str, Any]]


class PlaceKind(StrEnum):
    """The four steps of the property tree."""

    PROJECT = "project"
    BUILDING = "building"
    UNIT = "unit"
    ROOM = "room"


class Place(Base):
    """A node of the property tree. ``path`` joins the codes from the project down, each ended by ``/``."""

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("fonds_id", "path"), UniqueConstraint("parent_id", "code"))

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("place.id"))
    kind: Mapped[PlaceKind] = mapped_column(word(PlaceKind))
    code: Mapped[Code]
    path: Mapped[str] = mapped_column(String(200))
    names: Mapped[Names] = mapped_column(JSON)
    property_types: Mapped[list[str]]
    facts: Mapped[dict[str, Any]]
    version: Mapped[Version]


class Counter(Base):
    """The last serial given in one sequence. It only ever grows, so that no number comes twice."""

    __tablename__ = "counter"

    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"), primary_key=True)
    sequence: Mapped[str] = mapped_column(String(200), primary_key=True)
    last: Mapped[int]


def _folded(row: DefaultExecutionContext) -> str:
    given: dict[str, str] = row.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy gives no types
    return number_key(given["number"])


class IssuedNumber(Base):
    """Every number ever given in a fonds. A row outlives its record, so that no number is used again.

    ``folded`` is by which it is looked up (see ``archive.spelling``).
    """

    __tablename__ = "issued_number"
    __table_args__ = (
        Index("ix_issued_number_record_id", "record_id"),
        Index("ix_issued_number_folded", "folded"),
    )

    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"), primary_key=True)
    number: Mapped[str] = mapped_column(String(200), primary_key=True)
    folded: Mapped[str] = mapped_column(String(400), default=_folded)
    record_id: Mapped[UUID]
