"""A person's messages: read in the page, unread counted on every page."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import InvalidInput, ReadOnly
from archive.model import Channel
from archive.reminding.messages import Shown
from archive.reminding.planning import ROOMS
from web import paging
from web.i18n import current_locale
from web.services import identity, services
from web.words.channels import CHANNELS
from web.words.deadlines import stage_words, topic_words
from web.words.faults import explain_fault, status_of

pages = Blueprint("messages", __name__)

PAGE = 50


@pages.get("/messages")
def mine() -> str:
    """List the person's own messages, the newest first."""
    unread = request.args.get("unread") == "1"
    found = services().telling.messages.list(
        identity(), unread=unread, after=paging.read_id(request.args.get("after", "")), limit=PAGE + 1
    )
    shown = [
        (each, topic_words(each.message), stage_words(each.message.stage, _, late=each.message.late))
        for each in found[:PAGE]
    ]
    more = found[PAGE - 1].message.id.hex if len(found) > PAGE else None
    return render_template("messages.html", found=shown, unread=unread, more=more)


@pages.get("/messages/<uuid:message_id>")
def show(message_id: UUID) -> BaseResponse:
    """Lead to what a message is about, and mark it as read: this is the address that goes out of the house."""
    found = services().telling.messages.show(identity(), message_id)
    with suppress(ReadOnly):  # the house is being moved: it stays unread
        services().telling.messages.read(identity(), [message_id])
    return redirect(_way(found) or url_for("messages.mine"))


@pages.post("/messages/read")
def read() -> BaseResponse:
    """Mark the chosen messages as read, or all."""
    chosen = None if request.form.get("what") == "all" else [key for text in _chosen() if (key := paging.read_id(text))]
    count = services().telling.messages.read(identity(), chosen)
    flash(ngettext("%(num)d message is marked as read.", "%(num)d messages are marked as read.", count))
    return redirect(url_for("messages.mine"), 303)


def _chosen() -> list[str]:
    return request.form.getlist("message")[:PAGE]


def _way(found: Shown) -> str | None:
    if found.closed:
        return None
    return topic_words(found.message).way(found.message.subject_id, found.message.record_id)


@pages.get("/messages/ways")
def ways() -> BaseResponse:
    """Show by which ways the person is told."""
    return _ways()


@pages.post("/messages/ways")
def choose() -> BaseResponse:
    """Choose a way, change it, or give it up."""
    form, own = request.form, services().telling.channels
    named = form.get("channel", "")
    if named not in set(Channel):
        return redirect(url_for("messages.ways"), 303)
    channel = Channel(named)
    if form.get("what") == "off":
        own.drop(identity(), channel)
        flash(_("Nothing more is sent this way."))
        return redirect(url_for("messages.ways"), 303)
    try:
        own.choose(identity(), channel, form.get("address", "")[:300], digest=form.get("when") == "digest")
    except InvalidInput as error:
        return _ways(channel, error)
    flash(_("From the next message on you are told this way too."))
    return redirect(url_for("messages.ways"), 303)


def _ways(channel: Channel | None = None, error: InvalidInput | None = None) -> BaseResponse:
    fault = explain_fault(error.faults[0], current_locale()) if error else ""
    page = render_template(
        "message_ways.html", ways=services().telling.channels.mine(identity()), words=CHANNELS, rooms=ROOMS,
        wrong=channel, fault=fault, typed=request.form,
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
