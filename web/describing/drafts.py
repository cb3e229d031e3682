"""What a person types into the form of a record is kept while they type, and offered to them again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, jsonify, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import NotFound
from archive.model import Record
from archive.policy.rules import Act
from web.i18n import current_locale
from web.lists import back
from web.services import identity, services
from web.words import minute, named

pages = Blueprint("drafts", __name__, url_prefix="/drafts")

NEW, OF_RECORD = "new", "record"
NOT_KEPT = frozenset({"csrf_token"})


@dataclass(frozen=True)
class Unsent:
    """A form that was not sent: its words, where it is gone on with, and when it was kept last."""

    words: str
    address: str
    at: datetime


@pages.post("/<kind>/<uuid:key>")
def keep(kind: str, key: UUID) -> BaseResponse:
    """Keep what stands in a form now."""
    if kind == OF_RECORD:
        with services().db.reading() as session:
            services().guard.require(session, identity(), Act.DESCRIBE, key)
    elif kind != NEW or services().directory.category(key) is None:
        raise NotFound
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_KEPT]
    at = services().drafts.keep(identity(), form_of(kind, key), typed)
    return jsonify(at=minute(at, services().zone())[-5:])


@pages.post("/<kind>/<uuid:key>/forget")
def forget(kind: str, key: UUID) -> BaseResponse:
    """Forget what was typed into a form."""
    services().drafts.forget(identity(), form_of(kind, key))
    flash(_("What was typed and not sent is forgotten."))
    return back()


def form_of(kind: str, key: UUID) -> str:
    """Return the name of the form of a new record in a category, or of a record."""
    return f"{kind}:{key.hex}"


def taken_up(kind: str, key: UUID, values: MultiDict[str, str]) -> datetime | None:
    """Put what was typed into ``values`` where it is asked for; else return when something was kept (None: nothing)."""
    found = services().drafts.find(identity(), form_of(kind, key))
    if found is None:
        return None
    if "draft" not in request.args:
        return found.changed_at
    for name, value in found.typed:
        values[name] = value
    return None


def unsent() -> list[Unsent]:
    """Return the forms that the person did not send, the newest first; none of records they may not read any more."""
    kept = services().drafts.mine(identity())
    if not kept:
        return []
    forms = [(kind, UUID(key), at) for name, at in kept for kind, _colon, key in (name.partition(":"),)]
    with services().db.reading() as session:
        ids = [key for kind, key, _at in forms if kind == OF_RECORD]
        mine = services().guard.visible(session, identity()).where(Record.id.in_(ids))
        titles = dict(session.execute(mine.with_only_columns(Record.id, Record.title)).all())
    told = []
    for kind, key, at in forms:
        if kind == OF_RECORD and key in titles:
            told.append(Unsent(titles[key], url_for("records.edit", record_id=key), at))
        elif kind == NEW and (category := services().directory.category(key)):
            words = _("New in %(category)s", category=named(category.names, current_locale()))
            told.append(Unsent(words, url_for("records.new", category=key), at))
    return told
