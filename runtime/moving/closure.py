"""Closing a house to writers while it moves, opening it again, and taking a move back."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import delete, func, select, update

from archive import failpoints
from archive.database import Database
from archive.errors import InUse, NotFound
from archive.identity import system
from archive.log.checkpoints import read_witness
from archive.model import Attachment, Closed, Closure, Content, ContentState, JobKind, LogSeal, MoveRun
from runtime.settings import Settings
from runtime.wiring.parts import NoWaker, Parts, build
from storage.attached import place


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
    """What was taken back: ``state`` is how the house was closed, ``later`` the log's entries of the other place."""

    whereto: str
    state: str
    later: int


def undo(parts: Parts) -> Undone:
    """Open the house here again after a move that ended, or one that was killed. The new place is left as it is.

    Raises:
        NotFound: nothing is closed here.
        InUse: the database stayed, and files came into the new store that the old one lacks.
    """
    with parts.db.reading() as session:
        closure = session.scalars(select(Closure).order_by(Closure.since.desc()).limit(1)).first()
        if closure is None:
            raise NotFound
        whereto = session.scalar(select(MoveRun.whereto).where(MoveRun.id == closure.move_id)) or ""
        seq = session.scalar(select(func.max(LogSeal.seq))) or 0
    later = 0
    aside = parts.witness.with_name(f"witness-before-undo-{closure.move_id}.jsonl")  # there: an undo broke off
    if closure.state is Closed.MOVED and not closure.place:
        told = (line.size for each in (parts.witness, aside) for line in read_witness(each))
        later = max(0, max(told, default=0) - seq)
        if later and not aside.exists():  # it speaks of the log that went on elsewhere, and stays as evidence
            parts.witness.rename(aside)
            failpoints.reach("move.undo")
    versions = _old_versions(parts) if closure.place else []
    with parts.db.writing() as work:
        if closure.place:
            place(work.session, versions)
            for kind in (JobKind.LOCK, JobKind.HOLD):
                parts.outbox.add(work, kind)
        work.session.execute(delete(Closure).where(Closure.move_id == closure.move_id))
        ended = update(MoveRun).where(MoveRun.id == closure.move_id)
        work.session.execute(ended.values(ended_at=parts.clock.now(), error="undone"))
        body = {"to": whereto, "state": closure.state.value, "later": later}
        parts.log.note(work.session, system("move"), "house.move_undo", body=body)
        work.commit()
    parts.sealer.seal_all()
    parts.checkpoints.make()
    return Undone(whereto, closure.state.value, later)


def _old_versions(parts: Parts) -> list[dict[str, str]]:
    held = {info.key: info.version for info in parts.store.list()}
    with parts.db.reading() as session:
        query = select(Content.object_key).where(
            Content.state != ContentState.RECEIVING, Content.store_version.is_not(None)
        )
        attached = select(Attachment.object_key).where(Attachment.store_version.is_not(None))
        keys = [*session.scalars(query), *session.scalars(attached)]
    if missing := [key for key in keys if key not in held]:
        raise InUse(what="store", count=len(missing))
    return [{"whose": key, "version": held[key]} for key in keys]
