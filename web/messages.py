"""A person's messages: read in the page, unread counted on every page."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ReadOnly
from archive.messages import Shown
from web.due_words import stage_words, topic_words
from web.services import identity, services

pages = Blueprint("messages", __name__)

PAGE = 50


@pages.get("/messages")
def mine() -> str:
    """List the person's own messages, the newest first."""
    unread = request.args.get("unread") == "1"
    found = services().telling.messages.list(
        identity(), unread=unread, after=_key(request.args.get("after", "")), limit=PAGE + 1
    )
    shown = [(each, topic_words(each.message), stage_words(each.message.stage, _)) for each in found[:PAGE]]
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
    chosen = None if request.form.get("what") == "all" else [key for text in _chosen() if (key := _key(text))]
    count = services().telling.messages.read(identity(), chosen)
    flash(ngettext("%(num)d message is marked as read.", "%(num)d messages are marked as read.", count))
    return redirect(url_for("messages.mine"), 303)


def _chosen() -> list[str]:
    return request.form.getlist("message")[:PAGE]


def _way(found: Shown) -> str | None:
    if found.closed:
        return None
    return topic_words(found.message).way(found.message.subject_id, found.message.record_id)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
