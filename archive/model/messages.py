"""Messages to people, how they go out of the house, and what people ask those who keep rights."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class Message(Base):
    """What a person is told, once. It holds no words: they are made for whoever reads it, when it is read.

    ``topic`` says what about (words: ``web.due_words``), ``stage`` which reminder of a deadline; ``late``: it is told
    after its day. ``once`` is by what the same is never told twice to the same person.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("person_id", "once"),
        Index("ix_message_person_id_id", "person_id", "id"),
        Index(
            "ix_message_unread",
            "person_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("ix_message_record_id", "record_id"),
        Index("ix_message_read_at", "read_at"),
    )

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    topic: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(32), default="")
    late: Mapped[bool] = mapped_column(default=False)
    due: Mapped[date | None]
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    subject_id: Mapped[UUID | None]
    once: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Channel(StrEnum):
    """A way out of the house. The last three post into a room that others read too."""

    EMAIL = "email"
    SMS = "sms"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class DeliveryState(StrEnum):
    """Where a delivery stands. ``unclear``: it was begun and nobody knows how it ended, so it is not done again."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DROPPED = "dropped"
    UNCLEAR = "unclear"
    FAILED = "failed"


class Delivery(Base):
    """A message on its way out by one channel. ``reason`` is a code.

    ``room_once``: a room that many read is told the same once, whoever of them it is for (None: no room).
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "channel"),
        UniqueConstraint("channel", "room_once"),
        Index("ix_delivery_state_id", "state", "id"),
        Index("ix_delivery_state_changed_at", "state", "changed_at"),
        Index("ix_delivery_person_id_channel_state", "person_id", "channel", "state"),
    )

    id: Mapped[Key]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    channel: Mapped[Channel] = mapped_column(word(Channel))
    state: Mapped[DeliveryState] = mapped_column(word(DeliveryState), default=DeliveryState.WAITING)
    room_once: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(String(100))
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]


class PersonChannel(Base):
    """A channel that a person chose. ``address`` is sealed; ``address_token`` tells whether others gave the same."""

    __tablename__ = "person_channel"
    __table_args__ = (Index("ix_person_channel_address_token", "address_token"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel), primary_key=True)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_token: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[bool] = mapped_column(default=False)


class OpenWay(Base):
    """A channel that the house has, as whoever sends by it notes: pages of another machine know no setting of it."""

    __tablename__ = "open_way"

    channel: Mapped[Channel] = mapped_column(word(Channel), primary_key=True)


class QuestionAnswer(StrEnum):
    """What whoever keeps rights answers; never words of their own, which might tell what lies behind a number."""

    OPEN = "open"
    SHUT = "shut"
    TALK = "talk"


class RightQuestion(Base):
    """A person asks those who keep rights about a number. It names no record: nobody says whether there is one."""

    __tablename__ = "right_question"
    __table_args__ = (
        Index("ix_right_question_asked_by", "asked_by", "id"),
        Index(
            "ix_right_question_waiting", "id",
            sqlite_where=text("answered_at IS NULL"), postgresql_where=text("answered_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[QuestionAnswer | None] = mapped_column(word(QuestionAnswer))
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    answered_at: Mapped[datetime | None]
