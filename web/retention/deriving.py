"""Titles for the texts that a review derives from many records: typed, or filled in from a spreadsheet."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.house.levels import mark as level_mark
from archive.identity import Role
from archive.model import Record, SecrecyVerdict
from archive.spelling import number_key
from retention.secrecy.deriving import LONGEST_TITLE, MOST_DERIVED, ToTitle, same_title
from retention.secrecy.reviews import MOST
from web.asking import told
from web.i18n import current_locale
from web.lists import carried
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words.faults import status_of

pages = Blueprint("deriving", __name__, url_prefix="/secrecy/derived")

_ASKED = ("level", "years", "months", "reason")
_MOST_TOLD = 10
_TITLE = 3
"""The column of the sheet, counted from 0, in which the titles are written."""


@pages.post("/titles.xlsx")
def sheet() -> Response:
    """Send the records as a spreadsheet with an empty column for the titles of their derived texts."""
    _require()
    records = _found(carried()).records
    levels, locale = services().directory.levels(), current_locale()
    heads = [(_("Number"), 36), (_("Title"), 60), (_("Commercial secrecy"), 18), (_("Title of the derived text"), 60)]
    typed = typed_titles()
    rows = [
        [_number(each), each.title, level_mark(levels[each.level_rank], locale), typed.get(each.id, "")]
        for each in records
    ]
    body = {"form": "derived_titles", "rows": len(rows)}
    services().readings.begin(identity(), "form.sheet", body=body).result()
    name = 'attachment; filename="juanku-derived-titles.xlsx"'
    return Response(workbook(heads, rows), mimetype=TYPE, headers={"Content-Disposition": name})


def level_choices() -> Sequence[tuple[int, str]]:
    """Return the levels as choices of a form."""
    locale = current_locale()
    return [
        (rank, f"{level.symbol} {level_mark(level, locale)}") for rank, level in services().directory.levels().items()
    ]


def typed_titles() -> dict[UUID, str]:
    """Return the titles that were typed, by record."""
    return {key: request.form.get(f"title-{key}", "").strip()[: LONGEST_TITLE + 1] for key in carried()}


def left_out(ids: Collection[UUID]) -> Collection[UUID]:
    """Return those of some records that were ticked to be left out of the review."""
    ticked = set(request.form.getlist("leave_out"))
    return {key for key in ids if str(key) in ticked}


def page(ids: Sequence[UUID], error: ArchiveError | None = None) -> BaseResponse:
    """Ask for a title of each record, with what was typed, filled in from a sheet if one was pasted.

    Raises:
        NotAllowed: they review nothing. NotFound: nothing among these is there for them.
    """
    if isinstance(error, NotAllowed | NotFound):
        raise error
    _require()
    found = _found(ids)
    if not found.records:
        error = error or InvalidInput(Fault("records", "under_review" if found.busy else "required"))
    titles = typed_titles() if "titled" in request.form else {}
    lines, faults = told(error, _ASKED) if error else ([], {})
    filled = ""
    if "fill" in request.form:
        given, unknown = _pasted(found.records)
        titles |= given
        filled = _("Titles filled in: %(count)s. Look through them, then ask for the review.", count=len(given))
        lines = [_("Numbers that are not in this list: %(numbers)s", numbers=", ".join(unknown))] if unknown else []
    answer = render_template(
        "derived_titles.html", found=found, titles=titles, lines=lines, filled=filled, faults=faults,
        left_out=left_out(ids), values=request.form, choices=level_choices(), most=MOST_DERIVED, limit=LONGEST_TITLE,
        verdict=SecrecyVerdict.DERIVE.value,
        records=",".join(str(each.id) for each in found.records),
        labels={"level": _("New secrecy level"), "years": _("Extend by years"), "reason": _("Reason")},
    )  # fmt: skip
    return make_response(answer, status_of(error) if error else 200)


def _require() -> None:
    if Role.SECRECY_OFFICER not in identity().roles:
        raise NotAllowed(act="secrecy.ask")


def _found(ids: Sequence[UUID]) -> ToTitle:
    return services().retention.reviews.to_title(identity(), ids[: 2 * MOST])


def _pasted(records: Sequence[Record]) -> tuple[Mapping[UUID, str], Sequence[str]]:
    """Return titles of rows of the sheet (or of a number and a title), and the first numbers that are not here."""
    known = {number_key(name): each.id for each in records for name in _numbers(each)}
    own = {each.id: each.title for each in records}
    given: dict[UUID, str] = {}
    unknown: list[str] = []
    for row in request.form.get("sheet", "").splitlines():
        number, *cells = row.split("\t")
        if (key := known.get(number_key(number))) is not None:
            title = cells[_TITLE - 1] if len(cells) >= _TITLE else cells[0] if len(cells) == 1 else ""
            if title.strip() and not same_title(title, own[key]):
                given[key] = title.strip()
        elif number.strip() and number.strip() != _("Number"):
            unknown.append(number.strip()[:80])
    return given, unknown[:_MOST_TOLD]


def _numbers(record: Record) -> Iterator[str]:
    yield from (each for each in (record.archive_number, record.registration_number) if each)


def _number(record: Record) -> str:
    return next(_numbers(record), "")
