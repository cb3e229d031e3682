"""Required papers of dossiers: what stands, the board, the template, the facts, and which item is which paper."""

from datetime import date
from uuid import UUID

from archive.errors import NotFound
from archive.model.required import NEVER
from archive.required.looking import Item, Looked
from web import paging
from web.api.made_of_required import (
    BoardQuery,
    ClockShown,
    FollowTemplate,
    NamedPaper,
    PaperFacts,
    PaperItem,
    PapersBoard,
    PaperSeen,
    PaperShown,
    PapersLine,
    PapersShown,
)
from web.api.names import behind
from web.api.operations import operation
from web.services import identity, services


@operation("/papers")
def papers_board(query: BoardQuery) -> PapersBoard:
    """List dossiers that lack a paper or are late, as far as you see them."""
    found, more = services().papers.board(
        identity(), template=query.template or "", department_id=query.department, late=query.late,
        after=behind(query.cursor, paging.read_day), limit=query.limit,
    )  # fmt: skip
    day = services().guard.day()
    return PapersBoard(
        dossiers=[_line(each, day) for each in found], next=f"{more[0].isoformat()}_{more[1].hex}" if more else None
    )


@operation("/records/{record_id}/papers", 404, tagged=True)
def papers(record_id: UUID) -> PapersShown:
    """Show what a dossier has of its required papers and what it lacks; 404 when it follows no template."""
    found = services().papers.show(identity(), record_id)
    if found is None:
        raise NotFound
    return _shown(found)


@operation("/records/{record_id}/papers/template", 403, 404, method="PUT", status=204)
def follow_template(record_id: UUID, body: FollowTemplate) -> None:
    """Have a dossier follow the newest version of a template, or none."""
    services().papers.follow(identity(), record_id, body.template)


@operation("/records/{record_id}/papers", 403, 404, 412, method="PATCH")
def know_facts(record_id: UUID, body: PaperFacts, version: int) -> PapersShown:
    """Say what is known of a dossier; its clocks are set by it."""
    services().papers.know(identity(), record_id, body.facts, version)
    return papers(record_id)


@operation("/records/{record_id}/papers/items", 403, 404, 409, method="POST", again=papers, speaks=True)
def name_paper(record_id: UUID, body: NamedPaper) -> PapersShown:
    """Say that an item of the dossier is one of its papers; twice is no error."""
    services().papers.attach(identity(), record_id, body.paper, body.record)
    return papers(record_id)


@operation("/records/{record_id}/papers/copies", 403, 404, 409, method="POST", again=papers, speaks=True)
def note_paper_copy(record_id: UUID, body: PaperSeen) -> PapersShown:
    """Note of an item that is a paper whether its copy is sealed, and when you saw its original and gave it back."""
    services().papers.note_copy(
        identity(), record_id, body.paper, body.record, sealed=body.copy_sealed, seen_on=body.original_seen_on,
        returned_on=body.original_returned_on,
    )  # fmt: skip
    return papers(record_id)


def _line(found: Looked, day: date) -> PapersLine:
    due = found.row.next_due
    return PapersLine(
        dossier=found.dossier.id, title=found.dossier.title, template=found.template.code,
        missing=found.standing.missing, complete=found.standing.complete, due=None if due == NEVER else due,
        late=due < day,
    )  # fmt: skip


def _shown(found: Looked) -> PapersShown:
    day, standing = services().guard.day(), found.standing
    return PapersShown(
        dossier=found.dossier.id,
        template=found.template.code,
        facts={
            name: value if isinstance(value, bool) else date.fromisoformat(value)
            for name, value in found.row.facts.items()
        },
        papers=[
            PaperShown(
                code=each.paper.code, names=each.paper.names, needed=each.paper.count, there=each.there,
                stands=each.stands, items=[_item(item) for item in found.items.get(each.paper.code, ())],
            )
            for each in standing.papers
        ],
        clocks=[
            ClockShown(
                code=each.rule.code, names=each.rule.names, since=each.since, due=each.due, met_on=each.met_on,
                late=each.late(day),
            )
            for each in found.clocks
        ],
        people_missing=list(standing.people),
        facts_missing=list(standing.facts),
        whole_first=found.linked.id if found.linked else None,
        is_whole_first=standing.linked,
        complete=standing.complete,
        version=found.row.version,
    )  # fmt: skip


def _item(item: Item) -> PaperItem:
    met = item.met
    return PaperItem(
        record=item.record_id, title=item.title, by_hand=met is not None, copy_sealed=bool(met and met.copy_sealed),
        original_seen_on=met.seen_on if met else None, original_returned_on=met.returned_on if met else None,
    )  # fmt: skip
