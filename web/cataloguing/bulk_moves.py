"""Moves of more than one act takes: looked through, begun, how far each is; stop, go on, undo, forget."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.arranging.many import BUSY
from archive.cataloguing.showing import number_of
from archive.errors import InvalidInput, NotFound
from archive.model import RowState
from web import paging
from web.cataloguing.bulk import reason
from web.custody.dossiers import dossier_named, words_of
from web.custody.shelves import scanned_code
from web.services import identity, services
from web.words import mark

pages = Blueprint("bulk_moves", __name__)

WHY: Mapping[str, str] = {
    "lies_elsewhere": mark("it lies in another dossier by now"),
    "conflict": mark("it lies elsewhere by now"),
    "other_fonds_dossier": mark("it is of another fonds"),
    "no_item": mark("it is a dossier, and only items lie in dossiers"),
}
"""Why something was refused, where the words of an act by hand name what is not kept."""

SHOWN = 500
"""Refused ones that a page names."""


@pages.post("/records/<uuid:record_id>/contents/move-all")
def contents(record_id: UUID) -> BaseResponse:
    """Look through a move of all items of a dossier to another, whose number is given or that is chosen."""
    try:
        key = services().bulk_moves.into_dossier(identity(), dossier_named(), record_id, look=True)
    except InvalidInput as error:
        flash(words_of(error))
        return redirect(url_for("dossiers.contents", record_id=record_id), 303)
    return redirect(url_for(".show", move_id=key), 303)


@pages.post("/shelves/<uuid:place_id>/move-papers")
def papers(place_id: UUID) -> BaseResponse:
    """Look through a move of the papers that lie in a place to the one whose code was typed or scanned."""
    back = redirect(url_for("shelves.show", place_id=place_id), 303)
    try:
        target = services().shelving.looks.id_at(identity(), scanned_code(request.form.get("to", "")))
        key = services().bulk_moves.onto_shelf(identity(), target, place_id, look=True)
    except NotFound:
        flash(_("There is no place of this code."))
        return back
    except InvalidInput as error:
        flash(words_of(error))
        return back
    return redirect(url_for(".show", move_id=key), 303)


@pages.get("/bulk/moves/<uuid:move_id>")
def show(move_id: UUID) -> str:
    """Show how far a move is, and what was refused, or would be."""
    move = services().bulk_moves.show(identity(), move_id)
    after = paging.read_position(request.args.get("after", ""))
    found = services().bulk_moves.refused(identity(), move_id, SHOWN + 1, after=-1 if after is None else after)
    refused, last = paging.page(found, SHOWN, lambda each: str(each[1].at))
    return render_template(
        "bulk_move.html", move=move, more=last and url_for(".show", move_id=move_id, after=last),
        busy=move.state in BUSY and move.unfinished,
        levels=services().directory.levels() if move.rose_from is not None else {},
        counts={state.value: move.counts.get(state, 0) for state in RowState},
        rest=[(record, number_of(record) if record else "", _why(row.reason or "")) for record, row in refused],
    )  # fmt: skip


@pages.post("/bulk/moves/<uuid:move_id>/go-on")
def go_on(move_id: UUID) -> BaseResponse:
    """Begin what was looked through, go on, or try what was refused again."""
    services().bulk_moves.go_on(identity(), move_id)
    return redirect(url_for(".show", move_id=move_id), 303)


@pages.post("/bulk/moves/<uuid:move_id>/undo")
def undo(move_id: UUID) -> BaseResponse:
    """Move back what still lies where the move put it."""
    services().bulk_moves.undo(identity(), move_id)
    return redirect(url_for(".show", move_id=move_id), 303)


@pages.post("/bulk/moves/<uuid:move_id>/stop")
def stop(move_id: UUID) -> BaseResponse:
    """Stop it."""
    services().bulk_moves.stop(identity(), move_id)
    return redirect(url_for(".show", move_id=move_id), 303)


@pages.post("/bulk/moves/<uuid:move_id>/forget")
def forget(move_id: UUID) -> BaseResponse:
    """Forget it."""
    services().bulk_moves.forget(identity(), move_id)
    flash(_("The move is forgotten; what it moved stays where it is."))
    return redirect(url_for("bulk.every"), 303)


def _why(code: str) -> str:
    return str(_(WHY[code])) if code in WHY else reason(code)
