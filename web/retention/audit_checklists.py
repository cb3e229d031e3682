"""Checklists of audits: listed, changed as JSON, copied under another code, kept as versions, taken back."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, NotAllowed, NotFound
from retention.auditing.checklist import LONGEST_SOURCE, parse, parse_text, shipped, told
from retention.auditing.checklists import LONGEST_REASON, Offered
from web.asking import told as told_of
from web.asking import whole_typed
from web.retention.audits import said
from web.services import identity, services
from web.words.audits import FACTS, KINDS
from web.words.faults import status_of

pages = Blueprint("audit_checklists", __name__, url_prefix="/audits/checklists")


@pages.get("")
def every() -> str:
    """List the checklists with their version."""
    found = services().retention.audits.checklists.offered(identity())
    return render_template("audits/checklists.html", found=found.values(), kinds=said(KINDS))


@pages.get("/<code>")
def show(code: str) -> BaseResponse:
    """Show a checklist to be changed or copied; one of its versions where the address names it."""
    offered = _known(code)
    asked = request.args.get("version", "")
    source = told(offered.checklist)
    for row in services().retention.audits.checklists.versions(identity(), code):
        if str(row.version) == asked and row.body is not None:
            source = told(parse(row.body))
    if asked == "shipped" and code in shipped():
        source = told(shipped()[code])
    return _page(offered, {"checklist": source, "version": offered.version})


@pages.post("/<code>")
def keep(code: str) -> BaseResponse:
    """Keep what was typed as the newest version; under another code it is a new checklist."""
    offered = _known(code)
    try:
        checklist = parse_text(request.form.get("checklist", "").replace("\r\n", "\n"))
        base = whole_typed("version") if checklist.code == code else 0
        reason = request.form.get("reason", "")
        services().retention.audits.checklists.keep(identity(), checklist, reason, version=base)
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(offered, request.form, error)
    flash(_("The checklist is kept. Audits that are planned already keep the one that they have."))
    return redirect(url_for("audit_checklists.show", code=checklist.code), 303)


@pages.post("/<code>/withdraw")
def withdraw(code: str) -> BaseResponse:
    """Take a house's own checklist back."""
    offered = _known(code)
    try:
        services().retention.audits.checklists.withdraw(identity(), code, version=whole_typed("version"))
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(offered, {"checklist": told(offered.checklist), "version": offered.version}, error)
    flash(_("The checklist is taken back."))
    return redirect(url_for("audit_checklists.every"), 303)


def _known(code: str) -> Offered:
    found = services().retention.audits.checklists.offered(identity()).get(code)
    if found is None:
        raise NotFound
    return found


def _page(offered: Offered, values: Mapping[str, Any], error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told_of(error, ("checklist", "reason")) if error else ([], {})
    code = offered.checklist.code
    versions = services().retention.audits.checklists.versions(identity(), code)
    page = render_template(
        "audits/checklist.html", each=offered, values=values, lines=lines, faults=faults, versions=versions,
        names=services().directory.people({row.kept_by for row in versions if row.kept_by}), longest=LONGEST_SOURCE,
        limit=LONGEST_REASON, has_shipped=code in shipped(), facts=said(FACTS),
        labels={"checklist": _("Checklist"), "reason": _("What was changed")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
