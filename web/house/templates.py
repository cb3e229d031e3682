"""Dossier templates: listed, changed as JSON, copied under another code, kept as versions, taken back."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, NotAllowed, NotFound
from archive.required.template import LONGEST_SOURCE, parse, parse_text, shipped, told
from archive.required.templates import LONGEST_REASON, Offered
from web.asking import told as told_of
from web.asking import whole_typed
from web.services import identity, services
from web.words import faults as words

pages = Blueprint("templates", __name__, url_prefix="/house/dossier-templates")


@pages.get("")
def every() -> str:
    """List the templates with their version, and how many dossiers follow each."""
    return render_template("house/dossier_templates.html", found=services().dossier_templates.managed(identity()))


@pages.get("/<code>")
def show(code: str) -> BaseResponse:
    """Show a template to be changed or copied; one of its versions where the address names it."""
    offered = _known(code)
    asked = request.args.get("version", "")
    source = told(offered.template)
    for row in services().dossier_templates.versions(identity(), code):
        if str(row.version) == asked and row.body is not None:
            source = told(parse(row.body))
    if asked == "shipped" and code in shipped():
        source = told(shipped()[code])
    return _page(offered, {"template": source, "version": offered.version})


@pages.post("/<code>")
def keep(code: str) -> BaseResponse:
    """Keep what was typed as the newest version; under another code it is a new template."""
    offered = _known(code)
    try:
        template = parse_text(request.form.get("template", "").replace("\r\n", "\n"))
        base = whole_typed("version") if template.code == code else 0
        services().dossier_templates.keep(identity(), template, request.form.get("reason", ""), version=base)
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(offered, request.form, error)
    flash(_("The template is kept. Dossiers that follow it stay as they are until they follow the newest."))
    return redirect(url_for("templates.show", code=template.code), 303)


@pages.post("/<code>/withdraw")
def withdraw(code: str) -> BaseResponse:
    """Take a house's own template back."""
    offered = _known(code)
    try:
        services().dossier_templates.withdraw(identity(), code, version=whole_typed("version"))
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(offered, {"template": told(offered.template), "version": offered.version}, error)
    flash(_("The template is taken back."))
    return redirect(url_for("templates.every"), 303)


def _known(code: str) -> Offered:
    """Return a template by its code, for those who manage schemes. Raises ``NotFound``."""
    for each in services().dossier_templates.managed(identity()):
        if each.template.code == code:
            return each
    raise NotFound


def _page(offered: Offered, values: Mapping[str, Any], error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told_of(error, ("template", "reason")) if error else ([], {})
    code = offered.template.code
    versions = services().dossier_templates.versions(identity(), code)
    page = render_template(
        "house/dossier_template.html", each=offered, values=values, lines=lines, faults=faults, versions=versions,
        names=services().directory.people(row.kept_by for row in versions), longest=LONGEST_SOURCE,
        limit=LONGEST_REASON, has_shipped=code in shipped(),
        labels={"template": _("Template"), "reason": _("What was changed")},
        rows=min(40, json.dumps(values.get("template", "")).count("\\n") + 3),
    )  # fmt: skip
    return make_response(page, words.status_of(error) if error else 200)
