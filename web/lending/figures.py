"""Figures of loans: on screen, as bars and tables, and as a spreadsheet."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import InvalidInput
from archive.loans.statistics import Statistics
from web.days import first_of, last_of
from web.i18n import current_locale
from web.prints.filled import book_sent
from web.services import identity, services
from web.sheets import workbook_of
from web.words import named, translator
from web.words.faults import explain, status_of
from web.words.loans import SHORT_FORMS

pages = Blueprint("loan_figures", __name__, url_prefix="/loans/statistics")

Table = tuple[str, str, Sequence[tuple[str, int]]]
"""A key, what it is called, and its rows."""


@pages.get("")
def show() -> BaseResponse:
    """Show the figures of a span; as it is, of this year."""
    today = services().guard.day()
    since, until = today.replace(month=1, day=1), today
    try:
        since, until = _span(since, until)
        found, lines, status = services().lending.statistics.look(identity(), since, until), [], 200
    except InvalidInput as error:
        found, lines, status = None, explain(error, current_locale()), status_of(error)
    page = render_template(
        "lending/statistics.html", counted=found, lines=lines, since=since, until=until,
        tables=_tables(found.figure) if found else (),
    )  # fmt: skip
    return make_response(page, status)


@pages.get("/list.xlsx")
def sheet() -> Response:
    """Send the figures as a spreadsheet, a sheet for each table."""
    today = services().guard.day()
    since, until = _span(today.replace(month=1, day=1), today)
    found = services().lending.statistics.gather(identity(), since, until)
    summary: list[tuple[str, Any]] = [
        (_("First day"), str(since)), (_("Last day"), str(until)), (_("Asked for"), found.total),
        (_("Refused loans"), found.refused), (_("Handed out"), found.handed), (_("Of these late"), found.late),
        (_("Hours to a yes (median)"), "—" if found.waited is None else f"{found.waited:.1f}"),
    ]  # fmt: skip
    heads = [(_("What"), 40), (_("Loans"), 12)]
    book = workbook_of([
        (_("Summary"), heads, summary), *((words, heads, list(rows)) for _key, words, rows in _tables(found)),
    ])  # fmt: skip
    body = {"since": str(since), "until": str(until), "rows": found.total}
    services().readings.begin(identity(), "loan.figures", body=body).result()
    return book_sent(book, "juanku-loan-statistics")


def _tables(found: Statistics) -> Sequence[Table]:
    say, locale = translator(current_locale()), current_locale()
    purposes = {each.code: named(each.names, locale) for each in services().lending.looks.rules().purposes}

    def by_name(counts: "Counter[UUID] | Counter[UUID | None]") -> list[tuple[str, int]]:
        told = (
            (named(found.names[key], locale) if key is not None and key in found.names else "—", n)
            for key, n in counts.items()
        )
        return sorted(told, key=lambda each: (-each[1], each[0]))

    return [
        ("months", _("By month"), sorted(found.months.items())),
        ("departments", _("By department"), by_name(found.departments)),
        ("categories", _("By category"), by_name(found.categories)),
        ("purposes", _("By purpose"), [(purposes.get(key, key), n) for key, n in found.purposes.most_common()]),
        ("forms", _("By form"), [(say(SHORT_FORMS[key]), n) for key, n in found.forms.most_common()]),
    ]


def _span(since: date, until: date) -> tuple[date, date]:
    """Return the days that are asked for; where none is typed, these. Raises ``InvalidInput``."""
    typed = request.args
    return first_of(typed.get("since", ""), "since") or since, last_of(typed.get("until", ""), "until") or until
