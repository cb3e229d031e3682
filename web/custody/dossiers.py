"""Pages of dossiers: what one holds, in order, and the acts of arranging it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.arranging.items import MOST
from archive.dossiers.contents import Contents, Entry
from archive.dossiers.order import merged, placed_at
from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, NotFound
from archive.model import Record, RecordKind
from archive.policy.facts import facts_of_many
from archive.policy.rules import Act
from archive.spelling import whole_of
from web.describing import record_form
from web.i18n import current_locale
from web.lists import back, readable, ticked
from web.security import local_path
from web.services import identity, services
from web.words.faults import explain, explain_fault, field_label

pages = Blueprint("dossiers", __name__)

PAGE = 200
"""Items on one page of a dossier."""

MOST_HELD = 20
"""Items that the page of the dossier's own record lists."""

_PLACE = re.compile(r"place-([0-9a-f-]{36})-(\d{1,7})")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@pages.get("/records/<uuid:record_id>/contents")
def contents(record_id: UUID) -> str:
    """Show a dossier with its items in order."""
    begins = _begins()
    shown = services().dossiers.contents(identity(), record_id, begins=begins, limit=PAGE)
    if not shown.entries and begins:
        begins = 0
        shown = services().dossiers.contents(identity(), record_id, limit=PAGE)
    return _page(shown, shown.entries, begins)


@pages.post("/records/<uuid:record_id>/contents/order")
def order(record_id: UUID) -> BaseResponse:
    """Keep the order that someone made; if another came first, show what changed and offer theirs again."""
    places = _places()
    try:
        services().arranging.reorder(identity(), record_id, places)
    except Conflict:
        return _offered_again(record_id, places)
    except InvalidInput as error:
        flash(words_of(error))
        return _to(record_id)
    flash(_("The order is kept."))
    return _to(record_id)


@pages.post("/records/<uuid:record_id>/contents/add")
def add(record_id: UUID) -> BaseResponse:
    """Put the item of a number, typed or scanned, into a dossier."""
    return _did(record_id, lambda: _put([record_of(request.form.get("number", ""))], record_id), scanning=True)


@pages.post("/records/<uuid:record_id>/contents/out")
def take_out(record_id: UUID) -> BaseResponse:
    """Take the ticked items out of a dossier."""

    def act() -> object:
        ids = _chosen()
        services().arranging.take_out(identity(), record_id, ids)
        return ngettext("%(num)d item is taken out; it lies in no dossier now.",
                        "%(num)d items are taken out; they lie in no dossier now.", len(ids))  # fmt: skip

    return _did(record_id, act)


@pages.post("/records/<uuid:record_id>/contents/move")
def move(record_id: UUID) -> BaseResponse:
    """Move the ticked items to the dossier that is chosen or whose number is given."""

    def act() -> object:
        count = services().arranging.put_in(identity(), dossier_named(), _chosen(), source=record_id)
        return ngettext("%(num)d item is moved.", "%(num)d items are moved.", count)

    return _did(record_id, act)


@pages.post("/records/<uuid:record_id>/contents/volume")
def volume(record_id: UUID) -> BaseResponse:
    """Begin a volume at the ticked item, or join its volume to the one before."""
    begins = request.form.get("begins") != "0"

    def act() -> object:
        [item] = _chosen(1)
        version = record_form.version(request.form)
        services().arranging.divide(identity(), record_id, item, version, begins=begins)
        return _("A volume begins at this item now.") if begins else _("No volume begins at this item any more.")

    return _did(record_id, act)


@pages.post("/records/<uuid:record_id>/contents/split")
def split(record_id: UUID) -> BaseResponse:
    """Make a new dossier of the ticked item and all behind it."""
    title = request.form.get("title", "")

    def act() -> object:
        [item] = _chosen(1)
        version = record_form.version(request.form)
        if services().bulk_moves.count_from(identity(), record_id, item) > MOST:
            _made, move = services().bulk_moves.split(identity(), record_id, item, title, version)
            return redirect(_moving(move), 303)
        made = services().arranging.split(identity(), record_id, item, title, version)
        return _("The new dossier %(title)s holds the items from there on.", title=_title(made))

    return _did(record_id, act)


@pages.post("/records/<uuid:record_id>/contents/merge")
def merge(record_id: UUID) -> BaseResponse:
    """Put all items of another dossier behind those of this one."""

    def act() -> object:
        other = dossier_named()
        if services().dossiers.contents(identity(), other, limit=1).total > MOST:
            return redirect(_moving(services().bulk_moves.into_dossier(identity(), record_id, other, look=True)), 303)
        count = services().arranging.merge(identity(), record_id, other)
        came = ngettext("%(num)d item came over.", "%(num)d items came over.", count)
        return f"{came} {_('The other dossier is empty now: put it into the bin if it is not needed.')}"

    return _did(record_id, act)


@pages.post("/dossiers/put")
def put() -> BaseResponse:
    """Ask for the dossier that ticked records are to lie in, then put them there."""
    records = [row for row in readable(ticked()) if row.kind is RecordKind.ITEM]
    whence = local_path(request.form.get("back"))
    if not records:
        flash(_("Choose the items first."))
        return back()
    if not (request.form.get("dossier") or request.form.get("number")):
        offered = services().dossiers.offered(identity(), records[0].fonds_id)
        return make_response(render_template("put_into_dossier.html", records=records, offered=offered, back=whence))
    ids = [row.id for row in records]
    try:
        if len(ids) > MOST:
            return redirect(_moving(services().bulk_moves.put_into(identity(), dossier_named(), ids, look=True)), 303)
        told = _put(ids, dossier_named())
    except ArchiveError as error:
        told = words_of(error)
    flash(told)
    return back()


def _moving(move_id: UUID) -> str:
    return url_for("bulk_moves.show", move_id=move_id)


def _put(ids: Sequence[UUID], dossier_id: UUID) -> str:
    count = services().arranging.put_in(identity(), dossier_id, ids)
    told: str = _("It lies in this dossier already.")
    if count:
        told = ngettext(
            "%(num)d item is put in, behind the last one.", "%(num)d items are put in, behind the last one.", count
        )
    return told


def _title(record_id: UUID) -> str:
    """Return the title of a record that this person has just made."""
    return services().dossiers.contents(identity(), record_id, limit=1).dossier.title


def _did(dossier_id: UUID, act: Callable[[], object], *, scanning: bool = False) -> BaseResponse:
    """Do an act, tell what came of it above the list, and go back to the list, or to where the act leads."""
    try:
        told = act()
        if isinstance(told, BaseResponse):
            return told
        flash(str(told))
    except (InvalidInput, Conflict) as error:
        flash(words_of(error))
    return _to(dossier_id, scanning=scanning)


def _to(dossier_id: UUID, *, scanning: bool = False) -> BaseResponse:
    begins: dict[str, Any] = {"from": request.form.get("from") or None}
    at = "scan" if scanning else None  # the browser puts the focus there
    return redirect(url_for("dossiers.contents", record_id=dossier_id, _anchor=at, **begins), 303)


def words_of(error: ArchiveError) -> str:
    """Tell an error in one line."""
    if not isinstance(error, InvalidInput):
        return " ".join(explain(error, current_locale()))
    locale = current_locale()
    colon = ": " if locale == "en" else "："
    return " ".join(f"{field_label(each.field, locale)}{colon}{explain_fault(each, locale)}" for each in error.faults)


def _chosen(count: int | None = None) -> list[UUID]:
    ids = ticked()
    if not ids or (count is not None and len(ids) != count):
        raise InvalidInput(Fault("records", "tick_one" if count == 1 else "tick_some"))
    return ids


def record_of(text: str) -> UUID:
    """Return the record of a number, or of an address as a label's code holds it."""
    if not text.strip():
        raise InvalidInput(Fault("number", "required"))
    found = _ID.search(text)
    if found and readable([UUID(found[0])]):
        return UUID(found[0])
    try:
        return services().records.find_number(identity(), text.strip()[:200])
    except NotFound:
        raise InvalidInput(Fault("number", "no_such_number")) from None


def dossier_named() -> UUID:
    """Return the dossier of the form: the number goes before what is chosen from the list."""
    form = request.form
    return record_of(form.get("number", "").strip() or form.get("dossier", ""))


def _places() -> dict[UUID, tuple[int, int]]:
    """Read from the form where each item was seen, and where it is to lie."""
    places: dict[UUID, tuple[int, int]] = {}
    for name, text in request.form.items():
        if found := _PLACE.fullmatch(name):
            was, to = int(found[2]), whole_of(text)
            places[UUID(found[1])] = (was, was if to is None else max(to, 1))
    return places


def _begins() -> int:
    text = request.values.get("from", "")
    return int(text) // PAGE * PAGE if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _page(
    shown: Contents,
    page: Sequence[Entry],
    begins: int,
    *,
    wanted: Mapping[UUID, int] | None = None,
    changed: Sequence[str] = (),
) -> str:
    """Show one page of a dossier; ``wanted`` are places that somebody asked for and that are not kept yet."""
    record = shown.dossier
    with services().db.reading() as session:
        facts = facts_of_many(session, [record])[record.id]
        acts = services().guard.acts(services().guard.reach(session, identity()), facts)
    may = Act.ARRANGE in acts
    offered = services().dossiers.offered(identity(), record.fonds_id, but=record.id) if may else ()
    return render_template(
        "contents.html", shown=shown, record=record, begins=begins, page=page, total=shown.total,
        more=begins + PAGE if begins + PAGE < shown.total else None,
        newer=begins - PAGE if begins else None, wanted=wanted, changed=changed, may=may, offered=offered,
        category=services().directory.category(record.category_id),
    )  # fmt: skip


def _offered_again(dossier_id: UUID, places: Mapping[UUID, tuple[int, int]]) -> BaseResponse:
    """Show what changed meanwhile, with the order that this person made of it, to be kept or not."""
    shown = services().dossiers.contents(identity(), dossier_id)
    now = [entry.record_id for entry in shown.entries]
    low = min(was for was, _ in places.values())
    high = max(was for was, _ in places.values())
    near = {key for key, (was, to) in places.items() if to == was or low <= to <= high}
    seen = sorted(near, key=lambda key: places[key][0])
    mine = placed_at(seen, {key: places[key][1] - low + 1 for key in near if places[key][0] != places[key][1]})
    named = set(places)
    line = merged(mine, [key for key in now if key not in named - near])
    far = {key: to for key, (_was, to) in places.items() if key not in near and key in now}
    line = placed_at([*line, *far], far)
    wanted = {key: at for at, key in enumerate(line, 1)}
    begins = _begins()
    page = sorted(shown.entries, key=lambda entry: wanted[entry.record_id])[begins : begins + PAGE]
    changed = _changes(shown.entries, places, low, high)
    reply = make_response(_page(shown, page, begins, wanted=wanted, changed=changed), 409)
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _changes(entries: Sequence[Entry], places: Mapping[UUID, tuple[int, int]], low: int, high: int) -> list[str]:
    """Tell what came, went and moved since somebody saw the items at their places."""
    told = [
        _("Put in meanwhile: %(title)s", title=entry.title)
        for entry in entries[low - 1 : high + 1]
        if entry.record_id not in places
    ]
    there = {entry.record_id for entry in entries}
    gone: list[Record] = readable([key for key in places if key not in there])
    told += [_("Taken out meanwhile: %(title)s", title=row.title) for row in gone]
    was = [key for key in sorted(places, key=lambda key: places[key][0]) if key in there]
    now = [entry.record_id for entry in entries if entry.record_id in places]
    if was != now:
        told.append(_("Someone else changed the order meanwhile."))
    return told


def section(record: Record) -> Mapping[str, Any]:
    """Return what the page of a record shows of dossiers: the one it lies in, or the first of what it holds."""
    if record.kind is not RecordKind.DOSSIER:
        return {"lies_in": services().dossiers.lies_in(identity(), record), "holds": None}
    return {"lies_in": None, "holds": services().dossiers.contents(identity(), record.id, limit=MOST_HELD)}


def put_new(record_id: UUID) -> None:
    """Put an item that was just catalogued into the dossier that its form names."""
    dossier_id = new_item_goes_into()
    if dossier_id is not None:
        try:
            flash(_put([record_id], dossier_id))
        except ArchiveError as error:
            flash(words_of(error))


def new_item_goes_into() -> UUID | None:
    """Return the dossier that a new item is made in, as the form's address or field names it."""
    text = request.values.get("dossier", "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound from None
