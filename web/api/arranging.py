"""What lies in dossiers, the acts of arranging it, and how records belong together."""

from uuid import UUID

from archive.arranging.items import MOST
from archive.cataloguing.showing import CustodyView, number_of
from archive.errors import NotFound
from archive.model import RelationKind
from web.api import given
from web.api.describing import changed
from web.api.made import RecordChanged
from web.api.made_of_papers import (
    DossierContents,
    DossierSplit,
    ItemPlaced,
    RecordsRelated,
    RelationList,
    RelationShown,
)
from web.api.operations import operation
from web.services import identity, services


@operation("/records/{record_id}/contents", 403, 404, tagged=True)
def dossier_contents(record_id: UUID) -> DossierContents:
    """List the items of a dossier that the person sees, in order."""
    shown = services().dossiers.contents(identity(), record_id)
    items = [
        ItemPlaced(
            record=each.record_id,
            place=each.place,
            number=each.number,
            document_number=each.document_number,
            title=each.title,
            responsible=each.responsible,
            drawn_up=each.drawn_up,
            pages=each.pages,
            first_page=each.first,
            last_page=each.last,
            volume=each.volume,
            medium=each.medium,
            level=each.level_rank,
            state=each.state,
            version=each.version,
        )
        for each in shown.entries
    ]
    return DossierContents(record=record_id, items=items, version=shown.dossier.version)


@operation("/records/{record_id}/contents", 403, 404, 409, method="POST", again=changed)
def put_into_dossier(record_id: UUID, body: given.PutIn) -> RecordChanged:
    """Put items into a dossier; those that lie in it already stay where they are."""
    services().arranging.put_in(identity(), record_id, body.records, source=body.source, place=body.place)
    return changed(record_id)


@operation("/records/{record_id}/contents", 403, 404, 409, 412, method="PUT")
def order_dossier(record_id: UUID, body: given.Order, version: int) -> RecordChanged:
    """Put all items of a dossier that the person sees into an order."""
    services().arranging.order(identity(), record_id, body.records, version)
    return changed(record_id)


@operation("/records/{record_id}/contents/{item_id}", 403, 404, 409, method="DELETE", status=204)
def take_out_of_dossier(record_id: UUID, item_id: UUID) -> None:
    """Take an item out of a dossier; it lies in none then, and keeps its numbers."""
    services().arranging.take_out(identity(), record_id, [item_id])


@operation("/records/{record_id}/contents/{item_id}/volume", 403, 404, 409, 412, method="PUT")
def divide_dossier(record_id: UUID, item_id: UUID, body: given.Volume, version: int) -> RecordChanged:
    """Begin a volume at an item, or join its volume to the one before."""
    services().arranging.divide(identity(), record_id, item_id, version, begins=body.begins)
    return changed(record_id)


@operation(
    "/records/{record_id}/split",
    403,
    404,
    409,
    412,
    method="POST",
    status=201,
    made_at="/records/{record}",
    again=lambda key: DossierSplit(record=key),
)
def split_dossier(record_id: UUID, body: given.Split, version: int) -> DossierSplit:
    """Make a new dossier of an item and all behind it, described as the old one but for its title."""
    if services().bulk_moves.count_from(identity(), record_id, body.item) > MOST:
        made, move = services().bulk_moves.split(identity(), record_id, body.item, body.title, version)
        return DossierSplit(record=made, move=move)
    return DossierSplit(record=services().arranging.split(identity(), record_id, body.item, body.title, version))


@operation("/records/{record_id}/merge", 403, 404, 409, 412, method="POST", again=changed)
def merge_dossier(record_id: UUID, body: given.Merge, version: int) -> RecordChanged:
    """Put all items of another dossier behind those of this one; the other is left empty."""
    services().arranging.merge(identity(), record_id, body.other, version)
    return changed(record_id)


@operation("/records/{record_id}/relations", 404)
def relations(record_id: UUID) -> RelationList:
    """List how a record belongs to others that the person may read."""
    if isinstance(services().reader.show(identity(), record_id), CustodyView):
        raise NotFound
    found = [
        RelationShown(
            kind=each.kind,
            outward=each.outward,
            record=each.other.id,
            number=number_of(each.other),
            title=each.other.title,
            level=each.other.level_rank,
        )
        for each in services().relations.of(identity(), record_id)
    ]
    return RelationList(relations=found)


@operation("/records/{record_id}/relations", 403, 404, method="PUT")
def relate(record_id: UUID, body: given.RelationMade) -> RecordsRelated:
    """Say that a record belongs to another; doing it twice changes nothing more."""
    services().relations.add(identity(), record_id, body.kind, body.other)
    return RecordsRelated(record=record_id, kind=body.kind, other=body.other)


@operation("/records/{record_id}/relations/{kind}/{other_id}", 403, 404, method="DELETE", status=204)
def unrelate(record_id: UUID, kind: str, other_id: UUID) -> None:
    """Take a relation away."""
    known = {each.value: each for each in RelationKind}
    if kind not in known:
        raise NotFound
    services().relations.remove(identity(), record_id, known[kind], other_id)
