"""Files that were put aside: the list of them, and what is decided on a file."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, or_, select, true
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput
from archive.files.inside import called
from archive.identity import Identity
from archive.model import Content, ContentState, File, Record
from web import paging
from web.i18n import current_locale
from web.services import Services, identity, services
from web.words.faults import explain_reason
from web.words.remarks import unscanned_words

pages = Blueprint("put_aside", __name__)

MOST = 200
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class PutAside:
    """A file that waits for a decision.

    ``why`` says what is wrong, ``todo`` what may be done about it, ``unscanned`` that no virus scanner looked at it.
    """

    content_id: UUID
    record_id: UUID
    title: str
    level_rank: int
    name: str
    within: str
    size: int | None
    at: datetime
    reason: str | None
    why: str
    todo: str
    unscanned: str


def put_aside_files(
    services: Services, identity: Identity, locale: str, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[PutAside]:
    """Return files that were put aside, oldest first, behind a place; only those of records that the person reads."""
    behind: ColumnElement[bool] = true()
    if after is not None:
        at, key = after
        behind = or_(Content.created_at > at, and_(Content.created_at == at, Content.id > key))
    with services.db.reading() as session:
        visible = services.guard.visible(session, identity).subquery()
        rows = session.execute(
            select(Content, File.name, Record.title, Record.level_rank)
            .join(File, File.id == Content.file_id)
            .join(Record, Record.id == Content.record_id)
            .where(Content.state == ContentState.QUARANTINED, Record.id.in_(select(visible.c.id)), behind)
            .order_by(Content.created_at, Content.id)
            .limit(limit)
        ).all()
        names = called(session, [content.id for content, *_ in rows])
    return [
        PutAside(
            content.id, content.record_id, title, level, name,
            names[content.id].within if content.id in names else "", content.size, content.created_at, content.reason,
            *explain_reason(content.reason or "", locale),
            unscanned_words(
                virus=content.virus, scanned_with=content.scanned_with, pending=False, aids=services.aids, locale=locale
            ),
        )
        for content, name, title, level in rows
    ]  # fmt: skip


@pages.get("/put-aside")
def waiting() -> str:
    """List the files that were put aside."""
    after = paging.read(request.args.get("after", ""))
    found = put_aside_files(services(), identity(), current_locale(), MOST + 1, after)
    files, last = paging.page(found, MOST, lambda each: paging.told((each.at, each.content_id)))
    return render_template("put_aside.html", files=files, more=last and url_for(".waiting", after=last))


@pages.post("/files/<uuid:content_id>/accept")
def accept(content_id: UUID) -> BaseResponse:
    """Keep a file that was put aside as it is."""
    services().files.accept(identity(), content_id, request.form.get("reason", ""))
    flash(_("The file is kept as it is, without text. It no longer holds up the record."))
    return _back()


@pages.post("/files/<uuid:content_id>/unlock")
def unlock(content_id: UUID) -> BaseResponse:
    """Read a locked file with the password given for this one time."""
    services().unlocking.unlock(identity(), content_id, request.form.get("password", ""))
    flash(_("The file was read with the password. The password is kept nowhere; the file stays locked as it came."))
    return _back()


@pages.post("/files/<uuid:content_id>/take-off")
def take_off(content_id: UUID) -> BaseResponse:
    """Take a file off its record."""
    services().files.take_off(identity(), content_id, request.form.get("reason", ""))
    flash(_("The file is taken off. The log keeps its name and why."))
    return _back()


@pages.post("/files/<uuid:content_id>/replace")
def replace(content_id: UUID) -> BaseResponse:
    """Take a file in instead of another, in one act."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise InvalidInput(Fault("file", "required"))
    record_id, replacing = services().files.giving_way(identity(), content_id, request.form.get("reason", ""))
    chunks = iter(partial(sent.stream.read, CHUNK), b"")
    services().intake.receive(identity(), record_id, sent.filename, chunks, replacing=replacing)
    flash(_("The file is replaced. The log keeps the old one's name and why."))
    return redirect(url_for("records.show", record_id=record_id), 303)


def _back() -> BaseResponse:
    """Go back to the record that the form stood on; it is checked there."""
    try:
        record = UUID(request.form.get("record", ""))
    except ValueError:
        return redirect(url_for("put_aside.waiting"), 303)
    return redirect(url_for("records.show", record_id=record), 303)
