"""Secrecy periods: the board of what ends, reviews and their decisions, and periods set by hand."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.house.levels import mark as level_mark
from archive.identity import Role
from archive.model import Category, RecordState, SecrecyVerdict
from archive.policy.rules import Act
from retention.secrecy.reviews import MOST, Wish
from retention.secrecy.rules import Standing
from web import paging
from web.asking import Field, Form, again, day_typed, may, require, shown, whole_typed
from web.deciding import decide_as_typed, say_decided
from web.describing.record_pages import full_view
from web.i18n import current_locale
from web.lists import carried, numbered, records_told, ticked
from web.retention import deriving
from web.services import identity, services
from web.waiting import MOST_TOLD
from web.words import named
from web.words.faults import explain, status_of
from web.words.retention import said
from web.words.secrecy import OUTCOMES, STANDINGS, STATES, VERDICTS

pages = Blueprint("secrecy", __name__, url_prefix="/secrecy")

PAGE = 50
_PROPOSED = (SecrecyVerdict.DECLASSIFY, SecrecyVerdict.OPEN)
"""What a panel of an appraisal may propose to a review."""
_LEVELLED = {SecrecyVerdict.LOWER, SecrecyVerdict.DERIVE, SecrecyVerdict.RAISE, SecrecyVerdict.DECLASSIFY}


@pages.get("")
def board() -> str:
    """List what is secret until when: first what has ended and was not decided."""
    which, category = _which()
    found = services().retention.secrecy.list(
        identity(), which, category=category, after=_place(request.args.get("after", "")), limit=PAGE + 1
    )
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1]
        after = f"{last.period.ends or date.min}_{last.record.id.hex}"
        more = url_for("secrecy.board", which=which.value, category=category, after=after)
    return render_template(
        "secrecy.html", rows=rows, which=which, category=category, more=more, counts=_counts(), standings=_standings(),
        categories=_categories(), reviews=_may_review(), manages=may(Act.MANAGE_LEVELS), most=MOST,
        decide=_to_decide(), proposed=_proposed(), verdicts=_words(VERDICTS),
        most_told=MOST_TOLD,
    )  # fmt: skip


@pages.get("/reviews")
def reviews() -> str:
    """List the reviews that wait to be decided, or those that are."""
    decided = request.args.get("decided") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().retention.reviews.every(identity(), decided=decided, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        review, approval, _count = rows[-1]
        place = paging.told((approval.asked_at, review.id))
        more = url_for("secrecy.reviews", decided=1 if decided else None, after=place)
    people = services().directory.people(approval.asked_by for _review, approval, _count in rows)
    return render_template(
        "secrecy_reviews.html", rows=rows, decided=decided, more=more, people=people, verdicts=_words(VERDICTS),
        states=_words(STATES), reviews=_may_review(),
    )  # fmt: skip


@pages.get("/reviews/new")
def new() -> BaseResponse:
    """Ask for a review, of a record that is named or of numbers that are typed."""
    require(Act.SEE_SECRECY)
    if not _may_review():
        raise NotAllowed(act="secrecy.ask")
    ids = [key for key in [_id(request.args.get("record", ""))] if key]
    return shown(_form(ids, request.args.get("verdict", "")))


@pages.post("/reviews/new")
def ask() -> BaseResponse:
    """Take the records that were ticked (or all that are listed) to the form; with a verdict, ask for the review."""
    if "verdict" not in request.form:
        ids = _listed() if request.form.get("what") == "all" else ticked()
        verdict = request.form.get("proposed", "")
        if verdict in _PROPOSED:
            ids = list(_proposed().get(SecrecyVerdict(verdict), ()))
        return shown(_form(ids, verdict))
    ids, titled = carried(), "titled" in request.form
    left_out = set(deriving.left_out(ids)) if titled else set()
    try:
        ids += numbered(request.form.get("numbers", ""), MOST)
        derives = request.form["verdict"] == SecrecyVerdict.DERIVE and len(set(ids)) > 1
        if "fill" in request.form or (derives and not titled):
            return deriving.page(ids)
        key = services().retention.reviews.ask(identity(), _wish([each for each in ids if each not in left_out]))
    except ArchiveError as error:
        return deriving.page(ids, error) if titled else again(_form(ids), error)
    flash(_("The review is asked for. Until it is decided every level holds."))
    if left_out:
        flash(_("Left out, as you ticked: %(count)s.", count=len(left_out)))
    return redirect(url_for("secrecy.review", review_id=key), 303)


@pages.get("/reviews/<uuid:review_id>")
def review(review_id: UUID) -> str:
    """Show one review: its records that the person reads, why, and what was decided."""
    return _page(review_id)


@pages.post("/reviews/<uuid:review_id>/decide")
def decide(review_id: UUID) -> BaseResponse:
    """Approve or refuse a review."""
    try:
        state = decide_as_typed(services().retention.reviews.decide, review_id)
    except (InvalidInput, NotAllowed, WrongState) as error:
        return make_response(_page(review_id, explain(error, current_locale())), status_of(error))
    say_decided(state, approved=_("The review is approved."), refused=_("The review is refused."))
    try:
        services().retention.reviews.show(identity(), review_id)
    except NotFound:  # its records came where this person does not read them
        return redirect(url_for("secrecy.reviews"), 303)
    return redirect(url_for("secrecy.review", review_id=review_id), 303)


@pages.post("/reviews/<uuid:review_id>/withdraw")
def withdraw(review_id: UUID) -> BaseResponse:
    """Take back one's own review."""
    services().retention.reviews.withdraw(identity(), review_id)
    flash(_("The request is taken back."))
    return redirect(url_for("secrecy.review", review_id=review_id), 303)


@pages.get("/records/<uuid:record_id>")
def period(record_id: UUID) -> BaseResponse:
    """Ask from when and for how long a record is secret."""
    return shown(_period_form(record_id))


@pages.post("/records/<uuid:record_id>")
def set_period(record_id: UUID) -> BaseResponse:
    """Set a record's period, or the condition with which it ends."""
    form = _period_form(record_id)
    try:
        since = day_typed("since")
        if since is None:
            raise InvalidInput(Fault("since", "required"))
        months = whole_typed("years") * 12 + whole_typed("months")
        version = whole_typed("version")
        services().retention.secrecy.set_period(
            identity(), record_id, since, months or None, request.form.get("reason", ""), version
        )
    except ArchiveError as error:
        return again(form, error)
    flash(_("The period is set."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.get("/periods")
def periods() -> BaseResponse:
    """Ask how long the records of each level are secret."""
    require(Act.MANAGE_LEVELS)
    return shown(_periods_form())


@pages.post("/periods")
def set_periods() -> BaseResponse:
    """Say how long the records of each level are secret; it counts for what comes to the level from now on."""
    require(Act.MANAGE_LEVELS)
    try:
        for rank in services().directory.levels():
            years = whole_typed(f"level-{rank}")
            services().retention.secrecy.set_level_period(identity(), rank, years * 12 or None)
    except ArchiveError as error:
        return again(_periods_form(), error)
    flash(_("The periods are changed; they count for what comes to its level from now on."))
    return redirect(url_for("levels.show"), 303)


def _page(review_id: UUID, lines: list[str] | None = None) -> str:
    found = services().retention.reviews.show(identity(), review_id)
    people = services().directory.people((found.approval.asked_by, found.approval.decided_by))
    texts = sorted(found.derived.values(), key=lambda each: each.id)
    unfiled = [each for each in texts if each.state is RecordState.PROVISIONAL]
    return render_template(
        "secrecy_review.html", found=found, review=found.review, approval=found.approval, people=people,
        lines=lines or [], typed=request.form.get("reason", ""), verdicts=_words(VERDICTS), states=_words(STATES),
        outcomes=_words(OUTCOMES), unfiled=unfiled, own=found.approval.asked_by == identity().person_id,
    )  # fmt: skip


def _form(ids: Sequence[UUID], verdict: str = "") -> Form:
    fields = [
        Field("verdict", _("What is to be done"), kind="choose", options=list(_words(VERDICTS).items()),
              none=_("choose one"), must=True),
        Field("level", _("New secrecy level"), kind="choose", options=deriving.level_choices(), none="—",
              when="lower raise declassify derive",
              help=_("To downgrade, raise or declassify; of a derived text: its level.")),
        Field("years", _("Extend by years"), limit=3, when="extend derive",
              help=_("To extend; with a derived text the original's period.")),
        Field("months", _("and months"), limit=2, when="extend derive"),
        Field("until", _("Keep from release until"), kind="day", when="control"),
        Field("title", _("Title of the derived text"), limit=500, when="derive",
              help=_("Readers of the lower level see it: it says nothing that is secret. Of several records the next "
                     "page asks for each.")),
        Field("numbers", _("More records"), kind="long", help=_("Their numbers, one a line.")),
        Field("reason", _("Reason"), must=True, limit=500),
    ]  # fmt: skip
    back = url_for("secrecy.board")
    intro = _("Another person decides. Until then every level holds, also after a period has ended.")
    if told := records_told(ids):
        intro = f"{intro} {told}"
    return Form(
        _("Review secrecy"), fields, _("Ask for the review"), back, action=url_for("secrecy.ask"), intro=intro,
        crumbs=[(back, _("Secrecy periods")), (None, _("Review secrecy"))],
        values={"verdict": verdict},
        hidden={"records": ",".join(str(key) for key in ids)} if ids else {},
    )  # fmt: skip


def _wish(ids: Sequence[UUID]) -> Wish:
    typed = request.form
    if typed["verdict"] not in list(SecrecyVerdict):
        raise InvalidInput(Fault("verdict", "required"))
    verdict = SecrecyVerdict(typed["verdict"])
    extends = verdict in {SecrecyVerdict.EXTEND, SecrecyVerdict.DERIVE}
    return Wish(
        verdict,
        ids,
        typed.get("reason", ""),
        level=(whole_typed("level") or None) if verdict in _LEVELLED else None,
        months=(whole_typed("years") * 12 + whole_typed("months") or None) if extends else None,
        until=day_typed("until") if verdict is SecrecyVerdict.CONTROL else None,
        title=typed.get("title", "") if verdict is SecrecyVerdict.DERIVE else "",
        titles=deriving.typed_titles() if verdict is SecrecyVerdict.DERIVE else {},
    )


def _listed() -> list[UUID]:
    """Return all records of the board as it was shown, as far as one review takes them."""
    which, category = _which(request.form)
    found = services().retention.secrecy.list(identity(), which, category=category, limit=MOST)
    return [row.record.id for row in found]


def _period_form(record_id: UUID) -> Form:
    view = full_view(record_id)
    told = services().retention.secrecy.told(identity(), record_id)
    if not told.may_set or told.period is None:
        raise NotAllowed(act=Act.SET_LEVEL.value)
    period = told.period
    back = url_for("records.show", record_id=record_id)
    years, months = divmod(period.months or 0, 12)
    fields = [
        Field("since", _("Marked on"), must=True, kind="day"),
        Field("years", _("Secret for years"), limit=3),
        Field("months", _("and months"), limit=2, help=_("Neither: until the condition that is written below.")),
        Field("reason", _("Reason, or condition"), must=True, limit=500),
    ]
    values = {
        "since": period.since.isoformat(), "years": years or "", "months": months or "", "reason": told.words,
    }  # fmt: skip
    return Form(
        _("Secrecy period"), fields, _("Save"), back, values=values, hidden={"version": view.record.version},
        crumbs=[(back, view.record.title), (None, _("Secrecy period"))],
        intro=_("The level stays as it is. At the end of the period a review decides."),
    )  # fmt: skip


def _periods_form() -> Form:
    locale, levels = current_locale(), services().directory.levels()
    fields = [
        Field(f"level-{rank}", f"{level.symbol} {level_mark(level, locale)}", limit=3)
        for rank, level in reversed(levels.items())
    ]
    with services().db.reading() as session:
        values = {f"level-{rank}": years or "" for rank, years in services().retention.secrecy.years(session).items()}
    back = url_for("levels.show")
    return Form(
        _("Secrecy periods of the levels"), fields, _("Save"), back, values=values,
        crumbs=[(back, _("Levels")), (None, _("Secrecy periods of the levels"))],
        intro=_("In years, from the day a record is marked. A level without is open: its records have no period."),
        told=_("Periods that run stay as they are."),
    )  # fmt: skip


def _which(given: Any = None) -> tuple[Standing, UUID | None]:
    given = request.args if given is None else given
    which = given.get("which", "")
    return Standing(which) if which in list(Standing) else Standing.LATE, _id(given.get("category", ""))


def _counts() -> Mapping[Standing, int]:
    return services().retention.secrecy.counts(identity(), MOST_TOLD)


def _proposed() -> Mapping[SecrecyVerdict, Sequence[UUID]]:
    """Return what appraisals propose to reviews, for who reviews."""
    if not _may_review():
        return {}
    with services().db.reading() as session:
        return services().retention.reviews.proposed(session, identity())


def _may_review() -> bool:
    return Role.SECRECY_OFFICER in identity().roles


def _to_decide() -> int:
    with services().db.reading() as session:
        return services().retention.reviews.count(session, identity())


def _standings() -> Mapping[str, str]:
    return _words(STANDINGS)


def _words(table: Mapping[str, str]) -> dict[str, str]:
    locale = current_locale()
    return {str(key): said(table, key, locale) for key in table}


def _categories() -> Sequence[tuple[UUID, str]]:
    locale = current_locale()
    with services().db.reading() as session:
        rows = session.scalars(select(Category).order_by(Category.code))
        return [(row.id, f"{row.code} {named(row.names, locale)}") for row in rows]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _place(text: str) -> tuple[date, UUID] | None:
    """Read where the list goes on; anything else begins it anew."""
    day, _bar, key = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(key)
    except ValueError:
        return None
