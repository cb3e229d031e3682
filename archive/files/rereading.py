"""Reading stored files again, when this program has learned to read more than it could when they came in.

What a file gave stays until it gives something better: a text is never exchanged for none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, select

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.files.renditions import UNREAD
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Category, Content, ContentState, File, Fonds, Job, JobKind, JobState, Record, TextState
from archive.policy.guard import Guard
from archive.policy.rules import Act

AGAIN = "again"
"""In the payload of an extract job: what the content was before, as ``standing`` tells it."""

_ASKED = "asked"
"""Beside it: since when, and by which choice."""

BATCH = 500

_WHOLE = (ContentState.STORED, ContentState.QUARANTINED)

_WAITING = (Job.kind == JobKind.EXTRACT, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))

FILTERS = ("kind", "text", "reason", "category", "fonds")


def standing(state: ContentState, text: TextState, reason: str | None) -> str:
    """Return where a content stands: ``text``, ``no_text``, ``failed``, ``quarantined``; then ``:`` and why."""
    word = state.value if state is ContentState.QUARANTINED else text.value
    return f"{word}:{reason}" if reason else word


@dataclass(frozen=True)
class Change:
    """How many contents went from one standing to another."""

    before: str
    after: str
    count: int


class Rereading:
    """Asks for contents to be read again, and tells what changed."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def count(self, where: Mapping[str, str]) -> int:
        """Return how many contents a choice means.

        Args:
            where: by name of ``FILTERS``: media type, state of the text (or ``quarantined``), reason, codes.

        Raises:
            InvalidInput: there is no such filter (field ``filter``).
        """
        with self._db.reading() as session:
            chosen = _chosen(where)
            return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0

    def ask(self, identity: Identity, where: Mapping[str, str]) -> datetime:
        """Ask for the chosen contents to be read again, batch by batch; those that wait for it already are left out.

        Where contents still wait that the same choice asked for, it broke off: it is gone on with, and what was read
        since then is left out too.

        Returns:
            the moment from which on it was asked, for ``changes``.

        Raises:
            NotAllowed: this person does not run the system.
            InvalidInput: as ``count``.
        """
        chosen = _chosen(where)
        began = self._broken_off(where)
        if began is not None:
            read = select(Job.subject_id).where(
                Job.kind == JobKind.EXTRACT, Job.state == JobState.DONE, Job.created_at >= began
            )
            chosen = chosen.where(Content.id.not_in(read))
        began = began or self._clock.now()
        asked = [began.isoformat(), dict(where)]
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            self._log.note(work.session, identity, "system.reread", body={"where": dict(where)})
            work.commit()
        last = UUID(int=0)
        while True:
            with self._db.writing() as work:
                waiting = select(Job.subject_id).where(*_WAITING)
                some = chosen.where(Content.id > last, Content.id.not_in(waiting)).order_by(Content.id).limit(BATCH)
                rows = work.session.execute(some).all()
                if not rows:
                    return began
                for row in rows:
                    before = standing(row.state, row.text_state, row.reason)
                    self._outbox.add(work, JobKind.EXTRACT, row.id, payload={AGAIN: before, _ASKED: asked})
                work.commit()
            last = rows[-1].id

    def _broken_off(self, where: Mapping[str, str]) -> datetime | None:
        """Return since when this choice is being read again; None: nothing that it asked for still waits."""
        with self._db.reading() as session:
            payloads = session.scalars(select(Job.payload).where(*_WAITING)).yield_per(1000)
            begun = (payload[_ASKED] for payload in payloads if _ASKED in payload)
            return next((datetime.fromisoformat(since) for since, choice in begun if choice == dict(where)), None)

    def changes(self, since: datetime) -> list[Change]:
        """Return what became of contents that were read again since a moment, the most frequent change first."""
        counted: Counter[tuple[str, str]] = Counter()
        jobs = (
            select(Job.payload, Content.state, Content.text_state, Content.reason)
            .join(Content, Content.id == Job.subject_id)
            .where(Job.kind == JobKind.EXTRACT, Job.created_at >= since, Job.state == JobState.DONE)
        )
        with self._db.reading() as session:
            for payload, state, text, reason in session.execute(jobs).yield_per(1000):
                if AGAIN in payload:
                    counted[payload[AGAIN], standing(state, text, reason)] += 1
        return [Change(*pair, count) for pair, count in counted.most_common()]


def _chosen(where: Mapping[str, str]) -> "Select[UUID, ContentState, TextState, str | None]":
    query = (
        select(Content.id, Content.state, Content.text_state, Content.reason)
        .join(Record, Record.id == Content.record_id)
        .join(File, File.id == Content.file_id)
        .where(Content.state.in_(_WHOLE), Content.store_version.is_not(None), not_(UNREAD))
    )
    for name, value in where.items():
        query = query.where(_condition(name, value))
    return query


def _condition(name: str, value: str) -> ColumnElement[bool]:
    if name == "kind":
        return Content.media_type == value
    if name == "text" and value == ContentState.QUARANTINED:
        return Content.state == ContentState.QUARANTINED
    if name == "text" and value in set(TextState):
        return and_(Content.text_state == TextState(value), Content.state == ContentState.STORED)
    if name == "reason":
        return Content.reason == value
    if name == "category":
        return Record.category_id.in_(select(Category.id).where(Category.code == value))
    if name == "fonds":
        return Record.fonds_id.in_(select(Fonds.id).where(Fonds.code == value))
    raise InvalidInput(
        Fault("filter", "bad_filter" if name in FILTERS else "unknown_filter", {"name": name, "value": value})
    )
