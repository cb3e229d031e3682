"""Scans whose reading is doubtful: the list of pages that a person should look at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, literal, literal_column, or_, select, tuple_
from werkzeug.wrappers import Response as BaseResponse

from archive.model import Content, ContentState, File, Record, ScannedPage, ScanState
from web import paging
from web.services import identity, services

pages = Blueprint("scans", __name__)

DOUBTFUL = 85
"""Percent of confidence below which a page stands on the list."""

MOST = 200


_UNREAD = ScannedPage.state == literal_column(f"'{ScanState.FAILED.value}'")
"""Written out, for the index of these pages is chosen by nothing else."""

_BADLY = and_(ScannedPage.confidence < DOUBTFUL, ScannedPage.state != ScanState.FAILED)

Place = tuple[int | None, UUID, int]
"""Where a page stands on the list: its percent of confidence (None: it could not be read), its file, its number."""


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
    after = _read_place(request.args.get("after", ""))
    with services().db.reading() as session:
        visible = services().guard.visible(session, identity()).with_only_columns(Record.id)
        rows: list[Any] = []
        for query in worst(visible, after):
            rows += session.execute(query.limit(MOST + 1 - len(rows)))
    found, last = paging.page(
        [
            DoubtfulPage(
                page.content_id, record, title, level, name, page.number,
                None if page.state is ScanState.FAILED else page.confidence,
            )
            for page, record, name, title, level in rows
        ],
        MOST,
        lambda each: f"{'' if each.confidence is None else each.confidence}_{each.content_id.hex}_{each.number}",
    )  # fmt: skip
    return render_template("scans.html", pages=found, more=last and url_for(".doubtful", after=last))


def _read_place(text: str) -> Place | None:
    """Return the place that an address holds; None (before all) when it cannot be read."""
    found = re.fullmatch(r"([0-9]{0,3})_([0-9a-f]{32})_([0-9]{1,7})", text)
    return (int(found[1]) if found[1] else None, UUID(found[2]), int(found[3])) if found else None


@pages.post("/files/<uuid:content_id>/rendition")
def render(content_id: UUID) -> BaseResponse:
    """Have a searchable PDF made of a scan."""
    services().renditions.ask(identity(), content_id)
    flash(_("The searchable PDF is being made. It will stand beside the original."))
    try:
        return redirect(url_for("records.show", record_id=UUID(request.form.get("record", ""))), 303)
    except ValueError:
        return redirect(url_for("scans.doubtful"), 303)


def worst(visible: "Select[UUID]", after: Place | None = None) -> "Sequence[Select[*tuple[Any, ...]]]":
    """Return queries for the list of who may read the records of ``visible``: pages not read, then those read badly.

    ``after``: what stands behind that place.

    Each goes along an index: one order over both would be sorted out of all doubtful pages.
    """
    pages = (
        select(ScannedPage, Content.record_id, File.name, Record.title, Record.level_rank)
        .join(Content, Content.id == ScannedPage.content_id)
        .join(File, File.id == Content.file_id)
        .join(Record, Record.id == Content.record_id)
        .where(*_readable(visible))
    )
    key = (ScannedPage.content_id, ScannedPage.number)
    unread = pages.where(_UNREAD).order_by(*key)
    badly = pages.where(_BADLY).order_by(ScannedPage.confidence, *key)
    if after is None:
        return unread, badly
    confidence, content, number = after
    last = (literal(content, ScannedPage.content_id.type), literal(number))
    if confidence is None:
        return unread.where(tuple_(*key) > tuple_(*last)), badly
    return (badly.where(tuple_(ScannedPage.confidence, *key) > tuple_(literal(confidence), *last)),)


def listed(visible: "Select[UUID]") -> "Select[UUID]":
    """Return a query for the pages on the list of whoever may read the records of ``visible`` (their ids)."""
    joined = select(ScannedPage.content_id).join(Content, Content.id == ScannedPage.content_id)
    return joined.where(or_(_UNREAD, _BADLY), *_readable(visible))


def _readable(visible: "Select[UUID]") -> tuple[ColumnElement[bool], ...]:
    return (
        Content.state == ContentState.STORED,
        visible.where(Record.id == Content.record_id).correlate(Content).exists(),  # pages are few, records many
    )
