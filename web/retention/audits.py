"""Audits: the programme, planning one, its points with their answers, what it found, and its close."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.model import Fonds
from archive.model.auditing import AuditKind, AuditState, AuditWord, Likelihood
from archive.policy.rules import Act
from retention.auditing.findings import Found
from retention.auditing.looks import Answered
from retention.auditing.planning import Wanted
from web import paging
from web.asking import Field, Form, again, day_typed, require, shown, whole_typed
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.audits import ANSWERS, FINDINGS, KINDS, LIKELIHOODS, STATES, fact_words
from web.words.faults import explain, status_of
from web.words.records import word

pages = Blueprint("audits", __name__, url_prefix="/audits")

PAGE = 50


@pages.get("")
def every() -> str:
    """List the audits that are to be done, or those that ended."""
    ended = request.args.get("ended") == "1"
    after = paging.read_day(request.args.get("after", ""))
    found = services().retention.audits.looks.every(identity(), ended=ended, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        more = url_for(
            "audits.every", ended=1 if ended else None, after=paging.told_day((rows[-1].row.due, rows[-1].row.id))
        )
    return render_template(
        "audits/audits.html", rows=rows, ended=ended, more=more, day=services().guard.day(), kinds=said(KINDS),
        states=said(STATES),
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Ask what is to be audited, of which time, and by when."""
    require(Act.AUDIT)
    return shown(_form())


@pages.post("/new")
def plan() -> BaseResponse:
    """Plan an audit."""
    require(Act.AUDIT)
    typed = request.form
    try:
        wanted = Wanted(
            typed.get("checklist", ""), _day("since"), _day("until"), _day("due"), typed.get("fonds", "").strip(),
            whole_typed("again_months") or None,
        )  # fmt: skip
        key = services().retention.audits.planning.plan(identity(), wanted)
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The audit is planned. Its points can be answered."))
    return redirect(url_for("audits.show", key=key), 303)


@pages.get("/<uuid:key>")
def show(key: UUID) -> BaseResponse:
    """Show an audit."""
    return _page(key)


@pages.post("/<uuid:key>/<act>")
def do(key: UUID, act: str) -> BaseResponse:
    """Do an act on one, and come back to it; what was refused is said there, and what was typed stays."""
    done = _ACTS.get(act)
    if done is None:
        abort(404)
    try:
        words, anchor = done(key)
    except (NotFound, NotAllowed):
        raise
    except ArchiveError as error:
        return _page(key, explain(error, current_locale()), status_of(error))
    flash(words)
    return redirect(url_for("audits.show", key=key, _anchor=anchor), 303)


def said(table: Mapping[str, str]) -> Mapping[str, str]:
    """Return a table of words in the reader's language."""
    return {key: word(table, key, current_locale()) for key in table}


def facts_told(each: Answered, locale: str) -> list[tuple[str, bool]]:
    """Return what was counted beside a point, in words, and whether something falls short."""
    return [(fact_words(fact, counted, locale), counted.falls_short) for fact, counted in each.facts]


def _page(key: UUID, lines: list[str] | None = None, status: int = 200) -> BaseResponse:
    one = services().retention.audits.looks.show(identity(), key)
    row, locale = one.row, current_locale()
    people = {row.planned_by, row.ended_by} | {each.by for each in one.answers.values()}
    people |= {each.row.responsible_id for each in one.findings}
    facts = {code: facts_told(each, locale) for code, each in one.answers.items()}
    page = render_template(
        "audits/audit.html", one=one, row=row, lines=lines or [], facts=facts, open=row.state is AuditState.PLANNED,
        names=services().directory.people({each for each in people if each}), kinds=said(KINDS), states=said(STATES),
        answers=said(ANSWERS), likelihoods=said(LIKELIHOODS), finding_states=said(FINDINGS),
        risk=row.kind is AuditKind.RISK, typed=request.form, at=request.form.get("point", ""),
        left=sum(each.said is None for each in one.answers.values()), day=services().guard.day(),
    )  # fmt: skip
    return make_response(page, status)


def _day(name: str) -> date:
    found = day_typed(name)
    if found is None:
        raise InvalidInput(Fault(name, "required"))
    return found


def _answer(key: UUID) -> tuple[str, str]:
    typed = request.form
    point = typed.get("point", "")
    if typed.get("said", "") not in ANSWERS:
        raise InvalidInput(Fault("said", "required"))
    services().retention.audits.planning.answer(
        identity(), key, point, AuditWord(typed["said"]), typed.get("words", ""),
        destruction=typed.get("destruction", ""), version=whole_typed("version"),
    )  # fmt: skip
    return _("The answer is kept."), f"point-{point}"


def _find(key: UUID) -> tuple[str, str]:
    typed = request.form
    likelihood = typed.get("likelihood", "")
    found = Found(
        typed.get("what", ""), typed.get("measure", ""), typed.get("responsible", ""), _day("due"),
        typed.get("point", ""), Likelihood(likelihood) if likelihood in LIKELIHOODS else None,
    )  # fmt: skip
    services().retention.audits.findings.find(identity(), key, found)
    return _("The finding is noted, and its person is told."), "findings-head"


def _close(key: UUID) -> tuple[str, str]:
    after = services().retention.audits.planning.close(identity(), key, request.form.get("conclusion", ""))
    if after:
        return _("The audit is closed. The next one is planned."), ""
    return _("The audit is closed."), ""


def _withdraw(key: UUID) -> tuple[str, str]:
    services().retention.audits.planning.withdraw(identity(), key, request.form.get("reason", ""))
    return _("The audit is taken back."), ""


_ACTS: Mapping[str, Callable[[UUID], tuple[str, str]]] = {
    "answer": _answer, "find": _find, "close": _close, "withdraw": _withdraw,
}  # fmt: skip


def _form() -> Form:
    locale = current_locale()
    offered = services().retention.audits.checklists.offered(identity())
    with services().db.reading() as session:
        fonds = session.execute(select(Fonds.code, Fonds.names).order_by(Fonds.code)).all()
    values: dict[str, Any] = {"checklist": request.args.get("checklist", "")[:40]}
    fields = [
        Field("checklist", _("Checklist"), kind="choose",
              options=[(code, named(each.checklist.names, locale)) for code, each in offered.items()]),
        Field("since", _("Of the time from"), must=True, kind="day"),
        Field("until", _("Of the time until"), must=True, kind="day"),
        Field("due", _("To be done by"), must=True, kind="day", help=_("The auditors are reminded before it.")),
        Field("fonds", _("Of one fonds alone"), kind="choose", none=_("of all"),
              options=[(each.code, f"{each.code} {named(each.names, locale)}") for each in fonds]),
        Field("again_months", _("Again every so many months"), limit=2,
              help=_("When it is closed, the next one is planned. Left empty: once.")),
    ]  # fmt: skip
    return Form(
        _("Plan an audit"), fields, _("Plan the audit"), url_for("audits.every"), values=values,
        crumbs=[(url_for("audits.every"), _("Audits")), (None, _("Plan an audit"))],
        intro=_("It keeps the checklist as it stands today. What the system can count is shown beside a point; the "
                "answer is a person's."),
    )  # fmt: skip
