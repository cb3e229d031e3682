"""What keeps a record where it is: shown on its page, set and ended by a reason."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.blocks import BY_PEOPLE
from archive.cataloguing.showing import CustodyView
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import BlockKind
from archive.policy.rules import Act
from web.asking import Field, Form, again, key_typed, shown
from web.services import identity, services
from web.words.blocks import BLOCKS

pages = Blueprint("blocks", __name__)


def section(record_id: UUID, acts: frozenset[Act] | None = None) -> Mapping[str, Any]:
    """Return what the page of a record shows of its blocks; ``acts``: what is open to the person, where it is known."""
    blocks = services().blocks
    may_block = blocks.may_block(identity(), record_id) if acts is None else Act.BLOCK in acts
    return {
        "blocks": blocks.of(identity(), record_id),
        "may_block": may_block,
        "by_people": {kind.value for kind in BY_PEOPLE},
    }


def _back(record_id: UUID) -> str:
    return url_for("records.show", record_id=record_id, _anchor="copies")


def _form(record_id: UUID) -> Form:
    view = services().reader.show(identity(), record_id)
    number = view.number
    copies = services().shelving.copies.of(identity(), record_id)
    options = [(kind.value, _(BLOCKS[kind.value])) for kind in BlockKind if kind in BY_PEOPLE]
    which = [(str(each.copy.id), f"*{each.copy.number}") for each in copies if each.copy.withdrawn_at is None]
    fields = [
        Field("kind", _("What holds it back"), kind="choose", options=options),
        Field("copy", _("Which copy"), kind="choose", options=which, none=_("the whole record")),
        Field("reason", _("Reason"), must=True, limit=500),
    ]
    heading = _("Hold %(number)s back", number=number)
    told = _("It is not lent and leaves the archive in no way until this ends. The log keeps the reason.")
    values = {"copy": which[0][0]} if isinstance(view, CustodyView) and len(which) == 1 else {}
    return Form(
        heading, fields, _("Hold it back"), _back(record_id), crumbs=[(_back(record_id), number), (None, heading)],
        intro=told, values=values,
    )  # fmt: skip


@pages.get("/records/<uuid:record_id>/block")
def new(record_id: UUID) -> BaseResponse:
    """Ask what holds a record back, and why."""
    return shown(_form(record_id))


@pages.post("/records/<uuid:record_id>/block")
def add(record_id: UUID) -> BaseResponse:
    """Hold a record or a copy back."""
    try:
        word = request.form.get("kind", "")
        if word not in set(BlockKind):
            raise InvalidInput(Fault("kind", "unknown"))
        reason = request.form.get("reason", "")
        services().blocks.block(identity(), record_id, BlockKind(word), reason, key_typed("copy"))
    except NotFound:
        raise
    except ArchiveError as error:
        return again(_form(record_id), error)
    flash(_("It is noted, and holds from now on."))
    return redirect(_back(record_id), 303)


@pages.post("/blocks/<uuid:block_id>/lift")
def lift(block_id: UUID) -> BaseResponse:
    """End what holds a record back."""
    record_id = services().blocks.end(identity(), block_id, request.form.get("reason", ""))
    flash(_("It is ended."))
    return redirect(_back(record_id), 303)
