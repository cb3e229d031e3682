"""The report of a closed appraisal, as it was kept; and its list with titles, as a PDF and as a spreadsheet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from archive.errors import NotFound
from archive.model import AppraisalState
from retention.appraising.judging import Filter
from retention.appraising.looks import ItemShown, View
from retention.appraising.report import Line
from web.filters import shape
from web.i18n import current_locale
from web.prints.appraisals import Judged, Report
from web.prints.filled import book_sent, listed, pdf_sent, set_form, words_now
from web.prints.kinds import KINDS
from web.prints.papers import Words
from web.services import identity, services
from web.words import day, minute, named
from web.words.records import number_words

pages = Blueprint("appraisal_report", __name__, url_prefix="/appraisals")

KEY = "appraisal_report"
EVERY_ROW = 20_000
"""Rows that a report holds."""


@pages.get("/<uuid:appraisal_id>/report.pdf")
def pdf(appraisal_id: UUID) -> Response:
    """Send the report as it was printed first; the first time it is kept."""
    return pdf_sent(report(appraisal_id), "juanku-appraisal")


def report(appraisal_id: UUID) -> bytes:
    """Return the report, and keep it if it is the first. Raises ``NotFound``: not closed, or not theirs as a whole."""
    reports, locale = services().retention.appraisals.reports, current_locale()
    made = reports.kept(identity(), appraisal_id, locale)
    if made is None:
        given, words = _by_number(appraisal_id), words_now()
        made = set_form(KINDS[KEY], KINDS[KEY].sheets([given], words), words)
        made = reports.keep(identity(), appraisal_id, locale, made)
    body = {"form": KEY, "id": str(appraisal_id)}
    services().readings.begin(identity(), "form.print", body=body).result()
    return made


@pages.get("/<uuid:appraisal_id>/titles.pdf")
def titles(appraisal_id: UUID) -> Response:
    """Send the list with the titles and reasons that the person may see, as they are now."""
    made_of, words = _sheet(appraisal_id)
    made = set_form(KINDS[KEY], [made_of], words)
    _note("form.print", appraisal_id, made_of)
    return pdf_sent(made, "juanku-appraisal-titles")


@pages.get("/<uuid:appraisal_id>/report.xlsx")
def sheet(appraisal_id: UUID) -> Response:
    """Send it as a spreadsheet."""
    made_of, words = _sheet(appraisal_id)
    book = listed(KINDS[KEY], [made_of], words)
    _note("form.sheet", appraisal_id, made_of)
    return book_sent(book, "juanku-appraisal")


def _by_number(appraisal_id: UUID) -> Report:
    """Return the report that is kept: records by number, with what stays of them in any case, and no reasons."""
    looks, reports = services().retention.appraisals.looks, services().retention.appraisals.reports
    view = looks.show(identity(), appraisal_id)
    lines = reports.lines(identity(), appraisal_id)
    names = _names(view, {person for each in lines for person, _at in each.advised})
    return _report(view, [_counted(each, names) for each in lines])


def _sheet(appraisal_id: UUID) -> tuple[dict[str, Any], Words]:
    looks, locale = services().retention.appraisals.looks, current_locale()
    view = looks.show(identity(), appraisal_id)
    if view.row.state is not AppraisalState.CLOSED:
        raise NotFound
    items = looks.items(identity(), appraisal_id, Filter(), limit=EVERY_ROW)
    names = _names(view, {one.person for each in items for one in each.advice})
    level = services().directory.levels().get(max((each.level_rank or 0 for each in items), default=0))
    given = _report(view, [_judged(each, names) for each in items])
    if level:
        given = replace(given, level_rank=level.rank, level=named(level.names, locale), shape=shape(level.symbol))
    words = words_now()
    return KINDS[KEY].sheets([given], words)[0], words


def _names(view: View, asked: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the names of the panel, and of those outside it who were asked."""
    return {key: name for key, name, _chair in view.panel} | dict(services().directory.people(asked))


def _report(view: View, items: Sequence[Judged]) -> Report:
    zone, row = services().zone(), view.row
    return Report(
        number=row.number,
        purpose=row.purpose,
        panel=[(name, chair) for _key, name, chair in view.panel],
        begun=f"{minute(row.begun_at, zone)} {view.begun_by}",
        closed=f"{minute(row.closed_at, zone) if row.closed_at else ''} {view.closed_by}",
        digest=row.digest or "",
        items=items,
    )


def _counted(each: Line, names: Mapping[UUID, str]) -> Judged:
    return Judged(
        number=number_words(each.archive, each.number, current_locale()),
        title=" ".join(part for part in (named(each.names, current_locale()) if each.names else "", each.year) if part),
        due=each.due.isoformat(),
        verdict=each.verdict,
        until=each.until.isoformat() if each.until else "",
        stopped=each.stopped,
        opinions=[
            (names.get(person, "—"), verdict, until.isoformat() if until else "", "")
            for person, verdict, until in each.said
        ],
        advice=[(names.get(who, "—"), day(at, services().zone()) if at else "", "") for who, at in each.advised],
    )


def _number(each: ItemShown) -> str:
    return number_words(None if each.registered else each.number, each.number, current_locale())


def _judged(each: ItemShown, names: Mapping[UUID, str]) -> Judged:
    return Judged(
        number=_number(each),
        title=each.title or "",
        due=each.row.due.isoformat(),
        verdict=each.row.verdict,
        until=each.row.until.isoformat() if each.row.until else "",
        stopped=each.row.stopped,
        opinions=[
            (names.get(said.person, "—"), said.verdict, said.until.isoformat() if said.until else "", said.why)
            for said in each.opinions
        ],
        advice=[
            (names.get(one.person, "—"), day(one.answered_at, services().zone()) if one.answered_at else "", one.answer)
            for one in each.advice
        ],
    )


def _note(act: str, appraisal_id: UUID, made_of: dict[str, Any]) -> None:
    body = {"form": KEY, "appraisal": made_of["number"], "rows": len(made_of["rows"])}
    services().readings.begin(identity(), act, body=body | {"id": str(appraisal_id)}).result()
