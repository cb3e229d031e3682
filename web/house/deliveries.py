"""Messages that did not go out, with the reason: for whoever runs the system."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from web import paging
from web.services import identity, services
from web.words.channels import CHANNELS, REASONS

pages = Blueprint("deliveries", __name__, url_prefix="/system/deliveries")

PAGE = 50


@pages.get("")
def every() -> str:
    """List the deliveries that came to nothing, the newest first."""
    after = paging.read_id(request.args.get("after", ""))
    found = services().telling.channels.bad(identity(), after=after, limit=PAGE + 1)
    more = found[PAGE - 1].delivery.id.hex if len(found) > PAGE else None
    return render_template("house/deliveries.html", found=found[:PAGE], channels=CHANNELS, reasons=REASONS, more=more)


@pages.post("/<uuid:delivery_id>/retry")
def retry(delivery_id: UUID) -> BaseResponse:
    """Send one once more."""
    services().telling.channels.retry(identity(), delivery_id)
    flash(_("It is sent once more."))
    return redirect(url_for("deliveries.every"), 303)
