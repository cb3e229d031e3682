"""The acts on stored bytes: looking at a share of them each day, and telling what is not whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import Place, newest_first, older
from archive.errors import Conflict
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import FixityFinding, FixityRun, Job, JobKind, JobState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ObjectStore
from storage.fixity.keeping import Seen, count_standing, keep
from storage.fixity.looks import look
from storage.fixity.plan import (
    STORED,
    Turn,
    count,
    due_before,
    held_up_to,
    next_turns,
    share,
    turn_at,
    turns_of,
    waiting_longest,
)

MOST = 200
"""Runs and findings that are shown."""

AHEAD = 2_000
"""Objects that are planned at once."""

KEPT_TOGETHER = 50
"""Objects whose results are written at once."""

LATE = timedelta(days=3)
"""An object that waits for its check longer than the period and this is told as late."""

EVERYTHING = "everything"
MEND = "mend"


@dataclass(frozen=True)
class Standing:
    """How the stored bytes stand.

    ``objects`` and ``bytes`` (of cipher) are all there are, ``checked`` those that were read back within the period of
    ``days``, ``bad`` those that are not whole now, ``waiting`` since when the one waits that was not looked at for
    longest (None: there is none), ``late`` whether that is too long.
    """

    objects: int
    bytes: int
    checked: int
    bad: int
    days: int
    waiting: datetime | None
    late: bool


class FixityCare:
    """Checks and tells. What is kept of a check are the moment and the finding; the key of no record is needed.

    Args:
        store: where the objects lie.
        days: within how many days each is to be read once.
        passed: hears of bytes that were read, and may pause.
    """

    def __init__(
        self,
        db: Database,
        guard: Guard,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        store: ObjectStore,
        days: int,
        passed: Callable[[int], None] = lambda _bytes: None,
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._store = store
        self._days = days
        self._passed = passed

    # Looking

    def run(
        self,
        identity: Identity,
        run_id: UUID | None = None,
        *,
        everything: bool = False,
        going_on: Callable[[], bool] = lambda: True,
        told: Callable[[int, int], None] = lambda _done, _every: None,
    ) -> FixityRun:
        """Look at a day's share of the objects, and at those that would wait too long otherwise.

        Args:
            identity: who asks.
            run_id: the run; one that was broken off goes on where it was.
            everything: look at every object.
            going_on: says no when the work is to stop; the run is then not ended.
            told: hears how many of the share are done.

        Raises:
            NotAllowed: this person does not run the system.
            Unavailable: the store does not answer; what was looked at is kept.
        """
        run = self._begun(identity, run_id or new_id())
        aim = run.total if everything else share(run.total, self._days)
        due = due_before(run.began_at, self._days)
        while run.objects < run.total and going_on():
            with self._db.reading() as session:
                turns = next_turns(session, run.began_at, self._clock.now(), AHEAD)
            taken = [each for at, each in enumerate(turns, run.objects) if at < aim or each.turn < due]
            for start in range(0, len(taken), KEPT_TOGETHER):
                self._look(identity, run, taken[start : start + KEPT_TOGETHER], going_on)
                told(run.objects, max(aim, run.objects))
                if not going_on():
                    return run
            if len(taken) < AHEAD:
                break
        if going_on():
            self._end(identity, run)
        return run

    def look_at(self, identity: Identity, content_id: UUID) -> None:
        """Look at one object, which someone could not read. Raises as ``run``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            turns = turns_of(session, [content_id])
        seen = [Seen(each, look(self._store, each, self._db, self._passed), self._clock.now()) for each in turns]
        with self._db.writing() as work:
            keep(work, self._log, identity, seen)
            work.commit()

    def _begun(self, identity: Identity, run_id: UUID) -> FixityRun:
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            run = work.session.get(FixityRun, run_id)
            if run is None:
                run = FixityRun(
                    id=run_id, began_at=self._clock.now(), total=count(work.session), objects=0, bytes=0, bad=0
                )
                work.session.add(run)
                work.commit()
            work.session.expunge(run)
        return run

    def _look(self, identity: Identity, run: FixityRun, turns: Sequence[Turn], going_on: Callable[[], bool]) -> None:
        seen: list[Seen] = []
        try:
            for each in turns:
                if not going_on():
                    break
                seen.append(Seen(each, look(self._store, each, self._db, self._passed), self._clock.now()))
        finally:  # what was looked at before the store went away is kept
            with self._db.writing() as work:
                bad = keep(work, self._log, identity, seen)
                run.objects += len(seen)
                run.bytes += sum(each.look.size or 0 for each in seen)
                run.bad += bad
                work.session.merge(run)
                work.commit()

    def _end(self, identity: Identity, run: FixityRun) -> None:
        with self._db.writing() as work:
            run.ended_at = self._clock.now()
            work.session.merge(run)
            body = {"objects": run.objects, "of": run.total, "bytes": run.bytes, "bad": run.bad}
            self._log.note(work.session, identity, "store.verify", body=body)
            work.commit()

    # Asking

    def ask(self, identity: Identity, what: str) -> None:
        """Have the workers look at everything (``EVERYTHING``), or mend what is not whole (``MEND``).

        Raises:
            NotAllowed: this person does not run the system.
            Conflict: they are at it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            if self.at_work(what):
                raise Conflict(what="fixity")
            self._outbox.add(work, JobKind.FIXITY, payload={what: True}, requested_by=identity.person_id)
            self._log.note(work.session, identity, f"store.ask_{what}")
            work.commit()

    def at_work(self, what: str | None = None) -> bool:
        """Whether a run (of a kind, if given) waits or is under way."""
        waiting = (JobState.QUEUED, JobState.RUNNING)
        with self._db.reading() as session:
            jobs = session.scalars(select(Job.payload).where(Job.kind == JobKind.FIXITY, Job.state.in_(waiting)))
            return any(what is None or what in each for each in jobs)

    # Telling

    def alarm(self) -> int:
        """Return how many objects are not whole, by what was found last. Quick: pages ask it often."""
        with self._db.reading() as session:
            return count_standing(session)

    def told(self, most: int) -> Standing:
        """Return how the stored bytes stand, as a page tells it.

        Nothing is counted further than one more than ``most``, and ``bytes`` not at all: 0.
        """
        now, period = self._clock.now(), timedelta(days=self._days)
        with self._db.reading() as session:
            objects = held_up_to(session, most)
            checked = held_up_to(session, most, since=now - period, until=now)
            oldest = waiting_longest(session)
        return Standing(objects, 0, checked, self.alarm(), self._days, oldest, self._is_late(now, oldest))

    def standing(self) -> Standing:
        """Return how the stored bytes stand: every object is read for it."""
        now, period = self._clock.now(), timedelta(days=self._days)
        with self._db.reading() as session:
            recent = func.count().filter(STORED.checked_at > now - period, STORED.checked_at <= now)
            last = func.coalesce(STORED.checked_at, STORED.created_at, type_=STORED.created_at.type)
            objects, size, checked, oldest = session.execute(
                select(func.count(STORED.id), func.sum(STORED.cipher_size), recent, func.min(last))
            ).one()
        late = self._is_late(now, oldest)
        return Standing(objects, int(size or 0), checked, self.alarm(), self._days, oldest, late)

    def _is_late(self, now: datetime, oldest: datetime | None) -> bool:
        return oldest is not None and now - oldest > timedelta(days=self._days) + LATE

    def runs(self, identity: Identity, *, after: Place | None = None, limit: int = MOST) -> Sequence[FixityRun]:
        """Return the runs, the latest first, behind the one of a moment and an id. Raises ``NotAllowed``."""
        query = newest_first(select(FixityRun), FixityRun.began_at, FixityRun.id, after).limit(limit)
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_STORE)
            return session.scalars(query).all()

    def findings(
        self, identity: Identity, limit: int = MOST, *, after: tuple[bool, Place] | None = None
    ) -> Sequence[FixityFinding]:
        """Return what was found not whole, what stands so first, then the latest. Raises ``NotAllowed``.

        Behind one that stands so or not, by the moment it was found at and its id.
        """
        stands = FixityFinding.ended_at.is_(None)
        query = select(FixityFinding).order_by(stands.desc(), FixityFinding.found_at.desc(), FixityFinding.id.desc())
        if after is not None:
            stood, place = after
            behind = older(FixityFinding.found_at, FixityFinding.id, place)
            query = query.where(or_(~stands, behind) if stood else and_(~stands, behind))
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_STORE)
            return session.scalars(query.limit(limit)).all()

    def objects(self, identity: Identity, limit: int) -> Sequence[Any]:
        """Return key, size, ``checked_at`` and ``fixity`` of objects, those checked longest ago first."""
        columns = (STORED.object_key, STORED.cipher_size, STORED.checked_at, STORED.fixity)
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_STORE)
            order = turn_at(self._clock.now())
            return session.execute(select(*columns).order_by(order, STORED.id).limit(limit)).all()

    def reported(self, identity: Identity) -> None:
        """Write that someone took a report out. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.SEE_STORE)
            self._log.note(work.session, identity, "store.report")
            work.commit()
