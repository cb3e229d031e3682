"""Unsettled matters: entered for a record or a subject, many at once from a spreadsheet, listed, settled."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput
from archive.identity import Role
from archive.model import MatterKind
from web import paging
from web.arriving.pasted import Refused, each_line
from web.i18n import current_locale
from web.security import local_path
from web.services import identity, services
from web.words.appraisals import MATTERS
from web.words.faults import explain, status_of
from web.words.records import word

pages = Blueprint("matters", __name__, url_prefix="/matters")

PAGE = 50
"""Lines that are taken at once."""


@pages.get("")
def every() -> str:
    """List the matters that are open, or those that are settled, with the form for many."""
    return _page()


def _page(refused: Sequence[Refused] = (), lines: Sequence[str] = (), given: Mapping[str, str] | None = None) -> str:
    closed = request.args.get("settled") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().retention.matters.list(identity(), closed=closed, after=after, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        last = shown[-1].matter
        at = paging.told((last.opened_at, last.id))
        more = url_for("matters.every", settled="1" if closed else None, after=at)
    people = services().directory.people(
        each for row in shown for each in (row.matter.opened_by, row.matter.closed_by) if each
    )
    return render_template(
        "matters.html", found=shown, more=more, people=people, refused=refused, lines=lines, closed=closed,
        kept="\n".join(each.text for each in refused), may_enter=Role.ARCHIVIST in identity().roles,
        kinds=kinds(), given=given or {},
    )  # fmt: skip


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of matters with their words."""
    return [(kind.value, word(MATTERS, kind, current_locale())) for kind in MatterKind]


@pages.post("")
def enter() -> BaseResponse:
    """Enter a matter of a record or a subject."""
    typed, matters = request.form, services().retention.matters
    try:
        kind, why = _kind(typed.get("kind", "")), typed.get("reason", "")
        if typed.get("subject"):
            matters.open_of_subject(identity(), _id("subject"), kind, why)
        else:
            matters.open_of_record(identity(), _id("record"), kind, why)
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale()), given=typed), status_of(error))
    flash(_("The matter is entered; nothing that it hangs on is destroyed until it is settled."))
    return redirect(local_path(typed.get("back"), url_for("matters.every")), 303)


@pages.post("/many")
def many() -> BaseResponse:
    """Enter many matters: lines of number, kind and reason, as they are copied out of a spreadsheet."""
    try:
        taken, refused = each_line(_one)
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale())), status_of(error))
    if taken:
        flash(ngettext("%(num)d matter is entered.", "%(num)d matters are entered.", taken))
    if refused:
        return make_response(_page(refused), 422)
    return redirect(url_for("matters.every"), 303)


def _one(line: str) -> None:
    cells = [each.strip() for each in line.split("\t" if "\t" in line else ",", 2)]
    number, said, why = [*cells, "", "", ""][:3]
    known = {words: code for code, words in kinds()}
    record = services().records.find_number(identity(), number)
    services().retention.matters.open_of_record(identity(), record, _kind(known.get(said, said)), why)


@pages.post("/<uuid:matter_id>/close")
def close(matter_id: UUID) -> BaseResponse:
    """Say that a matter is settled."""
    try:
        services().retention.matters.close(identity(), matter_id, request.form.get("reason", ""))
    except InvalidInput as error:
        return make_response(_page(lines=explain(error, current_locale())), status_of(error))
    flash(_("The matter is settled."))
    return redirect(local_path(request.form.get("back"), url_for("matters.every")), 303)


def _id(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        raise InvalidInput(Fault(name, "unknown")) from None


def _kind(text: str) -> MatterKind:
    if text not in list(MatterKind):
        raise InvalidInput(Fault("kind", "unknown"))
    return MatterKind(text)


@pages.app_template_filter("matter_words")
def _words(kind: str) -> str:
    return word(MATTERS, kind, current_locale())
