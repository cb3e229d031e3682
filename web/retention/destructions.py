"""Destructions: the lists by state, a new one, and one with its way, its people, its count and its acts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, LockedOut, NotFound, SignInFailed
from archive.model import (
    Appraisal,
    AppraisalState,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    Duty,
)
from archive.policy.rules import Act
from retention.destroying.counting import Scanned
from retention.destroying.listing import Chosen, How
from retention.destroying.looks import MOST_BYTES
from retention.destroying.rules import APPOINTED, STAGES
from retention.destroying.shown import Shown
from retention.gone import looks as gone_looks
from web import paging
from web.asking import Field, Form, again, key_needed, key_typed, may, require, shown, whole_typed
from web.custody.placing import numbered
from web.custody.shelves import scanned_code
from web.i18n import current_locale
from web.lending.words import token_words
from web.security import allow_camera
from web.services import identity, services
from web.words.destructions import DUTIES, HOW, ITEMS, METHODS, NEXT, STATES, STOPS
from web.words.faults import explain, status_of
from web.words.proof import progress_line, proof_lines
from web.words.records import word

pages = Blueprint("destructions", __name__, url_prefix="/destructions")

PAGE = 50
OFFERED = 100
"""Closed appraisals to choose one from."""


@pages.get("")
def every() -> str:
    """List the destructions that this person sees, all or in one state."""
    asked = request.args.get("state", "")
    state = DestructionState(asked) if asked in STATES else None
    looks = services().retention.destructions.looks
    found = looks.every(identity(), state, after=paging.read(request.args.get("after", "")), limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1][0]
        more = url_for("destructions.every", state=asked or None, after=paging.told((last.begun_at, last.id)))
    return render_template(
        "destructions.html", rows=rows, more=more, state=asked, counts=looks.states(identity()), words=_said(STATES),
        methods=_said(METHODS), people=services().directory.people({row.begun_by for row, _count in rows}),
        may_begin=may(Act.ASK_DESTRUCTION), may_register=may(Act.SEE_DESTRUCTIONS),
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Ask what is to be listed, and how it is to go."""
    require(Act.ASK_DESTRUCTION)
    return shown(_form())


@pages.post("/new")
def begin() -> BaseResponse:
    """Begin a destruction."""
    try:
        chosen = Chosen(key_typed("appraisal"), None, whole_typed("year") or None)
        key = services().retention.destructions.listing.begin(identity(), _how(), chosen)
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The list stands. Name the people, look through it, and ask for it."))
    return redirect(url_for("destructions.show", key=key), 303)


@pages.get("/<uuid:key>")
def show(key: UUID) -> BaseResponse:
    """Show one."""
    return _page(key)


@pages.get("/<uuid:key>/files/<uuid:file_id>")
def file(key: UUID, file_id: UUID) -> Response:
    """Send a photograph or scan."""
    media, data = services().retention.destructions.looks.file(identity(), key, file_id)
    return Response(data, mimetype=media, headers={"Content-Disposition": "attachment"})


@pages.post("/<uuid:key>/<act>")
def do(key: UUID, act: str) -> BaseResponse:
    """Do an act on one, and come back to it; what was refused is said there."""
    done = _ACTS.get(act)
    if done is None:
        abort(404)
    try:
        if words := done(key):
            flash(words)
    except SignInFailed:
        return _page(key, [_("This is not your present password.")], 403)
    except NotFound:
        raise
    except (ArchiveError, LockedOut) as error:
        return _page(key, explain(error, current_locale()), status_of(error))
    return redirect(url_for("destructions.show", key=key), 303)


def _page(key: UUID, lines: list[str] | None = None, status: int = 200) -> BaseResponse:
    looks, locale = services().retention.destructions.looks, current_locale()
    one = looks.show(identity(), key)
    row = one.row
    typed = request.args.get("after", "")
    after = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    found = looks.items(identity(), key, after=after, limit=PAGE + 1)
    people = {row.begun_by, row.confirmed_by, row.run_by} | {each.row.person_id for each in one.duties}
    people |= {each[0] for each in one.objections} | {done[0] for step in one.steps for done in step.done}
    names = services().directory.people({each for each in people if each})
    steps = [(step, [token_words(token, locale, names) for token in step.tokens]) for step in one.steps]
    pulled = looks.items(identity(), key, limit=200, pulled=True)
    scans = "scan" in one.acts and bool(one.paper or one.expected or one.extra)
    if scans:
        allow_camera()
    page = render_template(
        "destruction.html", one=one, row=row, lines=lines or [], names=names, steps=steps, items=found[:PAGE],
        more=found[PAGE - 1].position if len(found) > PAGE else None, pulled=pulled,
        states=_said(STATES), duties=_said(DUTIES), methods=_said(METHODS), hows=_said(HOW), stops=_said(STOPS),
        item_words=_said(ITEMS), what_next=word(NEXT, row.state.value, locale),
        stages=[word(STATES, each.value, locale) for each in STAGES],
        at=STAGES.index(row.state) + 1 if row.state in STAGES else 0, duty_choices=[each.value for each in APPOINTED],
        method_choices=[each.value for each in DestructionMethod], gone=row.run_at is not None, proofs=_proofs(one),
        progress=_progress(one), held_up=not services().db.is_sqlite,
        wipe_hour=services().retention.destructions.wipe_hour,
        ended=row.state in {DestructionState.REFUSED, DestructionState.WITHDRAWN}, scans=scans,
    )  # fmt: skip
    return make_response(page, status)


def _progress(one: Shown) -> str:
    """Return how far it is, while it runs, for those who have a part in it."""
    if one.row.state is not DestructionState.RUNNING or not one.part.numbers:
        return ""
    with services().db.reading() as session:
        return progress_line(gone_looks.progress(session, one.row.id), current_locale(), services().zone())


def _proofs(one: Shown) -> Sequence[tuple[datetime, Sequence[str]]]:
    """Return what its proofs found, the latest first, each with its moment."""
    if one.row.gone_at is None or not one.part.numbers:
        return []
    with services().db.reading() as session:
        found = gone_looks.findings(session, one.row.id)
    return [(each.made_at, proof_lines(each, current_locale(), services().zone())) for each in found]


def _prove() -> None:
    services().people.prove(identity(), request.form.get("password", "")[:1000])


def _how() -> How:
    typed = request.form
    method = typed.get("method", "")
    if method not in METHODS:
        raise InvalidInput(Fault("method", "required"))
    return How(
        purpose=typed.get("purpose", ""),
        method=DestructionMethod(method),
        place=typed.get("place", ""), contractor=typed.get("contractor", ""), weight=typed.get("weight", ""),
    )  # fmt: skip


def _ask(key: UUID) -> Any:
    pulled = services().retention.destructions.deciding.ask(identity(), key, request.form.get("reason", ""))
    return _and_taken_out(_("It is asked for."), pulled)


def _taken_out(key: UUID) -> int:
    return services().retention.destructions.looks.show(identity(), key).counts.get(DestructionItemState.PULLED, 0)


def _and_taken_out(words: str, count: int) -> str:
    if not count:
        return words
    told: str = _("Taken out of the list, as they may not go: %(count)s.", count=count)
    return f"{words} {told}"


def _decide(key: UUID) -> Any:
    approve = request.form.get("what") == "approve"
    reason, before = request.form.get("reason", ""), _taken_out(key)
    state = services().retention.destructions.deciding.decide(identity(), key, reason, approve=approve)
    if state is DestructionState.WITHDRAWN:
        return _("Nothing on the list may go any more: it has ended.")
    return _and_taken_out(_("You have agreed."), _taken_out(key) - before) if approve else _("You have refused it.")


def _object(key: UUID) -> Any:
    reason = request.form.get("reason", "")
    services().retention.destructions.deciding.object(identity(), key, key_needed("record"), reason)
    return _("Your objection is noted. The record was taken out of the list.")


def _confirm(key: UUID) -> Any:
    _prove()
    before = _taken_out(key)
    if services().retention.destructions.deciding.confirm(identity(), key) is DestructionState.WITHDRAWN:
        return _("Nothing on the list may go any more: it has ended.")
    return _and_taken_out(_("It is confirmed. The witnesses count now."), _taken_out(key) - before)


def _withdraw(key: UUID) -> Any:
    services().retention.destructions.listing.withdraw(identity(), key, request.form.get("reason", ""))
    return _("It is taken back. The records are free again.")


def _change(key: UUID) -> Any:
    services().retention.destructions.listing.change(identity(), key, whole_typed("version"), _how())
    return _("Noted.")


def _leave_out(key: UUID) -> Any:
    services().retention.destructions.listing.leave_out(identity(), key, key_needed("record"))
    return _("The record is off the list.")


def _name(key: UUID) -> Any:
    title = request.form.get("neutral", "")
    services().retention.destructions.listing.name(identity(), key, {key_needed("record"): title})
    return _("Noted.")


def _appoint(key: UUID) -> Any:
    duty = request.form.get("duty", "")
    if duty not in {each.value for each in APPOINTED}:
        raise InvalidInput(Fault("duty", "unknown"))
    typed = request.form.get("person", ""), request.form.get("outsider", "")
    services().retention.destructions.counting.appoint(identity(), key, Duty(duty), *typed)
    return _("Noted.")


def _dismiss(key: UUID) -> Any:
    services().retention.destructions.counting.dismiss(identity(), key, key_needed("duty"))
    return _("Noted.")


def _code(key: UUID) -> Any:
    made = services().retention.destructions.counting.code(identity(), key, key_needed("duty"))
    return _("The code, shown this once and valid for a day: %(code)s. Hand it to them alone.", code=made)


def _scan(key: UUID) -> Any:
    """Count a label; what is said of it stands beside the field, so that a wrong one is not overlooked."""
    label = scanned_code(request.form.get("label", ""))
    number, copy = numbered(label)
    addressed = number != label and bool(number) and "://" in label
    text = (number if copy is None else f"{number}*{copy}") if number else label
    told = services().retention.destructions.counting.scan(identity(), key, text, addressed=addressed)
    right = told.known and not told.place and not told.extra
    flash(_scanned(text[:100], told), "scan-done" if right else "scan-fault")


def _scanned(label: str, told: Scanned) -> Any:
    if told.place:
        return _("%(label)s: a place, but no box. Nothing was counted; scan what lies in it.", label=label)
    if not told.known:
        return _("%(label)s: no label of this house. Nothing was counted; look at what it is stuck on.", label=label)
    if told.extra and told.box:
        return _(
            "%(label)s: papers counted: %(count)s, not on the list: %(extra)s. Those are named below; take them out.",
            label=label, count=told.counted, extra=told.extra,
        )  # fmt: skip
    if told.extra:
        return _("%(label)s: not on the list. Take it out of the pile.", label=label)
    if not told.counted:
        return _("%(label)s: counted before.", label=label)
    return _("%(label)s: counted, papers: %(count)s.", label=label, count=told.counted)


def _take_out(key: UUID) -> Any:
    services().retention.destructions.counting.take_out(identity(), key, key_needed("scan"))
    return _("Noted: it is out of the pile.")


def _sign(key: UUID) -> Any:
    _prove()
    state = services().retention.destructions.counting.sign(identity(), key)
    return _("You have signed, and so have all others.") if state in {"counted", "closed"} else _("You have signed.")


def _sign_for(key: UUID) -> Any:
    counting = services().retention.destructions.counting
    counting.sign_for(identity(), key, key_needed("duty"), request.form.get("code", "")[:40], key_typed("paper"))
    return _("The signature is noted.")


def _run(key: UUID) -> Any:
    _prove()
    state = services().retention.destructions.running.run(identity(), key, request.form.get("number", ""))
    if state is DestructionState.RUNNING:
        return _("It has begun.")
    return _("Something on the list may not go any more and was taken out. The rest is to be counted again.")


def _weigh(key: UUID) -> Any:
    typed = request.form
    services().retention.destructions.weighing.note(
        identity(), key, whole_typed("version"), typed.get("weighed", ""), typed.get("taken_by", "")
    )
    return _("Noted.")


def _attach(key: UUID) -> Any:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidInput(Fault("file", "required"))
    data = given.stream.read(MOST_BYTES + 1)
    services().retention.destructions.looks.add_file(identity(), key, given.filename, data)
    return _("The file is kept with the destruction.")


_ACTS: Mapping[str, Callable[[UUID], Any]] = {
    "ask": _ask, "decide": _decide, "object": _object, "confirm": _confirm, "withdraw": _withdraw, "change": _change,
    "leave-out": _leave_out, "name": _name, "appoint": _appoint, "dismiss": _dismiss, "code": _code, "scan": _scan,
    "take-out": _take_out, "sign": _sign, "sign-for": _sign_for, "run": _run, "weigh": _weigh,
    "attach": _attach,
}  # fmt: skip


def _said(table: Mapping[str, str]) -> Mapping[str, str]:
    return {key: word(table, key, current_locale()) for key in table}


def _form() -> Form:
    with services().db.reading() as session:
        closed = select(Appraisal.id, Appraisal.number, Appraisal.purpose).where(
            Appraisal.state == AppraisalState.CLOSED
        )
        newest = session.execute(closed.order_by(Appraisal.closed_at.desc()).limit(OFFERED)).all()
        asked = closed.where(Appraisal.id == paging.read_id(request.values.get("appraisal", "")))
        appraisals = dict.fromkeys([*session.execute(asked).all(), *newest])
    fields = [
        Field("purpose", _("What for"), must=True, limit=500),
        Field("appraisal", _("Appraisal"), kind="choose", none=_("every closed one"),
              help=_("The newest ones; from the page of any other its destruction is begun as well."),
              options=[(str(each.id), f"{each.number} {each.purpose}") for each in appraisals]),
        Field("year", _("Due in the year"), limit=4, help=_("Left empty: in any year.")),
        Field("method", _("Method"), kind="choose", must=True, none=_("choose one"),
              options=list(_said(METHODS).items()),
              help=_("Of files alone: deletion, with the keys. Paper is shredded, pulped or burnt; its files go too.")),
        Field("place", _("Where"), limit=200),
        Field("contractor", _("By whom, if not by the house"), limit=200),
        Field("weight", _("Weight, estimated"), limit=40),
    ]  # fmt: skip
    return Form(
        _("Begin a destruction"), fields, _("Make the list"), url_for("destructions.every"),
        crumbs=[(url_for("destructions.every"), _("Destructions")), (None, _("Begin a destruction"))],
        intro=_("Listed is what closed appraisals gave up and nothing keeps: no hold, loan or unfinished matter, and "
                "only what is due. Nothing is destroyed before others have agreed, counted and signed."),
        values={"appraisal": request.args.get("appraisal", "")[:40]},
    )  # fmt: skip
