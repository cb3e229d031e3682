"""Arranging dossiers: items put in, taken out, ordered; a dossier divided into volumes, split, merged.

Each act is one transaction, checked against the version of the dossier that it was decided on where order matters.
It says what a person does to what they see; items that are hidden from them keep their places and stop nothing.
Once a dossier is filed, its filed items keep their order, volumes and places before all others. Numbers never change.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.database import Database, Work
from archive.dossiers import order as dossier_order
from archive.dossiers.contents import Dossiers, check_dossier
from archive.dossiers.filed import Arranged, behind_filed, keep_filed
from archive.dossiers.level import Means, raise_to
from archive.dossiers.order import Placed
from archive.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import JobKind, Record, RecordKind, RecordState, RecordSubject
from archive.policy.facts import facts_of
from archive.policy.guard import Guard
from archive.policy.rules import Act, may_set_level

MOST = 200
"""Items that are put in, taken out or moved by one act: a write stays under 100 ms."""
_TOLD = 200  # moves named in an entry of the log


class Arranging:
    """The acts on what lies in dossiers."""

    def __init__(
        self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock, records: RecordService
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._records = records
        self._dossiers = Dossiers(db, guard)

    def put_in(
        self,
        identity: Identity,
        dossier_id: UUID,
        item_ids: Sequence[UUID],
        *,
        source: UUID | None = None,
        place: int | None = None,
        version: int | None = None,
    ) -> int:
        """Put items into a dossier at a place (from 1; None: behind the last); return how many were not in it before.

        ``source`` is the dossier that they are taken out of (None: they lie in none). A dossier that is not filed takes
        the level of an item that is above its own.

        Raises:
            NotFound, NotAllowed: as for any act on the dossiers and on each item.
            InvalidInput: one is no item, of another fonds, lies elsewhere (fact ``number``), or is above the level of a
                filed dossier; too many; a place before a filed item of a filed dossier.
            Conflict: the dossier is not at ``version``, if one is given.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            into = self._open(work.session, identity, dossier_id, version)
            count = self._put_in(work, identity, into, item_ids, source, place, {})
            work.commit()
        return count

    def put_in_work(
        self,
        work: Work,
        identity: Identity,
        dossier_id: UUID,
        item_ids: Sequence[UUID],
        source: UUID | None,
        volumes: Mapping[UUID, int],
        stood: Mapping[UUID, tuple[int, int]] | None = None,
    ) -> int:
        """Put items behind the last one inside the caller's transaction; ``volumes``: those that are to lie in one.

        ``stood``: put them back where they stood, as ``dossier_order.put_back`` has it.
        """
        into = self._open(work.session, identity, dossier_id, None)
        return self._put_in(work, identity, into, item_ids, source, None, volumes, stood)

    def _put_in(
        self,
        work: Work,
        identity: Identity,
        into: Arranged,
        item_ids: Sequence[UUID],
        source: UUID | None,
        place: int | None,
        volumes: Mapping[UUID, int],
        stood: Mapping[UUID, tuple[int, int]] | None = None,
    ) -> int:
        session, dossier = work.session, into.dossier
        items = [each for each in self._items(session, identity, item_ids) if each.dossier_id != dossier.id]
        for item in items:
            self._fits(session, identity, item, dossier, source)
        if not items:
            return 0
        if source is not None:
            self._leave(work, identity, source, {item.id for item in items})
        at = _index(into, place)
        before = [item._replace(volume=item.volume or 1) for item in into.all] if volumes else into.all
        added = [_placed(item)._replace(volume=volumes.get(item.id)) for item in items]
        if stood is None:
            after = [*before[:at], *added, *before[at:]]
        else:
            after = dossier_order.put_back(before, added, stood, floor=behind_filed(into))
        keep_filed(into, after, {item.id for item in items})
        self._level(work, identity, dossier, items)
        self._write(work, identity, into, after, {"put_in": [str(item.id) for item in items]}, items)
        return len(items)

    def take_out(
        self, identity: Identity, dossier_id: UUID, item_ids: Sequence[UUID], version: int | None = None
    ) -> None:
        """Take items out of a dossier; they lie in none then, and keep their numbers. Raises as ``put_in``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self.take_out_in_work(work, identity, dossier_id, item_ids, version)
            work.commit()

    def take_out_in_work(
        self, work: Work, identity: Identity, dossier_id: UUID, item_ids: Sequence[UUID], version: int | None = None
    ) -> None:
        """Take items out inside the caller's transaction. Raises as ``put_in``."""
        self._open(work.session, identity, dossier_id, version)
        items = self._items(work.session, identity, item_ids)
        for item in items:
            self._fits(work.session, identity, item, None, dossier_id)
        self._leave(work, identity, dossier_id, {item.id for item in items})
        dossier_order.lay(work.session, None, [_placed(item) for item in items])
        self._moved(work, identity, items, None)

    def reorder(self, identity: Identity, dossier_id: UUID, places: Mapping[UUID, tuple[int, int]]) -> None:
        """Move items within a dossier: each from the place where this person saw it to another (both from 1).

        What changed meanwhile and does not touch the places that are named stops nothing, seen or not.

        Raises:
            Conflict: items do not lie any more where they were seen.
            InvalidInput: a filed item of a filed dossier would move, or another come before it.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            here = self._open(work.session, identity, dossier_id, None)
            lies = {key: at for at, key in enumerate(here.seen, 1)}
            if any(lies.get(key) != was for key, (was, _) in places.items()):
                raise Conflict(what="dossier", version=here.dossier.version)
            wanted = {key: to for key, (was, to) in places.items() if to != was}
            self._order(work, identity, here, dossier_order.placed_at(here.seen, wanted))

    def order(self, identity: Identity, dossier_id: UUID, wanted: Sequence[UUID], version: int) -> None:
        """Put all items of a dossier that the person sees into an order.

        Raises:
            Conflict: the dossier is not at ``version``.
            InvalidInput: as ``reorder``; or ``wanted`` does not name each item that they see once.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            here = self._open(work.session, identity, dossier_id, version)
            if sorted(wanted) != sorted(here.seen):
                raise InvalidInput(Fault("records", "not_the_contents"))
            self._order(work, identity, here, wanted)

    def divide(self, identity: Identity, dossier_id: UUID, item_id: UUID, version: int, *, begins: bool = True) -> None:
        """Begin a new volume at an item, or (``begins`` False) join its volume to the one before.

        Raises:
            NotFound: this person sees no such item in the dossier.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            here = self._open(work.session, identity, dossier_id, version)
            at = _seen_at(here, item_id)
            order = [item.id for item in here.all]
            starts = {item.id for above, item in pairwise(here.all) if item.volume != above.volume}
            if begins:
                starts.add(item_id)
            elif at:
                starts -= set(order[order.index(here.seen[at - 1]) + 1 : order.index(item_id) + 1])
            volume, after = 1, []
            for n, item in enumerate(here.all):
                volume += n > 0 and item.id in starts
                after.append(item._replace(volume=volume))
            keep_filed(here, after)
            self._write(work, identity, here, after, {"volumes": volume})
            work.commit()

    def split(self, identity: Identity, dossier_id: UUID, item_id: UUID, title: str, version: int) -> UUID:
        """Make a new dossier of the items from one on, described as the old one but for its title; return its id.

        Raises:
            NotFound: this person sees no such item in the dossier.
            InvalidInput: it is the first one, more than ``MOST`` would move, or a filed item of a filed dossier.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            made, moving = self.begin_split(work, identity, dossier_id, item_id, title, version)
            items = self._items(work.session, identity, [each.id for each in moving])
            self._leave(work, identity, dossier_id, {each.id for each in moving})
            into = Arranged(work.session.get_one(Record, made), [], [])
            self._write(work, identity, into, moving, {"split_from": str(dossier_id)}, items)
            work.commit()
        return made

    def begin_split(
        self, work: Work, identity: Identity, dossier_id: UUID, item_id: UUID, title: str, version: int
    ) -> tuple[UUID, list[Placed]]:
        """Make the new dossier of a split in the caller's transaction; return its id and what is to come into it."""
        here = self._open(work.session, identity, dossier_id, version)
        at = _seen_at(here, item_id)
        if at == 0:
            raise InvalidInput(Fault("item", "first_of_dossier"))
        subjects = work.session.scalars(select(RecordSubject.subject_id).where(RecordSubject.record_id == dossier_id))
        old = self._records.draft_of(work.session, here.dossier)
        [made] = self._records.insert(work, identity, [replace(old, title=title, subjects=tuple(subjects))])
        lying = {item.id: item._replace(position=None) for item in here.all}
        return made, [lying[key] for key in here.seen[at:]]

    def merge(self, identity: Identity, into_id: UUID, other_id: UUID, version: int | None = None) -> int:
        """Put all items of another dossier behind those of a dossier; return how many. The other one is left empty.

        Raises as ``put_in``; volumes of either stay apart.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            into = self._open(session, identity, into_id, version)
            other = self._open(session, identity, other_id, None)
            if into_id == other_id:
                raise InvalidInput(Fault("dossier", "same_dossier"))
            items = self._items(session, identity, other.seen)
            for item in items:
                self._fits(session, identity, item, into.dossier, other_id)
            if not items:
                return 0
            volumes = {item.id: item.volume for item in other.all}
            last = into.all[-1].volume or 1 if into.all else 0
            apart = any(volumes.values()) or last > 1
            self._leave(work, identity, other_id, set(other.seen))
            added = [_placed(item)._replace(volume=last + (volumes[item.id] or 1) if apart else None) for item in items]
            before = [item._replace(volume=item.volume or 1) for item in into.all] if apart else into.all
            after = [*before, *added]
            self._level(work, identity, into.dossier, items)
            self._write(work, identity, into, after, {"merged": str(other_id)}, items)
            work.commit()
        return len(items)

    def _open(self, session: Session, identity: Identity, dossier_id: UUID, version: int | None) -> Arranged:
        """Return a dossier that this person may arrange now, as it lies."""
        dossier = self._guard.require(session, identity, Act.ARRANGE, dossier_id)
        check_dossier(dossier)
        if version is not None and dossier.version != version:
            raise Conflict(what="dossier", version=dossier.version)
        items = dossier_order.placed(session, dossier_id)
        return Arranged(dossier, items, self._dossiers.seen(session, identity, dossier_id))

    def _items(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> list[Record]:
        """Return the items in the order of ``ids``, each once, if this person may arrange every one."""
        wanted = list(dict.fromkeys(ids))
        if len(wanted) > MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        allowed = self._guard.visible(session, identity, Act.ARRANGE).where(Record.id.in_(wanted))
        found = {row.id: row for row in session.scalars(allowed)}
        return [found.get(key) or self._guard.require(session, identity, Act.ARRANGE, key) for key in wanted]

    def _fits(
        self, session: Session, identity: Identity, item: Record, dossier: Record | None, source: UUID | None
    ) -> None:
        if item.kind is not RecordKind.ITEM:
            raise InvalidInput(Fault("records", "no_item", {"title": item.title}))
        if dossier is not None and item.fonds_id != dossier.fonds_id:
            raise InvalidInput(Fault("records", "other_fonds_dossier", {"title": item.title}))
        if item.dossier_id == source:
            return
        if item.dossier_id is None:
            raise Conflict(what="dossier")
        seen = self._guard.visible(session, identity).where(Record.id == item.dossier_id)
        if session.scalars(seen).one_or_none() is None:  # it must not be told that it lies in one
            raise NotAllowed(act=Act.ARRANGE.value)
        raise InvalidInput(Fault("records", "lies_elsewhere", {"title": item.title}))

    def _leave(self, work: Work, identity: Identity, source_id: UUID, ids: Collection[UUID]) -> None:
        """Take items out of the dossier that they lie in now; where they go is the caller's."""
        source = self._open(work.session, identity, source_id, None)
        rest = [item for item in source.all if item.id not in ids]
        keep_filed(source, rest)
        dossier_order.write(work.session, source_id, source.all, rest)
        self._noted(work, identity, source.dossier, {"taken_out": sorted(map(str, ids))})

    def _level(self, work: Work, identity: Identity, dossier: Record, items: Sequence[Record]) -> None:
        """Raise a dossier to the level of its highest item, if this person may."""
        rank = max(item.level_rank for item in items)
        if rank <= dossier.level_rank:
            return
        if dossier.state is not RecordState.PROVISIONAL:
            raise InvalidInput(Fault("level", "above_filed_dossier"))
        if not may_set_level(self._guard.reach(work.session, identity), facts_of(dossier, ()), rank):
            raise NotAllowed(act=Act.SET_LEVEL.value)
        raise_to(work, identity, dossier, rank, Means(self._log, self._outbox, self._clock))

    def _order(self, work: Work, identity: Identity, here: Arranged, wanted: Sequence[UUID]) -> None:
        moved = dossier_order.moved_among(here.seen, wanted)
        if not moved:
            return
        after = dossier_order.reordered(here.all, wanted)
        keep_filed(here, after)
        stood, stands = ({key: at for at, key in enumerate(order, 1)} for order in (here.seen, wanted))
        told = [[str(key), stood[key], stands[key]] for key in moved[:_TOLD]]
        self._write(work, identity, here, after, {"moved": told, "of": len(wanted)})
        work.commit()

    def _write(
        self,
        work: Work,
        identity: Identity,
        here: Arranged,
        after: Sequence[Placed],
        body: Mapping[str, Any],
        items: Sequence[Record] = (),
    ) -> None:
        """Write an order; ``items`` are those that were not in the dossier before."""
        dossier_order.write(work.session, here.dossier.id, here.all, after)
        self._moved(work, identity, items, here.dossier.id)
        self._noted(work, identity, here.dossier, body)

    def _moved(self, work: Work, identity: Identity, items: Sequence[Record], after: UUID | None) -> None:
        """Log where items went, each under its own key, and have them indexed anew."""
        act = "record.take_out" if after is None else "record.put_in"
        told = [
            (item.id, {"before": item.dossier_id and str(item.dossier_id), "after": after and str(after)})
            for item in items
        ]
        self._log.note_many(work.session, identity, act, told)
        self._outbox.add_many(work, JobKind.INDEX, [item.id for item in items])

    def _noted(self, work: Work, identity: Identity, dossier: Record, body: Mapping[str, Any]) -> None:
        dossier.version += 1
        work.session.flush()
        self._log.note(work.session, identity, Act.ARRANGE.value, record=dossier.id, body=body)
        self._outbox.add(work, JobKind.INDEX, dossier.id)


def _placed(item: Record) -> Placed:
    """Return an item as one that comes in: in the volume of what it is put behind."""
    return Placed(item.id, None, item.state is not RecordState.PROVISIONAL)


def _index(here: Arranged, place: int | None) -> int:
    """Return where among all items lies the place that a person names among those they see."""
    if place is None or not here.seen or place > len(here.seen):
        return len(here.all)
    before = here.seen[max(place, 1) - 1]
    return next(at for at, item in enumerate(here.all) if item.id == before)


def _seen_at(here: Arranged, item_id: UUID) -> int:
    if item_id not in here.seen:
        raise NotFound
    return here.seen.index(item_id)
