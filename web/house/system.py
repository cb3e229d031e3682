"""The system: how the jobs stand, what failed, what was found of each part, and the settings."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.arranging.told import latest_moves
from archive.jobs.status import by_queue, status
from archive.policy.rules import Act
from web import paging
from web.asking import may, require
from web.i18n import current_locale
from web.services import identity, services
from web.sure import asked
from web.words import mark, translator

pages = Blueprint("system", __name__, url_prefix="/system")

PAGE = 100

GIVING_UP = mark(
    "What the job was to do stays undone: a text unread, a record not found. The record itself and its files stay."
)


@pages.get("")
def show() -> str:
    """Show how the jobs stand; to who runs the system also what failed, and the settings."""
    runs = may(Act.RUN_SYSTEM)
    with services().db.reading() as session:
        services().guard.require_house(session, identity(), Act.SEE_JOBS)
        jobs = by_queue(status(session))
        moves = latest_moves(session) if runs else []
    broker = services().house.broker()
    after = paging.read(request.args.get("after", ""))
    found = services().house.jobs.failed(identity(), after=after, limit=PAGE + 1) if runs else []
    failed, last = paging.page(found, PAGE, lambda row: paging.told_end(row.finished_at, row.id))
    settings = services().house.settings() if runs else []
    index = services().house.index() if runs else None
    return render_template(
        "system.html",
        jobs=jobs,
        broker=broker,
        failed=failed,
        more=last and url_for(".show", after=last),
        settings=settings,
        runs=runs,
        moves=moves,
        index=index,
        giving_up=_(GIVING_UP),
    )


@pages.get("/parts")
def parts() -> str:
    """Look at every part of the system, and say what to do."""
    require(Act.RUN_SYSTEM)
    found = services().house.examine(translator(current_locale()))
    return render_template("house/parts.html", found=found)


@pages.post("/jobs/<uuid:job_id>/retry")
def retry(job_id: UUID) -> BaseResponse:
    """Have a failed job done again."""
    services().house.jobs.retry(identity(), job_id)
    flash(_("The job waits to be done again."))
    return redirect(url_for("system.show"), 303)


@pages.post("/jobs/<uuid:job_id>/cancel")
def cancel(job_id: UUID) -> BaseResponse:
    """Give a failed job up, once it is meant."""
    if (question := asked(_(GIVING_UP), _("Give up"), back=url_for("system.show"))) is not None:
        return question
    services().house.jobs.cancel(identity(), job_id)
    flash(_("The job is given up."))
    return redirect(url_for("system.show"), 303)
