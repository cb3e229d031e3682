"""What pages of one record share: the record in full, its category, and the form that describes it."""

from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.showing import CustodyView, RecordView
from archive.errors import ArchiveError, Conflict, InvalidInput, NotFound
from web.describing import record_form
from web.describing.drafts import NEW, OF_RECORD
from web.directory import CategoryShown
from web.i18n import current_locale
from web.services import identity, services
from web.words.faults import explain, explain_fault, status_of


def full_view(record_id: UUID) -> RecordView:
    """Return a record as a reader sees it. Raises ``NotFound`` where this person keeps custody alone."""
    view = services().reader.show(identity(), record_id)
    if isinstance(view, CustodyView):
        raise NotFound
    return view


def category_shown(text: str) -> CategoryShown:
    """Return the category of an id as it comes from an address or a form."""
    try:
        found = services().directory.category(UUID(text))
    except ValueError:
        found = None
    if found is None:
        raise NotFound
    return found


def form_page(category: CategoryShown, values: MultiDict[str, str], view: RecordView | None = None, **more: Any) -> str:
    """Return the form with these values: of a new record, or of the one in ``view``; ``more`` goes to the template."""
    with services().db.reading() as session:
        reach = services().guard.reach(session, identity())
    offered = record_form.choices(services().directory, category, reach)
    return render_template(
        "record_form.html", category=category, offered=offered, values=values, own=record_form.OWN,
        away=record_form.AWAY, materials=record_form.MATERIALS, record=view and view.record,
        kept={field.name: value for field, value in view.fields} if view else {},
        proposed=view.proposed if view else (),
        draft=(OF_RECORD, view.record.id) if view else (NEW, category.id),
        **{"faults": {}, "lines": [], "draft_at": None, **more},
    )  # fmt: skip


def form_again(
    error: ArchiveError, category: CategoryShown, view: RecordView | None = None, **more: Any
) -> BaseResponse:
    """Show the form again with what was typed, each fault under its field."""
    if isinstance(error, NotFound):
        raise error
    lines = explain(error, current_locale())
    faults: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        lines = []
        for fault in error.faults:
            faults.setdefault(fault.field, explain_fault(fault, current_locale()))
    elif isinstance(error, Conflict):
        lines.append(_("What you typed is still below: copy what you need before you open the record again."))
    page = form_page(category, request.form, view, faults=faults, lines=lines, **more)
    return make_response(page, status_of(error))
