"""Where papers lie: places, the copies of records, and shelving them."""

from dataclasses import replace
from uuid import UUID

from archive.errors import Fault, InvalidInput, NotFound
from archive.shelving.copies import CopyFacts, CopyView, facts_of
from archive.shelving.tree import PlaceFacts
from web.api import given
from web.api.made_of_papers import CopyAdded, CopyList, CopyPlaced, CopyShown, ShelfAdded, ShelfList, ShelfShown
from web.api.operations import operation
from web.services import identity, services


@operation("/shelves", 403, 404)
def shelves(query: given.BelowShelf) -> ShelfList:
    """List the places directly in one, or the store rooms, with how full each is as far as it is yours to know."""
    rows = services().shelving.looks.below(identity(), query.below)
    return ShelfList(
        shelves=[
            ShelfShown(
                shelf=each.place.id,
                kind=each.place.kind,
                path=each.place.path,
                names=each.place.names,
                strength=each.place.strength,
                taken=each.taken,
                capacity=each.capacity,
            )
            for each in rows
        ]
    )


@operation("/shelves", 403, 409, method="POST", status=201)
def add_shelf(body: given.NewShelf) -> ShelfAdded:
    """Add a room, or a place in another."""
    own = services()
    try:
        parent = own.shelving.looks.id_at(identity(), body.parent) if body.parent else None
    except NotFound:
        raise InvalidInput(Fault("parent", "unknown")) from None
    names = {str(locale): name for locale, name in body.names.items()}
    facts = PlaceFacts(names, body.security, body.capacity)
    return ShelfAdded(shelf=own.shelving.tree.add(identity(), body.kind, body.code, facts, parent))


@operation("/records/{record_id}/copies", 404)
def copies(record_id: UUID) -> CopyList:
    """List the copies of a record, the withdrawn ones too, with where each lies."""
    return CopyList(copies=[_shown(each) for each in services().shelving.copies.of(identity(), record_id)])


@operation("/records/{record_id}/copies", 403, 404, method="POST", status=201)
def add_copy(record_id: UUID, body: given.NewCopy) -> CopyAdded:
    """Note a copy of a record."""
    facts = CopyFacts(body.carrier, body.condition, body.pages, body.original, body.original_at)
    made = services().shelving.copies.add(identity(), record_id, facts)
    return CopyAdded(copy_id=made.id, number=made.number)


@operation("/copies/{copy_id}", 404, tagged=True)
def one_copy(copy_id: UUID) -> CopyShown:
    """Show a copy: what it is, where it lies and whom it is with."""
    return _shown(_found(copy_id))


@operation("/copies/{copy_id}", 403, 404, 412, method="PATCH", tagged=True)
def change_copy(copy_id: UUID, body: given.CopyChanges, version: int) -> CopyShown:
    """Change what is said of a copy."""
    facts = replace(facts_of(_found(copy_id).copy), **body.model_dump(exclude_unset=True))
    services().shelving.copies.change(identity(), copy_id, facts, version)
    return _shown(_found(copy_id))


@operation(
    "/copies/{copy_id}/withdraw", 403, 404, 409, 412, method="POST", tagged=True, again=one_copy, speaks=True
)  # fmt: skip
def withdraw_copy(copy_id: UUID, body: given.CopyReason, version: int) -> CopyShown:
    """Withdraw a copy that is no more: it leaves its place; its number stays its own."""
    services().shelving.copies.withdraw(identity(), copy_id, body.reason, version)
    return _shown(_found(copy_id))


@operation("/copies/{copy_id}/holder", 403, 404, 409, 412, method="PUT", tagged=True)
def hand_copy(copy_id: UUID, body: given.CopyHolder, version: int) -> CopyShown:
    """Note who of the archive has a copy at work: it leaves its place, and comes back by being shelved."""
    services().shelving.copies.hand(identity(), copy_id, body.holder, version)
    return _shown(_found(copy_id))


@operation("/copies/{copy_id}/place", 403, 404, 409, method="POST")
def place_copy(copy_id: UUID, body: given.CopyPlace) -> CopyPlaced:
    """Put a copy where it is to lie; twice at the same place is no error."""
    services().shelving.copies.record_of(identity(), copy_id)
    try:
        place = services().shelving.looks.id_at(identity(), body.place)
    except NotFound:
        raise InvalidInput(Fault("place", "unknown")) from None
    placed = services().shelving.placing.place(identity(), copy_id, place)
    return CopyPlaced(copy_id=copy_id, place=placed.path, taken=placed.taken, capacity=placed.capacity)


def _found(copy_id: UUID) -> CopyView:
    return services().shelving.copies.one(identity(), copy_id)


def _shown(each: CopyView) -> CopyShown:
    row = each.copy
    return CopyShown(
        copy_id=row.id, number=row.number, carrier=row.carrier, condition=row.condition, pages=row.pages,
        original=row.original, original_at=row.original_at, place=each.place.path if each.place else None,
        holder=each.holder, to_move=each.to_move, withdrawn=row.withdrawn_at is not None, version=row.version,
    )  # fmt: skip
