"""Pages that move chosen records to another category: choose it, see what it means, confirm."""

from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.moving import Planned
from archive.errors import ArchiveError, InvalidInput, NotFound
from web.i18n import current_locale
from web.lists import back
from web.security import local_path
from web.services import identity, services
from web.words.faults import explain, explain_fault, field_label

pages = Blueprint("moving", __name__)

MOST_TOLD = 10


@pages.post("/records/move")
def move() -> BaseResponse:
    """Ask for the category, then tell what moving means, then move."""
    form = request.form
    try:
        ids = [UUID(text) for text in dict.fromkeys(form.getlist("record")[:500])]
        target = UUID(form["category"]) if form.get("category") else None
    except ValueError as error:
        raise NotFound from error
    if not ids:
        flash(_("Choose the records to move first."))
        return back()
    directory = services().directory
    whence = local_path(form.get("back"))
    into_notes = form.get("lost", "notes") == "notes"
    if target is None:
        return make_response(
            render_template(
                "move.html", ids=ids, categories=directory.categories(), fonds=directory.fonds(), back=whence
            )
        )
    if form.get("confirmed"):
        done = services().moving.move(identity(), ids, target, into_notes=into_notes)
        staying = [(each.title, each.error) for each in done if each.error]
        for title, reason in staying[:MOST_TOLD]:  # messages travel in a cookie, which holds no more
            flash(f"{title[:60]}{'：' if current_locale() != 'en' else ': '}{_why(reason)}")
        if (more := len(staying) - MOST_TOLD) > 0:
            flash(ngettext("%(num)d more stays where it is.", "%(num)d more stay where they are.", more))
        moved = len(done) - len(staying)
        flash(ngettext("%(num)d record is moved.", "%(num)d records are moved.", moved))
        return back()
    planned = services().moving.plan(identity(), ids, target)
    return make_response(
        render_template(
            "move.html",
            ids=ids,
            back=whence,
            category=directory.category(target),
            planned=[(each, _why(each.error) if each.error else "", _lost(each)) for each in planned],
            movable=sum(each.error is None for each in planned),
            losing=any(each.lost for each in planned),
        )
    )


def _why(error: ArchiveError) -> str:
    if isinstance(error, InvalidInput):
        colon = ": " if current_locale() == "en" else "："
        faults = [
            f"{field_label(each.field, current_locale())}{colon}{explain_fault(each, current_locale())}"
            for each in error.faults
        ]
        return " ".join(faults)
    return explain(error, current_locale())[0]


def _lost(each: Planned) -> list[tuple[str, str]]:
    """Return label and value of what the new category lacks; a protected value is not shown."""
    return [(f.label(current_locale()), "•••" if f.protected else str(value)) for f, value in each.lost]
