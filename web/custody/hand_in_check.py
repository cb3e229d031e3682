"""The check of a batch, line by line: by keyboard alone, or by scanning labels; and the report of what was found."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.handin.checking import Looked
from archive.handin.looking import Batch, Line
from archive.model import Failing, HandInState, LineState
from archive.spelling import number_key
from web.custody.hand_ins import told
from web.custody.placing import numbered
from web.prints.batches import quality_data
from web.prints.filled import words_now
from web.prints.setting import printed
from web.services import identity, services
from web.words.faults import status_of
from web.words.hand_ins import FAILINGS, LOOKED

pages = Blueprint("hand_in_check", __name__, url_prefix="/hand-ins")

AHEAD = 8
"""Lines that the page shows behind the one at hand."""


@dataclass
class At:
    """The line at hand, and what is said of the last one."""

    line: Line | None
    kind: str = ""
    head: str = ""
    lines: list[str] = field(default_factory=list)
    status: int = 200


@pages.get("/<uuid:batch_id>/check")
def show(batch_id: UUID) -> BaseResponse:
    """Show the line at hand."""
    batch = _checked(batch_id)
    asked = request.args.get("line", "")
    return _page(batch, At(_named(batch, asked) or _next(batch)))


@pages.post("/<uuid:batch_id>/check")
def take(batch_id: UUID) -> BaseResponse:
    """Take what was found of the line at hand, or the label of another."""
    form, batch = request.form, _checked(batch_id)
    line = next((each for each in batch.lines if str(each.row.id) == form.get("line")), None)
    text = form.get("scan", "").strip()[:300]
    if text:
        other = _scanned(batch, text)
        if other is None:
            return _page(
                batch, At(line or _next(batch), "fault", text, [_("No line of this batch has this label.")], 404)
            )
        if line is None or other.row.id != line.row.id:
            return _page(batch, At(other))
    if line is None:
        return _page(batch, At(_next(batch)))
    looked = _looked(passes=form.get("act") != "fail")
    try:
        state = services().hand_ins.checking.check(identity(), batch_id, line.row.id, looked)
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(batch, At(line, "fault", _head(line), told(error), status_of(error)))
    batch = services().hand_ins.looks.show(identity(), batch_id)
    kind = "done" if state is LineState.PASSED else "copy"
    words = _("passed") if state is LineState.PASSED else _("failed")
    return _page(batch, At(_next(batch, line.row.position), kind, f"{_head(line)} – {words}"))


@pages.post("/<uuid:batch_id>/finish")
def finish(batch_id: UUID) -> BaseResponse:
    """End the check of this round."""
    try:
        state = services().hand_ins.checking.finish(identity(), batch_id)
    except InvalidInput as error:
        batch = _checked(batch_id)
        return _page(batch, At(_next(batch), "fault", "", told(error), status_of(error)))
    if state is HandInState.RETURNED:
        batch = services().hand_ins.looks.show(identity(), batch_id)
        count = batch.count(LineState.RETURNED)
        flash(ngettext("%(num)d line goes back to the clerk, with the quality report.",
                       "%(num)d lines go back to the clerk, with the quality report.", count))  # fmt: skip
        return redirect(url_for(".report", batch_id=batch_id), 303)
    flash(_("The check has ended. Now both sides sign."))
    return redirect(url_for("hand_ins.show", batch_id=batch_id), 303)


@pages.get("/<uuid:batch_id>/report")
def report(batch_id: UUID) -> str:
    """Show what was found in a round."""
    batch = services().hand_ins.looks.show(identity(), batch_id)
    number = _round(batch)
    found = [(each, one) for each in batch.lines for one in each.found if one.check.round == number]
    people = services().directory.people(one.check.checked_by for _each, one in found)
    latest = {each.row.id: one for each, one in found}
    return render_template(
        "hand_in_report.html", batch=batch, row=batch.row, round=number, found=found, people=people,
        failed=[(each, one) for each, one in found if latest[each.row.id] is one and one.check.reason],
        passed=sum(one.check.reason is None for one in latest.values()), looked=LOOKED,
    )  # fmt: skip


@pages.get("/<uuid:batch_id>/report.pdf")
def report_pdf(batch_id: UUID) -> Response:
    """Send what was found in a round as a PDF."""
    batch = services().hand_ins.looks.show(identity(), batch_id)
    number = _round(batch)
    words = words_now()
    template = services().forms.current(identity(), "quality_report")
    made = printed(services().typesetter, template, quality_data(batch, number, words))
    body = {"form": "quality_report", "batch": str(batch_id), "round": number, "version": template.version}
    services().readings.begin(identity(), "form.print", body=body).result()
    name = 'inline; filename="juanku-quality-report.pdf"'
    return Response(made, mimetype="application/pdf", headers={"Content-Disposition": name})


def _checked(batch_id: UUID) -> Batch:
    batch = services().hand_ins.looks.show(identity(), batch_id)
    if "check" not in batch.acts:
        raise NotAllowed(act="handin.check")
    return batch


def _next(batch: Batch, behind: int = 0) -> Line | None:
    """Return the next line that waits, behind a place, then from the beginning."""
    waiting = [each for each in batch.lines if each.row.state is LineState.HANDED_IN]
    return next((each for each in waiting if each.row.position > behind), waiting[0] if waiting else None)


def _named(batch: Batch, text: str) -> Line | None:
    return next((each for each in batch.lines if str(each.row.id) == text and _open(each)), None)


def _open(line: Line) -> bool:
    return line.row.state in {LineState.HANDED_IN, LineState.FAILED}


def _scanned(batch: Batch, text: str) -> Line | None:
    """Return the line of a label: its number as the list has it, its place on the list, or its record's address."""
    number, _copy = numbered(text)
    key = number_key(number)
    rows = [each for each in batch.lines if _open(each)]
    same = [each for each in rows if key and each.number and number_key(each.number) == key]
    placed = [each for each in rows if str(each.row.position) == text]
    linked = [each for each in rows if each.row.record_id is not None and str(each.row.record_id) in text.lower()]
    return next(iter([*same, *linked, *placed]), None)


def _looked(*, passes: bool) -> Looked:
    form = request.form
    found: dict[str, Any] = {name: bool(form.get(name)) for name in LOOKED}
    reason = form.get("reason", "")
    if reason and reason not in FAILINGS:
        raise InvalidInput(Fault("reason", "unknown"))
    if passes and all(found.values()) and not reason:
        return Looked()
    return Looked(**found, reason=Failing(reason) if reason else _meant(found), words=form.get("words", ""))


def _meant(found: dict[str, Any]) -> Failing | None:
    """Return the reason that one missing tick speaks for by itself."""
    by_tick = {
        "arrived": Failing.NOT_THERE, "pages_agree": Failing.PAGES_DIFFER, "readable": Failing.UNREADABLE,
        "labelled": Failing.LABEL_WRONG,
    }  # fmt: skip
    return next((reason for name, reason in by_tick.items() if not found[name]), None)


def _head(line: Line) -> str:
    title = line.facts.title if line.facts else ""
    return " ".join(part for part in (f"{line.row.position}.", line.number, title) if part)


def _round(batch: Batch) -> int:
    text = request.args.get("round", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else batch.row.round
    if not 1 <= asked <= batch.row.round:
        raise NotFound
    return asked


def _page(batch: Batch, at: At) -> BaseResponse:
    waiting = [each for each in batch.lines if each.row.state is LineState.HANDED_IN]
    failed = at.kind == "fault" and request.method == "POST"
    values = {name: bool(request.form.get(name)) for name in LOOKED} if failed else dict.fromkeys(LOOKED, True)
    page = render_template(
        "hand_in_check.html", batch=batch, row=batch.row, at=at, waiting=len(waiting), looked=LOOKED,
        ahead=[each for each in waiting if at.line and each.row.position > at.line.row.position][:AHEAD],
        failed=[each for each in batch.lines if each.row.state is LineState.FAILED], failings=FAILINGS, values=values,
        total=batch.count(), done=batch.count(LineState.PASSED, LineState.FAILED), head=_head,
        reason=request.form.get("reason", "") if failed else "", words=request.form.get("words", "") if failed else "",
    )  # fmt: skip
    return make_response(page, at.status)
