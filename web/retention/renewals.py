"""Renewals: asked for of a record, of what was ticked or of what is due; listed, shown and decided."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, WrongState
from archive.identity import Role
from archive.policy.rules import Act
from archive.terms import FOREVER
from retention.renewal_rules import Extent
from retention.renewals import LONGEST_AUTHORITY, MOST, Wish
from web import paging
from web.asking import Field, Form, again, shown, whole_typed
from web.deciding import decide_as_typed, say_decided
from web.i18n import current_locale
from web.lists import numbered, records_told, ticked
from web.retention.terms_due import asked_for
from web.services import identity, services
from web.words.faults import explain, status_of
from web.words.retention import said
from web.words.secrecy import STATES

pages = Blueprint("renewals", __name__, url_prefix="/renewals")

PAGE = 50
_HOW = ("years", "through", "forever")


@pages.get("")
def every() -> str:
    """List the renewals that wait to be decided, or those that are."""
    decided = request.args.get("decided") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().retention.renewals.every(identity(), decided=decided, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1][0]
        more = url_for("renewals.every", decided=1 if decided else None, after=paging.told((last.asked_at, last.id)))
    people = services().directory.people(approval.asked_by for approval, _count in rows)
    return render_template(
        "renewals.html", rows=rows, decided=decided, more=more, people=people, states=_states(), asks=_asks()
    )


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a renewal, of a record that is named or of numbers that are typed."""
    _require()
    try:
        ids = [UUID(request.args["record"])]
    except (KeyError, ValueError):
        ids = []
    return shown(_form(ids))


@pages.post("/new")
def ask() -> BaseResponse:
    """Take the records that were ticked (or all that are listed as due) to the form; with an extent, ask for it."""
    _require()
    if "how" not in request.form:
        return shown(_form(_listed() if request.form.get("what") == "all" else ticked()))
    ids: list[UUID] = []
    try:
        ids = [UUID(key) for key in request.form.get("records", "").split(",") if key]
        ids += numbered(request.form.get("numbers", ""), MOST)
        typed = request.form
        wish = Wish(ids, _extent(), typed.get("reason", ""), typed.get("authority", ""))
        key = services().retention.renewals.ask(identity(), wish)
    except ValueError:
        raise NotAllowed(act=Act.RENEW.value) from None
    except ArchiveError as error:
        return again(_form(ids), error)
    flash(_("The renewal is asked for. Until it is decided every term stays as it is."))
    return redirect(url_for("renewals.show", renewal_id=key), 303)


@pages.get("/<uuid:renewal_id>")
def show(renewal_id: UUID) -> str:
    """Show one renewal: its records that the person reads, until when, why, and what was decided."""
    return _page(renewal_id)


@pages.post("/<uuid:renewal_id>/decide")
def decide(renewal_id: UUID) -> BaseResponse:
    """Approve or refuse a renewal."""
    try:
        state = decide_as_typed(services().retention.renewals.decide, renewal_id)
    except (InvalidInput, NotAllowed, WrongState) as error:
        return make_response(_page(renewal_id, explain(error, current_locale())), status_of(error))
    say_decided(
        state,
        approved=_("The renewal is approved; the records are kept on."),
        refused=_("The renewal is refused; every term stays as it is."),
    )
    return redirect(url_for("renewals.show", renewal_id=renewal_id), 303)


@pages.post("/<uuid:renewal_id>/withdraw")
def withdraw(renewal_id: UUID) -> BaseResponse:
    """Take back one's own renewal."""
    services().retention.renewals.withdraw(identity(), renewal_id)
    flash(_("The request is taken back."))
    return redirect(url_for("renewals.show", renewal_id=renewal_id), 303)


def _page(renewal_id: UUID, lines: list[str] | None = None) -> str:
    found = services().retention.renewals.show(identity(), renewal_id)
    people = services().directory.people((found.approval.asked_by, found.approval.decided_by))
    return render_template(
        "renewal.html", found=found, approval=found.approval, people=people, lines=lines or [], forever=FOREVER,
        typed=request.form.get("reason", ""), states=_states(),
    )  # fmt: skip


def _form(ids: Sequence[UUID]) -> Form:
    fields = [
        Field("how", _("How much longer"), kind="choose", must=True, none=_("choose one"),
              options=[("years", _("for some years more")), ("through", _("to the end of a year")),
                       ("forever", _("for good"))]),
        Field("years", _("Years more"), limit=3, when="years",
              help=_("Counted from the day on which the term runs out, and from today where that is past.")),
        Field("through", _("Last year"), limit=4, when="through", help=_("For example 2040.")),
        Field("authority", _("Authority"), must=True, limit=LONGEST_AUTHORITY,
              help=_("Who decided so: a committee, a decree, a head.")),
        Field("reason", _("Reason"), must=True, limit=500),
        Field("numbers", _("More records"), kind="long", help=_("Their numbers, one a line.")),
    ]  # fmt: skip
    intro = _("Another person decides. A renewal never shortens a term. A dossier is kept on with all that lies in it.")
    if told := records_told(ids):
        intro = f"{intro} {told}"
    back = url_for("renewals.every")
    return Form(
        _("Renew terms"), fields, _("Ask for the renewal"), back, action=url_for("renewals.ask"), intro=intro,
        crumbs=[(url_for("terms_due.board"), _("Terms run out")), (back, _("Renewals")), (None, _("Renew terms"))],
        hidden={"records": ",".join(str(key) for key in ids)} if ids else {},
    )  # fmt: skip


def _extent() -> Extent:
    how = request.form["how"]
    if how not in _HOW:
        raise InvalidInput(Fault("how", "required"))
    if how == "forever":
        return Extent()
    if not request.form.get(how, "").strip():
        raise InvalidInput(Fault(how, "required"))
    return Extent(**{how: whole_typed(how)})


def _listed() -> list[UUID]:
    """Return all records of the board of what is due as it was shown, as far as one request takes them."""
    found = services().retention.board.list(identity(), asked_for(request.form), limit=MOST)
    return [row.record_id for row in found]


def _asks() -> bool:
    return Role.ARCHIVIST in identity().roles


def _require() -> None:
    if not _asks():
        raise NotAllowed(act=Act.RENEW.value)


def _states() -> dict[str, str]:
    locale = current_locale()
    return {str(key): said(STATES, key, locale) for key in STATES}
