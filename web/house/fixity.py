"""Stored files: how they stand, what was found not whole, mending it from a backup, and a report to take along."""

from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.model import Fixity, FixityFinding
from archive.policy.rules import Act
from storage.fixity.care import EVERYTHING, MEND
from web import paging
from web.asking import may, require
from web.directory import MOST_COUNTED
from web.i18n import current_locale
from web.services import identity, services
from web.sheets import TYPE, workbook_of
from web.words import mark, translator

pages = Blueprint("fixity", __name__, url_prefix="/system/fixity")

PAGE = 100
MOST_FINDINGS = 50_000
MOST_OBJECTS = 50_000

FOUND = {
    Fixity.WHOLE: mark("whole"),
    Fixity.MISSING: mark("missing"),
    Fixity.CHANGED: mark("altered"),
    Fixity.UNREADABLE: mark("unreadable"),
}


@pages.get("")
def show() -> str:
    """Show how the stored files stand, what was found, and the runs."""
    require(Act.SEE_STORE)
    care, asked = services().house.fixity, request.args
    found = care.findings(identity(), PAGE + 1, after=paging.read_open(asked.get("after", "")))
    findings, more = paging.page(
        found, PAGE, lambda row: paging.told_open(row.ended_at is None, (row.found_at, row.id))
    )
    found_runs = care.runs(identity(), after=paging.read(asked.get("runs", "")), limit=PAGE + 1)
    runs, older = paging.page(found_runs, PAGE, lambda run: paging.told((run.began_at, run.id)))
    return render_template(
        "house/fixity.html",
        standing=care.told(MOST_COUNTED),
        findings=findings,
        more=more and url_for(".show", after=more),
        runs=runs,
        older=older and url_for(".show", runs=older, _anchor="runs"),
        found=FOUND,
        at_work=care.at_work(),
        may_run=may(Act.RUN_SYSTEM),
        sees_jobs=may(Act.SEE_JOBS),
        backups=services().house.mending.possible,
    )


@pages.post("")
def ask() -> BaseResponse:
    """Have all files checked, or what is not whole mended, by the workers."""
    what = MEND if request.form.get("what") == MEND else EVERYTHING
    services().house.fixity.ask(identity(), what)
    flash(_("The workers see to it; this page tells when it is done."))
    return redirect(url_for("fixity.show"), 303)


@pages.get("/report.xlsx")
def report() -> Response:
    """Send a spreadsheet: how the files stand, the runs, every finding and its end, and the objects one by one."""
    care = services().house.fixity
    care.reported(identity())
    standing = care.standing()
    say = translator(current_locale())
    summary = [
        [_("Made"), _when(services().clock.now())],
        [_("Stored files"), standing.objects],
        [_("Bytes"), standing.bytes],
        [_("Days in which each is checked once"), standing.days],
        [_("Checked within these days"), standing.checked],
        [_("Not whole now"), standing.bad],
        [_("Longest unchecked since"), _when(standing.waiting)],
    ]
    runs = [
        [_when(run.began_at), _when(run.ended_at), run.total, run.objects, run.bytes, run.bad]
        for run in care.runs(identity())
    ]
    objects = [
        [row.object_key, row.cipher_size or 0, _when(row.checked_at), say(FOUND[row.fixity]) if row.fixity else ""]
        for row in care.objects(identity(), MOST_OBJECTS)
    ]
    book = workbook_of(
        [
            (_("Summary"), [("", 40), ("", 30)], summary),
            (
                _("Findings"),
                [
                    (_("Found"), 18), (_("What"), 14), (_("Object"), 50), (_("Version"), 40), (_("Bytes found"), 14),
                    (_("Hash found (SHA-256)"), 70), (_("Outcome"), 16), (_("Ended"), 18), (_("Backup set"), 40),
                ],
                [_finding(each, say(FOUND[each.found])) for each in care.findings(identity(), MOST_FINDINGS)],
            ),
            (
                _("Runs of checks"),
                [
                    (_("Begun"), 18), (_("Ended"), 18), (_("Stored files"), 14), (_("Checked"), 14), (_("Bytes"), 16),
                    (_("Not whole"), 14),
                ],
                runs,
            ),
            (
                _("Objects"),
                [(_("Object"), 50), (_("Bytes"), 16), (_("Checked last"), 18), (_("What"), 14)],
                objects,
            ),
        ]
    )  # fmt: skip
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-fixity.xlsx"'})


def _finding(each: FixityFinding, found: str) -> list[str | int]:
    size: str | int = "" if each.size is None else each.size
    ended = {None: _("not mended yet"), "mended": _("mended"), "whole": _("whole again")}[each.ended]
    return [
        _when(each.found_at), found, each.object_key, each.store_version or "", size, each.sha256 or "", ended,
        _when(each.ended_at), str(each.set_id or ""),
    ]  # fmt: skip


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
