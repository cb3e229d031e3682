"""Where papers lie: places, the copies of records, and shelving them."""

from uuid import UUID

from archive.errors import Fault, InvalidInput, NotFound
from archive.shelving.copies import CopyFacts
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
    rows = services().shelving.copies.of(identity(), record_id)
    return CopyList(
        copies=[
            CopyShown(
                copy_id=each.copy.id,
                number=each.copy.number,
                carrier=each.copy.carrier,
                condition=each.copy.condition,
                pages=each.copy.pages,
                original=each.copy.original,
                place=each.place.path if each.place else None,
                to_move=each.to_move,
                withdrawn=each.copy.withdrawn_at is not None,
                version=each.copy.version,
            )
            for each in rows
        ]
    )


@operation("/records/{record_id}/copies", 403, 404, method="POST", status=201)
def add_copy(record_id: UUID, body: given.NewCopy) -> CopyAdded:
    """Note a copy of a record."""
    facts = CopyFacts(body.carrier, body.condition, body.pages, body.original, body.original_at)
    made = services().shelving.copies.add(identity(), record_id, facts)
    return CopyAdded(copy_id=made.id, number=made.number)


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
