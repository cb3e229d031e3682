"""The register of readers from outside: found again at the desk, shown, erased."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.loans.outside import LONGEST_NAME
from archive.policy.rules import Act
from web import paging
from web.asking import require
from web.services import identity, services

pages = Blueprint("outside_readers", __name__, url_prefix="/loans/readers")

PAGE = 50


@pages.route("", methods=["GET", "POST"])
def every() -> str:
    """List those who are known, or find one by a whole name or number; what is sought stands in no address."""
    require(Act.SEE_LOANS)
    readers, after = services().lending.readers, paging.read(request.values.get("after", ""))
    words = request.form.get("words", "")[:LONGEST_NAME]
    sought = request.method == "POST"
    if sought:
        shown, behind = readers.find(identity(), words, after, limit=PAGE)
        more = paging.told(behind) if behind else None
    else:
        found = readers.list(identity(), after, limit=PAGE + 1)
        shown, more = paging.page(found, PAGE, lambda each: paging.told((each.row.last_at, each.row.id)))
    return render_template(
        "lending/readers.html", found=shown, more=more, sought=sought, words=words, limit=LONGEST_NAME,
        values={}, faults={},
    )  # fmt: skip


@pages.get("/<uuid:reader_id>")
def show(reader_id: UUID) -> str:
    """Show one, with the visits that the person may see."""
    return _page(reader_id)


@pages.post("/<uuid:reader_id>/reveal")
def reveal(reader_id: UUID) -> str:
    """Show the whole number of the reader's paper; it is written down that it was shown."""
    return _page(reader_id, services().lending.readers.reveal(identity(), reader_id))


@pages.post("/<uuid:reader_id>/erase")
def erase(reader_id: UUID) -> BaseResponse:
    """Erase one before the time."""
    services().lending.readers.erase(identity(), reader_id)
    flash(_("The reader is erased from the register, and the number of the paper from the visits."))
    return redirect(url_for(".every"), 303)


def _page(reader_id: UUID, whole: str = "") -> str:
    each = services().lending.readers.show(identity(), reader_id)
    after = paging.read(request.args.get("after", ""))
    visits = services().lending.outside.visits(identity(), reader_id, after=after, limit=PAGE + 1)
    more = None
    if len(visits) > PAGE:
        last = visits[PAGE - 1]
        more = url_for(".show", reader_id=reader_id, after=paging.told((last.at, last.use.id)))
    days = services().lending.looks.rules().readers
    return render_template("lending/reader.html", each=each, whole=whole, visits=visits[:PAGE], more=more, days=days)
