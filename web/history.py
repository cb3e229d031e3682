"""The log for those who read it, and the history of a record."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from archive.errors import Fault, InvalidInput
from archive.log.browse import LogFilter, LogPage
from archive.model.log import LogResult
from web import paging
from web.i18n import current_locale
from web.log_days import days_between
from web.services import identity, services
from web.words.act_groups import act_choices
from web.words.acts import act_words

pages = Blueprint("history", __name__)

LONGEST = 400
NARROWING = ("act", "result", "record", "person", "since", "until")


@pages.get("/log")
def log() -> str:
    """Show the heads of the log, newest first, narrowed by act, result, day and record."""
    asked = request.args
    since, until = days_between(asked.get("since", ""), asked.get("until", ""), services().zone())
    wanted = LogFilter(
        act=asked.get("act", "").strip()[:LONGEST] or None,
        result=_result(asked.get("result", "")),
        record=_id(asked.get("record", ""), "record"),
        person=_id(asked.get("person", ""), "person"),
        since=since,
        until=until,
    )
    with services().db.reading() as session:
        page = services().log_view.list(session, identity(), wanted, after=paging.read(asked.get("after", "")))
    choices = act_choices(current_locale(), wanted.act or "")
    who = services().directory.people([wanted.person]).get(wanted.person) if wanted.person else None
    return render_template(
        "log.html", asked=asked, act_words=_acts(), choices=choices, who=who, **_shown(page, "history.log")
    )


@pages.get("/records/<uuid:record_id>/history")
def record_history(record_id: UUID) -> str:
    """Show what happened to a record."""
    with services().db.reading() as session:
        after = paging.read(request.args.get("after", ""))
        page = services().log_view.history(session, identity(), record_id, after=after)
    shown = _shown(page, "history.record_history", record_id=record_id)
    return render_template("history.html", record_id=record_id, act_words=_acts(), **shown)


def _acts() -> Any:
    locale = current_locale()
    return lambda act: act_words(act, locale)


def _shown(page: LogPage, endpoint: str, **values: Any) -> Mapping[str, Any]:
    names = services().directory.people(line.person_id for line in page.lines)
    older = None
    if page.next is not None:
        kept: dict[str, Any] = {name: value for name, value in request.args.items() if name in NARROWING}
        older = url_for(endpoint, **values, **kept, after=paging.told(page.next))
    return {"lines": page.lines, "names": names, "older": older}


def _result(text: str) -> LogResult | None:
    return LogResult(text) if text in set(LogResult) else None


def _id(text: str, field: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise InvalidInput(Fault(field, "unknown")) from error
