"""Which messages are to leave the house, by which channel and when: rows beside them, and a job for each person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from archive.database import Base, Work
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.model import Channel, DeliveryState, Job, JobKind, JobState, PersonChannel
from archive.policy.guard import Guard
from archive.reminding.messages import Outgoing, Told

ROOMS = frozenset({Channel.WECOM, Channel.DINGTALK, Channel.FEISHU})
"""Channels into a room that others read too."""

DIGEST_HOUR = 8
"""The hour of the house's day at which gathered messages go out."""


class PlanDeliveries(Outgoing):
    """Writes what is to go out in the transaction that makes the messages, and a job for each person and channel.

    It asks for no setting: whatever process finds what is to be told, who sends decides whether that way is open.
    """

    def __init__(self, guard: Guard, outbox: Outbox) -> None:
        self._guard = guard
        self._outbox = outbox

    def plan(self, work: Work, made: Sequence[tuple[UUID, Told]]) -> None:
        """Write a delivery for each channel that each person chose."""
        people = {told.person for _key, told in made}
        query = select(PersonChannel.person_id, PersonChannel.channel, PersonChannel.digest)
        chosen: dict[UUID, dict[Channel, bool]] = {}
        for person, channel, digest in work.session.execute(query.where(PersonChannel.person_id.in_(people))):
            chosen.setdefault(person, {})[channel] = digest
        now = self._guard.now()
        rows = [
            {
                "id": new_id(), "message_id": key, "person_id": told.person, "channel": channel,
                "state": DeliveryState.WAITING, "room_once": told.once if channel in ROOMS else None, "attempts": 0,
                "made_at": now,
            }
            for key, told in made
            for channel in chosen.get(told.person, ())
        ]  # fmt: skip
        if not rows:
            return
        table, on_postgres = Base.metadata.tables["delivery"], work.session.get_bind().dialect.name == "postgresql"
        fresh = (postgresql.insert if on_postgres else sqlite.insert)(table).on_conflict_do_nothing()
        work.session.connection().execute(fresh, rows)
        gathered = self._guard.next_hour(DIGEST_HOUR)
        for person, channels in chosen.items():
            for channel, digest in channels.items():
                ask(work, self._outbox, person, channel, gathered if digest else now)


def ask(work: Work, outbox: Outbox, person: UUID, channel: Channel, when: datetime) -> None:
    """Ask for what waits for a person at a channel to be sent at a moment, unless that is asked for already."""
    waiting = select(Job.payload).where(
        Job.subject_id == person, Job.kind == JobKind.DELIVER, Job.state == JobState.QUEUED, Job.run_after <= when
    )
    if not any(each.get("channel") == channel.value for each in work.session.scalars(waiting)):
        outbox.add(work, JobKind.DELIVER, person, payload={"channel": channel.value}, run_after=when)
