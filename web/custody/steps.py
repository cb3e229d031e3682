"""The board of steps into custody, the deadlines for filing, and many records filed in one act."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Conflict, InvalidInput, NotFound
from archive.filing.deadlines import MOST_DAYS
from archive.filing.many import FILED, MOST
from archive.filing.steps import STEPS as WAY
from archive.filing.steps import WAITING, Step, Which
from archive.identity import Role
from archive.model import CountedFrom, Record
from archive.policy.rules import Act
from archive.spelling import whole_of
from web import paging
from web.asking import may, require
from web.i18n import current_locale
from web.lists import SHORTLY, readable, ticked
from web.services import identity, services
from web.sure import asked as sure_asked
from web.waiting import MOST_TOLD
from web.words import named
from web.words.faults import explain, explain_waiting, status_of
from web.words.hand_ins import BOARD, COUNTED, STEPS
from web.words.records import word

pages = Blueprint("steps", __name__, url_prefix="/steps")

PAGE = 50
REFUSED = 500
UNTIL = "until"
"""The field that says where the last of those stands that were asked about."""


@pages.get("")
def board() -> str:
    """Show each step with its counts, and the records of one."""
    asked = request.args
    step = Step(asked["step"]) if asked.get("step") in BOARD else Step.RECEIVED
    which, late = _which(), asked.get("late") == "1" and step in WAITING
    after = paging.read(asked.get("after", ""))
    steps = services().steps
    counts = steps.counts(identity(), which, MOST_TOLD)
    found = steps.at(identity(), step, which, late_only=late, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    kept = {"department": which.department_id, "category": which.category_id}
    if len(found) > PAGE:
        last = rows[-1].record
        more = _address(step, which, late=late, after=paging.told((last.created_at, last.id)))
    names = services().directory.coded_names(
        {each.record.category_id for each in rows},
        (),
        {each.record.department_id for each in rows if each.record.department_id},
    )
    return render_template(
        "steps.html", words=BOARD, counts=counts, step=step.value, late=late, rows=rows, more=more, names=names,
        which=kept, departments=services().directory.departments(), categories=services().directory.categories(),
        fonds=services().directory.fonds(), waits=step in WAITING, files=Role.ARCHIVIST in identity().roles,
        most_told=MOST_TOLD, manages=may(Act.MANAGE_SCHEME), at_most=MOST,
    )  # fmt: skip


@pages.post("/file")
def file_many() -> BaseResponse:
    """File the ticked records, or once it is meant all of a step, in one act."""
    form, ids = request.form, ticked()
    if form.get("all"):
        question, ids = _all_of_a_step()
        if question is not None:
            return question
    try:
        key = services().filing_many.begin(identity(), ids)
    except InvalidInput:
        none_left = _("Nothing of what you were asked about waits to be filed any more.")
        flash(none_left if form.get("all") else _("Choose the records first."))
        return redirect(url_for(".board", step=form.get("step") or None), 303)
    return redirect(url_for(".run", run_id=key), 303)


def _all_of_a_step() -> tuple[BaseResponse | None, list[UUID]]:
    """Return the question whether all of a step is meant, or None and what it was asked about: nothing that came since.

    Raises ``NotAllowed``: the person files nothing.
    """
    form, own = request.form, services()
    own.filing_many.require(identity())
    step = Step(form["step"]) if form.get("step") in BOARD else Step.RECEIVED
    which, late, until = _which(), form.get("late") == "1", paging.read(form.get(UNTIL, ""))
    found = own.steps.places_at(identity(), step, which, late_only=late, until=until, most=MOST + 1)
    meant = found[:MOST]
    ids = [key for _at, key in meant]
    if not ids:
        return None, ids
    question = sure_asked(
        _meant(len(found)), _("File all of these"), back=_address(step, which, late=late),
        which=_told(step, which, ids, late=late), about=_mark(ids), carried={UNTIL: paging.told(meant[-1])},
    )  # fmt: skip
    return question, ids


def _mark(ids: Iterable[UUID]) -> str:
    """Return what stands for just these records in a form."""
    return sha256(b"".join(sorted(each.bytes for each in ids))).hexdigest()[:32]


def _address(step: Step, which: Which, *, late: bool, after: str | None = None) -> str:
    """Return the address of the board with the records of a step."""
    return url_for(
        ".board", step=step.value, late=1 if late else None, department=which.department_id,
        category=which.category_id, after=after,
    )  # fmt: skip


def _meant(count: int) -> str:
    """Return what happens when all of so many (more than ``MOST``: the first of them) are filed."""
    much = ngettext(
        "%(num)d record is filed, if it is ready.", "%(num)d records are filed, as far as they are ready.",
        min(count, MOST),
    )  # fmt: skip
    more = _("There are more: these are the oldest, and the others stay.") if count > MOST else ""
    after = _(
        "This cannot be taken back: each gets its numbers for good, nobody deletes it any more, and its description is "
        "changed by a correction alone. Those that are not ready stay, and each says why."
    )
    return (" " if current_locale() == "en" else "").join(filter(None, (much, more, after)))


def _told(step: Step, which: Which, ids: Sequence[UUID], *, late: bool) -> list[tuple[str, str]]:
    """Return labels and values of what a filing of all is about: the step, what narrows it, and the first titles."""
    locale = current_locale()
    told = [(_("Where they stand"), word(BOARD, step.value, locale) + (f" · {_('late ones')}" if late else ""))]
    names = services().directory.coded_names(
        [which.category_id] if which.category_id else (), (), [which.department_id] if which.department_id else ()
    )
    for label, key in ((_("Department"), which.department_id), (_("Category"), which.category_id)):
        if key is not None and key in names:
            told.append((label, f"{names[key][0]} {named(names[key][1], locale)}"))
    titles = "\n".join(each.title for each in readable(list(ids[:SHORTLY])))
    return [*told, (_("The oldest of them"), titles + ("\n…" if len(ids) > SHORTLY else ""))]


@pages.get("/runs/<uuid:run_id>")
def run(run_id: UUID) -> str:
    """Show how far the filing of many is; while it runs, the page comes again by itself."""
    after = paging.read_position(request.args.get("after", "")) or 0
    found = services().filing_many.show(identity(), run_id, after=after, limit=REFUSED + 1)
    rows, last = paging.page(found.refused, REFUSED, lambda row: str(row.position))
    with services().db.reading() as session:
        seen = services().guard.visible(session, identity()).where(Record.id.in_([row.record_id for row in rows]))
        titles = {row.id: row.title for row in session.scalars(seen)}
    locale = current_locale()
    refused = [
        (row, titles.get(row.record_id), explain_waiting(row.outcome or "", row.missing, locale)) for row in rows
    ]
    more = last and url_for(".run", run_id=run_id, after=last)
    return render_template(
        "filing_run.html", run=found, refused=refused, more=more,
        filed=found.outcomes.get(FILED, 0),
    )  # fmt: skip


@pages.post("/runs/<uuid:run_id>/stop")
def stop(run_id: UUID) -> BaseResponse:
    """Stop after the batch that is under way."""
    services().filing_many.stop(identity(), run_id)
    return redirect(url_for(".run", run_id=run_id), 303)


@pages.post("/runs/<uuid:run_id>/go-on")
def go_on(run_id: UUID) -> BaseResponse:
    """Go on with a run that was stopped or broke off."""
    services().filing_many.resume(identity(), run_id)
    return redirect(url_for(".run", run_id=run_id), 303)


@pages.get("/deadlines")
def deadlines() -> BaseResponse:
    """Show until when each category's records are to be filed, to be set."""
    return _deadlines()


@pages.post("/deadlines")
def set_deadlines() -> BaseResponse:
    """Set the deadlines that were changed."""
    form, standing = request.form, services().filing_deadlines.own(identity())
    changed = 0
    try:
        for text in form.getlist("category"):
            key = _key(text)
            if key is None:
                raise NotFound
            days, counted = form.get(f"days-{key}", "").strip(), form.get(f"from-{key}", "")
            number = whole_of(days, 99_999)
            wanted = number if number is not None else -1 if days else None
            start = CountedFrom(counted) if counted in COUNTED else CountedFrom.YEAR_END
            row = standing.get(key)
            if (row.days, row.counted_from) == (wanted, start) if row else wanted is None:
                continue
            version = form.get(f"version-{key}", "0")
            services().filing_deadlines.set(
                identity(), key, wanted, start, int(version) if version.isascii() and version.isdigit() else 0
            )
            changed += 1
    except (InvalidInput, Conflict) as error:
        return _deadlines(error)
    flash(ngettext("%(num)d deadline is set.", "%(num)d deadlines are set.", changed))
    return redirect(url_for(".deadlines"), 303)


def _deadlines(error: ArchiveError | None = None) -> BaseResponse:
    require(Act.MANAGE_SCHEME)
    standing = services().filing_deadlines.own(identity())
    page = render_template(
        "filing_deadlines.html", categories=services().directory.categories(), fonds=services().directory.fonds(),
        standing=standing, counted=COUNTED, most=MOST_DAYS, lines=explain(error, current_locale()) if error else [],
        typed=request.form,
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _which() -> Which:
    return Which(_key(request.values.get("department")), _key(request.values.get("category")))


def _key(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


@pages.app_template_global()
def way_of(record: Record) -> dict[str, object]:
    """Return a record's own way: each step in words with whether it is taken, and how late it is."""
    with services().db.reading() as session:
        way = services().steps.way(session, record)
    locale = current_locale()
    steps = [(word(STEPS, name, locale), name in way.taken) for name in WAY]
    return {"steps": steps, "due": way.due, "late": way.late}
