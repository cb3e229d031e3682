"""The use register 利用登记簿: who used which record, from inside and outside; and readers from outside at the desk."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Ambiguous, ArchiveError, Fault, InvalidInput, NotFound, Unavailable
from archive.loans.outside import LONGEST, LONGEST_NAME, LONGEST_NUMBER, MOST
from archive.loans.readers import Reader
from archive.loans.used import Came, Used, Wished
from archive.model import AttachedTo
from archive.model.uses import IdentityPaper, UseHow
from archive.policy.rules import Act
from archive.spelling import whole_of
from web import paging
from web.asking import require, told
from web.custody.placing import numbered
from web.days import first_of, last_of
from web.i18n import current_locale
from web.lending.attached import photographs, sent
from web.lending.papers import use_rows, uses_pdf
from web.prints.filled import book_sent, pdf_sent
from web.services import identity, services
from web.sheets import workbook
from web.words import translator
from web.words.faults import explain, status_of
from web.words.loans import IDENTITY_PAPERS, SHORT_FORMS, USED_HOW

pages = Blueprint("uses", __name__, url_prefix="/loans/uses")

PAGE = 100
VISITS = 50
MOST_ROWS = 2_000
"""Lines of a spreadsheet or a PDF."""

ASKED = ("name", "paper_number", "organisation", "contact", "need", "numbers", "pages", "files")


@pages.get("")
def every() -> str:
    """List what was used of the records that this person hands out."""
    after = paging.read(request.args.get("after", ""))
    found = services().lending.used.list(identity(), _wished(), after, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        place: dict[str, Any] = {**_asked(), "after": paging.told((shown[-1].at, shown[-1].id))}
        more = url_for(".every", **place)
    return render_template(
        "lending/uses.html", found=shown, more=more, asked=_asked(), values=_asked(), faults={},
        came=[("", _("All")), ("inside", _("From inside")), ("outside", _("From outside"))],
        record=request.args.get("record", ""), most=MOST_ROWS,
    )  # fmt: skip


@pages.get("/list.xlsx")
def sheet() -> Response:
    """Send the register as a spreadsheet."""
    heads, rows = use_rows(_all("use.export"), current_locale())
    return book_sent(workbook(heads, rows), "juanku-use-register")


@pages.get("/list.pdf")
def printed() -> Response:
    """Send the register as a PDF."""
    made = uses_pdf(_all("use.print"))
    return pdf_sent(made, "juanku-use-register")


@pages.route("/find", methods=["GET", "POST"])
def find() -> str:
    """Find the visits of who has an identity paper; its number stands in no address."""
    require(Act.SEE_LOANS)
    found, more, number = None, None, request.form.get("paper_number", "")
    if request.method == "POST":
        after = paging.read(request.form.get("after", ""))
        visits = services().lending.outside.find(identity(), _paper(), number, after=after, limit=VISITS + 1)
        found, more = paging.page(visits, VISITS, lambda each: paging.told((each.at, each.use.id)))
    return render_template(
        "lending/use_find.html", found=found, more=more, number=number, papers=_papers(),
        values={"paper": request.form.get("paper", "resident")},
        faults={}, limit=LONGEST_NUMBER,
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Show the form for a reader from outside."""
    require(Act.SEE_LOANS)
    return _form()


@pages.post("/new")
def register() -> BaseResponse:
    """Write down a reader from outside and what they are given."""
    require(Act.SEE_LOANS)
    form = request.form
    try:
        files = services().attachments.check(sent())
        reader = Reader(
            form.get("name", ""), _paper(), form.get("paper_number", ""), form.get("organisation", ""),
            form.get("contact", ""),
        )  # fmt: skip
        key = services().lending.outside.register(
            identity(), reader, form.get("need", ""), _how(), _records(form.get("numbers", "")), _pages(),
            _key(form.get("reader", "")),
        )  # fmt: skip
    except (InvalidInput, Ambiguous) as error:
        return _form(error)
    try:
        services().attachments.add(identity(), AttachedTo.USE, key, files)
    except Unavailable:
        flash(_("It is written down, but its letter was not kept. Add it again here."))
    else:
        flash(_("It is written down. Add here what else they are given, and at the end what came of it."))
    return redirect(url_for(".show", use_id=key), 303)


@pages.get("/<uuid:use_id>")
def show(use_id: UUID) -> BaseResponse:
    """Show one visit."""
    return _page(use_id)


@pages.post("/<uuid:use_id>/reveal")
def reveal(use_id: UUID) -> BaseResponse:
    """Show the whole number of the reader's paper; it is written down that it was shown."""
    return _page(use_id, whole=services().lending.outside.reveal(identity(), use_id))


@pages.post("/<uuid:use_id>/records")
def add(use_id: UUID) -> BaseResponse:
    """Add a record of the same visit."""
    form = request.form
    try:
        records = _records(form.get("numbers", ""), must=True)
        services().lending.outside.add(identity(), use_id, records, _how(), _pages(), form.get("need", ""))
    except (InvalidInput, Ambiguous) as error:
        return _page(use_id, error)
    flash(_("It is written down."))
    return redirect(url_for(".show", use_id=use_id), 303)


@pages.post("/<uuid:use_id>/effect")
def effect(use_id: UUID) -> BaseResponse:
    """Write down what came of the use."""
    text = request.form.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    try:
        services().lending.outside.note_effect(identity(), use_id, request.form.get("effect", ""), version=version)
    except NotFound:
        raise
    except ArchiveError as error:
        return _page(use_id, error)
    flash(_("It is written down."))
    return redirect(url_for(".show", use_id=use_id), 303)


@pages.post("/<uuid:use_id>/letter")
def letter(use_id: UUID) -> BaseResponse:
    """Add a letter of introduction."""
    try:
        services().attachments.add(identity(), AttachedTo.USE, use_id, services().attachments.check(sent()))
    except (InvalidInput, Unavailable) as error:
        for line in explain(error, current_locale()):
            flash(line)
    return redirect(url_for(".show", use_id=use_id), 303)


@pages.app_template_filter("used_how")
def used_how(how: str) -> str:
    """Say how a record was used: lent, or by a reader from outside."""
    return translator(current_locale())({**SHORT_FORMS, **USED_HOW}[how])


@pages.app_template_filter("identity_paper")
def identity_paper(paper: str) -> str:
    """Say what an identity paper is called."""
    return translator(current_locale())(IDENTITY_PAPERS[paper])


def _page(use_id: UUID, error: ArchiveError | None = None, whole: str = "") -> BaseResponse:
    each = services().lending.outside.show(identity(), use_id)
    lines, faults = told(error, (*ASKED, "effect")) if error else ([], {})
    first = each.records[0].need if each.records else ""
    page = render_template(
        "lending/use.html", each=each, whole=whole, lines=lines, faults=faults, limit=LONGEST,
        values={"need": first, "how": "read", **request.form.to_dict()}, how=_hows(), labels=_labels(),
        letters=photographs(AttachedTo.USE, use_id),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _form(error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ASKED) if error else ([], {})
    values = {"paper": "resident", "how": "read", "numbers": request.args.get("number", "")}
    known = _key(request.values.get("reader", ""))
    again = services().lending.readers.show(identity(), known) if known else None
    if again:
        values |= {"name": again.reader.name, "organisation": again.reader.organisation}
        values |= {"contact": again.reader.contact, "paper": again.reader.paper.value}
    page = render_template(
        "lending/use_new.html", lines=lines, faults=faults, labels=_labels(), papers=_papers(), how=_hows(),
        limit=LONGEST, name_limit=LONGEST_NAME, number_limit=LONGEST_NUMBER, most=MOST, again=again,
        values={**values, **request.form.to_dict()},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _labels() -> dict[str, str]:
    return {
        "name": _("Name of the reader"), "paper_number": _("Number of the paper"), "organisation": _("Organisation"),
        "contact": _("Contact"), "need": _("Need"), "numbers": _("Numbers of the records"), "pages": _("Pages copied"),
        "effect": _("Effect of the use"), "files": _("Letter of introduction"),
    }  # fmt: skip


def _papers() -> list[tuple[str, str]]:
    say = translator(current_locale())
    return [(value, say(words)) for value, words in IDENTITY_PAPERS.items()]


def _hows() -> list[tuple[str, str]]:
    say = translator(current_locale())
    return [(value, say(words)) for value, words in USED_HOW.items()]


def _paper() -> IdentityPaper:
    value = request.form.get("paper", "")
    return IdentityPaper(value) if value in IDENTITY_PAPERS else IdentityPaper.RESIDENT


def _how() -> UseHow:
    return UseHow.COPIES if request.form.get("how") == "copies" else UseHow.READ


def _pages() -> int | None:
    text = request.form.get("pages", "").strip()
    if not text:
        return None
    if (number := whole_of(text, 99_999)) is None:
        raise InvalidInput(Fault("pages", "not_a_number"))
    return number


def _records(text: str, *, must: bool = False) -> Sequence[UUID]:
    """Return the records of typed or scanned numbers, one a line; ``must``: there has to be one."""
    lines = [line.strip()[:300] for line in text.splitlines() if line.strip()]
    if must and not lines:
        raise InvalidInput(Fault("numbers", "required"))
    if len(lines) > MOST:
        raise InvalidInput(Fault("numbers", "too_many", {"limit": MOST}))
    found = []
    for line in lines:
        number, _copy = numbered(line)
        try:
            found.append(services().records.find_number(identity(), number))
        except NotFound:
            raise InvalidInput(Fault("numbers", "no_record_of", {"number": line[:100]})) from None
    return found


def _asked() -> dict[str, str]:
    return {
        name: request.args[name] for name in ("came", "since", "until", "staff", "record") if request.args.get(name)
    }


def _wished() -> Wished:
    asked = _asked()
    staff = services().directory.people_called([asked["staff"]]) if "staff" in asked else {}
    nobody = UUID(int=0)
    return Wished(
        came=Came(asked["came"]) if asked.get("came") in set(Came) else None,
        since=first_of(asked.get("since", ""), "since"), until=last_of(asked.get("until", ""), "until"),
        staff=next(iter(staff.values()), nobody) if "staff" in asked else None,
        record_id=(_key(asked["record"]) or nobody) if "record" in asked else None,
    )  # fmt: skip


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _all(act: str) -> Sequence[Used]:
    """Return the register to take away; who took it is written down first."""
    found = services().lending.used.list(identity(), _wished(), limit=MOST_ROWS)
    body: dict[str, Any] = {"rows": len(found), **_asked()}
    services().readings.begin(identity(), act, body=body).result()
    return found
