"""Acts on descriptions: catalogue, list, describe, file, level, need-to-know, bin. Each is one call of its service."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from archive.accounts import folded
from archive.cataloguing.describing import Draft
from archive.cataloguing.showing import CustodyView, RecordFilter, RecordView, number_of
from archive.errors import Fault, InvalidInput, NotFound
from archive.filing.one import Filed
from archive.model import Record
from web import paging
from web.api import given
from web.api.made import DoubleDecided, FiledMany, RecordChanged, RecordFiled, RecordListed, RecordPage, RecordVital
from web.api.names import behind, department_id, fonds_id, page, place_id
from web.api.operations import operation
from web.api.refusals import AnswerLost, Stale
from web.kept_apart import group_at
from web.services import identity, services

NONE = UUID(int=0)
"""The id of nothing."""


def changed(record_id: UUID) -> RecordChanged:
    """Return a record's version now: the answer to an act on it. Raises ``AnswerLost``: it went for good since."""
    with services().db.reading() as session:
        row = session.get(Record, record_id)
    if row is None:
        raise AnswerLost
    return RecordChanged(record=record_id, version=row.version)


@operation("/records")
def records(query: given.RecordList) -> RecordPage:
    """List the records that the person may read, newest first."""
    wanted = RecordFilter(query.fonds, query.category, query.state, query.level, query.place)
    rows = services().reader.page(identity(), wanted, after=behind(query.cursor, paging.read_id), limit=query.limit + 1)
    shown, following = page(rows, query.limit, lambda row: str(row.id))
    return RecordPage(records=[_listed(row) for row in shown], next=following)


def _faults(body: given.NewRecord) -> Sequence[Fault]:
    try:
        draft, faults = _draft(body)
    except InvalidInput as error:
        return error.faults
    return [*faults, *services().records.faults_of(draft)]


@operation(
    "/records", 403, 404, method="POST", status=201, made_at="/records/{record}", again=changed, check=_faults
)  # fmt: skip
def create_record(body: given.NewRecord) -> RecordChanged:
    """Catalogue a record; it is provisional until it is filed. Who puts it under need-to-know is named on it."""
    draft, faults = _draft(body)
    if faults:
        raise InvalidInput(*_faults(body))
    return changed(services().records.create(identity(), draft))


def _draft(body: given.NewRecord) -> tuple[Draft, list[Fault]]:
    """Return the draft that a body means, and what it names that is not there.

    Raises:
        InvalidInput: there is no such fonds, so that nothing else can be judged.
    """
    fonds, faults = fonds_id(body.fonds), list[Fault]()
    found = [each for each in services().directory.categories() if (each.fonds_id, each.code) == (fonds, body.category)]
    category = found[0].id if found else NONE
    plain = _plain(body, fonds, faults)
    draft = Draft(
        fonds_id=fonds,
        category_id=category,
        title=body.title,
        kind=body.kind,
        level_rank=body.level,
        group_id=_group(body.group, fonds, category, plain["place_id"], faults),
        named=_named(body, faults),
        term=body.term,
        fields={name: value for name, value in body.fields.items() if value is not None},
        **plain,
    )
    return draft, faults


@operation("/records/{record_id}", 403, 404, 409, 412, method="PATCH")
def describe_record(record_id: UUID, body: given.Described, version: int) -> RecordChanged:
    """Change a provisional record's description; parts that are left out stay."""
    changes = changes_of(record_id, body)
    services().records.describe(identity(), record_id, changes, version)
    return changed(record_id)


def changes_of(record_id: UUID, body: given.Described) -> dict[str, Any]:
    """Return the changes that a body asks for of a record that this person reads.

    Raises:
        NotFound: they read no such record.
        InvalidInput: names each field that is no department or place.
    """
    view = _full(record_id)
    sent, faults = body.model_fields_set, list[Fault]()
    plain = {"title": body.title, **_plain(body, view.fonds.id, faults)}
    if faults:
        raise InvalidInput(*faults)
    columns = {"place": "place_id", "department": "department_id"}
    changes: dict[str, Any] = {columns.get(name, name): plain[columns.get(name, name)] for name in sent & set(ALIKE)}
    if "term" in sent:
        changes["term"] = body.term
    if "fields" in sent:
        known = {field.name: value for field, value in view.fields} | body.fields
        changes["fields"] = {name: value for name, value in known.items() if value is not None}
    return changes


def _numbered(record_id: UUID) -> RecordFiled:
    with services().db.reading() as session:
        row = session.get_one(Record, record_id)
    return _filed(Filed(record_id, row.archive_number, row.registration_number))


@operation("/records/{record_id}/file", 404, 412, method="POST", again=_numbered)
def file_record(record_id: UUID, version: int) -> RecordFiled:
    """File a record: it gets its numbers and is fixed, or says why it waits. A filed one answers with its numbers."""
    [outcome] = services().filing.file(identity(), [record_id], versions={record_id: version})
    if outcome.reason == "not_found":
        raise NotFound
    if outcome.reason == "changed_since":
        raise Stale(what="record")
    return _filed(outcome)


@operation("/records/file", method="POST")
def file_records(body: given.Many) -> FiledMany:
    """File records; one that cannot be filed yet says why and holds up no other."""
    outcomes = services().filing.file(identity(), list(dict.fromkeys(body.records)))
    return FiledMany(outcomes=[_filed(each) for each in outcomes])


@operation("/records/{record_id}/level", 403, 404, 409, 412, method="POST", again=changed)
def set_level(record_id: UUID, body: given.Level, version: int) -> RecordChanged:
    """Change a record's secrecy level; it holds at once, in search too."""
    services().records.set_level(identity(), record_id, body.level, body.reason, version)
    return RecordChanged(record=record_id, version=version + 1)


@operation("/records/{record_id}/vital", 403, 404, 409, 422, method="POST")
def set_vital(record_id: UUID, body: given.Vital) -> RecordVital:
    """Mark a record as vital until the day of a review, or take the mark off; it changes nothing else of it."""
    services().vital.mark(identity(), [record_id], body.review)
    return RecordVital(record=record_id, vital_review=body.review)


@operation("/records/{record_id}/group", 403, 404, 409, 412, method="POST", again=changed)
def set_group(record_id: UUID, body: given.Group, version: int) -> RecordChanged:
    """Put a record under need-to-know, or take it out; it holds at once, in search too."""
    services().records.set_group(identity(), record_id, body.group, body.reason, version)
    return RecordChanged(record=record_id, version=version + 1)


@operation("/records/{record_id}/bin", 403, 404, 409, 412, method="POST", again=changed)
def bin_record(record_id: UUID, version: int) -> RecordChanged:
    """Put a provisional record into the bin, for 30 days."""
    services().records.bin(identity(), record_id, version)
    return RecordChanged(record=record_id, version=version + 1)


@operation("/records/{record_id}/restore", 403, 404, 409, 412, method="POST", again=changed)
def restore_record(record_id: UUID, version: int) -> RecordChanged:
    """Take a record back out of the bin."""
    services().records.restore(identity(), record_id, version)
    return RecordChanged(record=record_id, version=version + 1)


@operation("/records/{record_id}/alike/{other_id}", 403, 404, method="PUT")
def decide_double(record_id: UUID, other_id: UUID, body: given.DoubleDecision) -> DoubleDecided:
    """Keep that two records are not the same, or take that back; neither is told beside the other any more."""
    services().doubles.decide(identity(), record_id, other_id, same=body.same)
    return DoubleDecided(record=record_id, other=other_id, same=body.same)


ALIKE = (
    "title", "drawn_up", "responsible", "department", "place", "medium", "material", "pages", "keywords",
    "importance", "notes",
)  # fmt: skip
"""Parts of a description that are sent alike for a new record and for a change."""


def _plain(body: given.Described, fonds: UUID, faults: list[Fault]) -> dict[str, Any]:
    return {
        "drawn_up": body.drawn_up,
        "responsible": body.responsible,
        "department_id": department_id(body.department, faults),
        "place_id": place_id(fonds, body.place, faults),
        "medium": body.medium,
        "material": body.material,
        "pages": body.pages,
        "keywords": tuple(dict.fromkeys(body.keywords)),
        "importance": body.importance,
        "notes": body.notes,
    }


def _group(
    mark: str | None, fonds: UUID, category: UUID | None, place: UUID | None, faults: list[Fault]
) -> UUID | None:
    if mark is None:
        return None
    found = group_at(mark, fonds=fonds, category=category, place=place)
    if found is None:
        faults.append(Fault("group", "unknown"))
    return found


def _named(body: given.NewRecord, faults: list[Fault]) -> tuple[UUID, ...]:
    known = services().directory.people_called(body.named)
    if len(known) < len({folded(login) for login in body.named}):
        faults.append(Fault("named", "unknown"))
    own = identity().person_id
    return (own,) if body.group is not None and not known and own else tuple(dict.fromkeys(known.values()))


def _full(record_id: UUID) -> RecordView:
    view = services().reader.show(identity(), record_id)
    if isinstance(view, CustodyView):
        raise NotFound
    return view


def _filed(outcome: Filed) -> RecordFiled:
    return RecordFiled(
        record=outcome.record_id,
        number=outcome.archive_number,
        registration_number=outcome.registration_number,
        reason=outcome.reason,
        missing=list(outcome.missing),
    )


def _listed(row: Record) -> RecordListed:
    return RecordListed(
        record=row.id,
        number=number_of(row),
        title=row.title,
        state=row.state,
        kind=row.kind,
        level=row.level_rank,
        drawn_up=row.drawn_up,
        place=row.place_path,
        created_at=row.created_at,
        version=row.version,
    )
