"""Labels for filed records: chosen ones, or a range of archive numbers, on common sheets."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.house.levels import mark as level_mark
from archive.model import Copy, Department, Fonds, Record, RecordState
from archive.spelling import whole_of
from web.asking import told
from web.filters import shape
from web.i18n import current_locale
from web.lists import back
from web.prints.filled import pdf_sent, set_form
from web.prints.gather import OPEN_RANK
from web.prints.kinds import KINDS
from web.prints.label_sheets import SHEETS, Sheet, a_label, label_sheet, sheet_of
from web.prints.papers import Words
from web.services import identity, services
from web.words import named

pages = Blueprint("labels", __name__)

MOST = 1_000
"""Labels of one print."""


@pages.get("/labels")
def choose() -> BaseResponse:
    """Ask for which records labels are printed, and on what."""
    try:
        run = UUID(request.args["run"]) if "run" in request.args else None
    except ValueError:
        raise NotFound from None
    if run is None:
        return _form(_records(request.args.getlist("record")))
    filed = services().filing_many.filed(identity(), run, MOST + 1)
    if len(filed) > MOST:
        flash(_("These are the first %(count)s that were filed; print the others by their numbers.", count=MOST))
    return _form(filed[:MOST])


@pages.post("/labels/chosen")
def chosen() -> BaseResponse:
    """Ask for the sheet for the records that were ticked in a list."""
    records = _records(request.form.getlist("record"))
    if not records:
        flash(_("None of the chosen records is filed. Only filed records have labels."))
        return back()
    return _form(records)


@pages.post("/labels")
def output() -> BaseResponse:
    """Send the labels as a PDF."""
    form = request.form
    chosen: Sequence[Record] = []
    try:
        chosen = _records(form.getlist("record"))
        records = chosen or _range(form.get("first", "").strip()[:200], form.get("last", "").strip()[:200])
        sheet = form.get("sheet", "")
        start = _start(form.get("start", "1"), sheet_of(sheet))
    except ArchiveError as error:
        return _form(chosen, error)
    numbers = [record.archive_number for record in records]
    services().readings.begin(identity(), "label.print", body={"numbers": numbers}).result()
    return send_labels(label_sheet(sheet, start, _labels(records)), "juanku-labels")


def send_labels(sheet: Mapping[str, Any], name: str) -> Response:
    """Send a sheet of labels as a PDF, set by the template that the house prints them with."""
    return pdf_sent(set_form(KINDS["labels"], [sheet], Words(current_locale(), services().guard.day())), name)


def _start(text: str, sheet: Sheet) -> int:
    each = sheet.columns * sheet.rows
    start = whole_of(text, 999) or 0
    if not 1 <= start <= each:
        raise InvalidInput(Fault("start", "out_of_range", {"low": 1, "high": each}))
    return start


def _records(keys: Sequence[str]) -> Sequence[Record]:
    """Return the filed ones of these records that the person may read, by number."""
    try:
        ids = [UUID(key) for key in keys[:MOST]]
    except ValueError:
        raise NotFound from None
    if not ids:
        return []
    with services().db.reading() as session:
        query = services().guard.visible(session, identity())
        filed = query.where(Record.id.in_(ids), Record.state == RecordState.FILED)
        return session.scalars(filed.order_by(Record.archive_number)).all()


def _range(first: str, last: str) -> Sequence[Record]:
    """Return the filed records from a number to a number that the person may read."""
    ends = {}
    for name, number in (("first", first), ("last", last or first)):
        if not number:
            raise InvalidInput(Fault(name, "required"))
        try:
            ends[name] = services().records.find_number(identity(), number)
        except NotFound:
            raise InvalidInput(Fault(name, "unknown")) from None
    with services().db.reading() as session:
        visible = services().guard.visible(session, identity()).where(Record.state == RecordState.FILED)
        rows = {row.id: row for row in session.scalars(visible.where(Record.id.in_(ends.values())))}
        if len(rows) < len(set(ends.values())):
            raise InvalidInput(Fault("first", "unknown"))
        low, high = rows[ends["first"]], rows[ends["last"]]
        between = visible.where(
            Record.fonds_id == low.fonds_id, Record.archive_number.between(low.archive_number, high.archive_number)
        )
        found = session.scalars(between.order_by(Record.archive_number).limit(MOST + 1)).all()
    if low.fonds_id != high.fonds_id or not found:
        raise InvalidInput(Fault("last", "before_since"))
    if len(found) > MOST:
        raise InvalidInput(Fault("last", "out_of_range", {"low": 1, "high": MOST}))
    return found


def _labels(records: Sequence[Record]) -> Sequence[Mapping[str, Any]]:
    levels = services().directory.levels()
    with services().db.reading() as session:
        several = _several(session, [record.id for record in records])
        codes = dict(session.execute(select(Fonds.id, Fonds.code)).all())
        departments = dict(session.execute(select(Department.id, Department.names)).all())
    return [
        a_label(
            f"{record.archive_number}*{copy}" if copy else record.archive_number or "",
            url_for(
                "records.by_number", n=f"{codes[record.fonds_id]}:{record.archive_number}", copy=copy, _external=True
            ),
            level_mark(levels[record.level_rank]),
            shape(levels[record.level_rank].symbol),
            _lines(record, departments),
        )
        for record in records
        for copy in several.get(record.id, [None])
    ]


def _several(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[int | None]]:
    """Return by record the numbers of its copies, where it has more than one: each has a label of its own."""
    found: dict[UUID, list[int | None]] = {}
    query = select(Copy.record_id, Copy.number).where(Copy.record_id.in_(ids), Copy.withdrawn_at.is_(None))
    for record_id, number in session.execute(query.order_by(Copy.record_id, Copy.number)):
        found.setdefault(record_id, []).append(number)
    return {key: numbers for key, numbers in found.items() if len(numbers) > 1}


def _lines(record: Record, departments: Mapping[UUID, Mapping[str, str]]) -> Sequence[str]:
    """Return what a label says besides number and level: nothing where the paper is not for every eye."""
    if record.level_rank > OPEN_RANK or record.group_id is not None:
        return []
    names = departments.get(record.department_id) if record.department_id else None
    department = named(names, "zh_CN") if names else ""
    who = " ".join(each for each in (record.responsible, record.drawn_up, department) if each)
    return [each for each in (record.title[:60], who) if each]


def _form(records: Sequence[Record], error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("first", "last", "start", "sheet")) if error else ([], {})
    values = {"sheet": "3x8", "start": "1", **request.form.to_dict()}
    page = render_template(
        "labels.html", records=records, values=values, faults=faults, lines=lines, open_rank=OPEN_RANK,
        sheets=[(key, _(words)) for key, (words, _sheet) in SHEETS.items()],
        labels={"first": _("From archive number"), "last": _("To archive number"), "start": _("First free label")},
    )  # fmt: skip
    return make_response(page, 422 if error else 200)
