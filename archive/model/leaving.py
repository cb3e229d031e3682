"""What leaves for good: appraisals that judge what is due, destructions that end it, transfers to other archives.

Items name records by id without a foreign key: lists outlive the records on them.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class AppraisalState(StrEnum):
    """Where an appraisal stands. A closed one is fixed."""

    DRAFT = "draft"
    OPEN = "open"  # the panel judges
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a panel says of a record."""

    DESTROY = "destroy"
    KEEP = "keep"  # on until a new day
    TRANSFER = "transfer"
    OPEN = "open"  # to release
    DECLASSIFY = "declassify"


class Stop(StrEnum):
    """Why a record may not go."""

    UNFILED = "unfiled"
    UNDUE = "undue"  # its term has not run out, or it has no day on which it does
    HELD = "held"
    LENT = "lent"
    MISSING = "missing"
    UNSETTLED = "unsettled"  # a matter that is not settled hangs on it
    OBJECTED = "objected"
    ELSEWHERE = "elsewhere"  # an appraisal judges it, a transfer carries it, or another destruction lists it
    NOT_THERE = "not_there"  # gone


class AppraisalTask(StrEnum):
    """What a job is doing with an appraisal; until it is done, nobody says anything."""

    OPENING = "opening"
    CLOSING = "closing"
    WITHDRAWING = "withdrawing"


class Appraisal(Base):
    """An appraisal 鉴定: a panel judges the records of a list one by one.

    ``digest`` is the SHA-256 over numbers and verdicts of a closed one, as the log has it; ``why`` is why it was
    withdrawn.
    """

    __tablename__ = "appraisal"
    __table_args__ = (Index("ix_appraisal_begun_at_id", "begun_at", "id"),)

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    purpose: Mapped[str] = mapped_column(String(500))
    state: Mapped[AppraisalState] = mapped_column(word(AppraisalState), default=AppraisalState.DRAFT)
    task: Mapped[AppraisalTask | None] = mapped_column(word(AppraisalTask))
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    digest: Mapped[str | None] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[Version]


class AppraisalMember(Base):
    """One who sits on the panel of an appraisal; one of them has the chair."""

    __tablename__ = "appraisal_member"

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    chair: Mapped[bool] = mapped_column(default=False)


class AppraisalItem(Base):
    """A record under appraisal; ``verdict`` is the panel's, once it is said.

    ``number`` is its registration number, which says nothing of it, and ``due`` its day when it was listed. ``until``
    goes with the verdict to keep it on; ``stopped`` is why a verdict to destroy did not stand at the close.
    """

    __tablename__ = "appraisal_item"
    __table_args__ = (
        Index("ix_appraisal_item_record_id", "record_id"),
        Index("ix_appraisal_item_appraisal_id_position", "appraisal_id", "position"),
    )

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    number: Mapped[str] = mapped_column(String(100))
    due: Mapped[date]
    verdict: Mapped[Verdict | None] = mapped_column(word(Verdict))
    until: Mapped[date | None]
    stopped: Mapped[Stop | None] = mapped_column(word(Stop))


class AppraisalOpinion(Base):
    """What a member of the panel says of an item; ``sealed``: why, under the record's key."""

    __tablename__ = "appraisal_opinion"

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(word(Verdict))
    until: Mapped[date | None]
    said_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AppraisalAdvice(Base):
    """A question to one outside the panel about an item, and what they answered; it counts in no verdict.

    ``sealed`` is the question and ``answer`` what was said to it (None: nothing yet), under the record's key.
    """

    __tablename__ = "appraisal_advice"
    __table_args__ = (Index("ix_appraisal_advice_person_id_asked_at", "person_id", "asked_at"),)

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    answered_at: Mapped[datetime | None]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)


class AppraisalLines(Base):
    """What a closed appraisal says of each record, written as it closes: by number, without titles and reasons.

    What the members said of a record goes with it; this stays for the report. ``lines`` is JSON. Insert-only.
    """

    __tablename__ = "appraisal_lines"

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    lines: Mapped[bytes] = mapped_column(LargeBinary)


class AppraisalForm(Base):
    """The report of a closed appraisal as it was printed first, in one language; its hash is in the log. Insert-only.

    It names records by number alone, so that it stays whatever becomes of them.
    """

    __tablename__ = "appraisal_form"

    appraisal_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.id"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(8), primary_key=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    kept_at: Mapped[datetime]


class DestructionState(StrEnum):
    """Where a destruction stands; each state is reached by an act of another person than the one before."""

    DRAFT = "draft"
    ASKED = "asked"  # review and approvals run
    COOLING = "cooling"  # approved; anyone concerned may object until ``cooling_until``
    CONFIRMED = "confirmed"  # a person with the duty confirmed after the cooling-off
    COUNTED = "counted"  # the witnesses counted everything against the list
    RUNNING = "running"  # from here there is no way back: items go
    GONE = "gone"  # every item is gone or was pulled out, and the proof is written
    CLOSED = "closed"  # signed by all; fixed for good
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class DestructionMethod(StrEnum):
    """How paper, and files, are destroyed."""

    SHREDDING = "shredding"
    PULPING = "pulping"
    INCINERATION = "incineration"
    DELETION = "deletion"  # of files alone: their keys are erased with them


class Destruction(Base):
    """A destruction 销毁: one list from its request to its signed certificate.

    ``digest`` is that of the list as the witnesses counted it. Its own key, which stays, seals what is said of it.
    Method, place, contractor and estimated weight are as they were agreed to, ``weighed`` and ``taken_by`` as it went.
    """

    __tablename__ = "destruction"
    __table_args__ = (Index("ix_destruction_begun_at_id", "begun_at", "id"),)

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    purpose: Mapped[str] = mapped_column(String(500))
    method: Mapped[DestructionMethod] = mapped_column(word(DestructionMethod), default=DestructionMethod.DELETION)
    place: Mapped[str | None] = mapped_column(String(200))
    contractor: Mapped[str | None] = mapped_column(String(200))
    weight: Mapped[str | None] = mapped_column(String(40))
    weighed: Mapped[str | None] = mapped_column(String(40))
    taken_by: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[DestructionState] = mapped_column(word(DestructionState), default=DestructionState.DRAFT)
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey("approval.id"))
    cooling_until: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    run_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    run_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[Version]


class DestructionItemState(StrEnum):
    """What becomes of an item. ``DOOMED`` and ``GONE`` only while the destruction runs, or after."""

    LISTED = "listed"
    PULLED = "pulled"  # taken out of the list and listed apart
    DOOMED = "doomed"  # will go; nothing but a stop found in the act itself can save it
    GONE = "gone"


_STANDING = text("standing and state <> 'pulled'")


class DestructionItem(Base):
    """A record on the list of a destruction; ``pulled`` says why it was taken out.

    ``neutral`` is the title that the register shows instead of the record's own. ``standing`` ends with a destruction
    that is refused or withdrawn: a record stands on one list at most.
    """

    __tablename__ = "destruction_item"
    __table_args__ = (
        Index("ix_destruction_item_record_id", "record_id"),
        Index(
            "uq_destruction_item_standing", "record_id", unique=True, sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_destruction_item_destruction_id_state_position", "destruction_id", "state", "position"),
    )  # fmt: skip

    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    appraisal_id: Mapped[UUID | None] = mapped_column(ForeignKey("appraisal.id"))
    state: Mapped[DestructionItemState] = mapped_column(word(DestructionItemState), default=DestructionItemState.LISTED)
    pulled: Mapped[Stop | None] = mapped_column(word(Stop))
    neutral: Mapped[str | None] = mapped_column(String(200))
    standing: Mapped[bool] = mapped_column(default=True)
    gone_at: Mapped[datetime | None]


class TransferState(StrEnum):
    """Where a transfer stands. Which may follow which: ``retention.transferring.rules``."""

    DRAFT = "draft"
    ASKED = "asked"  # approvals run
    APPROVED = "approved"
    PACKED = "packed"  # the bag is made
    RECEIVED = "received"  # the other archive has checked it and signed
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Afterwards(StrEnum):
    """What becomes of the copies that stay here once a transfer is closed."""

    KEEP = "keep"
    APPRAISE = "appraise"  # an appraisal may list them by this, once their terms have run out


class Transfer(Base):
    """A transfer 移交 to another archive: one list from its request to its signed receipt.

    ``bag_sha256`` is the hash of the bag's tag manifest, which stands for every byte of it. ``received_by`` and
    ``received_on`` are who signed there, and when; ``scan_sha256`` the hash of the signed receipt as it was scanned.
    While a job makes the bag, ``packing_since`` is when it was begun; ``packing_fault`` is what of the last one could
    not be read: the place of the record on the list and of its file. ``bag`` is what of a bag that can be downloaded
    belongs to no record; its other parts are ``TransferPart``.
    """

    __tablename__ = "transfer"
    __table_args__ = (Index("ix_transfer_begun_at_id", "begun_at", "id"),)

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    receiver: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(500))
    state: Mapped[TransferState] = mapped_column(word(TransferState), default=TransferState.DRAFT)
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey("approval.id"))
    packed_at: Mapped[datetime | None]
    bag_sha256: Mapped[str | None] = mapped_column(String(64))
    bag: Mapped[dict[str, str] | None] = mapped_column(JSON)
    packing_since: Mapped[datetime | None]
    packing_fault: Mapped[str] = mapped_column(String(40), default="")
    afterwards: Mapped[Afterwards] = mapped_column(word(Afterwards), default=Afterwards.KEEP)
    received_by: Mapped[str | None] = mapped_column(String(200))
    received_on: Mapped[date | None]
    scan_sha256: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]
    version: Mapped[Version]


class TransferItemState(StrEnum):
    """What becomes of an item."""

    LISTED = "listed"
    PULLED = "pulled"
    DISPUTED = "disputed"  # the receiver did not accept it; it stays here
    TRANSFERRED = "transferred"


class TransferItem(Base):
    """A record on the list of a transfer; ``pulled`` says why it was taken out, ``told`` what the receiver disputes."""

    __tablename__ = "transfer_item"
    __table_args__ = (Index("ix_transfer_item_record_id", "record_id"),)

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[TransferItemState] = mapped_column(word(TransferItemState), default=TransferItemState.LISTED)
    pulled: Mapped[Stop | None] = mapped_column(word(Stop))
    told: Mapped[str] = mapped_column(String(500), default="")


class TransferPart(Base):
    """What a bag that can be downloaded holds of one record: ``sealed``, under its key, texts and hashes of files.

    The files themselves are read from the store when they are sent, so that no plain byte lies anywhere.
    """

    __tablename__ = "transfer_part"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    position: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
