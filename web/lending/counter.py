"""The counter: scans hand out and take back; recalls, losses, reports of damage, slips."""

import unicodedata
from dataclasses import dataclass, field
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.accounts import folded
from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.ids import new_id
from archive.loans.counter import Handed, Seen
from archive.loans.counter_papers import PaperAt
from archive.model import AttachedTo
from archive.policy.rules import Act
from web import paging
from web.asking import require
from web.custody.placing import numbered
from web.i18n import current_locale
from web.lending.at_counter import at_counter, hand_out, is_out, named_conditions, take_back
from web.lending.attached import photographs
from web.lending.papers import slip_pdf
from web.prints.filled import pdf_sent
from web.security import allow_camera
from web.services import identity, services
from web.words.faults import explain, explain_scan, status_of

pages = Blueprint("counter", __name__, url_prefix="/loans")

KEPT = 12
"""Scans that the page still shows."""

PAGE = 100
"""Reports of damage and loss on one page."""


@dataclass
class Scan:
    """Where a stream of scans stands, and what is said of the last one."""

    person: str = ""
    name: str = ""
    slip: UUID | None = None
    kind: str = ""
    head: str = ""
    lines: list[str] = field(default_factory=list)
    status: int = 200
    report: UUID | None = None
    paper: PaperAt | None = None


@pages.get("/counter")
def show() -> BaseResponse:
    """Ask for the first scan."""
    require(Act.SEE_LOANS)
    return _page(_standing(request.args.get("person", "")), [])


@pages.post("/counter")
def take() -> BaseResponse:
    """Take one scan: a person's card, a paper to hand out, or one that comes back."""
    require(Act.SEE_LOANS)
    form = request.form
    recent = [each[:200] for each in form.getlist("recent")][:KEPT]
    if form.get("leave"):
        return _page(Scan(), recent)
    scan = _standing(form.get("person", ""), form.get("slip", ""))
    text = form.get("scan", "").strip()[:300]
    if not text:
        return _page(scan, recent)
    try:
        _take(scan, text)
    except ArchiveError as error:
        scan.kind, scan.head, scan.status = "fault", text, status_of(error)
        scan.lines = _explained(error)
    return _page(scan, [scan.head, *recent][:KEPT] if scan.kind in {"done", "fault"} else recent)


@pages.post("/<uuid:loan_id>/recall")
def recall(loan_id: UUID) -> BaseResponse:
    """Call a loan back."""
    services().lending.counter.recall(identity(), loan_id)
    flash(_("It is called back. It is extended no more."))
    return redirect(url_for("loan_register.every", state="open"), 303)


@pages.post("/<uuid:loan_id>/lose")
def lose(loan_id: UUID) -> BaseResponse:
    """Write down that a paper is lost."""
    try:
        services().lending.counter.lose(identity(), loan_id, request.form.get("words", ""))
    except InvalidInput:
        flash(_("Say what is known of the loss."))
        return redirect(url_for("loan_register.every", state="open"), 303)
    return redirect(url_for(".reports"), 303)


@pages.get("/reports")
def reports() -> BaseResponse:
    """List damage and loss, and what was done about each."""
    return _reports()


@pages.post("/reports/<uuid:report_id>/settle")
def settle(report_id: UUID) -> BaseResponse:
    """Close a report with what was done."""
    try:
        cost = _money(request.form.get("cost", ""))
        services().lending.reports.settle(identity(), report_id, request.form.get("words", ""), cost)
    except InvalidInput as error:
        return _reports(error)
    flash(_("The report is closed."))
    return redirect(url_for(".reports"), 303)


@pages.get("/slips/<uuid:slip_id>.pdf")
def slip(slip_id: UUID) -> Response:
    """Send the slip of what was handed out at once."""
    made = slip_pdf(services().lending.looks.slip(identity(), slip_id))
    return pdf_sent(made, "juanku-loan-slip")


def _standing(login: str, slip: str = "") -> Scan:
    scan = Scan()
    if login.strip():
        try:
            _key, scan.name = services().lending.counter.person(identity(), login)
        except NotFound:
            return scan
        scan.person = folded(login)
        try:
            scan.slip = UUID(slip) if slip else new_id()
        except ValueError:
            scan.slip = new_id()
    return scan


def _take(scan: Scan, text: str) -> None:
    number, copy = numbered(text)
    record = None
    try:
        record = services().records.find_number(identity(), number)
    except NotFound:
        record = None
    if record is None:
        _begin(scan, text)
        return
    now, mine = at_counter(copy), _is_for(scan, record)
    if scan.person and not mine and services().lending.counter.was_just_handed(identity(), record, copy, scan.person):
        raise InvalidInput(Fault("record", "just_handed"))
    if not mine and is_out(record, copy):
        seen = Seen(
            pages=now.pages, condition=now.condition, words=request.form.get("words", ""),
            effect=request.form.get("effect", ""), brought_by=scan.person,
        )  # fmt: skip
        _came_back(scan, take_back(record, seen, copy))
        return
    if not scan.person:
        raise InvalidInput(Fault("person", "required"))
    _went_out(scan, hand_out(scan.person, record, now, scan.slip))


def _begin(scan: Scan, text: str) -> None:
    """Take a scan as a person's card."""
    fresh = _standing(text)
    if not fresh.person:
        raise NotFound
    scan.person, scan.name, scan.slip = fresh.person, fresh.name, fresh.slip
    scan.kind, scan.head = "person", fresh.name


def _is_for(scan: Scan, record: UUID) -> bool:
    """Whether something approved of a record, of which another copy is out, waits for the person at the counter."""
    if not scan.person:
        return False
    waiting = services().lending.counter_papers.waiting(identity(), scan.person)
    return services().lending.looks.is_ready(identity(), scan.person, record) or any(
        each.record_id == record for each in waiting
    )


def _went_out(scan: Scan, handed: Handed | PaperAt) -> None:
    scan.kind = "done"
    if isinstance(handed, Handed):
        scan.head = f"{handed.record_number} → {handed.borrower}"
        scan.lines.append(_("Lent until %(day)s.", day=handed.due_on))
        return
    scan.head, scan.paper = f"{handed.number} → {handed.holder}", handed
    scan.lines.append(
        _("Into standing custody.") if handed.custody else _("It goes round, and is back by %(day)s.", day=handed.due)
    )


def _came_back(scan: Scan, back: Handed | PaperAt) -> None:
    scan.kind = "done"
    if isinstance(back, PaperAt):
        scan.head = f"{back.number} ← {back.holder}"
        scan.lines.append(
            _("It came back from standing custody.") if back.custody else _("It came back from its round.")
        )
        _differs(scan, back.report)
        return
    scan.head = f"{back.record_number} ← {back.borrower}"
    scan.lines.append(_("It came back."))
    if back.lies:
        scan.lines.append(_("It lay at %(path)s.", path=back.lies))
    if back.waiting:
        scan.lines.append(_("Someone waits for it: lay it aside for them."))
    _differs(scan, back.report)


def _differs(scan: Scan, report: UUID | None) -> None:
    scan.report = report
    if report:
        scan.lines.append(_("It differs from how it went out: a report is opened."))


def _explained(error: ArchiveError) -> list[str]:
    if isinstance(error, NotFound):
        return [_("This is neither a number that you can see nor a person's sign-in name.")]
    if isinstance(error, NotAllowed):
        return explain(error, current_locale())
    if isinstance(error, InvalidInput) and error.faults[0].field == "person":
        return [_("Scan the person's card first, then the papers.")]
    return explain_scan(error, current_locale())


def _money(text: str) -> int | None:
    text = unicodedata.normalize("NFKC", text).strip().replace(",", "")
    if not text:
        return None
    whole, _dot, part = text.partition(".")
    good = whole.isascii() and whole.isdigit() and len(whole) < 9 and len(part) < 3 and (not part or part.isdigit())
    if not good or not part.isascii():
        raise InvalidInput(Fault("cost", "out_of_range", {"low": 0, "high": 10**8}))
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _page(scan: Scan, recent: list[str]) -> BaseResponse:
    allow_camera()
    waiting = services().lending.looks.ready_for(identity(), scan.person) if scan.person else ()
    papers = services().lending.counter_papers.waiting(identity(), scan.person) if scan.person else ()
    handed = services().lending.looks.slip_numbers(identity(), scan.slip) if scan.slip else ()
    page = render_template(
        "lending/counter.html", scan=scan, recent=recent, waiting=waiting, papers=papers, handed=handed,
        conditions=named_conditions(),
    )  # fmt: skip
    return make_response(page, scan.status)


def _reports(error: ArchiveError | None = None) -> BaseResponse:
    after = paging.read_open(request.args.get("after", ""))
    rows = services().lending.reports.every(identity(), after=after, limit=PAGE + 1)
    found, more = rows[:PAGE], None
    if len(rows) > PAGE:
        last = found[-1].report
        more = url_for(".reports", after=paging.told_open(last.closed_at is None, (last.opened_at, last.id)))
    page = render_template(
        "lending/reports.html", found=found, more=more,
        photographs={each.report.id: photographs(AttachedTo.REPORT, each.report.id) for each in found},
        lines=explain(error, current_locale()) if error else [],
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
