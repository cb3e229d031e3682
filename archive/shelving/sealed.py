"""Holds on places of the store rooms: what comes to such a place, or leaves it, is written into the rows of the hold.

What lies at a held place is held because it lies there (``retention.holding`` asks). What moves gets its row in the
transaction of the move, so it stays held wherever it goes, by itself or with its box.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Subquery, false, insert, literal, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from archive.ids import UUID
from archive.model import Copy, CopyMove, Hold, HoldKind, HoldRecord, Medium, Record, ShelfPlace
from archive.shelving.rules import way_to


def papers(among: ColumnElement[bool] | None = None, of: Collection[UUID] | None = None) -> Subquery:
    """Return the ``record_id`` and ``place_id`` of papers: of the copies that fit ``among``, of the records ``of``.

    The paper of an item may be bound in with its dossier's: it lies where that one's copies lie, too.
    """
    own = select(Copy.record_id.label("record_id"), Copy.place_id.label("place_id"))
    bound = select(Record.id, Copy.place_id).join(Copy, Copy.record_id == Record.dossier_id)
    bound = bound.where(Record.medium != Medium.ELECTRONIC)
    if among is not None:
        own, bound = own.where(among), bound.where(among)
    if of is not None:
        own, bound = own.where(Copy.record_id.in_(list(of))), bound.where(Record.id.in_(list(of)))
    return union_all(own, bound).subquery()


def note_move(session: Session, move: CopyMove) -> None:
    """Add a move of a copy, or of a place that has its new path; what moves comes under the holds on both its ends.

    The object store is told by the next job on holds.
    """
    session.add(move)
    on = holds_at(session, [each for each in (move.from_id, move.to_id) if each is not None])
    if not on:
        return
    session.flush()
    moved = papers(Copy.id == move.copy_id if move.copy_id else lying_at(move.moved_id))
    named = select(HoldRecord.hold_id).where(HoldRecord.hold_id == Hold.id, HoldRecord.record_id == moved.c.record_id)
    rows = select(Hold.id, moved.c.record_id, literal(move.at, HoldRecord.since.type), false()).distinct()
    rows = rows.select_from(Hold).join(moved, true()).where(Hold.id.in_(on), ~named.exists())
    session.execute(insert(HoldRecord).from_select(["hold_id", "record_id", "since", "on_store"], rows))


def holds_at(session: Session, places: Collection[UUID]) -> list[UUID]:
    """Return the standing holds on places, or on what these stand in."""
    standing = select(Hold.id, Hold.covers).where(Hold.kind == HoldKind.SHELF, Hold.released_at.is_(None))
    holds = session.execute(standing).all()
    ends = [session.get_one(ShelfPlace, each) for each in places] if holds else []
    ways = {str(each.id) for end in ends for each in way_to(session, end)}
    return [row.id for row in holds if row.covers["id"] in ways]


def lying_at(place_id: UUID | None) -> ColumnElement[bool]:
    """Return the condition that a copy lies at a place, or within it."""
    at, place = aliased(ShelfPlace), aliased(ShelfPlace)
    inside = or_(place.id == at.id, place.path.startswith(at.path + "-"))
    return Copy.place_id.in_(select(place.id).join(at, inside).where(at.id == place_id))
