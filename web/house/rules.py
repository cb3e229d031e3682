"""Number rules: the list with examples, a template checked while it is written, and adding one."""

from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput, NotAllowed
from archive.numbering import reference, rule
from archive.policy.rules import Act
from web.asking import names_typed, require, told
from web.i18n import current_locale
from web.services import identity, services
from web.words.faults import explain_fault, status_of
from web.words.numbers import rule_lines

pages = Blueprint("rules", __name__, url_prefix="/house/rules")

ASKED = ("code", "name", "name_tw", "name_en", "template")


@dataclass(frozen=True)
class Told:
    """A template in words: an example and its parts, or what is wrong and what stands before the fault."""

    example: str = ""
    parts: tuple[str, ...] = ()
    fault: str = ""
    before: str = ""
    after: str = ""


def told_of(template: str, *, is_reference: bool) -> Told:
    """Return a template in words."""
    try:
        if is_reference:
            found = reference.parse(template)
            return Told(found.render({name: f"<{name}>" for name in found.names}), found.names)
        checked = rule.parse(template)
        return Told(checked.preview(), tuple(rule_lines(checked, current_locale())))
    except InvalidInput as refused:
        fault = refused.faults[0]
        at = int(fault.facts.get("at", 0))
        return Told(fault=explain_fault(fault, current_locale()), before=template[:at], after=template[at:])


@pages.get("")
def every() -> str:
    """List the rules with an example and their words."""
    rows = services().house.scheme.rules(identity())
    shown = [(row, told_of(row.template, is_reference=row.code.startswith(reference.PREFIX))) for row in rows]
    return render_template("house/rules.html", rows=shown)


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a rule, and check its template while it is written."""
    require(Act.MANAGE_SCHEME)
    return _page()


@pages.get("/check")
def check() -> str:
    """Tell a template in words, as a part of the page that asks for it."""
    require(Act.MANAGE_SCHEME)
    template, code = request.args.get("template", "")[:500], request.args.get("code", "")
    found = told_of(template, is_reference=code.startswith(reference.PREFIX)) if template else None
    return render_template("house/rule_told.html", told=found)


@pages.post("/new")
def add() -> BaseResponse:
    """Add a rule; by its other button only check it."""
    form = request.form
    if form.get("only") == "check":
        require(Act.MANAGE_SCHEME)
        return _page()
    try:
        code = form.get("code", "").strip()
        services().house.scheme.add_rule(identity(), code, names_typed(), form.get("template", "").strip())
    except NotAllowed:
        raise
    except ArchiveError as error:
        return _page(error)
    flash(_("The rule is there; a scheme names it by its code."))
    return redirect(url_for("rules.every"), 303)


def _page(error: ArchiveError | None = None) -> BaseResponse:
    form = request.form
    lines, faults = told(error, ASKED) if error else ([], {})
    template = form.get("template", "").strip()
    found = told_of(template, is_reference=form.get("code", "").startswith(reference.PREFIX)) if template else None
    fields = [field.value for field in rule.NumberField]
    page = render_template("house/rule_new.html", lines=lines, faults=faults, values=form, told=found, fields=fields)
    return make_response(page, status_of(error) if error else 200)
