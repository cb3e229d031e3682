"""What programs can ask for. Each act is one call of the same service that the pages call, under the same policy."""

from uuid import UUID

from flask import Response
from pydantic import JsonValue

from archive.cataloguing.proposals import Proposed
from archive.cataloguing.showing import CustodyView, FileView, RecordView, number_of
from archive.files.doubles import Double
from archive.house.levels import every
from archive.house.levels import mark as level_mark
from archive.identity import Role
from archive.scheme.fields import FieldDef, FieldKind
from web.api import problems
from web.api.operations import operation
from web.api.shapes import (
    AlikeRecord,
    CustodyRecord,
    FileShown,
    FullRecord,
    HitFound,
    Me,
    PagesWanted,
    PassageFound,
    ProposalMade,
    ReasonMade,
    RecordAnswer,
    RemarkMade,
    SearchAnswer,
    SearchQuery,
)
from web.reading import files
from web.services import identity, services
from web.words.doubles import reason_words
from web.words.proposals import rule_words
from web.words.records import masked
from web.words.remarks import file_remarks, remark_words


@operation("/me")
def me() -> Me:
    """Say whom the token stands for, with their present roles."""
    who = identity()
    person = services().directory.person(who.person_id) if who.person_id else None
    order = list(Role)
    return Me(login=who.name, name=person.name if person else who.name, roles=sorted(who.roles, key=order.index))


@operation("/search", 422, 503)
def search(query: SearchQuery) -> SearchAnswer:
    """Search with the person's present rights; hits, counts and facets hold only what they may read now."""
    pairs = [(name, value) for name, _, value in (each.partition(":") for each in query.filter)]
    found = services().search.search(identity(), query.q, filters=pairs, offset=query.offset, limit=query.limit)
    marks = _marks()
    hits = [
        HitFound(
            number=hit.number,
            title=hit.title,
            level=hit.level_rank,
            mark=marks[hit.level_rank],
            record=hit.record_id,
            passages=[PassageFound(page=each.page, text=each.text, content=each.content_id) for each in hit.passages],
        )
        for hit in found.hits
    ]
    facets = {name: dict(counts) for name, counts in found.facets.items()}
    return SearchAnswer(total=found.total, hits=hits, facets=facets, complete=found.complete)


@operation("/records/{record_id}", 404, tagged=True)
def record(record_id: UUID) -> RecordAnswer:
    """Show a record: in full to who may read it, number and dates to who keeps custody of it."""
    view = services().reader.show(identity(), record_id)
    return _full(view) if isinstance(view, RecordView) else _custody(view)


@operation("/records/by-number/{number}", 404, 409)
def record_by_number(number: str) -> RecordAnswer:
    """Show the record that a number was given to, however it is written; several are named, and none shown."""
    return record(services().records.find_number(identity(), number))


@operation("/files/{content_id}", 403, 404, 409, 416, 503)
def file(content_id: UUID, query: PagesWanted) -> Response:  # noqa: ARG001 - the page reads the same query
    """Send the bytes of a stored file, whole or one range; to who is not to have it as it is, a marked copy."""
    reply = files.download(content_id)
    if reply.status_code != 416:
        return reply
    told = problems.told("range_outside")
    told.headers["Content-Range"] = reply.headers["Content-Range"]
    return told


def _marks() -> dict[int, str]:
    with services().db.reading() as session:
        return {level.rank: level_mark(level, problems.language()) for level in every(session)}


def _custody(view: CustodyView) -> CustodyRecord:
    return CustodyRecord(
        record=view.record_id,
        number=view.number,
        registration_number=view.registration_number,
        kind=view.kind,
        state=view.state,
        level=view.level.rank,
        mark=level_mark(view.level, problems.language()),
        medium=view.medium,
        pages=view.pages,
        created_at=view.created_at,
        filed_at=view.filed_at,
        due=view.due,
        back_by=view.back_by,
    )


def _full(view: RecordView) -> FullRecord:
    row = view.record
    return FullRecord(
        record=row.id,
        number=view.number,
        registration_number=row.registration_number,
        title=row.title,
        fonds=view.fonds.code,
        joined_to=view.successor.code if view.successor else None,
        category=view.category.code,
        kind=row.kind,
        state=row.state,
        level=row.level_rank,
        mark=level_mark(view.level, problems.language()),
        group=view.group.number_mark if view.group else None,
        drawn_up=row.drawn_up,
        drawn_up_proposed=row.drawn_up_proposed,
        responsible=row.responsible,
        department=view.department.code if view.department else None,
        place=row.place_path,
        term=row.term,
        vital_review=row.vital_review,
        medium=row.medium,
        material=row.material,
        pages=row.pages,
        keywords=row.keywords,
        importance=row.importance,
        uses=row.uses,
        notes=row.notes,
        fields={field.name: _shown(field, value) for field, value in view.fields},
        subjects=list(view.subjects),
        named=[person.name for person in view.named],
        missing=list(view.missing),
        files=[_file(each) for each in view.files],
        proposals=[_proposal(each) for each in view.proposed],
        alike=[_alike(each) for each in services().doubles.of(identity(), row.id)],
        created_at=row.created_at,
        filed_at=row.filed_at,
        version=row.version,
    )


def _shown(field: FieldDef, value: JsonValue) -> JsonValue:
    """Personal numbers leave masked, as on a screen."""
    return masked(str(value)) if field.kind in {FieldKind.PHONE, FieldKind.IDENTITY} else value


def _proposal(each: Proposed) -> ProposalMade:
    found = each.found
    return ProposalMade(
        field=found.field,
        value=found.value,
        rule=found.rule,
        detail=rule_words(found.rule, problems.language()),
        source=found.source,
        content=each.content_id,
        page=found.page,
        start=found.start,
        end=found.end,
        fills=each.fills,
    )


def _alike(double: Double) -> AlikeRecord:
    return AlikeRecord(
        record=double.record.id,
        number=number_of(double.record),
        title=double.record.title,
        level=double.record.level_rank,
        reasons=[
            ReasonMade(why=each.why, percent=each.percent, detail=reason_words(each, problems.language()))
            for each in double.reasons
        ],
    )


def _file(view: FileView) -> FileShown:
    return FileShown(
        content=view.content_id,
        name=view.name,
        inside=view.inside,
        path=view.path,
        members=view.members,
        members_lost=view.members_lost,
        role=view.role,
        state=view.state,
        reason=view.reason,
        type=view.media_type,
        pronom=view.pronom,
        macros=view.macros,
        size=view.size,
        pages=view.pages,
        text=view.text_state,
        doubles=view.doubles,
        scans=view.scans,
        scans_waiting=view.scans_waiting,
        scanned_with=view.scanned_with,
        remarks=[
            RemarkMade(code=each.code, detail=remark_words(each, problems.language()), facts=dict(each.facts))
            for each in file_remarks(view, services().aids)
        ],
    )
