"""Where papers lie: rooms, cabinets, shelves and boxes, how full each is, what lies there, and their labels."""

from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import Person, Security, ShelfKind, ShelfPlace
from archive.policy.rules import Act
from archive.shelving.looking import LATEST, MOST, ShelfView
from archive.shelving.tree import HOLDERS, STEPS, PlaceFacts
from web import paging
from web.asking import (
    Crumbs,
    Field,
    Form,
    again,
    may,
    name_fields,
    names_typed,
    names_values,
    require,
    shown,
    whole_typed,
)
from web.custody.labels import send_labels
from web.i18n import current_locale
from web.prints.label_sheets import SHEETS, a_label, label_sheet, sheet_of
from web.services import identity, services
from web.sure import asked
from web.words import named
from web.words.shelves import SECURITIES, SHELF_KINDS

pages = Blueprint("shelves", __name__, url_prefix="/shelves")

W = TypeVar("W", bound=Security | ShelfKind)


@pages.get("")
def rooms() -> str:
    """Show the rooms, and how full each is."""
    found = services().shelving.looks.rooms(identity())
    return render_template("shelves.html", rooms=found, manages=may(Act.MANAGE_SHELVES))


@pages.get("/at")
def at() -> BaseResponse:
    """Open the place of a code."""
    found = services().shelving.looks.id_at(identity(), request.args.get("p", "")[:100])
    return redirect(url_for("shelves.show", place_id=found))


@pages.get("/<uuid:place_id>")
def show(place_id: UUID) -> str:
    """Show a place: what stands in it, what lies there, and what moved."""
    after, moved = paging.read_path(request.args.get("after", "")), paging.read(request.args.get("moved", ""))
    view = services().shelving.looks.show(
        identity(), place_id, after=after, moved=moved, most=MOST + 1, latest=LATEST + 1
    )
    lying, more = paging.page(view.lying, MOST, lambda each: paging.told_path(each.order, each.copy.id))
    moves, older = paging.page(view.moves, LATEST, lambda each: paging.told((each.at, each.id)))
    return render_template(
        "shelf.html",
        view=view,
        held_by=services().retention.holds.on_shelf(identity(), view.here.place),
        may_hold=may(Act.MANAGE_HOLDS) and view.here.taken is not None,
        lying=lying,
        more=more and url_for(".show", place_id=place_id, after=more),
        moves=moves,
        older=older and url_for(".show", place_id=place_id, moved=older, _anchor="moves"),
        here=view.here.place,
        crumbs=_crumbs(view),
        next_kind=_next(view.here.place),
        manages=may(Act.MANAGE_SHELVES) and view.here.taken is not None,
        takes_stock=may(Act.TAKE_STOCK) and view.here.taken is not None,
        sheets=[(key, _(words)) for key, (words, _sheet) in SHEETS.items()],
        holds=view.here.place.kind in HOLDERS,
        shelves_papers=may(Act.TAKE_STOCK),
    )


def _next(place: ShelfPlace | None) -> ShelfKind | None:
    step = STEPS.index(place.kind) + 1 if place else 0
    return STEPS[step] if step < len(STEPS) and not (place and place.closed_at) else None


def _crumbs(view: ShelfView | None, heading: str | None = None) -> Crumbs:
    locale = current_locale()
    ways: list[tuple[str | None, str]] = [
        (url_for("shelves.rooms"), _("Shelves")),
        *(
            (url_for("shelves.show", place_id=each.id), f"{each.code} {named(each.names, locale)}")
            for each in (view.way if view else ())
        ),
    ]
    return [*ways, (None, heading)] if heading else [*ways[:-1], (None, ways[-1][1])]


def _above() -> ShelfView | None:
    key = request.args.get("in", "")
    try:
        return services().shelving.looks.show(identity(), UUID(key)) if key else None
    except ValueError:
        raise NotFound from None


def _fields(kind: ShelfKind) -> list[Field]:
    fields = [name_fields()] if kind is ShelfKind.ROOM else [
        Field("name", _("Name"), limit=100, help=_("Left empty: the code is enough.")),
    ]  # fmt: skip
    if kind in HOLDERS:
        how = (
            _("How many boxes and loose dossiers fit, as you count them standing before it.")
            if kind is ShelfKind.SHELF
            else _("How many papers (items or dossiers) fit.")
        )
        fields.append(Field("capacity", _("Capacity"), must=True, limit=5, help=how))
    else:
        options = [(key, _(words)) for key, words in SECURITIES.items()]
        fields.append(
            Field("security", _("Security"), kind="choose", options=options, none=_("as what it stands in"),
                  help=_("What stands in it is secured at least so. It decides which levels may lie here."))
        )  # fmt: skip
    with services().db.reading() as session:
        people = session.execute(
            select(Person.login, Person.name).where(Person.active.is_(True)).order_by(Person.login)
        )
        known = [(login, name) for login, name in people]
    fields.append(
        Field("custodian", _("Custodian"), limit=64, suggestions=known,
              help=_("Sign-in name of who keeps it; left empty: that of what it stands in. Others than archivists put "
                     "nothing there then."))
    )  # fmt: skip
    return fields


def _facts(kind: ShelfKind) -> PlaceFacts:
    login = request.form.get("custodian", "").strip()
    custodian = next(iter(services().directory.people_called([login]).values()), None) if login else None
    faults = [Fault("custodian", "unknown")] if login and custodian is None else []
    security = _word(Security, "security", faults)
    if faults:
        raise InvalidInput(*faults)
    capacity = whole_typed("capacity") if kind in HOLDERS else None
    return PlaceFacts(names_typed(), security, capacity, custodian)


def _word(kind: type[W], name: str, faults: list[Fault]) -> W | None:
    text = request.form.get(name, "")
    try:
        return kind(text) if text else None
    except ValueError:
        faults.append(Fault(name, "unknown"))
        return None


def _new_form(above: ShelfView | None) -> Form:
    kind = _next(above.here.place if above else None) or ShelfKind.ROOM
    heading = _("Add: %(kind)s", kind=_(SHELF_KINDS[kind.value]))
    code = Field(
        "code", _("Code"), must=True, limit=8, help=_("Capitals and digits, up to 8: 01, A3. It is on the label.")
    )
    back = url_for("shelves.show", place_id=above.here.place.id) if above else url_for("shelves.rooms")
    values = {"capacity": {ShelfKind.SHELF: "20", ShelfKind.BOX: "30"}.get(kind, "")}
    return Form(heading, [code, *_fields(kind)], _("Add"), back, crumbs=_crumbs(above, heading), values=values)


@pages.get("/new")
def new() -> BaseResponse:
    """Ask for a place in another, or for a room."""
    require(Act.MANAGE_SHELVES)
    return shown(_new_form(_above()))


@pages.post("/new")
def add() -> BaseResponse:
    """Add a place."""
    require(Act.MANAGE_SHELVES)
    above = _above()
    kind = _next(above.here.place if above else None) or ShelfKind.ROOM
    parent = above.here.place.id if above else None
    try:
        made = services().shelving.tree.add(identity(), kind, request.form.get("code", ""), _facts(kind), parent)
    except ArchiveError as error:
        return again(_new_form(above), error)
    flash(_("The place is added."))
    return redirect(url_for("shelves.show", place_id=parent or made), 303)


def _change_form(view: ShelfView) -> Form:
    row = view.here.place
    custodian = services().directory.person(row.custodian_id) if row.custodian_id else None
    values: dict[str, Any] = names_values(row.names) | {
        "capacity": str(row.capacity or ""),
        "security": row.security.value if row.security else "",
        "custodian": custodian.login if custodian else "",
    }
    heading = _("Change %(name)s", name=row.path)
    return Form(
        heading, _fields(row.kind), _("Save"), url_for("shelves.show", place_id=row.id),
        crumbs=_crumbs(view, heading), values=values, hidden={"version": row.version},
    )  # fmt: skip


@pages.get("/<uuid:place_id>/change")
def changing(place_id: UUID) -> BaseResponse:
    """Ask for what is said of a place."""
    require(Act.MANAGE_SHELVES)
    return shown(_change_form(services().shelving.looks.show(identity(), place_id)))


@pages.post("/<uuid:place_id>/change")
def change(place_id: UUID) -> BaseResponse:
    """Change what is said of a place."""
    require(Act.MANAGE_SHELVES)
    view = services().shelving.looks.show(identity(), place_id)
    try:
        facts = _facts(view.here.place.kind)
        services().shelving.tree.change(identity(), place_id, facts, whole_typed("version"))
    except ArchiveError as error:
        return again(_change_form(view), error)
    flash(_("The place is changed."))
    return redirect(url_for("shelves.show", place_id=place_id), 303)


@pages.post("/<uuid:place_id>/close")
def close(place_id: UUID) -> BaseResponse:
    """Close a place, once it is meant."""
    here = url_for("shelves.show", place_id=place_id)
    words = _("It leaves the plan for good, and its code is not given again. It must be empty.")
    if (question := asked(words, _("Close the place"), back=here)) is not None:
        return question
    services().shelving.tree.close(identity(), place_id, whole_typed("version"))
    flash(_("The place is closed."))
    return redirect(url_for("shelves.rooms"), 303)


@pages.post("/<uuid:place_id>/move")
def move(place_id: UUID) -> BaseResponse:
    """Move a place with all that lies in it to where a code was typed or scanned."""
    here = url_for("shelves.show", place_id=place_id)
    try:
        target = services().shelving.looks.id_at(identity(), scanned_code(request.form.get("to", "")))
    except NotFound:
        flash(_("There is no place of this code."))
        return redirect(here, 303)
    path = services().shelving.tree.move(identity(), place_id, target, whole_typed("version"))
    flash(_("It stands at %(path)s now. Its QR code still opens it; print it a new label for the bars.", path=path))
    return redirect(here, 303)


def scanned_code(text: str) -> str:
    """Return the code of a place that was typed, or whose QR code was scanned."""
    text = text.strip()[:300]
    key = text.rpartition("/shelves/")[2][:36]
    try:
        place_id = UUID(key) if "/shelves/" in text else None
    except ValueError:
        place_id = None
    if place_id is None:
        return text
    return services().shelving.looks.show(identity(), place_id).here.place.path


@pages.post("/<uuid:place_id>/labels")
def labels(place_id: UUID) -> BaseResponse:
    """Send the labels of a place and of what stands directly in it as a PDF."""
    view = services().shelving.looks.show(identity(), place_id)
    sheet = sheet_of(chosen := request.form.get("sheet", ""))
    start = min(max(whole_typed("start", 1), 1), sheet.columns * sheet.rows)
    rows = [view.here.place, *(each.place for each in view.inside)]
    services().readings.begin(identity(), "label.print", body={"numbers": [row.path for row in rows]}).result()
    return send_labels(label_sheet(chosen, start, [_label(row) for row in rows]), "juanku-shelves")


def _label(row: ShelfPlace) -> dict[str, Any]:
    words = " ".join(filter(None, (_(SHELF_KINDS[row.kind.value]), named(row.names, current_locale()))))
    return a_label(row.path, url_for("shelves.show", place_id=row.id, _external=True), "", "", [words])
