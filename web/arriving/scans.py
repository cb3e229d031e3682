"""Scans whose reading is doubtful: the list of pages that a person should look at."""

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true, tuple_
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from archive.model import Content, ContentState, File, Record, ScannedPage, ScanState
from web import paging
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
    after, confidence = _read_place(request.args.get("after", "")), func.coalesce(ScannedPage.confidence, 0)
    order = confidence, ScannedPage.content_id, ScannedPage.number
    behind: ColumnElement[bool] = true()
    if after:
        at, content, number = after
        behind = tuple_(*order) > tuple_(literal(at), literal(content, ScannedPage.content_id.type), literal(number))
    with services().db.reading() as session:
        visible = services().guard.visible(session, identity()).with_only_columns(Record.id)
        rows = session.execute(
            select(ScannedPage, Content.record_id, File.name, Record.title, Record.level_rank)
            .join(Content, Content.id == ScannedPage.content_id)
            .join(File, File.id == Content.file_id)
            .join(Record, Record.id == Content.record_id)
            .where(*_conditions(visible), behind)
            .order_by(*order)
            .limit(MOST + 1)
        ).all()
    found, last = paging.page(
        [
            DoubtfulPage(page.content_id, record, title, level, name, page.number, page.confidence)
            for page, record, name, title, level in rows
        ],
        MOST,
        lambda each: f"{each.confidence or 0}_{each.content_id.hex}_{each.number}",
    )
    return render_template("scans.html", pages=found, more=last and url_for(".doubtful", after=last))


def _read_place(text: str) -> tuple[int, UUID, int] | None:
    """Return the confidence, file and page that an address holds; None (the first page) when it cannot be read."""
    found = re.fullmatch(r"([0-9]{1,3})_([0-9a-f]{32})_([0-9]{1,7})", text)
    return (int(found[1]), UUID(found[2]), int(found[3])) if found else None


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
