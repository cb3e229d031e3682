"""Backups: whether they are made, when the last good one was, what each run did, and a button for one now."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.policy.rules import Act
from web import paging
from web.asking import require
from web.services import identity, services

pages = Blueprint("backups", __name__, url_prefix="/system/backups")

PAGE = 50


@pages.get("")
def show() -> str:
    """Show the runs, the latest first."""
    require(Act.RUN_SYSTEM)
    kept = services().house.safekeeping
    last, after = kept.last_good(), paging.read(request.args.get("after", ""))
    found = kept.runs(identity(), after=after, limit=PAGE + 1)
    runs, more = paging.page(found, PAGE, lambda row: paging.told((row.began_at, row.id)))
    return render_template(
        "house/backups.html",
        configured=kept.configured,
        last=last,
        late=kept.is_late(last),
        at_work=kept.configured and kept.at_work(),
        runs=runs,
        more=more and url_for(".show", after=more),
    )


@pages.post("")
def ask() -> BaseResponse:
    """Have a backup made by the workers."""
    services().house.safekeeping.ask(identity())
    flash(_("A backup is being made; this page tells when it is done."))
    return redirect(url_for("backups.show"), 303)
