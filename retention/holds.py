"""Holds 冻结: placed with reason and authority, released by another person, and their rows written by a job."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity, system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import (
    Category,
    Content,
    Hold,
    HoldKind,
    HoldRecord,
    JobKind,
    Place,
    Record,
    RecordKind,
    ShelfPlace,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.ports import ObjectLocks
from archive.reasons import checked as reason_checked
from archive.shelving.rules import ceiling
from archive.shelving.sealed import holds_at, lying_at, papers
from archive.spelling import number_key
from retention.holding import Rule, covers, facts_of, held, may_cover, standing

LONGEST = 200
"""Characters of a name or an authority."""

BATCH = 300
"""Records whose rows one transaction writes or takes away: it stays well under 100 ms."""

AT_ONCE = 2000
"""Records at a place of the store rooms whose rows are written as its hold is placed; those of more, by the job."""

_LOOK = 3000
_CONDITIONS = frozenset({"words", "responsible", "category", "path", "since", "until"})


@dataclass(frozen=True)
class Wanted:
    """A hold to be placed. ``covers`` as ``retention.holding.Rule`` has it."""

    kind: HoldKind
    covers: Mapping[str, Any]
    name: str
    reason: str
    authority: str
    review_on: date


class Holds:
    """The acts on holds."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def place(self, identity: Identity, wanted: Wanted) -> UUID:
        """Place a hold: it counts at once, its rows follow by a job. Return its id.

        Raises:
            NotAllowed, NotFound: the person places no holds, or does not see the record or dossier.
            InvalidInput: names each field at fault.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_HOLDS)
            if identity.person_id is None:
                raise NotAllowed(act=Act.MANAGE_HOLDS.value)
            body = self._checked(session, identity, wanted)
            key = new_id()
            session.add(
                Hold(
                    id=key, kind=wanted.kind, covers=body, name=wanted.name.strip(), reason=wanted.reason.strip(),
                    authority=wanted.authority.strip(), review_on=wanted.review_on, placed_by=identity.person_id,
                    placed_at=self._clock.now(),
                )
            )  # fmt: skip
            session.flush()
            if wanted.kind is HoldKind.SHELF:
                paper = papers(lying_at(UUID(str(body["id"]))))
                lies = set(session.scalars(select(paper.c.record_id).limit(AT_ONCE)))
                cover(session, key, sorted(lies), self._clock.now())
            told = {"hold": str(key), "kind": wanted.kind.value, "covers": body, "name": wanted.name.strip()}
            told |= {"reason": wanted.reason.strip(), "authority": wanted.authority.strip()}
            self._log.note(session, identity, "hold.place", body=told)
            self._outbox.add(work, JobKind.HOLD, key)
            work.commit()
        return key

    def release(self, identity: Identity, hold_id: UUID, why: str) -> None:
        """Release a hold that another placed: it counts no more at once, its rows go by a job.

        Raises:
            NotAllowed, NotFound: the person releases no holds; there is no such one.
            OwnRequest: they placed it themselves.
            Ended: it is released already.
            InvalidInput: field ``reason``.
        """
        reason_checked(why)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_HOLDS)
            row = session.get(Hold, hold_id)
            if row is None:
                raise NotFound
            if identity.person_id is None or row.placed_by == identity.person_id:
                raise OwnRequest(act="hold.release")
            if row.released_at is not None:
                raise Ended(state="released", act="hold.release")
            row.released_at, row.released_by, row.release_why = self._clock.now(), identity.person_id, why.strip()
            row.through, row.swept_at = None, None
            body = {"hold": str(row.id), "name": row.name, "reason": why.strip()}
            self._log.note(session, identity, "hold.release", body=body)
            self._outbox.add(work, JobKind.HOLD, row.id)
            work.commit()

    def every(
        self, identity: Identity, *, released: bool = False, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[Hold]:
        """Return the holds that stand, or those that were released, the newest first."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_HOLDS)
            query = select(Hold).where(Hold.released_at.is_not(None) if released else Hold.released_at.is_(None))
            return session.scalars(newest_first(query, Hold.placed_at, Hold.id, after).limit(limit)).all()

    def show(
        self, identity: Identity, hold_id: UUID, limit: int, *, after: UUID | None = None
    ) -> tuple[Hold, int, Sequence[Record]]:
        """Return a hold, the number of records that its rows name and this person reads, and these, behind an id.

        Raises:
            NotFound: there is none.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_HOLDS)
            row = session.get(Hold, hold_id)
            if row is None:
                raise NotFound
            named = select(HoldRecord.record_id).where(HoldRecord.hold_id == hold_id)
            mine = self._guard.visible(session, identity).where(Record.id.in_(named)).order_by(Record.id)
            count = session.scalar(select(func.count()).select_from(mine.order_by(None).subquery())) or 0
            if after is not None:
                mine = mine.where(Record.id > after)
            return row, count, session.scalars(mine.limit(limit)).all()

    def on_shelf(self, identity: Identity, place: ShelfPlace) -> Sequence[Rule]:
        """Return the holds on a place of the store rooms, or on what it stands in; none for who may not see holds."""
        with self._db.reading() as session:
            if not may(Act.SEE_HOLDS, self._guard.reach(session, identity)):
                return ()
            on = set(holds_at(session, [place.id]))
            return [each for each in standing(session) if each.id in on]

    def on(self, identity: Identity, record_id: UUID) -> Sequence[Rule]:
        """Return the holds on a record that the person sees; one who may not see holds is told that it is held alone.

        Raises as ``Guard.require``.
        """
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.SEE, record_id)
            found = held(session, [record_id]).get(record_id, ())
            if may(Act.SEE_HOLDS, self._guard.reach(session, identity)):
                return found
            return [Rule(each.id, each.kind) for each in found]

    def _checked(self, session: Session, identity: Identity, wanted: Wanted) -> dict[str, Any]:
        reason_checked(wanted.reason)
        faults = []
        for name, text in (("name", wanted.name), ("authority", wanted.authority)):
            if not text.strip():
                faults.append(Fault(name, "required"))
            elif len(text.strip()) > LONGEST:
                faults.append(Fault(name, "too_long", {"limit": LONGEST, "length": len(text.strip())}))
        if wanted.review_on <= self._guard.day():
            faults.append(Fault("review_on", "not_ahead", {"last": "2200-12-31"}))
        body: dict[str, Any] = {}
        if wanted.kind in {HoldKind.RECORD, HoldKind.DOSSIER}:
            record = self._guard.require(session, identity, Act.READ, UUID(str(wanted.covers.get("id"))))
            if wanted.kind is HoldKind.DOSSIER and record.kind is not RecordKind.DOSSIER:
                faults.append(Fault("dossier", "unknown"))
            body = {"id": str(record.id)}
        else:
            body = {name: value for name, value in wanted.covers.items() if value}
            faults += _query_faults(session, wanted.kind, body)
            if wanted.kind is HoldKind.SHELF and not faults:
                place = session.get(ShelfPlace, UUID(str(body["id"])))
                reach = self._guard.reach(session, identity)
                if place is None or not may(Act.SEE_SHELVES, reach) or place.strength > ceiling(session, reach):
                    faults.append(Fault("shelf", "unknown"))
        if faults:
            raise InvalidInput(*faults)
        return body


def _query_faults(session: Session, kind: HoldKind, body: Mapping[str, Any]) -> list[Fault]:
    allowed = {HoldKind.CATEGORY: {"id"}, HoldKind.SHELF: {"id"}, HoldKind.PLACE: {"path"}}.get(kind, _CONDITIONS)
    faults = [Fault(name[:40], "unknown_key") for name in body if name not in allowed]
    if not body:
        faults.append(Fault("query" if kind is HoldKind.QUERY else kind.value, "required"))
    texts = [("words", each) for each in body.get("words", ())]
    texts += [("responsible", body["responsible"])] if "responsible" in body else []
    faults += [Fault(name, "required") for name, text in texts if not number_key(text)]  # it would fit every record
    named = ("category",) if kind is HoldKind.SHELF else ("id", "category")
    categories = [UUID(str(body[name])) for name in named if name in body]
    faults += [Fault("category", "unknown") for key in categories if session.get(Category, key) is None]
    if "path" in body and not session.scalar(select(Place.id).where(Place.path == body["path"])):
        faults.append(Fault("place", "unknown"))
    return faults


class KeepHolds:
    """Writes the rows of a hold, or takes those of a released one away, in short transactions; goes on after a break.

    Where the store can, it is told to hold the objects of covered records; one job in six hours, without a subject,
    tells it of records that came under a hold since.
    """

    kind = JobKind.HOLD
    batch = 1
    deadline = 3600.0
    max_attempts = 20
    keep_done = True

    def __init__(self, db: Database, log: Log, clock: Clock, locks: ObjectLocks | None) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._locks = locks

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do what each job's hold needs."""
        for job in jobs:
            if job.subject_id is not None:
                self._one(job.subject_id, job.still_held)
            self._tell_store(job.still_held)
        return {job.id: Outcome.done() for job in jobs}

    def _one(self, key: UUID, still_held: Callable[[], bool]) -> None:
        while still_held():
            with self._db.reading() as session:
                row = session.get(Hold, key)
            if row is None or row.swept_at is not None:
                return
            more = self._take_away(row) if row.released_at is not None else self._write(row)
            if not more:
                with self._db.writing() as work:
                    now = work.session.get_one(Hold, key)
                    if now.released_at != row.released_at:  # released meanwhile: what was written goes
                        continue
                    now.swept_at, now.through = self._clock.now(), None  # a record that is destroyed is named nowhere
                    body = {"hold": str(key), "released": row.released_at is not None}
                    self._log.note(work.session, system("retention"), "hold.cover", body=body)
                    work.commit()
                return

    def _write(self, row: Hold) -> bool:
        """Write the rows of one look at records; return whether there may be more."""
        rule = Rule(row.id, row.kind, row.covers, row.name)
        with self._db.reading(long=True) as session:
            query = select(Record.id).where(may_cover(rule)).order_by(Record.id).limit(_LOOK)
            looked = session.scalars(query if row.through is None else query.where(Record.id > row.through)).all()
        for start in range(0, len(looked), BATCH):
            part = looked[start : start + BATCH]
            with self._db.writing() as work:
                now = work.session.get_one(Hold, row.id)
                if now.released_at is not None:
                    return True
                facts = facts_of(work.session, part, [rule], rows=False)
                fits = [key for key in part if key in facts and covers(rule, facts[key])]
                cover(work.session, row.id, fits, self._clock.now())
                now.through = part[-1]
                work.commit()
        return len(looked) == _LOOK

    def _take_away(self, row: Hold) -> bool:
        """Take one batch of rows away, after the store let go; return whether there may be more."""
        with self._db.reading() as session:
            query = select(HoldRecord.record_id).where(HoldRecord.hold_id == row.id).limit(BATCH)
            ids = session.scalars(query).all()
            other = select(HoldRecord.record_id).join(Hold, Hold.id == HoldRecord.hold_id)
            kept = set(session.scalars(other.where(HoldRecord.record_id.in_(ids), Hold.released_at.is_(None))))
        let_go = [key for key in ids if key not in kept]
        self._on_store(let_go, on=False)
        with self._db.reading() as session:  # a hold whose rows were written meanwhile has told the store already
            now = session.scalars(other.where(HoldRecord.record_id.in_(let_go), Hold.released_at.is_(None))).all()
        self._on_store(now, on=True)
        if ids:
            with self._db.writing() as work:
                gone = delete(HoldRecord).where(HoldRecord.hold_id == row.id, HoldRecord.record_id.in_(ids))
                work.session.execute(gone)
                work.commit()
        return len(ids) == BATCH

    def _tell_store(self, still_held: Callable[[], bool]) -> None:
        """Have the store hold the objects of records that holds cover and that it was not told of."""
        while self._locks is not None and still_held():
            with self._db.reading() as session:
                query = select(HoldRecord.record_id).join(Hold, Hold.id == HoldRecord.hold_id)
                query = query.where(HoldRecord.on_store.is_(False), Hold.released_at.is_(None)).distinct()
                ids = session.scalars(query.limit(BATCH)).all()
            if not ids:
                return
            self._on_store(ids, on=True)
            with self._db.writing() as work:
                told = update(HoldRecord).where(HoldRecord.record_id.in_(ids)).values(on_store=True)
                work.session.execute(told.execution_options(synchronize_session=False))
                work.commit()

    def _on_store(self, ids: Sequence[UUID], *, on: bool) -> None:
        if self._locks is None or not ids:
            return
        with self._db.reading() as session:
            columns = select(Content.object_key, Content.store_version).where(Content.record_id.in_(ids))
            rows = session.execute(columns.where(Content.store_version.is_not(None))).all()
        for row in rows:
            with suppress(NotFound):  # fsck tells of an object that is missing
                self._locks.hold(row.object_key, row.store_version, on=on)


def cover(session: Session, hold: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """Write the rows of a hold that are not there yet."""
    there = set(
        session.scalars(
            select(HoldRecord.record_id).where(and_(HoldRecord.hold_id == hold, HoldRecord.record_id.in_(ids)))
        )
    )
    fresh = [{"hold_id": hold, "record_id": key, "since": now, "on_store": False} for key in ids if key not in there]
    if fresh:
        session.execute(insert(HoldRecord), fresh)


class HoldRows:
    """Writes the rows of records that come under a hold later, in the transactions that change them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def follow(self, session: Session, ids: Sequence[UUID]) -> None:
        """Write the rows of these records that holds cover now."""
        rules = standing(session)
        if not rules:
            return
        found: dict[UUID, list[UUID]] = {}
        for key, facts in facts_of(session, ids, rules).items():
            for rule in rules:
                if rule.id not in facts.rows and covers(rule, facts):
                    found.setdefault(rule.id, []).append(key)
        for hold, records in found.items():
            cover(session, hold, records, self._clock.now())
