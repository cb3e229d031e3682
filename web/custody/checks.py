"""Periodic checks: what is due and late, what was done, a check of a record against its paper, and how often."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.checking import Findings
from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Role
from archive.model import BlockKind
from archive.policy.rules import Act
from web import paging
from web.asking import Field, Form, again, key_typed, require, shown, whole_typed
from web.describing.record_form import rank
from web.i18n import current_locale
from web.services import identity, services
from web.words import named
from web.words.blocks import BLOCKS

pages = Blueprint("checks", __name__)

PAGE = 50
AHEAD = timedelta(days=30)
"""How far ahead the board looks."""

HOLDS = (BlockKind.MISSING, BlockKind.IN_RESTORATION)
PARTS = ("label_ok", "number_ok", "state_ok", "description_ok")


@pages.get("/checks")
def due() -> str:
    """List the checks that are due within thirty days, the late ones first; or those that were done."""
    if Role.ARCHIVIST not in identity().roles:
        raise NotAllowed(act=Act.CHECK.value)
    checks, day = services().checks, services().guard.day()
    more = None
    if request.args.get("done") == "1":
        behind = paging.read(request.args.get("after", ""))
        rows = checks.done(identity(), after=behind, limit=PAGE + 1)
        if len(rows) > PAGE:
            last = rows[PAGE - 1][0]
            at = last.done_at
            more = url_for("checks.due", done=1, after=paging.told((at, last.id))) if at else None
        with services().db.reading() as session:
            remarks = checks.remarks(session, [check for check, _record in rows[:PAGE]])
        people = services().directory.people(each.done_by for each, _record in rows if each.done_by)
        return render_template("checks_done.html", rows=rows[:PAGE], remarks=remarks, more=more, people=people)
    after = paging.read_day(request.args.get("after", ""))
    rows = checks.due(identity(), until=day + AHEAD, after=after, limit=PAGE + 1)
    if len(rows) > PAGE:
        last = rows[PAGE - 1][0]
        more = url_for("checks.due", after=paging.told_day((last.due, last.id)))
    late = checks.count_late(identity())
    return render_template("checks.html", rows=rows[:PAGE], late=late, day=day, more=more)


@pages.get("/records/<uuid:record_id>/check")
def checking(record_id: UUID) -> BaseResponse:
    """Ask what of a record agrees with its paper."""
    return shown(_form(record_id))


@pages.post("/records/<uuid:record_id>/check")
def check(record_id: UUID) -> BaseResponse:
    """Note a check."""
    given = request.form
    try:
        if faults := [Fault(name, "required") for name in PARTS if given.get(name) not in {"yes", "no"}]:
            raise InvalidInput(*faults)
        hold = given.get("hold", "")
        if hold and hold not in {kind.value for kind in HOLDS}:
            raise InvalidInput(Fault("hold", "unknown"))
        agrees = {name: given.get(name) == "yes" for name in PARTS}
        found = Findings(**agrees, remark=given.get("remark", ""), hold=BlockKind(hold) if hold else None)
        services().checks.check(identity(), record_id, found)
    except NotFound:
        raise
    except ArchiveError as error:
        return again(_form(record_id), error)
    if found.number_ok and found.description_ok:
        flash(_("The check is noted."))
        return redirect(url_for("checks.due"), 303)
    flash(_("The check is noted. Ask here for the correction of what does not agree."))
    return redirect(url_for("corrections.new", record_id=record_id), 303)


def _form(record_id: UUID) -> Form:
    record, day = services().checks.shown(identity(), record_id)
    number = record.archive_number or ""
    answers = [("yes", _("agrees")), ("no", _("does not agree"))]
    asked = (_("Label on the paper"), _("Archive number"), _("State of the paper"), _("Description"))
    fields = [
        Field(name, words, kind="choose", options=answers, none="—", must=True)
        for name, words in zip(PARTS, asked, strict=True)
    ]
    fields += [
        Field("remark", _("Remark"), limit=500, help=_("Needed where something does not agree.")),
        Field(
            "hold", _("Hold it back"), kind="choose", none=_("no"),
            options=[(kind.value, _(BLOCKS[kind.value])) for kind in HOLDS],
        ),
    ]  # fmt: skip
    heading = _("Check %(number)s against its paper", number=number)
    told = _("%(title)s. Due on %(day)s.", title=record.title, day=day.isoformat()) if day else record.title
    back = url_for("records.show", record_id=record_id)
    return Form(
        heading, fields, _("Note the check"), back, intro=told,
        crumbs=[(url_for("checks.due"), _("Checks")), (back, number), (None, heading)],
    )  # fmt: skip


@pages.get("/checks/rules")
def rules() -> str:
    """Show how often records are checked."""
    found = services().checks.rules(identity())
    locale = current_locale()
    names = services().directory.coded_names({each.category_id for each in found if each.category_id}, set(), set())
    rows = [(each, " ".join((names[each.category_id][0], named(names[each.category_id][1], locale)))
             if each.category_id else "") for each in found]  # fmt: skip
    return render_template("check_rules.html", rows=rows)


@pages.get("/checks/rules/new")
def new_rule() -> BaseResponse:
    """Ask for a rule."""
    require(Act.MANAGE_CHECKS)
    return shown(_rule_form())


@pages.post("/checks/rules/new")
def set_rule() -> BaseResponse:
    """Set a rule, and plan by it."""
    require(Act.MANAGE_CHECKS)
    try:
        level = request.form.get("level", "")
        services().checks.set_rule(
            identity(), rank(level) if level else None, key_typed("category"),
            whole_typed("months"), whole_typed("share"),
        )  # fmt: skip
    except ArchiveError as error:
        return again(_rule_form(), error)
    flash(_("The rule holds from today; what is due by it is planned."))
    return redirect(url_for("checks.rules"), 303)


@pages.post("/checks/rules/<uuid:rule_id>/drop")
def drop_rule(rule_id: UUID) -> BaseResponse:
    """Take a rule away."""
    services().checks.drop_rule(identity(), rule_id)
    flash(_("The rule is gone, and what was due by it."))
    return redirect(url_for("checks.rules"), 303)


def _rule_form() -> Form:
    locale, directory = current_locale(), services().directory
    levels = [(str(rank), named(level.names, locale)) for rank, level in directory.levels().items()]
    categories = [
        (str(each.id), f"{each.code} {named(each.names, locale)}") for each in directory.categories()
    ]  # fmt: skip
    fields = [
        Field("level", _("Secrecy level"), kind="choose", options=levels, none=_("any")),
        Field("category", _("Category"), kind="choose", options=categories, none=_("any")),
        Field("months", _("Every so many months"), must=True, limit=3),
        Field("share", _("Of a hundred records, so many"), must=True, limit=3,
              help=_("100: all of them. Fewer are drawn by lot, others each time.")),
    ]  # fmt: skip
    heading = _("How often records are checked")
    back = url_for("checks.rules")
    crumbs = [(url_for("checks.due"), _("Checks")), (back, _("Rules")), (None, heading)]
    return Form(heading, fields, _("Set the rule"), back, crumbs=crumbs, values={"months": "24", "share": "100"})
