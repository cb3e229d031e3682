"""Appraisals: begun from what is due, judged by a panel item by item or many at once, closed, reported."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.model import AppraisalState, Category, Place, PlaceKind, RetentionSchedule, Verdict
from archive.policy.rules import Act
from retention.appraising.judging import Filter
from retention.appraising.listing import Chosen
from retention.appraising.looks import ItemShown, View
from retention.appraising.saying_all import standing
from retention.appraising.verdicts import CHOICES, LEAST, Said
from retention.board import Asked
from web import filters, paging
from web.asking import Field, Form, again, day_typed, may, require, shown, whole_typed, year_in
from web.describing.importance import step, steps
from web.i18n import current_locale
from web.lists import ticked
from web.services import identity, services
from web.sure import asked as sure_asked
from web.waiting import MOST_TOLD
from web.words import named
from web.words.appraisals import APPRAISALS, STOPS, VERDICTS
from web.words.faults import explain, status_of
from web.words.records import word
from web.words.retention import schedule_name

pages = Blueprint("appraisals", __name__, url_prefix="/appraisals")

PAGE = 20
ITEMS = 50
MOST_YEARS = 100
SHOWN = ("todo", "unsaid", *(each.value for each in CHOICES))
"""Filters of items by name; without one all are shown."""


@pages.get("")
def every() -> str:
    """List the appraisals that the person may see or sits on the panel of."""
    after = paging.read(request.args.get("after", ""))
    found = services().retention.appraisals.looks.every(identity(), after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1].row
        more = url_for("appraisals.every", after=paging.told((last.begun_at, last.id)))
    with services().db.reading() as session:
        waits = services().retention.appraisals.judging.count(session, identity())
    return render_template("appraisals.html", rows=rows, more=more, waits=waits, may_begin=may(Act.BEGIN_APPRAISALS))


@pages.get("/new")
def new() -> BaseResponse:
    """Ask what an appraisal is for, who judges, and what of what is due its list takes."""
    require(Act.BEGIN_APPRAISALS)
    return shown(_form())


@pages.post("/new")
def begin() -> BaseResponse:
    """Begin an appraisal; its list is shown before it is opened to the panel."""
    typed = request.form
    try:
        panel = typed.get("panel", "").replace(",", " ").replace("，", " ").replace("、", " ").split()
        listing, chosen = services().retention.appraisals.listing, _chosen()
        key = listing.begin(identity(), typed.get("purpose", ""), panel, typed.get("chair", ""), chosen)
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The list is drawn up. Leave out what is not to be judged, then open it to the panel."))
    if left := listing.count(identity(), chosen, MOST_TOLD):
        flash(
            _(
                "It is full: as many more are due and wait for another appraisal: %(count)s.",
                count=filters.count(left, MOST_TOLD),
            )
        )
    return redirect(url_for("appraisals.show", appraisal_id=key), 303)


@pages.get("/<uuid:appraisal_id>")
def show(appraisal_id: UUID) -> BaseResponse:
    """Show an appraisal with its items, by filter."""
    return page(appraisal_id)


def page(appraisal_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    """Answer with an appraisal as ``show`` does, with what was typed and what is wrong with it."""
    looks = services().retention.appraisals.looks
    view = looks.show(identity(), appraisal_id)
    name = request.values.get("show", "")
    name = name if name in SHOWN else ""
    after = request.args.get("after", "")
    found = looks.items(
        identity(), appraisal_id, _filter(name), after=int(after) if after.isdecimal() and len(after) < 9 else 0,
        limit=ITEMS + 1,
    )  # fmt: skip
    items, more = found[:ITEMS], None
    if len(found) > ITEMS:
        at = items[-1].row.position
        more = url_for("appraisals.show", appraisal_id=appraisal_id, show=name or None, after=at)
    with services().db.reading() as session:
        saying = standing(session, identity(), appraisal_id)
    choices = [each for each in CHOICES if each is not Verdict.DECLASSIFY or view.secret]
    text = render_template(
        "appraisal.html", view=view, items=items, more=more, name=name,
        names=_names(view, items),
        lines=explain(error, current_locale()) if error else [], choices=choices, typed=request.form, kept=ticked(),
        counts=_counts_of(view),
        may_manage=may(Act.BEGIN_APPRAISALS), busy=view.row.task is not None,
        judges=view.member and view.row.task is None and saying is None, saying=saying, next=_next(view),
    )  # fmt: skip
    return make_response(text, status_of(error) if error else 200)


def _names(view: View, items: Sequence[ItemShown]) -> dict[UUID, str]:
    """Return the names of the panel, and of those outside it who were asked."""
    asked = {each.person for one in items for each in one.advice}
    return {key: who for key, who, _chair in view.panel} | dict(services().directory.people(asked))


def _next(view: View) -> list[tuple[str, str]]:
    """Return what the verdicts of a closed appraisal lead to, for who may do it: words and address."""
    if view.row.state is not AppraisalState.CLOSED:
        return []
    ways: list[tuple[str, str]] = []
    if view.verdicts.get(Verdict.DESTROY) and may(Act.ASK_DESTRUCTION):
        ways.append((_("Begin a destruction"), url_for("destructions.new", appraisal=view.row.id)))
    if view.verdicts.get(Verdict.TRANSFER) and may(Act.MANAGE_TRANSFERS):
        ways.append((_("Begin a transfer"), url_for("transfers.new", proposed=1)))
    if (view.verdicts.get(Verdict.OPEN) or view.verdicts.get(Verdict.DECLASSIFY)) and may(Act.SEE_SECRECY):
        ways.append((_("Secrecy periods"), url_for("secrecy.board")))
    return ways


def _counts_of(view: View) -> list[tuple[str, str, int]]:
    """Return the filters of the page: name, words, how many items."""
    locale, verdicts = current_locale(), view.verdicts
    found = [("", _("All"), sum(verdicts.values()))]
    if view.member and view.row.state is AppraisalState.OPEN:
        found.append(("todo", _("Waits for my opinion"), view.unjudged))
    found.append(("unsaid", _("No verdict"), verdicts.get(None, 0)))
    return found + [(each.value, word(VERDICTS, each, locale), verdicts.get(each, 0)) for each in CHOICES]


def _filter(name: str) -> Filter:
    if name in {"todo", "unsaid"}:
        return Filter(todo=name == "todo", unsaid=name == "unsaid")
    return Filter(verdict=Verdict(name) if name else None)


def _back(appraisal_id: UUID) -> BaseResponse:
    show_ = request.form.get("show", "")
    return redirect(url_for("appraisals.show", appraisal_id=appraisal_id, show=show_ if show_ in SHOWN else None), 303)


def _version() -> int:
    return whole_typed("version")


@pages.post("/<uuid:appraisal_id>/leave-out")
def leave_out(appraisal_id: UUID) -> BaseResponse:
    """Take the ticked records off the list."""
    count = services().retention.appraisals.listing.leave_out(identity(), appraisal_id, ticked())
    flash(ngettext("%(num)d record is left out.", "%(num)d records are left out.", count))
    return _back(appraisal_id)


@pages.post("/<uuid:appraisal_id>/open")
def open_(appraisal_id: UUID) -> BaseResponse:
    """Open it to the panel."""
    services().retention.appraisals.listing.open(identity(), appraisal_id, _version())
    flash(_("It is being opened: what is on the list is not lent from now on."))
    return _back(appraisal_id)


@pages.post("/<uuid:appraisal_id>/say")
def say(appraisal_id: UUID) -> BaseResponse:
    """Say the same of the ticked items, or by another button of all of the filter."""
    judging, reason = services().retention.appraisals.judging, request.form.get("reason", "")
    here = url_for("appraisals.show", appraisal_id=appraisal_id)
    try:
        said = _said()
        if request.form.get("of") != "all":
            count = judging.say(identity(), appraisal_id, _ticked(), said, reason)
        elif reason.strip() and (question := _sure_of_all(appraisal_id, said, reason, back=here)) is not None:
            return question
        else:
            every_one = services().retention.appraisals.say_all
            count, later = every_one.ask(identity(), appraisal_id, _filter(_shown_name()), said, reason)
            if later:
                flash(_("Your opinion of %(count)s items is being noted; look again in a moment.", count=count))
                return _back(appraisal_id)
    except InvalidInput as error:
        return page(appraisal_id, error)
    flash(ngettext("Your opinion of %(num)d item is kept.", "Your opinion of %(num)d items is kept.", count))
    return _back(appraisal_id)


def _sure_of_all(appraisal_id: UUID, said: Said, reason: str, *, back: str) -> BaseResponse | None:
    """Ask whether the same is meant of all of a filter, with how many there are; None: it is."""
    words: str = _(
        "You say the same of every item of this filter, with the same reason; where you spoke before, this takes its "
        "place."
    )
    view, name = services().retention.appraisals.looks.show(identity(), appraisal_id), _shown_name()
    of_it = [(label, count) for key, label, count in _counts_of(view) if key == name]
    which = [*((label, f"{count}") for label, count in of_it), (_("Verdict"), _verdict(said.verdict))]
    if said.until:
        which.append((_("Keep on until"), said.until.isoformat()))
    which.append((_("Reason"), reason.strip()))
    counted = sum(count for _label, count in of_it)
    return sure_asked(words, _("Say it of all"), back=back, which=which, about=f"{counted}")


def _ticked() -> list[UUID]:
    if not (found := ticked()):
        raise InvalidInput(Fault("record", "required"))
    return found


def _shown_name() -> str:
    name = request.form.get("show", "")
    return name if name in SHOWN else ""


def _said() -> Said:
    verdict = request.form.get("verdict", "")
    if verdict not in {each.value for each in CHOICES}:
        raise InvalidInput(Fault("verdict", "required" if not verdict else "unknown"))
    chosen = Verdict(verdict)
    until: date | None = day_typed("until") if chosen is Verdict.KEEP else None
    return Said(chosen, until)


@pages.post("/<uuid:appraisal_id>/read")
def read(appraisal_id: UUID) -> BaseResponse:
    """Let a member look at the ticked records for as long as the appraisal goes on."""
    if not ticked():
        flash(_("Choose the records first."))
        return _back(appraisal_id)
    services().retention.appraisals.judging.disclose(identity(), appraisal_id, ticked())
    flash(_("Their pages are open to you until the appraisal ends."))
    return _back(appraisal_id)


@pages.post("/<uuid:appraisal_id>/close")
def close(appraisal_id: UUID) -> BaseResponse:
    """Close it as its chair, once that is meant."""
    here = url_for("appraisals.show", appraisal_id=appraisal_id)
    words = _("What the panel said is fixed. What has no verdict stays due; what is to be destroyed goes only by a "
              "destruction of its own.")  # fmt: skip
    if (question := sure_asked(words, _("Close the appraisal"), back=here)) is not None:
        return question
    services().retention.appraisals.listing.close(identity(), appraisal_id, _version())
    flash(_("It is being closed; then its report can be printed."))
    return redirect(here, 303)


@pages.post("/<uuid:appraisal_id>/withdraw")
def withdraw(appraisal_id: UUID) -> BaseResponse:
    """Withdraw it: nothing of what was said counts."""
    try:
        reason = request.form.get("why", "")
        services().retention.appraisals.listing.withdraw(identity(), appraisal_id, _version(), reason)
    except InvalidInput as error:
        return page(appraisal_id, error)
    flash(_("It is being withdrawn."))
    return redirect(url_for("appraisals.show", appraisal_id=appraisal_id), 303)


def _chosen() -> Chosen:
    typed = request.form
    years = whole_typed("unread")
    if years > MOST_YEARS:
        raise InvalidInput(Fault("unread", "out_of_range", {"low": 1, "high": MOST_YEARS}))
    year = year_in(text := typed.get("year", "").strip())
    if text and year is None:
        raise InvalidInput(Fault("year", "out_of_range", {"low": 1001, "high": 2999}))
    asked = Asked(year=year, category=_key("category"), place=_key("place"), schedule=_key("schedule"))
    importance = step(typed.get("importance", ""))
    return Chosen(asked, years, importance, "vital" in typed.getlist("leave"), "handed_over" in typed.getlist("only"))


def _key(name: str) -> UUID | None:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        return None


def _form() -> Form:
    locale, every_ = current_locale(), _("any")
    waits = services().retention.appraisals.listing.count(identity(), Chosen(), MOST_TOLD)
    with services().db.reading() as session:
        categories = session.scalars(select(Category).order_by(Category.code)).all()
        places = session.scalars(select(Place).where(Place.kind == PlaceKind.PROJECT).order_by(Place.path)).all()
        schedules = session.scalars(select(RetentionSchedule).order_by(RetentionSchedule.code)).all()
    fields = [
        Field("purpose", _("Purpose of the appraisal"), must=True, limit=500, help=_("Whoever may see appraisals "
              "reads it: name nothing that is secret.")),
        Field("panel", _("Panel"), must=True, limit=1000, help=_("Sign-in names, parted by spaces: %(least)s people "
              "at least who read records.", least=LEAST)),
        Field("chair", _("Chair"), must=True, limit=64, help=_("The sign-in name of one of them. The chair closes it, "
              "and decides where there is no majority, but never to destroy.")),
        Field("year", _("Year in which it fell due"), limit=4),
        Field("category", _("Category"), kind="choose", none=every_,
              options=[(str(row.id), f"{row.code} {named(row.names, locale)}") for row in categories]),
        Field("place", _("Project"), kind="choose", none=every_,
              options=[(str(row.id), f"{row.code} {named(row.names, locale)}") for row in places]),
        Field("schedule", _("Schedule"), kind="choose", none=every_,
              options=[(str(row.id), schedule_name(row, locale)) for row in schedules]),
        Field("unread", _("Not opened or borrowed for so many years"), limit=3,
              help=_("Empty: whether used or not. It only narrows what is due; use alone proposes nothing.")),
        Field("importance", _("Importance at most"), kind="choose", none=every_, options=steps(),
              help=_("What nobody gave an importance is left out then. It only narrows what is due.")),
        Field("leave", _("Leave out"), kind="ticks", options=[("vital", _("vital records"))]),
        Field("only", _("Only"), kind="ticks",
              options=[("handed_over", _("copies of what was handed over to another archive"))]),
    ]  # fmt: skip
    return Form(
        _("Begin an appraisal"), fields, _("Draw up the list"), url_for("appraisals.every"),
        crumbs=[(url_for("appraisals.every"), _("Appraisals")), (None, _("Begin an appraisal"))],
        intro=" ".join((_("The list takes what is due today and fits, and is on no other list. Nothing is destroyed by "
                "an appraisal."), _("Due today and on no list: %(count)s.", count=filters.count(waits, MOST_TOLD)))),
        values={name: request.args.get(name, "")[:40] for name in ("year", "category", "place")},
    )  # fmt: skip


@pages.app_template_filter("appraisal_state")
def _state(row: Any) -> str:
    return word(APPRAISALS, row.task or row.state, current_locale())


@pages.app_template_filter("verdict_words")
def _verdict(value: Verdict) -> str:
    return word(VERDICTS, value, current_locale())


@pages.app_template_filter("stop_words")
def _stop(value: str) -> str:
    return word(STOPS, value, current_locale())
