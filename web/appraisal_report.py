"""The report of a closed appraisal, as a PDF and as a spreadsheet."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from archive.errors import NotFound
from archive.model import AppraisalState
from retention.appraising.judging import Filter
from retention.appraising.looks import ItemShown
from web.filters import shape
from web.i18n import current_locale
from web.prints.appraisals import Judged, Report
from web.prints.filled import book_sent, listed, pdf_sent, set_form, words_now
from web.prints.kinds import KINDS
from web.prints.papers import Words
from web.services import identity, services
from web.words import minute, named

pages = Blueprint("appraisal_report", __name__, url_prefix="/appraisals")

KEY = "appraisal_report"
EVERY_ROW = 20_000
"""Rows that a report holds."""


@pages.get("/<uuid:appraisal_id>/report.pdf")
def pdf(appraisal_id: UUID) -> Response:
    """Send the report as a PDF."""
    made_of, words = _sheet(appraisal_id)
    made = set_form(KINDS[KEY], [made_of], words)
    _note("form.print", appraisal_id, made_of)
    return pdf_sent(made, "juanku-appraisal")


@pages.get("/<uuid:appraisal_id>/report.xlsx")
def sheet(appraisal_id: UUID) -> Response:
    """Send it as a spreadsheet."""
    made_of, words = _sheet(appraisal_id)
    book = listed(KINDS[KEY], [made_of], words)
    _note("form.sheet", appraisal_id, made_of)
    return book_sent(book, "juanku-appraisal")


def _sheet(appraisal_id: UUID) -> tuple[dict[str, Any], Words]:
    looks, zone, locale = services().retention.appraisals.looks, services().zone(), current_locale()
    view = looks.show(identity(), appraisal_id)
    if view.row.state is not AppraisalState.CLOSED or view.row.closed_at is None:
        raise NotFound
    items = looks.items(identity(), appraisal_id, Filter(), limit=EVERY_ROW)
    names = {key: name for key, name, _chair in view.panel}
    level = services().directory.levels().get(max((each.level_rank or 0 for each in items), default=0))
    given = Report(
        number=view.row.number,
        purpose=view.row.purpose,
        panel=[(name, chair) for _key, name, chair in view.panel],
        begun=f"{minute(view.row.begun_at, zone)} {view.begun_by}",
        closed=f"{minute(view.row.closed_at, zone)} {view.closed_by}",
        digest=view.row.digest or "",
        items=[_judged(each, names) for each in items],
        level_rank=level.rank if level else 0,
        level=named(level.names, locale) if level else "",
        shape=shape(level.symbol) if level else "",
    )
    words = words_now()
    return KINDS[KEY].sheets([given], words)[0], words


def _judged(each: ItemShown, names: dict[UUID, str]) -> Judged:
    return Judged(
        number=each.number,
        title=each.title or "",
        due=each.row.due.isoformat(),
        verdict=each.row.verdict,
        until=each.row.until.isoformat() if each.row.until else "",
        stopped=each.row.stopped,
        opinions=[
            (names.get(said.person, "—"), said.verdict, said.until.isoformat() if said.until else "", said.why)
            for said in each.opinions
        ],
    )


def _note(act: str, appraisal_id: UUID, made_of: dict[str, Any]) -> None:
    body = {"form": KEY, "appraisal": made_of["number"], "rows": len(made_of["rows"])}
    services().readings.begin(identity(), act, body=body | {"id": str(appraisal_id)}).result()
