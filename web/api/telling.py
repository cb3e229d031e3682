"""What falls due, and a person's own messages."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import DeadlineKind
from web import paging
from web.api import given
from web.api.made import Next
from web.api.names import behind
from web.api.operations import operation
from web.api.shapes import Shape
from web.services import identity, services


class DeadlinesAsked(given.Page):
    """Which of what falls due."""

    kind: DeadlineKind | None = Field(None, description="Only this kind.")
    late: bool = Field(default=False, description="Only what is due before today.")


class DeadlineShown(Shape):
    """Something that falls due; ``record`` is null where it is about none."""

    kind: DeadlineKind
    subject: UUID
    record: UUID | None
    due: date
    late: bool


class DeadlinesShown(Shape):
    """One page of what falls due, the earliest first."""

    deadlines: list[DeadlineShown]
    next: Next


class MessageList(given.Page):
    """Which of your messages."""

    unread: bool = Field(default=False, description="Only those that you have not read.")


class MessageListed(Shape):
    """A message. ``stage`` says which reminder of a deadline it is; ``late``: it was told after its day."""

    message: UUID
    topic: str
    stage: str
    late: bool
    due: date | None
    record: UUID | None
    subject: UUID | None
    made_at: datetime
    read_at: datetime | None


class MessagePage(Shape):
    """One page of your messages, the newest first."""

    messages: list[MessageListed]
    next: Next


class MessagesToMark(Shape):
    """Which of your messages you have read; null: all."""

    messages: Annotated[list[UUID], Field(max_length=200)] | None = None


class MessagesMarked(Shape):
    """How many of them were unread."""

    count: int


@operation("/deadlines")
def deadlines(query: DeadlinesAsked) -> DeadlinesShown:
    """List what falls due and is open to you."""
    after = behind(query.cursor, paging.read_day)
    board = services().telling.due
    found = board.list(identity(), kind=query.kind, late=query.late, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    last = shown[-1].deadline if len(found) > query.limit else None
    listed = [
        DeadlineShown(
            kind=each.deadline.kind, subject=each.deadline.subject_id, record=each.deadline.record_id,
            due=each.deadline.due, late=each.late,
        )
        for each in shown
    ]  # fmt: skip
    return DeadlinesShown(deadlines=listed, next=paging.told_day((last.due, last.id)) if last else None)


@operation("/messages")
def messages(query: MessageList) -> MessagePage:
    """List your own messages."""
    after = behind(query.cursor, paging.read_id)
    found = services().telling.messages.list(identity(), unread=query.unread, after=after, limit=query.limit + 1)
    listed = [
        MessageListed(
            message=each.message.id, topic=each.message.topic, stage=each.message.stage, late=each.message.late,
            due=each.message.due, record=each.record.id if each.record else None, subject=each.message.subject_id,
            made_at=each.message.made_at, read_at=each.message.read_at,
        )
        for each in found[: query.limit]
    ]  # fmt: skip
    return MessagePage(messages=listed, next=listed[-1].message.hex if len(found) > query.limit else None)


@operation("/messages/read", method="POST", unlogged=True)
def read_messages(body: MessagesToMark) -> MessagesMarked:
    """Mark your own messages as read."""
    return MessagesMarked(count=services().telling.messages.read(identity(), body.messages))
