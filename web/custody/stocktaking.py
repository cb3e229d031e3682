"""Stock-taking: begun, scanned place by place, closed; its report, and what follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound, StandsAlready
from archive.model import StockState, Tally
from archive.policy.rules import Act
from archive.stocktaking.counting import MOST_SCANS, Outcome, Scan
from archive.stocktaking.report import StocktakingView
from web import paging
from web.asking import key_needed, may
from web.custody.placing import numbered
from web.custody.shelves import scanned_code
from web.i18n import current_locale
from web.prints.filled import book_sent, listed, pdf_sent, set_form, words_now
from web.prints.kinds import KINDS
from web.prints.papers import Words
from web.security import allow_camera, json_sent, text_of
from web.services import identity, services
from web.sure import asked
from web.words.faults import explain_scan, status_of
from web.words.stock import said_of

pages = Blueprint("stocktaking", __name__, url_prefix="/stocktakings")

PAGE = 20
EVERY_ROW = 100_000
"""Rows of a kind that a printed report holds."""

KEPT = 8
"""Scans that the page still shows."""


@pages.get("")
def every() -> str:
    """List stock-takings, and offer to begin one."""
    after = paging.read(request.args.get("after", ""))
    found = services().stock.reports.every(identity(), after=after, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        last = shown[-1].row
        more = url_for("stocktaking.every", after=paging.told((last.begun_at, last.id)))
    at = request.args.get("at", "")[:100]
    return render_template("stocktakings.html", found=shown, more=more, takes=may(Act.TAKE_STOCK), at=at)


@pages.post("")
def begin() -> BaseResponse:
    """Begin to count the place whose code was typed or scanned."""
    try:
        place_id = services().shelving.looks.id_at(identity(), scanned_code(request.form.get("place", "")))
    except NotFound:
        flash(_("There is no place of this code."))
        return redirect(url_for("stocktaking.every", at=request.form.get("place", "")[:100]), 303)
    counting = services().stock.counting
    try:
        key = counting.begin(identity(), place_id)
    except StandsAlready:
        standing = counting.going_on(identity(), place_id)
        if standing is None:  # it was closed just now
            raise
        flash(_("This place is being counted already: go on here."))
        key = standing
    return redirect(url_for("stocktaking.show", stocktaking_id=key), 303)


@pages.get("/<uuid:stocktaking_id>")
def show(stocktaking_id: UUID) -> BaseResponse:
    """Show the page of scanning while a stock-taking goes on, and its report once it is closed."""
    view = _view(stocktaking_id)
    if view.row.state is StockState.CLOSED:
        return make_response(render_template("stock_report.html", view=view, tallies=Tally))
    return _scanning(view, _first(view))


@pages.post("/<uuid:stocktaking_id>/scan")
def scan(stocktaking_id: UUID) -> BaseResponse:
    """Take one scan by a plain form: a place to stand at, or a label there."""
    view = _view(stocktaking_id)
    text = request.form.get("scan", "").strip()[:300]
    recent = [each[:200] for each in request.form.getlist("recent")][:KEPT]
    here = next((each for each in view.places if str(each[0]) == request.form.get("at", "")), None)
    if (place := _place_meant(view, text)) is not None:
        return _scanning(view, place, recent=recent)
    if not text or here is None:
        return _scanning(view, here or _first(view), recent=recent, told=_("Scan a place first.") if text else "")
    try:
        key = request.form.get("id", "")
        told = _taken(stocktaking_id, [{"id": key, "place": str(here[0]), "text": text}])[0]
    except ArchiveError as error:
        lines = " ".join(explain_scan(error, current_locale()))
        return _scanning(view, here, recent=recent, told=lines, status=status_of(error))
    return _scanning(_view(stocktaking_id), here, told_of=told, recent=[told.label, *recent][:KEPT])


@pages.post("/<uuid:stocktaking_id>/scans")
def scans(stocktaking_id: UUID) -> BaseResponse:
    """Take scans of a browser that keeps them until they are taken; each counts once."""
    given = json_sent().get("scans")
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InvalidInput(Fault("scans", "required"))
    outcomes = _taken(stocktaking_id, given)
    figures = services().stock.reports.figures(identity(), stocktaking_id)
    locale = current_locale()
    return jsonify(
        scans=[
            {
                "id": str(each.id), "verdict": each.verdict.value, "label": each.label, "place": each.place,
                "said": said_of(each, locale),
            }
            for each in outcomes
        ],
        figures={"expected": figures.expected, "scanned": figures.scanned, "unknown": figures.unknown},
    )  # fmt: skip


@pages.post("/<uuid:stocktaking_id>/close")
def close(stocktaking_id: UUID) -> BaseResponse:
    """Close a stock-taking, once it is meant."""
    here = url_for("stocktaking.show", stocktaking_id=stocktaking_id)
    words = _("What was not scanned is in the report as not found. A closed stock-taking takes no more scans.")
    if (question := asked(words, _("Close the stock-taking"), back=here)) is not None:
        return question
    services().stock.counting.close(identity(), stocktaking_id)
    flash(_("The stock-taking is closed; this is its report."))
    return redirect(here, 303)


@pages.post("/<uuid:stocktaking_id>/missing")
def missing(stocktaking_id: UUID) -> BaseResponse:
    """Mark what was not found as missing."""
    marked = services().stock.following.mark_missing(identity(), stocktaking_id, request.form.get("reason", ""))
    flash(_("Marked as missing: %(count)s.", count=marked))
    return redirect(url_for("stocktaking.show", stocktaking_id=stocktaking_id), 303)


@pages.post("/<uuid:stocktaking_id>/settle")
def settle(stocktaking_id: UUID) -> BaseResponse:
    """Put a misplaced copy where it was found, or back."""
    there = request.form.get("what") == "there"
    services().stock.following.settle(identity(), stocktaking_id, key_needed("copy"), there=there)
    flash(_("Noted: it lies where it was found.") if there else _("Noted: it is back in its place."))
    return redirect(url_for("stocktaking.show", stocktaking_id=stocktaking_id), 303)


@pages.get("/<uuid:stocktaking_id>/report.pdf")
def report(stocktaking_id: UUID) -> Response:
    """Send the report as a PDF."""
    sheet, words = _sheet(stocktaking_id)
    made = set_form(KINDS["stocktaking_report"], [sheet], words)
    _note("form.print", stocktaking_id, sheet)
    return pdf_sent(made, "juanku-stocktaking")


@pages.get("/<uuid:stocktaking_id>/report.xlsx")
def report_sheet(stocktaking_id: UUID) -> Response:
    """Send the report as a spreadsheet, with what was found too."""
    sheet, words = _sheet(stocktaking_id, found_too=True)
    book = listed(KINDS["stocktaking_report"], [sheet], words)
    _note("form.sheet", stocktaking_id, sheet)
    return book_sent(book, "juanku-stocktaking")


def _view(stocktaking_id: UUID) -> StocktakingView:
    wanted = (Tally.MISSING, Tally.MISPLACED, Tally.OUT)
    return services().stock.reports.show(identity(), stocktaking_id, tallies=wanted)


def _first(view: StocktakingView) -> tuple[UUID, str] | None:
    """Return the place that is counted, if papers lie in it and nowhere below."""
    return view.places[0] if len(view.places) == 1 else None


def _place_meant(view: StocktakingView, text: str) -> tuple[UUID, str] | None:
    try:
        path = scanned_code(text).strip().upper()
    except ArchiveError:
        return None
    return next((each for each in view.places if each[1] == path), None)


def _taken(stocktaking_id: UUID, given: Sequence[Mapping[str, Any]]) -> Sequence[Outcome]:
    return services().stock.counting.scan(identity(), stocktaking_id, [_given(each) for each in given[:MOST_SCANS]])


def _given(each: Mapping[str, Any]) -> Scan:
    text = text_of(each.get("text")).strip()[:300]
    try:
        key, place = UUID(str(each.get("id", ""))), UUID(str(each.get("place", "")))
    except ValueError:
        raise InvalidInput(Fault("id", "required")) from None
    return Scan(key, place, text, *numbered(text))


def _scanning(
    view: StocktakingView,
    here: tuple[UUID, str] | None,
    *,
    told: str = "",
    told_of: Outcome | None = None,
    recent: Sequence[str] = (),
    status: int = 200,
) -> BaseResponse:
    allow_camera()
    said = said_of(told_of, current_locale()) if told_of else told
    page = render_template(
        "stock_scanning.html", view=view, here=here, said=said, outcome=told_of, recent=recent, fresh=uuid4(),
        keeper=g.person.id, fault=status >= 400,
    )  # fmt: skip
    return make_response(page, status)


def _sheet(stocktaking_id: UUID, *, found_too: bool = False) -> tuple[dict[str, Any], Words]:
    """Return the data of a report, as its template and its spreadsheet need it."""
    wanted = (Tally.MISSING, Tally.MISPLACED, Tally.OUT, *([Tally.FOUND] if found_too else []))
    view = services().stock.reports.show(identity(), stocktaking_id, tallies=wanted, most=EVERY_ROW)
    if view.row.state is not StockState.CLOSED:
        raise NotFound
    words = words_now()
    return KINDS["stocktaking_report"].sheets([(view, services().zone())], words)[0], words


def _note(act: str, stocktaking_id: UUID, sheet: Mapping[str, Any]) -> None:
    body = {"form": "stocktaking_report", "stocktaking": str(stocktaking_id), "rows": len(sheet["rows"])}
    services().readings.begin(identity(), act, body=body).result()
