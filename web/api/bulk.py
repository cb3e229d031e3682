"""Edits and moves of many records: begun, looked at, stopped, gone on with. They are those of the token's person."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from archive.cataloguing.bulk import MOST
from archive.cataloguing.change import Change
from archive.model import BulkState, RowState
from archive.model.bulk import MoveInto
from web import paging
from web.api.given import Page, Short, Text, Values, Word
from web.api.names import behind
from web.api.operations import operation
from web.api.shapes import Shape
from web.services import identity, services

MOST_SHOWN = 500
"""Records on a page that are named with the reason why they were refused or kept."""


class NewEdit(Shape):
    """What is changed of which records; what is left out stays, null takes away."""

    records: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]
    department: UUID | None = Field(None, description="The department's id.")
    place: UUID | None = Field(None, description="The place's id.")
    responsible: Short | None = None
    importance: int | None = Field(None, ge=1, le=3)
    notes: Text | None = None
    add_keywords: list[Word] = Field(default_factory=list, max_length=50)
    drop_keywords: list[Word] = Field(default_factory=list, max_length=50)
    fields: Values = Field(default_factory=dict, description="The category's own fields by name.")


class EditRefused(Shape):
    """A record that would be, or was, refused or kept as it is, and the code of the reason."""

    record: UUID
    reason: str


class RefusedPage(Page):
    """Of what is refused or kept of an edit or a move: as much as one page holds, unless less is asked for."""

    limit: int = Field(MOST_SHOWN, ge=1, le=MOST_SHOWN)


FIRST = RefusedPage(cursor=None, limit=MOST_SHOWN)
Behind = Annotated[
    str, Field(pattern=r"^\d+$", description="Where `refused` goes on: the `cursor` of the next GET of this.")
]


class EditShown(Shape):
    """An edit as it stands; ``counts`` are its records by what became of them."""

    edit: UUID
    state: BulkState
    counts: dict[RowState, int]
    created_at: AwareDatetime
    refused: list[EditRefused] = Field(description="A page of them; before it runs, those that would be refused.")
    next: Behind | None


@operation("/bulk-edits/{edit_id}", 404)
def bulk_edit(edit_id: UUID, query: RefusedPage) -> EditShown:
    """Show an edit of yours, and which records are refused or kept."""
    return _edit(edit_id, query)


@operation("/bulk-edits", 403, method="POST", status=201, made_at="/bulk-edits/{edit}")
def prepare_bulk_edit(body: NewEdit) -> EditShown:
    """Prepare an edit of many records; nothing of them changes. Those that you do not read are left out."""
    sent = body.model_fields_set
    names = {"department": "department_id", "place": "place_id"}
    plain = {name: name for name in ("responsible", "importance", "notes")}
    values = {column: getattr(body, name) for name, column in (names | plain).items() if name in sent}
    change = Change(values, body.fields, body.add_keywords, body.drop_keywords)
    return _edit(services().bulk.prepare(identity(), body.records, change))


@operation("/bulk-edits/{edit_id}/start", 404, 409, method="POST")
def start_bulk_edit(edit_id: UUID) -> EditShown:
    """Have an edit done in the background, or go on with it."""
    services().bulk.start(identity(), edit_id)
    return _edit(edit_id)


@operation("/bulk-edits/{edit_id}/stop", 404, method="POST")
def stop_bulk_edit(edit_id: UUID) -> EditShown:
    """Stop an edit; what is changed stays."""
    services().bulk.stop(identity(), edit_id)
    return _edit(edit_id)


@operation("/bulk-edits/{edit_id}/undo", 404, 409, method="POST")
def undo_bulk_edit(edit_id: UUID) -> EditShown:
    """Undo what still stands as the edit left it, in the background."""
    services().bulk.start(identity(), edit_id, undo=True)
    return _edit(edit_id)


class NewMove(Shape):
    """What is moved whole, and where to: a dossier's items into another, or the papers of a place to another."""

    into: MoveInto
    to: UUID = Field(description="The dossier, or the place on the shelves, into which it goes.")
    source: UUID = Field(description="The dossier, or the place, in which it lies.")
    look: bool = Field(default=False, description="Only look what would be refused; `go-on` begins it then.")


class MoveShown(Shape):
    """A move as it stands; ``counts`` are its items by what became of them."""

    move: UUID
    into: MoveInto
    state: BulkState
    counts: dict[RowState, int]
    created_at: AwareDatetime
    rose_from: int | None = Field(description="The level from which the dossier rose since it was begun; it stays.")
    refused: list[EditRefused] = Field(description="A page of them; of one that is looked through, those that would.")
    next: Behind | None


@operation("/bulk-moves/{move_id}", 404)
def bulk_move(move_id: UUID, query: RefusedPage) -> MoveShown:
    """Show a move of yours, and what was refused."""
    return _move(move_id, query)


@operation("/bulk-moves", 403, 404, method="POST", status=201, made_at="/bulk-moves/{move}")
def begin_bulk_move(body: NewMove) -> MoveShown:
    """Begin to move, in the background, all items of a dossier or all papers of a place; each by its own rules."""
    own = services().bulk_moves
    begin = own.into_dossier if body.into is MoveInto.DOSSIER else own.onto_shelf
    return _move(begin(identity(), body.to, body.source, look=body.look))


@operation("/bulk-moves/{move_id}/go-on", 404, 409, method="POST")
def go_on_with_bulk_move(move_id: UUID) -> MoveShown:
    """Begin what was looked through, go on with a move that was stopped, or try again what one that is done refused."""
    services().bulk_moves.go_on(identity(), move_id)
    return _move(move_id)


@operation("/bulk-moves/{move_id}/undo", 404, 409, method="POST")
def undo_bulk_move(move_id: UUID) -> MoveShown:
    """Move back, in the background, what still lies where the move put it."""
    services().bulk_moves.undo(identity(), move_id)
    return _move(move_id)


@operation("/bulk-moves/{move_id}/stop", 404, method="POST")
def stop_bulk_move(move_id: UUID) -> MoveShown:
    """Stop a move; what is moved stays."""
    services().bulk_moves.stop(identity(), move_id)
    return _move(move_id)


def _move(move_id: UUID, query: RefusedPage = FIRST) -> MoveShown:
    own, after = services().bulk_moves, _behind(query)
    move = own.show(identity(), move_id)
    found = own.refused(identity(), move_id, query.limit + 1, after=after)
    rows, following = paging.page(found, query.limit, lambda each: str(each[1].at))
    return MoveShown(
        move=move.id, into=move.into, state=move.state, counts=dict(move.counts), created_at=move.created_at,
        rose_from=move.rose_from,
        refused=[EditRefused(record=row.record_id, reason=row.reason or "") for _record, row in rows], next=following,
    )  # fmt: skip


def _edit(edit_id: UUID, query: RefusedPage = FIRST) -> EditShown:
    own, after = services().bulk, _behind(query)
    edit = own.show(identity(), edit_id)
    if edit.state is BulkState.PREPARED:
        lines = own.preview(identity(), edit.id)
        found = [(line.at, line.record_id, line.error.code) for line in lines if line.error and line.at > after]
    else:
        stand = (RowState.REFUSED, RowState.KEPT)
        told = own.told(identity(), edit.id, *stand, after=after, limit=query.limit + 1)
        found = [(row.at, row.record_id, row.reason or "") for _record, row in told]
    rows, following = paging.page(found, query.limit, lambda each: str(each[0]))
    return EditShown(
        edit=edit.id, state=edit.state, counts=dict(edit.counts), created_at=edit.created_at,
        refused=[EditRefused(record=key, reason=reason) for _at, key, reason in rows], next=following,
    )  # fmt: skip


def _behind(query: RefusedPage) -> int:
    at = behind(query.cursor, paging.read_position)
    return -1 if at is None else at
