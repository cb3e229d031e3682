"""Records, the subjects they hang on, and who is named on them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Code, Key, Version, word


class RecordKind(StrEnum):
    """案卷 or 件."""

    DOSSIER = "dossier"
    ITEM = "item"


class RecordState(StrEnum):
    """Where a record stands. Filed 登记 records are fixed."""

    PROVISIONAL = "provisional"
    FILED = "filed"
    BINNED = "binned"
    DESTROYED = "destroyed"


class Medium(StrEnum):
    """What carries the record."""

    PAPER = "paper"
    ELECTRONIC = "electronic"
    BOTH = "both"


_FILED_ON_PAPER = "state = 'filed' AND medium <> 'electronic'"


class Record(Base):
    """A dossier or an item: one description, one level, one number.

    ``drawn_up`` is a civil date as far as it is known (``2024``, ``2024-03``, ``2024-03-05``); ``drawn_from`` and
    ``drawn_to`` are the days it may mean. ``place_path`` repeats the place's path, for filters. Typed fields of
    persons, phones and identity numbers are in ``sealed_fields`` (JSON under the record's own key).
    ``position`` is the place of an item among those of its dossier (1 to n, without gap), ``volume`` the physical part
    of the dossier that it lies in (from 1, never falling; None: the dossier is not divided); None outside of one.
    ``title_key`` and ``document_key`` are title and document number as ``spelling.number_key`` folds them.
    ``indexed_in`` names every search partition that has held the record. ``vital_review`` is set on vital records: the
    day on which that is looked at again. ``uses``: how many lines the use register has of it (``archive.uses``).
    """

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_fonds_id_state_created_at", "fonds_id", "state", "created_at"),
        Index("ix_record_state_created_at_id", "state", "created_at", "id"),
        Index("ix_record_id_level_rank", "id", "level_rank"),
        Index(
            "ix_record_filed_on_paper",
            "created_at",
            "id",
            sqlite_where=text(_FILED_ON_PAPER),
            postgresql_where=text(_FILED_ON_PAPER),
        ),
        Index("ix_record_category_id", "category_id"),
        Index("ix_record_place_path", "place_path"),
        Index("ix_record_dossier_id_position", "dossier_id", "position"),
        Index(
            "ix_record_dossiers",
            "fonds_id",
            "created_at",
            sqlite_where=text("kind = 'dossier'"),
            postgresql_where=text("kind = 'dossier'"),
        ),
        Index(
            "ix_record_level_rank_in_groups",
            "level_rank",
            sqlite_where=text("group_id IS NOT NULL"),
            postgresql_where=text("group_id IS NOT NULL"),
        ),
        Index("ix_record_document_key", "document_key"),
        Index("ix_record_fonds_id_title_key_drawn_up", "fonds_id", "title_key", "drawn_up"),
        Index(
            "ix_record_vital_review_id",
            "vital_review",
            "id",
            sqlite_where=text("vital_review IS NOT NULL"),
            postgresql_where=text("vital_review IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    kind: Mapped[RecordKind] = mapped_column(word(RecordKind), default=RecordKind.ITEM)
    dossier_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    position: Mapped[int | None]
    volume: Mapped[int | None]
    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"))
    category_version: Mapped[int]
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("need_to_know_group.id"))
    state: Mapped[RecordState] = mapped_column(word(RecordState), default=RecordState.PROVISIONAL)
    title: Mapped[str] = mapped_column(Text)
    title_key: Mapped[str | None] = mapped_column(String(200))
    document_key: Mapped[str | None] = mapped_column(String(100))
    responsible: Mapped[str | None] = mapped_column(Text)
    drawn_up: Mapped[str | None] = mapped_column(String(10))
    drawn_from: Mapped[date | None]
    drawn_to: Mapped[date | None]
    drawn_up_proposed: Mapped[bool] = mapped_column(default=False)
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    place_id: Mapped[UUID | None] = mapped_column(ForeignKey("place.id"))
    place_path: Mapped[str | None] = mapped_column(String(200))
    term: Mapped[str] = mapped_column(String(16))
    pages: Mapped[int | None]
    medium: Mapped[Medium] = mapped_column(word(Medium), default=Medium.ELECTRONIC)
    material: Mapped[str] = mapped_column(String(32), default="document")
    keywords: Mapped[list[str]] = mapped_column(JSON, default=list)
    importance: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    sealed_fields: Mapped[bytes | None] = mapped_column(LargeBinary)
    notes: Mapped[str | None] = mapped_column(Text)
    secrecy_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    registration_number: Mapped[str | None] = mapped_column(String(100))
    archive_number: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    filed_at: Mapped[datetime | None]
    binned_at: Mapped[datetime | None]
    vital_review: Mapped[date | None]
    indexed_in: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[Version]


class RecordPerson(Base):
    """Someone named on a record: they may read it when cleared for its level."""

    __tablename__ = "record_person"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class RelationKind(StrEnum):
    """How one record belongs to another, from the first to the second."""

    REPLACES = "replaces"
    REPLIES_TO = "replies_to"
    ATTACHMENT_OF = "attachment_of"
    DERIVED_FROM = "derived_from"  # at a lower level
    SAME_MATTER = "same_matter"  # the same from both ends


class RecordRelation(Base):
    """One record belongs to another. A row stands for both ends."""

    __tablename__ = "record_relation"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    kind: Mapped[RelationKind] = mapped_column(word(RelationKind), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]


class ImportEntry(Base):
    """A file of an import that has not ended: which record it came in by, so that a broken run is gone on with.

    ``run`` stands for what was asked for, ``stamp`` for the file as it was. The rows go when the run ends.
    """

    __tablename__ = "import_entry"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    run: Mapped[str] = mapped_column(String(64), index=True)
    path: Mapped[str] = mapped_column(Text)
    stamp: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class ReadingRight(Base):
    """A right to read one record until a moment, from an approved loan or disclosure.

    ``copying``: its files may be taken away as well as looked at. ``appraisal_id``: it is for judging it there, and
    ends with that.
    """

    __tablename__ = "reading_right"

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    copying: Mapped[bool] = mapped_column(default=True)
    appraisal_id: Mapped[UUID | None] = mapped_column(index=True)


class Subject(Base):
    """Who or what records hang on beside places: owner, tenant, contract, equipment, employee, supplier.

    ``sealed`` holds the subject's protected fields (JSON: name, phone, identity …) under its own key. A subject that
    was merged stays, sealed as it was, and ``merged_into`` leads straight to the one that stands for it today;
    ``split_from`` leads to the one that a subject's first records were taken from.
    """

    __tablename__ = "subject"

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    kind: Mapped[Code]
    code: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"), index=True)
    split_from: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    created_at: Mapped[datetime]
    version: Mapped[Version]


class SubjectToken(Base):
    """A keyed token of a subject's personal number, to find it whole without keeping it plain."""

    __tablename__ = "subject_token"

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class RecordSubject(Base):
    """A record hangs on a subject."""

    __tablename__ = "record_subject"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True, index=True)
