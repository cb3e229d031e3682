"""Forms printed: which form, for which records, in which language; as a PDF, or a list as a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, g, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from web.asking import told
from web.i18n import LANGUAGE_NAMES, current_locale
from web.lists import MOST, back, ticked
from web.prints.filled import book_sent, listed, pdf_sent
from web.prints.gather import Chosen, gathered, house_name
from web.prints.holding import holdings
from web.prints.kinds import KINDS, Kind, Takes
from web.prints.later import with_changes
from web.prints.papers import Words
from web.prints.required import needs
from web.prints.setting import printed
from web.services import identity, services
from web.words.faults import status_of

pages = Blueprint("prints", __name__, url_prefix="/prints")

THICKNESSES = (10, 15, 20, 25, 30, 40, 50)
"""How thick a dossier or a box is, in mm."""


@pages.get("")
def choose() -> BaseResponse:
    """Ask which form is printed; for the records named in the address, if any."""
    return _page(gathered(_keys(request.args.getlist("record")), current_locale()))


@pages.post("/chosen")
def chosen() -> BaseResponse:
    """Ask which form is printed for the records that were ticked in a list."""
    found = gathered(ticked(), current_locale())
    if not found.papers:
        flash(_("Choose the records first."))
        return back()
    return _page(found)


@pages.post("")
def output() -> BaseResponse:
    """Send the form as a PDF, or by its other button as a spreadsheet."""
    form = request.form
    locale = form.get("language", "")
    locale = locale if locale in LANGUAGE_NAMES else current_locale()
    found = gathered(_keys(form.getlist("record")), locale)
    try:
        kind = kind_for(form.get("form", ""), found)
        words = Words(
            locale, services().guard.day(), person=g.person.name, house=house_name(locale),
            options={"thickness": _thickness()},
        )  # fmt: skip
        if form.get("as") == "sheet":
            return _sheet(kind, kind.sheets(_given(kind, found, locale), words), words, found)
        return pdf_of(kind, found, words)
    except ArchiveError as error:
        return _page(found, error)


def pdf_of(kind: Kind, found: Chosen, words: Words) -> Response:
    """Send a form filled in with what was chosen, once it is written who printed it.

    Raises:
        InvalidInput: the house's template cannot be set.
    """
    sheets = kind.sheets(_given(kind, found, words.locale), words)
    template = services().forms.current(identity(), kind.key)
    made = printed(services().typesetter, template, words.data(words.said(kind.words), sheets))
    _note("form.print", kind, found, version=template.version)
    return pdf_sent(made, f"juanku-{kind.key.replace('_', '-')}")


def offered(found: Chosen) -> list[Kind]:
    """Return the forms that can be filled in with what was chosen."""
    there = {
        Takes.ITEMS: bool(found.items),
        Takes.DOSSIERS: bool(found.dossiers),
        Takes.RECORDS: bool(found.papers),
        Takes.REQUIRED: bool(found.dossiers) and bool(needs(found.dossiers)),
        Takes.NOTHING: not found.papers,
        Takes.ELSEWHERE: False,
    }
    return [kind for kind in KINDS.values() if there[kind.takes]]


def _given(kind: Kind, found: Chosen, locale: str) -> Sequence[Any]:
    match kind.takes:
        case Takes.ITEMS:
            return found.items
        case Takes.DOSSIERS:
            held = holdings(found.dossiers, locale)
            return with_changes(held) if kind.key == "closing_note" else held
        case Takes.RECORDS:
            return found.papers
        case Takes.REQUIRED:
            return needs(found.dossiers)
        case Takes.NOTHING | Takes.ELSEWHERE:
            return [None]


def kind_for(key: str, found: Chosen) -> Kind:
    """Return a form that can be filled in with what was chosen.

    Raises:
        InvalidInput: field ``form``.
    """
    kind = next((each for each in offered(found) if each.key == key), None)
    if kind is None:
        raise InvalidInput(Fault("form", "required" if not key else "unknown"))
    return kind


def _thickness() -> int:
    text = request.form.get("thickness", "")
    return int(text) if text in map(str, THICKNESSES) else 20


def _sheet(kind: Kind, sheets: Sequence[Mapping[str, Any]], words: Words, found: Chosen) -> Response:
    if not kind.columns:
        raise InvalidInput(Fault("form", "no_list"))
    book = listed(kind, sheets, words)
    _note("form.sheet", kind, found)
    return book_sent(book, f"juanku-{kind.key.replace('_', '-')}")


def _note(act: str, kind: Kind, found: Chosen, **more: int) -> None:
    """Write who printed what; nothing is sent before it is durable."""
    papers = found.papers
    numbers = [each.number for each in papers if each.number]
    body = {"form": kind.key, "rows": len(papers), "numbers": numbers, **more}
    record = UUID(papers[0].id) if len(papers) == 1 else None
    services().readings.begin(identity(), act, record=record, body=body).result()


def _keys(texts: Sequence[str]) -> list[UUID]:
    try:
        return [UUID(key) for key in dict.fromkeys(texts[:MOST])]
    except ValueError:
        raise NotFound from None


def _page(found: Chosen, error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("form",)) if error else ([], {})
    kinds = offered(found)
    page = render_template(
        "prints.html", found=found, kinds=kinds, lines=lines, faults=faults,
        thicknesses=[(each, str(each)) for each in THICKNESSES],
        values={"language": current_locale(), "thickness": "20", "form": kinds[0].key, **request.form.to_dict()},
        has_spines=any(kind.key == "spine" for kind in kinds), names=LANGUAGE_NAMES,
        has_lists=any(kind.columns for kind in kinds), labels={"form": _("Form")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
