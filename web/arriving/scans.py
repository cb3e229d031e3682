"""Scans whose reading is doubtful: the list of pages that a person should look at."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from archive.model import Content, ContentState, File, Record, ScannedPage, ScanState
from web.services import identity, services

pages = Blueprint("scans", __name__)

DOUBTFUL = 85
"""Percent of confidence below which a page stands on the list."""

MOST = 200


@dataclass(frozen=True)
class DoubtfulPage:
    """A scanned page to look at; ``confidence`` in percent, None: it could not be read."""

    content_id: UUID
    record_id: UUID
    title: str
    level_rank: int
    name: str
    number: int
    confidence: int | None


@pages.get("/scans/doubtful")
def doubtful() -> str:
    """List scanned pages that were read badly or not at all, the worst first; only those that the person may read."""
    with services().db.reading() as session:
        visible = services().guard.visible(session, identity()).with_only_columns(Record.id)
        rows = session.execute(
            select(ScannedPage, Content.record_id, File.name, Record.title, Record.level_rank)
            .join(Content, Content.id == ScannedPage.content_id)
            .join(File, File.id == Content.file_id)
            .join(Record, Record.id == Content.record_id)
            .where(*_conditions(visible))
            .order_by(func.coalesce(ScannedPage.confidence, 0), ScannedPage.content_id, ScannedPage.number)
            .limit(MOST)
        ).all()
    found = [
        DoubtfulPage(page.content_id, record, title, level, name, page.number, page.confidence)
        for page, record, name, title, level in rows
    ]
    return render_template("scans.html", pages=found, most=MOST)


@pages.post("/files/<uuid:content_id>/rendition")
def render(content_id: UUID) -> BaseResponse:
    """Have a searchable PDF made of a scan."""
    services().renditions.ask(identity(), content_id)
    flash(_("The searchable PDF is being made. It will stand beside the original."))
    try:
        return redirect(url_for("records.show", record_id=UUID(request.form.get("record", ""))), 303)
    except ValueError:
        return redirect(url_for("scans.doubtful"), 303)


def count_doubtful(session: Session, visible: "Select[UUID]") -> int:
    """Return how many pages stand on the list of whoever may read the records of ``visible`` (their ids)."""
    joined = select(func.count()).select_from(ScannedPage).join(Content, Content.id == ScannedPage.content_id)
    return session.scalar(joined.where(*_conditions(visible))) or 0


def _conditions(visible: "Select[UUID]") -> tuple[ColumnElement[bool], ...]:
    return (
        or_(ScannedPage.confidence < DOUBTFUL, ScannedPage.state == ScanState.FAILED),
        Content.state == ContentState.STORED,
        visible.where(Record.id == Content.record_id).correlate(Content).exists(),  # pages are few, records many
    )
