"""Closing a house to writers while it moves, opening it again, and taking a move back."""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.database import Database
from archive.errors import InUse, NotFound, Unavailable
from archive.identity import system
from archive.log.checkpoints import read_witness
from archive.model import Closed, Closure, JobKind, LogSeal, MoveRun, OwnerKey
from archive.ports import ObjectStore
from runtime.settings import Settings, store_in
from runtime.wiring.parts import NoWaker, Parts, build
from storage.attached import place
from storage.contents import items_of
from storage.copying import is_whole
from storage.items import Item

_UNDONE = "undone"


def moving_parts(settings: Settings, like: Settings) -> Parts:
    """Return parts that write though the house is closed; ``like`` says which failpoints are armed."""
    parts = build(replace(settings, failpoint=like.failpoint), NoWaker())
    parts.db.heeds_gate = False
    return parts


def close(parts: Parts, state: Closed, move_id: UUID, place: str = "") -> None:
    """Close a house, or close it otherwise; on return no write that was under way is left."""
    with parts.db.writing() as work:
        work.session.execute(delete(Closure).where(Closure.move_id == move_id))
        work.session.add(Closure(state=state, move_id=move_id, place=place, since=parts.clock.now()))
        work.commit()


def reopen(db: Database, move_id: UUID) -> None:
    """Take away what a move closed."""
    with db.writing() as work:
        work.session.execute(delete(Closure).where(Closure.move_id == move_id))
        work.commit()


def closed_by(db: Database, move_id: UUID) -> Closed | None:
    """Return how a move has closed the house; None: not at all."""
    with db.reading() as session:
        return session.scalar(select(Closure.state).where(Closure.move_id == move_id))


@dataclass(frozen=True)
class Undone:
    """What was taken back.

    ``state`` is how the house was closed, ``later`` the log's entries of the other place; ``other_witness``: the
    witness bucket of these settings knows that longer log.
    """

    whereto: str
    state: str
    later: int
    other_witness: bool


def undo(parts: Parts) -> Undone:
    """Open the house here again after a move that ended, or one that was killed. The new place is left as it is.

    Broken off, it is done once more: the house is open only when all else is done. Where the store alone had moved,
    the rows name the old store's objects from the very moment in which it is open, and what still runs with another
    store writes nothing from then on: a file that was on its way there would be lost.

    Raises:
        NotFound: nothing is closed here, or a move back closed this place.
        InUse: the database stayed, and files came into the new store that the old one lacks (``move_store``); or keys
            that rows here need were destroyed or made anew at the new place (``move_keys``). Nothing was changed.
    """
    with parts.db.reading() as session:
        here = Closure.place.in_(["", parts.settings.store_url])
        closure = session.scalars(select(Closure).where(here).order_by(Closure.since.desc()).limit(1)).first()
        run = session.get(MoveRun, closure.move_id) if closure else None
        if closure is None or (closure.place and run and store_in(run.whereto) == closure.place):
            raise NotFound
        whereto, told = (run.whereto, run.error == _UNDONE) if run else ("", False)
        seq = session.scalar(select(func.max(LogSeal.seq))) or 0
    went_on = closure.state is Closed.MOVED and not closure.place
    if went_on:
        _require_keys(parts)
    aside = parts.witness.with_name(f"witness-before-undo-{closure.move_id}.jsonl")  # there: an undo broke off
    sizes = [line.size for each in (parts.witness, aside) for line in read_witness(each)] if went_on else []
    later = max(0, max(sizes, default=0) - seq)
    versions = _old_versions(parts) if closure.place else []
    with parts.db.writing() as work:
        if closure.place:
            _require_all(work.session, {each["whose"] for each in versions})  # the new store took files meanwhile
            place(work.session, versions)
            for kind in (JobKind.LOCK, JobKind.HOLD):
                parts.outbox.add(work, kind)
            _close_others(work.session, parts, run)
        if not told:
            ended = update(MoveRun).where(MoveRun.id == closure.move_id)
            work.session.execute(ended.values(ended_at=parts.clock.now(), error=_UNDONE))
            body = {"to": whereto, "state": closure.state.value, "later": later}
            parts.log.note(work.session, system("move"), "house.move_undo", body=body)
        work.commit()
    if later and not aside.exists():  # it speaks of the log that went on elsewhere, and stays as evidence
        parts.witness.rename(aside)
    failpoints.reach("move.undo")
    if not closure.place:
        reopen(parts.db, closure.move_id)
    parts.sealer.seal_all()
    parts.checkpoints.make()
    return Undone(whereto, closure.state.value, later, went_on and _knows_more(parts, seq))


def _close_others(session: Session, parts: Parts, left: MoveRun | None) -> None:
    """Open the house for the store of these parts, and close it for each other one in which it ever lay.

    Where it went from ``left`` on, the move by which it left this one, is closed by the move that went there, and is
    not gone back to. What it had left before is closed as it was.
    """
    here, now = parts.settings.store_url, parts.clock.now()
    standing = session.execute(select(Closure.place, Closure.move_id).where(Closure.place != ""))
    runs = select(MoveRun.id, MoveRun.whereto, MoveRun.began_at).order_by(MoveRun.began_at)
    went = [(store_in(run.whereto), run) for run in session.execute(runs)]
    others = {store: run.id for store, run in went} | {row.place: row.move_id for row in standing}
    others |= {store: run.id for store, run in went if left is None or run.began_at >= left.began_at}
    session.execute(delete(Closure).where(Closure.place != ""))
    for store, move_id in others.items():
        if store not in {"", here}:
            session.add(Closure(state=Closed.MOVED, move_id=move_id, place=store, since=now))


def _require_keys(parts: Parts) -> None:
    """Raise ``InUse`` when the ring lacks a key that rows here need: they would be unreadable for good."""
    with parts.db.reading() as session:
        needed = set(session.scalars(select(OwnerKey.generation_id).distinct()))
    if missing := needed - set(parts.ring.generations()):
        raise InUse(what="move_keys", count=len(missing))


def _knows_more(parts: Parts, seq: int) -> bool:
    """Whether the witness bucket was told of a longer log than the one that stood here; it forgets nothing."""
    with suppress(Unavailable):
        return bool(parts.witness_bucket and parts.witness_bucket.told() > seq)
    return False


def _old_versions(parts: Parts) -> list[dict[str, str]]:
    """Return under which version the old store holds each content: where it has several, one that is whole."""
    held: dict[str, list[str]] = {}
    for info in parts.store.list():
        held.setdefault(info.key, []).append(info.version)
    with parts.db.reading(long=True) as session:
        _require_all(session, held)
        items = list(items_of(session))
    return [{"whose": item.key, "version": _whole(item, parts.store, held[item.key])} for item in items]


def _require_all(session: Session, held: Container[str]) -> None:
    """Raise ``InUse`` when rows name contents that are not among those that the old store holds."""
    if missing := sum(item.key not in held for item in items_of(session)):
        raise InUse(what="move_store", count=missing)


def _whole(item: Item, store: ObjectStore, versions: Sequence[str]) -> str:
    """Return the version that is what it was; one that mending replaced may lie beside it."""
    if len(versions) == 1:
        return versions[0]
    return next((version for version in versions if is_whole(item, store, version)), versions[0])
