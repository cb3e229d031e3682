"""What is due: the board by year, category and project, and the same as a spreadsheet."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from archive.identity import Role
from archive.model import Category, DueState, Place, PlaceKind, RetentionSchedule
from archive.policy.rules import Act
from retention.board import EXPORTED, Asked, DueRow
from retention.renewals import MOST
from web.asking import may, year_in
from web.i18n import current_locale
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words import named
from web.words.retention import STATES, due_words, said, schedule_name

pages = Blueprint("terms_due", __name__, url_prefix="/retention/due")

PAGE = 50


@pages.get("")
def board() -> str:
    """List what is due, or what else is asked for, the earliest day first."""
    asked = asked_for(request.args)
    found = services().retention.board.list(identity(), asked, after=_place(), limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        last = shown[-1]
        more = url_for("terms_due.board", **_kept(asked), after=f"{last.due or ''}_{last.record_id.hex}")
    years = services().retention.board.years(identity(), asked)
    return render_template(
        "terms_due.html", rows=shown, asked=asked, kept=_kept(asked), more=more, years=years, names=_names(shown),
        day=services().guard.day(), states=services().retention.board.states(identity()), all_states=list(DueState),
        categories=_categories(), projects=_projects(), may_appraise=may(Act.BEGIN_APPRAISALS),
        renews=Role.ARCHIVIST in identity().roles, most=MOST,
    )  # fmt: skip


@pages.get("/list.xlsx")
def sheet() -> Response:
    """Give the whole list as a spreadsheet."""
    asked, locale = asked_for(request.args), current_locale()
    rows = services().retention.board.list(identity(), asked, limit=EXPORTED)
    names = _names(rows)
    body = {"rows": len(rows), "due": True, **_kept(asked)}
    services().readings.begin(identity(), "list.export", body=body).result()
    levels = services().directory.levels()
    cells = [
        [
            due_words(row.state, row.due, locale), row.archive_number or "", row.registration_number or "",
            row.title or "", names.get(row.category, ""), names.get(row.schedule, ""),
            named(levels[row.level_rank].names, locale), row.noticed_on.isoformat() if row.noticed_on else "",
        ]
        for row in rows
    ]  # fmt: skip
    if len(rows) == EXPORTED:
        cells.append([_("The list ends here, after %(count)s lines: narrow it for the rest.", count=EXPORTED)])
    heads = [
        (_("Term runs out on"), 12), (_("Archive number"), 28), (_("Registration number"), 22), (_("Title"), 60),
        (_("Category"), 24), (_("Schedule"), 30), (_("Secrecy level"), 12), (_("Found due on"), 12),
    ]  # fmt: skip
    book = workbook(heads, cells)
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-due.xlsx"'})


def asked_for(given: Mapping[str, str]) -> Asked:
    """Read what of the list is asked for."""
    state = given.get("state", "")
    return Asked(
        state=DueState(state) if state in list(DueState) else DueState.DATED,
        ahead=given.get("ahead") == "1",
        year=year_in(given.get("year", "")),
        category=_id(given.get("category", "")),
        place=_id(given.get("place", "")),
    )


def _kept(asked: Asked) -> dict[str, Any]:
    """Return what is asked for as the address holds it."""
    values = {
        "state": asked.state.value if asked.state is not DueState.DATED else None,
        "ahead": "1" if asked.ahead else None,
        "year": asked.year,
        "category": asked.category,
        "place": asked.place,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _place() -> tuple[date | None, UUID] | None:
    """Read where the list goes on; anything else begins it anew."""
    day, _bar, key = request.args.get("after", "").partition("_")
    try:
        return date.fromisoformat(day) if day else None, UUID(key)
    except ValueError:
        return None


def _names(rows: Sequence[DueRow]) -> Mapping[UUID | None, str]:
    """Return the names of the categories and schedules of these lines."""
    locale = current_locale()
    with services().db.reading() as session:
        categories = session.scalars(select(Category).where(Category.id.in_({row.category for row in rows} - {None})))
        found: dict[UUID | None, str] = {row.id: f"{row.code} {named(row.names, locale)}" for row in categories}
        wanted = {row.schedule for row in rows} - {None}
        schedules = session.scalars(select(RetentionSchedule).where(RetentionSchedule.id.in_(wanted)))
        return found | {row.id: schedule_name(row, locale) for row in schedules}


def _categories() -> Sequence[tuple[UUID, str]]:
    locale = current_locale()
    with services().db.reading() as session:
        rows = session.scalars(select(Category).where(Category.parent_id.is_(None)).order_by(Category.code))
        return [(row.id, f"{row.code} {named(row.names, locale)}") for row in rows]


def _projects() -> Sequence[tuple[UUID, str]]:
    locale = current_locale()
    with services().db.reading() as session:
        rows = session.scalars(select(Place).where(Place.kind == PlaceKind.PROJECT).order_by(Place.path))
        return [(row.id, f"{row.code} {named(row.names, locale)}") for row in rows]


@pages.app_template_filter("due_state")
def _state(value: Any) -> str:
    return said(STATES, value, current_locale())
