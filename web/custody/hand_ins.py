"""Batches of papers handed in: the list of them, a batch with its lines, and what a clerk does with it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from archive.database.newest import newest_first
from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, NotAllowed, WrongState
from archive.handin.lines import LONGEST, MOST_LINES, LineFacts, cells, read_table, typed
from archive.handin.listing import IN_HAND, Given, NewBatch
from archive.handin.looking import Batch
from archive.handin.signing import FORMS
from archive.identity import Role
from archive.model import Carrier, HandInState, LineState, Record, RecordState
from archive.policy.rules import Act
from indexer.extract.answer import Failure
from indexer.tables import read_sheets, refusal
from web import paging
from web.asking import Field, Form, again, shown
from web.describing import record_form
from web.i18n import current_locale
from web.lists import ticked
from web.services import identity, services
from web.words import named
from web.words.faults import explain, explain_fault, field_label, status_of
from web.words.hand_ins import BATCH_STATES, FAILINGS, LINE_STATES, SIDES
from web.words.records import word
from web.words.shelves import CARRIERS

DRAFTS = MOST_LINES
"""Drafts of a page to fill lines from: as many as a list takes, for what is ticked does not go on to the next page."""

pages = Blueprint("hand_ins", __name__, url_prefix="/hand-ins")

PAGE = 50
BLANK = 8
"""Empty rows below a list that is being typed."""

PARTS = ("number", "title", "drawn_up", "pages", "copies", "carrier", "remarks")


@pages.get("")
def every() -> str:
    """List the batches that the person sees."""
    asked = request.args.get("state", "")
    states = [HandInState(asked)] if asked in BATCH_STATES else []
    after = paging.read(request.args.get("after", ""))
    found = services().hand_ins.looks.every(identity(), states, after, PAGE + 1)
    more = None
    if len(found) > PAGE:
        last = found[PAGE - 1].row
        more = url_for(".every", state=asked or None, after=paging.told((last.created_at, last.id)))
    rows = found[:PAGE]
    people = services().directory.people(each.row.created_by for each in rows)
    names = services().directory.coded_names(
        {each.row.category_id for each in rows}, (), {each.row.department_id for each in rows if each.row.department_id}
    )
    return render_template(
        "hand_ins.html", found=rows, more=more, state=asked, states=BATCH_STATES, people=people, names=names
    )


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for what a batch is opened with."""
    return shown(_form())


@pages.post("/new")
def add() -> BaseResponse:
    """Open a batch."""
    form = request.form
    try:
        key = services().hand_ins.listing.open(
            identity(),
            NewBatch(
                form.get("name", ""), _key(form.get("category")) or UUID(int=0), _key(form.get("department")),
                record_form.rank(form["level"]) if form.get("level") else None,
            ),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_form(), error)
    return redirect(url_for(".show", batch_id=key), 303)


@pages.get("/<uuid:batch_id>")
def show(batch_id: UUID) -> BaseResponse:
    """Show a batch with its lines; while it lies with the clerk, as a table to be typed into."""
    return page(services().hand_ins.looks.show(identity(), batch_id))


@pages.post("/<uuid:batch_id>/lines")
def lines(batch_id: UUID) -> BaseResponse:
    """Keep the lines as they are typed; the page comes again with what was typed when one is at fault."""
    form = request.form
    listing, version = services().hand_ins.listing, record_form.version(form)
    rows = typed_rows()
    try:
        given, faults = [], list[Fault]()
        for at, (key, said) in enumerate(rows, 1):
            facts, own = typed(said)
            faults += [Fault(each.field, each.code, {**each.facts, "row": at}) for each in own]
            given.append(Given(facts, key))
        _refuse(faults)
        listing.put_lines(identity(), batch_id, given, version)
    except (InvalidInput, Conflict, WrongState) as error:
        return page(services().hand_ins.looks.show(identity(), batch_id), error, rows)
    flash(_("The list is kept."))
    return _to(batch_id, at="lines")


@pages.post("/<uuid:batch_id>/pasted")
def pasted(batch_id: UUID) -> BaseResponse:
    """Add lines that were pasted from a table."""
    return _adding(batch_id, lambda: read_table(cells(request.form.get("pasted", "")[:1_000_000])))


@pages.post("/<uuid:batch_id>/sheet")
def sheet(batch_id: UUID) -> BaseResponse:
    """Add the lines of a spreadsheet's first sheet that holds some."""
    sent = request.files.get("file") or FileStorage()
    return _adding(batch_id, lambda: _read(sent))


@pages.get("/<uuid:batch_id>/drafts")
def drafts(batch_id: UUID) -> str:
    """Offer the drafts that the person prepares, the newest first, to fill lines from."""
    shown_batch, after = _theirs(batch_id), paging.read(request.args.get("after", ""))
    there = {each.row.record_id for each in shown_batch.lines} - {None}
    with services().db.reading() as session:
        query = services().guard.visible(session, identity(), Act.DESCRIBE)
        query = query.where(Record.state == RecordState.PROVISIONAL, Record.fonds_id == shown_batch.row.fonds_id)
        query = newest_first(query.where(Record.id.not_in(there)), Record.created_at, Record.id, after)
        found = session.scalars(query.limit(DRAFTS + 1)).all()
    records, more = paging.page(found, DRAFTS, lambda row: paging.told((row.created_at, row.id)))
    more = more and url_for(".drafts", batch_id=batch_id, after=more)
    return render_template("hand_in_drafts.html", batch=shown_batch, records=records, more=more)


@pages.post("/<uuid:batch_id>/drafts")
def add_drafts(batch_id: UUID) -> BaseResponse:
    """Fill lines from the ticked drafts."""
    try:
        count = services().hand_ins.listing.add_drafts(
            identity(), batch_id, ticked(), record_form.version(request.form)
        )
    except (InvalidInput, Conflict, WrongState) as error:
        return page(services().hand_ins.looks.show(identity(), batch_id), error)
    flash(ngettext("%(num)d draft is on the list.", "%(num)d drafts are on the list.", count))
    return _to(batch_id, at="lines")


@pages.post("/<uuid:batch_id>/leave-out")
def leave_out(batch_id: UUID) -> BaseResponse:
    """Take a line out of the list."""
    form = request.form
    key = _key(form.get("line")) or UUID(int=0)
    return _did(batch_id, lambda: services().hand_ins.listing.leave_out(
        identity(), batch_id, key, record_form.version(form)
    ), _("The line is left out."))  # fmt: skip


@pages.post("/<uuid:batch_id>/hand-in")
def hand_in(batch_id: UUID) -> BaseResponse:
    """Hand the batch in."""
    return _did(batch_id, lambda: services().hand_ins.listing.hand_in(
        identity(), batch_id, record_form.version(request.form)
    ), _("The batch is handed in. From now on its list is fixed."))  # fmt: skip


@pages.post("/<uuid:batch_id>/drop")
def drop(batch_id: UUID) -> BaseResponse:
    """Give up a batch that was never handed in."""
    services().hand_ins.listing.drop(identity(), batch_id, record_form.version(request.form))
    flash(_("The batch is given up. Drafts that were on its list stay."))
    return redirect(url_for(".every"), 303)


def page(batch: Batch, error: ArchiveError | None = None, rows: Sequence[tuple[Any, Any]] = ()) -> BaseResponse:
    """Return the page of a batch, perhaps with what was typed into it and is at fault."""
    people = {batch.row.created_by, batch.row.handed_by, batch.row.checked_by}
    people |= {each.person_id for each in batch.signatures.values()}
    people |= {one.check.checked_by for each in batch.lines for one in each.found}
    listing = "list" in batch.acts
    row = batch.row
    names = services().directory.coded_names(
        {row.category_id}, {row.fonds_id}, {row.department_id} if row.department_id else ()
    )
    text = render_template(
        "hand_in.html", batch=batch, row=batch.row, people=services().directory.people(people), names=names,
        carriers=[each.value for each in Carrier], typed=list(rows) or typing(batch) if listing else (),
        fixed=batch.row.round > 0, lines=told(error) if error else (), states=LINE_STATES, failings=FAILINGS,
        sides=SIDES, forms=FORMS, longest=LONGEST, sources=sources(batch),
        counts=[(state, batch.count(LineState(state))) for state in LINE_STATES],
    )  # fmt: skip
    return make_response(text, status_of(error) if error else 200)


def typing(batch: Batch) -> list[tuple[UUID | None, dict[str, str]]]:
    """Return the lines in the clerk's hands as a form holds them, and empty ones below while the list is open."""
    rows: list[tuple[UUID | None, dict[str, str]]] = [
        (each.row.id, _said(each.facts))
        for each in batch.lines
        if each.row.state in IN_HAND and each.row.record_id is None and each.facts is not None
    ]
    return rows if batch.row.round else [*rows, *[(None, _said(None))] * BLANK]


def typed_rows() -> list[tuple[UUID | None, dict[str, str]]]:
    """Read the rows of the form; empty ones are passed over."""
    form = request.form
    held = {name: form.getlist(name)[: MOST_LINES + 1] for name in (*PARTS, "line")}
    rows = []
    for at, text in enumerate(held["line"]):
        said = {name: held[name][at][:2000] if at < len(held[name]) else "" for name in PARTS}
        if said["number"].strip() or said["title"].strip() or said["remarks"].strip():
            rows.append((_key(text), said))
    return rows


def told(error: ArchiveError) -> list[str]:
    """Tell an error, each fault of a line with its number."""
    if not isinstance(error, InvalidInput):
        return explain(error, current_locale())
    locale = current_locale()
    lines = []
    for fault in error.faults:
        words = _("%(field)s: %(fault)s", field=field_label(fault.field, locale), fault=explain_fault(fault, locale))
        row = fault.facts.get("row")
        lines.append(_("Line %(row)s – %(words)s", row=row, words=words) if row else words)
    return lines


def sources(batch: Batch) -> list[tuple[str, int, list[str]]]:
    """Return what carried the papers: each carrier in words, how many lines, and the numbers of discs and sticks."""
    found: dict[str, tuple[int, list[str]]] = {}
    for each in batch.lines:
        if each.row.state is LineState.WITHDRAWN:
            continue
        carrier = each.row.carrier
        count, numbers = found.get(carrier.value if carrier else "file", (0, []))
        counted = [*numbers, each.number] if carrier in {Carrier.DISC, Carrier.DRIVE} and each.number else numbers
        found[carrier.value if carrier else "file"] = (count + 1, counted)
    return [(name, count, numbers) for name, (count, numbers) in found.items()]


def _said(facts: LineFacts | None) -> dict[str, str]:
    if facts is None:
        return dict.fromkeys(PARTS, "") | {"copies": "1", "carrier": Carrier.PAPER.value}
    return {
        "number": facts.number, "title": facts.title, "drawn_up": facts.drawn_up, "remarks": facts.remarks,
        "pages": "" if facts.pages is None else str(facts.pages), "copies": str(facts.copies),
        "carrier": facts.carrier.value if facts.carrier else "file",
    }  # fmt: skip


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidInput(*faults)


def _theirs(batch_id: UUID) -> Batch:
    batch = services().hand_ins.looks.show(identity(), batch_id)
    if "list" not in batch.acts:
        raise NotAllowed(act="handin.list")
    return batch


def _adding(batch_id: UUID, read: Callable[[], Sequence[LineFacts]]) -> BaseResponse:
    try:
        found = read()
        _refuse([] if found else [Fault("lines", "no_lines")])
        services().hand_ins.listing.add_lines(identity(), batch_id, found, record_form.version(request.form))
    except (InvalidInput, Conflict, WrongState) as error:
        return page(services().hand_ins.looks.show(identity(), batch_id), error)
    flash(ngettext("%(num)d line is added.", "%(num)d lines are added.", len(found)))
    return _to(batch_id, at="lines")


def _read(sent: FileStorage) -> Sequence[LineFacts]:
    data = sent.stream.read()
    if not data:
        raise InvalidInput(Fault("file", "required"))
    found = read_sheets(services().drawer, data)
    if isinstance(found, Failure):
        raise InvalidInput(refusal(found))
    for _name, rows, more in found:
        if more or len(rows) > MOST_LINES + 1:
            raise InvalidInput(Fault("file", "too_many_rows", {"limit": MOST_LINES}))
        if lines := read_table(rows):
            return lines
    return []


def _did(batch_id: UUID, act: Callable[[], object], words: str) -> BaseResponse:
    try:
        act()
    except (InvalidInput, Conflict, WrongState) as error:
        return page(services().hand_ins.looks.show(identity(), batch_id), error)
    flash(words)
    return _to(batch_id)


def _to(batch_id: UUID, at: str | None = None) -> BaseResponse:
    return redirect(url_for("hand_ins.show", batch_id=batch_id, _anchor=at), 303)


def _key(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _form() -> Form:
    directory, locale = services().directory, current_locale()
    fonds = directory.fonds()
    with services().db.reading() as session:
        reach = services().guard.reach(session, identity())
    own = [row for row in directory.departments() if row.id in reach.departments or Role.ARCHIVIST in reach.roles]
    categories = [
        (each.id, f"{fonds[each.fonds_id].code} {each.code} {named(each.names, locale)}")
        for each in directory.categories()
        if each.fonds_id in fonds
    ]
    levels = [(rank, f"{level.symbol} {named(level.names, locale)}") for rank, level in directory.levels().items()]
    fields = [
        Field("name", _("Name of the batch"), must=True, limit=100, help=_("Such as: papers of the first half-year.")),
        Field("category", _("Category"), kind="choose", options=categories, must=True),
        Field(
            "department", _("Department"), kind="choose", none=_("None"),
            options=[(row.id, f"{row.code} {named(row.names, locale)}") for row in own],
        ),
        Field(
            "level", _("Secrecy level"), kind="choose", none=_("The category's"),
            options=[each for each in levels if each[0] in reach.levels],
            help=_("The highest of what lies in it. Papers of another category or level go into a batch of their own."),
        ),
    ]  # fmt: skip
    return Form(
        _("New batch"), fields, _("Open the batch"), url_for("hand_ins.every"),
        crumbs=[(url_for("hand_ins.every"), _("Hand-ins")), (None, _("New batch"))],
        values={"department": own[0].id} if len(own) == 1 else {},
        intro=_("A batch is what is handed in at once: it has a list, is checked line by line, and is signed by both."),
    )  # fmt: skip


@pages.app_template_filter("batch_state")
def batch_state(state: str) -> str:
    """Return in words where a batch stands."""
    return word(BATCH_STATES, state, current_locale())


@pages.app_template_filter("line_state")
def line_state(state: str) -> str:
    """Return in words where a line stands."""
    return word(LINE_STATES, state, current_locale())


@pages.app_template_filter("failing")
def failing(reason: str) -> str:
    """Return in words why a line did not pass."""
    return word(FAILINGS, reason, current_locale())


@pages.app_template_filter("line_carrier")
def line_carrier(carrier: str | None) -> str:
    """Return in words what carries a line's paper."""
    return str(_("file")) if carrier in {None, "file"} else word(CARRIERS, str(carrier), current_locale())
