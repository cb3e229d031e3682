"""Required papers: what a dossier has and lacks, its facts, people and clocks, and the board of what is incomplete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.model import Record
from archive.model.required import NEVER
from archive.policy.facts import facts_of_many
from archive.policy.rules import Act
from archive.required.looking import Looked
from archive.required.standing import Stands
from archive.subject_facts import names_of_subjects
from web import paging
from web.asking import day_typed, key_typed, whole_typed
from web.custody.dossiers import record_of, words_of
from web.describing.record_pages import full_view
from web.i18n import current_locale
from web.services import identity, services
from web.words.required import STANDS, told

pages = Blueprint("papers", __name__)

PAGE = 50


@pages.app_template_filter("paper_stands")
def stands_words(stands: Stands) -> str:
    """Return how a paper stands, in words."""
    return str(_(STANDS[stands]))


@pages.app_template_filter("papers_told")
def _told(found: Looked) -> str:
    """Return it in the language of the page."""
    return told(found, current_locale())


@pages.get("/papers")
def board() -> str:
    """List the dossiers that are incomplete or late, as far as this person sees them."""
    template, late = request.args.get("template", "")[:64], request.args.get("late") == "1"
    department = _key(request.args.get("department", ""))
    found, more = services().papers.board(
        identity(), template=template, department_id=department, late=late,
        after=paging.read_day(request.args.get("after", "")), limit=PAGE,
    )  # fmt: skip
    day = services().guard.day()
    return render_template(
        "papers_board.html", found=found, day=day, never=NEVER, template=template, late=late,
        department=str(department or ""), departments=services().directory.departments(),
        offered=services().dossier_templates.offered(identity()),
        more=paging.told_day(more) if more else None,
    )  # fmt: skip


@pages.get("/records/<uuid:record_id>/papers")
def show(record_id: UUID) -> str:
    """Show what a dossier has of its required papers and what it lacks, with the acts on them."""
    found = services().papers.show(identity(), record_id)
    record = found.dossier if found else full_view(record_id).record
    names, people = _names(found) if found else ({}, {})
    return render_template(
        "papers.html", record=record, found=found, may=_may(record), day=services().guard.day(), names=names,
        people=people, offered=services().dossier_templates.offered(identity()), stands=Stands,
        linkable=services().papers.linkable(identity(), found) if found else (),
        newest=_newest(found), items=items_of(found) if found else (),
    )  # fmt: skip


@pages.post("/records/<uuid:record_id>/papers/template")
def follow(record_id: UUID) -> BaseResponse:
    """Have a dossier follow a template, the newest version of its own, or none."""
    code = request.form.get("template", "")[:64] or None
    return _did(record_id, lambda: services().papers.follow(identity(), record_id, code), _("The template is set."))


@pages.post("/records/<uuid:record_id>/papers/facts")
def know(record_id: UUID) -> BaseResponse:
    """Keep the facts of a dossier; its clocks are set by them."""

    def act() -> None:
        found = services().papers.show(identity(), record_id)
        if found is None:
            raise NotFound
        asked = {each.code: each.kind for each in found.template.facts}
        facts: dict[str, Any] = {}
        for code, kind in asked.items():
            name = f"fact-{code}"
            if name in request.form:
                text = request.form[name]
                facts[code] = day_typed(name) if kind == "day" else {"yes": True, "no": False}.get(text)
        services().papers.know(identity(), record_id, facts, whole_typed("version"))

    return _did(record_id, act, _("The facts are kept, and the clocks set by them."))


@pages.post("/records/<uuid:record_id>/papers/attach")
def attach(record_id: UUID) -> BaseResponse:
    """Name an item as a paper, or (``away``) no longer."""
    paper, item, away = request.form.get("paper", "")[:64], key_typed("record"), request.form.get("away") == "1"

    def act() -> None:
        if item is None:
            raise InvalidInput(Fault("record", "required"))
        papers = services().papers
        (papers.detach if away else papers.attach)(identity(), record_id, paper, item)

    return _did(record_id, act, _("The item is this paper no longer.") if away else _("The item is this paper now."))


@pages.post("/records/<uuid:record_id>/papers/copy")
def note_copy(record_id: UUID) -> BaseResponse:
    """Note that a copy is sealed, and that its original was seen and given back."""

    def act() -> None:
        item = key_typed("record")
        if item is None:
            raise InvalidInput(Fault("record", "required"))
        services().papers.note_copy(
            identity(), record_id, request.form.get("paper", "")[:64], item, sealed=request.form.get("sealed") == "1",
            seen_on=day_typed("seen_on"), returned_on=day_typed("returned_on"),
        )  # fmt: skip

    return _did(record_id, act, _("It is noted."))


@pages.post("/records/<uuid:record_id>/papers/person")
def name(record_id: UUID) -> BaseResponse:
    """Name the person of a part, found by an exact number or the address of their page; or nobody."""
    part = request.form.get("part", "")[:64]

    def act() -> None:
        person = None if request.form.get("away") == "1" else _person(request.form.get("person", "").strip())
        services().papers.name(identity(), record_id, part, person)

    return _did(record_id, act, _("It is noted."))


@pages.post("/records/<uuid:record_id>/papers/link")
def link(record_id: UUID) -> BaseResponse:
    """Name the dossier that must be whole first: by its number, or as it is chosen from the list."""

    def act() -> None:
        number = request.form.get("number", "").strip()
        other = record_of(number) if number else key_typed("linked")
        services().papers.link(identity(), record_id, other)

    return _did(record_id, act, _("It is noted."))


def _did(record_id: UUID, act: Callable[[], object], done: str) -> BaseResponse:
    """Do an act, tell above the page what came of it, and go back there."""
    try:
        act()
    except (InvalidInput, Conflict) as error:
        done = words_of(error)
    flash(done)
    return redirect(url_for("papers.show", record_id=record_id), 303)


def _person(text: str) -> UUID:
    if not text:
        raise InvalidInput(Fault("person", "required"))
    try:
        return UUID(text.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        found = services().subjects.find(identity(), text[:40])
    if len(found) != 1:
        raise InvalidInput(Fault("person", "unknown"))
    return found[0]


def _names(found: Looked) -> tuple[Mapping[str, str], Mapping[UUID, str]]:
    """Return what the people of a dossier are called, by part, and who saw its originals."""
    with services().db.reading() as session:
        called = {
            part: next(iter(names_of_subjects(session, services().vault, [key])), "—")
            for part, key in found.people.items()
        }
    met = [item.met for some in found.items.values() for item in some if item.met]
    return called, services().directory.people(who for each in met for who in (each.seen_by, each.returned_by))


def _may(record: Record) -> bool:
    with services().db.reading() as session:
        facts = facts_of_many(session, [record])[record.id]
        return Act.ARRANGE in services().guard.acts(services().guard.reach(session, identity()), facts)


def _newest(found: Looked | None) -> bool:
    """Whether a dossier follows the newest version of its template."""
    if found is None:
        return True
    offered = services().dossier_templates.offered(identity()).get(found.template.code)
    return offered is None or offered.template == found.template


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def items_of(found: Looked) -> Sequence[tuple[UUID, str]]:
    """Return every item that the person sees in a dossier, each once, with its title."""
    there = {item.record_id: item.title for some in found.items.values() for item in some}
    return [*((item.record_id, item.title) for item in found.unplaced), *there.items()]
