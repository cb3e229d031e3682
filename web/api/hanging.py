"""What records are sorted by and hang on: fonds, categories, levels, places, subjects."""

from uuid import UUID

from archive.cataloguing.showing import number_of
from archive.errors import Fault, InvalidInput
from archive.house.levels import every
from archive.house.levels import mark as level_mark
from archive.model import Place, Subject
from archive.scheme.fields import FieldKind, parse_fields
from web import paging
from web.api import given, problems
from web.api.describing import changed
from web.api.given_lists import LongPage
from web.api.made import (
    CategoryList,
    CategoryOffered,
    FieldOffered,
    FondsList,
    FondsShown,
    LevelList,
    LevelOffered,
    PlaceAdded,
    PlaceList,
    PlaceShown,
    RecordChanged,
    SubjectChanged,
    SubjectRecord,
    SubjectsFound,
    SubjectShown,
)
from web.api.names import behind, fonds_at, place_id
from web.api.operations import operation
from web.directory import CategoryShown
from web.services import identity, services
from web.words.records import masked

NUMBERS = frozenset({FieldKind.PHONE, FieldKind.IDENTITY})


@operation("/fonds")
def fonds() -> FondsList:
    """List the open fonds."""
    rows = services().directory.fonds().values()
    return FondsList(fonds=[FondsShown(fonds=row.code, names=row.names) for row in rows])


@operation("/fonds/{code}/categories", 404)
def categories(code: str) -> CategoryList:
    """List the open categories of a fonds, with what each asks of its records."""
    key = fonds_at(code)
    return CategoryList(categories=[_category(row) for row in services().directory.categories() if row.fonds_id == key])


@operation("/levels")
def levels() -> LevelList:
    """List the house's secrecy levels."""
    locale = problems.language()
    with services().db.reading() as session:
        return LevelList(
            levels=[
                LevelOffered(level=row.rank, names=row.names, mark=level_mark(row, locale), symbol=row.symbol)
                for row in every(session)
            ]
        )


@operation("/fonds/{code}/places", 404)
def places(code: str, query: given.Below) -> PlaceList:
    """List the places directly below one, or the projects."""
    key, own = fonds_at(code), services()
    above = own.places.at(identity(), key, query.below) if query.below else None
    rows = own.places.below(identity(), key, above.id if above else None)
    return PlaceList(places=[_place(row) for row in rows])


@operation("/fonds/{code}/places", 403, 404, 409, method="POST", status=201)
def add_place(code: str, body: given.NewPlace) -> PlaceAdded:
    """Add a place to the property tree."""
    key, faults = fonds_at(code), list[Fault]()
    parent = place_id(key, body.parent, faults, "parent")
    if faults:
        raise InvalidInput(*faults)
    made = services().places.add(
        identity(),
        key,
        kind=body.kind,
        code=body.code,
        names={str(locale): name for locale, name in body.names.items()},
        parent_id=parent,
        types=body.property_types,
        facts=body.facts,
    )
    return PlaceAdded(place=made)


def _subject_changed(subject_id: UUID) -> SubjectChanged:
    with services().db.reading() as session:
        return SubjectChanged(subject=subject_id, version=session.get_one(Subject, subject_id).version)


@operation(
    "/fonds/{code}/subjects", 403, 404, method="POST", status=201, made_at="/subjects/{subject}", again=_subject_changed
)
def add_subject(code: str, body: given.NewSubject) -> SubjectChanged:
    """Add a subject that records can hang on: an owner, a contract, equipment."""
    made = services().subjects.add(identity(), fonds_at(code), body.kind, body.values, code=body.code)
    return SubjectChanged(subject=made, version=1)


@operation("/subjects/{subject_id}", 403, 404, tagged=True)
def subject(subject_id: UUID, query: LongPage) -> SubjectShown:
    """Show a subject, with those of its records that the person may read, the oldest first."""
    after = behind(query.cursor, paging.read)
    view = services().subjects.show(identity(), subject_id, after, limit=query.limit + 1)
    row = view.subject
    records, following = paging.page(view.records, query.limit, lambda each: paging.told((each.created_at, each.id)))
    return SubjectShown(
        subject=row.id,
        kind=row.kind,
        code=row.code,
        values={f.name: masked(str(value)) if f.kind in NUMBERS else value for f, value in view.fields},
        merged_into=row.merged_into,
        merged=list(view.merged),
        records=[SubjectRecord(record=each.id, number=number_of(each)) for each in records],
        next=following,
        version=row.version,
    )


@operation("/subjects/{subject_id}", 403, 404, 412, method="PATCH")
def change_subject(subject_id: UUID, body: given.SubjectChanges, version: int) -> SubjectChanged:
    """Change fields of a subject; those that are left out stay."""
    own = services()
    view = own.subjects.show(identity(), subject_id, limit=1)
    known = {field.name: value for field, value in view.fields} | body.values
    values = {name: value for name, value in known.items() if value is not None}
    return SubjectChanged(
        subject=subject_id, version=own.subjects.change(identity(), subject_id, values, version=version)
    )


@operation("/subjects/find", 403, method="POST")
def find_subjects(body: given.Number) -> SubjectsFound:
    """Find subjects by a whole telephone or identity number."""
    return SubjectsFound(subjects=list(services().subjects.find(identity(), body.number)))


@operation("/records/{record_id}/subjects/{subject_id}", 403, 404, method="PUT")
def link_subject(record_id: UUID, subject_id: UUID) -> RecordChanged:
    """Hang a record on a subject; twice is no error."""
    services().subjects.link(identity(), record_id, subject_id)
    return changed(record_id)


def _category(row: CategoryShown) -> CategoryOffered:
    locale = problems.language()
    return CategoryOffered(
        id=row.id,
        category=row.code,
        names=dict(row.names),
        depth=row.depth,
        level=row.level_rank,
        term=row.term,
        importance=row.importance,
        fields=[
            FieldOffered(
                name=field.name,
                kind=field.kind.value,
                label=field.label(locale),
                required=field.required,
                choices=list(field.choices),
            )
            for field in parse_fields(row.fields)
        ],
        required=list(row.required),
    )


def _place(row: Place) -> PlaceShown:
    return PlaceShown(
        place=row.id,
        kind=row.kind,
        code=row.code,
        path=row.path,
        names=row.names,
        property_types=list(row.property_types),
        version=row.version,
    )
