"""Schedules: the list, one with its versions, drafts with what they would move, decisions, and a record's own."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, NotAllowed, WrongState
from archive.model import ApprovalState, Category, RetentionSchedule, ScheduleDraft
from archive.policy.rules import Act
from retention.documents import EVENTS, rule_of
from retention.rules import Action, Start, Trigger
from web import paging
from web.asking import Field, Form, again, key_typed, may, name_fields, names_typed, names_values, shown
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.faults import explain, status_of
from web.words.retention import (
    ACTIONS,
    EVENTS_SAID,
    MOVES,
    STARTS,
    TRIGGERS,
    due_words,
    rule_words,
    said,
    schedule_name,
)

pages = Blueprint("schedules", __name__)

PAGE = 50
LAST_DRAFTS = 20


@pages.get("/schedules")
def every() -> str:
    """List the schedules with their rules in words, and the last drafts."""
    acts, after = services().retention.schedules, paging.read_open(request.args.get("after", ""))
    found = acts.drafts(identity(), LAST_DRAFTS + 1, after=after)
    drafts, last = paging.page(found, LAST_DRAFTS, _place)
    return render_template(
        "schedules.html", found=acts.every(identity()), drafts=drafts,
        more=last and url_for(".every", after=last, _anchor="drafts-head"), may_draft=may(Act.DRAFT_SCHEDULES),
    )  # fmt: skip


def _place(row: ScheduleDraft) -> str:
    return paging.told_open(row.state is ApprovalState.ASKED, (row.asked_at, row.id))


@pages.post("/schedules/install")
def install() -> BaseResponse:
    """Add the schedules that ship."""
    count = services().retention.schedules.install(identity())
    flash(ngettext("%(num)d schedule was added.", "%(num)d schedules were added.", count))
    return redirect(url_for("schedules.every"), 303)


@pages.get("/schedules/<uuid:schedule_id>")
def show(schedule_id: UUID) -> str:
    """Show a schedule, where it stands, and what it was."""
    found, versions = services().retention.schedules.show(identity(), schedule_id)
    return render_template(
        "schedule.html", found=found, versions=versions, rule=rule_of(found.schedule.definition),
        may_draft=may(Act.DRAFT_SCHEDULES),
    )  # fmt: skip


@pages.post("/schedules/<uuid:schedule_id>/remove")
def remove(schedule_id: UUID) -> BaseResponse:
    """Remove a schedule that nothing hangs on."""
    services().retention.schedules.remove(identity(), schedule_id)
    flash(_("The schedule is removed."))
    return redirect(url_for("schedules.every"), 303)


@pages.get("/schedules/new")
def new() -> BaseResponse:
    """Ask for a new schedule."""
    return shown(_form(None))


@pages.post("/schedules/new")
def add() -> BaseResponse:
    """Draft a new schedule."""
    return _drafted(None)


@pages.get("/schedules/<uuid:schedule_id>/change")
def changing(schedule_id: UUID) -> BaseResponse:
    """Ask for a change of a schedule."""
    return shown(_form(schedule_id))


@pages.post("/schedules/<uuid:schedule_id>/change")
def change(schedule_id: UUID) -> BaseResponse:
    """Draft a change of a schedule."""
    return _drafted(schedule_id)


def _drafted(schedule_id: UUID | None) -> BaseResponse:
    typed = request.form
    definition = {
        "term": typed.get("term", "").strip().upper() or None,
        "trigger": typed.get("trigger", ""),
        "event": typed.get("event", "").strip(),
        "start": typed.get("start", ""),
        "action": typed.get("action", ""),
        "exact": typed.get("exact") == "exact",
        "fiscal_end": typed.get("fiscal_end", "").strip() or "12-31",
        "source": typed.get("source", ""),
    }
    code = typed.get("code", "").strip()
    try:
        if schedule_id is not None:
            code = services().retention.schedules.show(identity(), schedule_id)[0].schedule.code
        draft = services().retention.schedules.draft(
            identity(), schedule_id, code=code, names=names_typed(), definition=definition,
            categories=_categories_typed(), why=typed.get("reason", ""),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_form(schedule_id), error)
    flash(_("The draft is written. See what it would move; someone else approves it."))
    return redirect(url_for("schedules.draft", draft_id=draft), 303)


def _categories_typed() -> list[UUID]:
    """Read the codes of categories. Raises ``InvalidInput``."""
    codes = request.form.get("categories", "").replace("，", " ").replace(",", " ").split()
    with services().db.reading() as session:
        rows = session.execute(select(Category.code, Category.id).where(Category.code.in_(codes))).all()
    unknown = sorted(set(codes) - {row.code for row in rows})
    if unknown:
        raise InvalidInput(Fault("categories", "unknown", {"value": unknown[0][:40]}))
    return [row.id for row in rows]


def _form(schedule_id: UUID | None) -> Form:
    locale = current_locale()
    values: dict[str, Any] = {"start": Start.NEXT_JANUARY.value, "trigger": Trigger.YEAR_END.value}
    heading, fields = (
        _("Draft a new schedule"),
        [
            Field(
                "code", _("Code"), must=True, limit=40, help=_("A short word in letters and digits; it never changes.")
            )
        ],
    )
    if schedule_id is not None:
        found, _versions = services().retention.schedules.show(identity(), schedule_id)
        row, definition = found.schedule, found.schedule.definition
        values = {name: definition.get(name) or "" for name in definition} | names_values(row.names)
        values["exact"] = "exact" if definition.get("exact") else "least"
        values["categories"] = " ".join(each.code for each in found.categories)
        heading, fields = _("Change %(name)s", name=schedule_name(row, locale)), []
    fields += [
        name_fields(),
        Field("term", _("Term"), limit=5,
              help=_("Y is permanent, D10 ten years, M18 eighteen months. Left empty: the term that each record has.")),
        Field("exact", _("How the term counts"), kind="choose",
              options=[("least", _("at least: a record's own longer term counts")),
                       ("exact", _("exactly: whatever a record's own term is"))]),
        Field("trigger", _("What starts the clock"), kind="choose",
              options=[(each.value, said(TRIGGERS, each, locale)) for each in Trigger]),
        Field("event", _("Event"), limit=40, suggestions=[(e, said(EVENTS_SAID, e, locale)) for e in EVENTS],
              help=_("Only where an event starts the clock; a word of your own in small letters is taken too.")),
        Field("start", _("From when it counts"), kind="choose",
              options=[(each.value, said(STARTS, each, locale)) for each in Start]),
        Field("fiscal_end", _("Last day of the fiscal year"), limit=5, help=_("Month and day, as 12-31.")),
        Field("action", _("What then"), kind="choose",
              options=[(each.value, said(ACTIONS, each, locale)) for each in Action]),
        Field("source", _("Legal source"), must=True, limit=300),
        Field("categories", _("Categories"), kind="long",
              help=_("Codes of the categories that it stands on, and all below them that have none of their own.")),
        Field("reason", _("Reason"), must=True, limit=500),
    ]  # fmt: skip
    return Form(
        heading, fields, _("Write the draft"), url_for("schedules.every"),
        crumbs=[(url_for("schedules.every"), _("Schedules")), (None, heading)],
        intro=_("Nothing changes before another person has seen what it moves and approved it."), values=values,
    )  # fmt: skip


@pages.get("/schedules/drafts/<uuid:draft_id>")
def draft(draft_id: UUID) -> str:
    """Show a draft and which records it would move."""
    return _draft_page(draft_id)


def _draft_page(draft_id: UUID, lines: Sequence[str] = ()) -> str:
    row, locale = services().retention.schedules.one_draft(identity(), draft_id), current_locale()
    waits = row.state is ApprovalState.ASKED
    preview, moves, more = None, [], None
    if waits and may(Act.DECIDE_SCHEDULES):
        preview = services().retention.previews.count(identity(), draft_id)
        after = key_of(request.args.get("after", ""))
        found = services().retention.previews.moves(identity(), draft_id, after=after, limit=PAGE + 1)
        moves = [
            (each, due_words(*each.before, locale), due_words(*each.after, locale), said(MOVES, each.how, locale))
            for each in found[:PAGE]
        ]
        if len(found) > PAGE:
            more = url_for("schedules.draft", draft_id=draft_id, after=found[PAGE - 1].record_id)
    own = row.asked_by == identity().person_id
    standing = None
    if row.schedule_id is not None:
        standing = services().retention.schedules.show(identity(), row.schedule_id)[0].schedule
    return render_template(
        "schedule_draft.html", draft=row, rule=rule_of(row.definition), preview=preview, moves=moves, more=more,
        counts=[(said(MOVES, how, locale), count) for how, count in preview.counts.items()] if preview else [],
        categories=_named_categories(row), people=services().directory.people((row.asked_by, row.decided_by)),
        may_decide=waits and not own and may(Act.DECIDE_SCHEDULES), may_withdraw=waits and own, lines=list(lines),
        standing=standing, before=rule_of(standing.definition) if standing and waits else None,
        typed=request.form.get("reason", ""),
    )  # fmt: skip


def key_of(text: str) -> UUID | None:
    """Read an id of an address; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _named_categories(row: ScheduleDraft) -> list[str]:
    with services().db.reading() as session:
        ids = [UUID(each) for each in row.categories]
        rows = session.scalars(select(Category).where(Category.id.in_(ids)).order_by(Category.code))
        return [f"{each.code} {named(each.names, current_locale())}" for each in rows]


@pages.get("/schedules/drafts/<uuid:draft_id>/moves.csv")
def moves_sheet(draft_id: UUID) -> Response:
    """Give all records that a draft would move as a table."""
    locale = current_locale()
    found = services().retention.previews.moves(identity(), draft_id)
    body = {"rows": len(found), "draft": str(draft_id)}
    services().readings.begin(identity(), "list.export", body=body).result()
    out = StringIO()
    table = csv.writer(out)
    table.writerow([_("Number"), _("Title"), _("Day before"), _("Day after"), _("How it moves")])
    for each in found:
        cells = [each.number, each.title, due_words(*each.before, locale), due_words(*each.after, locale)]
        table.writerow([_plain(cell) for cell in [*cells, said(MOVES, each.how, locale)]])
    name = {"Content-Disposition": 'attachment; filename="juanku-moves.csv"'}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=name)


def _plain(cell: str) -> str:
    """Keep spreadsheet programs from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


@pages.post("/schedules/drafts/<uuid:draft_id>/decide")
def decide(draft_id: UUID) -> BaseResponse:
    """Approve or refuse a draft."""
    approve = request.form.get("decision") == "approve"
    try:
        services().retention.schedules.decide(identity(), draft_id, request.form.get("reason", ""), approve=approve)
    except (InvalidInput, NotAllowed, WrongState, Conflict) as error:
        page = _draft_page(draft_id, explain(error, current_locale()))
        return make_response(page, status_of(error))
    flash(_("The schedule is in force; days follow.") if approve else _("The draft is refused; all stays as it is."))
    return redirect(url_for("schedules.draft", draft_id=draft_id), 303)


@pages.post("/schedules/drafts/<uuid:draft_id>/withdraw")
def withdraw(draft_id: UUID) -> BaseResponse:
    """Take back one's own draft."""
    services().retention.schedules.withdraw(identity(), draft_id)
    flash(_("The draft is taken back."))
    return redirect(url_for("schedules.draft", draft_id=draft_id), 303)


def _own_form(record_id: UUID) -> Form:
    locale, back = current_locale(), url_for("records.show", record_id=record_id)
    with services().db.reading() as session:
        title = services().guard.require(session, identity(), Act.SET_SCHEDULE, record_id).title
        rows = session.scalars(select(RetentionSchedule).order_by(RetentionSchedule.code)).all()
        chosen = services().retention.schedules.chosen(session, record_id)
    options = [
        (str(row.id), f"{schedule_name(row, locale)}: {rule_words(rule_of(row.definition), locale)}") for row in rows
    ]
    return Form(
        _("Another schedule"),
        [
            Field("schedule", _("Schedule"), kind="choose", options=options, none=_("its category's")),
            Field("authority", _("Authority"), must=True, limit=200,
                  help=_("Who decided so: a committee, a decree, a head.")),
            Field("reason", _("Reason"), must=True, limit=500),
        ],
        _("Give it this schedule"), back, crumbs=[(back, title), (None, _("Another schedule"))],
        intro=_("It, and what lies in it, follows another schedule than its category's. The log keeps who said so."),
        values={"schedule": str(chosen.schedule_id) if chosen else ""},
    )  # fmt: skip


@pages.get("/records/<uuid:record_id>/schedule")
def choosing(record_id: UUID) -> BaseResponse:
    """Ask for a record's own schedule."""
    return shown(_own_form(record_id))


@pages.post("/records/<uuid:record_id>/schedule")
def choose(record_id: UUID) -> BaseResponse:
    """Give a record a schedule of its own, or its category's again."""
    typed = request.form
    try:
        services().retention.schedules.choose(
            identity(), record_id, key_typed("schedule"), authority=typed.get("authority", ""),
            reason=typed.get("reason", ""),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_own_form(record_id), error)
    flash(_("The record has its schedule; its due day follows."))
    return redirect(url_for("records.show", record_id=record_id), 303)


@pages.app_template_filter("rule_words")
def _rule(rule: Any) -> str:
    return rule_words(rule_of(rule) if isinstance(rule, dict) else rule, current_locale())


@pages.app_template_filter("schedule_action")
def _action(action: Any) -> str:
    return said(ACTIONS, action, current_locale())
