"""Saying on a record's page how it belongs to others."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import InvalidInput, NotFound
from archive.model import RelationKind
from web.custody.dossiers import record_of, words_of
from web.services import identity, services
from web.words import mark

pages = Blueprint("relations", __name__)

OUTWARD: Mapping[str, str] = {
    "replaces": mark("replaces"),
    "replies_to": mark("replies to"),
    "attachment_of": mark("is an attachment of"),
    "derived_from": mark("is derived at a lower level from"),
    "same_matter": mark("is of the same matter as"),
}
INWARD: Mapping[str, str] = {
    "replaces": mark("is replaced by"),
    "replies_to": mark("is answered by"),
    "attachment_of": mark("has as attachment"),
    "derived_from": mark("is the source, at a higher level, of"),
}
"""What a relation says from its first record to its second, and back."""


@pages.post("/records/<uuid:record_id>/relations")
def add(record_id: UUID) -> BaseResponse:
    """Relate a record to that of a number."""
    try:
        other = record_of(request.form.get("number", ""))
        services().relations.add(identity(), record_id, _kind(), other)
        flash(_("The relation is kept; both records show it."))
    except (InvalidInput, NotFound) as error:
        flash(words_of(error))
    return _back(record_id)


@pages.post("/records/<uuid:record_id>/relations/remove")
def remove(record_id: UUID) -> BaseResponse:
    """Take a relation away."""
    other = record_of(request.form.get("other", ""))
    ends = (record_id, other) if request.form.get("outward") == "1" else (other, record_id)
    services().relations.remove(identity(), ends[0], _kind(), ends[1])
    flash(_("The relation is taken away."))
    return _back(record_id)


def _kind() -> RelationKind:
    try:
        return RelationKind(request.form.get("kind", ""))
    except ValueError:
        raise NotFound from None


def _back(record_id: UUID) -> BaseResponse:
    return redirect(url_for("records.show", record_id=record_id, _anchor="relations"), 303)
